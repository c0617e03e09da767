/* quality DATA-FOLDER [SET...] - how well the right document or sentence is found, on retrieval and
 * question sets in the form of docs.jsonl, queries.jsonl, qrels.tsv and qa.jsonl (docs/search.md
 * names them). Prints a table. Each document is stored, chunked and searched as the server does it;
 * a document ranks by its best chunk. */
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/utf8.h"
#include "ingest/chunk.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "search/search.h"

enum { MAX_ANSWERS = 8, TOP = 100 };

static const struct cria_str project = {"bench", 5};

struct corpus {
    struct cria_store *store;
    struct cria_search *search;
    char index_id[64];
    size_t documents, chunks;
};

static void die(const struct cria_call *call, const char *what)
{
    fprintf(stderr, "%s: %s\n", what, call->error);
    exit(1);
}

static char *slurp(const char *folder, const char *set, const char *name, size_t *len)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s/%s", folder, set, name);
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    *len = text ? fread(text, 1, (size_t)size, file) : 0;
    fclose(file);
    return text;
}

struct addition {
    struct cria_document row;
    struct cria_str text;
    struct cria_chunk_list chunks;
};

static enum cria_status add(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct addition *a = arg;
    return cria_tx_document_insert(tx, call, project, &a->row, a->text, a->chunks.items,
                                   a->chunks.count);
}

static enum cria_status start(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_index *index = arg;
    return cria_tx_index_insert(tx, call, project, index);
}

static enum cria_status publish(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_index *index = arg;
    enum cria_status st = cria_tx_documents_publish(tx, call, project, index->id, NULL, 0);
    return st == CRIA_OK ? cria_tx_index_update_state(tx, call, project, index) : st;
}

