/* postings_test.c - lists come back as they went, and rotten ones do no harm. */
#include "search/postings.h"

#include <stdlib.h>

#include "search/norms.h"
#include "search/pack.h"
#include "tests/support/test.h"

enum { MOST = 3000 };

static uint64_t seed = 7;
static uint32_t below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

struct fixture {
    uint32_t ids[MOST], tfs[MOST];
    size_t count;
    uint32_t chunk_count;
    uint8_t *norms;
    double average;
    struct cria_buf buf;
    size_t offset; /* the list begins here */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f) return -1;
    f->norms = malloc(1 << 20);
    if (!f->norms) return -1;
    f->average = 120;
    for (size_t i = 0; i < 1 << 20; i++) f->norms[i] = cria_norm_of(20 + below(220));
    cria_buf_init(&f->buf, 16 << 20);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    cria_buf_release(&f->buf);
    free(f->norms);
    free(f);
    return 0;
}

/* count chunks out of chunk_count, some runs of neighbours among them; tf_most: a tf is at most
 * that. */
static void make(struct fixture *f, size_t count, uint32_t chunk_count, uint32_t tf_most)
{
    uint32_t id = 0;
    f->count = count;
    f->chunk_count = chunk_count;
    for (size_t i = 0; i < count; i++) {
        uint32_t left = chunk_count - id - (uint32_t)(count - i);
        uint32_t most = left / (uint32_t)(count - i) * 2;
        id += below(4) == 0 ? 0 : below((most < left ? most : left) + 1);
        f->ids[i] = id++;
        f->tfs[i] = below(3) ? 1 : 1 + below(tf_most);
    }
}

static struct cria_bytes put(struct fixture *f)
{
    cria_buf_clear(&f->buf);
    cria_buf_add_z(&f->buf, "before");
    f->offset = f->buf.len;
    assert_true(cria_postings_write(&f->buf, f->ids, f->tfs, f->count, f->norms, f->average));
    return (struct cria_bytes){.ptr = (const uint8_t *)f->buf.ptr, .len = f->buf.len};
}

static bool open(const struct fixture *f, const struct cria_bytes *bytes, struct cria_postings *at)
{
    return cria_postings_open(at, bytes, f->offset, bytes->len - f->offset, (uint32_t)f->count,
                              f->chunk_count);
}

static void expect_list(struct fixture *f)
{
    static uint32_t ids[MOST], tfs[MOST];
    struct cria_postings at;
    struct cria_bytes bytes = put(f);
    assert_true(cria_postings_read_all(&bytes, f->offset, bytes.len - f->offset, (uint32_t)f->count,
                                       f->chunk_count, ids, tfs));
    assert_memory_equal(ids, f->ids, f->count * sizeof(*ids));
    for (size_t i = 0; i < f->count; i++)
        assert_int_equal(tfs[i],
                         f->tfs[i] < CRIA_POSTINGS_MAX_TF ? f->tfs[i] : CRIA_POSTINGS_MAX_TF);
    assert_true(open(f, &bytes, &at));
    for (size_t i = 0; i < f->count; i++) {
        assert_int_equal(at.id, f->ids[i]);
        assert_int_equal(cria_postings_tf(&at), tfs[i]);
        cria_postings_next(&at);
    }
    assert_int_equal(at.id, CRIA_POSTINGS_END);
    assert_int_equal(cria_postings_next(&at), CRIA_POSTINGS_END);
    assert_false(at.damaged);
}

CRIA_TEST(lists_of_every_size_come_back)
{
    struct fixture *f = *state;
    for (size_t count = 1; count <= 700; count++) {
        make(f, count, 1 << 20, 1 + (uint32_t)count % 9);
        expect_list(f);
        make(f, count, (uint32_t)count + below(40), 300); /* dense */
        expect_list(f);
    }
}

CRIA_TEST(lists_of_every_width_come_back)
{
    struct fixture *f = *state;
    uint8_t *norms = f->norms;
    f->norms = calloc(CRIA_POSTINGS_MAX_CHUNKS, 1); /* untouched pages cost nothing */
    assert_non_null(f->norms);
    f->chunk_count = CRIA_POSTINGS_MAX_CHUNKS;
    for (size_t count = 1; count <= 260; count += count < 6 ? 1 : 63) {
        for (uint32_t bits = 0; bits < 30; bits++) {
            f->count = count;
            for (uint32_t i = 0; i < count; i++) {
                f->ids[i] = i;
                f->tfs[i] = 1 + (i == count / 2 ? UINT32_C(1) << bits : 0);
            }
            for (size_t i = count / 2; i < count; i++)
                f->ids[i] += (1u << bits) - (bits == 29 ? 300 : 0);
            expect_list(f);
        }
    }
    free(f->norms);
    f->norms = norms;
}

