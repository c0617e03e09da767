/* A disk that runs full: a small file system of the test's own. What reads goes on, what writes is
 * told so at once, what frees space goes through thanks to the ballast, a restart works, and when
 * there is room again the store takes writes without one. Skipped where a test may not mount. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#include "platform/clock.h"
#include "store/backup.h"
#include "store/blobs.h"
#include "store/records.h"
#include "tests/support/test_store.h"

#define P CRIA_STR("prj-1")
enum { DISK_BYTES = 24 << 20, BALLAST_BYTES = 1 << 20, TEXT_BYTES = 60000, HEAL_MS = 5000 };

static bool may_mount;

static struct store_fixture *fixture_on_small_disk(void)
{
    struct store_fixture *f = store_fixture_new();
#ifdef __linux__
    char options[64];
    snprintf(options, sizeof(options), "size=%d,mode=700", DISK_BYTES);
    assert_int_equal(mount("tmpfs", f->folder, "tmpfs", 0, options), 0);
#endif
    return f;
}

static int setup(void **state)
{
    *state = may_mount ? fixture_on_small_disk() : NULL;
    return 0;
}

static int teardown(void **state)
{
    struct store_fixture *f = *state;
    if (!f) return 0;
    store_fixture_close(f);
#ifdef __linux__
    umount2(f->folder, MNT_DETACH);
#endif
    store_fixture_free(f);
    return 0;
}

static void open_store(struct store_fixture *f)
{
    const struct cria_store_options options = {
        .folder = f->folder, .readers = 2, .wal_max_pages = 200, .ballast_bytes = BALLAST_BYTES};
    store_fixture_forget(f);
    if (cria_store_open(&options, &f->call, &f->store) != CRIA_OK) fail_msg("%s", f->call.error);
}

/* Takes all the room there is; `left` bytes stay free. */
static void fill(struct store_fixture *f, uint64_t left)
{
    static char zeros[4096];
    char path[256];
    struct statvfs info;
    snprintf(path, sizeof(path), "%s/filler", f->folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (statvfs(f->folder, &info) == 0 && info.f_bavail * info.f_frsize > left)
        if (write(fd, zeros, sizeof(zeros)) <= 0) break;
    close(fd);
}

static void make_room(struct store_fixture *f)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/filler", f->folder);
    assert_int_equal(unlink(path), 0);
}

struct note {
    unsigned n;
};

static struct cria_str id_of(struct cria_arena *arena, unsigned n)
{
    return cria_arena_printf(arena, "doc-%u", n);
}

static enum cria_status insert_note(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct note *note = arg;
    static char text[TEXT_BYTES];
    struct cria_document row = {.id = id_of(call->arena, note->n),
                                .index_id = CRIA_STR("idx"),
                                .entry_id = id_of(call->arena, note->n),
                                .source_entry_id = CRIA_STR("s"),
                                .content_key = CRIA_STR("k"),
                                .display_name = CRIA_STR("d")};
    memset(text, 'a' + (int)(note->n % 26), sizeof(text));
    return cria_tx_document_insert(tx, call, P, &row, cria_str_make(text, sizeof(text)), NULL, 0);
}

static enum cria_status remove_notes(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    (void)arg;
    return cria_tx_documents_unstage(tx, call, P, CRIA_STR("idx"));
}

static enum cria_status insert(struct store_fixture *f, unsigned n)
{
    struct note note = {n};
    store_fixture_forget(f);
    return cria_store_write(f->store, &f->call, insert_note, &note);
}

static bool is_there(struct store_fixture *f, unsigned n)
{
    struct cria_str text;
    struct cria_tx *tx = reading(f);
    enum cria_status st = cria_tx_document_text(tx, &f->call, P, id_of(&f->arena, n), &text);
    cria_store_read_end(tx);
    if (st != CRIA_E_NOT_FOUND) assert_int_equal(st, CRIA_OK);
    if (st == CRIA_OK) assert_int_equal(text.len, TEXT_BYTES);
    store_fixture_forget(f);
    return st == CRIA_OK;
}

/* Writes until one is refused, which must be for the lack of space; the number that went in. */
static unsigned write_until_full(struct store_fixture *f)
{
    enum cria_status st = CRIA_OK;
    unsigned n = 0;
    while ((st = insert(f, n)) == CRIA_OK) assert_in_range(++n, 0, DISK_BYTES / TEXT_BYTES);
    assert_int_equal(st, CRIA_E_NO_SPACE);
    assert_non_null(strstr(f->call.error, "full"));
    assert_true(cria_store_figures(f->store).is_full);
    assert_true(cria_store_figures(f->store).is_writable);
    return n;
}

