/* maintain.c - what can be done later: memory into files, vectors encoded, small segments merged.
 * Room: search. The slow parts hold no lock; what they made is put in place under the collection's
 * `build`, against what is current then. A crash at any step leaves strays, never a lost document:
 * files are whole before the manifest names them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/half.h"
#include "base/log.h"
#include "search/bitmap.h"
#include "search/internal.h"
#include "search/manifest.h"

enum {
    MERGE_LEAST = 4,    /* segments of one size are merged when there are so many */
    SEGMENTS_MOST = 12, /* more are merged whatever their size */
    DEAD_SHARE = 3,     /* a segment is written again when one in so many chunks is dead */
    VECTOR_ARENA = 1 << 30
};

/* ---- the manifest */

struct manifest_write {
    const struct cria_collection *collection;
    struct cria_str body;
};

static enum cria_status put_manifest(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct manifest_write *write = arg;
    return cria_tx_manifest_put(tx, call, cria_str_from(write->collection->project),
                                cria_str_from(write->collection->index_id),
                                write->collection->manifest_version, write->body);
}

/* Whether a write that failed was stored all the same: the version tells. */
static enum cria_status read_version(struct cria_collection *c, struct cria_call *call)
{
    struct cria_tx *tx = NULL;
    struct cria_manifest row = {0};
    enum cria_status st = cria_store_read_begin(cria_search_store(c->search), call, &tx);
    if (st == CRIA_OK)
        st = cria_tx_manifest_get(tx, call, cria_str_from(c->project), cria_str_from(c->index_id),
                                  &row);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    c->is_unsure = false;
    if (row.version == c->manifest_version + 1) c->manifest_version++;
    return CRIA_OK;
}

enum cria_status cria_collection_write_manifest(struct cria_collection *c, struct cria_call *call)
{
    struct cria_buf body;
    struct cria_snapshot *snapshot = cria_collection_current(c);
    if (!snapshot) return CRIA_OK;
    cria_buf_init(&body, SIZE_MAX);
    char scope[2 * CRIA_ID_SIZE];
    cria_collection_scope(c, scope);
    enum cria_status st = c->is_unsure ? read_version(c, call) : CRIA_OK;
    if (st == CRIA_OK && !cria_manifest_write(snapshot, cria_str_from(scope), &body))
        st = cria_fail_memory(call);
    struct manifest_write write = {c, cria_buf_str(&body)};
    if (st == CRIA_OK) {
        st = cria_store_write(cria_search_store(c->search), call, put_manifest, &write);
        c->is_unsure = st != CRIA_OK && st != CRIA_E_CONFLICT && st != CRIA_E_NOT_FOUND;
    }
    if (st == CRIA_OK) {
        c->manifest_version++;
        cria_collection_remove_retired(c);
    }
    if (st == CRIA_E_CONFLICT)
        cria_fail(call, st, "The index's search files are kept by somebody else");
    cria_buf_release(&body);
    cria_snapshot_unref(snapshot);
    return st;
}

/* ---- memory into files */

static enum cria_status save_piece(struct cria_collection *c, struct cria_call *call,
                                   const struct cria_piece *piece, struct cria_piece **out)
{
    char name[CRIA_ID_SIZE], part[4096], path[4096];
    struct cria_segment_file *file = NULL;
    struct cria_segment *segment = NULL;
    enum cria_status st = cria_collection_make_folder(c, call);
    if (st != CRIA_OK) return st;
    if (!cria_collection_new_file(c, "seg-", name, part, path, sizeof(path)))
        return cria_fail(call, CRIA_E_INTERNAL, "The data folder's name is too long");
    st = cria_segment_file_save(piece->segment->file, call, part, path, &file);
    if (st == CRIA_OK) st = cria_segment_open(file, call, &segment);
    if (st == CRIA_OK) {
        *out = cria_piece_new(segment, name);
        if (!*out) st = cria_fail_memory(call);
    }
    if (st != CRIA_OK) cria_collection_remove(c, name);
    if (st != CRIA_OK || !atomic_load(&piece->vectors)) return st;
    if (!cria_collection_new_file(c, "vec-", name, part, path, sizeof(path)))
        return cria_fail(call, CRIA_E_INTERNAL, "The data folder's name is too long");
    st = cria_segment_file_save(piece->vector_file, call, part, path, &file);
    if (st == CRIA_OK) st = cria_piece_open_vectors(*out, call, file, name, 0);
    if (st == CRIA_OK) return st;
    cria_collection_remove(c, (*out)->name);
    cria_collection_remove(c, name);
    cria_piece_unref(*out);
    *out = NULL;
    return st;
}

