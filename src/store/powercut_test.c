/* Power cuts: a run is recorded down to its single writes, then for each moment of it folders are
 * made as a disk may hold them when the current goes: nothing that was not synced, all of it, or
 * any part of it, torn at sectors. In every one the answered writes must be found, and nothing
 * half.
 */
#include <fcntl.h>
#include <pthread.h>

#include "base/fault.h"
#include "store/driver.h"
#include "store/sqlite/vfs.h"
#include "tests/support/store_workload.h"

enum {
    SMALL_WAL = 12, /* pages: checkpoints within the run */
    REOPEN_AT = 8,  /* the store is closed and opened again before this step */
    SECTOR = 512,
    FILES = 3,
    FILE_BYTES = 4 << 20,
    MAX_EVENTS = 4096
};
/* What of the unsynced is on the disk. */
enum survival { NOTHING, EVERYTHING, SOME_A, SOME_B, SURVIVALS };

struct event {
    enum cria_sqlite_deed deed;
    unsigned file;
    char *bytes;
    size_t len;
    int64_t at;
};
static const char *const names[FILES] = {"cria.db", "cria.db-wal", "cria.db-journal"};
static struct tape {
    pthread_mutex_t lock;
    struct event events[MAX_EVENTS];
    unsigned count;
    unsigned begun_at[WORK_STEPS], acked_at[WORK_STEPS]; /* count then, 0: never */
} tape = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A file in the making. */
struct image {
    char *bytes;
    size_t size;
    bool exists;
};

static void record(void *arg, const struct cria_sqlite_event *event)
{
    const char *name = strrchr(event->path, '/');
    (void)arg;
    pthread_mutex_lock(&tape.lock);
    for (unsigned i = 0; i < FILES; i++) {
        if (!name || strcmp(name + 1, names[i]) != 0) continue;
        if (tape.count == MAX_EVENTS) abort(); /* not the test's thread: no assertions here */
        struct event *out = &tape.events[tape.count++];
        *out = (struct event){event->deed, i, NULL, event->bytes.len, event->at};
        if (!out->len) continue;
        out->bytes = malloc(out->len);
        if (!out->bytes) abort();
        memcpy(out->bytes, event->bytes.ptr, out->len);
    }
    pthread_mutex_unlock(&tape.lock);
}

static unsigned now(void)
{
    pthread_mutex_lock(&tape.lock);
    unsigned count = tape.count;
    pthread_mutex_unlock(&tape.lock);
    return count;
}

static void forget_tape(void)
{
    for (unsigned i = 0; i < tape.count; i++) free(tape.events[i].bytes);
    tape.count = 0;
    memset(tape.begun_at, 0, sizeof(tape.begun_at));
    memset(tape.acked_at, 0, sizeof(tape.acked_at));
}

static enum cria_status try_open(struct store_fixture *f)
{
    const struct cria_store_options options = {
        .folder = f->folder, .readers = 2, .wal_max_pages = SMALL_WAL, .ballast_bytes = 4096};
    store_fixture_forget(f);
    return cria_store_open(&options, &f->call, &f->store);
}

/* The whole script onto the tape; answers are noted with the moment they came. */
static void record_run(struct store_fixture *f)
{
    struct work_ledger ledger;
    forget_tape();
    cria_sqlite_vfs_watch(record, NULL);
    enum cria_status st = try_open(f);
    for (unsigned n = 0; n < WORK_STEPS && st == CRIA_OK; n++) {
        if (n == REOPEN_AT) {
            store_fixture_close(f);
            st = try_open(f);
            if (st != CRIA_OK) break;
        }
        tape.begun_at[n] = now() + 1;
        if (work_run(f, n, &ledger) == CRIA_OK) tape.acked_at[n] = now() + 1;
    }
    if (f->store) store_fixture_close(f);
    cria_sqlite_vfs_watch(NULL, NULL);
}

/* ---- a disk after the cut */

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

