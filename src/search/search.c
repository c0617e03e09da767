/* search.c - which indexes are loaded, keeping them up to date, and a retrieval from request to
 * hits. Room: search. A collection is loaded by whoever needs it first; others who need it
 * meanwhile wait for that. */
#include "search/search.h"

#include <stdlib.h>

#include "base/log.h"
#include "platform/clock.h"
#include "search/filter.h"
#include "search/internal.h"

enum {
    LIST_WINDOW = 500,
    LOAD_ARENA = 1 << 30,
    MAX_TOP_K = 500,
    MAX_CANDIDATES = 10000,
    MIN_CANDIDATES = 100
};

struct collection {
    pthread_mutex_t build; /* held while a snapshot is made */
    struct cria_vocabulary *vocabulary;
    struct cria_snapshot *snapshot; /* under search->lock */
    atomic_uint users;              /* under search->lock to rise; freed at 0 when dropped */
    bool is_dropped;
    uint64_t used_ns;
};

struct cria_search {
    struct cria_search_options options;
    pthread_mutex_t lock;
    struct cria_map collections; /* "project/index" */
    pthread_mutex_t analysers_lock;
    struct cria_analyser *analysers[64]; /* idle ones */
    size_t analyser_count;
};

enum cria_status cria_search_new(const struct cria_search_options *options, struct cria_call *call,
                                 struct cria_search **out)
{
    struct cria_search *search = calloc(1, sizeof(*search));
    if (!search) return cria_fail_memory(call);
    search->options = *options;
    if (!search->options.memory_bytes) search->options.memory_bytes = (size_t)1 << 30;
    pthread_mutex_init(&search->lock, NULL);
    pthread_mutex_init(&search->analysers_lock, NULL);
    *out = search;
    return CRIA_OK;
}

static void collection_free(struct collection *collection)
{
    cria_snapshot_unref(collection->snapshot);
    cria_vocabulary_free(collection->vocabulary);
    pthread_mutex_destroy(&collection->build);
    free(collection);
}

void cria_search_free(struct cria_search *search)
{
    size_t at = 0;
    struct cria_str key;
    void *value;
    if (!search) return;
    while (cria_map_next(&search->collections, &at, &key, &value)) collection_free(value);
    cria_map_release(&search->collections);
    while (search->analyser_count) cria_analyser_free(search->analysers[--search->analyser_count]);
    pthread_mutex_destroy(&search->analysers_lock);
    pthread_mutex_destroy(&search->lock);
    free(search);
}

struct cria_analyser *cria_search_analyser(struct cria_search *search)
{
    struct cria_analyser *analyser = NULL;
    pthread_mutex_lock(&search->analysers_lock);
    if (search->analyser_count) analyser = search->analysers[--search->analyser_count];
    pthread_mutex_unlock(&search->analysers_lock);
    return analyser ? analyser : cria_analyser_new();
}

void cria_search_analyser_back(struct cria_search *search, struct cria_analyser *analyser)
{
    pthread_mutex_lock(&search->analysers_lock);
    bool kept = search->analyser_count < CRIA_COUNT(search->analysers);
    if (kept) search->analysers[search->analyser_count++] = analyser;
    pthread_mutex_unlock(&search->analysers_lock);
    if (!kept) cria_analyser_free(analyser);
}

/* ---- collections
 * ------------------------------------------------------------------------------------------- */

static struct cria_str key_of(struct cria_call *call, struct cria_str project,
                              struct cria_str index_id)
{
    return cria_arena_printf(call->arena, "%.*s/%.*s", CRIA_STR_ARG(project),
                             CRIA_STR_ARG(index_id));
}

static void give_back(struct cria_search *search, struct collection *collection)
{
    pthread_mutex_lock(&search->lock);
    bool last = atomic_fetch_sub(&collection->users, 1) == 1 && collection->is_dropped;
    pthread_mutex_unlock(&search->lock);
    if (last) collection_free(collection);
}

static struct collection *take(struct cria_search *search, struct cria_call *call,
                               struct cria_str project, struct cria_str index_id)
{
    struct cria_str key = key_of(call, project, index_id);
    if (!key.ptr) return NULL;
    pthread_mutex_lock(&search->lock);
    struct collection *collection = cria_map_get(&search->collections, key);
    if (!collection) {
        collection = calloc(1, sizeof(*collection));
        if (collection) collection->vocabulary = cria_vocabulary_new();
        if (collection &&
            (!collection->vocabulary || !cria_map_put(&search->collections, key, collection))) {
            cria_vocabulary_free(collection->vocabulary);
            free(collection);
            collection = NULL;
        }
        if (collection) pthread_mutex_init(&collection->build, NULL);
    }
    if (collection) {
        atomic_fetch_add(&collection->users, 1);
        collection->used_ns = cria_now_ns();
    }
    pthread_mutex_unlock(&search->lock);
    return collection;
}

