/* vector.h - vectors of an index as one blob of bytes, and the nearest of them to a query by
 * cosine. Room: search/vector. Pure: no store, no threads of its own. An open index may be searched
 * by any number of threads at once, each with its own call.
 *
 * Three forms of each vector lie in the blob: a 1-bit code of the centred and randomly rotated
 * vector with RaBitQ's correction (Gao and Long, SIGMOD 2024), which is scanned; a byte a
 * dimension, by which the survivors are scored; half floats as they came, by which the best are
 * ranked. Large indexes have inverted lists as well: k-means cells, each with its own centred
 * codes. Memory that a search touches: codes and bytes; the half floats of some 30 rows. Any bytes
 * are safe to open and to search: rotten ones give wrong rows or an error, never more. */
#ifndef CRIA_SEARCH_VECTOR_H
#define CRIA_SEARCH_VECTOR_H

#include "base/call.h"
#include "search/bytes.h"

enum { CRIA_VECTOR_MAX_DIMS = 4096 };

/** Rows to index, by number; asked for in ascending order, in more than one pass. */
struct cria_vector_source {
    uint32_t dims, count; /* dims 1..CRIA_VECTOR_MAX_DIMS, count < 2^31 */
    /** dims IEEE half floats of unit length, valid until the next call; NULL: the row has none. */
    const uint16_t *(*row)(void *arg, uint32_t n);
    void *arg;
};
struct cria_vector_build_options {
    uint32_t lists_from; /* rows from which inverted lists are made; 0: CRIA_VECTOR_LISTS_FROM */
    uint32_t lists;      /* how many; 0: by the number of rows */
};
enum { CRIA_VECTOR_LISTS_FROM = 300000 };

/**
 * Writes the blob of an index, which has to be found again at an address that 64 divides. Heap
 * memory meanwhile: some 60 bytes a row at 384 dimensions, twice that with lists.
 * @param options  may be NULL.
 * @return CRIA_OK; CRIA_E_INVALID a row with NaN or infinity; CRIA_E_IO the sink; CRIA_E_NO_MEMORY;
 *         CRIA_E_TIMEOUT, CRIA_E_CANCELLED.
 */
CRIA_MUST_CHECK enum cria_status cria_vector_build(struct cria_call *call,
                                                   const struct cria_vector_source *source,
                                                   const struct cria_sink *sink,
                                                   const struct cria_vector_build_options *options);

struct cria_vector_index;

/** Opens a blob without reading more than its description. The bytes stay until the index is
 * closed; their check is called from every thread that searches, often for the same range; where it
 * says no, the call that wanted to read ends with CRIA_E_CORRUPT. Errors: that one;
 * CRIA_E_NO_MEMORY. */
CRIA_MUST_CHECK enum cria_status cria_vector_open(struct cria_call *call, struct cria_bytes bytes,
                                                  struct cria_vector_index **out);
/** Frees the index, not the bytes. Accepts NULL. */
void cria_vector_close(struct cria_vector_index *index);

uint32_t cria_vector_dims(const struct cria_vector_index *index);
uint32_t cria_vector_count(const struct cria_vector_index *index);   /* rows, with or without */
uint32_t cria_vector_present(const struct cria_vector_index *index); /* rows with a vector */
uint32_t cria_vector_lists(const struct cria_vector_index *index);   /* inverted lists; 0 none */

struct cria_vector_hit {
    uint32_t row;
    float score; /* cosine */
};
struct cria_vector_options {
    bool exact;          /* every allowed row by its half floats */
    uint32_t max_probes; /* inverted lists looked at, at most, once there are k rows; 0: as many as
                          * the bound asks for */
    uint32_t sure;       /* lists are looked at until so many of the k are surely the nearest; the
                          * rest are the best that these lists hold. 0: all k */
};

/**
 * The k rows nearest to a query.
 * @param query    dims floats of any length but zero; NaN and infinity are refused.
 * @param allowed  NULL, or a bit for each row (bit n & 63 of word n >> 6): those that may appear.
 * @param options  may be NULL.
 * @param[out] out room for k; best first, equal scores by row. The scores are by half floats.
 * @return CRIA_OK; CRIA_E_INVALID the query; CRIA_E_CORRUPT; CRIA_E_NO_MEMORY; CRIA_E_TIMEOUT,
 *         CRIA_E_CANCELLED. Works in the call's arena: some kilobytes, 30 bytes a k, 16 a list.
 */
CRIA_MUST_CHECK enum cria_status cria_vector_search(const struct cria_vector_index *index,
                                                    struct cria_call *call, const float *query,
                                                    uint32_t k, const uint64_t *allowed,
                                                    const struct cria_vector_options *options,
                                                    struct cria_vector_hit *out, uint32_t *count);

/** The cosines of n given rows, by their half floats; NAN for a row that has no vector or is none.
 * Errors as cria_vector_search. */
CRIA_MUST_CHECK enum cria_status cria_vector_scores(const struct cria_vector_index *index,
                                                    struct cria_call *call, const float *query,
                                                    const uint32_t *rows, size_t n, float *out);

/** How the cosines of the whole collection lie, by some 500 rows that are always the same. */
struct cria_vector_spread {
    float least, most, mean, deviation;
    uint32_t rows; /* looked at; 0: there are none, and the rest is 0 */
};
CRIA_MUST_CHECK enum cria_status cria_vector_spread(const struct cria_vector_index *index,
                                                    struct cria_call *call, const float *query,
                                                    struct cria_vector_spread *out);

/** The half floats of a row as they came; NULL when it has none or they are rotten. */
const uint16_t *cria_vector_row(const struct cria_vector_index *index, uint32_t row);

/** Brings a vector to unit length as half floats, as a source has to give it. False, with nothing
 * written, when it has no length, or NaN or infinity in it. */
CRIA_MUST_CHECK bool cria_vector_pack(const float *vector, uint32_t dims, uint16_t *out);

#endif
