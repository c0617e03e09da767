#include "model/reranker.h"

#include <stdlib.h>

#include "base/json_out.h"
#include "base/utf8.h"
#include "model/endpoint.h"
#include "model/rerank_answer.h"

enum {
    DOCUMENT_BYTES = 8 << 10,
    REQUEST_BYTES = 64 << 20,
    ANSWER_BYTES = 256 << 10, /* what lies around all results */
    RESULT_BYTES = 16 << 10   /* one result; some servers send the document back */
};

struct cria_reranker {
    struct cria_endpoint *endpoint;
    char *model;
    uint32_t timeout_ms;
    unsigned tries;
};

enum cria_status cria_reranker_new(const struct cria_reranker_options *options,
                                   struct cria_reranker **out)
{
    struct cria_reranker *reranker = calloc(1, sizeof(*reranker));
    size_t size = options->model ? strlen(options->model) + 1 : 1;
    if (!reranker) return CRIA_E_NO_MEMORY;
    reranker->timeout_ms = options->timeout_ms ? options->timeout_ms : 10000;
    reranker->tries = options->tries ? options->tries : 2;
    reranker->model = malloc(size);
    enum cria_status st = reranker->model ? CRIA_OK : CRIA_E_NO_MEMORY;
    if (st == CRIA_OK) {
        memcpy(reranker->model, options->model ? options->model : "", size);
        st = cria_endpoint_new(&(struct cria_endpoint_options){.what = "The rerank endpoint",
                                                               .flag = "rerank",
                                                               .url = options->url,
                                                               .path = "/rerank",
                                                               .key = options->key,
                                                               .connect_ms = options->connect_ms,
                                                               .retry_ms = options->retry_ms},
                               &reranker->endpoint);
    }
    if (st == CRIA_OK)
        *out = reranker;
    else
        cria_reranker_free(reranker);
    return st;
}

void cria_reranker_free(struct cria_reranker *reranker)
{
    if (!reranker) return;
    cria_endpoint_free(reranker->endpoint);
    free(reranker->model);
    free(reranker);
}

static void write_request(const struct cria_reranker *reranker, struct cria_str query,
                          const struct cria_str *documents, size_t count, struct cria_buf *buf)
{
    struct cria_json_out out = cria_json_out_to(buf);
    cria_out_object(&out);
    if (reranker->model[0]) cria_out_member_z(&out, "model", reranker->model);
    cria_out_member_str(&out, "query", cria_utf8_cut(query, DOCUMENT_BYTES));
    cria_out_name(&out, "documents");
    cria_out_array(&out);
    for (size_t i = 0; i < count; i++)
        cria_out_str(&out, cria_utf8_cut(documents[i], DOCUMENT_BYTES));
    cria_out_end(&out);
    cria_out_member_int(&out, "top_n", (int64_t)count);
    cria_out_end(&out);
}

enum cria_status cria_rerank(struct cria_reranker *reranker, struct cria_call *call,
                             struct cria_str query, const struct cria_str *documents, size_t count,
                             double *scores)
{
    struct cria_buf request, answer;
    char why[CRIA_ANSWER_WHY_SIZE];
    if (count == 0) return CRIA_OK;
    cria_buf_init(&request, REQUEST_BYTES);
    cria_buf_init(&answer, ANSWER_BYTES + count * RESULT_BYTES);
    write_request(reranker, query, documents, count, &request);
    enum cria_status st = request.failed ? cria_fail_memory(call) : CRIA_OK;
    if (st == CRIA_OK)
        st = cria_endpoint_ask(reranker->endpoint, call, cria_buf_str(&request),
                               reranker->timeout_ms, reranker->tries, &answer);
    if (st == CRIA_E_INVALID) call->status = st = CRIA_E_UNAVAILABLE; /* the sentence stays */
    if (st == CRIA_OK) {
        st = cria_rerank_read(cria_buf_str(&answer), count, scores, why);
        if (st == CRIA_E_NO_MEMORY)
            st = cria_fail_memory(call);
        else if (st != CRIA_OK)
            st = cria_endpoint_bad_answer(reranker->endpoint, call, why);
    }
    cria_buf_release(&request);
    cria_buf_release(&answer);
    return st;
}
