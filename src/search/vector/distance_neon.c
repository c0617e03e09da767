/* distance_neon.c - the inner loops for 64-bit ARM, whose base instruction set has NEON. */
#include "search/vector/distance.h"

#if defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>

/* Adds the sums of one word of two rows. A byte's sum lies between -64 and 56. */
static inline int64x2_t add_word(int64x2_t sum, uint64x2_t bits, const uint64_t *plane)
{
    int8x16_t bytes = vdupq_n_s8(0);
    for (int p = 3; p >= 0; p--) { /* Horner: ((-8/4 p3 + p2) * 2 + p1) * 2 + p0 */
        uint64x2_t both = vandq_u64(bits, vdupq_n_u64(plane[p]));
        int8x16_t ones = vreinterpretq_s8_u8(vcntq_u8(vreinterpretq_u8_u64(both)));
        bytes = p == 3 ? vnegq_s8(ones) : vaddq_s8(vshlq_n_s8(bytes, 1), ones);
    }
    return vaddq_s64(sum, vpaddlq_s32(vpaddlq_s16(vpaddlq_s8(bytes))));
}

static void scan_block(const struct cria_code_scan *job, size_t block, float *estimates)
{
    const uint64_t *code = job->codes + block * job->words * CRIA_BLOCK_ROWS;
    const float *factor = job->factors + block * 2 * CRIA_BLOCK_ROWS;
    int64x2_t s[4] = {vdupq_n_s64(0), vdupq_n_s64(0), vdupq_n_s64(0), vdupq_n_s64(0)};
    for (size_t w = 0; w < job->words; w++) {
        const uint64_t *plane = job->planes + w * CRIA_QUERY_PLANES;
        for (size_t i = 0; i < 4; i++)
            s[i] = add_word(s[i], vld1q_u64(code + w * CRIA_BLOCK_ROWS + 2 * i), plane);
    }
    for (size_t half = 0; half < 2; half++) {
        int32x4_t sums = vcombine_s32(vmovn_s64(s[2 * half]), vmovn_s64(s[2 * half + 1]));
        float32x4_t weight = vld1q_f32(factor + 4 * half);
        float32x4_t shift = vld1q_f32(factor + CRIA_BLOCK_ROWS + 4 * half);
        float32x4_t inner = vfmaq_n_f32(vdupq_n_f32(job->offset), vcvtq_f32_s32(sums), job->step);
        float32x4_t outer = vfmaq_n_f32(vdupq_n_f32(job->base), shift, job->alpha);
        vst1q_f32(estimates + 4 * half, vfmaq_f32(outer, weight, inner));
    }
}

static void scan(const struct cria_code_scan *job, size_t first, size_t blocks,
                 const uint8_t *allowed, float least, float *estimates, uint8_t *masks)
{
    for (size_t b = 0; b < blocks; b++) {
        unsigned may = allowed ? allowed[b] : 0xff, mask = 0;
        if (may) {
            scan_block(job, first + b, estimates + b * CRIA_BLOCK_ROWS);
            for (unsigned i = 0; i < CRIA_BLOCK_ROWS; i++)
                mask |= (unsigned)(estimates[b * CRIA_BLOCK_ROWS + i] > least) << i;
        }
        masks[b] = (uint8_t)(mask & may);
    }
}

static int32_t dot_bytes(const uint8_t *row, const int8_t *query, size_t dims)
{
    int32x4_t a = vdupq_n_s32(0), b = a;
    for (size_t i = 0; i < dims; i += 16) {
        uint8x16_t r = vld1q_u8(row + i);
        int8x16_t q = vld1q_s8(query + i);
        int16x8_t r0 = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(r))),
                  q0 = vmovl_s8(vget_low_s8(q));
        int16x8_t r1 = vreinterpretq_s16_u16(vmovl_high_u8(r)), q1 = vmovl_high_s8(q);
        a = vmlal_s16(a, vget_low_s16(r0), vget_low_s16(q0));
        b = vmlal_high_s16(b, r0, q0);
        a = vmlal_s16(a, vget_low_s16(r1), vget_low_s16(q1));
        b = vmlal_high_s16(b, r1, q1);
    }
    return vaddvq_s32(vaddq_s32(a, b));
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

static float dot_floats(const float *x, const float *y, size_t n)
{
    float32x4_t a = vdupq_n_f32(0), b = a;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        a = vfmaq_f32(a, vld1q_f32(x + i), vld1q_f32(y + i));
        b = vfmaq_f32(b, vld1q_f32(x + i + 4), vld1q_f32(y + i + 4));
    }
    float sum = vaddvq_f32(vaddq_f32(a, b));
    for (; i < n; i++) sum += x[i] * y[i];
    return sum;
}

static inline float32x4_t four_halves(const uint16_t *in)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(in)));
}

static void from_halves(const uint16_t *in, float *out, size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) vst1q_f32(out + i, four_halves(in + i));
    if (i < n) cria_distance_scalar()->from_halves(in + i, out + i, n - i);
}

static void to_halves(const float *in, uint16_t *out, size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(in + i))));
    if (i < n) cria_distance_scalar()->to_halves(in + i, out + i, n - i);
}

static float dot_halves(const uint16_t *row, const float *query, size_t n)
{
    float32x4_t a = vdupq_n_f32(0), b = a;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        a = vfmaq_f32(a, four_halves(row + i), vld1q_f32(query + i));
        b = vfmaq_f32(b, four_halves(row + i + 4), vld1q_f32(query + i + 4));
    }
    float sum = vaddvq_f32(vaddq_f32(a, b));
    return i < n ? sum + cria_distance_scalar()->dot_halves(row + i, query + i, n - i) : sum;
}

static size_t count_bits(const uint64_t *words, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += vaddv_u8(vcnt_u8(vcreate_u8(words[i])));
    return count;
}

const struct cria_distance *cria_distance_neon(void)
{
    static const struct cria_distance table = {"neon",        scan,       dot_bytes,  dots_bytes,
                                               dots_together, dot_floats, dot_halves, from_halves,
                                               to_halves,     count_bits};
    return &table;
}
#else
const struct cria_distance *cria_distance_neon(void)
{
    return NULL;
}
#endif
