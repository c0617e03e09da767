/* encode.h - one vector as a 1-bit code, as bytes, as planes of a query. Room: search/vector.
 * All work on rotated vectors of `width` floats. */
#ifndef CRIA_SEARCH_VECTOR_ENCODE_H
#define CRIA_SEARCH_VECTOR_ENCODE_H

#include <stddef.h>

#include "search/vector/distance.h"

/** The two factors of a code: with q the query, r the centred vector, s its signs (+-1), RaBitQ
 * estimates <q,r> as weight * <q,s>, weight = |r|^2 / |r|_1. The shift is <mean,r>, exact, so that
 * only the part of the query that is not along the mean has to be estimated. */
struct cria_code_factors {
    float weight, shift;
    float square; /* |r|^2 */
};
/** Puts the signs of a vector into slot i of a block (NULL: only the factors). */
struct cria_code_factors cria_code_make(const float *vector, const float *mean, uint32_t width,
                                        uint64_t *block, uint32_t slot);

/** round(127 v / max|v|) + 128; returns max|v| / 127, or 0 (and all bytes 128) for zeros. */
float cria_bytes_make(const float *vector, uint32_t width, uint8_t *out);

/** A query in the form that scans take. */
struct cria_query_code {
    float step; /* what 1 in the planes stands for */
    float sum;  /* of all numbers in the planes */
};
/** planes: width / 64 x CRIA_QUERY_PLANES words. */
struct cria_query_code cria_planes_make(const float *vector, uint32_t width, uint64_t *planes);

/** How far an estimate is off, as a share of weight x |query|: one standard deviation.
 * sqrt(1 - 2/pi): what is left of a unit vector beside its part along its own signs. */
#define CRIA_CODE_ERROR 0.603f

#endif
