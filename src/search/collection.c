#include "search/collection.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "platform/crypto.h"
#include "search/bitmap.h"
#include "search/internal.h"

/* ---- pieces and parts */

struct cria_piece *cria_piece_new(struct cria_segment *segment, const char *name)
{
    struct cria_piece *piece = calloc(1, sizeof(*piece));
    if (!piece) {
        cria_segment_close(segment);
        return NULL;
    }
    atomic_init(&piece->refs, 1);
    piece->segment = segment;
    snprintf(piece->name, sizeof(piece->name), "%s", name);
    return piece;
}

struct cria_piece *cria_piece_ref(struct cria_piece *piece)
{
    atomic_fetch_add(&piece->refs, 1);
    return piece;
}

void cria_piece_unref(struct cria_piece *piece)
{
    if (!piece || atomic_fetch_sub(&piece->refs, 1) != 1) return;
    cria_vector_close(atomic_load(&piece->vectors));
    cria_segment_file_close(piece->vector_file);
    cria_segment_close(piece->segment);
    free(piece);
}

enum cria_status cria_piece_open_vectors(struct cria_piece *piece, struct cria_call *call,
                                         struct cria_segment_file *file, const char *name,
                                         uint64_t identity)
{
    struct cria_vector_index *vectors = NULL;
    enum cria_status st = CRIA_OK;
    if (identity && cria_segment_file_identity(file) != identity)
        st = cria_fail(call, CRIA_E_CORRUPT, "A search file is not the one it should be");
    if (st == CRIA_OK) st = cria_vector_open(call, cria_segment_section(file, 0), &vectors);
    if (st == CRIA_OK && cria_vector_count(vectors) != piece->segment->meta.chunk_count)
        st = cria_fail(call, CRIA_E_CORRUPT, "A search file is damaged");
    if (st != CRIA_OK) {
        cria_vector_close(vectors);
        cria_segment_file_close(file);
        return st;
    }
    piece->vector_file = file;
    snprintf(piece->vectors_name, sizeof(piece->vectors_name), "%s", name);
    atomic_store(&piece->vectors, vectors); /* last: readers look at nothing else */
    return CRIA_OK;
}

bool cria_part_kill(struct cria_part *part, uint32_t document)
{
    const struct cria_segment *segment = part->piece->segment;
    if (!part->dead) {
        part->dead = calloc(cria_bitmap_words(segment->meta.document_count) + 1, sizeof(uint64_t));
        if (!part->dead) return false;
    }
    if (cria_bit(part->dead, document)) return true;
    cria_bitmap_set(part->dead, document);
    part->dead_documents++;
    part->dead_chunks += segment->first_chunk[document + 1] - segment->first_chunk[document];
    return true;
}

bool cria_part_settle(struct cria_part *part)
{
    const struct cria_segment *segment = part->piece->segment;
    size_t words = cria_bitmap_words(segment->meta.chunk_count) + 1;
    free(part->alive);
    part->alive = NULL;
    if (part->dead_documents == 0) return true;
    part->alive = malloc(words * sizeof(uint64_t));
    if (!part->alive) return false;
    memset(part->alive, 0xFF, words * sizeof(uint64_t));
    for (size_t d = 0; d < segment->meta.document_count;) {
        d = cria_bitmap_next(part->dead, d, segment->meta.document_count);
        if (d >= segment->meta.document_count) break;
        for (uint32_t n = segment->first_chunk[d]; n < segment->first_chunk[d + 1]; n++)
            cria_bitmap_clear(part->alive, n);
        d++;
    }
    return true;
}

struct cria_part *cria_parts_add(struct cria_parts *parts, struct cria_piece *piece)
{
    if (parts->count == parts->capacity) {
        size_t capacity = parts->capacity ? parts->capacity * 2 : 8;
        struct cria_part *grown = realloc(parts->items, capacity * sizeof(*grown));
        if (!grown) {
            cria_piece_unref(piece);
            return NULL;
        }
        parts->items = grown;
        parts->capacity = capacity;
    }
    parts->items[parts->count] = (struct cria_part){.piece = piece};
    return &parts->items[parts->count++];
}

