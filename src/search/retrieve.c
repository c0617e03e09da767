/* retrieve.c - a retrieval from request to hits: rank, choose, rank again.
 * Room: search. */
#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "model/reranker.h"
#include "search/internal.h"

enum {
    MAX_TOP_K = 500,
    MAX_CANDIDATES = 10000,
    MIN_CANDIDATES = 100,
    RERANKED = 50 /* hits that a model looks at, at least */
};
static const double SAME_ABOVE = 0.85; /* Jaccard of 4-grams */
static const double COVERAGE_SHARE = 0.15;

struct retrieval {
    struct cria_search *search;
    struct cria_call *call;
    const struct cria_search_request *request;
    struct cria_search_view view;
    struct cria_ranking ranking;
    struct cria_search_hit *hits;
    struct cria_str *folded;      /* of each hit, when repeats are dropped */
    struct cria_embeddings query; /* made once */
    size_t count, limit;
    bool is_damaged; /* source ranking.damaged is */
};

/* ---- the query's vector */

static bool has_vectors(const struct cria_search_view *view)
{
    for (size_t i = 0; i < view->source_count; i++)
        if (view->sources[i].vectors) return true;
    return false;
}

/* Without a vector the words answer alone, unless the words were not wanted. */
static enum cria_status embed_query(struct retrieval *r, struct cria_embeddings *out)
{
    const struct cria_search_request *request = r->request;
    struct cria_embedder *embedder = cria_search_options_of(r->search)->embedder;
    bool alone = request->full_text_weight <= 0;
    if (request->vector_weight <= 0) return CRIA_OK;
    if (alone && r->view.has_other_embedder)
        return cria_fail_final(r->call, CRIA_E_CONFLICT,
                               "The index was embedded by another model than this server has now: "
                               "build a new index, or search with full_text_pipeline_weight");
    if (!embedder || !has_vectors(&r->view)) return CRIA_OK;
    enum cria_status st = cria_embed(embedder, r->call, CRIA_EMBED_QUERY, &request->query, 1, out);
    if (st == CRIA_OK || alone || st == CRIA_E_CANCELLED || st == CRIA_E_NO_MEMORY) return st;
    cria_log(CRIA_LOG_WARN, "search.embed", "why='%s'", r->call->error);
    r->call->error[0] = '\0';
    *out = (struct cria_embeddings){0};
    return CRIA_OK;
}

static size_t candidates_of(const struct cria_search_request *request)
{
    size_t candidates =
        request->num_candidates ? request->num_candidates : (size_t)request->top_k * 10;
    if (candidates < MIN_CANDIDATES) candidates = MIN_CANDIDATES;
    if (candidates > MAX_CANDIDATES) candidates = MAX_CANDIDATES;
    return candidates < request->top_k ? request->top_k : candidates;
}

static enum cria_status open_and_rank(struct retrieval *r)
{
    enum cria_status st = cria_search_open(r->search, r->call, r->request, &r->view);
    if (st == CRIA_OK && !r->query.rows) st = embed_query(r, &r->query);
    if (st != CRIA_OK) return st;
    const struct cria_rank_options options = {.candidates = candidates_of(r->request),
                                              .query = r->query.rows,
                                              .dims = r->query.dims,
                                              .vector_weight = r->request->vector_weight,
                                              .full_text_weight = r->request->full_text_weight};
    st = cria_rank(r->view.plan, r->call, &options, &r->ranking);
    r->is_damaged = st == CRIA_E_CORRUPT;
    return st;
}

/* ---- hits */

static enum cria_status fill_hit(struct retrieval *r, const struct cria_scored *item,
                                 struct cria_search_hit *hit)
{
    struct cria_arena *arena = r->call->arena;
    const struct cria_segment *segment = r->view.sources[item->source].segment;
    struct cria_segment_document document;
    struct cria_segment_chunk chunk;
    struct cria_str text;
    if (!cria_segment_chunk(segment, item->chunk, &chunk) ||
        !cria_segment_document(segment, chunk.document, &document) ||
        !cria_segment_text(segment, item->chunk, &text)) {
        r->ranking.damaged = item->source;
        r->is_damaged = true;
        return cria_fail(r->call, CRIA_E_CORRUPT, "A search file is damaged");
    }
    *hit = (struct cria_search_hit){
        .index_n = r->view.sources[item->source].index_n,
        .entry_id = cria_arena_copy(arena, document.entry_id),
        .document_id = cria_arena_copy(arena, document.id),
        .display_name = cria_arena_copy(arena, document.display_name),
        .metadata_json = cria_arena_copy(arena, document.metadata_json),
        .chunk = chunk.place,
        .content = cria_arena_copy(arena, text),
        .score = item->score,
        .coverage = item->coverage,
        .language = document.language,
    };
    if (chunk.place.heading.ptr) hit->chunk.heading = cria_arena_copy(arena, chunk.place.heading);
    if (r->folded) r->folded[r->count] = chunk.folded; /* as long as the view is open */
    return CRIA_OK;
}

