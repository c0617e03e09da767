/* directories.c - directories and what lies in them. */
#include "store/query.h"
#include "store/records.h"

#define DIRECTORY                                                                                  \
    "id, name, description, type, system_metadata, index_id, created_at, updated_at, deleted_at, " \
    "expires_at"
#define ENTRY                                                                                     \
    "id, directory_id, display_name, unique_id, file_id, metadata, source_entry_id, created_at, " \
    "updated_at, "                                                                                \
    "deleted_at"

enum cria_status cria_tx_directory_insert(struct cria_tx *tx, struct cria_call *call,
                                          struct cria_str project, const struct cria_directory *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO directories(project_id, " DIRECTORY
                             ") VALUES(?,?,?,?,?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->name);
    cria_query_str(&q, row->description);
    cria_query_str(&q, row->type);
    cria_query_str(&q, row->system_metadata_json);
    cria_query_str(&q, row->index_id);
    cria_query_int(&q, row->created_at_us);
    cria_query_int(&q, row->updated_at_us);
    cria_query_int(&q, row->deleted_at_us);
    cria_query_int(&q, row->expires_at_us);
    return cria_query_run(&q);
}

static void read_directory(struct cria_query *q, struct cria_directory *out)
{
    out->id = cria_query_get_str(q);
    out->name = cria_query_get_str(q);
    out->description = cria_query_get_str(q);
    out->type = cria_query_get_str(q);
    out->system_metadata_json = cria_query_get_str(q);
    out->index_id = cria_query_get_str(q);
    out->created_at_us = cria_query_get_int(q);
    out->updated_at_us = cria_query_get_int(q);
    out->deleted_at_us = cria_query_get_int(q);
    out->expires_at_us = cria_query_get_int(q);
}

enum cria_status cria_tx_directory_get(struct cria_tx *tx, struct cria_call *call,
                                       struct cria_str project, struct cria_str id,
                                       struct cria_directory *out)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT " DIRECTORY
                 " FROM directories WHERE project_id = ? AND id = ? AND deleted_at = 0"));
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    bool found = cria_query_next(&q);
    if (found) read_directory(&q, out);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_directory_update(struct cria_tx *tx, struct cria_call *call,
                                          struct cria_str project, const struct cria_directory *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("UPDATE directories SET name = ?, description = ?, updated_at = ?"
                             " WHERE project_id = ? AND id = ? AND deleted_at = 0"));
    cria_query_str(&q, row->name);
    cria_query_str(&q, row->description);
    cria_query_int(&q, row->updated_at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    return cria_query_run_one(&q);
}

enum cria_status cria_tx_directory_delete(struct cria_tx *tx, struct cria_call *call,
                                          struct cria_str project, struct cria_str id,
                                          int64_t at_us)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("UPDATE directories SET deleted_at = ?, updated_at = ?"
                             " WHERE project_id = ? AND id = ? AND deleted_at = 0"));
    cria_query_int(&q, at_us);
    cria_query_int(&q, at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    enum cria_status st = cria_query_run_one(&q);
    if (st != CRIA_OK) return st;
    cria_query_open(&q, tx, call,
                    CRIA_STR("UPDATE entries SET deleted_at = ?, updated_at = ?"
                             " WHERE project_id = ? AND directory_id = ? AND deleted_at = 0"));
    cria_query_int(&q, at_us);
    cria_query_int(&q, at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    return cria_query_run(&q);
}

enum cria_status cria_tx_directory_list(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project,
                                        const struct cria_directory_query *query,
                                        const struct cria_window *window,
                                        struct cria_directory_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    struct cria_str types[3] = {0};
    const struct cria_cursor *after = &window->after;
    for (size_t i = 0; i < query->type_count && i < 3; i++) types[i] = query->types[i];
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " DIRECTORY " FROM directories WHERE project_id = ?"
                             " AND (? = 1 OR deleted_at = 0) AND (? IS NULL OR name = ?)"
                             " AND (? = 0 OR type IN (?, ?, ?))"
                             " AND (? = 0 OR created_at < ? OR (created_at = ? AND id < ?))"
                             " ORDER BY created_at DESC, id DESC LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_int(&q, query->include_deleted);
    cria_query_str(&q, query->name);
    cria_query_str(&q, query->name);
    cria_query_int(&q, (int64_t)query->type_count);
    for (size_t i = 0; i < 3; i++) cria_query_str(&q, types[i]);
    cria_query_int(&q, after->is_set);
    cria_query_int(&q, after->at_us);
    cria_query_int(&q, after->at_us);
    cria_query_str(&q, after->id);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_directory *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_directory(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}

enum cria_status cria_tx_directory_expire(struct cria_tx *tx, struct cria_call *call,
                                          int64_t now_us, uint64_t *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    struct expired {
        struct cria_str project, id;
    } * row;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT project_id, id FROM directories"
                             " WHERE expires_at > 0 AND expires_at <= ? AND deleted_at = 0"));
    cria_query_int(&q, now_us);
    while (cria_query_next(&q)) {
        row = cria_rows_add(&rows, &q, sizeof(*row));
        if (!row) break;
        row->project = cria_query_get_str(&q);
        row->id = cria_query_get_str(&q);
    }
    enum cria_status st = cria_query_close(&q);
    row = rows.items;
    for (size_t i = 0; i < rows.count && st == CRIA_OK; i++)
        st = cria_tx_directory_delete(tx, call, row[i].project, row[i].id, now_us);
    *out = rows.count;
    return st;
}

