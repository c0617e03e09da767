/* analyse_test.c - words, stems, pairs, folded bytes and sentences, as tables. */
#include "search/analyse.h"

#include <stdlib.h>

#include "base/buf.h"
#include "tests/support/test.h"

struct fixture {
    struct cria_analyser *analyser;
    struct cria_buf seen;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->analyser = cria_analyser_new();
    cria_buf_init(&f->seen, 1 << 16);
    *state = f;
    return f->analyser ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_analyser_free(f->analyser);
    cria_buf_release(&f->seen);
    free(f);
    return 0;
}

static bool note(void *arg, struct cria_str term, uint32_t position, bool is_word)
{
    struct fixture *f = arg;
    (void)position;
    if (f->seen.len) cria_buf_add_char(&f->seen, is_word ? ' ' : '+');
    cria_buf_add(&f->seen, term);
    return true;
}

CRIA_TEST(terms_of_many_languages)
{
    struct fixture *f = *state;
    static const struct {
        enum cria_language language;
        bool plain;
        const char *text, *terms;
    } cases[] = {
        {CRIA_LANG_ENGLISH, false, "The Running of Horses!", "the run of hors"},
        {CRIA_LANG_ENGLISH, true, "The Running of Horses!", "the running of horses"},
        {CRIA_LANG_ENGLISH, false, "caf\xC3\xA9 na\xC3\xAFve \xEF\xAC\x81le",
         "caf\xC3\xA9 na\xC3\xAFv file"},
        {CRIA_LANG_GERMAN, false, "H\xC3\xA4user Mieten", "haus miet"},
        {CRIA_LANG_OTHER, false, "\xE7\x81\xAF\xE5\xA1\x94\xE9\xAB\x98",
         "\xE7\x81\xAF\xE5\xA1\x94+\xE5\xA1\x94\xE9\xAB\x98"},
        {CRIA_LANG_ENGLISH, false, "", ""},
        {CRIA_LANG_ENGLISH, false, " \t..,, ", ""},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        cria_buf_clear(&f->seen);
        cria_analyse(f->analyser, cria_str_from(cases[i].text), cases[i].language, cases[i].plain,
                     note, f);
        assert_str_equal(cria_buf_str(&f->seen), cases[i].terms);
    }
}

CRIA_TEST(broken_bytes_are_survived)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"\xFF\xFE\x80", "ab\xC3", "\xF0\x9F\xA6", "a\xED\xA0\x80z"};
    for (size_t i = 0; i < CRIA_COUNT(texts); i++) {
        cria_buf_clear(&f->seen);
        cria_analyse(f->analyser, cria_str_from(texts[i]), CRIA_LANG_ENGLISH, false, note, f);
        assert_false(f->seen.failed);
    }
}

CRIA_TEST(languages_are_guessed_by_their_little_words)
{
    (void)state;
    static const struct {
        const char *text;
        enum cria_language language;
    } cases[] = {
        {"The pump of the plant was replaced in the spring, and it is in use.", CRIA_LANG_ENGLISH},
        {"Die Pumpe des Werks wurde im Fr\xC3\xBChjahr ersetzt und ist nicht mehr in der Halle.",
         CRIA_LANG_GERMAN},
        {"La bomba de la planta fue sustituida en la primavera y los filtros est\xC3\xA1n en el "
         "almac\xC3\xA9n.",
         CRIA_LANG_SPANISH},
        {"\xD0\x9D\xD0\xB0\xD1\x81\xD0\xBE\xD1\x81 \xD0\xB1\xD1\x8B\xD0\xBB "
         "\xD0\xB7\xD0\xB0\xD0\xBC\xD0\xB5\xD0\xBD\xD1\x91\xD0\xBD",
         CRIA_LANG_RUSSIAN},
        {"", CRIA_LANG_ENGLISH},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        assert_int_equal(cria_language_guess(cria_str_from(cases[i].text)), cases[i].language);
}

CRIA_TEST(sentences_end_where_people_end_them)
{
    (void)state;
    static const struct {
        const char *text, *spans; /* with bars between them */
    } cases[] = {
        {"One. Two! Three?", "One.|Two!|Three?"},
        {"It cost 3.5 million. Dr. Lee paid.", "It cost 3.5 million.|Dr. Lee paid."},
        {"He left (\xE2\x80\x9Cwent.\xE2\x80\x9D) Then rain.",
         "He left (\xE2\x80\x9Cwent.\xE2\x80\x9D)|Then rain."},
        {"## 7. Wind\n\nA mast stands there.", "## 7. Wind|A mast stands there."},
        {"- first item\n- second item", "- first item|- second item"},
        {"3. the third\n4. the fourth", "3. the third|4. the fourth"},
        {"a line\nthat goes on. End", "a line\nthat goes on.|End"},
        {"| a | b |\n| 1 | 2 |", "| a | b ||| 1 | 2 |"},
        {"\xE7\x81\xAF\xE5\xA1\x94\xE3\x80\x82\xE9\xAB\x98\xE3\x80\x82",
         "\xE7\x81\xAF\xE5\xA1\x94\xE3\x80\x82|\xE9\xAB\x98\xE3\x80\x82"},
        {"", ""},
        {"\n\n \n", ""},
    };
    struct cria_arena arena;
    cria_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_span *spans;
        size_t count;
        struct cria_buf seen;
        struct cria_str text = cria_str_from(cases[i].text);
        cria_buf_init(&seen, 4096);
        assert_true(cria_sentence_spans(&arena, text, &spans, &count));
        for (size_t k = 0; k < count; k++) {
            if (k) cria_buf_add_char(&seen, '|');
            cria_buf_add(&seen, cria_str_sub(text, spans[k].start, spans[k].end - spans[k].start));
        }
        assert_str_equal(cria_buf_str(&seen), cases[i].spans);
        cria_buf_release(&seen);
    }
    cria_arena_release(&arena);
}

CRIA_TEST(folding_leaves_one_byte_a_character)
{
    struct fixture *f = *state;
    cria_buf_clear(&f->seen);
    cria_fold_bytes(&f->seen, CRIA_STR("Ab, 12\n\n\xC3\x84x!"));
    assert_int_equal(f->seen.len, 10);
    assert_memory_equal(f->seen.ptr, " ab 12 ", 7);
    assert_true((unsigned char)f->seen.ptr[7] >= 128 && f->seen.ptr[8] == 'x');
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(terms_of_many_languages),
        WITH(broken_bytes_are_survived),
        WITH(languages_are_guessed_by_their_little_words),
        WITH(sentences_end_where_people_end_them),
        WITH(folding_leaves_one_byte_a_character),
    };
    return cmocka_run_group_tests_name("analyse", tests, NULL, NULL);
}
