#version 450
#extension GL_GOOGLE_include_directive : require
// One vec4 of the result an invocation; MODE chooses the operator. Maps are NC4HW4 with
// `pixels` vec4s a channel group, rows have pixels = 1.
#include "epilogue.glsl"
#include "storage.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0;
layout(constant_id = 1) const uint ACT = 0;
layout(push_constant) uniform Push {
    uint count;    // vec4s of the result
    uint period;   // vec4s after which b repeats
    uint pixels;   // vec4s that share one channel group
    uint channels; // channel groups of an image
    float slope;
    float factor;
};
#ifdef DIRECT
#include "source.glsl"
SOURCE(0, x);
SOURCE(1, a);
SOURCE(2, b);
#else
layout(binding = 0) readonly buffer XBuffer { STORED4 x[]; };
layout(binding = 1) readonly buffer ABuffer { STORED4 a[]; };
layout(binding = 2) readonly buffer BBuffer { STORED4 b[]; };
#define AT(name, i) vec4(name[i])
#endif
layout(binding = 3) writeonly buffer YBuffer { STORED4 y[]; };

const uint MODE_ACTIVATION = 0u, MODE_ADD = 1u, MODE_SCALE = 2u, MODE_MUL_CHANNELS = 3u,
           MODE_SCALE_ADD_ACT = 4u, MODE_BATCH_NORM = 5u;

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        vec4 v = AT(x, i);
        if (MODE == MODE_ACTIVATION) {
            v = activate(ACT, slope, v);
        } else if (MODE == MODE_ADD) {
            v += AT(a, i % period);
        } else if (MODE == MODE_SCALE) {
            v *= factor;
        } else if (MODE == MODE_MUL_CHANNELS) {
            v *= AT(a, i / pixels);
        } else if (MODE == MODE_SCALE_ADD_ACT) {
            v = activate(ACT, slope, v * AT(a, i / pixels) + AT(b, i));
        } else if (MODE == MODE_BATCH_NORM) {
            uint c = (i / pixels) % channels;
            v = v * AT(a, c) + AT(b, c);
        }
        y[i] = NARROW4(v);
    }
}
