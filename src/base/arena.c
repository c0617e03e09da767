#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"

#if defined(__SANITIZE_ADDRESS__)
#define PIECE_PER_BLOCK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PIECE_PER_BLOCK 1
#endif
#endif
#ifndef PIECE_PER_BLOCK
#define PIECE_PER_BLOCK 0
#endif

enum { BLOCK_BYTES = 4096, LARGE_BYTES = 2048 };

struct cria_arena_block {
    struct cria_arena_block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

void cria_arena_init(struct cria_arena *arena, size_t limit_bytes)
{
    *arena = (struct cria_arena){.limit_bytes = limit_bytes};
}

void cria_arena_reset(struct cria_arena *arena)
{
    while (arena->blocks) {
        struct cria_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used_bytes = 0;
    arena->failed = false;
}

void cria_arena_release(struct cria_arena *arena)
{
    if (arena) cria_arena_reset(arena);
}

static struct cria_arena_block *block_new(size_t size)
{
    struct cria_arena_block *block = NULL;
    if (!cria_fault_fires(CRIA_FAULT_ALLOC)) block = calloc(1, sizeof(*block) + size);
    if (block) block->size = size;
    return block;
}

void *cria_arena_alloc(struct cria_arena *arena, size_t size_bytes)
{
    const size_t align = alignof(max_align_t);
    struct cria_arena_block *block = arena->blocks;
    size_t rounded;
    if (!cria_size_add(size_bytes ? size_bytes : 1, align - 1, &rounded)) goto fail;
    rounded &= ~(align - 1);
    if (rounded > arena->limit_bytes - arena->used_bytes) goto fail;
    if (PIECE_PER_BLOCK || rounded >= LARGE_BYTES) {
        /* A piece of its own goes behind the current block, which stays open for small ones. */
        struct cria_arena_block *own = block_new(PIECE_PER_BLOCK ? size_bytes : rounded);
        if (!own) goto fail;
        own->used = own->size;
        if (block && !PIECE_PER_BLOCK) {
            own->next = block->next;
            block->next = own;
        } else {
            own->next = block;
            arena->blocks = own;
        }
        arena->used_bytes += rounded;
        return own->bytes;
    }
    if (!block || block->size - block->used < rounded) {
        struct cria_arena_block *fresh = block_new(BLOCK_BYTES - sizeof(*fresh));
        if (!fresh) goto fail;
        fresh->next = block;
        arena->blocks = block = fresh;
    }
    void *piece = block->bytes + block->used;
    block->used += rounded;
    arena->used_bytes += rounded;
    return piece;
fail:
    arena->failed = true;
    return NULL;
}

void *cria_arena_array(struct cria_arena *arena, size_t count, size_t each_bytes)
{
    size_t total;
    if (!cria_size_mul(count, each_bytes, &total)) {
        arena->failed = true;
        return NULL;
    }
    return cria_arena_alloc(arena, total);
}

char *cria_arena_z(struct cria_arena *arena, struct cria_str s)
{
    size_t size;
    if (!cria_size_add(s.len, 1, &size)) return NULL;
    char *copy = cria_arena_alloc(arena, size);
    if (copy && s.len) memcpy(copy, s.ptr, s.len);
    return copy;
}

struct cria_str cria_arena_copy(struct cria_arena *arena, struct cria_str s)
{
    char *copy = cria_arena_z(arena, s);
    return (struct cria_str){copy, copy ? s.len : 0};
}

struct cria_str cria_arena_printf(struct cria_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, format, args);
    char *text = need < 0 ? NULL : cria_arena_alloc(arena, (size_t)need + 1);
    if (text) vsnprintf(text, (size_t)need + 1, format, again);
    va_end(again);
    va_end(args);
    return (struct cria_str){text, text ? (size_t)need : 0};
}
