/* norms_test.c - lengths in a byte. */
#include "search/norms.h"

#include "tests/support/test.h"

CRIA_TEST(every_byte_stands_for_its_own_length)
{
    (void)state;
    for (uint32_t norm = 0; norm < 256; norm++) {
        assert_int_equal(cria_norm_of(cria_norm_length((uint8_t)norm)), norm);
        if (norm)
            assert_true(cria_norm_length((uint8_t)norm) > cria_norm_length((uint8_t)(norm - 1)));
    }
}

CRIA_TEST(lengths_come_back_nearly)
{
    (void)state;
    uint8_t before = 0;
    for (uint32_t length = 0; length <= 65535; length++) {
        uint8_t norm = cria_norm_of(length);
        uint32_t back = cria_norm_length(norm), off = back > length ? back - length : length - back;
        if (length <= 34) assert_int_equal(back, length);
        if (off * 1000.0 > length * (length < 100 ? 30.0 : 20.0))
            fail_msg("%u comes back as %u", length, back);
        assert_true(norm >= before);
        before = norm;
    }
    assert_int_equal(cria_norm_of(65536), 255);
    assert_int_equal(cria_norm_of(UINT32_MAX), 255);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_stands_for_its_own_length),
        cmocka_unit_test(lengths_come_back_nearly),
    };
    return cmocka_run_group_tests_name("search/norms", tests, NULL, NULL);
}
