#include "search/bitmap.h"

void cria_bitmap_set_range(uint64_t *bits, size_t start, size_t end)
{
    if (end <= start) return;
    size_t first = start >> 6, last = (end - 1) >> 6;
    uint64_t from = ~UINT64_C(0) << (start & 63), to = ~UINT64_C(0) >> (63 - ((end - 1) & 63));
    if (first == last) {
        bits[first] |= from & to;
        return;
    }
    bits[first] |= from;
    for (size_t i = first + 1; i < last; i++) bits[i] = ~UINT64_C(0);
    bits[last] |= to;
}

void cria_bitmap_and(uint64_t *bits, const uint64_t *other, size_t count)
{
    for (size_t i = 0; i < cria_bitmap_words(count); i++) bits[i] &= other[i];
}

void cria_bitmap_or(uint64_t *bits, const uint64_t *other, size_t count)
{
    for (size_t i = 0; i < cria_bitmap_words(count); i++) bits[i] |= other[i];
}

void cria_bitmap_andnot(uint64_t *bits, const uint64_t *other, size_t count)
{
    for (size_t i = 0; i < cria_bitmap_words(count); i++) bits[i] &= ~other[i];
}

size_t cria_bitmap_count(const uint64_t *bits, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count / 64; i++) n += (size_t)__builtin_popcountll(bits[i]);
    if (count & 63) n += (size_t)__builtin_popcountll(bits[count >> 6] << (64 - (count & 63)));
    return n;
}

/* The first bit from `from` on whose word, xored with `flip`, has it set. */
static size_t next_of(const uint64_t *bits, size_t from, size_t count, uint64_t flip)
{
    if (from >= count) return count;
    size_t word = from >> 6, words = cria_bitmap_words(count);
    uint64_t left = (bits[word] ^ flip) & ~UINT64_C(0) << (from & 63);
    while (left == 0) {
        if (++word == words) return count;
        left = bits[word] ^ flip;
    }
    size_t at = word * 64 + (size_t)__builtin_ctzll(left);
    return at < count ? at : count;
}

size_t cria_bitmap_next(const uint64_t *bits, size_t from, size_t count)
{
    return next_of(bits, from, count, 0);
}

size_t cria_bitmap_next_clear(const uint64_t *bits, size_t from, size_t count)
{
    return next_of(bits, from, count, ~UINT64_C(0));
}

void cria_bitmap_expand(const uint64_t *documents, size_t document_count,
                        const uint32_t *first_chunk, uint64_t *chunks)
{
    size_t end;
    for (size_t at = cria_bitmap_next(documents, 0, document_count); at < document_count;
         at = cria_bitmap_next(documents, end, document_count)) {
        end = cria_bitmap_next_clear(documents, at, document_count);
        cria_bitmap_set_range(chunks, first_chunk[at], first_chunk[end]);
    }
}
