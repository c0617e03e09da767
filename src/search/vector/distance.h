/* distance.h - the inner loops of the vector search: scans of 1-bit codes, dot products, half
 * floats. One table of functions per instruction set; all give the scalar one's results (integers
 * exactly, floats to rounding). Room: search/vector. Pure; any thread. */
#ifndef CRIA_SEARCH_DISTANCE_H
#define CRIA_SEARCH_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

enum { CRIA_BLOCK_ROWS = 8, CRIA_QUERY_PLANES = 4, CRIA_MAX_WORDS = 64, CRIA_TOGETHER = 4 };

/** A scan of 1-bit codes. Codes lie in blocks of 8 rows: word w of row i of block b is
 * codes[(b * words + w) * 8 + i]; factors of block b are 8 weights and then 8 shifts. The query's
 * coordinates are signed 4-bit numbers, cut into planes: planes[w * 4 + p] holds bit p of 64 of
 * them, the bit of plane 3 counting -8. With S the sum of those whose bit is set in the row's code,
 *     estimate = base + alpha * shift + weight * (step * S + offset). */
struct cria_code_scan {
    const uint64_t *codes;
    const float *factors;
    const uint64_t *planes;
    uint32_t words; /* 1..CRIA_MAX_WORDS */
    float base, alpha, step, offset;
};

struct cria_distance {
    const char *name;
    /** Estimates of `blocks` blocks from `first` on: bit i of masks[b] says that row i of that
     * block has a bit in allowed[b] (NULL: all have) and an estimate over `least`; NaN never has.
     * estimates: 8 floats a block, written only where allowed[b] is not 0. */
    void (*scan)(const struct cria_code_scan *scan, size_t first, size_t blocks,
                 const uint8_t *allowed, float least, float *estimates, uint8_t *masks);
    /** Sum of row[i] * query[i]; dims is a multiple of 64, at most 4096. */
    int32_t (*dot_bytes)(const uint8_t *row, const int8_t *query, size_t dims);
    /** The same for `count` rows that lie dims bytes apart. */
    void (*dots_bytes)(const uint8_t *rows, size_t count, const int8_t *query, size_t dims,
                       int32_t *out);
    /** The same for CRIA_TOGETHER queries that lie dims bytes apart: out[q * count + n]. */
    void (*dots_together)(const uint8_t *rows, size_t count, const int8_t *queries, size_t dims,
                          int32_t *out);
    float (*dot_floats)(const float *a, const float *b, size_t n);
    float (*dot_halves)(const uint16_t *row, const float *query, size_t n);
    /** IEEE half precision, rounded to even; any n. */
    void (*from_halves)(const uint16_t *in, float *out, size_t n);
    void (*to_halves)(const float *in, uint16_t *out, size_t n);
    /** How many bits are set in n words. */
    size_t (*count_bits)(const uint64_t *words, size_t n);
};

/** The fastest table this processor can run. */
const struct cria_distance *cria_distance_best(void);
/** Number n of those it can run, the scalar one first; NULL behind the last. For tests. */
const struct cria_distance *cria_distance_at(size_t n);

/** The tables; NULL where the program was built for another processor. Only those of
 * cria_distance_at() may be called. */
const struct cria_distance *cria_distance_scalar(void);
const struct cria_distance *cria_distance_avx2(void);
const struct cria_distance *cria_distance_avx512(void);
const struct cria_distance *cria_distance_neon(void);

#endif