bool cria_parts_copy(struct cria_parts *parts, const struct cria_part *part)
{
    struct cria_part *copy = cria_parts_add(parts, cria_piece_ref(part->piece));
    if (!copy) return false;
    copy->dead_documents = part->dead_documents;
    copy->dead_chunks = part->dead_chunks;
    if (!part->dead) return true;
    size_t words = cria_bitmap_words(part->piece->segment->meta.document_count) + 1;
    copy->dead = malloc(words * sizeof(uint64_t));
    if (copy->dead) memcpy(copy->dead, part->dead, words * sizeof(uint64_t));
    return copy->dead != NULL;
}

static void part_release(struct cria_part *part)
{
    cria_piece_unref(part->piece);
    free(part->dead);
    free(part->alive);
}

void cria_parts_release(struct cria_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) part_release(&parts->items[i]);
    free(parts->items);
    *parts = (struct cria_parts){0};
}

uint64_t cria_parts_documents(const struct cria_parts *parts)
{
    uint64_t count = 0;
    for (size_t i = 0; i < parts->count; i++)
        count +=
            parts->items[i].piece->segment->meta.document_count - parts->items[i].dead_documents;
    return count;
}

/* ---- snapshots */

struct cria_snapshot *cria_snapshot_new(struct cria_parts *parts, int64_t generation, int64_t seq)
{
    struct cria_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    size_t kept = 0;
    bool good = snapshot != NULL;
    for (size_t i = 0; good && i < parts->count; i++) { /* what is wholly dead goes */
        struct cria_part *part = &parts->items[i];
        if (part->dead_documents == part->piece->segment->meta.document_count)
            part_release(part);
        else
            parts->items[kept++] = *part;
    }
    if (good) parts->count = kept;
    for (size_t i = 0; good && i < parts->count; i++) {
        struct cria_part *part = &parts->items[i];
        const struct cria_segment *segment = part->piece->segment;
        good = cria_part_settle(part);
        snapshot->chunk_count += segment->meta.chunk_count - part->dead_chunks;
        snapshot->bytes += (size_t)segment->meta.document_count * 4 + sizeof(*segment);
        if (!part->piece->name[0]) snapshot->bytes += cria_segment_file_size(segment->file);
        if (part->dead)
            snapshot->bytes += segment->meta.document_count / 8 + segment->meta.chunk_count / 8;
    }
    if (!good) {
        cria_parts_release(parts);
        free(snapshot);
        return NULL;
    }
    atomic_init(&snapshot->refs, 1);
    snapshot->generation = generation;
    snapshot->seq = seq;
    snapshot->parts = *parts;
    *parts = (struct cria_parts){0};
    return snapshot;
}

const struct cria_part *cria_snapshot_find(const struct cria_snapshot *snapshot,
                                           const struct cria_piece *piece)
{
    for (size_t i = 0; i < snapshot->parts.count; i++)
        if (snapshot->parts.items[i].piece == piece) return &snapshot->parts.items[i];
    return NULL;
}

struct cria_snapshot *cria_snapshot_ref(struct cria_snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->refs, 1);
    return snapshot;
}

void cria_snapshot_unref(struct cria_snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub(&snapshot->refs, 1) != 1) return;
    cria_parts_release(&snapshot->parts);
    free(snapshot);
}

/* ---- collections */

