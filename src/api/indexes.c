/* indexes.c - searchable exports built from a source directory. */
#include "api/indexes.h"

#include <stdio.h>

#include "api/configurations.h"
#include "api/directories.h"
#include "api/handlers.h"
#include "api/once.h"
#include "api/page.h"
#include "platform/clock.h"

/* ---- rendering and look-up */

static bool is_unfinished(const struct cria_index *row)
{
    switch (row->status) {
    case CRIA_INDEX_PENDING:
    case CRIA_INDEX_SYNCING:
    case CRIA_INDEX_EXPORTING: return true;
    case CRIA_INDEX_READY:
    case CRIA_INDEX_FAILED: return false;
    }
    cria_unreachable();
}

static void write_metadata(struct cria_json_out *out, const struct cria_index *row)
{
    bool has_failed = row->status == CRIA_INDEX_FAILED;
    cria_out_object(out);
    cria_out_member_z(out, "status", cria_index_status_name(row->status));
    cria_out_member_opt(out, "error_message",
                        has_failed ? row->error_message : (struct cria_str){0});
    cria_out_name(out, "file_counts");
    cria_out_object(out);
    cria_out_member_int(out, "total", row->files_total);
    cria_out_member_int(out, "succeeded", row->files_succeeded);
    cria_out_member_int(out, "failed", row->files_failed);
    cria_out_member_int(out, "pending", row->files_pending);
    cria_out_end(out);
    cria_out_member_raw(out, "failed_files",
                        row->failed_files_json.len ? row->failed_files_json : CRIA_STR("[]"));
    cria_out_end(out);
}

/* A member of another id of the same UUID: "exp-…" of "idx-…". */
static void write_twin(struct cria_json_out *out, const char *name, const char *prefix,
                       struct cria_str id)
{
    char text[CRIA_ID_SIZE];
    struct cria_str uuid = cria_str_sub(id, 4, id.len);
    snprintf(text, sizeof(text), "%s%.*s", prefix, CRIA_STR_ARG(uuid));
    cria_out_member_z(out, name, text);
}

static void write_index(struct cria_json_out *out, struct cria_str project,
                        const struct cria_index *row, bool shows_progress)
{
    cria_out_object(out);
    cria_out_member_str(out, "id", row->id);
    write_twin(out, "export_config_id", "exp-", row->id);
    cria_out_member_str(out, "name", row->name);
    cria_out_member_str(out, "output_directory_id", row->output_directory_id);
    cria_out_member_str(out, "project_id", project);
    cria_out_member_str(out, "source_directory_id", row->source_directory_id);
    write_twin(out, "sync_config_id", "syn-", row->id);
    cria_out_member_time(out, "created_at", row->created_at_us);
    cria_out_member_time(out, "updated_at", row->updated_at_us);
    cria_out_member_opt(out, "description", row->description);
    cria_out_member_time(out, "last_synced_at", row->last_synced_at_us);
    cria_out_member_time(out, "last_exported_at", row->last_exported_at_us);
    cria_out_name(out, "metadata");
    write_metadata(out, row);
    if (shows_progress)
        cria_out_member_bool(out, "sync_in_progress", is_unfinished(row));
    else
        cria_out_member_null(out, "sync_in_progress");
    cria_out_end(out);
}

enum cria_status cria_index_load(struct cria_exchange *ex, struct cria_str id,
                                 struct cria_index *out)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK) st = cria_tx_index_get(tx, &ex->call, cria_project_of(ex), id, out);
    cria_store_read_end(tx);
    return cria_named(&ex->call, st, "Index not found");
}

enum cria_status cria_index_load_exported(struct cria_exchange *ex, struct cria_str id,
                                          struct cria_index *out)
{
    enum cria_status st = cria_index_load(ex, id, out);
    if (st != CRIA_OK || out->last_exported_at_us) return st;
    return cria_fail_final(&ex->call, CRIA_E_CONFLICT, "This index has no export yet");
}

/* ---- create */

struct creation {
    struct cria_exchange *ex;
    struct cria_str config_id, output_id; /* config {NULL,0}: default parsing */
    struct cria_index row;
};

static enum cria_status insert_output(struct cria_tx *tx, struct cria_call *call,
                                      const struct creation *creation)
{
    const struct cria_index *row = &creation->row;
    struct cria_directory directory = {.id = row->output_directory_id,
                                       .name = row->name,
                                       .type = CRIA_STR("index"),
                                       .index_id = row->id,
                                       .created_at_us = row->created_at_us,
                                       .updated_at_us = row->created_at_us};
    return cria_tx_directory_insert(tx, call, cria_project_of(creation->ex), &directory);
}

