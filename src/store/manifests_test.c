/* manifests_test.c - which documents changed since, and the row that says which search files count:
 * replaced only by who has seen the last one, and a project's own. */
#include "store/records.h"
#include "tests/support/test_store.h"

#define HOME CRIA_STR("prj-home")
#define AWAY CRIA_STR("prj-away")
#define INDEX CRIA_STR("idx-1")

enum { DOCUMENTS = 7 };

/* ---- deeds */

struct deed {
    struct cria_str project, index_id, body;
    int64_t expected;
    unsigned first, count, version; /* documents */
    bool is_published;
    struct cria_str gone[2];
    size_t gone_count;
};

static enum cria_status make_index(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct deed *deed = arg;
    const struct cria_index index = {.id = deed->index_id,
                                     .name = CRIA_STR("x"),
                                     .source_directory_id = CRIA_STR("s"),
                                     .output_directory_id = CRIA_STR("o"),
                                     .sync_frequency = CRIA_STR("manual"),
                                     .failed_files_json = CRIA_STR("[]")};
    return cria_tx_index_insert(tx, call, deed->project, &index);
}

static enum cria_status drop_index(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct deed *deed = arg;
    return cria_tx_index_delete(tx, call, deed->project, deed->index_id);
}

static enum cria_status put_manifest(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct deed *deed = arg;
    return cria_tx_manifest_put(tx, call, deed->project, deed->index_id, deed->expected,
                                deed->body);
}

static enum cria_status put_documents(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct deed *deed = arg;
    for (unsigned n = deed->first; n < deed->first + deed->count; n++) {
        const struct cria_document row = {
            .id = cria_arena_printf(call->arena, "doc-%u-%u", (n * 5) % 9, deed->version),
            .index_id = deed->index_id,
            .entry_id = cria_arena_printf(call->arena, "dfl-%u", n),
            .source_entry_id = CRIA_STR("s"),
            .content_key = CRIA_STR("k"),
            .display_name = CRIA_STR("n"),
            .title = CRIA_STR("t"),
            .metadata_json = CRIA_STR("{}"),
            .byte_count = 1,
            .chunk_count = 0};
        TRY(cria_tx_document_insert(tx, call, deed->project, &row, CRIA_STR("x"), NULL, 0));
    }
    return deed->is_published ? cria_tx_documents_publish(tx, call, deed->project, deed->index_id,
                                                          deed->gone, deed->gone_count)
                              : CRIA_OK;
}

static enum cria_status relabel(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct deed *deed = arg;
    return cria_tx_document_relabel(tx, call, deed->project, deed->index_id,
                                    cria_arena_printf(call->arena, "dfl-%u", deed->first),
                                    CRIA_STR("another name"), CRIA_STR("{\"a\":1}"));
}

static enum cria_status run(struct store_fixture *f, cria_write_fn *fn, struct deed *deed)
{
    return cria_store_write(f->store, &f->call, fn, deed);
}

static int setup(void **state)
{
    store_setup(state);
    struct deed home = {.project = HOME, .index_id = INDEX};
    assert_int_equal(run(*state, make_index, &home), CRIA_OK);
    return 0;
}

/* ---- the manifest */

static enum cria_status put(struct store_fixture *f, struct cria_str project, int64_t expected,
                            struct cria_str body)
{
    struct deed deed = {.project = project, .index_id = INDEX, .expected = expected, .body = body};
    return run(f, put_manifest, &deed);
}

static void assert_manifest(struct store_fixture *f, struct cria_str project, int64_t version,
                            struct cria_str body)
{
    struct cria_manifest row;
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_manifest_get(tx, &f->call, project, INDEX, &row), CRIA_OK);
    cria_store_read_end(tx);
    assert_int_equal(row.version, version);
    assert_true(cria_str_equal(row.body, body));
}

CRIA_TEST(only_who_has_seen_the_last_manifest_replaces_it)
{
    struct store_fixture *f = *state;
    const struct cria_str a = cria_str_make("a\0b\xFF", 4), b = CRIA_STR("second");
    assert_manifest(f, HOME, 0, (struct cria_str){0});
    assert_int_equal(put(f, HOME, 1, b), CRIA_E_CONFLICT);
    assert_int_equal(put(f, HOME, 0, a), CRIA_OK);
    assert_manifest(f, HOME, 1, a);
    assert_int_equal(put(f, HOME, 0, b), CRIA_E_CONFLICT);
    assert_int_equal(put(f, HOME, 2, b), CRIA_E_CONFLICT);
    assert_manifest(f, HOME, 1, a);
    assert_int_equal(put(f, HOME, 1, b), CRIA_OK);
    assert_int_equal(put(f, HOME, 1, a), CRIA_E_CONFLICT);
    assert_manifest(f, HOME, 2, b);
    store_fixture_close(f);
    store_fixture_open(f);
    assert_manifest(f, HOME, 2, b);
}

