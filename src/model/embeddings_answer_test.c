/* Answers of embedding and rerank endpoints, good ones and bad ones. */
#include "model/embeddings_answer.h"

#include <math.h>
#include <stdlib.h>

#include "model/rerank_answer.h"
#include "tests/support/test.h"

#define ROW(index, numbers) "{\"index\":" index ",\"embedding\":" numbers "}"
#define DATA(rows) "{\"object\":\"list\",\"data\":[" rows "]}"

struct read {
    struct cria_arena arena;
    const float *rows;
    uint32_t dims;
    char why[CRIA_ANSWER_WHY_SIZE];
    enum cria_status status;
};

static void read_embeddings(struct read *r, const char *body, size_t count, uint32_t dims)
{
    cria_arena_init(&r->arena, 64 << 20);
    r->rows = NULL;
    r->why[0] = '\0';
    r->status = cria_embeddings_read(&r->arena, cria_str_from(body), count, dims, &r->rows,
                                     &r->dims, r->why);
}

CRIA_TEST(rows_are_ordered_by_index_and_of_length_one)
{
    static const struct {
        const char *body;
        float want[4];
    } cases[] = {
        {DATA(ROW("0", "[3,4]") "," ROW("1", "[0,-2e0]")), {0.6f, 0.8f, 0, -1}},
        {DATA(ROW("1", "[0,-2.5]") "," ROW("0", "[30,40]")), {0.6f, 0.8f, 0, -1}},
        {DATA(ROW("1.0", "[1e-20,0]") "," ROW("0", "[1e20,1e20]")),
         {0.70710678f, 0.70710678f, 1, 0}},
        /* base64 of two little-endian floats, with padding and without */
        {DATA(ROW("0", "\"AABAQAAAgEA=\"") "," ROW("1", "\"AAAAAAAAAMA\"")), {0.6f, 0.8f, 0, -1}},
        {DATA(ROW("0", "\"AABAQAAAgEA=\"") "," ROW("1", "[0,-1]")), {0.6f, 0.8f, 0, -1}},
    };
    (void)state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct read r;
        read_embeddings(&r, cases[i].body, 2, i % 2 ? 2 : 0);
        if (r.status != CRIA_OK) fail_msg("%zu: %s", i, r.why);
        assert_int_equal(r.dims, 2);
        for (size_t k = 0; k < 4; k++) assert_true(fabsf(r.rows[k] - cases[i].want[k]) < 1e-6f);
        cria_arena_release(&r.arena);
    }
}

