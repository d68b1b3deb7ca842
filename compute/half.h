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
 * largest number of its sign, 65504, as in the kernels; not-a-number stays what it is. */
static inline uint16_t nn_half_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint32_t sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    if (bits > 0x7f800000) {
        return (uint16_t)(sign | 0x7e00);
    }
    if (bits >= 0x477fe000) {
        return (uint16_t)(sign | 0x7bff);
    }
    if (bits < 0x38800000) { /* below 2^-14 a step is 2^-24: let the addition round */
        float shifted;
        memcpy(&shifted, &bits, 4);
        shifted += 0.5f;
        memcpy(&bits, &shifted, 4);
        return (uint16_t)(sign | (bits - 0x3f000000));
    }
    bits += 0xfff + (bits >> 13 & 1);
    return (uint16_t)(sign | (bits - 0x38000000) >> 13);
}

#endif
