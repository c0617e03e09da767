/* exchange.c - the answers: whole, from a file, or a stream that is pulled while the reader takes
 * it. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/log.h"
#include "http/conn.h"
#include "http/cors.h"
#include "platform/clock.h"

enum { HEADER_BYTES = 65536, FILE_BYTES = 262144, CHUNK_HEAD = 10, PULLS_AT_ONCE = 16 };

static struct cria_exchange_own *own_of(const struct cria_exchange *ex)
{
    return (struct cria_exchange_own *)(uintptr_t)ex;
}

struct cria_exchange_own *cria_exchange_new(struct cria_conn *conn)
{
    const struct cria_http_options *options = &conn->lane->server->options;
    struct cria_exchange_own *own = calloc(1, sizeof(*own));
    if (!own) return NULL;
    cria_arena_init(&own->arena, options->arena_bytes);
    cria_call_init(&own->ex.call, &own->arena);
    cria_buf_init(&own->ex.body, options->arena_bytes);
    cria_buf_init(&own->headers, HEADER_BYTES);
    cria_buf_init(&own->received_body, options->max_json_bytes + 1);
    own->ex.app = options->app;
    own->ex.started_ns = conn->lane->now_ns;
    own->lane = conn->lane;
    own->conn = conn;
    own->file_fd = -1;
    atomic_init(&own->refs, 1);
    conn->own = own;
    return own;
}

/* What only the request needed: an idle stream keeps the bare exchange. */
void cria_exchange_free_memory(struct cria_exchange_own *own)
{
    struct cria_request *request = &own->ex.request;
    enum cria_method method = request->method;
    bool from_control = request->from_control;
    *request = (struct cria_request){.method = method, .from_control = from_control};
    cria_multipart_free(own->form);
    own->form = NULL;
    cria_arena_release(&own->arena);
    cria_buf_release(&own->ex.body);
    cria_buf_release(&own->headers);
    cria_buf_release(&own->received_body);
    free(own->file_bytes);
    own->file_bytes = NULL;
    if (own->file_fd >= 0) close(own->file_fd);
    own->file_fd = -1;
}

struct cria_exchange *cria_exchange_ref(struct cria_exchange *ex)
{
    atomic_fetch_add(&own_of(ex)->refs, 1);
    return ex;
}

void cria_exchange_unref(struct cria_exchange *ex)
{
    struct cria_exchange_own *own = own_of(ex);
    if (atomic_fetch_sub(&own->refs, 1) != 1) return;
    cria_exchange_free_memory(own);
    free(own);
}

struct cria_loop *cria_exchange_loop(const struct cria_exchange *ex)
{
    return own_of(ex)->lane->loop;
}

struct cria_str cria_request_header(const struct cria_exchange *ex, const char *name)
{
    for (size_t i = 0; i < ex->request.header_count; i++)
        if (cria_str_is(ex->request.headers[i].name, name)) return ex->request.headers[i].value;
    return (struct cria_str){0};
}

struct cria_str cria_request_query(const struct cria_exchange *ex, const char *name)
{
    for (size_t i = 0; i < ex->request.query_count; i++)
        if (ex->request.query[i].value.len && cria_str_is(ex->request.query[i].name, name))
            return ex->request.query[i].value;
    return (struct cria_str){0};
}

/* Nothing in a value may end its line. */
static bool is_header_value(struct cria_str value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7F) return false;
    return true;
}

void cria_exchange_header(struct cria_exchange *ex, const char *name, struct cria_str value)
{
    struct cria_buf *headers = &own_of(ex)->headers;
    if (!is_header_value(value)) return;
    cria_buf_printf(headers, "%s: ", name);
    cria_buf_add(headers, value);
    cria_buf_add(headers, CRIA_STR("\r\n"));
}

/* ---- the ending calls
 * ------------------------------------------------------------------------------------ */

static void end_task(struct cria_task *task)
{
    cria_exchange_end(CRIA_CONTAINER(task, struct cria_exchange_own, task));
}

