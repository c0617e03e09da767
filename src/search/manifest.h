/* manifest.h - the bytes of a manifest row: which files hold an index's segments, and which of
 * their documents are dead. Room: search. Pure. */
#ifndef CRIA_SEARCH_MANIFEST_H
#define CRIA_SEARCH_MANIFEST_H

#include "search/collection.h"

/** Parts that lie in memory only are left out. The bytes carry a checksum that the scope
 * ("project/index") is part of: one of another index is none. False when memory is short. */
CRIA_MUST_CHECK bool cria_manifest_write(const struct cria_snapshot *snapshot,
                                         struct cria_str scope, struct cria_buf *out);

struct cria_manifest_part {
    char name[CRIA_ID_SIZE], vectors_name[CRIA_ID_SIZE]; /* "": none */
    uint64_t identity, vectors_identity; /* of the files: no other one is taken for them */
    uint32_t document_count, dead_count;
    struct cria_str dead; /* bitmap, bytes of the body; empty: none */
};
struct cria_manifest_reader {
    struct cria_str rest;
    int64_t generation, seq;
    uint32_t left; /* parts */
};
/** False: these bytes are no manifest. */
CRIA_MUST_CHECK bool cria_manifest_open(struct cria_str body, struct cria_str scope,
                                        struct cria_manifest_reader *out);
/** The next part; false at the end, or (left > 0) where the bytes make no sense. Names are plain:
 * letters, digits and dashes. */
bool cria_manifest_next(struct cria_manifest_reader *reader, struct cria_manifest_part *out);

#endif
