/* distance_avx512.c - the inner loops for x86-64 with AVX-512 (F, BW, VL, VNNI, VPOPCNTDQ), by
 * function attributes, so that the rest of the program needs none of it. */
#include "search/vector/distance.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq")))

TARGET static void scan(const struct cria_code_scan *job, size_t first, size_t blocks,
                        const uint8_t *allowed, float least, float *estimates, uint8_t *masks)
{
    const size_t words = job->words;
    const uint64_t *planes = job->planes;
    const __m256 base = _mm256_set1_ps(job->base), alpha = _mm256_set1_ps(job->alpha);
    const __m256 step = _mm256_set1_ps(job->step), offset = _mm256_set1_ps(job->offset);
    const __m256 over = _mm256_set1_ps(least);
    for (size_t b = 0; b < blocks; b++) {
        unsigned may = allowed ? allowed[b] : 0xff;
        if (!may) {
            masks[b] = 0;
            continue;
        }
        const uint64_t *code = job->codes + (first + b) * words * CRIA_BLOCK_ROWS;
        const float *factor = job->factors + (first + b) * 2 * CRIA_BLOCK_ROWS;
        __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
        for (size_t w = 0; w < words; w++) {
            __m512i bits = _mm512_loadu_si512(code + w * CRIA_BLOCK_ROWS);
            const uint64_t *plane = planes + w * CRIA_QUERY_PLANES;
            __m512i p0 = _mm512_and_si512(bits, _mm512_set1_epi64((long long)plane[0]));
            __m512i p1 = _mm512_and_si512(bits, _mm512_set1_epi64((long long)plane[1]));
            __m512i p2 = _mm512_and_si512(bits, _mm512_set1_epi64((long long)plane[2]));
            __m512i p3 = _mm512_and_si512(bits, _mm512_set1_epi64((long long)plane[3]));
            s0 = _mm512_add_epi64(s0, _mm512_popcnt_epi64(p0));
            s1 = _mm512_add_epi64(s1, _mm512_popcnt_epi64(p1));
            s2 = _mm512_add_epi64(s2, _mm512_popcnt_epi64(p2));
            s3 = _mm512_add_epi64(s3, _mm512_popcnt_epi64(p3));
        }
        s0 = _mm512_add_epi64(s0, _mm512_slli_epi64(s1, 1));
        s2 = _mm512_sub_epi64(_mm512_slli_epi64(s2, 2), _mm512_slli_epi64(s3, 3));
        __m256 sum = _mm256_cvtepi32_ps(_mm512_cvtepi64_epi32(_mm512_add_epi64(s0, s2)));
        __m256 weight = _mm256_loadu_ps(factor), shift = _mm256_loadu_ps(factor + CRIA_BLOCK_ROWS);
        __m256 estimate = _mm256_fmadd_ps(weight, _mm256_fmadd_ps(step, sum, offset),
                                          _mm256_fmadd_ps(alpha, shift, base));
        _mm256_storeu_ps(estimates + b * CRIA_BLOCK_ROWS, estimate);
        masks[b] = (uint8_t)(_mm256_cmp_ps_mask(estimate, over, _CMP_GT_OQ) & may);
    }
}

TARGET static int32_t dot_bytes(const uint8_t *row, const int8_t *query, size_t dims)
{
    __m512i a = _mm512_setzero_si512(), b = a;
    size_t i = 0;
    for (; i + 128 <= dims; i += 128) {
        a = _mm512_dpbusd_epi32(a, _mm512_loadu_si512(row + i), _mm512_loadu_si512(query + i));
        b = _mm512_dpbusd_epi32(b, _mm512_loadu_si512(row + i + 64),
                                _mm512_loadu_si512(query + i + 64));
    }
    if (i < dims)
        a = _mm512_dpbusd_epi32(a, _mm512_loadu_si512(row + i), _mm512_loadu_si512(query + i));
    return _mm512_reduce_add_epi32(_mm512_add_epi32(a, b));
}

