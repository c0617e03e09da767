#include "search/vector/build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "platform/clock.h"
#include "search/vector/encode.h"
#include "search/vector/lists.h"

enum { STOP_EVERY = 4096 };

void *cria_vector_grab(uint64_t count, size_t each_bytes)
{
    if (cria_fault_fires(CRIA_FAULT_ALLOC) || count > SIZE_MAX / 2 / each_bytes) return NULL;
    return calloc(count ? (size_t)count : 1, each_bytes);
}

enum cria_status cria_vector_write(struct cria_vector_build *build, const void *bytes, size_t len)
{
    if (len && !build->sink->write(build->sink->arg, bytes, len))
        return cria_fail(build->call, CRIA_E_IO, "the vectors of an index could not be written");
    build->offset += len;
    return CRIA_OK;
}

static enum cria_status align(struct cria_vector_build *build)
{
    static const uint8_t zeros[CRIA_VECTOR_ALIGN];
    uint64_t over = build->offset % CRIA_VECTOR_ALIGN;
    return over ? cria_vector_write(build, zeros, CRIA_VECTOR_ALIGN - (size_t)over) : CRIA_OK;
}

enum cria_status cria_vector_section_begin(struct cria_vector_build *build,
                                           enum cria_vector_section section)
{
    enum cria_status st = align(build);
    build->about.sections[section].offset = build->offset;
    build->about.sections[section].length = cria_vector_section_length(&build->about, section);
    return st;
}

enum cria_status cria_vector_section(struct cria_vector_build *build,
                                     enum cria_vector_section section, const void *bytes,
                                     size_t len)
{
    enum cria_status st = cria_vector_section_begin(build, section);
    assert(len == build->about.sections[section].length);
    return st == CRIA_OK ? cria_vector_write(build, bytes, len) : st;
}

static enum cria_status go_on(struct cria_vector_build *build, uint32_t row)
{
    if (row % STOP_EVERY || !cria_call_stopped(build->call, cria_now_ns())) return CRIA_OK;
    bool cancelled = build->call->cancelled && atomic_load(build->call->cancelled);
    return cria_fail(build->call, cancelled ? CRIA_E_CANCELLED : CRIA_E_TIMEOUT,
                     "writing the vectors of an index was stopped");
}

bool cria_vector_load(struct cria_vector_build *build, uint32_t row)
{
    const uint32_t dims = build->about.dims, width = build->about.width;
    const uint16_t *halves = build->source->row(build->source->arg, row);
    if (!halves) return false;
    build->distance->from_halves(halves, build->vector, dims);
    memset(build->vector + dims, 0, (width - dims) * sizeof(*build->vector));
    cria_rotate(&build->rotation, build->vector);
    for (uint32_t i = 0; i < width; i++) build->vector[i] -= build->mean[i];
    return true;
}

/* First pass: the rows as they came, which of them there are, their mean. */
static enum cria_status write_rows(struct cria_vector_build *build)
{
    static const uint16_t none[CRIA_VECTOR_MAX_DIMS];
    const uint32_t dims = build->about.dims;
    enum cria_status st = cria_vector_section_begin(build, CRIA_SECTION_ROWS);
    double *sum = cria_vector_grab(dims, sizeof(*sum));
    if (!sum) return cria_fail_memory(build->call);
    for (uint32_t row = 0; row < build->about.count && st == CRIA_OK; row++) {
        const uint16_t *halves = build->source->row(build->source->arg, row);
        if ((st = go_on(build, row)) != CRIA_OK) break;
        if (halves) {
            float *v = build->vector;
            build->distance->from_halves(halves, v, dims);
            if (!isfinite(build->distance->dot_floats(v, v, dims))) {
                st = cria_fail(build->call, CRIA_E_INVALID,
                               "vector %u holds a number that is not finite", row);
                break;
            }
            for (uint32_t i = 0; i < dims; i++) sum[i] += (double)v[i];
            build->present[row / 64] |= (uint64_t)1 << (row % 64);
            build->about.present++;
        }
        st = cria_vector_write(build, halves ? halves : none, dims * sizeof(*halves));
    }
    for (uint32_t i = 0; i < dims && build->about.present; i++)
        build->mean[i] = (float)(sum[i] / build->about.present);
    cria_rotate(&build->rotation, build->mean);
    free(sum);
    return st;
}

static void encode(struct cria_vector_build *build, uint32_t row)
{
    const uint32_t width = build->about.width, slot = row % CRIA_BLOCK_ROWS;
    const size_t block = row / CRIA_BLOCK_ROWS;
    uint64_t *codes = build->codes + block * (width / 64) * CRIA_BLOCK_ROWS;
    float *factors = build->factors + block * 2 * CRIA_BLOCK_ROWS + slot;
    struct cria_code_factors made = cria_code_make(build->vector, build->mean, width, codes, slot);
    factors[0] = made.weight;
    factors[CRIA_BLOCK_ROWS] = made.shift;
    build->scales[row] = cria_bytes_make(build->vector, width, build->bytes);
    if (build->lists) cria_vector_lists_add(build, row, build->scales[row], made.shift);
}

