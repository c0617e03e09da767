/* embedder.h - texts to vectors, by an OpenAI-compatible POST /v1/embeddings.
 * Room: model. Blocks; called by worker threads, any number at once. What the endpoint answers is
 * checked number by number; what is wrong with it is said in the call's sentence. */
#ifndef CRIA_MODEL_EMBEDDER_H
#define CRIA_MODEL_EMBEDDER_H

#include "base/call.h"

struct cria_embedder;

enum { CRIA_EMBEDDER_ID_SIZE = 400, CRIA_EMBEDDER_MODEL_MAX = 150, CRIA_EMBEDDER_PREFIX_MAX = 200 };

struct cria_embedder_options {
    const char *url;   /* base URL, ".../v1" */
    const char *model; /* at most CRIA_EMBEDDER_MODEL_MAX bytes */
    const char *key;   /* NULL or "": none is sent */
    /* Put before each text; NULL none; at most CRIA_EMBEDDER_PREFIX_MAX bytes. */
    const char *query_prefix, *document_prefix;
    unsigned batch;      /* texts of one request; 0: 64 */
    uint32_t connect_ms; /* 0: 10,000 */
    uint32_t timeout_ms; /* of one request with documents; 0: 120,000 */
    uint32_t query_ms;   /* of one with a query; 0: 10,000 */
    unsigned tries;      /* a request of documents is sent so often at most, one of a query at
                            most twice; 0: 5 */
    uint32_t retry_ms;   /* first wait before another try, doubled each time; 0: 250 */
};

/** CRIA_E_INVALID: model or a prefix is too long, or the model has no name. */
CRIA_MUST_CHECK enum cria_status cria_embedder_new(const struct cria_embedder_options *options,
                                                   struct cria_embedder **out);
/** When no call uses it any more. NULL is fine. */
void cria_embedder_free(struct cria_embedder *embedder);

/** What an index remembers and vectors are compared by: model, document prefix if there is one, and
 * dims, as "bge-m3@1024" or `e5-small "passage: "@384`. false (and "") while dims is unknown: it
 * becomes known by the first answer. Any thread. */
bool cria_embedder_id(const struct cria_embedder *embedder, char out[CRIA_EMBEDDER_ID_SIZE]);
/** The same without dims: known from the start. Lives as long as the embedder. */
const char *cria_embedder_name(const struct cria_embedder *embedder);
/** Whether vectors that were made under that id may be compared with this embedder's: same name,
 * and same dims as far as they are known. */
bool cria_embedder_matches(const struct cria_embedder *embedder, struct cria_str id);
/** Dims in an id, 0 when it is none. */
uint32_t cria_embedder_id_dims(struct cria_str id);

enum cria_embed_kind { CRIA_EMBED_QUERY, CRIA_EMBED_DOCUMENT };

struct cria_embeddings {
    const float *rows; /* count x dims, each row of length 1; in the call's arena */
    size_t count;
    uint32_t dims;
};

/**
 * Embeds texts in as many requests as it takes. A request that is refused (400, 413, 422) is halved
 * down to single texts, a single text is cut until it is taken.
 * @param texts  UTF-8, not empty; borrowed.
 * @return CRIA_E_UNAVAILABLE the endpoint is away, refuses, or answers what cannot be used;
 * CRIA_E_TIMEOUT and CRIA_E_CANCELLED the call was stopped; CRIA_E_NO_MEMORY. All with a sentence.
 */
CRIA_MUST_CHECK enum cria_status cria_embed(struct cria_embedder *embedder, struct cria_call *call,
                                            enum cria_embed_kind kind, const struct cria_str *texts,
                                            size_t count, struct cria_embeddings *out);
/** Makes dims known, by a request with one word unless they are. */
CRIA_MUST_CHECK enum cria_status cria_embedder_probe(struct cria_embedder *embedder,
                                                     struct cria_call *call);

#endif
