/* dictionary_test.c - terms come back as they went, on good bytes and on none other. */
#include "search/dictionary.h"

#include "base/fault.h"
#include "tests/support/segment.h"

struct term {
    uint8_t len;
    char bytes[CRIA_DICTIONARY_MAX_TERM];
};

static int by_bytes(const void *a, const void *b)
{
    const struct term *x = a, *y = b;
    return cria_str_compare(cria_str_make(x->bytes, x->len), cria_str_make(y->bytes, y->len));
}

static struct cria_str str(const struct term *term)
{
    return cria_str_make(term->bytes, term->len);
}

/* Distinct sorted terms of up to `longest` bytes out of `letters` letters; returns how many. */
static size_t make_terms(struct term *terms, size_t count, uint64_t seed, unsigned longest,
                         unsigned letters)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        terms[i].len = (uint8_t)(1 + test_random(&seed) % longest);
        for (size_t k = 0; k < terms[i].len; k++)
            terms[i].bytes[k] =
                (char)(letters == 256 ? test_random(&seed) : 'a' + test_random(&seed) % letters);
    }
    qsort(terms, count, sizeof(*terms), by_bytes);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || by_bytes(&terms[i], &terms[kept - 1]) != 0) terms[kept++] = terms[i];
    return kept;
}

static enum cria_status write_terms(struct test_segment *segment, const struct term *terms,
                                    size_t count)
{
    struct cria_dictionary_builder builder;
    struct cria_sink sink = test_segment_sink(segment);
    cria_dictionary_begin(&builder, &sink);
    for (size_t i = 0; i < count; i++) (void)cria_dictionary_add(&builder, str(&terms[i]));
    enum cria_status st = cria_dictionary_end(&builder);
    cria_dictionary_release(&builder);
    return st;
}

static void check_terms(const struct cria_dictionary *d, const struct term *terms, size_t count)
{
    struct cria_dictionary_cursor cursor;
    struct cria_str term;
    char out[CRIA_DICTIONARY_MAX_TERM + 1];
    assert_int_equal(d->count, count);
    cria_dictionary_cursor_init(&cursor, d);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(cria_dictionary_find(d, str(&terms[i])), i);
        assert_true(cria_str_equal(cria_dictionary_term(d, (uint32_t)i, out), str(&terms[i])));
        assert_true(cria_dictionary_cursor_next(&cursor, &term));
        assert_int_equal(cursor.next, i + 1);
        assert_true(cria_str_equal(term, str(&terms[i])));
    }
    assert_false(cria_dictionary_cursor_next(&cursor, &term));
    assert_false(cursor.failed);
    assert_null(cria_dictionary_term(d, (uint32_t)count, out).ptr);
}

/* Whatever is asked for: there exactly when it is among the terms. */
static void check_others(const struct cria_dictionary *d, const struct term *terms, size_t count,
                         const struct term *asked, size_t asked_count)
{
    for (size_t i = 0; i < asked_count; i++) {
        const struct term *there =
            count ? bsearch(&asked[i], terms, count, sizeof(*terms), by_bytes) : NULL;
        uint32_t ordinal = there ? (uint32_t)(there - terms) : UINT32_MAX;
        assert_int_equal(cria_dictionary_find(d, str(&asked[i])), ordinal);
    }
}

CRIA_TEST(terms_come_back)
{
    (void)state;
    static const struct {
        size_t count;
        unsigned longest, letters;
    } cases[] = {{0, 1, 1},      {1, 5, 3},      {15, 9, 26},   {16, 9, 26},
                 {17, 9, 26},    {40, 255, 1},   {500, 12, 2},  {2000, 6, 26},
                 {2000, 255, 2}, {3000, 3, 256}, {300, 1, 256}, {3000, 255, 256}};
    enum { MOST = 3000 };
    struct term *terms = calloc(MOST, sizeof(*terms)), *asked = calloc(MOST, sizeof(*asked));
    assert_true(terms && asked);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct test_segment segment = {0};
        struct cria_dictionary d;
        size_t count =
            make_terms(terms, cases[i].count, 17 + i, cases[i].longest, cases[i].letters);
        size_t others = make_terms(asked, 1000, 99 + i, cases[i].longest, cases[i].letters);
        assert_int_equal(write_terms(&segment, terms, count), CRIA_OK);
        struct cria_bytes bytes = test_segment_copy(&segment);
        assert_int_equal(cria_dictionary_open(bytes, &d), CRIA_OK);
        check_terms(&d, terms, count);
        check_others(&d, terms, count, asked, others);
        assert_int_equal(cria_dictionary_find(&d, (struct cria_str){0}), UINT32_MAX);
        free((void *)(uintptr_t)bytes.ptr);
        test_segment_release(&segment);
    }
    free(terms);
    free(asked);
}

