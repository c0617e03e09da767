/* test_vector.h - vectors to test with, an index of them, and the nearest by brute force. */
#ifndef CRIA_SEARCH_TEST_VECTOR_H
#define CRIA_SEARCH_TEST_VECTOR_H

#include <math.h>
#include <stdlib.h>

#include "search/vector/distance.h"
#include "search/vector/vector.h"
#include "tests/support/test.h"

struct test_vectors {
    uint32_t dims, count;
    float *floats; /* of unit length, as half floats hold them */
    uint16_t *halves;
    bool *is_missing; /* row() says NULL */
    uint64_t random;
};

static inline float test_uniform(struct test_vectors *t) /* -1..1 */
{
    t->random ^= t->random << 13, t->random ^= t->random >> 7, t->random ^= t->random << 17;
    return (float)(int32_t)(uint32_t)(t->random >> 16) * 0x1p-31f;
}
static inline float test_normal(struct test_vectors *t)
{
    float sum = 0;
    for (int i = 0; i < 6; i++) sum += test_uniform(t);
    return sum * 0.7071f;
}

/* A vector of one of `clusters` clusters (0: uniform), which lie around a common mean. */
static inline void test_vector_make(struct test_vectors *t, uint32_t clusters, float *out)
{
    struct test_vectors centre = {.random = 77777u};
    if (clusters) {
        float which = (test_uniform(t) + 1) / 2 * (float)clusters;
        centre.random += (uint64_t)((uint32_t)which % clusters) * 7919u;
        for (int i = 0; i < 20; i++) (void)test_uniform(&centre);
    }
    for (uint32_t i = 0; i < t->dims; i++) {
        float decay = 1 / sqrtf(1 + (float)i / 16);
        out[i] = test_normal(t);
        if (clusters) out[i] = 0.3f + (out[i] * 0.7f + test_normal(&centre)) * decay;
    }
}

static inline void test_vectors_init(struct test_vectors *t, uint32_t dims, uint32_t count,
                                     uint32_t clusters)
{
    *t = (struct test_vectors){.dims = dims, .count = count, .random = 88172645463325252u + dims};
    t->floats = calloc((size_t)count * dims + 1, sizeof(float));
    t->halves = calloc((size_t)count * dims + 1, sizeof(uint16_t));
    t->is_missing = calloc(count + 1, sizeof(bool));
    assert_true(t->floats && t->halves && t->is_missing);
    for (uint32_t n = 0; n < count; n++) {
        float *row = t->floats + (size_t)n * dims;
        test_vector_make(t, clusters, row);
        assert_true(cria_vector_pack(row, dims, t->halves + (size_t)n * dims));
        cria_distance_scalar()->from_halves(t->halves + (size_t)n * dims, row, dims);
    }
}

static inline void test_vectors_release(struct test_vectors *t)
{
    free(t->floats);
    free(t->halves);
    free(t->is_missing);
}

static inline const uint16_t *test_vectors_row(void *arg, uint32_t n)
{
    struct test_vectors *t = arg;
    assert_true(n < t->count);
    return t->is_missing[n] ? NULL : t->halves + (size_t)n * t->dims;
}

/* A blob in memory of its own size exactly, so that a sanitizer sees every step beyond it. */
struct test_blob {
    uint8_t *ptr;
    size_t len, capacity;
};
static inline bool test_blob_write(void *arg, const void *bytes, size_t len)
{
    struct test_blob *blob = arg;
    if (blob->len + len > blob->capacity) {
        size_t more = (blob->len + len) * 2 + 4096;
        uint8_t *grown = aligned_alloc(64, (more + 63) / 64 * 64);
        if (!grown) return false;
        if (blob->len) memcpy(grown, blob->ptr, blob->len);
        free(blob->ptr);
        blob->ptr = grown;
        blob->capacity = more;
    }
    memcpy(blob->ptr + blob->len, bytes, len);
    blob->len += len;
    return true;
}

static inline enum cria_status test_build(struct cria_call *call, struct test_vectors *t,
                                          uint32_t lists, struct test_blob *blob)
{
    const struct cria_vector_source source = {t->dims, t->count, test_vectors_row, t};
    const struct cria_sink sink = {test_blob_write, blob};
    const struct cria_vector_build_options options = {.lists_from = lists ? 1 : 0, .lists = lists};
    *blob = (struct test_blob){0};
    enum cria_status st = cria_vector_build(call, &source, &sink, &options);
    uint8_t *exact = st == CRIA_OK ? aligned_alloc(64, blob->len) : NULL;
    if (exact) {
        memcpy(exact, blob->ptr, blob->len);
        free(blob->ptr);
        blob->ptr = exact;
    }
    return st;
}

/* The cosine of a row by the definition. */
static inline double test_score(const struct test_vectors *t, const float *query, uint32_t row)
{
    const struct cria_distance *distance = cria_distance_best(); /* distance_test.c holds it true */
    double dot = 0, square = 0, most = 0;
    for (uint32_t i = 0; i < t->dims; i++)
        if (fabs((double)query[i]) > most) most = fabs((double)query[i]);
    if (most < 1e18) {
        dot = (double)distance->dot_floats(query, t->floats + (size_t)row * t->dims, t->dims);
        return dot / sqrt((double)distance->dot_floats(query, query, t->dims));
    }
    for (uint32_t i = 0; i < t->dims; i++) { /* floats would overflow */
        dot += (double)query[i] * (double)t->floats[(size_t)row * t->dims + i];
        square += (double)query[i] * (double)query[i];
    }
    return dot / sqrt(square);
}

static inline int test_compare_down(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

#endif
