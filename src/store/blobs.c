#include "store/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/map.h"
#include "platform/crypto.h"
#include "store/query.h"
#include "store/store_internal.h"

enum { STRAY_AGE_S = 3600, PATH_BYTES = CRIA_STORE_PATH + 256 };

/* A delete looks for rows and unlinks, a put sees the blob there and leaves it: one of the two at a
 * time. What was put and has no row yet is pinned: path -> how often. */
static pthread_mutex_t release_lock = PTHREAD_MUTEX_INITIALIZER;
static struct cria_map pins;
static atomic_bool is_held; /* a backup is being made: what is named now has to stay */

static bool pin(const char *path, int change)
{
    struct cria_str key = cria_str_from(path);
    intptr_t count = (intptr_t)cria_map_get(&pins, key) + change;
    if (count > 0) return cria_map_put(&pins, key, (void *)count);
    cria_map_remove(&pins, key);
    return true;
}

static bool is_plain(struct cria_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!((name.ptr[i] >= '0' && name.ptr[i] <= '9') ||
              (name.ptr[i] >= 'a' && name.ptr[i] <= 'z') || name.ptr[i] == '-'))
            return false;
    return name.len > 0;
}

/* Only names made by us become paths. */
static enum cria_status blob_path(struct cria_store *store, struct cria_call *call,
                                  struct cria_str project, const char *sha256, char out[PATH_BYTES])
{
    if (!is_plain(project) || project.len > 64 || strlen(sha256) != 64 ||
        !is_plain(cria_str_from(sha256)))
        return cria_fail(call, CRIA_E_INTERNAL, "No such blob name");
    snprintf(out, PATH_BYTES, "%s/blobs/%.*s/%.2s/%s", cria_store_folder(store),
             CRIA_STR_ARG(project), sha256, sha256);
    return CRIA_OK;
}

static enum cria_status io_failure(struct cria_call *call, const char *what)
{
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return cria_fail(call, CRIA_E_NO_SPACE, "The disk is full: the file was not stored");
    cria_log(CRIA_LOG_ERROR, "blob.failed", "what=%s why='%s'", what, strerror(errno));
    return cria_fail(call, CRIA_E_IO, "The file could not be stored");
}

static bool fails(void)
{
    if (!cria_fault_fires(CRIA_FAULT_FILE)) return false;
    errno = EIO;
    return true;
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && !fails() && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return good;
}

/* The folder of a blob. */
static bool sync_around(const char *blob)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(blob, '/') - blob), blob);
    return sync_folder(folder);
}

/* Makes blobs/<project>/<2 hex>; each level is synced into the one above, also when somebody else
 * made it, who may not have come so far. */
static bool make_folders(const char *blob)
{
    char path[PATH_BYTES], above[PATH_BYTES];
    size_t cuts[2] = {0};
    for (size_t i = 0, n = strlen(blob); i < n; i++)
        if (blob[i] == '/') cuts[0] = cuts[1], cuts[1] = i;
    for (int level = 0; level < 2; level++) {
        snprintf(path, sizeof(path), "%.*s", (int)cuts[level], blob);
        if (mkdir(path, 0700) != 0 && errno != EEXIST) return false;
        const char *slash = strrchr(path, '/');
        snprintf(above, sizeof(above), "%.*s", (int)(slash - path), path);
        if (!sync_folder(above)) return false;
    }
    return true;
}

static bool write_all(int fd, struct cria_str bytes)
{
    while (bytes.len) {
        if (fails()) return false;
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = cria_str_sub(bytes, (size_t)n, bytes.len);
    }
    return true;
}

/* Bytes in memory become a synced file in the spool folder. */
static enum cria_status spool_bytes(struct cria_store *store, struct cria_call *call,
                                    struct cria_str bytes, char path[PATH_BYTES])
{
    char id[CRIA_ID_SIZE];
    cria_id_new("blob-", id);
    snprintf(path, PATH_BYTES, "%s/%s", cria_blobs_spool_dir(store), id);
    int fd = fails() ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return io_failure(call, "open");
    bool good = write_all(fd, bytes) && !fails() && fdatasync(fd) == 0;
    enum cria_status st = good ? CRIA_OK : io_failure(call, "write");
    if (close(fd) != 0 && st == CRIA_OK) st = io_failure(call, "close");
    if (st != CRIA_OK) unlink(path);
    return st;
}

/* Renames into place; durable when the folder is synced. */
static enum cria_status move_in(struct cria_call *call, const char *from, const char *to)
{
    if (fails()) return io_failure(call, "rename");
    if (rename(from, to) != 0) {
        if (errno != ENOENT || !make_folders(to) || rename(from, to) != 0)
            return io_failure(call, "rename");
    }
    return sync_around(to) ? CRIA_OK : io_failure(call, "sync");
}

enum cria_status cria_blob_put(struct cria_store *store, struct cria_call *call,
                               struct cria_str project, const struct cria_blob_source *source,
                               bool *moved)
{
    char to[PATH_BYTES], from[PATH_BYTES];
    struct stat info;
    *moved = false;
    enum cria_status st = blob_path(store, call, project, source->sha256, to);
    if (st != CRIA_OK) return st;
    pthread_mutex_lock(&release_lock);
    bool is_there = stat(to, &info) == 0 && (uint64_t)info.st_size == source->size_bytes;
    bool is_pinned = pin(to, 1);
    pthread_mutex_unlock(&release_lock);
    if (!is_pinned) return cria_fail_memory(call);
    if (is_there) { /* moved in by somebody who may not have synced the folder yet, or not lived to
                     */
        st = sync_around(to) ? CRIA_OK : io_failure(call, "sync");
    } else if (source->spool_path) {
        st = !fails() && fdatasync(source->spool_fd) == 0 ? move_in(call, source->spool_path, to)
                                                          : io_failure(call, "sync");
        *moved = st == CRIA_OK;
    } else {
        st = spool_bytes(store, call, source->bytes, from);
        if (st == CRIA_OK) {
            st = move_in(call, from, to);
            if (st != CRIA_OK) unlink(from);
        }
    }
    if (st != CRIA_OK) cria_blob_unpin(store, call, project, source->sha256);
    return st;
}

