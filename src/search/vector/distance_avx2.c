/* distance_avx2.c - the inner loops for x86-64 with AVX2, FMA and F16C, by function attributes. */
#include "search/vector/distance.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c,popcnt")))

/* What a scan looks up: for each word of the query its planes, cut into the low and the high halves
 * of its bytes. */
struct halves {
    uint64_t low[CRIA_MAX_WORDS * CRIA_QUERY_PLANES], high[CRIA_MAX_WORDS * CRIA_QUERY_PLANES];
};

static void cut_planes(const struct cria_code_scan *job, struct halves *out)
{
    for (size_t i = 0; i < (size_t)job->words * CRIA_QUERY_PLANES; i++) {
        out->low[i] = job->planes[i] & 0x0f0f0f0f0f0f0f0fu;
        out->high[i] = (job->planes[i] >> 4) & 0x0f0f0f0f0f0f0f0fu;
    }
}

/* Adds, for four rows, the sums of one word to four 64-bit counters. A byte's sum lies between -64
 * and 56 (a bit of plane 3 counts -8); 64 is added so that bytes without sign can be summed. */
TARGET static inline __m256i add_word(__m256i sum, __m256i bits, const uint64_t *low,
                                      const uint64_t *high)
{
    const __m256i nibble = _mm256_set1_epi8(0x0f),
                  ones = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                          2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i twos = _mm256_add_epi8(ones, ones), fours = _mm256_add_epi8(twos, twos);
    const __m256i eights = _mm256_add_epi8(fours, fours);
    __m256i down = _mm256_and_si256(bits, nibble);
    __m256i up = _mm256_and_si256(_mm256_srli_epi16(bits, 4), nibble);
#define LOOK(table, p)                                                                             \
    _mm256_add_epi8(                                                                               \
        _mm256_shuffle_epi8(table, _mm256_and_si256(down, _mm256_set1_epi64x((long long)low[p]))), \
        _mm256_shuffle_epi8(table, _mm256_and_si256(up, _mm256_set1_epi64x((long long)high[p]))))
    __m256i plus = _mm256_add_epi8(_mm256_add_epi8(LOOK(ones, 0), LOOK(twos, 1)), LOOK(fours, 2));
    __m256i bytes = _mm256_sub_epi8(_mm256_add_epi8(plus, _mm256_set1_epi8(64)), LOOK(eights, 3));
#undef LOOK
    return _mm256_add_epi64(sum, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
}

TARGET static void scan(const struct cria_code_scan *job, size_t first, size_t blocks,
                        const uint8_t *allowed, float least, float *estimates, uint8_t *masks)
{
    struct halves planes;
    const size_t words = job->words;
    const __m256i added = _mm256_set1_epi32((int)(64 * 8 * words));
    const __m256i evens = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    cut_planes(job, &planes);
    for (size_t b = 0; b < blocks; b++) {
        unsigned may = allowed ? allowed[b] : 0xff;
        if (!may) {
            masks[b] = 0;
            continue;
        }
        const uint64_t *code = job->codes + (first + b) * words * CRIA_BLOCK_ROWS;
        const float *factor = job->factors + (first + b) * 2 * CRIA_BLOCK_ROWS;
        __m256i s0 = _mm256_setzero_si256(), s1 = s0;
        for (size_t w = 0; w < words; w++) {
            const __m256i *word = (const __m256i *)(const void *)(code + w * CRIA_BLOCK_ROWS);
            const uint64_t *low = planes.low + w * CRIA_QUERY_PLANES;
            const uint64_t *high = planes.high + w * CRIA_QUERY_PLANES;
            s0 = add_word(s0, _mm256_loadu_si256(word), low, high);
            s1 = add_word(s1, _mm256_loadu_si256(word + 1), low, high);
        }
        __m256i sums = _mm256_permute2x128_si256(_mm256_permutevar8x32_epi32(s0, evens),
                                                 _mm256_permutevar8x32_epi32(s1, evens), 0x20);
        __m256 sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums, added));
        __m256 weight = _mm256_loadu_ps(factor), shift = _mm256_loadu_ps(factor + CRIA_BLOCK_ROWS);
        __m256 estimate = _mm256_fmadd_ps(
            weight, _mm256_fmadd_ps(_mm256_set1_ps(job->step), sum, _mm256_set1_ps(job->offset)),
            _mm256_fmadd_ps(_mm256_set1_ps(job->alpha), shift, _mm256_set1_ps(job->base)));
        _mm256_storeu_ps(estimates + b * CRIA_BLOCK_ROWS, estimate);
        __m256 is_over = _mm256_cmp_ps(estimate, _mm256_set1_ps(least), _CMP_GT_OQ);
        masks[b] = (uint8_t)((unsigned)_mm256_movemask_ps(is_over) & may);
    }
}

