#include "search/vector/top.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static inline bool better(const struct cria_vector_hit *a, const struct cria_vector_hit *b)
{
    return a->score > b->score || (a->score == b->score && a->row < b->row);
}

static int compare(const void *a, const void *b)
{
    return better(a, b) ? -1 : better(b, a) ? 1 : 0;
}

static inline void swap(struct cria_vector_hit *a, struct cria_vector_hit *b)
{
    struct cria_vector_hit c = *a;
    *a = *b;
    *b = c;
}

bool cria_top_init(struct cria_top *top, struct cria_arena *arena, uint32_t keep)
{
    *top = (struct cria_top){.keep = keep, .least = -INFINITY};
    top->items = cria_arena_array(arena, (size_t)keep * 2, sizeof(*top->items));
    return top->items != NULL;
}

/* Moves the best `keep` of n to the front, in no order. Quickselect; the pivot comes from a fixed
 * random sequence, so that no data make it slow but by chance, and the same data always end the
 * same. */
static void part(struct cria_vector_hit *hits, size_t n, size_t keep)
{
    uint32_t random = 2463534242u;
    size_t from = 0, end = n; /* the border lies within */
    while (keep > from && keep < end) {
        random ^= random << 13, random ^= random >> 17, random ^= random << 5;
        const size_t span = end - from;
        assert(span > 0);
        struct cria_vector_hit pivot = hits[from + random % span];
        size_t i = from, j = end - 1;
        for (;;) { /* Hoare's partition: what is better than the pivot to the left */
            while (better(&hits[i], &pivot)) i++;
            while (better(&pivot, &hits[j])) j--;
            if (i >= j) break;
            swap(&hits[i++], &hits[j--]);
        }
        if (i == j) { /* where the pivot belongs */
            if (keep <= i)
                end = i;
            else
                from = i + 1;
        } else if (keep <= i)
            end = i;
        else
            from = i;
    }
}

void cria_top_shrink(struct cria_top *top)
{
    if (top->count <= top->keep) return;
    part(top->items, top->count, top->keep);
    top->count = top->keep;
    float least = INFINITY;
    for (uint32_t i = 0; i < top->count; i++)
        if (top->items[i].score < least) least = top->items[i].score;
    top->least = least;
}

void cria_top_sort(struct cria_top *top)
{
    cria_top_shrink(top);
    qsort(top->items, top->count, sizeof(*top->items), compare);
}

bool cria_kth_init(struct cria_kth *kth, struct cria_arena *arena, uint32_t k)
{
    *kth = (struct cria_kth){.k = k};
    kth->heap = cria_arena_array(arena, k, sizeof(*kth->heap));
    return kth->heap != NULL;
}

void cria_kth_add(struct cria_kth *kth, float score)
{
    float *heap = kth->heap;
    uint32_t at;
    if (!(score > -INFINITY)) return;
    if (kth->count < kth->k) {
        for (at = kth->count++; at > 0 && heap[(at - 1) / 2] > score; at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = score;
        return;
    }
    if (score <= heap[0]) return;
    for (at = 0;;) {
        uint32_t child = 2 * at + 1;
        if (child >= kth->k) break;
        if (child + 1 < kth->k && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= score) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = score;
}

float cria_kth_least(const struct cria_kth *kth)
{
    return kth->count == kth->k ? kth->heap[0] : -INFINITY;
}
