/* internal.h - what search.c lends to sentences.c. Room: search. */
#ifndef CRIA_SEARCH_INTERNAL_H
#define CRIA_SEARCH_INTERNAL_H

#include "search/rank.h"
#include "search/search.h"

struct collection;

/** The snapshots of a request's indexes and its query analysed against them. */
struct cria_search_view {
    struct cria_search *search;
    struct collection *collections[CRIA_MAX_SNAPSHOTS];
    struct cria_snapshot *snapshots[CRIA_MAX_SNAPSHOTS];
    size_t count;
    struct cria_query_plan *plan; /* in the call's arena */
};
/** Whatever it says, close the view. */
CRIA_MUST_CHECK enum cria_status cria_search_open(struct cria_search *search,
                                                  struct cria_call *call,
                                                  const struct cria_search_request *request,
                                                  struct cria_search_view *view);
void cria_search_close(struct cria_search_view *view);

/** An analyser to use for a while; NULL when memory is short. */
struct cria_analyser *cria_search_analyser(struct cria_search *search);
void cria_search_analyser_back(struct cria_search *search, struct cria_analyser *analyser);

#endif
