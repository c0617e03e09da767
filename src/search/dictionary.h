/* dictionary.h - a segment's distinct terms in byte order: term to ordinal and back. Room: search.
 * Pure. Safe on any bytes; where a check fails or bytes make no sense, nothing is found. */
#ifndef CRIA_SEARCH_DICTIONARY_H
#define CRIA_SEARCH_DICTIONARY_H

#include "base/status.h"
#include "base/str.h"
#include "search/put.h"

enum { CRIA_DICTIONARY_MAX_TERM = 255 }; /* bytes */

/** Writes a dictionary to a sink as terms come; keeps 12 bytes for 16 terms. One thread. */
struct cria_dictionary_builder {
    struct cria_put put;
    uint64_t *prefixes; /* of each block's first term */
    uint32_t *offsets;  /* of each block */
    size_t block_count, capacity;
    uint32_t count; /* terms */
    uint8_t last[CRIA_DICTIONARY_MAX_TERM];
    size_t last_len;
    enum cria_status status; /* the first failure */
};

/** The sink is borrowed until end or release. */
void cria_dictionary_begin(struct cria_dictionary_builder *builder, const struct cria_sink *sink);
/**
 * The next term, of 1 to 255 bytes, behind all before it; its ordinal is the count of those.
 * @return CRIA_OK; CRIA_E_BAD_REQUEST the term is empty, too long or not in order;
 * CRIA_E_NO_MEMORY; CRIA_E_IO the sink gave up; CRIA_E_TOO_LARGE 4 GiB of terms. Failures stay.
 */
enum cria_status cria_dictionary_add(struct cria_dictionary_builder *builder, struct cria_str term);
/** Writes the rest. Returns the first failure of all. */
CRIA_MUST_CHECK enum cria_status cria_dictionary_end(struct cria_dictionary_builder *builder);
/** Frees; accepts a zeroed one. */
void cria_dictionary_release(struct cria_dictionary_builder *builder);

/** Reads; holds nothing but the bytes, which must outlive it. Any thread. */
struct cria_dictionary {
    struct cria_bytes bytes;
    uint32_t count; /* terms */
    uint32_t block_count;
    size_t blocks_len, prefixes_at, offsets_at; /* bytes */
};

/** CRIA_OK; CRIA_E_CORRUPT these bytes are no dictionary. Looks at the last 64 bytes only. */
CRIA_MUST_CHECK enum cria_status cria_dictionary_open(struct cria_bytes bytes,
                                                      struct cria_dictionary *out);
/** The term's ordinal; UINT32_MAX when it is not there. */
uint32_t cria_dictionary_find(const struct cria_dictionary *dictionary, struct cria_str term);
/** The term of an ordinal, in `out`; {NULL, 0} when there is none. */
struct cria_str cria_dictionary_term(const struct cria_dictionary *dictionary, uint32_t ordinal,
                                     char out[CRIA_DICTIONARY_MAX_TERM + 1]);

/** All terms in order. */
struct cria_dictionary_cursor {
    const struct cria_dictionary *dictionary;
    uint32_t next;  /* ordinal */
    size_t at, end; /* within the block */
    char term[CRIA_DICTIONARY_MAX_TERM + 1];
    size_t len;
    bool failed; /* ended before the last term: the bytes are bad */
};
void cria_dictionary_cursor_init(struct cria_dictionary_cursor *cursor,
                                 const struct cria_dictionary *dictionary);
/** The next term, in the cursor's memory until it moves; false at the end. Its ordinal is
 * cursor->next - 1. */
bool cria_dictionary_cursor_next(struct cria_dictionary_cursor *cursor, struct cria_str *term);

#endif
