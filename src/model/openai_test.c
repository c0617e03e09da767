/* Completions against a scripted server in this process, on a loop of their own. */
#include <pthread.h>

#include "base/log.h"
#include "model/http_client.h"
#include "model/openai_request.h"
#include "model/provider.h"
#include "platform/crypto.h"
#include "tests/support/stub_llm.h"
#include "tests/support/test.h"

struct fixture {
    struct cria_loop *loop;
    pthread_t thread;
    struct stub_llm *stub;
    struct cria_model *model;
    const char *key;
    /* one completion */
    struct cria_task task;
    struct cria_prompt prompt;
    struct cria_completion *completion;
    struct cria_buf text, thinking;
    enum cria_model_poll end;
    struct cria_model_answer answer;
    char error[400], calls[400];
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool is_done;
};

static void *run_loop(void *arg)
{
    cria_loop_run(arg);
    return NULL;
}

static void finish(struct fixture *f, enum cria_model_poll end)
{
    const struct cria_model_answer *answer = cria_completion_answer(f->completion);
    f->answer = *answer;
    f->end = end;
    snprintf(f->error, sizeof(f->error), "%s", answer->error ? answer->error : "");
    f->calls[0] = '\0';
    for (size_t i = 0; i < answer->call_count; i++) {
        size_t len = strlen(f->calls);
        snprintf(f->calls + len, sizeof(f->calls) - len, "%.*s(%.*s);",
                 CRIA_STR_ARG(answer->calls[i].name),
                 CRIA_STR_ARG(answer->calls[i].arguments_json));
    }
    cria_completion_free(f->completion);
    pthread_mutex_lock(&f->lock);
    f->is_done = true;
    pthread_cond_signal(&f->done);
    pthread_mutex_unlock(&f->lock);
}

static void wake(void *arg)
{
    struct fixture *f = arg;
    for (;;) {
        struct cria_str text;
        enum cria_model_poll poll = cria_completion_poll(f->completion, &text);
        switch (poll) {
        case CRIA_MODEL_WAIT: return;
        case CRIA_MODEL_TEXT: cria_buf_add(&f->text, text); break;
        case CRIA_MODEL_THINKING: cria_buf_add(&f->thinking, text); break;
        case CRIA_MODEL_END:
        case CRIA_MODEL_ERROR: finish(f, poll); return;
        }
    }
}

static void start_on_loop(struct cria_task *task)
{
    struct fixture *f = CRIA_CONTAINER(task, struct fixture, task);
    assert_int_equal(cria_completion_start(f->model, f->loop, &f->prompt, wake, f, &f->completion),
                     CRIA_OK);
}

static const struct cria_prompt_message hello[] = {
    {.role = CRIA_ROLE_SYSTEM, .text = CRIA_STR_INIT("Be brief.")},
    {.role = CRIA_ROLE_USER, .text = CRIA_STR_INIT("Hi \"you\"")}};
static const struct cria_prompt_tool tool[] = {
    {CRIA_STR_INIT("retrieve"), CRIA_STR_INIT("searches"), CRIA_STR_INIT("{\"type\":\"object\"}")}};

