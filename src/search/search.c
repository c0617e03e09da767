/* search.c - which indexes are loaded, and keeping them up to date. Room: search.
 * A collection is brought up to date by whoever needs it first; others who need it meanwhile wait
 * for that. Merging and the like happen afterwards, on the pool when there is one. */
#include "search/search.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "platform/clock.h"
#include "search/internal.h"

enum {
    MAINTAIN_ARENA = 64 << 20,
    SMALL_CHUNKS = 20000, /* what is smaller is merged at once */
    ANALYSERS_KEPT = 64
};

struct cria_search {
    struct cria_search_options options;
    pthread_mutex_t lock;
    struct cria_map collections; /* "project/index" */
    pthread_mutex_t analysers_lock;
    struct cria_analyser *analysers[ANALYSERS_KEPT]; /* idle ones */
    size_t analyser_count;
    atomic_bool is_stopping;
};

enum cria_status cria_search_new(const struct cria_search_options *options, struct cria_call *call,
                                 struct cria_search **out)
{
    struct cria_search *search = calloc(1, sizeof(*search));
    if (!search) return cria_fail_memory(call);
    search->options = *options;
    if (!search->options.memory_bytes) search->options.memory_bytes = (size_t)1 << 30;
    pthread_mutex_init(&search->lock, NULL);
    pthread_mutex_init(&search->analysers_lock, NULL);
    *out = search;
    return CRIA_OK;
}

void cria_search_stop(struct cria_search *search)
{
    if (search) atomic_store(&search->is_stopping, true);
}

void cria_search_free(struct cria_search *search)
{
    size_t at = 0;
    struct cria_str key;
    void *value;
    if (!search) return;
    while (cria_map_next(&search->collections, &at, &key, &value)) cria_collection_free(value);
    cria_map_release(&search->collections);
    while (search->analyser_count) cria_analyser_free(search->analysers[--search->analyser_count]);
    pthread_mutex_destroy(&search->analysers_lock);
    pthread_mutex_destroy(&search->lock);
    free(search);
}

struct cria_store *cria_search_store(const struct cria_search *search)
{
    return search->options.store;
}

const struct cria_search_options *cria_search_options_of(const struct cria_search *search)
{
    return &search->options;
}

const char *cria_search_folder(const struct cria_search *search)
{
    return cria_store_folder(search->options.store);
}

struct cria_analyser *cria_search_analyser(struct cria_search *search)
{
    struct cria_analyser *analyser = NULL;
    pthread_mutex_lock(&search->analysers_lock);
    if (search->analyser_count) analyser = search->analysers[--search->analyser_count];
    pthread_mutex_unlock(&search->analysers_lock);
    return analyser ? analyser : cria_analyser_new();
}

void cria_search_analyser_back(struct cria_search *search, struct cria_analyser *analyser)
{
    pthread_mutex_lock(&search->analysers_lock);
    bool kept = search->analyser_count < CRIA_COUNT(search->analysers);
    if (kept) search->analysers[search->analyser_count++] = analyser;
    pthread_mutex_unlock(&search->analysers_lock);
    if (!kept) cria_analyser_free(analyser);
}

/* ---- collections
 * ------------------------------------------------------------------------------------------- */

static bool key_of(struct cria_str project, struct cria_str index_id, char *out, size_t size)
{
    int n = snprintf(out, size, "%.*s/%.*s", CRIA_STR_ARG(project), CRIA_STR_ARG(index_id));
    return n > 0 && (size_t)n < size;
}

void cria_search_give_back(struct cria_search *search, struct cria_collection *collection)
{
    pthread_mutex_lock(&search->lock);
    bool last = atomic_fetch_sub(&collection->users, 1) == 1 && collection->is_dropped;
    pthread_mutex_unlock(&search->lock);
    if (last) cria_collection_free(collection);
}

