/* segment_merge.c - several segments become one, without what died in them. Room: search.
 * Nothing is analysed again: records and texts are copied with their numbers moved, and the
 * postings of a term are those of the inputs one behind the other. */
#include <stdlib.h>

#include "platform/clock.h"
#include "search/norms.h"
#include "search/segment_format.h"

enum { NO_TERM = UINT32_MAX, STOP_EVERY = 4096 };

struct input {
    const struct cria_segment *segment;
    const uint64_t *dead;
    uint32_t *moved;    /* chunk -> its new number, UINT32_MAX: dead */
    uint32_t *ordinals; /* term -> its new ordinal, NO_TERM: gone */
    uint32_t *title_df; /* term -> living chunks below titles that hold it */
    bool *titled;       /* term -> a living title holds it, if only one above no chunk */
    bool has_dead;      /* documents */
    struct cria_dictionary_cursor cursor;
    struct cria_str term; /* where the cursor stands; null: at its end */
};

struct merge {
    struct cria_call *call;
    struct cria_segment_writer *file;
    struct input *inputs;
    size_t count;
    struct cria_segment_meta meta;
    struct cria_buf norms;
    struct cria_fields_builder *fields;
};

static bool is_dead(const struct input *in, uint32_t document)
{
    return in->dead && cria_bit(in->dead, document);
}

static enum cria_status number_document(struct merge *m, struct input *in, uint32_t d)
{
    struct cria_segment_document document;
    struct cria_segment_chunk chunk;
    if (!cria_segment_document(in->segment, d, &document)) return CRIA_E_CORRUPT;
    in->has_dead = in->has_dead || is_dead(in, d);
    for (uint32_t c = 0; c < document.chunk_count; c++) {
        uint32_t n = document.first_chunk + c;
        if (is_dead(in, d)) {
            in->moved[n] = UINT32_MAX;
            continue;
        }
        if (!cria_segment_chunk(in->segment, n, &chunk)) return CRIA_E_CORRUPT;
        in->moved[n] = m->meta.chunk_count++;
        cria_buf_add_char(&m->norms, (char)in->segment->norms.ptr[n]);
        m->meta.total_length += chunk.sequence_length;
        m->meta.total_folded += chunk.folded.len;
        m->meta.languages[document.language]++;
    }
    if (is_dead(in, d)) return CRIA_OK;
    m->meta.total_title += (uint64_t)document.title_count * document.chunk_count;
    for (uint32_t i = 0; i < document.title_count; i++) {
        uint32_t ordinal = cria_load32(document.title + 4 * (size_t)i);
        bool again = ordinal >= in->segment->meta.term_count;
        for (uint32_t k = 0; k < i && !again; k++)
            again = cria_load32(document.title + 4 * (size_t)k) == ordinal;
        if (again) continue;
        in->title_df[ordinal] += document.chunk_count;
        in->titled[ordinal] = true;
    }
    return cria_fields_add(m->fields, m->meta.document_count++, document.entry_id,
                           document.metadata_json);
}

/* Every living document and chunk gets its new number; what depends on all of them is added up. */
static enum cria_status number_all(struct merge *m)
{
    for (size_t i = 0; i < m->count; i++) {
        struct input *in = &m->inputs[i];
        const struct cria_segment_meta *meta = &in->segment->meta;
        in->moved = calloc((size_t)meta->chunk_count + 1, sizeof(*in->moved));
        in->ordinals = malloc(((size_t)meta->term_count + 1) * sizeof(*in->ordinals));
        in->title_df = calloc((size_t)meta->term_count + 1, sizeof(*in->title_df));
        in->titled = calloc((size_t)meta->term_count + 1, sizeof(*in->titled));
        if (!in->moved || !in->ordinals || !in->title_df || !in->titled) return CRIA_E_NO_MEMORY;
        memset(in->ordinals, 0xFF, ((size_t)meta->term_count + 1) * sizeof(*in->ordinals));
        for (uint32_t d = 0; d < meta->document_count; d++) {
            enum cria_status st = number_document(m, in, d);
            if (st != CRIA_OK) return st;
        }
    }
    return m->norms.failed ? CRIA_E_NO_MEMORY : CRIA_OK;
}

/* ---- terms */

static void step(struct input *in)
{
    if (!cria_dictionary_cursor_next(&in->cursor, &in->term)) in->term = (struct cria_str){0};
}

struct lists {
    uint32_t *ids, *tfs;
    size_t capacity;
};

static bool make_room(struct lists *lists, size_t count)
{
    if (count <= lists->capacity) return true;
    size_t capacity = count * 2;
    uint32_t *ids = realloc(lists->ids, capacity * sizeof(*ids));
    if (ids) lists->ids = ids;
    uint32_t *tfs = realloc(lists->tfs, capacity * sizeof(*tfs));
    if (tfs) lists->tfs = tfs;
    if (ids && tfs) lists->capacity = capacity;
    return ids && tfs;
}

