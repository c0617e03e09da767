/* Routes, escapes and query strings: what reaches a handler, and what never does. */
#include "http/router.h"
#include "tests/support/test.h"

static void never(struct cria_exchange *ex)
{
    (void)ex;
    fail();
}

static const struct cria_route routes[] = {
    {CRIA_GET, "/things", "list", never, CRIA_BODY_NONE, 0},
    {CRIA_POST, "/things", "create", never, CRIA_BODY_JSON, 0},
    {CRIA_GET, "/things/newest", "newest", never, CRIA_BODY_NONE, 0},
    {CRIA_GET, "/things/{id}", "get", never, CRIA_BODY_NONE, 0},
    {CRIA_DELETE, "/things/{id}", "delete", never, CRIA_BODY_NONE, 0},
    {CRIA_PUT, "/things/{id}/parts/{part}", "put_part", never, CRIA_BODY_JSON, 0},
    {CRIA_GET, "/pages/{page}/{path}", "page", never, CRIA_BODY_NONE, CRIA_ROUTE_REST},
    {CRIA_POST, "/admin/keys", "admin", never, CRIA_BODY_JSON, CRIA_ROUTE_ADMIN},
    {CRIA_POST, "/{a}/{b}/{c}/{d}/{e}/{f}", "six", never, CRIA_BODY_NONE, 0},
};

enum { MEMORY = 1 << 20 };

static const char *name_of(const struct cria_route *route)
{
    return route ? route->name : "-";
}