struct cria_collection *cria_search_take(struct cria_search *search, struct cria_call *call,
                                         struct cria_str project, struct cria_str index_id)
{
    char text[2 * CRIA_ID_SIZE];
    (void)call;
    if (!key_of(project, index_id, text, sizeof(text))) return NULL;
    struct cria_str key = cria_str_from(text);
    pthread_mutex_lock(&search->lock);
    struct cria_collection *collection = cria_map_get(&search->collections, key);
    if (!collection) {
        collection = cria_collection_new(search, project, index_id);
        if (collection && !cria_map_put(&search->collections, key, collection)) {
            cria_collection_free(collection);
            collection = NULL;
        }
    }
    if (collection) {
        atomic_fetch_add(&collection->users, 1);
        collection->used_ns = cria_now_ns();
    }
    pthread_mutex_unlock(&search->lock);
    return collection;
}

/* Takes a collection off the table; the lock is held. */
static void drop(struct cria_search *search, struct cria_str key,
                 struct cria_collection *collection)
{
    cria_map_remove(&search->collections, key);
    collection->is_dropped = true;
    if (atomic_load(&collection->users) == 0) cria_collection_free(collection);
}

void cria_search_forget(struct cria_search *search, struct cria_str project,
                        struct cria_str index_id)
{
    char text[2 * CRIA_ID_SIZE], path[4096];
    struct cria_collection *collection = cria_search_take(search, NULL, project, index_id);
    if (!collection) return;
    (void)key_of(project, index_id, text, sizeof(text)); /* it was taken by that */
    cria_collection_sweep(collection, NULL); /* all its files; who reads them has them mapped */
    if (cria_collection_path(collection, NULL, path, sizeof(path))) rmdir(path);
    pthread_mutex_lock(&search->lock);
    if (cria_map_get(&search->collections, cria_str_from(text)) == collection)
        drop(search, cria_str_from(text), collection);
    pthread_mutex_unlock(&search->lock);
    cria_search_give_back(search, collection);
}

/* Above the limit the index that was asked for the longest ago goes; it is loaded again when it is
 * asked for. */
static void make_room(struct cria_search *search)
{
    for (;;) {
        size_t at = 0, bytes = 0;
        struct cria_str key, oldest_key = {0};
        struct cria_collection *oldest = NULL;
        void *value;
        char copy[2 * CRIA_ID_SIZE];
        pthread_mutex_lock(&search->lock);
        while (cria_map_next(&search->collections, &at, &key, &value)) {
            struct cria_collection *collection = value;
            pthread_mutex_lock(&collection->lock);
            bytes += collection->current ? collection->current->bytes : 0;
            pthread_mutex_unlock(&collection->lock);
            if (atomic_load(&collection->users) == 0 &&
                (!oldest || collection->used_ns < oldest->used_ns)) {
                oldest = collection;
                oldest_key = key;
            }
        }
        bool goes = oldest && bytes > search->options.memory_bytes &&
                    cria_str_copy_z(oldest_key, copy, sizeof(copy));
        if (goes) drop(search, cria_str_from(copy), oldest);
        pthread_mutex_unlock(&search->lock);
        if (!goes) return;
    }
}

/* ---- up to date
 * ------------------------------------------------------------------------------------------- */

static enum cria_status bring_up(struct cria_collection *collection, struct cria_call *call,
                                 int64_t generation, struct cria_snapshot **out)
{
    enum cria_status st = CRIA_OK;
    for (int tries = 0; tries < 2; tries++) {
        struct cria_snapshot *snapshot = cria_collection_current(collection);
        if (snapshot && snapshot->generation >= generation) {
            *out = snapshot;
            return CRIA_OK;
        }
        cria_snapshot_unref(snapshot);
        pthread_mutex_lock(&collection->build);
        snapshot = cria_collection_current(collection);
        if (!snapshot || snapshot->generation < generation)
            st = cria_collection_update(collection, call);
        cria_snapshot_unref(snapshot);
        pthread_mutex_unlock(&collection->build);
        if (st != CRIA_OK) return st;
    }
    return cria_fail(call, CRIA_E_UNAVAILABLE, "The index is being replaced; try again");
}

