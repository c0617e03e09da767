/* manifests.c - what search derives from an index's documents: which changed, which files hold
 * them.
 */
#include "store/query.h"
#include "store/records.h"

static enum cria_status get_int(struct cria_query *q, int64_t *out)
{
    bool found = cria_query_next(q);
    if (found) *out = cria_query_get_int(q);
    return cria_query_found(q, found);
}

enum cria_status cria_tx_document_seq(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str index_id,
                                      int64_t *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT document_seq FROM indexes WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    return get_int(&q, out);
}

enum cria_status cria_tx_documents_since(struct cria_tx *tx, struct cria_call *call,
                                         struct cria_str project, struct cria_str index_id,
                                         int64_t seq, const struct cria_window *window,
                                         struct cria_document_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    const struct cria_cursor *after = &window->after;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT id, entry_id, source_entry_id, display_name, metadata, title,"
                             " byte_count, chunk_count, live_seq FROM documents"
                             " WHERE project_id = ? AND index_id = ? AND is_live = 1"
                             " AND live_seq > ?"
                             " AND (? = 0 OR live_seq > ? OR (live_seq = ? AND id > ?))"
                             " ORDER BY live_seq, id LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    /* Rows before the cursor's are left out by the index itself. */
    cria_query_int(&q, after->is_set && after->at_us - 1 > seq ? after->at_us - 1 : seq);
    cria_query_int(&q, after->is_set);
    cria_query_int(&q, after->at_us);
    cria_query_int(&q, after->at_us);
    cria_query_str(&q, after->id);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_document *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (!row) break;
        row->id = cria_query_get_str(&q);
        row->entry_id = cria_query_get_str(&q);
        row->source_entry_id = cria_query_get_str(&q);
        row->display_name = cria_query_get_str(&q);
        row->metadata_json = cria_query_get_str(&q);
        row->title = cria_query_get_str(&q);
        row->byte_count = (uint64_t)cria_query_get_int(&q);
        row->chunk_count = (uint32_t)cria_query_get_int(&q);
        row->live_seq = cria_query_get_int(&q);
        row->index_id = index_id;
        row->is_live = true;
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}

enum cria_status cria_tx_documents_count(struct cria_tx *tx, struct cria_call *call,
                                         struct cria_str project, struct cria_str index_id,
                                         uint64_t *out)
{
    struct cria_query q;
    int64_t count = 0;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT count(*) FROM documents WHERE project_id = ? AND index_id = ?"
                             " AND is_live = 1"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    enum cria_status st = get_int(&q, &count);
    *out = (uint64_t)count;
    return st;
}

enum cria_status cria_tx_index_exists(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str index_id, bool *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT 1 FROM indexes WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    *out = cria_query_next(&q);
    return cria_query_close(&q);
}

enum cria_status cria_tx_manifest_get(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str index_id,
                                      struct cria_manifest *out)
{
    struct cria_query q;
    *out = (struct cria_manifest){0};
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT version, body FROM manifests WHERE project_id = ? AND index_id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    if (cria_query_next(&q)) {
        out->version = cria_query_get_int(&q);
        out->body = cria_query_get_str(&q);
    }
    return cria_query_close(&q);
}

enum cria_status cria_tx_manifest_put(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str index_id,
                                      int64_t expected, struct cria_str body)
{
    struct cria_query q;
    bool exists = false;
    enum cria_status st = cria_tx_index_exists(tx, call, project, index_id, &exists);
    if (st != CRIA_OK) return st;
    if (!exists) return CRIA_E_NOT_FOUND;
    if (expected == 0) {
        cria_query_open(&q, tx, call,
                        CRIA_STR("INSERT INTO manifests(body, project_id, index_id, version)"
                                 " VALUES(?, ?, ?, 1)"));
    } else {
        cria_query_open(&q, tx, call,
                        CRIA_STR("UPDATE manifests SET body = ?, version = version + 1"
                                 " WHERE project_id = ? AND index_id = ? AND version = ?"));
    }
    cria_query_blob(&q, body);
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    if (expected == 0) return cria_query_run(&q);
    cria_query_int(&q, expected);
    st = cria_query_run_one(&q);
    return st == CRIA_E_NOT_FOUND ? CRIA_E_CONFLICT : st;
}
