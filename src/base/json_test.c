/* Tests of JSON in and out: strict in, compact out, and what goes out comes back the same. */
#include "tests/support/test.h"

#include <math.h>

#include "base/json.h"
#include "base/json_out.h"

CRIA_TEST(only_strict_json_is_read)
{
    static const char *const bad[] = {
        "",
        "{",
        "{\"a\":1,}",
        "[1,]",
        "nul",
        "NaN",
        "{\"a\":1,\"a\":2}",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "1 2",
        "'a'",
        "{a:1}",
        "[1] x",
        "01",
        "1e999",
        "\xEF\xBB\xBF{}",
        "\"\xC3\x28\"",
        "// c\n1",
        "18446744073709551616",
        "-",
        "\"\n\"",
    };
    struct cria_arena arena;
    (void)state;
    cria_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < CRIA_COUNT(bad); i++) {
        const struct cria_json *value;
        const char *why = NULL;
        assert_int_equal(cria_json_parse(&arena, cria_str_from(bad[i]), &value, &why),
                         CRIA_E_BAD_REQUEST);
        assert_non_null(why);
    }
    char deep[400];
    for (size_t depth = 60; depth <= 70; depth += 10) {
        const struct cria_json *value;
        const char *why;
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        assert_int_equal(cria_json_parse(&arena, cria_str_make(deep, 2 * depth), &value, &why) ==
                             CRIA_OK,
                         depth <= 64);
    }
    cria_arena_release(&arena);
}

CRIA_TEST(members_are_found_and_typed)
{
    struct cria_arena arena;
    const struct cria_json *value;
    const char *why;
    int64_t number;
    (void)state;
    cria_arena_init(&arena, 1 << 20);
    struct cria_str text = CRIA_STR(
        " {\"s\":\"gr\\u00fc\\u00df\\n\",\"i\":-5,\"r\":3.0,\"h\":2.5,\"b\":true,\"n\":null,"
        "\"a\":[1,\"x\"]} ");
    assert_int_equal(cria_json_parse(&arena, text, &value, &why), CRIA_OK);
    assert_str_equal(cria_json_get_str(value, "s"), "gr\xC3\xBC\xC3\x9F\n");
    assert_int_equal(cria_json_get_int(value, "i", 0), -5);
    assert_int_equal(cria_json_get_int(value, "r", 0), 3);
    assert_int_equal(cria_json_get_int(value, "h", 42), 42);
    assert_int_equal(cria_json_get_int(value, "s", 42), 42);
    assert_true(cria_json_get_bool(value, "b", false));
    assert_true(cria_json_is_null(cria_json_get(value, "n")));
    assert_true(cria_json_is_null(cria_json_get(value, "absent")));
    assert_null(cria_json_get_str(value, "i").ptr);
    const struct cria_json *list = cria_json_get(value, "a");
    assert_int_equal(list->count, 2);
    assert_true(cria_json_as_int(&list->items[0], &number));
    assert_false(cria_json_as_int(&list->items[1], &number));
    cria_arena_release(&arena);
}

CRIA_TEST(what_is_written_reads_back)
{
    struct cria_arena arena;
    struct cria_buf buf;
    const struct cria_json *value;
    const char *why;
    (void)state;
    cria_arena_init(&arena, 1 << 20);
    cria_buf_init(&buf, 1 << 20);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_str(&out, "text", CRIA_STR("a\"b\\c\n\x01\xE6\x97\xA5"));
    cria_out_member_str(&out, "bad", CRIA_STR("x\xFFy"));
    cria_out_member_opt(&out, "none", (struct cria_str){0});
    cria_out_member_int(&out, "int", INT64_MIN);
    cria_out_member_real(&out, "real", 0.1);
    cria_out_member_real(&out, "whole", 3);
    cria_out_member_real(&out, "nan", NAN);
    cria_out_member_bool(&out, "yes", true);
    cria_out_member_time(&out, "at", 1);
    cria_out_member_time(&out, "never", 0);
    cria_out_name(&out, "list");
    cria_out_array(&out);
    cria_out_int(&out, 1);
    cria_out_object(&out);
    cria_out_end(&out);
    cria_out_raw(&out, CRIA_STR("[2]"));
    cria_out_end(&out);
    cria_out_end(&out);
    assert_false(buf.failed);
    assert_str_equal(
        cria_buf_str(&buf),
        "{\"text\":\"a\\\"b\\\\c\\n\\u0001\xE6\x97\xA5\",\"bad\":\"x\xEF\xBF\xBDy\",\"none\":null,"
        "\"int\":-9223372036854775808,\"real\":0.1,\"whole\":3.0,\"nan\":null,\"yes\":true,"
        "\"at\":\"1970-01-01T00:00:00.000001Z\",\"never\":null,\"list\":[1,{},[2]]}");
    assert_int_equal(cria_json_parse(&arena, cria_buf_str(&buf), &value, &why), CRIA_OK);
    struct cria_buf again;
    cria_buf_init(&again, 1 << 20);
    out = cria_json_out_to(&again);
    cria_out_json(&out, value);
    assert_int_equal(again.len, buf.len);
    assert_memory_equal(again.ptr, buf.ptr, buf.len);
    cria_buf_release(&again);
    cria_buf_release(&buf);
    cria_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_strict_json_is_read),
        cmocka_unit_test(members_are_found_and_typed),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
