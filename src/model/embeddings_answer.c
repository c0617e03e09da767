#include "model/embeddings_answer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "base/utf8.h"

enum { TREE_BYTES = 256 << 20 };

struct reader {
    struct cria_arena *arena;
    float *rows;
    bool *is_read;
    size_t count;
    uint32_t dims; /* 0 until the first vector */
    bool lacks_memory;
    char *why;
};

static bool wrong(struct reader *r, const char *format, ...) CRIA_PRINTF(2, 3);
static bool wrong(struct reader *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->why, CRIA_ANSWER_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static bool lacks_memory(struct reader *r)
{
    r->lacks_memory = true;
    return wrong(r, "it is too large");
}

/* Every vector has as many numbers as the first, which makes room for all. */
static bool check_dims(struct reader *r, size_t dims, size_t at)
{
    size_t numbers;
    if (dims == 0) return wrong(r, "vector %zu is empty", at);
    if (dims > CRIA_EMBEDDING_MAX_DIMS)
        return wrong(r, "vector %zu has %zu numbers, and at most %d are taken", at, dims,
                     CRIA_EMBEDDING_MAX_DIMS);
    if (r->dims && dims != r->dims)
        return wrong(r, "vector %zu has %zu numbers where %u are expected", at, dims, r->dims);
    r->dims = (uint32_t)dims;
    if (r->rows) return true;
    if (!cria_size_mul(r->count, dims, &numbers)) return lacks_memory(r);
    r->rows = CRIA_NEW_ARRAY(r->arena, numbers, float);
    return r->rows || lacks_memory(r);
}

static bool read_numbers(struct reader *r, const struct cria_json *list, size_t at)
{
    if (!check_dims(r, list->count, at)) return false;
    float *row = r->rows + at * r->dims;
    for (size_t i = 0; i < list->count; i++) {
        const struct cria_json *item = &list->items[i];
        if (item->kind != CRIA_JSON_INT && item->kind != CRIA_JSON_REAL)
            return wrong(r, "vector %zu holds something that is no number", at);
        row[i] = (float)item->real;
    }
    return true;
}

/* 0 to 63; 64 is the padding, 255 no such letter. */
static unsigned char base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return (unsigned char)(c - 'A');
    if (c >= 'a' && c <= 'z') return (unsigned char)(c - 'a' + 26);
    if (c >= '0' && c <= '9') return (unsigned char)(c - '0' + 52);
    return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? 64 : 255;
}

static bool read_base64(struct reader *r, struct cria_str text, size_t at)
{
    while (text.len && text.ptr[text.len - 1] == '=') text.len--;
    size_t bytes = text.len / 4 * 3 + text.len % 4 * 3 / 4, n = 0;
    uint32_t group = 0, bits = 0, word = 0;
    if (text.len % 4 == 1 || bytes % 4 != 0)
        return wrong(r, "vector %zu is no base64 of 32-bit floats", at);
    if (!check_dims(r, bytes / 4, at)) return false;
    float *row = r->rows + at * r->dims;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char value = base64_value(text.ptr[i]);
        if (value > 63) return wrong(r, "vector %zu is no base64 of 32-bit floats", at);
        group = (group << 6 | value) & 0xFFFF;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        word |= (group >> bits & 0xFF) << (8 * (n % 4));
        if (++n % 4) continue;
        memcpy(&row[n / 4 - 1], &word, sizeof(word));
        word = 0;
    }
    return true;
}

static bool normalize(struct reader *r, size_t at)
{
    float *row = r->rows + at * r->dims;
    double sum = 0;
    for (uint32_t i = 0; i < r->dims; i++) {
        if (!isfinite(row[i]))
            return wrong(r, "vector %zu holds a number that is none (NaN or infinite)", at);
        sum += (double)row[i] * row[i];
    }
    if (sum < 1e-60) return wrong(r, "vector %zu holds nothing but zeros", at);
    double scale = 1 / sqrt(sum);
    for (uint32_t i = 0; i < r->dims; i++) row[i] = (float)(row[i] * scale);
    return true;
}

static bool read_item(struct reader *r, const struct cria_json *item, size_t n)
{
    const struct cria_json *index = cria_json_get(item, "index"),
                           *vector = cria_json_get(item, "embedding");
    int64_t at;
    if (item->kind != CRIA_JSON_OBJECT) return wrong(r, "data[%zu] is no object", n);
    if (!cria_json_as_int(index, &at)) return wrong(r, "data[%zu] has no index", n);
    if (at < 0 || (uint64_t)at >= r->count)
        return wrong(r, "data[%zu] has the index %lld, of %zu texts", n, (long long)at, r->count);
    if (r->is_read[at]) return wrong(r, "the index %lld comes twice", (long long)at);
    r->is_read[at] = true;
    if (vector && vector->kind == CRIA_JSON_ARRAY)
        return read_numbers(r, vector, (size_t)at) && normalize(r, (size_t)at);
    if (vector && vector->kind == CRIA_JSON_STRING)
        return read_base64(r, vector->text, (size_t)at) && normalize(r, (size_t)at);
    return wrong(r, "data[%zu] has no embedding", n);
}

/* What some servers write where they have no number. */
static bool says_nan(struct cria_str body)
{
    return cria_str_find(body, CRIA_STR("NaN")) != SIZE_MAX ||
           cria_str_find(body, CRIA_STR("Infinity")) != SIZE_MAX;
}

static bool read_all(struct reader *r, struct cria_arena *tree, struct cria_str body)
{
    const struct cria_json *root = NULL;
    const char *why;
    enum cria_status st = cria_json_parse(tree, body, &root, &why);
    if (st == CRIA_E_NO_MEMORY) return lacks_memory(r);
    if (st != CRIA_OK && says_nan(body))
        return wrong(r, "it holds a number that is none (NaN or infinite)");
    if (st != CRIA_OK) return wrong(r, "it is no JSON (%.100s)", why);
    const struct cria_json *data = cria_json_get(root, "data");
    const struct cria_json *error = cria_json_get(root, "error");
    struct cria_str said = error && error->kind == CRIA_JSON_STRING
                               ? error->text
                               : cria_json_get_str(error, "message");
    said = cria_utf8_cut(said, 120);
    if (!data && said.len) return wrong(r, "it says \"%.*s\"", CRIA_STR_ARG(said));
    if (!data || data->kind != CRIA_JSON_ARRAY) return wrong(r, "it has no list `data`");
    if (data->count != r->count)
        return wrong(r, "it has %zu vectors for %zu texts", data->count, r->count);
    r->is_read = CRIA_NEW_ARRAY(r->arena, r->count, bool);
    if (!r->is_read) return lacks_memory(r);
    for (size_t i = 0; i < data->count; i++)
        if (!read_item(r, &data->items[i], i)) return false;
    return true;
}

enum cria_status cria_embeddings_read(struct cria_arena *arena, struct cria_str body, size_t count,
                                      uint32_t dims, const float **rows, uint32_t *out_dims,
                                      char why[CRIA_ANSWER_WHY_SIZE])
{
    struct reader r = {.arena = arena, .count = count, .dims = dims, .why = why};
    struct cria_arena tree;
    cria_arena_init(&tree, TREE_BYTES);
    bool good = read_all(&r, &tree, body);
    cria_arena_release(&tree);
    if (!good) return r.lacks_memory ? CRIA_E_NO_MEMORY : CRIA_E_BAD_REQUEST;
    *rows = r.rows;
    *out_dims = r.dims;
    return CRIA_OK;
}
