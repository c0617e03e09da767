/* test_server.h - a server in the process for this room's tests: its routes, its loops and pool,
 * and a client that speaks bytes. Nothing waits by sleeping: hooks and streams tell by a condition
 * variable, sockets by a deadline. */
#ifndef CRIA_HTTP_TEST_SERVER_H
#define CRIA_HTTP_TEST_SERVER_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "http/http.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "tests/support/test.h"

enum { PATIENCE_S = 10, MOST_LOOPS = 4, MIB = 1 << 20, BIG_BYTES = 8 * MIB };

/** What the tests know of a stream of numbered lines. Guarded by the server's lock, but for ops. */
struct source {
    struct cria_exchange *ex; /* a reference of ours; NULL before it began */
    uint64_t next, ready;     /* lines given, and how many there are so far */
    bool ends, fails;         /* after `ready` */
    unsigned closed;          /* how often it was told */
    bool by_peer;
};

struct server {
    struct cria_loop *loops[MOST_LOOPS];
    pthread_t threads[MOST_LOOPS];
    size_t loop_count;
    struct cria_pool *pool;
    struct cria_http_server *http;
    struct cria_arena arena;
    struct cria_call call;
    char spool[64];
    bool is_running;

    pthread_mutex_t lock;
    pthread_cond_t news;
    struct source source;
    unsigned whole, cut; /* exchanges that finished */
    unsigned in_gate;    /* handlers that wait there */
    bool is_gate_open, is_drained;
};

static inline struct server *server_of(const struct cria_exchange *ex)
{
    return ex->app;
}

/** Waits until `what` holds, looked at with the lock held; fails the test when it never does. In
 * slices, because some of what tests wait for is told by nobody. */
#define WAIT_FOR(server, what)                                                    \
    do {                                                                          \
        uint64_t until_ns = cria_now_ns() + (uint64_t)PATIENCE_S * 1000000000;    \
        bool holds = false;                                                       \
        pthread_mutex_lock(&(server)->lock);                                      \
        while (!(holds = (what)) && cria_now_ns() < until_ns) wait_slice(server); \
        pthread_mutex_unlock(&(server)->lock);                                    \
        if (!holds) fail_msg("waited in vain for %s", #what);                     \
    } while (0)
static inline void wait_slice(struct server *s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&s->news, &s->lock, &until);
}

/* ---- handlers */

static void say(struct cria_exchange *ex, struct cria_str text)
{
    cria_buf_add(&ex->body, text);
    cria_exchange_reply(ex, 200, "text/plain");
}

static void handle_hello(struct cria_exchange *ex)
{
    say(ex, CRIA_STR("hello"));
}

static void handle_echo(struct cria_exchange *ex)
{
    say(ex, ex->request.body);
}

static void handle_probe(struct cria_exchange *ex)
{
    struct cria_str value = cria_request_header(ex, "x-probe");
    say(ex, value.ptr ? value : CRIA_STR("none"));
}

static void handle_thing(struct cria_exchange *ex)
{
    struct cria_str q = cria_request_query(ex, "q");
    cria_buf_add(&ex->body, ex->request.path_values[0]);
    if (q.len) cria_buf_printf(&ex->body, "?%.*s", CRIA_STR_ARG(q));
    cria_exchange_reply(ex, 200, "text/plain");
}

static void handle_gone(struct cria_exchange *ex)
{
    cria_exchange_reply(ex, 204, NULL);
}

static void handle_evil(struct cria_exchange *ex)
{
    cria_exchange_header(ex, "X-Evil", CRIA_STR("a\r\nX-Split: yes"));
    cria_exchange_header(ex, "X-Good", CRIA_STR("a b"));
    cria_exchange_reply(ex, 200, "text/plain\rX-Split: yes");
}

static void handle_form(struct cria_exchange *ex)
{
    for (size_t i = 0; i < ex->request.part_count; i++) {
        const struct cria_part *part = &ex->request.parts[i];
        cria_buf_printf(&ex->body, "%.*s %llu %s\n", CRIA_STR_ARG(part->name),
                        (unsigned long long)part->size_bytes, part->sha256);
    }
    cria_exchange_reply(ex, 200, "text/plain");
}

static char big_byte(uint64_t at)
{
    return (char)('a' + (at + at / 26 / 1000) % 26);
}

static void handle_big(struct cria_exchange *ex)
{
    if (cria_buf_reserve(&ex->body, BIG_BYTES))
        for (size_t i = 0; i < BIG_BYTES; i++) ex->body.ptr[ex->body.len++] = big_byte(i);
    cria_exchange_reply(ex, 200, "text/plain");
}

