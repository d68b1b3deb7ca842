// What the tiled matrix kernels share: every index. A workgroup of 2*TILE invocations
// makes TILE channels by TILE columns. TILE_K k's of both factors at a time are fetched
// into registers, put into shared memory, and multiplied there while the next ones are
// on their way; the multiplying is all that a kernel adds.
//
// W is packed [ceil(M/32)][K][32] with zeros beyond M and K; k = (tap, channel rounded up
// to 4), K rounded up to 32. With -DHALF a quad, the unit of every index here, is four
// f16 in a uvec2, copied as bits; else a vec4.
//
// A sum is made in the order of k whatever TILE is, so that tiles may be chosen by the
// number of columns and one column's result still be the same in every batch.
#extension GL_EXT_control_flow_attributes : require
#include "gemm.glsl"
#include "gemm_result.glsl"

layout(local_size_x_id = 6) in;
layout(constant_id = 6) const uint THREADS = 64; // 2*TILE
layout(constant_id = 7) const uint SUMS_M = 1;   // blocks of an invocation or subgroup,
layout(constant_id = 8) const uint SUMS_N = 4;   // channels by columns
layout(constant_id = 9) const bool ROWS = false; // X is rows: its k's are neighbours
layout(constant_id = 10) const bool SPLIT = false; // z-th part of k only, to `part`
layout(constant_id = 11) const bool WHOLE = false; // k4 is a multiple of TILE_K4

#ifdef HALF
#define QUAD uvec2
#define TILE_K4 8
vec4 widen(QUAD q) { return vec4(unpackHalf2x16(q.x), unpackHalf2x16(q.y)); }
#else
#define QUAD vec4
#define TILE_K4 4
vec4 widen(QUAD q) { return q; }
#endif
#define LOADS (TILE_K4 / 2) // quads of each factor that an invocation brings

layout(binding = 0) readonly buffer XBuffer { QUAD x[]; };
layout(binding = 1) readonly buffer WBuffer { QUAD w[]; };
layout(binding = 5) writeonly buffer PartBuffer { vec4 part[]; }; // [z][m4][n_total]

const uint TILE = THREADS / 2u;
// Rows of shared memory, in quads. X's are longer than their content, so that the lanes
// which read one k of neighbouring columns meet different banks; the matrix kernel wants
// rows of 16 bytes.
const uint W_STRIDE = TILE / 4u + W_PADDING, X_STRIDE = TILE_K4 + X_PADDING;
shared QUAD w_tile[4 * TILE_K4 * W_STRIDE]; // [k][channel / 4]
shared QUAD x_tile[TILE * X_STRIDE];        // [column][k / 4]

uint tile_m, tile_n, first_step, end_step;
uint load_x_column, load_x_k4;       // of the first load
uint w_at;                           // the first load's weights; others lie 64 on
bool w_inside;
uint x_base;                         // of the column's image or row
int x_row, x_column;                 // top left of the column's window
// Where in k the next loads lie. With WHOLE a step has one tap, the loads of a tap follow
// each other evenly, and this is but an address; else each load has a tap of its own.
uint tap, channel, x_at;
bool x_inside;
uint next_tap[LOADS], next_channel[LOADS];
QUAD next_w[LOADS], next_x[LOADS];

uint thread_id() { return gl_LocalInvocationID.x; }

// The column's pixel under a tap, and whether it is one and not padding.
uint pixel_under(uint at_tap, out bool inside)
{
    int iy = x_row + int(at_tap / KERNEL), ix = x_column + int(at_tap % KERNEL);
    inside = at_tap < KERNEL * KERNEL;
    if (PAD > 0u) {
        inside = inside && iy >= 0 && ix >= 0 && iy < int(in_height) && ix < int(in_width);
    }
    return x_base + (uint(iy) * in_width + uint(ix)) * x_pixel;
}

void enter_tap()
{
    x_at = pixel_under(tap, x_inside) + (channel + load_x_k4) * x_channel;
}

void weights_begin()
{
    uint m = tile_m * (TILE / 4u) + thread_id() % (TILE / 4u);
    uint k = first_step * 4u * TILE_K4 + thread_id() / (TILE / 4u);
    uint depth = (KERNEL * KERNEL * k4 * 4u + 31u) / 32u * 32u;
    w_at = (m / 8u * depth + k) * 8u + m % 8u;
    w_inside = m < (m4 + 7u) / 8u * 8u;
}

