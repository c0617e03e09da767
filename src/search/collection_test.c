/* collection_test.c - the engine follows its store: after every change the answers are those of the
 * documents that live; files are found again, merged, and few. */
#include "tests/support/search_store.h"

enum { SOME = 60 };

/* ---- held against one segment of all that lives */

struct ranked {
    struct cria_str document_id;
    uint32_t n;
    double score;
};

static size_t rank_sources(struct search_fixture *s, const struct cria_rank_source *sources,
                           size_t count, struct cria_str query, struct ranked *out, size_t most)
{
    struct cria_analyser *analyser = cria_analyser_new();
    struct cria_query_plan *plan = CRIA_NEW(&s->f->arena, struct cria_query_plan);
    struct cria_ranking ranking;
    const struct cria_rank_options options = {.candidates = 200, .full_text_weight = 1};
    assert_true(cria_query_plan_make(plan, &s->f->arena, analyser, sources, count, query));
    assert_int_equal(cria_rank(plan, &s->f->call, &options, &ranking), CRIA_OK);
    cria_analyser_free(analyser);
    size_t n = ranking.count < most ? ranking.count : most;
    for (size_t i = 0; i < n; i++) {
        const struct cria_scored *item = &ranking.items[i];
        const struct cria_segment *segment = sources[item->source].segment;
        struct cria_segment_chunk chunk;
        struct cria_segment_document document;
        assert_true(cria_segment_chunk(segment, item->chunk, &chunk));
        assert_true(cria_segment_document(segment, chunk.document, &document));
        out[i] =
            (struct ranked){cria_arena_copy(&s->f->arena, document.id), chunk.place.n, item->score};
    }
    return n;
}

static bool has_dead(const struct cria_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->parts.count; i++)
        if (snapshot->parts.items[i].dead_documents) return true;
    return false;
}

/* Scores fall, and each hit of one list is in the other with the same score. */
static void check_same(const struct ranked *a, size_t n, const struct ranked *b, size_t m)
{
    assert_int_equal(n, m);
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        if (fabs(a[i].score - b[i].score) > 1e-4)
            fail_msg("hit %zu: %f is not %f", i, a[i].score, b[i].score);
        for (size_t k = 0; k < m && !found; k++)
            found = cria_str_equal(a[i].document_id, b[k].document_id) && a[i].n == b[k].n &&
                    fabs(a[i].score - b[k].score) <= 1e-4;
        /* The last ones may have equals that were cut off. */
        if (!found && a[i].score > a[n - 1].score + 1e-4)
            fail_msg("%.*s chunk %u is missing", CRIA_STR_ARG(a[i].document_id), a[i].n);
    }
}

static void check_against_oracle(struct search_fixture *s)
{
    store_fixture_forget(s->f);
    struct cria_segment *whole = search_oracle(s);
    struct cria_snapshot *snapshot = search_snapshot(s);
    struct cria_rank_source all = {.segment = whole}, parts[64];
    assert_in_range(snapshot->parts.count, 1, CRIA_COUNT(parts));
    for (size_t i = 0; i < snapshot->parts.count; i++)
        parts[i] = (struct cria_rank_source){.segment = snapshot->parts.items[i].piece->segment,
                                             .allowed = snapshot->parts.items[i].alive};
    assert_int_equal(snapshot->chunk_count, whole->meta.chunk_count);
    for (unsigned q = 0; q < 20 && !has_dead(snapshot); q++) {
        struct ranked a[30], b[30];
        struct cria_str query = cria_arena_printf(
            &s->f->arena, "%.*s %.*s title%c", CRIA_STR_ARG(search_word(&s->f->arena, q * 3)),
            CRIA_STR_ARG(search_word(&s->f->arena, q * 13 + 5)), 'a' + (char)(q % 20));
        size_t n = rank_sources(s, parts, snapshot->parts.count, query, a, CRIA_COUNT(a));
        size_t m = rank_sources(s, &all, 1, query, b, CRIA_COUNT(b));
        check_same(a, n, b, m);
    }
    cria_snapshot_unref(snapshot);
    cria_segment_close(whole);
}

/* ---- tests */

static int setup(void **state)
{
    *state = search_fixture_new();
    return 0;
}

static int teardown(void **state)
{
    search_fixture_free(*state);
    return 0;
}