void cria_blob_unpin(struct cria_store *store, struct cria_call *call, struct cria_str project,
                     const char *sha256)
{
    char path[PATH_BYTES];
    if (blob_path(store, call, project, sha256, path) != CRIA_OK) return;
    pthread_mutex_lock(&release_lock);
    if (!pin(path, -1)) cria_log(CRIA_LOG_ERROR, "blob.unpin", "why='out of memory'");
    pthread_mutex_unlock(&release_lock);
}

enum cria_status cria_blob_open(struct cria_store *store, struct cria_call *call,
                                struct cria_str project, const char *sha256, int *fd,
                                uint64_t *size_bytes)
{
    char path[PATH_BYTES];
    struct stat info;
    enum cria_status st = blob_path(store, call, project, sha256, path);
    if (st != CRIA_OK) return st;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 && errno == ENOENT)
        return cria_fail(call, CRIA_E_NOT_FOUND, "The file's bytes are gone");
    if (*fd < 0 || fstat(*fd, &info) != 0) {
        if (*fd >= 0) close(*fd);
        *fd = -1;
        return cria_fail(call, CRIA_E_IO, "The file's bytes cannot be read");
    }
    *size_bytes = (uint64_t)info.st_size;
    return CRIA_OK;
}

/* The lock only to begin: a delete may be about to unlink. Who ends it may be of a low priority and
 * be put aside with the lock. */
bool cria_blobs_hold(bool hold)
{
    if (!hold) return atomic_exchange(&is_held, false);
    pthread_mutex_lock(&release_lock);
    bool changed = !atomic_exchange(&is_held, true);
    pthread_mutex_unlock(&release_lock);
    return changed;
}

/* Whether a row names the blob. True when that cannot be told. */
static bool is_named(struct cria_store *store, struct cria_call *call, struct cria_str project,
                     struct cria_str sha256)
{
    struct cria_tx *tx = NULL;
    struct cria_query q;
    if (cria_store_read_begin(store, call, &tx) != CRIA_OK) return true;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT 1 FROM files WHERE project_id = ? AND sha256 = ? UNION ALL"
                 " SELECT 1 FROM attachments WHERE project_id = ? AND sha256 = ? LIMIT 1"));
    for (int i = 0; i < 2; i++) {
        cria_query_str(&q, project);
        cria_query_str(&q, sha256);
    }
    bool found = cria_query_next(&q);
    bool unsure = cria_query_close(&q) != CRIA_OK;
    cria_store_read_end(tx);
    return found || unsure;
}

static void remove_stray(struct cria_store *store, struct cria_call *call, struct cria_str project,
                         struct cria_str sha256, const char *path)
{
    pthread_mutex_lock(&release_lock);
    if (!is_held && !cria_map_get(&pins, cria_str_from(path)) &&
        !is_named(store, call, project, sha256))
        unlink(path);
    pthread_mutex_unlock(&release_lock);
}

void cria_blob_release(struct cria_store *store, struct cria_call *call, struct cria_str project,
                       const char *sha256)
{
    char path[PATH_BYTES];
    if (blob_path(store, call, project, sha256, path) != CRIA_OK) return;
    remove_stray(store, call, project, cria_str_from(sha256), path);
}

static void sweep_folder(struct cria_store *store, struct cria_call *call, const char *folder,
                         struct cria_str project)
{
    char path[PATH_BYTES];
    struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir)) != NULL) {
        struct cria_str name = cria_str_from(entry->d_name);
        if (name.len != 64 || !is_plain(name)) continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        remove_stray(store, call, project, name, path);
        cria_arena_reset(call->arena);
    }
    if (dir) closedir(dir);
}

static void sweep_project(struct cria_store *store, struct cria_call *call, const char *folder,
                          struct cria_str project)
{
    char path[PATH_BYTES];
    struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir)) != NULL) {
        if (strlen(entry->d_name) != 2 || entry->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        sweep_folder(store, call, path, project);
    }
    if (dir) closedir(dir);
}

void cria_blobs_sweep(struct cria_store *store, struct cria_call *call)
{
    char path[PATH_BYTES], folder[PATH_BYTES];
    struct dirent *entry;
    struct stat info;
    DIR *dir = opendir(cria_blobs_spool_dir(store));
    while (dir && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", cria_blobs_spool_dir(store), entry->d_name);
        if (entry->d_name[0] != '.' && stat(path, &info) == 0 &&
            info.st_mtime < time(NULL) - STRAY_AGE_S)
            unlink(path);
    }
    if (dir) closedir(dir);
    snprintf(folder, sizeof(folder), "%s/blobs", cria_store_folder(store));
    dir = opendir(folder);
    while (dir && (entry = readdir(dir)) != NULL) {
        char project[128];
        if (entry->d_name[0] == '.' ||
            !cria_str_copy_z(cria_str_from(entry->d_name), project, sizeof(project)))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, project);
        sweep_project(store, call, path, cria_str_from(project));
    }
    if (dir) closedir(dir);
}