/* Share of the 4-grams of both that both have. */
static bool says_the_same(struct cria_arena *arena, struct cria_str a, struct cria_str b)
{
    size_t longer = a.len > b.len ? a.len : b.len, shorter = a.len + b.len - longer, shared = 0;
    if (shorter < 4 || (double)shorter < SAME_ABOVE * (double)longer * 0.8)
        return cria_str_equal(a, b);
    uint32_t *x = CRIA_NEW_ARRAY(arena, a.len, uint32_t);
    uint32_t *y = CRIA_NEW_ARRAY(arena, b.len, uint32_t);
    if (!x || !y) return false;
    size_t n = cria_distinct_grams(a, x), m = cria_distinct_grams(b, y);
    for (size_t i = 0, k = 0; i < n && k < m;) {
        uint32_t a_gram = x[i], b_gram = y[k];
        shared += a_gram == b_gram;
        i += a_gram <= b_gram;
        k += b_gram <= a_gram;
    }
    return (double)shared >= SAME_ABOVE * (double)(n + m - shared);
}

static bool is_repeat(struct retrieval *r)
{
    struct cria_arena scratch;
    bool same = false;
    cria_arena_init(&scratch, 64 << 20);
    for (size_t i = 0; i < r->count && !same; i++) {
        same = says_the_same(&scratch, r->folded[i], r->folded[r->count]);
        cria_arena_reset(&scratch);
    }
    cria_arena_release(&scratch);
    return same;
}

static bool is_one_too_many(const struct retrieval *r)
{
    const struct cria_search_hit *hit = &r->hits[r->count];
    uint32_t same = 0;
    if (!r->request->max_per_document) return false;
    for (size_t i = 0; i < r->count; i++)
        same += cria_str_equal(r->hits[i].document_id, hit->document_id);
    return same >= r->request->max_per_document;
}

/* The best first, until there are enough; those of documents that have their share already come
 * only when nothing else is left. */
static enum cria_status fill(struct retrieval *r)
{
    const struct cria_search_request *request = r->request;
    bool *later = CRIA_NEW_ARRAY(r->call->arena, r->ranking.count, bool);
    r->hits = CRIA_NEW_ARRAY(r->call->arena, r->limit + 1, struct cria_search_hit);
    if (request->drops_repeats)
        r->folded = CRIA_NEW_ARRAY(r->call->arena, r->limit + 1, struct cria_str);
    if (!later || !r->hits || (request->drops_repeats && !r->folded))
        return cria_fail_memory(r->call);
    enum cria_status st = CRIA_OK;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < r->ranking.count && r->count < r->limit && st == CRIA_OK; i++) {
            const struct cria_scored *item = &r->ranking.items[i];
            if (round == 1 && !later[i]) continue;
            if (request->has_threshold && item->score < request->score_threshold) break;
            st = fill_hit(r, item, &r->hits[r->count]);
            if (st != CRIA_OK || (r->folded && is_repeat(r))) continue;
            if (round == 0 && is_one_too_many(r))
                later[i] = true;
            else
                r->count++;
        }
    }
    return st;
}

/* ---- neighbours become one */

static bool are_neighbours(const struct cria_search_hit *a, const struct cria_search_hit *b)
{
    return cria_str_equal(a->document_id, b->document_id) &&
           (a->chunk.n == b->chunk.n + 1 || b->chunk.n == a->chunk.n + 1);
}

/* The better hit takes its neighbour's text; it keeps its score and the first one's number. */
static enum cria_status join(struct retrieval *r, struct cria_tx *tx, struct cria_search_hit *into,
                             const struct cria_search_hit *from)
{
    struct cria_chunk *a = &into->chunk;
    const struct cria_chunk *b = &from->chunk;
    if (b->byte_start < a->byte_start) {
        a->byte_start = b->byte_start;
        a->char_start = b->char_start;
        a->page_start = b->page_start;
        a->n = b->n;
    }
    if (b->byte_end > a->byte_end) {
        a->byte_end = b->byte_end;
        a->char_end = b->char_end;
        a->page_end = b->page_end;
    }
    a->token_count += b->token_count;
    if (from->coverage > into->coverage) into->coverage = from->coverage;
    return cria_tx_document_slice(tx, r->call, r->request->project, into->document_id,
                                  a->byte_start, a->byte_end - a->byte_start, &into->content);
}

