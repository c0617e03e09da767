#include "search/vector/rotate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

enum { LANES = 4 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint32_t pass_start(const struct cria_rotation *rotation, uint32_t pass)
{
    return pass % 2 ? rotation->width - rotation->block : 0;
}

bool cria_rotation_init(struct cria_rotation *rotation, uint32_t width)
{
    uint64_t random = 0x43726961u; /* part of the format: codes and queries must turn alike */
    rotation->width = width;
    rotation->block = 8;
    while (rotation->block * 2 <= width) rotation->block *= 2;
    rotation->signs = cria_fault_fires(CRIA_FAULT_ALLOC)
                          ? NULL
                          : malloc((size_t)CRIA_ROTATION_PASSES * width * sizeof(float));
    if (!rotation->signs) return false;
    float scale = 1.0f / sqrtf((float)rotation->block);
    for (uint32_t pass = 0; pass < CRIA_ROTATION_PASSES; pass++) {
        uint32_t start = pass_start(rotation, pass);
        uint64_t bits = 0;
        for (uint32_t i = 0; i < width; i++) {
            if (i % 64 == 0) bits = next_random(&random);
            bool inside = i >= start && i < start + rotation->block;
            float size = inside ? scale : 1.0f;
            rotation->signs[pass * width + i] = (bits >> (i % 64)) & 1 ? size : -size;
        }
    }
    return true;
}

void cria_rotation_release(struct cria_rotation *rotation)
{
    free(rotation->signs);
    rotation->signs = NULL;
}

static inline lanes load(const float *from)
{
    lanes v;
    memcpy(&v, from, sizeof(v));
    return v;
}
static inline void store(float *to, lanes v)
{
    memcpy(to, &v, sizeof(v));
}

/* The three smallest steps, within 8 neighbours. */
static inline void turn_eight(float *x)
{
    float a0 = x[0] + x[1], a1 = x[0] - x[1], a2 = x[2] + x[3], a3 = x[2] - x[3];
    float a4 = x[4] + x[5], a5 = x[4] - x[5], a6 = x[6] + x[7], a7 = x[6] - x[7];
    float b0 = a0 + a2, b1 = a1 + a3, b2 = a0 - a2, b3 = a1 - a3;
    float b4 = a4 + a6, b5 = a5 + a7, b6 = a4 - a6, b7 = a5 - a7;
    x[0] = b0 + b4, x[1] = b1 + b5, x[2] = b2 + b6, x[3] = b3 + b7;
    x[4] = b0 - b4, x[5] = b1 - b5, x[6] = b2 - b6, x[7] = b3 - b7;
}

static void hadamard(float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 8) turn_eight(x + i);
    for (uint32_t half = 8; half < n; half *= 2)
        for (uint32_t i = 0; i < n; i += 2 * half)
            for (uint32_t j = i; j < i + half; j += LANES) {
                lanes a = load(x + j), b = load(x + j + half);
                store(x + j, a + b);
                store(x + j + half, a - b);
            }
}

void cria_rotate(const struct cria_rotation *rotation, float *vector)
{
    for (uint32_t pass = 0; pass < CRIA_ROTATION_PASSES; pass++) {
        const float *signs = rotation->signs + (size_t)pass * rotation->width;
        for (uint32_t i = 0; i < rotation->width; i += LANES)
            store(vector + i, load(vector + i) * load(signs + i));
        hadamard(vector + pass_start(rotation, pass), rotation->block);
    }
}