CRIA_TEST(every_wrong_answer_is_refused_in_words)
{
    static const struct {
        const char *body, *why;
    } cases[] = {
        {"", "no JSON"},
        {"<html>", "no JSON"},
        {"{\"data\":[", "no JSON"},
        {"[]", "no list"},
        {"{}", "no list"},
        {"null", "no list"},
        {"{\"data\":{}}", "no list"},
        {"{\"error\":{\"message\":\"no such model\"}}", "it says \"no such model\""},
        {"{\"error\":\"overloaded\"}", "it says \"overloaded\""},
        {DATA(""), "0 vectors for 2 texts"},
        {DATA(ROW("0", "[1,2]")), "1 vectors for 2 texts"},
        {DATA(ROW("0", "[1,2]") "," ROW("1", "[1,2]") "," ROW("2", "[1,2]")),
         "3 vectors for 2 texts"},
        {DATA(ROW("0", "[1,2]") "," ROW("0", "[1,2]")), "index 0 comes twice"},
        {DATA(ROW("0", "[1,2]") "," ROW("2", "[1,2]")), "index 2, of 2"},
        {DATA(ROW("-1", "[1,2]") "," ROW("1", "[1,2]")), "index -1"},
        {DATA(ROW("0.5", "[1,2]") "," ROW("1", "[1,2]")), "no index"},
        {DATA(ROW("\"0\"", "[1,2]") "," ROW("1", "[1,2]")), "no index"},
        {DATA("{\"embedding\":[1,2]}," ROW("1", "[1,2]")), "no index"},
        {DATA("{\"index\":0}," ROW("1", "[1,2]")), "no embedding"},
        {DATA("null," ROW("1", "[1,2]")), "no object"},
        {DATA(ROW("0", "null") "," ROW("1", "[1,2]")), "no embedding"},
        {DATA(ROW("0", "{}") "," ROW("1", "[1,2]")), "no embedding"},
        {DATA(ROW("0", "[]") "," ROW("1", "[1,2]")), "empty"},
        {DATA(ROW("0", "\"\"") "," ROW("1", "[1,2]")), "empty"},
        {DATA(ROW("0", "[1,2]") "," ROW("1", "[1,2,3]")), "3 numbers where 2"},
        {DATA(ROW("0", "[1,null]") "," ROW("1", "[1,2]")), "no number"},
        {DATA(ROW("0", "[1,\"2\"]") "," ROW("1", "[1,2]")), "no number"},
        {DATA(ROW("0", "[1,true]") "," ROW("1", "[1,2]")), "no number"},
        {DATA(ROW("0", "[[1],2]") "," ROW("1", "[1,2]")), "no number"},
        {DATA(ROW("0", "[1,NaN]") "," ROW("1", "[1,2]")), "NaN or infinite"},
        {DATA(ROW("0", "[1,-Infinity]") "," ROW("1", "[1,2]")), "NaN or infinite"},
        {DATA(ROW("0", "[1,1e300]") "," ROW("1", "[1,2]")), "NaN or infinite"},
        {DATA(ROW("0", "[1,1e999]") "," ROW("1", "[1,2]")), "no JSON"},
        {DATA(ROW("0", "[0,0]") "," ROW("1", "[1,2]")), "zeros"},
        {DATA(ROW("0", "[1e-40,-0.0]") "," ROW("1", "[1,2]")), "zeros"},
        {DATA(ROW("0", "\"AABA\"") "," ROW("1", "[1,2]")), "no base64"},
        {DATA(ROW("0", "\"AABAQAAAgEAAA\"") "," ROW("1", "[1,2]")), "no base64"},
        {DATA(ROW("0", "\"AABAQ*AAgEA=\"") "," ROW("1", "[1,2]")), "no base64"},
        {DATA(ROW("0", "\"AADAfwAAgD8=\"") "," ROW("1", "[1,2]")), "NaN or infinite"},
        {DATA(ROW("0", "\"AACAfwAAgD8=\"") "," ROW("1", "[1,2]")), "NaN or infinite"},
    };
    (void)state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct read r;
        read_embeddings(&r, cases[i].body, 2, 0);
        if (r.status != CRIA_E_BAD_REQUEST || !strstr(r.why, cases[i].why))
            fail_msg("%s: %s", cases[i].body, r.why);
        assert_null(r.rows);
        cria_arena_release(&r.arena);
    }
}

CRIA_TEST(vectors_have_the_dims_that_are_expected_and_not_too_many)
{
    struct read r;
    char *body = malloc(64 + 3 * (CRIA_EMBEDDING_MAX_DIMS + 1));
    (void)state;
    read_embeddings(&r, DATA(ROW("0", "[1,2,3]")), 1, 2);
    assert_int_equal(r.status, CRIA_E_BAD_REQUEST);
    assert_non_null(strstr(r.why, "3 numbers where 2"));
    cria_arena_release(&r.arena);
    for (int more = 0; more < 2; more++) {
        size_t n = (size_t)snprintf(body, 64, "{\"data\":[{\"index\":0,\"embedding\":[");
        for (int i = 0; i < CRIA_EMBEDDING_MAX_DIMS + more; i++) {
            body[n++] = i ? ',' : ' ';
            body[n++] = '1';
        }
        memcpy(body + n, "]}]}", 5);
        read_embeddings(&r, body, 1, 0);
        assert_int_equal(r.status, more ? CRIA_E_BAD_REQUEST : CRIA_OK);
        if (more)
            assert_non_null(strstr(r.why, "4097 numbers"));
        else
            assert_true(fabsf(r.rows[CRIA_EMBEDDING_MAX_DIMS - 1] - 1.0f / 64) < 1e-7f);
        cria_arena_release(&r.arena);
    }
    free(body);
}

