/* What records.h promises of indexes, their documents and attachments, and of chat sessions. */
#include "store/records.h"
#include "tests/support/test_store.h"

#define P CRIA_STR("prj-1")
#define Q CRIA_STR("prj-2")
#define DAY ((int64_t)86400 * 1000000)
static const struct cria_str none;
static const struct cria_window all = {.limit = 100};

static enum cria_status add_index(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, const char *id,
                                  enum cria_index_status status, const char *frequency,
                                  int64_t synced_at)
{
    struct cria_index row = {.id = cria_str_from(id),
                             .name = cria_str_from(id),
                             .source_directory_id = CRIA_STR("dir-1"),
                             .output_directory_id = cria_arena_printf(call->arena, "out-of-%s", id),
                             .sync_frequency = cria_str_from(frequency),
                             .status = status,
                             .created_at_us = 1,
                             .updated_at_us = synced_at,
                             .last_synced_at_us = synced_at};
    return cria_tx_index_insert(tx, call, project, &row);
}

/* ---- documents: staged, then live */

static enum cria_status add_document(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, const char *index, const char *entry,
                                     const char *id, const char *text)
{
    static const struct cria_chunk chunks[] = {{.n = 1, .char_start = 3, .heading = {0}},
                                               {.n = 0, .heading = CRIA_STR_INIT("A > B")}};
    struct cria_document row = {.id = cria_str_from(id),
                                .index_id = cria_str_from(index),
                                .entry_id = cria_str_from(entry),
                                .source_entry_id = CRIA_STR("src"),
                                .content_key = CRIA_STR("key"),
                                .display_name = cria_str_from(entry),
                                .is_live = true, /* not for the caller to say */
                                .created_at_us = 1};
    return cria_tx_document_insert(tx, call, project, &row, cria_str_from(text), chunks, 2);
}

/* The texts an index shows, in the order of its list: "a1 b1 ". */
static void assert_texts(struct store_fixture *f, struct cria_str project, const char *index,
                         bool staged, const char *want)
{
    static const struct cria_str entries[] = {CRIA_STR_INIT("a"), CRIA_STR_INIT("b"),
                                              CRIA_STR_INIT("c")};
    char got[64] = "";
    struct cria_document row;
    struct cria_str text;
    struct cria_tx *tx = reading(f);
    for (size_t i = 0; i < CRIA_COUNT(entries); i++) {
        enum cria_status st = cria_tx_document_get(tx, &f->call, project, cria_str_from(index),
                                                   entries[i], staged, &row);
        if (st == CRIA_E_NOT_FOUND) continue;
        assert_int_equal(st, CRIA_OK);
        assert_int_equal(row.is_live, !staged);
        assert_int_equal(cria_tx_document_text(tx, &f->call, project, row.id, &text), CRIA_OK);
        size_t n = strlen(got);
        snprintf(got + n, sizeof(got) - n, "%.*s ", CRIA_STR_ARG(text));
    }
    cria_store_read_end(tx);
    assert_string_equal(got, want);
}

static size_t live_count(struct store_fixture *f, struct cria_str project, const char *index,
                         struct cria_str name, struct cria_str contains)
{
    struct cria_document_list list;
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_document_list(tx, &f->call, project, cria_str_from(index), name,
                                           contains, &all, &list),
                     CRIA_OK);
    cria_store_read_end(tx);
    return list.count;
}

static enum cria_status stage_first(struct cria_tx *tx, struct cria_call *call)
{
    TRY(add_document(tx, call, P, "idx-1", "a", "doc-a1", "a1"));
    TRY(add_document(tx, call, P, "idx-1", "b", "doc-b1", "b1"));
    TRY(add_document(tx, call, P, "idx-2", "a", "doc-other", "other"));
    return add_document(tx, call, Q, "idx-1", "a", "doc-a1", "foreign");
}

static enum cria_status publish(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_documents_publish(tx, call, P, CRIA_STR("idx-1"), NULL, 0);
}

static enum cria_status stage_second(struct cria_tx *tx, struct cria_call *call)
{
    TRY(add_document(tx, call, P, "idx-1", "a", "doc-a2", "a2"));
    return add_document(tx, call, P, "idx-1", "c", "doc-c1", "c1");
}

