#version 450
#extension GL_GOOGLE_include_directive : require
// Gradient of a table of rows: each row collects the gradients of the places that took
// it, in order. A row of the table is a workgroup.
#include "row.glsl"
layout(push_constant) uniform Push { uint rows, row_base, width, places; };
layout(binding = 0) readonly buffer IdBuffer { int ids[]; };
layout(binding = 1) readonly buffer DBuffer { vec4 d[]; };
layout(binding = 2) writeonly buffer YBuffer { vec4 y[]; };

void main()
{
    uint row = row_base + gl_WorkGroupID.x;
    if (row >= rows) {
        return;
    }
    for (uint i = gl_LocalInvocationID.x; i < width; i += LANES) {
        vec4 sum = vec4(0.0);
        for (uint place = 0u; place < places; place++) {
            if (ids[place] == int(row)) {
                sum += d[place * width + i];
            }
        }
        y[row * width + i] = sum;
    }
}