/* Takes a collection off the table; the lock is held. */
static void drop(struct cria_search *search, struct cria_str key, struct collection *collection)
{
    cria_map_remove(&search->collections, key);
    collection->is_dropped = true;
    if (atomic_load(&collection->users) == 0) collection_free(collection);
}

void cria_search_forget(struct cria_search *search, struct cria_str project,
                        struct cria_str index_id)
{
    struct cria_arena arena;
    struct cria_call call;
    cria_arena_init(&arena, 4096);
    cria_call_init(&call, &arena);
    struct cria_str key = key_of(&call, project, index_id);
    pthread_mutex_lock(&search->lock);
    struct collection *collection = key.ptr ? cria_map_get(&search->collections, key) : NULL;
    if (collection) drop(search, key, collection);
    pthread_mutex_unlock(&search->lock);
    cria_arena_release(&arena);
}

/* Above the limit the index that was asked for the longest ago goes; it is loaded again when it is
 * asked for. */
static void make_room(struct cria_search *search)
{
    for (;;) {
        size_t at = 0, bytes = 0;
        struct cria_str key, oldest_key = {0};
        struct collection *oldest = NULL;
        void *value;
        pthread_mutex_lock(&search->lock);
        while (cria_map_next(&search->collections, &at, &key, &value)) {
            struct collection *collection = value;
            if (!collection->snapshot) continue;
            bytes += collection->snapshot->bytes;
            if (atomic_load(&collection->users) == 0 &&
                (!oldest || collection->used_ns < oldest->used_ns)) {
                oldest = collection;
                oldest_key = key;
            }
        }
        bool goes = oldest && bytes > search->options.memory_bytes;
        char copy[128];
        if (goes && cria_str_copy_z(oldest_key, copy, sizeof(copy)))
            drop(search, cria_str_from(copy), oldest);
        pthread_mutex_unlock(&search->lock);
        if (!goes) return;
    }
}

/* ---- loading
 * -------------------------------------------------------------------------------------------------
 */

struct load {
    struct cria_search *search;
    struct cria_call *call; /* for its principal and its error */
    struct cria_str project, index_id;
    struct cria_vocabulary *vocabulary;
    struct cria_analyser *analyser;
    struct cria_map before; /* document id -> indexed document of the snapshot before */
    struct cria_indexed_document **documents;
    size_t count, capacity;
};

static bool keep(struct load *load, struct cria_indexed_document *document)
{
    if (load->count == load->capacity) {
        size_t capacity = load->capacity ? load->capacity * 2 : 64;
        struct cria_indexed_document **grown =
            realloc(load->documents, capacity * sizeof(struct cria_indexed_document *));
        if (!grown) {
            cria_indexed_document_unref(document);
            return false;
        }
        load->documents = grown;
        load->capacity = capacity;
    }
    load->documents[load->count++] = document;
    return true;
}

static bool is_same(const struct cria_indexed_document *document, const struct cria_document *row)
{
    return cria_str_equal(document->display_name, row->display_name) &&
           cria_str_equal(document->metadata_json, row->metadata_json);
}

static enum cria_status load_one(struct load *load, struct cria_tx *tx, struct cria_call *call,
                                 const struct cria_document *row)
{
    struct cria_indexed_document *document = cria_map_get(&load->before, row->id);
    if (document && is_same(document, row)) {
        atomic_fetch_add(&document->refs, 1);
        return keep(load, document) ? CRIA_OK : CRIA_E_NO_MEMORY;
    }
    struct cria_arena arena;
    struct cria_call reading;
    struct cria_str text;
    struct cria_chunk_list chunks;
    cria_arena_init(&arena, LOAD_ARENA);
    cria_call_init(&reading, &arena);
    (void)call;
    enum cria_status st = cria_tx_document_text(tx, &reading, load->project, row->id, &text);
    if (st == CRIA_OK) st = cria_tx_document_chunks(tx, &reading, load->project, row->id, &chunks);
    if (st == CRIA_OK) {
        document = cria_document_index(load->vocabulary, load->analyser, row, text, chunks.items,
                                       chunks.count);
        st = document && keep(load, document) ? CRIA_OK : CRIA_E_NO_MEMORY;
    }
    cria_arena_release(&arena);
    return st;
}

