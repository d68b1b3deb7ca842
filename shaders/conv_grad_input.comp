#version 450
// Gradient of a convolution's input for any stride: one vec4 of 4 input channels of a
// pixel an invocation, gathered from the output pixels that read it.
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint KERNEL = 1;
layout(constant_id = 1) const uint STRIDE = 1;
layout(constant_id = 2) const uint PAD = 0;
layout(push_constant) uniform Push {
    uint count;     // vec4s of the result
    uint rows;      // output channels of the convolution
    uint channels4; // groups of 4 input channels
    uint out_height, out_width, in_height, in_width;
};
layout(binding = 0) readonly buffer DBuffer { float d[]; };
layout(binding = 1) readonly buffer WBuffer { vec4 w[]; };
layout(binding = 2) writeonly buffer YBuffer { vec4 y[]; };

// Sum over output channels at output pixel `pixel` for one tap.
vec4 tap_sum(uint image, uint group, uint pixel, uint tap)
{
    uint rows4 = (rows + 3u) / 4u, pixels = out_height * out_width;
    vec4 sum = vec4(0.0);
    for (uint o = 0u; o < rows; o++) {
        float grad = d[((image * rows4 + o / 4u) * pixels + pixel) * 4u + o % 4u];
        sum += grad * w[(o * channels4 + group) * KERNEL * KERNEL + tap];
    }
    return sum;
}

void main()
{
    uint pixels = in_height * in_width, stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint pixel = i % pixels, group = i / pixels % channels4;
        uint image = i / pixels / channels4;
        vec4 sum = vec4(0.0);
        for (uint tap = 0u; tap < KERNEL * KERNEL; tap++) {
            int oy = int(pixel / in_width + PAD) - int(tap / KERNEL);
            int ox = int(pixel % in_width + PAD) - int(tap % KERNEL);
            bool hit = oy >= 0 && ox >= 0 && oy % int(STRIDE) == 0 && ox % int(STRIDE) == 0;
            oy /= int(STRIDE);
            ox /= int(STRIDE);
            if (hit && oy < int(out_height) && ox < int(out_width)) {
                sum += tap_sum(image, group, uint(oy) * out_width + uint(ox), tap);
            }
        }
        y[i] = sum;
    }
}
