#include "search/segment.h"

#include <stdlib.h>

#include "search/segment_format.h"

uint16_t cria_term_mark(struct cria_str stem)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < stem.len; i++) hash = (hash ^ (unsigned char)stem.ptr[i]) * 16777619u;
    return (uint16_t)(hash >> 16 ^ hash);
}

static bool holds(const struct cria_bytes *bytes, uint64_t count, size_t each)
{
    return bytes->ptr && bytes->len / each >= count;
}

static bool read_meta(struct cria_segment *segment)
{
    struct cria_bytes bytes = cria_segment_section(segment->file, CRIA_SECTION_META);
    struct cria_segment_meta *meta = &segment->meta;
    if (!bytes.ptr || bytes.len != sizeof(*meta) || !cria_bytes_check(&bytes, 0, bytes.len))
        return false;
    memcpy(meta, bytes.ptr, sizeof(*meta));
    return meta->chunk_count <= CRIA_POSTINGS_MAX_CHUNKS &&
           meta->document_count <= CRIA_POSTINGS_MAX_CHUNKS &&
           (meta->gram_capacity & (meta->gram_capacity - 1)) == 0;
}

static bool read_sections(struct cria_segment *s)
{
    const struct {
        enum cria_segment_section section;
        struct cria_bytes *bytes;
        uint64_t count;
        size_t each;
    } all[] = {
        {CRIA_SECTION_DOCUMENTS, &s->documents, s->meta.document_count,
         sizeof(struct document_record)},
        {CRIA_SECTION_STRINGS, &s->strings, 0, 1},
        {CRIA_SECTION_CHUNKS, &s->chunks, s->meta.chunk_count, sizeof(struct chunk_record)},
        {CRIA_SECTION_HEADINGS, &s->headings, 0, 1},
        {CRIA_SECTION_FOLDED, &s->folded, 0, 1},
        {CRIA_SECTION_TEXTS, &s->texts, 0, 1},
        {CRIA_SECTION_SEQUENCES, &s->sequences, 0, 1},
        {CRIA_SECTION_NORMS, &s->norms, s->meta.chunk_count, 1},
        {CRIA_SECTION_TITLES, &s->titles, 0, 1},
        {CRIA_SECTION_TERMS, &s->terms, s->meta.term_count, sizeof(struct cria_segment_term)},
        {CRIA_SECTION_POSTINGS, &s->postings, 0, 1},
        {CRIA_SECTION_GRAMS, &s->grams, s->meta.gram_capacity, 8},
    };
    for (size_t i = 0; i < CRIA_COUNT(all); i++) {
        *all[i].bytes = cria_segment_section(s->file, all[i].section);
        if (!holds(all[i].bytes, all[i].count, all[i].each)) return false;
    }
    return cria_dictionary_open(cria_segment_section(s->file, CRIA_SECTION_DICTIONARY),
                                &s->dictionary) == CRIA_OK &&
           cria_similar_open(cria_segment_section(s->file, CRIA_SECTION_SIMILAR), &s->similar) ==
               CRIA_OK &&
           cria_fields_open(cria_segment_section(s->file, CRIA_SECTION_FIELDS), &s->fields) ==
               CRIA_OK &&
           s->dictionary.count == s->meta.term_count &&
           s->fields.document_count == s->meta.document_count &&
           cria_bytes_check(&s->norms, 0, s->norms.len);
}

/* Documents follow each other without a gap: what filters by document rely on. */
static bool read_documents(struct cria_segment *s)
{
    uint32_t next = 0;
    if (!cria_bytes_check(&s->documents, 0, s->documents.len)) return false;
    for (uint32_t d = 0; d < s->meta.document_count; d++) {
        struct document_record record;
        memcpy(&record, s->documents.ptr + (size_t)d * sizeof(record), sizeof(record));
        if (record.first_chunk != next || record.chunk_count > s->meta.chunk_count - next)
            return false;
        s->first_chunk[d] = next;
        next += record.chunk_count;
    }
    s->first_chunk[s->meta.document_count] = next;
    return next == s->meta.chunk_count;
}

enum cria_status cria_segment_open(struct cria_segment_file *file, struct cria_call *call,
                                   struct cria_segment **out)
{
    struct cria_segment *segment = calloc(1, sizeof(*segment));
    if (!segment) {
        cria_segment_file_close(file);
        return cria_fail_memory(call);
    }
    segment->file = file;
    bool good = read_meta(segment) && read_sections(segment); /* so the counts are no larger */
    if (good) {
        segment->first_chunk =
            calloc((size_t)segment->meta.document_count + 1, sizeof(*segment->first_chunk));
        if (!segment->first_chunk) {
            cria_segment_close(segment);
            return cria_fail_memory(call);
        }
    }
    if (!good || !read_documents(segment)) {
        cria_segment_close(segment);
        return cria_fail(call, CRIA_E_CORRUPT, "A search file is damaged");
    }
    *out = segment;
    return CRIA_OK;
}

void cria_segment_close(struct cria_segment *segment)
{
    if (!segment) return;
    cria_segment_file_close(segment->file);
    free(segment->first_chunk);
    free(segment);
}