static enum cria_status unstage(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_documents_unstage(tx, call, P, CRIA_STR("idx-1"));
}

static enum cria_status publish_without_b(struct cria_tx *tx, struct cria_call *call)
{
    static const struct cria_str gone[] = {CRIA_STR_INIT("b"), CRIA_STR_INIT("never there")};
    return cria_tx_documents_publish(tx, call, P, CRIA_STR("idx-1"), gone, 2);
}

CRIA_TEST(staged_documents_become_live_together_and_replace)
{
    static const struct {
        store_step_fn *step;
        const char *live, *staged;
    } steps[] = {
        {stage_first, "", "a1 b1 "},
        {publish, "a1 b1 ", ""},
        {stage_second, "a1 b1 ", "a2 c1 "},
        {unstage, "a1 b1 ", ""},
        {stage_second, "a1 b1 ", "a2 c1 "},
        {publish_without_b, "a2 c1 ", ""},
        {publish, "a2 c1 ", ""},
    };
    struct store_fixture *f = *state;
    for (size_t i = 0; i < CRIA_COUNT(steps); i++) {
        assert_int_equal(write_step(f, steps[i].step), CRIA_OK);
        assert_texts(f, P, "idx-1", false, steps[i].live);
        assert_texts(f, P, "idx-1", true, steps[i].staged);
        assert_texts(f, P, "idx-2", true, "other ");
        assert_texts(f, Q, "idx-1", true, "foreign ");
        assert_int_equal(live_count(f, P, "idx-1", none, none), strlen(steps[i].live) / 3);
    }
    struct cria_str text;
    struct cria_chunk_list chunks;
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_document_text(tx, &f->call, P, CRIA_STR("doc-a1"), &text),
                     CRIA_E_NOT_FOUND);
    assert_int_equal(cria_tx_document_chunks(tx, &f->call, P, CRIA_STR("doc-a1"), &chunks),
                     CRIA_OK);
    assert_int_equal(chunks.count, 0);
    assert_int_equal(cria_tx_document_chunks(tx, &f->call, P, CRIA_STR("doc-a2"), &chunks),
                     CRIA_OK);
    assert_int_equal(chunks.count, 2);
    assert_int_equal(chunks.items[0].n, 0);
    assert_str_equal(chunks.items[0].heading, "A > B");
    assert_int_equal(chunks.items[1].char_start, 3);
    assert_null(chunks.items[1].heading.ptr);
    cria_store_read_end(tx);
}

static enum cria_status ten_bytes(struct cria_tx *tx, struct cria_call *call)
{
    TRY(add_document(tx, call, P, "idx-1", "Report.PDF", "doc-1", "0123456789"));
    TRY(add_document(tx, call, P, "idx-1", "empty_%", "doc-2", ""));
    return publish(tx, call);
}

