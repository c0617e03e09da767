#include "search/vector_kmeans.h"

#include <stdlib.h>
#include <string.h>

#include "search/vector_build.h"
#include "search/vector_encode.h"

bool cria_cells_init(struct cria_cells *cells, const struct cria_distance *distance, uint32_t count,
                     uint32_t width)
{
    *cells = (struct cria_cells){.distance = distance, .count = count, .width = width};
    cells->centres = cria_vector_grab((uint64_t)count * width, 1);
    cells->scales = cria_vector_grab(count, sizeof(*cells->scales));
    cells->halves = cria_vector_grab(count, sizeof(*cells->halves));
    cells->dots = cria_vector_grab(count, sizeof(*cells->dots));
    cells->signed_bytes = cria_vector_grab(width, 1);
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

uint32_t cria_cells_find(struct cria_cells *cells, const uint8_t *bytes, float scale)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < cells->width; i++) {
        cells->signed_bytes[i] = (int8_t)(bytes[i] - 128);
        sum += bytes[i] - 128;
    }
    cells->distance->dots_bytes(cells->centres, cells->count, cells->signed_bytes, cells->width,
                                cells->dots);
    /* |y - c|^2 is least where <y,c> - |c|^2 / 2 is most. */
    uint32_t best = 0;
    float most = -1e30f;
    for (uint32_t n = 0; n < cells->count; n++) {
        float score =
            scale * cells->scales[n] * (float)(cells->dots[n] - 128 * sum) - cells->halves[n];
        if (score > most) {
            most = score;
            best = n;
        }
    }
    return best;
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
    for (uint32_t row = 0; row < sample->count; row++) {
        uint32_t cell =
            cria_cells_find(cells, sample->bytes + (size_t)row * width, sample->scales[row]);
        float *sum = sums + (size_t)cell * width;
        unpack(sample, row, width, vector);
        for (uint32_t i = 0; i < width; i++) sum[i] += vector[i];
        counts[cell]++;
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
