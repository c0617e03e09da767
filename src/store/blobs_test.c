/* Blobs: a name shows all of its bytes or is not there, whatever fails or runs beside; only what no
 * row names, and nobody is about to name, is ever removed. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fault.h"
#include "store/blobs.h"
#include "store/records.h"
#include "tests/support/test_store.h"

#define P CRIA_STR("prj-1")
#define Q CRIA_STR("prj-2")
enum { BYTES = 150000 };

/* Bytes of their own for each n, and their digest. */
struct blob {
    char bytes[BYTES], sha[CRIA_SHA256_HEX];
    struct cria_blob_source source;
};

static void make_blob(struct blob *blob, unsigned n)
{
    for (size_t i = 0; i < BYTES; i++) blob->bytes[i] = (char)(i * 31 + n * 7 + i / 1000);
    struct cria_str bytes = {blob->bytes, BYTES};
    cria_sha256_hex(bytes, blob->sha);
    blob->source = (struct cria_blob_source){
        .bytes = bytes, .spool_fd = -1, .size_bytes = BYTES, .sha256 = blob->sha};
}

static struct blob *new_blob(unsigned n)
{
    struct blob *blob = malloc(sizeof(*blob));
    assert_non_null(blob);
    make_blob(blob, n);
    return blob;
}

/* 1: there and whole, 0: not there, -1: something else. Asserts nothing: for any thread. */
static int look(struct cria_store *store, struct cria_call *call, struct cria_str project,
                const struct blob *blob, char *got)
{
    uint64_t size;
    int fd;
    size_t have = 0;
    ssize_t n;
    enum cria_status st = cria_blob_open(store, call, project, blob->sha, &fd, &size);
    if (st == CRIA_E_NOT_FOUND) return 0;
    if (st != CRIA_OK) return -1;
    while (have < BYTES && (n = read(fd, got + have, BYTES - have)) > 0) have += (size_t)n;
    close(fd);
    return size == BYTES && have == BYTES && memcmp(got, blob->bytes, BYTES) == 0 ? 1 : -1;
}

static void assert_blob(struct store_fixture *f, struct cria_str project, const struct blob *blob,
                        bool is_there)
{
    static char got[BYTES];
    store_fixture_forget(f);
    assert_int_equal(look(f->store, &f->call, project, blob, got), is_there);
}

static enum cria_status put(struct store_fixture *f, struct cria_str project,
                            const struct blob *blob)
{
    bool moved = true;
    store_fixture_forget(f);
    enum cria_status st = cria_blob_put(f->store, &f->call, project, &blob->source, &moved);
    assert_false(moved);
    return st;
}

/* Put, and nobody is about to name it. */
static void put_stray(struct store_fixture *f, struct cria_str project, const struct blob *blob)
{
    assert_int_equal(put(f, project, blob), CRIA_OK);
    cria_blob_unpin(f->store, &f->call, project, blob->sha);
}

static size_t spool_files(struct store_fixture *f)
{
    size_t count = 0;
    struct dirent *entry;
    DIR *dir = opendir(cria_blobs_spool_dir(f->store));
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* A file in the spool folder, as an upload leaves it. */
static int spool(struct store_fixture *f, const char *name, const struct blob *blob, char path[256])
{
    snprintf(path, 256, "%s/%s", cria_blobs_spool_dir(f->store), name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, blob->bytes, BYTES), BYTES);
    return fd;
}

/* ---- putting */

CRIA_TEST(a_blob_is_put_once_and_read_back)
{
    struct store_fixture *f = *state;
    struct blob *blob = new_blob(1);
    assert_blob(f, P, blob, false);
    put_stray(f, P, blob);
    assert_blob(f, P, blob, true);
    assert_blob(f, Q, blob, false);
    put_stray(f, P, blob);
    put_stray(f, Q, blob);
    assert_blob(f, Q, blob, true);
    assert_int_equal(spool_files(f), 0);
    store_fixture_close(f);
    store_fixture_open(f);
    assert_blob(f, P, blob, true);
    free(blob);
}

CRIA_TEST(a_spooled_file_is_taken_unless_the_blob_is_there)
{
    struct store_fixture *f = *state;
    struct blob *blob = new_blob(2);
    char path[256];
    for (int round = 0; round < 2; round++) {
        bool moved = round != 0;
        int fd = spool(f, "upload", blob, path);
        struct cria_blob_source source = blob->source;
        source.bytes = (struct cria_str){0};
        source.spool_path = path;
        source.spool_fd = fd;
        assert_int_equal(cria_blob_put(f->store, &f->call, P, &source, &moved), CRIA_OK);
        cria_blob_unpin(f->store, &f->call, P, blob->sha);
        close(fd);
        assert_int_equal(moved, round == 0);
        assert_int_equal(spool_files(f), round);
        assert_blob(f, P, blob, true);
    }
    free(blob);
}

