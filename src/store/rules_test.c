/* What records.h promises of single kinds of rows: what a delete takes along, which names clash,
 * which order and filters a list knows, what is staged and what is live. */
#include "store/records.h"
#include "tests/support/test_store.h"

#define P CRIA_STR("prj-1")
#define Q CRIA_STR("prj-2")
static const struct cria_str none;
static const struct cria_window all = {.limit = 100};

static enum cria_status add_entry(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, const char *directory, const char *id,
                                  const char *unique, const char *source, int64_t at)
{
    struct cria_entry row = {.id = cria_str_from(id),
                             .directory_id = cria_str_from(directory),
                             .display_name = cria_str_from(id),
                             .unique_id = cria_str_from(unique),
                             .file_id = CRIA_STR("fil-1"),
                             .metadata_json = CRIA_STR("{}"),
                             .source_entry_id = cria_str_from(source),
                             .created_at_us = at,
                             .updated_at_us = at};
    return cria_tx_entry_insert(tx, call, project, &row);
}

static enum cria_status add_directory(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, const char *id, const char *type,
                                      int64_t at, int64_t expires_at)
{
    struct cria_directory row = {.id = cria_str_from(id),
                                 .name = cria_str_from(id),
                                 .type = cria_str_from(type),
                                 .created_at_us = at,
                                 .updated_at_us = at,
                                 .expires_at_us = expires_at};
    return cria_tx_directory_insert(tx, call, project, &row);
}

static int64_t updated_at(struct cria_tx *tx, struct cria_call *call, const char *directory)
{
    struct cria_directory row;
    assert_int_equal(cria_tx_directory_get(tx, call, P, cria_str_from(directory), &row), CRIA_OK);
    return row.updated_at_us;
}

/* ---- the roots */

static enum cria_status two_organizations(struct cria_tx *tx, struct cria_call *call)
{
    static const struct cria_organization rows[] = {
        {CRIA_STR_INIT("org-2"), CRIA_STR_INIT("later"), 20},
        {CRIA_STR_INIT("org-1"), CRIA_STR_INIT("first"), 10}};
    static const struct cria_project projects[] = {
        {CRIA_STR_INIT("p1"), CRIA_STR_INIT("org-1"), CRIA_STR_INIT("same"), false, 1, 1},
        {CRIA_STR_INIT("p2"), CRIA_STR_INIT("org-1"), CRIA_STR_INIT("other"), true, 2, 2},
        {CRIA_STR_INIT("p3"), CRIA_STR_INIT("org-2"), CRIA_STR_INIT("same"), true, 3, 3}};
    for (size_t i = 0; i < 2; i++) TRY(cria_tx_organization_insert(tx, call, &rows[i]));
    for (size_t i = 0; i < 3; i++) TRY(cria_tx_project_insert(tx, call, &projects[i]));
    return CRIA_OK;
}

CRIA_TEST(organizations_have_a_first_and_projects_a_default)
{
    struct store_fixture *f = *state;
    struct cria_organization organization;
    struct cria_project project;
    struct cria_project_list list;
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_organization_first(tx, &f->call, &organization), CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
    assert_int_equal(write_step(f, two_organizations), CRIA_OK);
    assert_int_equal(write_step(f, two_organizations), CRIA_E_CONFLICT);
    tx = reading(f);
    assert_int_equal(cria_tx_organization_first(tx, &f->call, &organization), CRIA_OK);
    assert_str_equal(organization.name, "first");
    assert_int_equal(cria_tx_project_default(tx, &f->call, CRIA_STR("org-1"), &project), CRIA_OK);
    assert_str_equal(project.id, "p2");
    assert_int_equal(cria_tx_project_default(tx, &f->call, CRIA_STR("org-3"), &project),
                     CRIA_E_NOT_FOUND);
    assert_int_equal(
        cria_tx_project_list(tx, &f->call, CRIA_STR("org-1"), CRIA_STR("same"), &all, &list),
        CRIA_OK);
    assert_int_equal(list.count, 1);
    assert_str_equal(list.items[0].id, "p1");
    cria_store_read_end(tx);
}

