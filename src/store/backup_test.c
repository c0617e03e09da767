/* A backup of a store that goes on working holds all that was acknowledged before it began; it
 * keeps checkpoints off only while it reads the database; whoever leaves, fails or stops, nothing
 * stays held; a damaged one is refused wherever the damage is. */
#include "store/backup.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "store/archive.h"
#include "store/blobs.h"
#include "store/query.h"
#include "store/transfer.h"
#include "tests/support/test_store.h"

#define PROJECT CRIA_STR("prj-1")
enum {
    WAL_PAGES = 40,
    ROW_BYTES = 3000,
    ROWS = 250, /* so that the database does not fit the backup's buffers */
    BLOB_BYTES = 70000,
    SEGMENT_BYTES = 1 << 20,
    BACKUP_MAX = 64 << 20
};

/* ---- what is kept */

static void open_store(struct store_fixture *f)
{
    const struct cria_store_options options = {
        .folder = f->folder, .readers = 4, .wal_max_pages = WAL_PAGES, .ballast_bytes = 4096};
    store_fixture_forget(f);
    if (cria_store_open(&options, &f->call, &f->store) != CRIA_OK) fail_msg("%s", f->call.error);
}

static enum cria_status add_row(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    static const char body[ROW_BYTES];
    const int *n = arg;
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO document_texts VALUES('prj-1', 'd' || ?, ?)"));
    cria_query_int(&q, *n);
    cria_query_blob(&q, cria_str_make(body, sizeof(body)));
    return cria_query_run(&q);
}

static enum cria_status put_row(struct store_fixture *f, int n)
{
    struct cria_arena arena;
    struct cria_call call;
    cria_arena_init(&arena, 1 << 20);
    cria_call_init(&call, &arena);
    enum cria_status st = cria_store_write(f->store, &call, add_row, &n);
    cria_arena_release(&arena);
    return st;
}

/* A blob and the row that names it. */
static enum cria_status add_file(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO files VALUES('prj-1', ?, 'n', NULL, NULL, NULL, NULL, ?,"
                             " ?, 1, 2, 0)"));
    cria_query_str(&q, cria_str_from(arg));
    cria_query_str(&q, cria_str_from(arg));
    cria_query_int(&q, BLOB_BYTES);
    return cria_query_run(&q);
}

static void put_blob(struct store_fixture *f, char letter)
{
    static char bytes[BLOB_BYTES];
    char sha256[CRIA_SHA256_HEX];
    bool moved;
    memset(bytes, letter, sizeof(bytes));
    cria_sha256_hex(cria_str_make(bytes, sizeof(bytes)), sha256);
    const struct cria_blob_source source = {
        .bytes = {bytes, sizeof(bytes)}, .size_bytes = sizeof(bytes), .sha256 = sha256};
    assert_int_equal(cria_blob_put(f->store, &f->call, PROJECT, &source, &moved), CRIA_OK);
    assert_int_equal(cria_store_write(f->store, &f->call, add_file, sha256), CRIA_OK);
    cria_blob_unpin(f->store, &f->call, PROJECT, sha256);
}

static void segment_path(const struct store_fixture *f, char out[400])
{
    snprintf(out, 400, "%s/segments/prj-1/idx-1/seg-1", f->folder);
}