CRIA_TEST(an_index_without_documents_answers_nothing)
{
    struct search_fixture *s = *state;
    struct cria_search_result result;
    search_put(s, 0, 0);
    search_refresh(s);
    assert_int_equal(search_ask(s, &s->f->call, CRIA_STR("anything"), 5, &result), CRIA_OK);
    assert_int_equal(result.count, 0);
    search_reopen(s);
    assert_int_equal(search_ask(s, &s->f->call, CRIA_STR("anything"), 5, &result), CRIA_OK);
    search_put(s, 6, 1); /* a document without text is one, too */
    search_refresh(s);
    search_check_markers(s, SOME);
    search_check_files(s);
}

CRIA_TEST(an_index_that_is_not_there_is_not_found)
{
    struct search_fixture *s = *state;
    assert_int_equal(search_try_refresh(s), CRIA_E_NOT_FOUND);
}

CRIA_TEST(every_change_is_followed)
{
    struct search_fixture *s = *state;
    search_put(s, 0, SOME);
    search_refresh(s);
    check_against_oracle(s);
    for (unsigned round = 0; round < 60; round++) {
        search_change_some(s, SOME);
        if (round % 4) search_refresh(s); /* else two changes at once, or by the query itself */
        if (round % 6 == 0) search_check_markers(s, SOME);
        if (round % 10 == 9) check_against_oracle(s);
        if (round % 20 == 19) search_reopen(s);
    }
    search_refresh(s);
    search_check_markers(s, SOME);
    check_against_oracle(s);
    search_check_files(s);
}

CRIA_TEST(many_changes_at_once_are_followed)
{
    struct search_fixture *s = *state;
    search_put(s, 0, 200);
    search_refresh(s);
    for (unsigned i = 0; i < 200; i++) s->documents[i].version++; /* so that they stay odd */
    search_put(s, 0, 200);
    search_put(s, 200, 100);
    search_refresh(s);
    search_check_markers(s, 300);
    check_against_oracle(s);
    search_check_files(s); /* the first segment is wholly dead: its file is gone */
}

CRIA_TEST(all_documents_may_go)
{
    struct search_fixture *s = *state;
    unsigned gone[SOME];
    search_put(s, 0, SOME);
    search_refresh(s);
    for (unsigned i = 0; i < SOME; i++) s->documents[gone[i] = i].version++;
    s->generation++;
    struct search_change change = {.s = s, .gone = gone, .gone_count = SOME};
    assert_int_equal(cria_store_write(s->f->store, &s->f->call, search_write, &change), CRIA_OK);
    search_refresh(s);
    search_check_markers(s, SOME);
    search_check_files(s);
    assert_int_equal(search_files(s, "").count, 0);
}

CRIA_TEST(files_are_found_again)
{
    struct search_fixture *s = *state;
    search_put(s, 0, SOME);
    search_refresh(s);
    for (unsigned i = 0; i < 5; i++) {
        search_change_some(s, SOME);
        search_refresh(s);
    }
    struct search_files before = search_files(s, "");
    assert_in_range(before.count, 1, 20);
    search_reopen(s);
    search_check_markers(s, SOME);
    search_refresh(s);
    struct search_files after = search_files(s, "");
    assert_int_equal(before.count, after.count);
    assert_memory_equal(before.names, after.names, sizeof(before.names));
    check_against_oracle(s);
    search_check_files(s);
}

CRIA_TEST(changes_while_nobody_looked_are_found)
{
    struct search_fixture *s = *state;
    search_put(s, 0, SOME);
    search_refresh(s);
    struct search_files before = search_files(s, "");
    cria_search_free(s->search);
    for (unsigned i = 0; i < 7; i++) search_change_some(s, SOME);
    search_open(s);
    search_check_markers(s, SOME);
    struct search_files after = search_files(s, "");
    assert_memory_equal(before.names, after.names, sizeof(before.names));
    search_refresh(s);
    search_check_files(s);
}

CRIA_TEST(many_small_changes_make_few_files)
{
    struct search_fixture *s = *state;
    for (unsigned n = 0; n < 150; n++) {
        search_put(s, n, 1);
        search_refresh(s);
    }
    assert_in_range(search_files(s, "").count, 1, 15);
    search_check_files(s);
    search_check_markers(s, 150);
    check_against_oracle(s);
}

/* A small segment that has no like does not keep the larger ones from being merged. */
CRIA_TEST(a_small_segment_keeps_nobody_from_merging)
{
    struct search_fixture *s = *state;
    search_put(s, 0, 1);
    search_refresh(s);
    for (unsigned n = 0; n < 6; n++) {
        search_put(s, 1 + n * 60, 60);
        search_refresh(s);
    }
    assert_in_range(search_files(s, "seg-").count, 1, 4);
    search_check_markers(s, 361);
    check_against_oracle(s);
}

