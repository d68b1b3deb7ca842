#version 450
#extension GL_GOOGLE_include_directive : require
// Means over the pixels of a map or over the rows of an image: one vec4 of the result a
// workgroup. Value i of the mean lies at group*group_stride + column*column_stride
// + i*step, group = result / columns.
#include "row.glsl"
#include "storage.glsl"
layout(push_constant) uniform Push {
    uint count, columns, length, group_stride, column_stride, step_stride, base;
};
layout(binding = 0) readonly buffer XBuffer { STORED4 x[]; };
layout(binding = 1) writeonly buffer YBuffer { STORED4 y[]; };

void main()
{
    uint result = base + gl_WorkGroupID.x;
    if (result >= count) {
        return;
    }
    uint at = result / columns * group_stride + result % columns * column_stride;
    vec4 sum = vec4(0.0);
    for (uint i = gl_LocalInvocationID.x; i < length; i += LANES) {
        sum += vec4(x[at + i * step_stride]);
    }
    sum = across_sum(sum);
    if (gl_LocalInvocationID.x == 0u) {
        y[result] = NARROW4(sum / float(length));
    }
}
