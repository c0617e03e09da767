/* bitmap.h - sets of small numbers, a bit each. Room: search. Pure; any thread.
 * Bitmaps of equal size; what lies behind the last bit is left as the operation makes it. */
#ifndef CRIA_SEARCH_BITMAP_H
#define CRIA_SEARCH_BITMAP_H

#include "search/bytes.h"

static inline void cria_bitmap_set(uint64_t *bits, size_t n)
{
    bits[n >> 6] |= UINT64_C(1) << (n & 63);
}
static inline void cria_bitmap_clear(uint64_t *bits, size_t n)
{
    bits[n >> 6] &= ~(UINT64_C(1) << (n & 63));
}
/** Sets [start, end); nothing when end <= start. */
void cria_bitmap_set_range(uint64_t *bits, size_t start, size_t end);
/** bits &= other, |= other, &= ~other; `count` is in bits, whole words are changed. */
void cria_bitmap_and(uint64_t *bits, const uint64_t *other, size_t count);
void cria_bitmap_or(uint64_t *bits, const uint64_t *other, size_t count);
void cria_bitmap_andnot(uint64_t *bits, const uint64_t *other, size_t count);
/** How many of the first `count` bits are set. */
size_t cria_bitmap_count(const uint64_t *bits, size_t count);
/** The first set bit from `from` on, or `count` when there is none below it. */
size_t cria_bitmap_next(const uint64_t *bits, size_t from, size_t count);
/** The first clear bit from `from` on, or `count`. */
size_t cria_bitmap_next_clear(const uint64_t *bits, size_t from, size_t count);
/**
 * Sets the chunks of the set documents; other bits of `chunks` stay.
 * @param first_chunk  document_count + 1 numbers, never falling: document d's chunks are
 *                     [first_chunk[d], first_chunk[d + 1]); chunks has first_chunk[document_count].
 */
void cria_bitmap_expand(const uint64_t *documents, size_t document_count,
                        const uint32_t *first_chunk, uint64_t *chunks);

#endif
