/* Every file operation, sync and allocation of a scripted run fails once, each in a run of its own:
 * what was answered must be there when the folder is opened again, nothing half must be, and the
 * failure must have been said in a sentence. */
#include <errno.h>

#include "base/fault.h"
#include "tests/support/store_workload.h"

enum { SMALL_WAL = 12 /* pages: so that checkpoints happen within the run */ };

static enum cria_status try_open(struct store_fixture *f)
{
    const struct cria_store_options options = {
        .folder = f->folder, .readers = 2, .wal_max_pages = SMALL_WAL, .ballast_bytes = 4096};
    store_fixture_forget(f);
    return cria_store_open(&options, &f->call, &f->store);
}

/* A failure has its own sentence and one of the statuses that fit it. */
static void assert_said(const struct store_fixture *f, enum cria_status st,
                        enum cria_fault_kind kind)
{
    assert_true(strlen(f->call.error) > 0);
    assert_int_equal(f->call.status, st);
    bool fits = kind == CRIA_FAULT_ALLOC
                    ? st == CRIA_E_NO_MEMORY
                    : st == CRIA_E_IO || st == CRIA_E_UNAVAILABLE || st == CRIA_E_INTERNAL;
    if (!fits) fail_msg("%s: %s", cria_status_name(st), f->call.error);
}

/* The run itself. A store that stopped writing must say so to everybody from then on. */
static void run_with_fault(struct store_fixture *f, enum cria_fault_kind kind, bool *acked,
                           bool *begun)
{
    struct work_ledger ledger;
    bool has_stopped = false;
    enum cria_status st = try_open(f);
    if (st != CRIA_OK) {
        assert_null(f->store);
        assert_said(f, st, kind);
        return;
    }
    for (unsigned n = 0; n < WORK_STEPS; n++) {
        begun[n] = true;
        st = work_run(f, n, &ledger);
        acked[n] = st == CRIA_OK;
        if (st == CRIA_OK) assert_false(has_stopped);
        if (st == CRIA_E_CONFLICT && work_steps[n].kind == WORK_FAIL) continue;
        if (st == CRIA_E_NOT_FOUND && work_steps[n].kind == WORK_DELETE) {
            assert_false(acked[work_steps[n].of]);
            continue;
        }
        if (st == CRIA_OK) continue;
        assert_true(cria_fault_fired());
        assert_said(f, st, kind);
        has_stopped = !cria_store_figures(f->store).is_writable;
        if (kind == CRIA_FAULT_STORE) assert_true(has_stopped); /* a sync is never tried again */
    }
    if (kind == CRIA_FAULT_ALLOC) assert_true(cria_store_figures(f->store).is_writable);
    if (has_stopped) assert_true(cria_store_figures(f->store).fsync_errors > 0);
}

/* The n-th failure, then a life without failures. False when the run has no n-th operation. */
static bool check_nth(enum cria_fault_kind kind, unsigned nth)
{
    struct store_fixture *f = store_fixture_new();
    bool acked[WORK_STEPS] = {false}, begun[WORK_STEPS] = {false};
    struct work_ledger ledger;
    cria_fault_arm(kind, nth);
    run_with_fault(f, kind, acked, begun);
    store_fixture_close(f); /* may be hit as well */
    bool fired = cria_fault_fired();
    cria_fault_arm(kind, 0);
    store_fixture_forget(f);
    if (try_open(f) != CRIA_OK) fail_msg("failure %u: reopening: %s", nth, f->call.error);
    work_check(f, acked, begun);
    /* The folder is as good as new: what was not stored can be stored now. */
    for (unsigned n = 0; n < WORK_STEPS; n++)
        if (work_steps[n].kind == WORK_ROWS && !acked[n]) {
            enum cria_status st = work_run(f, n, &ledger);
            assert_true(st == CRIA_OK || (begun[n] && st == CRIA_E_CONFLICT));
        }
    if (!fired)
        for (unsigned n = 0; n < WORK_STEPS; n++)
            assert_int_equal(acked[n], work_steps[n].kind != WORK_FAIL);
    store_fixture_free(f);
    return fired;
}

static void check_every(enum cria_fault_kind kind, unsigned at_least)
{
    unsigned nth = 1;
    while (check_nth(kind, nth)) nth++;
    print_message("  %u failures\n", nth - 1);
    assert_in_range(nth, at_least, 100000); /* the run really went through there */
}

CRIA_TEST(any_file_operation_may_fail)
{
    (void)state;
    if (!TEST_HAS_FAULTS) skip();
    check_every(CRIA_FAULT_FILE, 150);
}

CRIA_TEST(any_sync_may_fail)
{
    (void)state;
    if (!TEST_HAS_FAULTS) skip();
    check_every(CRIA_FAULT_STORE, 20);
}

CRIA_TEST(any_allocation_may_fail)
{
    (void)state;
    if (!TEST_HAS_FAULTS) skip();
    check_every(CRIA_FAULT_ALLOC, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_file_operation_may_fail),
        cmocka_unit_test(any_sync_may_fail),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
