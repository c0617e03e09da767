/* archive.h - tar archives (POSIX.1-1988 ustar), as backups and moved projects are kept in.
 * Room: store. Any thread; blocks. */
#ifndef CRIA_STORE_ARCHIVE_H
#define CRIA_STORE_ARCHIVE_H

#include "base/call.h"

enum { CRIA_ARCHIVE_BLOCK = 512 };

/** By errno: CRIA_E_NO_SPACE, else CRIA_E_IO with `what` before the reason. */
CRIA_MUST_CHECK enum cria_status cria_archive_fail(struct cria_call *call, const char *what);
CRIA_MUST_CHECK enum cria_status cria_archive_damaged(struct cria_call *call, const char *why);

/* ---- writing; false: errno says why */

bool cria_archive_write_bytes(int fd, const void *bytes, size_t size);
/** The head of an entry of `size` bytes, which follow, padded. prefix "" or at most 154 characters,
 * name at most 99. */
bool cria_archive_write_head(int fd, const char *prefix, const char *name, uint64_t size);
/** Behind the bytes of an entry. */
bool cria_archive_write_padding(int fd, uint64_t size);
/** Called with each piece of a long copy: it sleeps now and then, three times as long as it worked
 * before, so that writers find the disk and a processor. pace begins as {0}. */
struct cria_archive_pace {
    int64_t since_us;
    uint64_t bytes;
};
void cria_archive_rest(struct cria_archive_pace *pace, size_t bytes);
/** The whole of an open file as an entry. */
bool cria_archive_add_open(int to, int fd, const char *prefix, const char *name);
/** A file as an entry. */
bool cria_archive_add_file(int to, const char *path, const char *prefix, const char *name);

/* ---- reading; nothing in the file is believed */

struct cria_archive_entry {
    char path[256];
    uint64_t size;
};
/** False with *st CRIA_OK: the end. The entry's bytes come next, padded to whole blocks. Whether
 * the path is a good one is for the caller to say. */
bool cria_archive_next(struct cria_call *call, int fd, struct cria_archive_entry *out,
                       enum cria_status *st);
/** False when there are fewer, or on failure. */
bool cria_archive_read_bytes(int fd, void *out, size_t size);
/** "blobs/<project>/<2 hex>/<64 hex>", and nothing that leads elsewhere. */
bool cria_archive_is_blob(const char *path);
/** "segments/<project>/<index>/<name>", likewise: a search file. */
bool cria_archive_is_segment(const char *path);

#endif
