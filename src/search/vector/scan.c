/* scan.c - every allowed row: by its bytes where they are few, else by its code. */
#include <math.h>
#include <string.h>

#include "platform/clock.h"
#include "search/vector/search.h"

enum {
    TURN_BLOCKS = 4096, /* blocks between looks at the clock */
    CHUNK_BLOCKS = 32, /* blocks of one scan; then what passed is scored, which raises the border */
    FIRST_BLOCKS = 8,  /* the same while there is no border yet */
    CHECK_ROWS = 64,   /* rows whose ranges are asked for at once */
    AHEAD = 12         /* rows whose loads are started early */
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

/* Scores the rows that passed one scan. */
static enum cria_status score_passed(struct cria_vector_search *search, const uint32_t *rows,
                                     const float *estimates, const uint16_t *passed, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        /* The border has risen since. */
        if (!(estimates[passed[i]] > cria_kth_least(&search->kth))) continue;
        if (!cria_vector_quick_readable(search->index, rows[i], 1))
            return cria_vector_rotten(search->call);
        float score = cria_vector_quick_score(&search->query, rows[i]);
        cria_kth_add(&search->kth, score);
        cria_kth_add(&search->sure, score);
        cria_top_push(&search->found, rows[i], score);
    }
    return CRIA_OK;
}

enum cria_status cria_vector_scan(struct cria_vector_search *search,
                                  const struct cria_code_scan *scan, size_t first, size_t blocks,
                                  const uint32_t *rows)
{
    const struct cria_vector_index *index = search->index;
    const uint8_t *allowed = rows ? NULL : (const uint8_t *)search->allowed;
    for (size_t done = 0, some; done < blocks; done += some) {
        float estimates[CHUNK_BLOCKS * CRIA_BLOCK_ROWS];
        uint8_t masks[CHUNK_BLOCKS];
        uint32_t n = 0, found[CHUNK_BLOCKS * CRIA_BLOCK_ROWS];
        uint16_t passed[CHUNK_BLOCKS * CRIA_BLOCK_ROWS];
        const float least = cria_kth_least(&search->kth);
        const size_t at = first + done, most = least > -INFINITY ? CHUNK_BLOCKS : FIRST_BLOCKS;
        some = blocks - done < most ? blocks - done : most;
        if (allowed && is_empty(allowed + at, some)) continue;
        index->distance->scan(scan, at, some, allowed ? allowed + at : NULL, least, estimates,
                              masks);
        for (size_t i = 0; i < some; i++)
            for (unsigned bits = masks[i]; bits; bits &= bits - 1) {
                size_t slot = i * CRIA_BLOCK_ROWS + (size_t)__builtin_ctz(bits);
                uint32_t row = rows ? rows[done * CRIA_BLOCK_ROWS + slot]
                                    : (uint32_t)(at * CRIA_BLOCK_ROWS + slot);
                if (row >= index->about.count || /* padding, or rotten */
                    (rows && !cria_vector_is_allowed(search->allowed, row)))
                    continue;
                cria_vector_quick_prefetch(index, row);
                found[n] = row;
                passed[n++] = (uint16_t)slot;
            }
        enum cria_status st = score_passed(search, found, estimates, passed, n);
        if (st != CRIA_OK) return st;
    }
    return CRIA_OK;
}

enum cria_status cria_vector_by_scan(struct cria_vector_search *search)
{
    const struct cria_vector_index *index = search->index;
    const size_t blocks = (size_t)cria_vector_blocks(index->about.count);
    const size_t block_words = index->about.width / 64 * CRIA_BLOCK_ROWS;
    const uint8_t *allowed = (const uint8_t *)search->allowed;
    struct cria_code_scan scan = search->query.scan;
    scan.offset += SLACK * search->query.error;
    for (size_t b = 0; b < blocks; b += TURN_BLOCKS) {
        size_t n = blocks - b < TURN_BLOCKS ? blocks - b : TURN_BLOCKS;
        enum cria_status st = cria_vector_go_on(search->call);
        if (st != CRIA_OK) return st;
        if (allowed && is_empty(allowed + b, n)) continue;
        if (!cria_vector_readable(index, index->codes + b * block_words,
                                  n * block_words * sizeof(*index->codes)) ||
            !cria_vector_readable(index, index->factors + b * 2 * CRIA_BLOCK_ROWS,
                                  n * 2 * CRIA_BLOCK_ROWS * sizeof(*index->factors)))
            return cria_vector_rotten(search->call);
        st = cria_vector_scan(search, &scan, b, n, NULL);
        if (st != CRIA_OK) return st;
    }
    return CRIA_OK;
}