static enum cria_status add_key(struct cria_tx *tx, struct cria_call *call, const char *id,
                                const char *hash, int64_t at)
{
    const struct cria_api_key row = {.id = cria_str_from(id),
                                     .organization_id = CRIA_STR("org-1"),
                                     .name = CRIA_STR("n"),
                                     .prefix = CRIA_STR("cria_ab"),
                                     .hash = cria_str_from(hash),
                                     .may_write = true,
                                     .created_at_us = at,
                                     .expires_at_us = at + 5};
    return cria_tx_api_key_insert(tx, call, &row);
}

static enum cria_status two_keys(struct cria_tx *tx, struct cria_call *call)
{
    TRY(add_key(tx, call, "key-2", "bb", 2));
    return add_key(tx, call, "key-1", "aa", 1);
}

static enum cria_status same_hash(struct cria_tx *tx, struct cria_call *call)
{
    return add_key(tx, call, "key-3", "aa", 3);
}

static enum cria_status revoke_first(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_api_key_revoke(tx, call, CRIA_STR("key-1"), 77);
}

CRIA_TEST(keys_are_listed_for_ever_and_revoked_once)
{
    struct store_fixture *f = *state;
    struct cria_api_key_list list;
    assert_int_equal(write_step(f, revoke_first), CRIA_E_NOT_FOUND);
    assert_int_equal(write_step(f, two_keys), CRIA_OK);
    assert_int_equal(write_step(f, same_hash), CRIA_E_CONFLICT);
    assert_int_equal(write_step(f, revoke_first), CRIA_OK);
    assert_int_equal(write_step(f, revoke_first), CRIA_E_NOT_FOUND);
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_api_key_list(tx, &f->call, &list), CRIA_OK);
    assert_int_equal(list.count, 2);
    assert_str_equal(list.items[0].id, "key-1");
    assert_int_equal(list.items[0].revoked_at_us, 77);
    assert_str_equal(list.items[1].hash, "bb");
    assert_int_equal(list.items[1].revoked_at_us, 0);
    assert_int_equal(list.items[1].expires_at_us, 7);
    assert_null(list.items[1].project_id.ptr);
    assert_true(list.items[1].may_write);
    cria_store_read_end(tx);
}

/* ---- files */

enum { FILES = 18 };

static struct cria_file file_n(struct cria_arena *arena, unsigned n)
{
    struct cria_file row = {.id = cria_arena_printf(arena, "fil-%02u", n * 5 % FILES),
                            .name = cria_arena_printf(arena, "name %u", n % 4),
                            .sha256 = CRIA_STR("sha"),
                            .created_at_us = 100 + n % 3};
    if (n % 2) row.external_file_id = cria_arena_printf(arena, "ext-%u", n % 6);
    return row;
}

static enum cria_status add_files(struct cria_tx *tx, struct cria_call *call)
{
    for (unsigned n = 0; n < FILES; n++) {
        struct cria_file row = file_n(call->arena, n);
        TRY(cria_tx_file_insert(tx, call, P, &row));
    }
    return CRIA_OK;
}

static int compare_files(const struct cria_file *a, const struct cria_file *b,
                         const struct cria_file_query *query)
{
    for (size_t i = 0; i < query->order_count; i++) {
        int by = query->order[i].field == CRIA_FILE_BY_NAME ? cria_str_compare(a->name, b->name)
                 : query->order[i].field == CRIA_FILE_BY_ID ? cria_str_compare(a->id, b->id)
                 : a->created_at_us < b->created_at_us      ? -1
                                                            : a->created_at_us > b->created_at_us;
        if (by) return query->order[i].descending ? -by : by;
    }
    return cria_str_compare(a->id, b->id);
}

