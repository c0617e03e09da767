/* sync.c - one sync of one index.
 * Room: ingest; uses store/, search/, model/, the parser host.
 *
 *   pending --> syncing -----------> exporting -------> ready
 *               list, parse, stage   embed, publish
 *
 * Any step may end in failed (the row says why) or be cancelled (ingest.c settles the row).
 * What is parsed is staged in the store batch by batch, invisible, and made live by one transaction
 * together with the index's new generation: a reader sees the old export or the new one, never a
 * mixture. The first build with an embedder publishes twice, words at once and vectors when they
 * are all there, so that a long embedding keeps nobody from asking. */
#include "ingest/sync.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_out.h"
#include "base/log.h"
#include "base/map.h"
#include "ingest/chunk.h"
#include "ingest/embed.h"
#include "ingest/page_items.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "store/blobs.h"

/* Part of every content key: raise it when the same bytes would now give another text. */
#define PARSER_VERSION "2"

enum {
    LIST_WINDOW = 500,
    BATCH_DOCUMENTS = 64,
    BATCH_BYTES = 4 << 20,
    JOB_ARENA_BYTES = 1 << 30,
    MAX_FAILED_LISTED = 100,
    PROGRESS_EVERY_MS = 500
};

enum outcome { TO_PARSE, UNCHANGED, RELABELLED, PARSED, FAILED };

/* One live entry of the source directory and what became of it. */
struct item {
    struct cria_entry source;
    struct cria_file file;
    const struct cria_document *before; /* its live document, or NULL */
    char entry_id[CRIA_ID_SIZE];        /* in the output directory */
    char content_key[CRIA_SHA256_HEX];
    enum outcome outcome;
    char error[CRIA_ERROR_SIZE];
    struct cria_attachments attachments; /* to be written at the export */
};

struct sync {
    struct cria_sync_env *env;
    struct cria_call call; /* of the thread that runs the sync */
    struct cria_arena arena;
    struct cria_str project;
    struct cria_index index; /* the row as we last wrote it */
    const atomic_bool *cancelled;
    struct item **items;
    size_t count, capacity;
    struct cria_map before; /* source entry id -> live document */
    struct cria_str *gone;  /* output entries whose source is no more */
    size_t gone_count;
    uint64_t saved_ns; /* when embedding last told its progress */
    char embedder[CRIA_EMBEDDER_ID_SIZE];
};

/* ---- the index's row ----------------------------------------------------------------------------
 */

struct state_write {
    struct cria_str project;
    const struct cria_index *row;
};

static enum cria_status write_state(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct state_write *write = arg;
    return cria_tx_index_update_state(tx, call, write->project, write->row);
}

static enum cria_status save_state(struct sync *s)
{
    struct state_write write = {s->project, &s->index};
    s->index.updated_at_us = cria_wall_us();
    return cria_store_write(s->env->store, &s->call, write_state, &write);
}

enum cria_status cria_sync_settle_fn(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_sync_settle *settle = arg;
    struct cria_index row;
    enum cria_status st = cria_tx_index_get(tx, call, settle->project, settle->index_id, &row);
    if (st != CRIA_OK) return st;
    st = cria_tx_documents_unstage(tx, call, settle->project, row.id);
    if (st != CRIA_OK) return st;
    row.status = settle->is_forced         ? settle->status
                 : row.last_exported_at_us ? CRIA_INDEX_READY
                                           : settle->no_export_status;
    row.error_message = row.status == CRIA_INDEX_FAILED ? cria_str_from(settle->error_message)
                                                        : (struct cria_str){0};
    row.files_pending = 0;
    row.updated_at_us = cria_wall_us();
    return cria_tx_index_update_state(tx, call, settle->project, &row);
}

/* The sync itself could not be done: the row says why, an earlier export goes on answering. */
static enum cria_status fail_sync(struct sync *s, const char *why)
{
    struct cria_sync_settle settle = {.project = s->project,
                                      .index_id = s->index.id,
                                      .is_forced = true,
                                      .status = CRIA_INDEX_FAILED,
                                      .error_message = why};
    cria_log(CRIA_LOG_WARN, "sync.failed", "index=%.*s why='%s'", CRIA_STR_ARG(s->index.id), why);
    return cria_store_write(s->env->store, &s->call, cria_sync_settle_fn, &settle);
}

