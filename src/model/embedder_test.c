/* Embedding and re-ranking against a scripted server in this process. */
#include "model/embedder.h"

#include <math.h>

#include "base/json.h"
#include "base/log.h"
#include "model/reranker.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "tests/support/stub_llm.h"
#include "tests/support/test.h"

#define ROW(index, numbers) "{\"index\":" #index ",\"embedding\":" numbers "}"
#define DATA(rows) CRIA_STR("{\"data\":[" rows "]}")
#define ONE DATA(ROW(0, "[1,0]"))
#define TWO DATA(ROW(0, "[1,0]") "," ROW(1, "[0,1]"))

struct fixture {
    struct stub_llm *stub;
    struct cria_embedder *embedder;
    struct cria_embedder_options options;
    struct cria_arena arena;
    struct cria_call call;
    struct cria_embeddings got;
};

static void open_embedder(struct fixture *f)
{
    cria_embedder_free(f->embedder);
    f->embedder = NULL;
    assert_int_equal(cria_embedder_new(&f->options, &f->embedder), CRIA_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    cria_arena_init(&f->arena, 64 << 20);
    cria_call_init(&f->call, &f->arena);
    f->stub = stub_new();
    f->options = (struct cria_embedder_options){.url = f->stub->url,
                                                .model = "stub-1",
                                                .key = "sk-secret",
                                                .query_prefix = "query: ",
                                                .document_prefix = "passage: ",
                                                .batch = 2,
                                                .connect_ms = 2000,
                                                .timeout_ms = 3000,
                                                .query_ms = 3000,
                                                .retry_ms = 2};
    open_embedder(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_embedder_free(f->embedder);
    stub_free(f->stub);
    cria_arena_release(&f->arena);
    free(f);
    return 0;
}

static void plays(struct fixture *f, int status, struct cria_str body)
{
    stub_play(f->stub, (struct stub_play){.status = status, .body = body});
}

static const struct cria_str texts[] = {CRIA_STR_INIT("zero \"0\""), CRIA_STR_INIT("one"),
                                        CRIA_STR_INIT("two"), CRIA_STR_INIT("three"),
                                        CRIA_STR_INIT("four")};

static enum cria_status embed(struct fixture *f, enum cria_embed_kind kind, size_t count)
{
    f->call.error[0] = '\0';
    return cria_embed(f->embedder, &f->call, kind, texts, count, &f->got);
}

/* The n-th request's texts, "a|b". */
static const char *inputs(struct fixture *f, size_t n)
{
    struct cria_str request = stub_request(f->stub, n);
    size_t at = cria_str_find(request, CRIA_STR("\r\n\r\n"));
    const struct cria_json *root = NULL, *input;
    const char *why;
    struct cria_str out = CRIA_STR("");
    assert_int_equal(
        cria_json_parse(&f->arena, cria_str_sub(request, at + 4, request.len), &root, &why),
        CRIA_OK);
    assert_str_equal(cria_json_get_str(root, "model"), "stub-1");
    assert_str_equal(cria_json_get_str(root, "encoding_format"), "float");
    input = cria_json_get(root, "input");
    for (size_t i = 0; i < input->count; i++)
        out = cria_arena_printf(&f->arena, "%.*s%s%.*s", CRIA_STR_ARG(out), i ? "|" : "",
                                CRIA_STR_ARG(input->items[i].text));
    return out.ptr;
}

CRIA_TEST(texts_go_in_batches_and_come_back_in_order)
{
    struct fixture *f = *state;
    char id[CRIA_EMBEDDER_ID_SIZE];
    assert_false(cria_embedder_id(f->embedder, id));
    plays(f, 200, DATA(ROW(1, "[0,2]") "," ROW(0, "[3,4]")));
    plays(f, 200, TWO);
    plays(f, 200, DATA(ROW(0, "[0,-1]")));
    if (embed(f, CRIA_EMBED_DOCUMENT, 5) != CRIA_OK) fail_msg("%s", f->call.error);
    static const float want[] = {0.6f, 0.8f, 0, 1, 1, 0, 0, 1, 0, -1};
    assert_int_equal(f->got.count, 5);
    assert_int_equal(f->got.dims, 2);
    for (size_t i = 0; i < 10; i++) assert_true(fabsf(f->got.rows[i] - want[i]) < 1e-6f);
    assert_string_equal(inputs(f, 0), "passage: zero \"0\"|passage: one");
    assert_string_equal(inputs(f, 1), "passage: two|passage: three");
    assert_string_equal(inputs(f, 2), "passage: four");
    struct cria_str head = stub_request(f->stub, 0);
    assert_true(cria_str_starts(head, "POST /v1/embeddings HTTP/1.1\r\n"));
    assert_true(cria_str_find(head, CRIA_STR("Authorization: Bearer sk-secret\r\n")) != SIZE_MAX);
    assert_true(cria_embedder_id(f->embedder, id));
    assert_string_equal(id, "stub-1 \"passage: \"@2");
    /* All of it over one connection. */
    plays(f, 200, ONE);
    assert_int_equal(embed(f, CRIA_EMBED_QUERY, 1), CRIA_OK);
    assert_string_equal(inputs(f, 3), "query: zero \"0\"");
    assert_int_equal(f->stub->worker_count, 1);
    assert_int_equal(cria_embedder_probe(f->embedder, &f->call), CRIA_OK);
    assert_int_equal(f->stub->request_count, 4);
}

CRIA_TEST(passing_failures_are_tried_again_and_lasting_ones_not)
{
    static const struct {
        int status;
        unsigned requests;
        const char *words;
    } lasting[] = {
        {401, 1, "answered 401: it refuses the key; check embed-key-file"},
        {403, 1, "refuses the key"},
        {404, 1, "embed-url and embed-model"},
        {302, 1, "answered 302"},
        {501, 1, "answered 501: no"},
        {503, 5, "answered 503: no"},
        {429, 5, "answered 429"},
    };
    static const char no[] = "{\"error\":{\"message\":\"no sk-1\"}}";
    struct fixture *f = *state;
    for (size_t i = 0; i < CRIA_COUNT(lasting); i++) {
        stub_reset(f->stub);
        for (unsigned k = 0; k < lasting[i].requests; k++)
            stub_play(f->stub, (struct stub_play){.status = lasting[i].status,
                                                  .headers = "Retry-After: 0\r\n",
                                                  .body = cria_str_from(no)});
        assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 1), CRIA_E_UNAVAILABLE);
        if (!strstr(f->call.error, lasting[i].words)) fail_msg("%s", f->call.error);
        assert_true(cria_str_starts(cria_str_from(f->call.error), "The embedding endpoint "));
        assert_int_equal(f->stub->request_count, lasting[i].requests);
    }
    stub_reset(f->stub);
    plays(f, 503, CRIA_STR("busy"));
    stub_play(f->stub, (struct stub_play){.body = CRIA_STR("{\"data\":"), .end = STUB_RESET});
    stub_play(f->stub, (struct stub_play){.body = CRIA_STR("{\"data\":"), .end = STUB_CUT});
    plays(f, 408, CRIA_STR(""));
    plays(f, 200, ONE);
    assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 1), CRIA_OK);
    /* Somebody waits for a query: it is tried twice. */
    stub_reset(f->stub);
    plays(f, 500, CRIA_STR("{\"error\":\"broken\"}"));
    plays(f, 500, CRIA_STR("{\"error\":\"broken\"}"));
    assert_int_equal(embed(f, CRIA_EMBED_QUERY, 1), CRIA_E_UNAVAILABLE);
    assert_int_equal(f->stub->request_count, 2);
}

