/* filter_test.c - the rules of the contract's ValueFilter, one row each. */
#include "search/filter.h"

#include "tests/support/test.h"

static const struct cria_json *json(struct cria_arena *arena, const char *text)
{
    const struct cria_json *value = NULL;
    const char *why;
    if (text && cria_json_parse(arena, cria_str_from(text), &value, &why) != CRIA_OK)
        fail_msg("%s: %s", text, why);
    return value;
}

CRIA_TEST(conditions_hold_as_the_contract_says)
{
    (void)state;
    static const char metadata[] = "{\"topic\":\"sea\",\"year\":2019,\"open\":true,"
                                   "\"tags\":[\"port\",\"boats\"],\"size\":2.5,\"none\":null}";
    static const struct {
        const char *static_filters, *custom_filters, *name;
        bool allows;
    } cases[] = {
        {NULL, NULL, "", true},
        {NULL, "{}", "", true},
        {NULL, "{\"topic\":null}", "", true},
        {NULL, "{\"topic\":{\"operator\":\"eq\",\"value\":\"sea\"}}", "", true},
        {NULL, "{\"topic\":{\"operator\":\"eq\",\"value\":\"Sea\"}}", "", false},
        {NULL, "{\"topic\":{\"operator\":\"ne\",\"value\":\"sea\"}}", "", false},
        {NULL, "{\"topic\":{\"operator\":\"in\",\"value\":[\"x\",\"sea\"]}}", "", true},
        {NULL, "{\"topic\":{\"operator\":\"nin\",\"value\":[\"x\"]}}", "", true},
        {NULL, "{\"topic\":{\"operator\":\"gt\",\"value\":\"rea\"}}", "", true},
        {NULL, "{\"year\":{\"operator\":\"eq\",\"value\":2019}}", "", true},
        {NULL, "{\"year\":{\"operator\":\"eq\",\"value\":2019.0}}", "", true},
        {NULL, "{\"year\":{\"operator\":\"eq\",\"value\":\"2019\"}}", "", false},
        {NULL, "{\"year\":{\"operator\":\"gte\",\"value\":2019}}", "", true},
        {NULL, "{\"year\":{\"operator\":\"lt\",\"value\":2019}}", "", false},
        {NULL,
         "{\"year\":[{\"operator\":\"gt\",\"value\":2018},{\"operator\":\"lte\",\"value\":2019}]}",
         "", true},
        {NULL,
         "{\"year\":[{\"operator\":\"gt\",\"value\":2018},{\"operator\":\"lt\",\"value\":2019}]}",
         "", false},
        {NULL, "{\"open\":{\"operator\":\"eq\",\"value\":true}}", "", true},
        {NULL, "{\"open\":{\"operator\":\"eq\",\"value\":1}}", "", false},
        {NULL, "{\"tags\":{\"operator\":\"eq\",\"value\":\"port\"}}", "", true},
        {NULL, "{\"tags\":{\"operator\":\"ne\",\"value\":\"port\"}}", "", false},
        {NULL, "{\"tags\":{\"operator\":\"nin\",\"value\":[\"cars\"]}}", "", true},
        {NULL, "{\"nothing\":{\"operator\":\"eq\",\"value\":1}}", "", false},
        {NULL, "{\"nothing\":{\"operator\":\"ne\",\"value\":1}}", "", true},
        {NULL, "{\"none\":{\"operator\":\"nin\",\"value\":[1]}}", "", true},
        {NULL, "{\"none\":{\"operator\":\"eq\",\"value\":1}}", "", false},
        {NULL, "{\"size\":{\"operator\":\"gt\",\"value\":\"2\"}}", "", false},
        {"{\"parsed_directory_file_id\":{\"operator\":\"eq\",\"value\":\"dfl-1\"}}", NULL, "",
         true},
        {"{\"parsed_directory_file_id\":{\"operator\":\"nin\",\"value\":[\"dfl-1\"]}}", NULL, "",
         false},
        {"{\"parsed_directory_file_id\":null}", NULL, "", true},
        {NULL, NULL, "REPORT", true},
        {NULL, NULL, "rapport", false},
    };
    struct cria_arena arena;
    cria_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        bool allows =
            cria_filter_allows(&arena, CRIA_STR("dfl-1"), CRIA_STR("Annual report.pdf"),
                               cria_str_from(metadata), json(&arena, cases[i].static_filters),
                               json(&arena, cases[i].custom_filters), cria_str_from(cases[i].name));
        if (allows != cases[i].allows)
            fail_msg("case %zu: %s", i, cases[i].custom_filters ? cases[i].custom_filters : "");
    }
    cria_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(conditions_hold_as_the_contract_says)};
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
