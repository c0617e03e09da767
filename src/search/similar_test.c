/* similar_test.c - the index finds what a look at every term finds. */
#include "search/similar.h"

#include "base/fault.h"
#include "tests/support/segment.h"

enum { MOST = 4 };

struct fixture {
    char **terms;
    size_t count;
    struct test_segment dictionary_segment, similar_segment;
    struct cria_bytes dictionary_bytes, similar_bytes;
    struct cria_dictionary dictionary;
    struct cria_similar similar;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Words of syllables, as languages have them, or of any letters. */
static void make_word(char *out, uint64_t *seed, bool is_real)
{
    static const char *const syllables[] = {
        "an",  "ber",  "con", "de",  "er",       "fol",          "ge",   "ing", "ka",
        "lo",  "ment", "ne",  "ous", "pre",      "re",           "s",    "ti",  "un",
        "ver", "wa",   "y",   "zen", "\xC3\xBC", "stra\xC3\x9F", "tion", "aa"};
    size_t len = 0, parts = 1 + test_random(seed) % 5;
    if (is_real) {
        for (size_t i = 0; i < parts; i++) {
            const char *part = syllables[test_random(seed) % CRIA_COUNT(syllables)];
            memcpy(out + len, part, strlen(part));
            len += strlen(part);
        }
    } else {
        parts = 1 + test_random(seed) % (test_random(seed) % 50 == 0 ? 75 : 9);
        for (; len < parts; len++) out[len] = "abcd0123"[test_random(seed) % 8];
    }
    out[len] = 0;
}

static void make_typo(char *word, uint64_t *seed)
{
    size_t len = strlen(word), at = test_random(seed) % (len + 1);
    char letter = (char)('a' + test_random(seed) % 26);
    if (len < 2 || at == len || test_random(seed) % 3 == 0) {
        memmove(word + at + 1, word + at, len - at + 1);
        word[at] = letter;
    } else if (test_random(seed) % 2) {
        memmove(word + at, word + at + 1, len - at);
    } else {
        word[at] = letter;
    }
}

static enum cria_status write_dictionary(struct fixture *f)
{
    struct cria_dictionary_builder builder;
    struct cria_sink sink = test_segment_sink(&f->dictionary_segment);
    cria_dictionary_begin(&builder, &sink);
    for (size_t i = 0; i < f->count; i++)
        (void)cria_dictionary_add(&builder, cria_str_from(f->terms[i]));
    enum cria_status st = cria_dictionary_end(&builder);
    cria_dictionary_release(&builder);
    return st;
}

static void set_up(struct fixture *f, size_t count, uint64_t seed, bool is_real)
{
    static const char *const others[] = {"\xE6\xB1\x89\xE5\xAD\x97",
                                         "\xE0\xB8\x81\xE0\xB8\x82",
                                         "12345678",
                                         "ab",
                                         "aaaaaaaaaa",
                                         "aaaaaaaaa"};
    *f = (struct fixture){.terms = calloc(count, sizeof(char *))};
    assert_non_null(f->terms);
    for (size_t i = 0; i < count; i++) {
        char word[128] = {0};
        if (i < CRIA_COUNT(others))
            memcpy(word, others[i], strlen(others[i]));
        else
            make_word(word, &seed, is_real);
        f->terms[i] = malloc(strlen(word) + 1);
        assert_non_null(f->terms[i]);
        memcpy(f->terms[i], word, strlen(word) + 1);
    }
    qsort(f->terms, count, sizeof(char *), by_text);
    for (size_t i = 0; i < count; i++) {
        if (f->count && strcmp(f->terms[i], f->terms[f->count - 1]) == 0)
            free(f->terms[i]);
        else
            f->terms[f->count++] = f->terms[i];
    }
    struct cria_sink sink = test_segment_sink(&f->similar_segment);
    assert_int_equal(write_dictionary(f), CRIA_OK);
    f->dictionary_bytes = test_segment_copy(&f->dictionary_segment);
    assert_int_equal(cria_dictionary_open(f->dictionary_bytes, &f->dictionary), CRIA_OK);
    assert_int_equal(cria_similar_write(&f->dictionary, &sink), CRIA_OK);
    f->similar_bytes = test_segment_copy(&f->similar_segment);
    assert_int_equal(cria_similar_open(f->similar_bytes, &f->similar), CRIA_OK);
}

static void tear_down(struct fixture *f)
{
    for (size_t i = 0; i < f->count; i++) free(f->terms[i]);
    free(f->terms);
    free((void *)(uintptr_t)f->dictionary_bytes.ptr);
    free((void *)(uintptr_t)f->similar_bytes.ptr);
    test_segment_release(&f->dictionary_segment);
    test_segment_release(&f->similar_segment);
}

/* Dice of padded 3-grams: 2 x shared / all. */
static double dice(struct cria_str a, struct cria_str b)
{
    char x[96], y[96];
    if (a.len + 4 > sizeof(x) || b.len + 4 > sizeof(y)) return 0;
    size_t n = a.len + 2, m = b.len + 2, shared = 0;
    bool used[96] = {false};
    memcpy(x, "  ", 2), memcpy(x + 2, a.ptr, a.len), memcpy(x + 2 + a.len, "  ", 2);
    memcpy(y, "  ", 2), memcpy(y + 2, b.ptr, b.len), memcpy(y + 2 + b.len, "  ", 2);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            if (!used[j] && memcmp(x + i, y + j, 3) == 0) {
                used[j] = true;
                shared++;
                break;
            }
    return 2.0 * (double)shared / (double)(n + m);
}

static bool is_left_out(struct cria_str term)
{
    return term.len < 3 || term.len > 60 || strspn(term.ptr, "0123456789") == term.len ||
           cria_str_starts(term, "\xE6\xB1") || cria_str_starts(term, "\xE0\xB8");
}

static size_t look_at_all(const struct fixture *f, struct cria_str word, double least, size_t most,
                          struct cria_similar_term *out)
{
    size_t found = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct cria_str term = cria_str_from(f->terms[i]);
        double similarity = is_left_out(term) ? 0 : dice(word, term);
        size_t at = found;
        if (similarity < least) continue;
        while (at > 0 && out[at - 1].similarity < similarity) at--;
        if (at == most) continue;
        found += found < most;
        memmove(&out[at + 1], &out[at], (found - 1 - at) * sizeof(*out));
        out[at] = (struct cria_similar_term){(uint32_t)i, similarity};
    }
    return found;
}

