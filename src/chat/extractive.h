/* extractive.h - answers without a model: the best sentences, word for word, with file and page.
 * Room: chat. Never makes up a connecting word between quotes. */
#ifndef CRIA_CHAT_EXTRACTIVE_H
#define CRIA_CHAT_EXTRACTIVE_H

#include "chat/citations.h"
#include "chat/tools.h"

enum { CRIA_QUOTES = 3, CRIA_QUOTE_CHARS = 600, CRIA_QUOTE_HITS = 8 };

struct cria_extractive {
    struct cria_tool_run run;
    struct cria_str query; /* what is searched for */
    bool wants_overview;   /* a summary or comparison was asked for, which quotes are not */
    struct cria_sentences sentences;
};

/** The query for a question: with the words of the one before it when it leans on that. In the
 * arena; {NULL,0} when memory is short. */
struct cria_str cria_extractive_query(struct cria_arena *arena, struct cria_str question,
                                      struct cria_str previous);
/** Whether a summary or comparison is asked for. */
bool cria_wants_overview(struct cria_str question);
/** Searches and picks; sets run.status. On a worker. */
void cria_extractive_run(struct cria_extractive *work);
/**
 * Writes the result of the search call and the answer. On the turn's loop.
 * @param[out] citations  in the evidence's arena.
 * @return CRIA_E_NO_MEMORY.
 */
CRIA_MUST_CHECK enum cria_status cria_extractive_tell(struct cria_extractive *work,
                                                      struct cria_evidence *evidence,
                                                      struct cria_buf *json, struct cria_buf *text,
                                                      struct cria_citations *citations);

#endif
