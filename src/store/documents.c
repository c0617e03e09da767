/* documents.c - parsed texts and their chunks: staged by a sync, made live by its export. */
#include "store/query.h"
#include "store/records.h"

#define DOCUMENT                                                                            \
    "id, index_id, entry_id, source_entry_id, content_key, display_name, metadata, title, " \
    "format, file_id, "                                                                     \
    "sha256, char_count, byte_count, page_count, chunk_count, pages, headings, is_live, "   \
    "created_at"
#define CHUNK \
    "n, char_start, char_end, byte_start, byte_end, page_start, page_end, token_count, heading"

static enum cria_status insert_chunk(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str document_id,
                                     const struct cria_chunk *chunk)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO chunks(project_id, document_id, " CHUNK
                             ") VALUES(?,?,?,?,?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, document_id);
    cria_query_int(&q, chunk->n);
    cria_query_int(&q, (int64_t)chunk->char_start);
    cria_query_int(&q, (int64_t)chunk->char_end);
    cria_query_int(&q, (int64_t)chunk->byte_start);
    cria_query_int(&q, (int64_t)chunk->byte_end);
    cria_query_int(&q, chunk->page_start);
    cria_query_int(&q, chunk->page_end);
    cria_query_int(&q, chunk->token_count);
    cria_query_str(&q, chunk->heading);
    return cria_query_run(&q);
}

enum cria_status cria_tx_document_insert(struct cria_tx *tx, struct cria_call *call,
                                         struct cria_str project, const struct cria_document *row,
                                         struct cria_str text, const struct cria_chunk *chunks,
                                         size_t chunk_count)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO documents(project_id, " DOCUMENT
                             ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->index_id);
    cria_query_str(&q, row->entry_id);
    cria_query_str(&q, row->source_entry_id);
    cria_query_str(&q, row->content_key);
    cria_query_str(&q, row->display_name);
    cria_query_str(&q, row->metadata_json.ptr ? row->metadata_json : CRIA_STR("{}"));
    cria_query_str(&q, row->title);
    cria_query_str(&q, row->format);
    cria_query_str(&q, row->file_id);
    cria_query_str(&q, row->sha256);
    cria_query_int(&q, (int64_t)row->char_count);
    cria_query_int(&q, (int64_t)row->byte_count);
    cria_query_int(&q, row->page_count);
    cria_query_int(&q, (int64_t)chunk_count);
    cria_query_str(&q, row->pages_json.ptr ? row->pages_json : CRIA_STR("[]"));
    cria_query_str(&q, row->headings_json.ptr ? row->headings_json : CRIA_STR("[]"));
    cria_query_int(&q, 0);
    cria_query_int(&q, row->created_at_us);
    enum cria_status st = cria_query_run(&q);
    if (st != CRIA_OK) return st;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("INSERT INTO document_texts(project_id, document_id, body) VALUES(?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    cria_query_blob(&q, text);
    st = cria_query_run(&q);
    for (size_t i = 0; i < chunk_count && st == CRIA_OK; i++)
        st = insert_chunk(tx, call, project, row->id, &chunks[i]);
    return st;
}

static void read_document(struct cria_query *q, struct cria_document *out)
{
    out->id = cria_query_get_str(q);
    out->index_id = cria_query_get_str(q);
    out->entry_id = cria_query_get_str(q);
    out->source_entry_id = cria_query_get_str(q);
    out->content_key = cria_query_get_str(q);
    out->display_name = cria_query_get_str(q);
    out->metadata_json = cria_query_get_str(q);
    out->title = cria_query_get_str(q);
    out->format = cria_query_get_str(q);
    out->file_id = cria_query_get_str(q);
    out->sha256 = cria_query_get_str(q);
    out->char_count = (uint64_t)cria_query_get_int(q);
    out->byte_count = (uint64_t)cria_query_get_int(q);
    out->page_count = (uint32_t)cria_query_get_int(q);
    out->chunk_count = (uint32_t)cria_query_get_int(q);
    out->pages_json = cria_query_get_str(q);
    out->headings_json = cria_query_get_str(q);
    out->is_live = cria_query_get_int(q) != 0;
    out->created_at_us = cria_query_get_int(q);
}

