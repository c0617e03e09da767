/* ingest.c - which indexes are being synced: the queue, cancelling, the schedule.
 * Room: ingest. A sync that is queued or running has one `struct running` in the table; its row in
 * the store is the durable half, so that a stop or crash loses nothing: at the next start
 * unfinished rows are queued again. */
#include "ingest/ingest.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "ingest/sync.h"
#include "platform/clock.h"

enum { SCHEDULE_EVERY_MS = 5000, CALL_ARENA_BYTES = 64 << 20, HOUR_S = 3600 };

enum ending { ENDS_BY_ITSELF, ENDS_CANCELLED, ENDS_STOPPED };

struct running {
    struct cria_job job;
    struct cria_ingest *ingest;
    char project[CRIA_ID_SIZE], index_id[CRIA_ID_SIZE];
    atomic_bool cancelled;
    enum ending ending; /* under the lock, like the three below */
    bool has_begun;
    bool goes_again;   /* another sync was asked for when this one had told its result */
    bool is_abandoned; /* was ended before it began: no longer in the table */
};

struct cria_ingest {
    struct cria_ingest_options options;
    struct cria_sync_env env;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a sync left the table, or the schedule's job ended */
    struct cria_map table;  /* "project/index" -> struct running */
    bool is_stopping;
    bool is_scheduling; /* the schedule's job is queued or running */
    struct cria_timer *timer;
    struct cria_job schedule;
    uint64_t queued, working;
};

static struct cria_str key_of(const char *project, const char *index_id, char out[2 * CRIA_ID_SIZE])
{
    size_t n = strlen(project), m = strlen(index_id);
    memcpy(out, project, n);
    out[n] = '/';
    memcpy(out + n + 1, index_id, m);
    return cria_str_make(out, n + 1 + m);
}

static struct running *find(struct cria_ingest *ingest, struct cria_str project,
                            struct cria_str index_id)
{
    char p[CRIA_ID_SIZE], i[CRIA_ID_SIZE], key[2 * CRIA_ID_SIZE];
    if (!cria_str_copy_z(project, p, sizeof(p)) || !cria_str_copy_z(index_id, i, sizeof(i)))
        return NULL;
    return cria_map_get(&ingest->table, key_of(p, i, key));
}

/* A call of our own, for work that no request asked for. */
struct own_call {
    struct cria_arena arena;
    struct cria_call call;
};

static struct cria_call *own_call_init(struct own_call *own, const char *project)
{
    cria_arena_init(&own->arena, CALL_ARENA_BYTES);
    cria_call_init(&own->call, &own->arena);
    if (project)
        cria_str_copy_z(cria_str_from(project), own->call.principal.project_id,
                        sizeof(own->call.principal.project_id));
    return &own->call;
}

static bool enqueue(struct cria_ingest *ingest, struct cria_str project, struct cria_str index_id);

static enum cria_status settle_cancelled(struct cria_ingest *ingest, struct cria_call *call,
                                         struct cria_str project, struct cria_str index_id)
{
    struct cria_sync_settle settle = {.project = project,
                                      .index_id = index_id,
                                      .no_export_status = CRIA_INDEX_FAILED,
                                      .error_message = "sync cancelled"};
    enum cria_status st =
        cria_store_write(ingest->options.store, call, cria_sync_settle_fn, &settle);
    return st == CRIA_E_NOT_FOUND ? CRIA_OK : st;
}

