/* store.h - what services call: read snapshots, grouped durable writes, the folder it all lies in.
 * Room: store; the SQL is in the record files, the database behind driver.h.
 *
 * A read: cria_store_read_begin, any cria_tx_… of records.h that reads, cria_store_read_end.
 * A write: a function that gets a writing transaction. All functions queued at that moment run one
 * after the other in ONE database transaction on the writer thread, each inside a savepoint of its
 * own (its failure undoes only its own changes), and are answered after the commit has reached the
 * disk (group commit). So a write function must be quick and must not block: it checks state and
 * changes rows, nothing else. CRIA_OK means: on disk. */
#ifndef CRIA_STORE_STORE_H
#define CRIA_STORE_STORE_H

#include "base/call.h"
#include "platform/loop.h"

struct cria_store;
struct cria_tx; /* a snapshot that reads, or the writer's transaction */

struct cria_store_options {
    const char *folder;     /* made when missing, mode 0700; locked against a second server */
    unsigned readers;       /* read connections kept open; 0: 8 */
    uint32_t wal_max_pages; /* checkpoint after about so many pages; 0: 10,000 */
    uint64_t ballast_bytes; /* kept aside so that deletes work on a full disk; 0: 16 MiB */
};

/**
 * Opens or creates; applies missing migrations; starts the writer thread.
 * @return CRIA_E_CONFLICT another server has the folder; CRIA_E_UNAVAILABLE the data is of a newer
 * Cria; CRIA_E_CORRUPT, CRIA_E_IO, CRIA_E_NO_SPACE as they say.
 */
CRIA_MUST_CHECK enum cria_status cria_store_open(const struct cria_store_options *options,
                                                 struct cria_call *call, struct cria_store **out);
/** Ends a backup that goes on (backup.h) and waits, some milliseconds, until nothing of it is left;
 * none begins afterwards. Before what it wakes is freed. NULL is fine. */
void cria_store_stop_copying(struct cria_store *store);
/** Stops a backup, commits what is queued, checkpoints, unlocks. NULL is fine. */
void cria_store_close(struct cria_store *store);

/** A snapshot: sees all that was committed before. Any thread, blocks at most for a free
 * connection. Short. */
CRIA_MUST_CHECK enum cria_status cria_store_read_begin(struct cria_store *store,
                                                       struct cria_call *call,
                                                       struct cria_tx **out);
/** NULL is fine. */
void cria_store_read_end(struct cria_tx *tx);

/** Runs on the writer thread, inside the savepoint; `call` is the one given with the write. */
typedef enum cria_status cria_write_fn(struct cria_tx *tx, struct cria_call *call, void *arg);

/** Queues fn and waits until it is durable. Not on a loop. @return what fn said, or the commit's
 * failure (CRIA_E_NO_SPACE disk full; CRIA_E_UNAVAILABLE the store stopped writing after a failed
 * fsync). */
CRIA_MUST_CHECK enum cria_status cria_store_write(struct cria_store *store, struct cria_call *call,
                                                  cria_write_fn *fn, void *arg);

/** The same for what gives space back (deletes): goes through on a full disk, thanks to the
 * ballast. fn may then be run twice; the second run counts. */
CRIA_MUST_CHECK enum cria_status cria_store_write_freeing(struct cria_store *store,
                                                          struct cria_call *call, cria_write_fn *fn,
                                                          void *arg);

/** The same without waiting: for loops. Lies in the caller's object until done ran. */
struct cria_write {
    cria_write_fn *fn;
    void *arg;
    struct cria_call *call;
    /** Called on `loop` (or, when loop is NULL, on the writer thread) after the commit or failure.
     */
    void (*done)(struct cria_write *write, enum cria_status status);
    struct cria_loop *loop;
    bool is_freeing;         /* as cria_store_write_freeing */
    struct cria_task task;   /* store's own */
    struct cria_write *next; /* store's own */
    enum cria_status status; /* store's own */
};
void cria_store_submit(struct cria_store *store, struct cria_write *write);

struct cria_store_figures {
    uint64_t commits, writes; /* ever: writes / commits is the group size */
    uint64_t queued;          /* now */
    uint64_t wal_bytes;
    uint64_t fsync_errors;
    bool is_writable; /* false after a failed fsync: /ready says 503 */
    bool is_full;     /* the disk was full at the last write */
};
struct cria_store_figures cria_store_figures(struct cria_store *store);
/** The folder, absolute. */
const char *cria_store_folder(const struct cria_store *store);
/** A random secret of this data folder, made at first use and kept: "page", "blob" …. Any thread.
 */
CRIA_MUST_CHECK enum cria_status cria_store_secret(struct cria_store *store, struct cria_call *call,
                                                   const char *name, unsigned char out[32]);

#endif
