/* segment_format.h - what a segment's sections hold, byte for byte, and what its two makers share.
 * Room: search; for segment*.c alone. */
#ifndef CRIA_SEARCH_SEGMENT_FORMAT_H
#define CRIA_SEARCH_SEGMENT_FORMAT_H

#include "search/segment.h"

enum cria_segment_section {
    CRIA_SECTION_META,
    CRIA_SECTION_DOCUMENTS, /* struct document_record each */
    CRIA_SECTION_STRINGS,   /* of documents: id, entry id, name, metadata */
    CRIA_SECTION_CHUNKS,    /* struct chunk_record each */
    CRIA_SECTION_HEADINGS,  /* heading paths */
    CRIA_SECTION_FOLDED,    /* texts folded to a byte a character */
    CRIA_SECTION_SEQUENCES, /* marks of terms, u16 */
    CRIA_SECTION_NORMS,     /* a byte a chunk */
    CRIA_SECTION_TITLES,    /* ordinals of terms, u32 */
    CRIA_SECTION_DICTIONARY,
    CRIA_SECTION_SIMILAR,
    CRIA_SECTION_TERMS, /* struct cria_segment_term each, by ordinal */
    CRIA_SECTION_POSTINGS,
    CRIA_SECTION_GRAMS, /* open addressing: u32 gram (0: free), u32 df */
    CRIA_SECTION_FIELDS,
    CRIA_SECTION_TEXTS, /* of chunks, as they are in the store */
};

enum { CRIA_TITLE_TERMS = 4096 }; /* of a document, at most */

struct document_record {
    uint64_t strings_at;
    uint32_t metadata_len;
    uint16_t id_len, entry_len, name_len, language;
    uint32_t first_chunk, chunk_count;
    uint32_t title_at, title_count; /* in TITLES, numbers */
    uint32_t reserved;
};
struct chunk_record {
    uint64_t folded_at, text_at, sequence_at; /* bytes; bytes; marks */
    uint32_t document, n;
    uint32_t char_start, char_end, byte_start, byte_end;
    uint32_t page_start, page_end, token_count;
    uint32_t heading_at, heading_len; /* heading_len 0: none */
    uint32_t folded_len, length;      /* bytes, words */
    uint32_t reserved;
};
_Static_assert(sizeof(struct document_record) == 40 && sizeof(struct chunk_record) == 80 &&
                   sizeof(struct cria_segment_term) == 24,
               "written as they are");

static inline uint32_t cria_gram_slot(uint32_t gram, uint32_t capacity)
{
    return (gram * 2654435761u) >> 7 & (capacity - 1);
}

/** 4-grams and in how many chunks they are, while a segment is made. */
struct cria_gram_counts {
    uint32_t *slots; /* gram, df */
    uint32_t capacity, used;
};
bool cria_gram_counts_add(struct cria_gram_counts *counts, uint32_t gram, uint32_t df);
/** Counts each gram of a folded text `weight` times. */
bool cria_gram_counts_text(struct cria_gram_counts *counts, struct cria_str folded, uint32_t weight,
                           struct cria_buf *scratch);
/** Of so many chunks one in how many is counted. */
uint32_t cria_gram_sample(uint32_t chunk_count);
void cria_gram_counts_release(struct cria_gram_counts *counts);

/** Writes dictionary, postings and what lies beside them, term after term in byte order. */
struct cria_terms_writer {
    struct cria_segment_writer *file; /* its current section is POSTINGS */
    struct cria_dictionary_builder dictionary;
    struct cria_buf dictionary_bytes, records, packed;
    struct cria_sink sink;
    const uint8_t *norms;
    double average_length;
    uint32_t count;
    enum cria_status status; /* of the first failure; what a file does not take it says itself */
};
void cria_terms_writer_init(struct cria_terms_writer *writer, struct cria_segment_writer *file,
                            const uint8_t *norms, double average_length);
/** ids ascending; n may be 0 for words of titles alone. */
void cria_terms_writer_add(struct cria_terms_writer *writer, struct cria_str term,
                           const uint32_t *ids, const uint32_t *tfs, size_t n, uint32_t title_df);
/** Writes the sections DICTIONARY, SIMILAR and TERMS; releases. */
CRIA_MUST_CHECK enum cria_status cria_terms_writer_end(struct cria_terms_writer *writer);

/** A buffer as a sink. */
struct cria_sink cria_buf_sink(struct cria_buf *buf);

#endif