/* Second pass: codes and bytes. */
static enum cria_status write_bytes(struct cria_vector_build *build)
{
    const bool has_bytes = build->about.dims > CRIA_VECTOR_NARROW;
    const uint64_t slots = cria_vector_blocks(build->about.count) * CRIA_BLOCK_ROWS;
    enum cria_status st = cria_vector_section_begin(build, CRIA_SECTION_BYTES);
    for (uint64_t i = 0; i < slots; i++) /* NaN never passes a scan */
        build->factors[i / CRIA_BLOCK_ROWS * 2 * CRIA_BLOCK_ROWS + i % CRIA_BLOCK_ROWS] = NAN;
    for (uint32_t row = 0; row < build->about.count && st == CRIA_OK; row++) {
        if ((st = go_on(build, row)) != CRIA_OK) break;
        memset(build->bytes, 128, build->about.width);
        if (((build->present[row / 64] >> (row % 64)) & 1) && cria_vector_load(build, row))
            encode(build, row);
        if (has_bytes) st = cria_vector_write(build, build->bytes, build->about.width);
    }
    return st;
}

static enum cria_status write_rest(struct cria_vector_build *build)
{
#define LENGTH(section) ((size_t)cria_vector_section_length(&build->about, CRIA_SECTION_##section))
#define WRITE(section, from)                                                           \
    do {                                                                               \
        enum cria_status st_ =                                                         \
            cria_vector_section(build, CRIA_SECTION_##section, from, LENGTH(section)); \
        if (st_ != CRIA_OK) return st_;                                                \
    } while (0)
    WRITE(SCALES, build->scales);
    WRITE(PRESENT, build->present);
    WRITE(CODES, build->codes);
    WRITE(FACTORS, build->factors);
    WRITE(MEAN, build->mean);
#undef WRITE
#undef LENGTH
    enum cria_status st = CRIA_OK;
    if (build->lists) st = cria_vector_lists_write(build);
    for (int s = CRIA_SECTION_CENTRES; st == CRIA_OK && !build->lists && s < CRIA_SECTIONS; s++)
        st = cria_vector_section(build, (enum cria_vector_section)s, NULL, 0);
    if (st != CRIA_OK) return st;
    build->about.version = CRIA_VECTOR_VERSION;
    memcpy(build->about.magic, CRIA_VECTOR_MAGIC, sizeof(build->about.magic));
    st = align(build);
    return st == CRIA_OK ? cria_vector_write(build, &build->about, sizeof(build->about)) : st;
}

static enum cria_status prepare(struct cria_vector_build *build)
{
    const uint32_t width = build->about.width, count = build->about.count;
    const uint64_t blocks = cria_vector_blocks(count);
    build->present = cria_vector_grab(((uint64_t)count + 63) / 64, sizeof(uint64_t));
    build->codes = cria_vector_grab(blocks * (width / 64), CRIA_BLOCK_ROWS * sizeof(uint64_t));
    build->factors = cria_vector_grab(blocks, 2 * CRIA_BLOCK_ROWS * sizeof(float));
    build->scales = cria_vector_grab(count, sizeof(float));
    build->mean = cria_vector_grab(width, sizeof(float));
    build->vector = cria_vector_grab(width, sizeof(float));
    build->bytes = cria_vector_grab(width, 1);
    if (!build->present || !build->codes || !build->factors || !build->scales || !build->mean ||
        !build->vector || !build->bytes || !cria_rotation_init(&build->rotation, width))
        return cria_fail_memory(build->call);
    return CRIA_OK;
}

/* The lists, where there are rows enough. */
static enum cria_status begin_lists(struct cria_vector_build *build,
                                    const struct cria_vector_build_options *options)
{
    uint32_t from = options && options->lists_from ? options->lists_from : CRIA_VECTOR_LISTS_FROM;
    uint32_t lists = options ? options->lists : 0, present = build->about.present;
    if (present == 0 || present < from || build->about.dims <= CRIA_VECTOR_EXACT_DIMS)
        return CRIA_OK;
    if (lists == 0) lists = cria_vector_lists_for(present);
    if (lists > CRIA_VECTOR_MAX_LISTS) lists = CRIA_VECTOR_MAX_LISTS;
    return cria_vector_lists_begin(build, lists < present ? lists : present);
}

static void release(struct cria_vector_build *build)
{
    cria_vector_lists_end(build);
    free(build->present);
    free(build->codes);
    free(build->factors);
    free(build->scales);
    free(build->mean);
    free(build->vector);
    free(build->bytes);
    cria_rotation_release(&build->rotation);
}

enum cria_status cria_vector_build(struct cria_call *call, const struct cria_vector_source *source,
                                   const struct cria_sink *sink,
                                   const struct cria_vector_build_options *options)
{
    struct cria_vector_header header = {.version = CRIA_VECTOR_VERSION};
    struct cria_vector_build build = {
        .call = call, .source = source, .sink = sink, .distance = cria_distance_best()};
    assert(source->dims >= 1 && source->dims <= CRIA_VECTOR_MAX_DIMS && source->count <= INT32_MAX);
    build.about.dims = source->dims;
    build.about.count = source->count;
    build.about.width = cria_vector_width(source->dims);
    memcpy(header.magic, CRIA_VECTOR_MAGIC, sizeof(header.magic));
    enum cria_status st = prepare(&build);
    if (st == CRIA_OK) st = cria_vector_write(&build, &header, sizeof(header));
    if (st == CRIA_OK) st = write_rows(&build);
    if (st == CRIA_OK) st = begin_lists(&build, options);
    if (st == CRIA_OK) st = write_bytes(&build);
    if (st == CRIA_OK) st = write_rest(&build);
    release(&build);
    return st;
}
