#include "base/half.h"

#include <string.h>

enum { FLOAT_BIAS = 127, HALF_BIAS = 15, DROPPED_BITS = 13 };

/* Rounds `mantissa` to what is left behind `shift` bits: to nearest, ties to even. */
static uint32_t rounded(uint32_t mantissa, unsigned shift)
{
    uint32_t kept = mantissa >> shift, rest = mantissa & ((1u << shift) - 1),
             half = 1u << (shift - 1);
    return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t cria_half_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    uint32_t sign = bits >> 16 & 0x8000u, mantissa = bits & 0x7FFFFFu;
    int exponent = (int)(bits >> 23 & 0xFF) - FLOAT_BIAS + HALF_BIAS;
    if (exponent == 0xFF - FLOAT_BIAS + HALF_BIAS)
        return (uint16_t)(sign | 0x7C00u | (mantissa ? 0x200u : 0));
    if (exponent >= 31) return (uint16_t)(sign | 0x7C00u);
    if (exponent > 0) /* a carry out of the mantissa raises the exponent, as it should */
        return (uint16_t)(sign | (((uint32_t)exponent << 10) + rounded(mantissa, DROPPED_BITS)));
    if (exponent < -10) return (uint16_t)sign;
    return (uint16_t)(sign |
                      rounded(mantissa | 0x800000u, (unsigned)(DROPPED_BITS + 1 - exponent)));
}

float cria_half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 0x1F,
             mantissa = half & 0x3FFu, bits;
    float value;
    if (exponent == 0) { /* zero and the numbers below 2^-14 */
        value = (float)mantissa / 16777216.0f;
        return sign ? -value : value;
    }
    if (exponent == 31)
        bits = sign | 0x7F800000u | mantissa << DROPPED_BITS;
    else
        bits = sign | (exponent + FLOAT_BIAS - HALF_BIAS) << 23 | mantissa << DROPPED_BITS;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

void cria_halves_write(const float *values, size_t count, unsigned char *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half = cria_half_from_float(values[i]);
        out[2 * i] = (unsigned char)(half & 0xFF);
        out[2 * i + 1] = (unsigned char)(half >> 8);
    }
}

void cria_halves_read(const unsigned char *bytes, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = cria_half_to_float((uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8));
}
