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
#include "store/blobs.h"
#include "store/driver.h"
#include "store/store_internal.h"

enum { BLOCK = 512, PIECE = 1 << 16, PATH_BYTES = CRIA_STORE_PATH + 256, MANIFEST_MAX = 4096 };

/* The head of an entry in a tar archive. */
struct tar_head {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};

static enum cria_status fail_io(struct cria_call *call, const char *what)
{
    if (errno == ENOSPC || errno == EDQUOT)
        return cria_fail(call, CRIA_E_NO_SPACE, "The disk is full: the backup was given up");
    return cria_fail(call, CRIA_E_IO, "%s: %s", what, strerror(errno));
}

static bool write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* ---- writing */

static unsigned checksum_of(const struct tar_head *head)
{
    const unsigned char *bytes = (const unsigned char *)head;
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(*head); i++) {
        bool is_own = i >= offsetof(struct tar_head, checksum) &&
                      i < offsetof(struct tar_head, checksum) + sizeof(head->checksum);
        sum += is_own ? ' ' : bytes[i];
    }
    return sum;
}

static bool write_head(int fd, const char *prefix, const char *name, uint64_t size)
{
    struct tar_head head = {.mode = "0000600",
                            .uid = "0000000",
                            .gid = "0000000",
                            .type = '0',
                            .magic = "ustar",
                            .version = {'0', '0'}};
    snprintf(head.name, sizeof(head.name), "%s", name);
    snprintf(head.prefix, sizeof(head.prefix), "%s", prefix);
    if (size < (uint64_t)1 << 33) {
        snprintf(head.size, sizeof(head.size), "%011llo", (unsigned long long)size);
    } else { /* GNU's form of large numbers: binary, big end first */
        for (int i = 11; i > 3; i--, size >>= 8) head.size[i] = (char)(size & 0xFF);
        head.size[0] = (char)0x80;
    }
    snprintf(head.mtime, sizeof(head.mtime), "%011llo",
             (unsigned long long)(cria_wall_us() / 1000000));
    snprintf(head.checksum, sizeof(head.checksum), "%06o", checksum_of(&head));
    head.checksum[7] = ' ';
    return write_all(fd, &head, sizeof(head));
}

static bool write_padding(int fd, uint64_t size)
{
    static const char zeros[BLOCK];
    size_t over = (size_t)(size % BLOCK);
    return over == 0 || write_all(fd, zeros, BLOCK - over);
}

static bool copy_file(int from, int to, uint64_t size)
{
    char piece[PIECE];
    while (size) {
        size_t want = size < sizeof(piece) ? (size_t)size : sizeof(piece);
        ssize_t n = read(from, piece, want);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0 || !write_all(to, piece, (size_t)n)) return false;
        size -= (uint64_t)n;
    }
    return true;
}

static bool add_file(int to, const char *path, const char *prefix, const char *name)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = fstat(fd, &info) == 0 && write_head(to, prefix, name, (uint64_t)info.st_size) &&
                copy_file(fd, to, (uint64_t)info.st_size) &&
                write_padding(to, (uint64_t)info.st_size);
    close(fd);
    return good;
}

static bool hash_file(const char *path, char out[CRIA_SHA256_HEX], uint64_t *size)
{
    char piece[PIECE];
    struct cria_sha256 hash;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    cria_sha256_init(&hash);
    *size = 0;
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        cria_sha256_add(&hash, cria_str_make(piece, (size_t)n));
        *size += (uint64_t)n;
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
    bool good = !buf.failed && write_head(to, "", "manifest.json", buf.len) &&
                write_all(to, buf.ptr, buf.len) && write_padding(to, buf.len);
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

static bool add_blob(void *arg, const char *folder, const char *name)
{
    const struct walk *walk = arg;
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return strlen(name) != 64 || add_file(walk->to, path, folder + walk->root, name);
}

static bool add_group(void *arg, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return each_name(path, add_blob, arg);
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
    char sha256[CRIA_SHA256_HEX], blobs[PATH_BYTES];
    uint64_t size;
    const char *folder = cria_store_folder(store);
    struct walk walk = {to, strlen(folder) + 1};
    snprintf(blobs, sizeof(blobs), "%s/blobs", folder);
    return hash_file(database, sha256, &size) && add_manifest(to, sha256) &&
           add_file(to, database, "", "cria.db") && each_name(blobs, add_project, &walk) &&
           write_all(to, end, sizeof(end));
}

enum cria_status cria_backup_make(struct cria_store *store, struct cria_call *call, int *fd,
                                  uint64_t *size_bytes)
{
    char id[CRIA_ID_SIZE], database[PATH_BYTES], archive[PATH_BYTES];
    struct stat info;
    if (!cria_blobs_hold(true))
        return cria_fail(call, CRIA_E_CONFLICT, "Another backup is being made");
    cria_id_new("backup-", id);
    snprintf(database, sizeof(database), "%s/%s.db", cria_blobs_spool_dir(store), id);
    snprintf(archive, sizeof(archive), "%s/%s.tar", cria_blobs_spool_dir(store), id);
    enum cria_status st = cria_store_snapshot(store, call, database);
    int to = st == CRIA_OK ? open(archive, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (st == CRIA_OK && to < 0) st = fail_io(call, "The backup cannot be written");
    if (st == CRIA_OK && (!add_all(store, to, database) || fstat(to, &info) != 0))
        st = fail_io(call, "The backup cannot be written");
    cria_blobs_hold(false);
    unlink(database);
    if (to >= 0) unlink(archive);
    if (st == CRIA_OK && lseek(to, 0, SEEK_SET) != 0)
        st = fail_io(call, "The backup cannot be read");
    if (st != CRIA_OK) {
        if (to >= 0) close(to);
        return st;
    }
    *fd = to;
    *size_bytes = (uint64_t)info.st_size;
    return CRIA_OK;
}

/* ---- restoring: nothing in the file is believed */

struct entry {
    char path[256];
    uint64_t size;
};

static enum cria_status damaged(struct cria_call *call, const char *why)
{
    return cria_fail(call, CRIA_E_CORRUPT, "This is no backup of Cria, or a damaged one: %s", why);
}

static bool read_whole(int fd, void *out, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(fd, (char *)out + got, size - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        got += (size_t)n;
    }
    return true;
}

static bool octal(const char *text, size_t len, uint64_t *out)
{
    *out = 0;
    if ((unsigned char)text[0] == 0x80) {
        for (size_t i = 4; i < len; i++) *out = *out << 8 | (unsigned char)text[i];
        return true;
    }
    for (size_t i = 0; i < len && text[i] >= '0' && text[i] <= '7'; i++)
        *out = *out * 8 + (uint64_t)(text[i] - '0');
    return text[0] >= '0' && text[0] <= '7';
}

/* "blobs/<project>/<2 hex>/<64 hex>", and nothing that leads elsewhere. */
static bool is_blob_path(const char *path)
{
    size_t slashes = 0, len = strlen(path);
    for (size_t i = 0; i < len; i++) {
        char c = path[i];
        if (c == '/') slashes++;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '/'))
            return false;
    }
    return strncmp(path, "blobs/", 6) == 0 && slashes == 3 && len > 70 && path[len - 65] == '/' &&
           path[len - 68] == '/' && !strstr(path, "//") &&
           strncmp(path + len - 67, path + len - 64, 2) == 0;
}

