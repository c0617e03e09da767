#include "bench/hnsw.h"

#include <hnswlib/hnswlib.h>

#include <cstdio>
#include <vector>

extern "C" {
#include "search/vector/distance.h"
}

struct hnsw {
    hnswlib::InnerProductSpace space;
    hnswlib::HierarchicalNSW<float> graph;
    uint32_t rows;
    hnsw(uint32_t count, uint32_t dims) : space(dims), graph(&space, count, 16, 200), rows(count)
    {
    }
};

struct hnsw *hnsw_build(const uint16_t *halves, uint32_t rows, uint32_t dims, const char *path)
{
    hnsw *index = new hnsw(rows, dims);
    if (FILE *kept = path ? std::fopen(path, "rb") : nullptr) {
        std::fclose(kept);
        index->graph.loadIndex(path, &index->space, rows);
        return index;
    }
    std::vector<float> row(dims);
    for (uint32_t n = 0; n < rows; n++) {
        cria_distance_best()->from_halves(halves + (size_t)n * dims, row.data(), dims);
        index->graph.addPoint(row.data(), n);
    }
    if (path) index->graph.saveIndex(path);
    return index;
}

int hnsw_search(struct hnsw *index, const float *query, int k, int ef, uint32_t *rows)
{
    int count = 0;
    index->graph.setEf((size_t)ef);
    auto found = index->graph.searchKnn(query, (size_t)k);
    for (; !found.empty(); found.pop()) rows[count++] = (uint32_t)found.top().second;
    return count;
}

void hnsw_allow(struct hnsw *index, const uint64_t *allowed)
{
    for (uint32_t n = 0; n < index->rows; n++) {
        bool may = !allowed || ((allowed[n / 64] >> n % 64) & 1);
        bool is_marked = index->graph.isMarkedDeleted(n); /* rows were added in order */
        if (may && is_marked) index->graph.unmarkDelete(n);
        if (!may && !is_marked) index->graph.markDelete(n);
    }
}
