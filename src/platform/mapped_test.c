/* mapped_test.c - a mapped file that is cut reads as zeros, and is known to be lost. */
#include "platform/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { PAGES = 5 };

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* A file of PAGES pages without a name, full of `byte`. */
static int make_file(char byte)
{
    char path[] = "/tmp/cria-mapped-XXXXXX";
    int fd = mkstemp(path);
    size_t size = PAGES * page_bytes();
    char *bytes = malloc(size);
    assert_true(fd >= 0 && bytes != NULL);
    unlink(path);
    memset(bytes, byte, size);
    assert_int_equal(write(fd, bytes, size), size);
    free(bytes);
    return fd;
}

CRIA_TEST(what_was_cut_off_is_zeros)
{
    (void)state;
    size_t page = page_bytes();
    int fd = make_file('x'), other_fd = make_file('y');
    struct cria_mapped *mapped = cria_mapped_new(fd, PAGES * page),
                       *other = cria_mapped_new(other_fd, PAGES * page);
    assert_true(mapped && other);
    const volatile uint8_t *bytes = cria_mapped_bytes(mapped);
    assert_int_equal(bytes[4 * page], 'x');
    assert_false(cria_mapped_is_lost(mapped));
    assert_int_equal(ftruncate(fd, (off_t)page), 0);
    assert_int_equal(bytes[0], 'x');
    assert_false(cria_mapped_is_lost(mapped));
    assert_int_equal(bytes[3 * page + 7], 0);
    assert_true(cria_mapped_is_lost(mapped));
    assert_int_equal(bytes[PAGES * page - 1], 0);
    assert_int_equal(bytes[page - 1], 'x');
    for (size_t i = 0; i < PAGES * page; i++) assert_int_equal(cria_mapped_bytes(other)[i], 'y');
    assert_false(cria_mapped_is_lost(other));
    cria_mapped_free(mapped);
    mapped = cria_mapped_new(other_fd, page); /* in the place of the lost one */
    assert_non_null(mapped);
    assert_false(cria_mapped_is_lost(mapped));
    assert_int_equal(cria_mapped_bytes(mapped)[page - 1], 'y');
    cria_mapped_free(mapped);
    cria_mapped_free(other);
    cria_mapped_free(NULL);
    close(fd);
    close(other_fd);
}

CRIA_TEST(what_cannot_be_mapped_is_none)
{
    (void)state;
    assert_null(cria_mapped_new(-1, 4096));
    assert_int_equal(errno, EBADF);
}

/* A fault that is about none of ours is nobody's business here. */
CRIA_TEST(another_mapping_still_ends_the_process)
{
    (void)state;
    int fd = make_file('x'), status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGBUS, SIG_DFL); /* cmocka's own */
        struct cria_mapped *mapped = cria_mapped_new(fd, page_bytes());
        const volatile uint8_t *bytes =
            mmap(NULL, PAGES * page_bytes(), PROT_READ, MAP_SHARED, fd, 0);
        if (!mapped || bytes == MAP_FAILED || ftruncate(fd, 0) != 0) _exit(1);
        _exit(bytes[2 * page_bytes()] + 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_cut_off_is_zeros),
        cmocka_unit_test(what_cannot_be_mapped_is_none),
        cmocka_unit_test(another_mapping_still_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
