/* store.c - the writer thread with its group commit, the readers, the folder.
 * Room: store. Threads: one writer owns the writing connection; readers are lent out one thread at
 * a time. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "store/blobs.h"
#include "store/query.h"
#include "store/schema.h"
#include "store/store_internal.h"

enum { BATCH = 512, MAX_READERS = 64, WRITER_STACK = 1 << 20, SPACE_CHECK_MS = 500 };
/* So much more free space than there was at the least, and we believe that space has returned. */
static const uint64_t SPARE_BYTES = 512 << 10;

struct cria_store {
    struct cria_store_options options;
    const struct cria_driver *driver;
    char folder[CRIA_STORE_PATH], spool[CRIA_STORE_PATH];
    int lock_fd, ballast_fd;
    uint64_t least_bytes; /* of free space since the disk was full; writer thread */

    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of the queue and the figures */
    pthread_cond_t work;
    struct cria_write *first, **last;
    bool is_ending;
    struct cria_store_figures figures;
    struct cria_tx writer;
    uint64_t space_checked_ns;

    atomic_bool keeps_files;      /* wanted by a backup: any thread */
    bool is_keeping_files;        /* is so; writer thread */
    atomic_bool stops_copying;    /* any thread */
    atomic_uint copying;          /* threads of a backup: any thread */
    atomic_uint_fast64_t commits; /* any thread */

    pthread_mutex_t readers_lock;
    pthread_cond_t reader_freed;
    struct cria_tx *idle[MAX_READERS];
    unsigned idle_count, reader_count;
};

/* ---- the folder
 * ------------------------------------------------------------------------------------ */

static enum cria_status make_folder(struct cria_call *call, const char *path)
{
    struct stat info;
    if (mkdir(path, 0700) == 0) return CRIA_OK;
    if (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return CRIA_OK;
    return cria_fail(call, errno == ENOSPC ? CRIA_E_NO_SPACE : CRIA_E_IO,
                     "The folder %s cannot be made: %s", path,
                     strerror(errno == EEXIST ? ENOTDIR : errno));
}

static enum cria_status lock_folder(struct cria_store *store, struct cria_call *call)
{
    char path[CRIA_STORE_PATH + 16], text[32] = "";
    snprintf(path, sizeof(path), "%s/lock", store->folder);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0)
        return cria_fail(call, CRIA_E_IO, "The data folder cannot be locked: %s", strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = read(store->lock_fd, text, sizeof(text) - 1);
        struct cria_str pid = cria_str_trim(cria_str_make(text, n > 0 ? (size_t)n : 0));
        return cria_fail(call, CRIA_E_CONFLICT,
                         "Another server (process %.*s) has the data folder %s", CRIA_STR_ARG(pid),
                         store->folder);
    }
    int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(store->lock_fd, 0) != 0 || pwrite(store->lock_fd, text, (size_t)n, 0) != n)
        cria_log(CRIA_LOG_WARN, "store.lock", "why='the process id could not be noted'");
    return CRIA_OK;
}

static uint64_t free_bytes(const struct cria_store *store)
{
    struct statvfs info;
    return statvfs(store->folder, &info) == 0 ? (uint64_t)info.f_bavail * info.f_frsize : 0;
}

/* As much of it as leaves room to work with. */
static void make_ballast(struct cria_store *store)
{
    struct stat info;
    uint64_t bytes = store->options.ballast_bytes, room = free_bytes(store);
    if (store->ballast_fd < 0 || fstat(store->ballast_fd, &info) != 0) return;
    if ((uint64_t)info.st_size >= bytes) return;
    room = room > SPARE_BYTES / 2 ? room - SPARE_BYTES / 2 : 0;
    if (bytes > room) bytes = room;
    if (bytes && posix_fallocate(store->ballast_fd, 0, (off_t)bytes) == 0) return;
    if (ftruncate(store->ballast_fd, 0) != 0 || bytes)
        cria_log(CRIA_LOG_WARN, "store.ballast", "why='no room for it'");
}

static void give_ballast_back(struct cria_store *store)
{
    if (store->ballast_fd >= 0 && ftruncate(store->ballast_fd, 0) != 0)
        cria_log(CRIA_LOG_ERROR, "store.ballast", "why='it could not be given back'");
    store->least_bytes = free_bytes(store);
}

