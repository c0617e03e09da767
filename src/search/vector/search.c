/* search.c - the planner: which way a search takes, and the ranking of what it found. */
#include "search/vector/search.h"

#include <math.h>

enum {
    FEW_ROWS = 20000,  /* so many allowed rows are scored one by one */
    RARE_FROM = 20,    /* fewer than one row in so many allowed: too many lists would be probed */
    TOUCHED_FROM = 3,  /* fewer than one block in so many has allowed rows: a scan is shorter */
    DEEP_FROM = 50,    /* the same when one row in so many is wanted */
    RANKED_LEAST = 30, /* found rows ranked by half floats, at least */
    RANKED_MORE = 20   /* than k */
};

/* How many rows may appear, at most. */
static uint64_t count_allowed(const struct cria_vector_index *index, const uint64_t *allowed)
{
    const uint32_t count = index->about.count;
    if (!allowed) return count;
    uint64_t n = index->distance->count_bits(allowed, count / 64);
    if (count % 64) {
        uint64_t last = allowed[count / 64] & (((uint64_t)1 << (count % 64)) - 1);
        n += index->distance->count_bits(&last, 1);
    }
    return n;
}

static enum cria_status rank_exactly(struct cria_vector_search *search)
{
    const struct cria_vector_index *index = search->index;
    uint32_t kept = 0;
    cria_top_shrink(&search->found);
    struct cria_vector_hit *items = search->found.items;
    for (uint32_t i = 0; i < search->found.count; i++) {
        const char *at = (const char *)(index->rows + (size_t)items[i].row * index->about.dims);
        for (uint32_t b = 0; b < index->about.dims * sizeof(uint16_t); b += 64)
            __builtin_prefetch(at + b);
    }
    for (uint32_t i = 0; i < search->found.count; i++) {
        if (!cria_vector_exact_readable(index, items[i].row, 1))
            return cria_vector_rotten(search->call);
        float score = cria_vector_exact_score(&search->query, items[i].row);
        if (isfinite(score)) items[kept++] = (struct cria_vector_hit){items[i].row, score};
    }
    search->found.count = kept;
    cria_top_sort(&search->found);
    return CRIA_OK;
}

/* Every allowed row by its half floats. */
static enum cria_status by_exact_score(struct cria_vector_search *search)
{
    const struct cria_vector_index *index = search->index;
    for (uint32_t row = 0; row < index->about.count; row++) {
        if (row % 4096 == 0) {
            enum cria_status st = cria_vector_go_on(search->call);
            if (st != CRIA_OK) return st;
        }
        if (!cria_vector_is_allowed(search->allowed, row) || !cria_vector_has(index, row)) continue;
        if (!cria_vector_exact_readable(index, row, 1)) return cria_vector_rotten(search->call);
        cria_top_push(&search->found, row, cria_vector_exact_score(&search->query, row));
    }
    return CRIA_OK;
}

/* Blocks of 8 rows of which one at least is allowed: what a scan has to look at. */
static uint64_t count_blocks(const struct cria_vector_index *index, const uint64_t *allowed)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7fu;
    uint64_t n = 0;
    if (!allowed) return cria_vector_blocks(index->about.count);
    for (uint32_t word = 0; word < index->about.count / 64; word++) {
        uint64_t some = (((allowed[word] & low) + low) | allowed[word]) & ~low;
        n += ((some >> 7) * 0x0101010101010101u) >> 56;
    }
    return n;
}

static bool lists_are_shorter(const struct cria_vector_search *search, uint64_t allowed_count)
{
    const struct cria_vector_index *index = search->index;
    return index->about.lists && allowed_count >= index->about.count / RARE_FROM &&
           search->k <= index->about.count / DEEP_FROM &&
           count_blocks(index, search->allowed) >=
               cria_vector_blocks(index->about.count) / TOUCHED_FROM;
}

static enum cria_status find(struct cria_vector_search *search, uint64_t allowed_count)
{
    const struct cria_vector_index *index = search->index;
    if (search->options->exact || index->about.dims <= CRIA_VECTOR_EXACT_DIMS)
        return by_exact_score(search);
    if (allowed_count <= FEW_ROWS && (search->allowed || allowed_count <= 256))
        return cria_vector_by_row(search);
    if (lists_are_shorter(search, allowed_count)) return cria_vector_by_lists(search);
    return cria_vector_by_scan(search);
}