static size_t compare(const struct fixture *f, const char *text, double least, size_t most)
{
    struct cria_similar_term found[16], wanted[16];
    struct cria_str word = cria_str_from(text);
    size_t n = cria_similar_find(&f->similar, &f->dictionary, word, least, most, found),
           m = look_at_all(f, word, least, most, wanted);
    if (n != m) fail_msg("%s: %zu, not %zu", text, n, m);
    for (size_t i = 0; i < n; i++)
        if (found[i].ordinal != wanted[i].ordinal || found[i].similarity != wanted[i].similarity)
            fail_msg("%s: %zu is %s %g, not %s %g", text, i, f->terms[found[i].ordinal],
                     found[i].similarity, f->terms[wanted[i].ordinal], wanted[i].similarity);
    return n;
}

CRIA_TEST(the_most_similar_terms_are_those_of_brute_force)
{
    (void)state;
    static const struct {
        size_t count;
        bool is_real;
        double least;
        size_t most;
    } cases[] = {{6, true, 0.5, 4},     {100, true, 0.5, 4},   {5000, false, 0.5, 4},
                 {70000, true, 0.5, 4}, {2000, true, 0.3, 16}, {2000, false, 0.05, 16},
                 {1000, false, 0.9, 2}, {1000, true, 1, 1}};
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct fixture f;
        uint64_t seed = 77 + i;
        size_t found = 0;
        set_up(&f, cases[i].count, 1000 + i, cases[i].is_real);
        for (size_t k = 0; k < (cases[i].count > 10000 ? 30 : 150); k++) {
            char word[160] = {0};
            if (k % 3 == 0) {
                make_word(word, &seed, cases[i].is_real);
            } else {
                const char *term = f.terms[test_random(&seed) % f.count];
                memcpy(word, term, strlen(term) + 1);
                for (size_t t = 0; t < k % 4; t++) make_typo(word, &seed);
            }
            if (word[0]) found += compare(&f, word, cases[i].least, cases[i].most);
        }
        assert_true(found > 20);
        if (cases[i].count == 70000) assert_true(f.count > 1 << 15); /* more than one window */
        compare(&f, "aaaaaaaaaaaaaaa", cases[i].least, cases[i].most);
        compare(&f, "a", cases[i].least, cases[i].most);
        tear_down(&f);
    }
}

