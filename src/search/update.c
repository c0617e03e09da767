/* update.c - a collection follows its store: what came is added, what went is marked dead, what was
 * lost is made again. Room: search.
 *
 * Changes are found by the documents' seq. Afterwards the number of live documents here must equal
 * the store's; where it does not (documents went, a file was lost), all of them are compared. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "platform/clock.h"
#include "search/bitmap.h"
#include "search/internal.h"
#include "search/manifest.h"

enum {
    PAGE_DOCUMENTS = 200,
    DOCUMENT_ARENA = 1 << 30,
    SEGMENT_CHUNKS = 32 << 10, /* a segment that is built holds at most about so many */
    SEGMENT_BYTES = 192 << 20,
    MEMORY_CHUNKS = 4096,                /* smaller ones lie in memory first */
    ENCODED_CHUNKS = 2 * SEGMENT_CHUNKS, /* vectors of larger ones come later */
    FEW_CHANGES = 32,                    /* up to so many are looked for one by one */
    MOST_ROUNDS = 4
};

struct update {
    struct cria_collection *collection;
    struct cria_call *call;
    struct cria_search *search;
    struct cria_str project, index_id;
    struct cria_parts parts;
    size_t old_parts; /* those before it began: only there documents are looked for */
    struct cria_segment_builder *builder;
    struct cria_analyser *analyser;
    struct cria_map places; /* entry id -> place + 1 of its living document in the old parts */
    bool has_places;
    int64_t generation, seq;
    char embedder[CRIA_EMBEDDER_ID_SIZE]; /* the index's */
    bool is_rotten;                       /* a segment is damaged: what CRIA_E_CORRUPT is about */
    uint64_t looked_for;
};

/* ---- the manifest */

static enum cria_status load_part(struct cria_collection *c, struct cria_call *call,
                                  const struct cria_manifest_part *row, struct cria_parts *parts)
{
    char path[4096];
    struct cria_segment_file *file = NULL;
    struct cria_segment *segment = NULL;
    if (!cria_collection_path(c, row->name, path, sizeof(path))) return CRIA_E_INTERNAL;
    enum cria_status st = cria_segment_file_open(path, call, &file);
    if (st == CRIA_OK) st = cria_segment_open(file, call, &segment);
    if (st == CRIA_OK && (segment->meta.document_count != row->document_count ||
                          cria_segment_file_identity(segment->file) != row->identity)) {
        cria_segment_close(segment);
        return cria_fail(call, CRIA_E_CORRUPT, "A search file is not the one it should be");
    }
    if (st != CRIA_OK) return st;
    struct cria_piece *piece = cria_piece_new(segment, row->name);
    struct cria_part *part = piece ? cria_parts_add(parts, piece) : NULL;
    if (!part) return cria_fail_memory(call);
    for (uint32_t d = 0; row->dead.len && d < row->document_count; d++)
        if ((unsigned char)row->dead.ptr[d / 8] >> (d % 8) & 1 && !cria_part_kill(part, d))
            return cria_fail_memory(call);
    if (!row->vectors_name[0] || !cria_collection_path(c, row->vectors_name, path, sizeof(path)))
        return CRIA_OK;
    st = cria_segment_file_open(path, call, &file);
    if (st == CRIA_OK)
        st = cria_piece_open_vectors(piece, call, file, row->vectors_name, row->vectors_identity);
    if (st != CRIA_OK)
        cria_log(CRIA_LOG_WARN, "search.lost", "index=%s file=%s why='%s'", c->index_id,
                 row->vectors_name, call->error); /* they are encoded again */
    return CRIA_OK;
}