static enum cria_status open_folder(struct cria_store *store, struct cria_call *call)
{
    static const char *const folders[] = {"", "/blobs", "/spool"};
    char path[CRIA_STORE_PATH + 16];
    enum cria_status st = make_folder(call, store->options.folder);
    if (st != CRIA_OK) return st;
    char *absolute = realpath(store->options.folder, NULL);
    bool fits = absolute &&
                cria_str_copy_z(cria_str_from(absolute), store->folder, sizeof(store->folder) - 16);
    free(absolute);
    if (!fits)
        return cria_fail(call, CRIA_E_BAD_REQUEST, "The path of the data folder is too long");
    for (size_t i = 1; i < CRIA_COUNT(folders) && st == CRIA_OK; i++) {
        snprintf(path, sizeof(path), "%s%s", store->folder, folders[i]);
        st = make_folder(call, path);
    }
    if (st == CRIA_OK) st = lock_folder(store, call);
    if (st != CRIA_OK) return st;
    snprintf(store->spool, sizeof(store->spool), "%.*s/spool", (int)(CRIA_STORE_PATH - 8),
             store->folder);
    snprintf(path, sizeof(path), "%s/ballast", store->folder);
    store->ballast_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    make_ballast(store);
    return CRIA_OK;
}

/* ---- the writer
 * -------------------------------------------------------------------------------------- */

static void answer_on_loop(struct cria_task *task)
{
    struct cria_write *write = CRIA_CONTAINER(task, struct cria_write, task);
    write->done(write, write->status);
}

static void answer(struct cria_write *write)
{
    if (!write->loop) {
        write->done(write, write->status);
        return;
    }
    write->task.run = answer_on_loop;
    cria_loop_post(write->loop, &write->task);
}

static enum cria_status refuse_full(struct cria_call *call)
{
    return cria_fail(call, CRIA_E_NO_SPACE,
                     "The disk is full: nothing can be stored until space is made");
}

static enum cria_status refuse_broken(struct cria_call *call)
{
    return cria_fail_final(call, CRIA_E_UNAVAILABLE,
                           "The store stopped writing after a disk error");
}

static enum cria_status refuse(struct cria_store *store, struct cria_call *call,
                               enum cria_failure why)
{
    if (why == CRIA_FAILURE_FULL) return refuse_full(call);
    if (why == CRIA_FAILURE_MEMORY) return cria_fail_memory(call);
    if (!store->figures.is_writable) return refuse_broken(call);
    return cria_fail(call, CRIA_E_UNAVAILABLE, "The store could not take the write");
}

/* One function in its savepoint. False when the whole transaction is lost. */
static bool run_one(struct cria_store *store, struct cria_write *write)
{
    const struct cria_driver *driver = store->driver;
    struct cria_conn *conn = store->writer.conn;
    if (!driver->exec(conn, "SAVEPOINT op")) return false;
    write->status = write->fn(&store->writer, write->call, write->arg);
    if (write->status == CRIA_OK) return driver->exec(conn, "RELEASE op");
    if (!driver->in_transaction(conn)) return false; /* SQLite undid all of it by itself */
    return driver->exec(conn, "ROLLBACK TO op; RELEASE op");
}

static void note_failure(struct cria_store *store, enum cria_failure why)
{
    pthread_mutex_lock(&store->lock);
    if (why == CRIA_FAILURE_FULL) {
        store->figures.is_full = true;
    } else if (why == CRIA_FAILURE_FATAL || why == CRIA_FAILURE_CORRUPT) {
        store->figures.is_writable = false;
        store->figures.fsync_errors++;
    }
    pthread_mutex_unlock(&store->lock);
    cria_log(why == CRIA_FAILURE_FULL ? CRIA_LOG_ERROR : CRIA_LOG_FATAL, "store.commit", "why='%s'",
             store->driver->message(store->writer.conn));
    if (why != CRIA_FAILURE_FULL) return;
    give_ballast_back(store);
    cria_store_release_files(store); /* what fills the disk may be the log: deletes come first */
}

