/* segment.h - an immutable searchable piece of one index: documents, their chunks with all that
 * ranking needs, in one file or in memory. Room: search. What is in it is derived from the store
 * and can be made again; a document never changes in it, it is marked dead beside it.
 *
 * A segment is made by a builder from documents as the store has them, or by merging segments.
 * Chunks of a document lie side by side, so that filters by document stay ranges of chunks. */
#ifndef CRIA_SEARCH_SEGMENT_H
#define CRIA_SEARCH_SEGMENT_H

#include "search/analyse.h"
#include "search/dictionary.h"
#include "search/fields.h"
#include "search/segment_file.h"
#include "search/similar.h"
#include "search/words.h"
#include "store/records.h"

/** What a segment says of itself; written as it is. */
struct cria_segment_meta {
    uint32_t document_count, chunk_count, term_count, gram_capacity;
    uint64_t total_length, total_title, total_folded; /* words, words of titles, bytes; by chunk */
    uint32_t languages[16];                           /* chunks in each enum cria_language */
};

struct cria_segment {
    struct cria_segment_file *file;
    struct cria_segment_meta meta;
    struct cria_bytes documents, strings, chunks, headings, folded, texts, sequences, norms, titles,
        terms, postings, grams;
    struct cria_dictionary dictionary;
    struct cria_similar similar;
    struct cria_fields fields;
    uint32_t *first_chunk; /* document_count + 1 */
};

/** Takes the file, whatever the outcome. CRIA_E_CORRUPT it holds no segment. */
CRIA_MUST_CHECK enum cria_status cria_segment_open(struct cria_segment_file *file,
                                                   struct cria_call *call,
                                                   struct cria_segment **out);
/** With its file. NULL is fine. */
void cria_segment_close(struct cria_segment *segment);

/* ---- reading; any thread. false: the bytes are rotten. Strings borrow from the segment. */

struct cria_segment_document {
    struct cria_str id, entry_id, display_name, metadata_json;
    uint32_t first_chunk, chunk_count;
    enum cria_language language;
    const uint8_t *title; /* ordinals of terms, a u32 each, in text order */
    uint32_t title_count;
};
bool cria_segment_document(const struct cria_segment *segment, uint32_t n,
                           struct cria_segment_document *out);

struct cria_segment_chunk {
    uint32_t document;
    struct cria_chunk place;
    struct cria_str folded;   /* for 4-grams */
    const uint8_t *sequence;  /* marks of terms in text order, a u16 each: cria_term_mark() */
    uint32_t sequence_length; /* words */
};
bool cria_segment_chunk(const struct cria_segment *segment, uint32_t n,
                        struct cria_segment_chunk *out);

/** A chunk's text as the store has it: so that a hit costs no look into its document. */
bool cria_segment_text(const struct cria_segment *segment, uint32_t n, struct cria_str *out);

struct cria_segment_term {
    uint64_t offset;   /* of the postings */
    uint32_t length;   /* of the postings, bytes */
    uint32_t df;       /* chunks that hold it */
    uint32_t title_df; /* chunks whose document's title holds it */
    uint32_t reserved;
};
bool cria_segment_term(const struct cria_segment *segment, uint32_t ordinal,
                       struct cria_segment_term *out);
/** Chunks that hold the 4-gram, about. */
uint32_t cria_segment_gram_df(const struct cria_segment *segment, uint32_t gram);
/** Looks at every block now. */
bool cria_segment_verify(const struct cria_segment *segment);

/** 16 bits that stand for a stem in sequences: FNV-1a folded. Two stems share them once in 65,536
 * times, which adds a pair that is none to a score. */
uint16_t cria_term_mark(struct cria_str stem);

/* ---- making */

struct cria_segment_builder;
/** NULL when memory is short. The analyser is borrowed. */
struct cria_segment_builder *cria_segment_builder_new(struct cria_analyser *analyser);
void cria_segment_builder_free(struct cria_segment_builder *builder);
/** Analyses a document and adds it; rotten chunks are left out. CRIA_E_NO_MEMORY ends the builder.
 */
CRIA_MUST_CHECK enum cria_status cria_segment_builder_add(struct cria_segment_builder *builder,
                                                          const struct cria_document *row,
                                                          struct cria_str text,
                                                          const struct cria_chunk *chunks,
                                                          size_t count);
size_t cria_segment_builder_chunks(const struct cria_segment_builder *builder);
size_t cria_segment_builder_documents(const struct cria_segment_builder *builder);
/** Memory it holds, bytes. */
size_t cria_segment_builder_bytes(const struct cria_segment_builder *builder);

/** Where a new segment goes: into memory, or under `part` until it is whole, then to `path`. */
struct cria_segment_place {
    const char *part, *path; /* NULL: memory */
};
/** Takes nothing: the builder is to be freed, or to be finished in another place when this one
 * failed (CRIA_E_NO_SPACE, CRIA_E_IO). */
CRIA_MUST_CHECK enum cria_status cria_segment_builder_finish(struct cria_segment_builder *builder,
                                                             struct cria_call *call,
                                                             const struct cria_segment_place *place,
                                                             struct cria_segment **out);

struct cria_segment_input {
    const struct cria_segment *segment;
    const uint64_t *dead; /* bitmap of documents that are left out; NULL: none */
};
/** One segment of all that lives, documents in the order of the inputs. CRIA_E_CORRUPT: an input is
 * damaged (its file says so); CRIA_E_CANCELLED by the call. */
CRIA_MUST_CHECK enum cria_status cria_segment_merge(const struct cria_segment_input *inputs,
                                                    size_t count, struct cria_call *call,
                                                    const struct cria_segment_place *place,
                                                    struct cria_segment **out);

#endif