static void end(struct cria_exchange_own *own)
{
    if (cria_loop_is_current(own->lane->loop)) {
        cria_exchange_end(own);
        return;
    }
    own->task.run = end_task;
    cria_loop_post(own->lane->loop, &own->task);
}

static void set_content_type(struct cria_exchange_own *own, const char *content_type)
{
    own->has_content_type =
        content_type && is_header_value(cria_str_from(content_type)) &&
        cria_str_copy_z(cria_str_from(content_type), own->content_type, sizeof(own->content_type));
}

void cria_exchange_reply(struct cria_exchange *ex, int status, const char *content_type)
{
    struct cria_exchange_own *own = own_of(ex);
    ex->status = status;
    set_content_type(own, content_type);
    own->ending = CRIA_END_REPLY;
    end(own);
}

void cria_exchange_error(struct cria_exchange *ex, int status, const char *detail, bool close)
{
    struct cria_exchange_own *own = own_of(ex);
    struct cria_json_out out;
    cria_buf_clear(&ex->body);
    out = cria_json_out_to(&ex->body);
    cria_out_object(&out);
    cria_out_member_z(&out, "detail", detail);
    cria_out_end(&out);
    own->closes = own->closes || close;
    cria_exchange_reply(ex, status, "application/json");
}

void cria_exchange_file(struct cria_exchange *ex, int status, const char *content_type, int fd,
                        uint64_t offset, uint64_t count)
{
    struct cria_exchange_own *own = own_of(ex);
    ex->status = status;
    set_content_type(own, content_type);
    own->file_fd = fd;
    own->file_offset = offset;
    own->file_left = count;
    own->ending = CRIA_END_FILE;
    end(own);
}

void cria_exchange_stream(struct cria_exchange *ex, const char *content_type,
                          const struct cria_stream_ops *ops, void *self)
{
    struct cria_exchange_own *own = own_of(ex);
    ex->status = 200;
    own->is_events = content_type == NULL;
    set_content_type(own, content_type ? content_type : "text/event-stream; charset=utf-8");
    own->stream_ops = ops;
    own->stream_self = self;
    own->ending = CRIA_END_STREAM;
    end(own);
}

/* ---- on the loop
 * ------------------------------------------------------------------------------------------- */

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {204, "No Content"},
        {206, "Partial Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < CRIA_COUNT(reasons); i++)
        if (reasons[i].status == status) return reasons[i].text;
    return "";
}

static void write_head(struct cria_exchange_own *own, struct cria_buf *head, uint64_t length)
{
    int status = own->ex.status;
    bool is_stream = own->ending == CRIA_END_STREAM, is_bare = status == 204;
    cria_buf_printf(head, "HTTP/1.1 %d %s\r\n", status, reason(status));
    if (own->has_content_type) cria_buf_printf(head, "Content-Type: %s\r\n", own->content_type);
    if (is_stream) {
        cria_buf_add(head, CRIA_STR("Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"));
        if (!own->is_old) cria_buf_add(head, CRIA_STR("Transfer-Encoding: chunked\r\n"));
    } else {
        if (!is_bare) cria_buf_printf(head, "Content-Length: %llu\r\n", (unsigned long long)length);
        cria_buf_add(head, CRIA_STR("Cache-Control: no-store\r\n"));
    }
    cria_buf_printf(head, "X-Content-Type-Options: nosniff\r\nX-Request-Id: %s\r\n",
                    own->ex.call.request_id);
    cria_cors_write(&own->ex, cria_str_from(own->lane->server->options.cors_origins), head);
    cria_buf_add(head, cria_buf_str(&own->headers));
    if (own->closes)
        cria_buf_add(head, CRIA_STR("Connection: close\r\n"));
    else if (own->is_old)
        cria_buf_add(head, CRIA_STR("Connection: keep-alive\r\n"));
    cria_buf_add(head, CRIA_STR("\r\n"));
}

