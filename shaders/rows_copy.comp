#version 450
#extension GL_GOOGLE_include_directive : require
// Operators that only move vec4s between rows; MODE chooses. One vec4 an invocation.
#include "storage.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0;
layout(push_constant) uniform Push {
    uint count;       // vec4s of the result
    uint width;       // vec4s of a row
    uint rows;        // rows of an image in the source (pixels for map_to_rows); of
                      // slice: the first row
    uint first_shared;// prepend: the first row is the same for every image
};
layout(binding = 0) readonly buffer XBuffer { STORED4 x[]; };
layout(binding = 1) readonly buffer ABuffer { STORED4 a[]; };
layout(binding = 2) readonly buffer IBuffer { int index[]; };
layout(binding = 3) writeonly buffer YBuffer { STORED4 y[]; };

const uint MODE_MAP_TO_ROWS = 0u, MODE_PREPEND = 1u, MODE_SELECT = 2u,
           MODE_FIRST = 3u, MODE_SLICE = 4u;

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint column = i % width, row = i / width;
        if (MODE == MODE_MAP_TO_ROWS) {
            uint image = row / rows, pixel = row % rows;
            y[i] = x[(image * width + column) * rows + pixel];
        } else if (MODE == MODE_PREPEND) {
            uint image = row / (rows + 1u), t = row % (rows + 1u);
            if (t == 0u) {
                y[i] = a[(first_shared != 0u ? 0u : image * width) + column];
            } else {
                y[i] = x[(image * rows + t - 1u) * width + column];
            }
        } else if (MODE == MODE_FIRST) {
            y[i] = x[row * rows * width + column];
        } else if (MODE == MODE_SLICE) {
            y[i] = x[i + rows * width];
        } else {
            uint t = uint(clamp(index[row], 0, int(rows) - 1));
            y[i] = x[(row * rows + t) * width + column];
        }
    }
}
