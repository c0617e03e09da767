/* segment_build.c - documents of the store become a segment. Room: search.
 * Terms are numbered as they come; at the end they are sorted, and the postings, which lie chunk
 * after chunk, are turned round by counting. */
#include <stdlib.h>

#include "base/map.h"
#include "search/norms.h"
#include "search/segment_format.h"

enum { TERM_BYTES = CRIA_DICTIONARY_MAX_TERM, TITLE_BYTES = 400 };

_Static_assert(sizeof(((struct cria_segment_meta *)0)->languages) / sizeof(uint32_t) >=
                   (size_t)CRIA_LANG_COUNT,
               "each language is counted");
_Static_assert((int)TITLE_BYTES <= (int)CRIA_TITLE_TERMS, "a title that is made can be read");

struct term {
    struct cria_str text; /* arena */
    uint32_t hash;
    uint32_t df, title_df;
    uint32_t last_chunk, last_at; /* where it was counted last: chunk + 1, its posting */
};
struct posting {
    uint32_t term, tf;
};

struct cria_segment_builder {
    struct cria_analyser *analyser;
    struct cria_arena arena; /* texts of terms */
    uint32_t *slots;         /* number of the term + 1 */
    size_t slot_count;
    struct term *terms;
    size_t term_count, term_capacity;
    struct cria_buf postings; /* struct posting, chunk after chunk */
    struct cria_buf starts;   /* u64: of each chunk in postings */
    struct cria_buf documents, strings, chunks, headings, folded, texts, sequences, titles, norms;
    struct cria_fields_builder *fields;
    struct cria_buf fields_bytes; /* what it wrote */
    struct cria_segment_meta meta;
    enum cria_language language; /* of the document at hand */
    bool in_title;
    uint32_t length; /* of the chunk or title at hand */
    /* The end may be tried again in another place, and not all of it can be done twice: */
    bool has_ordinals; /* titles hold ordinals, no more numbers */
    bool has_fields;   /* fields_bytes holds them */
    bool failed;
};

struct cria_segment_builder *cria_segment_builder_new(struct cria_analyser *analyser)
{
    struct cria_segment_builder *b = calloc(1, sizeof(*b));
    if (!b) return NULL;
    b->analyser = analyser;
    cria_arena_init(&b->arena, (size_t)1 << 34);
    struct cria_buf *const bufs[] = {&b->postings,  &b->starts,   &b->documents, &b->strings,
                                     &b->chunks,    &b->headings, &b->folded,    &b->titles,
                                     &b->sequences, &b->norms,    &b->texts};
    for (size_t i = 0; i < CRIA_COUNT(bufs); i++) cria_buf_init(bufs[i], SIZE_MAX);
    cria_buf_init(&b->fields_bytes, SIZE_MAX);
    b->fields = cria_fields_builder_new();
    b->slot_count = 1 << 12;
    b->slots = calloc(b->slot_count, sizeof(*b->slots));
    if (b->slots && b->fields) return b;
    cria_segment_builder_free(b);
    return NULL;
}

void cria_segment_builder_free(struct cria_segment_builder *b)
{
    if (!b) return;
    struct cria_buf *const bufs[] = {&b->postings,  &b->starts,   &b->documents, &b->strings,
                                     &b->chunks,    &b->headings, &b->folded,    &b->titles,
                                     &b->sequences, &b->norms,    &b->texts};
    for (size_t i = 0; i < CRIA_COUNT(bufs); i++) cria_buf_release(bufs[i]);
    cria_fields_builder_free(b->fields);
    cria_buf_release(&b->fields_bytes);
    cria_arena_release(&b->arena);
    free(b->slots);
    free(b->terms);
    free(b);
}

size_t cria_segment_builder_chunks(const struct cria_segment_builder *b)
{
    return b->meta.chunk_count;
}

size_t cria_segment_builder_documents(const struct cria_segment_builder *b)
{
    return b->meta.document_count;
}

size_t cria_segment_builder_bytes(const struct cria_segment_builder *b)
{
    return b->arena.used_bytes + b->term_capacity * sizeof(*b->terms) + b->postings.len +
           b->strings.len + b->chunks.len + b->folded.len + b->texts.len + b->sequences.len;
}

