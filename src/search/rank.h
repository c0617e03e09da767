/* rank.h - scores the chunks of a collection against a query. Room: search. Pure: reads segments,
 * nothing else. What is computed: docs/search.md. */
#ifndef CRIA_SEARCH_RANK_H
#define CRIA_SEARCH_RANK_H

#include "search/plan.h"

struct cria_scored {
    uint32_t source, chunk;
    double words, grams; /* legs */
    float cosine;        /* NAN: the chunk has no vector, or none was asked for */
    double score;        /* 0..1 */
    double coverage;     /* 0..1: share of the query's idf mass that the chunk holds */
};
struct cria_ranking {
    struct cria_scored *items; /* best first */
    size_t count;
    double confidence; /* of the best by words and 4-grams, 0..1 */
    size_t damaged;    /* CRIA_E_CORRUPT: the source that is */
};

struct cria_rank_options {
    size_t candidates;                      /* chunks the words leg finds, and the vectors */
    const float *query;                     /* its vector, unit length; NULL: words alone */
    uint32_t dims;                          /* of it */
    double vector_weight, full_text_weight; /* 0..1, not both 0 */
};

/** @return CRIA_OK; CRIA_E_NO_MEMORY; CRIA_E_CORRUPT a segment is damaged: out->damaged. */
CRIA_MUST_CHECK enum cria_status cria_rank(const struct cria_query_plan *plan,
                                           struct cria_call *call,
                                           const struct cria_rank_options *options,
                                           struct cria_ranking *out);

#endif