CRIA_TEST(what_cannot_be_reached_is_said)
{
    struct fixture *f = *state;
    f->options.url = "http://127.0.0.1:1/v1/";
    open_embedder(f);
    assert_int_equal(embed(f, CRIA_EMBED_QUERY, 1), CRIA_E_UNAVAILABLE);
    assert_non_null(strstr(f->call.error, "cannot be reached"));
    f->options.url = "file:///etc/passwd";
    open_embedder(f);
    assert_int_equal(embed(f, CRIA_EMBED_QUERY, 1), CRIA_E_UNAVAILABLE);
    assert_non_null(strstr(f->call.error, "no http address"));
}

CRIA_TEST(a_refused_batch_is_halved_and_the_size_remembered)
{
    struct fixture *f = *state;
    f->options.batch = 4;
    open_embedder(f);
    plays(f, 413, CRIA_STR("{\"error\":\"batch size 4 > 2\"}"));
    plays(f, 200, TWO);
    plays(f, 200, TWO);
    assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 4), CRIA_OK);
    assert_string_equal(inputs(f, 1), "passage: zero \"0\"|passage: one");
    plays(f, 200, TWO);
    plays(f, 200, TWO);
    assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 4), CRIA_OK);
    assert_int_equal(f->stub->request_count, 5);
}

