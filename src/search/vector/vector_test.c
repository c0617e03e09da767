/* vector_test.c - searches against brute force: recall, scores, filters, rows without vectors. */
#include "search/vector/vector.h"

#include "base/fault.h"
#include "search/vector/index.h"
#include "search/vector/test_vector.h"

struct fixture {
    struct cria_arena arena;
    struct cria_call call;
    struct test_vectors vectors;
    struct test_blob blob;
    struct cria_vector_index *index;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f) return -1;
    cria_arena_init(&f->arena, 256u << 20);
    cria_call_init(&f->call, &f->arena);
    *state = f;
    return 0;
}

static void drop(struct fixture *f)
{
    cria_vector_close(f->index);
    f->index = NULL;
    free(f->blob.ptr);
    f->blob = (struct test_blob){0};
    test_vectors_release(&f->vectors);
    f->vectors = (struct test_vectors){0};
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    drop(f);
    cria_arena_release(&f->arena);
    free(f);
    return 0;
}

static void open_index(struct fixture *f, uint32_t lists)
{
    assert_int_equal(test_build(&f->call, &f->vectors, lists, &f->blob), CRIA_OK);
    const struct cria_bytes bytes = {.ptr = f->blob.ptr, .len = f->blob.len};
    assert_int_equal(cria_vector_open(&f->call, bytes, &f->index), CRIA_OK);
    assert_int_equal(cria_vector_dims(f->index), f->vectors.dims);
    assert_int_equal(cria_vector_count(f->index), f->vectors.count);
}

/* Searches, checks what must hold of any answer, and returns how much of the true best was found:
 * hits whose true score is at least the k-th best one's. */
static double recall(struct fixture *f, const float *query, uint32_t k, const uint64_t *allowed,
                     const struct cria_vector_options *options)
{
    const struct test_vectors *t = &f->vectors;
    struct cria_vector_hit *hits = calloc(k + 1, sizeof(*hits));
    double *scores = calloc(t->count + 1, sizeof(*scores));
    uint32_t count = 12345, possible = 0, found = 0;
    assert_true(hits && scores);
    for (uint32_t row = 0; row < t->count; row++)
        if (!t->is_missing[row] && (!allowed || ((allowed[row / 64] >> row % 64) & 1)))
            scores[possible++] = test_score(t, query, row);
    qsort(scores, possible, sizeof(*scores), test_compare_down);
    cria_arena_reset(&f->arena);
    assert_int_equal(
        cria_vector_search(f->index, &f->call, query, k, allowed, options, hits, &count), CRIA_OK);
    uint32_t want = k < possible ? k : possible;
    if (allowed || t->count < 1000 || (options && options->exact)) assert_int_equal(count, want);
    assert_true(count <= want);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(hits[i].row < t->count && !t->is_missing[hits[i].row]);
        assert_true(!allowed || ((allowed[hits[i].row / 64] >> hits[i].row % 64) & 1));
        double score = test_score(t, query, hits[i].row);
        assert_true(fabs(score - (double)hits[i].score) < 1e-5);
        if (i) assert_true(hits[i].score <= hits[i - 1].score);
        for (uint32_t j = 0; j < i; j++) assert_int_not_equal(hits[i].row, hits[j].row);
        if (score >= scores[want - 1] - 1e-6) found++;
    }
    free(hits);
    free(scores);
    return want ? (double)found / want : 1;
}

static double mean_recall(struct fixture *f, uint32_t clusters, uint32_t queries, uint32_t k,
                          const uint64_t *allowed, const struct cria_vector_options *options)
{
    float query[CRIA_VECTOR_MAX_DIMS];
    double sum = 0;
    for (uint32_t q = 0; q < queries; q++) {
        test_vector_make(&f->vectors, clusters, query);
        sum += recall(f, query, k, allowed, options);
    }
    return sum / queries;
}

