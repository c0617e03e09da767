/* pool.h - worker threads for what blocks or computes.
 * Room: platform. Two pools exist: one for requests, one for ingest. */
#ifndef CRIA_PLATFORM_POOL_H
#define CRIA_PLATFORM_POOL_H

#include "base/status.h"
#include "platform/loop.h"

struct cria_pool;

/** One piece of work; lies in a larger object of the caller's, who keeps it alive until done (or,
 * without a loop, until run returns). */
struct cria_job {
    void (*run)(struct cria_job *job);  /* on a worker */
    void (*done)(struct cria_job *job); /* NULL, or afterwards on `loop` */
    struct cria_loop *loop;             /* where done runs */
    struct cria_task task;              /* pool's own */
    struct cria_job *next;              /* pool's own */
};

/** Starts `threads` workers of 1 MiB stack each. */
CRIA_MUST_CHECK enum cria_status cria_pool_new(const char *name, unsigned threads,
                                               struct cria_pool **out);
/** Any thread; never blocks; first in, first out. */
void cria_pool_submit(struct cria_pool *pool, struct cria_job *job);
/** Runs what is queued, joins the workers. NULL is fine. */
void cria_pool_free(struct cria_pool *pool);
/** Jobs queued and not yet begun, for metrics and limits. */
size_t cria_pool_backlog(const struct cria_pool *pool);

#endif
