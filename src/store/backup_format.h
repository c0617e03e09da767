/* backup_format.h - the names in a backup, which its writer and its reader share.
 * Room: store; for backup.c and restore.c. */
#ifndef CRIA_STORE_BACKUP_FORMAT_H
#define CRIA_STORE_BACKUP_FORMAT_H

#include "platform/crypto.h"

#define CRIA_BACKUP_FORMAT "cria-backup-2"
#define CRIA_BACKUP_MANIFEST "manifest.json"
/** The last entry: the digest of path and digest of each entry that has none in its name. */
#define CRIA_BACKUP_DIGESTS "digests.sha256"

/** Before, a copy of the database was made first: the manifest had its digest, there was no log,
 * and the last entry was of the search files alone. */
#define CRIA_BACKUP_1_FORMAT "cria-backup-1"
#define CRIA_BACKUP_1_SEGMENTS_DIGEST "segments.sha256"

static inline void cria_backup_add_digest(struct cria_sha256 *digests, const char *path,
                                          const char sha256[CRIA_SHA256_HEX])
{
    cria_sha256_add(digests, cria_str_from(path));
    cria_sha256_add(digests, cria_str_from(sha256));
}

#endif
