/* restore.c - a data folder from a backup: nothing in the file is believed. */
#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/crypto.h"
#include "store/archive.h"
#include "store/backup_format.h"
#include "store/driver.h"
#include "store/query.h"
#include "store/store_internal.h"

enum {
    BLOCK = CRIA_ARCHIVE_BLOCK,
    PIECE = 1 << 16,
    PATH_BYTES = CRIA_STORE_PATH + 256,
    TEXT_MAX = 4096
};

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

/* What an entry's bytes come to. */
struct sums {
    char sha256[CRIA_SHA256_HEX];
    XXH3_state_t *xxh3;
};

/* Copies an entry to its place, or, when `text` is given, there. */
static enum cria_status take_entry(struct cria_call *call, int fd, const char *folder,
                                   const struct cria_archive_entry *entry, struct sums *sums,
                                   struct cria_buf *text)
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
    XXH3_128bits_reset(sums->xxh3);
    while (left && st == CRIA_OK) {
        size_t want = left < sizeof(piece) ? (size_t)left : sizeof(piece);
        if (!cria_archive_read_bytes(fd, piece, want)) {
            st = cria_archive_damaged(call, "it ends too soon");
            break;
        }
        size_t mine = own < want ? (size_t)own : want;
        cria_sha256_add(&hash, cria_str_make(piece, mine));
        XXH3_128bits_update(sums->xxh3, piece, mine);
        if (text) cria_buf_add(text, cria_str_make(piece, mine));
        if (to >= 0 && !cria_archive_write_bytes(to, piece, mine))
            st = cria_archive_fail(call, path);
        own -= mine;
        left -= want;
    }
    cria_sha256_finish_hex(&hash, sums->sha256);
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
    struct cria_buf manifest, digest;
    char database[CRIA_SHA256_HEX]; /* "": there was none */
    bool has_log;
    struct cria_backup_digest all; /* of what has no digest in its name */
    struct cria_sha256 segments;   /* of these alone: cria-backup-1 */
    XXH3_state_t *xxh3;            /* of the entry at hand */
};

static enum cria_status restore_entry(struct cria_call *call, int fd, const char *folder,
                                      const struct cria_archive_entry *entry, struct unpacked *u,
                                      struct cria_restored *out)
{
    struct sums sums = {.xxh3 = u->xxh3};
    const char *path = entry->path;
    bool is_manifest = strcmp(path, CRIA_BACKUP_MANIFEST) == 0;
    bool is_digest =
        strcmp(path, CRIA_BACKUP_DIGESTS) == 0 || strcmp(path, CRIA_BACKUP_1_SEGMENTS_DIGEST) == 0;
    bool is_database = cria_archive_is_database(path), is_log = cria_archive_is_log(path);
    bool is_blob = cria_archive_is_blob(path), is_segment = cria_archive_is_segment(path);
    if (!is_manifest && !is_digest && !is_database && !is_log && !is_blob && !is_segment)
        return cria_archive_damaged(call, "an entry does not belong to a backup");
    enum cria_status st = take_entry(call, fd, folder, entry, &sums,
                                     is_manifest ? &u->manifest
                                     : is_digest ? &u->digest
                                                 : NULL);
    if (st != CRIA_OK) return st;
    out->bytes += entry->size;
    if (is_database) memcpy(u->database, sums.sha256, sizeof(u->database));
    if (is_log) u->has_log = true;
    if (is_segment) {
        cria_sha256_add(&u->segments, cria_str_from(path));
        cria_sha256_add(&u->segments, cria_str_from(sums.sha256));
    }
    if (!is_blob && !is_digest)
        cria_backup_digest_add(&u->all, path, XXH3_128bits_digest(sums.xxh3));
    if (!is_blob) return CRIA_OK;
    out->blobs++;
    if (strcmp(path + strlen(path) - 64, sums.sha256) != 0)
        return cria_archive_damaged(call, "a file differs from its digest");
    return CRIA_OK;
}

static bool says(const struct unpacked *u, const char *what)
{
    return cria_str_find(cria_buf_str(&u->manifest), cria_str_from(what)) != SIZE_MAX;
}

static enum cria_status check_digests(struct cria_call *call, struct unpacked *u)
{
    char all[CRIA_BACKUP_DIGEST_HEX], segments[CRIA_SHA256_HEX];
    struct cria_str digest = cria_buf_str(&u->digest);
    cria_backup_digest_hex(&u->all, all);
    cria_sha256_finish_hex(&u->segments, segments);
    if (!digest.len) return cria_archive_damaged(call, "it ends too soon");
    if (!u->database[0]) return cria_archive_damaged(call, "there is no database in it");
    bool fits = says(u, "\"" CRIA_BACKUP_1_FORMAT "\"")
                    ? says(u, u->database) && !u->has_log && cria_str_is(digest, segments)
                    : says(u, "\"" CRIA_BACKUP_FORMAT "\"") && cria_str_is(digest, all);
    if (!fits)
        return cria_archive_damaged(call, "the database or a search file differs from its digest");
    return CRIA_OK;
}

static enum cria_status restore_all(struct cria_call *call, int fd, const char *folder,
                                    struct unpacked *u, struct cria_restored *out)
{
    struct cria_archive_entry entry;
    enum cria_status st = CRIA_OK;
    while (st == CRIA_OK && cria_archive_next(call, fd, &entry, &st))
        st = restore_entry(call, fd, folder, &entry, u, out);
    return st == CRIA_OK ? check_digests(call, u) : st;
}

enum cria_status cria_backup_restore(struct cria_call *call, const char *file, const char *folder,
                                     struct cria_restored *out)
{
    struct unpacked unpacked = {0};
    *out = (struct cria_restored){0};
    if (!is_empty_folder(folder))
        return cria_fail(call, CRIA_E_CONFLICT,
                         "%s is not empty: a backup is restored into a new folder", folder);
    unpacked.xxh3 = XXH3_createState();
    if (!unpacked.xxh3) return cria_fail_memory(call);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        XXH3_freeState(unpacked.xxh3);
        return cria_archive_fail(call, file);
    }
    cria_buf_init(&unpacked.manifest, TEXT_MAX);
    cria_buf_init(&unpacked.digest, TEXT_MAX);
    cria_sha256_init(&unpacked.segments);
    enum cria_status st = restore_all(call, fd, folder, &unpacked, out);
    cria_buf_release(&unpacked.manifest);
    cria_buf_release(&unpacked.digest);
    XXH3_freeState(unpacked.xxh3);
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
