/* collection.h - the searchable form of one index: documents with their terms, and an immutable
 * snapshot over them. Room: search. A document is analysed once and shared by the snapshots that
 * hold it; a snapshot never changes, so queries need no lock. */
#ifndef CRIA_SEARCH_COLLECTION_H
#define CRIA_SEARCH_COLLECTION_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "search/analyse.h"
#include "store/records.h"

/** Terms of one index, numbered in order of appearance; grows only. Readers take the lock shared.
 */
struct cria_vocabulary {
    pthread_rwlock_t lock;
    struct cria_map ids; /* term -> number + 1 */
    char **terms;
    size_t count, capacity;
};
struct cria_vocabulary *cria_vocabulary_new(void);
void cria_vocabulary_free(struct cria_vocabulary *vocabulary);
/** UINT32_MAX when it is not there. */
uint32_t cria_vocabulary_find(struct cria_vocabulary *vocabulary, struct cria_str term);

struct cria_posting {
    uint32_t id; /* of the term, or (in postings lists) of the chunk */
    uint32_t tf;
};

struct cria_indexed_chunk {
    struct cria_chunk place;    /* heading lies in the document's memory */
    struct cria_posting *terms; /* by id */
    uint32_t term_count;
    uint32_t length;    /* words */
    uint32_t *sequence; /* term ids in text order, for pairs; length of them */
    char *folded;       /* for 4-grams */
    uint32_t folded_len;
};

struct cria_indexed_document {
    atomic_uint refs;
    struct cria_arena arena; /* of all below */
    struct cria_str id, entry_id, source_entry_id, display_name, metadata_json;
    enum cria_language language;
    struct cria_posting *title_terms;
    uint32_t title_count, title_length;
    struct cria_indexed_chunk *chunks;
    uint32_t chunk_count;
    size_t bytes;
};
void cria_indexed_document_unref(struct cria_indexed_document *document);

/** Analyses a document. NULL when memory is short. */
struct cria_indexed_document *cria_document_index(struct cria_vocabulary *vocabulary,
                                                  struct cria_analyser *analyser,
                                                  const struct cria_document *row,
                                                  struct cria_str text,
                                                  const struct cria_chunk *chunks, size_t count);

struct cria_chunk_ref {
    uint32_t document, chunk; /* which of the snapshot's documents, which of its chunks */
};

struct cria_snapshot {
    atomic_uint refs;
    int64_t generation;
    struct cria_vocabulary *vocabulary; /* outlives it */
    struct cria_indexed_document **documents;
    size_t document_count;
    struct cria_chunk_ref *chunks;
    uint32_t *lengths;
    size_t chunk_count;
    uint64_t total_length, total_title, total_folded;
    uint32_t *starts; /* of each term's postings; vocabulary size at the time + 1 */
    struct cria_posting *postings;
    size_t term_count;
    uint32_t *title_df;                /* chunks whose title has the term */
    uint32_t *gram_keys, *gram_df;     /* open addressing; key 0 is free */
    size_t gram_capacity, gram_sample; /* one of so many chunks was counted */
    enum cria_language language;       /* of most chunks */
    size_t bytes;
};
/** Takes the array (from malloc) and the documents in it (a reference each). NULL when memory is
 * short; then the references are given back. */
struct cria_snapshot *cria_snapshot_new(struct cria_vocabulary *vocabulary,
                                        struct cria_indexed_document **documents, size_t count,
                                        int64_t generation);
struct cria_snapshot *cria_snapshot_ref(struct cria_snapshot *snapshot);
void cria_snapshot_unref(struct cria_snapshot *snapshot);
/** Chunks that hold the 4-gram, about. */
uint32_t cria_snapshot_gram_df(const struct cria_snapshot *snapshot, uint32_t gram);
static inline const struct cria_indexed_chunk *cria_snapshot_chunk(
    const struct cria_snapshot *snapshot, uint32_t n)
{
    return &snapshot->documents[snapshot->chunks[n].document]->chunks[snapshot->chunks[n].chunk];
}
static inline const struct cria_indexed_document *cria_snapshot_document(
    const struct cria_snapshot *snapshot, uint32_t n)
{
    return snapshot->documents[snapshot->chunks[n].document];
}

#endif
