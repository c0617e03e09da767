/* filter.h - static and custom filters against a document. Room: search. Pure.
 * Rules (openapi.yaml, ValueFilter): a list-valued member matches when any element does; a missing
 * member matches ne and nin only; values of different types are never equal. */
#ifndef CRIA_SEARCH_FILTER_H
#define CRIA_SEARCH_FILTER_H

#include "base/json.h"
#include "search/collection.h"

/** Whether the document may appear. arena: for its metadata, reset by the caller. The name's
 * letters are folded (ASCII). */
bool cria_filter_allows(struct cria_arena *arena, const struct cria_indexed_document *document,
                        const struct cria_json *static_filters,
                        const struct cria_json *custom_filters, struct cria_str file_name_contains);

#endif