CRIA_TEST(a_manifest_belongs_to_an_index_of_its_project)
{
    struct store_fixture *f = *state;
    struct deed away = {.project = AWAY, .index_id = INDEX},
                home = {.project = HOME, .index_id = INDEX};
    assert_int_equal(put(f, AWAY, 0, CRIA_STR("x")), CRIA_E_NOT_FOUND);
    assert_int_equal(put(f, HOME, 0, CRIA_STR("home")), CRIA_OK);
    assert_manifest(f, AWAY, 0, (struct cria_str){0});
    assert_int_equal(put(f, AWAY, 1, CRIA_STR("x")), CRIA_E_NOT_FOUND);
    assert_int_equal(run(f, make_index, &away), CRIA_OK);
    assert_int_equal(put(f, AWAY, 1, CRIA_STR("x")), CRIA_E_CONFLICT);
    assert_int_equal(put(f, AWAY, 0, CRIA_STR("away")), CRIA_OK);
    assert_manifest(f, HOME, 1, CRIA_STR("home"));
    /* It goes with its index, and no other one's does. */
    assert_int_equal(run(f, drop_index, &home), CRIA_OK);
    assert_manifest(f, HOME, 0, (struct cria_str){0});
    assert_manifest(f, AWAY, 1, CRIA_STR("away"));
    assert_int_equal(run(f, make_index, &home), CRIA_OK);
    assert_manifest(f, HOME, 0, (struct cria_str){0});
}

CRIA_TEST(an_index_exists_in_its_project_alone)
{
    struct store_fixture *f = *state;
    bool exists = false;
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_index_exists(tx, &f->call, HOME, INDEX, &exists), CRIA_OK);
    assert_true(exists);
    assert_int_equal(cria_tx_index_exists(tx, &f->call, AWAY, INDEX, &exists), CRIA_OK);
    assert_false(exists);
    assert_int_equal(cria_tx_index_exists(tx, &f->call, HOME, CRIA_STR("idx-2"), &exists), CRIA_OK);
    assert_false(exists);
    cria_store_read_end(tx);
}

/* ---- what changed */

static int64_t seq_of(struct store_fixture *f)
{
    int64_t seq = -1;
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_document_seq(tx, &f->call, HOME, INDEX, &seq), CRIA_OK);
    cria_store_read_end(tx);
    return seq;
}

static uint64_t count_of(struct store_fixture *f, struct cria_str project)
{
    uint64_t count = 99;
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_documents_count(tx, &f->call, project, INDEX, &count), CRIA_OK);
    cria_store_read_end(tx);
    return count;
}

struct seen {
    struct cria_str ids[64], entries[64];
    size_t count;
};

/* All that changed since, in pages of so many: rising by seq, then id; each once. */
static struct seen since(struct store_fixture *f, struct cria_str project, int64_t seq,
                         uint32_t limit)
{
    struct seen seen = {0};
    struct cria_document_list list = {.has_more = true};
    struct cria_window window = {.limit = limit};
    while (list.has_more) {
        struct cria_tx *tx = reading(f);
        assert_int_equal(cria_tx_documents_since(tx, &f->call, project, INDEX, seq, &window, &list),
                         CRIA_OK);
        cria_store_read_end(tx);
        assert_in_range(list.count, list.has_more, limit);
        assert_true(!list.has_more || list.count == limit);
        for (size_t i = 0; i < list.count; i++) {
            const struct cria_document *row = &list.items[i];
            assert_true(row->live_seq > seq && row->is_live);
            assert_true(!window.after.is_set || row->live_seq > window.after.at_us ||
                        (row->live_seq == window.after.at_us &&
                         cria_str_compare(row->id, window.after.id) > 0));
            window.after =
                (struct cria_cursor){.is_set = true, .at_us = row->live_seq, .id = row->id};
            assert_in_range(seen.count, 0, CRIA_COUNT(seen.ids) - 1);
            seen.ids[seen.count] = row->id;
            seen.entries[seen.count++] = row->entry_id;
        }
    }
    return seen;
}

