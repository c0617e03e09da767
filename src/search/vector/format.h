/* format.h - the bytes of a vector index. Room: search/vector.
 *
 * header (64 bytes), sections, trailer; each section begins at a multiple of 64. The trailer comes
 * last because the sizes of the lists are known only after all rows were seen, and the blob is
 * written in one go. All numbers are little endian; floats are IEEE. */
#ifndef CRIA_SEARCH_VECTOR_FORMAT_H
#define CRIA_SEARCH_VECTOR_FORMAT_H

#include <assert.h>
#include <stdint.h>

#include "search/vector/distance.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a vector index is read as it lies");

#define CRIA_VECTOR_MAGIC "CriaVec\n"
enum {
    CRIA_VECTOR_VERSION = 1,
    CRIA_VECTOR_ALIGN = 64,
    CRIA_VECTOR_LEAST_WIDTH = 256, /* bits of a code: short vectors are rotated into more */
    CRIA_VECTOR_EXACT_DIMS = 63,   /* up to so many dimensions half floats are as short as codes */
    CRIA_VECTOR_NARROW = 128,      /* up to so many dimensions half floats stand in for bytes */
    CRIA_VECTOR_MAX_LISTS = 65536
};

enum cria_vector_section {
    CRIA_SECTION_ROWS,         /* count x dims half floats; zeros where there is no vector */
    CRIA_SECTION_BYTES,        /* count x width: round(127 y / max|y|) + 128, y centred, rotated */
    CRIA_SECTION_SCALES,       /* count floats: max|y| / 127 */
    CRIA_SECTION_PRESENT,      /* a bit a row, in 64-bit words */
    CRIA_SECTION_CODES,        /* blocks of 8 rows, see distance.h */
    CRIA_SECTION_FACTORS,      /* 16 floats a block; NaN weights for rows without a vector */
    CRIA_SECTION_MEAN,         /* width floats: the mean of all rows, rotated */
    CRIA_SECTION_CENTRES,      /* lists x width, as BYTES */
    CRIA_SECTION_LISTS,        /* lists x struct cria_vector_list */
    CRIA_SECTION_LIST_CODES,   /* as CODES, by list, centred on its centre */
    CRIA_SECTION_LIST_FACTORS, /* as FACTORS */
    CRIA_SECTION_LIST_ROWS,    /* 8 row numbers a block */
    CRIA_SECTIONS
};

struct cria_vector_list {
    float scale;  /* of its centre's bytes */
    float radius; /* root mean square distance of its rows from its centre */
    uint32_t first_block, blocks;
};

struct cria_vector_header {
    char magic[8];
    uint32_t version;
    uint32_t zero[13];
};
static_assert(sizeof(struct cria_vector_header) == CRIA_VECTOR_ALIGN, "as it lies");

struct cria_vector_trailer {
    struct {
        uint64_t offset, length; /* bytes from the start of the blob */
    } sections[CRIA_SECTIONS];
    uint32_t dims, count, present, width, lists, list_blocks;
    float margin; /* of the lists' bound, in radii: lists.c */
    uint32_t version;
    char magic[8];
    uint32_t zero[6];
};
static_assert(sizeof(struct cria_vector_trailer) % CRIA_VECTOR_ALIGN == 0, "as it lies");

/** Bits of a code: dims rounded up to whole words, but not too few. */
static inline uint32_t cria_vector_width(uint32_t dims)
{
    return dims <= CRIA_VECTOR_LEAST_WIDTH ? CRIA_VECTOR_LEAST_WIDTH : (dims + 63) / 64 * 64;
}
static inline uint64_t cria_vector_blocks(uint64_t rows)
{
    return (rows + CRIA_BLOCK_ROWS - 1) / CRIA_BLOCK_ROWS;
}
/** What the length of a section has to be. */
uint64_t cria_vector_section_length(const struct cria_vector_trailer *trailer,
                                    enum cria_vector_section section);

#endif