/* What the manifest says, as far as it is there and sound. */
static enum cria_status load(struct cria_collection *c, struct cria_call *call)
{
    struct cria_arena arena;
    struct cria_call reading;
    struct cria_tx *tx = NULL;
    struct cria_manifest row = {0};
    struct cria_manifest_reader reader;
    struct cria_manifest_part part;
    struct cria_parts parts = {0};
    char scope[2 * CRIA_ID_SIZE];
    cria_arena_init(&arena, DOCUMENT_ARENA);
    cria_call_init(&reading, &arena);
    cria_collection_scope(c, scope);
    enum cria_status st = cria_store_read_begin(cria_search_store(c->search), &reading, &tx);
    if (st == CRIA_OK)
        st = cria_tx_manifest_get(tx, &reading, cria_str_from(c->project),
                                  cria_str_from(c->index_id), &row);
    cria_store_read_end(tx);
    bool is_read =
        st == CRIA_OK && row.version && cria_manifest_open(row.body, cria_str_from(scope), &reader);
    if (st == CRIA_OK && row.version && !is_read)
        cria_log(CRIA_LOG_WARN, "search.lost", "index=%s file=manifest", c->index_id);
    while (is_read && st == CRIA_OK && cria_manifest_next(&reader, &part)) {
        st = load_part(c, &reading, &part, &parts);
        if (st == CRIA_OK || st == CRIA_E_NO_MEMORY || st == CRIA_E_UNAVAILABLE) continue;
        cria_log(CRIA_LOG_WARN, "search.lost", "index=%s file=%s why='%s'", c->index_id, part.name,
                 reading.error); /* its documents are indexed again */
        c->has_lost = true;
        st = CRIA_OK;
    }
    if (is_read && reader.left) c->has_lost = true;
    if (st == CRIA_OK && is_read) {
        c->loaded = cria_snapshot_new(&parts, reader.generation, reader.seq);
        if (!c->loaded) st = CRIA_E_NO_MEMORY;
    }
    cria_parts_release(&parts);
    if (st != CRIA_OK)
        cria_fail(call, st, "%s", reading.error[0] ? reading.error : "Out of memory");
    cria_arena_release(&arena);
    if (st != CRIA_OK) return st;
    cria_collection_sweep(c, c->loaded); /* nothing of this collection was written yet */
    c->manifest_version = row.version;
    c->is_loaded = true;
    return CRIA_OK;
}

/* ---- what is dead */

static void *place_of(size_t part, uint32_t document)
{
    return (void *)((uintptr_t)part << 32 | ((uintptr_t)document + 1));
}

static enum cria_status rotten(struct update *u)
{
    u->is_rotten = true;
    return CRIA_E_CORRUPT;
}

/* All living documents of the old parts by their entry, for many look-ups. */
static enum cria_status map_places(struct update *u)
{
    for (size_t p = 0; p < u->old_parts; p++) {
        const struct cria_part *part = &u->parts.items[p];
        const struct cria_segment *segment = part->piece->segment;
        struct cria_segment_document document;
        for (uint32_t d = 0; d < segment->meta.document_count; d++) {
            if (part->dead && cria_bit(part->dead, d)) continue;
            if (!cria_segment_document(segment, d, &document)) return rotten(u);
            if (!cria_map_put(&u->places, document.entry_id, place_of(p, d)))
                return CRIA_E_NO_MEMORY;
        }
    }
    u->has_places = true;
    return CRIA_OK;
}

static enum cria_status kill_at(struct update *u, size_t part, uint32_t document)
{
    return cria_part_kill(&u->parts.items[part], document) ? CRIA_OK : CRIA_E_NO_MEMORY;
}

/* One entry's documents, found by the segments' own columns. */
static enum cria_status kill_one(struct update *u, struct cria_str entry_id)
{
    const struct cria_json members[] = {
        {.kind = CRIA_JSON_STRING, .text = CRIA_STR("eq"), .name = CRIA_STR("operator")},
        {.kind = CRIA_JSON_STRING, .text = entry_id, .name = CRIA_STR("value")}};
    const struct cria_json condition = {.kind = CRIA_JSON_OBJECT,
                                        .name = CRIA_STR("parsed_directory_file_id"),
                                        .count = CRIA_COUNT(members),
                                        .items = members};
    const struct cria_json filter = {.kind = CRIA_JSON_OBJECT, .count = 1, .items = &condition};
    struct cria_arena scratch;
    enum cria_status st = CRIA_OK;
    cria_arena_init(&scratch, DOCUMENT_ARENA);
    for (size_t p = 0; p < u->old_parts && st == CRIA_OK; p++) {
        const struct cria_segment *segment = u->parts.items[p].piece->segment;
        size_t count = segment->meta.document_count;
        uint64_t *found = CRIA_NEW_ARRAY(&scratch, cria_bitmap_words(count) + 1, uint64_t);
        if (!found) {
            st = CRIA_E_NO_MEMORY;
            break;
        }
        cria_bitmap_set_range(found, 0, count);
        st = cria_fields_filter(&segment->fields, count, &filter, NULL, found, &scratch);
        if (st == CRIA_E_CORRUPT) rotten(u);
        for (size_t d = cria_bitmap_next(found, 0, count); st == CRIA_OK && d < count;
             d = cria_bitmap_next(found, d + 1, count))
            st = kill_at(u, p, (uint32_t)d);
        cria_arena_reset(&scratch);
    }
    cria_arena_release(&scratch);
    return st;
}