static void put_segment(struct store_fixture *f)
{
    static const char *const folders[] = {"", "/prj-1", "/prj-1/idx-1"};
    char path[400];
    for (size_t i = 0; i < CRIA_COUNT(folders); i++) {
        snprintf(path, sizeof(path), "%s/segments%s", f->folder, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    segment_path(f, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < SEGMENT_BYTES; i++) fputc((int)(i / 7 % 251), file);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    struct store_fixture *f = *state = store_fixture_new();
    open_store(f);
    put_blob(f, 'a');
    put_blob(f, 'b');
    put_segment(f);
    for (int n = 0; n < ROWS; n++) assert_int_equal(put_row(f, n), CRIA_OK);
    return 0;
}

/* ---- who takes a backup */

struct taker {
    pthread_mutex_t lock;
    pthread_cond_t news;
    bool is_woken; /* under the lock */
    unsigned gone; /* under the lock */
    struct cria_backup *backup;
    struct cria_buf bytes;
};

static void wake(void *arg)
{
    struct taker *t = arg;
    pthread_mutex_lock(&t->lock);
    t->is_woken = true;
    pthread_cond_signal(&t->news);
    pthread_mutex_unlock(&t->lock);
}

static void gone(void *arg)
{
    struct taker *t = arg;
    pthread_mutex_lock(&t->lock);
    t->gone++;
    pthread_cond_signal(&t->news);
    pthread_mutex_unlock(&t->lock);
}

static enum cria_status taker_start(struct taker *t, struct store_fixture *f)
{
    *t = (struct taker){.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};
    const struct cria_backup_reader reader = {wake, gone, t};
    cria_buf_init(&t->bytes, BACKUP_MAX);
    return cria_backup_start(f->store, &f->call, &reader, &t->backup);
}

/* Until `bytes` have come, or the end. */
static enum cria_backup_pull taker_take(struct taker *t, size_t bytes, size_t room)
{
    enum cria_backup_pull pulled = CRIA_BACKUP_MORE;
    while (t->bytes.len < bytes && (pulled == CRIA_BACKUP_MORE || pulled == CRIA_BACKUP_WAIT)) {
        size_t before = t->bytes.len;
        pulled = cria_backup_pull(t->backup, &t->bytes, room);
        assert_in_range(t->bytes.len - before, 0, room);
        pthread_mutex_lock(&t->lock);
        while (pulled == CRIA_BACKUP_WAIT && !t->is_woken) pthread_cond_wait(&t->news, &t->lock);
        t->is_woken = false;
        pthread_mutex_unlock(&t->lock);
        if (pulled == CRIA_BACKUP_WAIT) pulled = CRIA_BACKUP_MORE;
    }
    return pulled;
}

/* Waits until the backup's thread has let go of everything. */
static void taker_close(struct taker *t)
{
    cria_backup_close(t->backup);
    pthread_mutex_lock(&t->lock);
    while (!t->gone) pthread_cond_wait(&t->news, &t->lock);
    assert_int_equal(t->gone, 1);
    pthread_mutex_unlock(&t->lock);
}

static struct taker taken(struct store_fixture *f)
{
    struct taker t;
    if (taker_start(&t, f) != CRIA_OK) fail_msg("%s", f->call.error);
    assert_int_equal(taker_take(&t, SIZE_MAX, 100000), CRIA_BACKUP_END);
    taker_close(&t);
    return t;
}

/* Into the folder "r" of g, which is emptied before. */
static enum cria_status restore(struct store_fixture *g, const char *bytes, size_t size)
{
    char path[400], folder[400];
    struct cria_restored restored;
    snprintf(path, sizeof(path), "%s/file.tar", g->folder);
    snprintf(folder, sizeof(folder), "%s/r", g->folder);
    if (access(folder, F_OK) == 0) test_remove_tree(folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    store_fixture_forget(g);
    return cria_backup_restore(&g->call, path, folder, &restored);
}

static void assert_whole(struct cria_tx *tx)
{
    struct cria_stmt *stmt = tx->driver->prepare(tx->conn, CRIA_STR("PRAGMA integrity_check"));
    assert_non_null(stmt);
    assert_int_equal(tx->driver->step(stmt), CRIA_STEP_ROW);
    assert_str_equal(tx->driver->column_str(stmt, 0), "ok");
    tx->driver->reset(stmt);
}

/* Opens what was restored: it has the rows below `rows`, and misses nothing. */
static void check_restored(struct store_fixture *g, int rows)
{
    char folder[400], log[420];
    struct cria_store *store = NULL;
    struct cria_tx *tx = NULL;
    struct cria_query q;
    int64_t least = 0;
    struct stat info;
    snprintf(folder, sizeof(folder), "%s/r", g->folder);
    const struct cria_store_options options = {.folder = folder, .ballast_bytes = 4096};
    if (cria_store_open(&options, &g->call, &store) != CRIA_OK) fail_msg("%s", g->call.error);
    if (cria_backup_verify(store, &g->call) != CRIA_OK) fail_msg("%s", g->call.error);
    assert_int_equal(cria_store_read_begin(store, &g->call, &tx), CRIA_OK);
    assert_whole(tx);
    cria_query_open(&q, tx, &g->call,
                    CRIA_STR("SELECT count(*) FROM document_texts"
                             " WHERE CAST(substr(document_id, 2) AS INT) < ?"));
    cria_query_int(&q, rows);
    assert_true(cria_query_next(&q));
    least = cria_query_get_int(&q);
    assert_int_equal(cria_query_close(&q), CRIA_OK);
    assert_int_equal(least, rows);
    cria_store_read_end(tx);
    cria_store_close(store);
    snprintf(log, sizeof(log), "%s/cria.db-wal", folder);
    assert_int_equal(stat(log, &info), -1); /* recovered, and gone with the last connection */
}

/* ---- a store that goes on */

enum { LOAD_ROWS = 1500 };
struct load {
    struct store_fixture *f;
    atomic_int acknowledged; /* rows below it are */
    int end;
};

static void *write_on(void *arg)
{
    struct load *load = arg;
    for (int n = load->acknowledged; n < load->end && put_row(load->f, n) == CRIA_OK; n++)
        atomic_store(&load->acknowledged, n + 1);
    return NULL;
}

CRIA_TEST(what_was_acknowledged_before_is_in_it)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    struct load load = {.f = f};
    atomic_init(&load.acknowledged, ROWS);
    for (size_t round = 0; round < 3; round++) { /* the last a slow one */
        struct taker t;
        pthread_t writer;
        load.end = atomic_load(&load.acknowledged) + LOAD_ROWS;
        assert_int_equal(pthread_create(&writer, NULL, write_on, &load), 0);
        while (atomic_load(&load.acknowledged) < load.end - LOAD_ROWS * 9 / 10) sched_yield();
        int before = atomic_load(&load.acknowledged);
        enum cria_status st = taker_start(&t, f);
        int during = atomic_load(&load.acknowledged);
        enum cria_backup_pull pulled =
            st == CRIA_OK ? taker_take(&t, SIZE_MAX, round == 2 ? 700 : 65536) : CRIA_BACKUP_FAIL;
        pthread_join(writer, NULL);
        assert_int_equal(pulled, CRIA_BACKUP_END);
        assert_int_equal(atomic_load(&load.acknowledged), load.end);
        assert_true(during < load.end);
        taker_close(&t);
        if (restore(g, t.bytes.ptr, t.bytes.len) != CRIA_OK) fail_msg("%s", g->call.error);
        check_restored(g, before);
        cria_buf_release(&t.bytes);
    }
    store_fixture_free(g);
}

static struct stat stat_of(const struct store_fixture *f, const char *name)
{
    char path[400];
    struct stat info;
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    assert_int_equal(stat(path, &info), 0);
    return info;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

CRIA_TEST(checkpoints_wait_only_while_the_database_is_read)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    struct taker t;
    int n = ROWS;
    assert_int_equal(taker_start(&t, f), CRIA_OK);
    assert_int_equal(taker_take(&t, 1, 1), CRIA_BACKUP_MORE);
    struct stat held = stat_of(f, "cria.db");
    for (; n < ROWS + 4 * WAL_PAGES; n++) assert_int_equal(put_row(f, n), CRIA_OK);
    struct stat later = stat_of(f, "cria.db");
    assert_true(is_same(&held, &later));
    assert_true(stat_of(f, "cria.db-wal").st_size > (off_t)4 * WAL_PAGES * 4096);
    /* Its reader is slow with the segment: by then they are made again. */
    size_t most = (size_t)(held.st_size + stat_of(f, "cria.db-wal").st_size);
    assert_int_equal(taker_take(&t, most + 3 * BLOB_BYTES, 4096), CRIA_BACKUP_MORE);
    assert_int_equal(put_row(f, n++), CRIA_OK);
    later = stat_of(f, "cria.db");
    assert_false(is_same(&held, &later));
    off_t log = stat_of(f, "cria.db-wal").st_size;
    for (int end = n + WAL_PAGES / 2; n < end; n++) assert_int_equal(put_row(f, n), CRIA_OK);
    assert_int_equal(stat_of(f, "cria.db-wal").st_size, log); /* it has begun anew */
    assert_int_equal(taker_take(&t, SIZE_MAX, 65536), CRIA_BACKUP_END);
    taker_close(&t);
    assert_int_equal(restore(g, t.bytes.ptr, t.bytes.len), CRIA_OK);
    check_restored(g, ROWS);
    cria_buf_release(&t.bytes);
    store_fixture_free(g);
}

/* ---- one at a time, and given up */

CRIA_TEST(one_at_a_time)
{
    struct store_fixture *f = *state;
    struct taker first, second;
    uint64_t size;
    int fd;
    assert_int_equal(taker_start(&first, f), CRIA_OK);
    assert_int_equal(taker_start(&second, f), CRIA_E_CONFLICT);
    assert_int_equal(cria_project_export(f->store, &f->call, PROJECT, &fd, &size), CRIA_E_CONFLICT);
    assert_int_equal(taker_take(&first, SIZE_MAX, 65536), CRIA_BACKUP_END);
    second = taken(f); /* at its end, before it is closed */
    taker_close(&first);
    cria_buf_release(&first.bytes);
    cria_buf_release(&second.bytes);
}

CRIA_TEST(one_that_is_given_up_holds_nothing)
{
    struct store_fixture *f = *state;
    for (size_t bytes = 0; bytes < 4000000; bytes = bytes * 2 + 1000) {
        struct taker t;
        assert_int_equal(taker_start(&t, f), CRIA_OK);
        taker_take(&t, bytes, 65536);
        taker_close(&t);
        assert_true(cria_blobs_hold(true));
        assert_true(cria_blobs_hold(false));
        cria_buf_release(&t.bytes);
    }
    struct stat before = stat_of(f, "cria.db");
    for (int n = ROWS; n < ROWS + WAL_PAGES; n++) assert_int_equal(put_row(f, n), CRIA_OK);
    struct stat after = stat_of(f, "cria.db");
    assert_false(is_same(&before, &after));
}

CRIA_TEST(a_store_that_closes_ends_it_first)
{
    struct store_fixture *f = *state;
    struct taker t, other;
    assert_int_equal(taker_start(&t, f), CRIA_OK);
    assert_int_equal(taker_take(&t, 1000, 1000), CRIA_BACKUP_MORE);
    cria_store_stop_copying(f->store);
    assert_int_equal(taker_take(&t, SIZE_MAX, 65536), CRIA_BACKUP_FAIL);
    assert_int_equal(taker_start(&other, f), CRIA_E_UNAVAILABLE);
    store_fixture_close(f);
    taker_close(&t);
    cria_buf_release(&t.bytes);
    open_store(f);
    t = taken(f);
    assert_int_equal(taker_start(&other, f), CRIA_OK);
    store_fixture_close(f); /* while it is read */
    taker_close(&other);
    cria_buf_release(&t.bytes);
    cria_buf_release(&other.bytes);
}

/* ---- what happens to files meanwhile */

static bool holds(const struct taker *t, const char *name)
{
    return t->bytes.len && memmem(t->bytes.ptr, t->bytes.len, name, strlen(name)) != NULL;
}

CRIA_TEST(a_segment_may_be_merged_away)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    char path[400];
    struct taker t;
    segment_path(f, path);
    assert_int_equal(taker_start(&t, f), CRIA_OK); /* does not get beyond the database */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(taker_take(&t, SIZE_MAX, 65536), CRIA_BACKUP_END);
    taker_close(&t);
    assert_false(holds(&t, "segments/"));
    assert_int_equal(restore(g, t.bytes.ptr, t.bytes.len), CRIA_OK);
    check_restored(g, ROWS);
    cria_buf_release(&t.bytes);
    store_fixture_free(g);
}

CRIA_TEST(a_file_that_becomes_shorter_ends_it)
{
    struct store_fixture *f = *state;
    char path[400];
    struct taker t;
    segment_path(f, path);
    assert_int_equal(taker_start(&t, f), CRIA_OK);
    while (!holds(&t, "segments/"))
        assert_int_equal(taker_take(&t, t.bytes.len + 1, 4096), CRIA_BACKUP_MORE);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(taker_take(&t, SIZE_MAX, 65536), CRIA_BACKUP_FAIL);
    taker_close(&t);
    cria_buf_release(&t.bytes);
}

CRIA_TEST(a_blob_that_is_deleted_stays_until_it_is_read)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    char sha256[CRIA_SHA256_HEX];
    static char bytes[BLOB_BYTES];
    struct taker t;
    memset(bytes, 'a', sizeof(bytes));
    cria_sha256_hex(cria_str_make(bytes, sizeof(bytes)), sha256);
    assert_int_equal(taker_start(&t, f), CRIA_OK);
    cria_blobs_sweep(f->store, &f->call);
    cria_blob_release(f->store, &f->call, PROJECT, sha256);
    assert_int_equal(taker_take(&t, SIZE_MAX, 65536), CRIA_BACKUP_END);
    taker_close(&t);
    assert_int_equal(restore(g, t.bytes.ptr, t.bytes.len), CRIA_OK);
    check_restored(g, ROWS);
    cria_buf_release(&t.bytes);
    store_fixture_free(g);
}

