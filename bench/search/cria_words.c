/* cria_words KIND build FOLDER FILE | serve FOLDER - Cria's words beside the other engines, as
 * peer.h says. One segment, made as the server makes it: built from documents of some chunks, then
 * merged. KIND, all over the same index:
 *   leg         BM25, the best ten
 *   leg-100     the best hundred, as the stack wants them
 *   exhaustive  the same by adding up every posting
 *   stack       all that is done without vectors: words, similar ones, pairs, titles, 4-grams */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/search/peer.h"
#include "search/rank.h"
#include "search/segment.h"

enum { CHUNKS_A_DOCUMENT = 100, CHUNKS_A_PIECE = 50000, MAX_PIECES = 256, CANDIDATES = 100 };

enum kind { LEG, LEG_100, EXHAUSTIVE, STACK };

struct state {
    enum kind kind;
    char folder[4096];
    struct cria_arena arena;
    struct cria_call call;
    struct cria_analyser *analyser;
    /* building */
    struct cria_segment_builder *builder;
    struct cria_segment *pieces[MAX_PIECES];
    size_t piece_count;
    struct cria_buf text;
    struct cria_chunk chunks[CHUNKS_A_DOCUMENT];
    size_t chunk_count;
    uint32_t documents;
    /* asking */
    struct cria_segment *segment;
    struct cria_words_list lists[CRIA_WORDS_MAX_LISTS];
    size_t list_count;
};

static struct state state;

static void check(enum cria_status st, const char *what)
{
    if (st != CRIA_OK) peer_die(what, state.call.error);
}

static void begin(const char *folder)
{
    snprintf(state.folder, sizeof(state.folder), "%s", folder);
    cria_arena_init(&state.arena, (size_t)1 << 30);
    cria_call_init(&state.call, &state.arena);
    state.analyser = cria_analyser_new();
    if (!state.analyser) peer_die("analyser", "out of memory");
}

static void path_of(const char *name, char out[4200])
{
    snprintf(out, 4200, "%s/%s", state.folder, name);
}

static void *create(const char *folder)
{
    begin(folder);
    cria_buf_init(&state.text, (size_t)1 << 30);
    state.builder = cria_segment_builder_new(state.analyser);
    if (!state.builder) peer_die("builder", "out of memory");
    return &state;
}

static void end_document(void)
{
    char id[32];
    if (state.chunk_count == 0) return;
    snprintf(id, sizeof(id), "doc-%u", (unsigned)state.documents++);
    struct cria_document row = {.id = cria_str_from(id), .entry_id = cria_str_from(id)};
    check(cria_segment_builder_add(state.builder, &row, cria_buf_str(&state.text), state.chunks,
                                   state.chunk_count),
          "add");
    cria_buf_clear(&state.text);
    state.chunk_count = 0;
}

static void end_piece(void)
{
    char part[4200], path[4200], name[64];
    end_document();
    if (cria_segment_builder_chunks(state.builder) == 0) return;
    if (state.piece_count == MAX_PIECES) peer_die("pieces", "too many");
    snprintf(name, sizeof(name), "piece-%zu", state.piece_count);
    path_of("part", part);
    path_of(name, path);
    check(cria_segment_builder_finish(state.builder, &state.call,
                                      &(struct cria_segment_place){part, path},
                                      &state.pieces[state.piece_count++]),
          "piece");
    cria_segment_builder_free(state.builder);
    state.builder = cria_segment_builder_new(state.analyser);
    if (!state.builder) peer_die("builder", "out of memory");
}

static void add(void *index, uint32_t id, const struct peer_text *chunk)
{
    size_t at = cria_buf_str(&state.text).len;
    (void)index;
    cria_buf_add(&state.text, cria_str_make(chunk->line, chunk->line_len));
    cria_buf_add_char(&state.text, '\n');
    state.chunks[state.chunk_count] =
        (struct cria_chunk){.n = (uint32_t)state.chunk_count,
                            .char_start = at, /* in bytes: nobody reads them here */
                            .char_end = at + chunk->line_len,
                            .byte_start = at,
                            .byte_end = at + chunk->line_len};
    if (++state.chunk_count == CHUNKS_A_DOCUMENT) end_document();
    if ((id + 1) % CHUNKS_A_PIECE == 0) end_piece();
}