/* What the entry had before is dead. */
static enum cria_status kill_entry(struct update *u, struct cria_str entry_id)
{
    enum cria_status st = CRIA_OK;
    if (u->old_parts == 0) return CRIA_OK;
    if (u->looked_for++ < FEW_CHANGES) return kill_one(u, entry_id);
    if (!u->has_places) st = map_places(u);
    if (st != CRIA_OK) return st;
    uintptr_t place = (uintptr_t)cria_map_remove(&u->places, entry_id);
    if (!place) return CRIA_OK;
    return kill_at(u, (size_t)(place >> 32), (uint32_t)((place & UINT32_MAX) - 1));
}

/* ---- what is new */

static enum cria_status end_segment(struct update *u)
{
    struct cria_segment *segment = NULL;
    char name[CRIA_ID_SIZE] = "", part[4096], path[4096];
    struct cria_segment_place place = {NULL, NULL};
    enum cria_status st = CRIA_OK;
    if (!u->builder) return CRIA_OK;
    if (cria_segment_builder_chunks(u->builder) > MEMORY_CHUNKS) {
        st = cria_collection_make_folder(u->collection, u->call);
        if (st == CRIA_OK &&
            !cria_collection_new_file(u->collection, "seg-", name, part, path, sizeof(path)))
            st = cria_fail(u->call, CRIA_E_INTERNAL, "The data folder's name is too long");
        place = (struct cria_segment_place){part, path};
    }
    bool is_filled = cria_segment_builder_documents(u->builder) > 0;
    if (st == CRIA_OK && is_filled)
        st = cria_segment_builder_finish(u->builder, u->call, &place, &segment);
    if (is_filled && (st == CRIA_E_NO_SPACE || st == CRIA_E_IO)) { /* a full disk stops no search */
        cria_log(CRIA_LOG_WARN, "search.unsaved", "index=%s why='%s'", u->collection->index_id,
                 u->call->error);
        u->call->error[0] = name[0] = '\0';
        place = (struct cria_segment_place){NULL, NULL};
        st = cria_segment_builder_finish(u->builder, u->call, &place, &segment);
    }
    cria_segment_builder_free(u->builder);
    u->builder = NULL;
    if (st != CRIA_OK || !segment) return st;
    struct cria_piece *piece = cria_piece_new(segment, name);
    return piece && cria_parts_add(&u->parts, piece) ? CRIA_OK : cria_fail_memory(u->call);
}

static enum cria_status add_document(struct update *u, struct cria_tx *tx,
                                     const struct cria_document *row)
{
    struct cria_arena arena;
    struct cria_call reading;
    struct cria_str text;
    struct cria_chunk_list chunks;
    cria_arena_init(&arena, DOCUMENT_ARENA);
    cria_call_init(&reading, &arena);
    enum cria_status st = cria_tx_document_text(tx, &reading, u->project, row->id, &text);
    if (st == CRIA_OK) st = cria_tx_document_chunks(tx, &reading, u->project, row->id, &chunks);
    if (st == CRIA_OK && !u->builder) {
        u->builder = cria_segment_builder_new(u->analyser);
        if (!u->builder) st = CRIA_E_NO_MEMORY;
    }
    if (st == CRIA_OK)
        st = cria_segment_builder_add(u->builder, row, text, chunks.items, chunks.count);
    if (st == CRIA_E_NOT_FOUND)
        st = CRIA_OK; /* replaced meanwhile: what took its place is listed later */
    else if (st != CRIA_OK)
        cria_fail(u->call, st, "%s", reading.error[0] ? reading.error : "Out of memory");
    cria_arena_release(&arena);
    if (st == CRIA_OK && u->builder &&
        (cria_segment_builder_chunks(u->builder) >= SEGMENT_CHUNKS ||
         cria_segment_builder_bytes(u->builder) >= SEGMENT_BYTES))
        st = end_segment(u);
    return st;
}

