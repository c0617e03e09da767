/* Answers as bytes: heads, lengths, files, what a wrong method is told, and which pages may read
 * them. */
#include "http/test_server.h"

#define GET "GET /hello HTTP/1.1\r\n"
#define LAST "GET /loop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

CRIA_TEST(head_is_a_get_without_its_body)
{
    (void)state;
    static const struct {
        const char *path;
        int status;
        const char *length; /* NULL: none */
    } cases[] = {
        {"/hello", 200, "5"},        {"/file", 206, "1572864"}, {"/big", 200, "8388608"},
        {"/nothing", 404, "22"},     {"/echo", 405, "31"},      {"/stream", 200, NULL},
        {"/things/x?q=y", 200, "3"},
    };
    struct server *s = server_start(test_options());
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_buf got, wire;
        struct answer answer = {0};
        size_t at = 0;
        int fd = dial(s);
        cria_buf_init(&got, MIB);
        cria_buf_init(&wire, MIB);
        cria_buf_printf(&wire, "HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n" LAST, cases[i].path);
        tell(fd, cria_buf_str(&wire));
        assert_true(read_answer(fd, &got, &at, true, &answer));
        if (answer.status != cases[i].status) fail_msg("%s: %d", cases[i].path, answer.status);
        struct cria_str length = answer_header(&answer, "content-length");
        assert_int_equal(length.ptr != NULL, cases[i].length != NULL);
        if (length.ptr) assert_str_equal(length, cases[i].length);
        /* the next answer begins right behind the head */
        assert_true(read_answer(fd, &got, &at, false, &answer));
        assert_int_equal(answer.status, 200);
        assert_str_equal(answer.body, "hello");
        assert_false(hear(fd, &got));
        close(fd);
        cria_buf_release(&got);
        cria_buf_release(&wire);
    }
    WAIT_FOR(s, s->source.closed == 1);
    assert_false(s->source.by_peer);
    assert_int_equal(cria_http_figures(s->http).streams, 0);
    server_stop(s);
}

CRIA_TEST(a_wrong_method_is_told_the_right_ones)
{
    (void)state;
    static const struct {
        const char *request, *allow;
    } cases[] = {
        {"DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n", "GET, HEAD"},
        {"PATCH /things/x HTTP/1.1\r\nHost: x\r\n\r\n", "GET, DELETE, HEAD"},
        {"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", "POST"},
        {"OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n", "POST"},
        {"TRACE /echo HTTP/1.1\r\nHost: x\r\n\r\n", "POST"},
    };
    struct answer answer = {0};
    struct cria_buf got;
    cria_buf_init(&got, MIB);
    struct server *s = server_start(test_options());
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        assert_int_equal(ask(s, cases[i].request, &answer, &got), 405);
        assert_str_equal(answer_header(&answer, "allow"), cases[i].allow);
        assert_str_equal(answer.body, "{\"detail\":\"Method Not Allowed\"}");
    }
    cria_buf_release(&got);
    server_stop(s);
}

CRIA_TEST(answers_say_what_they_should)
{
    (void)state;
    struct answer answer = {0};
    struct cria_buf got;
    cria_buf_init(&got, MIB);
    struct server *s = server_start(test_options());
    ask(s, GET "Host: x\r\nX-Request-Id: abc-1_X\r\nOrigin: https://a.example\r\n\r\n", &answer,
        &got);
    assert_str_equal(answer_header(&answer, "x-request-id"), "abc-1_X");
    assert_str_equal(answer_header(&answer, "x-content-type-options"), "nosniff");
    assert_str_equal(answer_header(&answer, "cache-control"), "no-store");
    assert_str_equal(answer_header(&answer, "content-type"), "text/plain");
    assert_null(answer_header(&answer, "connection").ptr);
    assert_int_equal(count_of(answer.head, "ccess-Control"), 0); /* CORS is off */
    static const char *const ids[] = {"",     "a b",  "${jndi:x}",
                                      "a\"b", "\xE9", "12345678901234567890123456789012345678901"};
    for (size_t i = 0; i < CRIA_COUNT(ids); i++) {
        char request[200];
        snprintf(request, sizeof(request), GET "Host: x\r\nX-Request-Id: %s\r\n\r\n", ids[i]);
        assert_int_equal(ask(s, request, &answer, &got), 200);
        assert_true(cria_str_starts(answer_header(&answer, "x-request-id"), "req-"));
    }
    /* what a handler passes on cannot split a header */
    assert_int_equal(ask(s, "GET /evil HTTP/1.1\r\nHost: x\r\n\r\n", &answer, &got), 200);
    assert_int_equal(count_of(answer.head, "Split"), 0);
    assert_null(answer_header(&answer, "content-type").ptr);
    assert_str_equal(answer_header(&answer, "x-good"), "a b");
    /* 204 has neither body nor length */
    assert_int_equal(ask(s, "DELETE /things/x HTTP/1.1\r\nHost: x\r\n\r\n", &answer, &got), 204);
    assert_null(answer_header(&answer, "content-length").ptr);
    assert_null(answer_header(&answer, "content-type").ptr);
    /* more than one request may have */
    assert_int_equal(ask(s, "GET /huge HTTP/1.1\r\nHost: x\r\n\r\n", &answer, &got), 500);
    cria_buf_release(&got);
    server_stop(s);
}

