/* retrieve_test.c - what a retrieval makes of a ranking: repeats left out, neighbours joined, no
 * document above its share; over a store with a handful of documents. */
#include "search/search.h"

#include "tests/support/test_store.h"

static const struct cria_str project = CRIA_STR_INIT("prj-a");

struct fixture {
    struct store_fixture *store;
    struct cria_search *search;
    struct cria_search_index index;
};

struct addition {
    struct cria_document row;
    struct cria_str text;
    struct cria_chunk chunks[8];
    size_t count;
};

static enum cria_status start(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    (void)arg;
    const struct cria_index index = {.id = CRIA_STR("idx-1"),
                                     .name = CRIA_STR("x"),
                                     .source_directory_id = CRIA_STR("s"),
                                     .output_directory_id = CRIA_STR("o"),
                                     .sync_frequency = CRIA_STR("manual"),
                                     .status = CRIA_INDEX_READY,
                                     .generation = 1,
                                     .last_exported_at_us = 1};
    return cria_tx_index_insert(tx, call, project, &index);
}

static enum cria_status add(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct addition *a = arg;
    TRY(cria_tx_document_insert(tx, call, project, &a->row, a->text, a->chunks, a->count));
    return cria_tx_documents_publish(tx, call, project, a->row.index_id, NULL, 0);
}

/* Each line of the text is a chunk; the line ends lie between them. */
static void add_document(struct fixture *f, const char *name, const char *text)
{
    struct addition a = {.text = cria_str_from(text)};
    struct cria_str rest = a.text, line;
    while (rest.len) {
        size_t from = (size_t)(rest.ptr - text);
        cria_str_cut(&rest, '\n', &line);
        a.chunks[a.count] = (struct cria_chunk){.n = (uint32_t)a.count,
                                                .byte_start = from,
                                                .byte_end = from + line.len,
                                                .char_start = from,
                                                .char_end = from + line.len,
                                                .token_count = 10};
        a.count++;
    }
    a.row = (struct cria_document){.id = cria_arena_printf(&f->store->arena, "doc-%s", name),
                                   .index_id = f->index.id,
                                   .entry_id = cria_str_from(name),
                                   .source_entry_id = cria_str_from(name),
                                   .content_key = cria_str_from(name),
                                   .display_name = cria_str_from(name),
                                   .metadata_json = CRIA_STR("{}"),
                                   .char_count = a.text.len,
                                   .byte_count = a.text.len,
                                   .created_at_us = 1};
    if (cria_store_write(f->store->store, &f->store->call, add, &a) != CRIA_OK)
        fail_msg("%s", f->store->call.error);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f) return -1;
    f->store = store_fixture_new();
    store_fixture_open(f->store);
    f->index = (struct cria_search_index){.id = CRIA_STR("idx-1"), .generation = 1};
    const struct cria_search_options options = {.store = f->store->store};
    assert_int_equal(cria_search_new(&options, &f->store->call, &f->search), CRIA_OK);
    assert_int_equal(cria_store_write(f->store->store, &f->store->call, start, NULL), CRIA_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_search_stop(f->search);
    cria_search_free(f->search);
    store_fixture_free(f->store);
    free(f);
    return 0;
}

static struct cria_search_request request_of(struct fixture *f, const char *query)
{
    struct cria_search_request request = CRIA_SEARCH_REQUEST_DEFAULTS;
    request.project = project;
    request.indexes = &f->index;
    request.index_count = 1;
    request.query = cria_str_from(query);
    return request;
}

static struct cria_search_result retrieve(struct fixture *f,
                                          const struct cria_search_request *request)
{
    struct cria_search_result result;
    if (cria_search_retrieve(f->search, &f->store->call, request, &result) != CRIA_OK)
        fail_msg("%s", f->store->call.error);
    return result;
}