CRIA_TEST(slices_are_cut_to_what_is_there_and_names_are_found)
{
    static const struct {
        uint64_t start, max;
        const char *want;
    } slices[] = {
        {0, 3, "012"},
        {3, 4, "3456"},
        {8, 100, "89"},
        {10, 1, ""},
        {11, 5, ""},
        {0, 0, ""},
        {0, UINT64_MAX, "0123456789"},
        {UINT64_MAX, 1, ""},
        {9, UINT64_MAX, "9"},
        {INT64_MAX, INT64_MAX, ""},
    };
    struct store_fixture *f = *state;
    struct cria_str text;
    assert_int_equal(write_step(f, ten_bytes), CRIA_OK);
    struct cria_tx *tx = reading(f);
    for (size_t i = 0; i < CRIA_COUNT(slices); i++) {
        assert_int_equal(cria_tx_document_slice(tx, &f->call, P, CRIA_STR("doc-1"), slices[i].start,
                                                slices[i].max, &text),
                         CRIA_OK);
        assert_str_equal(text, slices[i].want);
    }
    assert_int_equal(cria_tx_document_text(tx, &f->call, P, CRIA_STR("doc-2"), &text), CRIA_OK);
    assert_int_equal(text.len, 0);
    assert_int_equal(cria_tx_document_slice(tx, &f->call, Q, CRIA_STR("doc-1"), 0, 1, &text),
                     CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
    assert_int_equal(live_count(f, P, "idx-1", CRIA_STR("Report.PDF"), none), 1);
    assert_int_equal(live_count(f, P, "idx-1", CRIA_STR("report.pdf"), none), 0);
    assert_int_equal(live_count(f, P, "idx-1", none, CRIA_STR("report")), 1);
    assert_int_equal(live_count(f, P, "idx-1", none, CRIA_STR("%")), 1);
    assert_int_equal(live_count(f, P, "idx-1", none, CRIA_STR("nope")), 0);
}

/* ---- indexes */

static enum cria_status whole_index(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_str project, const char *id, const char *document)
{
    struct cria_str out = cria_arena_printf(call->arena, "out-of-%s", id);
    const struct cria_directory directory = {.id = out, .name = out, .type = CRIA_STR("index")};
    const struct cria_entry entry = {.id = cria_arena_printf(call->arena, "entry-of-%s", id),
                                     .directory_id = out,
                                     .display_name = CRIA_STR("e"),
                                     .unique_id = CRIA_STR("u"),
                                     .metadata_json = CRIA_STR("{}")};
    const struct cria_attachment attachment = {.entry_id = entry.id,
                                               .name = CRIA_STR("items/page_1.json"),
                                               .media_type = CRIA_STR("x"),
                                               .sha256 = CRIA_STR("ff")};
    TRY(add_index(tx, call, project, id, CRIA_INDEX_READY, "manual", 1));
    TRY(cria_tx_directory_insert(tx, call, project, &directory));
    TRY(cria_tx_entry_insert(tx, call, project, &entry));
    TRY(cria_tx_attachment_put(tx, call, project, &attachment));
    return add_document(tx, call, project, id, "a", document, "text");
}

static enum cria_status three_indexes(struct cria_tx *tx, struct cria_call *call)
{
    TRY(whole_index(tx, call, P, "idx-1", "doc-1"));
    TRY(whole_index(tx, call, P, "idx-2", "doc-2"));
    return whole_index(tx, call, Q, "idx-1", "doc-1");
}

static enum cria_status delete_index(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_index_delete(tx, call, P, CRIA_STR("exp-1"));
}

static void assert_index(struct store_fixture *f, struct cria_str project, const char *id,
                         const char *document, bool is_there)
{
    enum cria_status want = is_there ? CRIA_OK : CRIA_E_NOT_FOUND;
    struct cria_index index;
    struct cria_directory directory;
    struct cria_entry entry;
    struct cria_attachment attachment;
    struct cria_chunk_list chunks;
    struct cria_str text, out = cria_arena_printf(&f->arena, "out-of-%s", id),
                          in_out = cria_arena_printf(&f->arena, "entry-of-%s", id);
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_index_get(tx, &f->call, project, cria_str_from(id), &index), want);
    assert_int_equal(cria_tx_directory_get(tx, &f->call, project, out, &directory), want);
    assert_int_equal(cria_tx_entry_get(tx, &f->call, project, none, in_out, &entry), want);
    assert_int_equal(cria_tx_attachment_get(tx, &f->call, project, in_out,
                                            CRIA_STR("items/page_1.json"), &attachment),
                     want);
    assert_int_equal(cria_tx_document_text(tx, &f->call, project, cria_str_from(document), &text),
                     want);
    assert_int_equal(
        cria_tx_document_chunks(tx, &f->call, project, cria_str_from(document), &chunks), CRIA_OK);
    assert_int_equal(chunks.count, is_there ? 2 : 0);
    cria_store_read_end(tx);
}