static const struct {
    uint32_t dims, count;
} SIZES[] = {{3, 2000},   {64, 4000},   {100, 4000}, {384, 2500},
             {768, 1500}, {1000, 1200}, {4096, 400}};

CRIA_TEST(finds_what_brute_force_finds)
{
    struct fixture *f = *state;
    for (size_t s = 0; s < CRIA_COUNT(SIZES); s++)
        for (uint32_t clusters = 0; clusters <= 40; clusters += 40) {
            const struct cria_vector_options exact = {.exact = true};
            test_vectors_init(&f->vectors, SIZES[s].dims, SIZES[s].count, clusters);
            open_index(f, 0);
            double found = mean_recall(f, clusters, 20, 10, NULL, NULL);
            double hundred = mean_recall(f, clusters, 5, 100, NULL, NULL);
            print_message("%u dims, %u clusters: %.4f %.4f\n", SIZES[s].dims, clusters, found,
                          hundred);
            assert_true(found >= (clusters ? 0.995 : 0.98) && hundred >= 0.985);
            assert_true(mean_recall(f, clusters, 3, 10, NULL, &exact) > 0.9999);
            drop(f);
        }
}

static void fill_allowed(struct fixture *f, uint64_t *allowed, uint32_t one_in)
{
    const uint32_t count = f->vectors.count;
    memset(allowed, 0, (count + 63) / 64 * sizeof(*allowed));
    for (uint32_t row = 0; one_in && row < count; row++)
        if ((test_uniform(&f->vectors) + 1) / 2 * (float)one_in < 1)
            allowed[row / 64] |= (uint64_t)1 << row % 64;
    allowed[count / 64] |= ~(((uint64_t)1 << count % 64) - 1); /* bits of no row */
}

CRIA_TEST(filters_are_kept_to)
{
    struct fixture *f = *state;
    static const uint32_t one_in[] = {0, 1000, 100, 10, 1};
    static uint64_t allowed[30000 / 64 + 2];
    test_vectors_init(&f->vectors, 160, 29999, 30);
    for (uint32_t row = 0; row < f->vectors.count; row += 7) f->vectors.is_missing[row] = true;
    open_index(f, 0);
    assert_int_equal(cria_vector_present(f->index), 29999 - (29999 + 6) / 7);
    for (size_t i = 0; i < CRIA_COUNT(one_in); i++) {
        const struct cria_vector_options exact = {.exact = true};
        fill_allowed(f, allowed, one_in[i]);
        assert_true(mean_recall(f, 30, 4, 10, allowed, NULL) >= 0.99);
        assert_true(mean_recall(f, 30, 1, 10, allowed, &exact) > 0.9999);
    }
    /* Above the limit of few rows, in one run: the scan has to skip the rest. */
    memset(allowed, 0, sizeof(allowed));
    memset(allowed, 0xff, 25000 / 8);
    assert_true(mean_recall(f, 30, 4, 10, allowed, NULL) >= 0.99);
}

CRIA_TEST(lists_find_what_brute_force_finds)
{
    struct fixture *f = *state;
    static uint64_t allowed[12001 / 64 + 2];
    const struct cria_vector_options few = {.max_probes = 1};
    for (uint32_t clusters = 0; clusters <= 60; clusters += 60) {
        test_vectors_init(&f->vectors, 130, 12001, clusters);
        for (uint32_t row = 5; row < f->vectors.count; row += 11) f->vectors.is_missing[row] = true;
        open_index(f, 80);
        assert_int_equal(cria_vector_lists(f->index), 80);
        double ten = mean_recall(f, clusters, 30, 10, NULL, NULL);
        double hundred = mean_recall(f, clusters, 5, 100, NULL, NULL);
        fill_allowed(f, allowed, 10);
        double some = mean_recall(f, clusters, 10, 10, allowed, NULL);
        print_message("lists, %u clusters: %.4f %.4f; a tenth of the rows: %.4f\n", clusters, ten,
                      hundred, some);
        assert_true(ten >= 0.97 && hundred >= 0.95 && some >= 0.97);
        /* One list alone cannot hold the nearest of vectors without clusters. */
        if (!clusters) assert_true(mean_recall(f, clusters, 5, 10, NULL, &few) < 0.7);
        drop(f);
    }
    test_vectors_init(&f->vectors, 70, 900, 5); /* no bytes; more lists than clusters */
    open_index(f, 30);
    assert_true(mean_recall(f, 5, 10, 10, NULL, NULL) >= 0.95);
}

