#version 450
#extension GL_GOOGLE_include_directive : require
// [B,C,H,W] -> [B,16C,H/4,W/4], channel (dy*4 + dx)*C + c. One vec4 of the result an
// invocation.
#include "storage.glsl"

layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
    uint count, out_height, out_width, in_channels;
};
layout(binding = 0) readonly buffer XBuffer { STORED x[]; };
layout(binding = 1) writeonly buffer YBuffer { STORED4 y[]; };

void main()
{
    uint out_pixels = out_height * out_width;
    uint groups = (in_channels * 16u + 3u) / 4u, in_groups = (in_channels + 3u) / 4u;
    uint in_width = out_width * 4u, in_pixels = out_pixels * 16u;
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint plane = i / out_pixels, pixel = i % out_pixels;
        uint image = plane / groups, group = plane % groups;
        uint oy = pixel / out_width, ox = pixel % out_width;
        vec4 v = vec4(0.0);
        for (uint j = 0u; j < 4u; j++) {
            uint channel = group * 4u + j;
            uint cell = channel / in_channels, c = channel % in_channels;
            if (cell < 16u) {
                uint at = (oy * 4u + cell / 4u) * in_width + ox * 4u + cell % 4u;
                v[j] = float(x[((image * in_groups + c / 4u) * in_pixels + at) * 4u + c % 4u]);
            }
        }
        y[i] = NARROW4(v);
    }
}
