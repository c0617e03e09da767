/* hnsw.h - hnswlib for the vector benchmark, behind C. hnsw_none.c stands in where its headers are
 * missing. */
#ifndef CRIA_BENCH_HNSW_H
#define CRIA_BENCH_HNSW_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
struct hnsw;
/** M 16, efConstruction 200, one thread, inner product. path: NULL, or a file that is loaded, or
 * written when there is none. NULL: not installed. */
struct hnsw *hnsw_build(const uint16_t *halves, uint32_t rows, uint32_t dims, const char *path);
/** Writes at most k rows, returns how many. */
int hnsw_search(struct hnsw *index, const float *query, int k, int ef, uint32_t *rows);
/** Marks all rows without a bit as deleted, which is its filter; NULL: none. */
void hnsw_allow(struct hnsw *index, const uint64_t *allowed);
#ifdef __cplusplus
}
#endif

#endif
