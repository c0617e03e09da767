/* conn.c - one connection, from accept to close.
 * Room: http; uses libuv, llhttp. Thread: its lane's loop, so no locks.
 *
 *   HEAD --> BODY <--> FLUSH      BODY --> WORK --> REPLY --> HEAD (keep-alive)
 *     |                                      |         \----> LINGER --> CLOSED
 *     \--> (no body) WORK                    \--> STREAM --/      any --> CLOSED
 *
 * A header is gathered whole before llhttp sees it, which makes it easy to refuse what no parser
 * should guess at. Bytes that come while an exchange is worked on wait in `pending`, up to a limit;
 * then reading stops. */
#include "http/conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/fault.h"
#include "platform/clock.h"

enum { PENDING_BYTES = 65536, LINGER_MS = 1000 };

struct write {
    uv_write_t uv;
    struct cria_conn *conn;
    size_t len;
    char bytes[];
};

static void process(struct cria_conn *conn, struct cria_str bytes);
static void linger(struct cria_conn *conn);

static uint64_t after_ms(const struct cria_conn *conn, uint64_t ms)
{
    return conn->lane->now_ns + ms * 1000000;
}

static void on_close(uv_handle_t *handle)
{
    struct cria_conn *conn = handle->data;
    struct cria_lane *lane = conn->lane;
    if (conn->next) conn->next->previous = conn->previous;
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        lane->conns = conn->next;
    lane->conn_count--;
    atomic_fetch_sub(&lane->server->connections, 1);
    cria_buf_release(&conn->head);
    cria_buf_release(&conn->pending);
    free(conn);
}

void cria_conn_close(struct cria_conn *conn)
{
    if (conn->state == CRIA_CONN_CLOSED) return;
    conn->state = CRIA_CONN_CLOSED;
    struct cria_exchange_own *own = conn->own;
    conn->own = NULL;
    if (own) cria_exchange_orphan(own);
    uv_close(&conn->uv.handle, on_close);
}

/* ---- reading
 * ------------------------------------------------------------------------------------------ */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    const struct cria_conn *conn = handle->data;
    (void)suggested;
    *out = uv_buf_init(conn->lane->read_buffer, CRIA_READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct cria_conn *conn = stream->data;
    if (count == 0) return;
    conn->lane->now_ns = cria_now_ns();
    if (count < 0) {
        cria_conn_close(conn);
        return;
    }
    process(conn, cria_str_make(buffer->base, (size_t)count));
}

static void read_more(struct cria_conn *conn)
{
    if (conn->is_reading || conn->state == CRIA_CONN_CLOSED) return;
    conn->is_reading = uv_read_start(&conn->uv.stream, on_alloc, on_read) == 0;
}

static void read_less(struct cria_conn *conn)
{
    if (conn->is_reading) uv_read_stop(&conn->uv.stream);
    conn->is_reading = false;
}

/* Bytes that came before it is their turn. */
static void put_off(struct cria_conn *conn, struct cria_str bytes)
{
    cria_buf_add(&conn->pending, bytes);
    if (conn->pending.failed)
        cria_conn_close(
            conn); /* more than one read beyond a full buffer cannot be, so: no memory */
    else if (conn->pending.len >= PENDING_BYTES)
        read_less(conn);
}

/* Where the header ends (behind its empty line), SIZE_MAX when it has not. */
static size_t head_end(const struct cria_buf *head, size_t from)
{
    size_t start = from > 3 ? from - 3 : 0;
    size_t at =
        cria_str_find(cria_str_sub(cria_buf_str(head), start, head->len), CRIA_STR("\r\n\r\n"));
    return at == SIZE_MAX ? SIZE_MAX : start + at + 4;
}

/* Whether the bytes from `from` on hold one that no header may hold, so that it need not be waited
 * for its end, which may never come. */
static bool is_hopeless(const struct cria_buf *head, size_t from)
{
    for (size_t i = from; i < head->len; i++) {
        bool is_bare_lf = head->ptr[i] == '\n' && (i == 0 || head->ptr[i - 1] != '\r');
        if (head->ptr[i] == '\0' || is_bare_lf) return true;
    }
    return false;
}

