/* embed.c - vectors for the chunks of an index, some documents at a time.
 *
 *   documents that lack vectors --> their chunks, hashed --> copied where the hash is known
 *                                                        \-> sent, a request's worth at a time
 *   then all rows of these documents are stored in one write, also the unfinished one of a failure.
 */
#include "ingest/embed.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/half.h"
#include "base/log.h"
#include "base/map.h"
#include "base/utf8.h"
#include "platform/crypto.h"

enum {
    WINDOW = 64,          /* documents that are worked on together, at most */
    GROUP_CHUNKS = 2048,  /* or so many chunks, unless one document alone has more */
    SEND_CHUNKS = 256,    /* texts handed to the embedder at once */
    SEND_BYTES = 1 << 20, /* or so many bytes of them */
    TITLE_BYTES = 300,
    TEXT_BYTES = 16 << 10, /* of one embedded text */
    ARENA_BYTES = 1 << 30
};

struct slot { /* a chunk */
    unsigned char hash[CRIA_CHUNK_HASH_BYTES];
    unsigned char *vector; /* its place in the document's row; halves */
    struct slot *same;     /* an earlier one with the same text, or NULL */
    bool is_known;
};

struct group_document {
    struct cria_document row;
    struct slot *slots; /* row.chunk_count of them */
    unsigned char *vectors;
};

struct embedding {
    const struct cria_embed_options *options;
    struct cria_call call; /* with the arena of one group */
    struct cria_arena arena;
    struct cria_arena sending; /* of one call of the embedder */
    char id[CRIA_EMBEDDER_ID_SIZE];
    uint32_t dims;
    struct cria_map known; /* hash -> slot, of one group */
    struct group_document documents[WINDOW];
    size_t count, chunk_count;
    /* texts that wait to be sent */
    struct cria_str texts[SEND_CHUNKS];
    struct slot *waiting[SEND_CHUNKS];
    size_t waiting_count, waiting_bytes;
    struct cria_embed_figures figures;
};

enum cria_status cria_embed_check(const struct cria_embedder *embedder, struct cria_call *call,
                                  const struct cria_index *index)
{
    if (!index->embedder.len || cria_embedder_matches(embedder, index->embedder)) return CRIA_OK;
    char now[CRIA_EMBEDDER_ID_SIZE];
    if (!cria_embedder_id(embedder, now))
        cria_str_copy_z(cria_str_from(cria_embedder_name(embedder)), now, sizeof(now));
    return cria_fail(call, CRIA_E_CONFLICT,
                     "The index was built with the embedding model %.*s and the server now has "
                     "%.100s: make a new index, or start the server with the former model",
                     (int)(index->embedder.len < 100 ? index->embedder.len : 100),
                     index->embedder.ptr, now);
}

/* ---- the text of a chunk */

static void add_line(struct cria_buf *buf, struct cria_str line)
{
    if (line.len == 0) return;
    if (buf->len) cria_buf_add_char(buf, '\n');
    cria_buf_add(buf, line);
}

