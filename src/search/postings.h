/* postings.h - the list of one word: which chunks of a segment hold it, and how often; packed.
 * Room: search. Beside each 128 postings lies the most that one of them can add to a score, so that
 * a search may pass over blocks that it need not unpack. Readers are safe on any bytes. */
#ifndef CRIA_SEARCH_POSTINGS_H
#define CRIA_SEARCH_POSTINGS_H

#include "base/buf.h"
#include "search/bytes.h"

enum {
    CRIA_POSTINGS_BLOCK = 128,
    CRIA_POSTINGS_MAX_TF = 65536,      /* a greater tf counts as this */
    CRIA_POSTINGS_MAX_CHUNKS = 1 << 30 /* of a segment */
};
#define CRIA_POSTINGS_END UINT32_MAX

/* BM25 (Robertson & Zaragoza, The Probabilistic Relevance Framework, 2009). */
#define CRIA_BM25_K1 1.2
#define CRIA_BM25_B 0.75
/** What tf words in a chunk of `length` add to its score, without the word's weight; < K1 + 1.
 * average: of all chunks, in words; 0 counts as 1. */
double cria_bm25(double tf, double length, double average);

/**
 * Appends one list.
 * @param ids      of chunks, ascending, each once, < CRIA_POSTINGS_MAX_CHUNKS.
 * @param tfs      beside them, each >= 1.
 * @param n        >= 1; who reads must know it as df.
 * @param norms    of the segment's chunks, by id (norms.h).
 * @param average  length of the segment's chunks in words: what the maxima are reckoned with.
 * @return false when the buffer has failed. One byte a list, 10 a block, and the packed bits.
 * @threads Any, a buffer each.
 */
bool cria_postings_write(struct cria_buf *out, const uint32_t *ids, const uint32_t *tfs, size_t n,
                         const uint8_t *norms, double average);

/** All of a list; ids and tfs have room for df. False: the bytes are not a list of df chunks below
 * chunk_count (ids and tfs then hold anything). */
bool cria_postings_read_all(const struct cria_bytes *bytes, size_t offset, size_t length,
                            uint32_t df, uint32_t chunk_count, uint32_t *ids, uint32_t *tfs);

/** A place in a list. Points into itself: not to be copied or moved. No memory of its own, nothing
 * to release; the bytes outlive it. One thread at a time. */
struct cria_postings {
    uint32_t id;  /* the chunk it stands at, or CRIA_POSTINGS_END */
    bool damaged; /* the bytes are no such list: it stands at the end for ever */

    /* The rest is for postings.c and words.c. */
    uint32_t df, chunk_count, block_count;
    uint32_t block; /* the one at hand; block_count at the end */
    uint32_t at;    /* in ids[] */
    uint32_t count; /* of the block at hand when it is unpacked, else 0 */
    bool has_tfs;   /* tfs[] too */
    uint8_t max_code;
    struct cria_bytes bytes;
    size_t data, end;                                /* the packed blocks in bytes */
    const uint8_t *lasts, *places, *maxima, *widths; /* by block */
    uint8_t own[10];                                 /* those of a list of one block */
    uint32_t ids[CRIA_POSTINGS_BLOCK], tfs[CRIA_POSTINGS_BLOCK];
};

/** At the list's first chunk; false (and damaged) when the bytes are no list. */
bool cria_postings_open(struct cria_postings *at, const struct cria_bytes *bytes, size_t offset,
                        size_t length, uint32_t df, uint32_t chunk_count);
/** On to the next chunk; not to be called at the end. Returns at->id. */
uint32_t cria_postings_next(struct cria_postings *at);
/** On to the first chunk >= id, never back; blocks between are not unpacked. Returns at->id. */
uint32_t cria_postings_seek(struct cria_postings *at, uint32_t id);
/** How often the word is in the chunk at->id; not to be called at the end. */
uint32_t cria_postings_tf(struct cria_postings *at);

/**
 * No chunk of the list adds more than this (times the word's weight) to a score, whose average
 * length may be another than the segment's own that the list was written with.
 */
double cria_postings_max(const struct cria_postings *at, double average, double segment_average);

/* ---- block by block, for words.c: a cursor between blocks has no id ---- */

/** As cria_postings_open(), but unpacks no block (lists below 128 chunks are at once). */
bool cria_postings_open_blocks(struct cria_postings *at, const struct cria_bytes *bytes,
                               size_t offset, size_t length, uint32_t df, uint32_t chunk_count);
/** To the block that may hold the first chunk >= id, without unpacking it; false at the end. */
bool cria_postings_seek_block(struct cria_postings *at, uint32_t id);
/** Unpacks the ids of the block at hand unless they are; false (damaged, at the end) when rotten.
 */
bool cria_postings_unpack_ids(struct cria_postings *at);
/** The tfs too; after cria_postings_unpack_ids. */
void cria_postings_unpack_tfs(struct cria_postings *at);
/** The first place from `from` on (<= count) in the unpacked block whose id is >= id, or count. */
uint32_t cria_postings_find(const struct cria_postings *at, uint32_t from, uint32_t id);
static inline uint32_t cria_postings_block_last(const struct cria_postings *at, uint32_t block)
{
    return cria_load32(at->lasts + 4 * (size_t)block);
}
/** A byte as a bound, in the segment's own average length. */
double cria_postings_bound(uint8_t code);
/** What bounds are multiplied by, see cria_postings_max(). */
double cria_postings_stretch(double average, double segment_average);

#endif
