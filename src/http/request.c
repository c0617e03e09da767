/* request.c - from header and body bytes to an exchange its handler can work on.
 * Room: http. What llhttp (strict) lets pass and we do not: folded lines, bare CR or LF, other
 * transfer codings than `chunked`, a length beside it, no Host or two, another version than 1.0
 * and 1.1. */
#include <stdlib.h>

#include "http/conn.h"
#include "http/cors.h"
#include "http/router.h"
#include "platform/clock.h"
#include "platform/crypto.h"

enum {
    MAX_HEADERS = 100,
    MAX_REQUEST_LINE = 8192,
    REQUEST_ID_BYTES = 40,
    FRAMING_BYTES = 65536, /* of chunk heads and trailers, beside… */
    FRAMING_PER_BYTE = 16  /* … these for each byte of a body */
};

/* ---- llhttp's callbacks: the header arrives in one piece, so each span is whole
 * --------------------------- */

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct cria_conn *conn = parser->data;
    conn->parsing->ex.request.target =
        cria_arena_copy(&conn->parsing->arena, cria_str_make(at, len));
    return conn->parsing->arena.failed ? -1 : 0;
}

static struct cria_param *headers_of(struct cria_conn *conn)
{
    return (struct cria_param *)(uintptr_t)conn->parsing->ex.request.headers;
}

static int on_name(llhttp_t *parser, const char *at, size_t len)
{
    struct cria_conn *conn = parser->data;
    struct cria_request *request = &conn->parsing->ex.request;
    if (conn->state == CRIA_CONN_BODY) return 0; /* a trailer: read and dropped */
    if (request->header_count == MAX_HEADERS) return -1;
    char *name = cria_arena_z(&conn->parsing->arena, cria_str_make(at, len));
    if (!name) return -1;
    for (size_t i = 0; i < len; i++)
        if (name[i] >= 'A' && name[i] <= 'Z') name[i] = (char)(name[i] + 32);
    headers_of(conn)[request->header_count++] = (struct cria_param){{name, len}, CRIA_STR("")};
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct cria_conn *conn = parser->data;
    struct cria_request *request = &conn->parsing->ex.request;
    if (conn->state == CRIA_CONN_BODY) return 0;
    struct cria_param *header = &headers_of(conn)[request->header_count - 1];
    header->value = cria_arena_copy(&conn->parsing->arena, cria_str_trim(cria_str_make(at, len)));
    return header->value.ptr ? 0 : -1;
}

static int on_headers(llhttp_t *parser)
{
    parser->upgrade =
        0; /* nothing else is spoken here: an Upgrade is ignored, as RFC 9110 7.8 allows */
    return HPE_PAUSED;
}

static uint64_t body_limit(const struct cria_exchange_own *own)
{
    const struct cria_http_options *options = &own->lane->server->options;
    return own->ex.route->body == CRIA_BODY_MULTIPART ? options->max_upload_bytes
                                                      : options->max_json_bytes;
}

/* A chunk that cannot fit is refused before it comes. */
static int on_chunk(llhttp_t *parser)
{
    struct cria_conn *conn = parser->data;
    struct cria_exchange_own *own = conn->parsing;
    if (parser->content_length <= body_limit(own) - own->received) return 0;
    conn->body_status = cria_fail(&own->ex.call, CRIA_E_TOO_LARGE, "Request body too large");
    return -1;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct cria_conn *conn = parser->data;
    struct cria_exchange_own *own = conn->parsing;
    struct cria_call *call = &own->ex.call;
    own->received += len; /* within the limit: the length, or each chunk's, was looked at */
    if (own->form)
        conn->body_status = cria_multipart_add(own->form, call, cria_str_make(at, len));
    else if (own->ex.route->body == CRIA_BODY_JSON) {
        cria_buf_add(&own->received_body, cria_str_make(at, len));
        if (own->received_body.failed) conn->body_status = cria_fail_memory(call);
    }
    return conn->body_status == CRIA_OK ? 0 : -1;
}

static int on_whole(llhttp_t *parser)
{
    struct cria_conn *conn = parser->data;
    conn->message_done = true;
    return HPE_PAUSED; /* what follows is the next request */
}

const llhttp_settings_t cria_llhttp_settings = {
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_headers,
    .on_chunk_header = on_chunk,
    .on_body = on_body,
    .on_message_complete = on_whole,
};

/* ---- the header
 * --------------------------------------------------------------------------------------------- */

