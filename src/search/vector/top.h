/* top.h - the best of many, as a search collects them. Room: search/vector. */
#ifndef CRIA_SEARCH_VECTOR_TOP_H
#define CRIA_SEARCH_VECTOR_TOP_H

#include "search/vector/vector.h"

/** Keeps the best `keep` of what is pushed, in no order; equal scores go by the lower row. */
struct cria_top {
    struct cria_vector_hit *items; /* room for 2 x keep; arena */
    uint32_t count, keep;
    float least; /* only what is over it can still be among the best; -INFINITY at first */
};
/** keep >= 1. False when the arena is used up. */
bool cria_top_init(struct cria_top *top, struct cria_arena *arena, uint32_t keep);
void cria_top_shrink(struct cria_top *top);
static inline void cria_top_push(struct cria_top *top, uint32_t row, float score)
{
    if (!(score > top->least)) return; /* NaN neither */
    top->items[top->count++] = (struct cria_vector_hit){row, score};
    if (top->count == 2 * top->keep) cria_top_shrink(top);
}
/** Leaves the best `keep`, best first. */
void cria_top_sort(struct cria_top *top);

/** The k-th best score so far, as a heap. */
struct cria_kth {
    float *heap; /* least first; arena */
    uint32_t count, k;
};
bool cria_kth_init(struct cria_kth *kth, struct cria_arena *arena, uint32_t k);
void cria_kth_add(struct cria_kth *kth, float score);
/** -INFINITY until there are k. */
float cria_kth_least(const struct cria_kth *kth);

#endif
