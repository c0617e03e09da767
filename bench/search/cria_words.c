/* cria_words KIND build FOLDER FILE | serve FOLDER - Cria's words beside the other engines, as
 * peer.h says. Segments of at most 2,000,000 chunks, made as the server makes them: built from
 * documents of some chunks, then merged. KIND, all over the same index: leg         BM25, the best
 * ten leg-100     the best hundred, as the stack wants them exhaustive  the same by adding up every
 * posting stack       all that is done without vectors: words, similar ones, pairs, titles, 4-grams
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/search/peer.h"
#include "search/rank.h"
#include "search/segment.h"

enum {
    CHUNKS_A_DOCUMENT = 100,
    CHUNKS_A_PIECE = 50000,
    MAX_PIECES = 40, /* of a segment */
    MAX_SEGMENTS = 64,
    CANDIDATES = 100
};

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
    uint32_t documents, made;
    /* asking */
    struct cria_rank_source sources[MAX_SEGMENTS];
    uint32_t first[MAX_SEGMENTS]; /* chunk of each segment, of all */
    size_t segment_count;
    double chunk_sum, word_sum; /* of all */
    struct cria_words_list lists[MAX_SEGMENTS][CRIA_WORDS_MAX_LISTS];
    size_t list_counts[MAX_SEGMENTS];
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

/* All pieces into the next segment. */
static void end_segment(void)
{
    struct cria_segment_input inputs[MAX_PIECES] = {0};
    struct cria_segment *merged;
    char part[4200], path[4200], name[64];
    if (state.piece_count == 0) return;
    for (size_t i = 0; i < state.piece_count; i++) inputs[i].segment = state.pieces[i];
    snprintf(name, sizeof(name), state.made ? "segment-%u" : "segment", (unsigned)state.made);
    state.made++;
    path_of("part", part);
    path_of(name, path);
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
    state.piece_count = 0;
}

static void end_piece(void)
{
    char part[4200], path[4200], name[64];
    end_document();
    if (cria_segment_builder_chunks(state.builder) == 0) return;
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
    if (state.piece_count == MAX_PIECES) end_segment();
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
    (void)index;
    end_piece();
    end_segment();
}

static void *open_index(const char *folder)
{
    struct cria_segment_file *file;
    struct cria_segment *segment;
    char path[4200] = "", name[64];
    begin(folder);
    for (;;) {
        size_t n = state.segment_count;
        snprintf(name, sizeof(name), n ? "segment-%zu" : "segment", n);
        path_of(name, path);
        if (n == MAX_SEGMENTS || (n > 0 && access(path, F_OK) != 0)) return &state;
        check(cria_segment_file_open(path, &state.call, &file), path);
        check(cria_segment_open(file, &state.call, &segment), path);
        state.sources[n].segment = segment;
        state.first[n] = (uint32_t)state.chunk_sum;
        state.chunk_sum += segment->meta.chunk_count;
        state.word_sum += (double)segment->meta.total_length;
        state.segment_count++;
    }
}

/* The word's list in each segment; its idf is that of all of them. */
static bool take_term(void *arg, struct cria_str stem, uint32_t position, bool is_word)
{
    struct cria_segment_term terms[MAX_SEGMENTS] = {0};
    double df = 0;
    (void)arg, (void)position, (void)is_word;
    for (size_t s = 0; s < state.segment_count; s++) {
        const struct cria_segment *segment = state.sources[s].segment;
        uint32_t ordinal = cria_dictionary_find(&segment->dictionary, stem);
        if (ordinal == UINT32_MAX) continue;
        if (!cria_segment_term(segment, ordinal, &terms[s]))
            peer_die("term", "the segment is damaged");
        df += terms[s].df;
        for (size_t i = 0; i < state.list_counts[s]; i++) /* the same stem again */
            if (terms[s].df && state.lists[s][i].offset == terms[s].offset) return true;
    }
    for (size_t s = 0; s < state.segment_count; s++) {
        if (!terms[s].df || state.list_counts[s] == CRIA_WORDS_MAX_LISTS) continue;
        state.lists[s][state.list_counts[s]++] =
            (struct cria_words_list){.bytes = state.sources[s].segment->postings,
                                     .offset = (size_t)terms[s].offset,
                                     .length = terms[s].length,
                                     .df = terms[s].df,
                                     .weight = cria_idf(state.chunk_sum, df)};
    }
    return true;
}

static size_t ask_words(const struct peer_text *question, uint32_t *out)
{
    struct cria_words_source sources[MAX_SEGMENTS];
    struct cria_words_hit hits[CANDIDATES];
    size_t count = 0, damaged, limit = state.kind == LEG_100 ? CANDIDATES : PEER_TOP;
    double average = state.word_sum / state.chunk_sum;
    memset(state.list_counts, 0, sizeof(state.list_counts));
    cria_analyse(state.analyser, cria_str_make(question->line, question->line_len),
                 CRIA_LANG_ENGLISH, false, take_term, NULL);
    for (size_t s = 0; s < state.segment_count; s++) {
        const struct cria_segment *segment = state.sources[s].segment;
        sources[s] = (struct cria_words_source){
            .lists = state.lists[s],
            .list_count = state.list_counts[s],
            .norms = segment->norms.ptr,
            .chunk_count = segment->meta.chunk_count,
            .average_length = (double)segment->meta.total_length / segment->meta.chunk_count};
    }
    enum cria_words_result result =
        state.kind != EXHAUSTIVE
            ? cria_words_top(sources, state.segment_count, average, limit, &state.arena, hits,
                             &count, &damaged)
            : cria_words_top_exhaustive(sources, state.segment_count, average, limit, &state.arena,
                                        hits, &count, &damaged);
    if (result != CRIA_WORDS_OK) peer_die("words", "the segment is damaged");
    if (count > PEER_TOP) count = PEER_TOP;
    for (size_t i = 0; i < count; i++) out[i] = state.first[hits[i].source] + hits[i].chunk;
    return count;
}

static size_t ask_stack(const struct peer_text *question, uint32_t *out)
{
    static const struct cria_rank_options options = {.candidates = CANDIDATES,
                                                     .full_text_weight = 1};
    struct cria_query_plan *plan = CRIA_NEW(&state.arena, struct cria_query_plan);
    struct cria_ranking ranking;
    if (!plan || !cria_query_plan_make(plan, &state.arena, state.analyser, state.sources,
                                       state.segment_count,
                                       cria_str_make(question->line, question->line_len)))
        peer_die("plan", "out of memory");
    check(cria_rank(plan, &state.call, &options, &ranking), "rank");
    size_t count = ranking.count < PEER_TOP ? ranking.count : PEER_TOP;
    for (size_t i = 0; i < count; i++)
        out[i] = state.first[ranking.items[i].source] + ranking.items[i].chunk;
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
