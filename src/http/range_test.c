/* Byte ranges against sizes: RFC 9110 section 14; what we may ignore gives the whole. */
#include "http/range.h"

#include "base/status.h"
#include "tests/support/test.h"

CRIA_TEST(ranges_are_read_against_a_size)
{
    (void)state;
    static const struct {
        const char *header;
        uint64_t size;
        enum cria_range kind;
        uint64_t offset, count;
    } cases[] = {
        {NULL, 10, CRIA_RANGE_WHOLE, 0, 10},
        {"", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=0-0", 10, CRIA_RANGE_PART, 0, 1},
        {"bytes=0-9", 10, CRIA_RANGE_PART, 0, 10},
        {"bytes=2-5", 10, CRIA_RANGE_PART, 2, 4},
        {"bytes=9-", 10, CRIA_RANGE_PART, 9, 1},
        {"bytes=0-", 10, CRIA_RANGE_PART, 0, 10},
        {"bytes=5-100", 10, CRIA_RANGE_PART, 5, 5},
        {"bytes=-1", 10, CRIA_RANGE_PART, 9, 1},
        {"bytes=-10", 10, CRIA_RANGE_PART, 0, 10},
        {"bytes=-11", 10, CRIA_RANGE_PART, 0, 10},
        {"bytes= 2 - 5 ", 10, CRIA_RANGE_PART, 2, 4},
        {"bytes=00002-0005", 10, CRIA_RANGE_PART, 2, 4},
        /* nothing of it is there */
        {"bytes=10-", 10, CRIA_RANGE_BEYOND, 0, 10},
        {"bytes=10-11", 10, CRIA_RANGE_BEYOND, 0, 10},
        {"bytes=999999999999999999-", 10, CRIA_RANGE_BEYOND, 0, 10},
        {"bytes=-0", 10, CRIA_RANGE_BEYOND, 0, 10},
        {"bytes=0-", 0, CRIA_RANGE_BEYOND, 0, 0},
        {"bytes=0-0", 0, CRIA_RANGE_BEYOND, 0, 0},
        {"bytes=-5", 0, CRIA_RANGE_BEYOND, 0, 0},
        /* no range that we know: the whole, as if it were not there */
        {"bytes=5-4", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=-", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=5", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=a-b", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=0x1-2", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=+1-2", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=--2", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=1--2", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=1-2-3", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=1.0-2", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=0-18446744073709551616", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=18446744073709551616-", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=-99999999999999999999", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=0-1,3-4", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes=0-1,", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"items=0-1", 10, CRIA_RANGE_WHOLE, 0, 10},
        {"bytes 0-1", 10, CRIA_RANGE_WHOLE, 0, 10},
        /* sizes near the end of what a file may have */
        {"bytes=0-", INT64_MAX, CRIA_RANGE_PART, 0, INT64_MAX},
        {"bytes=-1", INT64_MAX, CRIA_RANGE_PART, INT64_MAX - 1, 1},
        {"bytes=5-", UINT64_MAX, CRIA_RANGE_PART, 5, UINT64_MAX - 5},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        uint64_t offset = 77, count = 77;
        enum cria_range kind =
            cria_range_parse(cria_str_from(cases[i].header), cases[i].size, &offset, &count);
        if (kind != cases[i].kind || offset != cases[i].offset || count != cases[i].count)
            fail_msg("'%s' of %llu: %d %llu+%llu", cases[i].header ? cases[i].header : "(none)",
                     (unsigned long long)cases[i].size, kind, (unsigned long long)offset,
                     (unsigned long long)count);
    }
}

/* Every short range over every small size, against a plain reading of the rule. */
CRIA_TEST(small_ranges_agree_with_the_rule)
{
    (void)state;
    for (uint64_t size = 0; size < 5; size++)
        for (uint64_t from = 0; from < 6; from++)
            for (uint64_t to = from; to < 7; to++) {
                char header[32];
                uint64_t offset, count, last = to < size ? to : size - 1;
                snprintf(header, sizeof(header), "bytes=%d-%d", (int)from, (int)to);
                enum cria_range kind =
                    cria_range_parse(cria_str_from(header), size, &offset, &count);
                assert_int_equal(kind, from < size ? CRIA_RANGE_PART : CRIA_RANGE_BEYOND);
                if (kind != CRIA_RANGE_PART) continue;
                assert_int_equal(offset, from);
                assert_int_equal(count, last - from + 1);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read_against_a_size),
        cmocka_unit_test(small_ranges_agree_with_the_rule),
    };
    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