/* Of a hundred, the ten that are sure are as good as if ten were asked for; and however few lists
 * are to be looked at, there are a hundred. */
CRIA_TEST(some_of_many_are_sure)
{
    struct fixture *f = *state;
    const struct cria_vector_options sure = {.sure = 10}, few = {.max_probes = 1};
    struct cria_vector_hit ten[10], hundred[100];
    uint32_t n, m, missed = 0;
    test_vectors_init(&f->vectors, 130, 12001, 60);
    open_index(f, 80);
    for (uint32_t q = 0; q < 20; q++) {
        float query[130];
        test_vector_make(&f->vectors, 60, query);
        cria_arena_reset(&f->arena);
        assert_int_equal(cria_vector_search(f->index, &f->call, query, 10, NULL, NULL, ten, &n),
                         CRIA_OK);
        assert_int_equal(
            cria_vector_search(f->index, &f->call, query, 100, NULL, &sure, hundred, &m), CRIA_OK);
        assert_true(n == 10 && m == 100);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t at = 0;
            while (at < m && hundred[at].row != ten[i].row) at++;
            missed += at == m;
        }
        assert_int_equal(
            cria_vector_search(f->index, &f->call, query, 100, NULL, &few, hundred, &m), CRIA_OK);
        assert_int_equal(m, 100);
    }
    assert_true(missed <= 2);
}

/* A filter that leaves many rows takes the lists as well; one that leaves none in a list goes on to
 * the next, and so to all of them. */
CRIA_TEST(lists_keep_to_filters)
{
    struct fixture *f = *state;
    static uint64_t allowed[24000 / 64 + 1];
    test_vectors_init(&f->vectors, 129, 24000, 20);
    open_index(f, 60);
    memset(allowed, 0xff, sizeof(allowed));
    for (uint32_t row = 0; row < 24000; row += 9) allowed[row / 64] &= ~((uint64_t)1 << row % 64);
    assert_true(mean_recall(f, 20, 10, 10, allowed, NULL) >= 0.97);
    assert_true(mean_recall(f, 20, 2, 400, allowed, NULL) >= 0.97);
}

CRIA_TEST(every_kernel_searches_alike)
{
    struct fixture *f = *state;
    const struct cria_distance *one;
    test_vectors_init(&f->vectors, 200, 3000, 10);
    open_index(f, 0);
    for (size_t n = 0; (one = cria_distance_at(n)) != NULL; n++) {
        f->index->distance = one;
        assert_true(mean_recall(f, 10, 5, 10, NULL, NULL) >= 0.99);
    }
}

CRIA_TEST(small_and_odd_collections)
{
    struct fixture *f = *state;
    float query[200] = {1};
    struct cria_vector_spread spread;
    for (uint32_t count = 0; count < 20; count++) {
        test_vectors_init(&f->vectors, 200, count, 0);
        for (uint32_t row = 0; row < count; row++) f->vectors.is_missing[row] = row % 3 == 1;
        open_index(f, 0);
        assert_true(recall(f, query, 10, NULL, NULL) > 0.999);
        assert_true(recall(f, query, 1000, NULL, NULL) > 0.999); /* k over count */
        assert_true(recall(f, query, 0, NULL, NULL) > 0.999);
        assert_int_equal(cria_vector_spread(f->index, &f->call, query, &spread), CRIA_OK);
        assert_int_equal(spread.rows, cria_vector_present(f->index));
        for (uint32_t row = 0; row < count + 2; row++) {
            const uint16_t *halves = cria_vector_row(f->index, row);
            if (row >= count || row % 3 == 1)
                assert_null(halves);
            else
                assert_memory_equal(halves, f->vectors.halves + (size_t)row * 200, 400);
        }
        drop(f);
    }
}