static void assert_notes(struct store_fixture *f, unsigned count)
{
    for (unsigned n = 0; n < count; n++) assert_true(is_there(f, n));
    assert_false(is_there(f, count));
}

CRIA_TEST(a_full_disk_refuses_writes_and_nothing_else)
{
    struct store_fixture *f = *state;
    if (!f) skip();
    open_store(f);
    fill(f, 2 << 20);
    unsigned count = write_until_full(f);
    assert_in_range(count, 5, 100);
    assert_notes(f, count);
    uint64_t before = cria_now_ns();
    for (int i = 0; i < 20; i++) {
        enum cria_status st = insert(f, 500);
        assert_int_equal(st, CRIA_E_NO_SPACE);
    }
    assert_in_range(cria_now_ns() - before, 0, 1000000000); /* refused, not waited for */
    assert_notes(f, count);
    assert_false(is_there(f, 500));
}

CRIA_TEST(a_delete_goes_through_on_a_full_disk)
{
    struct store_fixture *f = *state;
    if (!f) skip();
    open_store(f);
    fill(f, 2 << 20);
    unsigned count = write_until_full(f);
    store_fixture_forget(f);
    enum cria_status st = cria_store_write_freeing(f->store, &f->call, remove_notes, NULL);
    if (st != CRIA_OK) fail_msg("%s: %s", cria_status_name(st), f->call.error);
    for (unsigned n = 0; n < count; n++) assert_false(is_there(f, n));
    store_fixture_close(f);
    open_store(f);
    for (unsigned n = 0; n < count; n++) assert_false(is_there(f, n));
}

CRIA_TEST(the_ballast_is_kept_for_deletes)
{
    struct store_fixture *f = *state;
    if (!f) skip();
    open_store(f);
    for (unsigned n = 0; n < 20; n++) assert_int_equal(insert(f, n), CRIA_OK);
    fill(f, 0); /* nothing is left but the ballast */
    store_fixture_forget(f);
    enum cria_status st = cria_store_write_freeing(f->store, &f->call, remove_notes, NULL);
    if (st != CRIA_OK) fail_msg("%s: %s", cria_status_name(st), f->call.error);
    for (unsigned n = 0; n < 20; n++) assert_false(is_there(f, n));
    store_fixture_close(f);
    open_store(f);
    for (unsigned n = 0; n < 20; n++) assert_false(is_there(f, n));
}

CRIA_TEST(a_restart_works_on_a_full_disk)
{
    struct store_fixture *f = *state;
    if (!f) skip();
    open_store(f);
    for (unsigned n = 0; n < 20; n++) assert_int_equal(insert(f, n), CRIA_OK);
    store_fixture_close(f);
    fill(f, 0);
    open_store(f);
    assert_notes(f, 20);
    assert_true(cria_store_figures(f->store).is_full);
    assert_int_equal(insert(f, 20), CRIA_E_NO_SPACE);
    store_fixture_forget(f);
    enum cria_status st = cria_store_write_freeing(f->store, &f->call, remove_notes, NULL);
    if (st != CRIA_OK) fail_msg("%s: %s", cria_status_name(st), f->call.error);
    store_fixture_close(f);
    open_store(f);
    assert_false(is_there(f, 0));
}

CRIA_TEST(writes_come_back_with_the_room)
{
    struct store_fixture *f = *state;
    if (!f) skip();
    open_store(f);
    fill(f, 2 << 20);
    unsigned count = write_until_full(f);
    make_room(f);
    uint64_t until = cria_now_ns() + (uint64_t)HEAL_MS * 1000000;
    enum cria_status st;
    while ((st = insert(f, count)) == CRIA_E_NO_SPACE && cria_now_ns() < until) {}
    assert_int_equal(st, CRIA_OK);
    assert_false(cria_store_figures(f->store).is_full);
    assert_notes(f, count + 1);
    char path[256];
    struct stat info;
    snprintf(path, sizeof(path), "%s/ballast", f->folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, BALLAST_BYTES); /* for the next time */
    store_fixture_close(f);
    open_store(f);
    assert_notes(f, count + 1);
}

