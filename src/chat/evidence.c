#include "chat/evidence.h"

void cria_evidence_init(struct cria_evidence *evidence, struct cria_arena *arena, uint32_t last_id)
{
    *evidence = (struct cria_evidence){.arena = arena, .last_id = last_id};
}

/* Doubles an array of the arena; the old one stays until the arena goes. */
static void *grow(struct cria_arena *arena, void *old, size_t *capacity, size_t each)
{
    size_t larger = *capacity ? *capacity * 2 : 16;
    void *fresh = cria_arena_array(arena, larger, each);
    if (!fresh) return NULL;
    if (*capacity) memcpy(fresh, old, *capacity * each);
    *capacity = larger;
    return fresh;
}

const struct cria_passage *cria_evidence_find(const struct cria_evidence *evidence, uint32_t id)
{
    for (size_t i = 0; i < evidence->count; i++)
        if (evidence->passages[i].id == id) return &evidence->passages[i];
    return NULL;
}

const struct cria_passage *cria_evidence_add(struct cria_evidence *evidence,
                                             const struct cria_passage *passage)
{
    struct cria_arena *arena = evidence->arena;
    for (size_t i = 0; i < evidence->count; i++) {
        const struct cria_passage *known = &evidence->passages[i];
        if (passage->document_id.len && known->char_start == passage->char_start &&
            known->char_end == passage->char_end &&
            cria_str_equal(known->document_id, passage->document_id))
            return known;
    }
    if (evidence->count == evidence->capacity) {
        struct cria_passage *larger =
            grow(arena, evidence->passages, &evidence->capacity, sizeof(*larger));
        if (!larger) return NULL;
        evidence->passages = larger;
    }
    struct cria_passage copy = *passage;
    copy.index_id = cria_arena_copy(arena, passage->index_id);
    copy.file_id = cria_arena_copy(arena, passage->file_id);
    copy.document_id = cria_arena_copy(arena, passage->document_id);
    copy.file_name = cria_arena_copy(arena, passage->file_name);
    copy.text = cria_arena_copy(arena, passage->text);
    if (arena->failed) return NULL;
    if (copy.id == 0) copy.id = evidence->last_id + 1;
    if (copy.id > evidence->last_id) evidence->last_id = copy.id;
    evidence->passages[evidence->count] = copy;
    return &evidence->passages[evidence->count++];
}

size_t cria_evidence_file(struct cria_evidence *evidence, struct cria_str index_id,
                          struct cria_str file_id, struct cria_str file_name)
{
    struct cria_arena *arena = evidence->arena;
    for (size_t i = 0; i < evidence->file_count; i++)
        if (cria_str_equal(evidence->files[i].file_id, file_id)) return i + 1;
    if (evidence->file_count == evidence->file_capacity) {
        struct cria_file_handle *larger =
            grow(arena, evidence->files, &evidence->file_capacity, sizeof(*larger));
        if (!larger) return 0;
        evidence->files = larger;
    }
    struct cria_file_handle *file = &evidence->files[evidence->file_count];
    file->index_id = cria_arena_copy(arena, index_id);
    file->file_id = cria_arena_copy(arena, file_id);
    file->file_name = cria_arena_copy(arena, file_name);
    return arena->failed ? 0 : ++evidence->file_count;
}

const struct cria_file_handle *cria_evidence_handle(const struct cria_evidence *evidence,
                                                    struct cria_str text)
{
    int64_t n;
    text = cria_str_trim(text);
    if (text.len < 2 || (text.ptr[0] != 'f' && text.ptr[0] != 'F')) return NULL;
    if (!cria_str_to_int64(cria_str_sub(text, 1, SIZE_MAX), &n)) return NULL;
    if (n < 1 || (uint64_t)n > evidence->file_count) return NULL;
    return &evidence->files[n - 1];
}
