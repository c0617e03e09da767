/* files.c - stored files. */
#include "store/query.h"
#include "store/records.h"

#define FILE_COLUMNS                                                                               \
    "id, name, file_type, media_type, external_file_id, purpose, sha256, size_bytes, created_at, " \
    "last_modified_at, expires_at"

enum { SQL_BYTES = 65536 };

enum cria_status cria_tx_file_insert(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, const struct cria_file *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO files(project_id, " FILE_COLUMNS
                             ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->name);
    cria_query_str(&q, row->file_type);
    cria_query_str(&q, row->media_type);
    cria_query_str(&q, row->external_file_id);
    cria_query_str(&q, row->purpose);
    cria_query_str(&q, row->sha256);
    cria_query_int(&q, (int64_t)row->size_bytes);
    cria_query_int(&q, row->created_at_us);
    cria_query_int(&q, row->last_modified_at_us);
    cria_query_int(&q, row->expires_at_us);
    return cria_query_run(&q);
}

static void read_file(struct cria_query *q, struct cria_file *out)
{
    out->id = cria_query_get_str(q);
    out->name = cria_query_get_str(q);
    out->file_type = cria_query_get_str(q);
    out->media_type = cria_query_get_str(q);
    out->external_file_id = cria_query_get_str(q);
    out->purpose = cria_query_get_str(q);
    out->sha256 = cria_query_get_str(q);
    out->size_bytes = (uint64_t)cria_query_get_int(q);
    out->created_at_us = cria_query_get_int(q);
    out->last_modified_at_us = cria_query_get_int(q);
    out->expires_at_us = cria_query_get_int(q);
}

enum cria_status cria_tx_file_get(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, struct cria_str id,
                                  struct cria_file *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " FILE_COLUMNS " FROM files WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    bool found = cria_query_next(&q);
    if (found) read_file(&q, out);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_file_delete(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str id, int64_t at_us,
                                     struct cria_str *out_sha256)
{
    struct cria_query q;
    struct cria_file row;
    enum cria_status st = cria_tx_file_get(tx, call, project, id, &row);
    if (st != CRIA_OK) return st;
    cria_query_open(&q, tx, call, CRIA_STR("DELETE FROM files WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    st = cria_query_run(&q);
    if (st != CRIA_OK) return st;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("UPDATE directories SET updated_at = ? WHERE project_id = ? AND id IN"
                 " (SELECT directory_id FROM entries WHERE project_id = ? AND file_id = ?"
                 " AND deleted_at = 0 AND source_entry_id IS NULL)"));
    cria_query_int(&q, at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    st = cria_query_run(&q);
    if (st != CRIA_OK) return st;
    /* Entries of output directories (those with a source) stay until the next sync: what they index
     * still answers. */
    cria_query_open(
        &q, tx, call,
        CRIA_STR("UPDATE entries SET file_id = NULL, updated_at = ?,"
                 " deleted_at = CASE WHEN deleted_at = 0 AND source_entry_id IS NULL THEN ?"
                 " ELSE deleted_at END WHERE project_id = ? AND file_id = ?"));
    cria_query_int(&q, at_us);
    cria_query_int(&q, at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    *out_sha256 = row.sha256;
    return cria_query_run(&q);
}

static const char *column_of(enum cria_file_field field)
{
    switch (field) {
    case CRIA_FILE_BY_NAME: return "name";
    case CRIA_FILE_BY_ID: return "id";
    case CRIA_FILE_BY_CREATED: return "created_at";
    }
    cria_unreachable();
}

/* "behind the cursor" for any order: (a after) OR (a same AND b after) OR … */
static void write_after(struct cria_buf *sql, const struct cria_file_query *query)
{
    cria_buf_add_z(sql, " AND (");
    for (size_t i = 0; i <= query->order_count; i++) {
        cria_buf_add_z(sql, i ? " OR (" : "(");
        for (size_t j = 0; j < i; j++)
            cria_buf_printf(sql, "%s = ? AND ", column_of(query->order[j].field));
        if (i < query->order_count)
            cria_buf_printf(sql, "%s %c ?)", column_of(query->order[i].field),
                            query->order[i].descending ? '<' : '>');
        else
            cria_buf_add_z(sql, "id > ?)");
    }
    cria_buf_add_z(sql, ")");
}

static void bind_field(struct cria_query *q, enum cria_file_field field,
                       const struct cria_cursor *after)
{
    switch (field) {
    case CRIA_FILE_BY_NAME: cria_query_str(q, after->name); return;
    case CRIA_FILE_BY_ID: cria_query_str(q, after->id); return;
    case CRIA_FILE_BY_CREATED: cria_query_int(q, after->at_us); return;
    }
}

static void bind_after(struct cria_query *q, const struct cria_file_query *query,
                       const struct cria_cursor *after)
{
    for (size_t i = 0; i <= query->order_count; i++) {
        for (size_t j = 0; j < i; j++) bind_field(q, query->order[j].field, after);
        bind_field(q, i < query->order_count ? query->order[i].field : CRIA_FILE_BY_ID, after);
    }
}

static void write_list(struct cria_buf *sql, const struct cria_file_query *query, bool has_cursor)
{
    cria_buf_add_z(sql, "SELECT " FILE_COLUMNS " FROM files WHERE project_id = ?");
    if (query->name.ptr) cria_buf_add_z(sql, " AND name = ?");
    if (query->external_file_id.ptr) cria_buf_add_z(sql, " AND external_file_id = ?");
    if (query->has_ids) {
        cria_buf_add_z(sql, " AND id IN (");
        for (size_t i = 0; i < query->id_count; i++) cria_buf_add_z(sql, i ? ",?" : "?");
        cria_buf_add_z(sql, ")");
    }
    if (has_cursor) write_after(sql, query);
    cria_buf_add_z(sql, " ORDER BY ");
    for (size_t i = 0; i < query->order_count; i++)
        cria_buf_printf(sql, "%s%s, ", column_of(query->order[i].field),
                        query->order[i].descending ? " DESC" : "");
    cria_buf_add_z(sql, "id LIMIT ?");
}

enum cria_status cria_tx_file_list(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, const struct cria_file_query *query,
                                   const struct cria_window *window, struct cria_file_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    struct cria_buf sql;
    cria_buf_init(&sql, SQL_BYTES);
    write_list(&sql, query, window->after.is_set);
    struct cria_str text =
        sql.failed ? (struct cria_str){0} : cria_arena_copy(call->arena, cria_buf_str(&sql));
    cria_buf_release(&sql);
    if (!text.ptr) return cria_fail_memory(call);
    cria_query_open(&q, tx, call, text);
    cria_query_str(&q, project);
    if (query->name.ptr) cria_query_str(&q, query->name);
    if (query->external_file_id.ptr) cria_query_str(&q, query->external_file_id);
    if (query->has_ids)
        for (size_t i = 0; i < query->id_count; i++) cria_query_str(&q, query->ids[i]);
    if (window->after.is_set) bind_after(&q, query, &window->after);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_file *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_file(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}