CRIA_TEST(a_blob_that_does_not_fit_leaves_nothing_behind)
{
    static char bytes[1 << 20];
    struct store_fixture *f = *state;
    char sha[CRIA_SHA256_HEX];
    struct statvfs before, after;
    bool moved = true;
    uint64_t size;
    int fd;
    if (!f) skip();
    open_store(f);
    fill(f, 200000);
    memset(bytes, 'b', sizeof(bytes));
    cria_sha256_hex(cria_str_make(bytes, sizeof(bytes)), sha);
    const struct cria_blob_source source = {.bytes = {bytes, sizeof(bytes)},
                                            .spool_fd = -1,
                                            .size_bytes = sizeof(bytes),
                                            .sha256 = sha};
    assert_int_equal(statvfs(f->folder, &before), 0);
    assert_int_equal(cria_blob_put(f->store, &f->call, P, &source, &moved), CRIA_E_NO_SPACE);
    assert_false(moved);
    assert_non_null(strstr(f->call.error, "full"));
    assert_int_equal(statvfs(f->folder, &after), 0);
    assert_int_equal(before.f_bavail, after.f_bavail);
    assert_int_equal(cria_blob_open(f->store, &f->call, P, sha, &fd, &size), CRIA_E_NOT_FOUND);
    make_room(f);
    assert_int_equal(cria_blob_put(f->store, &f->call, P, &source, &moved), CRIA_OK);
    assert_int_equal(cria_blob_open(f->store, &f->call, P, sha, &fd, &size), CRIA_OK);
    assert_int_equal(size, sizeof(bytes));
    close(fd);
}

/* ---- a backup writes nothing to the disk */

static void nothing(void *arg)
{
    (void)arg;
}

static enum cria_backup_pull take_all(struct cria_backup *backup, struct cria_buf *out)
{
    enum cria_backup_pull pulled;
    while ((pulled = cria_backup_pull(backup, out, 65536)) == CRIA_BACKUP_WAIT ||
           pulled == CRIA_BACKUP_MORE)
        sched_yield();
    return pulled;
}

static struct cria_backup *start_backup(struct store_fixture *f)
{
    static const struct cria_backup_reader reader = {.wake = nothing, .gone = nothing};
    struct cria_backup *backup = NULL;
    store_fixture_forget(f);
    enum cria_status st = cria_backup_start(f->store, &f->call, &reader, &backup);
    if (st != CRIA_OK) fail_msg("%s: %s", cria_status_name(st), f->call.error);
    return backup;
}

CRIA_TEST(a_backup_works_on_a_full_disk)
{
    struct store_fixture *f = *state;
    struct cria_buf bytes;
    if (!f) skip();
    open_store(f);
    fill(f, 2 << 20);
    write_until_full(f);
    cria_buf_init(&bytes, 2 * DISK_BYTES);
    struct cria_backup *backup = start_backup(f);
    assert_int_equal(take_all(backup, &bytes), CRIA_BACKUP_END);
    cria_backup_close(backup);
    cria_buf_release(&bytes);
}

/* What fills the disk may be the log, which grows while the database is read: writers come first.
 */
CRIA_TEST(a_disk_that_becomes_full_ends_a_backup)
{
    struct store_fixture *f = *state;
    struct cria_buf bytes;
    if (!f) skip();
    open_store(f);
    for (unsigned n = 0; n < 40; n++) assert_int_equal(insert(f, n), CRIA_OK);
    cria_buf_init(&bytes, 2 * DISK_BYTES);
    struct cria_backup *backup = start_backup(f); /* the database does not fit its buffers */
    fill(f, 1 << 20);
    for (unsigned n = 40; insert(f, n) == CRIA_OK; n++) assert_in_range(n, 40, 1000);
    assert_true(cria_store_figures(f->store).is_full);
    assert_int_equal(take_all(backup, &bytes), CRIA_BACKUP_FAIL);
    cria_backup_close(backup);
    cria_buf_release(&bytes);
    make_room(f);
}

#ifdef __linux__
static bool put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) close(fd);
    return good;
}

/* Mounts of its own, seen by nobody else: as root, or as anybody in a user namespace. */
static bool get_mounts(void)
{
    char user[32], group[32];
    snprintf(user, sizeof(user), "0 %u 1", (unsigned)geteuid());
    snprintf(group, sizeof(group), "0 %u 1", (unsigned)getegid());
    if (unshare(CLONE_NEWNS) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
        if (!put("/proc/self/uid_map", user) || !put("/proc/self/setgroups", "deny") ||
            !put("/proc/self/gid_map", group))
            return false;
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}
#else
static bool get_mounts(void)
{
    return false;
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_disk_refuses_writes_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_delete_goes_through_on_a_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(the_ballast_is_kept_for_deletes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_works_on_a_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_come_back_with_the_room, setup, teardown),
        cmocka_unit_test_setup_teardown(a_backup_works_on_a_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(a_disk_that_becomes_full_ends_a_backup, setup, teardown),
        cmocka_unit_test_setup_teardown(a_blob_that_does_not_fit_leaves_nothing_behind, setup,
                                        teardown),
    };
    may_mount = get_mounts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