static void run(struct cria_job *job)
{
    struct running *running = CRIA_CONTAINER(job, struct running, job);
    struct cria_ingest *ingest = running->ingest;
    char key[2 * CRIA_ID_SIZE];
    pthread_mutex_lock(&ingest->lock);
    bool is_abandoned = running->is_abandoned;
    if (!is_abandoned) ingest->queued--, ingest->working++;
    running->has_begun = true;
    pthread_mutex_unlock(&ingest->lock);
    if (is_abandoned) {
        free(running);
        return;
    }
    if (!atomic_load(&running->cancelled)) {
        enum cria_status st = cria_sync_run(&ingest->env, cria_str_from(running->project),
                                            cria_str_from(running->index_id), &running->cancelled);
        if (st != CRIA_OK && st != CRIA_E_CANCELLED && st != CRIA_E_NOT_FOUND)
            cria_log(CRIA_LOG_ERROR, "sync.broken", "index=%s status=%s", running->index_id,
                     cria_status_name(st));
    }
    pthread_mutex_lock(&ingest->lock);
    enum ending ending = running->ending;
    pthread_mutex_unlock(&ingest->lock);
    if (ending == ENDS_CANCELLED) {
        struct own_call own;
        struct cria_call *call = own_call_init(&own, running->project);
        if (settle_cancelled(ingest, call, cria_str_from(running->project),
                             cria_str_from(running->index_id)) != CRIA_OK)
            cria_log(CRIA_LOG_ERROR, "sync.settle", "index=%s why='%s'", running->index_id,
                     call->error);
        cria_arena_release(&own.arena);
    }
    pthread_mutex_lock(&ingest->lock);
    cria_map_remove(&ingest->table, key_of(running->project, running->index_id, key));
    ingest->working--;
    bool goes_again = running->goes_again && ending == ENDS_BY_ITSELF;
    pthread_cond_broadcast(&ingest->changed);
    pthread_mutex_unlock(&ingest->lock);
    if (goes_again)
        enqueue(ingest, cria_str_from(running->project), cria_str_from(running->index_id));
    free(running);
}

/* Puts a sync into the table and the pool's queue; false when one is there, we are stopping or
 * memory is short. */
static bool enqueue(struct cria_ingest *ingest, struct cria_str project, struct cria_str index_id)
{
    char key[2 * CRIA_ID_SIZE];
    struct running *running = calloc(1, sizeof(*running));
    bool done = running && cria_str_copy_z(project, running->project, sizeof(running->project)) &&
                cria_str_copy_z(index_id, running->index_id, sizeof(running->index_id));
    if (done) {
        running->ingest = ingest;
        running->job.run = run;
        pthread_mutex_lock(&ingest->lock);
        done =
            !ingest->is_stopping && !find(ingest, project, index_id) &&
            cria_map_put(&ingest->table, key_of(running->project, running->index_id, key), running);
        if (done) ingest->queued++;
        pthread_mutex_unlock(&ingest->lock);
    }
    if (done)
        cria_pool_submit(ingest->options.pool, &running->job);
    else
        free(running);
    return done;
}

void cria_ingest_queue(struct cria_ingest *ingest, struct cria_str project,
                       struct cria_str index_id)
{
    enqueue(ingest, project, index_id); /* if it could not be queued now, the schedule or the next
                                           start finds it pending */
}

struct pend {
    struct cria_str project, index_id;
};

static enum cria_status pend(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct pend *pend = arg;
    struct cria_index row;
    enum cria_status st = cria_tx_index_get(tx, call, pend->project, pend->index_id, &row);
    if (st != CRIA_OK) return st;
    if (row.status != CRIA_INDEX_READY && row.status != CRIA_INDEX_FAILED)
        return cria_fail(call, CRIA_E_CONFLICT, "A sync is already running for this index");
    row.status = CRIA_INDEX_PENDING;
    row.error_message = (struct cria_str){0};
    row.updated_at_us = cria_wall_us();
    return cria_tx_index_update_state(tx, call, pend->project, &row);
}

enum cria_status cria_ingest_sync(struct cria_ingest *ingest, struct cria_call *call,
                                  struct cria_str project, struct cria_str index_id)
{
    struct pend arg = {project, index_id};
    enum cria_status st = cria_store_write(ingest->options.store, call, pend, &arg);
    if (st != CRIA_OK) return st;
    /* The sync before may have told its result and be clearing up still: then it begins again. */
    pthread_mutex_lock(&ingest->lock);
    struct running *running = find(ingest, project, index_id);
    if (running) running->goes_again = true;
    pthread_mutex_unlock(&ingest->lock);
    if (!running) enqueue(ingest, project, index_id);
    return CRIA_OK;
}

enum found { FOUND_NONE, FOUND_QUEUED, FOUND_RUNNING };

/* Asks the sync to end in the given way and waits for it. One that has not begun need not be waited
 * for: it is taken off the table, and its job finds so. */
