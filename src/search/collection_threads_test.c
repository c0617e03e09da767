/* collection_threads_test.c - queries beside changes, refreshes, merges on a pool, and forgetting.
 * Run under ThreadSanitizer as well. */
#include <pthread.h>

#include "tests/support/search_store.h"

enum {
    STABLE = 20, /* documents that never change */
    MOVING = 60, /* the rest do */
    ASKERS = 4,
    EXPORTS = 60
};

struct stage {
    struct search_fixture *s;
    _Atomic int64_t generation; /* that was exported */
    atomic_bool is_over;
    atomic_uint asked, wrong;
    uint64_t seed;
};

struct asker {
    struct stage *stage;
    pthread_t thread;
    uint64_t random;
};

/* A document that never changes is found at any time. */
static void *ask(void *arg)
{
    struct asker *asker = arg;
    struct stage *stage = asker->stage;
    struct cria_arena arena;
    struct cria_call call;
    cria_arena_init(&arena, 64 << 20);
    while (!atomic_load(&stage->is_over)) {
        const struct search_fixture view = {.search = stage->s->search,
                                            .generation = atomic_load(&stage->generation)};
        unsigned n = test_random(&asker->random) % STABLE;
        struct cria_search_result result;
        cria_arena_reset(&arena);
        cria_call_init(&call, &arena);
        if (n % 7 == 6) continue;
        enum cria_status st = search_ask(&view, &call, search_marker(&arena, n, 1), 5, &result);
        struct cria_str id = cria_arena_printf(&arena, "doc-%04u-1", n);
        if (st != CRIA_OK || result.count == 0 || !cria_str_equal(result.hits[0].document_id, id)) {
            atomic_fetch_add(&stage->wrong, 1);
            print_error("%s: %s\n", cria_status_name(st), call.error);
        }
        atomic_fetch_add(&stage->asked, 1);
    }
    cria_arena_release(&arena);
    return NULL;
}

/* Changes one of the moving documents only. */
static void move_one(struct search_fixture *s)
{
    unsigned n = STABLE + test_random(&s->random) % (MOVING - STABLE);
    bool goes = search_is_alive(s, n) && test_random(&s->random) % 3 == 0;
    struct search_change change = {
        .s = s, .put = &n, .gone = &n, .put_count = !goes, .gone_count = goes};
    s->documents[n].version += search_is_alive(s, n) && !goes ? 2 : 1;
    s->generation++;
    if (cria_store_write(s->f->store, &s->f->call, search_write, &change) != CRIA_OK)
        fail_msg("%s", s->f->call.error);
}

static void play(struct search_fixture *s, bool forgets)
{
    struct stage stage = {.s = s, .seed = 5};
    struct asker askers[ASKERS];
    search_put(s, 0, MOVING);
    atomic_store(&stage.generation, s->generation);
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.stage = &stage, .random = 99 + i};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (unsigned n = 0; n < EXPORTS; n++) {
        store_fixture_forget(s->f);
        move_one(s);
        atomic_store(&stage.generation, s->generation);
        if (n % 3) search_refresh(s);
        if (forgets && n % 8 == 7) cria_search_forget(s->search, SEARCH_PROJECT, SEARCH_INDEX);
    }
    atomic_store(&stage.is_over, true);
    for (size_t i = 0; i < ASKERS; i++) pthread_join(askers[i].thread, NULL);
    print_message("  %u questions\n", atomic_load(&stage.asked));
    assert_int_equal(atomic_load(&stage.wrong), 0);
    assert_in_range(atomic_load(&stage.asked), ASKERS, UINT32_MAX);
    search_refresh(s);
    search_check_markers(s, MOVING);
}

static struct search_fixture *fixture(void)
{
    struct search_fixture *s = search_fixture_new();
    s->has_vectors = true;
    cria_search_free(s->search);
    assert_int_equal(cria_pool_new("merge", 2, &s->pool), CRIA_OK);
    search_open(s);
    return s;
}

static void wait_for_pool(struct search_fixture *s)
{
    cria_pool_free(s->pool);
    s->pool = NULL;
}

CRIA_TEST(questions_beside_changes_and_merges)
{
    (void)state;
    struct search_fixture *s = fixture();
    play(s, false);
    wait_for_pool(s);
    search_check_files(s);
    search_fixture_free(s);
}

CRIA_TEST(questions_while_the_index_is_forgotten)
{
    (void)state;
    struct search_fixture *s = fixture();
    play(s, true);
    wait_for_pool(s);
    search_fixture_free(s);
}

CRIA_TEST(the_engine_stops_while_it_merges)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        struct search_fixture *s = fixture();
        search_put(s, 0, 200);
        for (unsigned n = 0; n < 4 + round; n++) {
            move_one(s);
            search_refresh(s);
        }
        cria_search_stop(s->search);
        wait_for_pool(s);
        search_reopen(s);
        search_check_markers(s, MOVING);
        search_fixture_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_beside_changes_and_merges),
        cmocka_unit_test(questions_while_the_index_is_forgotten),
        cmocka_unit_test(the_engine_stops_while_it_merges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