enum cria_status cria_collection_save(struct cria_collection *c, struct cria_call *call)
{
    struct cria_snapshot *base = cria_collection_current(c), *fresh = NULL;
    struct cria_parts parts = {0};
    enum cria_status st = CRIA_OK;
    bool changed = false, good = base != NULL;
    for (size_t i = 0; good && i < base->parts.count; i++) {
        struct cria_piece *saved = NULL;
        good = cria_parts_copy(&parts, &base->parts.items[i]);
        /* What follows one that cannot be written stays in memory with it. */
        if (!good || st != CRIA_OK || parts.items[i].piece->name[0]) continue;
        st = save_piece(c, call, parts.items[i].piece, &saved);
        if (st != CRIA_OK) continue;
        cria_piece_unref(parts.items[i].piece);
        parts.items[i].piece = saved;
        changed = true;
    }
    if (good && changed) fresh = cria_snapshot_new(&parts, base->generation, base->seq);
    if (fresh)
        cria_collection_install(c, fresh);
    else if (base && (changed || !good))
        st = cria_fail_memory(call); /* the new files are strays */
    cria_parts_release(&parts);
    cria_snapshot_unref(base);
    return st == CRIA_OK ? cria_collection_write_manifest(c, call) : st;
}

/* ---- vectors */

/* Rows as half floats: gathered from the store, or those of the merged segments. */
struct rows {
    uint32_t dims, count;
    uint16_t *halves; /* gathered: count x dims */
    uint8_t *present;
    const struct cria_piece **of; /* merged: where each row lies */
    uint32_t *at;
    bool failed;        /* gathered: memory is short; merged: a file is damaged */
    bool is_incomplete; /* gathered: the store has not all */
};

static const uint16_t *row_of(void *arg, uint32_t n)
{
    struct rows *rows = arg;
    if (rows->of) {
        const struct cria_piece *piece = rows->of[n];
        const uint16_t *row =
            piece ? cria_vector_row(atomic_load(&piece->vectors), rows->at[n]) : NULL;
        if (!row && piece && cria_segment_file_is_damaged(piece->vector_file)) rows->failed = true;
        return row;
    }
    return rows->present[n] ? rows->halves + (size_t)n * rows->dims : NULL;
}

static void rows_release(struct rows *rows)
{
    free(rows->halves);
    free(rows->present);
    free(rows->of);
    free(rows->at);
}

/* Writes the vectors beside a piece and opens them in it; in memory when it lies there. */
static enum cria_status encode(const struct cria_collection *c, struct cria_call *call,
                               struct rows *rows, struct cria_piece *piece)
{
    char name[CRIA_ID_SIZE] = "", part[4096], path[4096];
    struct cria_segment_writer *writer = NULL;
    struct cria_segment_file *file = NULL;
    bool is_file = piece->name[0] != '\0';
    if (is_file && !cria_collection_new_file(c, "vec-", name, part, path, sizeof(path)))
        return cria_fail(call, CRIA_E_INTERNAL, "The data folder's name is too long");
    enum cria_status st = cria_segment_writer_new(is_file ? part : NULL, call, &writer);
    if (st != CRIA_OK) return st;
    const struct cria_vector_source source = {
        .dims = rows->dims, .count = rows->count, .row = row_of, .arg = rows};
    struct cria_sink sink = cria_segment_sink(writer);
    cria_segment_begin(writer, 0);
    st = cria_vector_build(call, &source, &sink, NULL);
    if (st == CRIA_OK && rows->of && rows->failed)
        st = cria_fail(call, CRIA_E_CORRUPT, "A search file is damaged");
    if (st != CRIA_OK) {
        st = cria_segment_writer_failure(writer, call, st);
        cria_segment_writer_free(writer);
        return st;
    }
    st = cria_segment_writer_finish(writer, call, is_file ? path : NULL, &file);
    if (st == CRIA_OK) st = cria_piece_open_vectors(piece, call, file, name, 0);
    if (st != CRIA_OK && is_file) cria_collection_remove(c, name);
    return st;
}