enum cria_status cria_tx_document_get(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str index_id,
                                      struct cria_str entry_id, bool staged,
                                      struct cria_document *out)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT " DOCUMENT " FROM documents WHERE project_id = ? AND index_id = ?"
                 " AND entry_id = ? AND is_live = ? ORDER BY created_at DESC, id DESC LIMIT 1"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    cria_query_str(&q, entry_id);
    cria_query_int(&q, !staged);
    bool found = cria_query_next(&q);
    if (found) read_document(&q, out);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_document_text(struct cria_tx *tx, struct cria_call *call,
                                       struct cria_str project, struct cria_str document_id,
                                       struct cria_str *out)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT body FROM document_texts WHERE project_id = ? AND document_id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, document_id);
    bool found = cria_query_next(&q);
    if (found) *out = cria_query_get_str(&q);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_document_slice(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, struct cria_str document_id,
                                        uint64_t byte_start, uint64_t max_bytes,
                                        struct cria_str *out)
{
    struct cria_query q;
    /* No text is that long, and a database may add the two up. */
    if (max_bytes > INT32_MAX) max_bytes = INT32_MAX;
    if (byte_start > INT32_MAX - 1) byte_start = INT32_MAX - 1;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT substr(body, ?, ?) FROM document_texts WHERE project_id = ? "
                             "AND document_id = ?"));
    cria_query_int(&q, (int64_t)byte_start + 1);
    cria_query_int(&q, (int64_t)max_bytes);
    cria_query_str(&q, project);
    cria_query_str(&q, document_id);
    bool found = cria_query_next(&q);
    if (found) *out = cria_query_get_str(&q);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_document_chunks(struct cria_tx *tx, struct cria_call *call,
                                         struct cria_str project, struct cria_str document_id,
                                         struct cria_chunk_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " CHUNK
                             " FROM chunks WHERE project_id = ? AND document_id = ? ORDER BY n"));
    cria_query_str(&q, project);
    cria_query_str(&q, document_id);
    while (cria_query_next(&q)) {
        struct cria_chunk *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (!row) break;
        row->n = (uint32_t)cria_query_get_int(&q);
        row->char_start = (uint64_t)cria_query_get_int(&q);
        row->char_end = (uint64_t)cria_query_get_int(&q);
        row->byte_start = (uint64_t)cria_query_get_int(&q);
        row->byte_end = (uint64_t)cria_query_get_int(&q);
        row->page_start = (uint32_t)cria_query_get_int(&q);
        row->page_end = (uint32_t)cria_query_get_int(&q);
        row->token_count = (uint32_t)cria_query_get_int(&q);
        row->heading = cria_query_get_str(&q);
    }
    *out = (struct cria_chunk_list){rows.items, rows.count};
    return cria_query_close(&q);
}

enum cria_status cria_tx_document_list(struct cria_tx *tx, struct cria_call *call,
                                       struct cria_str project, struct cria_str index_id,
                                       struct cria_str name, struct cria_str name_contains,
                                       const struct cria_window *window,
                                       struct cria_document_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    const struct cria_cursor *after = &window->after;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT " DOCUMENT
                 " FROM documents WHERE project_id = ? AND index_id = ? AND is_live = 1"
                 " AND (? IS NULL OR display_name = ?)"
                 " AND (? IS NULL OR instr(lower(display_name), lower(?)) > 0)"
                 " AND (? = 0 OR display_name > ? OR (display_name = ? AND entry_id > ?))"
                 " ORDER BY display_name, entry_id LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    cria_query_str(&q, name);
    cria_query_str(&q, name);
    cria_query_str(&q, name_contains);
    cria_query_str(&q, name_contains);
    cria_query_int(&q, after->is_set);
    cria_query_str(&q, after->name);
    cria_query_str(&q, after->name);
    cria_query_str(&q, after->id);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_document *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_document(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}

/* The index's count of changes, one more for the documents that are changed now. */
#define NEXT_SEQ                                                                   \
    "(SELECT coalesce(max(document_seq), 0) FROM indexes WHERE indexes.project_id" \
    " = documents.project_id AND indexes.id = documents.index_id)"

static enum cria_status count_change(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str index_id)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("UPDATE indexes SET document_seq = document_seq + 1"
                             " WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    return cria_query_run(&q);
}

enum cria_status cria_tx_document_relabel(struct cria_tx *tx, struct cria_call *call,
                                          struct cria_str project, struct cria_str index_id,
                                          struct cria_str entry_id, struct cria_str display_name,
                                          struct cria_str metadata_json)
{
    struct cria_query q;
    enum cria_status st = count_change(tx, call, project, index_id);
    if (st != CRIA_OK) return st;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("UPDATE documents SET display_name = ?, metadata = ?, live_seq = " NEXT_SEQ
                 " WHERE project_id = ? AND index_id = ? AND entry_id = ? AND is_live = 1"));
    cria_query_str(&q, display_name);
    cria_query_str(&q, metadata_json);
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    cria_query_str(&q, entry_id);
    return cria_query_run_one(&q);
}

static enum cria_status drop(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                             struct cria_str document_id, bool keeps_vectors)
{
    const char *const statements[] = {
        keeps_vectors
            ? "UPDATE document_vectors SET is_kept = 1 WHERE project_id = ? AND document_id = ?"
            : "DELETE FROM document_vectors WHERE project_id = ? AND document_id = ?",
        "DELETE FROM chunks WHERE project_id = ? AND document_id = ?",
        "DELETE FROM document_texts WHERE project_id = ? AND document_id = ?",
        "DELETE FROM documents WHERE project_id = ? AND id = ?",
    };
    enum cria_status st = CRIA_OK;
    for (size_t i = 0; i < CRIA_COUNT(statements) && st == CRIA_OK; i++) {
        struct cria_query q;
        cria_query_open(&q, tx, call, cria_str_from(statements[i]));
        cria_query_str(&q, project);
        cria_query_str(&q, document_id);
        st = cria_query_run(&q);
    }
    return st;
}

