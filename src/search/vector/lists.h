/* lists.h - the inverted lists of an index being written. Room: search/vector. */
#ifndef CRIA_SEARCH_VECTOR_LISTS_H
#define CRIA_SEARCH_VECTOR_LISTS_H

#include "search/vector/build.h"

/** Makes build->lists: trains the cells on a sample of the rows. */
CRIA_MUST_CHECK enum cria_status cria_vector_lists_begin(struct cria_vector_build *build,
                                                         uint32_t lists);
/** Puts a row into its list: the one at hand in build->vector and build->bytes. scale: of the
 * bytes; shift: of its code. */
void cria_vector_lists_add(struct cria_vector_build *build, uint32_t row, float scale, float shift);
/** Writes their sections. */
CRIA_MUST_CHECK enum cria_status cria_vector_lists_write(struct cria_vector_build *build);
/** Frees build->lists. */
void cria_vector_lists_end(struct cria_vector_build *build);

/** How many lists suit so many rows. */
uint32_t cria_vector_lists_for(uint32_t rows);

#endif
