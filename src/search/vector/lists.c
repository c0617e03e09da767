/* lists.c - inverted lists: k-means cells, each with the codes of its rows, centred on the
 * cell's own centre.
 *
 * A search looks at the lists in the order of a bound and stops when no list left can reach its
 * k-th score. With c the centre of a list and r the root mean square distance of its rows from it,
 * the bound is <q,c> + margin * r. The sure one, margin 1 and the largest distance, is of no use in
 * many dimensions; the margin is therefore measured while the index is written: some rows play the
 * query, their ten nearest of all rows are found, and the margin is what nearly all of those need
 * to have their list looked at. */
#include "search/vector/lists.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/vector/encode.h"
#include "search/vector/kmeans.h"

enum {
    SAMPLE_EACH = 40, /* rows of the sample for each list */
    ROUNDS = 6,
    PROBES = 192, /* rows that play the query */
    NEAREST = 10
};
static const double COVERED = 0.995; /* of their nearest have to be found */

struct neighbour {
    float score;
    uint32_t list;
};
struct cria_vector_lists_maker {
    struct cria_cells cells;
    uint64_t *codes; /* by row: width / 64 words */
    float *factors;  /* by row: weight, shift */
    uint32_t *list_of, *sizes;
    double *squares; /* by list: sum of its rows' square distances */
    float *centre;   /* width: scratch */
    /* Rows that wait for their list until CRIA_TOGETHER are there. */
    uint32_t waiting, wait_rows[CRIA_TOGETHER];
    float wait_scales[CRIA_TOGETHER], wait_shifts[CRIA_TOGETHER];
    uint8_t *wait_bytes;
    float *wait_vectors;
    struct cria_byte_rows probes;
    uint32_t *probe_rows;
    float *probe_shifts; /* <g,y> + |g|^2 / 2 */
    int32_t *dots;
    struct neighbour *nearest; /* NEAREST a probe, worst first */
    float mean_square;
};

uint32_t cria_vector_lists_for(uint32_t rows)
{
    uint32_t lists = (uint32_t)(1.0 * sqrt((double)rows));
    return lists < 1 ? 1 : lists > CRIA_VECTOR_MAX_LISTS ? CRIA_VECTOR_MAX_LISTS : lists;
}

/* Rows spread evenly over all, as bytes; numbers may be NULL. */
static enum cria_status take_sample(struct cria_vector_build *build, uint32_t most,
                                    struct cria_byte_rows *out, uint32_t *numbers)
{
    const uint32_t width = build->about.width, count = build->about.count;
    if (most > count) most = count;
    out->bytes = cria_vector_grab((uint64_t)most * width, 1);
    out->scales = cria_vector_grab(most, sizeof(*out->scales));
    out->count = 0;
    if (!out->bytes || !out->scales) return cria_fail_memory(build->call);
    for (uint32_t i = 0; i < most; i++) {
        uint32_t row = (uint32_t)((uint64_t)i * count / most);
        if (!cria_vector_load(build, row)) continue;
        out->scales[out->count] =
            cria_bytes_make(build->vector, width, out->bytes + (size_t)out->count * width);
        if (numbers) numbers[out->count] = row;
        out->count++;
    }
    return CRIA_OK;
}

static void sample_release(struct cria_byte_rows *rows)
{
    free(rows->bytes);
    free(rows->scales);
    *rows = (struct cria_byte_rows){0};
}

static void unpack(const uint8_t *bytes, float scale, uint32_t width, float *out)
{
    for (uint32_t i = 0; i < width; i++) out[i] = scale * (float)(bytes[i] - 128);
}

static enum cria_status make_probes(struct cria_vector_build *build)
{
    struct cria_vector_lists_maker *lists = build->lists;
    const uint32_t width = build->about.width;
    enum cria_status st = take_sample(build, PROBES, &lists->probes, lists->probe_rows);
    for (uint32_t p = 0; st == CRIA_OK && p < lists->probes.count; p++) {
        unpack(lists->probes.bytes + (size_t)p * width, lists->probes.scales[p], width,
               lists->centre);
        lists->probe_shifts[p] = build->distance->dot_floats(build->mean, lists->centre, width);
        for (uint32_t i = 0; i < NEAREST; i++)
            lists->nearest[p * NEAREST + i] = (struct neighbour){-INFINITY, 0};
    }
    return st;
}

