/* reranker.h - how well documents answer a query, by a POST /v1/rerank as Cohere, Jina, llama.cpp
 * and others have it. Room: model. Blocks; called by worker threads, any number at once. */
#ifndef CRIA_MODEL_RERANKER_H
#define CRIA_MODEL_RERANKER_H

#include "base/call.h"

struct cria_reranker;

struct cria_reranker_options {
    const char *url;     /* base URL, ".../v1" */
    const char *model;   /* NULL or "": none is named */
    const char *key;     /* NULL or "": none is sent */
    uint32_t connect_ms; /* 0: 10,000 */
    uint32_t timeout_ms; /* of one try; 0: 10,000 */
    unsigned tries;      /* 0: 2 */
    uint32_t retry_ms;   /* wait before the second try; 0: 250 */
};

CRIA_MUST_CHECK enum cria_status cria_reranker_new(const struct cria_reranker_options *options,
                                                   struct cria_reranker **out);
/** When no call uses it any more. NULL is fine. */
void cria_reranker_free(struct cria_reranker *reranker);

/**
 * Scores documents in one request; each is cut to 8 KiB.
 * @param[out] scores  count of them, 0..1, in the documents' order; undefined unless CRIA_OK.
 * @return CRIA_E_UNAVAILABLE the endpoint is away, refuses, or answers what cannot be used (the
 * order before is still good); CRIA_E_TIMEOUT and CRIA_E_CANCELLED the call was stopped;
 * CRIA_E_NO_MEMORY. All with a sentence.
 */
CRIA_MUST_CHECK enum cria_status cria_rerank(struct cria_reranker *reranker, struct cria_call *call,
                                             struct cria_str query,
                                             const struct cria_str *documents, size_t count,
                                             double *scores);

#endif
