/* What records.h promises of documents' vectors: who owns them, when they die, how they are found.
 */
#include "store/records.h"
#include "tests/support/test_store.h"

#define P CRIA_STR("prj-1")
#define Q CRIA_STR("prj-2")
#define IDX CRIA_STR("idx-1")
#define MODEL CRIA_STR("model@2")

static const char bytes[64] = "0123456789abcdef0123456789ABCDEFvector-bytes";

/* A document of two chunks. */
static enum cria_status add_document(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, const char *index, const char *entry,
                                     const char *id, const char *content)
{
    static const struct cria_chunk chunks[] = {{.n = 0}, {.n = 1}};
    const struct cria_document row = {.id = cria_str_from(id),
                                      .index_id = cria_str_from(index),
                                      .entry_id = cria_str_from(entry),
                                      .source_entry_id = CRIA_STR("src"),
                                      .content_key = cria_str_from(content),
                                      .display_name = cria_str_from(entry),
                                      .created_at_us = 1};
    return cria_tx_document_insert(tx, call, project, &row, CRIA_STR("text"), chunks, 2);
}

static struct cria_document_vectors row_of(const char *index, const char *id, const char *content,
                                           uint32_t chunks)
{
    return (struct cria_document_vectors){.document_id = cria_str_from(id),
                                          .index_id = cria_str_from(index),
                                          .content_key = cria_str_from(content),
                                          .embedder = MODEL,
                                          .dims = 2,
                                          .chunk_count = chunks,
                                          .hashes = {bytes, (size_t)chunks * 16},
                                          .vectors = {bytes + 32, (size_t)chunks * 4}};
}

static enum cria_status add_embedded(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, const char *index, const char *entry,
                                     const char *id, const char *content, uint32_t chunks)
{
    const struct cria_document_vectors row = row_of(index, id, content, chunks);
    TRY(add_document(tx, call, project, index, entry, id, content));
    return chunks ? cria_tx_vectors_put(tx, call, project, &row) : CRIA_OK;
}

static enum cria_status stage(struct cria_tx *tx, struct cria_call *call)
{
    TRY(add_embedded(tx, call, P, "idx-1", "a", "doc-a1", "key-a1", 2));
    TRY(add_embedded(tx, call, P, "idx-1", "b", "doc-b1", "key-b1", 2));
    TRY(add_embedded(tx, call, P, "idx-2", "a", "doc-x", "key-a1", 1));
    return add_embedded(tx, call, Q, "idx-1", "a", "doc-a1", "key-q", 2);
}

static enum cria_status publish(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_documents_publish(tx, call, P, IDX, NULL, 0);
}

static enum cria_status stage_again(struct cria_tx *tx, struct cria_call *call)
{
    TRY(add_embedded(tx, call, P, "idx-1", "a", "doc-a2", "key-a2", 2));
    return add_embedded(tx, call, P, "idx-1", "c", "doc-c1", "key-c1", 1);
}

static enum cria_status unstage(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_documents_unstage(tx, call, P, IDX);
}

static enum cria_status publish_without_b(struct cria_tx *tx, struct cria_call *call)
{
    static const struct cria_str gone[] = {CRIA_STR_INIT("b")};
    return cria_tx_documents_publish(tx, call, P, IDX, gone, 1);
}

static enum cria_status delete_index(struct cria_tx *tx, struct cria_call *call)
{
    const struct cria_index row = {.id = IDX,
                                   .name = IDX,
                                   .source_directory_id = CRIA_STR("dir"),
                                   .output_directory_id = CRIA_STR("out"),
                                   .sync_frequency = CRIA_STR("manual")};
    TRY(cria_tx_index_insert(tx, call, P, &row));
    return cria_tx_index_delete(tx, call, P, IDX);
}

/* Chunks of the row of a document, 0 when there is none. */
static uint32_t chunks_of(struct store_fixture *f, struct cria_str project, const char *id)
{
    struct cria_document_vectors row = {0};
    struct cria_tx *tx = reading(f);
    enum cria_status st = cria_tx_vectors_get(tx, &f->call, project, cria_str_from(id), &row);
    cria_store_read_end(tx);
    if (st != CRIA_E_NOT_FOUND) assert_int_equal(st, CRIA_OK);
    return st == CRIA_OK ? row.chunk_count : 0;
}