static void handle_huge(struct cria_exchange *ex)
{
    cria_buf_reserve(&ex->body, SIZE_MAX / 2);
    cria_exchange_reply(ex, 200, "text/plain");
}

/* The second MiB and a half of a file of as many bytes as /big has. */
static void handle_file(struct cria_exchange *ex)
{
    char path[96];
    static char bytes[MIB];
    snprintf(path, sizeof(path), "%s/file-XXXXXX", server_of(ex)->spool);
    int fd = mkstemp(path);
    unlink(path);
    for (uint64_t at = 0; at < BIG_BYTES; at += sizeof(bytes)) {
        for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = big_byte(at + i);
        if (write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes)) abort();
    }
    bool is_short = cria_request_query(ex, "short").ptr != NULL;
    cria_exchange_file(ex, 206, "application/octet-stream", fd, MIB,
                       is_short ? BIG_BYTES : MIB * 3 / 2);
}

static void handle_gate(struct cria_exchange *ex)
{
    struct server *s = server_of(ex);
    pthread_mutex_lock(&s->lock);
    s->in_gate++;
    pthread_cond_broadcast(&s->news);
    while (!s->is_gate_open) pthread_cond_wait(&s->news, &s->lock);
    s->in_gate--;
    pthread_mutex_unlock(&s->lock);
    say(ex, CRIA_STR("through"));
}

/* ---- streams */

static enum cria_pull source_pull(void *self, struct cria_buf *out, size_t room)
{
    struct server *s = self;
    struct source *source = &s->source;
    size_t start = out->len;
    pthread_mutex_lock(&s->lock);
    while (source->next < source->ready && out->len - start < room)
        cria_buf_printf(out, "line %llu\n", (unsigned long long)source->next++);
    enum cria_pull pulled = source->next < source->ready ? CRIA_PULL_MORE
                            : source->fails              ? CRIA_PULL_FAIL
                            : source->ends               ? CRIA_PULL_END
                                                         : CRIA_PULL_WAIT;
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->lock);
    return pulled;
}

static void source_closed(void *self, bool by_peer)
{
    struct server *s = self;
    pthread_mutex_lock(&s->lock);
    s->source.closed++;
    s->source.by_peer = by_peer;
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->lock);
}

static const struct cria_stream_ops source_ops = {source_pull, source_closed};

static void handle_stream(struct cria_exchange *ex)
{
    struct server *s = server_of(ex);
    pthread_mutex_lock(&s->lock);
    s->source.ex = cria_exchange_ref(ex);
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->lock);
    bool is_plain = cria_request_query(ex, "plain").ptr != NULL;
    cria_exchange_stream(ex, is_plain ? "application/x-tar" : NULL, &source_ops, s);
}

/** More lines, or the end. Any thread. */
static inline void source_give(struct server *s, uint64_t lines, bool ends)
{
    pthread_mutex_lock(&s->lock);
    s->source.ready += lines;
    s->source.ends = ends;
    pthread_mutex_unlock(&s->lock);
    cria_exchange_wake(s->source.ex);
}

/* ---- the server */