// Finds the tile, its part of k, and what this invocation will load.
void tile_begin()
{
    tile_n = n_base + gl_WorkGroupID.x;
    tile_m = gl_WorkGroupID.y;
    uint steps = (KERNEL * KERNEL * k4 + TILE_K4 - 1) / TILE_K4;
    first_step = SPLIT ? gl_WorkGroupID.z * split_steps : 0u;
    end_step = SPLIT ? min(first_step + split_steps, steps) : steps;
    weights_begin();
    if (ROWS) {
        load_x_column = thread_id() / TILE_K4;
        load_x_k4 = thread_id() % TILE_K4;
        return;
    }
    load_x_column = thread_id() % TILE;
    load_x_k4 = thread_id() / TILE;
    uint n = min(tile_n * TILE + load_x_column, n_total - 1u);
    uint image = n / out_pixels;
    uint pixel = n - image * out_pixels;
    x_base = image * x_batch;
    x_row = int(pixel / out_width * STRIDE) - int(PAD);
    x_column = int(pixel % out_width * STRIDE) - int(PAD);
    if (WHOLE) {
        tap = first_step * TILE_K4 / k4;
        channel = first_step * TILE_K4 % k4;
        enter_tap();
        return;
    }
    [[unroll]] for (uint s = 0u; s < LOADS; s++) {
        uint k = first_step * TILE_K4 + load_x_k4 + s * 2u;
        next_tap[s] = k / k4;
        next_channel[s] = k % k4;
    }
}

QUAD fetch_row(uint step, uint s)
{
    uint n = tile_n * TILE + load_x_column + s * (THREADS / TILE_K4);
    uint k = step * TILE_K4 + load_x_k4;
    return k < k4 ? x[min(n, n_total - 1u) * x_pixel + k] : QUAD(0);
}

QUAD fetch_pixel(uint s)
{
    bool inside;
    uint at = pixel_under(next_tap[s], inside) + next_channel[s] * x_channel;
    QUAD quad = QUAD(0);
    if (inside) {
        quad = x[at];
    }
    for (next_channel[s] += TILE_K4; next_channel[s] >= k4; next_channel[s] -= k4) {
        next_tap[s]++;
    }
    return quad;
}

// Steps must be fetched in order.
void tile_fetch(uint step)
{
    [[unroll]] for (uint s = 0u; s < LOADS; s++) {
        next_w[s] = w_inside ? w[w_at + s * 64u] : QUAD(0);
        if (ROWS) {
            next_x[s] = fetch_row(step, s);
        } else if (WHOLE) {
            next_x[s] = x_inside ? x[x_at + s * 2u * x_channel] : QUAD(0);
        } else {
            next_x[s] = fetch_pixel(s);
        }
    }
    w_at += 32u * TILE_K4;
    if (WHOLE) {
        channel += TILE_K4;
        x_at += TILE_K4 * x_channel;
        if (channel >= k4) {
            channel = 0u;
            tap++;
            enter_tap();
        }
    }
}

// Puts what was fetched into shared memory; all invocations have passed it on return.
void tile_put()
{
    barrier();
    [[unroll]] for (uint s = 0u; s < LOADS; s++) {
        uint k = thread_id() / (TILE / 4u) + s * 8u;
        w_tile[k * W_STRIDE + thread_id() % (TILE / 4u)] = next_w[s];
        if (ROWS) {
            uint column = load_x_column + s * (THREADS / TILE_K4);
            x_tile[column * X_STRIDE + load_x_k4] = next_x[s];
        } else {
            x_tile[load_x_column * X_STRIDE + load_x_k4 + s * 2u] = next_x[s];
        }
    }
    barrier();
}

// Takes a sum of four channels of one column of the tile, both counted from its corner.
void tile_result(uint channel, uint column, vec4 sum)
{
    channel += tile_m * (TILE / 4u);
    uint n = tile_n * TILE + column;
    if (channel >= m4 || n >= n_total) {
        return;
    }
    if (SPLIT) {
        part[(gl_WorkGroupID.z * m4 + channel) * n_total + n] = sum;
    } else {
        write_result(channel, n, sum);
    }
}
