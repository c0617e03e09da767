/* parser_host_test.c - the host against parsers that crash, hang, lie and try to get out, and
 * against the real ones. CRIA_TEST_BIN/hostile holds the first, CRIA_BIN the others. */
#include "ingest/parser_host.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "platform/clock.h"
#include "tests/support/test.h"

struct fixture {
    struct cria_arena arena;
    struct cria_call call;
    struct cria_parser_host *host;
};

static int open_host(void **state, const char *folder, uint32_t timeout_ms)
{
    struct fixture *f = calloc(1, sizeof(*f));
    signal(SIGPIPE, SIG_IGN);
    cria_arena_init(&f->arena, 256 << 20);
    cria_call_init(&f->call, &f->arena);
    const struct cria_parser_host_options options = {.folder = folder,
                                                     .timeout_ms = timeout_ms,
                                                     .memory_bytes = 512 << 20,
                                                     .output_bytes = 1 << 20};
    *state = f;
    return cria_parser_host_new(&options, &f->call, &f->host) == CRIA_OK ? 0 : -1;
}

static int setup_hostile(void **state)
{
    char folder[1000];
    const char *bin = getenv("CRIA_TEST_BIN");
    snprintf(folder, sizeof(folder), "%s/hostile", bin ? bin : "build-dev/tests");
    return open_host(state, folder, 1500);
}

static int setup_real(void **state)
{
    const char *bin = getenv("CRIA_BIN");
    return open_host(state, bin ? bin : "build-dev/bin", 20000);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_parser_host_free(f->host);
    cria_arena_release(&f->arena);
    free(f);
    return 0;
}

static enum cria_status parse(struct fixture *f, const char *name, const char *text,
                              struct cria_parsed *out)
{
    struct cria_parser_input input = {
        .file_name = cria_str_from(name), .bytes = cria_str_from(text), .fd = -1};
    f->call.error[0] = '\0';
    return cria_parser_host_parse(f->host, &f->call, &input, out);
}

static void expect(struct fixture *f, const char *order, enum cria_status want, const char *says)
{
    struct cria_parsed parsed;
    enum cria_status st = parse(f, "a.txt", order, &parsed);
    if (st != want || !strstr(f->call.error, says))
        fail_msg("'%s' gave %s: %s", order, cria_status_name(st), f->call.error);
    /* Whatever it was, the next document is read. */
    assert_int_equal(parse(f, "a.txt", "ok then", &parsed), CRIA_OK);
    assert_str_equal(parsed.text, "ok then");
}

