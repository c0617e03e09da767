#include "api/reply.h"

#include <stdio.h>

#include "api/handler.h"
#include "base/log.h"
#include "platform/crypto.h"

enum { RETRY_MS = 1000 };

int cria_reply_code(enum cria_status status)
{
    switch (status) {
    case CRIA_OK: return 200;
    case CRIA_E_BAD_REQUEST: return 400;
    case CRIA_E_UNAUTHORIZED: return 401;
    case CRIA_E_FORBIDDEN: return 403;
    case CRIA_E_NOT_FOUND: return 404;
    case CRIA_E_CONFLICT: return 409;
    case CRIA_E_TOO_LARGE: return 413;
    case CRIA_E_MEDIA_TYPE: return 415;
    case CRIA_E_INVALID: return 422;
    case CRIA_E_LIMIT: return 429;
    case CRIA_E_UNAVAILABLE:
    case CRIA_E_NO_MEMORY:
    case CRIA_E_TIMEOUT:
    case CRIA_E_CANCELLED: return 503;
    case CRIA_E_NO_SPACE: return 507;
    case CRIA_E_INTERNAL:
    case CRIA_E_IO:
    case CRIA_E_CORRUPT: return 500;
    }
    return 500;
}

/* When nobody said a sentence, and for what clients need not know. */
static const char *general_words(enum cria_status status)
{
    switch (status) {
    case CRIA_E_BAD_REQUEST: return "Bad request";
    case CRIA_E_UNAUTHORIZED: return "Invalid API key";
    case CRIA_E_FORBIDDEN: return "Not allowed";
    case CRIA_E_NOT_FOUND: return "Not Found";
    case CRIA_E_CONFLICT: return "Conflict";
    case CRIA_E_TOO_LARGE: return "Request body too large";
    case CRIA_E_MEDIA_TYPE: return "Unsupported media type";
    case CRIA_E_INVALID: return "Invalid request";
    case CRIA_E_LIMIT: return "Too many requests";
    case CRIA_E_UNAVAILABLE: return "The server is not ready";
    case CRIA_E_NO_MEMORY: return "The server is short of memory for this request";
    case CRIA_E_TIMEOUT: return "The request took too long";
    case CRIA_E_CANCELLED: return "The request was stopped";
    case CRIA_E_NO_SPACE: return "The server's disk is full";
    case CRIA_OK:
    case CRIA_E_INTERNAL:
    case CRIA_E_IO:
    case CRIA_E_CORRUPT: return "Internal server error";
    }
    return "Internal server error";
}

static void write_retry(struct cria_exchange *ex, enum cria_status status, int code)
{
    struct cria_call *call = &ex->call;
    char text[32];
    bool is_write = ex->route && (ex->route->flags & CRIA_ROUTE_WRITE);
    if (call->retry == CRIA_RETRY_NEVER || (code == 500 && is_write))
        cria_exchange_header(ex, "x-should-retry", CRIA_STR("false"));
    if (code != 429 && code != 503) return;
    uint32_t wait_ms =
        call->status == status && call->retry_after_ms ? call->retry_after_ms : (uint32_t)RETRY_MS;
    snprintf(text, sizeof(text), "%u", (wait_ms + 999) / 1000);
    cria_exchange_header(ex, "retry-after", cria_str_from(text));
    snprintf(text, sizeof(text), "%u", wait_ms);
    cria_exchange_header(ex, "retry-after-ms", cria_str_from(text));
}

/* A refusal of a layer below, in the form of all other 422s. */
static void write_invalid(struct cria_exchange *ex, const char *sentence)
{
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_out_object(&out);
    cria_out_name(&out, "detail");
    cria_out_array(&out);
    cria_out_object(&out);
    cria_out_member_z(&out, "type", "value_error");
    cria_out_name(&out, "loc");
    cria_out_array(&out);
    cria_out_z(&out, "body");
    cria_out_end(&out);
    cria_out_member_z(&out, "msg", sentence);
    cria_out_member_null(&out, "input");
    cria_out_end(&out);
    cria_out_end(&out);
    cria_out_end(&out);
}

static void refuse(struct cria_exchange *ex, enum cria_status status)
{
    struct cria_call *call = &ex->call;
    int code = cria_reply_code(status);
    bool is_ours = code == 500;
    bool is_said = call->status == status && call->error[0] && !is_ours;
    const char *words = is_said ? call->error : general_words(status);
    if (code >= 500)
        cria_log(CRIA_LOG_ERROR, "http.failed", "request_id=%s route=%s status=%s why='%s'",
                 call->request_id, ex->route ? ex->route->name : "none", cria_status_name(status),
                 call->status == status ? call->error : "");
    if (code == 401) cria_exchange_header(ex, "WWW-Authenticate", CRIA_STR("Bearer"));
    write_retry(ex, status, code);
    if (status != CRIA_E_INVALID) {
        cria_exchange_error(ex, code, words, false);
        return;
    }
    if (!cria_str_starts(cria_buf_str(&ex->body), "{\"detail\":[")) {
        cria_buf_clear(&ex->body);
        write_invalid(ex, words);
    }
    cria_exchange_reply(ex, code, "application/json");
}

void cria_reply(struct cria_exchange *ex, enum cria_status status)
{
    if (status == CRIA_OK && ex->body.failed) status = cria_fail_memory(&ex->call);
    if (status != CRIA_OK) {
        refuse(ex, status);
        return;
    }
    int code = ex->status ? ex->status : 200;
    cria_exchange_reply(ex, code, code == 204 ? NULL : "application/json");
}

struct cria_str cria_fresh_id(struct cria_call *call, const char *prefix)
{
    char id[CRIA_ID_SIZE];
    cria_id_new(prefix, id);
    return cria_arena_copy(call->arena, cria_str_from(id));
}