CRIA_TEST(paths_find_their_route)
{
    (void)state;
    static const struct {
        enum cria_method method;
        const char *path;
        bool from_control;
        enum cria_routing found;
        const char *name;
        const char *values[6];
    } cases[] = {
        {CRIA_GET, "/things", false, CRIA_ROUTED, "list", {0}},
        {CRIA_POST, "/things", false, CRIA_ROUTED, "create", {0}},
        {CRIA_HEAD, "/things", false, CRIA_ROUTED, "list", {0}},
        /* the first that fits, so a fixed segment stands before a value */
        {CRIA_GET, "/things/newest", false, CRIA_ROUTED, "newest", {0}},
        {CRIA_GET, "/things/newest2", false, CRIA_ROUTED, "get", {"newest2"}},
        {CRIA_DELETE, "/things/newest", false, CRIA_ROUTED, "delete", {"newest"}},
        {CRIA_PUT, "/things/a/parts/b", false, CRIA_ROUTED, "put_part", {"a", "b"}},
        /* segments are cut first and decoded afterwards, once */
        {CRIA_GET, "/things/a%2Fb", false, CRIA_ROUTED, "get", {"a/b"}},
        {CRIA_GET, "/things/%2e%2E", false, CRIA_ROUTED, "get", {".."}},
        {CRIA_GET, "/things/%252F", false, CRIA_ROUTED, "get", {"%2F"}},
        {CRIA_GET, "/things/a+b", false, CRIA_ROUTED, "get", {"a+b"}},
        {CRIA_GET, "/things/no%20such%2Fid", false, CRIA_ROUTED, "get", {"no such/id"}},
        {CRIA_GET, "/things/a;b=c", false, CRIA_ROUTED, "get", {"a;b=c"}},
        {CRIA_GET, "/things/%C3%A9", false, CRIA_ROUTED, "get", {"\xC3\xA9"}},
        /* no dot segment, no empty one, no other case means something else */
        {CRIA_GET, "/things/", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/things//", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "//things", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/./things", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/x/../things", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/Things", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/thing%73", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/things%2Fx", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/things/a/parts", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_PUT, "/things//parts/b", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "things", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "*", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "http://x/things", false, CRIA_NO_ROUTE, "-", {0}},
        /* escapes that are none, and NUL */
        {CRIA_GET, "/things/%", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/things/%4", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/things/%zz", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/things/a%00b", false, CRIA_NO_ROUTE, "-", {0}},
        /* the rest of a path */
        {CRIA_GET, "/pages/p/a", false, CRIA_ROUTED, "page", {"p", "a"}},
        {CRIA_GET, "/pages/p/a/b//c", false, CRIA_ROUTED, "page", {"p", "a/b//c"}},
        {CRIA_GET, "/pages/p/../%2e%2e/x", false, CRIA_ROUTED, "page", {"p", "../../x"}},
        {CRIA_GET, "/pages/p/", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/pages/p", false, CRIA_NO_ROUTE, "-", {0}},
        /* what is for the control socket does not exist elsewhere, not even as a 405 */
        {CRIA_POST, "/admin/keys", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_GET, "/admin/keys", false, CRIA_NO_ROUTE, "-", {0}},
        {CRIA_POST, "/admin/keys", true, CRIA_ROUTED, "admin", {0}},
        {CRIA_GET, "/admin/keys", true, CRIA_NO_METHOD, "-", {0}},
        {CRIA_POST, "/1/2/3/4/5/6", false, CRIA_ROUTED, "six", {"1", "2", "3", "4", "5", "6"}},
        {CRIA_POST, "/1/2/3/4/5/6/7", false, CRIA_NO_ROUTE, "-", {0}},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_arena arena;
        const struct cria_route *route = NULL;
        struct cria_str values[6] = {{0}};
        size_t count = 0, wanted = 0;
        unsigned allow;
        cria_arena_init(&arena, MEMORY);
        enum cria_routing found = cria_router_find(
            routes, CRIA_COUNT(routes), cases[i].method, cria_str_from(cases[i].path),
            cases[i].from_control, &arena, &route, values, &count, &allow);
        if (found != cases[i].found || strcmp(name_of(route), cases[i].name) != 0)
            fail_msg("'%s': %d %s", cases[i].path, found, name_of(route));
        while (wanted < 6 && cases[i].values[wanted]) wanted++;
        assert_int_equal(count, wanted);
        for (size_t k = 0; k < count; k++) assert_str_equal(values[k], cases[i].values[k]);
        cria_arena_release(&arena);
    }
}

CRIA_TEST(a_wrong_method_is_told_the_right_ones)
{
    (void)state;
    static const struct {
        enum cria_method method;
        const char *path;
        unsigned allow;
    } cases[] = {
        {CRIA_DELETE, "/things", 1u << CRIA_GET | 1u << CRIA_HEAD | 1u << CRIA_POST},
        {CRIA_PATCH, "/things/x", 1u << CRIA_GET | 1u << CRIA_HEAD | 1u << CRIA_DELETE},
        {CRIA_HEAD, "/things/x/parts/y", 1u << CRIA_PUT},
        {CRIA_OPTIONS, "/things", 1u << CRIA_GET | 1u << CRIA_HEAD | 1u << CRIA_POST},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_arena arena;
        const struct cria_route *route = NULL;
        struct cria_str values[6];
        size_t count;
        unsigned allow;
        cria_arena_init(&arena, MEMORY);
        assert_int_equal(cria_router_find(routes, CRIA_COUNT(routes), cases[i].method,
                                          cria_str_from(cases[i].path), false, &arena, &route,
                                          values, &count, &allow),
                         CRIA_NO_METHOD);
        assert_int_equal(allow, cases[i].allow);
        assert_null(route);
        cria_arena_release(&arena);
    }
}

CRIA_TEST(percent_escapes_are_decoded_once)
{
    (void)state;
    static const struct {
        const char *in;
        bool plus_is_blank, good;
        const char *out;
    } cases[] = {
        {"", false, true, ""},
        {"plain", false, true, "plain"},
        {"a+b", false, true, "a+b"},
        {"a+b", true, true, "a b"},
        {"%41%6a%6A", false, true, "Ajj"},
        {"%2B", true, true, "+"},
        {"%25%32%35", false, true, "%25"},
        {"%FF%0d%0a", false, true, "\xFF\r\n"}, /* bytes; whoever wants text looks for itself */
        {"%", false, false, ""},
        {"%4", false, false, ""},
        {"x%4", false, false, ""},
        {"%g0", false, false, ""},
        {"%0g", false, false, ""},
        {"%00", false, false, ""},
        {"%+1", true, false, ""},
        {"%-1", false, false, ""},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_arena arena;
        struct cria_str out;
        cria_arena_init(&arena, MEMORY);
        if (cria_percent_decode(&arena, cria_str_from(cases[i].in), cases[i].plus_is_blank, &out) !=
            cases[i].good)
            fail_msg("'%s'", cases[i].in);
        if (cases[i].good) assert_str_equal(out, cases[i].out);
        cria_arena_release(&arena);
    }
}

CRIA_TEST(queries_are_split_into_pairs)
{
    (void)state;
    static const struct {
        const char *in;
        bool good;
        const char *pairs[8]; /* name, value, … */
    } cases[] = {
        {"", true, {0}},
        {"a=1", true, {"a", "1"}},
        {"a=1&b=2", true, {"a", "1", "b", "2"}},
        {"a=1&a=2", true, {"a", "1", "a", "2"}},
        {"a", true, {"a", ""}},
        {"a=", true, {"a", ""}},
        {"=1", true, {"", "1"}},
        {"a=b=c", true, {"a", "b=c"}},
        {"&&a=1&", true, {"a", "1"}},
        {"a=x%26y%3Dz&b=+", true, {"a", "x&y=z", "b", " "}},
        {"%61=%62", true, {"a", "b"}},
        {"a?=/?", true, {"a?", "/?"}},
        {"a=%", false, {0}},
        {"%zz=1", false, {0}},
        {"a=1&b=%00", false, {0}},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_arena arena;
        const struct cria_param *params;
        size_t count, wanted = 0;
        cria_arena_init(&arena, MEMORY);
        bool good = cria_query_split(&arena, cria_str_from(cases[i].in), &params, &count);
        if (good != cases[i].good) fail_msg("'%s'", cases[i].in);
        while (wanted < 4 && cases[i].pairs[2 * wanted]) wanted++;
        if (good) assert_int_equal(count, wanted);
        for (size_t k = 0; good && k < count; k++) {
            assert_str_equal(params[k].name, cases[i].pairs[2 * k]);
            assert_str_equal(params[k].value, cases[i].pairs[2 * k + 1]);
        }
        cria_arena_release(&arena);
    }
}

CRIA_TEST(a_query_has_at_most_256_parameters)
{
    (void)state;
    for (size_t n = 256; n <= 257; n++) {
        struct cria_arena arena;
        struct cria_buf query;
        const struct cria_param *params;
        size_t count;
        cria_arena_init(&arena, MEMORY);
        cria_buf_init(&query, MEMORY);
        for (size_t i = 0; i < n; i++) cria_buf_printf(&query, "%sp%zu=v", i ? "&" : "", i);
        assert_int_equal(cria_query_split(&arena, cria_buf_str(&query), &params, &count), n == 256);
        if (n == 256) assert_int_equal(count, 256);
        cria_buf_release(&query);
        cria_arena_release(&arena);
    }
}

/* With no memory left the answer is a plain no. */
CRIA_TEST(short_memory_finds_nothing)
{
    (void)state;
    struct cria_arena arena;
    const struct cria_route *route = NULL;
    const struct cria_param *params;
    struct cria_str values[6], out;
    size_t count;
    unsigned allow;
    cria_arena_init(&arena, 0);
    assert_int_equal(cria_router_find(routes, CRIA_COUNT(routes), CRIA_GET, CRIA_STR("/things/x"),
                                      false, &arena, &route, values, &count, &allow),
                     CRIA_NO_ROUTE);
    assert_false(cria_query_split(&arena, CRIA_STR("a=1"), &params, &count));
    assert_false(cria_percent_decode(&arena, CRIA_STR("a"), false, &out));
    assert_true(arena.failed);
    cria_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_route),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(percent_escapes_are_decoded_once),
        cmocka_unit_test(queries_are_split_into_pairs),
        cmocka_unit_test(a_query_has_at_most_256_parameters),
        cmocka_unit_test(short_memory_finds_nothing),
    };
    return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
