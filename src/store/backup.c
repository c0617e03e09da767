/* backup.c - reads the data folder of a store that goes on working, as a tar archive that somebody
 * pulls. Room: store. Threads: one of its own fills two buffers in turn, the puller's empties them;
 * each buffer belongs to one of the two, as its `is_full` says. There is no lock: the thread has
 * the lowest priority and may be put aside anywhere, and nobody may have to wait for it then. For
 * the same reason it looks for a free buffer now and then instead of being told. */
#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/time.h"
#include "platform/clock.h"
#include "platform/thread.h"
#include "store/archive.h"
#include "store/backup_format.h"
#include "store/blobs.h"
#include "store/driver.h"
#include "store/store_internal.h"
#include "store/transfer.h"

enum {
    BUFFERS = 2,
    BUFFER_BYTES = 1 << 18,
    PATH_BYTES = CRIA_STORE_PATH + 256,
    MANIFEST_MAX = 4096,
    STACK_BYTES = 1 << 19,
    LOOK_NS = 1000000 /* how long it sleeps before it looks again */
};

/* The pace: after each piece it rests so many times as long as the work on it took. While others
 * write, their processor is left to them even where priorities are not heeded: a backup of all that
 * it does, here, on the loop, in the system and in a client beside the server, then takes a few
 * parts in a hundred of one core. Time that passed because others were served counts as work:
 * under load the rests grow. PIECE_MIN_NS is what a piece costs at least, so it sets the highest
 * speeds, PIECE_BYTES / (PIECE_MIN_NS * (1 + rests)): 40 MB/s among writers, else 320. */
enum {
    PIECE_BYTES = 1 << 16,
    PIECE_MIN_NS = 100000,
    RESTS_BUSY = 15,
    RESTS_QUIET = 1,
    REST_MAX_NS = 100000000,
    BUSY_NS = 100000000 /* so long after a commit another one is expected */
};

struct buffer {
    atomic_bool is_full; /* so it is the puller's */
    size_t len;
    char bytes[BUFFER_BYTES];
};

struct cria_backup {
    struct cria_store *store;
    struct cria_backup_reader reader;
    const struct cria_database_file *files;
    atomic_uint refs;         /* the puller's and the thread's */
    atomic_bool is_cancelled; /* set by the puller */
    atomic_int outcome;       /* an enum cria_backup_pull; CRIA_BACKUP_WAIT: not known yet */
    size_t pulling, pulled;   /* the puller's: which buffer, how much of it */
    size_t filling;           /* from here on the thread's: which buffer */
    uint64_t since_ns;        /* when it last rested or waited */
    size_t unrested;          /* bytes since it last rested */
    uint64_t commits;         /* of the store, when it last looked */
    uint64_t busy_until_ns;
    size_t root; /* length of the data folder's path with its slash */
    struct cria_backup_digest digest;
    XXH3_state_t *hash; /* of the file at hand */
    const char *failed; /* what could not be done; errno says why */
    struct buffer buffers[BUFFERS];
};

static void unref(struct cria_backup *b)
{
    if (atomic_fetch_sub(&b->refs, 1) != 1) return;
    b->reader.gone(b->reader.arg);
    XXH3_freeState(b->hash);
    free(b);
}

static bool is_stopped(const struct cria_backup *b)
{
    return atomic_load(&b->is_cancelled) || cria_store_copying_stops(b->store);
}

/* ---- handing over */

static void hand_over(struct cria_backup *b)
{
    atomic_store(&b->buffers[b->filling].is_full, true);
    b->filling = (b->filling + 1) % BUFFERS;
    b->reader.wake(b->reader.arg);
}

/* Where the next bytes go, and how many may; NULL: it has to stop. */
static char *space(struct cria_backup *b, size_t *room)
{
    static const struct timespec pause = {.tv_nsec = LOOK_NS};
    struct buffer *buffer = &b->buffers[b->filling];
    bool has_waited = false;
    while (atomic_load(&buffer->is_full) && !is_stopped(b)) {
        nanosleep(&pause, NULL);
        has_waited = true;
    }
    if (has_waited) b->since_ns = cria_now_ns();
    if (is_stopped(b)) return NULL;
    *room = BUFFER_BYTES - buffer->len;
    return buffer->bytes + buffer->len;
}