/* All writes of the batch in one transaction; every one has its status afterwards. */
static void commit_batch(struct cria_store *store, struct cria_write **batch, size_t count)
{
    const struct cria_driver *driver = store->driver;
    struct cria_conn *conn = store->writer.conn;
    bool good = driver->exec(conn, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < count && good; i++) good = run_one(store, batch[i]);
    good = good && driver->exec(conn, "COMMIT");
    if (good) {
        atomic_fetch_add(&store->commits, 1);
        pthread_mutex_lock(&store->lock);
        store->figures.writes += count;
        pthread_mutex_unlock(&store->lock);
        return;
    }
    enum cria_failure why = driver->failure(conn);
    note_failure(store, why);
    if (driver->in_transaction(conn)) driver->exec(conn, "ROLLBACK");
    for (size_t i = 0; i < count; i++) batch[i]->status = refuse(store, batch[i]->call, why);
}

/* While the disk is full only what frees space is tried; now and then we look whether there is room
 * again. */
static bool is_full(struct cria_store *store)
{
    uint64_t now = cria_now_ns(), room;
    pthread_mutex_lock(&store->lock);
    bool full = store->figures.is_full;
    pthread_mutex_unlock(&store->lock);
    if (!full || now - store->space_checked_ns < (uint64_t)SPACE_CHECK_MS * 1000000) return full;
    store->space_checked_ns = now;
    room = free_bytes(store);
    if (room < store->least_bytes) store->least_bytes = room;
    if (room < store->least_bytes + SPARE_BYTES) return true;
    make_ballast(store);
    cria_log(CRIA_LOG_INFO, "store.space", "why='there is room again'");
    pthread_mutex_lock(&store->lock);
    store->figures.is_full = false;
    pthread_mutex_unlock(&store->lock);
    return false;
}

static size_t keep_freeing(struct cria_write **batch, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!batch[i]->is_freeing) continue;
        struct cria_write *write = batch[i];
        batch[i] = batch[kept];
        batch[kept++] = write;
    }
    return kept;
}

/* A backup has let go of the files: the next commit may checkpoint again. */
static void settle_files(struct cria_store *store)
{
    if (!store->is_keeping_files || atomic_load(&store->keeps_files)) return;
    store->driver->release_files(store->writer.conn);
    store->is_keeping_files = false;
}

static void write_batch(struct cria_store *store, struct cria_write **batch, size_t count)
{
    settle_files(store);
    if (!store->figures.is_writable) { /* only this thread changes it */
        for (size_t i = 0; i < count; i++) batch[i]->status = refuse_broken(batch[i]->call);
        return;
    }
    if (is_full(store)) {
        size_t freeing = keep_freeing(batch, count);
        for (size_t i = freeing; i < count; i++) batch[i]->status = refuse_full(batch[i]->call);
        if (freeing) commit_batch(store, batch, freeing);
        return;
    }
    commit_batch(store, batch, count);
    if (is_full(store)) { /* it has just become full, and nothing of the batch was done: what frees
                             space gets its chance at once */
        size_t freeing = keep_freeing(batch, count);
        if (freeing) commit_batch(store, batch, freeing);
    }
}

