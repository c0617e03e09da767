/* words.h - the chunks that hold a question's words best: BM25 over packed postings, several
 * segments ranked as one collection. Room: search.
 * MaxScore (Turtle & Flood 1995) over windows of chunks, with the maxima of blocks (Ding & Suel,
 * SIGIR 2011): most postings are never unpacked, and yet the answer is that of adding up all.
 * Scores are added as whole numbers (of some 2^-30 of the best that could be), so the order in
 * which postings are met makes no difference. */
#ifndef CRIA_SEARCH_WORDS_H
#define CRIA_SEARCH_WORDS_H

#include "base/arena.h"
#include "search/postings.h"

enum { CRIA_WORDS_MAX_LISTS = 256 };

/** One word's postings in one segment. */
struct cria_words_list {
    struct cria_bytes bytes;
    size_t offset, length; /* of the list in bytes */
    uint32_t df;           /* >= 1: postings of the list */
    double weight;         /* idf x weight, > 0; finite */
};

/** One segment. */
struct cria_words_source {
    const struct cria_words_list *lists; /* the words that it has; one word twice counts twice */
    size_t list_count;                   /* 0 to CRIA_WORDS_MAX_LISTS */
    const uint8_t *norms;                /* chunk_count of them; checked by the caller */
    uint32_t chunk_count;
    double average_length;   /* the one its lists were written with */
    const uint64_t *allowed; /* bitmap of the chunks that may appear, or NULL: all */
};

struct cria_words_hit {
    uint32_t source, chunk;
    float score;
};

enum cria_words_result {
    CRIA_WORDS_OK,
    CRIA_WORDS_NO_MEMORY, /* the arena is at its end */
    CRIA_WORDS_DAMAGED    /* *damaged_source has a rotten list: leave it out and ask again */
};

/**
 * The `limit` chunks of the highest scores > 0: best first, of equal ones the lower source, then
 * the lower chunk.
 * @param average_length  of the whole collection, in words.
 * @param limit           >= 1; 10 to 10,000 is what it is made for.
 * @param arena           for scratch memory: some 80 KB, 1.3 KB a list, 12 bytes a hit.
 * @param[out] out        room for `limit`; anything unless CRIA_WORDS_OK.
 * @threads Any. Does not block, but for the disk under a memory map.
 */
CRIA_MUST_CHECK enum cria_words_result cria_words_top(const struct cria_words_source *sources,
                                                      size_t source_count, double average_length,
                                                      size_t limit, struct cria_arena *arena,
                                                      struct cria_words_hit *out, size_t *count,
                                                      size_t *damaged_source);

/** The same by adding up every posting: what cria_words_top() is held against. Scratch memory: 4
 * bytes a chunk of the largest segment more. */
CRIA_MUST_CHECK enum cria_words_result cria_words_top_exhaustive(
    const struct cria_words_source *sources, size_t source_count, double average_length,
    size_t limit, struct cria_arena *arena, struct cria_words_hit *out, size_t *count,
    size_t *damaged_source);

/**
 * The scores of some chunks of sources[source], found by seeks; the same as cria_words_top() gives
 * with the same sources. `allowed` does not matter here.
 * @param chunks  n of them, ascending, each < chunk_count.
 * @param scores  n; 0 where no word is.
 * @param tfs     n x list_count, tfs[i * list_count + list] for chunks[i]; or NULL.
 * @return CRIA_WORDS_DAMAGED: the source has a rotten list.
 */
CRIA_MUST_CHECK enum cria_words_result cria_words_scores(const struct cria_words_source *sources,
                                                         size_t source_count, double average_length,
                                                         size_t source, const uint32_t *chunks,
                                                         size_t n, struct cria_arena *arena,
                                                         float *scores, uint32_t *tfs);

#endif