static void start_stream(struct cria_exchange_own *own, struct cria_str head)
{
    struct cria_conn *conn = own->conn;
    atomic_fetch_add(&own->lane->server->streams, 1);
    own->is_streaming = true;
    own->is_pumping = true; /* what follows the head is pulled below, not from inside the send */
    own->is_ended = own->is_head; /* of which there is nothing to pull */
    conn->state = CRIA_CONN_STREAM;
    cria_conn_send(conn, head, (struct cria_str){0});
    cria_exchange_free_memory(own);
    own->is_pumping = false;
    if (own->conn) cria_exchange_pump(own);
}

static void start_answer(struct cria_exchange_own *own)
{
    struct cria_buf head;
    struct cria_str body = cria_buf_str(&own->ex.body);
    cria_buf_init(&head, HEADER_BYTES * 2);
    if (own->ex.body.failed) { /* it did not fit the memory of one request */
        cria_buf_clear(&own->ex.body);
        own->ex.body.failed = false;
        cria_buf_add(&own->ex.body,
                     CRIA_STR("{\"detail\":\"The answer is too large for this server\"}"));
        own->ex.status = 500;
        body = cria_buf_str(&own->ex.body);
    }
    if (own->ending == CRIA_END_STREAM && own->is_old) own->closes = true;
    if (atomic_load(&own->lane->server->is_draining)) own->closes = true;
    write_head(own, &head, own->ending == CRIA_END_FILE ? own->file_left : body.len);
    if (head.failed || own->headers.failed) {
        cria_conn_close(own->conn);
    } else if (own->ending == CRIA_END_STREAM) {
        start_stream(own, cria_buf_str(&head));
    } else {
        own->conn->state = CRIA_CONN_REPLY;
        if (own->is_head || own->ex.status == 204) {
            body.len = 0;
            own->file_left = 0;
        }
        cria_conn_send(own->conn, cria_buf_str(&head),
                       own->ending == CRIA_END_REPLY ? body : (struct cria_str){0});
    }
    cria_buf_release(&head);
}

void cria_exchange_end(struct cria_exchange_own *own)
{
    bool is_handled = own->is_handled;
    own->is_handled = false;
    if (own->conn) {
        start_answer(own);
    } else { /* the peer left meanwhile */
        own->lane->server->options.hooks.finished(&own->ex, false);
        if (own->ending == CRIA_END_STREAM) own->stream_ops->closed(own->stream_self, true);
        cria_exchange_free_memory(own);
    }
    if (is_handled) cria_exchange_unref(&own->ex);
}

/* ---- files: a worker reads a piece, the loop sends it
 * ------------------------------------------------------- */

static void file_run(struct cria_job *job)
{
    struct cria_exchange_own *own = CRIA_CONTAINER(job, struct cria_exchange_own, job);
    size_t count = own->file_left < FILE_BYTES ? (size_t)own->file_left : FILE_BYTES;
    if (!own->file_bytes) own->file_bytes = malloc(FILE_BYTES);
    own->file_got =
        own->file_bytes ? pread(own->file_fd, own->file_bytes, count, (off_t)own->file_offset) : -1;
}

static void file_done(struct cria_job *job)
{
    struct cria_exchange_own *own = CRIA_CONTAINER(job, struct cria_exchange_own, job);
    if (!own->conn) {
        cria_exchange_free_memory(own);
    } else if (own->file_got <= 0) {
        cria_log(CRIA_LOG_ERROR, "http.file", "why='the bytes ended too early'");
        cria_conn_close(
            own->conn); /* the length was promised: a cut connection is the only honest answer */
    } else {
        own->file_offset += (uint64_t)own->file_got;
        own->file_left -= (uint64_t)own->file_got;
        cria_conn_send(own->conn, cria_str_make(own->file_bytes, (size_t)own->file_got),
                       (struct cria_str){0});
    }
    cria_exchange_unref(&own->ex);
}

/* ---- streams
 * ---------------------------------------------------------------------------------------------------
 */