/* All live documents, in one snapshot of the store, so that two generations are never mixed.
 * *generation is what the index's row said in it. */
static enum cria_status load_all(struct load *load, int64_t *generation)
{
    struct cria_arena arena;
    struct cria_call call;
    struct cria_tx *tx = NULL;
    struct cria_index index;
    struct cria_window window = {.limit = LIST_WINDOW};
    struct cria_document_list page = {.has_more = true};
    char name[512], id[CRIA_ID_SIZE];
    cria_arena_init(&arena, LOAD_ARENA);
    cria_call_init(&call, &arena);
    enum cria_status st = cria_store_read_begin(load->search->options.store, &call, &tx);
    if (st == CRIA_OK) st = cria_tx_index_get(tx, &call, load->project, load->index_id, &index);
    if (st == CRIA_OK) *generation = index.generation;
    while (st == CRIA_OK && page.has_more) {
        st = cria_tx_document_list(tx, &call, load->project, load->index_id, (struct cria_str){0},
                                   (struct cria_str){0}, &window, &page);
        for (size_t i = 0; i < page.count && st == CRIA_OK; i++)
            st = load_one(load, tx, &call, &page.items[i]);
        if (st != CRIA_OK || page.count == 0) break;
        const struct cria_document *last = &page.items[page.count - 1];
        bool short_name = cria_str_copy_z(last->display_name, name, sizeof(name)) &&
                          cria_str_copy_z(last->entry_id, id, sizeof(id));
        window.after =
            (struct cria_cursor){.is_set = true, .name = last->display_name, .id = last->entry_id};
        if (short_name) { /* names are short, so the page's memory can go */
            window.after.name = cria_str_from(name);
            window.after.id = cria_str_from(id);
            cria_arena_reset(&arena);
        }
    }
    cria_store_read_end(tx);
    if (st != CRIA_OK)
        cria_fail(load->call, st, "%s",
                  call.error[0] ? call.error : "The index could not be loaded");
    cria_arena_release(&arena);
    return st;
}

static enum cria_status build(struct cria_search *search, struct cria_call *call,
                              struct collection *collection, struct cria_str project,
                              struct cria_str index_id)
{
    struct load load = {.search = search,
                        .call = call,
                        .project = project,
                        .index_id = index_id,
                        .vocabulary = collection->vocabulary,
                        .analyser = cria_search_analyser(search)};
    struct cria_snapshot *before = collection->snapshot, *fresh = NULL;
    int64_t generation = 0;
    enum cria_status st = load.analyser ? CRIA_OK : CRIA_E_NO_MEMORY;
    for (size_t i = 0; before && i < before->document_count && st == CRIA_OK; i++)
        if (!cria_map_put(&load.before, before->documents[i]->id, before->documents[i]))
            st = CRIA_E_NO_MEMORY;
    if (st == CRIA_OK) st = load_all(&load, &generation);
    if (st == CRIA_OK) {
        fresh = cria_snapshot_new(load.vocabulary, load.documents, load.count, generation);
        st = fresh ? CRIA_OK : CRIA_E_NO_MEMORY;
    } else {
        for (size_t i = 0; i < load.count; i++) cria_indexed_document_unref(load.documents[i]);
        free(load.documents);
    }
    if (st == CRIA_E_NO_MEMORY) cria_fail_memory(call);
    if (fresh) {
        pthread_mutex_lock(&search->lock);
        collection->snapshot = fresh;
        pthread_mutex_unlock(&search->lock);
        cria_snapshot_unref(before);
    }
    cria_map_release(&load.before);
    if (load.analyser) cria_search_analyser_back(search, load.analyser);
    return st;
}

/* A snapshot of at least this generation; made now if need be. */
static enum cria_status snapshot_of(struct cria_search *search, struct cria_call *call,
                                    struct collection *collection, struct cria_str project,
                                    struct cria_str index_id, int64_t generation,
                                    struct cria_snapshot **out)
{
    enum cria_status st = CRIA_OK;
    for (int tries = 0; tries < 2; tries++) {
        pthread_mutex_lock(&search->lock);
        struct cria_snapshot *snapshot = collection->snapshot;
        bool is_good = snapshot && snapshot->generation >= generation;
        if (is_good) *out = cria_snapshot_ref(snapshot);
        pthread_mutex_unlock(&search->lock);
        if (is_good) return CRIA_OK;
        pthread_mutex_lock(&collection->build);
        bool still = !collection->snapshot || collection->snapshot->generation < generation;
        if (still) st = build(search, call, collection, project, index_id);
        pthread_mutex_unlock(&collection->build);
        if (st != CRIA_OK) return st;
    }
    return cria_fail(call, CRIA_E_UNAVAILABLE, "The index is being replaced; try again");
}

