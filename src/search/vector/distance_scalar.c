/* distance_scalar.c - the inner loops in plain C: what every other table is held to. */
#include <string.h>

#include "search/vector/distance.h"

static unsigned ones(uint64_t v)
{
    v -= (v >> 1) & 0x5555555555555555u;
    v = (v & 0x3333333333333333u) + ((v >> 2) & 0x3333333333333333u);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)((v * 0x0101010101010101u) >> 56);
}

static void scan_block(const struct cria_code_scan *scan, size_t block, float *estimates)
{
    const uint64_t *code = scan->codes + block * scan->words * CRIA_BLOCK_ROWS;
    const float *weights = scan->factors + block * 2 * CRIA_BLOCK_ROWS;
    const float *shifts = weights + CRIA_BLOCK_ROWS;
    int sums[CRIA_BLOCK_ROWS] = {0};
    for (uint32_t w = 0; w < scan->words; w++) {
        const uint64_t *plane = scan->planes + (size_t)w * CRIA_QUERY_PLANES;
        for (size_t i = 0; i < CRIA_BLOCK_ROWS; i++) {
            uint64_t bits = code[w * CRIA_BLOCK_ROWS + i];
            sums[i] += (int)(ones(bits & plane[0]) + 2 * ones(bits & plane[1]) +
                             4 * ones(bits & plane[2])) -
                       (int)(8 * ones(bits & plane[3]));
        }
    }
    for (size_t i = 0; i < CRIA_BLOCK_ROWS; i++)
        estimates[i] = scan->base + scan->alpha * shifts[i] +
                       weights[i] * (scan->step * (float)sums[i] + scan->offset);
}

static void scan(const struct cria_code_scan *job, size_t first, size_t blocks,
                 const uint8_t *allowed, float least, float *estimates, uint8_t *masks)
{
    for (size_t b = 0; b < blocks; b++) {
        unsigned may = allowed ? allowed[b] : 0xff, mask = 0;
        if (may) {
            scan_block(job, first + b, estimates + b * CRIA_BLOCK_ROWS);
            for (unsigned i = 0; i < CRIA_BLOCK_ROWS; i++)
                if (estimates[b * CRIA_BLOCK_ROWS + i] > least) mask |= 1u << i;
        }
        masks[b] = (uint8_t)(mask & may);
    }
}

static int32_t dot_bytes(const uint8_t *row, const int8_t *query, size_t dims)
{
    int32_t sum = 0;
    for (size_t i = 0; i < dims; i++) sum += row[i] * query[i];
    return sum;
}

static void dots_bytes(const uint8_t *rows, size_t count, const int8_t *query, size_t dims,
                       int32_t *out)
{
    for (size_t n = 0; n < count; n++) out[n] = dot_bytes(rows + n * dims, query, dims);
}

static void dots_together(const uint8_t *rows, size_t count, const int8_t *queries, size_t dims,
                          int32_t *out)
{
    for (size_t q = 0; q < CRIA_TOGETHER; q++)
        dots_bytes(rows, count, queries + q * dims, dims, out + q * count);
}

static float dot_floats(const float *a, const float *b, size_t n)
{
    float sum[4] = {0};
    for (size_t i = 0; i < n; i++) sum[i % 4] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static float from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = (half >> 10) & 31,
             mantissa = half & 1023, bits;
    float out;
    if (exponent == 31)
        bits = sign | 0x7f800000u | (mantissa ? mantissa << 13 | 0x400000u : 0);
    else if (exponent)
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    else { /* zero, or a subnormal: mantissa x 2^-24 */
        out = (float)mantissa * 0x1p-24f;
        return sign ? -out : out;
    }
    memcpy(&out, &bits, sizeof(out));
    return out;
}

static uint16_t to_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00u | ((magnitude >> 13) & 1023));
    if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* rounds beyond 65504 */
    if (magnitude < 0x33000001u) return (uint16_t)sign;              /* at most half of 2^-24 */
    uint32_t exponent = magnitude >> 23, mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    uint32_t shift = exponent > 112 ? 13 : 126 - exponent, half = mantissa >> shift;
    uint32_t rest = mantissa & ((1u << shift) - 1), middle = 1u << (shift - 1);
    if (rest > middle || (rest == middle && (half & 1))) half++;
    /* The leading one of a normal number adds 1 to the exponent it is put beside. */
    return (uint16_t)(sign | (exponent > 112 ? ((exponent - 113) << 10) + half : half));
}

static void from_halves(const uint16_t *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = from_half(in[i]);
}

static void to_halves(const float *in, uint16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = to_half(in[i]);
}

static float dot_halves(const uint16_t *row, const float *query, size_t n)
{
    float sum[4] = {0};
    for (size_t i = 0; i < n; i++) sum[i % 4] += from_half(row[i]) * query[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static size_t count_bits(const uint64_t *words, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += ones(words[i]);
    return count;
}

const struct cria_distance *cria_distance_scalar(void)
{
    static const struct cria_distance table = {"scalar",      scan,       dot_bytes,  dots_bytes,
                                               dots_together, dot_floats, dot_halves, from_halves,
                                               to_halves,     count_bits};
    return &table;
}
