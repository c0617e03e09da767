/* Markdown on a terminal: the same whatever pieces it comes in; nothing in it steers the terminal;
 * words stay whole. */
#include "cli/markdown.h"

#include <stdlib.h>

#include "tests/support/test.h"

#define BOLD "\033[1m"
#define UNBOLD "\033[22m"
#define ITALIC "\033[3m"
#define UPRIGHT "\033[23m"
#define CODE "\033[36m"
#define UNCODE "\033[39m"
#define BAR "\033[2m│ \033[22m"

/* What a terminal gets; to be freed. */
static char *shown(const char *text, size_t piece, bool is_plain, unsigned width)
{
    struct cli_markdown md;
    char *out = NULL, part[64];
    size_t size = 0;
    FILE *file = open_memstream(&out, &size);
    assert_non_null(file);
    cli_markdown_init(&md, file, is_plain, width);
    for (size_t at = 0, len = strlen(text); at < len; at += piece) {
        snprintf(part, sizeof(part), "%.*s", (int)piece, text + at);
        cli_markdown_add(&md, part);
    }
    cli_markdown_end(&md);
    fclose(file);
    return out;
}

static void assert_shown(const char *text, unsigned width, const char *want)
{
    static const size_t pieces[] = {1, 2, 3, 7, 60};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        char *got = shown(text, pieces[i], false, width);
        if (strcmp(got, want) != 0) print_error("in pieces of %zu: %s\n", pieces[i], text);
        assert_string_equal(got, want);
        free(got);
    }
}

CRIA_TEST(marks_become_styles)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"plain words", "plain words"},
        {"two\n\nlines\n", "two\n\nlines\n"},
        {"# A title\nand text", BOLD "A title" UNBOLD "\nand text"},
        {"#no title", "#no title"},
        {"**strong** and *soft*", BOLD "strong" UNBOLD " and " ITALIC "soft" UPRIGHT},
        {"2 * 3 * 4", "2 * 3 * 4"},
        {"a*b", "a*b"},
        {"call `f(*x)` now", "call " CODE "f(*x)" UNCODE " now"},
        {"- one\n* two\n+ three", "• one\n• two\n• three"},
        {"-5 degrees", "-5 degrees"},
        {"> said\nafter", BAR "said\nafter"},
        {"> ", BAR},
        {"```c\nint *x;\n# no title\n```\nafter", "\033[2mint *x;\n# no title\n\033[22mafter"},
        {"  - deep", "  • deep"},
        {"**not closed\nnext", BOLD "not closed" UNBOLD "\nnext"},
        {"***", "***"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_shown(cases[i].text, 0, cases[i].want);
}

CRIA_TEST(words_stay_whole)
{
    (void)state;
    assert_shown("one two three four", 10, "one two\nthree four");
    assert_shown("**one two** three", 8, BOLD "one two" UNBOLD "\nthree");
    assert_shown("- one two three", 10, "• one two\n  three");
    assert_shown("> one two three", 10, BAR "one two\n" BAR "three");
    assert_shown("averyverylongword x", 10, "averyverylongword\nx");
    assert_shown("```\na line that is code\n```", 10, "\033[2ma line that is code\n\033[22m");
    assert_shown("äöü äöü äöü", 7, "äöü äöü\näöü");      /* characters, not bytes */
    assert_shown("日本語 日本語", 10, "日本語\n日本語"); /* two columns each */
}

CRIA_TEST(nothing_steers_the_terminal)
{
    static const char *const evil[] = {"a\033[2Jb", "\033]0;title\007x", "a\302\2332Jb",
                                       "a\rb\bc\x7f"};
    (void)state;
    for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++)
        for (size_t piece = 1; piece < 8; piece++)
            for (int is_plain = 0; is_plain < 2; is_plain++) {
                char *got = shown(evil[i], piece, is_plain, 0);
                for (const char *c = got; *c; c++)
                    if ((unsigned char)*c < ' ' || *c == 0x7f || (unsigned char)*c == 0x9B)
                        fail_msg("case %zu lets %02x through", i, (unsigned char)*c);
                free(got);
            }
    char *same = shown("**a** ä\n", 3, true, 10);
    assert_string_equal(same, "**a** ä\n");
    free(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_become_styles),
        cmocka_unit_test(words_stay_whole),
        cmocka_unit_test(nothing_steers_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