/* A document's vectors into the rows of its chunks. */
static bool take_vectors(struct rows *rows, const struct cria_segment *segment,
                         const struct cria_segment_document *document,
                         const struct cria_document_vectors *vectors)
{
    struct cria_segment_chunk chunk;
    size_t each = (size_t)vectors->dims * 2;
    if (!rows->halves) {
        rows->dims = vectors->dims;
        rows->halves = calloc((size_t)rows->count * rows->dims + 1, 2);
        rows->present = calloc((size_t)rows->count + 1, 1);
        if (!rows->halves || !rows->present) rows->failed = true;
        if (rows->failed) return false;
    }
    if (vectors->dims != rows->dims || vectors->chunk_count < document->chunk_count)
        rows->is_incomplete = true; /* the build broke off */
    for (uint32_t i = 0; i < document->chunk_count && !rows->is_incomplete; i++) {
        uint32_t n = document->first_chunk + i;
        if (!cria_segment_chunk(segment, n, &chunk)) return false;
        if (chunk.place.n >= vectors->chunk_count) continue;
        memcpy(rows->halves + (size_t)n * rows->dims, vectors->vectors.ptr + chunk.place.n * each,
               each);
        rows->present[n] = 1;
    }
    return true;
}

/* Whose vectors the index holds; "": nobody's yet. */
static enum cria_status embedder_of(const struct cria_collection *c, struct cria_call *call,
                                    char out[CRIA_EMBEDDER_ID_SIZE])
{
    struct cria_tx *tx = NULL;
    struct cria_index index;
    out[0] = '\0';
    enum cria_status st = cria_store_read_begin(cria_search_store(c->search), call, &tx);
    if (st == CRIA_OK)
        st = cria_tx_index_get(tx, call, cria_str_from(c->project), cria_str_from(c->index_id),
                               &index);
    cria_store_read_end(tx);
    if (st == CRIA_OK && !cria_str_copy_z(index.embedder, out, CRIA_EMBEDDER_ID_SIZE))
        out[0] = '\0';
    return st;
}

/* What the store has for the documents of a part; rows->is_incomplete when it has not all. */
static enum cria_status gather(const struct cria_collection *c, struct cria_call *call,
                               const struct cria_part *part, struct rows *rows)
{
    struct cria_arena arena;
    struct cria_call reading;
    struct cria_segment_document document;
    struct cria_document_vectors vectors;
    char embedder[CRIA_EMBEDDER_ID_SIZE];
    const struct cria_segment *segment = part->piece->segment;
    cria_arena_init(&arena, VECTOR_ARENA);
    cria_call_init(&reading, &arena);
    enum cria_status st = embedder_of(c, &reading, embedder);
    rows->is_incomplete = embedder[0] == '\0';
    for (uint32_t d = 0; d < segment->meta.document_count && st == CRIA_OK && !rows->is_incomplete;
         d++) {
        struct cria_tx *tx = NULL;
        if ((part->dead && cria_bit(part->dead, d)) ||
            segment->first_chunk[d] == segment->first_chunk[d + 1])
            continue;
        if (!cria_segment_document(segment, d, &document)) {
            st = cria_fail(call, CRIA_E_CORRUPT, "A search file is damaged");
            break;
        }
        st = cria_store_read_begin(cria_search_store(c->search), &reading, &tx);
        if (st == CRIA_OK)
            st =
                cria_tx_vectors_get(tx, &reading, cria_str_from(c->project), document.id, &vectors);
        cria_store_read_end(tx);
        if (st == CRIA_OK && !cria_str_is(vectors.embedder, embedder)) st = CRIA_E_NOT_FOUND;
        if (st == CRIA_OK && !take_vectors(rows, segment, &document, &vectors))
            st = rows->failed ? cria_fail_memory(call)
                              : cria_fail(call, CRIA_E_CORRUPT, "A search file is damaged");
        if (st == CRIA_E_NOT_FOUND) {
            rows->is_incomplete = true;
            st = CRIA_OK;
        }
        if (st != CRIA_OK && !call->error[0]) cria_fail(call, st, "%s", reading.error);
        cria_arena_reset(&arena);
    }
    cria_arena_release(&arena);
    return st;
}

