/* IEEE 754 numbers of 16 bits, as files and devices hold them. */
#ifndef TAGLIGHT_COMPUTE_HALF_H
#define TAGLIGHT_COMPUTE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float nn_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31;
    uint32_t fraction = h & 1023, bits;
    if (exponent == 31) {
        bits = sign | 0x7f800000 | fraction << 13;
    } else if (exponent) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float tiny = (float)fraction * 0x1p-24f;
        memcpy(&bits, &tiny, 4);
        bits |= sign;
    }
    float out;
    memcpy(&out, &bits, 4);
    return out;
}

/* Rounds to nearest, ties to even. What lies beyond the range, infinities too, becomes the
 * largest number of its sign, 65504, as in the kernels; not-a-number stays what it is.
 * Free of jumps, for loops over images to become vector code. */
static inline uint16_t nn_half_from_float(float value)
{
    uint32_t bits, tiny_bits;
    memcpy(&bits, &value, 4);
    uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    uint32_t most = size < 0x477fe000 ? size : 0x477fe000;
    uint32_t normal = (most + 0xfff + (most >> 13 & 1) - 0x38000000) >> 13;
    /* Below 2^-14 a step is 2^-24, as it is beside 0.5: the addition rounds. */
    float tiny;
    memcpy(&tiny, &size, 4);
    tiny += 0.5f;
    memcpy(&tiny_bits, &tiny, 4);
    uint32_t half = size < 0x38800000 ? tiny_bits - 0x3f000000 : normal;
    return (uint16_t)(sign | (size > 0x7f800000 ? 0x7e00 : half));
}

#endif