CRIA_TEST(duplicates_and_zeros)
{
    struct fixture *f = *state;
    struct cria_vector_hit hits[10];
    uint32_t count;
    test_vectors_init(&f->vectors, 150, 2000, 0);
    for (uint32_t row = 0; row < 2000; row++) /* all the same, but for zeros */
        if (row % 100 == 50)
            memset(f->vectors.halves + row * 150, 0, 300);
        else
            memcpy(f->vectors.halves + row * 150, f->vectors.halves, 300);
    for (uint32_t row = 1; row < 2000; row++)
        cria_distance_scalar()->from_halves(f->vectors.halves + row * 150,
                                            f->vectors.floats + row * 150, 150);
    open_index(f, 0);
    assert_int_equal(
        cria_vector_search(f->index, &f->call, f->vectors.floats, 10, NULL, NULL, hits, &count),
        CRIA_OK);
    assert_int_equal(count, 10);
    for (uint32_t i = 0; i < 10; i++) assert_true(fabsf(hits[i].score - 1) < 1e-3f);
    drop(f);
    test_vectors_init(&f->vectors, 150, 300, 0);
    memset(f->vectors.halves, 0, 300 * 150 * sizeof(uint16_t)); /* nothing but zeros */
    memset(f->vectors.floats, 0, 300 * 150 * sizeof(float));
    open_index(f, 0);
    float query[150] = {[3] = 2};
    assert_int_equal(cria_vector_search(f->index, &f->call, query, 10, NULL, NULL, hits, &count),
                     CRIA_OK);
    assert_int_equal(count, 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(hits[i].row, i); /* equal scores go by row */
        assert_true(hits[i].score == 0);
    }
}

CRIA_TEST(bad_vectors_are_refused)
{
    struct fixture *f = *state;
    float query[130] = {1};
    struct cria_vector_hit hits[3];
    uint32_t count = 7;
    uint16_t half[130];
    test_vectors_init(&f->vectors, 130, 50, 0);
    open_index(f, 0);
    const float bad[] = {NAN, INFINITY, -INFINITY, 0};
    for (size_t i = 0; i < CRIA_COUNT(bad); i++) {
        query[0] = bad[i];
        assert_int_equal(cria_vector_search(f->index, &f->call, query, 3, NULL, NULL, hits, &count),
                         CRIA_E_INVALID);
        assert_false(cria_vector_pack(query, 130, half));
    }
    assert_int_equal(count, 7);
    query[0] = 3e38f, query[1] = 3e38f; /* its square overflows */
    assert_int_equal(cria_vector_search(f->index, &f->call, query, 3, NULL, NULL, hits, &count),
                     CRIA_OK);
    assert_int_equal(count, 3);
    assert_true(fabs((double)hits[0].score - test_score(&f->vectors, query, hits[0].row)) < 1e-5);
    query[0] = 1e-42f, query[1] = 0;
    assert_true(cria_vector_pack(query, 130, half));
    assert_int_equal(half[0], 0x3c00);
    struct test_blob blob = {0};
    f->vectors.halves[17 * 130 + 5] = 0x7e00;
    assert_int_equal(test_build(&f->call, &f->vectors, 0, &blob), CRIA_E_INVALID);
    free(blob.ptr);
}

