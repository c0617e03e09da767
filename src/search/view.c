/* view.c - a request's indexes as one collection: their snapshots, what the filters leave of them,
 * and the query analysed against it. Room: search. */
#include "search/bitmap.h"
#include "search/filter.h"
#include "search/internal.h"

static enum cria_status take_snapshots(struct cria_search *search, struct cria_call *call,
                                       const struct cria_search_request *request,
                                       struct cria_search_view *view)
{
    for (size_t i = 0; i < request->index_count && i < CRIA_MAX_INDEXES; i++) {
        struct cria_collection *collection =
            cria_search_take(search, call, request->project, request->indexes[i].id);
        if (!collection) return cria_fail_memory(call);
        view->collections[i] = collection;
        view->count = i + 1;
        enum cria_status st = cria_search_snapshot(call, collection, request->indexes[i].generation,
                                                   &view->snapshots[i]);
        if (st != CRIA_OK) return st;
        view->source_count += view->snapshots[i]->parts.count;
    }
    return CRIA_OK;
}

static enum cria_status filter_names(const struct cria_segment *segment, struct cria_str part,
                                     uint64_t *documents)
{
    struct cria_segment_document document;
    size_t count = segment->meta.document_count;
    for (size_t d = cria_bitmap_next(documents, 0, count); d < count;
         d = cria_bitmap_next(documents, d + 1, count)) {
        if (!cria_segment_document(segment, (uint32_t)d, &document)) return CRIA_E_CORRUPT;
        if (!cria_name_contains(document.display_name, part)) cria_bitmap_clear(documents, d);
    }
    return CRIA_OK;
}

/* The chunks of a part that live and that the filters let through. */
static enum cria_status allow(struct cria_call *call, const struct cria_search_request *request,
                              const struct cria_part *part, const uint64_t **out)
{
    const struct cria_segment *segment = part->piece->segment;
    size_t count = segment->meta.document_count;
    bool filters =
        !cria_json_is_null(request->static_filters) || !cria_json_is_null(request->custom_filters);
    if (!filters && !request->file_name_contains.len) {
        *out = part->alive;
        return CRIA_OK;
    }
    uint64_t *documents = CRIA_NEW_ARRAY(call->arena, cria_bitmap_words(count) + 1, uint64_t);
    uint64_t *chunks =
        CRIA_NEW_ARRAY(call->arena, cria_bitmap_words(segment->meta.chunk_count) + 1, uint64_t);
    if (!documents || !chunks) return CRIA_E_NO_MEMORY;
    cria_bitmap_set_range(documents, 0, count);
    if (part->dead) cria_bitmap_andnot(documents, part->dead, count);
    enum cria_status st = CRIA_OK;
    if (filters)
        st = cria_fields_filter(&segment->fields, count, request->static_filters,
                                request->custom_filters, documents, call->arena);
    if (st == CRIA_OK && request->file_name_contains.len)
        st = filter_names(segment, request->file_name_contains, documents);
    if (st != CRIA_OK) return st;
    cria_bitmap_expand(documents, count, segment->first_chunk, chunks);
    *out = chunks;
    return CRIA_OK;
}

static enum cria_status make_sources(struct cria_call *call,
                                     const struct cria_search_request *request,
                                     struct cria_search_view *view)
{
    size_t n = 0;
    view->sources = CRIA_NEW_ARRAY(call->arena, view->source_count, struct cria_rank_source);
    view->pieces = CRIA_NEW_ARRAY(call->arena, view->source_count, struct cria_piece *);
    if (!view->sources || !view->pieces) return cria_fail_memory(call);
    struct cria_embedder *embedder = cria_search_options_of(view->search)->embedder;
    for (size_t i = 0; i < view->count; i++) {
        const struct cria_parts *parts = &view->snapshots[i]->parts;
        struct cria_str id = cria_str_from(view->snapshots[i]->embedder);
        bool compares = embedder && id.len && cria_embedder_matches(embedder, id);
        view->has_other_embedder = view->has_other_embedder || (id.len && !compares);
        for (size_t p = 0; p < parts->count; p++, n++) {
            struct cria_piece *piece = parts->items[p].piece;
            view->pieces[n] = piece;
            view->sources[n] =
                (struct cria_rank_source){.segment = piece->segment,
                                          .vectors = compares ? atomic_load(&piece->vectors) : NULL,
                                          .index_n = i};
            enum cria_status st = allow(call, request, &parts->items[p], &view->sources[n].allowed);
            if (st == CRIA_E_CORRUPT) {
                st = cria_search_repair(view, call, n);
                return st == CRIA_OK ? CRIA_E_CORRUPT : st;
            }
            if (st != CRIA_OK) return cria_fail_memory(call);
        }
    }
    return CRIA_OK;
}

static enum cria_status make_plan(struct cria_call *call, const struct cria_search_request *request,
                                  struct cria_search_view *view)
{
    struct cria_analyser *analyser = cria_search_analyser(view->search);
    view->plan = CRIA_NEW(call->arena, struct cria_query_plan);
    bool good = analyser && view->plan &&
                cria_query_plan_make(view->plan, call->arena, analyser, view->sources,
                                     view->source_count, request->query);
    if (analyser) cria_search_analyser_back(view->search, analyser);
    return good ? CRIA_OK : cria_fail_memory(call);
}

enum cria_status cria_search_open(struct cria_search *search, struct cria_call *call,
                                  const struct cria_search_request *request,
                                  struct cria_search_view *view)
{
    enum cria_status st = CRIA_E_CORRUPT;
    size_t source;
    /* Again after what is damaged of an index was made again. */
    for (int tries = 0; tries <= CRIA_MAX_INDEXES && st == CRIA_E_CORRUPT; tries++) {
        if (tries) cria_search_close(view);
        *view = (struct cria_search_view){.search = search};
        st = take_snapshots(search, call, request, view);
        if (st == CRIA_E_CORRUPT) return st; /* of the store */
        if (st == CRIA_OK) st = make_sources(call, request, view);
        if (st == CRIA_OK) st = make_plan(call, request, view);
        if (st != CRIA_OK || !cria_search_is_damaged(view, &source)) continue;
        st = cria_search_repair(view, call, source);
        if (st == CRIA_OK) st = CRIA_E_CORRUPT;
    }
    return st;
}

void cria_search_close(struct cria_search_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        cria_snapshot_unref(view->snapshots[i]);
        cria_search_give_back(view->search, view->collections[i]);
    }
    view->count = 0;
}

bool cria_search_is_damaged(const struct cria_search_view *view, size_t *source)
{
    for (size_t i = 0; i < view->source_count; i++) {
        const struct cria_piece *piece = view->pieces[i];
        if (!cria_segment_file_is_damaged(piece->segment->file) &&
            !(view->sources[i].vectors && cria_segment_file_is_damaged(piece->vector_file)))
            continue;
        *source = i;
        return true;
    }
    return false;
}

enum cria_status cria_search_repair(struct cria_search_view *view, struct cria_call *call,
                                    size_t source)
{
    struct cria_collection *collection = view->collections[view->sources[source].index_n];
    pthread_mutex_lock(&collection->build);
    enum cria_status st = cria_collection_drop_damaged(collection, call, view->pieces[source]);
    pthread_mutex_unlock(&collection->build);
    if (st == CRIA_OK) cria_search_maintain_later(view->search, collection);
    return st;
}
