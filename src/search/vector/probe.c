/* probe.c - a search by inverted lists: the likeliest first, until the bound says that none
 * left can reach the score of the last one that must be sure. Within a list, rows whose code can
 * reach the k-th score are scored by bytes.
 */
#include <math.h>

#include "search/vector/search.h"

enum { STOP_EVERY = 64 }; /* lists between looks at the clock */
/* Estimates carry so many standard deviations of their error on top. */
static const float SLACK = 3.0f;

/* A list with its bound, in a heap, the greatest first. */
struct candidate {
    float bound, centre; /* centre: <q,c> */
    uint32_t list;
};

static void sink_down(struct candidate *heap, uint32_t count, uint32_t at)
{
    struct candidate moved = heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && heap[child + 1].bound > heap[child].bound) child++;
        if (!(heap[child].bound > moved.bound)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static enum cria_status rank_lists(struct cria_vector_search *search, struct candidate **out)
{
    const struct cria_vector_index *index = search->index;
    const struct cria_vector_query *query = &search->query;
    const uint32_t count = index->about.lists;
    int32_t *dots = cria_arena_array(search->call->arena, count, sizeof(*dots));
    struct candidate *heap = cria_arena_array(search->call->arena, count, sizeof(*heap));
    if (!dots || !heap) return cria_fail_memory(search->call);
    if (!cria_vector_readable(index, index->centres, (size_t)count * index->about.width) ||
        !cria_vector_readable(index, index->lists, count * sizeof(*index->lists)))
        return cria_vector_rotten(search->call);
    index->distance->dots_bytes(index->centres, count, query->bytes, index->about.width, dots);
    for (uint32_t i = 0; i < count; i++) {
        const struct cria_vector_list *list = &index->lists[i];
        float centre = query->base + list->scale * query->scale * (float)(dots[i] - query->bias);
        float bound = centre + index->about.margin * list->radius;
        heap[i] = (struct candidate){isnan(bound) ? -INFINITY : bound, centre, i};
    }
    for (uint32_t i = count / 2; i-- > 0;) sink_down(heap, count, i);
    *out = heap;
    return CRIA_OK;
}

static enum cria_status probe(struct cria_vector_search *search, const struct candidate *candidate)
{
    const struct cria_vector_index *index = search->index;
    const struct cria_vector_list *list = &index->lists[candidate->list];
    const size_t first = list->first_block, block_words = index->about.width / 64 * CRIA_BLOCK_ROWS;
    struct cria_code_scan scan = search->query.scan;
    if (!cria_vector_readable(index, index->list_codes + first * block_words,
                              list->blocks * block_words * sizeof(*index->list_codes)) ||
        !cria_vector_readable(index, index->list_factors + first * 2 * CRIA_BLOCK_ROWS,
                              list->blocks * 2 * CRIA_BLOCK_ROWS * sizeof(float)) ||
        !cria_vector_readable(index, index->list_rows + first * CRIA_BLOCK_ROWS,
                              list->blocks * CRIA_BLOCK_ROWS * sizeof(uint32_t)))
        return cria_vector_rotten(search->call);
    scan.codes = index->list_codes;
    scan.factors = index->list_factors;
    scan.base = candidate->centre;
    scan.offset += SLACK * search->query.error;
    return cria_vector_scan(search, &scan, first, list->blocks,
                            index->list_rows + first * CRIA_BLOCK_ROWS);
}

enum cria_status cria_vector_by_lists(struct cria_vector_search *search)
{
    struct candidate *heap = NULL;
    uint32_t left = search->index->about.lists;
    const uint32_t most = search->options->max_probes;
    enum cria_status st = rank_lists(search, &heap);
    for (uint32_t turn = 0; st == CRIA_OK && left > 0; turn++) {
        bool is_enough = most && turn >= most && cria_kth_least(&search->kth) > -INFINITY;
        if (is_enough || heap[0].bound < cria_kth_least(&search->sure)) break;
        if (turn % STOP_EVERY == 0) st = cria_vector_go_on(search->call);
        if (st == CRIA_OK) st = probe(search, &heap[0]);
        heap[0] = heap[--left];
        if (left) sink_down(heap, left, 0);
    }
    return st;
}