CRIA_TEST(an_empty_file_is_a_blob_as_well)
{
    struct store_fixture *f = *state;
    char sha[CRIA_SHA256_HEX];
    uint64_t size = 1;
    bool moved;
    int fd;
    cria_sha256_hex(CRIA_STR(""), sha);
    const struct cria_blob_source source = {.bytes = CRIA_STR(""), .spool_fd = -1, .sha256 = sha};
    assert_int_equal(cria_blob_put(f->store, &f->call, P, &source, &moved), CRIA_OK);
    assert_int_equal(cria_blob_open(f->store, &f->call, P, sha, &fd, &size), CRIA_OK);
    assert_int_equal(size, 0);
    close(fd);
}

CRIA_TEST(names_that_are_not_ours_make_no_path)
{
    struct store_fixture *f = *state;
    struct blob *blob = new_blob(3);
    char upper[CRIA_SHA256_HEX], dots[CRIA_SHA256_HEX];
    memset(upper, 'A', 64);
    memset(dots, '.', 64);
    upper[64] = dots[64] = '\0';
    static char long_project[200];
    memset(long_project, 'p', sizeof(long_project));
    const struct {
        struct cria_str project;
        const char *sha;
    } cases[] = {
        {CRIA_STR("../.."), blob->sha},
        {CRIA_STR(""), blob->sha},
        {CRIA_STR("a/b"), blob->sha},
        {CRIA_STR("a\0b"), blob->sha},
        {{long_project, 200}, blob->sha},
        {P, ""},
        {P, "abc"},
        {P, upper},
        {P, dots},
        {P, "../../../../../../../../../../../../../../../../../../etc/passwd"},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_blob_source source = blob->source;
        uint64_t size;
        bool moved;
        int fd;
        source.sha256 = cases[i].sha;
        assert_int_equal(cria_blob_put(f->store, &f->call, cases[i].project, &source, &moved),
                         CRIA_E_INTERNAL);
        assert_int_equal(
            cria_blob_open(f->store, &f->call, cases[i].project, cases[i].sha, &fd, &size),
            CRIA_E_INTERNAL);
        cria_blob_release(f->store, &f->call, cases[i].project, cases[i].sha);
        cria_blob_unpin(f->store, &f->call, cases[i].project, cases[i].sha);
    }
    assert_int_equal(spool_files(f), 0);
    free(blob);
}

/* Bytes in memory and spooled ones; every operation of a put fails once. */
CRIA_TEST(any_operation_of_a_put_may_fail)
{
    struct store_fixture *f = *state;
    bool fired = true;
    unsigned nth = 1;
    if (!TEST_HAS_FAULTS) skip();
    for (; fired; nth++) {
        struct blob *blob = new_blob(100 + nth);
        static char got[BYTES];
        cria_fault_arm(CRIA_FAULT_FILE, nth);
        enum cria_status st = put(f, P, blob);
        fired = cria_fault_fired();
        cria_fault_arm(CRIA_FAULT_FILE, 0);
        assert_int_equal(st, fired ? CRIA_E_IO : CRIA_OK);
        if (fired) assert_true(strlen(f->call.error) > 0);
        assert_int_equal(spool_files(f), 0);
        assert_in_range(look(f->store, &f->call, P, blob, got), fired ? 0 : 1, 1); /* never half */
        assert_int_equal(put(f, P, blob), CRIA_OK);
        assert_blob(f, P, blob, true);
        cria_blob_unpin(f->store, &f->call, P, blob->sha);
        if (!fired) cria_blob_unpin(f->store, &f->call, P, blob->sha);
        cria_blob_release(f->store, &f->call, P, blob->sha); /* no pin was left behind */
        assert_blob(f, P, blob, false);
        free(blob);
    }
    assert_in_range(nth, 6, 100);
}

/* ---- beside each other */

struct reader {
    struct cria_store *store;
    const struct blob *blob;
    atomic_bool *is_over;
    unsigned whole, missing, wrong;
};