static const struct cria_route test_routes[] = {
    {CRIA_GET, "/hello", "hello", handle_hello, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/loop", "loop", handle_hello, CRIA_BODY_NONE, CRIA_ROUTE_ON_LOOP},
    {CRIA_POST, "/echo", "echo", handle_echo, CRIA_BODY_JSON, 0},
    {CRIA_POST, "/loop-echo", "loop_echo", handle_echo, CRIA_BODY_JSON, CRIA_ROUTE_ON_LOOP},
    {CRIA_POST, "/none", "none", handle_hello, CRIA_BODY_NONE, 0},
    {CRIA_POST, "/probe", "probe", handle_probe, CRIA_BODY_JSON, 0},
    {CRIA_POST, "/form", "form", handle_form, CRIA_BODY_MULTIPART, 0},
    {CRIA_GET, "/things/{id}", "thing", handle_thing, CRIA_BODY_NONE, CRIA_ROUTE_ON_LOOP},
    {CRIA_DELETE, "/things/{id}", "gone", handle_gone, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/evil", "evil", handle_evil, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/big", "big", handle_big, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/huge", "huge", handle_huge, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/file", "file", handle_file, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/gate", "gate", handle_gate, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/stream", "stream", handle_stream, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/admin", "admin", handle_hello, CRIA_BODY_NONE, CRIA_ROUTE_ADMIN},
};

static enum cria_status test_admit(struct cria_exchange *ex)
{
    if (cria_request_header(ex, "x-refuse").ptr)
        return cria_fail(&ex->call, CRIA_E_UNAUTHORIZED, "No");
    return CRIA_OK;
}

static void test_refuse(struct cria_exchange *ex, enum cria_status status)
{
    int code = status == CRIA_E_UNAUTHORIZED  ? 401
               : status == CRIA_E_TOO_LARGE   ? 413
               : status == CRIA_E_BAD_REQUEST ? 400
               : status == CRIA_E_NO_MEMORY   ? 503
                                              : 500;
    cria_exchange_error(ex, code, ex->call.error, false);
}

static void test_finished(struct cria_exchange *ex, bool complete)
{
    struct server *s = server_of(ex);
    pthread_mutex_lock(&s->lock);
    *(complete ? &s->whole : &s->cut) += 1;
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->lock);
}

static void *run_loop(void *loop)
{
    cria_loop_run(loop);
    return NULL;
}

/** Ample limits; a test makes small what it is about. */
static inline struct cria_http_options test_options(void)
{
    return (struct cria_http_options){.max_header_bytes = 16384,
                                      .max_json_bytes = MIB,
                                      .max_upload_bytes = 16 * MIB,
                                      .arena_bytes = 64 * MIB,
                                      .header_timeout_ms = 60000,
                                      .body_min_bytes_per_s = 1,
                                      .idle_timeout_ms = 60000,
                                      .write_stall_ms = 60000,
                                      .keep_alive_ms = 60000,
                                      .max_connections = 1000,
                                      .cors_origins = ""};
}

/** On the heap, so that a test that fails may leave it running. */
static inline struct server *server_prepare(struct cria_http_options options, size_t loop_count)
{
    struct server *s = malloc(sizeof(*s));
    assert_non_null(s);
    *s = (struct server){.spool = "/tmp/cria-http-XXXXXX", .loop_count = loop_count};
    assert_non_null(mkdtemp(s->spool));
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->news, NULL);
    cria_arena_init(&s->arena, MIB);
    cria_call_init(&s->call, &s->arena);
    assert_int_equal(cria_pool_new("test", 3, &s->pool), CRIA_OK);
    for (size_t i = 0; i < loop_count; i++) assert_int_equal(cria_loop_new(&s->loops[i]), CRIA_OK);
    options.routes = test_routes;
    options.route_count = CRIA_COUNT(test_routes);
    options.hooks = (struct cria_http_hooks){test_admit, test_refuse, test_finished};
    options.app = s;
    options.pool = s->pool;
    options.spool_dir = s->spool;
    assert_int_equal(cria_http_new(&options, &s->call, &s->http), CRIA_OK);
    return s;
}

static inline void server_run(struct server *s)
{
    for (size_t i = 0; i < s->loop_count; i++)
        assert_int_equal(pthread_create(&s->threads[i], NULL, run_loop, s->loops[i]), 0);
    s->is_running = true;
}

static inline struct server *server_start(struct cria_http_options options)
{
    signal(SIGPIPE, SIG_IGN); /* as the program does: a peer that left is an errno here */
    struct server *s = server_prepare(options, 1);
    assert_int_equal(cria_http_listen(s->http, &s->call, s->loops, 1, "127.0.0.1:0"), CRIA_OK);
    server_run(s);
    return s;
}

static inline void server_stop(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_gate_open = true;
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->loop_count && s->is_running; i++) {
        cria_loop_stop(s->loops[i]);
        pthread_join(s->threads[i], NULL);
    }
    cria_pool_free(s->pool);
    cria_http_free(s->http);
    if (s->source.ex) cria_exchange_unref(s->source.ex);
    for (size_t i = 0; i < s->loop_count; i++) cria_loop_free(s->loops[i]);
    cria_arena_release(&s->arena);
    pthread_cond_destroy(&s->news);
    pthread_mutex_destroy(&s->lock);
    assert_int_equal(rmdir(s->spool), 0); /* so nothing is left in it */
    free(s);
}

/* ---- the client */

static inline int dial_with(const struct server *s, int receive_bytes)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = PATIENCE_S};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)cria_http_port(s->http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (receive_bytes) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0) return fd;
    close(fd);
    return -1;
}

static inline int dial(const struct server *s)
{
    int fd = dial_with(s, 0);
    assert_true(fd >= 0);
    return fd;
}

/** False when the peer will not take it any more. */
static inline bool tell(int fd, struct cria_str bytes)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = cria_str_sub(bytes, (size_t)n, bytes.len);
    }
    return true;
}