CRIA_TEST(a_text_that_is_too_long_is_cut_alone)
{
    struct fixture *f = *state;
    static const char too_long[] = "{\"error\":{\"message\":\"input is too large to process\"}}";
    char *long_text = test_malloc(4000);
    memset(long_text, 'x', 4000);
    const struct cria_str two[] = {CRIA_STR("short"), {long_text, 4000}};
    plays(f, 500, cria_str_from(too_long));
    plays(f, 200, ONE);
    plays(f, 400, cria_str_from(too_long));
    plays(f, 200, DATA(ROW(0, "[0,1]")));
    assert_int_equal(cria_embed(f->embedder, &f->call, CRIA_EMBED_DOCUMENT, two, 2, &f->got),
                     CRIA_OK);
    assert_true(f->got.rows[0] == 1 && f->got.rows[3] == 1);
    assert_int_equal(strlen(inputs(f, 2)), 9 + 4000);
    assert_int_equal(strlen(inputs(f, 3)), 9 + 2000);
    test_free(long_text);
    /* That it was one text tells nothing of the batch. */
    plays(f, 200, TWO);
    assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 2), CRIA_OK);
    /* Refused whatever its length is. */
    for (int i = 0; i < 2; i++) plays(f, 422, CRIA_STR("{\"detail\":\"no such text\"}"));
    assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 2), CRIA_E_UNAVAILABLE);
    assert_non_null(strstr(f->call.error, "answered 422: no such text"));
    assert_int_equal(f->call.status, CRIA_E_UNAVAILABLE);
}

CRIA_TEST(bad_answers_are_refused_once)
{
    static char huge[600 << 10];
    static const struct {
        struct cria_str body;
        const char *words;
    } cases[] = {
        {CRIA_STR_INIT("{\"data\":[{\"index\":0,\"embedding\":[1,0]}]}"), "1 vectors for 2 texts"},
        {CRIA_STR_INIT("{\"data\":[{\"index\":0,\"embedding\":[1,0]},{\"index\":1,\"embedding\":[0,"
                       "NaN]}]}"),
         "NaN or infinite"},
        {CRIA_STR_INIT("<html>"), "no JSON"},
        {{huge, sizeof(huge)}, "far too long"},
    };
    struct fixture *f = *state;
    plays(f, 200, ONE);
    assert_int_equal(embed(f, CRIA_EMBED_QUERY, 1), CRIA_OK);
    memset(huge, ' ', sizeof(huge));
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        size_t before = f->stub->request_count;
        plays(f, 200, cases[i].body);
        assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 2), CRIA_E_UNAVAILABLE);
        if (!strstr(f->call.error, cases[i].words)) fail_msg("%s", f->call.error);
        assert_non_null(strstr(f->call.error, "an answer that cannot be used"));
        assert_int_equal(f->stub->request_count, before + 1);
    }
    plays(f, 200, DATA(ROW(0, "[1,0,0]")));
    assert_int_equal(embed(f, CRIA_EMBED_QUERY, 1), CRIA_E_UNAVAILABLE);
    assert_non_null(strstr(f->call.error, "3 numbers where 2"));
}

