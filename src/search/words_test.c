/* words_test.c - the best chunks are those that adding up all postings finds. */
#include "search/words.h"

#include <math.h>
#include <stdlib.h>

#include "search/norms.h"
#include "tests/support/test.h"

enum { SEGMENTS = 3, WORDS = 40, CHUNKS = 30000 };

static uint64_t seed = 11;
static uint32_t below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

/* One segment: words by rank, each rarer than the one before. */
struct segment {
    uint32_t chunk_count;
    uint32_t *tfs[WORDS]; /* by chunk */
    uint8_t *norms;
    double length; /* sum over the chunks */
    struct cria_buf lists;
    size_t offsets[WORDS + 1];
    uint32_t dfs[WORDS];
    uint64_t *allowed;
};

struct fixture {
    struct segment segments[SEGMENTS];
    size_t count;
    struct cria_arena arena;
    struct cria_words_list lists[SEGMENTS][2 * WORDS];
    struct cria_words_source sources[SEGMENTS];
    uint32_t words[SEGMENTS][2 * WORDS]; /* of the lists */
    double average;
    double off; /* by which a score may differ from the truth, beside floats: one unit a word */
};

static void drop_segments(struct fixture *f)
{
    for (size_t s = 0; s < f->count; s++) {
        for (size_t w = 0; w < WORDS; w++) free(f->segments[s].tfs[w]);
        free(f->segments[s].norms);
        free(f->segments[s].allowed);
        cria_buf_release(&f->segments[s].lists);
    }
    f->count = 0;
}

/* is_flat: few lengths and tfs, so that many scores are equal. */
static void make_segment(struct segment *segment, uint32_t chunk_count, uint32_t length,
                         bool is_flat)
{
    uint32_t *ids = calloc(chunk_count, sizeof(*ids)), *tfs = calloc(chunk_count, sizeof(*tfs));
    *segment = (struct segment){.chunk_count = chunk_count};
    segment->norms = malloc(chunk_count);
    segment->allowed = calloc(cria_bitmap_words(chunk_count), sizeof(*segment->allowed));
    assert_true(ids && tfs && segment->norms && segment->allowed);
    cria_buf_init(&segment->lists, 64 << 20);
    for (uint32_t c = 0; c < chunk_count; c++) {
        segment->norms[c] = cria_norm_of(is_flat ? length : length / 2 + below(length));
        segment->length += cria_norm_length(segment->norms[c]);
    }
    for (uint32_t w = 0; w < WORDS; w++) {
        segment->tfs[w] = calloc(chunk_count, sizeof(*tfs));
        assert_non_null(segment->tfs[w]);
        uint32_t n = 0, run = 0;
        for (uint32_t c = 0; c < chunk_count; c++) { /* Zipf, and in some places more often */
            if (below(200) == 0) run = 1 + below(60);
            bool has = below(2 * w * w + 2) == 0 || (run && below(4 + w) == 0);
            if (run) run--;
            if (!has) continue;
            ids[n] = c;
            tfs[n] = is_flat ? 1 : 1 + (below(3) == 0) * below(6) + (below(40) == 0) * below(300);
            segment->tfs[w][c] = tfs[n++];
        }
        segment->offsets[w] = segment->lists.len;
        segment->dfs[w] = n;
        if (n)
            assert_true(cria_postings_write(&segment->lists, ids, tfs, n, segment->norms,
                                            segment->length / chunk_count));
    }
    segment->offsets[WORDS] = segment->lists.len;
    free(ids);
    free(tfs);
}

static void make_collection(struct fixture *f, size_t count, uint32_t chunk_count, bool is_flat)
{
    drop_segments(f);
    for (; f->count < count; f->count++)
        make_segment(&f->segments[f->count], 1 + below(chunk_count),
                     30 + 90 * (uint32_t)(count - f->count), is_flat);
}

static double weight_of(double count, double df)
{
    return log(1 + (count + 20 - df + .5) / (df + .5));
}

