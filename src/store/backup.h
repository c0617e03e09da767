/* backup.h - a consistent copy of everything in one file, from a store that goes on working.
 * Room: store. Blocks; any worker thread, one at a time. The file is a tar archive (POSIX.1-1988
 * ustar): manifest.json, cria.db, blobs/<project>/<2 hex>/<sha256>,
 * and segments/<project>/<index>/<name>: search files, which are made again where
 * they are missing; segments.sha256 is a digest of them all. */
#ifndef CRIA_STORE_BACKUP_H
#define CRIA_STORE_BACKUP_H

#include "store/store.h"

/**
 * Writes the backup into the spool folder and opens it for reading; its name is removed already, so
 * it dies with the descriptor. Blobs are not deleted meanwhile.
 * @return CRIA_E_CONFLICT another backup is being made; CRIA_E_NO_SPACE; CRIA_E_IO.
 */
CRIA_MUST_CHECK enum cria_status cria_backup_make(struct cria_store *store, struct cria_call *call,
                                                  int *fd, uint64_t *size_bytes);

/** What a restored file held. */
struct cria_restored {
    uint64_t blobs, bytes;
};
/**
 * Unpacks a backup into a folder, which must be empty or not there; every file is checked against
 * its digest. On failure what was written is left for the caller to remove.
 * @return CRIA_E_CONFLICT the folder is not empty; CRIA_E_CORRUPT not a backup, or damaged (the
 * sentence says where); CRIA_E_IO, CRIA_E_NO_SPACE.
 */
CRIA_MUST_CHECK enum cria_status cria_backup_restore(struct cria_call *call, const char *file,
                                                     const char *folder, struct cria_restored *out);

/**
 * Looks whether every stored file that the database names is there with its size, and reads all of
 * the text it keeps. CRIA_E_CORRUPT: what is missing.
 */
CRIA_MUST_CHECK enum cria_status cria_backup_verify(struct cria_store *store,
                                                    struct cria_call *call);

#endif