CRIA_TEST(what_says_the_same_is_left_out_when_asked)
{
    struct fixture *f = *state;
    add_document(f, "first", "The harbour master collects the mooring fee on Monday mornings.");
    add_document(f, "copy", "The harbour master collects the mooring fee on Monday mornings!");
    add_document(f, "other", "A mooring fee is not due for boats that stay less than one hour.");
    struct cria_search_request request = request_of(f, "mooring fee");
    assert_int_equal(retrieve(f, &request).count, 3);
    request.drops_repeats = true;
    struct cria_search_result result = retrieve(f, &request);
    assert_int_equal(result.count, 2);
    assert_true(cria_str_is(result.hits[0].entry_id, "other") ||
                cria_str_is(result.hits[1].entry_id, "other"));
    request.top_k = 1;
    assert_int_equal(retrieve(f, &request).count, 1);
}

CRIA_TEST(neighbours_become_one_hit_with_the_text_between_them)
{
    struct fixture *f = *state;
    static const char text[] = "Lanterns are lit at dusk by the warden.\n"
                               "The warden keeps a spare lantern in the boathouse.\n"
                               "Oars are painted in spring.\n"
                               "A broken lantern is brought to the smith.";
    add_document(f, "lanterns", text);
    struct cria_search_request request = request_of(f, "lanterns of the warden");
    struct cria_search_result apart = retrieve(f, &request);
    assert_true(apart.count >= 3);
    request.joins_neighbours = true;
    request.top_k = 3;
    struct cria_search_result joined = retrieve(f, &request);
    assert_int_equal(joined.count, 2);
    const struct cria_search_hit *hit = &joined.hits[0];
    assert_int_equal(hit->chunk.n, 0);
    assert_int_equal(hit->chunk.char_start, 0);
    assert_int_equal(hit->chunk.token_count, 20);
    assert_int_equal(hit->content.len, hit->chunk.byte_end - hit->chunk.byte_start);
    assert_memory_equal(hit->content.ptr, text, hit->content.len);
    assert_true(cria_str_ends(hit->content, "boathouse."));
    assert_true(hit->score == apart.hits[0].score);
}

CRIA_TEST(a_document_has_its_share_while_others_are_left)
{
    struct fixture *f = *state;
    add_document(f, "long",
                 "Beekeeping licence: every beekeeping year begins in May.\n"
                 "Beekeeping licence: hives are counted for the beekeeping licence.\n"
                 "Beekeeping licence: a licence for beekeeping lasts three years.");
    add_document(f, "short", "The council also hands out a licence to street musicians.");
    struct cria_search_request request = request_of(f, "beekeeping licence");
    request.rerank = false;
    request.top_k = 2;
    struct cria_search_result all = retrieve(f, &request);
    assert_int_equal(all.count, 2);
    assert_str_equal(all.hits[1].entry_id, "long");
    request.max_per_document = 1;
    struct cria_search_result shared = retrieve(f, &request);
    assert_int_equal(shared.count, 2);
    assert_str_equal(shared.hits[0].entry_id, "long");
    assert_str_equal(shared.hits[1].entry_id, "short");
    request.top_k = 4; /* room for those above the share, behind the others */
    shared = retrieve(f, &request);
    assert_int_equal(shared.count, 4);
    assert_str_equal(shared.hits[1].entry_id, "short");
    assert_str_equal(shared.hits[3].entry_id, "long");
}

CRIA_TEST(scores_below_the_threshold_are_no_hits)
{
    struct fixture *f = *state;
    add_document(f, "near", "The ferry to the island leaves at noon.");
    add_document(f, "far", "An island without people.");
    struct cria_search_request request = request_of(f, "ferry to the island");
    struct cria_search_result all = retrieve(f, &request);
    assert_int_equal(all.count, 2);
    assert_str_equal(all.hits[0].entry_id, "near");
    request.has_threshold = true;
    request.score_threshold = (all.hits[0].score + all.hits[1].score) / 2;
    assert_int_equal(retrieve(f, &request).count, 1);
    request.score_threshold = 1;
    assert_int_equal(retrieve(f, &request).count, 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(what_says_the_same_is_left_out_when_asked),
        WITH(neighbours_become_one_hit_with_the_text_between_them),
        WITH(a_document_has_its_share_while_others_are_left),
        WITH(scores_below_the_threshold_are_no_hits),
    };
    return cmocka_run_group_tests_name("retrieve", tests, NULL, NULL);
}
