#version 450
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
// Gradient of weights (weight_grad.comp says of what) for software devices whose subgroups
// have 8 lanes: 16 rows m by 16 channels of one tap a subgroup. The lanes take 8 pixels
// side by side, four times a round; each has sums of its own, which meet at the end. So
// nothing is exchanged on the way, fetches are plain vector loads, and the sums are short.
// A round's four products meet each other before they meet the sum.
layout(local_size_x = 8) in;
layout(constant_id = 0) const uint KERNEL = 1;
layout(constant_id = 1) const uint STRIDE = 1;
layout(constant_id = 2) const uint PAD = 0;
layout(constant_id = 3) const bool ROWS = false; // rows of a linear layer, not pixels
layout(constant_id = 4) const bool SWAP = false; // tiles of channels follow each other first
layout(push_constant) uniform Push {
    uint rows, channels;
    uint n_total;   // images * out_pixels
    uint run;       // pixels that one subgroup sums, a multiple of 32
    uint out_pixels, out_width, in_height, in_width;
    uint x_batch, x_channel, x_pixel;
    uint d_batch, d_channel, d_pixel;
    float per_pixels, per_width; // 1 / out_pixels, 1 / out_width
};
layout(binding = 0) uniform samplerBuffer X;
layout(binding = 1) uniform samplerBuffer D;
layout(binding = 2) writeonly buffer YBuffer { vec4 y[]; };

#define TILE 4  // vec4s of rows and of channels
#define ROUND 4 // pixels of a lane

// a / b by the nearest float, put right; an integer division takes each lane in turn.
uint divide(uint a, uint b, float per_b)
{
    uint q = uint(float(a) * per_b);
    int rest = int(a - q * b);
    return rest < 0 ? q - 1u : rest >= int(b) ? q + 1u : q;
}

void main()
{
    uint lane = gl_SubgroupInvocationID, taps = KERNEL * KERNEL;
    uint k4 = (channels + 3u) / 4u, m4 = (rows + 3u) / 4u;
    uint column = SWAP ? gl_WorkGroupID.x : gl_WorkGroupID.y;
    uint tap = column % taps, k_first = column / taps * TILE;
    uint m_first = (SWAP ? gl_WorkGroupID.y : gl_WorkGroupID.x) * TILE, begin = gl_WorkGroupID.z * run;
    uint end = min(begin + run, n_total);
    int ky = int(tap / KERNEL) - int(PAD), kx = int(tap % KERNEL) - int(PAD);

    int x_group[TILE], d_group[TILE];
    for (uint i = 0u; i < TILE; i++) {
        x_group[i] = int(min(k_first + i, k4 - 1u) * x_channel);
        d_group[i] = int(min(m_first + i, m4 - 1u) * d_channel);
    }
    vec4 sum[TILE][TILE][4];
    for (int m = 0; m < TILE; m++) {
        for (int k = 0; k < TILE; k++) {
            for (int j = 0; j < 4; j++) {
                sum[m][k][j] = vec4(0.0);
            }
        }
    }

    for (uint first = begin; first < end; first += 8u * ROUND) {
        vec4 x[TILE][ROUND], d[TILE][ROUND];
        for (uint p = 0u; p < ROUND; p++) {
            uint n = first + p * 8u + lane;
            bool live = n < end, inside = true;
            n = min(n, end - 1u);
            int x_at = int(n * x_pixel), d_at = int(n * d_pixel);
            if (!ROWS) {
                uint image = divide(n, out_pixels, per_pixels);
                uint pixel = n - image * out_pixels;
                d_at = int(image * d_batch + pixel * d_pixel);
                uint row = divide(pixel, out_width, per_width);
                int iy = int(row * STRIDE) + ky;
                int ix = int((pixel - row * out_width) * STRIDE) + kx;
                if (PAD > 0u) {
                    inside = iy >= 0 && ix >= 0 && iy < int(in_height) && ix < int(in_width);
                    iy = clamp(iy, 0, int(in_height) - 1);
                    ix = clamp(ix, 0, int(in_width) - 1);
                }
                x_at = int(image * x_batch) + (iy * int(in_width) + ix) * int(x_pixel);
            }
            for (uint i = 0u; i < TILE; i++) {
                x[i][p] = texelFetch(X, x_at + x_group[i]);
                d[i][p] = texelFetch(D, d_at + d_group[i]);
                d[i][p] = live && inside ? d[i][p] : vec4(0.0);
            }
        }
#define ROW(m, k, j)                                                                   \
    sum[m][k][j] += d[m][0][j] * x[k][0] + d[m][1][j] * x[k][1] + d[m][2][j] * x[k][2] \
                    + d[m][3][j] * x[k][3];
#define BLOCK(m, k) ROW(m, k, 0) ROW(m, k, 1) ROW(m, k, 2) ROW(m, k, 3)
#define LINE(m) BLOCK(m, 0) BLOCK(m, 1) BLOCK(m, 2) BLOCK(m, 3)
        LINE(0) LINE(1) LINE(2) LINE(3)
    }

    // The lanes' sums meet by halves, so that lanes 2j and 2j+1 end with row j.
    bool high = (lane & 4u) != 0u, odd = (lane & 2u) != 0u;
    uint j = lane / 2u;
    for (uint m = 0u; m < TILE; m++) {
        for (uint k = 0u; k < TILE; k++) {
            vec4 v[2];
            for (uint i = 0u; i < 2u; i++) {
                vec4 kept = high ? sum[m][k][i + 2u] : sum[m][k][i];
                vec4 given = high ? sum[m][k][i] : sum[m][k][i + 2u];
                v[i] = kept + subgroupShuffle(given, lane ^ 4u);
            }
            vec4 total = odd ? v[1] : v[0];
            total += subgroupShuffle(odd ? v[0] : v[1], lane ^ 2u);
            total += subgroupShuffle(total, lane ^ 1u);
            uint row = (m_first + m) * 4u + j, group = k_first + k;
            if ((lane & 1u) == 0u && row < rows && group < k4) {
                bvec4 real = lessThan(uvec4(group * 4u) + uvec4(0u, 1u, 2u, 3u),
                                      uvec4(channels));
                uint at = ((gl_WorkGroupID.z * rows + row) * k4 + group) * taps + tap;
                y[at] = mix(vec4(0.0), total, real);
            }
        }
    }
}
