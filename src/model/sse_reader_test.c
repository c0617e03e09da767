#include "model/sse_reader.h"

#include "tests/support/test.h"

static void on_event(void *arg, const struct cria_sse_event *event)
{
    struct cria_buf *out = arg;
    cria_buf_add(out, event->name);
    cria_buf_add_char(out, '=');
    cria_buf_add(out, event->data);
    cria_buf_add_char(out, ';');
}

CRIA_TEST(events_follow_the_standard)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"data: a\n\n", "=a;"},
        {"data:a\n\ndata:  b\n\n", "=a;= b;"},
        {"data: a\ndata: b\n\n", "=a\nb;"},
        {"data\n\n", "=;"},
        {"\n\n\n", ""},
        {": comment\n\ndata: x\n\n", "=x;"},
        {"event: e\ndata: x\n\ndata: y\n\n", "e=x;=y;"},
        {"event: lonely\n\ndata: y\n\n", "=y;"},
        {"data: a\r\n\r\ndata: b\r\rdata: c\n\n", "=a;=b;=c;"},
        {"data: a\r\ndata: b\r\n\r\n", "=a\nb;"},
        {"data: no blank line", "=no blank line;"},
        {"data: one newline\n", "=one newline;"},
        {"\xEF\xBB\xBF"
         "data: bom\n\n",
         "=bom;"},
        {"id: 1\nretry: 5\ndata: x\n\n", "=x;"},
        {"error: {}\n\n", "error={};"},
        {"data: a: b\n\n", "=a: b;"},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        for (size_t step = 1; step <= 64; step = step == 1 ? 3 : 64 + (step == 64)) {
            struct cria_sse_reader reader;
            struct cria_buf out;
            struct cria_str in = cria_str_from(cases[i].in);
            cria_buf_init(&out, 4096);
            cria_sse_init(&reader, 1024, on_event, &out);
            for (size_t at = 0; at < in.len; at += step)
                assert_true(cria_sse_feed(&reader, cria_str_sub(in, at, step)));
            assert_true(cria_sse_end(&reader));
            assert_str_equal(cria_buf_str(&out), cases[i].out);
            cria_sse_release(&reader);
            cria_buf_release(&out);
        }
}

CRIA_TEST(a_line_or_event_over_the_cap_fails_for_good)
{
    (void)state;
    static const char *const cases[] = {"data: 0123456789abcdef0123456789",
                                        "data: 0123456789\ndata: 0123456789\ndata: 0123456789\n"};
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        for (size_t step = 1; step <= 100; step += 99) {
            struct cria_sse_reader reader;
            struct cria_buf out;
            struct cria_str in = cria_str_from(cases[i]);
            bool good = true;
            cria_buf_init(&out, 4096);
            cria_sse_init(&reader, 20, on_event, &out);
            for (size_t at = 0; at < in.len && good; at += step)
                good = cria_sse_feed(&reader, cria_str_sub(in, at, step));
            assert_false(good);
            assert_false(cria_sse_feed(&reader, CRIA_STR("\n\n")));
            assert_false(cria_sse_end(&reader));
            cria_sse_release(&reader);
            cria_buf_release(&out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_follow_the_standard),
        cmocka_unit_test(a_line_or_event_over_the_cap_fails_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
