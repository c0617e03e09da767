/* Streams: their order, slow and leaving readers, what others see meanwhile; and how a server
 * winds down. */
#include "http/test_server.h"

#define HELLO "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
#define STREAM "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"

/* A reader of a stream: takes the head, then the lines out of the chunks, and checks their
 * numbers. */
struct reader {
    int fd;
    struct cria_buf raw, plain; /* not yet understood; the line begun */
    uint64_t next;              /* number of the line that must come now */
    unsigned comments;
    bool is_ended; /* the last chunk came */
};

static void reader_open(struct reader *r, const struct server *s, const char *request,
                        int receive_bytes)
{
    *r = (struct reader){.fd = dial_with(s, receive_bytes)};
    assert_true(r->fd >= 0);
    cria_buf_init(&r->raw, 64 * MIB);
    cria_buf_init(&r->plain, 64 * MIB);
    assert_true(tell(r->fd, cria_str_from(request)));
    size_t end;
    while ((end = cria_str_find(cria_buf_str(&r->raw), CRIA_STR("\r\n\r\n"))) == SIZE_MAX)
        assert_true(hear(r->fd, &r->raw));
    struct answer head = {.head = cria_str_sub(cria_buf_str(&r->raw), 0, end + 2)};
    assert_true(cria_str_starts(head.head, "HTTP/1.1 200 "));
    assert_str_equal(answer_header(&head, "content-type"),
                     strstr(request, "?plain") ? "application/x-tar"
                                               : "text/event-stream; charset=utf-8");
    assert_str_equal(answer_header(&head, "cache-control"), "no-store");
    assert_null(answer_header(&head, "content-length").ptr);
    bool is_old = cria_str_find(cria_str_from(request), CRIA_STR("HTTP/1.0")) != SIZE_MAX;
    assert_int_equal(answer_header(&head, "transfer-encoding").ptr != NULL, !is_old);
    cria_buf_drop(&r->raw, end + 4);
}

static void reader_close(struct reader *r)
{
    close(r->fd);
    cria_buf_release(&r->raw);
    cria_buf_release(&r->plain);
}

static void take_lines(struct reader *r)
{
    struct cria_str rest = cria_buf_str(&r->plain), line;
    size_t used = 0;
    while (memchr(rest.ptr, '\n', rest.len)) {
        char want[32];
        cria_str_cut(&rest, '\n', &line);
        used += line.len + 1;
        if (cria_str_is(line, ": keep-alive")) {
            r->comments++;
            continue;
        }
        snprintf(want, sizeof(want), "line %llu", (unsigned long long)r->next++);
        if (!cria_str_is(line, want)) fail_msg("'%.*s' for '%s'", CRIA_STR_ARG(line), want);
    }
    cria_buf_drop(&r->plain, used);
}

/* Whole chunks at the front of raw. */
static void take_chunks(struct reader *r)
{
    size_t at = 0;
    while (!r->is_ended) {
        struct cria_str rest = cria_str_sub(cria_buf_str(&r->raw), at, r->raw.len);
        size_t head = cria_str_find(rest, CRIA_STR("\r\n"));
        if (head == SIZE_MAX) break;
        size_t size = number_at(rest, 16);
        if (rest.len < head + size + 4) break;
        assert_memory_equal(rest.ptr + head + 2 + size, "\r\n", 2);
        cria_buf_add(&r->plain, cria_str_sub(rest, head + 2, size));
        r->is_ended = size == 0;
        at += head + size + 4;
    }
    cria_buf_drop(&r->raw, at);
    if (r->plain.len) take_lines(r);
}

/* Reads until `lines` lines came, or to the last chunk. */
static void reader_take(struct reader *r, uint64_t lines)
{
    take_chunks(r);
    while (r->next < lines && !r->is_ended) {
        assert_true(hear(r->fd, &r->raw));
        take_chunks(r);
    }
}

static void *give_in_bits(void *arg)
{
    struct server *s = arg;
    for (int i = 0; i < 2000; i++) source_give(s, (uint64_t)i % 7, false);
    source_give(s, 5, true);
    return NULL;
}

