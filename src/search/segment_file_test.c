/* segment_file_test.c - sections come back as they went in; what is not whole is no file; one wrong
 * bit is seen. */
#include "search/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "tests/support/segment.h"
#include "tests/support/test.h"

struct fixture {
    char folder[64], part[100], path[100];
    struct cria_arena arena;
    struct cria_call call;
};

static int setup(void **state)
{
    struct fixture *f = *state = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->folder, sizeof(f->folder), "/tmp/cria-segment-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->part, sizeof(f->part), "%s/a.part", f->folder);
    snprintf(f->path, sizeof(f->path), "%s/a", f->folder);
    cria_arena_init(&f->arena, 1 << 20);
    cria_call_init(&f->call, &f->arena);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_arena_release(&f->arena);
    test_remove_tree(f->folder);
    free(f);
    return 0;
}

/* ---- a file of sections of these lengths; the rest has none */

static const struct {
    unsigned section;
    size_t len;
} sections[] = {{3, 0}, {0, 1}, {7, 63}, {1, 64}, {31, 65}, {4, 70000}, {5, 131072}, {6, 3}};

static uint8_t byte_of(unsigned section, size_t at)
{
    return (uint8_t)(section * 37 + at * 11 + (at >> 8));
}

/* In pieces of all sizes, so that blocks end within them. */
static void add_section(struct cria_segment_writer *writer, unsigned section, size_t len)
{
    cria_segment_begin(writer, section);
    for (size_t at = 0, piece = 1; at < len; piece = piece * 3 % 4099 + 1) {
        uint8_t bytes[4100];
        size_t n = len - at < piece ? len - at : piece;
        for (size_t i = 0; i < n; i++) bytes[i] = byte_of(section, at + i);
        assert_int_equal(cria_segment_at(writer), at);
        assert_true(cria_segment_add(writer, bytes, n));
        at += n;
    }
}

static enum cria_status write_file(struct fixture *f, bool to_disk, size_t count,
                                   struct cria_segment_file **out)
{
    struct cria_segment_writer *writer = NULL;
    enum cria_status st = cria_segment_writer_new(to_disk ? f->part : NULL, &f->call, &writer);
    if (st != CRIA_OK) return st;
    for (size_t i = 0; i < count; i++) {
        cria_segment_begin(writer, sections[i].section);
        for (size_t at = 0; at < sections[i].len; at++) {
            uint8_t byte = byte_of(sections[i].section, at);
            if (!cria_segment_add(writer, &byte, 1)) break;
        }
    }
    return cria_segment_writer_finish(writer, &f->call, to_disk ? f->path : NULL, out);
}

static void check_file(const struct cria_segment_file *file)
{
    for (size_t i = 0; i < CRIA_COUNT(sections); i++) {
        struct cria_bytes bytes = cria_segment_section(file, sections[i].section);
        assert_int_equal(bytes.len, sections[i].len);
        assert_int_equal((uintptr_t)bytes.ptr % 64, 0);
        assert_true(cria_bytes_check(&bytes, 0, bytes.len));
        assert_false(cria_bytes_check(&bytes, 0, bytes.len + 1));
        assert_false(cria_bytes_check(&bytes, SIZE_MAX, 2));
        assert_true(cria_bytes_check(&bytes, bytes.len, 0));
        for (size_t at = 0; at < bytes.len; at++)
            assert_int_equal(bytes.ptr[at], byte_of(sections[i].section, at));
    }
    assert_null(cria_segment_section(file, 2).ptr);
    assert_int_equal(cria_segment_section(file, 2).len, 0);
    assert_false(cria_segment_file_is_damaged(file));
}

