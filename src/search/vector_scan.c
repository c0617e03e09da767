/* vector_scan.c - every allowed row: by its bytes where they are few, else by its code. */
#include <math.h>
#include <string.h>

#include "platform/clock.h"
#include "search/vector_search.h"

enum {
    CHUNK_BLOCKS = 64, /* blocks of one scan: their estimates stay in the cache */
    CHECK_ROWS = 64,   /* rows whose ranges are asked for at once */
    AHEAD = 12,        /* rows whose loads are started early */
    STOP_EVERY = 128,  /* chunks between looks at the clock */
    FIRST_SCORED = 64, /* survivors scored before the k-th score is believed */
    SURVIVORS = 1500,
    EACH = 20 /* of a scan, at most: that many, and so many for each of the k */
};

/* Estimates carry so many standard deviations of their error on top: a row is dropped when even
 * then it does not reach the k-th score. */
static const float SLACK = 3.0f;

enum cria_status cria_vector_go_on(struct cria_call *call)
{
    if (!cria_call_stopped(call, cria_now_ns())) return CRIA_OK;
    bool cancelled = call->cancelled && atomic_load(call->cancelled);
    return cria_fail(call, cancelled ? CRIA_E_CANCELLED : CRIA_E_TIMEOUT,
                     cancelled ? "the search was cancelled" : "the search took too long");
}

/* Rows of a word of the bitmap that are allowed and have a vector. */
static uint64_t rows_of(const struct cria_vector_search *search, size_t word)
{
    uint64_t bits = search->index->present[word];
    size_t last = search->index->about.count / 64;
    if (word == last) bits &= ((uint64_t)1 << (search->index->about.count % 64)) - 1;
    return search->allowed ? bits & search->allowed[word] : bits;
}

static void score_word(struct cria_vector_search *search, uint32_t first, uint64_t bits)
{
    uint32_t rows[64], n = 0;
    for (; bits; bits &= bits - 1) rows[n++] = first + (uint32_t)__builtin_ctzll(bits);
    for (uint32_t i = 0; i < n && i < AHEAD; i++)
        cria_vector_quick_prefetch(search->index, rows[i]);
    for (uint32_t i = 0; i < n; i++) {
        if (i + AHEAD < n) cria_vector_quick_prefetch(search->index, rows[i + AHEAD]);
        cria_top_push(&search->found, rows[i], cria_vector_quick_score(&search->query, rows[i]));
    }
}

enum cria_status cria_vector_by_row(struct cria_vector_search *search)
{
    const struct cria_vector_index *index = search->index;
    const uint32_t count = index->about.count;
    const size_t words = ((size_t)count + 63) / 64;
    uint64_t next = words ? rows_of(search, 0) : 0;
    for (size_t word = 0; word < words; word++) {
        uint64_t bits = next;
        next = word + 1 < words ? rows_of(search, word + 1) : 0;
        if (word % 1024 == 0) {
            enum cria_status st = cria_vector_go_on(search->call);
            if (st != CRIA_OK) return st;
        }
        if (!bits) continue;
        if (next) /* few rows a word: start with the next word's */
            cria_vector_quick_prefetch(index,
                                       (uint32_t)(word + 1) * 64 + (uint32_t)__builtin_ctzll(next));
        uint32_t first = (uint32_t)word * 64;
        uint32_t some = count - first < CHECK_ROWS ? count - first : CHECK_ROWS;
        if (!cria_vector_quick_readable(index, first, some))
            return cria_vector_rotten(search->call);
        score_word(search, first, bits);
    }
    return CRIA_OK;
}

