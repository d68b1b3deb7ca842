// Where a matrix kernel's sums go: bias, residual, activation and the address of a vec4
// of four channels of one column. Bindings 2 to 4; include gemm.glsl first.
#include "epilogue.glsl"
#include "storage.glsl"

layout(binding = 2) writeonly buffer YBuffer { STORED4 y[]; };
layout(binding = 3) readonly buffer BiasBuffer { STORED4 bias[]; };
layout(binding = 4) readonly buffer ResidualBuffer { STORED4 residual[]; };

void write_result(uint channel, uint n, vec4 sum)
{
    uint image = n / out_pixels;
    uint at = image * y_batch + channel * y_channel + (n - image * out_pixels) * y_pixel;
    if (HAS_BIAS) {
        sum += vec4(bias[channel]);
    }
    if (HAS_RESIDUAL) {
        sum += vec4(residual[at]);
    }
    y[at] = NARROW4(activate(ACT, slope, sum));
}