CRIA_TEST(misbehaviour_is_told_and_harms_no_other_document)
{
    struct fixture *f = *state;
    static const struct {
        const char *order;
        enum cria_status status;
        const char *says;
    } cases[] = {
        {"die", CRIA_E_IO, "stopped unexpectedly (signal 11)"},
        {"exit", CRIA_E_IO, "stopped unexpectedly (exit code 3)"},
        {"hang", CRIA_E_TIMEOUT, "longer than 1 seconds"},
        {"talk", CRIA_E_BAD_REQUEST, "more than 1048576 bytes"},
        {"garble", CRIA_E_IO, "makes no sense"},
        {"refuse", CRIA_E_BAD_REQUEST, "it is upside down"},
        {"lie start", CRIA_E_IO, "makes no sense"},
        {"lie end", CRIA_E_IO, "makes no sense"},
        {"lie utf8", CRIA_E_IO, "makes no sense"},
        {"lie heading", CRIA_E_IO, "makes no sense"},
        {"lie border", CRIA_E_IO, "makes no sense"},
        {"lie page", CRIA_E_IO, "makes no sense"},
        {"lie version", CRIA_E_UNAVAILABLE, "another version"},
        {"lie picture", CRIA_E_IO, "makes no sense"},
        {"complain", CRIA_OK, ""},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        expect(f, cases[i].order, cases[i].status, cases[i].says);
}

CRIA_TEST(a_child_is_used_again_and_replaced_when_it_breaks)
{
    struct fixture *f = *state;
    struct cria_parsed first, second;
    assert_int_equal(parse(f, "a.txt", "which", &first), CRIA_OK);
    assert_int_equal(parse(f, "a.txt", "which", &second), CRIA_OK);
    assert_true(cria_str_equal(first.text, second.text));
    /* It breaks with its second document: a fresh one gets the document once more. */
    assert_int_equal(parse(f, "a.txt", "die the second time", &second), CRIA_OK);
    assert_str_equal(second.text, "ok first");
}

CRIA_TEST(cancelled_work_ends_at_once)
{
    struct fixture *f = *state;
    struct cria_parsed parsed;
    atomic_bool cancelled = true;
    f->call.cancelled = &cancelled;
    uint64_t begun = cria_now_ns();
    assert_int_equal(parse(f, "a.txt", "hang", &parsed), CRIA_E_CANCELLED);
    assert_true(cria_now_ns() - begun < (uint64_t)1000000000);
}

CRIA_TEST(nothing_gets_out_of_the_sandbox)
{
#ifdef __linux__
    struct fixture *f = *state;
    static const char *const orders[] = {"escape", "escape with a folder"};
    static const char *const deaths[] = {"execve", "kill",  "ptrace", "code",
                                         "unlink", "write", "spin"};
    struct cria_parsed parsed;
    char order[40];
    for (size_t i = 0; i < CRIA_COUNT(orders); i++) {
        assert_int_equal(parse(f, "a.txt", orders[i], &parsed), CRIA_OK);
        assert_str_equal(parsed.text, "locked in");
    }
    for (size_t i = 0; i < CRIA_COUNT(deaths); i++) {
        snprintf(order, sizeof(order), "deadly %s", deaths[i]);
        enum cria_status st = parse(f, "a.txt", order, &parsed);
        if (st != CRIA_E_IO && st != CRIA_E_TIMEOUT)
            fail_msg("%s: %s %s", order, cria_status_name(st), f->call.error);
        assert_null(strstr(f->call.error, "exit code 0"));
    }
    assert_int_not_equal(access("/tmp/cria-escaped", F_OK), 0);
#else
    (void)state;
    skip();
#endif
}

CRIA_TEST(a_missing_program_is_named)
{
    struct fixture *f = *state;
    struct cria_parsed parsed;
    cria_parser_host_free(f->host);
    const struct cria_parser_host_options options = {.folder = "/nowhere"};
    assert_int_equal(cria_parser_host_new(&options, &f->call, &f->host), CRIA_OK);
    assert_int_equal(parse(f, "a.txt", "x", &parsed), CRIA_E_UNAVAILABLE);
    assert_non_null(strstr(f->call.error, "cria-parse"));
    assert_int_equal(parse(f, "a.pdf", "%PDF-1.4", &parsed), CRIA_E_UNAVAILABLE);
    assert_non_null(strstr(f->call.error, "cria-pdf"));
}

CRIA_TEST(real_documents_come_with_places)
{
    struct fixture *f = *state;
    struct cria_parsed parsed;
    static const char text[] = "# \xC3\x9C"
                               "ber\n\nErste Zeile.\n\n## Zwei\n\nNoch mehr.\n";
    assert_int_equal(parse(f, "a.md", text, &parsed), CRIA_OK);
    assert_str_equal(parsed.format, "markdown");
    assert_int_equal(parsed.heading_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct cria_parsed_heading *heading = &parsed.headings[i];
        struct cria_str own =
            cria_str_sub(parsed.text, heading->byte_start, heading->byte_end - heading->byte_start);
        assert_str_equal(own, i ? "## Zwei"
                                : "# \xC3\x9C"
                                  "ber");
        assert_int_equal(heading->char_end - heading->char_start, i ? 7 : 6);
    }
    assert_false(parsed.has_pages);
    int fd = open("samples/operating-handbook.pdf", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct cria_parser_input input = {.file_name = CRIA_STR("handbook.bin"), .fd = fd};
    input.size_bytes = (uint64_t)lseek(fd, 0, SEEK_END);
    assert_int_equal(cria_parser_host_parse(f->host, &f->call, &input, &parsed), CRIA_OK);
    assert_str_equal(parsed.format, "pdf");
    assert_true(parsed.has_pages && parsed.page_count > 1);
    for (size_t i = 1; i < parsed.page_count; i++)
        assert_true(parsed.pages[i].number == i + 1 &&
                    parsed.pages[i].byte_start > parsed.pages[i - 1].byte_start);
}

#define HOSTILE(test) cmocka_unit_test_setup_teardown(test, setup_hostile, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTILE(misbehaviour_is_told_and_harms_no_other_document),
        HOSTILE(a_child_is_used_again_and_replaced_when_it_breaks),
        HOSTILE(cancelled_work_ends_at_once),
        HOSTILE(nothing_gets_out_of_the_sandbox),
        HOSTILE(a_missing_program_is_named),
        cmocka_unit_test_setup_teardown(real_documents_come_with_places, setup_real, teardown),
    };
    return cmocka_run_group_tests_name("parser_host", tests, NULL, NULL);
}
