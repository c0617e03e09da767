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

/** Adds the next entry with the digest of its bytes. */
static inline void cria_backup_digest_add(struct cria_backup_digest *digest, const char *path,
                                          const XXH3_state_t *bytes)
{
    XXH3_state_t state;
    XXH128_canonicalFromHash(&digest->file, XXH3_128bits_digest(bytes));
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, digest, sizeof(*digest));
    XXH3_128bits_update(&state, path, strlen(path));
    XXH128_canonicalFromHash(&digest->all, XXH3_128bits_digest(&state));
}

enum { CRIA_BACKUP_DIGEST_HEX = 2 * sizeof(XXH128_canonical_t) + 1 };
static inline void cria_backup_digest_hex(const struct cria_backup_digest *digest,
                                          char out[CRIA_BACKUP_DIGEST_HEX])
{
    for (size_t i = 0; i < sizeof(digest->all.digest); i++)
        snprintf(out + 2 * i, 3, "%02x", digest->all.digest[i]);
}

#endif
