/* embeddings_answer.h - the answer of POST /v1/embeddings, bytes in, unit vectors out.
 * Room: model. Pure, hostile bytes welcome. */
#ifndef CRIA_MODEL_EMBEDDINGS_ANSWER_H
#define CRIA_MODEL_EMBEDDINGS_ANSWER_H

#include "base/arena.h"

enum { CRIA_EMBEDDING_MAX_DIMS = 4096, CRIA_ANSWER_WHY_SIZE = 200 };

/**
 * Reads {"data":[{"index":0,"embedding":[…]},…]}; an embedding may also be base64 of little-endian
 * 32-bit floats. `index` gives the order; every text must have exactly one vector, all of one
 * length, of finite numbers that are not all 0.
 * @param count  texts that were sent.
 * @param dims   numbers a vector must have; 0: any count up to CRIA_EMBEDDING_MAX_DIMS.
 * @param[out] rows  in the arena: count rows of *out_dims numbers, each of length 1.
 * @param[out] why   what is wrong with it, "it has 2 vectors for 3 texts".
 * @return CRIA_OK; CRIA_E_BAD_REQUEST with why; CRIA_E_NO_MEMORY.
 */
CRIA_MUST_CHECK enum cria_status cria_embeddings_read(struct cria_arena *arena,
                                                      struct cria_str body, size_t count,
                                                      uint32_t dims, const float **rows,
                                                      uint32_t *out_dims,
                                                      char why[CRIA_ANSWER_WHY_SIZE]);

#endif
