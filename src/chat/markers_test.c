#include "chat/markers.h"

#include "tests/support/test.h"

static void add_passages(struct cria_evidence *evidence, struct cria_arena *arena)
{
    static const uint32_t ids[] = {3, 5, 7, 12, 100};
    cria_evidence_init(evidence, arena, 0);
    for (size_t i = 0; i < CRIA_COUNT(ids); i++) {
        struct cria_passage passage = {.id = ids[i], .text = CRIA_STR("x")};
        assert_non_null(cria_evidence_add(evidence, &passage));
    }
}

CRIA_TEST(markers_are_renumbered_by_first_use_in_any_chunking)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"A [7]. B [3]. C [7].", "A [1]. B [2]. C [1]."},
        {"x [3, 5] y", "x [1][2] y"},
        {"x [3,5;7] y", "x [1][2][3] y"},
        {"x [3 and 5].", "x [1][2]."},
        {"x [3-5].", "x [1][2]."},
        {"x [[3]] y [^5] z", "x [1] y [2] z"},
        {"x【3】 y［5］", "x[1] y[2]"},
        {"x 【3†source】 y", "x [1] y"},
        {"x [passage 3] [Sources: 5, 7]", "x [1] [2][3]"},
        {"gone [9]. gone too[8]!", "gone. gone too!"},
        {"half known [9, 3]", "half known [1]"},
        {"year [2024] stays", "year [2024] stays"},
        {"array[0] stays, [a], [] and [ ] too", "array[0] stays, [a], [] and [ ] too"},
        {"code `a[3]` and [3]", "code `a[3]` and [1]"},
        {"```\nx[3]\n``` then [3]", "```\nx[3]\n``` then [1]"},
        {"``a ` [3]`` [5]", "``a ` [3]`` [1]"},
        {"a ` lone tick [3]\nnext [3]", "a ` lone tick [3]\nnext [1]"},
        {"[link](http://x) [3](http://y)", "[link](http://x) [1](http://y)"},
        {"ends open [3", "ends open [3"},
        {"ends open [", "ends open ["},
        {"[100] first", "[1] first"},
        {"not closed for a very long time [3, 5, 7, 12, 100, 3, 5, 7, 12, 100, 3, and on",
         "not closed for a very long time [3, 5, 7, 12, 100, 3, 5, 7, 12, 100, 3, and on"},
        {"漢字【7】。", "漢字[1]。"},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        for (size_t step = 1; step < 100; step += step < 5 ? 1 : 40) {
            struct cria_arena arena;
            struct cria_evidence evidence;
            struct cria_markers markers;
            struct cria_buf out;
            struct cria_str in = cria_str_from(cases[i].in);
            cria_arena_init(&arena, 1 << 20);
            cria_buf_init(&out, 4096);
            add_passages(&evidence, &arena);
            cria_markers_init(&markers, &evidence);
            for (size_t at = 0; at < in.len; at += step) {
                cria_markers_feed(&markers, cria_str_sub(in, at, step), &out);
                assert_true(markers.held.len <= CRIA_MARKER_HOLD + 4);
            }
            cria_markers_flush(&markers, &out);
            assert_str_equal(cria_buf_str(&out), cases[i].out);
            cria_markers_release(&markers);
            cria_buf_release(&out);
            cria_arena_release(&arena);
        }
}

CRIA_TEST(numbers_go_on_in_the_next_block)
{
    (void)state;
    struct cria_arena arena;
    struct cria_evidence evidence;
    struct cria_markers markers;
    struct cria_buf out;
    cria_arena_init(&arena, 1 << 20);
    cria_buf_init(&out, 4096);
    add_passages(&evidence, &arena);
    cria_markers_init(&markers, &evidence);
    cria_markers_feed(&markers, CRIA_STR("a [5] `open"), &out);
    cria_markers_flush(&markers, &out);
    cria_markers_feed(&markers, CRIA_STR("|b [12][5]"), &out);
    cria_markers_flush(&markers, &out);
    assert_str_equal(cria_buf_str(&out), "a [1] `open|b [2][1]");
    assert_int_equal(markers.count, 2);
    assert_int_equal(markers.ids[0], 5);
    assert_int_equal(markers.ids[1], 12);
    cria_markers_release(&markers);
    cria_buf_release(&out);
    cria_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markers_are_renumbered_by_first_use_in_any_chunking),
        cmocka_unit_test(numbers_go_on_in_the_next_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
