/* backup_format.h - the names in a backup, which its writer and its reader share.
 * Room: store; for backup.c and restore.c. */
#ifndef CRIA_STORE_BACKUP_FORMAT_H
#define CRIA_STORE_BACKUP_FORMAT_H

#define XXH_INLINE_ALL
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define CRIA_BACKUP_FORMAT "cria-backup-2"
#define CRIA_BACKUP_MANIFEST "manifest.json"
/** The last entry: 128 bits of XXH3 in hexadecimal over path and digest of each entry that has none
 * in its name. It is against damage: who can forge an entry can forge this one. */
#define CRIA_BACKUP_DIGESTS "digests.xxh128"

/** Before, a copy of the database was made first: the manifest had its digest, there was no log,
 * and the last entry was of the search files alone. */
#define CRIA_BACKUP_1_FORMAT "cria-backup-1"
#define CRIA_BACKUP_1_SEGMENTS_DIGEST "segments.sha256"

/** The digest of all entries so far; begins as {0}. */
struct cria_backup_digest {
    XXH128_canonical_t all, file;
};

/** Adds the next entry, of at most 255 characters, with the digest of its bytes. (No XXH3_state_t
 * here: it wants an alignment of 64, which a stack under AddressSanitizer does not give.) */
static inline void cria_backup_digest_add(struct cria_backup_digest *digest, const char *path,
                                          XXH128_hash_t bytes)
{
    struct {
        struct cria_backup_digest digest;
        char path[256];
    } next = {0};
    size_t len = strlen(path) < sizeof(next.path) ? strlen(path) : sizeof(next.path);
    XXH128_canonicalFromHash(&digest->file, bytes);
    next.digest = *digest;
    memcpy(next.path, path, len);
    XXH128_canonicalFromHash(&digest->all, XXH3_128bits(&next, sizeof(next.digest) + len));
}

enum { CRIA_BACKUP_DIGEST_HEX = 2 * sizeof(XXH128_canonical_t) + 1 };
static inline void cria_backup_digest_hex(const struct cria_backup_digest *digest,
                                          char out[CRIA_BACKUP_DIGEST_HEX])
{
    for (size_t i = 0; i < sizeof(digest->all.digest); i++)
        snprintf(out + 2 * i, 3, "%02x", digest->all.digest[i]);
}

#endif