CRIA_TEST(a_file_that_is_cut_while_it_is_open_is_damaged)
{
    struct fixture *f = *state;
    struct cria_segment_file *file = NULL;
    assert_int_equal(write_file(f, true, CRIA_COUNT(sections), &file), CRIA_OK);
    check_file(file); /* every block was looked at */
    assert_int_equal(truncate(f->path, 4096), 0);
    struct cria_bytes bytes = cria_segment_section(file, 5);
    assert_int_equal(bytes.ptr[100000], 0);
    assert_true(cria_segment_file_is_damaged(file));
    assert_false(cria_bytes_check(&bytes, 100000, 1));
    cria_segment_file_close(file);
    assert_int_equal(cria_segment_file_open(f->path, &f->call, &file), CRIA_E_CORRUPT);
}

CRIA_TEST(sections_come_back_from_file_and_memory)
{
    struct fixture *f = *state;
    uint64_t identities[4], sizes[4];
    for (unsigned how = 0; how < 4; how++) {
        struct cria_segment_file *file = NULL, *saved = NULL;
        struct cria_segment_writer *writer = NULL;
        if (how < 2) {
            assert_int_equal(write_file(f, how == 1, CRIA_COUNT(sections), &file), CRIA_OK);
        } else {
            assert_int_equal(cria_segment_writer_new(NULL, &f->call, &writer), CRIA_OK);
            for (size_t i = 0; i < CRIA_COUNT(sections); i++)
                add_section(writer, sections[i].section, sections[i].len);
            assert_int_equal(cria_segment_writer_finish(writer, &f->call, NULL, &file), CRIA_OK);
        }
        if (how == 3) {
            assert_int_equal(cria_segment_file_save(file, &f->call, f->part, f->path, &saved),
                             CRIA_OK);
            check_file(saved);
            cria_segment_file_close(file);
            file = saved;
        }
        check_file(file);
        identities[how] = cria_segment_file_identity(file);
        sizes[how] = cria_segment_file_size(file);
        cria_segment_file_close(file);
        assert_int_equal(identities[how], identities[0]);
        assert_int_equal(sizes[how], sizes[0]);
        if (how % 2 == 0) continue;
        assert_int_not_equal(access(f->part, F_OK), 0);
        assert_int_equal(cria_segment_file_open(f->path, &f->call, &file), CRIA_OK);
        check_file(file);
        cria_segment_file_close(file);
    }
}

CRIA_TEST(other_bytes_have_another_identity)
{
    struct fixture *f = *state;
    struct cria_segment_file *a = NULL, *b = NULL;
    assert_int_equal(write_file(f, false, 3, &a), CRIA_OK);
    assert_int_equal(write_file(f, false, 4, &b), CRIA_OK);
    assert_true(cria_segment_file_identity(a) != cria_segment_file_identity(b));
    cria_segment_file_close(a);
    cria_segment_file_close(b);
}

CRIA_TEST(a_file_without_sections_is_one)
{
    struct fixture *f = *state;
    struct cria_segment_file *file = NULL;
    assert_int_equal(write_file(f, true, 0, &file), CRIA_OK);
    for (unsigned i = 0; i < CRIA_SECTIONS_MAX; i++) assert_null(cria_segment_section(file, i).ptr);
    cria_segment_file_close(file);
}

/* ---- what is wrong */

static uint8_t *read_all(const char *path, size_t *len)
{
    struct stat status;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &status) == 0);
    *len = (size_t)status.st_size;
    uint8_t *bytes = aligned_alloc(64, (*len + 63) & ~(size_t)63);
    assert_true(bytes && read(fd, bytes, *len) == status.st_size);
    close(fd);
    return bytes;
}

/* True: the change was seen, or all sections are as they were. */
static bool is_seen_or_harmless(struct fixture *f, const uint8_t *bytes, size_t len, bool *seen)
{
    struct cria_segment_file *file = NULL;
    bool good = true;
    *seen = true;
    enum cria_status st = cria_segment_file_over(bytes, len, &f->call, &file);
    if (st != CRIA_OK) return st == CRIA_E_CORRUPT;
    *seen = false;
    for (size_t i = 0; i < CRIA_COUNT(sections); i++) {
        struct cria_bytes section = cria_segment_section(file, sections[i].section);
        if (!cria_bytes_check(&section, 0, section.len)) {
            *seen = true;
            assert_true(cria_segment_file_is_damaged(file));
            /* And it stays so. */
            assert_false(cria_bytes_check(&section, 0, section.len));
            continue;
        }
        size_t wanted = i < 5 ? sections[i].len : 0;
        good = good && section.len == wanted;
        for (size_t at = 0; at < section.len && good; at++)
            good = section.ptr[at] == byte_of(sections[i].section, at);
    }
    cria_segment_file_close(file);
    return good;
}

