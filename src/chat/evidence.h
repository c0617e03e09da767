/* evidence.h - the passages that a turn was shown, by the numbers it cites them with, and the short
 * handles of files. Room: chat. Belongs to the turn's loop; lies in the turn's arena. */
#ifndef CRIA_CHAT_EVIDENCE_H
#define CRIA_CHAT_EVIDENCE_H

#include "base/arena.h"

struct cria_passage {
    uint32_t id; /* unique within the session, from 1 */
    struct cria_str index_id, file_id, document_id, file_name;
    uint32_t page_start, page_end; /* 0: none */
    uint64_t char_start, char_end; /* in the parsed text, code points */
    struct cria_str text;          /* byte-equal to the parsed text there */
};

struct cria_file_handle { /* "f1", "f2", … by position */
    struct cria_str index_id, file_id, file_name;
};

struct cria_evidence {
    struct cria_arena *arena;
    struct cria_passage *passages;
    size_t count, capacity;
    uint32_t last_id;
    struct cria_file_handle *files;
    size_t file_count, file_capacity;
};

/** last_id: the highest number that earlier turns of the session gave out. */
void cria_evidence_init(struct cria_evidence *evidence, struct cria_arena *arena, uint32_t last_id);
/** Takes a copy and numbers it; the same span of the same document keeps its number. With an id
 * set (a passage of an earlier turn) that id is kept. NULL when memory is short. */
const struct cria_passage *cria_evidence_add(struct cria_evidence *evidence,
                                             const struct cria_passage *passage);
/** NULL when no passage has the number. */
const struct cria_passage *cria_evidence_find(const struct cria_evidence *evidence, uint32_t id);
/** The handle's number (from 1) of a file, new or known; 0 when memory is short. */
size_t cria_evidence_file(struct cria_evidence *evidence, struct cria_str index_id,
                          struct cria_str file_id, struct cria_str file_name);
/** The file of "f3"; NULL when it is no such handle. */
const struct cria_file_handle *cria_evidence_handle(const struct cria_evidence *evidence,
                                                    struct cria_str text);

#endif