typedef enum cria_status row_fn(struct update *u, struct cria_tx *tx,
                                const struct cria_document *row);

/* All live documents of the store that changed after seq, page by page. */
static enum cria_status each_since(struct update *u, int64_t seq, row_fn *fn)
{
    struct cria_window window = {.limit = PAGE_DOCUMENTS};
    struct cria_document_list page = {.has_more = true};
    struct cria_arena arena;
    struct cria_call listing;
    char id[CRIA_ID_SIZE];
    enum cria_status st = CRIA_OK;
    cria_arena_init(&arena, DOCUMENT_ARENA);
    cria_call_init(&listing, &arena);
    while (st == CRIA_OK && page.has_more) {
        struct cria_tx *tx = NULL;
        st = cria_store_read_begin(cria_search_store(u->search), &listing, &tx);
        if (st == CRIA_OK)
            st =
                cria_tx_documents_since(tx, &listing, u->project, u->index_id, seq, &window, &page);
        for (size_t i = 0; st == CRIA_OK && i < page.count; i++) st = fn(u, tx, &page.items[i]);
        cria_store_read_end(tx);
        if (st != CRIA_OK || page.count == 0) break;
        if (cria_call_stopped(u->call, cria_now_ns())) st = CRIA_E_CANCELLED;
        const struct cria_document *last = &page.items[page.count - 1];
        if (!cria_str_copy_z(last->id, id, sizeof(id))) break; /* no id of ours is that long */
        window.after =
            (struct cria_cursor){.is_set = true, .at_us = last->live_seq, .id = cria_str_from(id)};
        cria_arena_reset(&arena);
    }
    if (st != CRIA_OK && !u->call->error[0])
        cria_fail(u->call, st, "%s",
                  listing.error[0] ? listing.error : "The index could not be loaded");
    cria_arena_release(&arena);
    return st;
}

static enum cria_status take_change(struct update *u, struct cria_tx *tx,
                                    const struct cria_document *row)
{
    enum cria_status st = kill_entry(u, row->entry_id);
    return st == CRIA_OK ? add_document(u, tx, row) : st;
}

/* ---- all compared */

/* In the map of what is here, by document id: what the store has too is taken off, what it has
 * alone is added. */
static enum cria_status compare(struct update *u, struct cria_tx *tx,
                                const struct cria_document *row)
{
    if (cria_map_remove(&u->places, row->id)) return CRIA_OK;
    return add_document(u, tx, row);
}

/* A document that was relabelled while the list was read came twice: the later copy counts. */
static enum cria_status put_place(struct update *u, struct cria_str id, size_t part,
                                  uint32_t document)
{
    uintptr_t before = (uintptr_t)cria_map_remove(&u->places, id);
    if (before) {
        enum cria_status st =
            kill_at(u, (size_t)(before >> 32), (uint32_t)((before & UINT32_MAX) - 1));
        if (st != CRIA_OK) return st;
    }
    return cria_map_put(&u->places, id, place_of(part, document)) ? CRIA_OK : CRIA_E_NO_MEMORY;
}

static enum cria_status compare_all(struct update *u)
{
    struct cria_segment_document document;
    enum cria_status st = end_segment(u);
    cria_map_release(&u->places);
    u->has_places = false;
    for (size_t p = 0; p < u->parts.count && st == CRIA_OK; p++) {
        const struct cria_part *part = &u->parts.items[p];
        for (uint32_t d = 0; d < part->piece->segment->meta.document_count && st == CRIA_OK; d++) {
            if (part->dead && cria_bit(part->dead, d)) continue;
            if (!cria_segment_document(part->piece->segment, d, &document))
                st = rotten(u);
            else
                st = put_place(u, document.id, p, d);
        }
    }
    if (st == CRIA_OK) st = each_since(u, -1, compare);
    size_t at = 0;
    struct cria_str key;
    void *value;
    while (st == CRIA_OK && cria_map_next(&u->places, &at, &key, &value)) {
        uintptr_t place = (uintptr_t)value; /* the store has it no more */
        st = kill_at(u, (size_t)(place >> 32), (uint32_t)((place & UINT32_MAX) - 1));
    }
    cria_map_release(&u->places);
    return st == CRIA_OK ? end_segment(u) : st;
}