/* By pages of 4; every row must be behind the one before it. */
static void check_order(struct store_fixture *f, const struct cria_file_query *query)
{
    struct cria_window window = {.limit = 4};
    struct cria_file last = {0};
    struct cria_file_list list = {.has_more = true};
    size_t seen = 0;
    struct cria_tx *tx = reading(f);
    while (list.has_more) {
        assert_int_equal(cria_tx_file_list(tx, &f->call, P, query, &window, &list), CRIA_OK);
        for (size_t i = 0; i < list.count; i++, seen++) {
            if (seen) assert_true(compare_files(&last, &list.items[i], query) < 0);
            last = list.items[i];
        }
        window.after = (struct cria_cursor){true, last.created_at_us, last.name, last.id};
    }
    cria_store_read_end(tx);
    assert_int_equal(seen, FILES);
}

CRIA_TEST(files_page_in_every_order)
{
    struct store_fixture *f = *state;
    assert_int_equal(write_step(f, add_files), CRIA_OK);
    check_order(f, &(struct cria_file_query){0});
    for (unsigned first = 0; first < 6; first++)
        for (unsigned second = 0; second < 7; second++) { /* 6: none */
            struct cria_file_query query = {.order_count = second < 6 ? 2 : 1};
            query.order[0].field = (enum cria_file_field)(first / 2);
            query.order[0].descending = first % 2;
            query.order[1].field = (enum cria_file_field)(second / 2 % 3);
            query.order[1].descending = second % 2;
            check_order(f, &query);
        }
}

CRIA_TEST(files_are_filtered_by_name_external_id_and_ids)
{
    static const struct cria_str ids[] = {CRIA_STR_INIT("fil-03"), CRIA_STR_INIT("fil-00"),
                                          CRIA_STR_INIT("nothing"), CRIA_STR_INIT("' OR 1=1 --")};
    static const struct {
        struct cria_file_query query;
        size_t count;
    } cases[] = {
        {{.name = CRIA_STR_INIT("name 1")}, 5},
        {{.name = CRIA_STR_INIT("name")}, 0},
        {{.name = CRIA_STR_INIT("%")}, 0},
        {{.external_file_id = CRIA_STR_INIT("ext-3")}, 3},
        {{.name = CRIA_STR_INIT("name 1"), .external_file_id = CRIA_STR_INIT("ext-3")}, 1},
        {{.ids = ids, .id_count = 4, .has_ids = true}, 2},
        {{.has_ids = true}, 0},
        {{.has_ids = false}, FILES},
    };
    struct store_fixture *f = *state;
    struct cria_file_list list;
    assert_int_equal(write_step(f, add_files), CRIA_OK);
    struct cria_tx *tx = reading(f);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        assert_int_equal(cria_tx_file_list(tx, &f->call, P, &cases[i].query, &all, &list), CRIA_OK);
        assert_int_equal(list.count, cases[i].count);
        assert_false(list.has_more);
    }
    cria_store_read_end(tx);
}

static enum cria_status file_in_directories(struct cria_tx *tx, struct cria_call *call)
{
    const struct cria_file file = {
        .id = CRIA_STR("fil-1"), .name = CRIA_STR("f"), .sha256 = CRIA_STR("0a1b")};
    TRY(cria_tx_file_insert(tx, call, P, &file));
    TRY(cria_tx_file_insert(tx, call, Q, &file));
    TRY(add_directory(tx, call, P, "dir-1", "user", 1, 0));
    TRY(add_directory(tx, call, P, "out-1", "index", 1, 0));
    TRY(add_entry(tx, call, P, "dir-1", "live", "u1", NULL, 10));
    TRY(add_entry(tx, call, P, "out-1", "output", "u1", "live", 10));
    return add_entry(tx, call, Q, "dir-1", "live", "u1", NULL, 10);
}

static struct cria_str removed_sha;
static enum cria_status delete_file(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_file_delete(tx, call, P, CRIA_STR("fil-1"), 50, &removed_sha);
}