/* ---- listing: what there is, what was, what has to be parsed
 * ------------------------------------- */

static enum cria_status load_before(struct sync *s)
{
    struct cria_window window = {.limit = LIST_WINDOW};
    enum cria_status st = CRIA_OK;
    struct cria_document_list page = {.has_more = true};
    while (page.has_more && st == CRIA_OK) {
        struct cria_tx *tx = NULL;
        st = cria_store_read_begin(s->env->store, &s->call, &tx);
        if (st != CRIA_OK) break;
        st = cria_tx_document_list(tx, &s->call, s->project, s->index.id, (struct cria_str){0},
                                   (struct cria_str){0}, &window, &page);
        cria_store_read_end(tx);
        for (size_t i = 0; st == CRIA_OK && i < page.count; i++) {
            struct cria_document *document = (struct cria_document *)(uintptr_t)&page.items[i];
            if (!cria_map_put(&s->before, document->source_entry_id, document))
                st = cria_fail_memory(&s->call);
        }
        if (st == CRIA_OK && page.count) {
            const struct cria_document *last = &page.items[page.count - 1];
            window.after = (struct cria_cursor){
                .is_set = true, .name = last->display_name, .id = last->entry_id};
        }
    }
    return st;
}

static void content_key(const struct sync *s, const struct item *item, char out[CRIA_SHA256_HEX])
{
    struct cria_sha256 hash;
    cria_sha256_init(&hash);
    cria_sha256_add(&hash, CRIA_STR(PARSER_VERSION "\n"));
    cria_sha256_add(&hash, item->file.sha256);
    cria_sha256_add(&hash, CRIA_STR("\n"));
    cria_sha256_add(&hash, s->index.parameters_json);
    cria_sha256_finish_hex(&hash, out);
}

static enum cria_status add_item(struct sync *s, struct cria_tx *tx, const struct cria_entry *entry,
                                 bool always_parse)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 64;
        struct item **grown = CRIA_NEW_ARRAY(&s->arena, capacity, struct item *);
        if (!grown) return cria_fail_memory(&s->call);
        if (s->count) memcpy(grown, s->items, s->count * sizeof(*grown));
        s->items = grown;
        s->capacity = capacity;
    }
    struct item *item = CRIA_NEW(&s->arena, struct item);
    if (!item) return cria_fail_memory(&s->call);
    item->source = *entry;
    enum cria_status st = cria_tx_file_get(tx, &s->call, s->project, entry->file_id, &item->file);
    if (st == CRIA_E_NOT_FOUND) return CRIA_OK; /* deleted since the listing began */
    if (st != CRIA_OK) return st;
    content_key(s, item, item->content_key);
    item->before = cria_map_remove(&s->before, entry->id);
    if (!item->before) {
        cria_id_new("dfl-", item->entry_id);
        item->outcome = TO_PARSE;
    } else {
        cria_str_copy_z(item->before->entry_id, item->entry_id, sizeof(item->entry_id));
        bool same_text = cria_str_is(item->before->content_key, item->content_key) && !always_parse;
        bool same_label = cria_str_equal(item->before->display_name, entry->display_name) &&
                          cria_str_equal(item->before->metadata_json, entry->metadata_json);
        item->outcome = !same_text ? TO_PARSE : same_label ? UNCHANGED : RELABELLED;
    }
    s->items[s->count++] = item;
    return CRIA_OK;
}

static enum cria_status list_source(struct sync *s)
{
    struct cria_entry_query query = {.directory_id = s->index.source_directory_id};
    struct cria_window window = {.limit = LIST_WINDOW};
    struct cria_entry_list page = {.has_more = true};
    const struct cria_json *parameters = NULL;
    const char *why;
    bool always_parse = false;
    enum cria_status st = CRIA_OK;
    if (s->index.parameters_json.len &&
        cria_json_parse(&s->arena, s->index.parameters_json, &parameters, &why) == CRIA_OK)
        always_parse = cria_json_get_bool(parameters, "disable_cache", false);
    while (page.has_more && st == CRIA_OK) {
        struct cria_tx *tx = NULL;
        st = cria_store_read_begin(s->env->store, &s->call, &tx);
        if (st != CRIA_OK) break;
        st = cria_tx_entry_list(tx, &s->call, s->project, &query, &window, &page);
        for (size_t i = 0; st == CRIA_OK && i < page.count; i++)
            if (page.items[i].file_id.ptr) st = add_item(s, tx, &page.items[i], always_parse);
        cria_store_read_end(tx);
        if (st == CRIA_OK && page.count) {
            const struct cria_entry *last = &page.items[page.count - 1];
            window.after =
                (struct cria_cursor){.is_set = true, .at_us = last->created_at_us, .id = last->id};
        }
        if (atomic_load(s->cancelled)) st = CRIA_E_CANCELLED;
    }
    return st;
}