CRIA_TEST(lines_from_another_thread_keep_their_order)
{
    (void)state;
    struct server *s = server_start(test_options());
    struct reader r;
    pthread_t giver;
    uint64_t total = 5;
    for (uint64_t i = 0; i < 2000; i++) total += i % 7;
    reader_open(&r, s, STREAM, 0);
    assert_int_equal(cria_http_figures(s->http).streams, 1);
    assert_int_equal(pthread_create(&giver, NULL, give_in_bits, s), 0);
    reader_take(&r, UINT64_MAX);
    pthread_join(giver, NULL);
    assert_int_equal(r.next, total);
    assert_int_equal(r.raw.len, 0);
    WAIT_FOR(s, s->source.closed == 1 && s->whole == 1);
    assert_false(s->source.by_peer);
    assert_int_equal(cria_http_figures(s->http).streams, 0);
    /* the connection goes on behind it */
    struct answer answer = {0};
    size_t at = 0;
    tell(r.fd, CRIA_STR(HELLO));
    assert_true(read_answer(r.fd, &r.raw, &at, false, &answer));
    assert_str_equal(answer.body, "hello");
    reader_close(&r);
    server_stop(s);
}

CRIA_TEST(a_stream_that_has_ended_before_it_began_is_whole)
{
    (void)state;
    struct server *s = server_start(test_options());
    struct reader r;
    s->source.ready = 3;
    s->source.ends = true;
    reader_open(&r, s, STREAM, 0);
    reader_take(&r, UINT64_MAX);
    assert_int_equal(r.next, 3);
    reader_close(&r);
    WAIT_FOR(s, s->source.closed == 1);
    assert_false(s->source.by_peer);
    server_stop(s);
}

CRIA_TEST(version_1_0_gets_bare_lines_until_the_end)
{
    (void)state;
    struct cria_http_options options = test_options();
    options.keep_alive_ms = 100;
    struct server *s = server_start(options);
    struct reader r;
    reader_open(&r, s, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 0);
    while (r.raw.len == 0) assert_true(hear(r.fd, &r.raw)); /* of silence, a comment */
    source_give(s, 4, true);
    while (hear(r.fd, &r.raw)) {}
    cria_buf_add(&r.plain, cria_buf_str(&r.raw));
    take_lines(&r);
    assert_true(r.comments >= 1);
    assert_int_equal(r.next, 4);
    assert_int_equal(r.plain.len, 0);
    reader_close(&r);
    server_stop(s);
}

CRIA_TEST(silence_is_filled_with_comments)
{
    (void)state;
    struct cria_http_options options = test_options();
    options.keep_alive_ms = 60;
    struct server *s = server_start(options);
    struct reader r;
    reader_open(&r, s, STREAM, 0);
    uint64_t start_ns = cria_now_ns();
    while (r.comments < 3) {
        assert_true(hear(r.fd, &r.raw));
        take_chunks(&r);
    }
    assert_in_range((cria_now_ns() - start_ns) / 1000000, 100, 5000);
    source_give(s, 2, true); /* between them the lines are whole */
    reader_take(&r, UINT64_MAX);
    assert_int_equal(r.next, 2);
    reader_close(&r);
    server_stop(s);
}

CRIA_TEST(a_stream_of_another_type_has_no_comments)
{
    (void)state;
    struct cria_http_options options = test_options();
    options.keep_alive_ms = 40;
    struct server *s = server_start(options);
    struct reader r, old;
    reader_open(&r, s, "GET /stream?plain=1 HTTP/1.1\r\nHost: x\r\n\r\n", 0);
    assert_true(is_silent(r.fd, 300));
    source_give(s, 4, true);
    reader_take(&r, UINT64_MAX);
    assert_int_equal(r.next, 4);
    assert_int_equal(r.comments, 0);
    assert_int_equal(r.plain.len, 0);
    WAIT_FOR(s, s->source.closed == 1);
    cria_exchange_unref(s->source.ex);
    s->source = (struct source){0};
    reader_open(&old, s, "GET /stream?plain=1 HTTP/1.0\r\n\r\n", 0);
    source_give(s, 3, true);
    while (hear(old.fd, &old.raw)) {}
    cria_buf_add(&old.plain, cria_buf_str(&old.raw));
    take_lines(&old);
    assert_int_equal(old.next, 3);
    reader_close(&r);
    reader_close(&old);
    server_stop(s);
}

