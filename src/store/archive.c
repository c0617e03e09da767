#include "store/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/file.h"

enum { BLOCK = CRIA_ARCHIVE_BLOCK, PIECE = 1 << 16, REST_BYTES = 1 << 18, REST_MAX_US = 100000 };

/* The head of an entry in a tar archive. */
struct tar_head {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};

enum cria_status cria_archive_fail(struct cria_call *call, const char *what)
{
    if (errno == ENOSPC || errno == EDQUOT)
        return cria_fail(call, CRIA_E_NO_SPACE, "The disk is full: it was given up");
    return cria_fail(call, CRIA_E_IO, "%s: %s", what, strerror(errno));
}

enum cria_status cria_archive_damaged(struct cria_call *call, const char *why)
{
    return cria_fail(call, CRIA_E_CORRUPT, "This is no file of Cria's, or a damaged one: %s", why);
}

bool cria_archive_write_bytes(int fd, const void *bytes, size_t size)
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

void cria_archive_make_head(char out[BLOCK], const char *prefix, const char *name, uint64_t size)
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
    _Static_assert(sizeof(head) == BLOCK, "a head is one block");
    memcpy(out, &head, BLOCK);
}

size_t cria_archive_padding(uint64_t size)
{
    return (size_t)((BLOCK - size % BLOCK) % BLOCK);
}

bool cria_archive_write_head(int fd, const char *prefix, const char *name, uint64_t size)
{
    char head[BLOCK];
    cria_archive_make_head(head, prefix, name, size);
    return cria_archive_write_bytes(fd, head, sizeof(head));
}

bool cria_archive_write_padding(int fd, uint64_t size)
{
    static const char zeros[BLOCK];
    return cria_archive_write_bytes(fd, zeros, cria_archive_padding(size));
}

struct pace {
    int64_t since_us;
    uint64_t bytes;
};

/* Called with each piece of a long copy: it sleeps now and then, three times as long as it worked
 * before. */
static void rest(struct pace *pace, size_t bytes)
{
    int64_t now_us = (int64_t)(cria_now_ns() / 1000);
    pace->bytes += bytes;
    if (pace->since_us == 0) pace->since_us = now_us;
    if (pace->bytes < REST_BYTES) return;
    int64_t worked_us = now_us - pace->since_us;
    int64_t rest_us = worked_us < REST_MAX_US / 3 ? worked_us * 3 : REST_MAX_US;
    const struct timespec pause = {0, rest_us * 1000};
    nanosleep(&pause, NULL);
    pace->bytes = 0;
    pace->since_us = (int64_t)(cria_now_ns() / 1000);
}

static bool copy_file(int from, int to, uint64_t size)
{
    char piece[PIECE];
    struct pace pace = {0};
    off_t settled = lseek(to, 0, SEEK_CUR);
    while (size) {
        size_t want = size < sizeof(piece) ? (size_t)size : sizeof(piece);
        ssize_t n = read(from, piece, want);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0 || !cria_archive_write_bytes(to, piece, (size_t)n)) return false;
        size -= (uint64_t)n;
        off_t end = lseek(to, 0, SEEK_CUR);
        if (end - settled >= REST_BYTES) {
            cria_file_settle(to, (uint64_t)settled, (uint64_t)(end - settled));
            settled = end;
        }
        rest(&pace, (size_t)n);
    }
    return true;
}

static bool add_open(int to, int fd, const char *prefix, const char *name)
{
    struct stat info;
    return fstat(fd, &info) == 0 &&
           cria_archive_write_head(to, prefix, name, (uint64_t)info.st_size) &&
           copy_file(fd, to, (uint64_t)info.st_size) &&
           cria_archive_write_padding(to, (uint64_t)info.st_size);
}

bool cria_archive_add_file(int to, const char *path, const char *prefix, const char *name)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && add_open(to, fd, prefix, name);
    if (fd >= 0) close(fd);
    return good;
}

/* ---- reading: nothing in the file is believed */

bool cria_archive_read_bytes(int fd, void *out, size_t size)
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

/* Plain names, three folders deep: nothing that leads elsewhere. */
static bool is_plain(const char *path, const char *root)
{
    size_t slashes = 0;
    for (const char *c = path; *c; c++) {
        if (*c == '/')
            slashes++;
        else if (!((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || *c == '-'))
            return false;
    }
    return strncmp(path, root, strlen(root)) == 0 && slashes == 3 && !strstr(path, "//") &&
           path[strlen(path) - 1] != '/';
}

bool cria_archive_is_blob(const char *path)
{
    size_t len = strlen(path);
    return is_plain(path, "blobs/") && len > 70 && path[len - 65] == '/' && path[len - 68] == '/' &&
           strncmp(path + len - 67, path + len - 64, 2) == 0;
}

bool cria_archive_is_database(const char *path)
{
    return strcmp(path, "cria.db") == 0;
}

bool cria_archive_is_log(const char *path)
{
    return strcmp(path, "cria.db-wal") == 0;
}

bool cria_archive_is_segment(const char *path)
{
    return is_plain(path, "segments/");
}

/* False with *st CRIA_OK: the end. */
bool cria_archive_next(struct cria_call *call, int fd, struct cria_archive_entry *out,
                       enum cria_status *st)
{
    struct tar_head head;
    uint64_t sum;
    if (!cria_archive_read_bytes(fd, &head, sizeof(head))) {
        *st = cria_archive_damaged(call, "it ends too soon");
        return false;
    }
    if (head.name[0] == '\0') return false;
    bool good = memcmp(head.magic, "ustar", 5) == 0 && octal(head.size, 12, &out->size) &&
                out->size <= INT64_MAX / 2 && octal(head.checksum, 7, &sum) &&
                sum == checksum_of(&head) && head.type == '0';
    snprintf(out->path, sizeof(out->path), "%.155s%s%.100s", head.prefix, head.prefix[0] ? "/" : "",
             head.name);
    if (!good) *st = cria_archive_damaged(call, "an entry makes no sense");
    return good;
}