/* ---- entries
 * ------------------------------------------------------------------------------------------ */

static enum cria_status touch_directory(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, struct cria_str id, int64_t at_us)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("UPDATE directories SET updated_at = ? WHERE project_id = ? AND id = ?"));
    cria_query_int(&q, at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    return cria_query_run(&q);
}

enum cria_status cria_tx_entry_insert(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, const struct cria_entry *row)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("INSERT INTO entries(project_id, " ENTRY ") VALUES(?,?,?,?,?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->directory_id);
    cria_query_str(&q, row->display_name);
    cria_query_str(&q, row->unique_id);
    cria_query_str(&q, row->file_id);
    cria_query_str(&q, row->metadata_json);
    cria_query_str(&q, row->source_entry_id);
    cria_query_int(&q, row->created_at_us);
    cria_query_int(&q, row->updated_at_us);
    cria_query_int(&q, row->deleted_at_us);
    enum cria_status st = cria_query_run(&q);
    return st == CRIA_OK ? touch_directory(tx, call, project, row->directory_id, row->updated_at_us)
                         : st;
}

static void read_entry(struct cria_query *q, struct cria_entry *out)
{
    out->id = cria_query_get_str(q);
    out->directory_id = cria_query_get_str(q);
    out->display_name = cria_query_get_str(q);
    out->unique_id = cria_query_get_str(q);
    out->file_id = cria_query_get_str(q);
    out->metadata_json = cria_query_get_str(q);
    out->source_entry_id = cria_query_get_str(q);
    out->created_at_us = cria_query_get_int(q);
    out->updated_at_us = cria_query_get_int(q);
    out->deleted_at_us = cria_query_get_int(q);
}

enum cria_status cria_tx_entry_get(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, struct cria_str directory_id,
                                   struct cria_str id, struct cria_entry *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " ENTRY
                             " FROM entries WHERE project_id = ? AND id = ? AND deleted_at = 0"
                             " AND (? IS NULL OR directory_id = ?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    cria_query_str(&q, directory_id);
    cria_query_str(&q, directory_id);
    bool found = cria_query_next(&q);
    if (found) read_entry(&q, out);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_entry_update(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, const struct cria_entry *row)
{
    struct cria_query q;
    struct cria_entry before;
    enum cria_status st =
        cria_tx_entry_get(tx, call, project, (struct cria_str){0}, row->id, &before);
    if (st != CRIA_OK) return st;
    cria_query_open(
        &q, tx, call,
        CRIA_STR(
            "UPDATE entries SET display_name = ?, unique_id = ?, metadata = ?, directory_id = ?,"
            " file_id = ?, updated_at = ? WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, row->display_name);
    cria_query_str(&q, row->unique_id);
    cria_query_str(&q, row->metadata_json);
    cria_query_str(&q, row->directory_id);
    cria_query_str(&q, row->file_id);
    cria_query_int(&q, row->updated_at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    st = cria_query_run(&q);
    if (st == CRIA_OK)
        st = touch_directory(tx, call, project, row->directory_id, row->updated_at_us);
    if (st == CRIA_OK && !cria_str_equal(before.directory_id, row->directory_id))
        st = touch_directory(tx, call, project, before.directory_id, row->updated_at_us);
    return st;
}

enum cria_status cria_tx_entry_delete(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str directory_id,
                                      struct cria_str id, int64_t at_us)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("UPDATE entries SET deleted_at = ?, updated_at = ? WHERE project_id = ? AND id = ?"
                 " AND directory_id = ? AND deleted_at = 0"));
    cria_query_int(&q, at_us);
    cria_query_int(&q, at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    cria_query_str(&q, directory_id);
    enum cria_status st = cria_query_run_one(&q);
    return st == CRIA_OK ? touch_directory(tx, call, project, directory_id, at_us) : st;
}

enum cria_status cria_tx_entry_list(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_str project, const struct cria_entry_query *query,
                                    const struct cria_window *window, struct cria_entry_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    const struct cria_cursor *after = &window->after;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " ENTRY
                             " FROM entries WHERE project_id = ? AND directory_id = ?"
                             " AND (? = 1 OR deleted_at = 0) AND (? IS NULL OR display_name = ?)"
                             " AND (? IS NULL OR instr(lower(display_name), lower(?)) > 0) AND (? "
                             "IS NULL OR unique_id = ?)"
                             " AND (? IS NULL OR file_id = ?) AND (? = 0 OR updated_at >= ?) AND "
                             "(? = 0 OR updated_at <= ?)"
                             " AND (? = 0 OR created_at > ? OR (created_at = ? AND id > ?))"
                             " ORDER BY created_at, id LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, query->directory_id);
    cria_query_int(&q, query->include_deleted);
    cria_query_str(&q, query->display_name);
    cria_query_str(&q, query->display_name);
    cria_query_str(&q, query->display_name_contains);
    cria_query_str(&q, query->display_name_contains);
    cria_query_str(&q, query->unique_id);
    cria_query_str(&q, query->unique_id);
    cria_query_str(&q, query->file_id);
    cria_query_str(&q, query->file_id);
    cria_query_int(&q, query->updated_from_us);
    cria_query_int(&q, query->updated_from_us);
    cria_query_int(&q, query->updated_to_us);
    cria_query_int(&q, query->updated_to_us);
    cria_query_int(&q, after->is_set);
    cria_query_int(&q, after->at_us);
    cria_query_int(&q, after->at_us);
    cria_query_str(&q, after->id);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_entry *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_entry(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}