static void apply_write(struct image *image, const struct event *event, size_t from, size_t to)
{
    size_t end = (size_t)event->at + to;
    assert_in_range(end, 0, FILE_BYTES);
    memcpy(image->bytes + event->at + from, event->bytes + from, to - from);
    if (end > image->size) image->size = end;
    image->exists = true;
}

static void apply(struct image *image, const struct event *event)
{
    switch (event->deed) {
    case CRIA_SQLITE_WRITE: apply_write(image, event, 0, event->len); return;
    case CRIA_SQLITE_DELETE:
    case CRIA_SQLITE_TRUNCATE: {
        size_t size = event->deed == CRIA_SQLITE_DELETE ? 0 : (size_t)event->at;
        if (size < image->size) memset(image->bytes + size, 0, image->size - size);
        if (size < image->size || event->deed == CRIA_SQLITE_TRUNCATE) image->size = size;
        image->exists = event->deed != CRIA_SQLITE_DELETE;
        return;
    }
    case CRIA_SQLITE_SYNC:
    case CRIA_SQLITE_LOSS: return;
    }
}

/* Any sectors of a write; another deed happens or does not. */
static void apply_some(struct image *image, const struct event *event, uint64_t *random)
{
    if (event->deed != CRIA_SQLITE_WRITE) {
        if (random_next(random) % 2) apply(image, event);
        return;
    }
    uint64_t kind = random_next(random) % 4; /* 0: none of it, 1: all, else torn */
    for (size_t at = 0; at < event->len && kind; at += SECTOR) {
        size_t end = at + SECTOR < event->len ? at + SECTOR : event->len;
        if (kind == 1 || random_next(random) % 2) apply_write(image, event, at, end);
    }
}

/* The first sync of a new log or journal, which syncs the folder, too. */
static bool is_first_sync(unsigned k)
{
    if (tape.events[k].deed != CRIA_SQLITE_SYNC || tape.events[k].file == 0) return false;
    for (unsigned i = k; i-- > 0;) {
        if (tape.events[i].file != tape.events[k].file) continue;
        if (tape.events[i].deed == CRIA_SQLITE_DELETE) return true;
        if (tape.events[i].deed == CRIA_SQLITE_SYNC) return false;
    }
    return true;
}

/* Whether event i is surely on disk when the current goes before event `cut`: its file was synced
 * after it, without a loss between; a deletion when the folder was. */
static bool is_synced(unsigned i, unsigned cut)
{
    bool is_deletion = tape.events[i].deed == CRIA_SQLITE_DELETE;
    if (is_deletion && tape.events[i].at) return true;
    for (unsigned k = i + 1; k < cut; k++) {
        const struct event *later = &tape.events[k];
        if (is_deletion && is_first_sync(k)) return true;
        if (is_deletion || later->file != tape.events[i].file) continue;
        if (later->deed == CRIA_SQLITE_LOSS) return false;
        if (later->deed == CRIA_SQLITE_SYNC) return true;
    }
    return false;
}

static void make_images(struct image images[FILES], unsigned cut, enum survival survival)
{
    uint64_t random = 0x9E3779B97F4A7C15u ^ ((uint64_t)cut << 8 | survival);
    for (unsigned i = 0; i < FILES; i++) {
        memset(images[i].bytes, 0, images[i].size);
        images[i].size = 0;
        images[i].exists = false;
    }
    for (unsigned i = 0; i < cut; i++) {
        struct image *image = &images[tape.events[i].file];
        if (survival == EVERYTHING || is_synced(i, cut))
            apply(image, &tape.events[i]);
        else if (survival != NOTHING)
            apply_some(image, &tape.events[i], &random);
    }
}

static void write_file(const char *folder, const char *name, const struct image *image)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (!image->exists) return;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, image->bytes, image->size), image->size);
    close(fd);
}