/* ---- damage */

/* The entries of an archive one after the other; NULL: no more. */
static const char *next_entry(struct taker *t, size_t *at, size_t *size)
{
    const char *head = t->bytes.ptr + *at;
    char digits[13] = "";
    if (!head[0]) return NULL;
    memcpy(digits, head + 124, 12);
    *size = strtoul(digits, NULL, 8);
    *at += CRIA_ARCHIVE_BLOCK +
           (*size + CRIA_ARCHIVE_BLOCK - 1) / CRIA_ARCHIVE_BLOCK * CRIA_ARCHIVE_BLOCK;
    return head;
}

static void assert_refused(struct store_fixture *g, const struct taker *t, size_t size,
                           const char *what)
{
    enum cria_status st = restore(g, t->bytes.ptr, size);
    if (st != CRIA_E_CORRUPT) fail_msg("%s at %zu: %s", what, size, cria_status_name(st));
}

CRIA_TEST(damage_anywhere_is_refused)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    struct taker t = taken(f);
    size_t at = 0, size, count = 0;
    const char *head;
    while ((head = next_entry(&t, &at, &size)) != NULL) {
        char *bytes = (char *)(uintptr_t)head;
        const size_t places[] = {0, 124, 148, 157 + 80, 512, 512 + size / 2, 512 + size - 1};
        count++;
        assert_true(size > 0);
        for (size_t i = 0; i < CRIA_COUNT(places); i++) {
            bytes[places[i]] ^= 1;
            assert_refused(g, &t, t.bytes.len, head);
            bytes[places[i]] ^= 1;
        }
    }
    assert_int_equal(count, 7); /* manifest, database, log, two blobs, segment, digests */
    assert_int_equal(restore(g, t.bytes.ptr, t.bytes.len), CRIA_OK);
    check_restored(g, ROWS);
    cria_buf_release(&t.bytes);
    store_fixture_free(g);
}