bool cria_segment_document(const struct cria_segment *segment, uint32_t n,
                           struct cria_segment_document *out)
{
    struct document_record record;
    size_t at = (size_t)n * sizeof(record);
    if (n >= segment->meta.document_count ||
        !cria_bytes_check(&segment->documents, at, sizeof(record)))
        return false;
    memcpy(&record, segment->documents.ptr + at, sizeof(record));
    size_t len = (size_t)record.id_len + record.entry_len + record.name_len + record.metadata_len;
    if (record.strings_at > segment->strings.len || record.language >= CRIA_LANG_COUNT ||
        record.title_count > CRIA_TITLE_TERMS ||
        !cria_bytes_check(&segment->strings, (size_t)record.strings_at, len) ||
        !cria_bytes_check(&segment->titles, (size_t)record.title_at * 4,
                          (size_t)record.title_count * 4))
        return false;
    const char *text = (const char *)segment->strings.ptr + record.strings_at;
    out->id = cria_str_make(text, record.id_len);
    out->entry_id = cria_str_make(text += record.id_len, record.entry_len);
    out->display_name = cria_str_make(text += record.entry_len, record.name_len);
    out->metadata_json = cria_str_make(text + record.name_len, record.metadata_len);
    out->first_chunk = record.first_chunk;
    out->chunk_count = record.chunk_count;
    out->language = (enum cria_language)record.language;
    out->title = segment->titles.ptr + (size_t)record.title_at * 4;
    out->title_count = record.title_count;
    return true;
}

bool cria_segment_chunk(const struct cria_segment *segment, uint32_t n,
                        struct cria_segment_chunk *out)
{
    struct chunk_record record;
    size_t at = (size_t)n * sizeof(record);
    if (n >= segment->meta.chunk_count || !cria_bytes_check(&segment->chunks, at, sizeof(record)))
        return false;
    memcpy(&record, segment->chunks.ptr + at, sizeof(record));
    if (record.document >= segment->meta.document_count || record.folded_at > segment->folded.len ||
        record.sequence_at > segment->sequences.len / 2 ||
        !cria_bytes_check(&segment->folded, (size_t)record.folded_at, record.folded_len) ||
        !cria_bytes_check(&segment->sequences, (size_t)record.sequence_at * 2,
                          (size_t)record.length * 2) ||
        !cria_bytes_check(&segment->headings, record.heading_at, record.heading_len))
        return false;
    out->document = record.document;
    out->place = (struct cria_chunk){.n = record.n,
                                     .char_start = record.char_start,
                                     .char_end = record.char_end,
                                     .byte_start = record.byte_start,
                                     .byte_end = record.byte_end,
                                     .page_start = record.page_start,
                                     .page_end = record.page_end,
                                     .token_count = record.token_count};
    if (record.heading_len)
        out->place.heading = cria_str_make((const char *)segment->headings.ptr + record.heading_at,
                                           record.heading_len);
    out->folded =
        cria_str_make((const char *)segment->folded.ptr + record.folded_at, record.folded_len);
    out->sequence = segment->sequences.ptr + record.sequence_at * 2;
    out->sequence_length = record.length;
    return true;
}

bool cria_segment_text(const struct cria_segment *segment, uint32_t n, struct cria_str *out)
{
    struct chunk_record record;
    size_t at = (size_t)n * sizeof(record);
    if (n >= segment->meta.chunk_count || !cria_bytes_check(&segment->chunks, at, sizeof(record)))
        return false;
    memcpy(&record, segment->chunks.ptr + at, sizeof(record));
    if (record.text_at > segment->texts.len || record.byte_end < record.byte_start ||
        !cria_bytes_check(&segment->texts, (size_t)record.text_at,
                          record.byte_end - record.byte_start))
        return false;
    *out = cria_str_make((const char *)segment->texts.ptr + record.text_at,
                         record.byte_end - record.byte_start);
    return true;
}

bool cria_segment_term(const struct cria_segment *segment, uint32_t ordinal,
                       struct cria_segment_term *out)
{
    size_t at = (size_t)ordinal * sizeof(*out);
    if (ordinal >= segment->meta.term_count || !cria_bytes_check(&segment->terms, at, sizeof(*out)))
        return false;
    memcpy(out, segment->terms.ptr + at, sizeof(*out));
    return out->offset <= segment->postings.len && out->df <= segment->meta.chunk_count &&
           out->length <= segment->postings.len - out->offset;
}

uint32_t cria_segment_gram_df(const struct cria_segment *segment, uint32_t gram)
{
    uint32_t capacity = segment->meta.gram_capacity;
    if (capacity == 0) return 0;
    uint32_t at = cria_gram_slot(gram, capacity);
    for (uint32_t tries = 0; tries < capacity; tries++) {
        if (!cria_bytes_check(&segment->grams, (size_t)at * 8, 8)) return 0;
        const uint8_t *slot = segment->grams.ptr + (size_t)at * 8;
        if (cria_load32(slot) == gram) return cria_load32(slot + 4);
        if (cria_load32(slot) == 0) return 0;
        at = (at + 1) & (capacity - 1);
    }
    return 0;
}

bool cria_segment_verify(const struct cria_segment *segment)
{
    for (unsigned i = 0; i < CRIA_SECTIONS_MAX; i++) {
        struct cria_bytes bytes = cria_segment_section(segment->file, i);
        if (bytes.ptr && !cria_bytes_check(&bytes, 0, bytes.len)) return false;
    }
    return true;
}