/* The postings of the input's current term behind the `n` that are there; the new count in *n. */
static enum cria_status take_postings(struct input *in, struct lists *lists, size_t *n,
                                      uint32_t *title_df)
{
    uint32_t ordinal = in->cursor.next - 1;
    struct cria_segment_term term;
    if (!cria_segment_term(in->segment, ordinal, &term)) return CRIA_E_CORRUPT;
    if (!make_room(lists, *n + term.df)) return CRIA_E_NO_MEMORY;
    if (term.df &&
        !cria_postings_read_all(&in->segment->postings, (size_t)term.offset, term.length, term.df,
                                in->segment->meta.chunk_count, lists->ids + *n, lists->tfs + *n))
        return CRIA_E_CORRUPT;
    size_t kept = *n;
    for (size_t i = *n; i < *n + term.df; i++) {
        uint32_t moved = in->moved[lists->ids[i]];
        if (moved == UINT32_MAX) continue;
        lists->ids[kept] = moved;
        lists->tfs[kept++] = lists->tfs[i];
    }
    *n = kept;
    *title_df += in->title_df[ordinal];
    return CRIA_OK;
}

/* The least term of all cursors, and who stands at it. */
static struct cria_str least_term(const struct merge *m)
{
    struct cria_str least = {0};
    for (size_t i = 0; i < m->count; i++)
        if (m->inputs[i].term.ptr && (!least.ptr || cria_str_compare(m->inputs[i].term, least) < 0))
            least = m->inputs[i].term;
    return least;
}

static enum cria_status merge_terms(struct merge *m)
{
    struct cria_terms_writer writer;
    struct lists lists = {0};
    enum cria_status st = CRIA_OK;
    char term[CRIA_DICTIONARY_MAX_TERM + 1];
    cria_segment_begin(m->file, CRIA_SECTION_POSTINGS);
    cria_terms_writer_init(&writer, m->file, (const uint8_t *)m->norms.ptr,
                           m->meta.chunk_count ? (double)m->meta.total_length / m->meta.chunk_count
                                               : 0);
    for (size_t i = 0; i < m->count; i++) {
        cria_dictionary_cursor_init(&m->inputs[i].cursor, &m->inputs[i].segment->dictionary);
        step(&m->inputs[i]);
    }
    for (uint32_t done = 0; st == CRIA_OK; done++) {
        struct cria_str least = least_term(m);
        size_t n = 0;
        uint32_t title_df = 0;
        bool is_titled = false;
        if (!least.ptr) break;
        if (done % STOP_EVERY == 0 && cria_call_stopped(m->call, cria_now_ns()))
            st = CRIA_E_CANCELLED;
        memcpy(term, least.ptr, least.len);
        least.ptr = term;
        uint32_t ordinal = writer.count;
        for (size_t i = 0; i < m->count && st == CRIA_OK; i++) {
            struct input *in = &m->inputs[i];
            if (!in->term.ptr || !cria_str_equal(in->term, least)) continue;
            in->ordinals[in->cursor.next - 1] = ordinal; /* unless all that hold it are dead */
            is_titled = is_titled || in->titled[in->cursor.next - 1];
            st = take_postings(in, &lists, &n, &title_df);
            step(in);
        }
        if (st == CRIA_OK && (n || is_titled))
            cria_terms_writer_add(&writer, least, lists.ids, lists.tfs, n, title_df);
    }
    for (size_t i = 0; i < m->count; i++)
        if (m->inputs[i].cursor.failed && st == CRIA_OK) st = CRIA_E_CORRUPT;
    free(lists.ids);
    free(lists.tfs);
    m->meta.term_count = writer.count;
    enum cria_status ended = cria_terms_writer_end(&writer);
    return st == CRIA_OK ? ended : st;
}

/* ---- what is copied */

struct places { /* where the next one lies in the sections that are written elsewhere */
    uint64_t strings, titles, folded, texts, sequences, headings;
    uint32_t document, chunk;
};

/* What cannot be written is remembered by the writer and told at the end. */
static void put(struct merge *m, const void *bytes, size_t len)
{
    if (len) cria_segment_add(m->file, bytes, len);
}

static void copy_strings(struct merge *m, const struct cria_segment_document *document)
{
    put(m, document->id.ptr, document->id.len);
    put(m, document->entry_id.ptr, document->entry_id.len);
    put(m, document->display_name.ptr, document->display_name.len);
    put(m, document->metadata_json.ptr, document->metadata_json.len);
}

static bool copy_title(struct merge *m, const struct input *in,
                       const struct cria_segment_document *document)
{
    for (uint32_t i = 0; i < document->title_count; i++) {
        uint32_t old = cria_load32(document->title + 4 * (size_t)i);
        if (old >= in->segment->meta.term_count) return false;
        uint32_t fresh = in->ordinals[old];
        put(m, &fresh, sizeof(fresh));
    }
    return true;
}