static enum cria_status insert(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct creation *creation = arg;
    struct cria_str project = cria_project_of(creation->ex);
    struct cria_index *row = &creation->row;
    struct cria_directory source;
    struct cria_configuration config;
    enum cria_status st = cria_directory_find(tx, call, project, row->source_directory_id, &source);
    if (st == CRIA_OK && cria_str_is(source.type, "index"))
        st = cria_fail(call, CRIA_E_BAD_REQUEST, "The output of an index cannot be a source");
    if (st == CRIA_OK && creation->config_id.ptr) {
        st = cria_configuration_find(tx, call, project, creation->config_id, &config);
        if (st == CRIA_OK && !cria_str_is(config.product_type, "parse_v2"))
            st = cria_fail(call, CRIA_E_BAD_REQUEST, "This configuration is not for parsing");
        if (st == CRIA_OK) row->parameters_json = config.parameters_json;
    }
    if (st != CRIA_OK) return st;
    if (!row->name.ptr) row->name = source.name;
    row->created_at_us = row->updated_at_us = cria_wall_us();
    st = insert_output(tx, call, creation);
    return st == CRIA_OK ? cria_tx_index_insert(tx, call, project, row) : st;
}

static void render(struct cria_exchange *ex, const void *arg)
{
    const struct creation *creation = arg;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_index(&out, cria_project_of(ex), &creation->row, false);
}

/* At most one product of each type, and parse is the only type here. */
static void read_products(struct cria_check *check, struct creation *creation)
{
    static const char *const types[] = {"parse"};
    struct cria_value list, id_at;
    size_t type;
    if (!cria_member_list(&check->body, "products", CRIA_NULLABLE, SIZE_MAX, &list)) return;
    for (size_t i = 0; i < list.json->count; i++) {
        struct cria_value item = cria_value_nth(&list, i);
        if (!cria_value_object(&item)) continue;
        cria_member_word(&item, "product_type", CRIA_REQUIRED, types, CRIA_COUNT(types), &type);
        if (cria_member_any(&item, "product_config_id", CRIA_REQUIRED, &id_at))
            cria_value_str(&id_at, 0, SIZE_MAX, &creation->config_id);
    }
    if (list.json->count > 1) cria_check_error(check, &list, "at most one entry per product type");
    struct cria_json_out out = cria_json_out_to(&check->ex->body);
    cria_out_json(&out, list.json);
    creation->row.products_json =
        cria_arena_copy(check->ex->call.arena, cria_buf_str(&check->ex->body));
    cria_buf_clear(&check->ex->body);
}

static void read_attachments(struct cria_check *check, struct cria_index *row)
{
    static const char *const kinds[] = {"screenshots", "items"};
    struct cria_value list;
    struct cria_str text;
    size_t kind;
    if (!cria_member_list(&check->body, "store_attachments", CRIA_NULLABLE, SIZE_MAX, &list))
        return;
    for (size_t i = 0; i < list.json->count; i++) {
        struct cria_value item = cria_value_nth(&list, i);
        if (!cria_value_str(&item, 0, SIZE_MAX, &text) ||
            !cria_value_word(&item, kinds, CRIA_COUNT(kinds), &kind))
            continue;
        *(kind == 0 ? &row->keep_screenshots : &row->keep_items) = true;
    }
}

