/* citations.h - what the markers of a finished block rest on: a sentence of the passage, exactly,
 * and whether it bears the statement.
 * Room: chat. Pure but for cria_citations_verify, which reads the store on a worker. "Source
 * found", never "verified true": negation and swapped roles are not seen. */
#ifndef CRIA_CHAT_CITATIONS_H
#define CRIA_CHAT_CITATIONS_H

#include "chat/evidence.h"
#include "chat/tools.h"

enum cria_support { CRIA_SUPPORT_NONE, CRIA_SUPPORT_COVERED, CRIA_SUPPORT_QUOTED };
enum cria_grounding { CRIA_NOT_FOUND, CRIA_PARTIAL, CRIA_ANSWERED };

struct cria_citation {
    uint32_t n, passage_id;
    struct cria_str index_id, file_id, file_name;
    uint32_t page_start, page_end; /* 0: none */
    uint64_t char_start, char_end;
    struct cria_str quote;
    enum cria_support support;
};
struct cria_citations {
    struct cria_citation *items; /* by n */
    size_t count;
    enum cria_grounding grounding;
};

/**
 * Reads the markers of a block and judges them.
 * @param ids      passage id of marker n at n - 1 (markers.h).
 * @param is_weak  the search itself said that it found little.
 * @param[out] out in the arena. @return CRIA_E_NO_MEMORY.
 */
CRIA_MUST_CHECK enum cria_status cria_citations_make(struct cria_arena *arena,
                                                     const struct cria_evidence *evidence,
                                                     const uint32_t *ids, size_t id_count,
                                                     struct cria_str text, bool is_weak,
                                                     struct cria_citations *out);
/** Compares each quote with the text that is stored now and sets its pages; one that differs gets
 * support none. On a worker. Never fails: what cannot be read is left as it was. */
void cria_citations_verify(const struct cria_tool_scope *scope, struct cria_call *call,
                           struct cria_citations *citations);
/** `,"citations":[…],"grounding":"…"`: further members of a text event. */
void cria_citations_write(struct cria_buf *out, const struct cria_citations *citations);

#endif