/* Takes bytes of a header; gives back how many belong to it. */
static size_t take_head(struct cria_conn *conn, struct cria_str bytes)
{
    size_t before = conn->head.len, limit = conn->lane->server->options.max_header_bytes + 8192;
    size_t skipped = 0;
    while (before == 0 && bytes.len && (bytes.ptr[0] == '\r' || bytes.ptr[0] == '\n')) {
        bytes =
            cria_str_sub(bytes, 1, bytes.len); /* RFC 9112 2.2: an empty line before a request */
        skipped++;
    }
    if (bytes.len == 0) return skipped;
    if (before == 0)
        conn->deadline_ns = after_ms(conn, conn->lane->server->options.header_timeout_ms);
    size_t room = limit - (before < limit ? before : limit),
           take = bytes.len < room ? bytes.len : room;
    cria_buf_add(&conn->head, cria_str_sub(bytes, 0, take));
    size_t end = head_end(&conn->head, before);
    if (end == SIZE_MAX && take == bytes.len && !conn->head.failed &&
        !is_hopeless(&conn->head, before))
        return skipped + take;
    struct cria_str head =
        cria_str_sub(cria_buf_str(&conn->head), 0, end == SIZE_MAX ? conn->head.len : end);
    conn->deadline_ns = 0;
    bool good = cria_request_begin(conn, head);
    cria_buf_release(&conn->head);
    if (!good) return skipped + bytes.len; /* answered; nothing more is read as a request */
    return skipped + end - before;
}

static void process_once(struct cria_conn *conn, struct cria_str *bytes)
{
    size_t used;
    switch (conn->state) {
    case CRIA_CONN_HEAD:
        used = take_head(conn, *bytes);
        *bytes = cria_str_sub(*bytes, used, bytes->len);
        return;
    case CRIA_CONN_BODY:
        conn->read_ns = conn->lane->now_ns;
        used = cria_request_body(conn, *bytes);
        *bytes = cria_str_sub(*bytes, used, bytes->len);
        return;
    case CRIA_CONN_FLUSH:
    case CRIA_CONN_WORK:
    case CRIA_CONN_REPLY:
    case CRIA_CONN_STREAM: put_off(conn, *bytes); break;
    case CRIA_CONN_LINGER:
    case CRIA_CONN_CLOSED: break;
    }
    bytes->len = 0;
}

static void process(struct cria_conn *conn, struct cria_str bytes)
{
    conn->is_processing = true;
    while (bytes.len) process_once(conn, &bytes);
    conn->is_processing = false;
}

/* Takes up what waited. A reply may be finished inside process(), so this loops instead of
 * recursing. */
static void process_pending(struct cria_conn *conn)
{
    if (conn->is_processing) return;
    while (conn->pending.len && (conn->state == CRIA_CONN_HEAD || conn->state == CRIA_CONN_BODY)) {
        struct cria_buf taken = conn->pending;
        cria_buf_init(&conn->pending, taken.limit);
        process(conn, cria_buf_str(&taken));
        cria_buf_release(&taken);
    }
    if (conn->state != CRIA_CONN_CLOSED && conn->pending.len < PENDING_BYTES) read_more(conn);
}

void cria_conn_resume(struct cria_conn *conn)
{
    process_pending(conn);
}

/* ---- writing
 * ------------------------------------------------------------------------------------------ */

static void written(struct cria_conn *conn)
{
    conn->stalled_ns = 0;
    if (conn->own)
        cria_exchange_written(conn->own);
    else if (conn->after_write_close)
        linger(conn);
}

static void on_write(uv_write_t *request, int status)
{
    struct write *write = CRIA_CONTAINER(request, struct write, uv);
    struct cria_conn *conn = write->conn;
    free(write);
    conn->is_writing = false;
    if (conn->state == CRIA_CONN_CLOSED) return;
    conn->lane->now_ns = cria_now_ns();
    if (status < 0)
        cria_conn_close(conn);
    else
        written(conn);
}

