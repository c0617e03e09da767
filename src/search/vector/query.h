/* query.h - a query made ready for one index. Room: search/vector. */
#ifndef CRIA_SEARCH_VECTOR_QUERY_H
#define CRIA_SEARCH_VECTOR_QUERY_H

#include "search/vector/index.h"

/** All in the call's arena. q is the query, turned; g the mean of the index, turned. */
struct cria_vector_query {
    const struct cria_vector_index *index;
    float *unit;                /* the query as it came, of unit length; dims */
    int8_t *bytes;              /* q; width */
    float scale;                /* what 1 in the bytes stands for */
    int32_t bias;               /* 128 x the sum of the bytes: rows' bytes are that much too high */
    float base;                 /* <q,g> */
    float error;                /* of an estimate, one standard deviation by weight */
    struct cria_code_scan scan; /* of the index's codes; scans add their slack to the offset */
};

/** CRIA_E_INVALID: the query has no length, or NaN or infinity in it. */
CRIA_MUST_CHECK enum cria_status cria_vector_query_make(const struct cria_vector_index *index,
                                                        struct cria_call *call, const float *vector,
                                                        struct cria_vector_query *out);

/** Score of a row by its bytes, or by half floats in an index without bytes. The caller has asked
 * cria_vector_row_readable. */
static inline float cria_vector_quick_score(const struct cria_vector_query *query, uint32_t row)
{
    const struct cria_vector_index *index = query->index;
    if (!index->has_bytes)
        return index->distance->dot_halves(index->rows + (size_t)row * index->about.dims,
                                           query->unit, index->about.dims);
    int32_t dot = index->distance->dot_bytes(index->row_bytes + (size_t)row * index->about.width,
                                             query->bytes, index->about.width);
    return query->base + index->scales[row] * query->scale * (float)(dot - query->bias);
}
static inline float cria_vector_exact_score(const struct cria_vector_query *query, uint32_t row)
{
    const struct cria_vector_index *index = query->index;
    return index->distance->dot_halves(index->rows + (size_t)row * index->about.dims, query->unit,
                                       index->about.dims);
}

/** Whether what the scores read may be read. Ranges of many rows at once cost less. */
bool cria_vector_quick_readable(const struct cria_vector_index *index, uint32_t row,
                                uint32_t count);
bool cria_vector_exact_readable(const struct cria_vector_index *index, uint32_t row,
                                uint32_t count);
/** Starts to load what cria_vector_quick_score reads. */
static inline void cria_vector_quick_prefetch(const struct cria_vector_index *index, uint32_t row)
{
    if (!index->has_bytes) {
        __builtin_prefetch(index->rows + (size_t)row * index->about.dims);
        return;
    }
    const uint8_t *at = index->row_bytes + (size_t)row * index->about.width;
    for (uint32_t i = 0; i < index->about.width; i += 64) __builtin_prefetch(at + i);
    __builtin_prefetch(index->scales + row);
}

#endif
