/* rank_test.c - the ranking of segments against the formula computed by hand over random texts, and
 * what must hold of any ranking. */
#include "search/rank.h"

#include <math.h>
#include <stdlib.h>

#include "search/norms.h"
#include "tests/support/segment.h"

enum { DOCUMENTS = 300, WORDS_MOST = 60, KINDS = 40, PARTS = 10 };

struct fixture {
    struct cria_arena arena;
    struct cria_call call;
    struct cria_analyser *analyser;
    struct cria_segment *whole,
        *parts[PARTS]; /* document n is the n / PARTS-th of part n % PARTS */
    unsigned counts[DOCUMENTS][KINDS], lengths[DOCUMENTS];
    struct cria_str texts[DOCUMENTS];
    uint64_t random;
};

/* Words that no stemmer changes and no other resembles. */
static void word(unsigned kind, char out[12])
{
    snprintf(out, 12, "%c%cq%cx%ck", (char)('a' + kind % 6), (char)('a' + kind / 6),
             (char)('g' + kind % 11), (char)('h' + kind % 7));
}

static void write_text(struct fixture *f, unsigned n)
{
    struct cria_buf text;
    char one[12];
    cria_buf_init(&text, 1 << 16);
    f->lengths[n] = 5 + test_random(&f->random) % (WORDS_MOST - 5);
    for (unsigned i = 0; i < f->lengths[n]; i++) {
        unsigned a = test_random(&f->random) % KINDS, b = test_random(&f->random) % KINDS,
                 kind = a < b ? a : b;
        f->counts[n][kind]++;
        word(kind, one);
        if (i) cria_buf_add_char(&text, ' ');
        cria_buf_add_z(&text, one);
    }
    f->texts[n] = cria_arena_copy(&f->arena, cria_buf_str(&text));
    cria_buf_release(&text);
}

/* Of documents from, from + step, … */
static struct cria_segment *build(struct fixture *f, unsigned from, unsigned step)
{
    struct cria_segment_builder *builder = cria_segment_builder_new(f->analyser);
    const struct cria_segment_place memory = {0};
    struct cria_segment *segment = NULL;
    assert_non_null(builder);
    for (unsigned n = from; n < DOCUMENTS; n += step) {
        struct cria_str name = cria_arena_printf(&f->arena, "dfl-%u", n), text = f->texts[n];
        const struct cria_document row = {
            .id = name, .entry_id = name, .metadata_json = CRIA_STR("{}")};
        const struct cria_chunk chunk = {
            .char_end = text.len, .byte_end = text.len, .token_count = f->lengths[n]};
        assert_int_equal(cria_segment_builder_add(builder, &row, text, &chunk, 1), CRIA_OK);
    }
    assert_int_equal(cria_segment_builder_finish(builder, &f->call, &memory, &segment), CRIA_OK);
    cria_segment_builder_free(builder);
    return segment;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f) return -1;
    f->random = 20261124;
    cria_arena_init(&f->arena, 256 << 20);
    cria_call_init(&f->call, &f->arena);
    f->analyser = cria_analyser_new();
    for (unsigned n = 0; n < DOCUMENTS; n++) write_text(f, n);
    f->whole = build(f, 0, 1);
    for (unsigned i = 0; i < PARTS; i++) f->parts[i] = build(f, i, PARTS);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_segment_close(f->whole);
    for (unsigned i = 0; i < PARTS; i++) cria_segment_close(f->parts[i]);
    cria_analyser_free(f->analyser);
    cria_arena_release(&f->arena);
    free(f);
    return 0;
}

static struct cria_ranking rank_sources(struct fixture *f, const char *query,
                                        const struct cria_rank_source *sources, size_t count)
{
    struct cria_query_plan *plan = CRIA_NEW(&f->arena, struct cria_query_plan);
    const struct cria_rank_options options = {.candidates = 1000, .full_text_weight = 1};
    struct cria_ranking ranking = {0};
    assert_non_null(plan);
    assert_true(
        cria_query_plan_make(plan, &f->arena, f->analyser, sources, count, cria_str_from(query)));
    assert_int_equal(cria_rank(plan, &f->call, &options, &ranking), CRIA_OK);
    return ranking;
}

static struct cria_ranking rank(struct fixture *f, const char *query, const uint64_t *allowed)
{
    struct cria_rank_source *source = CRIA_NEW(&f->arena, struct cria_rank_source);
    assert_non_null(source);
    *source = (struct cria_rank_source){.segment = f->whole, .allowed = allowed};
    return rank_sources(f, query, source, 1);
}

