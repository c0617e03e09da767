#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/time.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "store/archive.h"
#include "store/blobs.h"
#include "store/driver.h"
#include "store/query.h"
#include "store/store_internal.h"

enum {
    BLOCK = CRIA_ARCHIVE_BLOCK,
    PIECE = 1 << 16,
    PATH_BYTES = CRIA_STORE_PATH + 256,
    MANIFEST_MAX = 4096
};

/* ---- writing */

static bool hash_file(const char *path, char out[CRIA_SHA256_HEX], uint64_t *size)
{
    char piece[PIECE];
    struct cria_archive_pace pace = {0};
    struct cria_sha256 hash;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    cria_sha256_init(&hash);
    *size = 0;
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        cria_sha256_add(&hash, cria_str_make(piece, (size_t)n));
        *size += (uint64_t)n;
        cria_archive_rest(&pace, (size_t)n);
    }
    close(fd);
    cria_sha256_finish_hex(&hash, out);
    return n == 0;
}

static bool add_manifest(int to, const char *sha256)
{
    char time[CRIA_TIME_SIZE];
    struct cria_buf buf;
    cria_buf_init(&buf, MANIFEST_MAX);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "format", "cria-backup-1");
    cria_out_member_str(&out, "created_at", cria_time_format(cria_wall_us(), time));
    cria_out_member_z(&out, "database_sha256", sha256);
    cria_out_end(&out);
    bool good = !buf.failed && cria_archive_write_head(to, "", "manifest.json", buf.len) &&
                cria_archive_write_bytes(to, buf.ptr, buf.len) &&
                cria_archive_write_padding(to, buf.len);
    cria_buf_release(&buf);
    return good;
}

