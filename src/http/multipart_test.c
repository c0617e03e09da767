/* Forms: whole and in every cut, their limits, and the names that hostile clients send. */
#include "http/multipart.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "platform/crypto.h"
#include "tests/support/test.h"

enum { MEMORY = 64 << 20, BODY_LIMIT = 64 << 20, PORTION = 64 << 10 };

/** One form being read. */
struct fixture {
    char spool[64];
    struct cria_arena arena;
    struct cria_call call;
    struct cria_multipart *form;
    struct cria_part *parts;
    size_t count;
};

static void open_form(struct fixture *f, struct cria_str boundary)
{
    *f = (struct fixture){.spool = "/tmp/cria-multipart-XXXXXX"};
    assert_non_null(mkdtemp(f->spool));
    cria_arena_init(&f->arena, MEMORY);
    cria_call_init(&f->call, &f->arena);
    f->form = cria_multipart_new(&f->arena, boundary, f->spool);
    assert_non_null(f->form);
}

static size_t files_in(const char *folder)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* Whatever happened, nothing is left of a form that is gone. */
static void close_form(struct fixture *f)
{
    cria_multipart_free(f->form);
    cria_arena_release(&f->arena);
    assert_int_equal(files_in(f->spool), 0);
    rmdir(f->spool);
}

/* As the connection does it: portions, and a flush whenever one is wanted. */
static enum cria_status feed(struct fixture *f, struct cria_str body, size_t step)
{
    enum cria_status st = CRIA_OK;
    for (size_t at = 0; at < body.len && st == CRIA_OK; at += step) {
        st = cria_multipart_add(f->form, &f->call, cria_str_sub(body, at, step));
        if (st == CRIA_OK && cria_multipart_wants_flush(f->form))
            st = cria_multipart_flush(f->form, &f->call);
    }
    return st;
}

static enum cria_status read_whole(struct fixture *f, struct cria_str body, size_t step)
{
    enum cria_status st = feed(f, body, step);
    return st == CRIA_OK ? cria_multipart_finish(f->form, &f->call, &f->parts, &f->count) : st;
}

#define PART(disposition) "Content-Disposition: form-data; " disposition "\r\n"

static const char small_form[] =
    "preamble that nobody reads\r\n"
    "--b\r\n" PART(
        "name=\"purpose\"") "\r\nparse\r\n"
                            "--b  \t\r\nCONTENT-TYPE:  text/plain; charset=utf-8 "
                            "\r\n" PART(
                                "name=\"file\"; filename=\"na\xC3\xAFve "
                                "\\\"x\\\".txt\"") "X-Other: y\r\n\r\n"
                                                   "line\r\n--\r\n--a-b\r\n--"
                                                   "B\r\n-\r\n\r\r\n\r\n"
                                                   "--b\r\n" PART(
                                                       "name=\"empty\"; "
                                                       "filename=\"\"") "\r\n\r\n"
                                                                        "--"
                                                                        "b\r"
                                                                        "\n" PART(
                                                                            "filen"
                                                                            "ame="
                                                                            "plain"
                                                                            ".txt "
                                                                            "; "
                                                                            "name="
                                                                            "toke"
                                                                            "n") "\r\n\0\xFF\r"
                                                                                 "\r\n--b--"
                                                                                 "\r\nepilogue "
                                                                                 "--b\r\n";
static const struct cria_str small_body = {small_form, sizeof(small_form) - 1};

static void assert_small(const struct fixture *f)
{
    static const struct {
        const char *name, *file_name, *content_type;
        struct cria_str value;
    } want[] = {
        {"purpose", NULL, NULL, CRIA_STR_INIT("parse")},
        {"file", "na\xC3\xAFve \"x\".txt", "text/plain; charset=utf-8",
         CRIA_STR_INIT("line\r\n--\r\n--a-b\r\n--B\r\n-\r\n\r\r\n")},
        {"empty", "", NULL, CRIA_STR_INIT("")},
        {"token", "plain.txt", NULL, CRIA_STR_INIT("\0\xFF\r")},
    };
    assert_int_equal(f->count, CRIA_COUNT(want));
    for (size_t i = 0; i < f->count; i++) {
        const struct cria_part *part = &f->parts[i];
        char sha256[65];
        assert_str_equal(part->name, want[i].name);
        assert_int_equal(part->file_name.ptr != NULL, want[i].file_name != NULL);
        if (want[i].file_name) assert_str_equal(part->file_name, want[i].file_name);
        assert_int_equal(part->content_type.ptr != NULL, want[i].content_type != NULL);
        if (want[i].content_type) assert_str_equal(part->content_type, want[i].content_type);
        assert_int_equal(part->spool_fd, -1);
        assert_non_null(part->value.ptr);
        assert_int_equal(part->value.len, want[i].value.len);
        assert_memory_equal(part->value.ptr, want[i].value.ptr, want[i].value.len);
        assert_int_equal(part->size_bytes, want[i].value.len);
        cria_sha256_hex(want[i].value, sha256);
        assert_string_equal(part->sha256, sha256);
    }
}