static void random_query(struct fixture *f, unsigned words, char out[200])
{
    char one[12];
    out[0] = '\0';
    for (unsigned k = 0; k < words; k++) {
        word(test_random(&f->random) % KINDS, one);
        snprintf(out + strlen(out), 200 - strlen(out), "%s ", one);
    }
}

/* BM25 with k1 1.2 and b 0.75 (Robertson and Zaragoza 2009); lengths as one byte keeps them. */
static double by_hand(const struct fixture *f, unsigned n, unsigned kind)
{
    double average = 0, df = 0, tf = f->counts[n][kind];
    for (unsigned i = 0; i < DOCUMENTS; i++) {
        average += f->lengths[i];
        df += f->counts[i][kind] > 0;
    }
    average /= DOCUMENTS;
    double length = cria_norm_length(cria_norm_of(f->lengths[n]));
    return tf > 0
               ? cria_idf(DOCUMENTS, df) * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / average))
               : 0;
}

CRIA_TEST(one_word_scores_as_the_formula_says)
{
    struct fixture *f = *state;
    unsigned looked_at = 0;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        char query[12];
        size_t holders = 0, with_word = 0;
        word(kind, query);
        for (unsigned n = 0; n < DOCUMENTS; n++) holders += f->counts[n][kind] > 0;
        if (!holders) continue; /* others would stand in for it */
        struct cria_ranking ranking = rank(f, query, NULL);
        for (size_t i = 0; i < ranking.count; i++) {
            const struct cria_scored *item = &ranking.items[i];
            double right = by_hand(f, item->chunk, kind);
            if (fabs(item->words - right) > 1e-4)
                fail_msg("word %u, document %u: %f is not %f", kind, item->chunk, item->words,
                         right);
            with_word += f->counts[item->chunk][kind] > 0;
        }
        assert_int_equal(with_word, holders); /* none is missed */
        looked_at++;
    }
    assert_true(looked_at > KINDS / 2);
}

CRIA_TEST(several_words_add_up)
{
    struct fixture *f = *state;
    char query[40], a[12], b[12];
    word(1, a);
    word(5, b);
    snprintf(query, sizeof(query), "%s %s", a, b);
    struct cria_ranking ranking = rank(f, query, NULL);
    assert_true(ranking.count > 20);
    for (size_t i = 0; i < ranking.count; i++) {
        const struct cria_scored *item = &ranking.items[i];
        double sum = by_hand(f, item->chunk, 1) + by_hand(f, item->chunk, 5);
        /* where they are neighbours in this order the pair adds to it */
        bool is_pair = cria_str_find(f->texts[item->chunk], cria_str_from(query)) != SIZE_MAX;
        if (is_pair)
            assert_true(item->words > sum + 1e-3);
        else
            assert_true(fabs(item->words - sum) < 1e-4);
    }
}