CRIA_TEST(scores_of_given_rows)
{
    struct fixture *f = *state;
    static const uint32_t rows[] = {5, 0, 399, 7, 400, UINT32_MAX};
    float query[300], scores[CRIA_COUNT(rows)];
    struct cria_vector_spread spread;
    double sum = 0, squares = 0;
    test_vectors_init(&f->vectors, 300, 400, 8);
    f->vectors.is_missing[7] = true;
    open_index(f, 0);
    test_vector_make(&f->vectors, 8, query);
    assert_int_equal(cria_vector_scores(f->index, &f->call, query, rows, CRIA_COUNT(rows), scores),
                     CRIA_OK);
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs((double)scores[i] - test_score(&f->vectors, query, rows[i])) < 1e-5);
    for (size_t i = 3; i < CRIA_COUNT(rows); i++) assert_true(isnan(scores[i]));
    for (uint32_t row = 0; row < 400; row++) {
        double score = row == 7 ? 0 : test_score(&f->vectors, query, row);
        sum += score, squares += score * score;
    }
    assert_int_equal(cria_vector_spread(f->index, &f->call, query, &spread), CRIA_OK);
    assert_int_equal(spread.rows, 399);
    assert_true(fabs((double)spread.mean - sum / 399) < 1e-3);
    assert_true(fabs((double)spread.deviation - sqrt(squares / 399 - sum / 399 * sum / 399)) <
                1e-3);
    assert_true(spread.least < spread.mean && spread.mean < spread.most);
}

CRIA_TEST(stops_when_told)
{
    struct fixture *f = *state;
    atomic_bool cancelled = true;
    float query[200] = {1};
    struct cria_vector_hit hits[3];
    uint32_t count;
    test_vectors_init(&f->vectors, 200, 3000, 0);
    open_index(f, 0);
    f->call.cancelled = &cancelled;
    assert_int_equal(cria_vector_search(f->index, &f->call, query, 3, NULL, NULL, hits, &count),
                     CRIA_E_CANCELLED);
    struct test_blob blob = {0};
    assert_int_equal(test_build(&f->call, &f->vectors, 0, &blob), CRIA_E_CANCELLED);
    free(blob.ptr);
    f->call.cancelled = NULL;
    f->call.deadline_ns = 1;
    assert_int_equal(cria_vector_search(f->index, &f->call, query, 3, NULL, NULL, hits, &count),
                     CRIA_E_TIMEOUT);
    f->call.deadline_ns = 0;
}

CRIA_TEST(survives_any_failed_allocation)
{
    struct fixture *f = *state;
    float query[200] = {1};
    struct cria_vector_hit hits[3];
    uint32_t count;
    test_vectors_init(&f->vectors, 200, 700, 4);
    for (uint32_t lists = 0; lists <= 8; lists += 8) {
        enum cria_status st = CRIA_E_NO_MEMORY;
        for (unsigned nth = 1; st != CRIA_OK; nth++) {
            struct test_blob blob = {0};
            struct cria_vector_index *index = NULL;
            cria_arena_reset(&f->arena);
            cria_fault_arm(CRIA_FAULT_ALLOC, nth);
            st = test_build(&f->call, &f->vectors, lists, &blob);
            if (st == CRIA_OK)
                st = cria_vector_open(
                    &f->call, (struct cria_bytes){.ptr = blob.ptr, .len = blob.len}, &index);
            if (st == CRIA_OK)
                st = cria_vector_search(index, &f->call, query, 3, NULL, NULL, hits, &count);
            assert_int_equal(st, cria_fault_fired() ? CRIA_E_NO_MEMORY : CRIA_OK);
            cria_vector_close(index);
            free(blob.ptr);
        }
        cria_fault_arm(CRIA_FAULT_ALLOC, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_what_brute_force_finds, setup, teardown),
        cmocka_unit_test_setup_teardown(filters_are_kept_to, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_find_what_brute_force_finds, setup, teardown),
        cmocka_unit_test_setup_teardown(some_of_many_are_sure, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_keep_to_filters, setup, teardown),
        cmocka_unit_test_setup_teardown(every_kernel_searches_alike, setup, teardown),
        cmocka_unit_test_setup_teardown(small_and_odd_collections, setup, teardown),
        cmocka_unit_test_setup_teardown(duplicates_and_zeros, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_vectors_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(scores_of_given_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(stops_when_told, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_any_failed_allocation, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
