#version 450
// Gradients of blur_pool, avg_pool and space_to_depth. One vec4 of the result an
// invocation.
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0; // 0 blur, 1 average, 2 depth to space
layout(constant_id = 1) const uint KERNEL = 2;
layout(push_constant) uniform Push {
    uint count;    // vec4s of the result
    uint channels; // of the result
    uint out_height, out_width; // of the forward operator: the source here
    uint in_height, in_width;   // of the result
};
layout(binding = 0) readonly buffer XBuffer { vec4 x[]; };
layout(binding = 1) readonly buffer FBuffer { float f[]; };
layout(binding = 2) writeonly buffer YBuffer { vec4 y[]; };

// Weight with which output o reads input i of a line of `size`, reflected at the ends.
float blur_tap(int o, int i, int size)
{
    float sum = 0.0;
    for (int k = -1; k <= 1; k++) {
        int at = abs(2 * o + k);
        at = at < size ? at : 2 * size - 2 - at;
        sum += at == i ? (k == 0 ? 2.0 : 1.0) : 0.0;
    }
    return sum;
}

vec4 blur(uint plane, int iy, int ix)
{
    int h = int(in_height), w = int(in_width);
    vec4 sum = vec4(0.0);
    for (int oy = max(iy / 2 - 1, 0); oy <= min(iy / 2 + 1, int(out_height) - 1); oy++) {
        for (int ox = max(ix / 2 - 1, 0); ox <= min(ix / 2 + 1, int(out_width) - 1); ox++) {
            float tap = blur_tap(oy, iy, h) * blur_tap(ox, ix, w);
            sum += tap * x[plane + uint(oy) * out_width + uint(ox)];
        }
    }
    return sum * 0.0625;
}

vec4 average(uint plane, uint iy, uint ix)
{
    uint oy = iy / KERNEL, ox = ix / KERNEL;
    if (oy >= out_height || ox >= out_width) {
        return vec4(0.0); // an edge that the floor mode leaves out
    }
    uint high = min(KERNEL, in_height - oy * KERNEL);
    uint wide = min(KERNEL, in_width - ox * KERNEL);
    return x[plane + oy * out_width + ox] / float(high * wide);
}

vec4 depth_to_space(uint image, uint group, uint iy, uint ix)
{
    uint cell = (iy % 4u * 4u + ix % 4u) * channels, pixels = out_height * out_width;
    uint groups = (channels * 16u + 3u) / 4u;
    vec4 v = vec4(0.0);
    for (uint j = 0u; j < 4u && group * 4u + j < channels; j++) {
        uint channel = cell + group * 4u + j;
        uint at = (image * groups + channel / 4u) * pixels + iy / 4u * out_width + ix / 4u;
        v[j] = f[at * 4u + channel % 4u];
    }
    return v;
}

void main()
{
    uint pixels = in_height * in_width, groups = (channels + 3u) / 4u;
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint group = i / pixels, pixel = i % pixels;
        uint iy = pixel / in_width, ix = pixel % in_width;
        uint plane = group * out_height * out_width;
        if (MODE == 0u) {
            y[i] = blur(plane, int(iy), int(ix));
        } else if (MODE == 1u) {
            y[i] = average(plane, iy, ix);
        } else {
            y[i] = depth_to_space(group / groups, group % groups, iy, ix);
        }
    }
}