enum cria_status cria_search_refresh(struct cria_search *search, struct cria_call *call,
                                     struct cria_str project, struct cria_str index_id,
                                     int64_t generation)
{
    struct cria_snapshot *snapshot = NULL;
    struct collection *collection = take(search, call, project, index_id);
    if (!collection) return cria_fail_memory(call);
    enum cria_status st =
        snapshot_of(search, call, collection, project, index_id, generation, &snapshot);
    cria_snapshot_unref(snapshot);
    give_back(search, collection);
    make_room(search);
    return st;
}

/* ---- a query
 * --------------------------------------------------------------------------------------------------
 */

enum cria_status cria_search_open(struct cria_search *search, struct cria_call *call,
                                  const struct cria_search_request *request,
                                  struct cria_search_view *view)
{
    *view = (struct cria_search_view){.search = search};
    enum cria_status st = CRIA_OK;
    for (size_t i = 0; i < request->index_count && st == CRIA_OK; i++) {
        struct collection *collection =
            take(search, call, request->project, request->indexes[i].id);
        if (!collection) return cria_fail_memory(call);
        view->collections[i] = collection;
        view->count = i + 1;
        st = snapshot_of(search, call, collection, request->project, request->indexes[i].id,
                         request->indexes[i].generation, &view->snapshots[i]);
    }
    if (st != CRIA_OK) return st;
    struct cria_analyser *analyser = cria_search_analyser(search);
    view->plan = CRIA_NEW(call->arena, struct cria_query_plan);
    bool good = analyser && view->plan &&
                cria_query_plan_make(view->plan, call->arena, analyser, view->snapshots,
                                     view->count, request->query);
    if (analyser) cria_search_analyser_back(search, analyser);
    return good ? CRIA_OK : cria_fail_memory(call);
}

void cria_search_close(struct cria_search_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        cria_snapshot_unref(view->snapshots[i]);
        give_back(view->search, view->collections[i]);
    }
    view->count = 0;
}

static bool has_filters(const struct cria_search_request *request)
{
    return !cria_json_is_null(request->static_filters) ||
           !cria_json_is_null(request->custom_filters) || request->file_name_contains.len;
}

static bool **allowed_documents(struct cria_call *call, const struct cria_search_request *request,
                                const struct cria_search_view *view)
{
    bool **allowed = CRIA_NEW_ARRAY(call->arena, view->count, bool *);
    struct cria_arena arena;
    cria_arena_init(&arena, 16 << 20);
    for (size_t s = 0; allowed && s < view->count; s++) {
        const struct cria_snapshot *snapshot = view->snapshots[s];
        allowed[s] = CRIA_NEW_ARRAY(call->arena, snapshot->document_count, bool);
        for (size_t d = 0; allowed[s] && d < snapshot->document_count; d++) {
            const struct cria_indexed_document *document = snapshot->documents[d];
            allowed[s][d] = cria_filter_allows(
                &arena, document->entry_id, document->display_name, document->metadata_json,
                request->static_filters, request->custom_filters, request->file_name_contains);
            cria_arena_reset(&arena);
        }
    }
    cria_arena_release(&arena);
    return call->arena->failed ? NULL : allowed;
}

static enum cria_status fill_hit(struct cria_call *call, struct cria_tx *tx,
                                 const struct cria_search_request *request,
                                 const struct cria_search_view *view,
                                 const struct cria_scored *item, struct cria_search_hit *hit)
{
    const struct cria_snapshot *snapshot = view->snapshots[item->snapshot];
    const struct cria_indexed_document *document = cria_snapshot_document(snapshot, item->chunk);
    const struct cria_indexed_chunk *chunk = cria_snapshot_chunk(snapshot, item->chunk);
    *hit = (struct cria_search_hit){
        .index_n = item->snapshot,
        .entry_id = cria_arena_copy(call->arena, document->entry_id),
        .document_id = cria_arena_copy(call->arena, document->id),
        .display_name = cria_arena_copy(call->arena, document->display_name),
        .metadata_json = cria_arena_copy(call->arena, document->metadata_json),
        .chunk = chunk->place,
        .score = item->score,
        .coverage = item->coverage,
    };
    if (chunk->place.heading.ptr)
        hit->chunk.heading = cria_arena_copy(call->arena, chunk->place.heading);
    return cria_tx_document_slice(tx, call, request->project, document->id, chunk->place.byte_start,
                                  chunk->place.byte_end - chunk->place.byte_start, &hit->content);
}