static enum cria_status join_neighbours(struct retrieval *r)
{
    struct cria_tx *tx = NULL;
    enum cria_status st =
        cria_store_read_begin(cria_search_options_of(r->search)->store, r->call, &tx);
    size_t kept = 0;
    for (size_t i = 0; i < r->count && st == CRIA_OK; i++) {
        struct cria_search_hit *into = NULL;
        for (size_t k = 0; k < kept && !into; k++)
            if (are_neighbours(&r->hits[k], &r->hits[i])) into = &r->hits[k];
        if (into)
            st = join(r, tx, into, &r->hits[i]);
        else
            r->hits[kept++] = r->hits[i];
    }
    cria_store_read_end(tx);
    r->count = kept;
    return st == CRIA_E_NOT_FOUND ? CRIA_OK : st;
}

/* ---- ranked again */

static int by_second_score(const void *a, const void *b)
{
    const struct cria_search_hit *x = a, *y = b;
    if (x->rerank_score != y->rerank_score) return x->rerank_score < y->rerank_score ? 1 : -1;
    return x->score < y->score ? 1 : x->score > y->score ? -1 : 0;
}

/* By a model where there is one and it answers; else what covers the query's rare words better
 * moves up a little. */
static enum cria_status rerank(struct retrieval *r)
{
    struct cria_reranker *reranker = cria_search_options_of(r->search)->reranker;
    const struct cria_search_request *request = r->request;
    double *scores = CRIA_NEW_ARRAY(r->call->arena, r->count, double);
    struct cria_str *texts = CRIA_NEW_ARRAY(r->call->arena, r->count, struct cria_str);
    enum cria_status st = CRIA_E_UNAVAILABLE;
    if (!scores || !texts) return cria_fail_memory(r->call);
    for (size_t i = 0; i < r->count; i++) texts[i] = r->hits[i].content;
    if (reranker && r->count) {
        st = cria_rerank(reranker, r->call, request->query, texts, r->count, scores);
        if (st == CRIA_E_CANCELLED || st == CRIA_E_NO_MEMORY) return st;
        if (st != CRIA_OK) cria_log(CRIA_LOG_WARN, "search.rerank", "why='%s'", r->call->error);
        r->call->error[0] = '\0';
    }
    for (size_t i = 0; i < r->count; i++) {
        r->hits[i].has_rerank_score = true;
        r->hits[i].rerank_score =
            st == CRIA_OK
                ? scores[i]
                : r->hits[i].score * (1 - COVERAGE_SHARE + COVERAGE_SHARE * r->hits[i].coverage);
    }
    if (r->count) qsort(r->hits, r->count, sizeof(*r->hits), by_second_score);
    if (request->rerank_top_n && request->rerank_top_n < r->count) r->count = request->rerank_top_n;
    return CRIA_OK;
}

enum cria_status cria_search_retrieve(struct cria_search *search, struct cria_call *call,
                                      const struct cria_search_request *request,
                                      struct cria_search_result *out)
{
    struct retrieval r = {.search = search, .call = call, .request = request};
    size_t top_k = request->top_k > MAX_TOP_K ? MAX_TOP_K : request->top_k;
    bool is_judged = request->rerank && cria_search_options_of(search)->reranker;
    *out = (struct cria_search_result){0};
    r.limit = is_judged && top_k < RERANKED ? RERANKED : top_k;
    enum cria_status st = CRIA_OK;
    bool again = true;
    /* Again after what is damaged of an index was made again. */
    for (int tries = 0; again && st == CRIA_OK; tries++) {
        if (tries) cria_search_close(&r.view);
        r.is_damaged = false;
        r.count = 0;
        st = open_and_rank(&r);
        if (st == CRIA_OK) st = fill(&r);
        /* What is rotten may only have been missed. */
        if (st == CRIA_OK) r.is_damaged = cria_search_is_damaged(&r.view, &r.ranking.damaged);
        again = r.is_damaged && tries < CRIA_MAX_INDEXES;
        if (again) st = cria_search_repair(&r.view, call, r.ranking.damaged);
    }
    if (st == CRIA_OK && request->joins_neighbours) st = join_neighbours(&r);
    if (st == CRIA_OK && request->rerank) st = rerank(&r);
    if (st == CRIA_OK && call->arena->failed) st = cria_fail_memory(call);
    if (st == CRIA_OK) {
        out->hits = r.hits;
        out->count = r.count < top_k ? r.count : top_k;
        out->confidence = r.ranking.confidence;
        out->unknown_words = r.view.plan->unknown;
        out->unknown_count = r.view.plan->unknown_count;
    }
    cria_search_close(&r.view);
    return st;
}