struct verdict {
    int status; /* 0: fine */
    const char *detail;
};

static const struct verdict fine = {0, NULL};

/* The raw header, before anybody interprets it. */
static struct verdict check_raw(const struct cria_conn *conn, struct cria_str head)
{
    struct cria_str rest = head, line;
    unsigned lines = 0;
    size_t line_end = cria_str_find(head, CRIA_STR("\r\n"));
    if (line_end == SIZE_MAX) line_end = head.len;
    if (line_end > MAX_REQUEST_LINE) return (struct verdict){414, "The request line is too long"};
    if (head.len > conn->lane->server->options.max_header_bytes)
        return (struct verdict){431, "The request header is too large"};
    for (size_t i = 0; i < head.len; i++) {
        char c = head.ptr[i];
        bool bad = c == '\0' || (c == '\r' && (i + 1 == head.len || head.ptr[i + 1] != '\n')) ||
                   (c == '\n' && (i == 0 || head.ptr[i - 1] != '\r'));
        if (bad)
            return (struct verdict){400, "The request header holds a byte that it must not hold"};
    }
    while (cria_str_cut(&rest, '\n', &line)) {
        if (lines++ == 0) continue;
        if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
            return (struct verdict){400, "Folded header lines are not accepted"};
        if (line.ptr[0] == ':') /* which llhttp 8 lets pass */
            return (struct verdict){400, "A header line has no name"};
    }
    if (lines > MAX_HEADERS + 2)
        return (struct verdict){431, "The request has too many header lines"};
    return fine;
}

static unsigned count_header(const struct cria_request *request, const char *name)
{
    unsigned n = 0;
    for (size_t i = 0; i < request->header_count; i++)
        n += cria_str_is(request->headers[i].name, name);
    return n;
}

/* RFC 9110 section 7.2: uri-host [":" port]; an empty one is allowed. */
static bool is_host(struct cria_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.ptr[i];
        if (c <= ' ' || c >= 0x7F || strchr("/?#@\\\"<>^`{|},", c)) return false;
    }
    return true;
}

static struct verdict check_parsed(const struct cria_conn *conn, struct cria_exchange_own *own)
{
    const struct cria_request *request = &own->ex.request;
    struct cria_str length = cria_request_header(&own->ex, "content-length");
    struct cria_str coding = cria_request_header(&own->ex, "transfer-encoding");
    unsigned hosts = count_header(request, "host");
    if (conn->parser.http_major != 1 || conn->parser.http_minor > 1)
        return (struct verdict){505, "Only versions 1.1 and 1.0 of HTTP are spoken here"};
    if (hosts > 1 || (hosts == 0 && conn->parser.http_minor == 1))
        return (struct verdict){400, "Exactly one Host header is wanted"};
    if (!is_host(cria_request_header(&own->ex, "host")))
        return (struct verdict){400, "Host is no host name"};
    if (count_header(request, "content-length") > 1 || (length.ptr && coding.ptr))
        return (struct verdict){400, "The length of the body is told twice"};
    for (size_t i = 0; i < length.len; i++)
        if (length.ptr[i] < '0' || length.ptr[i] > '9')
            return (struct verdict){400, "Content-Length is no number"};
    if (length.ptr && length.len == 0) return (struct verdict){400, "Content-Length is no number"};
    if (coding.ptr &&
        (conn->parser.http_minor == 0 || count_header(request, "transfer-encoding") > 1))
        return (struct verdict){400, "Transfer-Encoding is not acceptable here"};
    if (coding.ptr && !cria_str_is(coding, "chunked"))
        return (struct verdict){501, "The only transfer coding known here is chunked"};
    return fine;
}

static int method_of(uint8_t method)
{
    switch (method) {
    case HTTP_GET: return CRIA_GET;
    case HTTP_POST: return CRIA_POST;
    case HTTP_PUT: return CRIA_PUT;
    case HTTP_PATCH: return CRIA_PATCH;
    case HTTP_DELETE: return CRIA_DELETE;
    case HTTP_HEAD: return CRIA_HEAD;
    case HTTP_OPTIONS: return CRIA_OPTIONS;
    default: return -1;
    }
}

