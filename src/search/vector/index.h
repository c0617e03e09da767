/* index.h - an open vector index. Room: search/vector. */
#ifndef CRIA_SEARCH_VECTOR_INDEX_H
#define CRIA_SEARCH_VECTOR_INDEX_H

#include "search/vector/format.h"
#include "search/vector/rotate.h"
#include "search/vector/vector.h"

/** Sections with a length of 0 have a pointer too, one that may not be read. */
struct cria_vector_index {
    const struct cria_distance *distance; /* tests put another one here */
    struct cria_bytes bytes;
    struct cria_vector_trailer about;
    struct cria_rotation rotation;
    bool has_bytes;
    const uint16_t *rows;
    const uint8_t *row_bytes;
    const float *scales;
    const uint64_t *present;
    const uint64_t *codes;
    const float *factors;
    const float *mean;
    float mean_square;
    const uint8_t *centres;
    const struct cria_vector_list *lists;
    const uint64_t *list_codes;
    const float *list_factors;
    const uint32_t *list_rows;
};

/** Whether a range may be read: asks the owner of the bytes. */
static inline bool cria_vector_readable(const struct cria_vector_index *index, const void *from,
                                        size_t len)
{
    return cria_bytes_check(&index->bytes, (size_t)((const uint8_t *)from - index->bytes.ptr), len);
}
enum cria_status cria_vector_rotten(struct cria_call *call);

static inline bool cria_vector_has(const struct cria_vector_index *index, uint32_t row)
{
    return row < index->about.count && ((index->present[row / 64] >> (row % 64)) & 1);
}

#endif
