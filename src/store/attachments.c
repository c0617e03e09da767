/* attachments.c - what is kept beside parsed files, and answers kept under an Idempotency-Key. */
#include "store/query.h"
#include "store/records.h"

#define ATTACHMENT "entry_id, name, media_type, sha256, size_bytes, sort_key, last_modified"

/* "items" of "items/page_7.json": lists go by kind, then page. */
static struct cria_str kind_of(struct cria_str name)
{
    struct cria_str head;
    cria_str_cut(&name, '/', &head);
    return head;
}

enum cria_status cria_tx_attachment_put(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, const struct cria_attachment *row)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("DELETE FROM attachments WHERE project_id = ? AND entry_id = ? AND name = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->entry_id);
    cria_query_str(&q, row->name);
    enum cria_status st = cria_query_run(&q);
    if (st != CRIA_OK) return st;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO attachments(project_id, kind, " ATTACHMENT
                             ") VALUES(?,?,?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, kind_of(row->name));
    cria_query_str(&q, row->entry_id);
    cria_query_str(&q, row->name);
    cria_query_str(&q, row->media_type);
    cria_query_str(&q, row->sha256);
    cria_query_int(&q, (int64_t)row->size_bytes);
    cria_query_int(&q, row->sort_key);
    cria_query_int(&q, row->last_modified_us);
    return cria_query_run(&q);
}

enum cria_status cria_tx_attachments_clear(struct cria_tx *tx, struct cria_call *call,
                                           struct cria_str project, struct cria_str entry_id)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("DELETE FROM attachments WHERE project_id = ? AND entry_id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, entry_id);
    return cria_query_run(&q);
}

static void read_attachment(struct cria_query *q, struct cria_attachment *out)
{
    out->entry_id = cria_query_get_str(q);
    out->name = cria_query_get_str(q);
    out->media_type = cria_query_get_str(q);
    out->sha256 = cria_query_get_str(q);
    out->size_bytes = (uint64_t)cria_query_get_int(q);
    out->sort_key = cria_query_get_int(q);
    out->last_modified_us = cria_query_get_int(q);
}

/* The entry whose attachments a source_id means: itself, or the newest output entry made from that
 * entry or file. */
static enum cria_status resolve(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                struct cria_str source_id, struct cria_str *entry_id)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT id FROM entries WHERE project_id = ? AND deleted_at = 0"
                 " AND (id = ? OR source_entry_id = ? OR file_id = ?)"
                 " ORDER BY EXISTS (SELECT 1 FROM attachments AS a WHERE a.project_id = "
                 "entries.project_id"
                 " AND a.entry_id = entries.id) DESC, (id = ?) DESC, created_at DESC LIMIT 1"));
    cria_query_str(&q, project);
    for (int i = 0; i < 4; i++) cria_query_str(&q, source_id);
    bool found = cria_query_next(&q);
    if (found) *entry_id = cria_query_get_str(&q);
    enum cria_status st = cria_query_found(&q, found);
    struct cria_file file;
    if (st != CRIA_E_NOT_FOUND) return st;
    *entry_id = source_id; /* a stored file that lies in no directory has none */
    return cria_tx_file_get(tx, call, project, source_id, &file);
}

enum cria_status cria_tx_attachment_get(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, struct cria_str source_id,
                                        struct cria_str name, struct cria_attachment *out)
{
    struct cria_query q;
    struct cria_str entry_id;
    enum cria_status st = resolve(tx, call, project, source_id, &entry_id);
    if (st != CRIA_OK) return st;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT " ATTACHMENT
                 " FROM attachments WHERE project_id = ? AND entry_id = ? AND name = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, entry_id);
    cria_query_str(&q, name);
    bool found = cria_query_next(&q);
    if (found) read_attachment(&q, out);
    return cria_query_found(&q, found);
}

/* Where the list goes on: kind and page of the name in the cursor. */
static int64_t page_of(struct cria_str name)
{
    int64_t page = 0;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] >= '0' && name.ptr[i] <= '9' && page < INT64_MAX / 10 - 10)
            page = page * 10 + (name.ptr[i] - '0');
    return page;
}

enum cria_status cria_tx_attachment_list(struct cria_tx *tx, struct cria_call *call,
                                         struct cria_str project, struct cria_str source_id,
                                         const struct cria_window *window,
                                         struct cria_attachment_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    struct cria_str entry_id, kind = kind_of(window->after.name);
    int64_t page = page_of(window->after.name);
    enum cria_status st = resolve(tx, call, project, source_id, &entry_id);
    if (st != CRIA_OK) return st;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " ATTACHMENT
                             " FROM attachments WHERE project_id = ? AND entry_id = ?"
                             " AND (? = 0 OR kind > ? OR (kind = ? AND sort_key > ?))"
                             " ORDER BY kind, sort_key LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, entry_id);
    cria_query_int(&q, window->after.is_set);
    cria_query_str(&q, kind);
    cria_query_str(&q, kind);
    cria_query_int(&q, page);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_attachment *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_attachment(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}

/* ---- idempotency
 * ------------------------------------------------------------------------------------------ */

enum cria_status cria_tx_idempotency_get(struct cria_tx *tx, struct cria_call *call,
                                         struct cria_str project, struct cria_str key,
                                         struct cria_idempotency *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT key, fingerprint, status, body, created_at FROM idempotency"
                             " WHERE project_id = ? AND key = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, key);
    bool found = cria_query_next(&q);
    if (found) {
        out->key = cria_query_get_str(&q);
        out->fingerprint = cria_query_get_str(&q);
        out->status = (int)cria_query_get_int(&q);
        out->body = cria_query_get_str(&q);
        out->created_at_us = cria_query_get_int(&q);
    }
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_idempotency_insert(struct cria_tx *tx, struct cria_call *call,
                                            struct cria_str project,
                                            const struct cria_idempotency *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO idempotency(project_id, key, fingerprint, status, body, "
                             "created_at) VALUES(?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->key);
    cria_query_str(&q, row->fingerprint);
    cria_query_int(&q, row->status);
    cria_query_str(&q, row->body);
    cria_query_int(&q, row->created_at_us);
    return cria_query_run(&q);
}

enum cria_status cria_tx_idempotency_expire(struct cria_tx *tx, struct cria_call *call,
                                            int64_t before_us)
{
    struct cria_query q;
    cria_query_open(&q, tx, call, CRIA_STR("DELETE FROM idempotency WHERE created_at < ?"));
    cria_query_int(&q, before_us);
    return cria_query_run(&q);
}