static void filled(struct cria_backup *b, size_t size)
{
    struct buffer *buffer = &b->buffers[b->filling];
    buffer->len += size;
    b->unrested += size;
    if (buffer->len == BUFFER_BYTES) hand_over(b);
}

static bool put(struct cria_backup *b, const void *bytes, size_t size)
{
    for (size_t at = 0, room; at < size;) {
        char *to = space(b, &room);
        if (!to) return false;
        size_t n = size - at < room ? size - at : room;
        memcpy(to, (const char *)bytes + at, n);
        filled(b, n);
        at += n;
    }
    return true;
}

enum cria_backup_pull cria_backup_pull(struct cria_backup *b, struct cria_buf *out, size_t room)
{
    /* Before the buffer: what was filled before the outcome was known has to be seen. */
    int outcome = atomic_load(&b->outcome);
    struct buffer *buffer = &b->buffers[b->pulling];
    if (outcome == CRIA_BACKUP_FAIL) return CRIA_BACKUP_FAIL;
    if (!atomic_load(&buffer->is_full)) return (enum cria_backup_pull)outcome;
    size_t left = buffer->len - b->pulled, n = left < room ? left : room;
    cria_buf_add(out, cria_str_make(buffer->bytes + b->pulled, n));
    b->pulled += n;
    if (n < left) return CRIA_BACKUP_MORE;
    b->pulled = buffer->len = 0;
    b->pulling = (b->pulling + 1) % BUFFERS;
    atomic_store(&buffer->is_full, false);
    return CRIA_BACKUP_MORE;
}

void cria_backup_close(struct cria_backup *b)
{
    if (!b) return;
    atomic_store(&b->is_cancelled, true);
    unref(b);
}

/* ---- reading */

static uint64_t rests(struct cria_backup *b, uint64_t now_ns)
{
    uint64_t commits = cria_store_commits(b->store);
    if (commits != b->commits) b->busy_until_ns = now_ns + BUSY_NS;
    b->commits = commits;
    return now_ns < b->busy_until_ns ? RESTS_BUSY : RESTS_QUIET;
}

/* In slices, so that it is cut short when there is nothing to be done any more. */
static void rest(struct cria_backup *b)
{
    if (b->unrested < PIECE_BYTES) return;
    uint64_t now_ns = cria_now_ns(), times = rests(b, now_ns), left = now_ns - b->since_ns;
    if (left < PIECE_MIN_NS) left = PIECE_MIN_NS;
    left = left > REST_MAX_NS / times ? REST_MAX_NS : left * times;
    while (left && !is_stopped(b)) {
        uint64_t slice = left < LOOK_NS ? left : LOOK_NS;
        const struct timespec pause = {.tv_nsec = (long)slice};
        nanosleep(&pause, NULL);
        left -= slice;
    }
    b->unrested = 0;
    b->since_ns = cria_now_ns();
}

/* What failed; errno says why, 0 that the bytes ended too early. */
static bool fail(struct cria_backup *b, const char *what)
{
    if (!b->failed) b->failed = what;
    return false;
}

static bool is_faulty(void)
{
    if (!cria_fault_fires(CRIA_FAULT_FILE)) return false;
    errno = EIO;
    return true;
}

