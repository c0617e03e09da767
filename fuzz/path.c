/* Any bytes as path and query of a request. */
#include <assert.h>

#include "fuzz/fuzz.h"
#include "http/range.h"
#include "http/router.h"

static const struct cria_route routes[] = {
    {CRIA_GET, "/a", "a", NULL, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/a/{x}", "ax", NULL, CRIA_BODY_NONE, 0},
    {CRIA_POST, "/a/{x}/b/{y}", "axby", NULL, CRIA_BODY_JSON, 0},
    {CRIA_GET, "/r/{rest}", "rest", NULL, CRIA_BODY_NONE, CRIA_ROUTE_REST},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_str text = cria_str_make((const char *)data, size), path, values[6];
    struct cria_arena arena;
    const struct cria_param *params;
    const struct cria_route *route = NULL;
    size_t count, value_count = 0;
    unsigned allow = 0;
    uint64_t offset, length;
    cria_arena_init(&arena, 16 << 20);
    struct cria_str rest = text;
    cria_str_cut(&rest, '?', &path);
    if (cria_router_find(routes, CRIA_COUNT(routes), CRIA_GET, path, false, &arena, &route, values,
                         &value_count, &allow) == CRIA_ROUTED)
        assert(route && value_count <= 6);
    if (cria_query_split(&arena, rest, &params, &count))
        for (size_t i = 0; i < count; i++) assert(params[i].name.len <= rest.len);
    if (cria_range_parse(text, 1000, &offset, &length) == CRIA_RANGE_PART)
        assert(length > 0 && offset + length <= 1000);
    cria_arena_release(&arena);
    return 0;
}
