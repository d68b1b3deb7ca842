/* Weights of 3x3 convolutions for Winograd's method: U = G g G^T of every kernel g, in
 * double and rounded once. Rows of G belong to the points of shaders/lib/winograd.glsl. */
#include "compute/graph/plan_private.h"

static const double g2[4][3] = {
    { 1, 0, 0 }, { 0.5, 0.5, 0.5 }, { 0.5, -0.5, 0.5 }, { 0, 0, 1 } };

/* The points 0, A, -A, B, -B and infinity; the row of point p is its powers over the
 * product of its distances to the other points. */
#define A 0.75
#define B 1.5
#define AT_A (1 / (2 * A * A * (A * A - B * B)))
#define AT_B (1 / (2 * B * B * (B * B - A * A)))
static const double g4[6][3] = {
    { 1 / (A * A * B * B), 0, 0 },
    { AT_A, AT_A * A, AT_A * A * A }, { AT_A, -AT_A * A, AT_A * A * A },
    { AT_B, AT_B * B, AT_B * B * B }, { AT_B, -AT_B * B, AT_B * B * B },
    { 0, 0, 1 } };

static double transformed(const double a[3], const double b[3], const float kernel[9])
{
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            sum += a[i] * b[j] * kernel[i * 3 + j];
        }
    }
    return sum;
}

uint64_t nn_pack_winograd_bytes(struct nn_shape shape, uint32_t out)
{
    uint64_t panels = (shape.dim[0] + 31) / 32, depth = (shape.dim[1] + 3) / 4 * 4;
    return (out + 2) * (out + 2) * panels * depth * 32 * sizeof(float);
}

void nn_pack_winograd(struct nn_shape shape, uint32_t out, const float *weights,
                      float *packed)
{
    const double (*g)[3] = out == 4 ? g4 : g2;
    uint32_t side = out + 2;
    uint64_t depth = (shape.dim[1] + 3) / 4 * 4;
    uint64_t point = (shape.dim[0] + 31) / 32 * depth * 32;
    for (uint32_t row = 0; row < shape.dim[0]; row++) {
        for (uint32_t c = 0; c < shape.dim[1]; c++, weights += 9) {
            float *to = packed + (row / 32 * depth + c) * 32 + row % 32;
            for (uint32_t q = 0; q < side * side; q++) {
                to[q * point] = (float)transformed(g[q / side], g[q % side], weights);
            }
        }
    }
}
