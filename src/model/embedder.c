#include "model/embedder.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_out.h"
#include "base/utf8.h"
#include "model/embeddings_answer.h"
#include "model/endpoint.h"

enum {
    BATCH = 64,
    BATCH_BYTES = 256 << 10,  /* of texts in one request, unless one alone has more */
    TEXT_BYTES = 32 << 10,    /* no model looks farther */
    LEAST_TEXT_BYTES = 256,   /* a text is not cut below it */
    REQUEST_BYTES = 8 << 20,  /* texts grow by escapes */
    NUMBER_BYTES = 32,        /* a number with its comma and blanks */
    ROW_BYTES = 4096,         /* what lies around a vector */
    ANSWER_BYTES = 256 << 10, /* what lies around all */
    QUERY_TRIES = 2
};

struct cria_embedder {
    struct cria_endpoint *endpoint;
    char model[CRIA_EMBEDDER_MODEL_MAX + 1];
    char query_prefix[CRIA_EMBEDDER_PREFIX_MAX + 1], document_prefix[CRIA_EMBEDDER_PREFIX_MAX + 1];
    char name[CRIA_EMBEDDER_ID_SIZE];
    uint32_t timeout_ms, query_ms;
    unsigned tries;
    atomic_uint batch; /* becomes smaller when the endpoint takes no more */
    atomic_uint dims;  /* 0 until the first answer */
};

static bool copy(const char *text, char *out, size_t size)
{
    return cria_str_copy_z(cria_str_from(text ? text : ""), out, size);
}

enum cria_status cria_embedder_new(const struct cria_embedder_options *options,
                                   struct cria_embedder **out)
{
    struct cria_embedder *embedder = calloc(1, sizeof(*embedder));
    if (!embedder) return CRIA_E_NO_MEMORY;
    const struct cria_endpoint_options endpoint = {.what = "The embedding endpoint",
                                                   .flag = "embed",
                                                   .url = options->url,
                                                   .path = "/embeddings",
                                                   .key = options->key,
                                                   .connect_ms = options->connect_ms,
                                                   .retry_ms = options->retry_ms};
    bool fits =
        copy(options->model, embedder->model, sizeof(embedder->model)) &&
        copy(options->query_prefix, embedder->query_prefix, sizeof(embedder->query_prefix)) &&
        copy(options->document_prefix, embedder->document_prefix,
             sizeof(embedder->document_prefix));
    embedder->timeout_ms = options->timeout_ms ? options->timeout_ms : 120000;
    embedder->query_ms = options->query_ms ? options->query_ms : 10000;
    embedder->tries = options->tries ? options->tries : 5;
    atomic_init(&embedder->batch, options->batch ? options->batch : BATCH);
    atomic_init(&embedder->dims, 0);
    if (embedder->document_prefix[0])
        snprintf(embedder->name, sizeof(embedder->name), "%s \"%s\"", embedder->model,
                 embedder->document_prefix);
    else
        snprintf(embedder->name, sizeof(embedder->name), "%s", embedder->model);
    enum cria_status st = fits && embedder->model[0] ? CRIA_OK : CRIA_E_INVALID;
    if (st == CRIA_OK) st = cria_endpoint_new(&endpoint, &embedder->endpoint);
    if (st == CRIA_OK)
        *out = embedder;
    else
        cria_embedder_free(embedder);
    return st;
}

void cria_embedder_free(struct cria_embedder *embedder)
{
    if (!embedder) return;
    cria_endpoint_free(embedder->endpoint);
    free(embedder);
}

/* ---- what vectors are compared by */

bool cria_embedder_id(const struct cria_embedder *embedder, char out[CRIA_EMBEDDER_ID_SIZE])
{
    unsigned dims = atomic_load(&embedder->dims);
    out[0] = '\0';
    if (dims)
        snprintf(out, CRIA_EMBEDDER_ID_SIZE, "%.*s@%u", CRIA_EMBEDDER_ID_SIZE - 12, embedder->name,
                 dims);
    return dims != 0;
}

const char *cria_embedder_name(const struct cria_embedder *embedder)
{
    return embedder->name;
}

