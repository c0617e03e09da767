/* rotate.h - a random rotation, always the same for a width. Room: search/vector.
 *
 * Random signs and a Hadamard transform, four times. A width that is no power of two is covered by
 * two transforms of the largest power of two in it, at its head and at its tail in turns. */
#ifndef CRIA_SEARCH_VECTOR_ROTATE_H
#define CRIA_SEARCH_VECTOR_ROTATE_H

#include <stdbool.h>
#include <stdint.h>

enum { CRIA_ROTATION_PASSES = 4 };

struct cria_rotation {
    uint32_t width, block; /* floats turned; floats of one transform */
    float *signs;          /* CRIA_ROTATION_PASSES x width, the transform's scale included; heap */
};
/** False when memory is short. */
bool cria_rotation_init(struct cria_rotation *rotation, uint32_t width);
void cria_rotation_release(struct cria_rotation *rotation);
/** Turns `width` floats in place; lengths and angles stay. */
void cria_rotate(const struct cria_rotation *rotation, float *vector);

#endif
