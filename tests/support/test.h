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

#include <ftw.h>
#include <stdio.h>

#include "base/str.h"

#define CRIA_TEST(name) static void name(void **state)

static inline int test_remove_one(const char *path, const struct stat *status, int kind,
                                  struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}
/** Removes a folder with all that is in it. */
static inline void test_remove_tree(const char *folder)
{
    if (nftw(folder, test_remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        print_error("%s stays\n", folder);
}

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
