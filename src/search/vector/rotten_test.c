/* vector_rotten_test.c - blobs with any damage are safe to open and to search, and nothing is read
 * before its owner was asked. */
#include <sys/mman.h>
#include <unistd.h>

#include "search/vector/index.h"
#include "search/vector/test_vector.h"

enum { DIMS = 130, ROWS = 400, K = 7 };

struct fixture {
    struct cria_arena arena;
    struct cria_call call;
    struct test_vectors vectors;
    struct test_blob blobs[2]; /* without lists and with */
    float query[DIMS];
    uint64_t allowed[ROWS / 64 + 1];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f) return -1;
    cria_arena_init(&f->arena, 64u << 20);
    cria_call_init(&f->call, &f->arena);
    test_vectors_init(&f->vectors, DIMS, ROWS, 6);
    for (uint32_t row = 0; row < ROWS; row += 13) f->vectors.is_missing[row] = true;
    for (int i = 0; i < 2; i++)
        assert_int_equal(test_build(&f->call, &f->vectors, i ? 9 : 0, &f->blobs[i]), CRIA_OK);
    test_vector_make(&f->vectors, 6, f->query);
    for (uint32_t row = 0; row < ROWS; row += 2) f->allowed[row / 64] |= (uint64_t)1 << row % 64;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) free(f->blobs[i].ptr);
    test_vectors_release(&f->vectors);
    cria_arena_release(&f->arena);
    free(f);
    return 0;
}

static enum cria_status search(struct fixture *f, struct cria_vector_index *index,
                               const uint64_t *allowed, bool exact)
{
    const struct cria_vector_options options = {.exact = exact};
    struct cria_vector_hit hits[K];
    uint32_t count = 0;
    cria_arena_reset(&f->arena);
    enum cria_status st =
        cria_vector_search(index, &f->call, f->query, K, allowed, &options, hits, &count);
    assert_true(count <= K);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(hits[i].row < ROWS && !isnan(hits[i].score));
        assert_true(i == 0 || hits[i].score <= hits[i - 1].score);
        if (allowed) assert_true((allowed[hits[i].row / 64] >> hits[i].row % 64) & 1);
    }
    return st;
}

/* Everything that can be asked of an index; the worst that was answered. */
static enum cria_status use(struct fixture *f, struct cria_bytes bytes)
{
    static const uint32_t rows[] = {3, 0, ROWS - 1, ROWS, UINT32_MAX};
    struct cria_vector_index *index = NULL;
    struct cria_vector_spread spread;
    float scores[CRIA_COUNT(rows)];
    enum cria_status worst = CRIA_OK, answers[5];
    if (cria_vector_open(&f->call, bytes, &index) != CRIA_OK) return f->call.status;
    if (cria_vector_dims(index) == DIMS && cria_vector_count(index) == ROWS) {
        answers[0] = search(f, index, NULL, false);
        answers[1] = search(f, index, f->allowed, false);
        answers[2] = search(f, index, f->allowed, true);
        cria_arena_reset(&f->arena);
        answers[3] = cria_vector_scores(index, &f->call, f->query, rows, CRIA_COUNT(rows), scores);
        answers[4] = cria_vector_spread(index, &f->call, f->query, &spread);
        for (size_t i = 0; i < CRIA_COUNT(answers); i++)
            if (answers[i] != CRIA_OK) worst = answers[i];
        for (size_t i = 0; i < CRIA_COUNT(rows); i++) (void)cria_vector_row(index, rows[i]);
    }
    cria_vector_close(index);
    return worst;
}

static uint64_t next_random(struct fixture *f)
{
    (void)test_uniform(&f->vectors);
    return f->vectors.random;
}

CRIA_TEST(any_damage_is_survived)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        const struct test_blob *blob = &f->blobs[i];
        uint8_t *copy = aligned_alloc(64, blob->len);
        struct cria_vector_trailer about;
        assert_non_null(copy);
        memcpy(copy, blob->ptr, blob->len);
        memcpy(&about, blob->ptr + blob->len - sizeof(about), sizeof(about));
        const struct cria_bytes bytes = {.ptr = copy, .len = blob->len};
        assert_int_equal(use(f, bytes), CRIA_OK);
        for (int s = 0; s < CRIA_SECTIONS; s++)
            for (int n = 0; n < 60 && about.sections[s].length; n++) {
                size_t offset = about.sections[s].offset, length = about.sections[s].length;
                if (n < 40) /* one bit */
                    copy[offset + next_random(f) % length] ^= (uint8_t)(1u << next_random(f) % 8);
                else /* all of the section: ones, zeros, anything */
                    for (size_t b = 0; b < length; b++)
                        copy[offset + b] = n % 3 == 0   ? 0xff
                                           : n % 3 == 1 ? 0
                                                        : (uint8_t)next_random(f);
                (void)use(f, bytes);
                memcpy(copy + offset, blob->ptr + offset, length);
            }
        for (size_t b = blob->len - sizeof(about); b < blob->len; b++)
            for (unsigned bit = 0; bit < 8; bit++) { /* every bit of the trailer */
                copy[b] ^= (uint8_t)(1u << bit);
                (void)use(f, bytes);
                copy[b] = blob->ptr[b];
            }
        assert_int_equal(use(f, bytes), CRIA_OK);
        free(copy);
    }
}

