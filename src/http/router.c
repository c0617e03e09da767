#include "http/router.h"

enum { MAX_VALUES = 6, MAX_PARAMETERS = 256 };

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool cria_percent_decode(struct cria_arena *arena, struct cria_str text, bool plus_is_blank,
                         struct cria_str *out)
{
    char *bytes = cria_arena_alloc(arena, text.len + 1);
    size_t n = 0;
    if (!bytes) return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            if (text.len - i < 3) return false;
            int high = hex(text.ptr[i + 1]), low = hex(text.ptr[i + 2]);
            if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        bytes[n++] = c;
    }
    *out = cria_str_make(bytes, n);
    return true;
}

bool cria_query_split(struct cria_arena *arena, struct cria_str query,
                      const struct cria_param **out, size_t *count)
{
    size_t n = 0, most = 1;
    for (size_t i = 0; i < query.len; i++) most += query.ptr[i] == '&';
    *out = NULL;
    *count = 0;
    if (query.len == 0) return true;
    struct cria_param *params =
        most <= MAX_PARAMETERS ? CRIA_NEW_ARRAY(arena, most, struct cria_param) : NULL;
    if (!params) return false;
    while (query.len) {
        struct cria_str pair, name;
        cria_str_cut(&query, '&', &pair);
        if (pair.len == 0) continue;
        cria_str_cut(&pair, '=', &name);
        if (!cria_percent_decode(arena, name, true, &params[n].name) ||
            !cria_percent_decode(arena, pair, true, &params[n].value))
            return false;
        n++;
    }
    *out = params;
    *count = n;
    return true;
}

/* Matches raw segments; the values stay raw. */
static bool matches(const struct cria_route *route, struct cria_str path,
                    struct cria_str values[MAX_VALUES], size_t *count)
{
    struct cria_str pattern = cria_str_from(route->pattern), want, have;
    *count = 0;
    if (path.len == 0 || path.ptr[0] != '/') return false;
    path = cria_str_sub(path, 1, path.len);
    pattern = cria_str_sub(pattern, 1, pattern.len);
    for (;;) {
        bool more_pattern = cria_str_cut(&pattern, '/', &want);
        bool is_value = want.len && want.ptr[0] == '{';
        if (is_value && !more_pattern && (route->flags & CRIA_ROUTE_REST)) {
            values[(*count)++] = path;
            return path.len > 0;
        }
        bool more_path = cria_str_cut(&path, '/', &have);
        if (is_value) {
            if (have.len == 0 || *count == MAX_VALUES) return false;
            values[(*count)++] = have;
        } else if (!cria_str_equal(want, have)) {
            return false;
        }
        if (more_path != more_pattern) return false;
        if (!more_path) return true;
    }
}

enum cria_routing cria_router_find(const struct cria_route *routes, size_t count,
                                   enum cria_method method, struct cria_str path, bool from_control,
                                   struct cria_arena *arena, const struct cria_route **out,
                                   struct cria_str values[MAX_VALUES], size_t *value_count,
                                   unsigned *allow)
{
    enum cria_method wanted = method == CRIA_HEAD ? CRIA_GET : method;
    struct cria_str raw[MAX_VALUES];
    size_t n;
    *allow = 0;
    for (size_t i = 0; i < count; i++) {
        if ((routes[i].flags & CRIA_ROUTE_ADMIN) && !from_control) continue;
        if (!matches(&routes[i], path, raw, &n)) continue;
        *allow |= 1u << routes[i].method;
        if (routes[i].method == CRIA_GET) *allow |= 1u << CRIA_HEAD;
        if (routes[i].method != wanted) continue;
        for (size_t k = 0; k < n; k++)
            if (!cria_percent_decode(arena, raw[k], false, &values[k])) return CRIA_NO_ROUTE;
        *value_count = n;
        *out = &routes[i];
        return CRIA_ROUTED;
    }
    return *allow ? CRIA_NO_METHOD : CRIA_NO_ROUTE;
}