CRIA_TEST(a_form_reads_the_same_in_every_cut)
{
    (void)state;
    struct fixture f;
    for (size_t step = 1; step <= small_body.len; step++) { /* portions of every size */
        open_form(&f, CRIA_STR("b"));
        assert_int_equal(read_whole(&f, small_body, step), CRIA_OK);
        assert_small(&f);
        close_form(&f);
    }
    for (size_t cut = 0; cut <= small_body.len; cut++) { /* two portions, at every byte */
        open_form(&f, CRIA_STR("b"));
        assert_int_equal(feed(&f, cria_str_sub(small_body, 0, cut), small_body.len), CRIA_OK);
        assert_int_equal(
            read_whole(&f, cria_str_sub(small_body, cut, small_body.len), small_body.len), CRIA_OK);
        assert_small(&f);
        close_form(&f);
    }
}

CRIA_TEST(a_form_cut_short_is_refused)
{
    (void)state;
    size_t end = cria_str_find(small_body, CRIA_STR("--b--")) + 5;
    for (size_t len = 0; len <= small_body.len; len++) {
        struct fixture f;
        open_form(&f, CRIA_STR("b"));
        enum cria_status st = read_whole(&f, cria_str_sub(small_body, 0, len), PORTION);
        assert_int_equal(st, len < end ? CRIA_E_BAD_REQUEST : CRIA_OK);
        if (st != CRIA_OK) assert_true(f.call.error[0]);
        close_form(&f);
    }
}

CRIA_TEST(the_boundary_comes_from_the_content_type)
{
    (void)state;
    static const struct {
        const char *type;
        bool is_multipart;
        const char *boundary; /* NULL: none */
    } cases[] = {
        {"multipart/form-data; boundary=abc", true, "abc"},
        {"Multipart/Form-Data;BOUNDARY=abc", true, "abc"},
        {"multipart/form-data ; charset=utf-8 ; boundary = abc ", true, "abc"},
        {"multipart/form-data; boundary=\"a b:c'd\"", true, "a b:c'd"},
        {"multipart/form-data; boundary=\"a=b\"", true, "a=b"},
        {"multipart/form-data; boundary=----WebKitFormBoundaryX", true, "----WebKitFormBoundaryX"},
        {"multipart/form-data", true, NULL},
        {"multipart/form-data; boundary", true, NULL},
        {"multipart/form-data; boundary=", true, NULL},
        {"multipart/form-data; boundary=\"\"", true, NULL},
        {"multipart/form-data; xboundary=abc", true, NULL},
        {"multipart/mixed; boundary=abc", false, NULL},
        {"application/json; boundary=abc", false, NULL},
        {"multipart/form-datax; boundary=abc", false, NULL},
        {"", false, NULL},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        bool is_multipart = !cases[i].is_multipart;
        struct cria_str boundary =
            cria_multipart_boundary(cria_str_from(cases[i].type), &is_multipart);
        if (is_multipart != cases[i].is_multipart) fail_msg("'%s'", cases[i].type);
        assert_int_equal(boundary.ptr != NULL, cases[i].boundary != NULL);
        if (boundary.ptr) assert_str_equal(boundary, cases[i].boundary);
    }
    for (size_t len = 200; len <= 201; len++) {
        char type[300] = "multipart/form-data; boundary=";
        size_t start = strlen(type);
        bool is_multipart;
        memset(type + start, 'b', len);
        type[start + len] = '\0';
        struct cria_str boundary = cria_multipart_boundary(cria_str_from(type), &is_multipart);
        assert_int_equal(boundary.len, len == 200 ? 200 : 0);
    }
}