CRIA_TEST(silence_and_deadlines_end_a_call)
{
    struct fixture *f = *state;
    const struct stub_play held = {.body = CRIA_STR("{\"data\":"), .end = STUB_HOLD};
    f->options.timeout_ms = 200;
    f->options.tries = 1;
    open_embedder(f);
    stub_play(f->stub, held);
    assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 1), CRIA_E_UNAVAILABLE);
    assert_non_null(strstr(f->call.error, "in time"));
    stub_play(f->stub, held);
    f->call.deadline_ns = cria_now_ns() + 150 * 1000000;
    assert_int_equal(embed(f, CRIA_EMBED_QUERY, 1), CRIA_E_TIMEOUT);
    assert_true(f->call.error[0] != '\0');
    assert_int_equal(embed(f, CRIA_EMBED_QUERY, 1), CRIA_E_TIMEOUT);
    assert_int_equal(f->stub->request_count, 2);
    /* A wait that the endpoint asks for is no longer than the call. */
    f->call.deadline_ns = cria_now_ns() + 150 * 1000000;
    stub_play(f->stub, (struct stub_play){.status = 429, .headers = "Retry-After: 50\r\n"});
    f->options.tries = 3;
    open_embedder(f);
    assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 1), CRIA_E_TIMEOUT);
}

struct canceller {
    struct stub_llm *stub;
    atomic_bool cancelled;
};

static void *cancel_when_asked(void *arg)
{
    struct canceller *canceller = arg;
    stub_wait_requests(canceller->stub, 1);
    atomic_store(&canceller->cancelled, true);
    return NULL;
}

CRIA_TEST(another_thread_cancels)
{
    struct fixture *f = *state;
    struct canceller canceller = {.stub = f->stub};
    pthread_t thread;
    f->options.timeout_ms = 60000;
    open_embedder(f);
    stub_play(f->stub, (struct stub_play){.end = STUB_HOLD});
    f->call.cancelled = &canceller.cancelled;
    pthread_create(&thread, NULL, cancel_when_asked, &canceller);
    uint64_t started = cria_now_ns();
    assert_int_equal(embed(f, CRIA_EMBED_DOCUMENT, 1), CRIA_E_CANCELLED);
    assert_true(cria_now_ns() - started < UINT64_C(20000000000));
    pthread_join(thread, NULL);
}

static void *embed_often(void *arg)
{
    struct fixture *f = arg;
    struct cria_arena arena;
    struct cria_call call;
    struct cria_embeddings got;
    cria_arena_init(&arena, 1 << 20);
    cria_call_init(&call, &arena);
    uintptr_t good = 0;
    for (int i = 0; i < 20; i++)
        good += cria_embed(f->embedder, &call, CRIA_EMBED_QUERY, texts, 1, &got) == CRIA_OK &&
                got.rows[0] == 1;
    cria_arena_release(&arena);
    return (void *)good; /* NOLINT(performance-no-int-to-ptr) */
}

CRIA_TEST(many_threads_embed_at_once)
{
    struct fixture *f = *state;
    pthread_t threads[8];
    plays(f, 200, ONE);
    f->stub->repeats_last = true;
    for (size_t i = 0; i < CRIA_COUNT(threads); i++)
        pthread_create(&threads[i], NULL, embed_often, f);
    for (size_t i = 0; i < CRIA_COUNT(threads); i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal((uintptr_t)good, 20);
    }
    assert_true(f->stub->worker_count <= CRIA_COUNT(threads));
}

CRIA_TEST(an_index_is_told_whether_its_vectors_fit)
{
    static const struct {
        const char *id;
        bool before, after; /* the first answer, of 2 dims */
    } cases[] = {
        {"stub-1 \"passage: \"@2", true, true},
        {"stub-1 \"passage: \"@3", true, false},
        {"stub-1@2", false, false},
        {"stub-2 \"passage: \"@2", false, false},
        {"stub-1 \"passage: \"@", false, false},
        {"stub-1 \"passage: \"", false, false},
        {"stub-1 \"passage: \"@0", false, false},
        {"stub-1 \"passage: \"@4097", false, false},
        {"stub-1 \"passage: \"@x@2", false, false},
        {"", false, false},
    };
    struct fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < CRIA_COUNT(cases); i++)
            assert_int_equal(cria_embedder_matches(f->embedder, cria_str_from(cases[i].id)),
                             round ? cases[i].after : cases[i].before);
        if (round) break;
        plays(f, 200, ONE);
        assert_int_equal(cria_embedder_probe(f->embedder, &f->call), CRIA_OK);
    }
    assert_int_equal(cria_embedder_id_dims(CRIA_STR("a@b@384")), 384);
    assert_int_equal(cria_embedder_id_dims(CRIA_STR("384")), 0);
    f->options.model = "";
    struct cria_embedder *none;
    assert_int_equal(cria_embedder_new(&f->options, &none), CRIA_E_INVALID);
    char name[CRIA_EMBEDDER_MODEL_MAX + 2];
    memset(name, 'm', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    f->options.model = name;
    assert_int_equal(cria_embedder_new(&f->options, &none), CRIA_E_INVALID);
}