CRIA_TEST(a_deleted_index_takes_along_what_was_built_for_it)
{
    struct store_fixture *f = *state;
    struct cria_index index;
    assert_int_equal(write_step(f, three_indexes), CRIA_OK);
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_index_get(tx, &f->call, P, CRIA_STR("exp-2"), &index), CRIA_OK);
    assert_str_equal(index.id, "idx-2");
    assert_int_equal(cria_tx_index_get(tx, &f->call, P, CRIA_STR("exp-3"), &index),
                     CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
    assert_index(f, P, "idx-1", "doc-1", true);
    assert_int_equal(write_step(f, delete_index), CRIA_OK);
    assert_int_equal(write_step(f, delete_index), CRIA_E_NOT_FOUND);
    assert_index(f, P, "idx-1", "doc-1", false);
    assert_index(f, P, "idx-2", "doc-2", true);
    assert_index(f, Q, "idx-1", "doc-1", true);
}

static enum cria_status scheduled_indexes(struct cria_tx *tx, struct cria_call *call)
{
    const int64_t now = 10 * DAY;
    const struct cria_directory row = {.id = CRIA_STR("dir-1"),
                                       .name = CRIA_STR("d"),
                                       .type = CRIA_STR("user"),
                                       .updated_at_us = now - 31 * 1000000};
    TRY(cria_tx_directory_insert(tx, call, P, &row));
    TRY(add_index(tx, call, P, "idx-a-pending", CRIA_INDEX_PENDING, "daily", 1));
    TRY(add_index(tx, call, Q, "idx-b-syncing", CRIA_INDEX_SYNCING, "manual", 2));
    TRY(add_index(tx, call, P, "idx-c-exporting", CRIA_INDEX_EXPORTING, "on_source_change", 3));
    TRY(add_index(tx, call, P, "idx-d-daily", CRIA_INDEX_READY, "daily", now - DAY));
    TRY(add_index(tx, call, P, "idx-e-daily-early", CRIA_INDEX_READY, "daily", now - DAY + 1));
    TRY(add_index(tx, call, Q, "idx-f-daily-failed", CRIA_INDEX_FAILED, "daily", 5));
    TRY(add_index(tx, call, P, "idx-g-changed", CRIA_INDEX_READY, "on_source_change",
                  now - 60 * 1000000));
    TRY(add_index(tx, call, P, "idx-h-unchanged", CRIA_INDEX_READY, "on_source_change",
                  now - 20 * 1000000));
    TRY(add_index(tx, call, Q, "idx-i-no-directory", CRIA_INDEX_READY, "on_source_change", 5));
    TRY(add_index(tx, call, P, "idx-j-manual", CRIA_INDEX_READY, "manual", 5));
    /* Tried an hour ago and failed: not at once again. */
    TRY(add_index(tx, call, P, "idx-k-tried", CRIA_INDEX_FAILED, "daily", 5));
    struct cria_index tried;
    TRY(cria_tx_index_get(tx, call, P, CRIA_STR("idx-k-tried"), &tried));
    tried.updated_at_us = now - DAY / 24;
    return cria_tx_index_update_state(tx, call, P, &tried);
}

static void assert_refs(const struct cria_index_ref_list *list, const char *const *want,
                        size_t count)
{
    assert_int_equal(list->count, count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < list->count; j++)
            found |= cria_str_is(list->items[j].index.id, want[i]);
        if (!found) fail_msg("%s is missing", want[i]);
    }
}

CRIA_TEST(the_scheduler_sees_what_is_unfinished_and_what_is_due)
{
    static const char *const unfinished[] = {"idx-a-pending", "idx-b-syncing", "idx-c-exporting"};
    static const char *const due[] = {"idx-d-daily", "idx-f-daily-failed", "idx-g-changed"};
    struct store_fixture *f = *state;
    struct cria_index_ref_list list;
    assert_int_equal(write_step(f, scheduled_indexes), CRIA_OK);
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_index_unfinished(tx, &f->call, &list), CRIA_OK);
    assert_refs(&list, unfinished, CRIA_COUNT(unfinished));
    assert_str_equal(list.items[1].project_id, "prj-2");
    assert_int_equal(cria_tx_index_due(tx, &f->call, 10 * DAY, &list), CRIA_OK);
    assert_refs(&list, due, CRIA_COUNT(due));
    /* While its source keeps changing an index waits. */
    assert_int_equal(cria_tx_index_due(tx, &f->call, 10 * DAY - 2 * 1000000, &list), CRIA_OK);
    assert_refs(&list, due + 1, 1);
    cria_store_read_end(tx);
}