void cria_conn_send(struct cria_conn *conn, struct cria_str first, struct cria_str second)
{
    uv_buf_t buffers[2] = {uv_buf_init((char *)(uintptr_t)first.ptr, (unsigned)first.len),
                           uv_buf_init((char *)(uintptr_t)second.ptr, (unsigned)second.len)};
    size_t total = first.len + second.len, done = 0;
    int n = uv_try_write(&conn->uv.stream, buffers, second.len ? 2 : 1);
    if (n < 0 && n != UV_EAGAIN) {
        cria_conn_close(conn);
        return;
    }
    if (n > 0) done = (size_t)n;
    if (conn->own) conn->own->ex.sent_bytes += total;
    conn->sent_ns = conn->lane->now_ns;
    if (done == total) {
        written(conn);
        return;
    }
    struct write *write = malloc(sizeof(*write) + total - done);
    if (!write) {
        cria_conn_close(conn);
        return;
    }
    write->conn = conn;
    write->len = total - done;
    size_t of_first = done < first.len ? first.len - done : 0;
    if (of_first) memcpy(write->bytes, first.ptr + done, of_first);
    if (second.len) {
        size_t skip = done > first.len ? done - first.len : 0;
        memcpy(write->bytes + of_first, second.ptr + skip, second.len - skip);
    }
    uv_buf_t rest = uv_buf_init(write->bytes, (unsigned)write->len);
    conn->is_writing = true;
    conn->stalled_ns = conn->lane->now_ns;
    conn->stalled_bytes = write->len;
    if (uv_write(&write->uv, &conn->uv.stream, &rest, 1, on_write) != 0) {
        conn->is_writing = false;
        free(write);
        cria_conn_close(conn);
    }
}

/* ---- the end of an exchange, and of a connection
 * --------------------------------------------------------- */

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)status;
    free(request);
}

/* Says that no more comes, then waits a moment for the peer to read: closing at once would reset
 * what it has not read yet. */
static void linger(struct cria_conn *conn)
{
    uv_shutdown_t *request = malloc(sizeof(*request));
    conn->state = CRIA_CONN_LINGER;
    conn->after_write_close = false;
    conn->deadline_ns = after_ms(conn, LINGER_MS);
    cria_buf_release(&conn->pending);
    if (!request || uv_shutdown(request, &conn->uv.stream, on_shutdown) != 0) {
        free(request);
        cria_conn_close(conn);
        return;
    }
    read_more(conn);
}

void cria_conn_done(struct cria_conn *conn)
{
    struct cria_exchange_own *own = conn->own;
    bool closes = own->closes || atomic_load(&conn->lane->server->is_draining);
    conn->own = NULL;
    own->conn = NULL;
    conn->lane->server->options.hooks.finished(&own->ex, true);
    cria_exchange_free_memory(own);
    cria_exchange_unref(&own->ex);
    if (closes) {
        linger(conn);
        return;
    }
    conn->state = CRIA_CONN_HEAD;
    conn->deadline_ns = after_ms(conn, conn->lane->server->options.idle_timeout_ms);
    process_pending(conn);
}

/* Whether the peer has taken nothing of a write for too long. */
static bool is_stalled(struct cria_conn *conn, uint64_t now_ns, uint32_t limit_ms)
{
    if (!conn->stalled_ns) return false;
    size_t left = uv_stream_get_write_queue_size(&conn->uv.stream);
    if (left < conn->stalled_bytes) {
        conn->stalled_bytes = left;
        conn->stalled_ns = now_ns;
    }
    return now_ns - conn->stalled_ns > (uint64_t)limit_ms * 1000000;
}

/* Too few bytes on the whole, or, however many there were, none for long: a peer that is gone. */
static bool is_slow_body(const struct cria_conn *conn, uint64_t now_ns,
                         const struct cria_http_options *options)
{
    uint64_t ms = (now_ns - conn->body_started_ns) / 1000000;
    if (now_ns - conn->read_ns > (uint64_t)options->write_stall_ms * 1000000) return true;
    return ms > options->header_timeout_ms &&
           conn->body_bytes * 1000 < (uint64_t)options->body_min_bytes_per_s * ms;
}