CRIA_TEST(a_deleted_file_takes_its_entries_but_not_what_was_indexed)
{
    struct store_fixture *f = *state;
    struct cria_entry entry;
    assert_int_equal(write_step(f, file_in_directories), CRIA_OK);
    assert_int_equal(write_step(f, delete_file), CRIA_OK);
    assert_str_equal(removed_sha, "0a1b");
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_entry_get(tx, &f->call, P, none, CRIA_STR("live"), &entry),
                     CRIA_E_NOT_FOUND);
    assert_int_equal(cria_tx_entry_get(tx, &f->call, P, none, CRIA_STR("output"), &entry), CRIA_OK);
    assert_null(entry.file_id.ptr);
    assert_int_equal(cria_tx_entry_get(tx, &f->call, Q, none, CRIA_STR("live"), &entry), CRIA_OK);
    assert_str_equal(entry.file_id, "fil-1");
    assert_int_equal(updated_at(tx, &f->call, "dir-1"), 50);
    assert_int_equal(updated_at(tx, &f->call, "out-1"), 10);
    const struct cria_entry_query query = {.directory_id = CRIA_STR("dir-1"),
                                           .include_deleted = true};
    struct cria_entry_list list;
    assert_int_equal(cria_tx_entry_list(tx, &f->call, P, &query, &all, &list), CRIA_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].deleted_at_us, 50);
    assert_null(list.items[0].file_id.ptr);
    cria_store_read_end(tx);
}

/* ---- directories and entries */

static enum cria_status some_directories(struct cria_tx *tx, struct cria_call *call)
{
    TRY(add_directory(tx, call, P, "a", "user", 1, 0));
    TRY(add_directory(tx, call, P, "b", "index", 2, 0));
    TRY(add_directory(tx, call, P, "c", "ephemeral", 3, 100));
    TRY(add_directory(tx, call, Q, "d", "ephemeral", 4, 90));
    TRY(add_directory(tx, call, Q, "e", "ephemeral", 5, 101));
    TRY(add_entry(tx, call, P, "c", "in c", "u", NULL, 3));
    TRY(add_entry(tx, call, P, "a", "in a", "u", NULL, 3));
    return cria_tx_directory_delete(tx, call, P, CRIA_STR("a"), 60);
}

static uint64_t expired;
static enum cria_status expire(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_directory_expire(tx, call, 100, &expired);
}

static size_t directories(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                          const struct cria_directory_query *query)
{
    struct cria_directory_list list;
    assert_int_equal(cria_tx_directory_list(tx, call, project, query, &all, &list), CRIA_OK);
    return list.count;
}