static bool copy_document(struct merge *m, struct places *at,
                          const struct cria_segment_document *document)
{
    struct document_record record = {
        .strings_at = at->strings,
        .metadata_len = (uint32_t)document->metadata_json.len,
        .id_len = (uint16_t)document->id.len,
        .entry_len = (uint16_t)document->entry_id.len,
        .name_len = (uint16_t)document->display_name.len,
        .language = (uint16_t)document->language,
        .first_chunk = at->chunk,
        .chunk_count = document->chunk_count,
        .title_at = (uint32_t)at->titles,
        .title_count = document->title_count,
    };
    at->strings += document->id.len + document->entry_id.len + document->display_name.len +
                   document->metadata_json.len;
    at->titles += document->title_count;
    at->chunk += document->chunk_count;
    put(m, &record, sizeof(record));
    return at->titles < UINT32_MAX;
}

static bool copy_chunk(struct merge *m, struct places *at, const struct cria_segment_chunk *chunk)
{
    const struct cria_chunk *place = &chunk->place;
    struct chunk_record record = {
        .folded_at = at->folded,
        .text_at = at->texts,
        .sequence_at = at->sequences,
        .document = at->document,
        .n = place->n,
        .char_start = (uint32_t)place->char_start,
        .char_end = (uint32_t)place->char_end,
        .byte_start = (uint32_t)place->byte_start,
        .byte_end = (uint32_t)place->byte_end,
        .page_start = place->page_start,
        .page_end = place->page_end,
        .token_count = place->token_count,
        .heading_at = (uint32_t)at->headings,
        .heading_len = (uint32_t)place->heading.len,
        .folded_len = (uint32_t)chunk->folded.len,
        .length = chunk->sequence_length,
    };
    at->folded += chunk->folded.len;
    at->texts += place->byte_end - place->byte_start;
    at->sequences += chunk->sequence_length;
    at->headings += place->heading.len;
    put(m, &record, sizeof(record));
    return at->headings < UINT32_MAX;
}

static bool copy_chunk_part(struct merge *m, struct places *at, unsigned section,
                            const struct cria_segment *segment, uint32_t n)
{
    struct cria_segment_chunk chunk;
    struct cria_str text;
    if (section == CRIA_SECTION_TEXTS) {
        if (!cria_segment_text(segment, n, &text)) return false;
        put(m, text.ptr, text.len);
        return true;
    }
    if (!cria_segment_chunk(segment, n, &chunk)) return false;
    if (section == CRIA_SECTION_CHUNKS) return copy_chunk(m, at, &chunk);
    if (section == CRIA_SECTION_HEADINGS)
        put(m, chunk.place.heading.ptr, chunk.place.heading.len);
    else if (section == CRIA_SECTION_FOLDED)
        put(m, chunk.folded.ptr, chunk.folded.len);
    else
        put(m, chunk.sequence, (size_t)chunk.sequence_length * 2);
    return true;
}

/* One section over all living documents, in their new order. */
static enum cria_status copy_section(struct merge *m, unsigned section)
{
    struct places at = {0};
    cria_segment_begin(m->file, section);
    for (size_t i = 0; i < m->count; i++) {
        struct input *in = &m->inputs[i];
        for (uint32_t d = 0; d < in->segment->meta.document_count; d++) {
            struct cria_segment_document document;
            if (is_dead(in, d)) continue;
            if (!cria_segment_document(in->segment, d, &document)) return CRIA_E_CORRUPT;
            if (d % STOP_EVERY == 0 && cria_call_stopped(m->call, cria_now_ns()))
                return CRIA_E_CANCELLED;
            bool good = true;
            if (section == CRIA_SECTION_STRINGS)
                copy_strings(m, &document);
            else if (section == CRIA_SECTION_TITLES)
                good = copy_title(m, in, &document);
            else if (section == CRIA_SECTION_DOCUMENTS)
                good = copy_document(m, &at, &document);
            else
                for (uint32_t c = 0; c < document.chunk_count && good; c++)
                    good = copy_chunk_part(m, &at, section, in->segment, document.first_chunk + c);
            if (!good) return CRIA_E_CORRUPT;
            at.document++;
        }
    }
    return CRIA_OK;
}

/* Of a segment in which documents died, as if it were built of the rest: else what died would count
 * for ever. */