/* False with *st CRIA_OK: the end. */
static bool next_entry(struct cria_call *call, int fd, struct entry *out, enum cria_status *st)
{
    struct tar_head head;
    uint64_t sum;
    if (!read_whole(fd, &head, sizeof(head))) {
        *st = damaged(call, "it ends too soon");
        return false;
    }
    if (head.name[0] == '\0') return false;
    bool good = memcmp(head.magic, "ustar", 5) == 0 && octal(head.size, 12, &out->size) &&
                octal(head.checksum, 7, &sum) && sum == checksum_of(&head) && head.type == '0';
    snprintf(out->path, sizeof(out->path), "%.155s%s%.100s", head.prefix, head.prefix[0] ? "/" : "",
             head.name);
    good = good && (strcmp(out->path, "manifest.json") == 0 || strcmp(out->path, "cria.db") == 0 ||
                    is_blob_path(out->path));
    if (!good) *st = damaged(call, "an entry makes no sense");
    return good;
}

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
                                   const struct entry *entry, char sha256[CRIA_SHA256_HEX],
                                   struct cria_buf *manifest)
{
    char path[PATH_BYTES], piece[PIECE];
    struct cria_sha256 hash;
    uint64_t left = (entry->size + BLOCK - 1) / BLOCK * BLOCK, own = entry->size;
    bool is_manifest = strcmp(entry->path, "manifest.json") == 0;
    snprintf(path, sizeof(path), "%s/%s", folder, entry->path);
    int to = -1;
    if (!is_manifest) {
        if (!make_folders(folder, path)) return fail_io(call, path);
        to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (to < 0) return fail_io(call, path);
    }
    enum cria_status st = CRIA_OK;
    cria_sha256_init(&hash);
    while (left && st == CRIA_OK) {
        size_t want = left < sizeof(piece) ? (size_t)left : sizeof(piece);
        if (!read_whole(fd, piece, want)) {
            st = damaged(call, "it ends too soon");
            break;
        }
        size_t mine = own < want ? (size_t)own : want;
        cria_sha256_add(&hash, cria_str_make(piece, mine));
        if (is_manifest) cria_buf_add(manifest, cria_str_make(piece, mine));
        if (to >= 0 && !write_all(to, piece, mine)) st = fail_io(call, path);
        own -= mine;
        left -= want;
    }
    cria_sha256_finish_hex(&hash, sha256);
    if (to >= 0 && st == CRIA_OK && fsync(to) != 0) st = fail_io(call, path);
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
    struct entry entry;
    char sha256[CRIA_SHA256_HEX], database[CRIA_SHA256_HEX] = "";
    enum cria_status st = CRIA_OK;
    while (st == CRIA_OK && next_entry(call, fd, &entry, &st)) {
        st = take_entry(call, fd, folder, &entry, sha256, manifest);
        if (st != CRIA_OK) break;
        out->bytes += entry.size;
        if (strcmp(entry.path, "cria.db") == 0) memcpy(database, sha256, sizeof(database));
        if (strncmp(entry.path, "blobs/", 6) != 0) continue;
        out->blobs++;
        if (strcmp(entry.path + strlen(entry.path) - 64, sha256) != 0)
            st = damaged(call, "a file differs from its digest");
    }
    if (st != CRIA_OK) return st;
    if (!database[0]) return damaged(call, "there is no database in it");
    bool fits = cria_str_find(cria_buf_str(manifest), cria_str_from(database)) != SIZE_MAX &&
                cria_str_find(cria_buf_str(manifest), CRIA_STR("cria-backup-1")) != SIZE_MAX;
    return fits ? CRIA_OK : damaged(call, "the database differs from its digest");
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
    if (fd < 0) return fail_io(call, file);
    cria_buf_init(&manifest, MANIFEST_MAX);
    enum cria_status st = restore_all(call, fd, folder, &manifest, out);
    cria_buf_release(&manifest);
    close(fd);
    return st;
}