CRIA_TEST(an_arena_that_is_too_small_is_told_apart)
{
    struct cria_arena arena;
    const float *rows = NULL;
    uint32_t dims;
    char why[CRIA_ANSWER_WHY_SIZE];
    (void)state;
    cria_arena_init(&arena, 16);
    assert_int_equal(cria_embeddings_read(&arena, CRIA_STR(DATA(ROW("0", "[1,2,3,4,5,6,7,8]"))), 1,
                                          0, &rows, &dims, why),
                     CRIA_E_NO_MEMORY);
    cria_arena_release(&arena);
}

CRIA_TEST(scores_come_in_the_order_of_the_documents)
{
    static const struct {
        const char *body;
        double want[2];
    } cases[] = {
        {"{\"results\":[{\"index\":1,\"relevance_score\":0.9},{\"index\":0,\"relevance_score\":0}]"
         "}",
         {0, 0.9}},
        {"{\"results\":[{\"index\":0,\"score\":1},{\"index\":1,\"score\":0.25}]}", {1, 0.25}},
        {"[{\"index\":1,\"score\":0.5},{\"index\":0,\"score\":0.75}]", {0.75, 0.5}},
        {"[{\"index\":1,\"score\":0.5},{\"index\":0,\"score\":-2}]",
         {0.11920292202211755, 0.6224593312018546}},
        {"[{\"index\":1,\"score\":8},{\"index\":0,\"score\":1.0}]",
         {0.7310585786300049, 0.9996646498695336}},
        {"[{\"index\":1,\"score\":1e300},{\"index\":0,\"score\":-1e300}]", {0, 1}},
        {"{\"results\":[{\"index\":1,\"relevance_score\":0.1,\"score\":0.7,\"document\":{\"text\":"
         "\"x\"}},{\"index\":0,\"relevance_score\":0.2}]}",
         {0.2, 0.1}},
    };
    (void)state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        double scores[2];
        char why[CRIA_ANSWER_WHY_SIZE] = "";
        if (cria_rerank_read(cria_str_from(cases[i].body), 2, scores, why) != CRIA_OK)
            fail_msg("%zu: %s", i, why);
        for (size_t k = 0; k < 2; k++) assert_true(fabs(scores[k] - cases[i].want[k]) < 1e-12);
    }
}

CRIA_TEST(every_wrong_rerank_answer_is_refused_in_words)
{
    static const struct {
        const char *body, *why;
    } cases[] = {
        {"", "no JSON"},
        {"{}", "no list"},
        {"\"x\"", "no list"},
        {"{\"results\":null}", "no list"},
        {"[]", "0 results for 2 documents"},
        {"[{\"index\":0,\"score\":1}]", "1 results for 2 documents"},
        {"[{\"index\":0,\"score\":1},{\"index\":0,\"score\":1}]", "index 0 comes twice"},
        {"[{\"index\":0,\"score\":1},{\"index\":2,\"score\":1}]", "index 2, of 2"},
        {"[{\"index\":0,\"score\":1},{\"index\":-1,\"score\":1}]", "index -1"},
        {"[{\"index\":0,\"score\":1},{\"score\":1}]", "no index"},
        {"[{\"index\":0,\"score\":1},7]", "no index"},
        {"[{\"index\":0,\"score\":1},{\"index\":1}]", "no score"},
        {"[{\"index\":0,\"score\":1},{\"index\":1,\"score\":null}]", "no score"},
        {"[{\"index\":0,\"score\":1},{\"index\":1,\"score\":\"0.5\"}]", "no score"},
        {"[{\"index\":0,\"score\":1},{\"index\":1,\"score\":NaN}]", "no JSON"},
    };
    (void)state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        double scores[2];
        char why[CRIA_ANSWER_WHY_SIZE] = "";
        if (cria_rerank_read(cria_str_from(cases[i].body), 2, scores, why) != CRIA_E_BAD_REQUEST ||
            !strstr(why, cases[i].why))
            fail_msg("%s: %s", cases[i].body, why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_ordered_by_index_and_of_length_one),
        cmocka_unit_test(every_wrong_answer_is_refused_in_words),
        cmocka_unit_test(vectors_have_the_dims_that_are_expected_and_not_too_many),
        cmocka_unit_test(an_arena_that_is_too_small_is_told_apart),
        cmocka_unit_test(scores_come_in_the_order_of_the_documents),
        cmocka_unit_test(every_wrong_rerank_answer_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
