/* test.h - cmocka with a table that fills itself: CRIA_TEST(name) { … } and, at the end,
 * CRIA_TESTS(…). */
#ifndef CRIA_TESTS_SUPPORT_TEST_H
#define CRIA_TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* clang-format off: cmocka.h wants those above it */
#include <cmocka.h>
/* clang-format on */

#include "base/str.h"

#define CRIA_TEST(name) static void name(void **state)

/** The slice holds exactly this text. */
#define assert_str_equal(slice, text) assert_str_equal_at((slice), (text), __FILE__, __LINE__)
static inline void assert_str_equal_at(struct cria_str slice, const char *text, const char *file,
                                       int line)
{
    if (cria_str_is(slice, text)) return;
    print_error("'%.*s' is not '%s'\n", CRIA_STR_ARG(slice), text);
    _fail(file, line);
}

#endif