static bool copy(struct cria_backup *b, int fd, uint64_t size, bool hashes)
{
    for (uint64_t at = 0; at < size;) {
        size_t room;
        char *to = space(b, &room);
        if (!to) return false;
        if (room > PIECE_BYTES) room = PIECE_BYTES;
        if (room > size - at) room = (size_t)(size - at);
        errno = 0;
        ssize_t n = is_faulty() ? -1 : pread(fd, to, room, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail(b, "read");
        if (hashes) XXH3_128bits_update(b->hash, to, (size_t)n);
        filled(b, (size_t)n);
        at += (uint64_t)n;
        rest(b);
    }
    return true;
}

static bool put_head(struct cria_backup *b, const char *prefix, const char *name, uint64_t size)
{
    char head[CRIA_ARCHIVE_BLOCK];
    cria_archive_make_head(head, prefix, name, size);
    return put(b, head, sizeof(head));
}

static bool put_padding(struct cria_backup *b, uint64_t size)
{
    static const char zeros[CRIA_ARCHIVE_BLOCK];
    return put(b, zeros, cria_archive_padding(size));
}

/* The first bytes of an open file, under the name prefix/name. is_named: by its digest, which its
 * reader will look at. */
static bool put_file(struct cria_backup *b, int fd, uint64_t size, const char *prefix,
                     const char *name, bool is_named)
{
    char path[PATH_BYTES];
    XXH3_128bits_reset(b->hash);
    if (!put_head(b, prefix, name, size) || !copy(b, fd, size, !is_named) || !put_padding(b, size))
        return false;
    if (is_named) return true;
    snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] ? "/" : "", name);
    cria_backup_digest_add(&b->digest, path, XXH3_128bits_digest(b->hash));
    return true;
}

static bool put_text(struct cria_backup *b, const char *name, struct cria_str text)
{
    return put_head(b, "", name, text.len) && put(b, text.ptr, text.len) &&
           put_padding(b, text.len);
}

/* ---- what is read */

static bool put_manifest(struct cria_backup *b)
{
    char time[CRIA_TIME_SIZE];
    struct cria_buf buf;
    cria_buf_init(&buf, MANIFEST_MAX);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "format", CRIA_BACKUP_FORMAT);
    cria_out_member_str(&out, "created_at", cria_time_format(cria_wall_us(), time));
    cria_out_end(&out);
    if (!buf.failed)
        cria_backup_digest_add(&b->digest, CRIA_BACKUP_MANIFEST, XXH3_128bits(buf.ptr, buf.len));
    bool good =
        buf.failed ? fail(b, "memory") : put_text(b, CRIA_BACKUP_MANIFEST, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return good;
}

/* From the end of the last file on the database may change again. */
static bool put_database(struct cria_backup *b)
{
    for (const struct cria_database_file *file = b->files; file->name; file++) {
        uint64_t size = is_faulty() ? 0 : file->size(file->fd);
        if (!size) return fail(b, "size");
        if (!put_file(b, file->fd, size, "", file->name, false)) return false;
    }
    bool held = cria_store_holds_files(b->store);
    cria_store_release_files(b->store);
    if (held) return true;
    errno = ENOSPC; /* which is why the store ended it */
    return fail(b, "hold");
}

/* Calls fn for each entry of a folder that is no dot file. */
static bool each_name(struct cria_backup *b, const char *folder,
                      bool (*fn)(struct cria_backup *b, const char *folder, const char *name))
{
    bool good = true;
    DIR *dir = is_faulty() ? NULL : opendir(folder);
    if (!dir) return errno == ENOENT || fail(b, "open folder");
    while (good) {
        errno = 0; /* tells the end from a failure */
        const struct dirent *entry = readdir(dir);
        if (!entry && errno) good = fail(b, "read folder");
        if (!entry) break;
        if (entry->d_name[0] != '.') good = fn(b, folder, entry->d_name);
    }
    int why = errno;
    closedir(dir);
    errno = why;
    return good;
}

/* Blobs stay while they are held. A search file never changes, but may be merged away meanwhile;
 * what is not there is made again from the texts. */
static bool add_file(struct cria_backup *b, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    bool is_blob = cria_archive_is_blob(path + b->root);
    if (!is_blob && !cria_archive_is_segment(path + b->root)) return true;
    int fd = is_faulty() ? -1 : open(path, O_RDONLY | O_CLOEXEC); /* keeps the bytes, too */
    if (fd < 0) return (errno == ENOENT && !is_blob) || fail(b, "open");
    struct stat info;
    bool good = !is_faulty() && fstat(fd, &info) == 0
                    ? put_file(b, fd, (uint64_t)info.st_size, folder + b->root, name, is_blob)
                    : fail(b, "size");
    int why = errno;
    close(fd);
    errno = why;
    return good;
}