CRIA_TEST(packed_numbers_come_back)
{
    (void)state;
    static const uint8_t tf_bits[] = {0, 1, 2, 3, 4, 6, 8, 16};
    uint32_t in[CRIA_PACK], out[CRIA_PACK];
    uint8_t bytes[16 * 31];
    for (uint32_t bits = 0; bits <= 31; bits++) {
        uint32_t sum = 99;
        for (uint32_t i = 0; i < CRIA_PACK; i++)
            in[i] = (below(1u << 16) << 15 ^ below(1u << 16)) & ((1u << bits) - 1);
        cria_pack(bytes, in, bits);
        cria_unpack_ids(out, bytes, bits, 99);
        for (uint32_t i = 0; i < CRIA_PACK; i++) {
            assert_int_equal(cria_pack_get(bytes, bits, i), in[i]);
            sum += in[i] + 1;
            assert_int_equal(out[i], sum);
        }
        for (size_t n = 1; n < CRIA_PACK; n++) {
            cria_pack_few(bytes, in, n, bits);
            cria_unpack_few(out, bytes, n, bits);
            assert_memory_equal(out, in, n * sizeof(*in));
        }
    }
    for (size_t row = 0; row < CRIA_COUNT(tf_bits); row++) {
        for (uint32_t i = 0; i < CRIA_PACK; i++) in[i] = below(1u << tf_bits[row]);
        cria_pack(bytes, in, tf_bits[row]);
        cria_unpack(out, bytes, tf_bits[row]);
        for (uint32_t i = 0; i < CRIA_PACK; i++) assert_int_equal(out[i], in[i] + 1);
    }
}

CRIA_TEST(seeks_find_what_steps_find)
{
    struct fixture *f = *state;
    for (int round = 0; round < 600; round++) {
        struct cria_postings at;
        make(f, 1 + below(round % 2 ? MOST : 200), 1 << 20, 20);
        struct cria_bytes bytes = put(f);
        assert_true(open(f, &bytes, &at));
        size_t i = 0;
        for (uint32_t id = 0; i < f->count; id += 1 + below(round % 3 ? 20000 : 400)) {
            while (i < f->count && f->ids[i] < id) i++;
            uint32_t expected = i < f->count ? f->ids[i] : CRIA_POSTINGS_END;
            assert_int_equal(cria_postings_seek(&at, id), expected);
            if (expected == CRIA_POSTINGS_END) break;
            assert_int_equal(cria_postings_tf(&at), f->tfs[i]);
            if (below(2) && ++i < f->count) assert_int_equal(cria_postings_next(&at), f->ids[i]);
            id = at.id;
        }
    }
}

CRIA_TEST(no_posting_adds_more_than_its_maximum)
{
    struct fixture *f = *state;
    static const double averages[] = {0, 1, 60, 119, 121, 240, 5000};
    for (int round = 0; round < 300; round++) {
        struct cria_postings at;
        make(f, 1 + below(round % 2 ? MOST : 100), 1 << 20, 30);
        struct cria_bytes bytes = put(f);
        assert_true(open(f, &bytes, &at));
        double most = 0;
        for (size_t i = 0; i < f->count; i++) {
            for (size_t a = 0; a < CRIA_COUNT(averages); a++) {
                double adds =
                    cria_bm25(f->tfs[i], cria_norm_length(f->norms[f->ids[i]]), averages[a]);
                assert_true(adds <= cria_postings_max(&at, averages[a], f->average));
                if (i % CRIA_POSTINGS_BLOCK == 0) cria_postings_seek(&at, f->ids[i]);
                assert_true(adds <= cria_postings_bound(at.maxima[at.block]) *
                                        cria_postings_stretch(averages[a], f->average));
            }
            double adds = cria_bm25(f->tfs[i], cria_norm_length(f->norms[f->ids[i]]), f->average);
            if (adds > most) most = adds;
        }
        assert_true(most > cria_postings_max(&at, f->average, f->average) - 0.01); /* and is near */
    }
}

CRIA_TEST(rare_words_are_cheap)
{
    struct fixture *f = *state;
    f->count = 1;
    f->chunk_count = 1 << 20;
    f->ids[0] = 1000000, f->tfs[0] = 1;
    assert_int_equal(put(f).len - f->offset, 4);
    f->count = 3;
    f->ids[0] = 10, f->ids[1] = 500, f->ids[2] = 7000;
    f->tfs[1] = 2, f->tfs[2] = 1;
    assert_int_equal(put(f).len - f->offset, 1 + 1 + 3 + 2);
}

/* Reads everything; nothing may be out of order or range, whatever the bytes. */
static void expect_harmless(const struct fixture *f, const uint8_t *copy, size_t len)
{
    static uint32_t ids[MOST], tfs[MOST];
    struct cria_bytes bytes = {.ptr = copy, .len = len};
    struct cria_postings at;
    bool good =
        cria_postings_read_all(&bytes, 0, len, (uint32_t)f->count, f->chunk_count, ids, tfs);
    size_t n = 0;
    bool opened = cria_postings_open(&at, &bytes, 0, len, (uint32_t)f->count, f->chunk_count);
    assert_int_equal(opened, !at.damaged);
    for (uint32_t before = 0; at.id != CRIA_POSTINGS_END; n++) {
        if (n) assert_true(at.id > before);
        assert_true(at.id < f->chunk_count && n < f->count);
        if (good) assert_int_equal(at.id, ids[n]);
        assert_in_range(cria_postings_tf(&at), 1, CRIA_POSTINGS_MAX_TF);
        before = at.id;
        cria_postings_next(&at);
    }
    assert_int_equal(good, !at.damaged);
    assert_true(!good || n == f->count);
    cria_postings_open(&at, &bytes, 0, len, (uint32_t)f->count, f->chunk_count);
    for (uint32_t id = 0; cria_postings_seek(&at, id) != CRIA_POSTINGS_END;) {
        assert_true(at.id >= id && at.id < f->chunk_count);
        cria_postings_tf(&at);
        id = at.id + 1 + f->chunk_count / 50;
    }
}