static void *keep_looking(void *arg)
{
    struct reader *reader = arg;
    struct cria_arena arena;
    struct cria_call call;
    char *got = malloc(BYTES);
    cria_arena_init(&arena, 1 << 16);
    while (got && !atomic_load(reader->is_over)) {
        cria_call_init(&call, &arena);
        int seen = look(reader->store, &call, P, reader->blob, got);
        if (seen > 0)
            reader->whole++;
        else if (seen == 0)
            reader->missing++;
        else
            reader->wrong++;
    }
    cria_arena_release(&arena);
    free(got);
    return NULL;
}

CRIA_TEST(a_reader_sees_all_of_a_blob_or_none)
{
    struct store_fixture *f = *state;
    struct blob *blob = new_blob(4);
    atomic_bool is_over = false;
    struct reader reader = {.store = f->store, .blob = blob, .is_over = &is_over};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, keep_looking, &reader), 0);
    for (int i = 0; i < 300; i++) {
        put_stray(f, P, blob);
        cria_blob_release(f->store, &f->call, P, blob->sha);
    }
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    assert_int_equal(reader.wrong, 0);
    assert_true(reader.whole + reader.missing > 0);
    free(blob);
}

struct uploader {
    struct cria_store *store;
    const struct blob *blob;
    unsigned n, hollow;
};

struct file_row {
    const char *id, *sha;
};

static enum cria_status insert_file(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct file_row *row = arg;
    const struct cria_file file = {
        .id = cria_str_from(row->id), .name = CRIA_STR("n"), .sha256 = cria_str_from(row->sha)};
    return cria_tx_file_insert(tx, call, P, &file);
}

static enum cria_status delete_file(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct file_row *row = arg;
    struct cria_str sha;
    return cria_tx_file_delete(tx, call, P, cria_str_from(row->id), 1, &sha);
}

/* Uploads and deletes a file of the same bytes as everybody else; while its row is there, so must
 * be the blob. */
static void *upload_and_delete(void *arg)
{
    struct uploader *uploader = arg;
    struct cria_arena arena;
    struct cria_call call;
    char id[32], *got = malloc(BYTES);
    cria_arena_init(&arena, 1 << 20);
    for (int i = 0; i < 60 && got; i++) {
        bool moved;
        struct file_row row = {id, uploader->blob->sha};
        snprintf(id, sizeof(id), "fil-%u-%d", uploader->n, i);
        cria_arena_reset(&arena);
        cria_call_init(&call, &arena);
        bool good =
            cria_blob_put(uploader->store, &call, P, &uploader->blob->source, &moved) == CRIA_OK &&
            cria_store_write(uploader->store, &call, insert_file, &row) == CRIA_OK;
        cria_blob_unpin(uploader->store, &call, P, row.sha);
        if (!good || look(uploader->store, &call, P, uploader->blob, got) != 1) uploader->hollow++;
        if (cria_store_write(uploader->store, &call, delete_file, &row) != CRIA_OK)
            uploader->hollow++;
        cria_blob_release(uploader->store, &call, P, row.sha);
    }
    cria_arena_release(&arena);
    free(got);
    return NULL;
}

CRIA_TEST(uploads_and_deletes_of_the_same_bytes_leave_no_hollow_file)
{
    enum { UPLOADERS = 4 };
    struct store_fixture *f = *state;
    struct blob *blob = new_blob(5);
    struct uploader uploaders[UPLOADERS];
    pthread_t threads[UPLOADERS];
    for (unsigned n = 0; n < UPLOADERS; n++) {
        uploaders[n] = (struct uploader){.store = f->store, .blob = blob, .n = n};
        assert_int_equal(pthread_create(&threads[n], NULL, upload_and_delete, &uploaders[n]), 0);
    }
    for (unsigned n = 0; n < UPLOADERS; n++) {
        pthread_join(threads[n], NULL);
        assert_int_equal(uploaders[n].hollow, 0);
    }
    assert_blob(f, P, blob, false); /* nobody names it any more */
    assert_int_equal(spool_files(f), 0);
    free(blob);
}

/* ---- what is removed */

static enum cria_status insert_attachment(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_attachment row = {.entry_id = CRIA_STR("e"),
                                        .name = CRIA_STR("items/page_1.json"),
                                        .media_type = CRIA_STR("t"),
                                        .sha256 = cria_str_from(arg)};
    return cria_tx_attachment_put(tx, call, P, &row);
}

enum owner { BY_NOBODY, BY_FILE, BY_ATTACHMENT, BY_FILE_OF_ANOTHER_PROJECT, BY_PIN, BY_TWO_PINS };
static const struct {
    enum owner owner;
    bool stays;
} owners[] = {{BY_NOBODY, false},    {BY_FILE, true},
              {BY_ATTACHMENT, true}, {BY_FILE_OF_ANOTHER_PROJECT, false},
              {BY_PIN, true},        {BY_TWO_PINS, true}};

