/* build.h - a vector index being written. Room: search/vector. */
#ifndef CRIA_SEARCH_VECTOR_BUILD_H
#define CRIA_SEARCH_VECTOR_BUILD_H

#include "search/vector/format.h"
#include "search/vector/rotate.h"
#include "search/vector/vector.h"

struct cria_vector_lists_maker;

struct cria_vector_build {
    struct cria_call *call;
    const struct cria_vector_source *source;
    const struct cria_sink *sink;
    const struct cria_distance *distance;
    struct cria_rotation rotation;
    struct cria_vector_trailer about;
    uint64_t offset; /* bytes written */
    uint64_t *present, *codes;
    float *factors, *scales, *mean;        /* mean: turned */
    float *vector;                         /* width: the row at hand, turned and centred */
    uint8_t *bytes;                        /* width: the same */
    struct cria_vector_lists_maker *lists; /* NULL: none */
};

/** Zeroed heap memory; NULL on overflow too. */
CRIA_MUST_CHECK void *cria_vector_grab(uint64_t count, size_t each_bytes);
/** Writes one whole section, or the next piece of the one begun. */
CRIA_MUST_CHECK enum cria_status cria_vector_section_begin(struct cria_vector_build *build,
                                                           enum cria_vector_section section);
CRIA_MUST_CHECK enum cria_status cria_vector_write(struct cria_vector_build *build,
                                                   const void *bytes, size_t len);
CRIA_MUST_CHECK enum cria_status cria_vector_section(struct cria_vector_build *build,
                                                     enum cria_vector_section section,
                                                     const void *bytes, size_t len);
/** Loads a row into `vector`, turned and centred. False: the row has none. */
bool cria_vector_load(struct cria_vector_build *build, uint32_t row);

#endif