static void *writer_thread(void *arg)
{
    struct cria_store *store = arg;
    struct cria_write *batch[BATCH];
    pthread_mutex_lock(&store->lock);
    for (;;) {
        size_t count = 0;
        while (!store->first && !store->is_ending) pthread_cond_wait(&store->work, &store->lock);
        if (!store->first) break;
        while (store->first && count < BATCH) {
            batch[count] = store->first;
            store->first = batch[count++]->next;
        }
        if (!store->first) store->last = &store->first;
        store->figures.queued -= count;
        pthread_mutex_unlock(&store->lock);
        write_batch(store, batch, count);
        for (size_t i = 0; i < count; i++) answer(batch[i]);
        pthread_mutex_lock(&store->lock);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

void cria_store_submit(struct cria_store *store, struct cria_write *write)
{
    write->next = NULL;
    pthread_mutex_lock(&store->lock);
    bool was_empty = store->first == NULL;
    *store->last = write;
    store->last = &write->next;
    store->figures.queued++;
    if (was_empty) pthread_cond_signal(&store->work);
    pthread_mutex_unlock(&store->lock);
}

struct waiter {
    struct cria_write write;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool is_done;
};

static void wake_waiter(struct cria_write *write, enum cria_status status)
{
    struct waiter *waiter = CRIA_CONTAINER(write, struct waiter, write);
    (void)status;
    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    pthread_cond_signal(&waiter->answered);
    pthread_mutex_unlock(&waiter->lock);
}

static enum cria_status write_and_wait(struct cria_store *store, struct cria_call *call,
                                       cria_write_fn *fn, void *arg, bool is_freeing)
{
    struct waiter waiter = {
        .write = {
            .fn = fn, .arg = arg, .call = call, .done = wake_waiter, .is_freeing = is_freeing}};
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.answered, NULL);
    cria_store_submit(store, &waiter.write);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.is_done) pthread_cond_wait(&waiter.answered, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_cond_destroy(&waiter.answered);
    pthread_mutex_destroy(&waiter.lock);
    return waiter.write.status;
}

enum cria_status cria_store_write(struct cria_store *store, struct cria_call *call,
                                  cria_write_fn *fn, void *arg)
{
    return write_and_wait(store, call, fn, arg, false);
}

enum cria_status cria_store_write_freeing(struct cria_store *store, struct cria_call *call,
                                          cria_write_fn *fn, void *arg)
{
    return write_and_wait(store, call, fn, arg, true);
}

/* ---- readers
 * ------------------------------------------------------------------------------------------- */

static enum cria_status borrow(struct cria_store *store, struct cria_call *call,
                               struct cria_tx **out)
{
    struct cria_tx *tx = NULL;
    pthread_mutex_lock(&store->readers_lock);
    while (!store->idle_count && store->reader_count == store->options.readers)
        pthread_cond_wait(&store->reader_freed, &store->readers_lock);
    if (store->idle_count)
        tx = store->idle[--store->idle_count];
    else
        store->reader_count++;
    pthread_mutex_unlock(&store->readers_lock);
    if (tx) {
        *out = tx;
        return CRIA_OK;
    }
    enum cria_status st;
    tx = calloc(1, sizeof(*tx));
    if (tx) {
        *tx = (struct cria_tx){.store = store, .driver = store->driver};
        st = store->driver->open(store->folder, false, 0, call, &tx->conn);
    } else {
        st = cria_fail_memory(call);
    }
    if (st == CRIA_OK) {
        *out = tx;
        return CRIA_OK;
    }
    free(tx);
    pthread_mutex_lock(&store->readers_lock);
    store->reader_count--;
    pthread_cond_signal(&store->reader_freed);
    pthread_mutex_unlock(&store->readers_lock);
    return st;
}

enum cria_status cria_store_read_begin(struct cria_store *store, struct cria_call *call,
                                       struct cria_tx **out)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = borrow(store, call, &tx);
    if (st != CRIA_OK) return st;
    if (!store->driver->exec(tx->conn, "BEGIN")) {
        cria_store_read_end(tx);
        return cria_fail(call, CRIA_E_UNAVAILABLE, "The store could not be read");
    }
    *out = tx;
    return CRIA_OK;
}

void cria_store_read_end(struct cria_tx *tx)
{
    if (!tx) return;
    struct cria_store *store = tx->store;
    if (store->driver->in_transaction(tx->conn)) store->driver->exec(tx->conn, "COMMIT");
    pthread_mutex_lock(&store->readers_lock);
    store->idle[store->idle_count++] = tx;
    pthread_cond_signal(&store->reader_freed);
    pthread_mutex_unlock(&store->readers_lock);
}

/* ---- life
 * ------------------------------------------------------------------------------------------------
 */

static enum cria_status start_writer(struct cria_store *store, struct cria_call *call)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WRITER_STACK);
    store->has_thread = pthread_create(&store->thread, &attributes, writer_thread, store) == 0;
    pthread_attr_destroy(&attributes);
    if (!store->has_thread)
        return cria_fail(call, CRIA_E_LIMIT, "The writer thread could not be started");
    return CRIA_OK;
}