enum cria_status cria_search_snapshot(struct cria_call *call, struct cria_collection *collection,
                                      int64_t generation, struct cria_snapshot **out)
{
    *out = atomic_load(&collection->exports) ? cria_collection_current(collection) : NULL;
    return *out ? CRIA_OK : bring_up(collection, call, generation, out);
}

struct cria_collection *cria_search_export_begin(struct cria_search *search,
                                                 struct cria_str project, struct cria_str index_id)
{
    struct cria_collection *collection = cria_search_take(search, NULL, project, index_id);
    if (collection) atomic_fetch_add(&collection->exports, 1);
    return collection;
}

void cria_search_export_end(struct cria_search *search, struct cria_collection *collection)
{
    if (!collection) return;
    atomic_fetch_sub(&collection->exports, 1);
    cria_search_give_back(search, collection);
}

/* max_chunks: of segments that are merged. Vectors are encoded for all, as without them a segment
 * is searched by its words alone. */
static enum cria_status maintain(struct cria_collection *collection, struct cria_call *call,
                                 uint64_t max_chunks, bool *left)
{
    pthread_mutex_lock(&collection->build);
    enum cria_status st = cria_collection_save(collection, call);
    pthread_mutex_unlock(&collection->build);
    if (st != CRIA_OK) return st;
    enum cria_status vectors = cria_collection_add_vectors(collection, call, UINT64_MAX);
    st = cria_collection_merge(collection, call, max_chunks, left);
    if (st == CRIA_E_CORRUPT || vectors == CRIA_E_CORRUPT) {
        pthread_mutex_lock(&collection->build);
        enum cria_status made = cria_collection_drop_damaged(collection, call, NULL);
        if (made == CRIA_OK) made = cria_collection_save(collection, call);
        pthread_mutex_unlock(&collection->build);
        if (made != CRIA_OK) return made;
    }
    /* What was merged of parts of which some had none yet. */
    if (st == CRIA_OK && vectors == CRIA_OK)
        vectors = cria_collection_add_vectors(collection, call, UINT64_MAX);
    return st == CRIA_OK ? vectors : st;
}

struct maintenance {
    struct cria_job job;
    struct cria_search *search;
    struct cria_collection *collection;
};

static void say_failed(const struct cria_collection *collection, enum cria_status st,
                       const struct cria_call *call)
{
    if (st != CRIA_OK && st != CRIA_E_CANCELLED && st != CRIA_E_NOT_FOUND)
        cria_log(CRIA_LOG_WARN, "search.maintain", "index=%s why='%s'", collection->index_id,
                 call->error[0] ? call->error : cria_status_name(st));
}

static void run_maintenance(struct cria_job *job)
{
    struct maintenance *m = CRIA_CONTAINER(job, struct maintenance, job);
    struct cria_arena arena;
    struct cria_call call;
    bool left = false;
    cria_arena_init(&arena, MAINTAIN_ARENA);
    cria_call_init(&call, &arena);
    call.cancelled = &m->search->is_stopping;
    pthread_mutex_lock(&m->search->lock);
    m->collection->is_maintained = false; /* what comes from now on needs another job */
    pthread_mutex_unlock(&m->search->lock);
    enum cria_status st = maintain(m->collection, &call, UINT64_MAX, &left);
    say_failed(m->collection, st, &call);
    cria_search_give_back(m->search, m->collection);
    cria_arena_release(&arena);
    free(m);
}

void cria_search_maintain_later(struct cria_search *search, struct cria_collection *collection)
{
    struct maintenance *m = calloc(1, sizeof(*m));
    pthread_mutex_lock(&search->lock);
    bool goes = m && !collection->is_maintained && !atomic_load(&search->is_stopping);
    if (goes) {
        collection->is_maintained = true;
        atomic_fetch_add(&collection->users, 1);
    }
    pthread_mutex_unlock(&search->lock);
    if (!goes) {
        free(m);
        return;
    }
    *m = (struct maintenance){
        .job = {.run = run_maintenance}, .search = search, .collection = collection};
    if (search->options.pool)
        cria_pool_submit(search->options.pool, &m->job);
    else
        run_maintenance(&m->job);
}

