/* bytes.h - where the parts of a segment are read from and written to. Room: search.
 * What is read is memory-mapped and may have rotted on disk: a reader asks `check` before it looks
 * at a range, and is safe on any bytes even so. */
#ifndef CRIA_SEARCH_BYTES_H
#define CRIA_SEARCH_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Read-only bytes, 64-byte aligned, that outlive their readers. Any thread. */
struct cria_bytes {
    const uint8_t *ptr;
    size_t len;
    /** Whether [offset, offset + len) is as it was written; quick when it was asked before. NULL:
     * all is. */
    bool (*check)(void *arg, size_t offset, size_t len);
    void *arg;
};
static inline bool cria_bytes_check(const struct cria_bytes *bytes, size_t offset, size_t len)
{
    if (offset > bytes->len || len > bytes->len - offset) return false;
    return !bytes->check || len == 0 || bytes->check(bytes->arg, offset, len);
}

/** Takes bytes one piece after the other; false: no more, the writer gives up. */
struct cria_sink {
    bool (*write)(void *arg, const void *bytes, size_t len);
    void *arg;
};

/* Segments are little endian; big-endian machines are refused at build time. */
static inline uint16_t cria_load16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}
static inline uint32_t cria_load32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}
static inline uint64_t cria_load64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* Bitmaps: bit n of word n / 64. */
static inline bool cria_bit(const uint64_t *bits, size_t n)
{
    return bits[n >> 6] >> (n & 63) & 1;
}
static inline size_t cria_bitmap_words(size_t bits)
{
    return (bits + 63) / 64;
}

#endif
