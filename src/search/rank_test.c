/* rank_test.c - the inverted index against the formula computed by hand over random texts, and
 * what must hold of any ranking. */
#include "search/rank.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/test.h"

enum { DOCUMENTS = 120, WORDS_MOST = 60, KINDS = 40 };

struct fixture {
    struct cria_arena arena;
    struct cria_analyser *analyser;
    struct cria_vocabulary *vocabulary;
    struct cria_snapshot *snapshot;
    unsigned counts[DOCUMENTS][KINDS], lengths[DOCUMENTS];
    uint32_t random;
};

static uint32_t next_random(struct fixture *f)
{
    f->random = f->random * 1664525u + 1013904223u;
    return f->random >> 8;
}

/* Words that no stemmer changes and no other resembles. */
static void word(unsigned kind, char out[12])
{
    snprintf(out, 12, "zq%c%cxk", (char)('a' + kind % 6), (char)('a' + kind / 6));
}

static struct cria_indexed_document *document(struct fixture *f, unsigned n)
{
    struct cria_buf text;
    char one[12], id[16];
    cria_buf_init(&text, 1 << 16);
    f->lengths[n] = 5 + next_random(f) % (WORDS_MOST - 5);
    for (unsigned i = 0; i < f->lengths[n]; i++) {
        unsigned a = next_random(f) % KINDS, b = next_random(f) % KINDS, kind = a < b ? a : b;
        f->counts[n][kind]++;
        word(kind, one);
        if (i) cria_buf_add_char(&text, ' ');
        cria_buf_add_z(&text, one);
    }
    snprintf(id, sizeof(id), "dfl-%u", n);
    struct cria_str whole = cria_arena_copy(&f->arena, cria_buf_str(&text));
    struct cria_str name = cria_arena_copy(&f->arena, cria_str_from(id));
    const struct cria_document row = {
        .id = name, .entry_id = name, .metadata_json = CRIA_STR("{}")};
    const struct cria_chunk chunk = {
        .char_end = whole.len, .byte_end = whole.len, .token_count = f->lengths[n]};
    cria_buf_release(&text);
    return cria_document_index(f->vocabulary, f->analyser, &row, whole, &chunk, 1);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct cria_indexed_document **documents = calloc(DOCUMENTS, sizeof(*documents));
    f->random = 20261124;
    cria_arena_init(&f->arena, 256 << 20);
    f->analyser = cria_analyser_new();
    f->vocabulary = cria_vocabulary_new();
    for (unsigned n = 0; n < DOCUMENTS; n++) documents[n] = document(f, n);
    f->snapshot = cria_snapshot_new(f->vocabulary, documents, DOCUMENTS, 1);
    *state = f;
    return f->snapshot ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_snapshot_unref(f->snapshot);
    cria_vocabulary_free(f->vocabulary);
    cria_analyser_free(f->analyser);
    cria_arena_release(&f->arena);
    free(f);
    return 0;
}

static struct cria_ranking rank(struct fixture *f, const char *query, bool *const *allowed)
{
    struct cria_query_plan *plan = CRIA_NEW(&f->arena, struct cria_query_plan);
    struct cria_ranking ranking = {0};
    assert_non_null(plan);
    assert_true(
        cria_query_plan_make(plan, &f->arena, f->analyser, &f->snapshot, 1, cria_str_from(query)));
    assert_true(cria_rank(plan, &f->arena, allowed, 1000, &ranking));
    return ranking;
}

/* BM25 with k1 1.2 and b 0.75 (Robertson and Zaragoza 2009), idf as rank.c says. */
static double by_hand(const struct fixture *f, unsigned n, unsigned kind)
{
    double average = 0, df = 0, tf = f->counts[n][kind];
    for (unsigned i = 0; i < DOCUMENTS; i++) {
        average += f->lengths[i];
        df += f->counts[i][kind] > 0;
    }
    average /= DOCUMENTS;
    double idf = log(1 + (DOCUMENTS + 20 - df + 0.5) / (df + 0.5));
    return tf > 0 ? idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * f->lengths[n] / average)) : 0;
}

CRIA_TEST(one_word_scores_as_the_formula_says)
{
    struct fixture *f = *state;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        char query[12];
        size_t holders = 0;
        word(kind, query);
        for (unsigned n = 0; n < DOCUMENTS; n++) holders += f->counts[n][kind] > 0;
        if (!holders) continue; /* others would stand in for it */
        struct cria_ranking ranking = rank(f, query, NULL);
        size_t with_word = 0;
        for (size_t i = 0; i < ranking.count; i++) {
            const struct cria_scored *item = &ranking.items[i];
            unsigned n = f->snapshot->chunks[item->chunk].document;
            if (fabs(item->words - by_hand(f, n, kind)) > 1e-4)
                fail_msg("word %u, document %u: %f is not %f", kind, n, item->words,
                         by_hand(f, n, kind));
            with_word += f->counts[n][kind] > 0;
        }
        assert_int_equal(with_word, holders); /* none is missed */
    }
}

CRIA_TEST(scores_fall_and_lie_between_0_and_1)
{
    struct fixture *f = *state;
    for (unsigned round = 0; round < 50; round++) {
        char query[200] = "", one[12];
        for (unsigned k = 0; k < 1 + round % 6; k++) {
            word(next_random(f) % KINDS, one);
            snprintf(query + strlen(query), sizeof(query) - strlen(query), "%s ", one);
        }
        struct cria_ranking ranking = rank(f, query, NULL);
        assert_true(ranking.count > 0);
        for (size_t i = 0; i < ranking.count; i++) {
            const struct cria_scored *item = &ranking.items[i];
            assert_true(item->score >= 0 && item->score <= 1);
            assert_true(item->coverage >= 0 && item->coverage <= 1);
            if (i) assert_true(item->score <= ranking.items[i - 1].score);
        }
    }
}

CRIA_TEST(what_is_not_allowed_is_not_there)
{
    struct fixture *f = *state;
    bool allowed[DOCUMENTS];
    bool *const lists[] = {allowed};
    for (unsigned n = 0; n < DOCUMENTS; n++) allowed[n] = n % 3 == 0;
    struct cria_ranking some = rank(f, "zqaaxk zqbaxk", lists),
                        all = rank(f, "zqaaxk zqbaxk", NULL);
    assert_true(some.count > 0 && some.count < all.count);
    for (size_t i = 0; i < some.count; i++)
        assert_true(f->snapshot->chunks[some.items[i].chunk].document % 3 == 0);
    memset(allowed, 0, sizeof(allowed));
    assert_int_equal(rank(f, "zqaaxk", lists).count, 0);
}

CRIA_TEST(a_misspelt_word_finds_the_one_that_is_meant)
{
    struct fixture *f = *state;
    struct cria_ranking right = rank(f, "zqabxk", NULL), wrong = rank(f, "zqabxkk", NULL);
    assert_true(right.count > 0 && wrong.count > 0);
    assert_true(wrong.confidence < right.confidence);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(one_word_scores_as_the_formula_says),
        WITH(scores_fall_and_lie_between_0_and_1),
        WITH(what_is_not_allowed_is_not_there),
        WITH(a_misspelt_word_finds_the_one_that_is_meant),
    };
    return cmocka_run_group_tests_name("rank", tests, NULL, NULL);
}