CRIA_TEST(scores_fall_and_lie_between_0_and_1)
{
    struct fixture *f = *state;
    for (unsigned round = 0; round < 50; round++) {
        char query[200];
        random_query(f, 1 + round % 6, query);
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
    uint64_t allowed[(DOCUMENTS + 63) / 64] = {0};
    char query[40], a[12], b[12];
    word(0, a);
    word(1, b);
    snprintf(query, sizeof(query), "%s %s", a, b);
    for (unsigned n = 0; n < DOCUMENTS; n += 3) allowed[n / 64] |= UINT64_C(1) << n % 64;
    struct cria_ranking some = rank(f, query, allowed), all = rank(f, query, NULL);
    assert_true(some.count > 0 && some.count < all.count);
    for (size_t i = 0; i < some.count; i++) assert_true(some.items[i].chunk % 3 == 0);
    memset(allowed, 0, sizeof(allowed));
    assert_int_equal(rank(f, query, allowed).count, 0);
}

CRIA_TEST(a_misspelt_word_finds_the_one_that_is_meant)
{
    struct fixture *f = *state;
    char query[16];
    word(7, query);
    struct cria_ranking right = rank(f, query, NULL);
    memcpy(query + 7, "k", 2); /* doubled at the end */
    struct cria_ranking wrong = rank(f, query, NULL);
    assert_true(right.count > 0 && wrong.count > 0);
    assert_true(f->counts[wrong.items[0].chunk][7] > 0);
    assert_true(wrong.confidence < right.confidence);
}

CRIA_TEST(ten_indexes_rank_as_one)
{
    struct fixture *f = *state;
    struct cria_rank_source sources[PARTS] = {0};
    for (unsigned i = 0; i < PARTS; i++)
        sources[i] = (struct cria_rank_source){.segment = f->parts[i], .index_n = i};
    for (unsigned round = 0; round < 50; round++) {
        char query[200];
        double scores[DOCUMENTS] = {0};
        random_query(f, 1 + round % 5, query);
        struct cria_ranking one = rank(f, query, NULL),
                            ten = rank_sources(f, query, sources, PARTS);
        assert_int_equal(one.count, ten.count);
        assert_true(fabs(one.confidence - ten.confidence) < 1e-6);
        for (size_t i = 0; i < one.count; i++) scores[one.items[i].chunk] = one.items[i].score;
        for (size_t i = 0; i < ten.count; i++) {
            const struct cria_scored *item = &ten.items[i];
            assert_true(fabs(item->score - scores[item->chunk * PARTS + item->source]) < 1e-6);
        }
    }
}

/* Documents of one chunk each under a heading, or NULL. */
static struct cria_segment *build_few(struct fixture *f, const char *const (*few)[2], size_t count)
{
    struct cria_segment_builder *builder = cria_segment_builder_new(f->analyser);
    const struct cria_segment_place memory = {0};
    struct cria_segment *segment = NULL;
    assert_non_null(builder);
    for (size_t n = 0; n < count; n++) {
        struct cria_str name = cria_arena_printf(&f->arena, "few-%zu", n),
                        text = cria_str_from(few[n][0]);
        const struct cria_document row = {
            .id = name, .entry_id = name, .metadata_json = CRIA_STR("{}")};
        const struct cria_chunk chunk = {
            .char_end = text.len, .byte_end = text.len, .heading = cria_str_from(few[n][1])};
        assert_int_equal(cria_segment_builder_add(builder, &row, text, &chunk, 1), CRIA_OK);
    }
    assert_int_equal(cria_segment_builder_finish(builder, &f->call, &memory, &segment), CRIA_OK);
    cria_segment_builder_free(builder);
    return segment;
}

CRIA_TEST(a_chunk_is_found_by_the_headings_above_it)
{
    struct fixture *f = *state;
    static const char *const few[][2] = {
        {"It is emptied on the first Monday of the month.", "Waste > Glass container"},
        {"It is emptied on the second Monday of the month.", "Waste > Paper container"},
        {"It is emptied on the third Monday of the month, and so are the glass ones.", NULL},
    };
    struct cria_segment *segment = build_few(f, few, CRIA_COUNT(few));
    const struct cria_rank_source source = {.segment = segment};
    struct cria_ranking ranking = rank_sources(f, "paper container emptied", &source, 1);
    assert_int_equal(ranking.items[0].chunk, 1);
    assert_true(ranking.items[0].coverage > 0.99);
    ranking = rank_sources(f, "glass container emptied", &source, 1);
    assert_int_equal(ranking.items[0].chunk, 0);
    cria_segment_close(segment);
}

CRIA_TEST(a_question_is_asked_in_its_own_language)
{
    struct fixture *f = *state;
    static const char *const few[][2] = {
        {"The mill stands by the river and the wheel was made of oak in the year 1612.", NULL},
        {"The keeper of the lighthouse was relieved on the first day of the month.", NULL},
        {"Die Hütten werden im Herbst geschlossen, und der Hüttenwart geht mit der Herde in das "
         "Tal.",
         NULL},
    };
    struct cria_segment *segment = build_few(f, few, CRIA_COUNT(few));
    const struct cria_rank_source source = {.segment = segment};
    struct cria_query_plan *plan = CRIA_NEW(&f->arena, struct cria_query_plan);
    assert_non_null(plan);
    assert_true(cria_query_plan_make(plan, &f->arena, f->analyser, &source, 1,
                                     CRIA_STR("Wann wird die Hütte geschlossen?")));
    assert_int_equal(plan->language, CRIA_LANG_GERMAN);
    assert_int_equal(plan->asked, 2); /* not: when, will, the */
    assert_int_equal(plan->unknown_count, 0);
    assert_true(cria_query_plan_make(plan, &f->arena, f->analyser, &source, 1,
                                     CRIA_STR("When was the wheel made?")));
    assert_int_equal(plan->language, CRIA_LANG_ENGLISH);
    struct cria_ranking ranking = rank_sources(f, "Wann wird die Hütte geschlossen?", &source, 1);
    assert_int_equal(ranking.items[0].chunk, 2);
    cria_segment_close(segment);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(one_word_scores_as_the_formula_says),
        WITH(several_words_add_up),
        WITH(scores_fall_and_lie_between_0_and_1),
        WITH(what_is_not_allowed_is_not_there),
        WITH(a_misspelt_word_finds_the_one_that_is_meant),
        WITH(ten_indexes_rank_as_one),
        WITH(a_chunk_is_found_by_the_headings_above_it),
        WITH(a_question_is_asked_in_its_own_language),
    };
    return cmocka_run_group_tests_name("rank", tests, NULL, NULL);
}