/* Reads ids to the query's end, then drops those documents. */
static enum cria_status drop_all(struct cria_query *q, struct cria_str project, bool keeps_vectors)
{
    struct cria_rows rows = {0};
    struct cria_tx *tx = q->tx;
    struct cria_call *call = q->call;
    while (cria_query_next(q)) {
        struct cria_str *id = cria_rows_add(&rows, q, sizeof(*id));
        if (!id) break;
        *id = cria_query_get_str(q);
    }
    enum cria_status st = cria_query_close(q);
    const struct cria_str *ids = rows.items;
    for (size_t i = 0; i < rows.count && st == CRIA_OK; i++)
        st = drop(tx, call, project, ids[i], keeps_vectors);
    return st;
}

enum cria_status cria_tx_documents_publish(struct cria_tx *tx, struct cria_call *call,
                                           struct cria_str project, struct cria_str index_id,
                                           const struct cria_str *gone_entry_ids, size_t gone_count)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT old.id FROM documents AS old WHERE old.project_id = ? AND old.index_id = ?"
                 " AND old.is_live = 1 AND EXISTS (SELECT 1 FROM documents AS new"
                 " WHERE new.project_id = old.project_id AND new.index_id = old.index_id"
                 " AND new.entry_id = old.entry_id AND new.is_live = 0)"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    enum cria_status st = drop_all(&q, project, false);
    for (size_t i = 0; i < gone_count && st == CRIA_OK; i++) {
        cria_query_open(
            &q, tx, call,
            CRIA_STR(
                "SELECT id FROM documents WHERE project_id = ? AND index_id = ? AND entry_id = ?"));
        cria_query_str(&q, project);
        cria_query_str(&q, index_id);
        cria_query_str(&q, gone_entry_ids[i]);
        st = drop_all(&q, project, false);
    }
    if (st == CRIA_OK) st = count_change(tx, call, project, index_id);
    if (st != CRIA_OK) return st;
    cria_query_open(&q, tx, call,
                    CRIA_STR("DELETE FROM document_vectors WHERE project_id = ? AND index_id = ?"
                             " AND is_kept = 1"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    st = cria_query_run(&q);
    if (st != CRIA_OK) return st;
    cria_query_open(&q, tx, call,
                    CRIA_STR("UPDATE documents SET is_live = 1, live_seq = " NEXT_SEQ
                             " WHERE project_id = ? AND index_id = ? AND is_live = 0"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    return cria_query_run(&q);
}

enum cria_status cria_tx_documents_unstage(struct cria_tx *tx, struct cria_call *call,
                                           struct cria_str project, struct cria_str index_id)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT id FROM documents WHERE project_id = ? AND index_id = ? AND is_live = 0"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    return drop_all(&q, project, true);
}

/* Wants project, index and embedder. */
#define UNEMBEDDED                                                                           \
    " FROM documents AS d WHERE project_id = ? AND index_id = ? AND chunk_count > 0"         \
    " AND NOT EXISTS (SELECT 1 FROM document_vectors AS v WHERE v.project_id = d.project_id" \
    " AND v.document_id = d.id AND v.embedder = ? AND v.chunk_count = d.chunk_count)"        \
    " AND NOT (is_live = 1 AND EXISTS (SELECT 1 FROM documents AS new"                       \
    " WHERE new.project_id = d.project_id AND new.index_id = d.index_id"                     \
    " AND new.entry_id = d.entry_id AND new.is_live = 0))"

enum cria_status cria_tx_documents_unembedded(struct cria_tx *tx, struct cria_call *call,
                                              struct cria_str project, struct cria_str index_id,
                                              struct cria_str embedder,
                                              const struct cria_window *window,
                                              struct cria_document_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " DOCUMENT UNEMBEDDED " AND (? = 0 OR entry_id > ?)"
                             " ORDER BY entry_id LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    cria_query_str(&q, embedder);
    cria_query_int(&q, window->after.is_set);
    cria_query_str(&q, window->after.id);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_document *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_document(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}

enum cria_status cria_tx_documents_unembedded_count(struct cria_tx *tx, struct cria_call *call,
                                                    struct cria_str project,
                                                    struct cria_str index_id,
                                                    struct cria_str embedder, uint64_t *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call, CRIA_STR("SELECT count(*)" UNEMBEDDED));
    cria_query_str(&q, project);
    cria_query_str(&q, index_id);
    cria_query_str(&q, embedder);
    *out = cria_query_next(&q) ? (uint64_t)cria_query_get_int(&q) : 0;
    return cria_query_close(&q);
}