/* "0000001f CRLF … CRLF", and the last chunk behind it at the end. */
static void frame_chunk(struct cria_exchange_own *own, struct cria_buf *buf, bool is_last)
{
    size_t count = buf->len - CHUNK_HEAD;
    if (own->is_old) {
        cria_buf_drop(buf, CHUNK_HEAD);
        return;
    }
    if (count == 0) {
        cria_buf_clear(buf);
    } else {
        char size[CHUNK_HEAD + 1];
        snprintf(size, sizeof(size), "%08zx\r\n", count);
        memcpy(buf->ptr, size, CHUNK_HEAD);
        cria_buf_add(buf, CRIA_STR("\r\n"));
    }
    if (is_last) cria_buf_add(buf, CRIA_STR("0\r\n\r\n"));
}

void cria_exchange_pump(struct cria_exchange_own *own)
{
    struct cria_buf *buf = &own->lane->pull_buffer;
    if (own->is_pumping) return;
    own->is_pumping = true;
    cria_exchange_ref(&own->ex);
    for (unsigned n = 0; own->conn && !own->conn->is_writing && !own->is_ended; n++) {
        if (n == PULLS_AT_ONCE) { /* a fast reader of a long past: others have their turn */
            cria_exchange_wake(&own->ex);
            break;
        }
        cria_buf_clear(buf);
        cria_buf_add(buf, CRIA_STR("00000000\r\n"));
        enum cria_pull pulled = own->stream_ops->pull(own->stream_self, buf, CRIA_PULL_BYTES);
        own->is_ended = pulled == CRIA_PULL_END;
        if (pulled == CRIA_PULL_FAIL)
            cria_log(CRIA_LOG_ERROR, "http.stream", "why='the bytes ended too early'");
        if (pulled == CRIA_PULL_FAIL || buf->failed) {
            cria_conn_close(own->conn); /* without the last chunk: the reader can tell */
            break;
        }
        frame_chunk(own, buf, own->is_ended);
        if (buf->len) cria_conn_send(own->conn, cria_buf_str(buf), (struct cria_str){0});
        if (pulled == CRIA_PULL_WAIT) break;
    }
    own->is_pumping = false;
    if (own->conn && own->is_ended && !own->conn->is_writing) cria_exchange_written(own);
    cria_exchange_unref(&own->ex);
}

static void wake_task(struct cria_task *task)
{
    struct cria_exchange_own *own = CRIA_CONTAINER(task, struct cria_exchange_own, wake_task);
    atomic_store(&own->is_woken, false);
    if (own->conn && own->is_streaming) {
        own->lane->now_ns = cria_now_ns();
        cria_exchange_pump(own);
    }
    cria_exchange_unref(&own->ex);
}

void cria_exchange_wake(struct cria_exchange *ex)
{
    struct cria_exchange_own *own = own_of(ex);
    if (atomic_exchange(&own->is_woken, true)) return;
    cria_exchange_ref(ex);
    own->wake_task.run = wake_task;
    cria_loop_post(own->lane->loop, &own->wake_task);
}

static void close_stream(struct cria_exchange_own *own, bool by_peer)
{
    if (!own->is_streaming) return;
    own->is_streaming = false;
    atomic_fetch_sub(&own->lane->server->streams, 1);
    own->stream_ops->closed(own->stream_self, by_peer);
}

void cria_exchange_written(struct cria_exchange_own *own)
{
    if (own->is_streaming && !own->is_ended) {
        cria_exchange_pump(own);
        return;
    }
    if (own->is_streaming && own->is_pumping) return; /* pump itself goes on */
    if (own->ending == CRIA_END_FILE && own->file_left) {
        cria_exchange_ref(&own->ex);
        own->job = (struct cria_job){.run = file_run, .done = file_done, .loop = own->lane->loop};
        cria_pool_submit(own->lane->server->options.pool, &own->job);
        return;
    }
    close_stream(own, false);
    cria_conn_done(own->conn);
}

void cria_exchange_orphan(struct cria_exchange_own *own)
{
    own->conn = NULL;
    if (!own->is_handled) { /* nobody works on it: a handler that does will find out when it ends */
        own->lane->server->options.hooks.finished(&own->ex, false);
        close_stream(own, true);
    }
    cria_exchange_unref(&own->ex);
}