struct cria_collection *cria_collection_new(struct cria_search *search, struct cria_str project,
                                            struct cria_str index_id)
{
    struct cria_collection *c = calloc(1, sizeof(*c));
    if (!c) return NULL;
    c->search = search;
    if (!cria_str_copy_z(project, c->project, sizeof(c->project)) ||
        !cria_str_copy_z(index_id, c->index_id, sizeof(c->index_id))) {
        free(c);
        return NULL;
    }
    cria_buf_init(&c->gone, SIZE_MAX);
    pthread_mutex_init(&c->build, NULL);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void cria_collection_free(struct cria_collection *c)
{
    if (!c) return;
    cria_snapshot_unref(c->current);
    cria_snapshot_unref(c->loaded);
    cria_buf_release(&c->gone);
    pthread_mutex_destroy(&c->build);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

struct cria_snapshot *cria_collection_current(struct cria_collection *c)
{
    pthread_mutex_lock(&c->lock);
    struct cria_snapshot *snapshot = c->current ? cria_snapshot_ref(c->current) : NULL;
    pthread_mutex_unlock(&c->lock);
    return snapshot;
}

static bool names(const struct cria_piece *piece, const char *file)
{
    return strcmp(piece->name, file) == 0 ||
           (atomic_load(&piece->vectors) && strcmp(piece->vectors_name, file) == 0);
}

static void retire(struct cria_collection *c, const struct cria_snapshot *now, const char *name)
{
    char fixed[CRIA_ID_SIZE] = {0};
    bool is_known = name[0] == '\0';
    for (size_t i = 0; i < now->parts.count && !is_known; i++)
        is_known = names(now->parts.items[i].piece, name);
    if (is_known) return;
    snprintf(fixed, sizeof(fixed), "%s", name);
    /* Without memory it stays until the collection is loaded again. */
    cria_buf_add(&c->gone, cria_str_make(fixed, sizeof(fixed)));
}

void cria_collection_install(struct cria_collection *c, struct cria_snapshot *snapshot)
{
    pthread_mutex_lock(&c->lock);
    struct cria_snapshot *before = c->current;
    const struct cria_snapshot *had = before ? before : c->loaded;
    for (size_t i = 0; had && i < had->parts.count; i++) {
        const struct cria_piece *piece = had->parts.items[i].piece;
        if (cria_snapshot_find(snapshot, piece)) continue;
        retire(c, snapshot, piece->name);
        if (atomic_load(&piece->vectors)) retire(c, snapshot, piece->vectors_name);
    }
    /* What only rearranges the parts keeps the embedder. */
    if (before && !snapshot->embedder[0])
        memcpy(snapshot->embedder, before->embedder, sizeof(snapshot->embedder));
    c->current = snapshot;
    pthread_mutex_unlock(&c->lock);
    cria_snapshot_unref(before);
}

/* ---- files */

bool cria_collection_path(const struct cria_collection *c, const char *name, char *out, size_t size)
{
    int n = snprintf(out, size, "%s/segments/%s/%s%s%s", cria_search_folder(c->search), c->project,
                     c->index_id, name ? "/" : "", name ? name : "");
    return n > 0 && (size_t)n < size;
}

enum cria_status cria_collection_make_folder(const struct cria_collection *c,
                                             struct cria_call *call)
{
    char path[4096];
    if (!cria_collection_path(c, NULL, path, sizeof(path)))
        return cria_fail(call, CRIA_E_INTERNAL, "The data folder's name is too long");
    size_t root = strlen(cria_search_folder(c->search));
    for (char *at = path + root + 1;; at++) {
        if (*at != '/' && *at != '\0') continue;
        char was = *at;
        *at = '\0';
        int made = cria_fault_fires(CRIA_FAULT_FILE) ? (errno = EIO, -1) : mkdir(path, 0700);
        if (made != 0 && errno != EEXIST)
            return cria_fail(call, errno == ENOSPC ? CRIA_E_NO_SPACE : CRIA_E_IO,
                             "A folder for search files could not be made: %s", strerror(errno));
        *at = was;
        if (!was) return CRIA_OK;
    }
}

void cria_collection_scope(const struct cria_collection *c, char out[2 * CRIA_ID_SIZE])
{
    snprintf(out, 2 * CRIA_ID_SIZE, "%s/%s", c->project, c->index_id);
}

void cria_collection_remove_retired(struct cria_collection *c)
{
    for (size_t at = 0; at + CRIA_ID_SIZE <= c->gone.len; at += CRIA_ID_SIZE)
        cria_collection_remove(c, c->gone.ptr + at);
    cria_buf_clear(&c->gone);
}

void cria_collection_remove(const struct cria_collection *c, const char *name)
{
    char path[4096];
    if (name[0] && cria_collection_path(c, name, path, sizeof(path))) unlink(path);
}

bool cria_collection_new_file(const struct cria_collection *c, const char *prefix,
                              char name[CRIA_ID_SIZE], char *part, char *path, size_t size)
{
    cria_id_new(prefix, name);
    if (!cria_collection_path(c, name, path, size)) return false;
    int n = snprintf(part, size, "%s.part", path);
    return n > 0 && (size_t)n < size;
}

void cria_collection_sweep(struct cria_collection *c, const struct cria_snapshot *snapshot)
{
    char path[4096];
    DIR *folder = cria_collection_path(c, NULL, path, sizeof(path)) ? opendir(path) : NULL;
    if (!folder) return;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        bool is_known = entry->d_name[0] == '.';
        for (size_t i = 0; snapshot && i < snapshot->parts.count; i++) {
            const struct cria_piece *piece = snapshot->parts.items[i].piece;
            is_known = is_known || names(piece, entry->d_name);
        }
        if (!is_known) cria_collection_remove(c, entry->d_name);
    }
    closedir(folder);
}