CRIA_TEST(every_flipped_bit_is_seen_or_harmless)
{
    struct fixture *f = *state;
    struct cria_segment_file *file = NULL;
    size_t len, unseen = 0;
    assert_int_equal(write_file(f, true, 5, &file), CRIA_OK);
    cria_segment_file_close(file);
    uint8_t *bytes = read_all(f->path, &len);
    for (size_t bit = 0; bit < len * 8; bit++) {
        bool seen;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (!is_seen_or_harmless(f, bytes, len, &seen)) fail_msg("bit %zu of %zu", bit, len * 8);
        unseen += !seen;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    print_message("  %zu bits, %zu of them mean nothing\n", len * 8, unseen);
    assert_in_range(unseen, 1, 64 * 8); /* behind the checksum, in the footer */
    free(bytes);
}

CRIA_TEST(cut_files_are_refused)
{
    struct fixture *f = *state;
    struct cria_segment_file *file = NULL;
    size_t len;
    assert_int_equal(write_file(f, true, 5, &file), CRIA_OK);
    cria_segment_file_close(file);
    uint8_t *bytes = read_all(f->path, &len);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = aligned_alloc(64, (cut + 64) & ~(size_t)63);
        assert_non_null(exact);
        memcpy(exact, bytes, cut);
        assert_int_equal(cria_segment_file_over(exact, cut, &f->call, &file), CRIA_E_CORRUPT);
        free(exact);
    }
    free(bytes);
    for (off_t cut = (off_t)len - 1; cut >= 0; cut = cut * 2 / 3 - 1) {
        assert_int_equal(truncate(f->path, cut), 0);
        assert_int_equal(cria_segment_file_open(f->path, &f->call, &file), CRIA_E_CORRUPT);
    }
}

CRIA_TEST(a_bad_block_does_not_spoil_the_others)
{
    struct fixture *f = *state;
    struct cria_segment_file *file = NULL;
    size_t len;
    assert_int_equal(write_file(f, true, CRIA_COUNT(sections), &file), CRIA_OK);
    cria_segment_file_close(file);
    uint8_t *bytes = read_all(f->path, &len);
    bytes[100000] ^= 1;
    assert_int_equal(cria_segment_file_over(bytes, len, &f->call, &file), CRIA_OK);
    struct cria_bytes large = cria_segment_section(file, 5);
    assert_true(cria_bytes_check(&large, 80000, 1000));
    assert_false(cria_segment_file_is_damaged(file));
    assert_false(cria_bytes_check(&large, 0, large.len));
    assert_true(cria_segment_file_is_damaged(file));
    assert_true(cria_bytes_check(&large, 80000, 1000));
    cria_segment_file_close(file);
    free(bytes);
}

CRIA_TEST(what_is_not_there_is_told_from_what_is_bad)
{
    struct fixture *f = *state;
    struct cria_segment_file *file = NULL;
    assert_int_equal(cria_segment_file_open(f->path, &f->call, &file), CRIA_E_NOT_FOUND);
    assert_int_equal(cria_segment_file_open(f->folder, &f->call, &file), CRIA_E_IO);
    assert_true(f->call.error[0] != '\0');
}

/* ---- what cannot be written */

static void check_empty(const struct fixture *f)
{
    assert_int_not_equal(access(f->part, F_OK), 0);
    assert_int_not_equal(access(f->path, F_OK), 0);
}

