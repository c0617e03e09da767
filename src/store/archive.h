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
/** Makes the head of an entry of `size` bytes, which follow, padded with zeros to whole blocks.
 * prefix "" or at most 154 characters, name at most 99. */
void cria_archive_make_head(char head[CRIA_ARCHIVE_BLOCK], const char *prefix, const char *name,
                            uint64_t size);
/** How many zeros come behind the bytes of an entry. */
size_t cria_archive_padding(uint64_t size);
/** Both into a file. */
bool cria_archive_write_head(int fd, const char *prefix, const char *name, uint64_t size);
bool cria_archive_write_padding(int fd, uint64_t size);
/** A file as an entry; in pieces with rests between them, so that writers find the disk and a
 * processor. */
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
/** A file of the embedded database: itself, or its log. */
bool cria_archive_is_database(const char *path);
bool cria_archive_is_log(const char *path);
/** "segments/<project>/<index>/<name>", likewise: a search file. */
bool cria_archive_is_segment(const char *path);

#endif