CRIA_TEST(a_cut_one_is_refused)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    struct taker t = taken(f);
    size_t step = t.bytes.len / 40, end = t.bytes.len - 2 * CRIA_ARCHIVE_BLOCK;
    for (size_t size = 0; size < end; size += step) assert_refused(g, &t, size, "cut");
    for (size_t size = end - 1600; size <= end; size += 100) assert_refused(g, &t, size, "cut");
    /* without its last entry, but with an end */
    memmove(t.bytes.ptr + end - 1024, t.bytes.ptr + end, 1024);
    assert_refused(g, &t, end, "no digests");
    assert_non_null(strstr(g->call.error, "too soon"));
    cria_buf_release(&t.bytes);
    store_fixture_free(g);
}

/* ---- files of before */

static void write_text(int fd, const char *name, const char *text)
{
    assert_true(cria_archive_write_head(fd, "", name, strlen(text)) &&
                cria_archive_write_bytes(fd, text, strlen(text)) &&
                cria_archive_write_padding(fd, strlen(text)));
}

static void hash_file(const char *path, char sha256[CRIA_SHA256_HEX])
{
    static char bytes[SEGMENT_BYTES * 3];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    assert_in_range(size, 1, sizeof(bytes) - 1);
    fclose(file);
    cria_sha256_hex(cria_str_make(bytes, size), sha256);
}