/* A question of n words, some of them twice; one_in: of so many chunks one is allowed, 0: all. */
static void ask(struct fixture *f, size_t n, uint32_t one_in)
{
    double chunks = 0, length = 0;
    for (size_t s = 0; s < f->count; s++) {
        struct segment *segment = &f->segments[s];
        chunks += segment->chunk_count;
        length += segment->length;
        f->sources[s] =
            (struct cria_words_source){.lists = f->lists[s],
                                       .norms = segment->norms,
                                       .chunk_count = segment->chunk_count,
                                       .average_length = segment->length / segment->chunk_count,
                                       .allowed = one_in ? segment->allowed : NULL};
        memset(segment->allowed, 0, 8 * cria_bitmap_words(segment->chunk_count));
        bool clustered = below(2);
        uint32_t left = 0;
        for (uint32_t c = 0; one_in && c < segment->chunk_count; c++) {
            if (left == 0 && below(one_in * (clustered ? 50 : 1)) == 0) left = clustered ? 50 : 1;
            if (left == 0) continue;
            left--;
            segment->allowed[c / 64] |= UINT64_C(1) << c % 64;
        }
    }
    f->average = length / chunks;
    f->off = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t w = below(WORDS);
        double df = 0;
        for (size_t s = 0; s < f->count; s++) df += f->segments[s].dfs[w];
        f->off += weight_of(chunks, df) * 5e-9 * (double)n;
        for (size_t s = 0; s < f->count; s++) {
            struct segment *segment = &f->segments[s];
            struct cria_words_source *source = &f->sources[s];
            if (segment->dfs[w] == 0) continue;
            f->words[s][source->list_count] = w;
            f->lists[s][source->list_count++] = (struct cria_words_list){
                .bytes = {.ptr = (const uint8_t *)segment->lists.ptr, .len = segment->lists.len},
                .offset = segment->offsets[w],
                .length = segment->offsets[w + 1] - segment->offsets[w],
                .df = segment->dfs[w],
                .weight = weight_of(chunks, df)};
        }
    }
}

/* From the numbers that the lists were made of. */
static double true_score(const struct fixture *f, size_t s, uint32_t chunk)
{
    double score = 0;
    for (size_t i = 0; i < f->sources[s].list_count; i++) {
        uint32_t tf = f->segments[s].tfs[f->words[s][i]][chunk];
        if (tf)
            score += f->lists[s][i].weight *
                     cria_bm25(tf, cria_norm_length(f->segments[s].norms[chunk]), f->average);
    }
    return score;
}

static void expect_best(struct fixture *f, size_t limit)
{
    struct cria_words_hit *found = calloc(limit, sizeof(*found));
    struct cria_words_hit *expected = calloc(limit, sizeof(*expected));
    size_t count = 0, expected_count = 0, damaged;
    assert_true(found && expected);
    assert_int_equal(
        cria_words_top(f->sources, f->count, f->average, limit, &f->arena, found, &count, &damaged),
        CRIA_WORDS_OK);
    assert_int_equal(cria_words_top_exhaustive(f->sources, f->count, f->average, limit, &f->arena,
                                               expected, &expected_count, &damaged),
                     CRIA_WORDS_OK);
    assert_int_equal(count, expected_count);
    assert_memory_equal(found, expected, count * sizeof(*found));
    for (size_t i = 0; i < count; i++) {
        float score;
        double truth = true_score(f, found[i].source, found[i].chunk);
        assert_true(fabs(found[i].score - truth) <= 2e-6 * truth + f->off);
        assert_true(i == 0 || found[i].score <= found[i - 1].score);
        assert_int_equal(cria_words_scores(f->sources, f->count, f->average, found[i].source,
                                           &found[i].chunk, 1, &f->arena, &score, NULL),
                         CRIA_WORDS_OK);
        assert_true(score == found[i].score);
    }
    free(found);
    free(expected);
    cria_arena_reset(&f->arena);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f) return -1;
    cria_arena_init(&f->arena, 64 << 20);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    drop_segments(f);
    cria_arena_release(&f->arena);
    free(f);
    return 0;
}