static void take_request_id(struct cria_exchange_own *own)
{
    struct cria_str given = cria_request_header(&own->ex, "x-request-id");
    bool good = given.len > 0 && given.len <= REQUEST_ID_BYTES;
    for (size_t i = 0; i < given.len && good; i++) {
        char c = given.ptr[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_';
    }
    if (!good || !cria_str_copy_z(given, own->ex.call.request_id, sizeof(own->ex.call.request_id)))
        cria_id_new("req-", own->ex.call.request_id);
}

static void take_peer(struct cria_conn *conn, struct cria_exchange_own *own)
{
    struct sockaddr_storage address;
    int size = sizeof(address);
    char *peer = own->ex.request.peer;
    if (conn->is_control ||
        uv_tcp_getpeername(&conn->uv.tcp, (struct sockaddr *)&address, &size) != 0)
        cria_str_copy_z(CRIA_STR("unix"), peer, sizeof(own->ex.request.peer));
    else if (address.ss_family == AF_INET6)
        uv_ip6_name((const struct sockaddr_in6 *)&address, peer, sizeof(own->ex.request.peer));
    else
        uv_ip4_name((const struct sockaddr_in *)&address, peer, sizeof(own->ex.request.peer));
    own->ex.request.from_control = conn->is_control;
}

/* RFC 9112 3.2.2: an absolute target is taken too; of two names for the host neither is right. */
static bool cut_authority(const struct cria_exchange_own *own, struct cria_str *target)
{
    static const struct cria_str scheme = CRIA_STR_INIT("http://");
    struct cria_str host = cria_request_header(&own->ex, "host"), rest;
    if (!cria_str_equal_nocase(cria_str_sub(*target, 0, scheme.len), scheme)) return true;
    rest = cria_str_sub(*target, scheme.len, target->len);
    size_t at = 0;
    while (at < rest.len && rest.ptr[at] != '/' && rest.ptr[at] != '?') at++;
    *target = at < rest.len ? cria_str_sub(rest, at, rest.len) : CRIA_STR("/");
    return cria_str_equal_nocase(cria_str_sub(rest, 0, at), host);
}

/* Splits the target and finds the route. */
static struct verdict find_route(struct cria_conn *conn, struct cria_exchange_own *own,
                                 unsigned *allow)
{
    const struct cria_http_options *options = &conn->lane->server->options;
    struct cria_request *request = &own->ex.request;
    struct cria_str query = request->target, path;
    int method = method_of(conn->parser.method);
    if (!cut_authority(own, &query))
        return (struct verdict){400, "The target names another host than Host does"};
    cria_str_cut(&query, '?', &path);
    request->method = method < 0 ? CRIA_OPTIONS : (enum cria_method)method;
    own->is_head = request->method == CRIA_HEAD;
    enum cria_routing found = cria_router_find(
        options->routes, options->route_count, request->method, path, conn->is_control, &own->arena,
        &own->ex.route, request->path_values, &request->path_count, allow);
    if (found == CRIA_ROUTED && method < 0) found = CRIA_NO_METHOD;
    if (found == CRIA_NO_METHOD) return (struct verdict){405, "Method Not Allowed"};
    if (found == CRIA_NO_ROUTE) return (struct verdict){404, "Not Found"};
    if (!cria_query_split(&own->arena, query, &request->query, &request->query_count))
        return (struct verdict){400, "The query string cannot be read"};
    return fine;
}

static void refuse(struct cria_exchange_own *own, struct verdict verdict, unsigned allow)
{
    struct cria_buf text;
    if (verdict.status == 405) {
        cria_buf_init(&text, 256);
        cria_methods_write(allow, &text);
        cria_exchange_header(&own->ex, "Allow", cria_buf_str(&text));
        cria_buf_release(&text);
    }
    cria_exchange_error(&own->ex, verdict.status, verdict.detail,
                        verdict.status != 404 && verdict.status != 405);
}

static bool has_body(const struct cria_exchange_own *own)
{
    struct cria_str length = cria_request_header(&own->ex, "content-length");
    bool is_zero = true; /* "00" is as good as "0", and as little is waited for */
    for (size_t i = 0; i < length.len; i++) is_zero = is_zero && length.ptr[i] == '0';
    return cria_request_header(&own->ex, "transfer-encoding").ptr || !is_zero;
}

/* Size, then type, as far as the header tells. */
static struct verdict check_body(struct cria_exchange_own *own)
{
    const struct cria_http_options *options = &own->lane->server->options;
    struct cria_str length = cria_request_header(&own->ex, "content-length"), type;
    struct cria_str content_type = cria_request_header(&own->ex, "content-type");
    struct cria_str coding = cria_request_header(&own->ex, "content-encoding");
    enum cria_body_kind kind = own->ex.route->body;
    int64_t bytes = 0;
    bool is_multipart = false;
    if (length.ptr && (!cria_str_to_int64(length, &bytes) || (uint64_t)bytes > body_limit(own)))
        return (struct verdict){413, "Request body too large"};
    if (kind == CRIA_BODY_NONE) return fine;
    if (kind == CRIA_BODY_MULTIPART) {
        struct cria_str boundary = cria_multipart_boundary(content_type, &is_multipart);
        if (!is_multipart) return (struct verdict){415, "Expected multipart/form-data"};
        if (!boundary.ptr) return (struct verdict){400, "The form has no boundary"};
        own->form = cria_multipart_new(&own->arena, boundary, options->spool_dir);
        if (!own->form) return (struct verdict){503, "Out of memory for this request"};
    } else if (content_type.len && has_body(own)) {
        cria_str_cut(&content_type, ';', &type);
        if (!cria_str_equal_nocase(cria_str_trim(type), CRIA_STR("application/json")))
            return (struct verdict){415, "Expected application/json"};
    }
    if (coding.len && !cria_str_equal_nocase(coding, CRIA_STR("identity")))
        return (struct verdict){415, "Request bodies are taken without content coding only"};
    return fine;
}

/* Everything between the header and the first body byte. False: answered. */
static bool admit(struct cria_conn *conn, struct cria_exchange_own *own)
{
    unsigned allow = 0;
    struct cria_str expect = cria_request_header(&own->ex, "expect");
    struct verdict verdict = find_route(conn, own, &allow);
    if (verdict.status == 0 && own->lane->server->options.hooks.admit) {
        enum cria_status st = own->lane->server->options.hooks.admit(&own->ex);
        if (st != CRIA_OK) {
            own->closes = own->closes || has_body(own);
            own->lane->server->options.hooks.refuse(&own->ex, st);
            return false;
        }
    }
    if (verdict.status == 0) verdict = check_body(own);
    if (verdict.status == 0 && expect.ptr &&
        !cria_str_equal_nocase(expect, CRIA_STR("100-continue")))
        verdict = (struct verdict){417, "Only 100-continue can be expected"};
    if (verdict.status == 405 && conn->parser.method == HTTP_OPTIONS &&
        cria_cors_preflight(&own->ex, cria_str_from(own->lane->server->options.cors_origins),
                            allow)) {
        own->closes = own->closes || has_body(own);
        cria_exchange_reply(&own->ex, 204, NULL);
        return false;
    }
    if (verdict.status) {
        own->closes = own->closes || has_body(own);
        refuse(own, verdict, allow);
        return false;
    }
    if (expect.ptr && has_body(own) && !own->is_old) {
        static const char go[] = "HTTP/1.1 100 Continue\r\n\r\n";
        uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)go, sizeof(go) - 1);
        uv_try_write(&conn->uv.stream, &buffer,
                     1); /* a client that misses it sends the body all the same */
    }
    return true;
}

