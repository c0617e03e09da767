/* bitmap_test.c - against one bit at a time. */
#include "search/bitmap.h"

#include "tests/support/segment.h"

enum { BITS = 331, WORDS = BITS / 64 + 1 };

static void fill(uint64_t *bits, uint64_t *seed)
{
    for (size_t i = 0; i < WORDS; i++) {
        bits[i] = (uint64_t)test_random(seed) << 32 | test_random(seed);
        if (test_random(seed) % 3 == 0) bits[i] = test_random(seed) % 2 ? UINT64_MAX : 0;
    }
}

CRIA_TEST(ranges_are_set)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t i = 0; i < 5000; i++) {
        uint64_t bits[WORDS], before[WORDS];
        size_t start = test_random(&seed) % BITS, end = test_random(&seed) % (BITS + 1);
        if (i % 3 == 0) end = start + test_random(&seed) % 3;
        fill(bits, &seed);
        memcpy(before, bits, sizeof(bits));
        cria_bitmap_set_range(bits, start, end);
        for (size_t n = 0; n < (size_t)WORDS * 64; n++)
            assert_int_equal(cria_bit(bits, n), cria_bit(before, n) || (n >= start && n < end));
    }
}

CRIA_TEST(sets_meet)
{
    (void)state;
    uint64_t seed = 2;
    for (size_t i = 0; i < 500; i++) {
        uint64_t a[WORDS], b[WORDS], both[WORDS], any[WORDS], only[WORDS];
        size_t count = test_random(&seed) % (BITS + 1), set = 0;
        fill(a, &seed);
        fill(b, &seed);
        memcpy(both, a, sizeof(a)), memcpy(any, a, sizeof(a)), memcpy(only, a, sizeof(a));
        cria_bitmap_and(both, b, count);
        cria_bitmap_or(any, b, count);
        cria_bitmap_andnot(only, b, count);
        for (size_t n = 0; n < count; n++) {
            assert_int_equal(cria_bit(both, n), cria_bit(a, n) && cria_bit(b, n));
            assert_int_equal(cria_bit(any, n), cria_bit(a, n) || cria_bit(b, n));
            assert_int_equal(cria_bit(only, n), cria_bit(a, n) && !cria_bit(b, n));
            set += cria_bit(a, n);
        }
        assert_int_equal(cria_bitmap_count(a, count), set);
    }
}

CRIA_TEST(next_bits_are_found)
{
    (void)state;
    uint64_t seed = 3;
    for (size_t i = 0; i < 2000; i++) {
        uint64_t bits[WORDS];
        size_t count = test_random(&seed) % (BITS + 1), from = test_random(&seed) % (BITS + 1), n;
        fill(bits, &seed);
        for (n = from; n < count && !cria_bit(bits, n);) n++;
        assert_int_equal(cria_bitmap_next(bits, from, count), n < count ? n : count);
        for (n = from; n < count && cria_bit(bits, n);) n++;
        assert_int_equal(cria_bitmap_next_clear(bits, from, count), n < count ? n : count);
    }
}

CRIA_TEST(documents_become_chunks)
{
    (void)state;
    uint64_t seed = 4;
    for (size_t i = 0; i < 500; i++) {
        uint64_t documents[WORDS], chunks[WORDS * 4], before[WORDS * 4];
        uint32_t first[BITS + 1] = {0};
        size_t count = test_random(&seed) % (BITS + 1);
        fill(documents, &seed);
        for (size_t k = 0; k < 4; k++) fill(chunks + k * WORDS, &seed);
        memcpy(before, chunks, sizeof(chunks));
        for (size_t d = 0; d < count; d++) first[d + 1] = first[d] + test_random(&seed) % 5;
        if (first[count] > (size_t)WORDS * 4 * 64) continue;
        cria_bitmap_expand(documents, count, first, chunks);
        for (size_t d = 0; d < count; d++)
            for (size_t n = first[d]; n < first[d + 1]; n++)
                assert_int_equal(cria_bit(chunks, n),
                                 cria_bit(before, n) || cria_bit(documents, d));
        for (size_t n = first[count]; n < (size_t)WORDS * 4 * 64; n++)
            assert_int_equal(cria_bit(chunks, n), cria_bit(before, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_set), cmocka_unit_test(sets_meet),
        cmocka_unit_test(next_bits_are_found), cmocka_unit_test(documents_become_chunks)};
    return cmocka_run_group_tests_name("bitmap", tests, NULL, NULL);
}