/* The longest boundary, inside of which a shorter one is only data. */
CRIA_TEST(a_boundary_of_200_bytes_works)
{
    (void)state;
    char boundary[201];
    struct cria_buf body;
    memset(boundary, '-', 200);
    boundary[200] = '\0';
    cria_buf_init(&body, BODY_LIMIT);
    cria_buf_printf(&body, "--%s\r\n" PART("name=a") "\r\n\r\n--%.199s\r\n--%s--", boundary,
                    boundary, boundary);
    for (size_t step = 1; step < body.len; step += 7) {
        struct fixture f;
        open_form(&f, cria_str_from(boundary));
        assert_int_equal(read_whole(&f, cria_buf_str(&body), step), CRIA_OK);
        assert_int_equal(f.count, 1);
        assert_int_equal(f.parts[0].value.len, 2 + 2 + 199);
        close_form(&f);
    }
    cria_buf_release(&body);
}

CRIA_TEST(names_are_labels_and_nothing_else)
{
    (void)state;
    static const struct {
        const char *disposition;
        bool good;
        const char *name, *file_name; /* NULL: none */
    } cases[] = {
        {"form-data; name=\"f\"; filename=\"../../etc/passwd\"", true, "f", "../../etc/passwd"},
        {"form-data; name=\"f\"; filename=\"..\\..\\x\"", true, "f", "..\\..\\x"},
        {"form-data; name=\"f\"; filename=\"C:\\dir\\a.txt\"", true, "f", "C:\\dir\\a.txt"},
        {"form-data; name=\"f\"; filename=\"a\\\\\"", true, "f", "a\\"},
        {"form-data; name=\"a\\\\\"; filename=\"b\"", true, "a\\", "b"},
        {"form-data; name=\"a\\\"; filename=\\\"b\"", true, "a\"; filename=\"b", NULL},
        {"form-data; name=\"a; filename=b\"", true, "a; filename=b", NULL},
        {"form-data; name=f; filename=", true, "f", ""},
        {"form-data; NAME=f; FileName=g", true, "f", "g"},
        {"form-data;name=f;filename=g;", true, "f", "g"},
        {"form-data; name=\"f\"; filename=\"-o/etc/x\"", true, "f", "-o/etc/x"},
        {"form-data; name=\"f\"; filename=\"%2e%2e%2f%s%n\"", true, "f", "%2e%2e%2f%s%n"},
        {"form-data; name=\"f\"; filename=\"a\xE2\x80\xAEtxt.exe\"", true, "f",
         "a\xE2\x80\xAEtxt.exe"},
        {"form-data; name=\"f\"; filename=\"\xFF\xFE\"", true, "f", "\xFF\xFE"},
        {"form-data; name=\"f\"; filename=\"a\tb\"", true, "f", "a\tb"},
        /* RFC 7578 4.2 forbids the starred form; it is no file name */
        {"form-data; name=f; filename*=utf-8''x.txt", true, "f", NULL},
        {"form-data; name=f; filenamex=\"g\"; xfilename=h", true, "f", NULL},
        /* two ways to read it are no way */
        {"form-data; name=a; name=b", false, NULL, NULL},
        {"form-data; name=f; filename=a; filename=b", false, NULL, NULL},
        {"form-data; name=f; filename=\"\"; filename=b", false, NULL, NULL},
        {"form-data; name=f\r\nContent-Disposition: form-data; name=g", false, NULL, NULL},
        {"form-data; name=\"f", false, NULL, NULL},
        {"form-data; name=\"f\\\"", false, NULL, NULL},
        {"form-data; name=\"f\"x; filename=g", false, NULL, NULL},
        {"form-data; filename=\"only.txt\"", false, NULL, NULL},
        {"form-data", false, NULL, NULL},
        {"", false, NULL, NULL},
        {"form-data; name=\"a\rX: y\"", false, NULL, NULL},
        {"form-data; name=\"a\nb\"", false, NULL, NULL},
        {"form-data; name=\"a\x1B[2J\"", false, NULL, NULL},
        {"form-data; name=\"a\x7F\"", false, NULL, NULL},
        {"form-data; name=f\r\n folded", false, NULL, NULL},
        {"form-data; name=f\r\nno colon here", false, NULL, NULL},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct fixture f;
        struct cria_buf body;
        cria_buf_init(&body, BODY_LIMIT);
        cria_buf_printf(&body, "--b\r\nContent-Disposition: %s\r\n\r\nx\r\n--b--\r\n",
                        cases[i].disposition);
        open_form(&f, CRIA_STR("b"));
        enum cria_status st = read_whole(&f, cria_buf_str(&body), 1 + i % 5);
        if (st != (cases[i].good ? CRIA_OK : CRIA_E_BAD_REQUEST))
            fail_msg("'%s': %s", cases[i].disposition, cria_status_name(st));
        if (st == CRIA_OK) {
            assert_int_equal(f.count, 1);
            assert_str_equal(f.parts[0].name, cases[i].name);
            assert_int_equal(f.parts[0].file_name.ptr != NULL, cases[i].file_name != NULL);
            if (cases[i].file_name) assert_str_equal(f.parts[0].file_name, cases[i].file_name);
            assert_str_equal(f.parts[0].value, "x");
        }
        close_form(&f);
        cria_buf_release(&body);
    }
}