uint32_t cria_embedder_id_dims(struct cria_str id)
{
    int64_t dims;
    size_t at = id.len;
    while (at && id.ptr[at - 1] != '@') at--;
    if (!at || !cria_str_to_int64(cria_str_sub(id, at, id.len), &dims)) return 0;
    return dims > 0 && dims <= CRIA_EMBEDDING_MAX_DIMS ? (uint32_t)dims : 0;
}

bool cria_embedder_matches(const struct cria_embedder *embedder, struct cria_str id)
{
    unsigned known = atomic_load(&embedder->dims), dims = cria_embedder_id_dims(id);
    size_t len = strlen(embedder->name);
    return dims && (!known || known == dims) && cria_str_starts(id, embedder->name) &&
           id.ptr[len] == '@' &&
           cria_str_find(cria_str_sub(id, len + 1, id.len), CRIA_STR("@")) == SIZE_MAX;
}

/* ---- one call */

struct run {
    struct cria_embedder *embedder;
    struct cria_call *call;
    const char *prefix;
    const struct cria_str *texts;
    size_t count;
    uint32_t timeout_ms;
    unsigned tries;
    struct cria_buf request, answer;
    float *rows; /* once dims are known */
    uint32_t dims;
};

static void write_request(struct run *run, size_t first, size_t count, size_t max_bytes)
{
    struct cria_json_out out = cria_json_out_to(&run->request);
    struct cria_buf text;
    cria_buf_init(&text, CRIA_EMBEDDER_PREFIX_MAX + TEXT_BYTES);
    cria_buf_clear(&run->request);
    cria_out_object(&out);
    cria_out_member_z(&out, "model", run->embedder->model);
    cria_out_name(&out, "input");
    cria_out_array(&out);
    for (size_t i = first; i < first + count; i++) {
        cria_buf_clear(&text);
        cria_buf_add_z(&text, run->prefix);
        cria_buf_add(&text, cria_utf8_cut(run->texts[i], max_bytes));
        cria_out_str(&out, cria_buf_str(&text));
        run->request.failed |= text.failed;
    }
    cria_out_end(&out);
    cria_out_member_z(&out, "encoding_format", "float");
    cria_out_end(&out);
    cria_buf_release(&text);
}

/* The first answer tells how many numbers this model's vectors have; later ones have as many. */
static enum cria_status settle_dims(struct run *run, uint32_t dims)
{
    unsigned known = 0;
    char why[CRIA_ANSWER_WHY_SIZE];
    if (!atomic_compare_exchange_strong(&run->embedder->dims, &known, dims) && known != dims) {
        snprintf(why, sizeof(why), "its vectors have %u numbers where they had %u before", dims,
                 known);
        return cria_endpoint_bad_answer(run->embedder->endpoint, run->call, why);
    }
    if (run->rows) return CRIA_OK;
    size_t numbers;
    run->dims = dims;
    if (cria_size_mul(run->count, dims, &numbers))
        run->rows = CRIA_NEW_ARRAY(run->call->arena, numbers, float);
    return run->rows ? CRIA_OK : cria_fail_memory(run->call);
}

/* One request. CRIA_E_INVALID: it was refused as it is. */
static enum cria_status ask(struct run *run, size_t first, size_t count, size_t max_bytes)
{
    struct cria_embedder *embedder = run->embedder;
    char why[CRIA_ANSWER_WHY_SIZE];
    struct cria_arena arena;
    const float *rows = NULL;
    uint32_t dims = atomic_load(&embedder->dims);
    write_request(run, first, count, max_bytes);
    if (run->request.failed) return cria_fail_memory(run->call);
    run->answer.limit =
        ANSWER_BYTES +
        count * (ROW_BYTES + (size_t)(dims ? dims : CRIA_EMBEDDING_MAX_DIMS) * NUMBER_BYTES);
    enum cria_status st =
        cria_endpoint_ask(embedder->endpoint, run->call, cria_buf_str(&run->request),
                          run->timeout_ms, run->tries, &run->answer);
    if (st != CRIA_OK) return st;
    cria_arena_init(&arena, SIZE_MAX);
    st = cria_embeddings_read(&arena, cria_buf_str(&run->answer), count, dims, &rows, &dims, why);
    if (st == CRIA_E_NO_MEMORY)
        st = cria_fail_memory(run->call);
    else if (st != CRIA_OK)
        st = cria_endpoint_bad_answer(embedder->endpoint, run->call, why);
    if (st == CRIA_OK) st = settle_dims(run, dims);
    if (st == CRIA_OK) memcpy(run->rows + first * dims, rows, count * dims * sizeof(*rows));
    cria_arena_release(&arena);
    return st;
}