CRIA_TEST(what_died_is_written_out_of_its_segment)
{
    struct search_fixture *s = *state;
    unsigned gone[40];
    search_put(s, 0, SOME);
    search_refresh(s);
    for (unsigned i = 0; i < 40; i++) s->documents[gone[i] = i].version++;
    s->generation++;
    struct search_change change = {.s = s, .gone = gone, .gone_count = 40};
    assert_int_equal(cria_store_write(s->f->store, &s->f->call, search_write, &change), CRIA_OK);
    search_refresh(s);
    struct cria_snapshot *snapshot = search_snapshot(s);
    assert_int_equal(snapshot->parts.count, 1);
    assert_false(has_dead(snapshot));
    assert_int_equal(snapshot->parts.items[0].piece->segment->meta.document_count, SOME - 40);
    cria_snapshot_unref(snapshot);
    check_against_oracle(s);
    search_check_files(s);
}

CRIA_TEST(an_index_is_forgotten_with_its_files)
{
    struct search_fixture *s = *state;
    char path[256];
    search_put(s, 0, SOME);
    search_refresh(s);
    struct cria_snapshot *kept = search_snapshot(s); /* somebody still ranks */
    cria_search_forget(s->search, SEARCH_PROJECT, SEARCH_INDEX);
    search_folder(s, path, sizeof(path));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(cria_segment_verify(kept->parts.items[0].piece->segment));
    cria_snapshot_unref(kept);
    search_check_markers(s, SOME); /* the store has it yet: it is made again */
    search_refresh(s);
    search_check_files(s);
}

static enum cria_status drop_index(struct cria_tx *tx, struct cria_call *call)
{
    return cria_tx_index_delete(tx, call, SEARCH_PROJECT, SEARCH_INDEX);
}

CRIA_TEST(folders_of_indexes_that_are_no_more_are_swept)
{
    struct search_fixture *s = *state;
    char path[256];
    search_put(s, 0, SOME);
    search_refresh(s);
    search_folder(s, path, sizeof(path));
    cria_search_sweep(s->search, &s->f->call);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(write_step(s->f, drop_index), CRIA_OK);
    cria_search_sweep(s->search, &s->f->call);
    assert_int_not_equal(access(path, F_OK), 0);
}

CRIA_TEST(what_is_not_asked_for_makes_room)
{
    struct search_fixture *s = *state;
    search_put(s, 0, SOME);
    cria_search_free(s->search);
    const struct cria_search_options options = {.store = s->f->store, .memory_bytes = 1};
    assert_int_equal(cria_search_new(&options, &s->f->call, &s->search), CRIA_OK);
    search_refresh(s);
    assert_int_equal(cria_search_figures(s->search).indexes, 0);
    search_check_markers(s, SOME);
    assert_int_equal(cria_search_figures(s->search).indexes, 1);
}

/* ---- vectors */

/* The chunk is the nearest one to its own vector. */
static void check_vectors(struct search_fixture *s, unsigned documents)
{
    struct cria_snapshot *snapshot = search_snapshot(s);
    struct cria_rank_source sources[64];
    for (size_t i = 0; i < snapshot->parts.count; i++) {
        const struct cria_part *part = &snapshot->parts.items[i];
        sources[i] = (struct cria_rank_source){.segment = part->piece->segment,
                                               .vectors = atomic_load(&part->piece->vectors),
                                               .allowed = part->alive};
        if (part->piece->segment->meta.chunk_count) assert_non_null(sources[i].vectors);
    }
    for (unsigned n = 0; n < documents; n++) {
        struct cria_chunk chunks[8];
        size_t count;
        struct cria_ranking ranking;
        float vector[SEARCH_DIMS];
        store_fixture_forget(s->f);
        struct cria_analyser *analyser = cria_analyser_new();
        struct cria_query_plan *plan = CRIA_NEW(&s->f->arena, struct cria_query_plan);
        assert_true(cria_query_plan_make(plan, &s->f->arena, analyser, sources,
                                         snapshot->parts.count, CRIA_STR("nothing")));
        cria_analyser_free(analyser);
        search_text(&s->f->arena, n, s->documents[n].version, chunks, &count);
        if (!search_is_alive(s, n) || count == 0) continue;
        search_vector(n, s->documents[n].version, (unsigned)count - 1, vector);
        const struct cria_rank_options options = {
            .candidates = 10, .query = vector, .dims = SEARCH_DIMS, .vector_weight = 1};
        assert_int_equal(cria_rank(plan, &s->f->call, &options, &ranking), CRIA_OK);
        assert_true(ranking.count > 0 && ranking.items[0].cosine > 0.99F);
        struct cria_segment_chunk chunk;
        struct cria_segment_document document;
        const struct cria_segment *segment = sources[ranking.items[0].source].segment;
        assert_true(cria_segment_chunk(segment, ranking.items[0].chunk, &chunk));
        assert_true(cria_segment_document(segment, chunk.document, &document));
        assert_true(cria_str_equal(document.entry_id, search_entry(&s->f->arena, n)));
        assert_int_equal(chunk.place.n, count - 1);
    }
    cria_snapshot_unref(snapshot);
}

