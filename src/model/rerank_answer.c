#include "model/rerank_answer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"

enum { TREE_BYTES = 64 << 20 };

static bool wrong(char *why, const char *format, ...) CRIA_PRINTF(2, 3);
static bool wrong(char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, CRIA_ANSWER_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static bool read_item(const struct cria_json *item, size_t n, size_t count, double *scores,
                      bool *is_read, char *why)
{
    const struct cria_json *score = cria_json_get(item, "relevance_score");
    int64_t at;
    if (!score) score = cria_json_get(item, "score");
    if (!cria_json_as_int(cria_json_get(item, "index"), &at))
        return wrong(why, "result %zu has no index", n);
    if (at < 0 || (uint64_t)at >= count)
        return wrong(why, "result %zu has the index %lld, of %zu documents", n, (long long)at,
                     count);
    if (is_read[at]) return wrong(why, "the index %lld comes twice", (long long)at);
    if (!score || (score->kind != CRIA_JSON_INT && score->kind != CRIA_JSON_REAL) ||
        !isfinite(score->real))
        return wrong(why, "result %zu has no score", n);
    is_read[at] = true;
    scores[at] = score->real;
    return true;
}

static bool read_all(struct cria_arena *tree, struct cria_str body, size_t count, double *scores,
                     char *why)
{
    const struct cria_json *root = NULL;
    const char *syntax;
    if (cria_json_parse(tree, body, &root, &syntax) != CRIA_OK)
        return tree->failed ? wrong(why, "it is too large")
                            : wrong(why, "it is no JSON (%.100s)", syntax);
    const struct cria_json *list =
        root->kind == CRIA_JSON_ARRAY ? root : cria_json_get(root, "results");
    if (!list || list->kind != CRIA_JSON_ARRAY) return wrong(why, "it has no list `results`");
    if (list->count != count)
        return wrong(why, "it has %zu results for %zu documents", list->count, count);
    bool *is_read = CRIA_NEW_ARRAY(tree, count, bool);
    if (!is_read) return wrong(why, "it is too large");
    for (size_t i = 0; i < count; i++)
        if (!read_item(&list->items[i], i, count, scores, is_read, why)) return false;
    return true;
}

enum cria_status cria_rerank_read(struct cria_str body, size_t count, double *scores,
                                  char why[CRIA_ANSWER_WHY_SIZE])
{
    struct cria_arena tree;
    bool are_logits = false;
    cria_arena_init(&tree, TREE_BYTES);
    bool good = read_all(&tree, body, count, scores, why);
    bool lacks_memory = tree.failed;
    cria_arena_release(&tree);
    if (!good) return lacks_memory ? CRIA_E_NO_MEMORY : CRIA_E_BAD_REQUEST;
    for (size_t i = 0; i < count; i++) are_logits |= scores[i] < 0 || scores[i] > 1;
    for (size_t i = 0; i < count && are_logits; i++) scores[i] = 1 / (1 + exp(-scores[i]));
    return CRIA_OK;
}
