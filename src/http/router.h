/* router.h - from method and path to a route. Paths are cut into segments first and decoded
 * afterwards, so that one segment may hold %2F. Room: http. Pure. */
#ifndef CRIA_HTTP_ROUTER_H
#define CRIA_HTTP_ROUTER_H

#include "http/http.h"

/** Percent-decodes into the arena. False: a bad escape, %00, or memory is short. plus_is_blank: as
 * in queries. */
bool cria_percent_decode(struct cria_arena *arena, struct cria_str text, bool plus_is_blank,
                         struct cria_str *out);

/** Splits a query string into decoded parameters; false on a bad escape or too many. */
bool cria_query_split(struct cria_arena *arena, struct cria_str query,
                      const struct cria_param **out, size_t *count);

enum cria_routing { CRIA_ROUTED, CRIA_NO_ROUTE, CRIA_NO_METHOD };
/**
 * Finds the route of a raw path (without query). HEAD finds the GET route.
 * @param[out] values  the {…} segments, decoded. @param[out] allow  bit per cria_method, for
 * CRIA_NO_METHOD.
 */
enum cria_routing cria_router_find(const struct cria_route *routes, size_t count,
                                   enum cria_method method, struct cria_str path, bool from_control,
                                   struct cria_arena *arena, const struct cria_route **out,
                                   struct cria_str values[6], size_t *value_count, unsigned *allow);

#endif
