/* half.h - IEEE 754 half floats (binary16): two bytes a number, for what is kept in bulk.
 * Room: base. Pure. */
#ifndef CRIA_BASE_HALF_H
#define CRIA_BASE_HALF_H

#include <stddef.h>
#include <stdint.h>

/** Rounds to nearest, ties to even; beyond 65,504 becomes infinite, a NaN stays one. */
uint16_t cria_half_from_float(float value);
/** Exact. */
float cria_half_to_float(uint16_t half);

/** The same for `count` numbers that lie as little-endian bytes, whatever the machine is. */
void cria_halves_write(const float *values, size_t count, unsigned char *out);
void cria_halves_read(const unsigned char *bytes, size_t count, float *out);

#endif