enum cria_status cria_search_refresh(struct cria_search *search, struct cria_call *call,
                                     struct cria_str project, struct cria_str index_id,
                                     int64_t generation)
{
    struct cria_snapshot *snapshot = NULL;
    bool left = false;
    struct cria_collection *collection = cria_search_take(search, call, project, index_id);
    if (!collection) return cria_fail_memory(call);
    enum cria_status st = bring_up(collection, call, generation, &snapshot);
    cria_snapshot_unref(snapshot);
    /* What cannot be kept in files now is searchable from memory. */
    if (st == CRIA_OK)
        say_failed(collection, maintain(collection, call, SMALL_CHUNKS, &left), call);
    if (st == CRIA_OK) cria_search_maintain_later(search, collection); /* the large ones */
    cria_search_give_back(search, collection);
    make_room(search);
    return st;
}

enum cria_status cria_search_add_vectors(struct cria_search *search, struct cria_call *call,
                                         struct cria_str project, struct cria_str index_id)
{
    struct cria_collection *collection = cria_search_take(search, call, project, index_id);
    if (!collection) return cria_fail_memory(call);
    enum cria_status st = cria_collection_add_vectors(collection, call, UINT64_MAX);
    cria_search_give_back(search, collection);
    return st;
}

/* ---- strays: folders of indexes that are no more
 * ------------------------------------------------------------------------------------------- */

static void sweep_project(struct cria_search *search, struct cria_call *call,
                          struct cria_str project, DIR *folder)
{
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        struct cria_tx *tx = NULL;
        bool exists = true;
        if (entry->d_name[0] == '.') continue;
        enum cria_status st = cria_store_read_begin(search->options.store, call, &tx);
        if (st == CRIA_OK)
            st = cria_tx_index_exists(tx, call, project, cria_str_from(entry->d_name), &exists);
        cria_store_read_end(tx);
        if (st == CRIA_OK && !exists)
            cria_search_forget(search, project, cria_str_from(entry->d_name));
    }
}

void cria_search_sweep(struct cria_search *search, struct cria_call *call)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/segments", cria_search_folder(search));
    DIR *root = n > 0 && (size_t)n < sizeof(path) ? opendir(path) : NULL;
    if (!root) return;
    for (struct dirent *entry = readdir(root); entry; entry = readdir(root)) {
        if (entry->d_name[0] == '.' ||
            snprintf(path + n, sizeof(path) - (size_t)n, "/%s", entry->d_name) < 0)
            continue;
        DIR *folder = opendir(path);
        if (!folder) continue;
        sweep_project(search, call, cria_str_from(entry->d_name), folder);
        closedir(folder);
    }
    closedir(root);
}

struct cria_search_figures cria_search_figures(struct cria_search *search)
{
    struct cria_search_figures figures = {0};
    size_t at = 0;
    struct cria_str key;
    void *value;
    pthread_mutex_lock(&search->lock);
    while (cria_map_next(&search->collections, &at, &key, &value)) {
        struct cria_snapshot *snapshot = cria_collection_current(value);
        if (!snapshot) continue;
        figures.indexes++;
        figures.chunks += snapshot->chunk_count;
        figures.segments += snapshot->parts.count;
        figures.bytes += snapshot->bytes;
        for (size_t i = 0; i < snapshot->parts.count; i++)
            if (snapshot->parts.items[i].piece->name[0])
                figures.mapped_bytes +=
                    cria_segment_file_size(snapshot->parts.items[i].piece->segment->file);
        cria_snapshot_unref(snapshot);
    }
    pthread_mutex_unlock(&search->lock);
    return figures;
}
