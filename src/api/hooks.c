/* hooks.c - what happens around every request: who is let in before its body is read, and what is
 * noted when it is over. Thread: the connection's loop. */
#include "api/handler.h"
#include "api/metrics.h"
#include "base/log.h"
#include "platform/clock.h"

enum { LOG_BYTES = 2048 };

/* ---- before */

/* Without the port: "[::1]:80" gives "[::1]". */
static struct cria_str host_name(struct cria_str host)
{
    size_t at = host.len;
    while (at > 0 && host.ptr[at - 1] >= '0' && host.ptr[at - 1] <= '9') at--;
    if (at > 0 && at < host.len && host.ptr[at - 1] == ':') return cria_str_sub(host, 0, at - 1);
    return host;
}

/* "https://docs.example.org:8443/x" gives "docs.example.org:8443". */
static struct cria_str authority_of(struct cria_str url)
{
    size_t at = cria_str_find(url, CRIA_STR("://"));
    struct cria_str rest = at == SIZE_MAX ? url : cria_str_sub(url, at + 3, url.len), head;
    cria_str_cut(&rest, '/', &head);
    return head;
}

static bool is_number_address(struct cria_str name)
{
    if (name.len && name.ptr[0] == '[') return true;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != '.' && (name.ptr[i] < '0' || name.ptr[i] > '9')) return false;
    return name.len > 0;
}

/* A name that some page's owner could point at this machine (DNS rebinding) has a dot in it. */
static bool is_own_host(const struct cria_app *app, struct cria_str host)
{
    struct cria_str name = host_name(host);
    if (name.len == 0 || !memchr(name.ptr, '.', name.len) || is_number_address(name)) return true;
    if (cria_str_ends(name, ".localhost")) return true;
    return app->public_url.len &&
           cria_str_equal_nocase(name, host_name(authority_of(app->public_url)));
}

static bool is_own_origin(const struct cria_app *app, struct cria_str origin, struct cria_str host)
{
    struct cria_str rest = app->cors_origins, one;
    struct cria_str authority = authority_of(origin);
    if (cria_str_equal_nocase(authority, host)) return true;
    if (app->public_url.len && cria_str_equal_nocase(authority, authority_of(app->public_url)))
        return true;
    while (rest.len) {
        cria_str_cut(&rest, ',', &one);
        if (cria_str_equal(cria_str_trim(one), origin)) return true;
    }
    return false;
}

/* Where no key is needed, a browser on this machine must not be made to act for a foreign page. */
static enum cria_status check_browser(struct cria_exchange *ex)
{
    const struct cria_app *app = cria_app_of(ex);
    struct cria_str host = cria_request_header(ex, "host");
    struct cria_str origin = cria_request_header(ex, "origin");
    if (!is_own_host(app, host))
        return cria_fail(&ex->call, CRIA_E_FORBIDDEN, "Not served under this Host without a key");
    bool is_write = ex->request.method != CRIA_GET && ex->request.method != CRIA_HEAD;
    if (is_write && origin.len && !is_own_origin(app, origin, host))
        return cria_fail(&ex->call, CRIA_E_FORBIDDEN, "Not served to this Origin without a key");
    return CRIA_OK;
}

static enum cria_status admit(struct cria_exchange *ex)
{
    struct cria_call *call = &ex->call;
    unsigned flags = ex->route->flags;
    if (flags & CRIA_ROUTE_ADMIN) { /* routed to on the control socket only */
        call->principal.is_admin = call->principal.may_write = true;
        return CRIA_OK;
    }
    if (flags & CRIA_ROUTE_OPEN) return CRIA_OK;
    enum cria_status st = cria_account_admit(
        cria_app_of(ex)->account, call, cria_request_header(ex, "authorization"), ex->request.peer);
    if (st != CRIA_OK) return st;
    if (!call->principal.key_id[0]) st = check_browser(ex);
    if (st == CRIA_OK && (flags & CRIA_ROUTE_WRITE) && !call->principal.may_write)
        return cria_fail(call, CRIA_E_FORBIDDEN, "This key may only read");
    return st;
}

/* ---- after */

static uint64_t received_bytes(const struct cria_request *request)
{
    uint64_t bytes = request->body.len;
    for (size_t i = 0; i < request->part_count; i++) bytes += request->parts[i].size_bytes;
    return bytes;
}

static const char *method_name(enum cria_method method)
{
    switch (method) {
    case CRIA_GET: return "GET";
    case CRIA_POST: return "POST";
    case CRIA_PUT: return "PUT";
    case CRIA_PATCH: return "PATCH";
    case CRIA_DELETE: return "DELETE";
    case CRIA_HEAD: return "HEAD";
    case CRIA_OPTIONS: return "OPTIONS";
    }
    return "?";
}

/* Ids of ours and numbers only: nothing that a user wrote. */
static void write_log(const struct cria_exchange *ex, uint64_t ns, uint64_t received, bool complete)
{
    struct cria_buf buf;
    int64_t retries;
    const struct cria_principal *principal = &ex->call.principal;
    cria_buf_init(&buf, LOG_BYTES);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "request_id", ex->call.request_id);
    cria_out_member_z(&out, "method", method_name(ex->request.method));
    cria_out_member_z(&out, "route", ex->route ? ex->route->name : "none");
    cria_out_member_int(&out, "status", ex->status);
    cria_out_member_real(&out, "ms", (double)ns / 1e6);
    cria_out_member_int(&out, "bytes_in", (int64_t)received);
    cria_out_member_int(&out, "bytes_out", (int64_t)ex->sent_bytes);
    if (!complete) cria_out_member_bool(&out, "cut", true);
    if (principal->key_id[0]) cria_out_member_z(&out, "key_id", principal->key_id);
    if (principal->project_id[0]) cria_out_member_z(&out, "project_id", principal->project_id);
    if (cria_str_to_int64(cria_request_header(ex, "x-stainless-retry-count"), &retries) && retries)
        cria_out_member_int(&out, "retries", retries);
    cria_out_end(&out);
    if (!buf.failed) cria_log_json(CRIA_LOG_INFO, "http.request", buf.ptr + 1, buf.len - 2);
    cria_buf_release(&buf);
}

static void finished(struct cria_exchange *ex, bool complete)
{
    const struct cria_app *app = cria_app_of(ex);
    uint64_t now_ns = cria_now_ns();
    uint64_t ns = now_ns > ex->started_ns ? now_ns - ex->started_ns : 0;
    uint64_t received = received_bytes(&ex->request);
    if (app->metrics) cria_metrics_count(app->metrics, ex, ns, received);
    if (cria_log_on(CRIA_LOG_INFO)) write_log(ex, ns, received, complete);
}

struct cria_http_hooks cria_api_hooks(void)
{
    return (struct cria_http_hooks){.admit = admit, .refuse = cria_reply, .finished = finished};
}