enum cria_status cria_collection_encode(const struct cria_collection *c, struct cria_call *call,
                                        const struct cria_part *part, bool *added)
{
    struct cria_piece *piece = part->piece;
    struct rows rows = {.count = piece->segment->meta.chunk_count};
    *added = false;
    if (atomic_load(&piece->vectors) || atomic_exchange(&piece->is_busy, true)) return CRIA_OK;
    enum cria_status st = atomic_load(&piece->vectors) ? CRIA_OK : gather(c, call, part, &rows);
    if (st == CRIA_OK && rows.halves && !rows.is_incomplete) {
        st = encode(c, call, &rows, piece);
        *added = st == CRIA_OK;
    }
    atomic_store(&piece->is_busy, false);
    rows_release(&rows);
    return st;
}

enum cria_status cria_collection_add_vectors(struct cria_collection *c, struct cria_call *call,
                                             uint64_t max_chunks)
{
    struct cria_snapshot *snapshot = cria_collection_current(c);
    enum cria_status st = CRIA_OK;
    bool any = false;
    for (size_t i = 0; snapshot && st == CRIA_OK && i < snapshot->parts.count; i++) {
        const struct cria_part *part = &snapshot->parts.items[i];
        bool added = false;
        if (!part->piece->name[0] || part->piece->segment->meta.chunk_count > max_chunks) continue;
        st = cria_collection_encode(c, call, part, &added);
        any = any || added;
    }
    cria_snapshot_unref(snapshot);
    if (!any) return st;
    pthread_mutex_lock(&c->build);
    enum cria_status written = cria_collection_write_manifest(c, call);
    pthread_mutex_unlock(&c->build);
    return st == CRIA_OK ? written : st;
}

/* ---- merging */

struct choice {
    size_t parts[256]; /* numbers in the snapshot, ascending */
    size_t count;
    uint64_t chunks;
};

static uint64_t living(const struct cria_part *part)
{
    return part->piece->segment->meta.chunk_count - part->dead_chunks;
}

/* From `first` on in ascending order, as many as make a merge: each next at most twice as large as
 * all before it together, so that segments grow by their like and a chunk is written again a few
 * times at most; or all that are too many. */
static size_t run_from(const struct cria_snapshot *snapshot, const size_t *order, size_t count,
                       size_t first, uint64_t *sum)
{
    size_t taken = 0;
    *sum = 0;
    while (first + taken < count) {
        uint64_t next = living(&snapshot->parts.items[order[first + taken]]);
        if (taken > 0 && next > 2 * *sum && count - taken <= SEGMENTS_MOST) break;
        *sum += next;
        taken++;
    }
    return taken;
}