static enum found end_and_wait(struct cria_ingest *ingest, struct cria_str project,
                               struct cria_str index_id, enum ending ending)
{
    char key[2 * CRIA_ID_SIZE];
    enum found found = FOUND_NONE;
    pthread_mutex_lock(&ingest->lock);
    struct running *running = find(ingest, project, index_id);
    if (running && !running->has_begun) {
        found = FOUND_QUEUED;
        running->is_abandoned = true;
        cria_map_remove(&ingest->table, key_of(running->project, running->index_id, key));
        ingest->queued--;
    } else if (running) {
        found = FOUND_RUNNING;
        if (running->ending != ENDS_STOPPED) running->ending = ending;
        atomic_store(&running->cancelled, true);
        while (find(ingest, project, index_id) == running)
            pthread_cond_wait(&ingest->changed, &ingest->lock);
    }
    pthread_mutex_unlock(&ingest->lock);
    return found;
}

enum cria_status cria_ingest_cancel(struct cria_ingest *ingest, struct cria_call *call,
                                    struct cria_str project, struct cria_str index_id)
{
    switch (end_and_wait(ingest, project, index_id, ENDS_CANCELLED)) {
    case FOUND_NONE:
        return cria_fail_final(call, CRIA_E_CONFLICT, "No sync is running for this index");
    case FOUND_QUEUED: return settle_cancelled(ingest, call, project, index_id);
    case FOUND_RUNNING: return CRIA_OK;
    }
    cria_unreachable();
}

void cria_ingest_stop(struct cria_ingest *ingest, struct cria_str project, struct cria_str index_id)
{
    end_and_wait(ingest, project, index_id, ENDS_STOPPED);
}

/* ---- the schedule: daily and on-change syncs, ephemeral directories, old idempotency rows
 * --------------- */

static enum cria_status expire(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    int64_t now = *(const int64_t *)arg;
    uint64_t directories;
    enum cria_status st = cria_tx_directory_expire(tx, call, now, &directories);
    if (st != CRIA_OK) return st;
    return cria_tx_idempotency_expire(tx, call, now - (int64_t)24 * HOUR_S * 1000000);
}

static void sync_due(struct cria_ingest *ingest, struct cria_call *call, int64_t now)
{
    struct cria_tx *tx = NULL;
    struct cria_index_ref_list due = {0}, unfinished = {0};
    enum cria_status st = cria_store_read_begin(ingest->options.store, call, &tx);
    if (st == CRIA_OK) st = cria_tx_index_due(tx, call, now, &due);
    if (st == CRIA_OK) st = cria_tx_index_unfinished(tx, call, &unfinished);
    cria_store_read_end(tx);
    for (size_t i = 0; st == CRIA_OK && i < due.count; i++)
        if (cria_ingest_sync(ingest, call, due.items[i].project_id, due.items[i].index.id) !=
            CRIA_OK)
            cria_log(CRIA_LOG_WARN, "sync.due", "index=%.*s why='%s'",
                     CRIA_STR_ARG(due.items[i].index.id), call->error);
    for (size_t i = 0; st == CRIA_OK && i < unfinished.count;
         i++) /* pending ones nobody has queued */
        enqueue(ingest, unfinished.items[i].project_id, unfinished.items[i].index.id);
}

static void schedule(struct cria_job *job)
{
    struct cria_ingest *ingest = CRIA_CONTAINER(job, struct cria_ingest, schedule);
    struct own_call own;
    struct cria_call *call = own_call_init(&own, NULL);
    int64_t now = cria_wall_us();
    if (cria_store_write(ingest->options.store, call, expire, &now) != CRIA_OK)
        cria_log(CRIA_LOG_WARN, "schedule.expire", "why='%s'", call->error);
    sync_due(ingest, call, now);
    cria_arena_release(&own.arena);
    pthread_mutex_lock(&ingest->lock);
    ingest->is_scheduling = false;
    pthread_cond_broadcast(&ingest->changed);
    pthread_mutex_unlock(&ingest->lock);
}

static void tick(void *arg)
{
    struct cria_ingest *ingest = arg;
    pthread_mutex_lock(&ingest->lock);
    bool go = !ingest->is_scheduling && !ingest->is_stopping;
    if (go) ingest->is_scheduling = true;
    pthread_mutex_unlock(&ingest->lock);
    if (go) cria_pool_submit(ingest->options.pool, &ingest->schedule);
}