CRIA_TEST(documents_are_scored_against_a_query)
{
    struct fixture *f = *state;
    struct cria_reranker *reranker;
    double scores[3];
    const struct cria_reranker_options options = {
        .url = f->stub->url, .model = "rank-1", .key = "sk-r", .timeout_ms = 3000, .retry_ms = 2};
    assert_int_equal(cria_reranker_new(&options, &reranker), CRIA_OK);
    plays(f, 503, CRIA_STR("later"));
    plays(f, 200,
          CRIA_STR("{\"results\":[{\"index\":2,\"relevance_score\":0.9},{\"index\":0,\"relevance_"
                   "score\":0.5},{\"index\":1,\"relevance_score\":0.1}]}"));
    assert_int_equal(cria_rerank(reranker, &f->call, CRIA_STR("why \"x\""), texts, 3, scores),
                     CRIA_OK);
    assert_true(scores[0] == 0.5 && scores[1] == 0.1 && scores[2] == 0.9);
    struct cria_str request = stub_request(f->stub, 1);
    assert_true(cria_str_starts(request, "POST /v1/rerank HTTP/1.1\r\n"));
    assert_true(cria_str_find(request, CRIA_STR("Bearer sk-r")) != SIZE_MAX);
    assert_true(cria_str_find(request, CRIA_STR("{\"model\":\"rank-1\",\"query\":\"why "
                                                "\\\"x\\\"\",\"documents\":[\"zero \\\"0\\\"\","
                                                "\"one\",\"two\"],\"top_n\":3}")) != SIZE_MAX);
    static const struct {
        int status;
        struct cria_str body;
        const char *words;
    } bad[] = {
        {200, CRIA_STR_INIT("[{\"index\":0,\"score\":1}]"), "1 results for 3 documents"},
        {400, CRIA_STR_INIT("{\"error\":\"too many\"}"), "answered 400: too many"},
        {401, CRIA_STR_INIT(""), "check rerank-key-file"},
        {200, CRIA_STR_INIT("nothing"), "no JSON"},
    };
    for (size_t i = 0; i < CRIA_COUNT(bad); i++) {
        plays(f, bad[i].status, bad[i].body);
        assert_int_equal(cria_rerank(reranker, &f->call, CRIA_STR("q"), texts, 3, scores),
                         CRIA_E_UNAVAILABLE);
        if (!strstr(f->call.error, bad[i].words)) fail_msg("%s", f->call.error);
        assert_true(cria_str_starts(cria_str_from(f->call.error), "The rerank endpoint "));
    }
    assert_int_equal(cria_rerank(reranker, &f->call, CRIA_STR("q"), texts, 0, scores), CRIA_OK);
    assert_int_equal(f->stub->request_count, 6);
    cria_reranker_free(reranker);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(texts_go_in_batches_and_come_back_in_order),
        TEST(passing_failures_are_tried_again_and_lasting_ones_not),
        TEST(what_cannot_be_reached_is_said),
        TEST(a_refused_batch_is_halved_and_the_size_remembered),
        TEST(a_text_that_is_too_long_is_cut_alone),
        TEST(bad_answers_are_refused_once),
        TEST(silence_and_deadlines_end_a_call),
        TEST(another_thread_cancels),
        TEST(many_threads_embed_at_once),
        TEST(an_index_is_told_whether_its_vectors_fit),
        TEST(documents_are_scored_against_a_query),
    };
    if (cria_crypto_init() != CRIA_OK) return 1;
    cria_log_set_level(CRIA_LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
