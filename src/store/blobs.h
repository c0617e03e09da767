/* blobs.h - bytes of files, content-addressed: blobs/<project>/<2 hex>/<sha256>, written, synced,
 * renamed. Room: store. Any thread; blocks. A blob that no row names is a stray: it is swept at
 * start and after deletes. */
#ifndef CRIA_STORE_BLOBS_H
#define CRIA_STORE_BLOBS_H

#include "store/store.h"

struct cria_blob_source {
    struct cria_str bytes; /* used when spool_path is NULL */
    const char
        *spool_path; /* else a file in the spool folder, moved into place; its fd synced first */
    int spool_fd;
    uint64_t size_bytes;
    const char *sha256; /* hex of the bytes */
};

/** Durable when it returns CRIA_OK; the row that names it is committed afterwards by the caller.
 * *moved tells whether spool_path was taken. A blob that is there already is left as it is. It
 * stays, with or without a row, until cria_blob_unpin. */
CRIA_MUST_CHECK enum cria_status cria_blob_put(struct cria_store *store, struct cria_call *call,
                                               struct cria_str project,
                                               const struct cria_blob_source *source, bool *moved);
/** Once for each cria_blob_put that returned CRIA_OK, when the row is committed or will not be. */
void cria_blob_unpin(struct cria_store *store, struct cria_call *call, struct cria_str project,
                     const char *sha256);
/** Opens for reading; the caller closes *fd. CRIA_E_NOT_FOUND when it is gone. */
CRIA_MUST_CHECK enum cria_status cria_blob_open(struct cria_store *store, struct cria_call *call,
                                                struct cria_str project, const char *sha256,
                                                int *fd, uint64_t *size_bytes);
/** Removes the bytes unless a row still names them (asked inside). For after a delete was
 * committed. */
void cria_blob_release(struct cria_store *store, struct cria_call *call, struct cria_str project,
                       const char *sha256);
/** Removes strays, and spool files older than an hour; on a worker, at start and now and then.
 * Empties the call's arena. */
void cria_blobs_sweep(struct cria_store *store, struct cria_call *call);
/** While held, no blob is removed: for backups. False: it is held already. */
bool cria_blobs_hold(bool hold);
/** Folder for spool files, on the same file system; absolute. */
const char *cria_blobs_spool_dir(struct cria_store *store);

#endif
