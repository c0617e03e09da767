/* arena.h - memory that dies together: what a request needs comes from its arena, nobody frees it.
 * Room: base. One thread at a time. Has a byte limit; under AddressSanitizer every piece is a block
 * of its own, so that overruns show. */
#ifndef CRIA_BASE_ARENA_H
#define CRIA_BASE_ARENA_H

#include "base/status.h"
#include "base/str.h"

struct cria_arena_block;

struct cria_arena {
    struct cria_arena_block *blocks; /* newest first */
    size_t used_bytes;               /* handed out, rounded */
    size_t limit_bytes;
    bool failed; /* an allocation was refused since init or reset */
};

/** Allocates nothing yet. limit_bytes: the most it hands out in all. */
void cria_arena_init(struct cria_arena *arena, size_t limit_bytes);
/** Frees everything; the arena may be used again. */
void cria_arena_reset(struct cria_arena *arena);
/** Frees everything. Accepts a zeroed arena. */
void cria_arena_release(struct cria_arena *arena);

/** size_bytes zeroed bytes, aligned for any type; NULL when memory or the limit is reached. */
CRIA_MUST_CHECK void *cria_arena_alloc(struct cria_arena *arena, size_t size_bytes);
/** count zeroed elements; NULL also on overflow. */
CRIA_MUST_CHECK void *cria_arena_array(struct cria_arena *arena, size_t count, size_t each_bytes);
#define CRIA_NEW(arena, type) ((type *)cria_arena_alloc((arena), sizeof(type)))
#define CRIA_NEW_ARRAY(arena, count, type) \
    ((type *)cria_arena_array((arena), (count), sizeof(type)))

/** A copy with a NUL behind it (not counted in len); {NULL, 0} when it fails: see arena->failed. */
struct cria_str cria_arena_copy(struct cria_arena *arena, struct cria_str s);
/** The same as a C string, or NULL. */
CRIA_MUST_CHECK char *cria_arena_z(struct cria_arena *arena, struct cria_str s);
/** printf into the arena; {NULL, 0} when it fails. */
struct cria_str cria_arena_printf(struct cria_arena *arena, const char *format, ...)
    CRIA_PRINTF(2, 3);

#endif
