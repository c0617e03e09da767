/* fields.h - documents' metadata as columns, for filters over many documents at once. Room: search.
 * Pure. What cria_filter_allows() says of one document, cria_fields_filter() says of all; a name's
 * part is not its affair. Safe on any bytes. */
#ifndef CRIA_SEARCH_FIELDS_H
#define CRIA_SEARCH_FIELDS_H

#include "base/arena.h"
#include "base/json.h"
#include "search/bytes.h"

struct cria_fields_builder;

/** NULL: no memory. One thread. */
struct cria_fields_builder *cria_fields_builder_new(void);
/** Accepts NULL. */
void cria_fields_builder_free(struct cria_fields_builder *builder);
/**
 * Adds a document. What is not JSON makes a document that no custom filter lets through.
 * @param document  its number, above all before; numbers left out are documents without members.
 * @return CRIA_OK; CRIA_E_BAD_REQUEST not above all before; CRIA_E_NO_MEMORY; CRIA_E_TOO_LARGE
 *         4 GiB of values. Failures stay.
 */
enum cria_status cria_fields_add(struct cria_fields_builder *builder, uint32_t document,
                                 struct cria_str entry_id, struct cria_str metadata_json);
/**
 * Writes all; nothing may be added then.
 * @param document_count  of the segment, above the last number added.
 * @return CRIA_OK; the first failure of adding; CRIA_E_BAD_REQUEST document_count;
 * CRIA_E_NO_MEMORY; CRIA_E_IO the sink gave up.
 */
CRIA_MUST_CHECK enum cria_status cria_fields_write(struct cria_fields_builder *builder,
                                                   uint32_t document_count,
                                                   const struct cria_sink *sink);

/** Reads; holds nothing but the bytes, which must outlive it. Any thread. */
struct cria_fields {
    struct cria_bytes bytes;
    uint32_t document_count, column_count;
    size_t columns_at, invalid_at, invalid_len; /* bytes */
};

/** CRIA_OK; CRIA_E_CORRUPT these bytes are no fields. Looks at the last 64 bytes only. */
CRIA_MUST_CHECK enum cria_status cria_fields_open(struct cria_bytes bytes, struct cria_fields *out);
/**
 * Clears the bits of the documents that the filters do not allow.
 * @param document_count  must be the fields' own.
 * @param static_filters, custom_filters  as cria_filter_allows() takes them; NULL: none.
 * @param documents       a bitmap of document_count bits, some set by the caller.
 * @param scratch         document_count / 8 bytes of it are used.
 * @return CRIA_OK; CRIA_E_NO_MEMORY the scratch; CRIA_E_CORRUPT bytes that fail their check or make
 *         no sense, or another document_count. On failure some bits may be cleared already.
 */
CRIA_MUST_CHECK enum cria_status cria_fields_filter(
    const struct cria_fields *fields, size_t document_count, const struct cria_json *static_filters,
    const struct cria_json *custom_filters, uint64_t *documents, struct cria_arena *scratch);

#endif
