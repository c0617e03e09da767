/* segment_test.c - a segment holds what was put into it, by a model that keeps everything plain;
 * and merging segments gives what building one of the living documents gives. */
#include "search/segment.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "search/bitmap.h"
#include "search/norms.h"
#include "search/postings.h"
#include "search/rank.h"
#include "tests/support/segment.h"
#include "tests/support/test.h"

enum { MOST_DOCUMENTS = 64, MOST_CHUNKS = 4, MOST_TERMS = 4000, PARTS = 4 };

struct text {
    struct cria_document row;
    struct cria_str text;
    struct cria_chunk chunks[MOST_CHUNKS];
    size_t count;
};

struct fixture {
    struct cria_arena arena;
    struct cria_call call;
    struct cria_analyser *analyser;
    struct text texts[MOST_DOCUMENTS];
    uint64_t random;
};

static const char *const words[] = {
    "river",   "Mountain", "running", "runner",  "the",     "of",       "über",    "Straße",
    "Häuser",  "naïve",    "42",      "3.14",    "C17",     "e-mail",   "日本語",  "東京都",
    "данные",  "таблица",  "مكتبة",   "x",       "quantum", "quantity", "library", "libraries",
    "segment", "merges",   "merging", "posting", "chunks",  "a",        "I",       "zebra"};

static uint32_t below(struct fixture *f, uint32_t n)
{
    return test_random(&f->random) % n;
}

