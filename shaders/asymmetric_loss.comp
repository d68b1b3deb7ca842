#version 450
#extension GL_GOOGLE_include_directive : require
// The asymmetric loss of each logit, or with GRADIENT its slope times the gradient of the
// result. 1 - p is sigmoid(-x), for a difference would lose it where p is near 1. One
// value, padding included, an invocation; padding becomes zero.
#include "loss.glsl"
layout(local_size_x = 64) in;
layout(constant_id = 0) const bool GRADIENT = false;
layout(constant_id = 1) const bool DETACHED = false;
layout(push_constant) uniform Push {
    uint count, size; // values with padding; values of a row without
    float gamma_negative, gamma_positive, clip, eps;
};
layout(binding = 0) readonly buffer XBuffer { float x[]; };
layout(binding = 1) readonly buffer TBuffer { float target[]; };
layout(binding = 2) readonly buffer DBuffer { float d[]; };
layout(binding = 3) writeonly buffer YBuffer { float y[]; };

// The limits of the logarithms would make a loss even of a logit that is none. By its bits,
// for a compiler may take every float for a number.
bool is_number(float v)
{
    return (floatBitsToUint(v) & 0x7fffffffu) <= 0x7f800000u;
}

// Loss and slope of a logit v with target t in 0..1.
vec2 loss(float v, float t)
{
    float p = 1.0 / (1.0 + exp(-v)), q = 1.0 / (1.0 + exp(v));
    bool counts = p > clip;
    float negative = counts ? q + clip : 1.0;
    float base = t * log(max(p, eps)) + (1.0 - t) * log(max(negative, eps));
    float dbase = (p > eps ? t * q : 0.0)
                  - (counts && negative > eps ? (1.0 - t) * p * q / negative : 0.0);
    float gamma = t * gamma_positive + (1.0 - t) * gamma_negative;
    float miss = t * q + (1.0 - t) * (counts ? p - clip : 0.0);
    float weight = power(miss, gamma), dweight = 0.0;
    if (!DETACHED && gamma > 0.0) {
        float dmiss = (counts ? (1.0 - t) * p * q : 0.0) - t * p * q;
        dweight = gamma * power(miss, gamma - 1.0) * dmiss;
    }
    return vec2(-weight * base, -(weight * dbase + dweight * base));
}

void main()
{
    uint padded = (size + 3u) / 4u * 4u, stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        vec2 result = vec2(0.0);
        if (i % padded < size && target[i] >= 0.0) { // below 0 it is unknown
            result = is_number(x[i]) ? loss(x[i], target[i]) : vec2(uintBitsToFloat(0x7fc00000u));
        }
        y[i] = GRADIENT ? result.y * d[i] : result.x;
    }
}