CRIA_TEST(a_full_disk_is_told_and_leaves_nothing)
{
    struct fixture *f = *state;
    struct cria_segment_file *file = NULL, *memory = NULL;
    assert_int_equal(symlink("/dev/full", f->part), 0);
    assert_int_equal(write_file(f, true, CRIA_COUNT(sections), &file), CRIA_E_NO_SPACE);
    check_empty(f);
    assert_int_equal(write_file(f, false, CRIA_COUNT(sections), &memory), CRIA_OK);
    assert_int_equal(symlink("/dev/full", f->part), 0);
    assert_int_equal(cria_segment_file_save(memory, &f->call, f->part, f->path, &file),
                     CRIA_E_NO_SPACE);
    check_empty(f);
    check_file(memory);
    cria_segment_file_close(memory);
}

CRIA_TEST(a_folder_that_is_not_there_is_told)
{
    struct fixture *f = *state;
    struct cria_segment_writer *writer = NULL;
    struct cria_segment_file *memory = NULL, *file = NULL;
    assert_int_equal(cria_segment_writer_new("/tmp/no/such/folder/x", &f->call, &writer),
                     CRIA_E_IO);
    assert_int_equal(write_file(f, false, 1, &memory), CRIA_OK);
    assert_int_equal(cria_segment_file_save(memory, &f->call, "/tmp/no/such/folder/x",
                                            "/tmp/no/such/folder/y", &file),
                     CRIA_E_IO);
    cria_segment_file_close(memory);
}

CRIA_TEST(a_writer_given_up_leaves_nothing)
{
    struct fixture *f = *state;
    struct cria_segment_writer *writer = NULL;
    assert_int_equal(cria_segment_writer_new(f->part, &f->call, &writer), CRIA_OK);
    add_section(writer, 4, 70000);
    assert_int_equal(access(f->part, F_OK), 0);
    cria_segment_writer_free(writer);
    check_empty(f);
    cria_segment_writer_free(NULL);
}

CRIA_TEST(any_operation_may_fail)
{
    struct fixture *f = *state;
    struct cria_segment_file *memory = NULL, *file = NULL;
#ifndef CRIA_FAULTS
    skip();
#endif
    assert_int_equal(write_file(f, false, CRIA_COUNT(sections), &memory), CRIA_OK);
    for (unsigned saves = 0; saves < 2; saves++) {
        unsigned nth = 1;
        for (;; nth++) {
            cria_fault_arm(CRIA_FAULT_FILE, nth);
            enum cria_status st =
                saves ? cria_segment_file_save(memory, &f->call, f->part, f->path, &file)
                      : write_file(f, true, CRIA_COUNT(sections), &file);
            bool fired = cria_fault_fired();
            cria_fault_arm(CRIA_FAULT_FILE, 0);
            if (!fired) {
                assert_int_equal(st, CRIA_OK);
                check_file(file);
                cria_segment_file_close(file);
                assert_int_equal(unlink(f->path), 0);
                break;
            }
            assert_int_equal(st, CRIA_E_IO);
            assert_non_null(strstr(f->call.error, "could not be written"));
            check_empty(f);
        }
        assert_in_range(nth, 6 - saves, 100); /* open, write, sync, rename, sync of the folder */
    }
    cria_segment_file_close(memory);
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(a_file_that_is_cut_while_it_is_open_is_damaged),
        ONE(sections_come_back_from_file_and_memory),
        ONE(other_bytes_have_another_identity),
        ONE(a_file_without_sections_is_one),
        ONE(every_flipped_bit_is_seen_or_harmless),
        ONE(cut_files_are_refused),
        ONE(a_bad_block_does_not_spoil_the_others),
        ONE(what_is_not_there_is_told_from_what_is_bad),
        ONE(a_full_disk_is_told_and_leaves_nothing),
        ONE(a_folder_that_is_not_there_is_told),
        ONE(a_writer_given_up_leaves_nothing),
        ONE(any_operation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
