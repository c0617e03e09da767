/* pack.h - numbers in as many bits as the largest needs. Room: search. Any thread.
 * 128 at a time lie in four lanes (number i in lane i % 4), so that one 128-bit instruction works
 * on four: the layout of SIMD-BP128 (Lemire & Boytsov, Decoding billions of integers per second
 * through vectorization, 2015). Fewer lie one behind the other. */
#ifndef CRIA_SEARCH_PACK_H
#define CRIA_SEARCH_PACK_H

#include <stddef.h>
#include <stdint.h>

enum { CRIA_PACK = 128, CRIA_PACK_MAX_BITS = 31 };

/** Writes 16 * bits bytes. in: each < 2^bits; bits 0 to 31. */
void cria_pack(uint8_t *out, const uint32_t in[CRIA_PACK], uint32_t bits);
/** Reads 16 * bits bytes; adds 1 to each number. bits: 0, 1, 2, 3, 4, 6, 8 or 16. */
void cria_unpack(uint32_t out[CRIA_PACK], const uint8_t *in, uint32_t bits);
/** Reads 16 * bits bytes: gaps less one. out[i] = before + sum of (gap + 1), modulo 2^32.
 * Returns all of out or-ed together: if its highest bit (and that of before) is 0, nothing wrapped
 * and out ascends. before: UINT32_MAX for none. */
uint32_t cria_unpack_ids(uint32_t out[CRIA_PACK], const uint8_t *in, uint32_t bits,
                         uint32_t before);
/** The number at place i of 128 packed ones. */
uint32_t cria_pack_get(const uint8_t *in, uint32_t bits, uint32_t i);

static inline size_t cria_pack_few_bytes(size_t n, uint32_t bits)
{
    return (n * bits + 7) / 8;
}
/** Writes cria_pack_few_bytes(n, bits); n < 128. */
void cria_pack_few(uint8_t *out, const uint32_t *in, size_t n, uint32_t bits);
/** Reads as many bytes and none behind. */
void cria_unpack_few(uint32_t *out, const uint8_t *in, size_t n, uint32_t bits);

#endif
