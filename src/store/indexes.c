/* indexes.c - indexes and the state of their builds. */
#include "store/query.h"
#include "store/records.h"

#define INDEX                                                                                 \
    "id, name, description, source_directory_id, output_directory_id, products, parameters, " \
    "keep_screenshots, "                                                                      \
    "keep_items, sync_frequency, has_vectors, status, error_message, files_total, "           \
    "files_succeeded, "                                                                       \
    "files_failed, files_pending, failed_files, generation, created_at, updated_at, "         \
    "last_synced_at, "                                                                        \
    "last_exported_at, embedder"

enum { DAY_S = 86400, QUIET_S = 30 };

const char *cria_index_status_name(enum cria_index_status status)
{
    switch (status) {
    case CRIA_INDEX_PENDING: return "pending";
    case CRIA_INDEX_SYNCING: return "syncing";
    case CRIA_INDEX_EXPORTING: return "exporting";
    case CRIA_INDEX_READY: return "ready";
    case CRIA_INDEX_FAILED: return "failed";
    }
    cria_unreachable();
}

enum cria_status cria_tx_index_insert(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, const struct cria_index *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO indexes(project_id, " INDEX
                             ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->name);
    cria_query_str(&q, row->description);
    cria_query_str(&q, row->source_directory_id);
    cria_query_str(&q, row->output_directory_id);
    cria_query_str(&q, row->products_json);
    cria_query_str(&q, row->parameters_json);
    cria_query_int(&q, row->keep_screenshots);
    cria_query_int(&q, row->keep_items);
    cria_query_str(&q, row->sync_frequency);
    cria_query_int(&q, row->has_vectors);
    cria_query_int(&q, row->status);
    cria_query_str(&q, row->error_message);
    cria_query_int(&q, row->files_total);
    cria_query_int(&q, row->files_succeeded);
    cria_query_int(&q, row->files_failed);
    cria_query_int(&q, row->files_pending);
    cria_query_str(&q, row->failed_files_json.ptr ? row->failed_files_json : CRIA_STR("[]"));
    cria_query_int(&q, row->generation);
    cria_query_int(&q, row->created_at_us);
    cria_query_int(&q, row->updated_at_us);
    cria_query_int(&q, row->last_synced_at_us);
    cria_query_int(&q, row->last_exported_at_us);
    cria_query_str(&q, row->embedder);
    return cria_query_run(&q);
}

static void read_index(struct cria_query *q, struct cria_index *out)
{
    out->id = cria_query_get_str(q);
    out->name = cria_query_get_str(q);
    out->description = cria_query_get_str(q);
    out->source_directory_id = cria_query_get_str(q);
    out->output_directory_id = cria_query_get_str(q);
    out->products_json = cria_query_get_str(q);
    out->parameters_json = cria_query_get_str(q);
    out->keep_screenshots = cria_query_get_int(q) != 0;
    out->keep_items = cria_query_get_int(q) != 0;
    out->sync_frequency = cria_query_get_str(q);
    out->has_vectors = cria_query_get_int(q) != 0;
    out->status = (enum cria_index_status)cria_query_get_int(q);
    out->error_message = cria_query_get_str(q);
    out->files_total = cria_query_get_int(q);
    out->files_succeeded = cria_query_get_int(q);
    out->files_failed = cria_query_get_int(q);
    out->files_pending = cria_query_get_int(q);
    out->failed_files_json = cria_query_get_str(q);
    out->generation = cria_query_get_int(q);
    out->created_at_us = cria_query_get_int(q);
    out->updated_at_us = cria_query_get_int(q);
    out->last_synced_at_us = cria_query_get_int(q);
    out->last_exported_at_us = cria_query_get_int(q);
    out->embedder = cria_query_get_str(q);
}

enum cria_status cria_tx_index_get(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, struct cria_str id,
                                   struct cria_index *out)
{
    struct cria_query q;
    if (cria_str_starts(id, "exp-")) { /* the other spelling of the same index */
        id = cria_arena_printf(call->arena, "idx-%.*s", CRIA_STR_ARG(cria_str_sub(id, 4, 200)));
        if (!id.ptr) return cria_fail_memory(call);
    }
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " INDEX " FROM indexes WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    bool found = cria_query_next(&q);
    if (found) read_index(&q, out);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_index_list(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_str project, struct cria_str source_directory_id,
                                    const struct cria_window *window, struct cria_index_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    const struct cria_cursor *after = &window->after;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " INDEX " FROM indexes WHERE project_id = ?"
                             " AND (? IS NULL OR source_directory_id = ?)"
                             " AND (? = 0 OR created_at < ? OR (created_at = ? AND id < ?))"
                             " ORDER BY created_at DESC, id DESC LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, source_directory_id);
    cria_query_str(&q, source_directory_id);
    cria_query_int(&q, after->is_set);
    cria_query_int(&q, after->at_us);
    cria_query_int(&q, after->at_us);
    cria_query_str(&q, after->id);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_index *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_index(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}

enum cria_status cria_tx_index_update_state(struct cria_tx *tx, struct cria_call *call,
                                            struct cria_str project, const struct cria_index *row)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("UPDATE indexes SET status = ?, error_message = ?, files_total = ?,"
                 " files_succeeded = ?, files_failed = ?, files_pending = ?, failed_files = ?,"
                 " generation = ?, updated_at = ?, last_synced_at = ?, last_exported_at = ?,"
                 " embedder = ?"
                 " WHERE project_id = ? AND id = ?"));
    cria_query_int(&q, row->status);
    cria_query_str(&q, row->error_message);
    cria_query_int(&q, row->files_total);
    cria_query_int(&q, row->files_succeeded);
    cria_query_int(&q, row->files_failed);
    cria_query_int(&q, row->files_pending);
    cria_query_str(&q, row->failed_files_json.ptr ? row->failed_files_json : CRIA_STR("[]"));
    cria_query_int(&q, row->generation);
    cria_query_int(&q, row->updated_at_us);
    cria_query_int(&q, row->last_synced_at_us);
    cria_query_int(&q, row->last_exported_at_us);
    cria_query_str(&q, row->embedder);
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    return cria_query_run_one(&q);
}