/* A single text, cut shorter and shorter. */
static enum cria_status embed_one(struct run *run, size_t at, bool *was_refused)
{
    size_t max_bytes = TEXT_BYTES;
    for (;;) {
        enum cria_status st = ask(run, at, 1, max_bytes);
        if (st != CRIA_E_INVALID) return st;
        *was_refused = true;
        if (max_bytes > run->texts[at].len) max_bytes = run->texts[at].len;
        if (max_bytes <= LEAST_TEXT_BYTES) return st;
        max_bytes /= 2;
    }
}

/* A request, or its halves when it is refused: so deep as a batch can be halved. */
static enum cria_status embed_some(struct run *run, size_t first, size_t count, bool *was_refused)
{
    if (count == 1) return embed_one(run, first, was_refused);
    enum cria_status st = ask(run, first, count, TEXT_BYTES);
    if (st != CRIA_E_INVALID) return st;
    size_t half = count - count / 2;
    bool parts_refused = false;
    *was_refused = true;
    st = embed_some(run, first, half, &parts_refused);
    if (st == CRIA_OK) st = embed_some(run, first + half, count - half, &parts_refused);
    /* Both halves went through at once: it was their number that was too large. */
    if (st == CRIA_OK && !parts_refused && half < atomic_load(&run->embedder->batch))
        atomic_store(&run->embedder->batch, (unsigned)half);
    return st;
}

static size_t batch_count(const struct run *run, size_t first)
{
    size_t most = atomic_load(&run->embedder->batch), count = 0, bytes = 0;
    while (first + count < run->count && count < most) {
        size_t len = run->texts[first + count].len;
        bytes += len < TEXT_BYTES ? len : TEXT_BYTES;
        if (count && bytes > BATCH_BYTES) break;
        count++;
    }
    return count;
}

enum cria_status cria_embed(struct cria_embedder *embedder, struct cria_call *call,
                            enum cria_embed_kind kind, const struct cria_str *texts, size_t count,
                            struct cria_embeddings *out)
{
    bool is_query = kind == CRIA_EMBED_QUERY, was_refused;
    struct run run = {.embedder = embedder,
                      .call = call,
                      .prefix = is_query ? embedder->query_prefix : embedder->document_prefix,
                      .texts = texts,
                      .count = count,
                      .timeout_ms = is_query ? embedder->query_ms : embedder->timeout_ms,
                      .tries = is_query && embedder->tries > QUERY_TRIES ? QUERY_TRIES
                                                                         : embedder->tries};
    enum cria_status st = CRIA_OK;
    cria_buf_init(&run.request, REQUEST_BYTES);
    cria_buf_init(&run.answer, ANSWER_BYTES);
    for (size_t first = 0; first < count && st == CRIA_OK;) {
        size_t some = batch_count(&run, first);
        st = embed_some(&run, first, some, &was_refused);
        first += some;
    }
    cria_buf_release(&run.request);
    cria_buf_release(&run.answer);
    if (st == CRIA_E_INVALID) call->status = st = CRIA_E_UNAVAILABLE; /* the sentence stays */
    if (st == CRIA_OK)
        *out = (struct cria_embeddings){.rows = run.rows, .count = count, .dims = run.dims};
    return st;
}

enum cria_status cria_embedder_probe(struct cria_embedder *embedder, struct cria_call *call)
{
    const struct cria_str word = CRIA_STR("word");
    struct cria_embeddings ignored;
    if (atomic_load(&embedder->dims)) return CRIA_OK;
    return cria_embed(embedder, call, CRIA_EMBED_DOCUMENT, &word, 1, &ignored);
}