static void finish(void *index)
{
    struct cria_segment_input inputs[MAX_PIECES] = {0};
    struct cria_segment *merged;
    char part[4200], path[4200], name[64];
    (void)index;
    end_piece();
    for (size_t i = 0; i < state.piece_count; i++) inputs[i].segment = state.pieces[i];
    path_of("part", part);
    path_of("segment", path);
    check(cria_segment_merge(inputs, state.piece_count, &state.call,
                             &(struct cria_segment_place){part, path}, &merged),
          "merge");
    cria_segment_close(merged);
    for (size_t i = 0; i < state.piece_count; i++) {
        cria_segment_close(state.pieces[i]);
        snprintf(name, sizeof(name), "piece-%zu", i);
        path_of(name, path);
        remove(path);
    }
}

static void *open_index(const char *folder)
{
    struct cria_segment_file *file;
    char path[4200];
    begin(folder);
    path_of("segment", path);
    check(cria_segment_file_open(path, &state.call, &file), path);
    check(cria_segment_open(file, &state.call, &state.segment), path);
    return &state;
}

static bool take_term(void *arg, struct cria_str stem, uint32_t position, bool is_word)
{
    const struct cria_segment *segment = state.segment;
    struct cria_segment_term term;
    (void)arg, (void)position, (void)is_word;
    uint32_t ordinal = cria_dictionary_find(&segment->dictionary, stem);
    if (ordinal == UINT32_MAX || state.list_count == CRIA_WORDS_MAX_LISTS) return true;
    if (!cria_segment_term(segment, ordinal, &term)) peer_die("term", "the segment is damaged");
    for (size_t i = 0; i < state.list_count; i++)
        if (state.lists[i].offset == term.offset) return true;
    if (term.df)
        state.lists[state.list_count++] =
            (struct cria_words_list){.bytes = segment->postings,
                                     .offset = (size_t)term.offset,
                                     .length = term.length,
                                     .df = term.df,
                                     .weight = cria_idf(segment->meta.chunk_count, term.df)};
    return true;
}

static size_t ask_words(const struct peer_text *question, uint32_t *out)
{
    const struct cria_segment_meta *meta = &state.segment->meta;
    struct cria_words_hit hits[CANDIDATES];
    size_t count = 0, damaged, limit = state.kind == LEG_100 ? CANDIDATES : PEER_TOP;
    double average = (double)meta->total_length / meta->chunk_count;
    state.list_count = 0;
    cria_analyse(state.analyser, cria_str_make(question->line, question->line_len),
                 CRIA_LANG_ENGLISH, false, take_term, NULL);
    struct cria_words_source source = {.lists = state.lists,
                                       .list_count = state.list_count,
                                       .norms = state.segment->norms.ptr,
                                       .chunk_count = meta->chunk_count,
                                       .average_length = average};
    enum cria_words_result result =
        state.kind != EXHAUSTIVE
            ? cria_words_top(&source, 1, average, limit, &state.arena, hits, &count, &damaged)
            : cria_words_top_exhaustive(&source, 1, average, PEER_TOP, &state.arena, hits, &count,
                                        &damaged);
    if (result != CRIA_WORDS_OK) peer_die("words", "the segment is damaged");
    for (size_t i = 0; i < count && i < PEER_TOP; i++) out[i] = hits[i].chunk;
    return count < PEER_TOP ? count : PEER_TOP;
}

static size_t ask_stack(const struct peer_text *question, uint32_t *out)
{
    struct cria_rank_source source = {.segment = state.segment};
    static const struct cria_rank_options options = {.candidates = CANDIDATES,
                                                     .full_text_weight = 1};
    struct cria_query_plan *plan = CRIA_NEW(&state.arena, struct cria_query_plan);
    struct cria_ranking ranking;
    if (!plan || !cria_query_plan_make(plan, &state.arena, state.analyser, &source, 1,
                                       cria_str_make(question->line, question->line_len)))
        peer_die("plan", "out of memory");
    check(cria_rank(plan, &state.call, &options, &ranking), "rank");
    size_t count = ranking.count < PEER_TOP ? ranking.count : PEER_TOP;
    for (size_t i = 0; i < count; i++) out[i] = ranking.items[i].chunk;
    return count;
}

static size_t ask(void *index, const struct peer_text *question, uint32_t *out)
{
    (void)index;
    cria_arena_reset(&state.arena);
    return state.kind == STACK ? ask_stack(question, out) : ask_words(question, out);
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"leg", "leg-100", "exhaustive", "stack"};
    static const struct peer peer = {
        .create = create, .add = add, .finish = finish, .open = open_index, .ask = ask};
    for (int i = 0; argc > 1 && i < 4; i++) {
        if (strcmp(argv[1], kinds[i]) != 0) continue;
        state.kind = (enum kind)i;
        return peer_main(argc - 1, argv + 1, &peer);
    }
    fprintf(stderr, "usage: cria_words leg|leg-100|exhaustive|stack build|serve …\n");
    return 64;
}