/* Runs statements that each want (project, id). */
static enum cria_status run_each(struct cria_tx *tx, struct cria_call *call,
                                 const char *const *statements, size_t count,
                                 struct cria_str project, struct cria_str id)
{
    enum cria_status st = CRIA_OK;
    for (size_t i = 0; i < count && st == CRIA_OK; i++) {
        struct cria_query q;
        cria_query_open(&q, tx, call, cria_str_from(statements[i]));
        cria_query_str(&q, project);
        cria_query_str(&q, id);
        st = cria_query_run(&q);
    }
    return st;
}

enum cria_status cria_tx_index_delete(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str id)
{
    static const char *const of_index[] = {
        "DELETE FROM chunks WHERE project_id = ?1 AND document_id IN"
        " (SELECT id FROM documents WHERE project_id = ?1 AND index_id = ?2)",
        "DELETE FROM document_texts WHERE project_id = ?1 AND document_id IN"
        " (SELECT id FROM documents WHERE project_id = ?1 AND index_id = ?2)",
        "DELETE FROM document_vectors WHERE project_id = ?1 AND index_id = ?2",
        "DELETE FROM documents WHERE project_id = ?1 AND index_id = ?2",
        "DELETE FROM manifests WHERE project_id = ?1 AND index_id = ?2",
        "DELETE FROM indexes WHERE project_id = ?1 AND id = ?2",
    };
    static const char *const of_directory[] = {
        "DELETE FROM attachments WHERE project_id = ?1 AND entry_id IN"
        " (SELECT id FROM entries WHERE project_id = ?1 AND directory_id = ?2)",
        "DELETE FROM entries WHERE project_id = ?1 AND directory_id = ?2",
        "DELETE FROM directories WHERE project_id = ?1 AND id = ?2",
    };
    struct cria_index row;
    enum cria_status st = cria_tx_index_get(tx, call, project, id, &row);
    if (st == CRIA_OK) st = run_each(tx, call, of_index, CRIA_COUNT(of_index), project, row.id);
    if (st == CRIA_OK)
        st = run_each(tx, call, of_directory, CRIA_COUNT(of_directory), project,
                      row.output_directory_id);
    return st;
}

static enum cria_status refs(struct cria_query *q, struct cria_index_ref_list *out)
{
    struct cria_rows rows = {0};
    while (cria_query_next(q)) {
        struct cria_index_ref *row = cria_rows_add(&rows, q, sizeof(*row));
        if (!row) break;
        read_index(q, &row->index);
        row->project_id = cria_query_get_str(q);
    }
    *out = (struct cria_index_ref_list){rows.items, rows.count};
    return cria_query_close(q);
}

enum cria_status cria_tx_index_unfinished(struct cria_tx *tx, struct cria_call *call,
                                          struct cria_index_ref_list *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " INDEX ", project_id FROM indexes WHERE status IN (?, ?, ?)"
                             " ORDER BY updated_at"));
    cria_query_int(&q, CRIA_INDEX_PENDING);
    cria_query_int(&q, CRIA_INDEX_SYNCING);
    cria_query_int(&q, CRIA_INDEX_EXPORTING);
    return refs(&q, out);
}

enum cria_status cria_tx_index_due(struct cria_tx *tx, struct cria_call *call, int64_t now_us,
                                   struct cria_index_ref_list *out)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT " INDEX ", project_id FROM indexes AS i WHERE status IN (?, ?) AND"
                 " ((sync_frequency = 'daily' AND last_synced_at <= ? AND updated_at <= ?) OR"
                 " (sync_frequency = 'on_source_change' AND EXISTS (SELECT 1 FROM directories AS d"
                 " WHERE d.project_id = i.project_id AND d.id = i.source_directory_id AND "
                 "d.deleted_at = 0"
                 " AND d.updated_at > i.updated_at AND d.updated_at <= ?)))"));
    cria_query_int(&q, CRIA_INDEX_READY);
    cria_query_int(&q, CRIA_INDEX_FAILED);
    cria_query_int(&q, now_us - (int64_t)DAY_S * 1000000);
    cria_query_int(&q, now_us - (int64_t)DAY_S * 1000000);
    cria_query_int(&q, now_us - (int64_t)QUIET_S * 1000000);
    return refs(&q, out);
}
