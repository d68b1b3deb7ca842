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
    uint lane = gl_LocalInvocationID.x;
    for (uint first = 0u; first < width; first += LANES) {
        uint i = min(first + lane, width - 1u);
        vec4 sum = vec4(0.0);
        for (uint place = 0u; place < places; place += LANES) {
            bool here = place + lane < places && ids[place + lane] == int(row);
            if (across_max(here ? 1.0 : 0.0) == 0.0) { /* most rows are taken seldom */
                continue;
            }
            for (uint at = place; at < min(place + LANES, places); at++) {
                if (ids[at] == int(row)) {
                    sum += d[at * width + i];
                }
            }
        }
        if (first + lane < width) {
            y[row * width + i] = sum;
        }
    }
}
