/* test_store.h - a data folder of a test's own, the store in it, and a call to work with. */
#ifndef CRIA_TESTS_SUPPORT_TEST_STORE_H
#define CRIA_TESTS_SUPPORT_TEST_STORE_H

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "platform/crypto.h"
#include "store/store.h"
#include "tests/support/test.h"

/** Whether this build can fail on demand and tell of its writes; tests of that skip() without. */
#ifdef CRIA_FAULTS
enum { TEST_HAS_FAULTS = 1 };
#else
enum { TEST_HAS_FAULTS = 0 };
#endif

struct store_fixture {
    char folder[128];
    struct cria_store *store; /* NULL while closed */
    struct cria_arena arena;
    struct cria_call call;
};

/** Forgets results and errors of the calls before. */
static inline void store_fixture_forget(struct store_fixture *f)
{
    cria_arena_reset(&f->arena);
    cria_call_init(&f->call, &f->arena);
}

static inline enum cria_status store_fixture_try_open(struct store_fixture *f)
{
    const struct cria_store_options options = {
        .folder = f->folder, .readers = 4, .ballast_bytes = 4096};
    store_fixture_forget(f);
    return cria_store_open(&options, &f->call, &f->store);
}

static inline void store_fixture_open(struct store_fixture *f)
{
    if (store_fixture_try_open(f) != CRIA_OK) fail_msg("%s", f->call.error);
}

static inline void store_fixture_close(struct store_fixture *f)
{
    cria_store_close(f->store);
    f->store = NULL;
}

/** Makes the folder, in memory where there is such a place: syncs cost nothing there, and the
 * power cuts of these tests are made of what was written, not of what a disk did. */
static inline struct store_fixture *store_fixture_new(void)
{
    struct store_fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(cria_crypto_init(), CRIA_OK);
    cria_log_set_level(CRIA_LOG_OFF);
    snprintf(f->folder, sizeof(f->folder), "%s/cria-store-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    cria_arena_init(&f->arena, (size_t)256 << 20);
    cria_call_init(&f->call, &f->arena);
    return f;
}

static inline void store_fixture_free(struct store_fixture *f)
{
    cria_store_close(f->store);
    cria_arena_release(&f->arena);
    test_remove_tree(f->folder);
    free(f);
}

/* A write that is one function of tx and call. */
typedef enum cria_status store_step_fn(struct cria_tx *tx, struct cria_call *call);

static inline enum cria_status store_fixture_run_step(struct cria_tx *tx, struct cria_call *call,
                                                      void *arg)
{
    store_step_fn *const *fn = arg;
    return (*fn)(tx, call);
}

static inline enum cria_status write_step(struct store_fixture *f, store_step_fn *fn)
{
    return cria_store_write(f->store, &f->call, store_fixture_run_step, &fn);
}

/** A snapshot; cria_store_read_end is the caller's. */
static inline struct cria_tx *reading(struct store_fixture *f)
{
    struct cria_tx *tx = NULL;
    assert_int_equal(cria_store_read_begin(f->store, &f->call, &tx), CRIA_OK);
    return tx;
}

/** In a step: passes a failure on. */
#define TRY(expression)                      \
    do {                                     \
        enum cria_status st_ = (expression); \
        if (st_ != CRIA_OK) return st_;      \
    } while (0)

static inline int store_setup(void **state)
{
    struct store_fixture *f = *state = store_fixture_new();
    store_fixture_open(f);
    return 0;
}

static inline int store_setup_closed(void **state)
{
    *state = store_fixture_new();
    return 0;
}

static inline int store_teardown(void **state)
{
    store_fixture_free(*state);
    return 0;
}

#endif