/* ---- life
 * ------------------------------------------------------------------------------------------------
 */

enum cria_status cria_ingest_new(const struct cria_ingest_options *options, struct cria_call *call,
                                 struct cria_ingest **out)
{
    struct cria_ingest *ingest = calloc(1, sizeof(*ingest));
    if (!ingest) return cria_fail_memory(call);
    const struct cria_parser_host_options host = {.folder = options->parser_folder,
                                                  .timeout_ms = options->parse_timeout_ms,
                                                  .memory_bytes = options->parse_memory_bytes,
                                                  .output_bytes = options->parse_output_bytes};
    ingest->options = *options;
    ingest->schedule.run = schedule;
    enum cria_status st = cria_parser_host_new(&host, call, &ingest->env.host);
    if (st != CRIA_OK) {
        free(ingest);
        return st;
    }
    ingest->env.store = options->store;
    ingest->env.search = options->search;
    ingest->env.embedder = options->embedder;
    ingest->env.pool = options->pool;
    ingest->env.helpers = options->parse_helpers;
    pthread_mutex_init(&ingest->lock, NULL);
    pthread_cond_init(&ingest->changed, NULL);
    *out = ingest;
    return CRIA_OK;
}

static enum cria_status restart(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_index_ref *ref = arg;
    struct cria_sync_settle settle = {.project = ref->project_id,
                                      .index_id = ref->index.id,
                                      .is_forced = true,
                                      .status = CRIA_INDEX_PENDING,
                                      .error_message = NULL};
    return cria_sync_settle_fn(tx, call, &settle);
}

enum cria_status cria_ingest_start(struct cria_ingest *ingest, struct cria_call *call)
{
    struct cria_tx *tx = NULL;
    struct cria_index_ref_list left = {0};
    enum cria_status st = cria_store_read_begin(ingest->options.store, call, &tx);
    if (st == CRIA_OK) st = cria_tx_index_unfinished(tx, call, &left);
    cria_store_read_end(tx);
    for (size_t i = 0; st == CRIA_OK && i < left.count; i++) {
        st = cria_store_write(ingest->options.store, call, restart,
                              (void *)(uintptr_t)&left.items[i]);
        if (st == CRIA_OK) enqueue(ingest, left.items[i].project_id, left.items[i].index.id);
    }
    if (st == CRIA_OK) st = cria_timer_new(ingest->options.loop, tick, ingest, &ingest->timer);
    if (st == CRIA_OK) cria_timer_start(ingest->timer, SCHEDULE_EVERY_MS, SCHEDULE_EVERY_MS);
    return st;
}

void cria_ingest_halt(struct cria_ingest *ingest)
{
    size_t at = 0;
    struct cria_str key;
    void *value;
    pthread_mutex_lock(&ingest->lock);
    ingest->is_stopping = true;
    while (cria_map_next(&ingest->table, &at, &key, &value)) {
        struct running *running = value;
        running->ending = ENDS_STOPPED;
        atomic_store(&running->cancelled, true);
    }
    while (ingest->table.count || ingest->is_scheduling)
        pthread_cond_wait(&ingest->changed, &ingest->lock);
    pthread_mutex_unlock(&ingest->lock);
}

void cria_ingest_free(struct cria_ingest *ingest)
{
    if (!ingest) return;
    cria_ingest_halt(ingest);
    cria_timer_free(ingest->timer);
    cria_parser_host_free(ingest->env.host);
    cria_map_release(&ingest->table);
    pthread_cond_destroy(&ingest->changed);
    pthread_mutex_destroy(&ingest->lock);
    free(ingest);
}

struct cria_ingest_figures cria_ingest_figures(struct cria_ingest *ingest)
{
    pthread_mutex_lock(&ingest->lock);
    struct cria_ingest_figures figures = {.queued = ingest->queued,
                                          .running = ingest->working,
                                          .files_done = atomic_load(&ingest->env.files_done),
                                          .files_failed = atomic_load(&ingest->env.files_failed)};
    pthread_mutex_unlock(&ingest->lock);
    return figures;
}
