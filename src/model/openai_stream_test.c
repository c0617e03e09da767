#include "model/openai_stream.h"

#include "tests/support/scenario.h"
#include "tests/support/test.h"

/* What came out, as the lines of @expect. */
struct heard {
    struct cria_buf lines, text;
    bool is_thinking, is_open;
};

static void close_text(struct heard *heard)
{
    if (!heard->is_open) return;
    cria_buf_add_z(&heard->lines, heard->is_thinking ? "thinking " : "text ");
    cria_buf_add(&heard->lines, cria_buf_str(&heard->text));
    cria_buf_add_char(&heard->lines, '\n');
    cria_buf_clear(&heard->text);
    heard->is_open = false;
}

static void on_text(void *arg, struct cria_str text, bool is_thinking)
{
    struct heard *heard = arg;
    assert_true(text.len > 0);
    if (heard->is_open && heard->is_thinking != is_thinking) close_text(heard);
    heard->is_open = true;
    heard->is_thinking = is_thinking;
    cria_buf_add(&heard->text, text);
}

static void add_tokens(struct heard *heard, int64_t tokens)
{
    cria_buf_add_char(&heard->lines, ' ');
    if (tokens < 0)
        cria_buf_add_char(&heard->lines, '-');
    else
        cria_buf_add_int(&heard->lines, tokens);
}

static void add_end(struct heard *heard, struct cria_openai_stream *stream,
                    enum cria_openai_end end)
{
    static const char *const names[] = {"complete", "truncated", "empty", "refused", "error"};
    struct cria_arena arena;
    const struct cria_tool_call *calls;
    size_t count;
    cria_arena_init(&arena, 16 << 20);
    assert_int_equal(cria_tool_calls_finish(&stream->calls, &arena, &calls, &count), CRIA_OK);
    for (size_t i = 0; i < count; i++) {
        cria_buf_add_z(&heard->lines, calls[i].is_broken ? "broken " : "call ");
        cria_buf_add(&heard->lines, calls[i].name);
        if (!calls[i].is_broken) {
            cria_buf_add_char(&heard->lines, ' ');
            cria_buf_add(&heard->lines, calls[i].arguments_json);
        }
        cria_buf_add_char(&heard->lines, '\n');
    }
    cria_buf_printf(&heard->lines, "end %s", names[end]);
    if (end == CRIA_OPENAI_ERROR) {
        cria_buf_printf(&heard->lines, " %d %s", stream->error_code, stream->error);
    } else if (end == CRIA_OPENAI_REFUSED) {
        cria_buf_printf(&heard->lines, " %s", stream->error);
    } else {
        cria_buf_printf(&heard->lines, " %s", stream->finish);
        add_tokens(heard, stream->input_tokens);
        add_tokens(heard, stream->output_tokens);
    }
    cria_buf_add_char(&heard->lines, '\n');
    cria_arena_release(&arena);
}

static const struct cria_str tool_names[] = {CRIA_STR_INIT("retrieve"), CRIA_STR_INIT("find_files"),
                                             CRIA_STR_INIT("grep_file")};

/* cut 0: whole; 1: byte by byte; else: the seed of random cuts. */
static void play(const struct scenario *scenario, unsigned cut)
{
    struct cria_openai_stream stream;
    struct heard heard = {0};
    unsigned seed = cut;
    cria_buf_init(&heard.lines, 1 << 20);
    cria_buf_init(&heard.text, 1 << 20);
    cria_openai_stream_init(&stream, tool_names, CRIA_COUNT(tool_names), on_text, &heard);
    for (size_t at = 0; at < scenario->body.len;) {
        size_t len = cut == 0 ? scenario->body.len : cut == 1 ? 1 : (size_t)rand_r(&seed) % 60 + 1;
        struct cria_str part = cria_str_sub(scenario->body, at, len);
        if (!cria_openai_stream_feed(&stream, part)) break;
        at += part.len;
    }
    enum cria_openai_end end = cria_openai_stream_end(&stream, true);
    close_text(&heard);
    add_end(&heard, &stream, end);
    if (!cria_str_equal(cria_buf_str(&heard.lines), scenario->expect)) {
        print_error("%.*s, cut %u, gave\n%.*s", CRIA_STR_ARG(scenario->name), cut,
                    CRIA_STR_ARG(cria_buf_str(&heard.lines)));
        fail();
    }
    cria_openai_stream_release(&stream);
    cria_buf_release(&heard.lines);
    cria_buf_release(&heard.text);
}

static void play_all_cuts(const struct scenario *scenario)
{
    for (unsigned cut = 0; cut < 12; cut++) play(scenario, cut);
}

CRIA_TEST(every_exchange_comes_out_the_same_in_any_chunking)
{
    (void)state;
    assert_true(scenario_each("tests/exchanges/openai", play_all_cuts) >= 50);
}

CRIA_TEST(an_endless_line_fails_at_the_cap)
{
    (void)state;
    struct cria_openai_stream stream;
    struct heard heard = {0};
    char bytes[65536];
    bool goes_on = true;
    size_t sent = 0;
    cria_openai_stream_init(&stream, NULL, 0, on_text, &heard);
    memset(bytes, 'x', sizeof(bytes));
    assert_true(cria_openai_stream_feed(&stream, CRIA_STR("data: ")));
    for (; goes_on && sent < (32 << 20); sent += sizeof(bytes))
        goes_on = cria_openai_stream_feed(&stream, cria_str_make(bytes, sizeof(bytes)));
    assert_false(goes_on);
    assert_true(sent <= (8 << 20) + sizeof(bytes));
    assert_int_equal(cria_openai_stream_end(&stream, true), CRIA_OPENAI_ERROR);
    cria_openai_stream_release(&stream);
}

CRIA_TEST(error_bodies_of_all_forms_give_their_sentence)
{
    (void)state;
    static const struct {
        const char *body, *text;
        int code;
    } cases[] = {
        {"{\"error\":{\"message\":\"bad key\",\"code\":\"invalid_api_key\"}}", "bad key", 0},
        {"{\"error\":\"plain\"}", "plain", 0},
        {"[{\"error\":{\"message\":\"in a list\",\"code\":400}}]", "in a list", 400},
        {"{\"object\":\"error\",\"message\":\"vllm\",\"code\":404}", "vllm", 404},
        {"{\"detail\":[{\"msg\":\"field required\"}]}", "field required", 0},
        {"<html><h1>502</h1></html>", "a web page", 0},
        {"upstream connect error\n", "upstream connect error", 0},
        {"", "", 0},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        char text[200];
        int code;
        cria_openai_error_text(cria_str_from(cases[i].body), text, sizeof(text), &code);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(code, cases[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exchange_comes_out_the_same_in_any_chunking),
        cmocka_unit_test(an_endless_line_fails_at_the_cap),
        cmocka_unit_test(error_bodies_of_all_forms_give_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
