#include <stddef.h>

#include "bench/hnsw.h"

struct hnsw *hnsw_build(const uint16_t *halves, uint32_t rows, uint32_t dims, const char *path)
{
    (void)halves, (void)rows, (void)dims, (void)path;
    return NULL;
}
int hnsw_search(struct hnsw *index, const float *query, int k, int ef, uint32_t *rows)
{
    (void)index, (void)query, (void)k, (void)ef, (void)rows;
    return 0;
}
void hnsw_allow(struct hnsw *index, const uint64_t *allowed)
{
    (void)index, (void)allowed;
}