CRIA_TEST(files_and_large_bodies_arrive_whole)
{
    (void)state;
    struct answer answer = {0};
    struct cria_buf got;
    cria_buf_init(&got, 16 * MIB);
    struct server *s = server_start(test_options());
    assert_int_equal(ask(s, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n", &answer, &got), 200);
    assert_int_equal(answer.body.len, BIG_BYTES);
    for (size_t i = 0; i < answer.body.len; i++)
        if (answer.body.ptr[i] != big_byte(i)) fail_msg("the body differs at %zu", i);
    assert_int_equal(ask(s, "GET /file HTTP/1.1\r\nHost: x\r\n\r\n", &answer, &got), 206);
    assert_int_equal(answer.body.len, MIB * 3 / 2);
    for (size_t i = 0; i < answer.body.len; i++)
        if (answer.body.ptr[i] != big_byte(MIB + i)) fail_msg("the file differs at %zu", i);
    /* a file that is shorter than promised ends in a cut, never in made-up bytes */
    size_t at = 0;
    int fd = dial(s);
    cria_buf_clear(&got);
    tell(fd, CRIA_STR("GET /file?short=1 HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_false(read_answer(fd, &got, &at, false, &answer));
    assert_true(got.len < BIG_BYTES);
    close(fd);
    WAIT_FOR(s, s->cut == 1 && s->whole == 2);
    cria_buf_release(&got);
    server_stop(s);
}

CRIA_TEST(listed_origins_and_no_others_may_call)
{
    (void)state;
    static const struct {
        const char *method, *path, *origin, *more;
        int status;
        bool allowed;
        const char *methods; /* of a preflight that is granted */
    } cases[] = {
        {"OPTIONS", "/echo", "https://a.example", "POST", 204, true, "POST"},
        {"OPTIONS", "/things/x", "http://b.example:81", "DELETE", 204, true, "GET, DELETE, HEAD"},
        {"OPTIONS", "/things/x", "http://b.example:81", "PUT", 204, true, "GET, DELETE, HEAD"},
        {"OPTIONS", "/nothing", "https://a.example", "POST", 404, true, NULL},
        {"OPTIONS", "/admin", "https://a.example", "GET", 404, true, NULL},
        {"OPTIONS", "/echo", "https://a.example", NULL, 405, true, NULL}, /* no preflight */
        {"OPTIONS", "/echo", "https://evil.example", "POST", 405, false, NULL},
        {"OPTIONS", "/echo", "https://a.example.evil", "POST", 405, false, NULL},
        {"OPTIONS", "/echo", "https://xa.example", "POST", 405, false, NULL},
        {"OPTIONS", "/echo", "http://a.example", "POST", 405, false, NULL},
        {"OPTIONS", "/echo", "https://A.example", "POST", 405, false, NULL},
        {"OPTIONS", "/echo", "https://a.example/", "POST", 405, false, NULL},
        {"OPTIONS", "/echo", "https://a.example, http://b.example:81", "POST", 405, false, NULL},
        {"OPTIONS", "/echo", "null", "POST", 405, false, NULL},
        {"OPTIONS", "/echo", "*", "POST", 405, false, NULL},
        {"OPTIONS", "/echo", "", "POST", 405, false, NULL},
        {"GET", "/hello", "https://a.example", NULL, 200, true, NULL},
        {"GET", "/hello", "https://evil.example", NULL, 200, false, NULL},
        {"GET", "/nothing", "https://a.example", NULL, 404, true, NULL},
    };
    struct cria_http_options options = test_options();
    struct answer answer = {0};
    struct cria_buf got;
    options.cors_origins = "https://a.example, http://b.example:81 ,,";
    cria_buf_init(&got, MIB);
    struct server *s = server_start(options);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        char request[600];
        snprintf(request, sizeof(request),
                 "%s %s HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\n%s%s%s"
                 "Access-Control-Request-Headers: authorization,X-Stainless-Lang , x-evil,"
                 "x-stainless-,x-stainless-a:b,x-stainless-OS\r\n\r\n",
                 cases[i].method, cases[i].path, cases[i].origin,
                 cases[i].more ? "Access-Control-Request-Method: " : "",
                 cases[i].more ? cases[i].more : "", cases[i].more ? "\r\n" : "");
        ask(s, request, &answer, &got);
        if (answer.status != cases[i].status) fail_msg("case %zu: %d", i, answer.status);
        struct cria_str origin = answer_header(&answer, "access-control-allow-origin");
        assert_int_equal(origin.ptr != NULL, cases[i].allowed);
        if (origin.ptr) assert_str_equal(origin, cases[i].origin);
        assert_str_equal(answer_header(&answer, "vary"), "Origin");
        assert_null(answer_header(&answer, "access-control-allow-credentials").ptr);
        struct cria_str methods = answer_header(&answer, "access-control-allow-methods");
        assert_int_equal(methods.ptr != NULL, cases[i].methods != NULL);
        if (!methods.ptr) continue;
        assert_str_equal(methods, cases[i].methods);
        assert_str_equal(answer_header(&answer, "access-control-allow-headers"),
                         "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, "
                         "X-Request-Id, X-Stainless-Lang, x-stainless-OS");
        assert_str_equal(answer_header(&answer, "access-control-max-age"), "600");
        assert_int_equal(answer.body.len, 0);
    }
    cria_buf_release(&got);
    server_stop(s);
}

int main(void)
{
    if (cria_crypto_init() != CRIA_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_is_a_get_without_its_body),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(answers_say_what_they_should),
        cmocka_unit_test(files_and_large_bodies_arrive_whole),
        cmocka_unit_test(listed_origins_and_no_others_may_call),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