CRIA_TEST(other_lengths_are_refused)
{
    struct fixture *f = *state;
    const struct test_blob *blob = &f->blobs[1];
    for (size_t len = 0; len < blob->len; len += len < 2048 ? 1 : 1237) {
        uint8_t *copy = aligned_alloc(64, (len + 64) / 64 * 64);
        assert_non_null(copy);
        if (len) memcpy(copy, blob->ptr, len);
        assert_int_equal(use(f, (struct cria_bytes){.ptr = copy, .len = len}), CRIA_E_CORRUPT);
        free(copy);
    }
}

CRIA_TEST(a_list_may_name_any_row)
{
    struct fixture *f = *state;
    const struct test_blob *blob = &f->blobs[1];
    uint8_t *copy = aligned_alloc(64, blob->len);
    struct cria_vector_trailer about;
    assert_non_null(copy);
    memcpy(copy, blob->ptr, blob->len);
    memcpy(&about, blob->ptr + blob->len - sizeof(about), sizeof(about));
    uint32_t *rows = (uint32_t *)(void *)(copy + about.sections[CRIA_SECTION_LIST_ROWS].offset);
    float *factors = (float *)(void *)(copy + about.sections[CRIA_SECTION_LIST_FACTORS].offset);
    const size_t slots = (size_t)about.list_blocks * 8;
    for (size_t i = 0; i < slots; i++) rows[i] = i % 3 ? UINT32_MAX - (uint32_t)i : ROWS;
    for (size_t i = 0; i < 2 * slots; i++) factors[i] = 1; /* padding passes the scan, too */
    assert_int_equal(use(f, (struct cria_bytes){.ptr = copy, .len = blob->len}), CRIA_OK);
    free(copy);
}

/* A mapping that can be read only where it was asked for: anything else ends the test program. */
struct guarded {
    uint8_t *ptr;
    size_t len, page, refused_from, refused_to;
    bool was_refused;
};

static bool guard(void *arg, size_t offset, size_t len)
{
    struct guarded *g = arg;
    assert_true(offset <= g->len && len <= g->len - offset);
    if (offset < g->refused_to && g->refused_from < offset + len) {
        g->was_refused = true;
        return false;
    }
    size_t from = offset / g->page * g->page;
    size_t end = (offset + len + g->page - 1) / g->page * g->page;
    assert_int_equal(mprotect(g->ptr + from, end - from, PROT_READ), 0);
    return true;
}

CRIA_TEST(nothing_is_read_unasked)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        const struct test_blob *blob = &f->blobs[i];
        struct cria_vector_trailer about;
        struct guarded g = {.len = blob->len, .page = (size_t)sysconf(_SC_PAGESIZE)};
        size_t mapped = (blob->len + g.page - 1) / g.page * g.page;
        memcpy(&about, blob->ptr + blob->len - sizeof(about), sizeof(about));
        for (int s = -1; s < CRIA_SECTIONS; s++) { /* all is well; then one section is rotten */
            if (s >= 0 && about.sections[s].length == 0) continue;
            g.ptr = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            assert_true(g.ptr != MAP_FAILED);
            memcpy(g.ptr, blob->ptr, blob->len);
            assert_int_equal(mprotect(g.ptr, mapped, PROT_NONE), 0);
            if (s >= 0) {
                g.refused_from = about.sections[s].offset;
                g.refused_to = g.refused_from + about.sections[s].length;
            }
            g.was_refused = false;
            const struct cria_bytes bytes = {
                .ptr = g.ptr, .len = blob->len, .check = guard, .arg = &g};
            enum cria_status st = use(f, bytes);
            assert_int_equal(st, g.was_refused ? CRIA_E_CORRUPT : CRIA_OK);
            bool is_unused = i == 1 && (s == CRIA_SECTION_CODES || s == CRIA_SECTION_FACTORS);
            if (s >= 0) assert_int_equal(g.was_refused, !is_unused);
            assert_int_equal(munmap(g.ptr, mapped), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_damage_is_survived, setup, teardown),
        cmocka_unit_test_setup_teardown(other_lengths_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_may_name_any_row, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_read_unasked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
