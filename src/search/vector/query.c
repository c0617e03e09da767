#include "search/vector/query.h"

#include <math.h>
#include <string.h>

#include "search/vector/encode.h"

static bool make_unit(const float *vector, uint32_t dims, float *out)
{
    float most = 0;
    for (uint32_t i = 0; i < dims; i++) {
        if (!isfinite(vector[i])) return false;
        most = fabsf(vector[i]) > most ? fabsf(vector[i]) : most;
    }
    if (most == 0) return false;
    double square = 0;
    for (uint32_t i = 0; i < dims; i++) {
        double v = (double)vector[i] / (double)most;
        square += v * v;
    }
    double times = 1.0 / ((double)most * sqrt(square));
    for (uint32_t i = 0; i < dims; i++) out[i] = (float)((double)vector[i] * times);
    return true;
}

static void make_bytes(const float *turned, uint32_t width, struct cria_vector_query *out)
{
    float most = 0;
    int32_t sum = 0;
    for (uint32_t i = 0; i < width; i++) most = fabsf(turned[i]) > most ? fabsf(turned[i]) : most;
    out->scale = most / 127.0f;
    float times = most > 1e-30f ? 127.0f / most : 0;
    for (uint32_t i = 0; i < width; i++) {
        int v = (int)(turned[i] * times + 128.5f) - 128;
        out->bytes[i] = (int8_t)v;
        sum += v;
    }
    out->bias = 128 * sum;
}

enum cria_status cria_vector_query_make(const struct cria_vector_index *index,
                                        struct cria_call *call, const float *vector,
                                        struct cria_vector_query *out)
{
    const uint32_t width = index->about.width, words = width / 64;
    float *turned = cria_arena_array(call->arena, width, sizeof(*turned));
    uint64_t *planes =
        cria_arena_array(call->arena, (size_t)words * CRIA_QUERY_PLANES, sizeof(*planes));
    *out = (struct cria_vector_query){.index = index};
    out->unit = cria_arena_array(call->arena, index->about.dims, sizeof(*out->unit));
    out->bytes = cria_arena_array(call->arena, width, sizeof(*out->bytes));
    if (!turned || !planes || !out->unit || !out->bytes) return cria_fail_memory(call);
    if (!make_unit(vector, index->about.dims, out->unit))
        return cria_fail(call, CRIA_E_INVALID,
                         "a query vector has a length other than 0 and finite numbers alone");
    memcpy(turned, out->unit, index->about.dims * sizeof(*turned));
    cria_rotate(&index->rotation, turned);
    make_bytes(turned, width, out);
    out->base = index->distance->dot_floats(turned, index->mean, width);
    /* <q,r> = alpha <g,r> + <rest,r>: the first part is known exactly, rows carry <g,r>. */
    float alpha = index->mean_square > 1e-12f ? out->base / index->mean_square : 0;
    for (uint32_t i = 0; i < width; i++) turned[i] -= alpha * index->mean[i];
    struct cria_query_code code = cria_planes_make(turned, width, planes);
    out->error = CRIA_CODE_ERROR * sqrtf(index->distance->dot_floats(turned, turned, width));
    out->scan = (struct cria_code_scan){.codes = index->codes,
                                        .factors = index->factors,
                                        .planes = planes,
                                        .words = words,
                                        .base = out->base,
                                        .alpha = alpha,
                                        /* signs are 2 x bit - 1 */
                                        .step = 2 * code.step,
                                        .offset = -code.step * code.sum};
    return CRIA_OK;
}

bool cria_vector_quick_readable(const struct cria_vector_index *index, uint32_t row, uint32_t count)
{
    if (!index->bytes.check) return true;
    if (!index->has_bytes) return cria_vector_exact_readable(index, row, count);
    return cria_vector_readable(index, index->row_bytes + (size_t)row * index->about.width,
                                (size_t)count * index->about.width) &&
           cria_vector_readable(index, index->scales + row, count * sizeof(*index->scales));
}

bool cria_vector_exact_readable(const struct cria_vector_index *index, uint32_t row, uint32_t count)
{
    return cria_vector_readable(index, index->rows + (size_t)row * index->about.dims,
                                (size_t)count * index->about.dims * sizeof(*index->rows));
}