CRIA_TEST(words_that_none_can_be_similar_to_find_none)
{
    (void)state;
    struct fixture f;
    struct cria_similar_term found[MOST];
    static char text[93];
    set_up(&f, 1000, 3, true);
    memset(text, 'a', sizeof(text));
    assert_int_equal(
        cria_similar_find(&f.similar, &f.dictionary, (struct cria_str){0}, 0.5, MOST, found), 0);
    assert_int_equal(cria_similar_find(&f.similar, &f.dictionary, cria_str_make(text, sizeof(text)),
                                       0.01, MOST, found),
                     0);
    assert_true(cria_similar_find(&f.similar, &f.dictionary, cria_str_make(text, sizeof(text) - 1),
                                  0.01, MOST, found) > 0);
    assert_int_equal(
        cria_similar_find(&f.similar, &f.dictionary, CRIA_STR("12345679"), 0.5, MOST, found), 0);
    assert_int_equal(
        cria_similar_find(&f.similar, &f.dictionary, CRIA_STR("aaaaaaaa"), 0.5, 0, found), 0);
    tear_down(&f);
}

CRIA_TEST(failures_are_told)
{
    (void)state;
    struct fixture f;
    set_up(&f, 1000, 3, true);
    enum cria_status st = CRIA_E_NO_MEMORY;
    for (unsigned nth = 1; st != CRIA_OK; nth++) {
        struct test_segment segment = {0};
        struct cria_sink sink = test_segment_sink(&segment);
        cria_fault_arm(CRIA_FAULT_ALLOC, nth);
        st = cria_similar_write(&f.dictionary, &sink);
        assert_int_equal(st, cria_fault_fired() ? CRIA_E_NO_MEMORY : CRIA_OK);
        test_segment_release(&segment);
    }
    cria_fault_arm(CRIA_FAULT_ALLOC, 0);
    struct test_segment full = {.fails_at = f.similar_segment.len - 1};
    struct cria_sink sink = test_segment_sink(&full);
    assert_int_equal(cria_similar_write(&f.dictionary, &sink), CRIA_E_IO);
    test_segment_release(&full);
    f.dictionary_segment.bad_len = 1; /* the dictionary's first block */
    f.dictionary.bytes.check = test_segment_check;
    f.dictionary.bytes.arg = &f.dictionary_segment;
    sink = test_segment_sink(&full);
    assert_int_equal(cria_similar_write(&f.dictionary, &sink), CRIA_E_CORRUPT);
    test_segment_release(&full);
    tear_down(&f);
}

CRIA_TEST(rotten_bytes_do_no_harm)
{
    (void)state;
    struct fixture f;
    size_t refused = 0;
    set_up(&f, 60, 11, true);
    uint8_t *bytes = (uint8_t *)(uintptr_t)f.similar_bytes.ptr;
    for (size_t bit = 0; bit < f.similar_bytes.len * 8; bit++) {
        static const char *const words[] = {"conberger", "aaaaaaaaaaaa", "stration", "unvering"};
        struct cria_similar similar;
        struct cria_similar_term found[MOST];
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (cria_similar_open(f.similar_bytes, &similar) == CRIA_OK) {
            size_t n =
                cria_similar_find(&similar, &f.dictionary,
                                  cria_str_from(words[bit % CRIA_COUNT(words)]), 0.2, MOST, found);
            assert_true(n <= MOST);
            for (size_t i = 0; i < n; i++) assert_true(found[i].ordinal < f.dictionary.count);
        } else {
            refused++;
        }
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(refused >= 64);
    for (size_t len = 0; len < f.similar_bytes.len; len++) {
        struct cria_bytes part = {.ptr = bytes, .len = len};
        assert_int_equal(cria_similar_open(part, &f.similar), CRIA_E_CORRUPT);
    }
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_similar_terms_are_those_of_brute_force),
        cmocka_unit_test(words_that_none_can_be_similar_to_find_none),
        cmocka_unit_test(failures_are_told), cmocka_unit_test(rotten_bytes_do_no_harm)};
    return cmocka_run_group_tests_name("similar", tests, NULL, NULL);
}