static struct cria_str with_title(struct cria_arena *arena, struct cria_str title)
{
    struct cria_buf buf;
    cria_buf_init(&buf, 65536);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_str(&out, "title", title);
    cria_out_end(&out);
    struct cria_str text = cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

static void load(struct corpus *c, struct cria_call *call, struct cria_str docs, bool titles_first)
{
    struct cria_str line;
    static const struct cria_chunk_options sizes = CRIA_CHUNK_DEFAULTS;
    struct cria_index index = {.name = CRIA_STR("x"),
                               .source_directory_id = CRIA_STR("s"),
                               .output_directory_id = CRIA_STR("o"),
                               .sync_frequency = CRIA_STR("manual"),
                               .status = CRIA_INDEX_READY,
                               .generation = 1,
                               .last_exported_at_us = 1};
    cria_id_new("idx-", c->index_id);
    index.id = cria_str_from(c->index_id);
    if (cria_store_write(c->store, call, start, &index) != CRIA_OK) die(call, "index");
    c->documents = c->chunks = 0;
    while (docs.len) {
        const struct cria_json *json;
        const char *why;
        char id[64];
        cria_str_cut(&docs, '\n', &line);
        cria_arena_reset(call->arena);
        if (line.len == 0 || cria_json_parse(call->arena, line, &json, &why) != CRIA_OK) continue;
        struct cria_str title = cria_json_get_str(json, "title"),
                        text = cria_json_get_str(json, "text");
        if (titles_first && title.len) /* as a file would have it */
            text = cria_arena_printf(call->arena, "%.*s\n\n%.*s", CRIA_STR_ARG(title),
                                     CRIA_STR_ARG(text));
        struct cria_parsed parsed = {.text = text, .title = title};
        struct addition a = {.text = text};
        if (cria_chunk_text(call->arena, &parsed, &sizes, &a.chunks) != CRIA_OK) die(call, "chunk");
        cria_id_new("doc-", id);
        struct cria_str name = cria_json_get_str(json, "id");
        a.row = (struct cria_document){.id = cria_str_from(id),
                                       .index_id = index.id,
                                       .entry_id = name,
                                       .source_entry_id = name,
                                       .content_key = name,
                                       .display_name = name,
                                       .metadata_json = with_title(call->arena, title),
                                       .title = title,
                                       .char_count = cria_utf8_count(text),
                                       .byte_count = text.len,
                                       .created_at_us = 1};
        if (cria_store_write(c->store, call, add, &a) != CRIA_OK) die(call, "document");
        c->documents++;
        c->chunks += a.chunks.count;
    }
    if (cria_store_write(c->store, call, publish, &index) != CRIA_OK) die(call, "publish");
}

static enum cria_status find(struct corpus *c, struct cria_call *call, struct cria_str query,
                             uint32_t top_k, const struct cria_json *filters,
                             struct cria_search_request *request, struct cria_search_result *out)
{
    static struct cria_search_index index;
    index = (struct cria_search_index){.id = cria_str_from(c->index_id), .generation = 1};
    *request = (struct cria_search_request)CRIA_SEARCH_REQUEST_DEFAULTS;
    request->project = project;
    request->indexes = &index;
    request->index_count = 1;
    request->query = query;
    request->top_k = top_k;
    request->num_candidates = 300;
    request->custom_filters = filters;
    return cria_search_retrieve(c->search, call, request, out);
}

/* Distinct documents in rank order. */
static size_t documents_of(const struct cria_search_result *result, struct cria_str *out,
                           size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < result->count && n < most; i++) {
        bool seen = false;
        for (size_t k = 0; k < n; k++)
            seen = seen || cria_str_equal(out[k], result->hits[i].entry_id);
        if (!seen) out[n++] = result->hits[i].entry_id;
    }
    return n;
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static void measure_retrieval(struct corpus *c, struct cria_call *call, const char *folder,
                              const char *set)
{
    size_t query_len, qrel_len, queries = 0;
    char *query_text = slurp(folder, set, "queries.jsonl", &query_len),
         *qrels = slurp(folder, set, "qrels.tsv", &qrel_len);
    double ndcg = 0, recall = 0, mrr = 0;
    uint64_t spent = 0;
    if (!query_text || !qrels) return;
    struct cria_str rest = {query_text, query_len}, line;
    while (rest.len) {
        const struct cria_json *json;
        const char *why;
        double gains[4096], ideal = 0, dcg = 0, found = 0, first = 0;
        size_t relevant = 0;
        cria_str_cut(&rest, '\n', &line);
        cria_arena_reset(call->arena);
        if (line.len == 0 || cria_json_parse(call->arena, line, &json, &why) != CRIA_OK) continue;
        struct cria_str id = cria_json_get_str(json, "id"), judged = {qrels, qrel_len}, row, field,
                        names[TOP];
        struct cria_search_result result;
        struct cria_search_request request;
        uint64_t begin = cria_now_ns();
        if (find(c, call, cria_json_get_str(json, "text"), 500, NULL, &request, &result) != CRIA_OK)
            die(call, "search");
        spent += cria_now_ns() - begin;
        size_t n = documents_of(&result, names, TOP);
        while (judged.len) {
            cria_str_cut(&judged, '\n', &row);
            cria_str_cut(&row, '\t', &field);
            if (!cria_str_equal(field, id)) continue;
            cria_str_cut(&row, '\t', &field);
            int64_t gain = 0;
            if (!cria_str_to_int64(cria_str_trim(row), &gain) || gain <= 0 || relevant == 4096)
                continue;
            gains[relevant++] = (double)gain;
            for (size_t i = 0; i < n; i++) {
                if (!cria_str_equal(names[i], field)) continue;
                if (i < 10) dcg += (double)gain / log2((double)i + 2);
                if (i < 10 && (first == 0 || 1.0 / (double)(i + 1) > first))
                    first = 1.0 / (double)(i + 1);
                found++;
            }
        }
        if (relevant == 0) continue;
        qsort(gains, relevant, sizeof(double), descending);
        for (size_t i = 0; i < relevant && i < 10; i++) ideal += gains[i] / log2((double)i + 2);
        ndcg += dcg / ideal;
        recall += found / (double)relevant;
        mrr += first;
        queries++;
    }
    if (queries)
        printf("| %s | %zu docs, %zu chunks | nDCG@10 %.3f | R@100 %.3f | MRR@10 %.3f | %.2f ms a "
               "query |\n",
               set, c->documents, c->chunks, ndcg / (double)queries, recall / (double)queries,
               mrr / (double)queries, (double)spent / 1e6 / (double)queries);
    fflush(stdout);
    free(query_text);
    free(qrels);
}

static bool holds_answer(struct cria_str text, const struct cria_json *answers)
{
    for (size_t i = 0; answers && i < answers->count; i++)
        if (cria_str_find(text, answers->items[i].text) != SIZE_MAX) return true;
    return false;
}

/* {"title": {"operator": "ne", "value": …}} of the document's own title. */
static const struct cria_json *without(struct cria_arena *arena, struct cria_str docs,
                                       struct cria_str id)
{
    struct cria_str line;
    const struct cria_json *json, *filters = NULL;
    const char *why;
    while (docs.len) {
        cria_str_cut(&docs, '\n', &line);
        if (line.len == 0 || cria_str_find(cria_str_sub(line, 0, 40), id) == SIZE_MAX ||
            cria_json_parse(arena, line, &json, &why) != CRIA_OK ||
            !cria_str_equal(cria_json_get_str(json, "id"), id))
            continue;
        struct cria_str title = with_title(arena, cria_json_get_str(json, "title"));
        title = cria_str_sub(title, 9, title.len - 10); /* the value alone, with its quotes */
        struct cria_str text = cria_arena_printf(
            arena, "{\"title\":{\"operator\":\"ne\",\"value\":%.*s}}", CRIA_STR_ARG(title));
        if (cria_json_parse(arena, text, &filters, &why) != CRIA_OK) return NULL;
        return filters;
    }
    return NULL;
}

struct tally {
    size_t asked, first, three, strong, weak;
};

/* Question sets: does the best sentence hold the answer; is a question refused when its article is
 * not there? */
static struct tally ask_all(struct corpus *c, struct cria_call *call, struct cria_str qa,
                            struct cria_str docs, bool withheld)
{
    struct tally t = {0};
    struct cria_str line;
    while (qa.len) {
        const struct cria_json *json, *filters = NULL;
        const char *why;
        struct cria_search_request request;
        struct cria_search_result result;
        struct cria_sentences sentences;
        cria_str_cut(&qa, '\n', &line);
        cria_arena_reset(call->arena);
        if (line.len == 0 || cria_json_parse(call->arena, line, &json, &why) != CRIA_OK) continue;
        if (withheld) filters = without(call->arena, docs, cria_json_get_str(json, "doc"));
        if (find(c, call, cria_json_get_str(json, "question"), 20, filters, &request, &result) !=
                CRIA_OK ||
            cria_search_sentences(c->search, call, &request, &result, 3, &sentences) != CRIA_OK)
            die(call, "sentences");
        const struct cria_json *answers = cria_json_get(json, "answers");
        bool any = false;
        for (size_t i = 0; i < sentences.count; i++)
            any = any || holds_answer(sentences.items[i].text, answers);
        t.asked++;
        t.first += sentences.count && holds_answer(sentences.items[0].text, answers);
        t.three += any;
        t.strong += sentences.grade == CRIA_GRADE_STRONG;
        t.weak += sentences.grade == CRIA_GRADE_WEAK;
    }
    return t;
}

static void measure_answers(struct corpus *c, struct cria_call *call, struct cria_str qa,
                            struct cria_str docs, const char *set)
{
    struct tally t = ask_all(c, call, qa, docs, false), w = ask_all(c, call, qa, docs, true);
    double n = (double)t.asked, m = (double)w.asked;
    printf("| %s answers | %zu questions | first sentence %.3f | one of three %.3f | strong %.3f, "
           "weak %.3f |"
           " article withheld: strong %.3f, weak %.3f |\n",
           set, t.asked, (double)t.first / n, (double)t.three / n, (double)t.strong / n,
           (double)t.weak / n, (double)w.strong / m, (double)w.weak / m);
    fflush(stdout);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    static const char *const all[] = {"cranfield", "medline",  "adi",      "anthropic-docs",
                                      "covid-qa",  "xquad-en", "xquad-de", "xquad-es",
                                      "xquad-zh",  "xquad-ar"};
    char folder[] = "/tmp/cria-quality-XXXXXX";
    struct cria_arena arena;
    struct cria_call call;
    struct corpus c = {0};
    if (argc < 2 || cria_crypto_init() != CRIA_OK || !mkdtemp(folder)) return 64;
    cria_arena_init(&arena, (size_t)1 << 31);
    cria_call_init(&call, &arena);
    if (cria_store_open(&(struct cria_store_options){.folder = folder}, &call, &c.store) !=
            CRIA_OK ||
        cria_search_new(
            &(struct cria_search_options){.store = c.store, .memory_bytes = (size_t)4 << 30}, &call,
            &c.search) != CRIA_OK)
        die(&call, "open");
    size_t count = argc > 2 ? (size_t)argc - 2 : CRIA_COUNT(all);
    for (size_t i = 0; i < count; i++) {
        const char *set = argc > 2 ? argv[i + 2] : all[i];
        size_t len, qa_len;
        char *docs = slurp(argv[1], set, "docs.jsonl", &len);
        if (!docs) continue;
        char *qa = slurp(argv[1], set, "qa.jsonl", &qa_len);
        load(&c, &call, cria_str_make(docs, len), strncmp(set, "xquad", 5) != 0);
        measure_retrieval(&c, &call, argv[1], set);
        if (qa && strncmp(set, "xquad", 5) == 0)
            measure_answers(&c, &call, cria_str_make(qa, qa_len), cria_str_make(docs, len), set);
        free(qa);
        free(docs);
    }
    cria_search_free(c.search);
    cria_store_close(c.store);
    cria_arena_release(&arena);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
