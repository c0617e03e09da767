/* ingest.h - from entries in a directory to searchable chunks: the sync jobs of indexes.
 * Room: ingest; may use search, store, model, platform, base. Jobs run on the ingest pool; these
 * functions are called by request workers. States and rules: contract NOTES section 2. */
#ifndef CRIA_INGEST_INGEST_H
#define CRIA_INGEST_INGEST_H

#include "platform/pool.h"
#include "search/search.h"
#include "store/records.h"

struct cria_embedder;
struct cria_ingest;

struct cria_ingest_options {
    struct cria_store *store;
    struct cria_search *search;
    struct cria_embedder *embedder; /* NULL: indexes get no vectors */
    struct cria_pool *pool;         /* of the ingest workers */
    unsigned parse_helpers;         /* further workers one sync may use */
    struct cria_loop *loop;    /* for the schedule's timer; must not run yet at cria_ingest_start */
    const char *parser_folder; /* where cria-parse and cria-pdf lie */
    uint32_t parse_timeout_ms; /* per document, 120,000 */
    uint64_t parse_memory_bytes; /* per child, 1 GiB */
    uint64_t parse_output_bytes; /* per document, 256 MiB */
};

CRIA_MUST_CHECK enum cria_status cria_ingest_new(const struct cria_ingest_options *options,
                                                 struct cria_call *call, struct cria_ingest **out);
/** Takes up what a stop or crash left (running syncs begin afresh as pending) and starts the
 * schedule of daily and on-change syncs, of ephemeral directories and of idempotency rows. */
CRIA_MUST_CHECK enum cria_status cria_ingest_start(struct cria_ingest *ingest,
                                                   struct cria_call *call);
/** Stops running jobs (they go on at the next start) and waits for them; nothing new is taken. */
void cria_ingest_halt(struct cria_ingest *ingest);
/** Halts and frees; when the loop no longer runs, before the pool is freed. NULL is fine. */
void cria_ingest_free(struct cria_ingest *ingest);

/** Queues the first build of an index whose row was just inserted as pending. */
void cria_ingest_queue(struct cria_ingest *ingest, struct cria_str project,
                       struct cria_str index_id);
/** Sets the index to pending and queues a sync. CRIA_E_CONFLICT (retry allowed) while one is on its
 * way. */
CRIA_MUST_CHECK enum cria_status cria_ingest_sync(struct cria_ingest *ingest,
                                                  struct cria_call *call, struct cria_str project,
                                                  struct cria_str index_id);
/** Stops the running sync and waits until it is stopped; the row then says ready or failed ("sync
 * cancelled"). CRIA_E_CONFLICT (final) when none runs. */
CRIA_MUST_CHECK enum cria_status cria_ingest_cancel(struct cria_ingest *ingest,
                                                    struct cria_call *call, struct cria_str project,
                                                    struct cria_str index_id);
/** Before an index is deleted: stops its sync, waits, and leaves the row alone. */
void cria_ingest_stop(struct cria_ingest *ingest, struct cria_str project,
                      struct cria_str index_id);

struct cria_ingest_figures {
    uint64_t queued, running, files_done, files_failed;
};
struct cria_ingest_figures cria_ingest_figures(struct cria_ingest *ingest);

#endif