void cria_conn_tick(struct cria_conn *conn, uint64_t now_ns)
{
    const struct cria_http_options *options = &conn->lane->server->options;
    if (conn->state == CRIA_CONN_CLOSED) return;
    if (is_stalled(conn, now_ns, options->write_stall_ms)) {
        cria_conn_close(conn);
        return;
    }
    if (conn->state == CRIA_CONN_BODY) {
        if (is_slow_body(conn, now_ns, options))
            cria_exchange_error(&conn->own->ex, 408, "The request body came too slowly", true);
        return;
    }
    if (conn->state == CRIA_CONN_STREAM && conn->own->is_events && !conn->is_writing &&
        now_ns - conn->sent_ns > (uint64_t)options->keep_alive_ms * 1000000) {
        bool is_framed = !conn->own->is_old;
        cria_conn_send(conn,
                       is_framed ? CRIA_STR("d\r\n: keep-alive\n\r\n") : CRIA_STR(": keep-alive\n"),
                       (struct cria_str){0});
        return;
    }
    if (!conn->deadline_ns || now_ns < conn->deadline_ns) return;
    if (conn->state == CRIA_CONN_HEAD && conn->head.len) {
        conn->deadline_ns = 0;
        conn->state = CRIA_CONN_LINGER;
        conn->after_write_close = true;
        cria_conn_send(conn,
                       CRIA_STR("HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\n"
                                "Connection: close\r\nContent-Length: 47\r\n\r\n"
                                "{\"detail\":\"The request header came too slowly\"}"),
                       (struct cria_str){0});
        return;
    }
    cria_conn_close(conn);
}

/* ---- the beginning
 * ------------------------------------------------------------------------------------ */

static void set_tcp(struct cria_conn *conn)
{
    uv_tcp_nodelay(&conn->uv.tcp, 1);
#ifdef TCP_USER_TIMEOUT
    /* A peer whose cable was cut: else the kernel goes on sending for a quarter of an hour. */
    unsigned ms = conn->lane->server->options.write_stall_ms;
    int fd;
    if (uv_fileno(&conn->uv.handle, &fd) == 0)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
#endif
}

static void on_refused_close(uv_handle_t *handle)
{
    free(handle->data);
}

void cria_conn_accept(struct cria_lane *lane, uv_stream_t *listener, bool is_control)
{
    struct cria_conn *conn = cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : calloc(1, sizeof(*conn));
    if (!conn) { /* libuv accepts no more until this one is taken: the next tick tries again */
        *(is_control ? &lane->owes_control : &lane->owes_tcp) = true;
        return;
    }
    conn->lane = lane;
    if (is_control)
        uv_pipe_init(lane->uv, &conn->uv.pipe, 0);
    else
        uv_tcp_init(lane->uv, &conn->uv.tcp);
    conn->uv.handle.data = conn;
    if (uv_accept(listener, &conn->uv.stream) != 0) {
        uv_close(&conn->uv.handle, on_refused_close);
        return;
    }
    if (!is_control) set_tcp(conn);
    conn->is_control = is_control;
    conn->next = lane->conns;
    if (lane->conns) lane->conns->previous = conn;
    lane->conns = conn;
    lane->conn_count++;
    atomic_fetch_add(&lane->server->connections, 1);
    cria_buf_init(&conn->head, SIZE_MAX);
    cria_buf_init(&conn->pending, PENDING_BYTES + CRIA_READ_BYTES);
    lane->now_ns = cria_now_ns();
    conn->deadline_ns = after_ms(conn, lane->server->options.idle_timeout_ms);
    if (lane->conn_count > lane->server->options.max_connections) {
        conn->after_write_close = true;
        conn->state = CRIA_CONN_LINGER;
        cria_conn_send(
            conn,
            CRIA_STR("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
                     "Connection: close\r\nRetry-After: 1\r\nContent-Length: 33\r\n\r\n"
                     "{\"detail\":\"Too many connections\"}"),
            (struct cria_str){0});
        return;
    }
    read_more(conn);
}
