#include "search/vector/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/vector/build.h"
#include "search/vector/encode.h"

bool cria_cells_init(struct cria_cells *cells, const struct cria_distance *distance, uint32_t count,
                     uint32_t width)
{
    *cells = (struct cria_cells){.distance = distance, .count = count, .width = width};
    cells->centres = cria_vector_grab((uint64_t)count * width, 1);
    cells->scales = cria_vector_grab(count, sizeof(*cells->scales));
    cells->halves = cria_vector_grab(count, sizeof(*cells->halves));
    cells->dots = cria_vector_grab((uint64_t)count * CRIA_TOGETHER, sizeof(*cells->dots));
    cells->signed_bytes = cria_vector_grab((uint64_t)width * CRIA_TOGETHER, 1);
    return cells->centres && cells->scales && cells->halves && cells->dots && cells->signed_bytes;
}

void cria_cells_release(struct cria_cells *cells)
{
    free(cells->centres);
    free(cells->scales);
    free(cells->halves);
    free(cells->dots);
    free(cells->signed_bytes);
    *cells = (struct cria_cells){0};
}

/* Rounds the centre to bytes; its length is that of what the bytes say. */
static void set_centre(struct cria_cells *cells, uint32_t n, const float *vector)
{
    uint8_t *bytes = cells->centres + (size_t)n * cells->width;
    float scale = cria_bytes_make(vector, cells->width, bytes);
    int64_t square = 0;
    for (uint32_t i = 0; i < cells->width; i++) square += (bytes[i] - 128) * (bytes[i] - 128);
    cells->scales[n] = scale;
    cells->halves[n] = 0.5f * scale * scale * (float)square;
}

int32_t cria_bytes_sum(const int8_t *bytes, uint32_t width)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < width; i++) sum += bytes[i];
    return sum;
}

enum { LANES = 4 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t numbers __attribute__((vector_size(LANES * sizeof(int32_t))));

/* |y - c|^2 is least where <y,c> - |c|^2 / 2 is most. */
static uint32_t most_of(const struct cria_cells *cells, const int32_t *dots, float scale,
                        int32_t bias)
{
    lanes most = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    numbers at = {0, 1, 2, 3}, best = {0};
    uint32_t n = 0;
    for (; n + LANES <= cells->count; n += LANES) {
        numbers dot;
        lanes size, half;
        memcpy(&dot, dots + n, sizeof(dot));
        memcpy(&size, cells->scales + n, sizeof(size));
        memcpy(&half, cells->halves + n, sizeof(half));
        lanes score = __builtin_convertvector(dot - bias, lanes) * (size * scale) - half;
        numbers more = score > most;
        most = (lanes)(((numbers)score & more) | ((numbers)most & ~more));
        best = (at & more) | (best & ~more);
        at += LANES;
    }
    float top = most[0];
    uint32_t found = (uint32_t)best[0];
    for (int i = 1; i < LANES; i++)
        if (most[i] > top) top = most[i], found = (uint32_t)best[i];
    for (; n < cells->count; n++) {
        float score = (float)(dots[n] - bias) * (cells->scales[n] * scale) - cells->halves[n];
        if (score > top) top = score, found = n;
    }
    return found;
}

void cria_cells_find(struct cria_cells *cells, const uint8_t *bytes, const float *scales,
                     uint32_t count, uint32_t *out)
{
    for (size_t i = 0; i < (size_t)count * cells->width; i++)
        cells->signed_bytes[i] = (int8_t)(bytes[i] ^ 128);
    cells->distance->dots_together(cells->centres, cells->count, cells->signed_bytes, cells->width,
                                   cells->dots);
    for (uint32_t q = 0; q < count; q++)
        out[q] = most_of(
            cells, cells->dots + (size_t)q * cells->count, scales[q],
            128 * cria_bytes_sum(cells->signed_bytes + (size_t)q * cells->width, cells->width));
}

static void unpack(const struct cria_byte_rows *sample, uint32_t row, uint32_t width, float *out)
{
    const uint8_t *bytes = sample->bytes + (size_t)row * width;
    for (uint32_t i = 0; i < width; i++) out[i] = sample->scales[row] * (float)(bytes[i] - 128);
}

/* One round of Lloyd's: every row to its nearest centre, every centre to the mean of its rows. A
 * cell without rows begins anew at a row of the sample. */
static void refine(struct cria_cells *cells, const struct cria_byte_rows *sample, float *sums,
                   uint32_t *counts, float *vector, uint32_t round)
{
    const uint32_t width = cells->width;
    memset(sums, 0, (size_t)cells->count * width * sizeof(*sums));
    memset(counts, 0, cells->count * sizeof(*counts));
    for (uint32_t from = 0; from < sample->count; from += CRIA_TOGETHER) {
        uint32_t found[CRIA_TOGETHER], some = sample->count - from;
        if (some > CRIA_TOGETHER) some = CRIA_TOGETHER;
        cria_cells_find(cells, sample->bytes + (size_t)from * width, sample->scales + from, some,
                        found);
        for (uint32_t q = 0; q < some; q++) {
            float *sum = sums + (size_t)found[q] * width;
            unpack(sample, from + q, width, vector);
            for (uint32_t i = 0; i < width; i++) sum[i] += vector[i];
            counts[found[q]]++;
        }
    }
    for (uint32_t n = 0; n < cells->count; n++) {
        if (counts[n])
            for (uint32_t i = 0; i < width; i++)
                vector[i] = sums[(size_t)n * width + i] / (float)counts[n];
        else
            unpack(sample, (uint32_t)(((uint64_t)n * 2654435761u + round) % sample->count), width,
                   vector);
        set_centre(cells, n, vector);
    }
}

bool cria_cells_train(struct cria_cells *cells, const struct cria_byte_rows *sample,
                      uint32_t rounds)
{
    float *sums = cria_vector_grab((uint64_t)cells->count * cells->width, sizeof(*sums));
    float *vector = cria_vector_grab(cells->width, sizeof(*vector));
    uint32_t *counts = cria_vector_grab(cells->count, sizeof(*counts));
    bool is_done = sums && vector && counts;
    for (uint32_t n = 0; is_done && n < cells->count; n++) { /* starts at rows spread evenly */
        unpack(sample, (uint32_t)((uint64_t)n * sample->count / cells->count), cells->width,
               vector);
        set_centre(cells, n, vector);
    }
    for (uint32_t round = 0; is_done && round < rounds; round++)
        refine(cells, sample, sums, counts, vector, round);
    free(sums);
    free(vector);
    free(counts);
    return is_done;
}