enum cria_status cria_vector_lists_begin(struct cria_vector_build *build, uint32_t count)
{
    const uint32_t width = build->about.width, rows = build->about.count;
    struct cria_byte_rows sample = {0};
    struct cria_vector_lists_maker *lists = cria_vector_grab(1, sizeof(*lists));
    build->lists = lists;
    if (!lists) return cria_fail_memory(build->call);
    lists->codes = cria_vector_grab((uint64_t)rows * (width / 64), sizeof(*lists->codes));
    lists->factors = cria_vector_grab((uint64_t)rows * 2, sizeof(*lists->factors));
    lists->list_of = cria_vector_grab(rows, sizeof(*lists->list_of));
    lists->sizes = cria_vector_grab(count, sizeof(*lists->sizes));
    lists->squares = cria_vector_grab(count, sizeof(*lists->squares));
    lists->centre = cria_vector_grab(width, sizeof(*lists->centre));
    lists->wait_bytes = cria_vector_grab(CRIA_TOGETHER, width);
    lists->wait_vectors = cria_vector_grab(CRIA_TOGETHER, width * sizeof(*lists->wait_vectors));
    lists->probe_rows = cria_vector_grab(PROBES, sizeof(*lists->probe_rows));
    lists->probe_shifts = cria_vector_grab(PROBES, sizeof(*lists->probe_shifts));
    lists->dots = cria_vector_grab(PROBES, sizeof(*lists->dots));
    lists->nearest = cria_vector_grab((uint64_t)PROBES * NEAREST, sizeof(*lists->nearest));
    if (!lists->codes || !lists->factors || !lists->list_of || !lists->sizes || !lists->squares ||
        !lists->centre || !lists->wait_bytes || !lists->wait_vectors || !lists->probe_rows ||
        !lists->probe_shifts || !lists->dots || !lists->nearest ||
        !cria_cells_init(&lists->cells, build->distance, count, width))
        return cria_fail_memory(build->call);
    lists->mean_square = build->distance->dot_floats(build->mean, build->mean, width);
    enum cria_status st = take_sample(build, count * SAMPLE_EACH, &sample, NULL);
    if (st == CRIA_OK && !cria_cells_train(&lists->cells, &sample, ROUNDS))
        st = cria_fail_memory(build->call);
    sample_release(&sample);
    return st == CRIA_OK ? make_probes(build) : st;
}

/* Row q of those that wait, against all probes. */
static void meet_probes(struct cria_vector_build *build, uint32_t q, uint32_t list)
{
    struct cria_vector_lists_maker *lists = build->lists;
    const uint32_t width = build->about.width, row = lists->wait_rows[q];
    const int8_t *bytes = lists->cells.signed_bytes + (size_t)q * width; /* left by find */
    const int32_t bias = 128 * cria_bytes_sum(bytes, width);
    const float shift = lists->wait_shifts[q] + lists->mean_square, scale = lists->wait_scales[q];
    build->distance->dots_bytes(lists->probes.bytes, lists->probes.count, bytes, width,
                                lists->dots);
    for (uint32_t p = 0; p < lists->probes.count; p++) {
        /* <g + x, g + y> */
        float score = lists->probes.scales[p] * scale * (float)(lists->dots[p] - bias) +
                      lists->probe_shifts[p] + shift;
        struct neighbour *nearest = lists->nearest + (size_t)p * NEAREST;
        if (!(score > nearest[0].score) || lists->probe_rows[p] == row) continue;
        uint32_t at = 0; /* its place among the sorted, worst first */
        for (; at + 1 < NEAREST && nearest[at + 1].score < score; at++)
            nearest[at] = nearest[at + 1];
        nearest[at] = (struct neighbour){score, list};
    }
}