CRIA_TEST(the_best_are_those_of_all)
{
    struct fixture *f = *state;
    static const uint32_t filters[] = {0, 0, 0, 2, 20, 300, 4000};
    static const size_t limits[] = {1, 3, 10, 10, 100, 1000};
    for (int round = 0; round < 60; round++) {
        make_collection(f, 1 + below(SEGMENTS), round % 4 ? 3000 : CHUNKS, round % 5 == 4);
        for (int question = 0; question < 50; question++) {
            size_t n = 1 + below(question % 10 == 9 ? 2 * WORDS : 8);
            ask(f, n, filters[below(CRIA_COUNT(filters))]);
            expect_best(f, limits[below(CRIA_COUNT(limits))]);
        }
    }
}

/* A chunk that should be found is: against the numbers themselves, without either search. */
CRIA_TEST(the_best_are_the_true_ones)
{
    struct fixture *f = *state;
    for (int round = 0; round < 20; round++) {
        struct cria_words_hit hits[10];
        size_t count, damaged, better = 0;
        make_collection(f, 2, 2000, false);
        ask(f, 5, 0);
        assert_int_equal(
            cria_words_top(f->sources, f->count, f->average, 10, &f->arena, hits, &count, &damaged),
            CRIA_WORDS_OK);
        double least = count < 10 ? 0 : hits[9].score;
        for (size_t s = 0; s < f->count; s++)
            for (uint32_t c = 0; c < f->segments[s].chunk_count; c++)
                better += true_score(f, s, c) > least * (1 + 1e-5) + 1e-6;
        assert_true(better <= count);
        if (count < 10) assert_int_equal(better, count);
    }
}

CRIA_TEST(equal_scores_keep_the_order_of_chunks)
{
    struct fixture *f = *state;
    struct cria_words_hit hits[50];
    size_t count, damaged;
    make_collection(f, 1, 1, true);
    drop_segments(f);
    for (; f->count < 2; f->count++) make_segment(&f->segments[f->count], 9000, 100, true);
    ask(f, 0, 0);
    for (size_t s = 0; s < 2; s++) {
        struct segment *segment = &f->segments[s];
        f->sources[s].list_count = 1;
        f->lists[s][0] = (struct cria_words_list){
            .bytes = {.ptr = (const uint8_t *)segment->lists.ptr, .len = segment->lists.len},
            .offset = segment->offsets[WORDS - 1],
            .length = segment->offsets[WORDS] - segment->offsets[WORDS - 1],
            .df = segment->dfs[WORDS - 1],
            .weight = 1};
    }
    assert_int_equal(
        cria_words_top(f->sources, 2, f->average, 50, &f->arena, hits, &count, &damaged),
        CRIA_WORDS_OK);
    assert_int_equal(count, 50);
    for (size_t i = 0, s = 0, c = 0; i < count; i++, c++) {
        while (!f->segments[s].tfs[WORDS - 1][c])
            if (++c == f->segments[s].chunk_count) s++, c = 0;
        assert_int_equal(hits[i].source, s);
        assert_int_equal(hits[i].chunk, c);
    }
    cria_arena_reset(&f->arena);
}

CRIA_TEST(scores_of_given_chunks_are_found_by_seeks)
{
    struct fixture *f = *state;
    for (int round = 0; round < 40; round++) {
        static uint32_t chunks[CHUNKS], tfs[CHUNKS * 6];
        static float scores[CHUNKS];
        size_t n = 0;
        make_collection(f, 2, 9000, false);
        ask(f, 6, 0);
        for (uint32_t c = below(9); c < f->segments[1].chunk_count; c += 1 + below(60))
            chunks[n++] = c;
        assert_int_equal(cria_words_scores(f->sources, f->count, f->average, 1, chunks, n,
                                           &f->arena, scores, tfs),
                         CRIA_WORDS_OK);
        size_t lists = f->sources[1].list_count;
        for (size_t i = 0; i < n; i++) {
            double truth = true_score(f, 1, chunks[i]);
            assert_true(fabs(scores[i] - truth) <= 2e-6 * truth + f->off);
            for (size_t l = 0; l < lists; l++)
                assert_int_equal(tfs[i * lists + l], f->segments[1].tfs[f->words[1][l]][chunks[i]]);
        }
        cria_arena_reset(&f->arena);
    }
}