static enum cria_status create_index(struct cria_exchange *ex)
{
    static const char *const frequencies[] = {"manual", "daily", "on_source_change"};
    static const char *const targets[] = {"DEFAULT", "DISABLED"};
    struct cria_check check;
    struct creation creation = {.ex = ex};
    struct cria_index *row = &creation.row;
    struct cria_once once;
    size_t frequency = 0, target = 0;
    struct cria_value at;
    struct cria_str text;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "source_directory_id", CRIA_REQUIRED, 0, SIZE_MAX,
                    &row->source_directory_id);
    cria_member_str(&check.body, "name", CRIA_NULLABLE, 0, SIZE_MAX, &row->name);
    cria_member_str(&check.body, "description", CRIA_NULLABLE, 0, SIZE_MAX, &row->description);
    read_products(&check, &creation);
    read_attachments(&check, row);
    if (cria_member_any(&check.body, "sync_frequency", CRIA_OPTIONAL, &at) &&
        cria_value_str(&at, 0, SIZE_MAX, &text))
        cria_value_word(&at, frequencies, CRIA_COUNT(frequencies), &frequency);
    cria_member_word(&check.body, "vector_target", CRIA_OPTIONAL, targets, CRIA_COUNT(targets),
                     &target);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    row->id = cria_fresh_id(&ex->call, "idx-");
    row->output_directory_id = cria_fresh_id(&ex->call, "dir-");
    row->sync_frequency = cria_str_from(frequencies[frequency]);
    row->has_vectors = target == 0;
    row->status = CRIA_INDEX_PENDING;
    row->failed_files_json = CRIA_STR("[]");
    if (ex->call.arena->failed) return cria_fail_memory(&ex->call);
    st = cria_once_init(&once, ex, insert, &creation, render);
    if (st == CRIA_OK) st = cria_once_run(&once);
    if (st == CRIA_OK && !once.is_replay)
        cria_ingest_queue(cria_app_of(ex)->ingest, cria_project_of(ex), row->id);
    return st;
}
CRIA_HANDLER(create_index)

/* ---- list and get */

static enum cria_status list_indexes(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_index_list rows;
    struct cria_tx *tx = NULL;
    struct cria_str source = {0};
    cria_check_init(&check, ex);
    cria_page_init(&page, &check);
    cria_param_str(&check, "source_directory_id", CRIA_OPTIONAL, &source);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    cria_page_bind(&page, source);
    st = cria_page_open(&page);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st = cria_tx_index_list(tx, &ex->call, cria_project_of(ex), source, &page.window, &rows);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < rows.count; i++) {
        write_index(&out, cria_project_of(ex), &rows.items[i], false);
        last.at_us = rows.items[i].created_at_us;
        last.id = rows.items[i].id;
    }
    cria_page_end(&page, &out, rows.has_more ? &last : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(list_indexes)

static enum cria_status get_index(struct cria_exchange *ex)
{
    static const char *const expansions[] = {"sync_in_progress"};
    struct cria_check check;
    struct cria_index row;
    const struct cria_str *asked;
    size_t count = 0;
    cria_check_init(&check, ex);
    cria_param_list(&check, "expand", false, expansions, CRIA_COUNT(expansions), &asked, &count);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_index_load(ex, ex->request.path_values[0], &row);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_index(&out, cria_project_of(ex), &row, count > 0);
    return CRIA_OK;
}
CRIA_HANDLER(get_index)

/* ---- delete, sync, cancel */

struct removal {
    struct cria_exchange *ex;
    struct cria_str id;
};

static enum cria_status delete_row(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct removal *removal = arg;
    return cria_tx_index_delete(tx, call, cria_project_of(removal->ex), removal->id);
}

static enum cria_status delete_index(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_index row;
    struct cria_app *app = cria_app_of(ex);
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_index_load(ex, ex->request.path_values[0], &row);
    if (st != CRIA_OK) return st;
    struct removal removal = {.ex = ex, .id = row.id};
    cria_ingest_stop(app->ingest, cria_project_of(ex), row.id);
    st = cria_store_write_freeing(app->store, &ex->call, delete_row, &removal);
    if (st != CRIA_OK) return cria_named(&ex->call, st, "Index not found");
    cria_search_forget(app->search, cria_project_of(ex), row.id);
    ex->status = 204;
    return CRIA_OK;
}
CRIA_HANDLER(delete_index)

/* Both answer with an empty object. */
static enum cria_status change_sync(struct cria_exchange *ex,
                                    enum cria_status (*change)(struct cria_ingest *ingest,
                                                               struct cria_call *call,
                                                               struct cria_str project,
                                                               struct cria_str index_id))
{
    struct cria_check check;
    struct cria_index row;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_index_load(ex, ex->request.path_values[0], &row);
    if (st == CRIA_OK) st = change(cria_app_of(ex)->ingest, &ex->call, cria_project_of(ex), row.id);
    if (st == CRIA_OK) cria_buf_add(&ex->body, CRIA_STR("{}"));
    return cria_named(&ex->call, st, "Index not found");
}

static enum cria_status sync_index(struct cria_exchange *ex)
{
    return change_sync(ex, cria_ingest_sync);
}
CRIA_HANDLER(sync_index)

static enum cria_status cancel_index_sync(struct cria_exchange *ex)
{
    return change_sync(ex, cria_ingest_cancel);
}
CRIA_HANDLER(cancel_index_sync)