/* As cria-backup-1 was, of a store that is closed. */
static void write_old(const struct store_fixture *f, int fd, bool has_log)
{
    static const char end[2 * CRIA_ARCHIVE_BLOCK];
    char path[400], sha256[CRIA_SHA256_HEX], text[400];
    struct cria_sha256 segments;
    snprintf(path, sizeof(path), "%s/cria.db", f->folder);
    hash_file(path, sha256);
    snprintf(text, sizeof(text), "{\"format\":\"cria-backup-1\",\"database_sha256\":\"%s\"}",
             sha256);
    write_text(fd, "manifest.json", text);
    assert_true(cria_archive_add_file(fd, path, "", "cria.db"));
    if (has_log) write_text(fd, "cria.db-wal", "of nobody's");
    static char bytes[BLOB_BYTES];
    for (char letter = 'a'; letter <= 'b'; letter++) {
        char prefix[40];
        memset(bytes, letter, sizeof(bytes));
        cria_sha256_hex(cria_str_make(bytes, sizeof(bytes)), sha256);
        snprintf(prefix, sizeof(prefix), "blobs/prj-1/%.2s", sha256);
        snprintf(path, sizeof(path), "%s/%s/%s", f->folder, prefix, sha256);
        assert_true(cria_archive_add_file(fd, path, prefix, sha256));
    }
    segment_path(f, path);
    hash_file(path, sha256);
    assert_true(cria_archive_add_file(fd, path, "segments/prj-1/idx-1", "seg-1"));
    cria_sha256_init(&segments);
    cria_sha256_add(&segments, CRIA_STR("segments/prj-1/idx-1/seg-1"));
    cria_sha256_add(&segments, cria_str_from(sha256));
    cria_sha256_finish_hex(&segments, sha256);
    write_text(fd, "segments.sha256", sha256);
    assert_true(cria_archive_write_bytes(fd, end, sizeof(end)));
}

