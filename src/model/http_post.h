/* http_post.h - a POST of JSON and its whole answer, for threads that may wait.
 * Room: model. A poster serves one address; any number of threads at once, each with a connection
 * of its own, kept for the next request. Follows no redirects, reads no .netrc, keeps no cookies,
 * speaks http and https only. */
#ifndef CRIA_MODEL_HTTP_POST_H
#define CRIA_MODEL_HTTP_POST_H

#include "base/buf.h"
#include "base/call.h"

struct cria_http_poster;

/** key: sent as bearer token, NULL or "" for none. connect_ms: for a connection; 0: 10,000. */
CRIA_MUST_CHECK enum cria_status cria_http_poster_new(const char *url, const char *key,
                                                      uint32_t connect_ms,
                                                      struct cria_http_poster **out);
/** When no request runs any more. NULL is fine. */
void cria_http_poster_free(struct cria_http_poster *poster);

struct cria_http_posted {
    int status;             /* 0: no answer came */
    int64_t retry_after_ms; /* -1: not said */
    bool timed_out;
    bool is_too_large;   /* more bytes than the answer's buffer may hold: the rest was not read */
    bool is_broken;      /* no or no whole answer: error says why */
    bool is_refused_url; /* the URL itself is no good */
    const char *error;   /* static words, "" when all is well */
};

/**
 * Sends and waits, at most timeout_ms, and no longer than the call lives: its deadline and
 * cancelling are looked at every few hundredths of a second.
 * @param answer  cleared; its limit is the size that is taken of an answer.
 * @return CRIA_OK when the exchange ended, in whatever way: *out tells; CRIA_E_CANCELLED,
 * CRIA_E_TIMEOUT the call was stopped; CRIA_E_NO_MEMORY. Without a sentence in the call.
 */
CRIA_MUST_CHECK enum cria_status cria_http_post(struct cria_http_poster *poster,
                                                const struct cria_call *call, struct cria_str body,
                                                uint32_t timeout_ms, struct cria_buf *answer,
                                                struct cria_http_posted *out);

/** Why a call that is stopped was stopped: CRIA_E_CANCELLED or CRIA_E_TIMEOUT. */
enum cria_status cria_http_stop_status(const struct cria_call *call);

#endif