/* Sums of the 16 lanes of four vectors, side by side. */
TARGET static __m128i reduce4(__m512i a, __m512i b, __m512i c, __m512i d)
{
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

TARGET static void dots_bytes(const uint8_t *rows, size_t count, const int8_t *query, size_t dims,
                              int32_t *out)
{
    size_t n = 0;
    for (; n + 4 <= count; n += 4) {
        const uint8_t *row = rows + n * dims;
        __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
        for (size_t i = 0; i < dims; i += 64) {
            __m512i q = _mm512_loadu_si512(query + i);
            a = _mm512_dpbusd_epi32(a, _mm512_loadu_si512(row + i), q);
            b = _mm512_dpbusd_epi32(b, _mm512_loadu_si512(row + dims + i), q);
            c = _mm512_dpbusd_epi32(c, _mm512_loadu_si512(row + 2 * dims + i), q);
            d = _mm512_dpbusd_epi32(d, _mm512_loadu_si512(row + 3 * dims + i), q);
        }
        _mm_storeu_si128((__m128i *)(void *)(out + n), reduce4(a, b, c, d));
    }
    for (; n < count; n++) out[n] = dot_bytes(rows + n * dims, query, dims);
}

TARGET static void dots_together(const uint8_t *rows, size_t count, const int8_t *queries,
                                 size_t dims, int32_t *out)
{
    for (size_t n = 0; n < count; n++) {
        const uint8_t *row = rows + n * dims;
        __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
        int32_t sums[CRIA_TOGETHER];
        for (size_t i = 0; i < dims; i += 64) {
            __m512i r = _mm512_loadu_si512(row + i);
            a = _mm512_dpbusd_epi32(a, r, _mm512_loadu_si512(queries + i));
            b = _mm512_dpbusd_epi32(b, r, _mm512_loadu_si512(queries + dims + i));
            c = _mm512_dpbusd_epi32(c, r, _mm512_loadu_si512(queries + 2 * dims + i));
            d = _mm512_dpbusd_epi32(d, r, _mm512_loadu_si512(queries + 3 * dims + i));
        }
        _mm_storeu_si128((__m128i *)(void *)sums, reduce4(a, b, c, d));
        for (size_t q = 0; q < CRIA_TOGETHER; q++) out[q * count + n] = sums[q];
    }
}

TARGET static float dot_floats(const float *x, const float *y, size_t n)
{
    __m512 a = _mm512_setzero_ps(), b = a;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        a = _mm512_fmadd_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i), a);
        b = _mm512_fmadd_ps(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(y + i + 16), b);
    }
    for (; i < n; i += 16) {
        __mmask16 some = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        a = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(some, x + i), _mm512_maskz_loadu_ps(some, y + i),
                            a);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(a, b));
}

TARGET static float dot_halves(const uint16_t *row, const float *query, size_t n)
{
    __m512 a = _mm512_setzero_ps(), b = a;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m512i both = _mm512_loadu_si512(row + i);
        a = _mm512_fmadd_ps(_mm512_cvtph_ps(_mm512_castsi512_si256(both)),
                            _mm512_loadu_ps(query + i), a);
        b = _mm512_fmadd_ps(_mm512_cvtph_ps(_mm512_extracti64x4_epi64(both, 1)),
                            _mm512_loadu_ps(query + i + 16), b);
    }
    for (; i < n; i += 16) {
        __mmask16 some = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        a = _mm512_fmadd_ps(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(some, row + i)),
                            _mm512_maskz_loadu_ps(some, query + i), a);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(a, b));
}

TARGET static void from_halves(const uint16_t *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 some = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        _mm512_mask_storeu_ps(out + i, some,
                              _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(some, in + i)));
    }
}

TARGET static void to_halves(const float *in, uint16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 some = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        __m256i half = _mm512_cvtps_ph(_mm512_maskz_loadu_ps(some, in + i),
                                       _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm256_mask_storeu_epi16(out + i, some, half);
    }
}

TARGET static size_t count_bits(const uint64_t *words, size_t n)
{
    __m512i sum = _mm512_setzero_si512();
    for (size_t i = 0; i < n; i += 8) {
        __mmask8 some = n - i >= 8 ? 0xff : (__mmask8)((1u << (n - i)) - 1);
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_maskz_loadu_epi64(some, words + i)));
    }
    return (size_t)_mm512_reduce_add_epi64(sum);
}

const struct cria_distance *cria_distance_avx512(void)
{
    static const struct cria_distance table = {"avx512",      scan,       dot_bytes,  dots_bytes,
                                               dots_together, dot_floats, dot_halves, from_halves,
                                               to_halves,     count_bits};
    return &table;
}
#else
const struct cria_distance *cria_distance_avx512(void)
{
    return NULL;
}
#endif
