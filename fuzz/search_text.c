/* Any bytes as the text of a document and as a question: terms, sentences, a ranking, a pattern. */
#include <assert.h>

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

/* The text as two chunks of a segment in memory, the query ranked over it. */
static void search(struct cria_arena *arena, struct cria_analyser *analyser, struct cria_str text,
                   struct cria_str query)
{
    struct cria_segment_builder *builder = cria_segment_builder_new(analyser);
    const struct cria_segment_place memory = {0};
    const struct cria_document row = {.id = CRIA_STR("d"),
                                      .entry_id = CRIA_STR("e"),
                                      .title = cria_str_sub(query, 0, cria_utf8_valid_len(query)),
                                      .metadata_json = CRIA_STR("{}")};
    size_t half = cria_utf8_cut(text, text.len / 2).len,
           half_chars = cria_utf8_count(cria_str_sub(text, 0, half));
    const struct cria_chunk chunks[] = {{.n = 0, .char_end = half_chars, .byte_end = half},
                                        {.n = 1,
                                         .char_start = half_chars,
                                         .char_end = cria_utf8_count(text),
                                         .byte_start = half,
                                         .byte_end = text.len,
                                         .heading = row.title}};
    const struct cria_rank_options options = {.candidates = 10, .full_text_weight = 1};
    struct cria_query_plan *plan = CRIA_NEW(arena, struct cria_query_plan);
    struct cria_segment *segment = NULL;
    struct cria_ranking ranking;
    struct cria_call call;
    cria_call_init(&call, arena);
    assert(builder && plan);
    bool good = cria_segment_builder_add(builder, &row, text, chunks, 2) == CRIA_OK &&
                cria_segment_builder_finish(builder, &call, &memory, &segment) == CRIA_OK;
    cria_segment_builder_free(builder);
    assert(good && cria_segment_verify(segment));
    const struct cria_rank_source source = {.segment = segment};
    good = cria_query_plan_make(plan, arena, analyser, &source, 1, query) &&
           cria_rank(plan, &call, &options, &ranking) == CRIA_OK;
    assert(good && !plan->is_damaged && ranking.count <= 2);
    for (size_t i = 0; i < ranking.count; i++)
        assert(ranking.items[i].score >= 0 && ranking.items[i].score <= 1);
    cria_segment_close(segment);
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
    search(&arena, analyser, text, query);
    cria_arena_release(&arena);
    return 0;
}
