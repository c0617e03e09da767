/* handler.h - what the files of the resources share: how a handler is written.
 * A handler is a static function that reads its input with validate.h, calls the store or a
 * service, writes the answer's JSON into ex->body and gives back a status; CRIA_HANDLER makes of it
 * what routes.c names. A delete sets ex->status = 204 and writes nothing. Room: api. */
#ifndef CRIA_API_HANDLER_H
#define CRIA_API_HANDLER_H

#include "api/api.h"
#include "api/reply.h"
#include "api/validate.h"
#include "base/json_out.h"

#define CRIA_HANDLER(operation)                         \
    void cria_api_##operation(struct cria_exchange *ex) \
    {                                                   \
        cria_reply(ex, operation(ex));                  \
    }

static inline struct cria_app *cria_app_of(const struct cria_exchange *ex)
{
    return ex->app;
}

/** The project of the call, once cria_check_end said CRIA_OK. */
static inline struct cria_str cria_project_of(const struct cria_exchange *ex)
{
    return cria_str_from(ex->call.principal.project_id);
}

/** Names the resource that a look-up did not find; other statuses pass. */
static inline enum cria_status cria_named(struct cria_call *call, enum cria_status st,
                                          const char *sentence)
{
    return st == CRIA_E_NOT_FOUND ? cria_fail(call, st, "%s", sentence) : st;
}

/** A time behind `before` even when the clock stands or goes back. */
static inline int64_t cria_time_after(int64_t now_us, int64_t before_us)
{
    return now_us > before_us ? now_us : before_us + 1;
}

/** A new id in the call's arena; {NULL,0} when memory is short. */
struct cria_str cria_fresh_id(struct cria_call *call, const char *prefix);

#endif
