/* files.h - the file tools over the parsed text of an index: find by name, grep, read.
 * Room: search. Any worker thread; blocks. Offsets count Unicode code points. */
#ifndef CRIA_SEARCH_FILES_H
#define CRIA_SEARCH_FILES_H

#include "store/records.h"

/** The live document that a file_id means: the output entry's id, the source entry's id or the
 * stored file's UUID. CRIA_E_NOT_FOUND with its sentence. */
CRIA_MUST_CHECK enum cria_status cria_file_resolve(struct cria_store *store, struct cria_call *call,
                                                   struct cria_str project,
                                                   struct cria_str index_id,
                                                   struct cria_str file_id,
                                                   struct cria_document *out);

struct cria_grep_request {
    struct cria_str project, document_id;
    struct cria_str pattern; /* RE2 syntax, multi-line; empty matches are skipped */
    bool is_literal;         /* take the pattern as plain text, case-insensitively (agent tool) */
    uint64_t after_char;     /* go on at this code point */
    uint32_t context_chars, limit;
};
struct cria_grep_match {
    struct cria_str content;       /* match with context */
    uint64_t start_char, end_char; /* of the match alone */
};
struct cria_grep_result {
    const struct cria_grep_match *items;
    size_t count;
    bool has_more;
    uint64_t next_char; /* where to go on */
};
/** CRIA_E_INVALID the pattern does not compile (sentence says why); CRIA_E_BAD_REQUEST over the
 * run-time budget. */
CRIA_MUST_CHECK enum cria_status cria_file_grep(struct cria_store *store, struct cria_call *call,
                                                const struct cria_grep_request *request,
                                                struct cria_grep_result *out);

/** Text from code point `offset` on, at most max_length code points (0: to the end). */
CRIA_MUST_CHECK enum cria_status cria_file_read(struct cria_store *store, struct cria_call *call,
                                                struct cria_str project,
                                                struct cria_str document_id, uint64_t offset,
                                                uint64_t max_length, struct cria_str *out);

#endif