/* Title, headings and text, a line each: what makes a chunk understood that is read alone. */
static struct cria_str chunk_text(struct embedding *e, const struct cria_document *row,
                                  const struct cria_chunk *chunk, struct cria_str whole)
{
    struct cria_str title = row->title.len ? row->title : row->display_name, text;
    struct cria_str body =
        cria_str_sub(whole, chunk->byte_start, chunk->byte_end - chunk->byte_start);
    struct cria_buf buf;
    cria_buf_init(&buf, 2 * TEXT_BYTES);
    title = cria_utf8_cut(title, TITLE_BYTES);
    /* Headings often begin with the title. */
    if (!cria_str_equal(cria_str_sub(chunk->heading, 0, title.len), title)) add_line(&buf, title);
    add_line(&buf, cria_utf8_cut(chunk->heading, TITLE_BYTES));
    add_line(&buf, cria_utf8_cut(body, TEXT_BYTES));
    text = buf.failed ? (struct cria_str){0} : cria_arena_copy(&e->arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

static void hash_text(const struct embedding *e, struct cria_str text,
                      unsigned char out[CRIA_CHUNK_HASH_BYTES])
{
    unsigned char digest[CRIA_SHA256_BYTES];
    struct cria_sha256 hash;
    cria_sha256_init(&hash);
    cria_sha256_add(&hash, cria_str_from(e->id));
    cria_sha256_add(&hash, CRIA_STR("\n"));
    cria_sha256_add(&hash, text);
    cria_sha256_finish(&hash, digest);
    memcpy(out, digest, CRIA_CHUNK_HASH_BYTES);
}

/* ---- sending */

static size_t vector_bytes(const struct embedding *e)
{
    return (size_t)e->dims * 2;
}

static enum cria_status send_waiting(struct embedding *e)
{
    struct cria_embeddings got;
    size_t count = e->waiting_count;
    e->waiting_count = e->waiting_bytes = 0;
    if (count == 0) return CRIA_OK;
    struct cria_arena *group = e->call.arena;
    e->call.arena = &e->sending;
    enum cria_status st =
        cria_embed(e->options->embedder, &e->call, CRIA_EMBED_DOCUMENT, e->texts, count, &got);
    e->call.arena = group;
    if (st == CRIA_OK && got.dims != e->dims)
        st =
            cria_fail(&e->call, CRIA_E_CONFLICT,
                      "The index was built with the embedding model %.100s, whose vectors now have "
                      "%u numbers: make a new index, or start the server with the former model",
                      e->id, got.dims);
    for (size_t i = 0; i < count && st == CRIA_OK; i++) {
        cria_halves_write(got.rows + i * got.dims, got.dims, e->waiting[i]->vector);
        e->waiting[i]->is_known = true;
    }
    if (st == CRIA_OK) e->figures.sent += count;
    cria_arena_reset(&e->sending);
    return st;
}

static enum cria_status send_later(struct embedding *e, struct slot *slot, struct cria_str text)
{
    e->texts[e->waiting_count] = text;
    e->waiting[e->waiting_count++] = slot;
    e->waiting_bytes += text.len;
    return e->waiting_count == SEND_CHUNKS || e->waiting_bytes >= SEND_BYTES ? send_waiting(e)
                                                                             : CRIA_OK;
}

/* ---- what is known already */

static struct cria_str hash_key(const unsigned char *hash)
{
    return cria_str_make((const char *)hash, CRIA_CHUNK_HASH_BYTES);
}

/* The vectors of a stored row, to be found by their hashes. */
static bool learn(struct embedding *e, const struct cria_document_vectors *row)
{
    if (!cria_str_is(row->embedder, e->id) || row->dims != e->dims) return true;
    for (uint32_t i = 0; i < row->chunk_count; i++) {
        const char *hash = row->hashes.ptr + (size_t)i * CRIA_CHUNK_HASH_BYTES;
        struct cria_str key = cria_str_make(hash, CRIA_CHUNK_HASH_BYTES);
        if (cria_map_get(&e->known, key)) continue;
        struct slot *slot = CRIA_NEW(&e->arena, struct slot);
        if (!slot) return false;
        slot->vector = (unsigned char *)(uintptr_t)row->vectors.ptr + i * vector_bytes(e);
        slot->is_known = true;
        if (!cria_map_put(&e->known, key, slot)) return false;
    }
    return true;
}

/* A look-up that found a row, and learned it. A damaged row is as good as none: it is replaced. */
static enum cria_status learn_found(struct embedding *e, enum cria_status found,
                                    const struct cria_document_vectors *row)
{
    if (found == CRIA_E_NOT_FOUND || found == CRIA_E_CORRUPT) return CRIA_OK;
    if (found != CRIA_OK) return found;
    return learn(e, row) ? CRIA_OK : cria_fail_memory(&e->call);
}

/* What a staged document takes the place of: the live one of its entry, or else, since a file that
 * changed is uploaded anew, the one of its name. */
static enum cria_status find_before(struct embedding *e, struct cria_tx *tx,
                                    const struct cria_document *row, struct cria_document *out)
{
    static const struct cria_window first = {.limit = 1};
    struct cria_str project = e->options->project, any = {0};
    struct cria_document_list named;
    enum cria_status st =
        cria_tx_document_get(tx, &e->call, project, row->index_id, row->entry_id, false, out);
    if (st != CRIA_E_NOT_FOUND) return st;
    st = cria_tx_document_list(tx, &e->call, project, row->index_id, row->display_name, any, &first,
                               &named);
    if (st != CRIA_OK) return st;
    if (named.count == 0) return CRIA_E_NOT_FOUND;
    *out = named.items[0];
    return CRIA_OK;
}

/* Rows that may hold what a document needs: its own unfinished one, its predecessor's, and that of
 * any document with the same content. */
static enum cria_status load_known(struct embedding *e, struct cria_tx *tx,
                                   const struct cria_document *row)
{
    struct cria_str project = e->options->project;
    struct cria_document_vectors vectors;
    struct cria_document before;
    enum cria_status st = cria_tx_vectors_get(tx, &e->call, project, row->id, &vectors);
    st = learn_found(e, st, &vectors);
    if (st == CRIA_OK && !row->is_live) {
        st = find_before(e, tx, row, &before);
        if (st == CRIA_OK) st = cria_tx_vectors_get(tx, &e->call, project, before.id, &vectors);
        st = learn_found(e, st, &vectors);
    }
    if (st != CRIA_OK) return st;
    st = cria_tx_vectors_of_content(tx, &e->call, project, row->content_key, cria_str_from(e->id),
                                    &vectors);
    return learn_found(e, st, &vectors);
}

/* ---- one document */

static enum cria_status load(struct embedding *e, const struct cria_document *row,
                             struct cria_chunk_list *chunks, struct cria_str *text)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(e->options->store, &e->call, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_document_chunks(tx, &e->call, e->options->project, row->id, chunks);
    if (st == CRIA_OK) st = cria_tx_document_text(tx, &e->call, e->options->project, row->id, text);
    if (st == CRIA_OK) st = load_known(e, tx, row);
    cria_store_read_end(tx);
    return st;
}

static enum cria_status take_chunk(struct embedding *e, struct slot *slot, struct cria_str text)
{
    hash_text(e, text, slot->hash);
    struct slot *same = cria_map_get(&e->known, hash_key(slot->hash));
    if (!same) {
        if (!cria_map_put(&e->known, hash_key(slot->hash), slot)) return cria_fail_memory(&e->call);
        return send_later(e, slot, text);
    }
    slot->same = same;
    e->figures.copied++;
    return CRIA_OK;
}

static enum cria_status take_document(struct embedding *e, const struct cria_document *row)
{
    struct cria_chunk_list chunks;
    struct cria_str whole;
    enum cria_status st = load(e, row, &chunks, &whole);
    if (st == CRIA_E_NOT_FOUND) return CRIA_OK; /* deleted meanwhile */
    if (st != CRIA_OK) return st;
    struct group_document *document = &e->documents[e->count];
    size_t bytes;
    document->row = *row;
    document->row.chunk_count = (uint32_t)chunks.count;
    if (chunks.count == 0) return CRIA_OK;
    if (!cria_size_mul(chunks.count, vector_bytes(e), &bytes)) return cria_fail_memory(&e->call);
    document->slots = CRIA_NEW_ARRAY(&e->arena, chunks.count, struct slot);
    document->vectors = cria_arena_alloc(&e->arena, bytes);
    if (!document->slots || !document->vectors) return cria_fail_memory(&e->call);
    for (size_t i = 0; i < chunks.count; i++)
        document->slots[i].vector = document->vectors + i * vector_bytes(e);
    e->count++;
    e->chunk_count += chunks.count;
    for (size_t i = 0; i < chunks.count && st == CRIA_OK; i++) {
        struct cria_str text = chunk_text(e, row, &chunks.items[i], whole);
        st = text.ptr ? take_chunk(e, &document->slots[i], text) : cria_fail_memory(&e->call);
    }
    return st;
}

/* ---- storing */

/* Copies what chunks have in common with others. Before anything is moved. */
static void copy_same(struct embedding *e)
{
    for (size_t d = 0; d < e->count; d++) {
        for (uint32_t i = 0; i < e->documents[d].row.chunk_count; i++) {
            struct slot *slot = &e->documents[d].slots[i];
            if (!slot->same || !slot->same->is_known) continue;
            memcpy(slot->vector, slot->same->vector, vector_bytes(e));
            slot->is_known = true;
        }
    }
}

/* The known chunks of a document as a row; fewer than all when something failed. */
static bool make_row(struct embedding *e, struct group_document *document,
                     struct cria_document_vectors *out)
{
    const struct cria_document *row = &document->row;
    size_t known = 0, each = vector_bytes(e);
    char *hashes = cria_arena_alloc(&e->arena, (size_t)row->chunk_count * CRIA_CHUNK_HASH_BYTES);
    if (!hashes) return false;
    for (uint32_t i = 0; i < row->chunk_count; i++) {
        struct slot *slot = &document->slots[i];
        if (!slot->is_known) continue;
        memcpy(hashes + known * CRIA_CHUNK_HASH_BYTES, slot->hash, CRIA_CHUNK_HASH_BYTES);
        if (known < i) memcpy(document->vectors + known * each, slot->vector, each);
        known++;
    }
    *out = (struct cria_document_vectors){
        .document_id = row->id,
        .index_id = row->index_id,
        .content_key = row->content_key,
        .embedder = cria_str_from(e->id),
        .dims = e->dims,
        .chunk_count = (uint32_t)known,
        .hashes = {hashes, known * CRIA_CHUNK_HASH_BYTES},
        .vectors = {(const char *)document->vectors, known * each},
    };
    return true;
}

struct rows {
    struct cria_str project;
    struct cria_document_vectors items[WINDOW];
    size_t count;
};

static enum cria_status put_rows(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct rows *rows = arg;
    enum cria_status st = CRIA_OK;
    for (size_t i = 0; i < rows->count && st == CRIA_OK; i++)
        st = cria_tx_vectors_put(tx, call, rows->project, &rows->items[i]);
    return st;
}

static enum cria_status store_group(struct embedding *e)
{
    struct rows rows = {.project = e->options->project};
    copy_same(e);
    for (size_t i = 0; i < e->count; i++) {
        struct cria_document_vectors *row = &rows.items[rows.count];
        if (!make_row(e, &e->documents[i], row)) return cria_fail_memory(&e->call);
        rows.count += row->chunk_count > 0;
    }
    return rows.count ? cria_store_write(e->options->store, &e->call, put_rows, &rows) : CRIA_OK;
}

/* ---- all of them */

static void begin_group(struct embedding *e)
{
    cria_map_release(&e->known);
    cria_arena_reset(&e->arena);
    e->count = e->chunk_count = e->waiting_count = e->waiting_bytes = 0;
}

/* Stores what a group has got, also before a failure (but for one of memory), whose sentence then
 * stays. */
static enum cria_status end_group(struct embedding *e, enum cria_status st)
{
    char why[CRIA_ERROR_SIZE];
    if (st == CRIA_OK) return store_group(e);
    memcpy(why, e->call.error, sizeof(why));
    if (st != CRIA_E_NO_MEMORY && store_group(e) != CRIA_OK)
        cria_log(CRIA_LOG_WARN, "embed.keep", "why='%s'", e->call.error);
    memcpy(e->call.error, why, sizeof(why));
    return st;
}

/* Works on the first documents behind `after` (the entry of the last one) and moves it on; *taken:
 * how many they were. */
static enum cria_status run_group(struct embedding *e, char after[CRIA_ID_SIZE], size_t *taken)
{
    struct cria_window window = {.after = {.is_set = after[0] != '\0', .id = cria_str_from(after)},
                                 .limit = WINDOW};
    struct cria_document_list list;
    struct cria_tx *tx = NULL;
    *taken = 0;
    begin_group(e);
    enum cria_status st = cria_store_read_begin(e->options->store, &e->call, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_documents_unembedded(tx, &e->call, e->options->project, e->options->index->id,
                                      cria_str_from(e->id), &window, &list);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    while (*taken < list.count && st == CRIA_OK && e->chunk_count < GROUP_CHUNKS) {
        const struct cria_document *row = &list.items[(*taken)++];
        cria_str_copy_z(row->entry_id, after, CRIA_ID_SIZE);
        st = take_document(e, row);
    }
    if (st == CRIA_OK) st = send_waiting(e);
    return end_group(e, st);
}

static enum cria_status count_left(struct embedding *e, uint64_t *out)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(e->options->store, &e->call, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_documents_unembedded_count(tx, &e->call, e->options->project,
                                            e->options->index->id, cria_str_from(e->id), out);
    cria_store_read_end(tx);
    return st;
}

/* Whose vectors: the embedder that the index remembers, else ours, which is asked for its dims. */
static enum cria_status settle_id(struct embedding *e, uint64_t *left)
{
    const struct cria_index *index = e->options->index;
    enum cria_status st = cria_embed_check(e->options->embedder, &e->call, index);
    if (st == CRIA_OK && index->embedder.len) {
        cria_str_copy_z(index->embedder, e->id, sizeof(e->id));
    } else if (st == CRIA_OK) {
        st = count_left(e, left);
        if (st != CRIA_OK || *left == 0) return st;
        st = cria_embedder_probe(e->options->embedder, &e->call);
        if (st == CRIA_OK) cria_embedder_id(e->options->embedder, e->id);
    }
    e->dims = cria_embedder_id_dims(cria_str_from(e->id));
    return st == CRIA_OK ? count_left(e, left) : st;
}

static enum cria_status run(struct embedding *e)
{
    uint64_t left = 0;
    size_t taken = 1;
    char after[CRIA_ID_SIZE] = "";
    enum cria_status st = settle_id(e, &left);
    while (st == CRIA_OK && left && taken) {
        if (!e->options->on_progress(e->options->arg, left)) return CRIA_E_CANCELLED;
        st = run_group(e, after, &taken);
        left -= taken < left ? taken : left;
    }
    return st;
}

enum cria_status cria_embed_index(const struct cria_embed_options *options, struct cria_call *call,
                                  char id[CRIA_EMBEDDER_ID_SIZE],
                                  struct cria_embed_figures *figures)
{
    struct embedding *e = calloc(1, sizeof(*e));
    if (!e) return cria_fail_memory(call);
    e->options = options;
    cria_arena_init(&e->arena, ARENA_BYTES);
    cria_arena_init(&e->sending, ARENA_BYTES);
    cria_call_init(&e->call, &e->arena);
    e->call.principal = call->principal;
    e->call.cancelled = call->cancelled;
    enum cria_status st = run(e);
    memcpy(id, e->id, sizeof(e->id));
    *figures = e->figures;
    if (st != CRIA_OK) cria_fail(call, st, "%s", e->call.error);
    cria_map_release(&e->known);
    cria_arena_release(&e->arena);
    cria_arena_release(&e->sending);
    free(e);
    return st;
}
