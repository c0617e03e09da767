#include "search/pack.h"

#include <stdbool.h>
#include <string.h>

#include "search/bytes.h"

/* Four lanes: SSE2, NEON, or whatever the compiler makes of it. */
typedef uint32_t lanes __attribute__((vector_size(16)));

#define INLINE static inline __attribute__((always_inline))
#define FOUR(X, n) X(n) X((n) + 1) X((n) + 2) X((n) + 3)
#define SIXTEEN(X, n) FOUR(X, n) FOUR(X, (n) + 4) FOUR(X, (n) + 8) FOUR(X, (n) + 12)
#define ALL_VECTORS(X) SIXTEEN(X, 0) SIXTEEN(X, 16)
/* A case for each width, so that all shifts are constants. */
#define CASES(X) SIXTEEN(X, 1) FOUR(X, 17) FOUR(X, 21) FOUR(X, 25) X(29) X(30) X(31)

void cria_pack(uint8_t *out, const uint32_t in[CRIA_PACK], uint32_t bits)
{
    uint32_t words[CRIA_PACK_MAX_BITS * 4 + 4] = {0};
    for (uint32_t i = 0; i < CRIA_PACK; i++) {
        uint32_t bit = i / 4 * bits, *word = &words[bit / 32 * 4 + i % 4];
        word[0] |= in[i] << bit % 32;
        if (bit % 32 + bits > 32) word[4] |= in[i] >> (32 - bit % 32);
    }
    memcpy(out, words, (size_t)16 * bits);
}

uint32_t cria_pack_get(const uint8_t *in, uint32_t bits, uint32_t i)
{
    uint32_t bit = i / 4 * bits, shift = bit % 32;
    const uint8_t *at = in + 16 * (size_t)(bit / 32) + 4 * (size_t)(i % 4);
    if (bits == 0) return 0;
    uint64_t word = cria_load32(at);
    if (shift + bits > 32) word |= (uint64_t)cria_load32(at + 16) << 32;
    return (uint32_t)(word >> shift) & ((1u << bits) - 1);
}

INLINE lanes load(const uint8_t *at)
{
    lanes out;
    memcpy(&out, at, sizeof(out));
    return out;
}

INLINE void store(uint32_t *at, lanes value)
{
    memcpy(at, &value, sizeof(value));
}

INLINE lanes vector_at(const uint8_t *in, const uint32_t bits, const uint32_t i)
{
    const uint32_t word = i * bits / 32, shift = i * bits % 32;
    lanes out = load(in + (size_t)16 * word) >> shift;
    if (shift + bits > 32) out |= load(in + (size_t)16 * word + 16) << (32 - shift);
    return shift + bits == 32 ? out : out & ((1u << bits) - 1);
}

INLINE void unpack(uint32_t *out, const uint8_t *in, const uint32_t bits)
{
#define STEP(i) store(out + 4 * (i), vector_at(in, bits, (i)) + 1);
    ALL_VECTORS(STEP)
#undef STEP
}

static void fill(uint32_t *out, uint32_t value)
{
    for (uint32_t i = 0; i < CRIA_PACK; i++) out[i] = value;
}

void cria_unpack(uint32_t out[CRIA_PACK], const uint8_t *in, uint32_t bits)
{
    switch (bits) {
    case 0: fill(out, 1); break;
    case 1: unpack(out, in, 1); break;
    case 2: unpack(out, in, 2); break;
    case 3: unpack(out, in, 3); break;
    case 4: unpack(out, in, 4); break;
    case 6: unpack(out, in, 6); break;
    case 8: unpack(out, in, 8); break;
    case 16: unpack(out, in, 16); break;
    }
}

INLINE uint32_t unpack_ids(uint32_t *out, const uint8_t *in, const uint32_t bits, uint32_t before)
{
    const lanes none = {0, 0, 0, 0};
    lanes carry = none + before, any = none;
#define STEP(i)                                            \
    {                                                      \
        lanes v = vector_at(in, bits, (i)) + 1;            \
        v += __builtin_shufflevector(v, none, 4, 0, 1, 2); \
        v += __builtin_shufflevector(v, none, 4, 4, 0, 1); \
        v += carry;                                        \
        carry = __builtin_shufflevector(v, v, 3, 3, 3, 3); \
        any |= v;                                          \
        store(out + 4 * (i), v);                           \
    }
    ALL_VECTORS(STEP)
#undef STEP
    return any[0] | any[1] | any[2] | any[3];
}

static uint32_t count_up(uint32_t *out, uint32_t before)
{
    uint32_t any = 0;
    for (uint32_t i = 0; i < CRIA_PACK; i++) any |= out[i] = before + 1 + i;
    return any;
}

uint32_t cria_unpack_ids(uint32_t out[CRIA_PACK], const uint8_t *in, uint32_t bits, uint32_t before)
{
    switch (bits) {
    case 0: return count_up(out, before);
#define CASE(n) \
    case n: return unpack_ids(out, in, n, before);
        CASES(CASE)
#undef CASE
    }
    return UINT32_MAX;
}

void cria_pack_few(uint8_t *out, const uint32_t *in, size_t n, uint32_t bits)
{
    uint64_t held = 0;
    uint32_t held_bits = 0;
    for (size_t i = 0; i < n; i++) {
        held |= (uint64_t)in[i] << held_bits;
        held_bits += bits;
        for (; held_bits >= 8; held_bits -= 8, held >>= 8) *out++ = (uint8_t)held;
    }
    if (held_bits) *out = (uint8_t)held;
}

void cria_unpack_few(uint32_t *out, const uint8_t *in, size_t n, uint32_t bits)
{
    /* With eight bytes behind, so that each number is one load. */
    uint8_t bytes[CRIA_PACK * CRIA_PACK_MAX_BITS / 8 + 8];
    size_t size = cria_pack_few_bytes(n, bits);
    memcpy(bytes, in, size);
    memset(bytes + size, 0, 8);
    for (size_t i = 0, bit = 0; i < n; i++, bit += bits)
        out[i] = (uint32_t)(cria_load64(bytes + bit / 8) >> bit % 8) & ((1u << bits) - 1);
}
