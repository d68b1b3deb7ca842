#version 450
#extension GL_GOOGLE_include_directive : require
// Adds up the parts of sums that a tiled kernel cut over several workgroups, always in
// one order, and finishes them. One vec4 of the result an invocation.
#include "gemm.glsl"
#include "gemm_result.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 6) const uint PARTS = 2;
layout(binding = 0) readonly buffer PartBuffer { vec4 part[]; }; // [PARTS][m4][n_total]

void main()
{
    uint count = m4 * n_total, stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        vec4 sum = part[i];
        for (uint z = 1u; z < PARTS; z++) {
            sum += part[z * count + i];
        }
        write_result(i / n_total, i % n_total, sum);
    }
}
