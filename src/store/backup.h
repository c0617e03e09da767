/* backup.h - a consistent copy of everything as one stream of bytes, from a store that goes on
 * working, and a data folder from such a copy.
 * Room: store. Nothing is written to the disk, and nobody who writes waits for it. The stream is a
 * tar archive (POSIX.1-1988 ustar): manifest.json, cria.db, cria.db-wal (the database as a crash
 * would leave it), blobs/<project>/<2 hex>/<sha256>, segments/<project>/<index>/<name> (search
 * files, which are made again where they are missing), digests.xxh128. What was acknowledged before
 * the backup began is in it; while it goes on no blob is deleted, and until the database is read
 * (not the blobs) its log only grows. */
#ifndef CRIA_STORE_BACKUP_H
#define CRIA_STORE_BACKUP_H

#include "base/buf.h"
#include "store/store.h"

struct cria_backup; /* one that is being made */

/** Who takes the bytes. */
struct cria_backup_reader {
    /** On the backup's thread: pull again. Must not block: the thread's priority is the lowest. */
    void (*wake)(void *arg);
    /** On any thread, once: wake is not called any more. */
    void (*gone)(void *arg);
    void *arg;
};

/**
 * Begins a backup on a thread of its own, which reads ahead by 512 KiB of what is pulled. Blocks
 * for one write; not on a loop.
 * @param[out] out to be ended with cria_backup_close. Otherwise `gone` is not called.
 * @return CRIA_E_CONFLICT a backup, an export or an import goes on; CRIA_E_UNAVAILABLE the store
 * is being closed or has stopped writing; CRIA_E_NO_SPACE, CRIA_E_IO the database cannot be held
 * or read; CRIA_E_LIMIT there is no thread for it; CRIA_E_NO_MEMORY.
 */
CRIA_MUST_CHECK enum cria_status cria_backup_start(struct cria_store *store, struct cria_call *call,
                                                   const struct cria_backup_reader *reader,
                                                   struct cria_backup **out);

enum cria_backup_pull {
    CRIA_BACKUP_WAIT, /* nothing now; wake tells when */
    CRIA_BACKUP_MORE, /* something was appended */
    CRIA_BACKUP_END,  /* that was all of it; another backup may begin */
    CRIA_BACKUP_FAIL  /* it cannot be finished, the log says why; what was pulled is no backup */
};
/** Appends at most `room` bytes. One thread at a time; never blocks, takes no lock. */
enum cria_backup_pull cria_backup_pull(struct cria_backup *backup, struct cria_buf *out,
                                       size_t room);
/** Gives it up if it is not at its end; its thread notices within some milliseconds and only then
 * lets go of what it holds. Never blocks. NULL is fine. */
void cria_backup_close(struct cria_backup *backup);

/** What a restored file held. */
struct cria_restored {
    uint64_t blobs, bytes;
};
/**
 * Unpacks a backup into a folder, which must be empty or not there; every file is checked against
 * its digest. Files of older versions (cria-backup-1) are taken, too. On failure what was written
 * is left for the caller to remove. Blocks.
 * @return CRIA_E_CONFLICT the folder is not empty; CRIA_E_CORRUPT not a backup, or damaged (the
 * sentence says where); CRIA_E_IO, CRIA_E_NO_SPACE.
 */
CRIA_MUST_CHECK enum cria_status cria_backup_restore(struct cria_call *call, const char *file,
                                                     const char *folder, struct cria_restored *out);

/**
 * Looks whether every stored file that the database names is there with its size, and reads all of
 * the text it keeps. CRIA_E_CORRUPT: what is missing. Blocks.
 */
CRIA_MUST_CHECK enum cria_status cria_backup_verify(struct cria_store *store,
                                                    struct cria_call *call);

#endif
