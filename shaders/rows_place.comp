#version 450
// Gradients of the operators that only move rows; MODE chooses. One vec4 of the result an
// invocation.
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0;
layout(push_constant) uniform Push {
    uint count; // vec4s of the result
    uint width; // vec4s of a row (channel groups of a map)
    uint rows;  // rows of an image in the result (pixels of a map)
    uint given; // rows in the source, for pad
    uint first; // row of the result where they begin, for pad
};
layout(binding = 0) readonly buffer XBuffer { vec4 x[]; };
layout(binding = 1) readonly buffer IBuffer { int index[]; };
layout(binding = 2) writeonly buffer YBuffer { vec4 y[]; };

const uint MODE_TO_MAP = 0u, MODE_DROP_FIRST = 1u, MODE_PLACE_FIRST = 2u, MODE_PLACE = 3u,
           MODE_PAD = 4u;

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint column = i % width, row = i / width, image = row / rows, t = row % rows;
        vec4 v = vec4(0.0);
        if (MODE == MODE_TO_MAP) {
            uint pixel = i % rows, group = i / rows % width;
            v = x[(i / rows / width * rows + pixel) * width + group];
        } else if (MODE == MODE_DROP_FIRST) {
            v = x[(image * (rows + 1u) + t + 1u) * width + column];
        } else if (MODE == MODE_PAD) {
            bool inside = row >= first && row - first < given;
            v = inside ? x[i - first * width] : vec4(0.0);
        } else {
            uint wanted = 0u;
            if (MODE == MODE_PLACE) {
                wanted = uint(clamp(index[image], 0, int(rows) - 1));
            }
            v = t == wanted ? x[image * width + column] : vec4(0.0);
        }
        y[i] = v;
    }
}