bool cria_request_begin(struct cria_conn *conn, struct cria_str head)
{
    struct cria_exchange_own *own = cria_exchange_new(conn);
    struct cria_param *headers =
        own ? CRIA_NEW_ARRAY(&own->arena, MAX_HEADERS, struct cria_param) : NULL;
    if (!headers) {
        cria_conn_close(conn);
        return false;
    }
    own->ex.request.headers = headers;
    conn->parsing = own;
    conn->message_done = false;
    conn->body_status = CRIA_OK;
    llhttp_init(&conn->parser, HTTP_REQUEST, &cria_llhttp_settings);
    conn->parser.data = conn;
    conn->state =
        CRIA_CONN_REPLY; /* as long as nothing else is decided, an error answer may go out */
    take_peer(conn, own);
    struct verdict verdict = check_raw(conn, head);
    if (verdict.status == 0) {
        llhttp_errno_t code = llhttp_execute(&conn->parser, head.ptr, head.len);
        if (code != HPE_PAUSED)
            verdict = own->arena.failed
                          ? (struct verdict){431, "The request header is too large"}
                          : (struct verdict){400, "The request is not HTTP as it should be"};
    }
    take_request_id(own);
    own->is_old = conn->parser.http_minor == 0;
    if (verdict.status == 0) verdict = check_parsed(conn, own);
    own->closes = verdict.status != 0 || !llhttp_should_keep_alive(&conn->parser);
    if (verdict.status) {
        refuse(own, verdict, 0);
        return false;
    }
    if (!admit(conn, own)) return true; /* the connection may well go on with the next request */
    conn->state = CRIA_CONN_BODY;
    conn->body_started_ns = conn->read_ns = conn->lane->now_ns;
    conn->body_bytes = 0;
    llhttp_resume(&conn->parser);
    if (!has_body(own)) cria_request_body(conn, CRIA_STR(""));
    return true;
}

