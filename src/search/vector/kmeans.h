/* kmeans.h - cells of vectors that are given as bytes. Room: search/vector.
 * Centres are kept as bytes too, so that all distances are dot products of bytes. */
#ifndef CRIA_SEARCH_VECTOR_KMEANS_H
#define CRIA_SEARCH_VECTOR_KMEANS_H

#include <stdbool.h>

#include "search/vector/distance.h"

struct cria_cells {
    const struct cria_distance *distance;
    uint32_t count, width;
    uint8_t *centres;     /* count x width, as cria_bytes_make writes them */
    float *scales;        /* of the centres */
    float *halves;        /* half the square length of each */
    int32_t *dots;        /* count: scratch */
    int8_t *signed_bytes; /* width: scratch */
};
/** Vectors as cria_bytes_make writes them, one behind the other. */
struct cria_byte_rows {
    uint8_t *bytes;
    float *scales;
    uint32_t count;
};

/** False when memory is short. */
bool cria_cells_init(struct cria_cells *cells, const struct cria_distance *distance, uint32_t count,
                     uint32_t width);
void cria_cells_release(struct cria_cells *cells);
/** k-means (Lloyd) over a sample of at least one row. False when memory is short. */
bool cria_cells_train(struct cria_cells *cells, const struct cria_byte_rows *sample,
                      uint32_t rounds);
/** The cells whose centres are nearest to up to CRIA_TOGETHER vectors that lie one behind the
 * other. Leaves their bytes, with signs, in signed_bytes. */
void cria_cells_find(struct cria_cells *cells, const uint8_t *bytes, const float *scales,
                     uint32_t count, uint32_t *out);
/** Sum of the numbers that bytes stand for. */
int32_t cria_bytes_sum(const int8_t *bytes, uint32_t width);

#endif
