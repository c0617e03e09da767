/* Requests as bytes: what is refused and how, what is answered and in which order, on connections
 * that stay open. */
#include <sys/stat.h>
#include <sys/un.h>

#include "http/test_server.h"

#define HELLO "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST "GET /loop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define GET "GET /hello HTTP/1.1\r\n"
#define POST "POST /echo HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n"
#define BAD(name, text, status)           \
    {                                     \
        name, CRIA_STR_INIT(text), status \
    }

/* The sixteen of the strictness probe first; what RFC 9112 does not let us understand is refused,
 * and nothing behind it is read as a request. */
static const struct {
    const char *name;
    struct cria_str bytes;
    int status;
} malformed[] = {
    BAD("two Content-Lengths", POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    BAD("length and chunked", CHUNKED "Content-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 400),
    BAD("chunked and length", POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        400),
    BAD("gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    BAD("xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    BAD("chunk size 0x1", CHUNKED "\r\n0x1\r\na\r\n0\r\n\r\n", 400),
    BAD("chunk size +1", CHUNKED "\r\n+1\r\na\r\n0\r\n\r\n", 400),
    BAD("Content-Length +5", POST "Content-Length: +5\r\n\r\nabcde", 400),
    BAD("Host with a blank", GET "Host : x\r\n\r\n", 400),
    BAD("no Host", GET "X: y\r\n\r\n", 400),
    BAD("two Hosts", GET "Host: x\r\nHost: x\r\n\r\n", 400),
    BAD("NUL in a value", GET "Host: x\r\nX: a\0b\r\n\r\n", 400),
    BAD("bare CR in a value", GET "Host: x\r\nX: a\rb\r\n\r\n", 400),
    BAD("bare LF", "GET /hello HTTP/1.1\nHost: x\n\n", 400),
    BAD("bare LF after CRLF", GET "Host: x\r\nX: y\n\r\n", 400),
    BAD("folded line", GET "Host: x\r\nX: a\r\n b\r\n\r\n", 400),
    /* and their kin */
    BAD("folded with a tab", GET "Host: x\r\nX: a\r\n\tb\r\n\r\n", 400),
    BAD("folded first line", GET " Host: x\r\nHost: y\r\n\r\n", 400),
    BAD("same Content-Length twice", POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    BAD("Content-Length 5, 5", POST "Content-Length: 5, 5\r\n\r\nabcde", 400),
    BAD("Content-Length -1", POST "Content-Length: -1\r\n\r\n", 400),
    BAD("Content-Length 0x3", POST "Content-Length: 0x3\r\n\r\nabc", 400),
    BAD("Content-Length 3 3", POST "Content-Length: 3 3\r\n\r\nabc", 400),
    BAD("Content-Length empty", POST "Content-Length: \r\n\r\n", 400),
    BAD("Content-Length 2^64", POST "Content-Length: 18446744073709551616\r\n\r\n", 400),
    BAD("Content-Length 2^64-1", POST "Content-Length: 18446744073709551615\r\n\r\n", 413),
    BAD("Content-Length 2^63", POST "Content-Length: 9223372036854775808\r\n\r\n", 413),
    BAD("chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501),
    BAD("chunKed", POST "Transfer-Encoding: chunKed\r\n\r\n0\r\n\r\n", 501),
    BAD("identity", POST "Transfer-Encoding: identity\r\n\r\nabc", 501),
    BAD("empty coding", POST "Transfer-Encoding: \r\n\r\nabc", 501),
    BAD("chunked with a VT",
        POST "Transfer-Encoding: \x0B"
             "chunked\r\n\r\n0\r\n\r\n",
        400),
    BAD("two codings", CHUNKED "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    BAD("coding with a blank", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    BAD("chunked in 1.0",
        "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 400),
    BAD("chunk size 2^64", CHUNKED "\r\n10000000000000000\r\na", 400),
    BAD("chunk size 2^64-1", CHUNKED "\r\nffffffffffffffff\r\na", 413),
    BAD("chunk size -1", CHUNKED "\r\n-1\r\na\r\n0\r\n\r\n", 400),
    BAD("chunk size empty", CHUNKED "\r\n\r\n0\r\n\r\n", 400),
    BAD("chunk size then blank", CHUNKED "\r\n1 \r\na\r\n0\r\n\r\n", 400),
    BAD("chunk without its end", CHUNKED "\r\n3\r\nabc0\r\n\r\n", 400),
    BAD("chunk longer than told", CHUNKED "\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
    BAD("chunk line with LF", CHUNKED "\r\n3\nabc\r\n0\r\n\r\n", 400),
    BAD("chunk with LF behind", CHUNKED "\r\n3\r\nabc\n0\r\n\r\n", 400),
    BAD("bad trailer", CHUNKED "\r\n3\r\nabc\r\n0\r\nX Y: z\r\n\r\n", 400),
    BAD("blank in a name", GET "Host: x\r\nX Y: a\r\n\r\n", 400),
    BAD("control in a name", GET "Host: x\r\nX\x01: a\r\n\r\n", 400),
    BAD("8 bit in a name", GET "Host: x\r\nX\xE9: a\r\n\r\n", 400),
    BAD("no name", GET "Host: x\r\n: a\r\n\r\n", 400),
    BAD("no colon", GET "Host: x\r\nX\r\n\r\n", 400),
    BAD("control in a value", GET "Host: x\r\nX: a\x01\r\n\r\n", 400),
    BAD("DEL in a value", GET "Host: x\r\nX: a\x7F\r\n\r\n", 400),
    BAD("Host with a slash", GET "Host: x/y\r\n\r\n", 400),
    BAD("Host with a user", GET "Host: a@b\r\n\r\n", 400),
    BAD("Host with a blank in it", GET "Host: a b\r\n\r\n", 400),
    BAD("Host list", GET "Host: a, b\r\n\r\n", 400),
    BAD("other absolute target", "GET http://y/hello HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    BAD("user in the target", "GET http://a@x/hello HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    BAD("blank in the target", "GET /hel lo HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    BAD("8 bit in the target", "GET /h\xE9llo HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    BAD("control in the target", "GET /h\x02llo HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    BAD("tab for a blank", "GET\t/hello HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    BAD("version 0.9", "GET /hello\r\n\r\n", 505),
    BAD("version 2.0", "GET /hello HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    BAD("version 1.2", "GET /hello HTTP/1.2\r\nHost: x\r\n\r\n", 505),
    BAD("version 9.9", "GET /hello HTTP/9.9\r\nHost: x\r\n\r\n", 505),
    BAD("version 1.10", "GET /hello HTTP/1.10\r\nHost: x\r\n\r\n", 400),
    BAD("http/1.1", "GET /hello http/1.1\r\nHost: x\r\n\r\n", 400),
    BAD("PRI", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    BAD("lower case method", "get /hello HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    BAD("unknown method", "BREW /hello HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    BAD("a TLS hello", "\x16\x03\x01\x02\0\x01\0\x01\xFC\x03\x03", 400),
    BAD("another Expect", POST "Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc", 417),
    BAD("gzip body", POST "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415),
    BAD("text body", POST "Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc", 415),
    BAD("form for JSON",
        POST "Content-Type: multipart/form-data; boundary=b\r\n"
             "Content-Length: 3\r\n\r\nabc",
        415),
    BAD("JSON for a form",
        "POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\n\r\n{}",
        415),
    BAD("form without a boundary",
        "POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: "
        "multipart/form-data\r\nContent-Length: 2\r\n\r\n--",
        400),
    BAD("body on no route", "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 32\r\n\r\n" HELLO,
        404),
    BAD("body on the wrong method",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 32\r\n\r\n" HELLO, 405),
    BAD("body of a refused", POST "X-Refuse: 1\r\nContent-Length: 32\r\n\r\n" HELLO, 401),
    BAD("bad escape in the query", "GET /hello?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
};

CRIA_TEST(malformed_requests_are_refused_and_hide_nothing)
{
    (void)state;
    struct server *s = server_start(test_options());
    for (size_t i = 0; i < CRIA_COUNT(malformed); i++) {
        struct cria_buf got;
        struct answer answer = {0};
        size_t at = 0;
        int fd = dial(s);
        cria_buf_init(&got, MIB);
        tell(fd, malformed[i].bytes);
        tell(fd, CRIA_STR(HELLO));
        if (is_silent(fd, PATIENCE_S * 1000)) fail_msg("%s: hangs", malformed[i].name);
        if (!read_answer(fd, &got, &at, false, &answer))
            fail_msg("%s: closed without an answer", malformed[i].name);
        /* how early the parser itself objects differs from llhttp 8 to 9 */
        bool may_be_400 = malformed[i].status > 500;
        if (answer.status != malformed[i].status && !(may_be_400 && answer.status == 400))
            fail_msg("%s: %d", malformed[i].name, answer.status);
        if (!cria_str_is(answer_header(&answer, "connection"), "close"))
            fail_msg("%s: the connection stays", malformed[i].name);
        assert_true(cria_str_starts(answer.body, "{\"detail\":\""));
        while (hear(fd, &got)) {}
        if (got.len != at) fail_msg("%s: more was answered", malformed[i].name);
        close(fd);
        cria_buf_release(&got);
    }
    server_stop(s);
}

/* Nothing follows here that could end the header: it is not waited for. */
CRIA_TEST(what_cannot_become_a_header_is_refused_at_once)
{
    (void)state;
    static const struct cria_str starts[] = {
        CRIA_STR_INIT("GET /hello HTTP/1.1\nHost: x\n\n"),
        CRIA_STR_INIT("GET /hello HTTP/1.1\r\nHost: x\n"),
        CRIA_STR_INIT("\x16\x03\x01\x02\0\x01\0\x01\xFC\x03\x03"),
    };
    struct server *s = server_start(test_options());
    struct answer answer = {0};
    for (size_t i = 0; i < CRIA_COUNT(starts); i++) {
        struct cria_buf got;
        size_t at = 0;
        int fd = dial(s);
        cria_buf_init(&got, MIB);
        tell(fd, starts[i]);
        assert_true(read_answer(fd, &got, &at, false, &answer));
        assert_int_equal(answer.status, 400);
        assert_false(hear(fd, &got));
        close(fd);
        cria_buf_release(&got);
    }
    server_stop(s);
}

/* Sequences of good requests, and the answers in order: "status body;…". */
static const struct {
    const char *name;
    struct cria_str bytes;
    const char *answers;
} good[] = {
    {"one", CRIA_STR_INIT(LAST), "200 hello;"},
    {"no blank behind the colon", CRIA_STR_INIT(GET "Host:x\r\nConnection:close\r\n\r\n"),
     "200 hello;"},
    {"empty Host", CRIA_STR_INIT(GET "Host:\r\nConnection: close\r\n\r\n"), "200 hello;"},
    {"empty lines before it", CRIA_STR_INIT("\r\n\r\n" HELLO "\r\n" LAST), "200 hello;200 hello;"},
    {"1.0", CRIA_STR_INIT("GET /hello HTTP/1.0\r\n\r\n" HELLO), "200 hello;"},
    {"1.0 kept alive", CRIA_STR_INIT("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" LAST),
     "200 hello;200 hello;"},
    {"absolute target",
     CRIA_STR_INIT("GET http://X:80/hello?q=1 HTTP/1.1\r\nHost: x:80\r\nConnection: close\r\n\r\n"),
     "200 hello;"},
    {"high bytes in a value",
     CRIA_STR_INIT(GET "Host: x\r\nX: \xE9\t\xFF\r\nConnection: close\r\n\r\n"), "200 hello;"},
    {"upgrade is ignored",
     CRIA_STR_INIT(GET "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                       "HTTP2-Settings: AA\r\n\r\n" LAST),
     "200 hello;200 hello;"},
    {"body by length", CRIA_STR_INIT(POST "Content-Length: 3\r\n\r\nabc" LAST),
     "200 abc;200 hello;"},
    {"length 00", CRIA_STR_INIT(POST "Connection: close\r\nContent-Length: 00\r\n\r\n"), "200 ;"},
    {"length 003", CRIA_STR_INIT(POST "Content-Length: 003\r\n\r\nabc" LAST), "200 abc;200 hello;"},
    {"no body at all", CRIA_STR_INIT(POST "\r\n" LAST), "200 ;200 hello;"},
    {"JSON with a charset",
     CRIA_STR_INIT(
         POST "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}" LAST),
     "200 {};200 hello;"},
    {"type without a body", CRIA_STR_INIT(POST "Content-Type: text/plain\r\n\r\n" LAST),
     "200 ;200 hello;"},
    {"body by chunks", CRIA_STR_INIT(CHUNKED "\r\n3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n" LAST),
     "200 abc0123456789;200 hello;"},
    {"chunk extensions", CRIA_STR_INIT(CHUNKED "\r\n3;a=b\r\nabc\r\n0;z\r\n\r\n" LAST),
     "200 abc;200 hello;"},
    {"no chunks", CRIA_STR_INIT(CHUNKED "\r\n0\r\n\r\n" LAST), "200 ;200 hello;"},
    {"trailers are dropped",
     CRIA_STR_INIT("POST /probe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "1\r\na\r\n0\r\nX-Probe: from-trailer\r\nAuthorization: Bearer x\r\n\r\n" LAST),
     "200 none;200 hello;"},
    {"the header is not",
     CRIA_STR_INIT("POST /probe HTTP/1.1\r\nHost: x\r\nX-Probe:  from header \r\n"
                   "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Probe: from-trailer\r\n\r\n" LAST),
     "200 from header;200 hello;"},
    {"body where none is wanted",
     CRIA_STR_INIT("POST /none HTTP/1.1\r\nHost: x\r\nContent-Type: text/x\r\nContent-Length: "
                   "3\r\n\r\nabc" LAST),
     "200 hello;200 hello;"},
    {"body of a GET", CRIA_STR_INIT(GET "Host: x\r\nContent-Length: 32\r\n\r\n" HELLO LAST),
     "200 hello;200 hello;"},
    {"404 and 405 keep the connection",
     CRIA_STR_INIT(
         "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\nDELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n" LAST),
     "404 {\"detail\":\"Not Found\"};405 {\"detail\":\"Method Not Allowed\"};200 hello;"},
    {"a refusal keeps it", CRIA_STR_INIT(GET "Host: x\r\nX-Refuse: 1\r\n\r\n" LAST),
     "401 {\"detail\":\"No\"};200 hello;"},
    {"loop and workers mix",
     CRIA_STR_INIT("GET /things/1 HTTP/1.1\r\nHost: x\r\n\r\n" POST "Content-Length: 1\r\n\r\nA"
                   "GET /things/2 HTTP/1.1\r\nHost: x\r\n\r\n"
                   "POST /loop-echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n1\r\nB\r\n0\r\n\r\n"
                   "DELETE /things/3 HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET /things/a%2Fb?q=c+d&x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
     "200 1;200 A;200 2;200 B;204 ;200 a/b?c d;"},
    {"close ends it", CRIA_STR_INIT(LAST HELLO HELLO), "200 hello;"},
    {"trace does not echo",
     CRIA_STR_INIT("TRACE /hello HTTP/1.1\r\nHost: x\r\nX: secret\r\n\r\nCONNECT x:80 "
                   "HTTP/1.1\r\nHost: x\r\n\r\n" LAST),
     "405 {\"detail\":\"Method Not Allowed\"};404 {\"detail\":\"Not Found\"};200 hello;"},
};

/* Tells the pieces one after the other and writes down what is answered until the end. */
static void converse(const struct server *s, const struct cria_str *pieces, size_t count,
                     struct cria_buf *said)
{
    struct cria_buf got;
    struct answer answer = {0};
    size_t at = 0;
    int fd = dial(s);
    cria_buf_init(&got, MIB);
    cria_buf_clear(said);
    for (size_t i = 0; i < count; i++) tell(fd, pieces[i]);
    while (read_answer(fd, &got, &at, false, &answer))
        cria_buf_printf(said, "%d %.*s;", answer.status, CRIA_STR_ARG(answer.body));
    assert_int_equal(got.len, at);
    close(fd);
    cria_buf_release(&got);
}

CRIA_TEST(good_requests_are_answered_in_order)
{
    (void)state;
    struct cria_buf said;
    cria_buf_init(&said, MIB);
    struct server *s = server_start(test_options());
    for (size_t i = 0; i < CRIA_COUNT(good); i++) {
        converse(s, &good[i].bytes, 1, &said);
        if (!cria_str_is(cria_buf_str(&said), good[i].answers))
            fail_msg("%s: '%.*s'", good[i].name, (int)said.len, said.ptr);
    }
    cria_buf_release(&said);
    server_stop(s);
}

CRIA_TEST(good_requests_may_be_cut_anywhere)
{
    (void)state;
    struct cria_buf said;
    cria_buf_init(&said, MIB);
    struct server *s = server_start(test_options());
    for (size_t i = 0; i < CRIA_COUNT(good); i++)
        for (size_t cut = 1; cut < good[i].bytes.len; cut++) {
            struct cria_str pieces[2] = {cria_str_sub(good[i].bytes, 0, cut),
                                         cria_str_sub(good[i].bytes, cut, SIZE_MAX)};
            converse(s, pieces, 2, &said);
            if (!cria_str_is(cria_buf_str(&said), good[i].answers))
                fail_msg("%s at %zu: '%.*s'", good[i].name, cut, (int)said.len, said.ptr);
        }
    cria_buf_release(&said);
    server_stop(s);
}

CRIA_TEST(a_thousand_pipelined_requests_keep_their_order)
{
    (void)state;
    enum { REQUESTS = 1000 };
    struct cria_buf wire, want, said;
    cria_buf_init(&wire, MIB);
    cria_buf_init(&want, MIB);
    cria_buf_init(&said, MIB);
    struct server *s = server_start(test_options());
    for (int i = 0; i < REQUESTS; i++) {
        if (i % 3 == 0) /* every third goes over a worker */
            cria_buf_printf(&wire, POST "Content-Length: 4\r\n\r\n%04d", i);
        else
            cria_buf_printf(&wire, "GET /things/%04d HTTP/1.1\r\nHost: x\r\n\r\n", i);
        cria_buf_printf(&want, "200 %04d;", i);
    }
    cria_buf_add(&wire, CRIA_STR(LAST));
    cria_buf_add(&want, CRIA_STR("200 hello;"));
    struct cria_str all = cria_buf_str(&wire);
    converse(s, &all, 1, &said);
    assert_true(cria_str_equal(cria_buf_str(&said), cria_buf_str(&want)));
    WAIT_FOR(s, s->whole == REQUESTS + 1);
    assert_int_equal(s->cut, 0);
    assert_int_equal(cria_http_figures(s->http).requests, REQUESTS + 1);
    cria_buf_release(&wire);
    cria_buf_release(&want);
    cria_buf_release(&said);
    server_stop(s);
}

CRIA_TEST(byte_by_byte_is_as_good_as_whole)
{
    (void)state;
    static const struct cria_str wire =
        CRIA_STR_INIT(CHUNKED "\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n" LAST);
    struct cria_str pieces[300];
    struct cria_buf said;
    cria_buf_init(&said, MIB);
    assert_true(wire.len <= CRIA_COUNT(pieces));
    for (size_t i = 0; i < wire.len; i++) pieces[i] = cria_str_sub(wire, i, 1);
    struct server *s = server_start(test_options());
    converse(s, pieces, wire.len, &said);
    assert_str_equal(cria_buf_str(&said), "200 abcde;200 hello;");
    cria_buf_release(&said);
    server_stop(s);
}

CRIA_TEST(a_body_is_asked_for_when_it_is_expected)
{
    (void)state;
    static const struct {
        const char *head;
        int first;
    } cases[] = {
        {POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", 100},
        {CHUNKED "Expect: 100-Continue\r\n\r\n", 100},
        /* nothing to wait for, or nothing wanted: the answer itself */
        {POST "Expect: 100-continue\r\n\r\n", 200},
        {POST "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413},
        {"POST /nothing HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
         404},
        {POST "X-Refuse: 1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 401},
    };
    struct server *s = server_start(test_options());
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_buf got;
        struct answer answer = {0};
        size_t at = 0;
        int fd = dial(s);
        cria_buf_init(&got, MIB);
        tell(fd, cria_str_from(cases[i].head));
        assert_true(read_answer(fd, &got, &at, false, &answer));
        if (answer.status != cases[i].first) fail_msg("case %zu: %d", i, answer.status);
        if (answer.status == 100) {
            tell(fd, i == 1 ? CRIA_STR("3\r\nabc\r\n0\r\n\r\n") : CRIA_STR("abc"));
            assert_true(read_answer(fd, &got, &at, false, &answer));
            assert_int_equal(answer.status, 200);
            assert_str_equal(answer.body, "abc");
        }
        close(fd);
        cria_buf_release(&got);
    }
    /* 1.0 knows no 100: the body comes unasked, and one answer goes back */
    struct cria_buf said;
    struct cria_str old =
        CRIA_STR("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    cria_buf_init(&said, MIB);
    converse(s, &old, 1, &said);
    assert_str_equal(cria_buf_str(&said), "200 abc;");
    cria_buf_release(&said);
    server_stop(s);
}

CRIA_TEST(the_control_socket_sees_what_the_network_does_not)
{
    (void)state;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct cria_buf got;
    struct answer answer = {0};
    struct stat status;
    char address[128];
    size_t at = 0;
    cria_buf_init(&got, MIB);
    struct server *s = server_prepare(test_options(), 2);
    snprintf(to.sun_path, sizeof(to.sun_path), "%s/control.sock", s->spool);
    snprintf(address, sizeof(address), "unix:%s", to.sun_path);
    assert_int_equal(cria_http_listen(s->http, &s->call, s->loops, 2, "127.0.0.1:0"), CRIA_OK);
    assert_int_equal(cria_http_listen(s->http, &s->call, s->loops, 2, address), CRIA_OK);
    assert_int_equal(stat(to.sun_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    server_run(s);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    tell(fd, CRIA_STR("GET /admin HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(read_answer(fd, &got, &at, false, &answer));
    assert_int_equal(answer.status, 200);
    close(fd);
    assert_int_equal(ask(s, "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n", &answer, &got), 404);
    assert_int_equal(ask(s, "POST /admin HTTP/1.1\r\nHost: x\r\n\r\n", &answer, &got), 404);
    cria_buf_release(&got);
    server_stop(s); /* which finds the folder empty: the socket is gone */
}

CRIA_TEST(addresses_are_checked)
{
    (void)state;
    static const char *const bad[] = {
        "",        "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
        "[::1:80", "[]:80",     "[:80",       "no host:80"};

    char taken[64];
    struct server *s = server_start(test_options());
    snprintf(taken, sizeof(taken), "127.0.0.1:%d", cria_http_port(s->http));
    struct server *other = server_prepare(test_options(), 1);
    for (size_t i = 0; i < CRIA_COUNT(bad); i++) {
        enum cria_status st = cria_http_listen(other->http, &other->call, other->loops, 1, bad[i]);
        if (st != CRIA_E_BAD_REQUEST) fail_msg("'%s': %s", bad[i], cria_status_name(st));
    }
    assert_int_equal(cria_http_listen(other->http, &other->call, other->loops, 1, taken),
                     CRIA_E_CONFLICT);
    server_stop(other);
    server_stop(s);
}

int main(void)
{
    if (cria_crypto_init() != CRIA_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_requests_are_refused_and_hide_nothing),
        cmocka_unit_test(what_cannot_become_a_header_is_refused_at_once),
        cmocka_unit_test(good_requests_are_answered_in_order),
        cmocka_unit_test(good_requests_may_be_cut_anywhere),
        cmocka_unit_test(a_thousand_pipelined_requests_keep_their_order),
        cmocka_unit_test(byte_by_byte_is_as_good_as_whole),
        cmocka_unit_test(a_body_is_asked_for_when_it_is_expected),
        cmocka_unit_test(the_control_socket_sees_what_the_network_does_not),
        cmocka_unit_test(addresses_are_checked),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