/* The document whose vectors a content finds, "" when none does. */
static const char *of_content(struct store_fixture *f, struct cria_str project, const char *key)
{
    struct cria_document_vectors row = {0};
    struct cria_tx *tx = reading(f);
    enum cria_status st =
        cria_tx_vectors_of_content(tx, &f->call, project, cria_str_from(key), MODEL, &row);
    cria_store_read_end(tx);
    if (st == CRIA_E_NOT_FOUND) return "";
    assert_int_equal(st, CRIA_OK);
    return row.document_id.ptr;
}

CRIA_TEST(vectors_come_back_as_they_went_in_and_belong_to_a_project)
{
    struct store_fixture *f = *state;
    struct cria_document_vectors row;
    assert_int_equal(write_step(f, stage), CRIA_OK);
    struct cria_tx *tx = reading(f);
    assert_int_equal(cria_tx_vectors_get(tx, &f->call, P, CRIA_STR("doc-a1"), &row), CRIA_OK);
    assert_str_equal(row.index_id, "idx-1");
    assert_str_equal(row.content_key, "key-a1");
    assert_str_equal(row.embedder, "model@2");
    assert_int_equal(row.dims, 2);
    assert_int_equal(row.chunk_count, 2);
    assert_true(cria_str_equal(row.hashes, cria_str_make(bytes, 32)));
    assert_true(cria_str_equal(row.vectors, cria_str_make(bytes + 32, 8)));
    assert_int_equal(cria_tx_vectors_get(tx, &f->call, Q, CRIA_STR("doc-b1"), &row),
                     CRIA_E_NOT_FOUND);
    assert_int_equal(
        cria_tx_vectors_of_content(tx, &f->call, P, CRIA_STR("key-a1"), CRIA_STR("other@2"), &row),
        CRIA_E_NOT_FOUND);
    cria_store_read_end(tx);
    assert_string_equal(of_content(f, P, "key-a1"), "doc-a1"); /* not doc-x, which has fewer */
    assert_string_equal(of_content(f, P, "key-q"), "");
    assert_string_equal(of_content(f, Q, "key-q"), "doc-a1");
}

CRIA_TEST(vectors_die_with_their_documents_and_outlive_a_failed_sync)
{
    struct store_fixture *f = *state;
    assert_int_equal(write_step(f, stage), CRIA_OK);
    assert_int_equal(write_step(f, publish), CRIA_OK);
    assert_int_equal(write_step(f, stage_again), CRIA_OK);
    assert_int_equal(chunks_of(f, P, "doc-a1"), 2);
    assert_int_equal(chunks_of(f, P, "doc-a2"), 2);
    /* The sync fails: what it embedded is found by its content, and is no document's any more. */
    assert_int_equal(write_step(f, unstage), CRIA_OK);
    assert_int_equal(chunks_of(f, P, "doc-a2"), 0);
    assert_string_equal(of_content(f, P, "key-a2"), "doc-a2");
    assert_string_equal(of_content(f, P, "key-c1"), "doc-c1");
    assert_int_equal(chunks_of(f, P, "doc-a1"), 2);
    /* The next one publishes. */
    assert_int_equal(write_step(f, stage_again), CRIA_OK);
    assert_int_equal(write_step(f, publish_without_b), CRIA_OK);
    assert_int_equal(chunks_of(f, P, "doc-a2"), 2);
    assert_string_equal(of_content(f, P, "key-a1"), "doc-x");
    assert_string_equal(of_content(f, P, "key-b1"), "");
    assert_int_equal(write_step(f, delete_index), CRIA_OK);
    assert_string_equal(of_content(f, P, "key-a2"), "");
    assert_string_equal(of_content(f, P, "key-a1"), "doc-x");
    assert_int_equal(chunks_of(f, Q, "doc-a1"), 2);
}

static enum cria_status stage_unlike(struct cria_tx *tx, struct cria_call *call)
{
    return add_embedded(tx, call, P, "idx-1", "z", "doc-z", "key-z", 2);
}

CRIA_TEST(what_was_kept_aside_is_dropped_by_the_next_export)
{
    struct store_fixture *f = *state;
    assert_int_equal(write_step(f, stage_unlike), CRIA_OK);
    assert_int_equal(write_step(f, unstage), CRIA_OK);
    assert_string_equal(of_content(f, P, "key-z"), "doc-z");
    assert_int_equal(write_step(f, publish), CRIA_OK);
    assert_string_equal(of_content(f, P, "key-z"), "");
}

