#include "model/endpoint.h"

#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "model/http_post.h"
#include "model/openai_request.h"
#include "model/openai_stream.h"
#include "platform/clock.h"
#include "platform/crypto.h"

enum { RETRY_MS = 250, MOST_RETRY_MS = 10000, LOOK_EVERY_MS = 20, ERROR_TEXT = 240 };

struct cria_endpoint {
    struct cria_endpoint_options options;
    struct cria_http_poster *poster;
};

enum cria_status cria_endpoint_new(const struct cria_endpoint_options *options,
                                   struct cria_endpoint **out)
{
    struct cria_str base = cria_str_trim(cria_str_from(options->url));
    struct cria_endpoint *endpoint = calloc(1, sizeof(*endpoint));
    struct cria_buf url;
    if (!endpoint) return CRIA_E_NO_MEMORY;
    endpoint->options = *options;
    endpoint->options.url = endpoint->options.key = NULL; /* not kept by us */
    if (!endpoint->options.retry_ms) endpoint->options.retry_ms = RETRY_MS;
    while (base.len && base.ptr[base.len - 1] == '/') base.len--;
    cria_buf_init(&url, 65536);
    cria_buf_add(&url, base);
    if (!cria_str_ends(base, options->path)) cria_buf_add_z(&url, options->path);
    cria_buf_add_char(&url, '\0');
    enum cria_status st = cria_buf_status(&url);
    if (st == CRIA_OK)
        st = cria_http_poster_new(url.ptr, options->key, options->connect_ms, &endpoint->poster);
    cria_buf_release(&url);
    if (st == CRIA_OK)
        *out = endpoint;
    else
        cria_endpoint_free(endpoint);
    return st;
}

void cria_endpoint_free(struct cria_endpoint *endpoint)
{
    if (!endpoint) return;
    cria_http_poster_free(endpoint->poster);
    free(endpoint);
}

static enum cria_status stopped(const struct cria_endpoint *endpoint, struct cria_call *call,
                                enum cria_status st)
{
    if (st == CRIA_E_NO_MEMORY) return cria_fail_memory(call);
    if (st == CRIA_E_TIMEOUT)
        return cria_fail(call, st, "%s did not answer within the time of this request",
                         endpoint->options.what);
    return cria_fail(call, st, "The request was cancelled");
}

/* Waits in short steps; false when the call was stopped meanwhile. */
static bool wait_ms(const struct cria_call *call, int64_t ms)
{
    uint64_t until = cria_now_ns() + (uint64_t)ms * 1000000;
    for (;;) {
        uint64_t now = cria_now_ns();
        if (cria_call_stopped(call, now)) return false;
        if (now >= until) return true;
        uint64_t step = until - now, most = (uint64_t)LOOK_EVERY_MS * 1000000;
        nanosleep(&(struct timespec){.tv_nsec = (long)(step < most ? step : most)}, NULL);
    }
}

static int64_t pause_ms(const struct cria_endpoint *endpoint, unsigned tried, int64_t asked_ms)
{
    if (asked_ms >= 0) return asked_ms;
    uint64_t most = (uint64_t)endpoint->options.retry_ms << (tried < 16 ? tried - 1 : 15);
    if (most > MOST_RETRY_MS) most = MOST_RETRY_MS;
    return (int64_t)most - cria_random_below((uint32_t)most / 4 + 1);
}

static bool is_passing(const struct cria_http_posted *posted)
{
    if (posted->is_refused_url || (posted->is_too_large && posted->status == 200)) return false;
    if (posted->is_broken) return true;
    int status = posted->status;
    return status == 408 || status == 429 || (status >= 500 && status != 501);
}

/* Whether a smaller or shorter request might be taken. Some servers say so with a 500. */
static bool is_refusal(int status, const char *text)
{
    int64_t window;
    if (status == 400 || status == 413 || status == 422) return true;
    return status >= 500 &&
           (strstr(text, "too large to process") ||
            cria_openai_refusal_kind(cria_str_from(text), false, &window) == CRIA_REFUSAL_TOO_LONG);
}

static enum cria_status failed(const struct cria_endpoint *endpoint, struct cria_call *call,
                               const struct cria_http_posted *posted, const char *text)
{
    const char *what = endpoint->options.what, *flag = endpoint->options.flag;
    const enum cria_status st = CRIA_E_UNAVAILABLE;
    int status = posted->status;
    if (posted->is_refused_url)
        return cria_fail(call, st, "%s cannot be asked: %s-url is no http address", what, flag);
    if (posted->is_too_large && status == 200)
        return cria_endpoint_bad_answer(endpoint, call, "it is far too long");
    if (posted->timed_out) return cria_fail(call, st, "%s did not answer in time", what);
    if (posted->is_broken && status == 0)
        return cria_fail(call, st, "%s cannot be reached (%s): is it running, is %s-url right?",
                         what, posted->error, flag);
    if (posted->is_broken)
        return cria_fail(call, st, "%s broke off its answer (%s)", what, posted->error);
    if (status == 401 || status == 403)
        return cria_fail(call, st, "%s answered %d: it refuses the key; check %s-key-file", what,
                         status, flag);
    if (status == 404)
        return cria_fail(call, st,
                         "%s answered 404: it does not know this address or model; check %s-url "
                         "and %s-model",
                         what, flag, flag);
    if (status == 429) {
        cria_fail(call, st, "%s answered 429: it takes no more requests now; try again later",
                  what);
        if (posted->retry_after_ms > 0) call->retry_after_ms = (uint32_t)posted->retry_after_ms;
        return st;
    }
    return cria_fail(call, st, "%s answered %d%s%.240s", what, status, text[0] ? ": " : "", text);
}

enum cria_status cria_endpoint_ask(struct cria_endpoint *endpoint, struct cria_call *call,
                                   struct cria_str body, uint32_t timeout_ms, unsigned tries,
                                   struct cria_buf *answer)
{
    struct cria_http_posted posted;
    char text[ERROR_TEXT];
    int code;
    for (unsigned tried = 1;; tried++) {
        enum cria_status st =
            cria_http_post(endpoint->poster, call, body, timeout_ms, answer, &posted);
        if (st != CRIA_OK) return stopped(endpoint, call, st);
        if (posted.status == 200 && !posted.is_broken && !posted.is_too_large) return CRIA_OK;
        text[0] = '\0';
        if (!posted.is_broken && posted.status != 200) {
            cria_openai_error_text(cria_buf_str(answer), text, sizeof(text), &code);
            if (is_refusal(posted.status, text))
                return cria_fail(call, CRIA_E_INVALID, "%s answered %d%s%s", endpoint->options.what,
                                 posted.status, text[0] ? ": " : "", text);
        }
        if (!is_passing(&posted) || tried >= tries) return failed(endpoint, call, &posted, text);
        cria_log(CRIA_LOG_WARN, "endpoint.again", "what='%s' status=%d try=%u why='%s'",
                 endpoint->options.what, posted.status, tried, posted.error);
        if (!wait_ms(call, pause_ms(endpoint, tried, posted.retry_after_ms)))
            return stopped(endpoint, call, cria_http_stop_status(call));
    }
}

enum cria_status cria_endpoint_bad_answer(const struct cria_endpoint *endpoint,
                                          struct cria_call *call, const char *why)
{
    return cria_fail(call, CRIA_E_UNAVAILABLE, "%s gave an answer that cannot be used: %s",
                     endpoint->options.what, why);
}