/* ---- terms */

static bool grow_slots(struct cria_segment_builder *b)
{
    size_t count = b->slot_count * 2;
    uint32_t *slots = calloc(count, sizeof(*slots));
    if (!slots) return false;
    for (size_t i = 0; i < b->term_count; i++) {
        size_t at = b->terms[i].hash & (count - 1);
        while (slots[at]) at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    free(b->slots);
    b->slots = slots;
    b->slot_count = count;
    return true;
}

/* The term's number; UINT32_MAX when memory is short. */
static uint32_t number_of(struct cria_segment_builder *b, struct cria_str text)
{
    uint32_t hash = (uint32_t)cria_map_hash(text);
    size_t at = hash & (b->slot_count - 1);
    for (; b->slots[at]; at = (at + 1) & (b->slot_count - 1)) {
        const struct term *term = &b->terms[b->slots[at] - 1];
        if (term->hash == hash && cria_str_equal(term->text, text)) return b->slots[at] - 1;
    }
    if (b->term_count == b->term_capacity) {
        size_t capacity = b->term_capacity ? b->term_capacity * 2 : 1024;
        struct term *grown =
            capacity < UINT32_MAX / 2 ? realloc(b->terms, capacity * sizeof(*grown)) : NULL;
        if (!grown) return UINT32_MAX;
        b->terms = grown;
        b->term_capacity = capacity;
    }
    struct cria_str copy = cria_arena_copy(&b->arena, text);
    if (!copy.ptr) return UINT32_MAX;
    b->terms[b->term_count] = (struct term){.text = copy, .hash = hash};
    b->slots[at] = (uint32_t)++b->term_count;
    if (b->term_count * 2 > b->slot_count && !grow_slots(b)) return UINT32_MAX;
    return (uint32_t)b->term_count - 1;
}

static void add_u32(struct cria_buf *buf, uint32_t value)
{
    cria_buf_add(buf, (struct cria_str){(const char *)&value, sizeof(value)});
}

static bool take_term(void *arg, struct cria_str text, uint32_t position, bool is_word)
{
    struct cria_segment_builder *b = arg;
    (void)position, (void)is_word;
    if (text.len > TERM_BYTES) text.len = TERM_BYTES;
    uint32_t number = number_of(b, text);
    if (number == UINT32_MAX) {
        b->failed = true;
        return false;
    }
    struct term *term = &b->terms[number];
    b->length++;
    if (b->in_title) {
        add_u32(&b->titles, number);
        return true;
    }
    uint16_t mark = cria_term_mark(text);
    cria_buf_add(&b->sequences, (struct cria_str){(const char *)&mark, sizeof(mark)});
    uint32_t chunk = b->meta.chunk_count + 1;
    if (term->last_chunk == chunk) {
        ((struct posting *)(void *)b->postings.ptr)[term->last_at].tf++;
        return true;
    }
    const struct posting fresh = {number, 1};
    term->last_chunk = chunk;
    term->last_at = (uint32_t)(b->postings.len / sizeof(fresh));
    term->df++;
    cria_buf_add(&b->postings, (struct cria_str){(const char *)&fresh, sizeof(fresh)});
    return !b->postings.failed;
}

/* ---- documents */

/* The headings a chunk stands under belong to what it says; those that its text holds itself are
 * not counted twice. The path is "outer > inner". */
static void add_headings(struct cria_segment_builder *b, struct cria_str path,
                         struct cria_str content)
{
    while (path.len) {
        size_t end = cria_str_find(path, CRIA_STR(" > "));
        struct cria_str heading = cria_str_sub(path, 0, end);
        path = end == SIZE_MAX ? (struct cria_str){0} : cria_str_sub(path, end + 3, path.len);
        if (cria_str_find(content, heading) != SIZE_MAX) continue;
        cria_analyse(b->analyser, heading, b->language, false, take_term, b);
        cria_fold_bytes(&b->folded, heading);
    }
}

static void add_chunk(struct cria_segment_builder *b, struct cria_str text,
                      const struct cria_chunk *place)
{
    uint64_t start = b->postings.len / sizeof(struct posting);
    struct cria_str content =
        cria_str_sub(text, place->byte_start, place->byte_end - place->byte_start);
    struct chunk_record record = {
        .folded_at = b->folded.len,
        .text_at = b->texts.len,
        .sequence_at = b->sequences.len / sizeof(uint16_t),
        .document = b->meta.document_count,
        .n = place->n,
        .char_start = (uint32_t)place->char_start,
        .char_end = (uint32_t)place->char_end,
        .byte_start = (uint32_t)place->byte_start,
        .byte_end = (uint32_t)place->byte_end,
        .page_start = place->page_start,
        .page_end = place->page_end,
        .token_count = place->token_count,
        .heading_at = (uint32_t)b->headings.len,
        .heading_len = (uint32_t)place->heading.len,
    };
    if (place->heading.len) cria_buf_add(&b->headings, place->heading);
    if (content.len) cria_buf_add(&b->texts, content);
    b->length = 0;
    b->in_title = false;
    add_headings(b, place->heading, content);
    cria_analyse(b->analyser, content, b->language, false, take_term, b);
    cria_fold_bytes(&b->folded, content);
    record.folded_len = (uint32_t)(b->folded.len - record.folded_at);
    record.length = b->length;
    cria_buf_add_char(&b->norms, (char)cria_norm_of(b->length));
    cria_buf_add(&b->chunks, (struct cria_str){(const char *)&record, sizeof(record)});
    cria_buf_add(&b->starts, (struct cria_str){(const char *)&start, sizeof(start)});
    b->meta.total_length += b->length;
    b->meta.total_folded += record.folded_len;
    b->meta.languages[b->language]++;
    b->meta.chunk_count++;
}

/* Each word of the title counts once for every chunk below it. */
static void count_title(struct cria_segment_builder *b, const struct document_record *record)
{
    if (record->title_count == 0) return; /* then there may be no memory to point into */
    const uint32_t *title = (const uint32_t *)(const void *)b->titles.ptr + record->title_at;
    for (uint32_t i = 0; i < record->title_count; i++) {
        bool again = false;
        for (uint32_t k = 0; k < i; k++) again = again || title[k] == title[i];
        if (!again) b->terms[title[i]].title_df += record->chunk_count;
    }
    b->meta.total_title += (uint64_t)record->title_count * record->chunk_count;
}

static bool is_sound(const struct cria_chunk *chunk, struct cria_str text)
{
    return chunk->byte_end <= text.len && chunk->byte_start <= chunk->byte_end &&
           chunk->char_start <= chunk->char_end && chunk->char_end <= text.len &&
           text.len < UINT32_MAX && chunk->heading.len < UINT32_MAX;
}

enum cria_status cria_segment_builder_add(struct cria_segment_builder *b,
                                          const struct cria_document *row, struct cria_str text,
                                          const struct cria_chunk *chunks, size_t count)
{
    struct cria_str name = cria_str_sub(row->display_name, 0, UINT16_MAX);
    struct cria_str metadata = row->metadata_json.len ? row->metadata_json : CRIA_STR("{}");
    struct document_record record = {.strings_at = b->strings.len,
                                     .metadata_len = (uint32_t)metadata.len,
                                     .id_len = (uint16_t)row->id.len,
                                     .entry_len = (uint16_t)row->entry_id.len,
                                     .name_len = (uint16_t)name.len,
                                     .first_chunk = b->meta.chunk_count,
                                     .title_at = (uint32_t)(b->titles.len / sizeof(uint32_t))};
    b->language = cria_language_guess(text);
    record.language = (uint16_t)b->language;
    cria_buf_add(&b->strings, row->id);
    cria_buf_add(&b->strings, row->entry_id);
    cria_buf_add(&b->strings, name);
    cria_buf_add(&b->strings, metadata);
    b->length = 0;
    b->in_title = true;
    cria_analyse(b->analyser,
                 cria_str_sub(row->title.len ? row->title : row->display_name, 0, TITLE_BYTES),
                 b->language, false, take_term, b);
    record.title_count = b->length;
    for (size_t i = 0; i < count && !b->failed; i++)
        if (is_sound(&chunks[i], text)) add_chunk(b, text, &chunks[i]);
    record.chunk_count = b->meta.chunk_count - record.first_chunk;
    if (!b->failed && !b->titles.failed) count_title(b, &record);
    cria_buf_add(&b->documents, (struct cria_str){(const char *)&record, sizeof(record)});
    if (cria_fields_add(b->fields, b->meta.document_count, row->entry_id, metadata) != CRIA_OK)
        b->failed = true;
    b->meta.document_count++;
    if (b->failed || b->documents.failed || b->strings.failed || b->chunks.failed ||
        b->headings.failed || b->folded.failed || b->texts.failed || b->sequences.failed ||
        b->titles.failed || b->norms.failed || b->starts.failed || b->postings.failed ||
        b->headings.len > UINT32_MAX - UINT16_MAX ||
        b->postings.len / sizeof(struct posting) > UINT32_MAX - (1 << 24))
        return CRIA_E_NO_MEMORY;
    return CRIA_OK;
}

/* ---- the end */

struct turned {
    uint32_t *order;     /* ordinal -> number */
    uint32_t *ordinals;  /* number -> ordinal */
    uint64_t *ends;      /* by ordinal: of its postings */
    uint32_t *ids, *tfs; /* by ordinal, then chunk */
};

/* qsort has no argument to pass, and threads may build at the same time: so the texts are sorted
 * with their numbers. */
struct sortable {
    struct cria_str text;
    uint32_t number;
};

static int by_text(const void *a, const void *b)
{
    return cria_str_compare(((const struct sortable *)a)->text, ((const struct sortable *)b)->text);
}

static bool turn(const struct cria_segment_builder *b, struct turned *t)
{
    size_t total = b->postings.len / sizeof(struct posting);
    const struct posting *postings = (const void *)b->postings.ptr;
    const uint64_t *starts = (const void *)b->starts.ptr;
    struct sortable *sorted = calloc(b->term_count + 1, sizeof(*sorted));
    t->order = calloc(b->term_count + 1, sizeof(*t->order));
    t->ordinals = calloc(b->term_count + 1, sizeof(*t->ordinals));
    t->ends = calloc(b->term_count + 1, sizeof(*t->ends));
    t->ids = calloc(total + 1, sizeof(*t->ids));
    t->tfs = calloc(total + 1, sizeof(*t->tfs));
    bool good = sorted && t->order && t->ordinals && t->ends && t->ids && t->tfs;
    for (size_t i = 0; good && i < b->term_count; i++)
        sorted[i] = (struct sortable){b->terms[i].text, (uint32_t)i};
    if (good && b->term_count) qsort(sorted, b->term_count, sizeof(*sorted), by_text);
    uint64_t at = 0;
    for (size_t i = 0; good && i < b->term_count; i++) {
        t->order[i] = sorted[i].number;
        t->ordinals[sorted[i].number] = (uint32_t)i;
        t->ends[i] = at; /* its start now, its end when all were placed */
        at += b->terms[sorted[i].number].df;
    }
    free(sorted);
    for (uint32_t chunk = 0; good && chunk < b->meta.chunk_count; chunk++) {
        uint64_t end = chunk + 1 < b->meta.chunk_count ? starts[chunk + 1] : total;
        for (uint64_t p = starts[chunk]; p < end; p++) {
            uint64_t place = t->ends[t->ordinals[postings[p].term]]++;
            t->ids[place] = chunk;
            t->tfs[place] = postings[p].tf;
        }
    }
    return good;
}

static void turned_release(struct turned *t)
{
    free(t->order);
    free(t->ordinals);
    free(t->ends);
    free(t->ids);
    free(t->tfs);
}

static bool count_grams(const struct cria_segment_builder *b, struct cria_gram_counts *counts)
{
    const struct chunk_record *records = (const void *)b->chunks.ptr;
    uint32_t sample = cria_gram_sample(b->meta.chunk_count);
    struct cria_buf scratch;
    cria_buf_init(&scratch, SIZE_MAX);
    bool good = true;
    for (uint32_t n = 0; good && n < b->meta.chunk_count; n += sample)
        good = cria_gram_counts_text(
            counts, cria_str_make(b->folded.ptr + records[n].folded_at, records[n].folded_len),
            sample, &scratch);
    cria_buf_release(&scratch);
    return good;
}

static void add_section(struct cria_segment_writer *file, unsigned section,
                        const struct cria_buf *buf)
{
    cria_segment_begin(file, section);
    if (buf->len) cria_segment_add(file, buf->ptr, buf->len);
}

static enum cria_status write_fields(struct cria_segment_builder *b,
                                     struct cria_segment_writer *file)
{
    if (!b->has_fields) {
        struct cria_sink sink = cria_buf_sink(&b->fields_bytes);
        enum cria_status st = cria_fields_write(b->fields, b->meta.document_count, &sink);
        if (st != CRIA_OK) return b->fields_bytes.failed ? CRIA_E_NO_MEMORY : st;
        b->has_fields = true;
    }
    add_section(file, CRIA_SECTION_FIELDS, &b->fields_bytes);
    return CRIA_OK;
}

static enum cria_status write_all(struct cria_segment_builder *b, const struct turned *t,
                                  struct cria_segment_writer *file)
{
    struct cria_terms_writer writer;
    struct cria_gram_counts grams = {0};
    uint32_t *titles = (void *)b->titles.ptr;
    for (size_t i = 0; i < b->titles.len / sizeof(uint32_t) && !b->has_ordinals; i++)
        titles[i] = t->ordinals[titles[i]];
    b->has_ordinals = true;
    add_section(file, CRIA_SECTION_DOCUMENTS, &b->documents);
    add_section(file, CRIA_SECTION_STRINGS, &b->strings);
    add_section(file, CRIA_SECTION_CHUNKS, &b->chunks);
    add_section(file, CRIA_SECTION_HEADINGS, &b->headings);
    add_section(file, CRIA_SECTION_FOLDED, &b->folded);
    add_section(file, CRIA_SECTION_TEXTS, &b->texts);
    add_section(file, CRIA_SECTION_SEQUENCES, &b->sequences);
    add_section(file, CRIA_SECTION_NORMS, &b->norms);
    add_section(file, CRIA_SECTION_TITLES, &b->titles);
    cria_segment_begin(file, CRIA_SECTION_POSTINGS);
    cria_terms_writer_init(&writer, file, (const uint8_t *)b->norms.ptr,
                           b->meta.chunk_count ? (double)b->meta.total_length / b->meta.chunk_count
                                               : 0);
    for (size_t i = 0; i < b->term_count; i++) {
        const struct term *term = &b->terms[t->order[i]];
        uint64_t start = t->ends[i] - term->df;
        cria_terms_writer_add(&writer, term->text, t->ids + start, t->tfs + start, term->df,
                              term->title_df);
    }
    enum cria_status st = cria_terms_writer_end(&writer);
    if (st == CRIA_OK && !count_grams(b, &grams)) st = CRIA_E_NO_MEMORY;
    if (st == CRIA_OK) {
        cria_segment_begin(file, CRIA_SECTION_GRAMS);
        if (grams.capacity) cria_segment_add(file, grams.slots, (size_t)grams.capacity * 8);
        st = write_fields(b, file);
    }
    b->meta.term_count = (uint32_t)b->term_count;
    b->meta.gram_capacity = grams.capacity;
    cria_segment_begin(file, CRIA_SECTION_META);
    cria_segment_add(file, &b->meta, sizeof(b->meta));
    cria_gram_counts_release(&grams);
    return st;
}

enum cria_status cria_segment_builder_finish(struct cria_segment_builder *b, struct cria_call *call,
                                             const struct cria_segment_place *place,
                                             struct cria_segment **out)
{
    struct turned t = {0};
    struct cria_segment_writer *writer = NULL;
    struct cria_segment_file *file = NULL;
    enum cria_status st = cria_segment_writer_new(place->part, call, &writer);
    if (st != CRIA_OK) return st;
    st = turn(b, &t) ? write_all(b, &t, writer) : CRIA_E_NO_MEMORY;
    turned_release(&t);
    if (st != CRIA_OK) {
        st = st == CRIA_E_NO_MEMORY ? cria_fail_memory(call)
                                    : cria_fail(call, st, "A search file could not be written");
        st = cria_segment_writer_failure(writer, call, st);
        cria_segment_writer_free(writer);
        return st;
    }
    st = cria_segment_writer_finish(writer, call, place->path, &file);
    return st == CRIA_OK ? cria_segment_open(file, call, out) : st;
}
