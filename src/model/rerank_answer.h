/* rerank_answer.h - the answer of POST /v1/rerank, bytes in, a score for each document out.
 * Room: model. Pure, hostile bytes welcome. */
#ifndef CRIA_MODEL_RERANK_ANSWER_H
#define CRIA_MODEL_RERANK_ANSWER_H

#include "base/arena.h"
#include "model/embeddings_answer.h"

/**
 * Reads {"results":[{"index":0,"relevance_score":0.9},…]}, also with `score`, or the bare list.
 * Every document must have exactly one finite score. Scores that do not all lie in 0..1 are logits:
 * then each goes through the logistic function.
 * @param count  documents that were sent.
 * @param[out] scores  count of them, in the documents' order, 0..1.
 * @param[out] why     what is wrong with it.
 * @return CRIA_OK; CRIA_E_BAD_REQUEST with why; CRIA_E_NO_MEMORY.
 */
CRIA_MUST_CHECK enum cria_status cria_rerank_read(struct cria_str body, size_t count,
                                                  double *scores, char why[CRIA_ANSWER_WHY_SIZE]);

#endif
