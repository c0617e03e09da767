/* search.h - one search on its way through the planner. Room: search/vector. */
#ifndef CRIA_SEARCH_VECTOR_SEARCH_H
#define CRIA_SEARCH_VECTOR_SEARCH_H

#include "search/vector/query.h"
#include "search/vector/top.h"

struct cria_vector_search {
    const struct cria_vector_index *index;
    struct cria_call *call;
    struct cria_vector_query query;
    uint32_t k;              /* 1..count */
    const uint64_t *allowed; /* NULL: all rows */
    const struct cria_vector_options *options;
    struct cria_top found; /* by quick scores; some more than k, to be ranked by half floats */
    struct cria_kth kth;   /* quick scores */
    struct cria_kth sure;  /* the same for fewer, which lists are looked at for */
};

/** Whether the row may appear. It need not have a vector. */
static inline bool cria_vector_is_allowed(const uint64_t *allowed, uint32_t row)
{
    return !allowed || ((allowed[row / 64] >> (row % 64)) & 1);
}
/** CRIA_OK, or that the call was stopped. */
enum cria_status cria_vector_go_on(struct cria_call *call);

/** Scans blocks of codes and scores the rows whose estimate, which carries the scan's slack, passes
 * the k-th score so far. rows: their numbers, from the first block on; NULL: the scan is of all
 * rows in order. The caller has asked whether all of that may be read. */
enum cria_status cria_vector_scan(struct cria_vector_search *search,
                                  const struct cria_code_scan *scan, size_t first, size_t blocks,
                                  const uint32_t *rows);
/** Ways to fill `found`: all allowed rows by quick scores; by a scan of the codes; by lists. */
enum cria_status cria_vector_by_row(struct cria_vector_search *search);
enum cria_status cria_vector_by_scan(struct cria_vector_search *search);
enum cria_status cria_vector_by_lists(struct cria_vector_search *search);

#endif
