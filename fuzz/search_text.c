/* Any bytes as the text of a document and as a question: terms, sentences, a ranking, a pattern. */
#include <assert.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "search/rank.h"
#include "search/re2_shim.h"

static void match(struct cria_str pattern, struct cria_str text)
{
    char error[200];
    size_t start, end, from = 0;
    struct cria_re2 *re = cria_re2_new(pattern.ptr, pattern.len, false, error, sizeof(error));
    if (!re) return;
    while (from <= text.len && cria_re2_find(re, text.ptr, text.len, from, &start, &end)) {
        assert(start >= from && start <= end && end <= text.len);
        from = end > from ? end : from + 1;
    }
    cria_re2_free(re);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cria_analyser *analyser;
    if (!analyser) analyser = cria_analyser_new();
    if (size > 1 << 14) return 0;
    struct cria_str text = cria_str_make((const char *)data, size), query;
    struct cria_arena arena;
    struct cria_span *spans;
    size_t count;
    cria_arena_init(&arena, 256 << 20);
    cria_str_cut(&text, '\n', &query);
    match(cria_str_sub(query, 0, 200), text);
    text = cria_str_sub(text, 0, cria_utf8_valid_len(text)); /* what the store holds is valid */
    assert(cria_sentence_spans(&arena, text, &spans, &count));
    for (size_t i = 0; i < count; i++)
        assert(spans[i].start < spans[i].end && spans[i].end <= text.len &&
               (i == 0 || spans[i].start >= spans[i - 1].end));
    struct cria_vocabulary *vocabulary = cria_vocabulary_new();
    struct cria_indexed_document **documents = malloc(sizeof(*documents));
    const struct cria_document row = {
        .id = CRIA_STR("d"), .entry_id = CRIA_STR("e"), .metadata_json = CRIA_STR("{}")};
    const struct cria_chunk chunk = {.char_end = cria_utf8_count(text), .byte_end = text.len};
    documents[0] = cria_document_index(vocabulary, analyser, &row, text, &chunk, 1);
    struct cria_snapshot *snapshot = cria_snapshot_new(vocabulary, documents, 1, 1);
    struct cria_query_plan *plan = CRIA_NEW(&arena, struct cria_query_plan);
    struct cria_ranking ranking;
    assert(snapshot && plan);
    assert(cria_query_plan_make(plan, &arena, analyser, &snapshot, 1, query));
    assert(cria_rank(plan, &arena, NULL, 10, &ranking));
    for (size_t i = 0; i < ranking.count; i++)
        assert(ranking.items[i].score >= 0 && ranking.items[i].score <= 1);
    cria_snapshot_unref(snapshot);
    cria_vocabulary_free(vocabulary);
    cria_arena_release(&arena);
    return 0;
}