/* Whoever reads it must be able to tell that it is not whole. */
CRIA_TEST(a_source_that_fails_cuts_the_connection)
{
    (void)state;
    for (int begins_so = 0; begins_so < 2; begins_so++) {
        struct server *s = server_start(test_options());
        struct reader r;
        s->source.fails = begins_so;
        reader_open(&r, s, "GET /stream?plain=1 HTTP/1.1\r\nHost: x\r\n\r\n", 0);
        if (!begins_so) {
            source_give(s, 5, false);
            reader_take(&r, 5);
            pthread_mutex_lock(&s->lock);
            s->source.fails = true;
            pthread_mutex_unlock(&s->lock);
            source_give(s, 0, false);
        }
        while (hear(r.fd, &r.raw)) {}
        take_chunks(&r);
        assert_false(r.is_ended);
        assert_int_equal(r.raw.len, 0);
        WAIT_FOR(s, s->source.closed == 1 && s->cut == 1);
        assert_true(s->source.by_peer);
        assert_int_equal(cria_http_figures(s->http).streams, 0);
        reader_close(&r);
        server_stop(s);
    }
}

/* What a reader does not take is not pulled: memory stays bounded, order stays, others go on. */
CRIA_TEST(a_slow_reader_holds_its_stream_back_and_nobody_else)
{
    (void)state;
    enum { LINES = 6000000, SOCKET_BYTES = 32 * MIB };
    struct server *s = server_start(test_options());
    struct answer answer = {0};
    struct cria_buf got;
    struct reader r;
    cria_buf_init(&got, MIB);
    s->source.ready = LINES; /* some 75 MB at once */
    s->source.ends = true;
    reader_open(&r, s, STREAM, 4096);
    for (int i = 0; i < 20; i++) assert_int_equal(ask(s, HELLO, &answer, &got), 200);
    pthread_mutex_lock(&s->lock);
    uint64_t pulled = s->source.next;
    pthread_mutex_unlock(&s->lock);
    assert_in_range(pulled, 1000, SOCKET_BYTES / strlen("line 123456\n"));
    reader_take(&r, 50000); /* it goes on where it was */
    assert_int_equal(cria_http_figures(s->http).streams, 1);
    reader_close(&r);
    WAIT_FOR(s, s->source.closed == 1 && s->cut == 1);
    assert_true(s->source.by_peer);
    assert_true(s->source.next < LINES);
    cria_buf_release(&got);
    server_stop(s);
}

static void *swallow(void *arg)
{
    static char bytes[MIB];
    const struct reader *r = arg;
    while (recv(r->fd, bytes, sizeof(bytes), 0) > 0) {}
    return NULL;
}

/* A reader that takes all there is, from a source that always has more, is not all there is. */
CRIA_TEST(a_fast_reader_leaves_room_for_others)
{
    (void)state;
    struct server *s = server_start(test_options());
    struct answer answer = {0};
    struct cria_buf got;
    struct reader r;
    pthread_t swallower;
    cria_buf_init(&got, MIB);
    s->source.ready = UINT64_MAX;
    reader_open(&r, s, STREAM, 0);
    assert_int_equal(pthread_create(&swallower, NULL, swallow, &r), 0);
    for (int i = 0; i < 20; i++) assert_int_equal(ask(s, HELLO, &answer, &got), 200);
    assert_int_equal(cria_http_figures(s->http).streams, 1);
    shutdown(r.fd, SHUT_RDWR);
    pthread_join(swallower, NULL);
    WAIT_FOR(s, s->source.closed == 1);
    reader_close(&r);
    cria_buf_release(&got);
    server_stop(s);
}

