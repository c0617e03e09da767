#include "search/vector/encode.h"

#include <math.h>
#include <string.h>

enum { LANES = 4 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t masks __attribute__((vector_size(LANES * sizeof(int32_t))));

static inline lanes load(const float *from)
{
    lanes v;
    memcpy(&v, from, sizeof(v));
    return v;
}

static inline lanes absolute(lanes v)
{
    return (lanes)((masks)v & 0x7fffffff);
}

static inline float add_up(lanes v)
{
    return (v[0] + v[1]) + (v[2] + v[3]);
}

struct cria_code_factors cria_code_make(const float *vector, const float *mean, uint32_t width,
                                        uint64_t *block, uint32_t slot)
{
    struct cria_code_factors out = {0};
    lanes size = {0}, square = {0}, shift = {0};
    for (uint32_t i = 0; i < width; i += LANES) {
        lanes v = load(vector + i);
        size += absolute(v);
        square += v * v;
        shift += v * load(mean + i);
    }
    out.square = add_up(square);
    out.shift = add_up(shift);
    float sum = add_up(size);
    out.weight = sum > 0 ? out.square / sum : 0;
    for (uint32_t w = 0; block && w < width / 64; w++) {
        uint64_t bits = 0;
        for (uint32_t i = 0; i < 64; i++) bits |= (uint64_t)(vector[w * 64 + i] > 0) << i;
        block[(size_t)w * CRIA_BLOCK_ROWS + slot] = bits;
    }
    return out;
}

float cria_bytes_make(const float *vector, uint32_t width, uint8_t *out)
{
    lanes most = {0};
    for (uint32_t i = 0; i < width; i += LANES) {
        lanes v = absolute(load(vector + i));
        masks more = v > most;
        most = (lanes)(((masks)v & more) | ((masks)most & ~more));
    }
    float max = 0;
    for (int i = 0; i < LANES; i++) max = most[i] > max ? most[i] : max;
    if (!(max > 1e-30f)) {
        memset(out, 128, width);
        return 0;
    }
    float times = 127.0f / max;
    for (uint32_t i = 0; i < width; i++) out[i] = (uint8_t)(int)(vector[i] * times + 128.5f);
    return max / 127.0f;
}

struct cria_query_code cria_planes_make(const float *vector, uint32_t width, uint64_t *planes)
{
    /* The step of a uniform 15-level quantiser with the least error for a normal distribution is
     * some .35 of its deviation; rotated coordinates are close to normal. */
    lanes square = {0};
    for (uint32_t i = 0; i < width; i += LANES) square += load(vector + i) * load(vector + i);
    float deviation = sqrtf(add_up(square) / (float)width);
    struct cria_query_code out = {.step = 0.35f * deviation};
    float times = out.step > 0 ? 1 / out.step : 0;
    int sum = 0;
    memset(planes, 0, (size_t)width / 64 * CRIA_QUERY_PLANES * sizeof(*planes));
    for (uint32_t i = 0; i < width; i++) {
        float scaled = vector[i] * times;
        /* NaN (a rotten mean) becomes -8 */
        int number = (int)((!(scaled > -8) ? -8 : scaled > 7 ? 7 : scaled) + 8.5f) - 8;
        sum += number;
        for (uint32_t p = 0; p < CRIA_QUERY_PLANES; p++)
            planes[i / 64 * CRIA_QUERY_PLANES + p] |= (uint64_t)(((unsigned)number >> p) & 1)
                                                      << (i % 64);
    }
    out.sum = (float)sum;
    return out;
}
