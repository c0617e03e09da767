#include "base/half.h"

#include <math.h>

#include "base/status.h"
#include "tests/support/test.h"

CRIA_TEST(every_half_comes_back_from_its_float)
{
    (void)state;
    for (uint32_t h = 0; h <= 0xFFFF; h++) {
        float value = cria_half_to_float((uint16_t)h);
        uint16_t back = cria_half_from_float(value);
        if (isnan(value))
            assert_true((back & 0x7C00) == 0x7C00 && (back & 0x3FF));
        else
            assert_int_equal(back, h);
    }
}

CRIA_TEST(floats_are_rounded_to_the_nearest_half)
{
    static const struct {
        float in;
        uint16_t half;
    } cases[] = {
        {0.0f, 0x0000},       {-0.0f, 0x8000},       {1.0f, 0x3C00},       {-2.0f, 0xC000},
        {65504.0f, 0x7BFF},   {65519.0f, 0x7BFF},    {65520.0f, 0x7C00},   {1e30f, 0x7C00},
        {-1e30f, 0xFC00},     {0.333333f, 0x3555},   {5.9604645e-8f, 1},   {2.9802322e-8f, 0},
        {2.98023259e-8f, 1},  {6.0975552e-5f, 1023}, {1.0004882f, 0x3C00}, {1.0004884f, 0x3C01},
        {1.0014648f, 0x3C02}, {1e-30f, 0x0000},
    };
    (void)state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        assert_int_equal(cria_half_from_float(cases[i].in), cases[i].half);
}

CRIA_TEST(halves_lie_as_little_endian_bytes)
{
    const float values[] = {1.0f, -0.5f, 0.1f};
    const unsigned char want[] = {0x00, 0x3C, 0x00, 0xB8, 0x66, 0x2E};
    unsigned char bytes[6];
    float back[3];
    (void)state;
    cria_halves_write(values, 3, bytes);
    assert_memory_equal(bytes, want, sizeof(want));
    cria_halves_read(bytes, 3, back);
    assert_true(back[0] == 1.0f && back[1] == -0.5f && fabsf(back[2] - 0.1f) < 5e-5f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_comes_back_from_its_float),
        cmocka_unit_test(floats_are_rounded_to_the_nearest_half),
        cmocka_unit_test(halves_lie_as_little_endian_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
