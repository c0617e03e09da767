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

static bool hash_open(int fd, char out[CRIA_SHA256_HEX])
{
    char piece[PIECE];
    struct cria_archive_pace pace = {0};
    struct cria_sha256 hash;
    ssize_t n = 0;
    cria_sha256_init(&hash);
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        cria_sha256_add(&hash, cria_str_make(piece, (size_t)n));
        cria_archive_rest(&pace, (size_t)n);
    }
    cria_sha256_finish_hex(&hash, out);
    return n == 0;
}

static bool hash_file(const char *path, char out[CRIA_SHA256_HEX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && hash_open(fd, out);
    if (fd >= 0) close(fd);
    return good;
}

static bool add_text(int to, const char *name, struct cria_str text)
{
    return cria_archive_write_head(to, "", name, text.len) &&
           cria_archive_write_bytes(to, text.ptr, text.len) &&
           cria_archive_write_padding(to, text.len);
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
    bool good = !buf.failed && add_text(to, "manifest.json", cria_buf_str(&buf));
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

/* Search files have no digest in their names: one over all of them, path and digest each, is the
 * archive's last entry. */
#define SEGMENTS_ENTRY "segments.sha256"

struct walk {
    int to;
    size_t root; /* length of the data folder's path with its slash */
    struct cria_sha256 segments;
};

static void add_digest(struct cria_sha256 *segments, const char *path, const char *sha256)
{
    cria_sha256_add(segments, cria_str_from(path));
    cria_sha256_add(segments, cria_str_from(sha256));
}

/* A search file never changes, but may be merged away meanwhile; what is not there is made again
 * from the texts. */
static bool add_segment(struct walk *walk, const char *path, const char *entry, const char *prefix,
                        const char *name)
{
    char sha256[CRIA_SHA256_HEX];
    int fd = open(path, O_RDONLY | O_CLOEXEC); /* keeps the bytes whatever becomes of the name */
    if (fd < 0) return errno == ENOENT;
    bool good = hash_open(fd, sha256) && cria_archive_add_open(walk->to, fd, prefix, name);
    close(fd);
    if (good) add_digest(&walk->segments, entry, sha256);
    return good;
}

static bool add_file(void *arg, const char *folder, const char *name)
{
    struct walk *walk = arg;
    char path[PATH_BYTES], entry[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    snprintf(entry, sizeof(entry), "%s", path + walk->root);
    if (cria_archive_is_blob(entry))
        return cria_archive_add_file(walk->to, path, folder + walk->root, name);
    return !cria_archive_is_segment(entry) ||
           add_segment(walk, path, entry, folder + walk->root, name);
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
    const char *folder = cria_store_folder(store);
    struct walk walk = {.to = to, .root = strlen(folder) + 1};
    cria_sha256_init(&walk.segments);
    snprintf(blobs, sizeof(blobs), "%s/blobs", folder);
    snprintf(segments, sizeof(segments), "%s/segments", folder);
    if (!hash_file(database, sha256) || !add_manifest(to, sha256) ||
        !cria_archive_add_file(to, database, "", "cria.db") ||
        !each_name(blobs, add_project, &walk) || !each_name(segments, add_project, &walk))
        return false;
    cria_sha256_finish_hex(&walk.segments, sha256);
    return add_text(to, SEGMENTS_ENTRY, cria_str_from(sha256)) &&
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

/* Copies an entry to its place, or, when `text` is given, there; its digest in sha256. */
static enum cria_status take_entry(struct cria_call *call, int fd, const char *folder,
                                   const struct cria_archive_entry *entry,
                                   char sha256[CRIA_SHA256_HEX], struct cria_buf *text)
{
    char path[PATH_BYTES], piece[PIECE];
    struct cria_sha256 hash;
    uint64_t left = (entry->size + BLOCK - 1) / BLOCK * BLOCK, own = entry->size;
    snprintf(path, sizeof(path), "%s/%s", folder, entry->path);
    int to = -1;
    if (!text) {
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
        if (text) cria_buf_add(text, cria_str_make(piece, mine));
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

/* What the archive says of itself, beside what was unpacked. */
struct unpacked {
    struct cria_buf manifest, segments_sha256;
    char database[CRIA_SHA256_HEX]; /* "": there was none */
    struct cria_sha256 segments;
};

static enum cria_status restore_entry(struct cria_call *call, int fd, const char *folder,
                                      const struct cria_archive_entry *entry, struct unpacked *u,
                                      struct cria_restored *out)
{
    char sha256[CRIA_SHA256_HEX];
    struct cria_buf *text = strcmp(entry->path, "manifest.json") == 0  ? &u->manifest
                            : strcmp(entry->path, SEGMENTS_ENTRY) == 0 ? &u->segments_sha256
                                                                       : NULL;
    bool is_database = strcmp(entry->path, "cria.db") == 0;
    bool is_blob = cria_archive_is_blob(entry->path);
    bool is_segment = cria_archive_is_segment(entry->path);
    if (!text && !is_database && !is_blob && !is_segment)
        return cria_archive_damaged(call, "an entry does not belong to a backup");
    enum cria_status st = take_entry(call, fd, folder, entry, sha256, text);
    if (st != CRIA_OK) return st;
    out->bytes += entry->size;
    if (is_database) memcpy(u->database, sha256, sizeof(u->database));
    if (is_segment) add_digest(&u->segments, entry->path, sha256);
    if (!is_blob) return CRIA_OK;
    out->blobs++;
    if (strcmp(entry->path + strlen(entry->path) - 64, sha256) != 0)
        return cria_archive_damaged(call, "a file differs from its digest");
    return CRIA_OK;
}

static enum cria_status restore_all(struct cria_call *call, int fd, const char *folder,
                                    struct unpacked *u, struct cria_restored *out)
{
    struct cria_archive_entry entry;
    char sha256[CRIA_SHA256_HEX];
    enum cria_status st = CRIA_OK;
    while (st == CRIA_OK && cria_archive_next(call, fd, &entry, &st))
        st = restore_entry(call, fd, folder, &entry, u, out);
    if (st != CRIA_OK) return st;
    if (!u->database[0]) return cria_archive_damaged(call, "there is no database in it");
    bool fits = cria_str_find(cria_buf_str(&u->manifest), cria_str_from(u->database)) != SIZE_MAX &&
                cria_str_find(cria_buf_str(&u->manifest), CRIA_STR("cria-backup-1")) != SIZE_MAX;
    if (!fits) return cria_archive_damaged(call, "the database differs from its digest");
    cria_sha256_finish_hex(&u->segments, sha256);
    if (!cria_str_is(cria_buf_str(&u->segments_sha256), sha256))
        return cria_archive_damaged(call, "the search files differ from their digest");
    return CRIA_OK;
}

enum cria_status cria_backup_restore(struct cria_call *call, const char *file, const char *folder,
                                     struct cria_restored *out)
{
    struct unpacked unpacked = {0};
    *out = (struct cria_restored){0};
    if (!is_empty_folder(folder))
        return cria_fail(call, CRIA_E_CONFLICT,
                         "%s is not empty: a backup is restored into a new folder", folder);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cria_archive_fail(call, file);
    cria_buf_init(&unpacked.manifest, MANIFEST_MAX);
    cria_buf_init(&unpacked.segments_sha256, MANIFEST_MAX);
    cria_sha256_init(&unpacked.segments);
    enum cria_status st = restore_all(call, fd, folder, &unpacked, out);
    cria_buf_release(&unpacked.manifest);
    cria_buf_release(&unpacked.segments_sha256);
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
