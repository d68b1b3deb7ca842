#version 450
#extension GL_GOOGLE_include_directive : require
// Operators that read a small window of a map: blur_pool and avg_pool. One vec4 of the
// result an invocation.
#include "storage.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0; // 0 blur, 1 average
layout(constant_id = 1) const uint KERNEL = 2;
layout(push_constant) uniform Push {
    uint count; // vec4s of the result
    uint out_height, out_width, in_height, in_width;
};
layout(binding = 0) readonly buffer XBuffer { STORED4 x[]; };
layout(binding = 1) writeonly buffer YBuffer { STORED4 y[]; };

int reflect_at(int i, int size)
{
    i = abs(i);
    return i < size ? i : 2 * size - 2 - i;
}

vec4 blur(uint plane, int oy, int ox)
{
    int h = int(in_height), w = int(in_width);
    vec4 sum = vec4(0.0);
    for (int dy = -1; dy <= 1; dy++) {
        uint line = plane + uint(reflect_at(2 * oy + dy, h) * w);
        vec4 part = vec4(x[line + uint(reflect_at(2 * ox - 1, w))])
                    + 2.0 * vec4(x[line + uint(reflect_at(2 * ox, w))])
                    + vec4(x[line + uint(reflect_at(2 * ox + 1, w))]);
        sum += dy == 0 ? 2.0 * part : part;
    }
    return sum * 0.0625;
}

vec4 average(uint plane, uint oy, uint ox)
{
    uint y_end = min(oy * KERNEL + KERNEL, in_height);
    uint x_end = min(ox * KERNEL + KERNEL, in_width);
    vec4 sum = vec4(0.0);
    for (uint iy = oy * KERNEL; iy < y_end; iy++) {
        for (uint ix = ox * KERNEL; ix < x_end; ix++) {
            sum += vec4(x[plane + iy * in_width + ix]);
        }
    }
    return sum / float((y_end - oy * KERNEL) * (x_end - ox * KERNEL));
}

void main()
{
    uint out_pixels = out_height * out_width;
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint group = i / out_pixels;
        uint pixel = i - group * out_pixels;
        uint oy = pixel / out_width, ox = pixel % out_width;
        uint plane = group * in_height * in_width;
        y[i] = NARROW4(MODE == 0u ? blur(plane, int(oy), int(ox)) : average(plane, oy, ox));
    }
}