/* What is still in the map has no live source entry any more. */
static enum cria_status list_gone(struct sync *s)
{
    size_t at = 0;
    struct cria_str key;
    void *value;
    s->gone = CRIA_NEW_ARRAY(&s->arena, s->before.count, struct cria_str);
    if (!s->gone) return cria_fail_memory(&s->call);
    while (cria_map_next(&s->before, &at, &key, &value))
        s->gone[s->gone_count++] = ((const struct cria_document *)value)->entry_id;
    return CRIA_OK;
}

/* ---- parsing: several workers take items from one list
 * ------------------------------------------- */

struct work {
    struct sync *sync; /* not used by a worker that comes too late */
    atomic_size_t next;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    unsigned active; /* workers inside */
    unsigned owners; /* sync and submitted jobs; the last one frees */
    bool is_over;    /* no worker may enter any more */
    enum cria_status status;
    char error[CRIA_ERROR_SIZE];
    uint64_t done, failed, saved_ns;
};

struct helper {
    struct cria_job job;
    struct work *work;
};

/* Documents on their way to the store. */
struct batch {
    struct cria_arena arena; /* of everything in it */
    struct cria_call call;
    struct cria_document documents[BATCH_DOCUMENTS];
    struct cria_str texts[BATCH_DOCUMENTS];
    struct cria_chunk_list chunks[BATCH_DOCUMENTS];
    struct item *items[BATCH_DOCUMENTS];
    size_t count, bytes;
    struct cria_str project;
};

static enum cria_status stage(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct batch *batch = arg;
    for (size_t i = 0; i < batch->count; i++) {
        enum cria_status st =
            cria_tx_document_insert(tx, call, batch->project, &batch->documents[i], batch->texts[i],
                                    batch->chunks[i].items, batch->chunks[i].count);
        if (st != CRIA_OK) return st;
    }
    return CRIA_OK;
}

static enum cria_status flush(struct sync *s, struct batch *batch)
{
    enum cria_status st = CRIA_OK;
    if (batch->count) st = cria_store_write(s->env->store, &batch->call, stage, batch);
    for (size_t i = 0; i < batch->count && st == CRIA_OK; i++) batch->items[i]->outcome = PARSED;
    batch->count = batch->bytes = 0;
    cria_arena_reset(&batch->arena);
    return st;
}