CRIA_TEST(a_reader_that_takes_nothing_is_closed)
{
    (void)state;
    struct cria_http_options options = test_options();
    options.write_stall_ms = 300;
    struct server *s = server_start(options);
    struct reader r;
    s->source.ready = UINT32_MAX;
    reader_open(&r, s, STREAM, 4096);
    WAIT_FOR(s, s->source.closed == 1);
    assert_true(s->source.by_peer);
    reader_close(&r);
    server_stop(s);
}

/* An idle stream's reader leaves, politely or not: it is noticed although nothing is written. */
CRIA_TEST(a_reader_that_leaves_is_noticed_at_once)
{
    (void)state;
    for (int resets = 0; resets < 2; resets++) {
        struct server *s = server_start(test_options());
        struct reader r;
        reader_open(&r, s, STREAM, 0);
        struct linger hard = {.l_onoff = 1};
        if (resets) setsockopt(r.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        uint64_t start_ns = cria_now_ns();
        reader_close(&r);
        WAIT_FOR(s, s->source.closed == 1 && s->cut == 1);
        assert_in_range((cria_now_ns() - start_ns) / 1000000, 0, 1000);
        assert_true(s->source.by_peer);
        for (int i = 0; i < 100; i++) source_give(s, 1, false); /* wakes a dead shell: nothing */
        WAIT_FOR(s, cria_http_figures(s->http).connections == 0);
        assert_int_equal(s->source.closed, 1);
        server_stop(s);
    }
}

CRIA_TEST(a_client_that_leaves_during_work_is_noted)
{
    (void)state;
    struct server *s = server_start(test_options());
    for (unsigned i = 1; i <= 3; i++) {
        int fd = dial(s);
        tell(fd, CRIA_STR("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"));
        WAIT_FOR(s, s->in_gate == i);
        close(fd);
    }
    struct answer answer = {0};
    struct cria_buf got;
    cria_buf_init(&got, MIB); /* all workers are at the gate, the loop is not */
    assert_int_equal(ask(s, "GET /loop HTTP/1.1\r\nHost: x\r\n\r\n", &answer, &got), 200);
    pthread_mutex_lock(&s->lock);
    s->is_gate_open = true;
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->lock);
    WAIT_FOR(s, s->cut == 3 && s->whole == 1);
    assert_int_equal(ask(s, HELLO, &answer, &got), 200);
    cria_buf_release(&got);
    server_stop(s);
}

/* ---- winding down */