static void complete(struct fixture *f, bool with_tools)
{
    cria_buf_clear(&f->text);
    cria_buf_clear(&f->thinking);
    f->is_done = false;
    f->prompt = (struct cria_prompt){
        .messages = hello, .message_count = 2, .tools = tool, .tool_count = with_tools ? 1 : 0};
    f->task.run = start_on_loop;
    cria_loop_post(f->loop, &f->task);
    pthread_mutex_lock(&f->lock);
    while (!f->is_done) pthread_cond_wait(&f->done, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

static void open_model(struct fixture *f, const char *url)
{
    struct cria_model_options options = {.url = url,
                                         .name = "stub-1",
                                         .key = f->key,
                                         .connect_ms = 2000,
                                         .first_byte_ms = 400,
                                         .idle_ms = 400,
                                         .retry_ms = 5};
    if (f->model) {
        cria_model_close(f->model, 5000);
        cria_model_free(f->model);
        f->model = NULL;
    }
    assert_int_equal(cria_model_new(&options, &f->model), CRIA_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->done, NULL);
    cria_buf_init(&f->text, 1 << 20);
    cria_buf_init(&f->thinking, 1 << 20);
    assert_int_equal(cria_loop_new(&f->loop), CRIA_OK);
    pthread_create(&f->thread, NULL, run_loop, f->loop);
    f->stub = stub_new();
    f->key = "sk-secret";
    open_model(f, f->stub->url);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_model_close(f->model, 5000);
    cria_loop_stop(f->loop);
    pthread_join(f->thread, NULL);
    cria_model_free(f->model);
    cria_loop_free(f->loop);
    stub_free(f->stub);
    cria_buf_release(&f->text);
    cria_buf_release(&f->thinking);
    free(f);
    return 0;
}

#define SAYS(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define USED "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7}}\n\n"

static struct stub_play says(struct cria_str body)
{
    return (struct stub_play){.body = body};
}

static struct stub_play refuses(int status, struct cria_str body)
{
    return (struct stub_play){.status = status, .body = body};
}

CRIA_TEST(a_completion_streams_and_reports_usage)
{
    struct fixture *f = *state;
    for (enum stub_cut cut = STUB_WHOLE; cut <= STUB_RANDOM; cut++) {
        struct stub_play play = says(CRIA_STR(SAYS("Hel") SAYS("lo ✓") STOP USED DONE));
        play.cut = cut;
        stub_play(f->stub, play);
        complete(f, false);
        assert_int_equal(f->end, CRIA_MODEL_END);
        assert_str_equal(cria_buf_str(&f->text), "Hello ✓");
        assert_int_equal(f->answer.input_tokens, 11);
        assert_int_equal(f->answer.output_tokens, 7);
    }
    struct cria_str request = stub_request(f->stub, 0);
    assert_true(cria_str_starts(request, "POST /v1/chat/completions HTTP/1.1\r\n"));
    assert_true(cria_str_find(request, CRIA_STR("Authorization: Bearer sk-secret\r\n")) !=
                SIZE_MAX);
    assert_true(cria_str_find(request, CRIA_STR("Accept-Encoding: identity\r\n")) != SIZE_MAX);
    assert_true(cria_str_ends(
        request, "{\"model\":\"stub-1\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief."
                 "\"},{\"role\":\"user\",\"content\":\"Hi \\\"you\\\"\"}],\"stream\":true,"
                 "\"stream_options\":{\"include_usage\":true}}"));
}

CRIA_TEST(tool_calls_come_with_the_end)
{
    struct fixture *f = *state;
    stub_play(
        f->stub,
        says(CRIA_STR("data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":"
                      "\"a\",\"function\":{\"name\":\"retrieve\",\"arguments\":\"{\\\"query\\\""
                      ":1}\"}}]}}]}\n\n" STOP DONE)));
    complete(f, true);
    assert_int_equal(f->end, CRIA_MODEL_END);
    assert_string_equal(f->calls, "retrieve({\"query\":1});");
    assert_true(cria_str_find(stub_request(f->stub, 0),
                              CRIA_STR("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
                                       "\"retrieve\",\"description\":\"searches\",\"parameters\":{"
                                       "\"type\":\"object\"}}}]")) != SIZE_MAX);
}

CRIA_TEST(passing_errors_are_tried_again_and_lasting_ones_not)
{
    static const struct {
        int status;
        const char *body;
        size_t requests;
        const char *error;
    } cases[] = {
        {429, "{\"error\":\"slow down\"}", 4, "takes no more requests"},
        {500, "{\"error\":\"oops\"}", 4, "HTTP 500: oops"},
        {503, "", 4, "HTTP 503"},
        {529, "{\"error\":{\"message\":\"overloaded\"}}", 4, "HTTP 529: overloaded"},
        {401, "{\"error\":{\"message\":\"bad key sk-sec***\"}}", 1, "refuses the key"},
        {403, "", 1, "refuses the key"},
        {404, "{\"error\":\"model not found\"}", 1, "HTTP 404"},
        {413, "{\"error\":\"huge\"}", 1, "HTTP 413: huge"},
        {302, "", 1, "HTTP 302"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        size_t before = f->stub->request_count;
        for (size_t k = 0; k < cases[i].requests; k++)
            stub_play(f->stub, refuses(cases[i].status, cria_str_from(cases[i].body)));
        complete(f, false);
        assert_int_equal(f->end, CRIA_MODEL_ERROR);
        assert_int_equal(f->answer.problem, CRIA_MODEL_FAILED);
        assert_non_null(strstr(f->error, cases[i].error));
        assert_null(strstr(f->error, "sk-"));
        assert_int_equal(f->stub->request_count - before, cases[i].requests);
    }
    stub_play(f->stub, (struct stub_play){.status = 503, .headers = "Retry-After: 0\r\n"});
    stub_play(f->stub, says(CRIA_STR(SAYS("back") STOP DONE)));
    complete(f, false);
    assert_int_equal(f->end, CRIA_MODEL_END);
    assert_str_equal(cria_buf_str(&f->text), "back");
}

CRIA_TEST(an_option_that_is_refused_is_dropped_and_not_sent_again)
{
    struct fixture *f = *state;
    const struct cria_str option = CRIA_STR("stream_options");
    stub_play(f->stub, refuses(400, CRIA_STR("{\"error\":\"unknown field stream_options\"}")));
    stub_play(f->stub, says(CRIA_STR(SAYS("a") STOP DONE)));
    stub_play(f->stub, says(CRIA_STR(SAYS("b") STOP DONE)));
    complete(f, false);
    assert_str_equal(cria_buf_str(&f->text), "a");
    assert_int_equal(f->answer.input_tokens, -1);
    complete(f, false);
    assert_true(cria_str_find(stub_request(f->stub, 0), option) != SIZE_MAX);
    assert_true(cria_str_find(stub_request(f->stub, 1), option) == SIZE_MAX);
    assert_true(cria_str_find(stub_request(f->stub, 2), option) == SIZE_MAX);
}

CRIA_TEST(refusals_are_told_apart)
{
    struct fixture *f = *state;
    stub_play(f->stub,
              refuses(400, CRIA_STR("{\"error\":{\"message\":\"registry/x does not support "
                                    "tools\"}}")));
    complete(f, true);
    assert_int_equal(f->answer.problem, CRIA_MODEL_NO_TOOLS);
    assert_true(cria_model_lacks_tools(f->model));
    stub_play(f->stub,
              refuses(400, CRIA_STR("{\"error\":{\"message\":\"This model's maximum context length "
                                    "is 4096 tokens, however you requested 9,120\"}}")));
    complete(f, false);
    assert_int_equal(f->answer.problem, CRIA_MODEL_PROMPT_LONG);
    assert_int_equal(f->answer.window_tokens, 4096);
    stub_play(f->stub, says(CRIA_STR(DONE)));
    complete(f, false);
    assert_int_equal(f->answer.problem, CRIA_MODEL_EMPTY_ANSWER);
}

CRIA_TEST(a_broken_stream_is_repeated_only_while_nothing_was_shown)
{
    struct fixture *f = *state;
    struct stub_play play = says(CRIA_STR(": wait\n\n"));
    play.end = STUB_RESET;
    stub_play(f->stub, play);
    stub_play(f->stub, says(CRIA_STR(SAYS("whole") STOP DONE)));
    complete(f, false);
    assert_int_equal(f->end, CRIA_MODEL_END);
    assert_str_equal(cria_buf_str(&f->text), "whole");

    stub_play(f->stub, says(CRIA_STR(SAYS("half"))));
    complete(f, false);
    assert_int_equal(f->end, CRIA_MODEL_ERROR);
    assert_str_equal(cria_buf_str(&f->text), "half");
    assert_non_null(strstr(f->error, "broke off"));
    assert_int_equal(f->stub->request_count, 3);
}

CRIA_TEST(silence_ends_a_completion)
{
    struct fixture *f = *state;
    struct stub_play play = says(CRIA_STR(SAYS("a bit")));
    play.end = STUB_HOLD;
    stub_play(f->stub, play);
    complete(f, false);
    assert_int_equal(f->end, CRIA_MODEL_ERROR);
    assert_str_equal(cria_buf_str(&f->text), "a bit");
    assert_non_null(strstr(f->error, "in time"));
}

CRIA_TEST(what_cannot_be_reached_is_said)
{
    struct fixture *f = *state;
    open_model(f, "http://127.0.0.1:1/v1/");
    complete(f, false);
    assert_int_equal(f->end, CRIA_MODEL_ERROR);
    assert_non_null(strstr(f->error, "cannot be reached"));
    open_model(f, "file:///etc/passwd");
    complete(f, false);
    assert_int_equal(f->end, CRIA_MODEL_ERROR);
    assert_int_equal(f->stub->request_count, 0);
}

CRIA_TEST(retry_after_is_read_in_all_its_forms)
{
    (void)state;
    const int64_t now_us = INT64_C(1700000000) * 1000000; /* Tue, 14 Nov 2023 22:13:20 GMT */
    static const struct {
        const char *value;
        int64_t ms;
    } cases[] = {
        {"0", 0},
        {" 7 ", 7000},
        {"3600", 60000},
        {"-5", 0},
        {"1700000012", 12000},
        {"Tue, 14 Nov 2023 22:13:25 GMT", 5000},
        {"soon", -1},
        {"", -1},
        {"99999999999999999999", -1},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        assert_int_equal(cria_retry_after_ms(cria_str_from(cases[i].value), now_us), cases[i].ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_completion_streams_and_reports_usage, setup, teardown),
        cmocka_unit_test_setup_teardown(tool_calls_come_with_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(passing_errors_are_tried_again_and_lasting_ones_not, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_option_that_is_refused_is_dropped_and_not_sent_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(refusals_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_stream_is_repeated_only_while_nothing_was_shown,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(silence_ends_a_completion, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_reached_is_said, setup, teardown),
        cmocka_unit_test(retry_after_is_read_in_all_its_forms),
    };
    if (cria_crypto_init() != CRIA_OK) return 1;
    cria_log_set_level(CRIA_LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