CRIA_TEST(directories_are_filtered_deleted_and_expire)
{
    static const struct cria_str types[] = {CRIA_STR_INIT("user"), CRIA_STR_INIT("index"),
                                            CRIA_STR_INIT("ephemeral")};
    struct store_fixture *f = *state;
    struct cria_entry entry;
    assert_int_equal(write_step(f, some_directories), CRIA_OK);
    struct cria_tx *tx = reading(f);
    const struct {
        struct cria_directory_query query;
        size_t count;
    } cases[] = {
        {{.type_count = 0}, 2},
        {{.include_deleted = true}, 3},
        {{.types = types, .type_count = 1}, 0},
        {{.types = types, .type_count = 1, .include_deleted = true}, 1},
        {{.types = types + 1, .type_count = 2}, 2},
        {{.types = types, .type_count = 3}, 2},
        {{.name = CRIA_STR("b")}, 1},
        {{.name = CRIA_STR("B")}, 0},
        {{.name = CRIA_STR("d")}, 0},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++)
        assert_int_equal(directories(tx, &f->call, P, &cases[i].query), cases[i].count);
    assert_int_equal(cria_tx_entry_get(tx, &f->call, P, none, CRIA_STR("in a"), &entry),
                     CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
    assert_int_equal(write_step(f, expire), CRIA_OK);
    assert_int_equal(expired, 2);
    assert_int_equal(write_step(f, expire), CRIA_OK);
    assert_int_equal(expired, 0);
    tx = reading(f);
    assert_int_equal(directories(tx, &f->call, P, &cases[0].query), 1);
    assert_int_equal(directories(tx, &f->call, Q, &cases[0].query), 1);
    assert_int_equal(cria_tx_entry_get(tx, &f->call, P, none, CRIA_STR("in c"), &entry),
                     CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
}

static enum cria_status entries_for_unique_ids(struct cria_tx *tx, struct cria_call *call)
{
    TRY(add_directory(tx, call, P, "dir-1", "user", 1, 0));
    TRY(add_directory(tx, call, P, "dir-2", "user", 1, 0));
    TRY(add_entry(tx, call, P, "dir-1", "e1", "same", NULL, 10));
    TRY(add_entry(tx, call, P, "dir-2", "e2", "same", NULL, 10)); /* elsewhere: fine */
    TRY(add_entry(tx, call, Q, "dir-1", "e1", "same", NULL, 10));
    return add_entry(tx, call, P, "dir-1", "e3", "other", NULL, 20);
}

static enum cria_status insert_same(struct cria_tx *tx, struct cria_call *call)
{
    return add_entry(tx, call, P, "dir-1", "e4", "same", NULL, 30);
}

static enum cria_status change_entry(struct cria_tx *tx, struct cria_call *call, const char *id,
                                     const char *directory, const char *unique, int64_t at)
{
    struct cria_entry row;
    TRY(cria_tx_entry_get(tx, call, P, none, cria_str_from(id), &row));
    row.unique_id = cria_str_from(unique);
    row.directory_id = cria_str_from(directory);
    row.updated_at_us = at;
    return cria_tx_entry_update(tx, call, P, &row);
}

static enum cria_status rename_to_same(struct cria_tx *tx, struct cria_call *call)
{
    return change_entry(tx, call, "e3", "dir-1", "same", 40);
}

static enum cria_status move_to_same(struct cria_tx *tx, struct cria_call *call)
{
    return change_entry(tx, call, "e1", "dir-2", "same", 40);
}

static enum cria_status move_e3(struct cria_tx *tx, struct cria_call *call)
{
    return change_entry(tx, call, "e3", "dir-2", "other", 50);
}

static enum cria_status delete_e1(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_entry_delete(tx, call, P, CRIA_STR("dir-1"), CRIA_STR("e1"), 60);
}

static enum cria_status delete_elsewhere(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_entry_delete(tx, call, P, CRIA_STR("dir-2"), CRIA_STR("e1"), 60);
}

CRIA_TEST(unique_ids_are_unique_among_the_living_of_a_directory)
{
    static const struct {
        store_step_fn *step;
        enum cria_status status;
        int64_t first, second; /* updated_at of the two directories afterwards */
    } steps[] = {
        {entries_for_unique_ids, CRIA_OK, 20, 10},
        {insert_same, CRIA_E_CONFLICT, 20, 10},
        {rename_to_same, CRIA_E_CONFLICT, 20, 10},
        {move_to_same, CRIA_E_CONFLICT, 20, 10},
        {move_e3, CRIA_OK, 50, 50},
        {delete_elsewhere, CRIA_E_NOT_FOUND, 50, 50},
        {delete_e1, CRIA_OK, 60, 50},
        {delete_e1, CRIA_E_NOT_FOUND, 60, 50},
        {insert_same, CRIA_OK, 30, 50}, /* the name is free again */
    };
    struct store_fixture *f = *state;
    for (size_t i = 0; i < CRIA_COUNT(steps); i++) {
        assert_int_equal(write_step(f, steps[i].step), steps[i].status);
        struct cria_tx *tx = reading(f);
        assert_int_equal(updated_at(tx, &f->call, "dir-1"), steps[i].first);
        assert_int_equal(updated_at(tx, &f->call, "dir-2"), steps[i].second);
        cria_store_read_end(tx);
    }
}

static enum cria_status entries_to_filter(struct cria_tx *tx, struct cria_call *call)
{
    static const char *const names[] = {"Report 100%.pdf", "report_2.PDF", "Übersicht", "x"};
    for (size_t i = 0; i < CRIA_COUNT(names); i++) {
        char unique[8];
        snprintf(unique, sizeof(unique), "u%zu", i);
        TRY(add_entry(tx, call, P, "dir-1", names[i], unique, NULL, 10 * ((int64_t)i + 1)));
    }
    return cria_tx_entry_delete(tx, call, P, CRIA_STR("dir-1"), CRIA_STR("x"), 99);
}

CRIA_TEST(entries_are_filtered)
{
#define DIR .directory_id = CRIA_STR_INIT("dir-1")
    static const struct {
        struct cria_entry_query query;
        size_t count;
    } cases[] = {
        {{DIR}, 3},
        {{DIR, .include_deleted = true}, 4},
        {{DIR, .display_name = CRIA_STR_INIT("report_2.PDF")}, 1},
        {{DIR, .display_name = CRIA_STR_INIT("report")}, 0},
        {{DIR, .display_name_contains = CRIA_STR_INIT("REPORT")}, 2},
        {{DIR, .display_name_contains = CRIA_STR_INIT("%")}, 1}, /* no wildcards */
        {{DIR, .display_name_contains = CRIA_STR_INIT("_")}, 1},
        {{DIR, .display_name_contains = CRIA_STR_INIT("Übers")}, 1},
        {{DIR, .display_name_contains = CRIA_STR_INIT("")}, 3},
        {{DIR, .unique_id = CRIA_STR_INIT("u1")}, 1},
        {{DIR, .file_id = CRIA_STR_INIT("fil-1")}, 3},
        {{DIR, .file_id = CRIA_STR_INIT("fil-2")}, 0},
        {{DIR, .updated_from_us = 20}, 2},
        {{DIR, .updated_from_us = 20, .updated_to_us = 20}, 1},
        {{DIR, .updated_to_us = 19}, 1},
        {{.directory_id = CRIA_STR_INIT("dir-2")}, 0},
    };
    struct store_fixture *f = *state;
    struct cria_entry_list list;
    struct cria_entry entry;
    assert_int_equal(write_step(f, entries_to_filter), CRIA_OK);
    struct cria_tx *tx = reading(f);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        assert_int_equal(cria_tx_entry_list(tx, &f->call, P, &cases[i].query, &all, &list),
                         CRIA_OK);
        if (list.count != cases[i].count) fail_msg("case %zu: %zu", i, list.count);
    }
    assert_int_equal(
        cria_tx_entry_get(tx, &f->call, P, CRIA_STR("dir-2"), CRIA_STR("Übersicht"), &entry),
        CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
}

/* ---- configurations and kept answers */

static struct cria_configuration stored;
static enum cria_status upsert(struct cria_tx *tx, struct cria_call *call, const char *id,
                               const char *type, const char *name, int64_t at)
{
    const struct cria_configuration row = {
        cria_str_from(id), cria_str_from(name), cria_str_from(type), CRIA_STR("{}"), at, at};
    return cria_tx_configuration_upsert(tx, call, P, &row, &stored);
}

static enum cria_status three_configurations(struct cria_tx *tx, struct cria_call *call)
{
    TRY(upsert(tx, call, "c1", "parse_v2", "a", 1));
    TRY(upsert(tx, call, "c2", "extract_v2", "a", 2));
    return upsert(tx, call, "c3", "parse_v2", "b", 3);
}

static enum cria_status upsert_again(struct cria_tx *tx, struct cria_call *call)
{
    return upsert(tx, call, "c4", "parse_v2", "a", 9);
}

static enum cria_status rename_to_taken(struct cria_tx *tx, struct cria_call *call)
{
    const struct cria_configuration row = {
        CRIA_STR("c3"), CRIA_STR("a"), CRIA_STR("parse_v2"), CRIA_STR("{}"), 3, 10};
    return cria_tx_configuration_update(tx, call, P, &row);
}

CRIA_TEST(configurations_have_one_row_for_a_type_and_name)
{
    static const struct cria_str types[] = {
        CRIA_STR_INIT("extract_v2"), CRIA_STR_INIT("extract_v2"), CRIA_STR_INIT("extract_v2"),
        CRIA_STR_INIT("extract_v2"), CRIA_STR_INIT("extract_v2"), CRIA_STR_INIT("extract_v2"),
        CRIA_STR_INIT("parse_v2")};
    struct store_fixture *f = *state;
    struct cria_configuration_list list;
    assert_int_equal(write_step(f, three_configurations), CRIA_OK);
    assert_int_equal(write_step(f, upsert_again), CRIA_OK);
    assert_str_equal(stored.id, "c1");
    assert_int_equal(stored.created_at_us, 1);
    assert_int_equal(stored.updated_at_us, 9);
    assert_int_equal(write_step(f, rename_to_taken), CRIA_E_CONFLICT);
    struct cria_tx *tx = reading(f);
    const struct {
        struct cria_str name;
        size_t type_count, count;
    } cases[] = {
        {none, 0, 3}, {none, 1, 1}, {none, 7, 3}, {CRIA_STR("a"), 0, 2}, {CRIA_STR("b"), 1, 0}};
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        assert_int_equal(cria_tx_configuration_list(tx, &f->call, P, cases[i].name, types,
                                                    cases[i].type_count, &all, &list),
                         CRIA_OK);
        assert_int_equal(list.count, cases[i].count);
    }
    cria_store_read_end(tx);
}

static enum cria_status keep_answer(struct cria_tx *tx, struct cria_call *call)
{
    const struct cria_idempotency row = {CRIA_STR("key"), CRIA_STR("print"), 201,
                                         CRIA_STR("{\"id\":1}"), 100};
    return cria_tx_idempotency_insert(tx, call, P, &row);
}

static enum cria_status expire_before_100(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_idempotency_expire(tx, call, 100);
}

static enum cria_status expire_before_101(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_idempotency_expire(tx, call, 101);
}

CRIA_TEST(a_kept_answer_belongs_to_a_project_and_dies)
{
    struct store_fixture *f = *state;
    struct cria_idempotency row;
    assert_int_equal(write_step(f, keep_answer), CRIA_OK);
    assert_int_equal(write_step(f, keep_answer), CRIA_E_CONFLICT);
    assert_int_equal(write_step(f, expire_before_100), CRIA_OK);
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_idempotency_get(tx, &f->call, P, CRIA_STR("key"), &row), CRIA_OK);
    assert_int_equal(row.status, 201);
    assert_str_equal(row.body, "{\"id\":1}");
    assert_str_equal(row.fingerprint, "print");
    assert_int_equal(cria_tx_idempotency_get(tx, &f->call, Q, CRIA_STR("key"), &row),
                     CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
    assert_int_equal(write_step(f, expire_before_101), CRIA_OK);
    tx = reading(f);
    assert_int_equal(cria_tx_idempotency_get(tx, &f->call, P, CRIA_STR("key"), &row),
                     CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
    const struct CMUnitTest tests[] = {
        CASE(organizations_have_a_first_and_projects_a_default),
        CASE(keys_are_listed_for_ever_and_revoked_once),
        CASE(files_page_in_every_order),
        CASE(files_are_filtered_by_name_external_id_and_ids),
        CASE(a_deleted_file_takes_its_entries_but_not_what_was_indexed),
        CASE(directories_are_filtered_deleted_and_expire),
        CASE(unique_ids_are_unique_among_the_living_of_a_directory),
        CASE(entries_are_filtered),
        CASE(configurations_have_one_row_for_a_type_and_name),
        CASE(a_kept_answer_belongs_to_a_project_and_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