CRIA_TEST(a_nul_in_a_part_header_is_refused)
{
    (void)state;
    static const struct cria_str body =
        CRIA_STR_INIT("--b\r\n" PART("name=\"a\"; filename=\"x.txt\0.exe\"") "\r\n\r\n--b--");
    struct fixture f;
    open_form(&f, CRIA_STR("b"));
    assert_int_equal(read_whole(&f, body, PORTION), CRIA_E_BAD_REQUEST);
    close_form(&f);
}

CRIA_TEST(broken_framing_is_refused)
{
    (void)state;
    static const struct {
        const char *body;
        bool good;
    } cases[] = {
        {"", false},
        {"--b--", true}, /* a form without parts is a form */
        {"--b--garbage", true},
        {"--b\r\n--b--", false},
        {"--b\r\n\r\nx\r\n--b--", false}, /* a part without a header has no name */
        {"--bx\r\n" PART("name=a") "\r\n\r\n--b--", false},
        {"--b x\r\n" PART("name=a") "\r\n\r\n--b--", false},
        {"--b-\r\n" PART("name=a") "\r\n\r\n--b--", false},
        {"-b\r\n" PART("name=a") "\r\n\r\n--b--", true}, /* all of it is preamble */
        {"--b\n" PART("name=a") "\r\nx\r\n--b--", false},
        {"--b\r\n" PART("name=a") "\r\nx\n--b--", false},
        {"--b\r\n" PART("name=a") "\r\nx--b--", false},
        {"x--b\r\n" PART("name=a") "\r\nx\r\n--b--", true},
        {"--b\r\n" PART("name=a") "\nx\r\n--b--", false},
        {"--b\r\nContent-Disposition : form-data; name=a\r\n\r\nx\r\n--b--", false},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        for (size_t step = 1; step < 40; step += 3) {
            struct fixture f;
            open_form(&f, CRIA_STR("b"));
            enum cria_status st = read_whole(&f, cria_str_from(cases[i].body), step);
            if (st != (cases[i].good ? CRIA_OK : CRIA_E_BAD_REQUEST))
                fail_msg("'%s' by %zu: %s", cases[i].body, step, cria_status_name(st));
            close_form(&f);
        }
}

/* Each limit, at its last good value and one beyond, whole and byte by byte alike. */
CRIA_TEST(limits_hold_in_every_cut)
{
    (void)state;
    enum { PARTS, BLANKS, HEADER, LIMITS };
    static const size_t most[LIMITS] = {[PARTS] = CRIA_PART_COUNT, [BLANKS] = 64, [HEADER] = 8192};
    for (unsigned limit = 0; limit < LIMITS; limit++)
        for (size_t n = most[limit]; n <= most[limit] + 1; n++) {
            struct cria_buf body;
            cria_buf_init(&body, BODY_LIMIT);
            size_t parts = limit == PARTS ? n : 1;
            /* the header's limit counts the line end before it and "X: " */
            size_t pad = limit == HEADER ? n - strlen("\r\n" PART("name=a") "X: ") : 0;
            for (size_t i = 0; i < parts; i++) {
                cria_buf_printf(&body, "--b%*s\r\n" PART("name=a"), limit == BLANKS ? (int)n : 0,
                                "");
                if (limit == HEADER) cria_buf_add(&body, CRIA_STR("X: "));
                for (size_t k = 0; k < pad; k++) cria_buf_add_char(&body, 'y');
                cria_buf_printf(&body, "%s\r\nx\r\n", limit == HEADER ? "\r\n" : "");
            }
            cria_buf_add(&body, CRIA_STR("--b--"));
            static const size_t steps[] = {1, 2, 7, SIZE_MAX / 2};
            for (size_t k = 0; k < CRIA_COUNT(steps); k++) {
                struct fixture f;
                open_form(&f, CRIA_STR("b"));
                enum cria_status st = read_whole(&f, cria_buf_str(&body), steps[k]);
                if (st != (n == most[limit] ? CRIA_OK : CRIA_E_BAD_REQUEST))
                    fail_msg("limit %u, %zu by %zu: %s", limit, n, steps[k], cria_status_name(st));
                if (st == CRIA_OK) assert_int_equal(f.count, parts);
                close_form(&f);
            }
            cria_buf_release(&body);
        }
}

/* A form whose parts have these sizes; part i holds bytes that only it has. */
static char byte_of(size_t part, size_t at)
{
    return (char)(at * 7 + at / 251 + part);
}

static void make_form(struct cria_buf *body, const size_t *sizes, size_t count)
{
    cria_buf_init(body, BODY_LIMIT);
    for (size_t i = 0; i < count; i++) {
        cria_buf_printf(body, "--b\r\n" PART("name=p%zu; filename=f") "\r\n", i);
        assert_true(cria_buf_reserve(body, sizes[i]));
        for (size_t at = 0; at < sizes[i]; at++) body->ptr[body->len++] = byte_of(i, at);
        cria_buf_add(body, CRIA_STR("\r\n"));
    }
    cria_buf_add(body, CRIA_STR("--b--\r\n"));
    assert_false(body->failed);
}

static void assert_bytes(const struct cria_part *part, size_t n)
{
    char *bytes = malloc(part->size_bytes + 1), sha256[65];
    struct cria_str whole = {bytes, part->size_bytes};
    assert_non_null(bytes);
    if (part->spool_fd < 0)
        memcpy(bytes, part->value.ptr, part->value.len);
    else /* one byte more than it should have */
        assert_int_equal(read(part->spool_fd, bytes, part->size_bytes + 1), part->size_bytes);
    for (size_t at = 0; at < whole.len; at++)
        if (bytes[at] != byte_of(n, at)) fail_msg("part %zu differs at %zu", n, at);
    cria_sha256_hex(whole, sha256);
    assert_string_equal(part->sha256, sha256);
    free(bytes);
}

CRIA_TEST(large_parts_go_to_the_spool)
{
    (void)state;
    static const size_t sizes[] = {
        10, CRIA_PART_MEMORY - 1, CRIA_PART_MEMORY, 3 * CRIA_PART_MEMORY + 12345, 0, 1000};
    struct cria_buf body;
    make_form(&body, sizes, CRIA_COUNT(sizes));
    static const size_t steps[] = {997, PORTION, 2 * PORTION};
    for (size_t k = 0; k < CRIA_COUNT(steps); k++) {
        struct fixture f;
        open_form(&f, CRIA_STR("b"));
        assert_int_equal(read_whole(&f, cria_buf_str(&body), steps[k]), CRIA_OK);
        assert_int_equal(f.count, CRIA_COUNT(sizes));
        for (size_t i = 0; i < f.count; i++) {
            struct stat status;
            assert_int_equal(f.parts[i].size_bytes, sizes[i]);
            assert_bytes(&f.parts[i], i);
            if (sizes[i] >= CRIA_PART_MEMORY) assert_true(f.parts[i].spool_fd >= 0);
            if (sizes[i] < 1001) assert_int_equal(f.parts[i].spool_fd, -1);
            if (f.parts[i].spool_fd < 0) continue;
            assert_int_equal(stat(f.parts[i].spool_path, &status), 0);
            assert_int_equal(status.st_mode & 0777, 0600);
            assert_int_equal(status.st_size, sizes[i]);
        }
        assert_true(files_in(f.spool) >= 2);
        close_form(&f);
    }
    cria_buf_release(&body);
}

CRIA_TEST(a_taken_spool_file_stays)
{
    (void)state;
    static const size_t sizes[] = {CRIA_PART_MEMORY * 2};
    struct cria_buf body;
    struct fixture f;
    char kept[128];
    make_form(&body, sizes, 1);
    open_form(&f, CRIA_STR("b"));
    assert_int_equal(read_whole(&f, cria_buf_str(&body), PORTION), CRIA_OK);
    f.parts[0].spool_taken = true;
    snprintf(kept, sizeof(kept), "%s", f.parts[0].spool_path);
    cria_multipart_free(f.form);
    f.form = NULL;
    assert_int_equal(unlink(kept), 0);
    close_form(&f);
    cria_buf_release(&body);
}

/* 64 parts that are each small enough for memory are together too much for it. */
CRIA_TEST(small_parts_together_have_a_limit)
{
    (void)state;
    size_t sizes[CRIA_PART_COUNT];
    for (size_t i = 0; i < CRIA_PART_COUNT; i++) sizes[i] = CRIA_PART_MEMORY / 2;
    struct cria_buf body;
    for (size_t count = 32; count <= 33; count++) {
        struct fixture f;
        make_form(&body, sizes, count);
        open_form(&f, CRIA_STR("b"));
        assert_int_equal(read_whole(&f, cria_buf_str(&body), PORTION),
                         count == 32 ? CRIA_OK : CRIA_E_TOO_LARGE);
        close_form(&f);
        cria_buf_release(&body);
    }
}

CRIA_TEST(a_spool_folder_that_is_gone_is_an_io_error)
{
    (void)state;
    static const size_t sizes[] = {CRIA_PART_MEMORY * 2};
    struct cria_buf body;
    struct fixture f;
    make_form(&body, sizes, 1);
    open_form(&f, CRIA_STR("b"));
    assert_int_equal(rmdir(f.spool), 0);
    assert_int_equal(read_whole(&f, cria_buf_str(&body), PORTION), CRIA_E_IO);
    assert_null(strstr(f.call.error, f.spool)); /* no path of the server in what clients read */
    assert_int_equal(mkdir(f.spool, 0700), 0);
    close_form(&f);
    cria_buf_release(&body);
}

/* Each allocation and each write fails once: a refusal every time, and nothing stays behind. */
CRIA_TEST(every_failure_is_survived)
{
    (void)state;
    static const size_t sizes[] = {100, CRIA_PART_MEMORY * 2 + 5, 100};
    static const enum cria_fault_kind kinds[] = {CRIA_FAULT_ALLOC, CRIA_FAULT_FILE};
    struct cria_buf body;
    make_form(&body, sizes, CRIA_COUNT(sizes));
    for (size_t k = 0; k < CRIA_COUNT(kinds); k++) {
        unsigned nth = 0, failures = 0;
        bool fired = true;
        while (fired && ++nth < 1000) {
            struct fixture f;
            open_form(&f, CRIA_STR("b"));
            cria_fault_arm(kinds[k], nth);
            enum cria_status st = read_whole(&f, cria_buf_str(&body), PORTION);
            fired = cria_fault_fired();
            cria_fault_arm(kinds[k], 0);
            if (fired) {
                failures++;
                assert_int_not_equal(st, CRIA_OK);
                assert_true(f.call.error[0]);
            } else {
                assert_int_equal(st, CRIA_OK);
            }
            close_form(&f);
        }
#ifdef CRIA_FAULTS
        assert_true(failures > 1);
        assert_false(fired);
#else
        (void)failures;
#endif
    }
    cria_buf_release(&body);
}

int main(void)
{
    if (cria_crypto_init() != CRIA_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_reads_the_same_in_every_cut),
        cmocka_unit_test(a_form_cut_short_is_refused),
        cmocka_unit_test(the_boundary_comes_from_the_content_type),
        cmocka_unit_test(a_boundary_of_200_bytes_works),
        cmocka_unit_test(names_are_labels_and_nothing_else),
        cmocka_unit_test(a_nul_in_a_part_header_is_refused),
        cmocka_unit_test(broken_framing_is_refused),
        cmocka_unit_test(limits_hold_in_every_cut),
        cmocka_unit_test(large_parts_go_to_the_spool),
        cmocka_unit_test(a_taken_spool_file_stays),
        cmocka_unit_test(small_parts_together_have_a_limit),
        cmocka_unit_test(a_spool_folder_that_is_gone_is_an_io_error),
        cmocka_unit_test(every_failure_is_survived),
    };
    return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