static bool add_group(struct cria_backup *b, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return each_name(b, path, add_file);
}

static bool add_project(struct cria_backup *b, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return each_name(b, path, add_group);
}

static bool put_folder(struct cria_backup *b, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", cria_store_folder(b->store), name);
    return each_name(b, path, add_project);
}

static bool put_all(struct cria_backup *b)
{
    static const char end[2 * CRIA_ARCHIVE_BLOCK];
    char digest[CRIA_BACKUP_DIGEST_HEX];
    /* The blobs behind the database: those that its rows name are there by then. */
    if (!put_manifest(b) || !put_database(b) || !put_folder(b, "blobs") ||
        !put_folder(b, "segments"))
        return false;
    cria_backup_digest_hex(&b->digest, digest);
    if (!put_text(b, CRIA_BACKUP_DIGESTS, cria_str_from(digest)) || !put(b, end, sizeof(end)))
        return false;
    if (b->buffers[b->filling].len) hand_over(b);
    return true;
}

/* ---- its life */

static void *copy_thread(void *arg)
{
    struct cria_backup *b = arg;
    struct cria_store *store = b->store;
    cria_thread_in_background();
    b->since_ns = cria_now_ns();
    bool good = put_all(b);
    if (!good && !is_stopped(b))
        cria_log(CRIA_LOG_ERROR, "backup.failed", "what='%s' why='%s'", b->failed,
                 errno ? strerror(errno) : "the bytes ended too early");
    cria_store_release_files(store);
    cria_blobs_hold(false);
    atomic_store(&b->outcome, good ? CRIA_BACKUP_END : CRIA_BACKUP_FAIL);
    b->reader.wake(b->reader.arg);
    unref(b);
    cria_store_copying_end(store);
    return NULL;
}

static bool start_thread(struct cria_backup *b)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool good = pthread_create(&thread, &attributes, copy_thread, b) == 0;
    pthread_attr_destroy(&attributes);
    return good;
}

/* Within cria_store_copying_begin and cria_blobs_hold, which a failure leaves to the caller. */
static enum cria_status start(struct cria_store *store, struct cria_call *call,
                              const struct cria_backup_reader *reader, struct cria_backup **out)
{
    struct cria_backup *b = cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : malloc(sizeof(*b));
    if (!b) return cria_fail_memory(call);
    memset(b, 0, offsetof(struct cria_backup, buffers));
    b->hash = XXH3_createState();
    if (!b->hash) {
        free(b);
        return cria_fail_memory(call);
    }
    for (size_t i = 0; i < BUFFERS; i++) {
        atomic_init(&b->buffers[i].is_full, false);
        b->buffers[i].len = 0;
    }
    b->store = store;
    b->reader = *reader;
    b->root = strlen(cria_store_folder(store)) + 1;
    atomic_init(&b->refs, 2);
    atomic_init(&b->outcome, CRIA_BACKUP_WAIT);
    enum cria_status st = cria_store_hold_files(store, call, &b->files);
    if (st == CRIA_OK && !start_thread(b)) {
        cria_store_release_files(store);
        st = cria_fail(call, CRIA_E_LIMIT, "The thread of the backup could not be started");
    }
    if (st == CRIA_OK) {
        *out = b;
    } else {
        XXH3_freeState(b->hash);
        free(b);
    }
    return st;
}

enum cria_status cria_backup_start(struct cria_store *store, struct cria_call *call,
                                   const struct cria_backup_reader *reader,
                                   struct cria_backup **out)
{
    if (!cria_blobs_hold(true)) return cria_transfer_busy(call);
    enum cria_status st = CRIA_E_UNAVAILABLE;
    if (cria_store_copying_begin(store)) {
        st = start(store, call, reader, out);
        if (st == CRIA_OK) return CRIA_OK;
        cria_store_copying_end(store);
    } else {
        cria_fail(call, st, "The server is stopping");
    }
    cria_blobs_hold(false);
    return st;
}