static enum cria_status count_living(const struct input *in, struct cria_gram_counts *counts)
{
    const struct cria_segment *segment = in->segment;
    uint32_t sample = cria_gram_sample(segment->meta.chunk_count), living = 0;
    struct cria_buf scratch;
    enum cria_status st = CRIA_OK;
    cria_buf_init(&scratch, SIZE_MAX);
    for (uint32_t n = 0; n < segment->meta.chunk_count && st == CRIA_OK; n++) {
        struct cria_segment_chunk chunk;
        if (in->moved[n] == UINT32_MAX || living++ % sample) continue;
        if (!cria_segment_chunk(segment, n, &chunk))
            st = CRIA_E_CORRUPT;
        else if (!cria_gram_counts_text(counts, chunk.folded, sample, &scratch))
            st = CRIA_E_NO_MEMORY;
    }
    cria_buf_release(&scratch);
    return st;
}

static enum cria_status merge_grams(struct merge *m)
{
    struct cria_gram_counts counts = {0};
    enum cria_status st = CRIA_OK;
    for (size_t i = 0; i < m->count && st == CRIA_OK; i++) {
        const struct cria_segment *segment = m->inputs[i].segment;
        if (m->inputs[i].has_dead) {
            st = count_living(&m->inputs[i], &counts);
            continue;
        }
        if (!cria_bytes_check(&segment->grams, 0, segment->grams.len)) st = CRIA_E_CORRUPT;
        for (size_t n = 0; n < segment->meta.gram_capacity && st == CRIA_OK; n++) {
            const uint8_t *slot = segment->grams.ptr + n * 8;
            if (!cria_gram_counts_add(&counts, cria_load32(slot), cria_load32(slot + 4)))
                st = CRIA_E_NO_MEMORY;
        }
    }
    m->meta.gram_capacity = counts.capacity;
    cria_segment_begin(m->file, CRIA_SECTION_GRAMS);
    if (counts.capacity) cria_segment_add(m->file, counts.slots, (size_t)counts.capacity * 8);
    cria_gram_counts_release(&counts);
    return st;
}

static enum cria_status write_all(struct merge *m)
{
    static const unsigned copied[] = {
        CRIA_SECTION_DOCUMENTS, CRIA_SECTION_STRINGS, CRIA_SECTION_TITLES,    CRIA_SECTION_CHUNKS,
        CRIA_SECTION_HEADINGS,  CRIA_SECTION_FOLDED,  CRIA_SECTION_SEQUENCES, CRIA_SECTION_TEXTS};
    enum cria_status st = number_all(m);
    if (st == CRIA_OK) {
        cria_segment_begin(m->file, CRIA_SECTION_NORMS);
        cria_segment_add(m->file, m->norms.ptr, m->norms.len);
        st = merge_terms(m);
    }
    for (size_t i = 0; i < CRIA_COUNT(copied) && st == CRIA_OK; i++)
        st = copy_section(m, copied[i]);
    if (st == CRIA_OK) st = merge_grams(m);
    if (st != CRIA_OK) return st;
    struct cria_sink sink = cria_segment_sink(m->file);
    cria_segment_begin(m->file, CRIA_SECTION_FIELDS);
    st = cria_fields_write(m->fields, m->meta.document_count, &sink);
    cria_segment_begin(m->file, CRIA_SECTION_META);
    cria_segment_add(m->file, &m->meta, sizeof(m->meta));
    return st;
}

enum cria_status cria_segment_merge(const struct cria_segment_input *inputs, size_t count,
                                    struct cria_call *call, const struct cria_segment_place *place,
                                    struct cria_segment **out)
{
    struct merge m = {.call = call, .count = count};
    struct cria_segment_file *file = NULL;
    cria_buf_init(&m.norms, SIZE_MAX);
    m.inputs = calloc(count + 1, sizeof(*m.inputs));
    m.fields = cria_fields_builder_new();
    enum cria_status st = m.inputs && m.fields ? CRIA_OK : CRIA_E_NO_MEMORY;
    for (size_t i = 0; i < count && st == CRIA_OK; i++)
        m.inputs[i] = (struct input){.segment = inputs[i].segment, .dead = inputs[i].dead};
    if (st == CRIA_OK) st = cria_segment_writer_new(place->part, call, &m.file);
    if (st == CRIA_OK) st = write_all(&m);
    if (st == CRIA_E_NO_MEMORY) cria_fail_memory(call);
    if (st == CRIA_E_CORRUPT) cria_fail(call, st, "A search file is damaged");
    if (st == CRIA_OK) {
        st = cria_segment_writer_finish(m.file, call, place->path, &file);
    } else if (m.file) {
        st = cria_segment_writer_failure(m.file, call, st);
        cria_segment_writer_free(m.file);
    }
    if (st == CRIA_OK) st = cria_segment_open(file, call, out);
    for (size_t i = 0; m.inputs && i < count; i++) {
        free(m.inputs[i].moved);
        free(m.inputs[i].ordinals);
        free(m.inputs[i].title_df);
        free(m.inputs[i].titled);
    }
    free(m.inputs);
    cria_fields_builder_free(m.fields);
    cria_buf_release(&m.norms);
    return st;
}