static struct cria_str pages_json(struct cria_arena *arena, const struct cria_parsed *parsed)
{
    struct cria_buf buf;
    cria_buf_init(&buf, SIZE_MAX);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_array(&out);
    for (size_t i = 0; i < parsed->page_count; i++) {
        cria_out_array(&out);
        cria_out_int(&out, parsed->pages[i].number);
        cria_out_int(&out, (int64_t)parsed->pages[i].byte_start);
        cria_out_int(&out, (int64_t)parsed->pages[i].char_start);
        cria_out_end(&out);
    }
    cria_out_end(&out);
    struct cria_str text =
        buf.failed ? (struct cria_str){0} : cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

static struct cria_str headings_json(struct cria_arena *arena, const struct cria_parsed *parsed)
{
    struct cria_buf buf;
    cria_buf_init(&buf, SIZE_MAX);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_array(&out);
    for (size_t i = 0; i < parsed->heading_count; i++) {
        const struct cria_parsed_heading *heading = &parsed->headings[i];
        cria_out_array(&out);
        cria_out_int(&out, heading->level);
        cria_out_int(&out, (int64_t)heading->byte_start);
        cria_out_int(&out, (int64_t)heading->byte_end);
        cria_out_int(&out, (int64_t)heading->char_start);
        cria_out_int(&out, (int64_t)heading->char_end);
        cria_out_end(&out);
    }
    cria_out_end(&out);
    struct cria_str text =
        buf.failed ? (struct cria_str){0} : cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

static void describe(const struct sync *s, const struct item *item,
                     const struct cria_parsed *parsed, struct batch *batch, const char *id,
                     struct cria_document *out)
{
    *out = (struct cria_document){
        .id = cria_arena_copy(&batch->arena, cria_str_from(id)),
        .index_id = s->index.id,
        .entry_id = cria_str_from(item->entry_id),
        .source_entry_id = item->source.id,
        .content_key = cria_str_from(item->content_key),
        .display_name = item->source.display_name,
        .metadata_json = item->source.metadata_json,
        .title = parsed->title,
        .format = parsed->format,
        .file_id = item->file.id,
        .sha256 = item->file.sha256,
        .char_count = parsed->char_count,
        .byte_count = parsed->text.len,
        .page_count = parsed->has_pages ? (uint32_t)parsed->page_count : 0,
        .pages_json = pages_json(&batch->arena, parsed),
        .headings_json = headings_json(&batch->arena, parsed),
        .created_at_us = cria_wall_us(),
    };
}

static enum cria_status keep_picture(void *arg, struct cria_call *call, uint32_t page,
                                     struct cria_str jpeg)
{
    char name[40];
    snprintf(name, sizeof(name), "screenshots/page_%u.jpg", page);
    return cria_attachments_keep(arg, call, name, "image/jpeg", page, jpeg);
}

/* Parses and chunks one file into the batch. What the file is to blame for is said in item->error.
 */
static enum cria_status parse_item(struct work *work, struct item *item, struct batch *batch)
{
    struct sync *s = work->sync;
    static const struct cria_chunk_options sizes = CRIA_CHUNK_DEFAULTS;
    struct cria_parsed parsed = {0};
    struct cria_parser_input input = {.file_name = item->file.name,
                                      .media_type = item->file.media_type,
                                      .options_json = s->index.parameters_json,
                                      .fd = -1};
    /* What lies in the sync's arena lives until the export. */
    item->attachments = (struct cria_attachments){.store = s->env->store,
                                                  .project = s->project,
                                                  .entry_id = cria_str_from(item->entry_id),
                                                  .arena = &s->arena,
                                                  .lock = &work->lock};
    if (s->index.keep_screenshots) {
        input.take_picture = keep_picture;
        input.take_arg = &item->attachments;
    }
    char id[CRIA_ID_SIZE], sha[CRIA_SHA256_HEX];
    size_t n = batch->count;
    enum cria_status st;
    if (!cria_str_copy_z(item->file.sha256, sha, sizeof(sha))) return CRIA_E_CORRUPT;
    st = cria_blob_open(s->env->store, &batch->call, s->project, sha, &input.fd, &input.size_bytes);
    if (st == CRIA_OK) st = cria_parser_host_parse(s->env->host, &batch->call, &input, &parsed);
    if (st == CRIA_OK) st = cria_chunk_text(&batch->arena, &parsed, &sizes, &batch->chunks[n]);
    if (st == CRIA_OK && s->index.keep_items)
        st = cria_page_items_keep(&item->attachments, &batch->call, &parsed);
    if (st != CRIA_OK) {
        cria_str_copy_z(
            cria_str_from(batch->call.error[0] ? batch->call.error : "the file could not be read"),
            item->error, sizeof(item->error));
        return st;
    }
    cria_id_new("doc-", id);
    describe(s, item, &parsed, batch, id, &batch->documents[n]);
    batch->documents[n].chunk_count = (uint32_t)batch->chunks[n].count;
    batch->texts[n] = parsed.text;
    batch->items[n] = item;
    batch->bytes += parsed.text.len;
    batch->count++;
    return batch->arena.failed ? cria_fail_memory(&batch->call) : CRIA_OK;
}

/* A file's own fault must not stop the others; ours, the disk's or a cancel must. */
static bool is_file_fault(enum cria_status st)
{
    return st != CRIA_OK && st != CRIA_E_CANCELLED && st != CRIA_E_NO_SPACE &&
           st != CRIA_E_UNAVAILABLE;
}

/* Tells progress now and then; one worker at a time. */
static void note_done(struct work *work, bool is_failed)
{
    struct sync *s = work->sync;
    pthread_mutex_lock(&work->lock);
    work->done++;
    work->failed += is_failed;
    uint64_t now = cria_now_ns();
    if (now - work->saved_ns > (uint64_t)PROGRESS_EVERY_MS * 1000000) {
        work->saved_ns = now;
        s->index.files_failed = (int64_t)work->failed;
        s->index.files_pending = (int64_t)(s->count - work->done);
        s->index.files_succeeded = (int64_t)(work->done - work->failed);
        if (save_state(s) == CRIA_E_NOT_FOUND) work->status = CRIA_E_CANCELLED;
    }
    pthread_mutex_unlock(&work->lock);
    atomic_fetch_add(is_failed ? &s->env->files_failed : &s->env->files_done, 1);
}

static void stop_work(struct work *work, enum cria_status st, const char *error)
{
    pthread_mutex_lock(&work->lock);
    if (work->status == CRIA_OK) {
        work->status = st;
        cria_str_copy_z(cria_str_from(error), work->error, sizeof(work->error));
    }
    pthread_mutex_unlock(&work->lock);
}

static bool is_stopped(struct work *work)
{
    pthread_mutex_lock(&work->lock);
    bool stopped = work->status != CRIA_OK || atomic_load(work->sync->cancelled);
    pthread_mutex_unlock(&work->lock);
    return stopped;
}

static void work_through(struct work *work)
{
    struct sync *s = work->sync;
    struct batch *batch = calloc(1, sizeof(*batch));
    enum cria_status st = batch ? CRIA_OK : CRIA_E_NO_MEMORY;
    if (!batch) {
        stop_work(work, st, "out of memory");
        return;
    }
    cria_arena_init(&batch->arena, JOB_ARENA_BYTES);
    cria_call_init(&batch->call, &batch->arena);
    batch->call.principal = s->call.principal;
    batch->call.cancelled = s->cancelled;
    batch->project = s->project;
    while (st == CRIA_OK && !is_stopped(work)) {
        size_t n = atomic_fetch_add(&work->next, 1);
        if (n >= s->count) break;
        struct item *item = s->items[n];
        if (item->outcome == TO_PARSE) {
            st = parse_item(work, item, batch);
            if (is_file_fault(st)) {
                item->outcome = FAILED;
                batch->call.error[0] = '\0';
                st = CRIA_OK;
            }
        }
        if (st == CRIA_OK) note_done(work, item->outcome == FAILED);
        if (st == CRIA_OK && (batch->count == BATCH_DOCUMENTS || batch->bytes > BATCH_BYTES))
            st = flush(s, batch);
    }
    if (st == CRIA_OK) st = flush(s, batch);
    if (st != CRIA_OK) stop_work(work, st, batch->call.error);
    cria_arena_release(&batch->arena);
    free(batch);
}

static void leave(struct work *work)
{
    pthread_mutex_lock(&work->lock);
    bool last = --work->owners == 0;
    pthread_mutex_unlock(&work->lock);
    if (!last) return;
    pthread_cond_destroy(&work->idle);
    pthread_mutex_destroy(&work->lock);
    free(work);
}

static void help(struct cria_job *job)
{
    struct helper *helper = CRIA_CONTAINER(job, struct helper, job);
    struct work *work = helper->work;
    free(helper);
    pthread_mutex_lock(&work->lock);
    bool enters = !work->is_over;
    if (enters) work->active++;
    pthread_mutex_unlock(&work->lock);
    if (enters) {
        work_through(work);
        pthread_mutex_lock(&work->lock);
        if (--work->active == 0) pthread_cond_signal(&work->idle);
        pthread_mutex_unlock(&work->lock);
    }
    leave(work);
}

static size_t count_outcome(const struct sync *s, enum outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) count += s->items[i]->outcome == outcome;
    return count;
}

/* Parses everything that has to be; other workers of the pool join in when they are free. */
static enum cria_status parse_all(struct sync *s)
{
    size_t to_parse = count_outcome(s, TO_PARSE);
    struct work *work = calloc(1, sizeof(*work));
    if (!work) return cria_fail_memory(&s->call);
    work->sync = s;
    work->owners = 1;
    work->saved_ns = cria_now_ns();
    pthread_mutex_init(&work->lock, NULL);
    pthread_cond_init(&work->idle, NULL);
    for (unsigned i = 0; i < s->env->helpers && i + 1 < to_parse; i++) {
        struct helper *helper = calloc(1, sizeof(*helper));
        if (!helper) break;
        helper->work = work;
        helper->job.run = help;
        pthread_mutex_lock(&work->lock);
        work->owners++;
        pthread_mutex_unlock(&work->lock);
        cria_pool_submit(s->env->pool, &helper->job);
    }
    work_through(work);
    pthread_mutex_lock(&work->lock);
    work->is_over = true;
    while (work->active) pthread_cond_wait(&work->idle, &work->lock);
    enum cria_status st = work->status;
    if (st != CRIA_OK) cria_fail(&s->call, st, "%s", work->error);
    pthread_mutex_unlock(&work->lock);
    leave(work);
    return atomic_load(s->cancelled) ? CRIA_E_CANCELLED : st;
}

/* ---- the export
 * ------------------------------------------------------------------------------------ */

static enum cria_status publish_item(struct cria_tx *tx, struct cria_call *call,
                                     const struct sync *s, const struct item *item)
{
    struct cria_str entry_id = cria_str_from(item->entry_id);
    enum cria_status st = CRIA_OK;
    if (item->outcome == UNCHANGED || item->outcome == FAILED) return CRIA_OK;
    if (item->outcome == RELABELLED)
        st = cria_tx_document_relabel(tx, call, s->project, s->index.id, entry_id,
                                      item->source.display_name, item->source.metadata_json);
    struct cria_entry row = {.id = entry_id,
                             .directory_id = s->index.output_directory_id,
                             .display_name = item->source.display_name,
                             .unique_id =
                                 item->source.id, /* unique whatever is renamed meanwhile */
                             .file_id = item->source.file_id,
                             .metadata_json = item->source.metadata_json,
                             .source_entry_id = item->source.id,
                             .created_at_us = s->index.last_exported_at_us,
                             .updated_at_us = s->index.last_exported_at_us};
    if (st == CRIA_OK && !item->before)
        st = cria_tx_entry_insert(tx, call, s->project, &row);
    else if (st == CRIA_OK)
        st = cria_tx_entry_update(tx, call, s->project, &row);
    if (st != CRIA_OK || item->outcome != PARSED) return st;
    st = cria_tx_attachments_clear(tx, call, s->project, entry_id);
    for (size_t i = 0; st == CRIA_OK && i < item->attachments.count; i++)
        st = cria_tx_attachment_put(tx, call, s->project, &item->attachments.rows[i]);
    return st;
}

static enum cria_status publish(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct sync *s = arg;
    int64_t now = s->index.last_exported_at_us;
    enum cria_status st = CRIA_OK;
    /* Entries that go first: one that comes may bear a unique_id that they held. */
    for (size_t i = 0; st == CRIA_OK && i < s->gone_count; i++) {
        st = cria_tx_entry_delete(tx, call, s->project, s->index.output_directory_id, s->gone[i],
                                  now);
        if (st == CRIA_E_NOT_FOUND) st = CRIA_OK;
        if (st == CRIA_OK) st = cria_tx_attachments_clear(tx, call, s->project, s->gone[i]);
    }
    if (st == CRIA_OK)
        st = cria_tx_documents_publish(tx, call, s->project, s->index.id, s->gone, s->gone_count);
    for (size_t i = 0; st == CRIA_OK && i < s->count; i++)
        st = publish_item(tx, call, s, s->items[i]);
    if (st == CRIA_OK) st = cria_tx_index_update_state(tx, call, s->project, &s->index);
    return st;
}

static enum cria_status list_failed(struct sync *s, const char **first_error)
{
    struct cria_buf buf;
    size_t listed = 0;
    cria_buf_init(&buf, SIZE_MAX);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_array(&out);
    for (size_t i = 0; i < s->count && listed < MAX_FAILED_LISTED; i++) {
        if (s->items[i]->outcome != FAILED) continue;
        if (listed++ == 0) *first_error = s->items[i]->error;
        cria_out_object(&out);
        cria_out_member_str(&out, "directory_file_id", s->items[i]->source.id);
        cria_out_member_z(&out, "error", s->items[i]->error);
        cria_out_end(&out);
    }
    cria_out_end(&out);
    s->index.failed_files_json = cria_arena_copy(&s->arena, cria_buf_str(&buf));
    bool failed = buf.failed || !s->index.failed_files_json.ptr;
    cria_buf_release(&buf);
    return failed ? cria_fail_memory(&s->call) : CRIA_OK;
}

static bool tell_embedding(void *arg, uint64_t documents_left)
{
    struct sync *s = arg;
    uint64_t now = cria_now_ns();
    int64_t left = documents_left < INT64_MAX ? (int64_t)documents_left : INT64_MAX;
    int64_t read = s->index.files_total - s->index.files_failed;
    if (now - s->saved_ns < (uint64_t)PROGRESS_EVERY_MS * 1000000) return true;
    s->saved_ns = now;
    s->index.files_pending = left < read ? left : read;
    s->index.files_succeeded = read - s->index.files_pending;
    return save_state(s) != CRIA_E_NOT_FOUND;
}

static bool is_embedded(const struct sync *s)
{
    return s->env->embedder && s->index.has_vectors;
}

static enum cria_status embed(struct sync *s)
{
    struct cria_embed_figures figures = {0};
    const struct cria_embed_options options = {.store = s->env->store,
                                               .embedder = s->env->embedder,
                                               .project = s->project,
                                               .index = &s->index,
                                               .on_progress = tell_embedding,
                                               .arg = s};
    enum cria_status st = cria_embed_index(&options, &s->call, s->embedder, &figures);
    cria_log(CRIA_LOG_INFO, "sync.embedded", "index=%.*s sent=%llu copied=%llu status=%s",
             CRIA_STR_ARG(s->index.id), (unsigned long long)figures.sent,
             (unsigned long long)figures.copied, cria_status_name(st));
    /* What was embedded before a failure is kept, and so is whose vectors it is. */
    bool is_remembered = s->embedder[0] && (st == CRIA_OK || figures.sent || figures.copied);
    if (is_remembered) s->index.embedder = cria_str_from(s->embedder);
    s->index.files_pending = 0;
    s->index.files_succeeded = s->index.files_total - s->index.files_failed;
    if (st != CRIA_OK && is_remembered && save_state(s) == CRIA_E_NOT_FOUND)
        return CRIA_E_NOT_FOUND;
    return st;
}

static void refresh(struct sync *s)
{
    if (cria_search_refresh(s->env->search, &s->call, s->project, s->index.id,
                            s->index.generation) != CRIA_OK)
        cria_log(CRIA_LOG_WARN, "sync.refresh", "index=%.*s why='%s'", CRIA_STR_ARG(s->index.id),
                 s->call.error);
}

static enum cria_status write_documents(struct sync *s)
{
    return cria_store_write(s->env->store, &s->call, publish, s);
}

/* A generation of its own. It is called ready when it can be searched, and not before; meanwhile
 * questions are answered by the one before it. */
static enum cria_status export_by(struct sync *s, enum cria_status (*write)(struct sync *s))
{
    struct cria_collection *held =
        cria_search_export_begin(s->env->search, s->project, s->index.id);
    s->index.status = CRIA_INDEX_EXPORTING;
    s->index.generation++;
    s->index.last_exported_at_us = s->index.updated_at_us = cria_wall_us();
    enum cria_status st = write(s);
    if (st == CRIA_OK) refresh(s);
    cria_search_export_end(s->env->search, held);
    return st;
}

/* Vectors for what is live already. */
static enum cria_status add_vectors(struct sync *s)
{
    enum cria_status st = embed(s);
    if (st == CRIA_OK) st = save_state(s); /* whose vectors they are: else nobody takes them */
    if (st == CRIA_OK)
        st = cria_search_add_vectors(s->env->search, &s->call, s->project, s->index.id);
    return st == CRIA_OK ? export_by(s, save_state) : st;
}

static enum cria_status fail_all(struct sync *s, const char *first_error)
{
    s->index.status = CRIA_INDEX_FAILED;
    s->index.error_message =
        s->count == 1
            ? cria_arena_printf(&s->arena, "The file could not be read: %s", first_error)
            : cria_arena_printf(&s->arena, "None of the %zu files could be read. The first one: %s",
                                s->count, first_error);
    return save_state(s);
}

static enum cria_status export_index(struct sync *s)
{
    const char *first_error = "";
    enum cria_status st = list_failed(s, &first_error);
    if (st != CRIA_OK) return st;
    s->index.files_failed = (int64_t)count_outcome(s, FAILED);
    s->index.files_succeeded = s->index.files_total - s->index.files_failed;
    s->index.files_pending = 0;
    if (s->count && s->index.files_succeeded == 0) return fail_all(s, first_error);
    s->index.error_message = (struct cria_str){0};
    bool is_first = !s->index.last_exported_at_us;
    if (!is_first) {
        s->index.status = CRIA_INDEX_EXPORTING;
        st = save_state(s);
        if (st == CRIA_OK && is_embedded(s)) st = embed(s);
    }
    if (st == CRIA_OK) st = export_by(s, write_documents);
    if (st == CRIA_OK && is_first && is_embedded(s)) st = add_vectors(s);
    if (st != CRIA_OK) return st;
    s->index.status = CRIA_INDEX_READY;
    s->index.last_synced_at_us = cria_wall_us();
    return save_state(s);
}

/* ---- the whole
 * --------------------------------------------------------------------------------------- */

static enum cria_status begin(struct sync *s, struct cria_str index_id)
{
    struct cria_tx *tx = NULL;
    struct cria_directory source;
    enum cria_status st = cria_store_read_begin(s->env->store, &s->call, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_index_get(tx, &s->call, s->project, index_id, &s->index);
    enum cria_status found = CRIA_OK;
    if (st == CRIA_OK)
        found =
            cria_tx_directory_get(tx, &s->call, s->project, s->index.source_directory_id, &source);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    if (found == CRIA_OK && is_embedded(s))
        found = cria_embed_check(s->env->embedder, &s->call, &s->index);
    s->index.status = CRIA_INDEX_SYNCING;
    s->index.error_message = (struct cria_str){0};
    st = save_state(s);
    return st != CRIA_OK ? st : found;
}

static enum cria_status run(struct sync *s, struct cria_str index_id)
{
    enum cria_status st = begin(s, index_id);
    if (st == CRIA_E_NOT_FOUND && s->index.id.ptr)
        return fail_sync(s, "The source directory was deleted");
    if (st != CRIA_OK) return st;
    st = load_before(s);
    if (st == CRIA_OK) st = list_source(s);
    if (st == CRIA_OK) st = list_gone(s);
    if (st != CRIA_OK) return st;
    s->index.files_total = s->index.files_pending = (int64_t)s->count;
    s->index.files_succeeded = s->index.files_failed = 0;
    st = save_state(s);
    if (st == CRIA_OK) st = parse_all(s);
    if (st == CRIA_OK) st = export_index(s);
    return st;
}

enum cria_status cria_sync_run(struct cria_sync_env *env, struct cria_str project,
                               struct cria_str index_id, const atomic_bool *cancelled)
{
    struct sync s = {.env = env, .project = project, .cancelled = cancelled};
    uint64_t started = cria_now_ns();
    cria_arena_init(&s.arena, JOB_ARENA_BYTES);
    cria_call_init(&s.call, &s.arena);
    s.call.cancelled = cancelled;
    cria_str_copy_z(project, s.call.principal.project_id, sizeof(s.call.principal.project_id));
    enum cria_status st = run(&s, index_id);
    if (st == CRIA_OK)
        cria_log(CRIA_LOG_INFO, "sync.done", "index=%.*s status=%s files=%lld failed=%lld ms=%llu",
                 CRIA_STR_ARG(index_id), cria_index_status_name(s.index.status),
                 (long long)s.index.files_total, (long long)s.index.files_failed,
                 (unsigned long long)((cria_now_ns() - started) / 1000000));
    else if (st != CRIA_E_CANCELLED && st != CRIA_E_NOT_FOUND)
        st = fail_sync(&s, s.call.error[0] ? s.call.error : "The sync could not be finished");
    for (size_t i = 0; i < s.count; i++) cria_attachments_end(&s.items[i]->attachments, &s.call);
    cria_map_release(&s.before);
    cria_arena_release(&s.arena);
    return st;
}