CRIA_TEST(a_paused_server_takes_nobody_in_and_goes_on)
{
    (void)state;
    struct server *s = server_start(test_options());
    struct answer answer = {0};
    struct cria_buf got;
    struct reader r;
    size_t at = 0;
    cria_buf_init(&got, MIB);
    int fd = dial(s);
    tell(fd, CRIA_STR(HELLO));
    assert_true(read_answer(fd, &got, &at, false, &answer));
    reader_open(&r, s, STREAM, 0);
    cria_http_pause(s->http);
    cria_http_pause(s->http);
    for (int late; (late = dial_with(s, 0)) >= 0;) close(late); /* until the loop heard of it */
    tell(fd, CRIA_STR(HELLO));
    assert_true(read_answer(fd, &got, &at, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_null(answer_header(&answer, "connection").ptr);
    source_give(s, 10, true);
    reader_take(&r, UINT64_MAX);
    assert_int_equal(r.next, 10);
    reader_close(&r);
    close(fd);
    cria_buf_release(&got);
    server_stop(s);
}

static void on_drained(void *arg)
{
    struct server *s = arg;
    pthread_mutex_lock(&s->lock);
    s->is_drained = true;
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->lock);
}

CRIA_TEST(a_draining_server_ends_what_runs_and_closes_what_idles)
{
    (void)state;
    struct server *s = server_prepare(test_options(), 2);
    struct answer answer = {0};
    struct cria_buf got;
    struct reader r;
    assert_int_equal(cria_http_listen(s->http, &s->call, s->loops, 2, "127.0.0.1:0"), CRIA_OK);
    server_run(s);
    cria_buf_init(&got, MIB);
    int idle[8], busy[2];
    for (size_t i = 0; i < CRIA_COUNT(idle); i++) { /* some on each loop */
        size_t at = 0;
        idle[i] = dial(s);
        tell(idle[i], CRIA_STR(HELLO));
        cria_buf_clear(&got);
        assert_true(read_answer(idle[i], &got, &at, false, &answer));
    }
    for (unsigned i = 0; i < CRIA_COUNT(busy); i++) {
        busy[i] = dial(s);
        tell(busy[i], CRIA_STR("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n" HELLO));
        WAIT_FOR(s, s->in_gate == i + 1);
    }
    reader_open(&r, s, STREAM, 0);
    cria_http_drain(s->http, 60000, on_drained, s);
    for (size_t i = 0; i < CRIA_COUNT(idle); i++) {
        assert_false(hear(idle[i], &got));
        close(idle[i]);
    }
    assert_true(is_silent(busy[0], 50)); /* that runs, and so does the stream */
    source_give(s, 10, false);
    reader_take(&r, 10);
    pthread_mutex_lock(&s->lock);
    assert_false(s->is_drained);
    s->is_gate_open = true;
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < CRIA_COUNT(busy); i++) {
        size_t at = 0;
        cria_buf_clear(&got);
        assert_true(read_answer(busy[i], &got, &at, false, &answer));
        assert_str_equal(answer.body, "through");
        assert_str_equal(answer_header(&answer, "connection"), "close");
        assert_false(hear(busy[i], &got)); /* the pipelined one is not begun */
        close(busy[i]);
    }
    source_give(s, 10, true);
    reader_take(&r, UINT64_MAX);
    assert_int_equal(r.next, 20);
    WAIT_FOR(s, s->is_drained);
    assert_int_equal(cria_http_figures(s->http).connections, 0);
    reader_close(&r);
    cria_buf_release(&got);
    server_stop(s);
}

CRIA_TEST(draining_waits_no_longer_than_its_grace)
{
    (void)state;
    struct server *s = server_start(test_options());
    struct cria_buf got;
    struct reader r;
    cria_buf_init(&got, MIB);
    reader_open(&r, s, STREAM, 0);
    int half = dial(s), busy = dial(s);
    tell(half, CRIA_STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"));
    tell(busy, CRIA_STR("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"));
    WAIT_FOR(s, s->in_gate == 1);
    uint64_t start_ns = cria_now_ns();
    cria_http_drain(s->http, 300, on_drained, s);
    WAIT_FOR(s, s->source.closed == 1);
    assert_true(s->source.by_peer);
    WAIT_FOR(s, s->is_drained);
    assert_in_range((cria_now_ns() - start_ns) / 1000000, 250, 5000);
    assert_false(hear(half, &got));
    assert_false(hear(busy, &got));
    close(half);
    close(busy);
    reader_close(&r);
    cria_buf_release(&got);
    server_stop(s); /* while its handler still is in the gate */
}

int main(void)
{
    if (cria_crypto_init() != CRIA_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_from_another_thread_keep_their_order),
        cmocka_unit_test(a_stream_that_has_ended_before_it_began_is_whole),
        cmocka_unit_test(version_1_0_gets_bare_lines_until_the_end),
        cmocka_unit_test(silence_is_filled_with_comments),
        cmocka_unit_test(a_stream_of_another_type_has_no_comments),
        cmocka_unit_test(a_source_that_fails_cuts_the_connection),
        cmocka_unit_test(a_slow_reader_holds_its_stream_back_and_nobody_else),
        cmocka_unit_test(a_fast_reader_leaves_room_for_others),
        cmocka_unit_test(a_reader_that_takes_nothing_is_closed),
        cmocka_unit_test(a_reader_that_leaves_is_noticed_at_once),
        cmocka_unit_test(a_client_that_leaves_during_work_is_noted),
        cmocka_unit_test(a_paused_server_takes_nobody_in_and_goes_on),
        cmocka_unit_test(a_draining_server_ends_what_runs_and_closes_what_idles),
        cmocka_unit_test(draining_waits_no_longer_than_its_grace),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
