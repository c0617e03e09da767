/* endpoint.h - an address that answers JSON with JSON: tries again what may pass, and says in
 * sentences an operator can act on what does not. Room: model. Any number of threads at once; a
 * request blocks. */
#ifndef CRIA_MODEL_ENDPOINT_H
#define CRIA_MODEL_ENDPOINT_H

#include "base/buf.h"
#include "base/call.h"

struct cria_endpoint;

struct cria_endpoint_options {
    const char *what;    /* begins its sentences, "The embedding endpoint"; static */
    const char *flag;    /* begins its options, "embed" for embed-url; static */
    const char *url;     /* base URL, ".../v1", or the whole address */
    const char *path;    /* put behind the base, "/embeddings" */
    const char *key;     /* NULL or "": none is sent */
    uint32_t connect_ms; /* 0: 10,000 */
    uint32_t retry_ms;   /* first wait before a second try, doubled each time; 0: 250 */
};

CRIA_MUST_CHECK enum cria_status cria_endpoint_new(const struct cria_endpoint_options *options,
                                                   struct cria_endpoint **out);
/** When no request runs any more. NULL is fine. */
void cria_endpoint_free(struct cria_endpoint *endpoint);

/**
 * Asks until it answers 200. Tried again, at most `tries` times in all and with growing waits (or
 * those that it names): no connection, a broken or late answer, 408, 429, 5xx.
 * @param timeout_ms  of each try.
 * @param[out] answer  cleared; the body of the answer. Its limit is what is taken of one.
 * @return CRIA_E_INVALID it refuses this very request, which a smaller one may escape: 400, 413,
 * 422, or words that say so; CRIA_E_UNAVAILABLE all else it is to blame for; CRIA_E_CANCELLED and
 * CRIA_E_TIMEOUT the call was stopped; CRIA_E_NO_MEMORY.
 */
CRIA_MUST_CHECK enum cria_status cria_endpoint_ask(struct cria_endpoint *endpoint,
                                                   struct cria_call *call, struct cria_str body,
                                                   uint32_t timeout_ms, unsigned tries,
                                                   struct cria_buf *answer);
/** Says that an answer cannot be used: "The embedding endpoint gave an answer that cannot be used:
 * <why>". @return CRIA_E_UNAVAILABLE. */
enum cria_status cria_endpoint_bad_answer(const struct cria_endpoint *endpoint,
                                          struct cria_call *call, const char *why);

#endif