static void assert_since(struct store_fixture *f, int64_t seq, size_t count)
{
    for (uint32_t limit = 1; limit <= 9; limit++) {
        struct seen seen = since(f, HOME, seq, limit);
        assert_int_equal(seen.count, count);
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < i; k++) assert_false(cria_str_equal(seen.ids[i], seen.ids[k]));
    }
}

CRIA_TEST(exports_and_labels_raise_the_count)
{
    struct store_fixture *f = *state;
    struct deed deed = {.project = HOME, .index_id = INDEX, .count = DOCUMENTS};
    int64_t start = seq_of(f);
    assert_since(f, -1, 0);
    assert_int_equal(run(f, put_documents, &deed), CRIA_OK); /* staged: not yet */
    assert_int_equal(seq_of(f), start);
    assert_since(f, -1, 0);
    assert_int_equal(count_of(f, HOME), 0);
    deed.count = 0;
    deed.is_published = true;
    assert_int_equal(run(f, put_documents, &deed), CRIA_OK);
    int64_t first = seq_of(f);
    assert_true(first > start);
    assert_since(f, -1, DOCUMENTS); /* all of one seq */
    assert_since(f, start, DOCUMENTS);
    assert_since(f, first, 0);
    assert_int_equal(count_of(f, HOME), DOCUMENTS);

    deed.first = 3; /* one is labelled */
    assert_int_equal(run(f, relabel, &deed), CRIA_OK);
    int64_t second = seq_of(f);
    assert_true(second > first);
    assert_since(f, -1, DOCUMENTS);
    assert_since(f, first, 1);
    assert_str_equal(since(f, HOME, first, 5).entries[0], "dfl-3");
    assert_since(f, second, 0);

    deed.first = 2; /* two come in a new version, one goes */
    deed.count = 2;
    deed.version = 1;
    deed.gone[0] = CRIA_STR("dfl-0");
    deed.gone_count = 1;
    assert_int_equal(run(f, put_documents, &deed), CRIA_OK);
    assert_true(seq_of(f) > second);
    assert_since(f, second, 2);
    assert_since(f, first, 2);
    assert_since(f, -1, DOCUMENTS - 1);
    assert_int_equal(count_of(f, HOME), DOCUMENTS - 1);

    int64_t third = seq_of(f); /* what only goes raises it too */
    deed.count = 0;
    deed.gone[0] = CRIA_STR("dfl-1");
    assert_int_equal(run(f, put_documents, &deed), CRIA_OK);
    assert_true(seq_of(f) > third);
    assert_since(f, third, 0);
    assert_int_equal(count_of(f, HOME), DOCUMENTS - 2);
}

CRIA_TEST(a_label_for_no_document_changes_nothing)
{
    struct store_fixture *f = *state;
    struct deed deed = {.project = HOME, .index_id = INDEX, .first = 77};
    int64_t before = seq_of(f);
    assert_int_equal(run(f, relabel, &deed), CRIA_E_NOT_FOUND);
    assert_int_equal(seq_of(f), before); /* its transaction was undone */
}

CRIA_TEST(changes_are_a_projects_own)
{
    struct store_fixture *f = *state;
    struct deed away = {.project = AWAY, .index_id = INDEX};
    struct deed deed = {
        .project = HOME, .index_id = INDEX, .count = DOCUMENTS, .is_published = true};
    int64_t seq;
    assert_int_equal(run(f, make_index, &away), CRIA_OK);
    assert_int_equal(run(f, put_documents, &deed), CRIA_OK);
    assert_int_equal(since(f, AWAY, -1, 5).count, 0);
    assert_int_equal(count_of(f, AWAY), 0);
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_document_seq(tx, &f->call, AWAY, INDEX, &seq), CRIA_OK);
    assert_int_equal(seq, 0);
    assert_int_equal(cria_tx_document_seq(tx, &f->call, HOME, CRIA_STR("idx-2"), &seq),
                     CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(only_who_has_seen_the_last_manifest_replaces_it),
        ONE(a_manifest_belongs_to_an_index_of_its_project),
        ONE(an_index_exists_in_its_project_alone),
        ONE(exports_and_labels_raise_the_count),
        ONE(a_label_for_no_document_changes_nothing),
        ONE(changes_are_a_projects_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