/* ---- the body
 * -------------------------------------------------------------------------------------------------
 */

static void flush_run(struct cria_job *job)
{
    struct cria_exchange_own *own = CRIA_CONTAINER(job, struct cria_exchange_own, job);
    own->flush_status = cria_multipart_flush(own->form, &own->ex.call);
}

static void flush_done(struct cria_job *job)
{
    struct cria_exchange_own *own = CRIA_CONTAINER(job, struct cria_exchange_own, job);
    struct cria_conn *conn = own->conn;
    if (conn && own->flush_status != CRIA_OK) {
        own->closes = true;
        conn->state = CRIA_CONN_REPLY;
        own->lane->server->options.hooks.refuse(&own->ex, own->flush_status);
    } else if (conn) {
        conn->state = CRIA_CONN_BODY;
        conn->read_ns = cria_now_ns();
        if (conn->message_done)
            cria_request_ready(conn);
        else
            cria_conn_resume(conn);
    }
    if (!own->conn) cria_exchange_free_memory(own);
    cria_exchange_unref(&own->ex);
}

static void flush(struct cria_conn *conn, struct cria_exchange_own *own)
{
    conn->state = CRIA_CONN_FLUSH;
    cria_exchange_ref(&own->ex);
    own->job = (struct cria_job){.run = flush_run, .done = flush_done, .loop = own->lane->loop};
    cria_pool_submit(own->lane->server->options.pool, &own->job);
}

size_t cria_request_body(struct cria_conn *conn, struct cria_str bytes)
{
    struct cria_exchange_own *own = conn->own;
    conn->parsing = own;
    llhttp_errno_t code = llhttp_execute(&conn->parser, bytes.ptr, bytes.len);
    size_t used = bytes.len;
    if (code == HPE_PAUSED) used = (size_t)(llhttp_get_error_pos(&conn->parser) - bytes.ptr);
    conn->body_bytes += used;
    if (conn->body_status != CRIA_OK) {
        own->closes = true;
        conn->state = CRIA_CONN_REPLY;
        own->lane->server->options.hooks.refuse(&own->ex, conn->body_status);
        return bytes.len;
    }
    bool is_all_framing = conn->body_bytes > own->received * (FRAMING_PER_BYTE + 1) + FRAMING_BYTES;
    if ((code != HPE_OK && code != HPE_PAUSED) || is_all_framing) {
        own->closes = true;
        conn->state = CRIA_CONN_REPLY;
        cria_exchange_error(&own->ex, 400, "The request body is not framed as it should be", true);
        return bytes.len;
    }
    if (own->form && cria_multipart_wants_flush(own->form))
        flush(conn, own);
    else if (conn->message_done)
        cria_request_ready(conn);
    return used;
}

static void handle_run(struct cria_job *job)
{
    struct cria_exchange_own *own = CRIA_CONTAINER(job, struct cria_exchange_own, job);
    struct cria_exchange *ex = &own->ex;
    if (own->form) {
        enum cria_status st = cria_multipart_finish(own->form, &ex->call, &ex->request.parts,
                                                    &ex->request.part_count);
        if (st != CRIA_OK) {
            own->lane->server->options.hooks.refuse(ex, st);
            return;
        }
    }
    ex->route->handle(ex);
}

void cria_request_ready(struct cria_conn *conn)
{
    struct cria_exchange_own *own = conn->own;
    conn->state = CRIA_CONN_WORK;
    conn->deadline_ns = 0;
    own->ex.request.body = cria_buf_str(&own->received_body);
    atomic_fetch_add(&conn->lane->server->requests, 1);
    cria_exchange_ref(&own->ex);
    own->is_handled = true; /* the handler's reference, given back when it ends the exchange */
    if (own->ex.route->flags & CRIA_ROUTE_ON_LOOP) {
        own->ex.route->handle(&own->ex);
        return;
    }
    own->job = (struct cria_job){.run = handle_run};
    cria_pool_submit(own->lane->server->options.pool, &own->job);
}
