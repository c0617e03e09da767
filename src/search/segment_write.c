/* segment_write.c - what building and merging segments have in common. Room: search. */
#include <stdlib.h>

#include "search/postings.h"
#include "search/segment_format.h"

enum {
    GRAMS_LEAST = 1 << 10,
    GRAM_SAMPLE_ABOVE = 8000, /* chunks: of larger segments one in GRAM_SAMPLE is counted */
    GRAM_SAMPLE = 16
};

static bool buf_write(void *arg, const void *bytes, size_t len)
{
    struct cria_buf *buf = arg;
    if (len) cria_buf_add(buf, (struct cria_str){bytes, len});
    return !buf->failed;
}

struct cria_sink cria_buf_sink(struct cria_buf *buf)
{
    return (struct cria_sink){buf_write, buf};
}

/* ---- 4-grams */

void cria_gram_counts_release(struct cria_gram_counts *counts)
{
    free(counts->slots);
    *counts = (struct cria_gram_counts){0};
}

static uint32_t slot_of(const struct cria_gram_counts *counts, uint32_t gram)
{
    uint32_t at = cria_gram_slot(gram, counts->capacity);
    while (counts->slots[2 * (size_t)at] && counts->slots[2 * (size_t)at] != gram)
        at = (at + 1) & (counts->capacity - 1);
    return at;
}

static bool grow(struct cria_gram_counts *counts)
{
    struct cria_gram_counts grown = {
        .capacity = counts->capacity ? counts->capacity * 2 : GRAMS_LEAST, .used = counts->used};
    if (grown.capacity > UINT32_C(1) << 28) return false;
    grown.slots = calloc(grown.capacity, 2 * sizeof(uint32_t));
    if (!grown.slots) return false;
    for (size_t i = 0; i < counts->capacity; i++) {
        if (!counts->slots[2 * i]) continue;
        size_t at = slot_of(&grown, counts->slots[2 * i]);
        grown.slots[2 * at] = counts->slots[2 * i];
        grown.slots[2 * at + 1] = counts->slots[2 * i + 1];
    }
    free(counts->slots);
    *counts = grown;
    return true;
}

bool cria_gram_counts_add(struct cria_gram_counts *counts, uint32_t gram, uint32_t df)
{
    if (gram == 0) return true;
    if ((uint64_t)(counts->used + 1) * 2 > counts->capacity && !grow(counts)) return false;
    size_t at = slot_of(counts, gram);
    counts->used += counts->slots[2 * at] == 0;
    counts->slots[2 * at] = gram;
    counts->slots[2 * at + 1] += df;
    return true;
}

bool cria_gram_counts_text(struct cria_gram_counts *counts, struct cria_str folded, uint32_t weight,
                           struct cria_buf *scratch)
{
    cria_buf_clear(scratch);
    if (!cria_buf_reserve(scratch, folded.len * sizeof(uint32_t))) return false;
    uint32_t *list = (void *)scratch->ptr;
    size_t count = cria_distinct_grams(folded, list);
    for (size_t i = 0; i < count; i++)
        if (!cria_gram_counts_add(counts, list[i], weight)) return false;
    return true;
}

uint32_t cria_gram_sample(uint32_t chunk_count)
{
    return chunk_count > GRAM_SAMPLE_ABOVE ? GRAM_SAMPLE : 1;
}

/* ---- terms */

void cria_terms_writer_init(struct cria_terms_writer *writer, struct cria_segment_writer *file,
                            const uint8_t *norms, double average_length)
{
    *writer =
        (struct cria_terms_writer){.file = file, .norms = norms, .average_length = average_length};
    cria_buf_init(&writer->dictionary_bytes, SIZE_MAX);
    cria_buf_init(&writer->records, SIZE_MAX);
    cria_buf_init(&writer->packed, SIZE_MAX);
    writer->sink = cria_buf_sink(&writer->dictionary_bytes);
    cria_dictionary_begin(&writer->dictionary, &writer->sink);
}

void cria_terms_writer_add(struct cria_terms_writer *writer, struct cria_str term,
                           const uint32_t *ids, const uint32_t *tfs, size_t n, uint32_t title_df)
{
    struct cria_segment_term record = {
        .offset = cria_segment_at(writer->file), .df = (uint32_t)n, .title_df = title_df};
    cria_buf_clear(&writer->packed);
    if (n) cria_postings_write(&writer->packed, ids, tfs, n, writer->norms, writer->average_length);
    record.length = (uint32_t)writer->packed.len;
    enum cria_status st = cria_dictionary_add(&writer->dictionary, term);
    if (writer->packed.failed || (st == CRIA_E_IO && writer->dictionary_bytes.failed))
        st = CRIA_E_NO_MEMORY;
    /* Terms come in order, unless a damaged dictionary gave them. */
    if (st == CRIA_E_BAD_REQUEST) st = CRIA_E_CORRUPT;
    if (writer->status == CRIA_OK) writer->status = st;
    if (writer->packed.len) cria_segment_add(writer->file, writer->packed.ptr, writer->packed.len);
    cria_buf_add(&writer->records, (struct cria_str){(const char *)&record, sizeof(record)});
    writer->count++;
}

static enum cria_status write_similar(struct cria_terms_writer *writer)
{
    struct cria_dictionary dictionary;
    struct cria_bytes bytes = {.ptr = (const uint8_t *)writer->dictionary_bytes.ptr,
                               .len = writer->dictionary_bytes.len};
    struct cria_sink sink = cria_segment_sink(writer->file);
    enum cria_status st = cria_dictionary_open(bytes, &dictionary);
    if (st != CRIA_OK) return st;
    cria_segment_begin(writer->file, CRIA_SECTION_SIMILAR);
    return cria_similar_write(&dictionary, &sink);
}

enum cria_status cria_terms_writer_end(struct cria_terms_writer *writer)
{
    enum cria_status st = writer->status;
    if (st == CRIA_OK) st = cria_dictionary_end(&writer->dictionary);
    if (st == CRIA_OK ? writer->records.failed : writer->dictionary_bytes.failed)
        st = CRIA_E_NO_MEMORY;
    if (st == CRIA_OK) {
        cria_segment_begin(writer->file, CRIA_SECTION_DICTIONARY);
        cria_segment_add(writer->file, writer->dictionary_bytes.ptr, writer->dictionary_bytes.len);
        cria_segment_begin(writer->file, CRIA_SECTION_TERMS);
        if (writer->records.len)
            cria_segment_add(writer->file, writer->records.ptr, writer->records.len);
        st = write_similar(writer);
    }
    cria_dictionary_release(&writer->dictionary);
    cria_buf_release(&writer->dictionary_bytes);
    cria_buf_release(&writer->records);
    cria_buf_release(&writer->packed);
    return st;
}
