/* filter.h - static and custom filters against a document. Room: search. Pure.
 * Rules (openapi.yaml, ValueFilter): a list-valued member matches when any element does; a missing
 * member matches ne and nin only; values of different types are never equal. */
#ifndef CRIA_SEARCH_FILTER_H
#define CRIA_SEARCH_FILTER_H

#include "base/json.h"

/** Whether a file's name holds a part, letters folded (ASCII). */
bool cria_name_contains(struct cria_str name, struct cria_str part);
/** Whether a document may appear. arena: for its metadata, reset by the caller. The name's
 * letters are folded (ASCII). */
bool cria_filter_allows(struct cria_arena *arena, struct cria_str entry_id,
                        struct cria_str display_name, struct cria_str metadata_json,
                        const struct cria_json *static_filters,
                        const struct cria_json *custom_filters, struct cria_str file_name_contains);

#endif
