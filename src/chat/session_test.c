#include "chat/session.h"

#include "chat/history.h"
#include "chat/prompt.h"
#include "chat/recover.h"
#include "chat/tools.h"
#include "tests/support/test.h"

CRIA_TEST(titles_are_folded_and_cut_at_a_word)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"Which plant?", "Which plant?"},
        {"  white \t\n space\u3000folded  ", "white space folded"},
        {"123456789 123456789 123456789 123456789 123456789 123456789 ",
         "123456789 123456789 123456789 123456789 123456789 123456789"},
        {"123456789 123456789 123456789 123456789 123456789 1234567890 x",
         "123456789 123456789 123456789 123456789 123456789 1234567890..."},
        {"123456789 123456789 123456789 123456789 123456789 12345678901 x",
         "123456789 123456789 123456789 123456789 123456789..."},
        {"1234567890123456789012345678901234567890123456789012345678901234567890",
         "123456789012345678901234567890123456789012345678901234567890..."},
        {"äöüäöüäöüä äöüäöüäöüä äöüäöüäöüä äöüäöüäöüä äöüäöüäöüä äöüäöüäöü",
         "äöüäöüäöüä äöüäöüäöüä äöüäöüäöüä äöüäöüäöüä äöüäöüäöüä..."},
        {"", ""},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_arena arena;
        cria_arena_init(&arena, 1 << 16);
        assert_str_equal(cria_title_make(&arena, cria_str_from(cases[i].in)), cases[i].out);
        cria_arena_release(&arena);
    }
}

CRIA_TEST(both_id_forms_name_one_index)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"idx-1", "exp-1", true},  {"exp-1", "exp-1", true}, {"idx-1", "exp-2", false},
        {"syn-1", "idx-1", false}, {"other", "other", true}, {"", "idx-", false},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        assert_int_equal(cria_index_id_equal(cria_str_from(cases[i].a), cria_str_from(cases[i].b)),
                         cases[i].equal);
}

CRIA_TEST(call_ids_are_nine_letters_and_tell_their_step)
{
    (void)state;
    char id[CRIA_CALL_ID_LEN + 1], other[CRIA_CALL_ID_LEN + 1];
    cria_call_id_make(40, 3, 12, id);
    assert_string_equal(id, "00014030c");
    assert_int_equal(cria_call_id_step(cria_str_from(id)), 3);
    cria_call_id_make(41, 3, 12, other);
    assert_string_not_equal(id, other);
    assert_int_equal(cria_call_id_step(CRIA_STR("call_1")), 0);
    assert_int_equal(cria_call_id_step(CRIA_STR("00001-_01")), 0);
}

static struct cria_frame_list frames(const char *const *json, size_t count)
{
    static struct cria_frame items[16];
    for (size_t i = 0; i < count; i++)
        items[i] = (struct cria_frame){.n = (uint32_t)i + 1, .json = cria_str_from(json[i])};
    return (struct cria_frame_list){items, count};
}

CRIA_TEST(history_keeps_questions_answers_and_cited_passages)
{
    (void)state;
    static const char *const json[] = {
        "{\"type\":\"stop\",\"is_error\":false}",
        "{\"type\":\"user_input\",\"content\":\"How much?\"}",
        "{\"type\":\"tool_result\",\"result\":{\"results\":[{\"content\":\"\\\"passage_id\\\":99\","
        "\"passage_id\":14}]}}",
        "{\"type\":\"text\",\"content\":\"Let me look.\"}",
        "{\"type\":\"text\",\"content\":\"It is 5 [1] and 6 [2].\",\"citations\":[{\"n\":1,\"index_"
        "id\":\"idx-1\",\"file_id\":\"dfl-1\",\"file_name\":\"a\",\"page_start\":null,\"page_end\":"
        "null,\"char_start\":1,\"char_end\":4,\"quote\":\"abc\",\"support\":\"quoted\",\"passage_"
        "id\":"
        "14},{\"n\":2,\"passage_id\":3,\"quote\":\"x\"}]}",
        "not json",
        "{\"type\":\"user_input\",\"content\":\"And then?\"}",
    };
    struct cria_arena arena;
    struct cria_evidence evidence;
    struct cria_history history;
    struct cria_frame_list list = frames(json, CRIA_COUNT(json));
    cria_arena_init(&arena, 1 << 20);
    cria_evidence_init(&evidence, &arena, 0);
    assert_int_equal(cria_history_read(&arena, &list, &evidence, &history), CRIA_OK);
    assert_int_equal(history.count, 2);
    assert_str_equal(history.items[0].question, "How much?");
    assert_str_equal(history.items[0].answer, "Let me look.\n\nIt is 5 [14] and 6 [3].");
    assert_str_equal(history.items[1].question, "And then?");
    assert_int_equal(history.items[1].answer.len, 0);
    assert_int_equal(evidence.last_id, 14);
    assert_str_equal(cria_evidence_find(&evidence, 14)->text, "abc");
    assert_non_null(cria_evidence_find(&evidence, 3));
    assert_null(cria_evidence_find(&evidence, 99));
    cria_arena_release(&arena);
}

