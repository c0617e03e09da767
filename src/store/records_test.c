/* The same questions for each kind of row: what went in comes out, lists page without gap or
 * double, and nothing of one project can be seen, changed or removed from another. */
#include "tests/support/record_kinds.h"

/* ---- doing them */

struct deed {
    tx_fn *fn;
    struct cria_str project;
    union row *row;
};

static enum cria_status do_deed(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct deed *deed = arg;
    return deed->fn(tx, call, deed->project, deed->row);
}

static enum cria_status write_row(struct store_fixture *f, tx_fn *fn, struct cria_str project,
                                  union row *row)
{
    struct deed deed = {fn, project, row};
    return cria_store_write(f->store, &f->call, do_deed, &deed);
}

static enum cria_status read_row(struct store_fixture *f, tx_fn *fn, struct cria_str project,
                                 union row *row)
{
    struct cria_tx *tx = NULL;
    assert_int_equal(cria_store_read_begin(f->store, &f->call, &tx), CRIA_OK);
    enum cria_status st = fn(tx, &f->call, project, row);
    cria_store_read_end(tx);
    return st;
}

static struct page read_page(struct store_fixture *f, const struct kind *kind,
                             struct cria_str project, struct cria_cursor after, uint32_t limit)
{
    struct cria_tx *tx = NULL;
    struct page page = {0};
    const struct cria_window window = {after, limit};
    assert_int_equal(cria_store_read_begin(f->store, &f->call, &tx), CRIA_OK);
    enum cria_status st = kind->list(tx, &f->call, project, &window, &page);
    cria_store_read_end(tx);
    /* Attachments alone have a parent in the project, which may not be there. */
    assert_true(st == CRIA_OK || (st == CRIA_E_NOT_FOUND && kind->list == attachment_list));
    return page;
}

static union row made(struct store_fixture *f, const struct kind *kind, unsigned n)
{
    union row row = {0};
    kind->make(&f->arena, n, &row);
    return row;
}

static void insert(struct store_fixture *f, const struct kind *kind, struct cria_str project,
                   unsigned n)
{
    union row row = made(f, kind, n);
    assert_int_equal(write_row(f, kind->insert, project, &row), CRIA_OK);
}

/* In an order that is not the list's. */
static void insert_all(struct store_fixture *f, const struct kind *kind, struct cria_str project)
{
    for (unsigned i = 0; i < ROWS; i++) insert(f, kind, project, i * 7 % ROWS);
}

static void assert_row(struct store_fixture *f, const struct kind *kind, struct cria_str project,
                       const union row *want)
{
    union row got = *want;
    assert_int_equal(read_row(f, kind->get, project, &got), CRIA_OK);
    if (!kind->same(&got, want)) fail_msg("%s is not what was stored", kind->name);
}

/* A miss has no sentence: the caller knows what was looked for. */
static void assert_missing(struct store_fixture *f, enum cria_status st)
{
    assert_int_equal(st, CRIA_E_NOT_FOUND);
    assert_string_equal(f->call.error, "");
}

/* Runs `check` for each kind in a store of its own. */
static void each_kind(void (*check)(struct store_fixture *f, const struct kind *kind))
{
    for (size_t i = 0; i < CRIA_COUNT(kinds); i++) {
        struct store_fixture *f = store_fixture_new();
        store_fixture_open(f);
        print_message("  %s\n", kinds[i].name);
        check(f, &kinds[i]);
        store_fixture_free(f);
    }
}

static void check_round_trip(struct store_fixture *f, const struct kind *kind)
{
    union row missing = made(f, kind, 500);
    assert_missing(f, read_row(f, kind->get, HOME, &missing));
    for (unsigned n = 0; n < ROWS; n++) {
        union row row = made(f, kind, n);
        assert_int_equal(write_row(f, kind->insert, HOME, &row), CRIA_OK);
        assert_row(f, kind, HOME, &row);
    }
    store_fixture_close(f);
    store_fixture_open(f);
    for (unsigned n = 0; n < ROWS; n++) {
        union row row = made(f, kind, n);
        if (kind->is_root) row.project.organization_id = HOME;
        assert_row(f, kind, HOME, &row);
    }
    missing = made(f, kind, 500); /* opening forgot its strings */
    assert_missing(f, read_row(f, kind->get, HOME, &missing));
}

CRIA_TEST(rows_come_back_as_they_went_in)
{
    (void)state;
    each_kind(check_round_trip);
}

static void check_paging(struct store_fixture *f, const struct kind *kind)
{
    static const uint32_t limits[] = {1, 2, 5, ROWS - 1, ROWS, ROWS + 1};
    assert_int_equal(read_page(f, kind, HOME, (struct cria_cursor){0}, 10).count, 0);
    insert_all(f, kind, HOME);
    for (size_t i = 0; i < CRIA_COUNT(limits); i++) {
        struct page page = {.has_more = true};
        unsigned seen = 0;
        while (page.has_more) {
            page = read_page(f, kind, HOME, page.next, limits[i]);
            assert_in_range(page.count, 1, limits[i]);
            for (size_t j = 0; j < page.count; j++, seen++) {
                union row want = made(f, kind, kind->is_descending ? ROWS - 1 - seen : seen);
                if (!cria_str_equal(page.ids[j], kind->id(&want)))
                    fail_msg("%s %u of pages of %u: %.*s", kind->name, seen, limits[i],
                             CRIA_STR_ARG(page.ids[j]));
            }
            assert_int_equal(page.has_more, seen < ROWS);
        }
        assert_int_equal(seen, ROWS);
    }
}

CRIA_TEST(pages_of_any_size_show_every_row_once_and_in_order)
{
    (void)state;
    each_kind(check_paging);
}

