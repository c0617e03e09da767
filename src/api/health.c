/* health.c - whether the server lives, whether it takes requests, its figures, its contract. */
#include "api/handler.h"
#include "api/handlers.h"
#include "api/metrics.h"

static void write_word(struct cria_exchange *ex, const char *word)
{
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_out_object(&out);
    cria_out_member_z(&out, "status", word);
    cria_out_end(&out);
}

static enum cria_status health(struct cria_exchange *ex)
{
    write_word(ex, "ok");
    return CRIA_OK;
}
CRIA_HANDLER(health)

static enum cria_status ready(struct cria_exchange *ex)
{
    struct cria_app *app = cria_app_of(ex);
    if (atomic_load(app->is_stopping))
        return cria_fail(&ex->call, CRIA_E_UNAVAILABLE, "The server is stopping");
    if (!cria_store_figures(app->store).is_writable)
        return cria_fail(&ex->call, CRIA_E_UNAVAILABLE, "The store takes no writes");
    write_word(ex, "ready");
    return CRIA_OK;
}
CRIA_HANDLER(ready)

static bool is_loopback(const char *peer)
{
    struct cria_str s = cria_str_from(peer);
    return cria_str_starts(s, "127.") || cria_str_is(s, "::1") ||
           cria_str_starts(s, "::ffff:127.") || cria_str_is(s, "unix");
}

void cria_api_metrics(struct cria_exchange *ex)
{
    struct cria_app *app = cria_app_of(ex);
    enum cria_status st = CRIA_OK;
    if (!is_loopback(ex->request.peer))
        st = cria_account_admit(app->account, &ex->call, cria_request_header(ex, "authorization"),
                                ex->request.peer);
    if (st == CRIA_OK) cria_metrics_write(app, &ex->body);
    if (st == CRIA_OK && !ex->body.failed)
        cria_exchange_reply(ex, 200, "text/plain; version=0.0.4; charset=utf-8");
    else
        cria_reply(ex, st);
}

void cria_api_openapi(struct cria_exchange *ex)
{
    cria_buf_add(&ex->body, cria_app_of(ex)->openapi);
    cria_exchange_reply(ex, 200, "application/yaml");
}
