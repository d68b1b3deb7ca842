// What the two matrix kernels share: one description of a convolution as an implicit
// matrix product, out[m, n] = sum_k W[m, k] X[k, n], n = (image, y, x), k = (tap, channel).
// A linear layer is the case of a 1x1 kernel over an "image" of rows.
//
// Addresses count vec4s: X at b*x_batch + (channel/4)*x_channel + pixel*x_pixel, and so
// for Y and the residual, which has Y's layout. One kernel thus serves NC4HW4 maps
// (pixel stride 1) and row-major rows (channel stride 1). Workgroups along z are products
// of their own, x_group and y_group apart, each with its part of W.
layout(push_constant) uniform Push {
    uint n_total;    // images * out_pixels
    uint n_base;     // first column tile of this dispatch
    uint m4;         // output channels / 4, rounded up
    uint k4;         // input channels / 4, rounded up
    uint out_pixels; // a map: height * width
    uint out_width;
    uint in_height, in_width;
    uint x_batch, x_channel, x_pixel;
    uint y_batch, y_channel, y_pixel;
    uint m_tiles;
    float slope;
    uint x_group, y_group;
    uint split_steps; // tiled kernels: steps of k of one part, where k is cut in parts
};
layout(constant_id = 0) const uint KERNEL = 1;
layout(constant_id = 1) const uint STRIDE = 1;
layout(constant_id = 2) const uint PAD = 0;
layout(constant_id = 3) const uint ACT = 0;
layout(constant_id = 4) const bool HAS_BIAS = false;
layout(constant_id = 5) const bool HAS_RESIDUAL = false;