/* Rows that come and go between two pages move none of the others across the border. */
static void check_stability(struct store_fixture *f, const struct kind *kind)
{
    unsigned seen[ROWS] = {0}, extra = ROWS;
    struct page page = {.has_more = true};
    if (!kind->remove) return;
    insert_all(f, kind, HOME);
    while (page.has_more) {
        page = read_page(f, kind, HOME, page.next, 4);
        for (size_t j = 0; j < page.count; j++)
            for (unsigned n = 0; n < ROWS; n++) {
                union row want = made(f, kind, n);
                seen[n] += cria_str_equal(page.ids[j], kind->id(&want));
            }
        /* The border itself goes away, and a new row comes to the end that is sorted by time. */
        for (unsigned n = 0; n < ROWS && page.count; n++) {
            union row row = made(f, kind, n);
            if (!cria_str_equal(page.ids[page.count - 1], kind->id(&row))) continue;
            assert_int_equal(write_row(f, kind->remove, HOME, &row), CRIA_OK);
        }
        if (extra < ROWS + 3) insert(f, kind, HOME, extra++);
    }
    for (unsigned n = 0; n < ROWS; n++) assert_int_equal(seen[n], 1);
}

CRIA_TEST(a_list_is_stable_while_rows_come_and_go)
{
    (void)state;
    each_kind(check_stability);
}

static void check_update(struct store_fixture *f, const struct kind *kind)
{
    if (!kind->update) return;
    insert_all(f, kind, HOME);
    union row row = made(f, kind, 5), missing = made(f, kind, 500);
    kind->change(&row);
    assert_int_equal(write_row(f, kind->update, HOME, &row), CRIA_OK);
    assert_row(f, kind, HOME, &row);
    for (unsigned n = 0; n < ROWS; n++) {
        union row other = made(f, kind, n);
        if (n != 5) assert_row(f, kind, HOME, &other);
    }
    assert_missing(f, write_row(f, kind->update, HOME, &missing));
}

CRIA_TEST(an_update_changes_its_row_and_no_other)
{
    (void)state;
    each_kind(check_update);
}

static void check_remove(struct store_fixture *f, const struct kind *kind)
{
    if (!kind->remove) return;
    insert_all(f, kind, HOME);
    union row row = made(f, kind, 5), missing = made(f, kind, 500);
    assert_missing(f, write_row(f, kind->remove, HOME, &missing));
    assert_int_equal(write_row(f, kind->remove, HOME, &row), CRIA_OK);
    row = made(f, kind, 5);
    assert_missing(f, read_row(f, kind->get, HOME, &row));
    assert_missing(f, write_row(f, kind->remove, HOME, &row));
    if (kind->update) assert_missing(f, write_row(f, kind->update, HOME, &row));
    assert_int_equal(read_page(f, kind, HOME, (struct cria_cursor){0}, MAX_PAGE).count, ROWS - 1);
    for (unsigned n = 0; n < ROWS; n++) {
        union row other = made(f, kind, n);
        if (n != 5) assert_row(f, kind, HOME, &other);
    }
}

CRIA_TEST(a_delete_removes_its_row_and_no_other)
{
    (void)state;
    each_kind(check_remove);
}

/* The same id lives in two projects; what is done in one never reaches the other. */
static void check_tenancy(struct store_fixture *f, const struct kind *kind)
{
    union row row = made(f, kind, 5);
    if (kind->is_root) { /* ids of projects are unique by themselves; lists are not shared */
        insert_all(f, kind, HOME);
        assert_int_equal(read_page(f, kind, AWAY, (struct cria_cursor){0}, 10).count, 0);
        return;
    }
    insert_all(f, kind, HOME);
    assert_missing(f, read_row(f, kind->get, AWAY, &row));
    assert_int_equal(read_page(f, kind, AWAY, (struct cria_cursor){0}, 10).count, 0);
    if (kind->update) {
        union row changed = row;
        kind->change(&changed);
        assert_missing(f, write_row(f, kind->update, AWAY, &changed));
    }
    if (kind->remove) assert_missing(f, write_row(f, kind->remove, AWAY, &row));
    row = made(f, kind, 5);
    assert_row(f, kind, HOME, &row);

    insert(f, kind, AWAY, 5);
    insert(f, kind, AWAY, 6);
    assert_int_equal(read_page(f, kind, AWAY, (struct cria_cursor){0}, 10).count, 2);
    assert_int_equal(read_page(f, kind, HOME, (struct cria_cursor){0}, MAX_PAGE).count, ROWS);
    if (kind->update) {
        union row changed = made(f, kind, 5);
        kind->change(&changed);
        assert_int_equal(write_row(f, kind->update, AWAY, &changed), CRIA_OK);
        assert_row(f, kind, AWAY, &changed);
        assert_row(f, kind, HOME, &row);
    }
    if (kind->remove) {
        union row gone = made(f, kind, 6);
        assert_int_equal(write_row(f, kind->remove, AWAY, &gone), CRIA_OK);
        gone = made(f, kind, 6);
        assert_missing(f, read_row(f, kind->get, AWAY, &gone));
        assert_row(f, kind, HOME, &gone);
    }
    assert_int_equal(read_page(f, kind, HOME, (struct cria_cursor){0}, MAX_PAGE).count, ROWS);
}

CRIA_TEST(no_project_reaches_into_another)
{
    (void)state;
    each_kind(check_tenancy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_as_they_went_in),
        cmocka_unit_test(pages_of_any_size_show_every_row_once_and_in_order),
        cmocka_unit_test(a_list_is_stable_while_rows_come_and_go),
        cmocka_unit_test(an_update_changes_its_row_and_no_other),
        cmocka_unit_test(a_delete_removes_its_row_and_no_other),
        cmocka_unit_test(no_project_reaches_into_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
