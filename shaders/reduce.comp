#version 450
#extension GL_GOOGLE_include_directive : require
// Sums of a tensor: one vec4 of the result a workgroup. What is summed for result r lies
// at r * result_stride + outer * outer_stride + inner * inner_stride. With TOTAL there
// is one result, the sum of every value, in the first place of a vec4.
#include "row.glsl"
#include "source.glsl"
layout(constant_id = 1) const uint MODE = 0;
layout(constant_id = 2) const bool TOTAL = false;
layout(push_constant) uniform Push {
    uint count;  // vec4s of the result
    uint outers, outer_stride, inners, inner_stride, result_stride;
    uint pixels; // TOTAL: vec4s that share one group of a row or of channels
    uint size;   // values of a row (or channels) before padding
    float factor, eps;
    uint base;
};
SOURCE(0, a);
SOURCE(1, b);
SOURCE(2, mean);
SOURCE(3, variance);
layout(binding = 4) writeonly buffer YBuffer { vec4 y[]; };

const uint MODE_SUM = 0u, MODE_PRODUCT = 1u, MODE_VARIANCE = 2u, MODE_NORM = 3u;

vec4 term(uint at, uint result)
{
    vec4 v = AT(a, at);
    if (MODE == MODE_PRODUCT) {
        v *= AT(b, at);
    } else if (MODE == MODE_VARIANCE) {
        v -= AT(mean, result);
        v *= v;
    } else if (MODE == MODE_NORM) {
        v *= (AT(b, at) - AT(mean, result)) / sqrt(AT(variance, result) + eps);
    }
    return v;
}

void main()
{
    uint result = base + gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;
    uint size4 = (size + 3u) / 4u;
    if (result >= count) {
        return;
    }
    vec4 sum = vec4(0.0);
    for (uint outer = 0u; outer < outers; outer++) {
        uint at = result * result_stride + outer * outer_stride;
        for (uint inner = lane; inner < inners; inner += LANES) {
            vec4 v = term(at + inner * inner_stride, result);
            sum += TOTAL ? mix(vec4(0.0), v, row_inside(inner / pixels % size4, size)) : v;
        }
    }
    sum = across_sum(sum) * factor;
    if (lane == 0u) {
        vec4 inside = mix(vec4(0.0), sum, row_inside(result % size4, size));
        y[result] = TOTAL ? vec4(dot(sum, vec4(1.0)), 0.0, 0.0, 0.0) : inside;
    }
}