/* A blob in P with its owner. */
static struct blob *owned(struct store_fixture *f, size_t i)
{
    struct blob *blob = new_blob(20 + (unsigned)i);
    struct file_row row = {"fil-1", blob->sha};
    assert_int_equal(put(f, P, blob), CRIA_OK);
    switch (owners[i].owner) {
    case BY_FILE:
        assert_int_equal(cria_store_write(f->store, &f->call, insert_file, &row), CRIA_OK);
        break;
    case BY_ATTACHMENT:
        assert_int_equal(cria_store_write(f->store, &f->call, insert_attachment, blob->sha),
                         CRIA_OK);
        break;
    case BY_FILE_OF_ANOTHER_PROJECT: put_stray(f, Q, blob); break;
    case BY_PIN: return blob;
    case BY_TWO_PINS: assert_int_equal(put(f, P, blob), CRIA_OK); break;
    case BY_NOBODY: break;
    }
    cria_blob_unpin(f->store, &f->call, P, blob->sha);
    return blob;
}

static void check_removal(struct store_fixture *f, bool sweep)
{
    struct blob *blobs[CRIA_COUNT(owners)];
    for (size_t i = 0; i < CRIA_COUNT(owners); i++) blobs[i] = owned(f, i);
    for (size_t i = 0; i < CRIA_COUNT(owners) && !sweep; i++)
        cria_blob_release(f->store, &f->call, P, blobs[i]->sha);
    if (sweep) cria_blobs_sweep(f->store, &f->call);
    for (size_t i = 0; i < CRIA_COUNT(owners); i++) {
        assert_blob(f, P, blobs[i], owners[i].stays);
        if (owners[i].owner == BY_PIN || owners[i].owner == BY_TWO_PINS) {
            cria_blob_unpin(f->store, &f->call, P, blobs[i]->sha);
            cria_blob_release(f->store, &f->call, P, blobs[i]->sha);
            assert_blob(f, P, blobs[i], false);
        }
        free(blobs[i]);
    }
}

CRIA_TEST(a_release_removes_what_nobody_names)
{
    check_removal(*state, false);
}

CRIA_TEST(a_sweep_removes_what_nobody_names)
{
    check_removal(*state, true);
}

CRIA_TEST(a_sweep_leaves_young_spool_files_and_what_is_no_blob)
{
    static const struct {
        const char *name;
        bool in_spool, is_old, stays;
    } cases[] = {
        {"upload-old", true, true, false},           {"upload-young", true, false, true},
        {"blobs/README", false, true, true},         {"blobs/prj-1/notes.txt", false, true, true},
        {"blobs/prj-1/ab/short", false, true, true},
    };
    struct store_fixture *f = *state;
    struct blob *blob = new_blob(6);
    char path[256], from[256];
    put_stray(f, P, blob);
    snprintf(path, sizeof(path), "%s/blobs/prj-1/ab", f->folder);
    mkdir(path, 0700);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        const struct timespec old[2] = {{time(NULL) - 4000, 0}, {time(NULL) - 4000, 0}};
        close(spool(f, cases[i].name[0] == 'u' ? cases[i].name : "moved", blob, from));
        snprintf(path, sizeof(path), "%s/%s%s", f->folder, cases[i].in_spool ? "spool/" : "",
                 cases[i].name);
        if (!cases[i].in_spool) assert_int_equal(rename(from, path), 0);
        if (cases[i].is_old) assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    }
    cria_blobs_sweep(f->store, &f->call);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        snprintf(path, sizeof(path), "%s/%s%s", f->folder, cases[i].in_spool ? "spool/" : "",
                 cases[i].name);
        if ((access(path, F_OK) == 0) != cases[i].stays) fail_msg("%s", cases[i].name);
    }
    assert_blob(f, P, blob, false);
    free(blob);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_blob_is_put_once_and_read_back),
        CASE(a_spooled_file_is_taken_unless_the_blob_is_there),
        CASE(an_empty_file_is_a_blob_as_well),
        CASE(names_that_are_not_ours_make_no_path),
        CASE(any_operation_of_a_put_may_fail),
        CASE(a_reader_sees_all_of_a_blob_or_none),
        CASE(uploads_and_deletes_of_the_same_bytes_leave_no_hollow_file),
        CASE(a_release_removes_what_nobody_names),
        CASE(a_sweep_removes_what_nobody_names),
        CASE(a_sweep_leaves_young_spool_files_and_what_is_no_blob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