CRIA_TEST(what_is_out_of_order_is_refused)
{
    (void)state;
    static const char *const cases[][2] = {{"b", "a"}, {"b", "b"}, {"b", ""}, {"ab", "a"}};
    static char long_term[CRIA_DICTIONARY_MAX_TERM + 1];
    struct test_segment segment = {0};
    struct cria_sink sink = test_segment_sink(&segment);
    struct cria_dictionary_builder builder;
    memset(long_term, 'z', sizeof(long_term));
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        cria_dictionary_begin(&builder, &sink);
        assert_int_equal(cria_dictionary_add(&builder, cria_str_from(cases[i][0])), CRIA_OK);
        assert_int_equal(cria_dictionary_add(&builder, cria_str_from(cases[i][1])),
                         CRIA_E_BAD_REQUEST);
        assert_int_equal(cria_dictionary_add(&builder, CRIA_STR("z")), CRIA_E_BAD_REQUEST);
        assert_int_equal(cria_dictionary_end(&builder), CRIA_E_BAD_REQUEST);
        cria_dictionary_release(&builder);
    }
    cria_dictionary_begin(&builder, &sink);
    assert_int_equal(cria_dictionary_add(&builder, cria_str_make(long_term, sizeof(long_term))),
                     CRIA_E_BAD_REQUEST);
    cria_dictionary_release(&builder);
    test_segment_release(&segment);
}

CRIA_TEST(a_failing_sink_and_memory_are_told)
{
    (void)state;
    enum { COUNT = 6000 };
    struct term *terms = calloc(COUNT, sizeof(*terms));
    assert_non_null(terms);
    size_t count = make_terms(terms, COUNT, 5, 9, 26);
    struct test_segment whole = {0};
    assert_int_equal(write_terms(&whole, terms, count), CRIA_OK);
    for (size_t at = 1; at < whole.len; at += 7919) {
        struct test_segment segment = {.fails_at = at};
        assert_int_equal(write_terms(&segment, terms, count), CRIA_E_IO);
        test_segment_release(&segment);
    }
    test_segment_release(&whole);
    enum cria_status st = CRIA_E_NO_MEMORY;
    for (unsigned nth = 1; st != CRIA_OK; nth++) {
        struct test_segment segment = {0};
        cria_fault_arm(CRIA_FAULT_ALLOC, nth);
        st = write_terms(&segment, terms, count);
        assert_int_equal(st, cria_fault_fired() ? CRIA_E_NO_MEMORY : CRIA_OK);
        test_segment_release(&segment);
    }
    cria_fault_arm(CRIA_FAULT_ALLOC, 0);
    free(terms);
}

/* Uses everything; says nothing about what comes out but that it is within bounds. */
static void use(const struct cria_dictionary *d, const struct term *terms, size_t count)
{
    struct cria_dictionary_cursor cursor;
    struct cria_str term;
    char out[CRIA_DICTIONARY_MAX_TERM + 1];
    for (size_t i = 0; i < count; i++) {
        uint32_t ordinal = cria_dictionary_find(d, str(&terms[i]));
        assert_true(ordinal == UINT32_MAX || ordinal < d->count);
        (void)cria_dictionary_term(d, (uint32_t)i, out);
    }
    cria_dictionary_cursor_init(&cursor, d);
    while (cria_dictionary_cursor_next(&cursor, &term))
        assert_true(term.len <= CRIA_DICTIONARY_MAX_TERM);
    assert_true(cursor.failed || cursor.next == d->count);
}

CRIA_TEST(rotten_bytes_do_no_harm)
{
    (void)state;
    enum { COUNT = 100 };
    struct term terms[COUNT];
    struct test_segment segment = {0};
    struct cria_dictionary d;
    size_t count = make_terms(terms, COUNT, 3, 20, 3), refused = 0;
    assert_int_equal(write_terms(&segment, terms, count), CRIA_OK);
    struct cria_bytes bytes = test_segment_copy(&segment);
    uint8_t *writable = (uint8_t *)(uintptr_t)bytes.ptr;
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        writable[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (cria_dictionary_open(bytes, &d) == CRIA_OK)
            use(&d, terms, count);
        else
            refused++;
        writable[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(refused >= 64); /* each bit of the magic number at least */
    for (size_t len = 0; len < bytes.len; len++) {
        struct cria_bytes part = {.ptr = bytes.ptr, .len = len};
        assert_int_equal(cria_dictionary_open(part, &d), CRIA_E_CORRUPT);
    }
    free(writable);
    test_segment_release(&segment);
}

CRIA_TEST(nothing_is_read_where_the_check_refuses)
{
    (void)state;
    enum { COUNT = 200 };
    struct term terms[COUNT];
    struct test_segment segment = {0};
    struct cria_dictionary d;
    size_t count = make_terms(terms, COUNT, 3, 9, 26);
    assert_int_equal(write_terms(&segment, terms, count), CRIA_OK);
    struct cria_bytes bytes = test_segment_copy(&segment);
    bytes.check = test_segment_check;
    bytes.arg = &segment;
    segment.bad_at = bytes.len - 1;
    segment.bad_len = 1;
    assert_int_equal(cria_dictionary_open(bytes, &d), CRIA_E_CORRUPT);
    segment.bad_at = 0; /* the first block */
    assert_int_equal(cria_dictionary_open(bytes, &d), CRIA_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(cria_dictionary_find(&d, str(&terms[i])), i < 16 ? UINT32_MAX : i);
    free((void *)(uintptr_t)bytes.ptr);
    test_segment_release(&segment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(terms_come_back),
                                       cmocka_unit_test(what_is_out_of_order_is_refused),
                                       cmocka_unit_test(a_failing_sink_and_memory_are_told),
                                       cmocka_unit_test(rotten_bytes_do_no_harm),
                                       cmocka_unit_test(nothing_is_read_where_the_check_refuses)};
    return cmocka_run_group_tests_name("dictionary", tests, NULL, NULL);
}