/* ---- attachments */

static enum cria_status attach(struct cria_tx *tx, struct cria_call *call, const char *entry,
                               const char *name, int64_t page, const char *sha)
{
    const struct cria_attachment row = {.entry_id = cria_str_from(entry),
                                        .name = cria_str_from(name),
                                        .media_type = CRIA_STR("t"),
                                        .sha256 = cria_str_from(sha),
                                        .sort_key = page};
    return cria_tx_attachment_put(tx, call, P, &row);
}

static enum cria_status entry_with_attachments(struct cria_tx *tx, struct cria_call *call)
{
    struct cria_entry source = {.id = CRIA_STR("source"),
                                .directory_id = CRIA_STR("dir-1"),
                                .display_name = CRIA_STR("e"),
                                .unique_id = CRIA_STR("u"),
                                .file_id = CRIA_STR("fil-1"),
                                .metadata_json = CRIA_STR("{}")};
    struct cria_entry output = source;
    const struct cria_file lonely = {
        .id = CRIA_STR("fil-2"), .name = CRIA_STR("in no directory"), .sha256 = CRIA_STR("00")};
    output.id = CRIA_STR("output");
    output.directory_id = CRIA_STR("out-1");
    output.source_entry_id = source.id;
    TRY(cria_tx_file_insert(tx, call, P, &lonely));
    TRY(cria_tx_entry_insert(tx, call, P, &source));
    TRY(cria_tx_entry_insert(tx, call, P, &output));
    TRY(attach(tx, call, "output", "screenshots/page_1.jpg", 1, "s1"));
    TRY(attach(tx, call, "output", "items/page_10.json", 10, "i10"));
    TRY(attach(tx, call, "output", "items/page_2.json", 2, "old"));
    return attach(tx, call, "output", "items/page_2.json", 2, "i2"); /* replaces */
}

static enum cria_status clear(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_attachments_clear(tx, call, P, CRIA_STR("output"));
}

