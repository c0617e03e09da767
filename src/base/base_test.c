/* Tests of the small things everything stands on: slices, arenas, buffers, maps, UTF-8, times. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/call.h"
#include "base/fault.h"
#include "base/map.h"
#include "base/time.h"
#include "base/utf8.h"

CRIA_TEST(cut_splits_at_the_first_separator)
{
    static const struct {
        const char *in, *head, *rest;
        bool found;
    } cases[] = {
        {"a=b", "a", "b", true}, {"a=b=c", "a", "b=c", true}, {"plain", "plain", "", false},
        {"", "", "", false},     {"=", "", "", true},
    };
    (void)state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_str head, rest = cria_str_from(cases[i].in);
        assert_int_equal(cria_str_cut(&rest, '=', &head), cases[i].found);
        assert_str_equal(head, cases[i].head);
        assert_str_equal(rest, cases[i].rest);
    }
}

CRIA_TEST(int64_reads_the_whole_slice_or_nothing)
{
    static const struct {
        const char *in;
        bool good;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-1", true, -1},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"1 ", false, 0},
        {"+1", false, 0},
        {"0x10", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        int64_t value = 77;
        assert_int_equal(cria_str_to_int64(cria_str_from(cases[i].in), &value), cases[i].good);
        assert_true(value == (cases[i].good ? cases[i].value : 77));
    }
}

CRIA_TEST(find_compare_trim)
{
    (void)state;
    assert_int_equal(cria_str_find(CRIA_STR("abcabd"), CRIA_STR("abd")), 3);
    assert_true(cria_str_find(CRIA_STR("aaa"), CRIA_STR("aaaa")) == SIZE_MAX);
    assert_int_equal(cria_str_find(CRIA_STR("x"), CRIA_STR("")), 0);
    assert_true(cria_str_compare(CRIA_STR("a"), CRIA_STR("ab")) < 0);
    assert_true(cria_str_compare(CRIA_STR("b"), CRIA_STR("ab")) > 0);
    assert_str_equal(cria_str_trim(CRIA_STR(" \t x y\r\n")), "x y");
    assert_true(cria_str_equal_nocase(CRIA_STR("Content-TYPE"), CRIA_STR("content-type")));
    char small[4];
    assert_true(cria_str_copy_z(CRIA_STR("abc"), small, sizeof(small)));
    assert_false(cria_str_copy_z(CRIA_STR("abcd"), small, sizeof(small)));
    assert_false(cria_str_copy_z(cria_str_make("a\0b", 3), small, sizeof(small)));
}

CRIA_TEST(arena_keeps_its_limit_and_aligns)
{
    struct cria_arena arena;
    (void)state;
    cria_arena_init(&arena, 10000);
    for (int i = 0; i < 100; i++) {
        unsigned char *piece = cria_arena_alloc(&arena, (size_t)i);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
        for (int j = 0; j < i; j++) assert_int_equal(piece[j], 0);
        memset(piece, 0xAA, (size_t)i);
    }
    assert_false(arena.failed);
    assert_null(cria_arena_alloc(&arena, 9000));
    assert_true(arena.failed);
    assert_null(cria_arena_array(&arena, SIZE_MAX / 2, 3));
    cria_arena_reset(&arena);
    assert_non_null(cria_arena_alloc(&arena, 9000));
    assert_str_equal(cria_arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    cria_arena_release(&arena);
}

CRIA_TEST(buffer_remembers_its_first_failure)
{
    struct cria_buf buf;
    (void)state;
    cria_buf_init(&buf, 10);
    cria_buf_add_z(&buf, "12345");
    cria_buf_add_int(&buf, -678);
    assert_str_equal(cria_buf_str(&buf), "12345-678");
    cria_buf_add_z(&buf, "too much");
    cria_buf_add_char(&buf, 'x');
    assert_true(buf.failed);
    assert_str_equal(cria_buf_str(&buf), "12345-678");
    assert_int_equal(cria_buf_status(&buf), CRIA_E_NO_MEMORY);
    cria_buf_clear(&buf);
    cria_buf_printf(&buf, "%s", "abc");
    cria_buf_drop(&buf, 1);
    assert_str_equal(cria_buf_str(&buf), "bc");
    cria_buf_release(&buf);
}

CRIA_TEST(map_holds_what_was_put)
{
    struct cria_map map = {0};
    static int values[5000];
    char key[32];
    (void)state;
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(key, sizeof(key), "key %d", i);
        assert_true(cria_map_put(&map, cria_str_make(key, (size_t)n), &values[i]));
    }
    for (int i = 0; i < 5000; i += 2) {
        int n = snprintf(key, sizeof(key), "key %d", i);
        assert_ptr_equal(cria_map_remove(&map, cria_str_make(key, (size_t)n)), &values[i]);
    }
    assert_int_equal(map.count, 2500);
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(key, sizeof(key), "key %d", i);
        assert_ptr_equal(cria_map_get(&map, cria_str_make(key, (size_t)n)),
                         i % 2 ? &values[i] : NULL);
    }
    size_t at = 0, seen = 0;
    struct cria_str name;
    void *value;
    while (cria_map_next(&map, &at, &name, &value)) seen++;
    assert_int_equal(seen, 2500);
    cria_map_release(&map);
    assert_null(cria_map_get(&map, CRIA_STR("key 1")));
}

CRIA_TEST(utf8_takes_only_what_rfc_3629_allows)
{
    static const struct {
        const char *in;
        size_t valid;
    } cases[] = {
        {"plain ascii text", 16},     {"gr\xC3\xBC\xC3\x9F", 6}, {"\xE6\x97\xA5\xE6\x9C\xAC", 6},
        {"\xF0\x9F\x98\x80", 4},      {"a\xC0\x80", 1},          {"\xED\xA0\x80", 0},
        {"\xF4\x90\x80\x80", 0},      {"ab\xE6\x97", 2},         {"\xFF", 0},
        {"12345678\x80 12345678", 8}, {"\xE0\x80\x80", 0},
    };
    (void)state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        assert_int_equal(cria_utf8_valid_len(cria_str_from(cases[i].in)), cases[i].valid);
    struct cria_str text = CRIA_STR("a\xC3\xA4\xE6\x97\xA5\xF0\x9F\x98\x80z");
    assert_int_equal(cria_utf8_count(text), 5);
    assert_int_equal(cria_utf8_offset(text, 3), 6);
    assert_int_equal(cria_utf8_offset(text, 99), text.len);
    assert_int_equal(cria_utf8_cut(text, 5).len, 3);
    for (uint32_t c = 0; c < 0x110000; c += 7) {
        char bytes[4];
        size_t n = cria_utf8_put(bytes, c), at = 0;
        if (c >= 0xD800 && c <= 0xDFFF) {
            assert_int_equal(n, 0);
            continue;
        }
        assert_int_equal(cria_utf8_next(cria_str_make(bytes, n), &at), c);
        assert_int_equal(at, n);
    }
}

CRIA_TEST(times_are_written_and_read)
{
    static const struct {
        const char *in;
        bool good;
        int64_t at_us;
    } cases[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"2026-04-22T12:34:41.342245Z", true, INT64_C(1776861281342245)},
        {"2026-04-22T14:34:41.342245+02:00", true, INT64_C(1776861281342245)},
        {"2026-04-22 12:34:41.342245", true, INT64_C(1776861281342245)},
        {"2024-02-29", true, INT64_C(1709164800000000)},
        {"2023-02-29", false, 0},
        {"2026-13-01T00:00:00Z", false, 0},
        {"2026-01-01T24:00:00Z", false, 0},
        {"yesterday", false, 0},
        {"2026-01-01T00:00:00Zx", false, 0},
    };
    char text[CRIA_TIME_SIZE];
    (void)state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        int64_t at = 0;
        assert_int_equal(cria_time_parse(cria_str_from(cases[i].in), &at), cases[i].good);
        if (cases[i].good) assert_true(at == cases[i].at_us);
    }
    assert_str_equal(cria_time_format(INT64_C(1776861281342245), text),
                     "2026-04-22T12:34:41.342245Z");
    assert_str_equal(cria_time_format_local(INT64_C(1776861281342245), text),
                     "2026-04-22T12:34:41.342245");
    assert_str_equal(cria_time_format_http(INT64_C(784111777000000), text),
                     "Sun, 06 Nov 1994 08:49:37 GMT");
    for (int64_t at = -INT64_C(2000000000000000); at < INT64_C(9000000000000000);
         at += INT64_C(86399123456789)) {
        int64_t back;
        assert_true(cria_time_parse(cria_time_format(at, text), &back));
        assert_true(back == at);
    }
}

CRIA_TEST(a_failure_says_its_sentence_once)
{
    struct cria_arena arena;
    struct cria_call call;
    atomic_bool cancelled = false;
    (void)state;
    cria_arena_init(&arena, 1000);
    cria_call_init(&call, &arena);
    assert_int_equal(cria_fail_final(&call, CRIA_E_CONFLICT, "no %s", "way"), CRIA_E_CONFLICT);
    assert_string_equal(call.error, "no way");
    assert_int_equal(call.retry, CRIA_RETRY_NEVER);
    assert_int_equal(cria_fail(&call, CRIA_E_LIMIT, "later"), CRIA_E_LIMIT);
    assert_int_equal(call.retry, CRIA_RETRY_UNSAID);
    call.cancelled = &cancelled;
    assert_false(cria_call_stopped(&call, 5));
    call.deadline_ns = 5;
    assert_true(cria_call_stopped(&call, 5));
    call.deadline_ns = 0;
    atomic_store(&cancelled, true);
    assert_true(cria_call_stopped(&call, 5));
    cria_arena_release(&arena);
}

#ifdef CRIA_FAULTS
CRIA_TEST(every_failed_allocation_is_survived)
{
    (void)state;
    bool fired = true;
    for (unsigned nth = 1; fired; nth++) {
        struct cria_arena arena;
        struct cria_map map = {0};
        struct cria_buf buf;
        cria_arena_init(&arena, 1 << 20);
        cria_buf_init(&buf, 1 << 20);
        cria_fault_arm(CRIA_FAULT_ALLOC, nth);
        bool good = cria_arena_alloc(&arena, 100) && cria_arena_alloc(&arena, 5000);
        for (int i = 0; i < 40; i++) {
            char key[2] = {(char)('A' + i), 0};
            good = cria_map_put(&map, cria_str_make(key, 1), &map) && good;
            cria_buf_printf(&buf, "%0100d", i);
        }
        fired = cria_fault_fired();
        cria_fault_arm(CRIA_FAULT_ALLOC, 0);
        assert_int_equal(good && !buf.failed, !fired);
        cria_buf_release(&buf);
        cria_map_release(&map);
        cria_arena_release(&arena);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_splits_at_the_first_separator),
        cmocka_unit_test(int64_reads_the_whole_slice_or_nothing),
        cmocka_unit_test(find_compare_trim),
        cmocka_unit_test(arena_keeps_its_limit_and_aligns),
        cmocka_unit_test(buffer_remembers_its_first_failure),
        cmocka_unit_test(map_holds_what_was_put),
        cmocka_unit_test(utf8_takes_only_what_rfc_3629_allows),
        cmocka_unit_test(times_are_written_and_read),
        cmocka_unit_test(a_failure_says_its_sentence_once),
#ifdef CRIA_FAULTS
        cmocka_unit_test(every_failed_allocation_is_survived),
#endif
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
