/* sync.h - one sync of one index, from its source directory to a published export.
 * Room: ingest. Blocks for as long as it takes; called on an ingest worker by ingest.c. */
#ifndef CRIA_INGEST_SYNC_H
#define CRIA_INGEST_SYNC_H

#include "ingest/ingest.h"
#include "ingest/parser_host.h"

struct cria_sync_env {
    struct cria_store *store;
    struct cria_search *search;
    struct cria_embedder *embedder; /* NULL: words alone */
    struct cria_pool *pool;         /* further workers lend a hand */
    unsigned helpers;               /* how many at most */
    struct cria_parser_host *host;
    atomic_uint_fast64_t files_done, files_failed;
};

/**
 * Runs the sync of a pending index: its row goes syncing, exporting, ready or failed.
 * @param cancelled  another thread sets it: the sync stops soon and leaves the row as it is at that
 * moment.
 * @return CRIA_OK also when the index became failed (the row says why); CRIA_E_CANCELLED;
 * CRIA_E_NOT_FOUND the index is gone; else what kept the row from being written.
 */
CRIA_MUST_CHECK enum cria_status cria_sync_run(struct cria_sync_env *env, struct cria_str project,
                                               struct cria_str index_id,
                                               const atomic_bool *cancelled);

/** A write function: drops what was staged and writes the index's state. */
struct cria_sync_settle {
    struct cria_str project, index_id;
    enum cria_index_status no_export_status; /* when it was never exported; else it becomes ready */
    enum cria_index_status status;           /* used when is_forced */
    bool is_forced;
    const char *error_message; /* for a failed one */
};
cria_write_fn cria_sync_settle_fn;

#endif