CRIA_TEST(vectors_come_along_and_stay_in_merges)
{
    struct search_fixture *s = *state;
    s->has_vectors = true;
    search_put(s, 0, SOME);
    search_refresh(s);
    assert_int_equal(search_files(s, "vec-").count, 1);
    check_vectors(s, SOME);
    for (unsigned round = 0; round < 30; round++) {
        search_change_some(s, SOME);
        search_refresh(s);
        if (round % 5 == 0) check_vectors(s, SOME);
    }
    check_vectors(s, SOME);
    search_check_files(s);
    struct search_files before = search_files(s, "");
    search_reopen(s);
    search_refresh(s);
    check_vectors(s, SOME);
    struct search_files after = search_files(s, "");
    assert_memory_equal(before.names, after.names, sizeof(before.names));
}

/* Vectors of another embedder in the store are not mixed in. */
static enum cria_status put_foreign(struct cria_tx *tx, struct cria_call *call)
{
    uint16_t halves[SEARCH_DIMS] = {0x3C00};
    char hashes[CRIA_CHUNK_HASH_BYTES] = {0};
    const struct cria_document_vectors row = {
        .document_id = CRIA_STR("doc-0001-1"),
        .index_id = SEARCH_INDEX,
        .content_key = CRIA_STR("x"),
        .embedder = CRIA_STR("another@16"),
        .dims = SEARCH_DIMS,
        .chunk_count = 1,
        .hashes = cria_str_make(hashes, sizeof(hashes)),
        .vectors = cria_str_make((const char *)halves, sizeof(halves))};
    return cria_tx_vectors_put(tx, call, SEARCH_PROJECT, &row);
}

CRIA_TEST(vectors_of_another_embedder_stay_out)
{
    struct search_fixture *s = *state;
    s->has_vectors = true;
    search_put(s, 0, 3);
    assert_int_equal(write_step(s->f, put_foreign), CRIA_OK);
    search_refresh(s);
    struct cria_snapshot *snapshot = search_snapshot(s);
    /* All of a segment's vectors or none: half of them would hide the other half. */
    assert_null(atomic_load(&snapshot->parts.items[0].piece->vectors));
    cria_snapshot_unref(snapshot);
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What is there answers, and nobody waits; then what was exported does. */
CRIA_TEST(while_an_export_goes_on_the_one_before_answers)
{
    struct search_fixture *s = *state;
    struct cria_search_result result;
    struct cria_arena *arena = &s->f->arena;
    struct cria_collection *held =
        cria_search_export_begin(s->search, SEARCH_PROJECT, SEARCH_INDEX);
    assert_non_null(held);
    search_put(s, 0, 20); /* nothing was there: it is made for the question */
    search_check_markers(s, 20);
    search_put(s, 20, 20);
    assert_int_equal(search_ask(s, &s->f->call, search_marker(arena, 21, 1), 10, &result), CRIA_OK);
    for (size_t i = 0; i < result.count; i++)
        assert_false(cria_str_is(result.hits[i].document_id, "doc-0021-1"));
    search_check_markers(s, 20);
    cria_search_export_end(s->search, held);
    search_check_markers(s, 40);
    cria_search_export_end(s->search, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(an_index_without_documents_answers_nothing),
        ONE(an_index_that_is_not_there_is_not_found),
        ONE(every_change_is_followed),
        ONE(many_changes_at_once_are_followed),
        ONE(all_documents_may_go),
        ONE(files_are_found_again),
        ONE(changes_while_nobody_looked_are_found),
        ONE(many_small_changes_make_few_files),
        ONE(a_small_segment_keeps_nobody_from_merging),
        ONE(what_died_is_written_out_of_its_segment),
        ONE(an_index_is_forgotten_with_its_files),
        ONE(folders_of_indexes_that_are_no_more_are_swept),
        ONE(what_is_not_asked_for_makes_room),
        ONE(vectors_come_along_and_stay_in_merges),
        ONE(vectors_of_another_embedder_stay_out),
        ONE(while_an_export_goes_on_the_one_before_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
