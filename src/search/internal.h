/* internal.h - what the files of this room lend each other: search.c its options and collections,
 * retrieve.c its views. Room: search. */
#ifndef CRIA_SEARCH_INTERNAL_H
#define CRIA_SEARCH_INTERNAL_H

#include "search/collection.h"
#include "search/rank.h"
#include "search/search.h"

enum { CRIA_MAX_INDEXES = 10 };

/* ---- search.c */

struct cria_store *cria_search_store(const struct cria_search *search);
const struct cria_search_options *cria_search_options_of(const struct cria_search *search);
/** The data folder, absolute. */
const char *cria_search_folder(const struct cria_search *search);
/** An analyser to use for a while; NULL when memory is short. */
struct cria_analyser *cria_search_analyser(struct cria_search *search);
void cria_search_analyser_back(struct cria_search *search, struct cria_analyser *analyser);
/** The collection of an index, in use until it is given back; NULL when memory is short. */
struct cria_collection *cria_search_take(struct cria_search *search, struct cria_call *call,
                                         struct cria_str project, struct cria_str index_id);
void cria_search_give_back(struct cria_search *search, struct cria_collection *collection);
/** A snapshot of at least this generation, made now if need be; while an export goes on, what is
 * there. */
CRIA_MUST_CHECK enum cria_status cria_search_snapshot(struct cria_call *call,
                                                      struct cria_collection *collection,
                                                      int64_t generation,
                                                      struct cria_snapshot **out);

/** Has a collection saved, its vectors encoded, its segments merged: on the pool, so that nobody
 * waits for it; without one, now. */
void cria_search_maintain_later(struct cria_search *search, struct cria_collection *collection);

/* ---- view.c: the snapshots of a request's indexes as one collection, and its query against them
 */

struct cria_search_view {
    struct cria_search *search;
    struct cria_collection *collections[CRIA_MAX_INDEXES];
    struct cria_snapshot *snapshots[CRIA_MAX_INDEXES];
    size_t count;
    struct cria_rank_source *sources; /* in the call's arena, as all below */
    struct cria_piece **pieces;       /* of each source */
    size_t source_count;
    struct cria_query_plan *plan;
    bool has_other_embedder; /* vectors of an index cannot be compared with the embedder's */
};
/** Whatever it says, close the view. */
CRIA_MUST_CHECK enum cria_status cria_search_open(struct cria_search *search,
                                                  struct cria_call *call,
                                                  const struct cria_search_request *request,
                                                  struct cria_search_view *view);
void cria_search_close(struct cria_search_view *view);
/** Whether bytes of a source turned out to be rotten since it was opened, and which. What reads
 * them may only miss something: to be asked before an answer is given. */
bool cria_search_is_damaged(const struct cria_search_view *view, size_t *source);
/** Drops what is damaged of a source's index, the source itself in any case, and makes it again. */
CRIA_MUST_CHECK enum cria_status cria_search_repair(struct cria_search_view *view,
                                                    struct cria_call *call, size_t source);

#endif