/* ---- the whole */

static enum cria_status read_state(struct update *u, int64_t *generation, int64_t *seq,
                                   uint64_t *documents)
{
    struct cria_tx *tx = NULL;
    struct cria_index index;
    enum cria_status st = cria_store_read_begin(cria_search_store(u->search), u->call, &tx);
    if (st == CRIA_OK) st = cria_tx_index_get(tx, u->call, u->project, u->index_id, &index);
    if (st == CRIA_OK) st = cria_tx_document_seq(tx, u->call, u->project, u->index_id, seq);
    if (st == CRIA_OK)
        st = cria_tx_documents_count(tx, u->call, u->project, u->index_id, documents);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    *generation = index.generation;
    if (!cria_str_copy_z(index.embedder, u->embedder, sizeof(u->embedder))) u->embedder[0] = '\0';
    return CRIA_OK;
}

static enum cria_status begin(struct update *u, const struct cria_snapshot *base)
{
    for (size_t i = 0; base && i < base->parts.count; i++)
        if (!cria_parts_copy(&u->parts, &base->parts.items[i])) return CRIA_E_NO_MEMORY;
    u->old_parts = u->parts.count;
    u->analyser = cria_search_analyser(u->search);
    return u->analyser ? CRIA_OK : CRIA_E_NO_MEMORY;
}

static enum cria_status bring_up(struct update *u, const struct cria_snapshot *base)
{
    uint64_t documents = 0;
    int64_t generation = 0, seq = 0;
    enum cria_status st = read_state(u, &u->generation, &u->seq, &documents);
    if (st == CRIA_OK) st = begin(u, base);
    if (st == CRIA_OK && (!base || base->seq != u->seq))
        st = each_since(u, base ? base->seq : -1, take_change);
    if (st == CRIA_OK) st = end_segment(u);
    /* An export may have come between; then the count is looked at against what is there now. */
    bool compares = u->collection->has_lost; /* what was lost may make up for what went */
    for (int round = 0; st == CRIA_OK && round < MOST_ROUNDS; round++) {
        if (!compares && cria_parts_documents(&u->parts) == documents) return CRIA_OK;
        compares = false;
        st = compare_all(u);
        if (st == CRIA_OK) st = read_state(u, &generation, &seq, &documents);
    }
    return st;
}

/* Vectors come with the words they belong to, as far as the store has them. */
static enum cria_status encode_parts(struct update *u)
{
    enum cria_status st = CRIA_OK;
    bool added;
    for (size_t i = 0; u->embedder[0] && i < u->parts.count && st == CRIA_OK; i++)
        if (u->parts.items[i].piece->segment->meta.chunk_count <= ENCODED_CHUNKS)
            st = cria_collection_encode(u->collection, u->call, &u->parts.items[i], &added);
    if (st == CRIA_E_CORRUPT) u->is_rotten = true;
    return st;
}

/* One try over a base; *is_rotten: what could not be read is of it. */
static enum cria_status update_over(struct cria_collection *c, struct cria_call *call,
                                    const struct cria_snapshot *base, bool *is_rotten)
{
    struct update u = {.collection = c,
                       .call = call,
                       .search = c->search,
                       .project = cria_str_from(c->project),
                       .index_id = cria_str_from(c->index_id)};
    struct cria_snapshot *fresh = NULL;
    call->error[0] = '\0';
    enum cria_status st = bring_up(&u, base);
    if (st == CRIA_OK) st = encode_parts(&u);
    if (st == CRIA_OK) {
        fresh = cria_snapshot_new(&u.parts, u.generation, u.seq);
        if (!fresh) st = CRIA_E_NO_MEMORY;
    }
    if (fresh) memcpy(fresh->embedder, u.embedder, sizeof(fresh->embedder));
    if (fresh) {
        cria_collection_install(c, fresh);
        cria_snapshot_unref(c->loaded);
        c->loaded = NULL;
        c->has_lost = false;
    }
    *is_rotten = st == CRIA_E_CORRUPT && u.is_rotten;
    if (st == CRIA_E_NO_MEMORY) cria_fail_memory(call);
    if (*is_rotten) cria_fail(call, st, "A search file is damaged");
    cria_segment_builder_free(u.builder);
    cria_map_release(&u.places);
    if (u.analyser) cria_search_analyser_back(c->search, u.analyser);
    cria_parts_release(&u.parts);
    return st;
}

