/* http_client.h - HTTP requests that stream their answer, driven by an event loop.
 * Room: model; libcurl lives in the http_*.c files alone. A client belongs to its loop: every
 * function is called on it. Follows no redirects, reads no .netrc, keeps no cookies, speaks http
 * and https only. */
#ifndef CRIA_MODEL_HTTP_CLIENT_H
#define CRIA_MODEL_HTTP_CLIENT_H

#include "base/str.h"
#include "platform/loop.h"

struct cria_http_client; /* the open connections of one loop, kept for the next request */
struct cria_http_fetch;  /* one request and its answer */

CRIA_MUST_CHECK enum cria_status cria_http_client_new(struct cria_loop *loop,
                                                      struct cria_http_client **out);
/** All fetches were freed before. NULL is fine. */
void cria_http_client_free(struct cria_http_client *client);

struct cria_http_fetch_options {
    const char *url;
    struct cria_str body;       /* sent by POST as JSON; borrowed until the fetch is freed */
    const char *const *headers; /* "Name: value"; copied */
    size_t header_count;
    uint32_t connect_ms, first_byte_ms, idle_ms; /* idle: between two bytes of the answer */
    /** Each piece of the body; the status is known then. Must not free the fetch. */
    void (*on_bytes)(void *arg, struct cria_str bytes);
    /** After pieces came or the exchange ended: look and act; may free the fetch. Not called from
     * within cria_http_fetch_new. */
    void (*on_news)(void *arg);
    void *arg;
};

struct cria_http_result {
    bool ended;
    bool timed_out;         /* one of the three times above */
    bool is_broken;         /* no or no whole answer: error says why */
    bool is_refused_url;    /* the URL itself is no good */
    int status;             /* 0: no answer yet */
    int64_t retry_after_ms; /* -1: not said */
    const char *error;      /* static words, "" when all is well */
};

CRIA_MUST_CHECK enum cria_status cria_http_fetch_new(struct cria_http_client *client,
                                                     const struct cria_http_fetch_options *options,
                                                     struct cria_http_fetch **out);
/** Aborts when it still runs. NULL is fine. */
void cria_http_fetch_free(struct cria_http_fetch *fetch);
const struct cria_http_result *cria_http_fetch_result(const struct cria_http_fetch *fetch);

/** A Retry-After value: seconds, an HTTP date, or (by mistake) an epoch time; clamped to 0..60 s;
 * -1 when it is none of these. now_us: wall clock. */
int64_t cria_retry_after_ms(struct cria_str value, int64_t now_us);

#endif