static enum cria_status open_writer(struct cria_store *store, struct cria_call *call)
{
    const struct cria_driver *driver = store->driver;
    enum cria_status st =
        driver->open(store->folder, true, store->options.wal_max_pages, call, &store->writer.conn);
    if (st != CRIA_OK) return st;
    st = cria_schema_apply(driver, store->writer.conn, call);
    if (st == CRIA_OK) return CRIA_OK;
    driver->close(store->writer.conn);
    store->writer.conn = NULL;
    return st;
}

/* A full disk must not keep a server from starting: what is there can be read, and deleted. */
static enum cria_status open_writer_anyway(struct cria_store *store, struct cria_call *call)
{
    enum cria_status st = open_writer(store, call);
    if (st != CRIA_E_NO_SPACE) return st;
    give_ballast_back(store);
    store->figures.is_full = true;
    st = open_writer(store, call);
    if (st == CRIA_OK) {
        call->status = CRIA_OK;
        call->error[0] = '\0';
        cria_log(CRIA_LOG_ERROR, "store.open",
                 "why='the disk is full: only deletes will go through'");
    }
    return st;
}

enum cria_status cria_store_open(const struct cria_store_options *options, struct cria_call *call,
                                 struct cria_store **out)
{
    struct cria_store *store = calloc(1, sizeof(*store));
    if (!store) return cria_fail_memory(call);
    store->options = *options;
    if (!store->options.readers || store->options.readers > MAX_READERS) store->options.readers = 8;
    if (!store->options.wal_max_pages) store->options.wal_max_pages = 10000;
    if (!store->options.ballast_bytes) store->options.ballast_bytes = 16 << 20;
    store->driver = &cria_sqlite_driver;
    store->lock_fd = store->ballast_fd = -1;
    store->last = &store->first;
    store->figures.is_writable = true;
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->work, NULL);
    pthread_mutex_init(&store->readers_lock, NULL);
    pthread_cond_init(&store->reader_freed, NULL);
    store->writer = (struct cria_tx){.store = store, .driver = store->driver, .is_writer = true};
    enum cria_status st = open_folder(store, call);
    if (st == CRIA_OK) st = open_writer_anyway(store, call);
    if (st == CRIA_OK) st = start_writer(store, call);
    if (st != CRIA_OK) {
        cria_store_close(store);
        return st;
    }
    *out = store;
    return CRIA_OK;
}

