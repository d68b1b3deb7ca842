#version 450
#extension GL_GOOGLE_include_directive : require
// Probabilities times values: one vec4 of the result [B,queries,width] an invocation.
#include "storage.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const bool VECTOR = false; // heads begin and end at vec4s
layout(push_constant) uniform Push {
    uint count;      // vec4s of the result
    uint heads, queries, keys, head_width;
    uint v_row;      // floats of a row
    uint v_column;
    uint p_row;      // floats of a row of probabilities
};
layout(binding = 0) readonly buffer PBuffer { STORED p[]; };
layout(binding = 1) readonly buffer VBuffer { STORED v[]; };
layout(binding = 2) writeonly buffer YBuffer { STORED4 y[]; };
layout(binding = 3) readonly buffer V4Buffer { STORED4 v4[]; };

void main()
{
    uint width = heads * head_width, width4 = (width + 3u) / 4u;
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint column = i % width4 * 4u, row = i / width4;
        uint image = row / queries, query = row % queries;
        uint v_at = image * keys * v_row + v_column;
        vec4 sum = vec4(0.0);
        if (VECTOR) {
            uint p_at = ((image * heads + column / head_width) * queries + query) * p_row;
            uint at = (v_at + column) / 4u;
            for (uint t = 0u; t < keys; t++) {
                sum += float(p[p_at + t]) * vec4(v4[at + t * (v_row / 4u)]);
            }
        } else {
            for (uint j = 0u; j < 4u; j++) {
                uint c = column + j;
                if (c < width) {
                    uint p_at = ((image * heads + c / head_width) * queries + query) * p_row;
                    float part = 0.0;
                    for (uint t = 0u; t < keys; t++) {
                        part += float(p[p_at + t]) * float(v[v_at + t * v_row + c]);
                    }
                    sum[j] = part;
                }
            }
        }
        y[i] = NARROW4(sum);
    }
}