static void assert_sound(struct store_fixture *f)
{
    const struct cria_driver *driver = &cria_sqlite_driver;
    struct cria_conn *conn = NULL;
    assert_int_equal(driver->open(f->folder, false, 0, &f->call, &conn), CRIA_OK);
    struct cria_stmt *stmt = driver->prepare(conn, CRIA_STR("PRAGMA integrity_check"));
    assert_non_null(stmt);
    assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
    assert_str_equal(driver->column_str(stmt, 0), "ok");
    driver->reset(stmt);
    driver->close(conn);
}

/* `origin` has the blobs: they are files of their own, and synced before any row names them. */
static void check_cut(const struct store_fixture *origin, struct image images[FILES], unsigned cut,
                      enum survival survival)
{
    struct store_fixture *f = store_fixture_new();
    bool acked[WORK_STEPS], begun[WORK_STEPS];
    char from[256], to[256];
    snprintf(from, sizeof(from), "%s/blobs", origin->folder);
    snprintf(to, sizeof(to), "%s/blobs", f->folder);
    assert_int_equal(symlink(from, to), 0);
    make_images(images, cut, survival);
    for (unsigned i = 0; i < FILES; i++) write_file(f->folder, names[i], &images[i]);
    for (unsigned n = 0; n < WORK_STEPS; n++) {
        acked[n] = tape.acked_at[n] && tape.acked_at[n] - 1 <= cut;
        begun[n] = tape.begun_at[n] && tape.begun_at[n] - 1 <= cut;
    }
    if (try_open(f) != CRIA_OK)
        fail_msg("cut %u, survival %d: %s", cut, (int)survival, f->call.error);
    assert_sound(f);
    work_check(f, acked, begun);
    store_fixture_free(f);
}

static void new_images(struct image images[FILES])
{
    for (unsigned i = 0; i < FILES; i++) {
        images[i] = (struct image){.bytes = calloc(1, FILE_BYTES)};
        assert_non_null(images[i].bytes);
    }
}

static void free_images(struct image images[FILES])
{
    for (unsigned i = 0; i < FILES; i++) free(images[i].bytes);
}

CRIA_TEST(answered_writes_survive_a_cut_at_any_moment)
{
    struct store_fixture *f = *state;
    struct image images[FILES];
    unsigned syncs = 0;
    if (!TEST_HAS_FAULTS) skip();
    new_images(images);
    record_run(f);
    for (unsigned n = 0; n < WORK_STEPS; n++)
        assert_int_equal(tape.acked_at[n] != 0, work_steps[n].kind != WORK_FAIL);
    for (unsigned i = 0; i < tape.count; i++) syncs += tape.events[i].deed == CRIA_SQLITE_SYNC;
    print_message("  %u moments, %u syncs\n", tape.count + 1, syncs);
    assert_in_range(tape.count, 100, MAX_EVENTS);
    assert_in_range(syncs, WORK_STEPS, tape.count);
    for (unsigned cut = 0; cut <= tape.count; cut++)
        for (enum survival s = NOTHING; s < SURVIVALS; s++) check_cut(f, images, cut, s);
    free_images(images);
    forget_tape();
}

/* A failed sync may drop what it was to write for good, whatever later syncs say. */
CRIA_TEST(answered_writes_survive_a_cut_after_any_failed_sync)
{
    bool fired = true;
    struct image images[FILES];
    (void)state;
    if (!TEST_HAS_FAULTS) skip();
    new_images(images);
    for (unsigned nth = 1; fired; nth++) {
        struct store_fixture *f = store_fixture_new();
        cria_fault_arm(CRIA_FAULT_STORE, nth);
        record_run(f);
        fired = cria_fault_fired();
        cria_fault_arm(CRIA_FAULT_STORE, 0);
        for (unsigned back = 0; back < 24 && back <= tape.count; back += 6)
            for (enum survival s = NOTHING; s <= SOME_A; s += SOME_A)
                check_cut(f, images, tape.count - back, s);
        forget_tape();
        store_fixture_free(f);
    }
    free_images(images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answered_writes_survive_a_cut_at_any_moment,
                                        store_setup_closed, store_teardown),
        cmocka_unit_test(answered_writes_survive_a_cut_after_any_failed_sync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