/* Calls fn for each entry of a folder that is no dot file. */
static bool each_name(const char *folder,
                      bool (*fn)(void *arg, const char *folder, const char *name), void *arg)
{
    struct dirent *entry;
    bool good = true;
    DIR *dir = opendir(folder);
    if (!dir) return errno == ENOENT;
    while (good && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.') good = fn(arg, folder, entry->d_name);
    closedir(dir);
    return good;
}

struct walk {
    int to;
    size_t root; /* length of the data folder's path with its slash */
};

static bool add_file(void *arg, const char *folder, const char *name)
{
    const struct walk *walk = arg;
    char path[PATH_BYTES], entry[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    snprintf(entry, sizeof(entry), "%s", path + walk->root);
    if (cria_archive_is_blob(entry))
        return cria_archive_add_file(walk->to, path, folder + walk->root, name);
    /* Search files never change, but may be merged away meanwhile; what is not there is made again
     * from the texts. */
    return !cria_archive_is_segment(entry) || access(path, R_OK) != 0 ||
           cria_archive_add_file(walk->to, path, folder + walk->root, name) || errno == ENOENT;
}

static bool add_group(void *arg, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return each_name(path, add_file, arg);
}

static bool add_project(void *arg, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return each_name(path, add_group, arg);
}

static bool add_all(struct cria_store *store, int to, const char *database)
{
    static const char end[2 * BLOCK];
    char sha256[CRIA_SHA256_HEX], blobs[PATH_BYTES], segments[PATH_BYTES];
    uint64_t size;
    const char *folder = cria_store_folder(store);
    struct walk walk = {to, strlen(folder) + 1};
    snprintf(blobs, sizeof(blobs), "%s/blobs", folder);
    snprintf(segments, sizeof(segments), "%s/segments", folder);
    return hash_file(database, sha256, &size) && add_manifest(to, sha256) &&
           cria_archive_add_file(to, database, "", "cria.db") &&
           each_name(blobs, add_project, &walk) && each_name(segments, add_project, &walk) &&
           cria_archive_write_bytes(to, end, sizeof(end));
}

enum cria_status cria_backup_make(struct cria_store *store, struct cria_call *call, int *fd,
                                  uint64_t *size_bytes)
{
    char id[CRIA_ID_SIZE], database[PATH_BYTES], archive[PATH_BYTES];
    struct stat info;
    if (!cria_blobs_hold(true))
        return cria_fail(call, CRIA_E_CONFLICT, "A backup, an export or an import is going on");
    cria_id_new("backup-", id);
    snprintf(database, sizeof(database), "%s/%s.db", cria_blobs_spool_dir(store), id);
    snprintf(archive, sizeof(archive), "%s/%s.tar", cria_blobs_spool_dir(store), id);
    enum cria_status st = cria_store_snapshot(store, call, database);
    int to = st == CRIA_OK ? open(archive, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (st == CRIA_OK && to < 0) st = cria_archive_fail(call, "The backup cannot be written");
    if (st == CRIA_OK && (!add_all(store, to, database) || fstat(to, &info) != 0))
        st = cria_archive_fail(call, "The backup cannot be written");
    cria_blobs_hold(false);
    unlink(database);
    if (to >= 0) unlink(archive);
    if (st == CRIA_OK && lseek(to, 0, SEEK_SET) != 0)
        st = cria_archive_fail(call, "The backup cannot be read");
    if (st != CRIA_OK) {
        if (to >= 0) close(to);
        return st;
    }
    *fd = to;
    *size_bytes = (uint64_t)info.st_size;
    return CRIA_OK;
}

/* ---- restoring */

static bool make_folders(const char *folder, char *path)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return false;
    for (char *c = path + strlen(folder) + 1; *c; c++) {
        if (*c != '/') continue;
        *c = '\0';
        bool good = mkdir(path, 0700) == 0 || errno == EEXIST;
        *c = '/';
        if (!good) return false;
    }
    return true;
}

/* Copies an entry to its place; its digest in sha256. */
static enum cria_status take_entry(struct cria_call *call, int fd, const char *folder,
                                   const struct cria_archive_entry *entry,
                                   char sha256[CRIA_SHA256_HEX], struct cria_buf *manifest)
{
    char path[PATH_BYTES], piece[PIECE];
    struct cria_sha256 hash;
    uint64_t left = (entry->size + BLOCK - 1) / BLOCK * BLOCK, own = entry->size;
    bool is_manifest = strcmp(entry->path, "manifest.json") == 0;
    snprintf(path, sizeof(path), "%s/%s", folder, entry->path);
    int to = -1;
    if (!is_manifest) {
        if (!make_folders(folder, path)) return cria_archive_fail(call, path);
        to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (to < 0) return cria_archive_fail(call, path);
    }
    enum cria_status st = CRIA_OK;
    cria_sha256_init(&hash);
    while (left && st == CRIA_OK) {
        size_t want = left < sizeof(piece) ? (size_t)left : sizeof(piece);
        if (!cria_archive_read_bytes(fd, piece, want)) {
            st = cria_archive_damaged(call, "it ends too soon");
            break;
        }
        size_t mine = own < want ? (size_t)own : want;
        cria_sha256_add(&hash, cria_str_make(piece, mine));
        if (is_manifest) cria_buf_add(manifest, cria_str_make(piece, mine));
        if (to >= 0 && !cria_archive_write_bytes(to, piece, mine))
            st = cria_archive_fail(call, path);
        own -= mine;
        left -= want;
    }
    cria_sha256_finish_hex(&hash, sha256);
    if (to >= 0 && st == CRIA_OK && fsync(to) != 0) st = cria_archive_fail(call, path);
    if (to >= 0) close(to);
    return st;
}

static bool is_empty_folder(const char *folder)
{
    struct dirent *entry;
    bool empty = true;
    DIR *dir = opendir(folder);
    if (!dir) return errno == ENOENT;
    while ((entry = readdir(dir)) != NULL)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    closedir(dir);
    return empty;
}

static enum cria_status restore_all(struct cria_call *call, int fd, const char *folder,
                                    struct cria_buf *manifest, struct cria_restored *out)
{
    struct cria_archive_entry entry;
    char sha256[CRIA_SHA256_HEX], database[CRIA_SHA256_HEX] = "";
    enum cria_status st = CRIA_OK;
    while (st == CRIA_OK && cria_archive_next(call, fd, &entry, &st)) {
        bool is_known = strcmp(entry.path, "manifest.json") == 0 ||
                        strcmp(entry.path, "cria.db") == 0 || cria_archive_is_blob(entry.path) ||
                        cria_archive_is_segment(entry.path);
        st = is_known ? take_entry(call, fd, folder, &entry, sha256, manifest)
                      : cria_archive_damaged(call, "an entry does not belong to a backup");
        if (st != CRIA_OK) break;
        out->bytes += entry.size;
        if (strcmp(entry.path, "cria.db") == 0) memcpy(database, sha256, sizeof(database));
        if (strncmp(entry.path, "blobs/", 6) != 0) continue;
        out->blobs++;
        if (strcmp(entry.path + strlen(entry.path) - 64, sha256) != 0)
            st = cria_archive_damaged(call, "a file differs from its digest");
    }
    if (st != CRIA_OK) return st;
    if (!database[0]) return cria_archive_damaged(call, "there is no database in it");
    bool fits = cria_str_find(cria_buf_str(manifest), cria_str_from(database)) != SIZE_MAX &&
                cria_str_find(cria_buf_str(manifest), CRIA_STR("cria-backup-1")) != SIZE_MAX;
    return fits ? CRIA_OK : cria_archive_damaged(call, "the database differs from its digest");
}

enum cria_status cria_backup_restore(struct cria_call *call, const char *file, const char *folder,
                                     struct cria_restored *out)
{
    struct cria_buf manifest;
    *out = (struct cria_restored){0};
    if (!is_empty_folder(folder))
        return cria_fail(call, CRIA_E_CONFLICT,
                         "%s is not empty: a backup is restored into a new folder", folder);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cria_archive_fail(call, file);
    cria_buf_init(&manifest, MANIFEST_MAX);
    enum cria_status st = restore_all(call, fd, folder, &manifest, out);
    cria_buf_release(&manifest);
    close(fd);
    return st;
}

/* ---- what the database says beside what is there */

/* Steps by hand: the call's arena would grow with each row. */
static enum cria_status verify_blobs(struct cria_store *store, struct cria_call *call,
                                     struct cria_tx *tx)
{
    enum cria_status st = CRIA_OK;
    enum cria_step step = CRIA_STEP_FAILED;
    struct cria_stmt *stmt = tx->driver->prepare(
        tx->conn, CRIA_STR("SELECT project_id, sha256, size_bytes FROM files UNION ALL"
                           " SELECT project_id, sha256, size_bytes FROM attachments"));
    while (stmt && st == CRIA_OK && (step = tx->driver->step(stmt)) == CRIA_STEP_ROW) {
        char path[PATH_BYTES], name[CRIA_SHA256_HEX];
        struct stat info;
        struct cria_str project = tx->driver->column_str(stmt, 0),
                        sha256 = tx->driver->column_str(stmt, 1);
        snprintf(name, sizeof(name), "%.*s", CRIA_STR_ARG(sha256));
        snprintf(path, sizeof(path), "%s/blobs/%.*s/%.2s/%s", cria_store_folder(store),
                 CRIA_STR_ARG(project), name, name);
        if (stat(path, &info) != 0 || info.st_size != tx->driver->column_int(stmt, 2))
            st = cria_fail(call, CRIA_E_CORRUPT, "%s is missing or cut, but the database names it",
                           path);
    }
    if (st == CRIA_OK && step == CRIA_STEP_FAILED)
        st = cria_fail(call, CRIA_E_CORRUPT, "The database cannot be read: %s",
                       tx->driver->message(tx->conn));
    if (stmt) tx->driver->reset(stmt);
    return st;
}

enum cria_status cria_backup_verify(struct cria_store *store, struct cria_call *call)
{
    struct cria_tx *tx = NULL;
    struct cria_query q;
    int64_t missing = 0;
    enum cria_status st = cria_store_read_begin(store, call, &tx);
    if (st == CRIA_OK) st = verify_blobs(store, call, tx);
    if (st == CRIA_OK) { /* hex() reads every page of every text */
        cria_query_open(&q, tx, call,
                        CRIA_STR("SELECT count(*) FROM documents d WHERE NOT EXISTS (SELECT 1 FROM"
                                 " document_texts t WHERE t.project_id = d.project_id AND"
                                 " t.document_id = d.id AND length(hex(t.body)) >= 0)"));
        if (cria_query_next(&q)) missing = cria_query_get_int(&q);
        st = cria_query_close(&q);
    }
    cria_store_read_end(tx);
    if (st == CRIA_OK && missing)
        st = cria_fail(call, CRIA_E_CORRUPT, "%lld documents have no text", (long long)missing);
    return st;
}