static enum cria_status stage_some(struct cria_tx *tx, struct cria_call *call)
{
    struct cria_document_vectors foreign = row_of("idx-1", "doc-d", "key-d", 2);
    foreign.embedder = CRIA_STR("other@2");
    TRY(add_embedded(tx, call, P, "idx-1", "a", "doc-a", "key-a", 2));
    TRY(add_embedded(tx, call, P, "idx-1", "b", "doc-b", "key-b", 1));
    TRY(add_embedded(tx, call, P, "idx-1", "c", "doc-c", "key-c", 0));
    TRY(add_document(tx, call, P, "idx-1", "d", "doc-d", "key-d"));
    TRY(cria_tx_vectors_put(tx, call, P, &foreign));
    TRY(add_document(tx, call, P, "idx-2", "e", "doc-e", "key-e"));
    return add_document(tx, call, Q, "idx-1", "f", "doc-f", "key-f");
}

static enum cria_status stage_successor(struct cria_tx *tx, struct cria_call *call)
{
    return add_document(tx, call, P, "idx-1", "c", "doc-c2", "key-c2");
}

/* The documents that lack vectors, two at a time: "doc-b doc-c ". */
static void assert_unembedded(struct store_fixture *f, const char *want)
{
    struct cria_window window = {.limit = 2};
    struct cria_document_list list = {.has_more = true};
    char got[128] = "";
    uint64_t count, listed = 0;
    struct cria_tx *tx = reading(f);
    while (list.has_more) {
        assert_int_equal(cria_tx_documents_unembedded(tx, &f->call, P, IDX, MODEL, &window, &list),
                         CRIA_OK);
        for (size_t i = 0; i < list.count; i++) {
            size_t n = strlen(got);
            snprintf(got + n, sizeof(got) - n, "%.*s ", CRIA_STR_ARG(list.items[i].id));
            window.after = (struct cria_cursor){.is_set = true, .id = list.items[i].entry_id};
            listed++;
        }
    }
    assert_int_equal(cria_tx_documents_unembedded_count(tx, &f->call, P, IDX, MODEL, &count),
                     CRIA_OK);
    cria_store_read_end(tx);
    assert_string_equal(got, want);
    assert_int_equal(count, listed);
}

CRIA_TEST(documents_without_all_their_vectors_are_listed)
{
    struct store_fixture *f = *state;
    assert_int_equal(write_step(f, stage_some), CRIA_OK);
    assert_unembedded(f, "doc-b doc-c doc-d ");
    assert_int_equal(write_step(f, publish), CRIA_OK);
    assert_unembedded(f, "doc-b doc-c doc-d ");
    assert_int_equal(write_step(f, stage_successor), CRIA_OK);
    assert_unembedded(f, "doc-b doc-c2 doc-d ");
}

static enum cria_status put_bad(struct cria_tx *tx, struct cria_call *call)
{
    struct cria_document_vectors row = row_of("idx-1", "doc-a1", "key-a1", 2);
    row.vectors.len--;
    return cria_tx_vectors_put(tx, call, P, &row);
}

static enum cria_status put_fewer(struct cria_tx *tx, struct cria_call *call)
{
    const struct cria_document_vectors row = row_of("idx-1", "doc-a1", "key-a1", 1);
    return cria_tx_vectors_put(tx, call, P, &row);
}

CRIA_TEST(sizes_have_to_agree_and_a_row_is_replaced)
{
    struct store_fixture *f = *state;
    assert_int_equal(write_step(f, stage), CRIA_OK);
    assert_int_equal(write_step(f, put_bad), CRIA_E_INTERNAL);
    assert_int_equal(chunks_of(f, P, "doc-a1"), 2);
    assert_int_equal(write_step(f, put_fewer), CRIA_OK);
    assert_int_equal(chunks_of(f, P, "doc-a1"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
    const struct CMUnitTest tests[] = {
        TEST(vectors_come_back_as_they_went_in_and_belong_to_a_project),
        TEST(vectors_die_with_their_documents_and_outlive_a_failed_sync),
        TEST(what_was_kept_aside_is_dropped_by_the_next_export),
        TEST(documents_without_all_their_vectors_are_listed),
        TEST(sizes_have_to_agree_and_a_row_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