CRIA_TEST(rotten_lists_do_no_harm)
{
    struct fixture *f = *state;
    static const size_t counts[] = {1, 2, 3, 4, 9, 127, 128, 129, 300, 900};
    for (size_t c = 0; c < CRIA_COUNT(counts); c++) {
        make(f, counts[c], c % 2 ? 1 << 20 : 1200, 40);
        struct cria_bytes bytes = put(f);
        size_t len = bytes.len - f->offset;
        for (size_t bit = 0; bit < 8 * len; bit++) {
            uint8_t *copy = malloc(len); /* of its own, so that overruns show */
            assert_non_null(copy);
            memcpy(copy, bytes.ptr + f->offset, len);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (bit % 64 == 63)
                for (int i = 0; i < 4; i++) copy[below((uint32_t)len)] = (uint8_t)below(256);
            expect_harmless(f, copy, len);
            free(copy);
        }
        for (size_t cut = 0; cut < len; cut += 1 + len / 200) {
            uint8_t *copy = malloc(cut + 1);
            assert_non_null(copy);
            memcpy(copy, bytes.ptr + f->offset, cut);
            expect_harmless(f, copy, cut);
            free(copy);
        }
        for (f->count = 1; f->count <= 1000; f->count++) /* who reads errs about df */
            expect_harmless(f, bytes.ptr + f->offset, len);
    }
}

CRIA_TEST(lists_that_cannot_be_are_refused)
{
    struct fixture *f = *state;
    struct cria_postings at;
    make(f, 200, 1 << 20, 4);
    struct cria_bytes bytes = put(f);
    size_t len = bytes.len - f->offset;
    static const struct {
        size_t offset, length;
        uint32_t df, chunk_count;
    } cases[] = {
        {0, SIZE_MAX, 200, 1 << 20}, {SIZE_MAX, 10, 200, 1 << 20},
        {0, 0, 200, 1 << 20},        {0, 10, 0, 1 << 20},
        {0, 10, 200, 100},           {0, 10, 3, UINT32_MAX},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        assert_false(cria_postings_open(&at, &bytes, cases[i].offset, cases[i].length, cases[i].df,
                                        cases[i].chunk_count));
        assert_true(at.damaged && at.id == CRIA_POSTINGS_END);
    }
    assert_true(cria_postings_open(&at, &bytes, f->offset, len, 200, 1 << 20));
    uint32_t last = f->ids[199]; /* one chunk less, and the last is out of range */
    assert_true(cria_postings_open(&at, &bytes, f->offset, len, 200, last + 1));
    assert_int_equal(cria_postings_seek(&at, last), last);
    assert_true(cria_postings_open(&at, &bytes, f->offset, len, 200, last));
    assert_int_equal(cria_postings_seek(&at, last), CRIA_POSTINGS_END);
    assert_true(at.damaged);
}

struct asked {
    size_t from, to; /* what was asked for */
    bool answer;
};

static bool note(void *arg, size_t offset, size_t len)
{
    struct asked *asked = arg;
    if (offset < asked->from) asked->from = offset;
    if (offset + len > asked->to) asked->to = offset + len;
    return asked->answer;
}

CRIA_TEST(checksums_are_asked_before_bytes_are_looked_at)
{
    struct fixture *f = *state;
    struct cria_postings at;
    struct asked asked = {.from = SIZE_MAX, .answer = true};
    make(f, 1000, 1 << 20, 4);
    struct cria_bytes bytes = put(f);
    bytes.check = note, bytes.arg = &asked;
    assert_true(open(f, &bytes, &at));
    assert_int_equal(asked.from, f->offset);
    assert_true(asked.to < bytes.len);
    asked.answer = false;
    while (at.id != CRIA_POSTINGS_END) cria_postings_next(&at);
    assert_true(at.damaged);
    assert_false(open(f, &bytes, &at));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_numbers_come_back),
        cmocka_unit_test(lists_of_every_size_come_back),
        cmocka_unit_test(lists_of_every_width_come_back),
        cmocka_unit_test(seeks_find_what_steps_find),
        cmocka_unit_test(no_posting_adds_more_than_its_maximum),
        cmocka_unit_test(rare_words_are_cheap),
        cmocka_unit_test(rotten_lists_do_no_harm),
        cmocka_unit_test(lists_that_cannot_be_are_refused),
        cmocka_unit_test(checksums_are_asked_before_bytes_are_looked_at),
    };
    return cmocka_run_group_tests_name("search/postings", tests, set_up, tear_down);
}