CRIA_TEST(follow_ups_lean_on_the_question_before)
{
    (void)state;
    static const struct {
        const char *text;
        bool leans;
    } cases[] = {
        {"And what about Berlin?", true},
        {"When is it due?", true},
        {"Why?", true},
        {"Which plant had the longest outage last year?", false},
        {"Wie hoch ist die monatliche Miete laut Vertrag?", false},
        {"", false},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        assert_int_equal(cria_is_follow_up(cria_str_from(cases[i].text)), cases[i].leans);
}

CRIA_TEST(a_prompt_drops_old_history_and_old_results_first)
{
    (void)state;
    static const struct cria_prompt_call calls[] = {{CRIA_STR_INIT("000000101"),
                                                     CRIA_STR_INIT("retrieve"),
                                                     CRIA_STR_INIT("{\"query\":\"a\"}")}};
    char long_text[12001];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[12000] = '\0';
    struct cria_exchange_said said[3] = {{CRIA_STR_INIT("q1"), cria_str_make(long_text, 2000)},
                                         {CRIA_STR_INIT("q2"), {0}},
                                         {CRIA_STR_INIT("q3"), CRIA_STR_INIT("a3")}};
    struct cria_str results[2] = {cria_str_from(long_text), CRIA_STR_INIT("[4] new")};
    struct cria_step second = {.calls = calls, .results = &results[1], .call_count = 1};
    struct cria_step first = {
        .calls = calls, .results = &results[0], .call_count = 1, .next = &second};
    struct cria_history history = {said, 3};
    struct cria_arena arena;
    struct cria_prompt prompt;
    cria_arena_init(&arena, 8 << 20);
    struct cria_prompt_source source = {.question = CRIA_STR("Now?"),
                                        .history = &history,
                                        .steps = &first,
                                        .tools = cria_tools_prompt(&arena),
                                        .tool_count = cria_tool_count,
                                        .tag = CRIA_STR("ab12"),
                                        .today = CRIA_STR("2026-01-02"),
                                        .window_tokens = 8192};
    assert_int_equal(cria_prompt_build(&arena, &source, &prompt), CRIA_OK);
    assert_int_equal(prompt.message_count, 1 + 6 + 1 + 4);
    assert_str_equal(prompt.messages[4].text, "(no answer was given)");
    assert_str_equal(prompt.messages[7].text, "Now?");
    assert_int_equal(prompt.messages[8].call_count, 1);
    assert_int_equal(prompt.messages[9].role, CRIA_ROLE_TOOL);
    assert_str_equal(prompt.messages[9].call_id, "000000101");
    assert_true(cria_str_starts(prompt.messages[11].text,
                                "<passages-ab12>\n[4] new</passages-ab12>\nCite with [n]."));

    source.window_tokens = 3000; /* too small for the old result */
    assert_int_equal(cria_prompt_build(&arena, &source, &prompt), CRIA_OK);
    assert_true(cria_str_starts(prompt.messages[9].text, "[result left out"));
    source.window_tokens = 1500; /* and for the long answer, the oldest */
    assert_int_equal(cria_prompt_build(&arena, &source, &prompt), CRIA_OK);
    assert_int_equal(prompt.message_count, 1 + 4 + 1 + 4);
    assert_str_equal(prompt.messages[1].text, "q2");

    source.window_tokens = 8192;
    source.tool_count = 0; /* flat */
    source.is_last_round = true;
    assert_int_equal(cria_prompt_build(&arena, &source, &prompt), CRIA_OK);
    assert_int_equal(prompt.message_count, 1 + 6 + 1);
    struct cria_str last = prompt.messages[7].text;
    assert_true(cria_str_find(last, CRIA_STR("Question: Now?")) != SIZE_MAX);
    assert_true(cria_str_ends(last, "No more tools: answer now."));
    cria_arena_release(&arena);
}

CRIA_TEST(tools_are_found_by_nearly_their_name)
{
    (void)state;
    static const struct {
        const char *name, *found;
    } cases[] = {
        {"retrieve", "retrieve"}, {"retreive", "retrieve"},
        {"Retrieve", "retrieve"}, {"grep_files", "grep_file"},
        {"search", "retrieve"},   {"read", "read_file"},
        {"delete_file", NULL},    {"", NULL},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        const struct cria_tool *tool = cria_tool_find(cria_str_from(cases[i].name));
        assert_int_equal(tool != NULL, cases[i].found != NULL);
        if (tool) assert_str_equal(tool->name, cases[i].found);
    }
}

CRIA_TEST(arguments_are_read_leniently)
{
    (void)state;
    static const char *const names[] = {"top_k", "limit", NULL};
    static const char *const texts[] = {"query", "q", NULL};
    struct cria_arena arena;
    const struct cria_json *json;
    const char *why;
    cria_arena_init(&arena, 1 << 16);
    assert_int_equal(cria_json_parse(&arena,
                                     CRIA_STR("{\"q\":[\" rent \",\"x\"],\"top_k\":\"7\",\"regex\":"
                                              "\"True\",\"z\":1}"),
                                     &json, &why),
                     CRIA_OK);
    assert_str_equal(cria_tool_arg_str(json, texts), "rent");
    assert_int_equal(cria_tool_arg_int(json, names, 3, 1, 20), 7);
    assert_int_equal(cria_tool_arg_int(json, names, 3, 1, 5), 5);
    assert_int_equal(cria_tool_arg_int(json, texts, 3, 1, 5), 3);
    assert_true(cria_tool_arg_bool(json, "regex", false));
    assert_false(cria_tool_arg_bool(json, "none", false));
    assert_int_equal(cria_tool_arg_str(NULL, texts).len, 0);
    cria_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(titles_are_folded_and_cut_at_a_word),
        cmocka_unit_test(both_id_forms_name_one_index),
        cmocka_unit_test(call_ids_are_nine_letters_and_tell_their_step),
        cmocka_unit_test(history_keeps_questions_answers_and_cited_passages),
        cmocka_unit_test(follow_ups_lean_on_the_question_before),
        cmocka_unit_test(a_prompt_drops_old_history_and_old_results_first),
        cmocka_unit_test(tools_are_found_by_nearly_their_name),
        cmocka_unit_test(arguments_are_read_leniently),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
