#version 450
// Weights that change between runs -> the panels of the matrix kernels:
// [ceil(rows/panel)][depth][panel], k = (tap, channel rounded up to 4); zeros beyond rows
// and channels. Weights lie as maps, [row][channel / 4][tap][4]; a linear layer has one
// tap. One value of the result an invocation.
layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
    uint count; // values of the result
    uint rows, channels, taps, panel, depth;
};
layout(binding = 0) readonly buffer WBuffer { float w[]; };
layout(binding = 1) writeonly buffer PBuffer { float p[]; };

void main()
{
    uint channels4 = (channels + 3u) / 4u;
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint row = i / panel / depth * panel + i % panel, k = i / panel % depth;
        uint tap = k / (channels4 * 4u), c = k % (channels4 * 4u);
        bool inside = row < rows && tap < taps && c < channels;
        p[i] = inside ? w[((row * channels4 + c / 4u) * taps + tap) * 4u + c % 4u] : 0.0;
    }
}
