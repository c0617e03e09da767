/* vectors.c - vectors of documents' chunks, one row a document. */
#include "store/query.h"
#include "store/records.h"

#define VECTORS "document_id, index_id, content_key, embedder, dims, chunk_count, hashes, vectors"

static bool is_whole(const struct cria_document_vectors *row)
{
    size_t numbers, bytes;
    return row->dims > 0 && row->hashes.len == (size_t)row->chunk_count * CRIA_CHUNK_HASH_BYTES &&
           cria_size_mul(row->chunk_count, row->dims, &numbers) &&
           cria_size_mul(numbers, 2, &bytes) && row->vectors.len == bytes;
}

enum cria_status cria_tx_vectors_put(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project,
                                     const struct cria_document_vectors *row)
{
    struct cria_query q;
    if (!is_whole(row))
        return cria_fail(call, CRIA_E_INTERNAL, "Vectors do not fit their document");
    cria_query_open(
        &q, tx, call,
        CRIA_STR("INSERT INTO document_vectors(project_id, " VECTORS
                 ", is_kept) VALUES(?,?,?,?,?,?,?,?,?,0)"
                 " ON CONFLICT(project_id, document_id) DO UPDATE SET index_id = "
                 "excluded.index_id,"
                 " content_key = excluded.content_key, embedder = excluded.embedder,"
                 " dims = excluded.dims, chunk_count = excluded.chunk_count, is_kept = 0,"
                 " hashes = excluded.hashes, vectors = excluded.vectors"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->document_id);
    cria_query_str(&q, row->index_id);
    cria_query_str(&q, row->content_key);
    cria_query_str(&q, row->embedder);
    cria_query_int(&q, row->dims);
    cria_query_int(&q, row->chunk_count);
    cria_query_blob(&q, row->hashes);
    cria_query_blob(&q, row->vectors);
    return cria_query_run(&q);
}

/* The first row, if there is one. */
static enum cria_status read_first(struct cria_query *q, struct cria_document_vectors *out)
{
    bool found = cria_query_next(q);
    if (found) {
        out->document_id = cria_query_get_str(q);
        out->index_id = cria_query_get_str(q);
        out->content_key = cria_query_get_str(q);
        out->embedder = cria_query_get_str(q);
        out->dims = (uint32_t)cria_query_get_int(q);
        out->chunk_count = (uint32_t)cria_query_get_int(q);
        out->hashes = cria_query_get_str(q);
        out->vectors = cria_query_get_str(q);
    }
    struct cria_call *call = q->call;
    enum cria_status st = cria_query_found(q, found);
    if (st == CRIA_OK && !is_whole(out))
        return cria_fail(call, CRIA_E_CORRUPT, "Stored vectors are damaged");
    return st;
}

enum cria_status cria_tx_vectors_get(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str document_id,
                                     struct cria_document_vectors *out)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR(
            "SELECT " VECTORS
            " FROM document_vectors WHERE project_id = ? AND document_id = ? AND is_kept = 0"));
    cria_query_str(&q, project);
    cria_query_str(&q, document_id);
    return read_first(&q, out);
}

enum cria_status cria_tx_vectors_of_content(struct cria_tx *tx, struct cria_call *call,
                                            struct cria_str project, struct cria_str content_key,
                                            struct cria_str embedder,
                                            struct cria_document_vectors *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " VECTORS
                             " FROM document_vectors WHERE project_id = ? AND content_key = ?"
                             " AND embedder = ? ORDER BY chunk_count DESC, document_id LIMIT 1"));
    cria_query_str(&q, project);
    cria_query_str(&q, content_key);
    cria_query_str(&q, embedder);
    return read_first(&q, out);
}