/* The whole of a file that lies in one section. */
static bool is_sound(struct cria_segment_file *file)
{
    struct cria_bytes bytes = cria_segment_section(file, 0);
    return !cria_segment_file_is_damaged(file) && cria_bytes_check(&bytes, 0, bytes.len);
}

/* The same piece without its vectors: opened again, as they come to a piece but once. */
static struct cria_piece *without_vectors(const struct cria_collection *c, struct cria_call *call,
                                          const struct cria_piece *piece)
{
    char path[4096];
    struct cria_segment_file *file = NULL;
    struct cria_segment *segment = NULL;
    if (!cria_collection_path(c, piece->name, path, sizeof(path)) ||
        cria_segment_file_open(path, call, &file) != CRIA_OK ||
        cria_segment_open(file, call, &segment) != CRIA_OK)
        return NULL;
    return cria_piece_new(segment, piece->name);
}

/* A part as it goes on: as it is, without its vectors, or (part->piece is NULL) not at all. */
static struct cria_piece *sound_piece(const struct cria_collection *c, struct cria_call *call,
                                      struct cria_piece *old, bool is_blamed)
{
    bool has_segment =
        !cria_segment_file_is_damaged(old->segment->file) && cria_segment_verify(old->segment);
    bool has_vectors = !atomic_load(&old->vectors) || is_sound(old->vector_file);
    if (has_segment && has_vectors && !is_blamed) return cria_piece_ref(old);
    cria_log(CRIA_LOG_WARN, "search.damaged", "index=%s file=%s", c->index_id,
             has_segment && !has_vectors ? old->vectors_name : old->name);
    return has_segment && !has_vectors ? without_vectors(c, call, old) : NULL;
}

/* The base without what is damaged; the documents are missed when all are compared. */
static struct cria_snapshot *sound_snapshot(struct cria_collection *c, struct cria_call *call,
                                            const struct cria_snapshot *base,
                                            const struct cria_piece *blamed)
{
    struct cria_parts parts = {0};
    bool good = true;
    for (size_t i = 0; good && i < base->parts.count; i++) {
        struct cria_piece *old = base->parts.items[i].piece;
        struct cria_piece *kept = sound_piece(c, call, old, old == blamed);
        if (kept != old) c->has_lost = true;
        if (!kept) continue;
        good = cria_parts_copy(&parts, &base->parts.items[i]);
        if (good) {
            cria_piece_unref(parts.items[parts.count - 1].piece);
            parts.items[parts.count - 1].piece = kept;
        } else {
            cria_piece_unref(kept);
        }
    }
    struct cria_snapshot *kept =
        good ? cria_snapshot_new(&parts, base->generation, base->seq) : NULL;
    cria_parts_release(&parts);
    return kept;
}

/* What an update begins with; NULL: nothing. */
static struct cria_snapshot *base_of(struct cria_collection *c)
{
    return c->loaded ? cria_snapshot_ref(c->loaded) : cria_collection_current(c);
}

enum cria_status cria_collection_drop_damaged(struct cria_collection *c, struct cria_call *call,
                                              const struct cria_piece *piece)
{
    struct cria_snapshot *base = base_of(c);
    bool is_rotten = false;
    if (!base) return CRIA_OK;
    struct cria_snapshot *sound = sound_snapshot(c, call, base, piece);
    enum cria_status st = sound ? CRIA_OK : cria_fail_memory(call);
    if (sound && c->has_lost) st = update_over(c, call, sound, &is_rotten);
    /* Its checksums are right and it makes no sense: all of it is made again. */
    if (is_rotten) st = update_over(c, call, NULL, &is_rotten);
    cria_snapshot_unref(sound);
    cria_snapshot_unref(base);
    return st;
}

enum cria_status cria_collection_update(struct cria_collection *c, struct cria_call *call)
{
    bool is_rotten = false;
    enum cria_status st = c->is_loaded ? CRIA_OK : load(c, call);
    if (st != CRIA_OK) return st;
    struct cria_snapshot *base = base_of(c);
    st = update_over(c, call, base, &is_rotten);
    cria_snapshot_unref(base);
    return is_rotten ? cria_collection_drop_damaged(c, call, NULL) : st;
}
