/* Any bytes as a vector index: opened, searched by all ways, asked for rows. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "search/vector/vector.h"

enum { K = 5, ROWS_MOST = 4096 };

static void search(const struct cria_vector_index *index, struct cria_call *call,
                   const float *query, const uint64_t *allowed, bool exact)
{
    const struct cria_vector_options options = {.exact = exact};
    struct cria_vector_hit hits[K];
    uint32_t count = 0;
    if (cria_vector_search(index, call, query, K, allowed, &options, hits, &count) != CRIA_OK)
        assert(call->status != CRIA_OK);
    assert(count <= K);
    for (uint32_t i = 0; i < count; i++) {
        assert(hits[i].row < cria_vector_count(index) && !isnan(hits[i].score));
        assert(i == 0 || hits[i].score <= hits[i - 1].score);
        assert(!allowed || ((allowed[hits[i].row / 64] >> hits[i].row % 64) & 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static float query[CRIA_VECTOR_MAX_DIMS];
    static uint64_t allowed[ROWS_MOST / 64 + 1];
    struct cria_vector_index *index = NULL;
    struct cria_vector_spread spread;
    struct cria_arena arena;
    struct cria_call call;
    if (size > 1 << 18) return 0;
    uint8_t *copy = aligned_alloc(64, (size + 64) / 64 * 64);
    assert(copy);
    if (size) memcpy(copy, data, size);
    cria_arena_init(&arena, 64u << 20);
    cria_call_init(&call, &arena);
    const struct cria_bytes bytes = {.ptr = copy, .len = size};
    if (cria_vector_open(&call, bytes, &index) == CRIA_OK &&
        cria_vector_count(index) <= ROWS_MOST) {
        uint32_t rows[] = {0, cria_vector_count(index) / 2, cria_vector_count(index)};
        float scores[3];
        for (uint32_t i = 0; i < CRIA_VECTOR_MAX_DIMS; i++)
            query[i] = (float)data[(i * 7) % size] - 100;
        for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
            allowed[i] = 0x5555555555555555u;
        search(index, &call, query, NULL, false);
        search(index, &call, query, allowed, false);
        search(index, &call, query, allowed, true);
        if (cria_vector_scores(index, &call, query, rows, 3, scores) == CRIA_OK)
            assert(isnan(scores[2]));
        if (cria_vector_spread(index, &call, query, &spread) == CRIA_OK)
            assert(spread.rows <= cria_vector_count(index));
        for (uint32_t row = 0; row < 3; row++) (void)cria_vector_row(index, rows[row]);
    }
    cria_vector_close(index);
    cria_arena_release(&arena);
    free(copy);
    return 0;
}