void cria_store_close(struct cria_store *store)
{
    if (!store) return;
    cria_store_stop_copying(store);
    pthread_mutex_lock(&store->lock);
    store->is_ending = true;
    pthread_cond_signal(&store->work);
    pthread_mutex_unlock(&store->lock);
    if (store->has_thread) pthread_join(store->thread, NULL);
    while (store->idle_count) {
        struct cria_tx *tx = store->idle[--store->idle_count];
        store->driver->close(tx->conn);
        free(tx);
    }
    if (store->writer.conn)
        store->driver->close(store->writer.conn); /* checkpoints, being the last */
    if (store->ballast_fd >= 0) close(store->ballast_fd);
    if (store->lock_fd >= 0) close(store->lock_fd);
    pthread_cond_destroy(&store->reader_freed);
    pthread_mutex_destroy(&store->readers_lock);
    pthread_cond_destroy(&store->work);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

struct cria_store_figures cria_store_figures(struct cria_store *store)
{
    pthread_mutex_lock(&store->lock);
    struct cria_store_figures figures = store->figures;
    pthread_mutex_unlock(&store->lock);
    figures.commits = atomic_load(&store->commits);
    figures.wal_bytes = store->driver->wal_bytes(store->writer.conn);
    return figures;
}

uint64_t cria_store_commits(const struct cria_store *store)
{
    return atomic_load(&store->commits);
}

const char *cria_store_folder(const struct cria_store *store)
{
    return store->folder;
}

const char *cria_blobs_spool_dir(struct cria_store *store)
{
    return store->spool;
}

/* ---- secrets
 * -----------------------------------------------------------------------------------------------
 */

struct secret {
    struct cria_str name;
    unsigned char *out;
};

static enum cria_status secret_find(struct cria_tx *tx, struct cria_call *call,
                                    const struct secret *secret)
{
    struct cria_query q;
    struct cria_str text = {0}, bytes;
    cria_query_open(&q, tx, call, CRIA_STR("SELECT value FROM secrets WHERE name = ?"));
    cria_query_str(&q, secret->name);
    bool found = cria_query_next(&q);
    if (found) text = cria_query_get_str(&q);
    enum cria_status st = cria_query_found(&q, found);
    if (st != CRIA_OK) return st;
    if (!cria_base64url_decode(call->arena, text, &bytes) || bytes.len != CRIA_SECRET_BYTES)
        return cria_fail(call, CRIA_E_CORRUPT, "A stored secret is damaged");
    memcpy(secret->out, bytes.ptr, CRIA_SECRET_BYTES);
    return CRIA_OK;
}

static enum cria_status secret_make(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct secret *secret = arg;
    struct cria_query q;
    enum cria_status st = secret_find(tx, call, secret);
    if (st != CRIA_E_NOT_FOUND) return st;
    cria_random_bytes(secret->out, CRIA_SECRET_BYTES);
    struct cria_str text =
        cria_base64url(call->arena, cria_str_make((char *)secret->out, CRIA_SECRET_BYTES));
    if (!text.ptr) return cria_fail_memory(call);
    cria_query_open(&q, tx, call, CRIA_STR("INSERT INTO secrets(name, value) VALUES(?, ?)"));
    cria_query_str(&q, secret->name);
    cria_query_str(&q, text);
    return cria_query_run(&q);
}

enum cria_status cria_store_secret(struct cria_store *store, struct cria_call *call,
                                   const char *name, unsigned char out[32])
{
    struct secret secret = {cria_str_from(name), out};
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(store, call, &tx);
    if (st != CRIA_OK) return st;
    st = secret_find(tx, call, &secret);
    cria_store_read_end(tx);
    return st == CRIA_E_NOT_FOUND ? cria_store_write(store, call, secret_make, &secret) : st;
}

/* ---- copying the files
 * ------------------------------------------------------------------------------------------------
 */

static enum cria_status hold_files(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_database_file **files = arg;
    tx->store->is_keeping_files = true;
    atomic_store(&tx->store->keeps_files, true); /* here: a second run may follow a full disk */
    *files = tx->driver->hold_files(tx->conn);
    if (*files) return CRIA_OK;
    enum cria_failure why = tx->driver->failure(tx->conn);
    if (why == CRIA_FAILURE_FULL || why == CRIA_FAILURE_MEMORY) return refuse(tx->store, call, why);
    return cria_fail(call, CRIA_E_IO, "The database's files cannot be opened");
}

enum cria_status cria_store_hold_files(struct cria_store *store, struct cria_call *call,
                                       const struct cria_database_file **files)
{
    /* As if it freed space: on a full disk, too, a backup can be made. */
    enum cria_status st = cria_store_write_freeing(store, call, hold_files, files);
    if (st != CRIA_OK) cria_store_release_files(store);
    return st;
}

bool cria_store_holds_files(const struct cria_store *store)
{
    return atomic_load(&store->keeps_files);
}

void cria_store_release_files(struct cria_store *store)
{
    atomic_store(&store->keeps_files, false);
}

bool cria_store_copying_begin(struct cria_store *store)
{
    atomic_fetch_add(&store->copying, 1);
    if (!atomic_load(&store->stops_copying)) return true;
    atomic_fetch_sub(&store->copying, 1);
    return false;
}

bool cria_store_copying_stops(const struct cria_store *store)
{
    return atomic_load(&store->stops_copying);
}

void cria_store_copying_end(struct cria_store *store)
{
    atomic_fetch_sub(&store->copying, 1);
}

/* Looks again and again: the thread that it waits for has the lowest priority, and must not hold a
 * lock. */
void cria_store_stop_copying(struct cria_store *store)
{
    static const struct timespec pause = {.tv_nsec = 1000000};
    if (!store) return;
    atomic_store(&store->stops_copying, true);
    while (atomic_load(&store->copying)) nanosleep(&pause, NULL);
}