static struct cria_str make_words(struct fixture *f, size_t count)
{
    struct cria_buf buf;
    cria_buf_init(&buf, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        uint32_t n = below(f, CRIA_COUNT(words));
        if (i) cria_buf_add_z(&buf, below(f, 5) ? " " : ". ");
        cria_buf_add_z(&buf, words[below(f, n + 1)]);
        if (below(f, 6) == 0) cria_buf_printf(&buf, "w%u", below(f, 50));
    }
    struct cria_str out = cria_arena_copy(&f->arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return out;
}

/* Documents of all kinds: without text, without title, with metadata that is none. */
static void make_text(struct fixture *f, unsigned n)
{
    struct text *t = &f->texts[n];
    struct cria_buf buf;
    cria_buf_init(&buf, 1 << 20);
    *t = (struct text){.count = n % 5 == 4 ? 0 : 1 + below(f, MOST_CHUNKS)};
    for (size_t c = 0; c < t->count; c++) {
        if (c) cria_buf_add_z(&buf, "\n");
        size_t start = buf.len;
        cria_buf_add(&buf, make_words(f, below(f, 60)));
        t->chunks[c] = (struct cria_chunk){.n = (uint32_t)c * 3,
                                           .char_start = start / 2,
                                           .char_end = start,
                                           .byte_start = start,
                                           .byte_end = buf.len,
                                           .page_start = below(f, 9),
                                           .page_end = 9,
                                           .token_count = below(f, 1000)};
        if (below(f, 2)) t->chunks[c].heading = make_words(f, 2);
    }
    t->text = cria_arena_copy(&f->arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    t->row = (struct cria_document){
        .id = cria_arena_printf(&f->arena, "doc-%u", n),
        .entry_id = cria_arena_printf(&f->arena, "dfl-%u", n % 50),
        .display_name = cria_arena_printf(&f->arena, "Name %u.txt", n),
        .title = n % 3 ? make_words(f, 1 + below(f, 5)) : (struct cria_str){0},
        .metadata_json =
            n % 7 == 0   ? (struct cria_str){0}
            : n % 7 == 1 ? CRIA_STR("[not json")
                         : cria_arena_printf(&f->arena, "{\"year\":%u,\"tags\":[\"a\",\"t%u\"]}",
                                             n % 6, n % 4)};
}

static int setup(void **state)
{
    struct fixture *f = *state = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->random = 77;
    cria_arena_init(&f->arena, 256 << 20);
    cria_call_init(&f->call, &f->arena);
    f->analyser = cria_analyser_new();
    assert_non_null(f->analyser);
    for (unsigned n = 0; n < MOST_DOCUMENTS; n++) make_text(f, n);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_analyser_free(f->analyser);
    cria_arena_release(&f->arena);
    free(f);
    return 0;
}

static const struct cria_segment_place memory = {NULL, NULL};

/* The documents of these numbers, one behind the other. */
static struct cria_segment *build(struct fixture *f, const unsigned *numbers, size_t count)
{
    struct cria_segment *segment = NULL;
    struct cria_segment_builder *builder = cria_segment_builder_new(f->analyser);
    assert_non_null(builder);
    for (size_t i = 0; i < count; i++) {
        const struct text *t = &f->texts[numbers[i]];
        assert_int_equal(cria_segment_builder_add(builder, &t->row, t->text, t->chunks, t->count),
                         CRIA_OK);
    }
    assert_int_equal(cria_segment_builder_documents(builder), count);
    assert_int_equal(cria_segment_builder_finish(builder, &f->call, &memory, &segment), CRIA_OK);
    cria_segment_builder_free(builder);
    return segment;
}

/* ---- the model: every term of every chunk, kept plain */

struct model_term {
    struct cria_str text;
    uint32_t tfs[MOST_DOCUMENTS * MOST_CHUNKS];
    bool in_title[MOST_DOCUMENTS];
};
struct model {
    struct cria_arena *arena;
    struct model_term *terms;
    size_t count;
    uint32_t document, chunk; /* at hand */
    bool is_title;
    uint16_t marks[4096];
    struct cria_str title[400];
    uint32_t length;
};

static bool model_term(void *arg, struct cria_str text, uint32_t position, bool is_word)
{
    struct model *m = arg;
    (void)position, (void)is_word;
    size_t n = 0;
    while (n < m->count && !cria_str_equal(m->terms[n].text, text)) n++;
    assert_in_range(n, 0, MOST_TERMS - 1);
    if (n == m->count) m->terms[m->count++].text = cria_arena_copy(m->arena, text);
    if (m->is_title) {
        m->terms[n].in_title[m->document] = true;
        assert_in_range(m->length, 0, CRIA_COUNT(m->title) - 1);
        m->title[m->length] = m->terms[n].text;
    } else {
        m->terms[n].tfs[m->chunk]++;
        assert_in_range(m->length, 0, CRIA_COUNT(m->marks) - 1);
        m->marks[m->length] = cria_term_mark(text);
    }
    m->length++;
    return true;
}

static int by_text(const void *a, const void *b)
{
    return cria_str_compare(((const struct model_term *)a)->text,
                            ((const struct model_term *)b)->text);
}

static struct cria_str content_of(const struct text *t, size_t c)
{
    return cria_str_sub(t->text, t->chunks[c].byte_start,
                        t->chunks[c].byte_end - t->chunks[c].byte_start);
}

/* A chunk's words begin with its heading, unless its text holds that. */
static struct cria_str heading_of(const struct text *t, size_t c)
{
    bool holds = cria_str_find(content_of(t, c), t->chunks[c].heading) != SIZE_MAX;
    return holds ? (struct cria_str){0} : t->chunks[c].heading;
}

static void check_document(const struct cria_segment *segment, const struct text *t, uint32_t d,
                           uint32_t first, struct cria_segment_document *out)
{
    assert_true(cria_segment_document(segment, d, out));
    assert_true(cria_str_equal(out->id, t->row.id));
    assert_true(cria_str_equal(out->entry_id, t->row.entry_id));
    assert_true(cria_str_equal(out->display_name, t->row.display_name));
    assert_true(cria_str_equal(out->metadata_json,
                               t->row.metadata_json.len ? t->row.metadata_json : CRIA_STR("{}")));
    assert_int_equal(out->first_chunk, first);
    assert_int_equal(segment->first_chunk[d], first);
    assert_int_equal(out->chunk_count, t->count);
    assert_int_equal(out->language, cria_language_guess(t->text));
}

static void check_chunk(const struct cria_segment *segment, const struct text *t, size_t c,
                        uint32_t d, struct model *m)
{
    struct cria_segment_chunk chunk;
    const struct cria_chunk *want = &t->chunks[c];
    struct cria_buf folded;
    assert_true(cria_segment_chunk(segment, m->chunk, &chunk));
    assert_int_equal(chunk.document, d);
    assert_int_equal(chunk.place.n, want->n);
    assert_int_equal(chunk.place.char_start, want->char_start);
    assert_int_equal(chunk.place.char_end, want->char_end);
    assert_int_equal(chunk.place.byte_start, want->byte_start);
    assert_int_equal(chunk.place.byte_end, want->byte_end);
    assert_int_equal(chunk.place.page_start, want->page_start);
    assert_int_equal(chunk.place.page_end, want->page_end);
    assert_int_equal(chunk.place.token_count, want->token_count);
    assert_true(cria_str_equal(chunk.place.heading, want->heading));
    cria_buf_init(&folded, 1 << 20);
    if (heading_of(t, c).len) cria_fold_bytes(&folded, heading_of(t, c));
    cria_fold_bytes(&folded, content_of(t, c));
    assert_true(cria_str_equal(chunk.folded, cria_buf_str(&folded)));
    struct cria_str held = {0};
    assert_true(cria_segment_text(segment, m->chunk, &held));
    assert_true(cria_str_equal(held, content_of(t, c)));
    cria_buf_release(&folded);
    assert_int_equal(chunk.sequence_length, m->length);
    for (uint32_t i = 0; i < m->length; i++)
        assert_int_equal(cria_load16(chunk.sequence + 2 * (size_t)i), m->marks[i]);
    assert_int_equal(segment->norms.ptr[m->chunk], cria_norm_of(m->length));
}

/* Postings, df and title_df of each term. */
static void check_terms(const struct cria_segment *segment, const struct model *m)
{
    char text[CRIA_DICTIONARY_MAX_TERM + 1];
    uint32_t ids[MOST_DOCUMENTS * MOST_CHUNKS], tfs[MOST_DOCUMENTS * MOST_CHUNKS];
    assert_int_equal(segment->meta.term_count, m->count);
    for (uint32_t n = 0; n < m->count; n++) {
        struct cria_segment_term term;
        const struct model_term *want = &m->terms[n];
        uint32_t df = 0, title_df = 0;
        assert_true(
            cria_str_equal(cria_dictionary_term(&segment->dictionary, n, text), want->text));
        assert_int_equal(cria_dictionary_find(&segment->dictionary, want->text), n);
        assert_true(cria_segment_term(segment, n, &term));
        for (uint32_t c = 0; c < segment->meta.chunk_count; c++) df += want->tfs[c] > 0;
        for (uint32_t d = 0; d < segment->meta.document_count; d++)
            if (want->in_title[d])
                title_df += segment->first_chunk[d + 1] - segment->first_chunk[d];
        assert_int_equal(term.df, df);
        assert_int_equal(term.title_df, title_df);
        if (df == 0) continue;
        assert_true(cria_postings_read_all(&segment->postings, (size_t)term.offset, term.length, df,
                                           segment->meta.chunk_count, ids, tfs));
        for (uint32_t i = 0; i < df; i++) assert_int_equal(tfs[i], want->tfs[ids[i]]);
    }
}

static void check_grams(const struct cria_segment *segment)
{
    for (uint32_t probe = 0; probe < segment->meta.chunk_count; probe += 5) {
        struct cria_segment_chunk chunk;
        assert_true(cria_segment_chunk(segment, probe, &chunk));
        for (size_t i = 0; i + 4 <= chunk.folded.len; i += 7) {
            uint32_t gram, df = 0;
            memcpy(&gram, chunk.folded.ptr + i, 4);
            for (uint32_t c = 0; c < segment->meta.chunk_count; c++) {
                struct cria_segment_chunk other;
                assert_true(cria_segment_chunk(segment, c, &other));
                df += cria_str_find(other.folded, cria_str_sub(chunk.folded, i, 4)) != SIZE_MAX;
            }
            assert_int_equal(cria_segment_gram_df(segment, gram), df);
        }
    }
    assert_int_equal(cria_segment_gram_df(segment, 0x01020304), 0);
}

static void check_against_model(struct fixture *f, const struct cria_segment *segment,
                                const unsigned *numbers, size_t count)
{
    struct model m = {.arena = &f->arena, .terms = calloc(MOST_TERMS, sizeof(*m.terms))};
    uint64_t length = 0, title_length = 0, folded = 0;
    assert_non_null(m.terms);
    assert_int_equal(segment->meta.document_count, count);
    for (uint32_t d = 0; d < count; d++) {
        const struct text *t = &f->texts[numbers[d]];
        struct cria_segment_document document;
        check_document(segment, t, d, m.chunk, &document);
        m.document = d;
        m.is_title = true;
        m.length = 0;
        cria_analyse(f->analyser, t->row.title.len ? t->row.title : t->row.display_name,
                     document.language, false, model_term, &m);
        assert_int_equal(document.title_count, m.length);
        for (uint32_t i = 0; i < m.length; i++) {
            char text[CRIA_DICTIONARY_MAX_TERM + 1];
            uint32_t ordinal = cria_load32(document.title + 4 * (size_t)i);
            assert_true(cria_str_equal(cria_dictionary_term(&segment->dictionary, ordinal, text),
                                       m.title[i]));
        }
        title_length += (uint64_t)m.length * t->count;
        m.is_title = false;
        for (size_t c = 0; c < t->count; c++, m.chunk++) {
            struct cria_segment_chunk chunk;
            m.length = 0;
            cria_analyse(f->analyser, heading_of(t, c), document.language, false, model_term, &m);
            cria_analyse(f->analyser, content_of(t, c), document.language, false, model_term, &m);
            check_chunk(segment, t, c, d, &m);
            length += m.length;
            assert_true(cria_segment_chunk(segment, m.chunk, &chunk));
            folded += chunk.folded.len;
        }
    }
    assert_int_equal(segment->meta.chunk_count, m.chunk);
    assert_int_equal(segment->meta.total_length, length);
    assert_int_equal(segment->meta.total_title, title_length);
    assert_int_equal(segment->meta.total_folded, folded);
    qsort(m.terms, m.count, sizeof(*m.terms), by_text);
    check_terms(segment, &m);
    check_grams(segment);
    assert_true(cria_segment_verify(segment));
    struct cria_segment_document document;
    struct cria_segment_chunk chunk;
    struct cria_segment_term term;
    assert_false(cria_segment_document(segment, (uint32_t)count, &document));
    assert_false(cria_segment_chunk(segment, m.chunk, &chunk));
    assert_false(cria_segment_term(segment, (uint32_t)m.count, &term));
    free(m.terms);
}

CRIA_TEST(a_segment_holds_what_was_put_into_it)
{
    struct fixture *f = *state;
    unsigned numbers[MOST_DOCUMENTS];
    for (unsigned i = 0; i < MOST_DOCUMENTS; i++) numbers[i] = i;
    static const size_t counts[] = {0, 1, 2, 5, MOST_DOCUMENTS};
    for (size_t i = 0; i < CRIA_COUNT(counts); i++) {
        struct cria_segment *segment = build(f, numbers, counts[i]);
        check_against_model(f, segment, numbers, counts[i]);
        cria_segment_close(segment);
    }
    unsigned empty = 4; /* a document without text */
    struct cria_segment *segment = build(f, &empty, 1);
    check_against_model(f, segment, &empty, 1);
    cria_segment_close(segment);
}

CRIA_TEST(chunks_that_lie_outside_their_text_are_left_out)
{
    struct fixture *f = *state;
    struct text *t = &f->texts[0];
    t->count = 3;
    t->text = CRIA_STR("one two three four");
    t->chunks[0] = (struct cria_chunk){.byte_end = 7, .char_end = 7};
    t->chunks[1] = (struct cria_chunk){.byte_start = 8, .byte_end = 99};
    t->chunks[2] = (struct cria_chunk){.byte_start = 9, .byte_end = 8};
    struct cria_segment *segment = build(f, (const unsigned[]){0}, 1);
    assert_int_equal(segment->meta.chunk_count, 1);
    cria_segment_close(segment);
}

/* ---- merging */

struct expected {
    unsigned numbers[MOST_DOCUMENTS];
    size_t count;
};

/* Documents cut in parts, some of them dead; what lives in *living. */
static struct cria_segment *merge_random(struct fixture *f, uint32_t dead_of_8,
                                         struct expected *living)
{
    struct cria_segment *parts[PARTS], *merged = NULL;
    struct cria_segment_input inputs[PARTS];
    uint64_t dead[PARTS] = {0};
    unsigned next = 0;
    *living = (struct expected){0};
    for (size_t p = 0; p < PARTS; p++) {
        unsigned numbers[MOST_DOCUMENTS], count = p == 2 ? 0 : below(f, MOST_DOCUMENTS / PARTS + 1);
        for (unsigned i = 0; i < count; i++) {
            numbers[i] = next++;
            if (below(f, 8) < dead_of_8)
                cria_bitmap_set(&dead[p], i);
            else
                living->numbers[living->count++] = numbers[i];
        }
        parts[p] = build(f, numbers, count);
        inputs[p] = (struct cria_segment_input){parts[p], dead[p] ? &dead[p] : NULL};
    }
    assert_int_equal(cria_segment_merge(inputs, PARTS, &f->call, &memory, &merged), CRIA_OK);
    for (size_t p = 0; p < PARTS; p++) cria_segment_close(parts[p]);
    return merged;
}

static void check_filters(struct fixture *f, const struct cria_segment *a,
                          const struct cria_segment *b)
{
    static const char *const filters[] = {
        "{\"year\":{\"operator\":\"gte\",\"value\":3}}",
        "{\"tags\":{\"operator\":\"eq\",\"value\":\"t2\"}}",
        "{\"tags\":{\"operator\":\"nin\",\"value\":[\"t1\",\"t3\"]}}",
        "{\"missing\":{\"operator\":\"ne\",\"value\":true}}"};
    for (size_t i = 0; i < CRIA_COUNT(filters); i++) {
        uint64_t x = 0, y = 0;
        const struct cria_json *filter;
        const char *why;
        size_t count = a->meta.document_count;
        assert_int_equal(cria_json_parse(&f->arena, cria_str_from(filters[i]), &filter, &why),
                         CRIA_OK);
        cria_bitmap_set_range(&x, 0, count);
        cria_bitmap_set_range(&y, 0, count);
        assert_int_equal(cria_fields_filter(&a->fields, count, NULL, filter, &x, &f->arena),
                         CRIA_OK);
        assert_int_equal(cria_fields_filter(&b->fields, count, NULL, filter, &y, &f->arena),
                         CRIA_OK);
        assert_true(x == y);
    }
}

static void check_ranks(struct fixture *f, const struct cria_segment *a,
                        const struct cria_segment *b)
{
    for (unsigned q = 0; q < 12; q++) {
        struct cria_ranking rankings[2];
        struct cria_str query = make_words(f, 1 + q % 5);
        for (size_t i = 0; i < 2; i++) {
            struct cria_rank_source *source = CRIA_NEW(&f->arena, struct cria_rank_source);
            struct cria_query_plan *plan = CRIA_NEW(&f->arena, struct cria_query_plan);
            const struct cria_rank_options options = {.candidates = 100, .full_text_weight = 1};
            assert_true(source && plan);
            source->segment = i ? b : a;
            assert_true(cria_query_plan_make(plan, &f->arena, f->analyser, source, 1, query));
            assert_int_equal(cria_rank(plan, &f->call, &options, &rankings[i]), CRIA_OK);
        }
        assert_int_equal(rankings[0].count, rankings[1].count);
        for (size_t i = 0; i < rankings[0].count; i++) {
            assert_int_equal(rankings[0].items[i].chunk, rankings[1].items[i].chunk);
            assert_true(fabs(rankings[0].items[i].score - rankings[1].items[i].score) < 1e-9);
        }
    }
}

CRIA_TEST(merging_equals_building_what_lives)
{
    struct fixture *f = *state;
    for (unsigned round = 0; round < 40; round++) {
        struct expected living;
        struct cria_segment *merged = merge_random(f, round % 9, &living);
        struct cria_segment *built = build(f, living.numbers, living.count);
        check_against_model(f, merged, living.numbers, living.count);
        check_filters(f, merged, built);
        check_ranks(f, merged, built);
        assert_memory_equal(merged->meta.languages, built->meta.languages,
                            sizeof(built->meta.languages));
        cria_segment_close(merged);
        cria_segment_close(built);
    }
}

/* Titles above no chunk keep their words through any number of merges. */
CRIA_TEST(merges_of_merges_lose_nothing)
{
    struct fixture *f = *state;
    unsigned numbers[MOST_DOCUMENTS];
    struct cria_segment *whole = build(f, (const unsigned[]){4}, 1);
    numbers[0] = 4;
    for (unsigned n = 5; n < 20; n++) {
        struct cria_segment *one = build(f, &n, 1), *merged = NULL;
        const struct cria_segment_input inputs[] = {{whole, NULL}, {one, NULL}};
        assert_int_equal(cria_segment_merge(inputs, 2, &f->call, &memory, &merged), CRIA_OK);
        cria_segment_close(whole);
        cria_segment_close(one);
        whole = merged;
        numbers[n - 4] = n;
        check_against_model(f, whole, numbers, n - 3);
    }
    cria_segment_close(whole);
}

CRIA_TEST(merging_nothing_gives_an_empty_segment)
{
    struct fixture *f = *state;
    struct cria_segment *merged = NULL;
    assert_int_equal(cria_segment_merge(NULL, 0, &f->call, &memory, &merged), CRIA_OK);
    check_against_model(f, merged, NULL, 0);
    cria_segment_close(merged);
}

CRIA_TEST(a_merge_can_be_stopped)
{
    struct fixture *f = *state;
    atomic_bool cancelled = true;
    struct cria_segment *segment = build(f, (const unsigned[]){0, 1, 2}, 3), *merged = NULL;
    const struct cria_segment_input inputs[] = {{segment, NULL}, {segment, NULL}};
    f->call.cancelled = &cancelled;
    assert_int_equal(cria_segment_merge(inputs, 2, &f->call, &memory, &merged), CRIA_E_CANCELLED);
    assert_null(merged);
    cria_segment_close(segment);
}

/* The builder can be finished again where a full disk took no file; a merge says why. */
CRIA_TEST(a_full_disk_is_told_as_such)
{
    struct fixture *f = *state;
    char folder[] = "/tmp/cria-segment-XXXXXX", part[64], path[64];
    struct cria_segment *segment = NULL, *merged = NULL;
    assert_non_null(mkdtemp(folder));
    snprintf(part, sizeof(part), "%s/p", folder);
    snprintf(path, sizeof(path), "%s/f", folder);
    const struct cria_segment_place place = {part, path};
    const unsigned numbers[] = {0, 1, 2, 3};
    struct cria_segment_builder *builder = cria_segment_builder_new(f->analyser);
    for (size_t i = 0; i < CRIA_COUNT(numbers); i++) {
        const struct text *t = &f->texts[numbers[i]];
        assert_int_equal(cria_segment_builder_add(builder, &t->row, t->text, t->chunks, t->count),
                         CRIA_OK);
    }
    assert_int_equal(symlink("/dev/full", part), 0);
    assert_int_equal(cria_segment_builder_finish(builder, &f->call, &place, &segment),
                     CRIA_E_NO_SPACE);
    assert_int_equal(cria_segment_builder_finish(builder, &f->call, &memory, &segment), CRIA_OK);
    check_against_model(f, segment, numbers, CRIA_COUNT(numbers));
    cria_segment_builder_free(builder);
    assert_int_equal(symlink("/dev/full", part), 0);
    const struct cria_segment_input input = {segment, NULL};
    assert_int_equal(cria_segment_merge(&input, 1, &f->call, &place, &merged), CRIA_E_NO_SPACE);
    cria_segment_close(segment);
    test_remove_tree(folder);
}

CRIA_TEST(a_merge_of_damaged_segments_is_refused)
{
    struct fixture *f = *state;
    unsigned numbers[MOST_DOCUMENTS], refused = 0;
    for (unsigned i = 0; i < MOST_DOCUMENTS; i++) numbers[i] = i;
    struct cria_segment *sound = build(f, numbers, MOST_DOCUMENTS);
    size_t size = (size_t)cria_segment_file_size(sound->file);
    /* Sections begin at 64, with the documents. */
    const uint8_t *start = sound->documents.ptr - 64;
    uint8_t *bytes = aligned_alloc(64, (size + 63) & ~(size_t)63);
    assert_non_null(bytes);
    for (size_t at = 64; at + 1000 < size; at += 997) {
        struct cria_segment_file *file = NULL;
        struct cria_segment *segment = NULL, *merged = NULL;
        memcpy(bytes, start, size);
        if (cria_segment_file_over(bytes, size, &f->call, &file) != CRIA_OK) continue;
        bytes[at] ^= 0x10;
        enum cria_status st = cria_segment_open(file, &f->call, &segment);
        if (st == CRIA_OK) {
            const struct cria_segment_input input = {segment, NULL};
            st = cria_segment_merge(&input, 1, &f->call, &memory, &merged);
            cria_segment_close(segment);
        }
        cria_segment_close(merged);
        if (st == CRIA_OK) continue; /* what merging makes anew: the index of similar words */
        assert_int_equal(st, CRIA_E_CORRUPT);
        refused++;
    }
    assert_in_range(refused, 50, size);
    free(bytes);
    cria_segment_close(sound);
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(a_segment_holds_what_was_put_into_it),
        ONE(chunks_that_lie_outside_their_text_are_left_out),
        ONE(merging_equals_building_what_lives),
        ONE(merges_of_merges_lose_nothing),
        ONE(merging_nothing_gives_an_empty_segment),
        ONE(a_merge_can_be_stopped),
        ONE(a_full_disk_is_told_as_such),
        ONE(a_merge_of_damaged_segments_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