CRIA_TEST(attachments_are_found_by_entry_source_and_file)
{
    static const char *const ids[] = {"output", "source", "fil-1"};
    struct store_fixture *f = *state;
    struct cria_attachment_list list;
    struct cria_attachment row;
    assert_int_equal(write_step(f, entry_with_attachments), CRIA_OK);
    struct cria_tx *tx = reading(f);
    for (size_t i = 0; i < CRIA_COUNT(ids); i++) {
        assert_int_equal(
            cria_tx_attachment_list(tx, &f->call, P, cria_str_from(ids[i]), &all, &list), CRIA_OK);
        assert_int_equal(list.count, 3);
        assert_str_equal(list.items[0].sha256, "i2");
        assert_str_equal(list.items[1].sha256, "i10");
        assert_str_equal(list.items[2].sha256, "s1");
        assert_int_equal(cria_tx_attachment_get(tx, &f->call, P, cria_str_from(ids[i]),
                                                CRIA_STR("items/page_10.json"), &row),
                         CRIA_OK);
        assert_int_equal(cria_tx_attachment_get(tx, &f->call, P, cria_str_from(ids[i]),
                                                CRIA_STR("items/page_3.json"), &row),
                         CRIA_E_NOT_FOUND);
        assert_int_equal(
            cria_tx_attachment_list(tx, &f->call, Q, cria_str_from(ids[i]), &all, &list),
            CRIA_E_NOT_FOUND);
    }
    assert_int_equal(cria_tx_attachment_list(tx, &f->call, P, CRIA_STR("fil-2"), &all, &list),
                     CRIA_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(cria_tx_attachment_list(tx, &f->call, P, CRIA_STR("fil-3"), &all, &list),
                     CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
    assert_int_equal(write_step(f, clear), CRIA_OK);
    tx = reading(f);
    assert_int_equal(cria_tx_attachment_list(tx, &f->call, P, CRIA_STR("output"), &all, &list),
                     CRIA_OK);
    assert_int_equal(list.count, 0);
    cria_store_read_end(tx);
}

/* ---- chat */

static enum cria_status begin_turn(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, const char *session, const char *turn)
{
    const struct cria_turn_row row = {.id = cria_str_from(turn),
                                      .session_id = cria_str_from(session),
                                      .is_running = true,
                                      .started_at_us = 5,
                                      .state_json = CRIA_STR("{\"s\":1}")};
    return cria_tx_turn_insert(tx, call, project, &row);
}

static enum cria_status append(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               const char *session, const char *turn, uint32_t first)
{
    const struct cria_frame frames[] = {{first, false, CRIA_STR("message")},
                                        {first + 1, true, CRIA_STR("delta")},
                                        {first + 2, false, CRIA_STR("answer")}};
    return cria_tx_frames_append(tx, call, project, cria_str_from(session), cria_str_from(turn),
                                 frames, 3);
}

static enum cria_status chats(struct cria_tx *tx, struct cria_call *call)
{
    static const char *const ids[] = {"s1", "s2"};
    struct cria_session row = {.shared_access = CRIA_STR("private")};
    for (int i = 0; i < 3; i++) {
        struct cria_str project = i < 2 ? P : Q;
        row.id = cria_str_from(ids[i % 2]);
        TRY(cria_tx_session_insert(tx, call, project, &row));
        TRY(begin_turn(tx, call, project, ids[i % 2], "trn-1"));
        TRY(append(tx, call, project, ids[i % 2], "trn-1", 1));
    }
    return CRIA_OK;
}

static enum cria_status append_more(struct cria_tx *tx, struct cria_call *call)
{
    return append(tx, call, P, "s1", "trn-1", 4);
}

static enum cria_status append_to_nothing(struct cria_tx *tx, struct cria_call *call)
{
    return append(tx, call, P, "s9", "trn-1", 1);
}

static enum cria_status finish_first(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_turn_finish(tx, call, P, CRIA_STR("s1"), CRIA_STR("trn-1"), 9);
}

static enum cria_status second_turn(struct cria_tx *tx, struct cria_call *call)
{
    TRY(begin_turn(tx, call, P, "s1", "trn-2"));
    return append(tx, call, P, "s1", "trn-2", 1);
}

static enum cria_status delete_session(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_session_delete(tx, call, P, CRIA_STR("s1"));
}

static void assert_chat(struct store_fixture *f, struct cria_str project, const char *session,
                        size_t events, size_t frames_of_first, size_t frames_of_second)
{
    struct cria_frame_list list;
    struct cria_session row = {.event_count = 0};
    struct cria_str id = cria_str_from(session);
    struct cria_tx *tx = reading(f);
    enum cria_status st = cria_tx_session_get(tx, &f->call, project, id, &row);
    assert_int_equal(st, events ? CRIA_OK : CRIA_E_NOT_FOUND);
    assert_int_equal(row.event_count, events);
    assert_int_equal(cria_tx_events_list(tx, &f->call, project, id, 0, 0, &list), CRIA_OK);
    assert_int_equal(list.count, events);
    const size_t want[] = {frames_of_first, frames_of_second};
    for (int turn = 0; turn < 2; turn++) {
        struct cria_str turn_id = turn ? CRIA_STR("trn-2") : CRIA_STR("trn-1");
        assert_int_equal(cria_tx_frames_list(tx, &f->call, project, id, turn_id, 0, 0, &list),
                         CRIA_OK);
        assert_int_equal(list.count, want[turn]);
        for (size_t i = 1; i < list.count; i++) assert_true(list.items[i].n > list.items[i - 1].n);
    }
    cria_store_read_end(tx);
}

CRIA_TEST(a_session_keeps_its_messages_and_the_deltas_of_its_last_turn)
{
    static const struct {
        store_step_fn *step;
        enum cria_status status;
        size_t events, first, second;
    } steps[] = {
        {chats, CRIA_OK, 2, 3, 0},
        {append_more, CRIA_OK, 4, 6, 0},
        {append_more, CRIA_E_CONFLICT, 4, 6, 0}, /* its second frame exists: none stays */
        {append_to_nothing, CRIA_E_NOT_FOUND, 4, 6, 0},
        {finish_first, CRIA_OK, 4, 6, 0},
        {second_turn, CRIA_OK, 6, 4, 3},
        {delete_session, CRIA_OK, 0, 0, 0},
        {delete_session, CRIA_E_NOT_FOUND, 0, 0, 0},
        {append_more, CRIA_E_NOT_FOUND, 0, 0, 0},
    };
    struct store_fixture *f = *state;
    for (size_t i = 0; i < CRIA_COUNT(steps); i++) {
        assert_int_equal(write_step(f, steps[i].step), steps[i].status);
        assert_chat(f, P, "s1", steps[i].events, steps[i].first, steps[i].second);
        assert_chat(f, P, "s2", 2, 3, 0);
        assert_chat(f, Q, "s1", 2, 3, 0);
    }
}

CRIA_TEST(frames_and_events_go_on_where_a_reader_stopped)
{
    struct store_fixture *f = *state;
    struct cria_frame_list list;
    struct cria_str s = CRIA_STR("s1"), t = CRIA_STR("trn-1");
    assert_int_equal(write_step(f, chats), CRIA_OK);
    assert_int_equal(write_step(f, append_more), CRIA_OK);
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_frames_list(tx, &f->call, P, s, t, 1, 3, &list), CRIA_OK);
    assert_int_equal(list.count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(list.items[i].n, i + 2);
        assert_int_equal(list.items[i].is_delta, i == 0 || i == 3);
    }
    assert_str_equal(list.items[0].json, "delta");
    assert_int_equal(cria_tx_frames_list(tx, &f->call, P, s, t, 6, 10, &list), CRIA_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(cria_tx_events_list(tx, &f->call, P, s, 1, 2, &list), CRIA_OK);
    assert_int_equal(list.count, 2);
    assert_str_equal(list.items[0].json, "answer");
    assert_int_equal(list.items[0].n, 3);
    assert_int_equal(list.items[1].n, 4);
    cria_store_read_end(tx);
}

CRIA_TEST(turns_left_running_are_found_at_start)
{
    struct store_fixture *f = *state;
    struct cria_turn_ref_list list;
    struct cria_turn_row row;
    assert_int_equal(write_step(f, finish_first), CRIA_E_NOT_FOUND);
    assert_int_equal(write_step(f, chats), CRIA_OK);
    assert_int_equal(write_step(f, finish_first), CRIA_OK);
    assert_int_equal(write_step(f, second_turn), CRIA_OK);
    store_fixture_close(f);
    store_fixture_open(f);
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_turn_unfinished(tx, &f->call, &list), CRIA_OK);
    assert_int_equal(list.count, 3); /* s1's second, s2's, and the other project's */
    for (size_t i = 0; i < list.count; i++) {
        assert_true(list.items[i].turn.is_running);
        assert_str_equal(list.items[i].turn.state_json, "{\"s\":1}");
    }
    assert_int_equal(cria_tx_turn_latest(tx, &f->call, P, CRIA_STR("s1"), &row), CRIA_OK);
    assert_str_equal(row.id, "trn-2");
    assert_int_equal(cria_tx_turn_latest(tx, &f->call, Q, CRIA_STR("s1"), &row), CRIA_OK);
    assert_str_equal(row.id, "trn-1");
    assert_int_equal(cria_tx_turn_latest(tx, &f->call, Q, CRIA_STR("s2"), &row), CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
    const struct CMUnitTest tests[] = {
        CASE(staged_documents_become_live_together_and_replace),
        CASE(slices_are_cut_to_what_is_there_and_names_are_found),
        CASE(a_deleted_index_takes_along_what_was_built_for_it),
        CASE(the_scheduler_sees_what_is_unfinished_and_what_is_due),
        CASE(attachments_are_found_by_entry_source_and_file),
        CASE(a_session_keeps_its_messages_and_the_deltas_of_its_last_turn),
        CASE(frames_and_events_go_on_where_a_reader_stopped),
        CASE(turns_left_running_are_found_at_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
