/* distance_test.c - every table of inner loops against the scalar one, and that one by hand. */
#include "search/vector/distance.h"

#include <math.h>
#include <stdlib.h>

#include "base/status.h"
#include "tests/support/test.h"

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state;
}

static float next_float(uint64_t *state) /* -1..1 */
{
    return (float)(int32_t)(uint32_t)next_random(state) * 0x1p-31f;
}

enum { BLOCKS = 37, WORDS_MOST = CRIA_MAX_WORDS, DIMS_MOST = 4096, ROWS = 9 };

struct data {
    uint64_t codes[BLOCKS * CRIA_BLOCK_ROWS * WORDS_MOST];
    uint64_t planes[WORDS_MOST * CRIA_QUERY_PLANES];
    float factors[BLOCKS * 2 * CRIA_BLOCK_ROWS];
    uint8_t allowed[BLOCKS], rows[ROWS * DIMS_MOST];
    int8_t query[CRIA_TOGETHER * DIMS_MOST];
    float a[DIMS_MOST], b[DIMS_MOST];
    uint16_t halves[DIMS_MOST];
};

static int setup(void **state)
{
    struct data *d = calloc(1, sizeof(*d));
    uint64_t random = 88172645463325252u;
    if (!d) return -1;
    for (size_t i = 0; i < CRIA_COUNT(d->codes); i++) d->codes[i] = next_random(&random);
    for (size_t i = 0; i < CRIA_COUNT(d->planes); i++) d->planes[i] = next_random(&random);
    for (size_t i = 0; i < CRIA_COUNT(d->factors); i++) d->factors[i] = next_float(&random);
    for (size_t i = 0; i < CRIA_COUNT(d->allowed); i++)
        d->allowed[i] = i % 3 ? (uint8_t)next_random(&random) : 0;
    for (size_t i = 0; i < CRIA_COUNT(d->rows); i++) d->rows[i] = (uint8_t)next_random(&random);
    for (size_t i = 0; i < CRIA_COUNT(d->query); i++) d->query[i] = (int8_t)next_random(&random);
    for (size_t i = 0; i < DIMS_MOST; i++) {
        d->a[i] = next_float(&random);
        d->b[i] = next_float(&random);
    }
    memset(d->rows, 255, DIMS_MOST); /* the first row: the largest sums there can be */
    d->factors[3] = NAN;
    cria_distance_scalar()->to_halves(d->b, d->halves, DIMS_MOST);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* The definition in distance.h, bit by bit. */
static double estimate(const struct cria_code_scan *scan, size_t block, size_t row)
{
    double sum = 0;
    for (size_t bit = 0; bit < (size_t)scan->words * 64; bit++) {
        size_t w = bit / 64;
        int number = 0;
        for (int p = 0; p < 4; p++)
            number +=
                (int)((scan->planes[w * 4 + (size_t)p] >> bit % 64) & 1) * (p == 3 ? -8 : 1 << p);
        if ((scan->codes[(block * scan->words + w) * 8 + row] >> bit % 64) & 1) sum += number;
    }
    return (double)scan->base + (double)scan->alpha * (double)scan->factors[block * 16 + 8 + row] +
           (double)scan->factors[block * 16 + row] *
               ((double)scan->step * sum + (double)scan->offset);
}

CRIA_TEST(scans_follow_the_definition)
{
    struct data *d = *state;
    const struct cria_distance *one;
    for (size_t n = 0; (one = cria_distance_at(n)) != NULL; n++)
        for (uint32_t words = 1; words <= WORDS_MOST; words += words < 8 ? 1 : 14) {
            struct cria_code_scan scan = {d->codes, d->factors, d->planes, words,
                                          0.25f,    -0.5f,      0.01f,     0.125f};
            float estimates[BLOCKS * 8];
            uint8_t masks[BLOCKS];
            one->scan(&scan, 1, BLOCKS - 1, d->allowed + 1, 0.1f, estimates, masks);
            for (size_t b = 1; b < BLOCKS; b++)
                for (size_t i = 0; i < 8; i++) {
                    double want = estimate(&scan, b, i);
                    bool may = (d->allowed[b] >> i) & 1, has = (masks[b - 1] >> i) & 1;
                    if (d->allowed[b])
                        assert_true(fabs((double)estimates[(b - 1) * 8 + i] - want) < 1e-3);
                    if (fabs(want - 0.1) > 1e-3) assert_int_equal(has, may && want > 0.1);
                }
            one->scan(&scan, 0, 1, NULL, -INFINITY, estimates, masks);
            assert_int_equal(masks[0], 0xff & ~(1 << 3)); /* NaN never passes */
        }
}

CRIA_TEST(dots_of_bytes_are_exact)
{
    struct data *d = *state;
    const struct cria_distance *one;
    for (size_t n = 0; (one = cria_distance_at(n)) != NULL; n++)
        for (size_t dims = 64; dims <= DIMS_MOST; dims += dims < 512 ? 64 : 512) {
            int32_t got[ROWS], together[CRIA_TOGETHER * ROWS];
            one->dots_bytes(d->rows, ROWS, d->query, dims, got);
            for (size_t r = 0; r < ROWS; r++) {
                int32_t want = 0;
                for (size_t i = 0; i < dims; i++) want += d->rows[r * dims + i] * d->query[i];
                assert_int_equal(got[r], want);
                assert_int_equal(one->dot_bytes(d->rows + r * dims, d->query, dims), want);
            }
            one->dots_together(d->rows, ROWS, d->query, dims, together);
            for (size_t q = 0; q < CRIA_TOGETHER; q++) {
                one->dots_bytes(d->rows, ROWS, d->query + q * dims, dims, got);
                assert_memory_equal(got, together + q * ROWS, sizeof(got));
            }
        }
}

CRIA_TEST(dots_of_floats_and_halves_agree)
{
    struct data *d = *state;
    const struct cria_distance *one;
    for (size_t n = 0; (one = cria_distance_at(n)) != NULL; n++)
        for (size_t dims = 0; dims <= DIMS_MOST; dims += dims < 70 ? 1 : 671) {
            double want = 0, halves = 0;
            float back[DIMS_MOST];
            one->from_halves(d->halves, back, dims);
            for (size_t i = 0; i < dims; i++) {
                want += (double)d->a[i] * (double)d->b[i];
                halves += (double)d->a[i] * (double)back[i];
            }
            assert_true(fabs((double)one->dot_floats(d->a, d->b, dims) - want) < 1e-3);
            assert_true(fabs((double)one->dot_halves(d->halves, d->a, dims) - halves) < 1e-3);
        }
}

CRIA_TEST(halves_are_rounded_to_even)
{
    (void)state;
    static const struct {
        float in;
        uint16_t out;
    } cases[] = {
        {0, 0},          {1, 0x3c00},     {-2, 0xc000},        {65504, 0x7bff},
        {65519, 0x7bff}, {65520, 0x7c00}, {INFINITY, 0x7c00},  {0x1p-24f, 1},
        {0x1p-25f, 0},   {0x1.8p-25f, 1}, {0x1p-14f, 0x0400},  {0x1.ff8p-15f, 0x3ff},
        {2049, 0x6800},  {2051, 0x6802},  {-0x1p-30f, 0x8000}, {0x1.ffep-15f, 0x400},
    };
    const struct cria_distance *one;
    for (size_t n = 0; (one = cria_distance_at(n)) != NULL; n++) {
        uint16_t got[CRIA_COUNT(cases)];
        float in[CRIA_COUNT(cases)], nan = NAN, back;
        for (size_t i = 0; i < CRIA_COUNT(cases); i++) in[i] = cases[i].in;
        one->to_halves(in, got, CRIA_COUNT(cases));
        for (size_t i = 0; i < CRIA_COUNT(cases); i++) assert_int_equal(got[i], cases[i].out);
        one->to_halves(&nan, got, 1);
        one->from_halves(got, &back, 1);
        assert_true(isnan(back));
        for (uint32_t h = 0; h < 65536; h++) { /* there and back again, through blocks and tails */
            uint16_t half[9], again[9];
            float wide[9];
            for (size_t i = 0; i < 9; i++) half[i] = (uint16_t)h;
            one->from_halves(half, wide, 9);
            if ((h & 0x7fff) > 0x7c00) continue;
            one->to_halves(wide, again, 9);
            assert_memory_equal(half, again, sizeof(half));
        }
    }
}

CRIA_TEST(bits_are_counted)
{
    struct data *d = *state;
    const struct cria_distance *one;
    for (size_t n = 0; (one = cria_distance_at(n)) != NULL; n++)
        for (size_t words = 0; words < 30; words++) {
            size_t want = 0;
            for (size_t bit = 0; bit < words * 64; bit++)
                want += (d->codes[bit / 64] >> bit % 64) & 1;
            assert_int_equal(one->count_bits(d->codes, words), want);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans_follow_the_definition),
        cmocka_unit_test(dots_of_bytes_are_exact),
        cmocka_unit_test(dots_of_floats_and_halves_agree),
        cmocka_unit_test(halves_are_rounded_to_even),
        cmocka_unit_test(bits_are_counted),
    };
    for (size_t n = 0; cria_distance_at(n); n++)
        print_message("kernels: %s\n", cria_distance_at(n)->name);
    return cmocka_run_group_tests(tests, setup, teardown);
}