static bool choose(const struct cria_snapshot *snapshot, struct choice *out)
{
    size_t order[256], count = 0;
    *out = (struct choice){0};
    for (size_t i = 0; i < snapshot->parts.count && count < CRIA_COUNT(order); i++) {
        const struct cria_piece *piece = snapshot->parts.items[i].piece;
        if (!piece->name[0] || atomic_load(&piece->is_busy)) continue;
        size_t at = count++;
        for (; at > 0 &&
               living(&snapshot->parts.items[order[at - 1]]) > living(&snapshot->parts.items[i]);
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    size_t taken = 0, first = 0;
    uint64_t sum = 0;
    for (; first < count; first++) { /* a small one alone keeps nobody from merging */
        taken = run_from(snapshot, order, count, first, &sum);
        if (taken >= MERGE_LEAST) break;
        taken = 0;
    }
    for (size_t i = 0; taken == 0 && i < count; i++) {
        const struct cria_part *part = &snapshot->parts.items[order[i]];
        if (part->dead_chunks == 0 ||
            (uint64_t)part->dead_chunks * DEAD_SHARE < part->piece->segment->meta.chunk_count)
            continue;
        out->parts[out->count++] = order[i];
        out->chunks = living(part);
        return true;
    }
    for (size_t i = 0; i < snapshot->parts.count; i++)
        for (size_t k = first; k < first + taken; k++)
            if (order[k] == i) out->parts[out->count++] = i;
    out->chunks = sum;
    return taken > 0;
}

/* Vectors of the merged piece are those of its parts, when all have them. */
static enum cria_status merge_vectors(struct cria_collection *c, struct cria_call *call,
                                      const struct cria_snapshot *snapshot,
                                      const struct choice *choice, struct cria_piece *merged)
{
    struct rows rows = {.count = merged->segment->meta.chunk_count};
    uint32_t n = 0;
    for (size_t i = 0; i < choice->count; i++) {
        const struct cria_vector_index *vectors =
            atomic_load(&snapshot->parts.items[choice->parts[i]].piece->vectors);
        if (!vectors || (rows.dims && cria_vector_dims(vectors) != rows.dims)) return CRIA_OK;
        rows.dims = cria_vector_dims(vectors);
    }
    rows.of = calloc((size_t)rows.count + 1, sizeof(const struct cria_piece *));
    rows.at = calloc((size_t)rows.count + 1, sizeof(*rows.at));
    bool good = rows.of && rows.at;
    for (size_t i = 0; good && i < choice->count; i++) {
        const struct cria_part *part = &snapshot->parts.items[choice->parts[i]];
        for (uint32_t chunk = 0; chunk < part->piece->segment->meta.chunk_count; chunk++) {
            if (part->alive && !cria_bit(part->alive, chunk)) continue;
            if (n >= rows.count) break;
            rows.of[n] = part->piece;
            rows.at[n++] = chunk;
        }
    }
    enum cria_status st = good ? encode(c, call, &rows, merged) : cria_fail_memory(call);
    rows_release(&rows);
    /* Damaged ones are made again from the store. */
    return st == CRIA_E_CORRUPT ? CRIA_OK : st;
}

/* What died in a part while it was merged is dead in the merged one: its documents have kept their
 * order. now NULL: the part is gone, as damaged or as a whole dead, and so are all of them. */
static bool carry_deaths(const struct cria_part *then, const struct cria_part *now,
                         struct cria_part *merged, uint32_t *n)
{
    for (uint32_t d = 0; d < then->piece->segment->meta.document_count; d++) {
        if (then->dead && cria_bit(then->dead, d)) continue;
        bool died = !now || (now->dead && cria_bit(now->dead, d));
        if (died && !cria_part_kill(merged, *n)) return false;
        (*n)++;
    }
    return true;
}

/* Puts the merged piece in the place of its parts. With `build` held. *installed: it is current,
 * and its file has to stay. */
static enum cria_status put_in_place(struct cria_collection *c, struct cria_call *call,
                                     const struct cria_snapshot *then, const struct choice *choice,
                                     struct cria_piece *merged, bool *installed)
{
    struct cria_snapshot *now = cria_collection_current(c), *fresh = NULL;
    struct cria_parts parts = {0};
    uint32_t n = 0;
    struct cria_part *part = cria_parts_add(&parts, cria_piece_ref(merged));
    bool good = part != NULL;
    for (size_t i = 0; good && i < choice->count; i++) {
        const struct cria_part *old = &then->parts.items[choice->parts[i]];
        const struct cria_part *still = cria_snapshot_find(now, old->piece);
        good = carry_deaths(old, still, part, &n);
    }
    for (size_t i = 0; good && i < now->parts.count; i++) {
        bool is_merged = false;
        for (size_t k = 0; k < choice->count; k++)
            is_merged =
                is_merged || then->parts.items[choice->parts[k]].piece == now->parts.items[i].piece;
        if (!is_merged) good = cria_parts_copy(&parts, &now->parts.items[i]);
    }
    if (good) fresh = cria_snapshot_new(&parts, now->generation, now->seq);
    cria_parts_release(&parts);
    cria_snapshot_unref(now);
    if (!fresh) return cria_fail_memory(call);
    *installed = cria_snapshot_find(fresh, merged) != NULL; /* not when all of it died meanwhile */
    cria_collection_install(c, fresh);
    return cria_collection_write_manifest(c, call);
}

static enum cria_status merge_chosen(struct cria_collection *c, struct cria_call *call,
                                     const struct cria_snapshot *snapshot,
                                     const struct choice *choice)
{
    struct cria_segment_input inputs[256];
    char name[CRIA_ID_SIZE], part[4096], path[4096];
    struct cria_segment *segment = NULL;
    bool installed = false;
    for (size_t i = 0; i < choice->count; i++) {
        const struct cria_part *from = &snapshot->parts.items[choice->parts[i]];
        inputs[i] = (struct cria_segment_input){from->piece->segment, from->dead};
    }
    if (!cria_collection_new_file(c, "seg-", name, part, path, sizeof(path)))
        return cria_fail(call, CRIA_E_INTERNAL, "The data folder's name is too long");
    const struct cria_segment_place place = {part, path};
    enum cria_status st = cria_segment_merge(inputs, choice->count, call, &place, &segment);
    struct cria_piece *merged = st == CRIA_OK ? cria_piece_new(segment, name) : NULL;
    if (!merged) {
        cria_collection_remove(c, name);
        return st == CRIA_OK ? cria_fail_memory(call) : st;
    }
    st = merge_vectors(c, call, snapshot, choice, merged);
    if (st == CRIA_OK) {
        pthread_mutex_lock(&c->build);
        st = put_in_place(c, call, snapshot, choice, merged, &installed);
        pthread_mutex_unlock(&c->build);
    }
    if (!installed) {
        cria_collection_remove(c, merged->name);
        cria_collection_remove(c, merged->vectors_name);
    }
    cria_piece_unref(merged);
    return st;
}

static void release(const struct cria_snapshot *snapshot, const struct choice *choice, size_t count)
{
    for (size_t i = 0; i < count; i++)
        atomic_store(&snapshot->parts.items[choice->parts[i]].piece->is_busy, false);
}

/* Two threads never merge the same part. */
static bool claim(const struct cria_snapshot *snapshot, const struct choice *choice)
{
    for (size_t i = 0; i < choice->count; i++) {
        struct cria_piece *piece = snapshot->parts.items[choice->parts[i]].piece;
        if (!atomic_exchange(&piece->is_busy, true)) continue;
        release(snapshot, choice, i);
        return false;
    }
    return true;
}

/* Whether all that was claimed is still part of the collection: another merge may have come and
 * gone since the snapshot was taken. */
static bool is_current(struct cria_collection *c, const struct cria_snapshot *snapshot,
                       const struct choice *choice)
{
    struct cria_snapshot *now = cria_collection_current(c);
    bool all = true;
    for (size_t i = 0; i < choice->count && all; i++)
        all = cria_snapshot_find(now, snapshot->parts.items[choice->parts[i]].piece) != NULL;
    cria_snapshot_unref(now);
    return all;
}

enum cria_status cria_collection_merge(struct cria_collection *c, struct cria_call *call,
                                       uint64_t max_chunks, bool *left)
{
    enum cria_status st = CRIA_OK;
    *left = false;
    for (bool more = true; more && st == CRIA_OK;) {
        struct choice choice;
        struct cria_snapshot *snapshot = cria_collection_current(c);
        more = snapshot && choose(snapshot, &choice);
        if (more && choice.chunks > max_chunks) {
            *left = true;
            more = false;
        }
        more = more && claim(snapshot, &choice);
        if (more) {
            if (is_current(c, snapshot, &choice)) st = merge_chosen(c, call, snapshot, &choice);
            release(snapshot, &choice, choice.count);
        }
        cria_snapshot_unref(snapshot);
    }
    return st;
}