enum cria_status cria_vector_search(const struct cria_vector_index *index, struct cria_call *call,
                                    const float *vector, uint32_t k, const uint64_t *allowed,
                                    const struct cria_vector_options *options,
                                    struct cria_vector_hit *out, uint32_t *count)
{
    static const struct cria_vector_options defaults = {0};
    struct cria_vector_search search = {
        .index = index, .call = call, .allowed = allowed, .options = options ? options : &defaults};
    const uint32_t rows = index->about.count;
    enum cria_status st = cria_vector_query_make(index, call, vector, &search.query);
    if (st != CRIA_OK) return st;
    if (!cria_vector_readable(index, index->present, ((size_t)rows + 63) / 64 * sizeof(uint64_t)))
        return cria_vector_rotten(call);
    uint64_t allowed_count = count_allowed(index, allowed);
    search.k = k < allowed_count ? k : (uint32_t)allowed_count;
    if (search.k == 0) {
        *count = 0;
        return CRIA_OK;
    }
    uint32_t more = search.k / 2 > RANKED_MORE ? search.k / 2 : RANKED_MORE;
    uint32_t ranked = rows - search.k > more ? search.k + more : rows;
    if (ranked < RANKED_LEAST) ranked = rows < RANKED_LEAST ? rows : RANKED_LEAST;
    uint32_t sure = search.options->sure;
    if (sure == 0 || sure > search.k) sure = search.k;
    if (!cria_top_init(&search.found, call->arena, ranked) ||
        !cria_kth_init(&search.kth, call->arena, search.k) ||
        !cria_kth_init(&search.sure, call->arena, sure))
        return cria_fail_memory(call);
    st = find(&search, allowed_count);
    if (st == CRIA_OK) st = rank_exactly(&search);
    if (st != CRIA_OK) return st;
    *count = search.found.count < search.k ? search.found.count : search.k;
    for (uint32_t i = 0; i < *count; i++) out[i] = search.found.items[i];
    return CRIA_OK;
}

enum cria_status cria_vector_scores(const struct cria_vector_index *index, struct cria_call *call,
                                    const float *vector, const uint32_t *rows, size_t n, float *out)
{
    struct cria_vector_query query;
    enum cria_status st = cria_vector_query_make(index, call, vector, &query);
    if (st != CRIA_OK) return st;
    for (size_t i = 0; i < n; i++) {
        out[i] = NAN;
        if (rows[i] >= index->about.count) continue;
        if (!cria_vector_readable(index, index->present + rows[i] / 64, sizeof(uint64_t)))
            return cria_vector_rotten(call);
        if (!cria_vector_has(index, rows[i])) continue;
        if (!cria_vector_exact_readable(index, rows[i], 1)) return cria_vector_rotten(call);
        out[i] = cria_vector_exact_score(&query, rows[i]);
    }
    return CRIA_OK;
}

enum cria_status cria_vector_spread(const struct cria_vector_index *index, struct cria_call *call,
                                    const float *vector, struct cria_vector_spread *out)
{
    enum { SAMPLE = 500 };
    struct cria_vector_query query;
    double sum = 0, squares = 0;
    const uint32_t rows = index->about.count;
    struct cria_vector_spread spread = {.least = INFINITY, .most = -INFINITY};
    enum cria_status st = cria_vector_query_make(index, call, vector, &query);
    if (st != CRIA_OK) return st;
    const uint64_t sample = rows < SAMPLE ? rows : SAMPLE;
    for (uint64_t i = 0; i < sample; i++) {
        uint32_t row = (uint32_t)(i * rows / sample);
        if (!cria_vector_readable(index, index->present + row / 64, sizeof(uint64_t)) ||
            !cria_vector_quick_readable(index, row, 1))
            return cria_vector_rotten(call);
        if (!cria_vector_has(index, row)) continue;
        float score = cria_vector_quick_score(&query, row);
        if (!isfinite(score)) continue;
        if (score < spread.least) spread.least = score;
        if (score > spread.most) spread.most = score;
        sum += (double)score;
        squares += (double)score * (double)score;
        spread.rows++;
    }
    if (spread.rows) {
        double mean = sum / spread.rows, variance = squares / spread.rows - mean * mean;
        spread.mean = (float)mean;
        spread.deviation = variance > 0 ? (float)sqrt(variance) : 0;
    } else
        spread = (struct cria_vector_spread){0};
    *out = spread;
    return CRIA_OK;
}