CRIA_TEST(words_without_weight_and_nothing_at_all)
{
    struct fixture *f = *state;
    struct cria_words_hit hits[10];
    size_t count = 5, damaged;
    make_collection(f, 1, 2000, false);
    ask(f, 1, 0);
    f->lists[0][0].weight = 0;
    assert_int_equal(
        cria_words_top(f->sources, 1, f->average, 10, &f->arena, hits, &count, &damaged),
        CRIA_WORDS_OK);
    assert_int_equal(count, 0);
    count = 5;
    assert_int_equal(cria_words_top(NULL, 0, 0, 10, &f->arena, hits, &count, &damaged),
                     CRIA_WORDS_OK);
    assert_int_equal(count, 0);
    cria_arena_reset(&f->arena);
}

CRIA_TEST(a_full_arena_is_told)
{
    struct fixture *f = *state;
    struct cria_words_hit hits[10];
    size_t count, damaged;
    float score;
    make_collection(f, 2, 500, false);
    ask(f, 4, 0);
    for (size_t limit = 0; limit < 100000; limit += 5000) {
        struct cria_arena arena;
        cria_arena_init(&arena, limit);
        enum cria_words_result top =
            cria_words_top(f->sources, f->count, f->average, 10, &arena, hits, &count, &damaged);
        assert_int_equal(top, arena.failed ? CRIA_WORDS_NO_MEMORY : CRIA_WORDS_OK);
        cria_arena_release(&arena);
        cria_arena_init(&arena, limit / 50);
        enum cria_words_result scores = cria_words_scores(f->sources, f->count, f->average, 0,
                                                          &(uint32_t){0}, 1, &arena, &score, NULL);
        assert_int_equal(scores, arena.failed ? CRIA_WORDS_NO_MEMORY : CRIA_WORDS_OK);
        if (limit == 0) assert_int_equal(scores, CRIA_WORDS_NO_MEMORY);
        cria_arena_release(&arena);
    }
}

/* With rotten bytes any answer may come, but in range; or the segment's number. */
CRIA_TEST(rotten_lists_are_told_or_do_no_harm)
{
    struct fixture *f = *state;
    size_t told = 0;
    for (int round = 0; round < 1500; round++) {
        struct cria_words_hit hits[20];
        size_t count = 0, damaged = SIZE_MAX;
        if (round % 300 == 0) make_collection(f, 2, 20000, false);
        ask(f, 4, round % 4 ? 0 : 10);
        struct cria_words_source *source = &f->sources[1];
        if (source->list_count == 0) continue;
        struct cria_words_list *list = &f->lists[1][below((uint32_t)source->list_count)];
        uint8_t *copy = malloc(list->length);
        assert_non_null(copy);
        memcpy(copy, list->bytes.ptr + list->offset, list->length);
        for (int i = 0; i < 1 + round % 3; i++)
            copy[below((uint32_t)list->length)] ^= (uint8_t)(1 + below(255));
        list->bytes = (struct cria_bytes){.ptr = copy, .len = list->length};
        list->offset = 0;
        enum cria_words_result result =
            cria_words_top(f->sources, f->count, f->average, 20, &f->arena, hits, &count, &damaged);
        if (result == CRIA_WORDS_DAMAGED) {
            assert_int_equal(damaged, 1);
            told++;
        } else {
            assert_int_equal(result, CRIA_WORDS_OK);
            for (size_t i = 0; i < count; i++)
                assert_true(hits[i].chunk < f->sources[hits[i].source].chunk_count);
        }
        free(copy);
        cria_arena_reset(&f->arena);
    }
    assert_true(told > 20);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_are_those_of_all),
        cmocka_unit_test(the_best_are_the_true_ones),
        cmocka_unit_test(equal_scores_keep_the_order_of_chunks),
        cmocka_unit_test(scores_of_given_chunks_are_found_by_seeks),
        cmocka_unit_test(words_without_weight_and_nothing_at_all),
        cmocka_unit_test(a_full_arena_is_told),
        cmocka_unit_test(rotten_lists_are_told_or_do_no_harm),
    };
    return cmocka_run_group_tests_name("search/words", tests, set_up, tear_down);
}