static void put(struct cria_vector_build *build, uint32_t q, uint32_t list)
{
    struct cria_vector_lists_maker *lists = build->lists;
    const uint32_t width = build->about.width, words = width / 64, row = lists->wait_rows[q];
    float *vector = lists->wait_vectors + (size_t)q * width;
    uint64_t block[CRIA_MAX_WORDS * CRIA_BLOCK_ROWS];
    meet_probes(build, q, list);
    unpack(lists->cells.centres + (size_t)list * width, lists->cells.scales[list], width,
           lists->centre);
    for (uint32_t i = 0; i < width; i++) vector[i] -= lists->centre[i];
    struct cria_code_factors made = cria_code_make(vector, build->mean, width, block, 0);
    for (uint32_t w = 0; w < words; w++)
        lists->codes[(size_t)row * words + w] = block[(size_t)w * CRIA_BLOCK_ROWS];
    lists->factors[(size_t)row * 2] = made.weight;
    lists->factors[(size_t)row * 2 + 1] = made.shift;
    lists->list_of[row] = list + 1; /* 0: in none */
    lists->sizes[list]++;
    lists->squares[list] += (double)made.square;
}

static void put_waiting(struct cria_vector_build *build)
{
    struct cria_vector_lists_maker *lists = build->lists;
    uint32_t found[CRIA_TOGETHER];
    cria_cells_find(&lists->cells, lists->wait_bytes, lists->wait_scales, lists->waiting, found);
    for (uint32_t q = 0; q < lists->waiting; q++) put(build, q, found[q]);
    lists->waiting = 0;
}