TARGET static inline int32_t add_lanes(__m256i v)
{
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
    return _mm_cvtsi128_si32(sum);
}

/* Widened to 16 bits: maddubs would saturate. */
TARGET static int32_t dot_bytes(const uint8_t *row, const int8_t *query, size_t dims)
{
    __m256i a = _mm256_setzero_si256(), b = a;
    for (size_t i = 0; i < dims; i += 32) {
        const __m128i *r = (const __m128i *)(const void *)(row + i);
        const __m128i *q = (const __m128i *)(const void *)(query + i);
        a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(r)),
                                                  _mm256_cvtepi8_epi16(_mm_loadu_si128(q))));
        b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(r + 1)),
                                                  _mm256_cvtepi8_epi16(_mm_loadu_si128(q + 1))));
    }
    return add_lanes(_mm256_add_epi32(a, b));
}

TARGET static void dots_bytes(const uint8_t *rows, size_t count, const int8_t *query, size_t dims,
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

TARGET static inline float add_floats(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

TARGET static float dot_floats(const float *x, const float *y, size_t n)
{
    __m256 a = _mm256_setzero_ps(), b = a;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        a = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i), a);
        b = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(y + i + 8), b);
    }
    float sum = add_floats(_mm256_add_ps(a, b));
    for (; i < n; i++) sum += x[i] * y[i];
    return sum;
}

TARGET static inline __m256 eight_halves(const uint16_t *in)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)in));
}

TARGET static float dot_halves(const uint16_t *row, const float *query, size_t n)
{
    __m256 a = _mm256_setzero_ps(), b = a;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        a = _mm256_fmadd_ps(eight_halves(row + i), _mm256_loadu_ps(query + i), a);
        b = _mm256_fmadd_ps(eight_halves(row + i + 8), _mm256_loadu_ps(query + i + 8), b);
    }
    float sum = add_floats(_mm256_add_ps(a, b));
    for (; i < n; i++) sum += _cvtsh_ss(row[i]) * query[i];
    return sum;
}

TARGET static void from_halves(const uint16_t *in, float *out, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) _mm256_storeu_ps(out + i, eight_halves(in + i));
    for (; i < n; i++) out[i] = _cvtsh_ss(in[i]);
}

TARGET static void to_halves(const float *in, uint16_t *out, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(void *)(out + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
    for (; i < n; i++) out[i] = _cvtss_sh(in[i], _MM_FROUND_TO_NEAREST_INT);
}

TARGET static size_t count_bits(const uint64_t *words, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += (size_t)_mm_popcnt_u64(words[i]);
    return count;
}

const struct cria_distance *cria_distance_avx2(void)
{
    static const struct cria_distance table = {"avx2",        scan,       dot_bytes,  dots_bytes,
                                               dots_together, dot_floats, dot_halves, from_halves,
                                               to_halves,     count_bits};
    return &table;
}
#else
const struct cria_distance *cria_distance_avx2(void)
{
    return NULL;
}
#endif