/* The second pass: what covers the query's rare words better moves up a little. */
static int by_second_score(const void *a, const void *b)
{
    const struct cria_search_hit *x = a, *y = b;
    if (x->rerank_score != y->rerank_score) return x->rerank_score < y->rerank_score ? 1 : -1;
    return x->score < y->score ? 1 : x->score > y->score ? -1 : 0;
}

static size_t rerank(const struct cria_search_request *request, struct cria_search_hit *hits,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hits[i].has_rerank_score = true;
        hits[i].rerank_score = hits[i].score * (0.9 + 0.1 * hits[i].coverage);
    }
    qsort(hits, count, sizeof(*hits), by_second_score);
    return request->rerank_top_n && request->rerank_top_n < count ? request->rerank_top_n : count;
}

static enum cria_status fill(struct cria_search *search, struct cria_call *call,
                             const struct cria_search_request *request,
                             const struct cria_search_view *view,
                             const struct cria_ranking *ranking, struct cria_search_result *out)
{
    struct cria_tx *tx = NULL;
    uint32_t top_k = request->top_k > MAX_TOP_K ? MAX_TOP_K : request->top_k;
    struct cria_search_hit *hits = CRIA_NEW_ARRAY(call->arena, top_k, struct cria_search_hit);
    if (!hits) return cria_fail_memory(call);
    enum cria_status st = cria_store_read_begin(search->options.store, call, &tx);
    size_t count = 0;
    for (size_t i = 0; i < ranking->count && count < top_k && st == CRIA_OK; i++) {
        if (request->has_threshold && ranking->items[i].score < request->score_threshold) break;
        st = fill_hit(call, tx, request, view, &ranking->items[i], &hits[count]);
        if (st == CRIA_OK)
            count++;
        else if (st == CRIA_E_NOT_FOUND)
            st = CRIA_OK; /* replaced between the look at the index and now: it is not part of it
                             any more */
    }
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    if (request->rerank) count = rerank(request, hits, count);
    out->hits = hits;
    out->count = count;
    return call->arena->failed ? cria_fail_memory(call) : CRIA_OK;
}

enum cria_status cria_search_retrieve(struct cria_search *search, struct cria_call *call,
                                      const struct cria_search_request *request,
                                      struct cria_search_result *out)
{
    struct cria_search_view view;
    struct cria_ranking ranking = {0};
    *out = (struct cria_search_result){0};
    size_t candidates =
        request->num_candidates ? request->num_candidates : (size_t)request->top_k * 10;
    if (candidates < MIN_CANDIDATES) candidates = MIN_CANDIDATES;
    if (candidates > MAX_CANDIDATES) candidates = MAX_CANDIDATES;
    if (candidates < request->top_k) candidates = request->top_k;
    enum cria_status st = cria_search_open(search, call, request, &view);
    bool **allowed = NULL;
    if (st == CRIA_OK && has_filters(request)) {
        allowed = allowed_documents(call, request, &view);
        if (!allowed) st = cria_fail_memory(call);
    }
    if (st == CRIA_OK && !cria_rank(view.plan, call->arena, allowed, candidates, &ranking))
        st = cria_fail_memory(call);
    if (st == CRIA_OK) st = fill(search, call, request, &view, &ranking, out);
    if (st == CRIA_OK) {
        out->confidence = ranking.confidence;
        out->unknown_words = view.plan->unknown;
        out->unknown_count = view.plan->unknown_count;
    }
    cria_search_close(&view);
    return st;
}

struct cria_search_figures cria_search_figures(struct cria_search *search)
{
    struct cria_search_figures figures = {0};
    size_t at = 0;
    struct cria_str key;
    void *value;
    pthread_mutex_lock(&search->lock);
    while (cria_map_next(&search->collections, &at, &key, &value)) {
        const struct collection *collection = value;
        if (!collection->snapshot) continue;
        figures.indexes++;
        figures.chunks += collection->snapshot->chunk_count;
        figures.bytes += collection->snapshot->bytes;
    }
    pthread_mutex_unlock(&search->lock);
    return figures;
}