/** One read more. False at the end, or when the peer reset; a silent peer fails the test. */
static inline bool hear(int fd, struct cria_buf *out)
{
    assert_true(cria_buf_reserve(out, 65536));
    ssize_t n = recv(fd, out->ptr + out->len, 65536, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        fail_msg("the server is silent after '%.*s'", (int)(out->len < 200 ? out->len : 200),
                 out->ptr ? out->ptr : "");
    if (n > 0) out->len += (size_t)n;
    return n > 0;
}

/** Whether the peer is silent for `ms`, neither speaking nor closing. */
static inline bool is_silent(int fd, int ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, ms) == 0;
}

struct answer {
    int status;
    struct cria_str head, body; /* in the buffer it was read into */
    struct cria_buf plain;      /* body without its chunks */
    bool is_chunked;
};

/** A header of an answer; {NULL, 0} when it has none. */
static inline struct cria_str answer_header(const struct answer *answer, const char *name)
{
    struct cria_str rest = answer->head, line, key;
    while (rest.len) {
        cria_str_cut(&rest, '\n', &line);
        if (cria_str_cut(&line, ':', &key) && cria_str_equal_nocase(key, cria_str_from(name)))
            return cria_str_trim(line);
    }
    return (struct cria_str){0};
}

/* The number at the front of a line; a copy, for strtoul wants an end. */
static inline size_t number_at(struct cria_str line, int base)
{
    char copy[24];
    snprintf(copy, sizeof(copy), "%.*s", (int)(line.len < 20 ? line.len : 20), line.ptr);
    return strtoul(copy, NULL, base);
}

/* How many bytes of `in` a chunked body takes, its content appended to out; 0: not whole yet. */
static inline size_t unchunk(struct cria_str in, struct cria_buf *out)
{
    size_t at = 0;
    cria_buf_clear(out);
    for (;;) {
        struct cria_str rest = cria_str_sub(in, at, in.len);
        size_t end = cria_str_find(rest, CRIA_STR("\r\n"));
        if (end == SIZE_MAX) return 0;
        size_t size = number_at(rest, 16);
        if (rest.len < end + 2 + size + 2) return 0;
        cria_buf_add(out, cria_str_sub(rest, end + 2, size));
        assert_memory_equal(rest.ptr + end + 2 + size, "\r\n", 2);
        at += end + 2 + size + 2;
        if (size == 0) return at;
    }
}

/** Reads one whole answer from the front of buf, which is filled from fd as needed; drops nothing:
 * *at moves behind it. False: the peer closed before. */
static inline bool read_answer(int fd, struct cria_buf *buf, size_t *at, bool is_head,
                               struct answer *answer)
{
    cria_buf_release(&answer->plain);
    *answer = (struct answer){.plain = {.limit = 64 * MIB}};
    for (;;) {
        struct cria_str all = cria_buf_str(buf), rest = cria_str_sub(all, *at, all.len);
        size_t end = cria_str_find(rest, CRIA_STR("\r\n\r\n"));
        if (end != SIZE_MAX) {
            answer->head = cria_str_sub(rest, 0, end + 4);
            assert_true(cria_str_starts(answer->head, "HTTP/1.1 "));
            answer->status = (int)number_at(cria_str_sub(answer->head, 9, 3), 10);
            struct cria_str length = answer_header(answer, "content-length");
            bool is_bare = is_head || answer->status == 204 || answer->status == 100;
            rest = cria_str_sub(rest, end + 4, rest.len);
            answer->is_chunked = cria_str_is(answer_header(answer, "transfer-encoding"), "chunked");
            int64_t size = 0;
            if (answer->is_chunked && !is_bare) {
                size = (int64_t)unchunk(rest, &answer->plain);
                if (size) answer->body = cria_buf_str(&answer->plain);
            } else if (!is_bare) {
                assert_true(cria_str_to_int64(length, &size));
                answer->body = cria_str_sub(rest, 0, (size_t)size);
            }
            if (rest.len >= (size_t)size && (size || !answer->is_chunked || is_bare)) {
                *at += end + 4 + (size_t)size;
                return true;
            }
        }
        if (!hear(fd, buf)) return false;
    }
}

/** One request on a connection of its own, one answer. */
static inline int ask(const struct server *s, const char *request, struct answer *answer,
                      struct cria_buf *buf)
{
    size_t at = 0;
    int fd = dial(s);
    cria_buf_clear(buf);
    assert_true(tell(fd, cria_str_from(request)));
    assert_true(
        read_answer(fd, buf, &at, cria_str_starts(cria_str_from(request), "HEAD "), answer));
    close(fd);
    return answer->status;
}

static inline unsigned count_of(struct cria_str text, const char *what)
{
    unsigned n = 0;
    for (size_t at; (at = cria_str_find(text, cria_str_from(what))) != SIZE_MAX; n++)
        text = cria_str_sub(text, at + 1, text.len);
    return n;
}

#endif