CRIA_TEST(files_of_before_are_good)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    char path[400], folder[400];
    struct cria_restored restored;
    store_fixture_close(f);
    snprintf(path, sizeof(path), "%s/old.tar", g->folder);
    snprintf(folder, sizeof(folder), "%s/r", g->folder);
    for (int has_log = 0; has_log < 2; has_log++) {
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        write_old(f, fd, has_log);
        close(fd);
        if (has_log) test_remove_tree(folder);
        store_fixture_forget(g);
        enum cria_status st = cria_backup_restore(&g->call, path, folder, &restored);
        assert_int_equal(st, has_log ? CRIA_E_CORRUPT : CRIA_OK);
        if (has_log) break; /* none had one, and nothing vouches for it */
        assert_int_equal(restored.blobs, 2);
        check_restored(g, ROWS);
    }
    store_fixture_free(g);
}

/* ---- failures */

/* Of the start, or of the stream; afterwards nothing is held. */
static bool fails_at(struct store_fixture *f, struct store_fixture *g, enum cria_fault_kind kind,
                     unsigned nth)
{
    struct taker t;
    store_fixture_forget(f);
    cria_fault_arm(kind, nth);
    enum cria_status st = taker_start(&t, f);
    enum cria_backup_pull pulled =
        st == CRIA_OK ? taker_take(&t, SIZE_MAX, 65536) : CRIA_BACKUP_FAIL;
    bool fired = cria_fault_fired();
    cria_fault_arm(kind, 0);
    if (st == CRIA_OK)
        taker_close(&t);
    else
        assert_true(strlen(f->call.error) > 0);
    assert_true(pulled == CRIA_BACKUP_END || fired);
    if (pulled == CRIA_BACKUP_END && !t.bytes.failed) {
        assert_int_equal(restore(g, t.bytes.ptr, t.bytes.len), CRIA_OK);
        if (!fired) check_restored(g, ROWS);
    }
    cria_buf_release(&t.bytes);
    assert_true(cria_blobs_hold(true));
    assert_true(cria_blobs_hold(false));
    if (!cria_store_figures(f->store).is_writable) { /* the failure hit the store itself */
        store_fixture_close(f);
        open_store(f);
    }
    return fired;
}

CRIA_TEST(any_operation_may_fail)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    if (!TEST_HAS_FAULTS) skip();
    for (size_t kind = 0; kind < 3; kind++) {
        static const enum cria_fault_kind kinds[] = {CRIA_FAULT_FILE, CRIA_FAULT_STORE,
                                                     CRIA_FAULT_ALLOC};
        unsigned nth = 1;
        while (fails_at(f, g, kinds[kind], nth)) nth++;
        print_message("  %u failures\n", nth - 1);
        assert_in_range(nth, kinds[kind] == CRIA_FAULT_FILE ? 50 : 2, 1000);
    }
    store_fixture_free(g);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_was_acknowledged_before_is_in_it),
        CASE(checkpoints_wait_only_while_the_database_is_read),
        CASE(one_at_a_time),
        CASE(one_that_is_given_up_holds_nothing),
        CASE(a_store_that_closes_ends_it_first),
        CASE(a_segment_may_be_merged_away),
        CASE(a_file_that_becomes_shorter_ends_it),
        CASE(a_blob_that_is_deleted_stays_until_it_is_read),
        CASE(damage_anywhere_is_refused),
        CASE(a_cut_one_is_refused),
        CASE(files_of_before_are_good),
        CASE(any_operation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
