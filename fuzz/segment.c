/* Any bytes as a segment's file, with its checksums made right, so that what lies behind them is
 * read: every accessor, a filter, a plan and its ranking, a merge with itself. */
#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "search/bitmap.h"
#include "search/rank.h"

enum { BLOCK = 64 << 10, FOOTER = 64, TABLE = CRIA_SECTIONS_MAX * 16, MOST_BYTES = 256 << 10 };

static void store(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

/* The file's own frame (segment_file.h) around what was made up; the table of sections is left. */
static bool repair(uint8_t *bytes, size_t size)
{
    if (size < 64 + 8 + TABLE + FOOTER) return false;
    uint8_t *footer = bytes + size - FOOTER;
    size_t body = size - FOOTER - TABLE, blocks = 1;
    while (body - 8 * blocks > blocks * BLOCK) blocks++;
    body -= 8 * blocks;
    memcpy(bytes, "CRIASEG\n", 8);
    memset(footer, 0, FOOTER);
    for (size_t i = 0; i < blocks; i++) {
        size_t start = i * BLOCK, len = body - start < BLOCK ? body - start : BLOCK;
        store(bytes + body + 8 * i, cria_checksum(bytes + start, len, 0));
    }
    store(footer, body);
    store(footer + 8, blocks);
    store(footer + 16, body + 8 * blocks);
    store(footer + 24, cria_checksum(bytes + body, size - FOOTER - body + 24, 0));
    footer[32] = 1;
    memcpy(footer + 40, "\nGESAIRC", 8);
    return (body + BLOCK - 1) / BLOCK == blocks;
}

static void read_all(const struct cria_segment *segment)
{
    struct cria_segment_document document;
    struct cria_segment_chunk chunk;
    struct cria_str held;
    struct cria_segment_term term;
    char text[CRIA_DICTIONARY_MAX_TERM + 1];
    volatile uint64_t sum = 0;
    for (uint32_t d = 0; d < segment->meta.document_count; d++) {
        if (!cria_segment_document(segment, d, &document)) continue;
        assert(document.chunk_count <= segment->meta.chunk_count);
        if (document.metadata_json.len) sum += (uint8_t)document.metadata_json.ptr[0];
        for (uint32_t i = 0; i < document.title_count; i++) sum += document.title[4 * (size_t)i];
    }
    for (uint32_t n = 0; n < segment->meta.chunk_count; n++) {
        if (!cria_segment_chunk(segment, n, &chunk)) continue;
        for (size_t i = 0; i < chunk.folded.len; i++) sum += (uint8_t)chunk.folded.ptr[i];
        if (cria_segment_text(segment, n, &held))
            for (size_t i = 0; i < held.len; i++) sum += (uint8_t)held.ptr[i];
        if (chunk.sequence_length) sum += chunk.sequence[2 * (size_t)chunk.sequence_length - 1];
        if (chunk.place.heading.len) sum += (uint8_t)chunk.place.heading.ptr[0];
    }
    for (uint32_t t = 0; t < segment->meta.term_count && t < 20000; t++) {
        struct cria_str found = cria_dictionary_term(&segment->dictionary, t, text);
        if (found.ptr) sum += cria_dictionary_find(&segment->dictionary, found);
        if (cria_segment_term(segment, t, &term)) sum += term.df;
        sum += cria_segment_gram_df(segment, t * 2654435761u);
    }
    assert(cria_segment_verify(segment));
}

static void filter(const struct cria_segment *segment, struct cria_arena *arena)
{
    const struct cria_json *filters = NULL;
    const char *why;
    size_t count = segment->meta.document_count;
    uint64_t *documents = CRIA_NEW_ARRAY(arena, cria_bitmap_words(count) + 1, uint64_t);
    assert(documents &&
           cria_json_parse(arena, CRIA_STR("{\"year\":{\"operator\":\"gte\",\"value\":2}}"),
                           &filters, &why) == CRIA_OK);
    cria_bitmap_set_range(documents, 0, count);
    if (cria_fields_filter(&segment->fields, count, NULL, filters, documents, arena) != CRIA_OK)
        return;
}

static void rank(const struct cria_segment *segment, struct cria_call *call)
{
    static struct cria_analyser *analyser;
    const struct cria_rank_source sources[2] = {{.segment = segment}, {.segment = segment}};
    const struct cria_rank_options options = {.candidates = 20, .full_text_weight = 1};
    struct cria_query_plan *plan = CRIA_NEW(call->arena, struct cria_query_plan);
    struct cria_ranking ranking;
    if (!analyser) analyser = cria_analyser_new();
    assert(plan && analyser);
    if (!cria_query_plan_make(plan, call->arena, analyser, sources, 2,
                              CRIA_STR("notes on alpha betta gamma, first delta")) ||
        cria_rank(plan, call, &options, &ranking) != CRIA_OK)
        return;
    for (size_t i = 0; i < ranking.count; i++)
        assert(ranking.items[i].chunk < segment->meta.chunk_count && ranking.items[i].source < 2);
}

static void merge(const struct cria_segment *segment, struct cria_call *call)
{
    uint64_t *dead = calloc(cria_bitmap_words(segment->meta.document_count) + 1, sizeof(*dead));
    struct cria_segment *merged = NULL;
    const struct cria_segment_place memory = {NULL, NULL};
    const struct cria_segment_input inputs[2] = {{segment, NULL}, {segment, dead}};
    assert(dead);
    for (uint32_t d = 0; d < segment->meta.document_count; d += 2) cria_bitmap_set(dead, d);
    if (cria_segment_merge(inputs, 2, call, &memory, &merged) == CRIA_OK) read_all(merged);
    cria_segment_close(merged);
    free(dead);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_arena arena;
    struct cria_call call;
    struct cria_segment_file *file = NULL;
    struct cria_segment *segment = NULL;
    void *bytes = NULL;
    if (size == 0 || size > MOST_BYTES || posix_memalign(&bytes, 64, size) != 0) return 0;
    memcpy(bytes, data, size);
    cria_arena_init(&arena, 256 << 20);
    cria_call_init(&call, &arena);
    if (cria_segment_file_over(bytes, size, &call, &file) == CRIA_OK) cria_segment_file_close(file);
    file = NULL;
    if (repair(bytes, size) && cria_segment_file_over(bytes, size, &call, &file) == CRIA_OK &&
        cria_segment_open(file, &call, &segment) == CRIA_OK) {
        read_all(segment);
        filter(segment, &arena);
        rank(segment, &call);
        merge(segment, &call);
        cria_segment_close(segment);
    }
    cria_arena_release(&arena);
    free(bytes);
    return 0;
}