/* Survivors of a scan, by their bytes: the likeliest first, then those that can reach the k-th. */
static enum cria_status score_survivors(struct cria_vector_search *search, struct cria_top *top)
{
    const struct cria_vector_index *index = search->index;
    cria_top_shrink(top);
    uint32_t first = search->k + FIRST_SCORED;
    if (first > top->count) first = top->count;
    cria_hits_part(top->items, top->count, first);
    for (uint32_t i = 0; i < top->count && i < AHEAD; i++)
        cria_vector_quick_prefetch(index, top->items[i].row);
    float least = -INFINITY;
    for (uint32_t i = 0; i < top->count; i++) {
        if (i + AHEAD < top->count && (i + AHEAD < first || top->items[i + AHEAD].score > least))
            cria_vector_quick_prefetch(index, top->items[i + AHEAD].row);
        const struct cria_vector_hit *hit = &top->items[i];
        if (i >= first && !(hit->score > least)) continue;
        if (!cria_vector_quick_readable(index, hit->row, 1))
            return cria_vector_rotten(search->call);
        float score = cria_vector_quick_score(&search->query, hit->row);
        cria_kth_add(&search->kth, score);
        cria_top_push(&search->found, hit->row, score);
        least = cria_kth_least(&search->kth);
    }
    return CRIA_OK;
}

static void collect(struct cria_top *top, uint32_t first_row, size_t blocks, const uint8_t *masks,
                    const float *estimates)
{
    for (size_t group = 0; group < blocks; group += 8) {
        uint64_t any;
        memcpy(&any, masks + group, sizeof(any));
        while (any) {
            uint32_t at = (uint32_t)group * 8 + (uint32_t)__builtin_ctzll(any);
            any &= any - 1;
            cria_top_push(top, first_row + at, estimates[at]);
        }
    }
}

static bool is_empty(const uint8_t *bits, size_t n)
{
    uint64_t any = 0, word;
    size_t i = 0;
    for (; i + sizeof(word) <= n; i += sizeof(word)) {
        memcpy(&word, bits + i, sizeof(word));
        any |= word;
    }
    for (; i < n; i++) any |= bits[i];
    return !any;
}

enum cria_status cria_vector_by_scan(struct cria_vector_search *search)
{
    const struct cria_vector_index *index = search->index;
    const uint32_t count = index->about.count;
    const size_t blocks = (size_t)cria_vector_blocks(count), words = index->about.width / 64;
    const uint8_t *allowed = (const uint8_t *)search->allowed;
    float estimates[CHUNK_BLOCKS * CRIA_BLOCK_ROWS];
    uint8_t masks[CHUNK_BLOCKS] = {0};
    struct cria_code_scan scan = search->query.scan;
    struct cria_top top;
    scan.offset += SLACK * search->query.error;
    uint64_t keep = SURVIVORS + (uint64_t)EACH * search->k;
    if (!cria_top_init(&top, search->call->arena, keep < count ? (uint32_t)keep : count))
        return cria_fail_memory(search->call);
    for (size_t b = 0, turn = 0; b < blocks; b += CHUNK_BLOCKS, turn++) {
        size_t n = blocks - b < CHUNK_BLOCKS ? blocks - b : CHUNK_BLOCKS;
        if (turn % STOP_EVERY == 0) {
            enum cria_status st = cria_vector_go_on(search->call);
            if (st != CRIA_OK) return st;
        }
        if (allowed && is_empty(allowed + b, n)) continue;
        if (!cria_vector_readable(index, index->codes + b * words * CRIA_BLOCK_ROWS,
                                  n * words * CRIA_BLOCK_ROWS * sizeof(*index->codes)) ||
            !cria_vector_readable(index, index->factors + b * 2 * CRIA_BLOCK_ROWS,
                                  n * 2 * CRIA_BLOCK_ROWS * sizeof(*index->factors)))
            return cria_vector_rotten(search->call);
        if (n < CHUNK_BLOCKS) memset(masks, 0, sizeof(masks));
        index->distance->scan(&scan, b, n, allowed ? allowed + b : NULL, top.least, estimates,
                              masks);
        /* Rotten factors may name rows behind the last; so may bits behind it. */
        if (b + n == blocks && count % CRIA_BLOCK_ROWS)
            masks[n - 1] &= (uint8_t)((1u << (count % CRIA_BLOCK_ROWS)) - 1);
        collect(&top, (uint32_t)(b * CRIA_BLOCK_ROWS), n, masks, estimates);
    }
    return score_survivors(search, &top);
}