void cria_vector_lists_add(struct cria_vector_build *build, uint32_t row, float scale, float shift)
{
    struct cria_vector_lists_maker *lists = build->lists;
    const uint32_t width = build->about.width, q = lists->waiting++;
    lists->wait_rows[q] = row;
    lists->wait_scales[q] = scale;
    lists->wait_shifts[q] = shift;
    memcpy(lists->wait_bytes + (size_t)q * width, build->bytes, width);
    memcpy(lists->wait_vectors + (size_t)q * width, build->vector, width * sizeof(float));
    if (lists->waiting == CRIA_TOGETHER) put_waiting(build);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* What the nearest of the probes need; see above. */
static enum cria_status measure_margin(struct cria_vector_build *build,
                                       const struct cria_vector_list *table)
{
    struct cria_vector_lists_maker *lists = build->lists;
    const uint32_t width = build->about.width;
    float *needs = cria_vector_grab((uint64_t)PROBES * NEAREST, sizeof(*needs));
    float *probe = cria_vector_grab(width, sizeof(*probe));
    size_t count = 0;
    for (uint32_t p = 0; needs && probe && p < lists->probes.count; p++) {
        const struct neighbour *nearest = lists->nearest + (size_t)p * NEAREST;
        unpack(lists->probes.bytes + (size_t)p * width, lists->probes.scales[p], width, probe);
        for (uint32_t i = 0; i < width; i++) probe[i] += build->mean[i];
        float base = build->distance->dot_floats(probe, build->mean, width);
        for (uint32_t i = 0; i < NEAREST && isfinite(nearest[0].score); i++) {
            uint32_t list = nearest[i].list;
            unpack(lists->cells.centres + (size_t)list * width, lists->cells.scales[list], width,
                   lists->centre);
            float centre = base + build->distance->dot_floats(probe, lists->centre, width);
            if (table[list].radius > 1e-6f)
                needs[count++] = (nearest[0].score - centre) / table[list].radius;
        }
    }
    bool is_done = needs && probe;
    if (is_done && count) {
        qsort(needs, count, sizeof(*needs), compare);
        build->about.margin = needs[(size_t)((double)(count - 1) * COVERED)];
    }
    if (!(build->about.margin > 0)) build->about.margin = 0;
    free(needs);
    free(probe);
    return is_done ? CRIA_OK : cria_fail_memory(build->call);
}

/* Row numbers by list, each list filled up to whole blocks with UINT32_MAX. */
static uint32_t *order_rows(struct cria_vector_build *build, const struct cria_vector_list *table)
{
    struct cria_vector_lists_maker *lists = build->lists;
    const uint64_t slots = (uint64_t)build->about.list_blocks * CRIA_BLOCK_ROWS;
    uint32_t *order = cria_vector_grab(slots, sizeof(*order));
    if (!order) return NULL;
    memset(order, 0xff, (size_t)slots * sizeof(*order));
    memset(lists->sizes, 0, build->about.lists * sizeof(*lists->sizes));
    for (uint32_t row = 0; row < build->about.count; row++) {
        if (!lists->list_of[row]) continue;
        uint32_t list = lists->list_of[row] - 1;
        order[(size_t)table[list].first_block * CRIA_BLOCK_ROWS + lists->sizes[list]++] = row;
    }
    return order;
}

static enum cria_status write_codes(struct cria_vector_build *build, const uint32_t *order)
{
    const struct cria_vector_lists_maker *lists = build->lists;
    const uint32_t words = build->about.width / 64, blocks = build->about.list_blocks;
    enum cria_status st = cria_vector_section_begin(build, CRIA_SECTION_LIST_CODES);
    for (uint32_t b = 0; b < blocks && st == CRIA_OK; b++) {
        uint64_t block[CRIA_MAX_WORDS * CRIA_BLOCK_ROWS] = {0};
        for (uint32_t i = 0; i < CRIA_BLOCK_ROWS; i++) {
            uint32_t row = order[(size_t)b * CRIA_BLOCK_ROWS + i];
            for (uint32_t w = 0; row != UINT32_MAX && w < words; w++)
                block[(size_t)w * CRIA_BLOCK_ROWS + i] = lists->codes[(size_t)row * words + w];
        }
        st = cria_vector_write(build, block, (size_t)words * CRIA_BLOCK_ROWS * sizeof(*block));
    }
    if (st == CRIA_OK) st = cria_vector_section_begin(build, CRIA_SECTION_LIST_FACTORS);
    for (uint32_t b = 0; b < blocks && st == CRIA_OK; b++) {
        float factors[2 * CRIA_BLOCK_ROWS];
        for (uint32_t i = 0; i < CRIA_BLOCK_ROWS; i++) {
            uint32_t row = order[(size_t)b * CRIA_BLOCK_ROWS + i];
            factors[i] = row == UINT32_MAX ? NAN : lists->factors[(size_t)row * 2];
            factors[CRIA_BLOCK_ROWS + i] =
                row == UINT32_MAX ? 0 : lists->factors[(size_t)row * 2 + 1];
        }
        st = cria_vector_write(build, factors, sizeof(factors));
    }
    return st;
}

enum cria_status cria_vector_lists_write(struct cria_vector_build *build)
{
    struct cria_vector_lists_maker *lists = build->lists;
    const uint32_t count = lists->cells.count;
    struct cria_vector_list *table = cria_vector_grab(count, sizeof(*table));
    uint32_t *order = NULL;
    if (!table) return cria_fail_memory(build->call);
    put_waiting(build);
    build->about.lists = count;
    for (uint32_t i = 0; i < count; i++) {
        table[i].scale = lists->cells.scales[i];
        table[i].radius =
            lists->sizes[i] ? (float)sqrt(lists->squares[i] / (double)lists->sizes[i]) : 0;
        table[i].first_block = build->about.list_blocks;
        table[i].blocks = (uint32_t)cria_vector_blocks(lists->sizes[i]);
        build->about.list_blocks += table[i].blocks;
    }
    enum cria_status st = measure_margin(build, table);
    if (st == CRIA_OK && !(order = order_rows(build, table))) st = cria_fail_memory(build->call);
    if (st == CRIA_OK)
        st = cria_vector_section(build, CRIA_SECTION_CENTRES, lists->cells.centres,
                                 (size_t)count * build->about.width);
    if (st == CRIA_OK)
        st = cria_vector_section(build, CRIA_SECTION_LISTS, table, count * sizeof(*table));
    if (st == CRIA_OK) st = write_codes(build, order);
    if (st == CRIA_OK)
        st = cria_vector_section(build, CRIA_SECTION_LIST_ROWS, order,
                                 (size_t)build->about.list_blocks * CRIA_BLOCK_ROWS *
                                     sizeof(*order));
    free(table);
    free(order);
    return st;
}

void cria_vector_lists_end(struct cria_vector_build *build)
{
    struct cria_vector_lists_maker *lists = build->lists;
    if (!lists) return;
    cria_cells_release(&lists->cells);
    sample_release(&lists->probes);
    free(lists->codes);
    free(lists->factors);
    free(lists->list_of);
    free(lists->sizes);
    free(lists->squares);
    free(lists->centre);
    free(lists->wait_bytes);
    free(lists->wait_vectors);
    free(lists->probe_rows);
    free(lists->probe_shifts);
    free(lists->dots);
    free(lists->nearest);
    free(lists);
    build->lists = NULL;
}
