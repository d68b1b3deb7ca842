/* Reference of the operators that training adds, losses and steps excepted. Clear before
 * fast; sums in double. */
#include "compute/graph/op_ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t count_of(const struct ref_call *c)
{
    return nn_shape_count(c->node->shape);
}

bool ref_fill(const struct ref_call *c)
{
    for (uint64_t i = 0; i < count_of(c); i++) {
        c->y[i] = c->node->attr.factor;
    }
    return true;
}

bool ref_mul(const struct ref_call *c)
{
    for (uint64_t i = 0; i < count_of(c); i++) {
        c->y[i] = c->x[0][i] * c->x[1][i];
    }
    return true;
}

bool ref_mul_scalar(const struct ref_call *c)
{
    for (uint64_t i = 0; i < count_of(c); i++) {
        c->y[i] = c->x[0][i] * c->x[1][0];
    }
    return true;
}

/* Which element of the smaller shape element i of the larger one belongs to. */
static uint64_t owner(struct nn_shape large, struct nn_shape small, uint64_t i)
{
    uint64_t pixels = (uint64_t)large.dim[2] * large.dim[3];
    if (small.rank == 0) {
        return 0;
    }
    if (large.rank == 4) {
        return small.rank == 2 ? i / pixels : i / pixels % large.dim[1];
    }
    return i % nn_shape_count(small);
}

bool ref_sum_to(const struct ref_call *c)
{
    double *sum = calloc(count_of(c), sizeof *sum);
    if (!sum) {
        return false;
    }
    for (uint64_t i = 0; i < nn_shape_count(c->shape[0]); i++) {
        double v = c->x[0][i];
        sum[owner(c->shape[0], c->node->shape, i)] += c->x[1] ? v * c->x[1][i] : v;
    }
    for (uint64_t i = 0; i < count_of(c); i++) {
        c->y[i] = (float)sum[i];
    }
    free(sum);
    return true;
}

bool ref_expand(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0], y = c->node->shape;
    for (uint64_t i = 0; i < count_of(c); i++) {
        uint64_t from = x.rank > 0 && y.rank == 3
                            ? i / y.dim[2] / y.dim[1] * y.dim[2] + i % y.dim[2]
                            : owner(y, x, i);
        c->y[i] = c->x[0][from] * c->node->attr.factor;
    }
    return true;
}

/* s (1 - s) of the sigmoid s of x, exact where s is next to 1. */
static double sigmoid_slope(double x)
{
    double e = exp(-fabs(x));
    return e / ((1 + e) * (1 + e));
}

static double activation_slope(struct nn_epilogue e, double x)
{
    switch (e.act) {
    case NN_ACT_NONE: return 1;
    case NN_ACT_RELU: return x > 0;
    case NN_ACT_LEAKY_RELU: return x < 0 ? e.slope : 1;
    case NN_ACT_GELU:
        return 0.5 * (1 + erf(x * 0.70710678118654752440))
               + x * exp(-0.5 * x * x) * 0.39894228040143267794;
    case NN_ACT_QUICK_GELU:
        return 1 / (1 + exp(-1.702 * x)) + 1.702 * x * sigmoid_slope(1.702 * x);
    case NN_ACT_SIGMOID: return sigmoid_slope(x);
    case NN_ACT_EXP: return exp(x);
    }
    return 1;
}

bool ref_activation_grad(const struct ref_call *c)
{
    for (uint64_t i = 0; i < count_of(c); i++) {
        double slope = activation_slope(c->node->attr.epilogue, c->x[0][i]);
        c->y[i] = (float)(c->x[1][i] * slope);
    }
    return true;
}

/* --- Products -------------------------------------------------------------------------- */

/* y[o] += dy[o] x^T for rows of pixels; w is [O,C]. */
static void linear_weight_grad(const struct ref_call *c, double *sum)
{
    size_t out = c->node->shape.dim[0], in = c->node->shape.dim[1];
    size_t rows = nn_shape_count(c->shape[0]) / in;
    for (size_t r = 0; r < rows; r++) {
        for (size_t o = 0; o < out; o++) {
            double dy = c->x[1][r * out + o];
            for (size_t i = 0; i < in; i++) {
                sum[o * in + i] += dy * c->x[0][r * in + i];
            }
        }
    }
}

/* Sum over one image of dy[o] at a pixel times x[ch] at the pixel that tap (ky, kx)
 * reads there. */
static double tap_sum(const struct ref_call *c, uint32_t b, uint32_t o, uint32_t ch,
                      int ky, int kx)
{
    struct nn_shape x = c->shape[0], dy = c->shape[1];
    int stride = (int)c->node->attr.stride, pad = (int)c->node->attr.pad;
    const float *in = c->x[0] + ((size_t)b * x.dim[1] + ch) * x.dim[2] * x.dim[3];
    const float *grad = c->x[1] + ((size_t)b * dy.dim[1] + o) * dy.dim[2] * dy.dim[3];
    double sum = 0;
    for (int oy = 0; oy < (int)dy.dim[2]; oy++) {
        int iy = oy * stride - pad + ky;
        for (int ox = 0; ox < (int)dy.dim[3] && iy >= 0 && iy < (int)x.dim[2]; ox++) {
            int ix = ox * stride - pad + kx;
            if (ix >= 0 && ix < (int)x.dim[3]) {
                sum += (double)grad[oy * (int)dy.dim[3] + ox] * in[iy * (int)x.dim[3] + ix];
            }
        }
    }
    return sum;
}

static void conv_weight_grad(const struct ref_call *c, double *sum)
{
    struct nn_shape w = c->node->shape;
    uint32_t k = w.dim[2];
    for (uint64_t i = 0; i < nn_shape_count(w); i++) {
        uint32_t tap = (uint32_t)(i % (k * k)), ch = (uint32_t)(i / (k * k) % w.dim[1]);
        uint32_t o = (uint32_t)(i / (k * k) / w.dim[1]);
        for (uint32_t b = 0; b < c->shape[0].dim[0]; b++) {
            sum[i] += tap_sum(c, b, o, ch, (int)(tap / k), (int)(tap % k));
        }
    }
}

bool ref_weight_grad(const struct ref_call *c)
{
    double *sum = calloc(count_of(c), sizeof *sum);
    if (!sum) {
        return false;
    }
    if (c->node->shape.rank == 4) {
        conv_weight_grad(c, sum);
    } else {
        linear_weight_grad(c, sum);
    }
    for (uint64_t i = 0; i < count_of(c); i++) {
        c->y[i] = (float)sum[i];
    }
    free(sum);
    return true;
}

bool ref_flip_weight(const struct ref_call *c)
{
    struct nn_shape w = c->shape[0];
    size_t taps = (size_t)w.dim[2] * w.dim[3];
    for (size_t o = 0; o < w.dim[0]; o++) {
        for (size_t ch = 0; ch < w.dim[1]; ch++) {
            for (size_t tap = 0; tap < taps; tap++) {
                c->y[(ch * w.dim[0] + o) * taps + taps - 1 - tap] =
                    c->x[0][(o * w.dim[1] + ch) * taps + tap];
            }
        }
    }
    return true;
}

/* Adds what output pixel (oy, ox) of channel o gave to the input. */
static void scatter(const struct ref_call *c, double *sum, double dy, uint32_t b,
                    uint32_t o, int oy, int ox)
{
    struct nn_shape x = c->node->shape;
    int k = (int)c->node->attr.kernel, stride = (int)c->node->attr.stride;
    int pad = (int)c->node->attr.pad;
    for (uint32_t ch = 0; ch < x.dim[1]; ch++) {
        const float *w = c->x[1] + ((size_t)o * x.dim[1] + ch) * (size_t)(k * k);
        double *plane = sum + ((size_t)b * x.dim[1] + ch) * x.dim[2] * x.dim[3];
        for (int tap = 0; tap < k * k; tap++) {
            int iy = oy * stride - pad + tap / k, ix = ox * stride - pad + tap % k;
            if (iy >= 0 && ix >= 0 && iy < (int)x.dim[2] && ix < (int)x.dim[3]) {
                plane[iy * (int)x.dim[3] + ix] += dy * w[tap];
            }
        }
    }
}

bool ref_conv_grad_input(const struct ref_call *c)
{
    struct nn_shape dy = c->shape[0];
    double *sum = calloc(count_of(c), sizeof *sum);
    if (!sum) {
        return false;
    }
    for (uint64_t i = 0; i < nn_shape_count(dy); i++) {
        uint64_t pixel = i % ((uint64_t)dy.dim[2] * dy.dim[3]);
        uint64_t plane = i / ((uint64_t)dy.dim[2] * dy.dim[3]);
        scatter(c, sum, c->x[0][i], (uint32_t)(plane / dy.dim[1]),
                (uint32_t)(plane % dy.dim[1]), (int)(pixel / dy.dim[3]),
                (int)(pixel % dy.dim[3]));
    }
    for (uint64_t i = 0; i < count_of(c); i++) {
        c->y[i] = (float)sum[i];
    }
    free(sum);
    return true;
}

bool ref_group_fc_grad_rows(const struct ref_call *c)
{
    struct nn_shape p = c->shape[1];
    size_t classes = c->shape[0].dim[1];
    for (uint64_t i = 0; i < count_of(c); i++) {
        size_t d = i % p.dim[1], e = i / p.dim[1] % p.dim[0];
        size_t b = i / p.dim[1] / p.dim[0];
        double sum = 0;
        for (size_t j = 0; j < p.dim[2] && e * p.dim[2] + j < classes; j++) {
            sum += (double)c->x[0][b * classes + e * p.dim[2] + j]
                   * c->x[1][(e * p.dim[1] + d) * p.dim[2] + j];
        }
        c->y[i] = (float)sum;
    }
    return true;
}

bool ref_group_fc_grad_pooling(const struct ref_call *c)
{
    struct nn_shape h = c->shape[0], p = c->node->shape;
    size_t classes = c->shape[1].dim[1];
    for (uint64_t i = 0; i < count_of(c); i++) {
        size_t j = i % p.dim[2], d = i / p.dim[2] % p.dim[1];
        size_t e = i / p.dim[2] / p.dim[1], n = e * p.dim[2] + j;
        double sum = 0;
        for (size_t b = 0; b < h.dim[0] && n < classes; b++) {
            sum += (double)c->x[0][(b * p.dim[0] + e) * p.dim[1] + d]
                   * c->x[1][b * classes + n];
        }
        c->y[i] = (float)sum;
    }
    return true;
}

/* --- Maps ---------------------------------------------------------------------------------- */

bool ref_channel_mean(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    size_t pixels = (size_t)x.dim[2] * x.dim[3];
    for (size_t ch = 0; ch < x.dim[1]; ch++) {
        double sum = 0;
        for (size_t i = 0; i < x.dim[0] * pixels; i++) {
            sum += c->x[0][(i / pixels * x.dim[1] + ch) * pixels + i % pixels];
        }
        c->y[ch] = (float)(sum / (double)(x.dim[0] * pixels));
    }
    return true;
}

bool ref_channel_variance(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    size_t pixels = (size_t)x.dim[2] * x.dim[3];
    for (size_t ch = 0; ch < x.dim[1]; ch++) {
        double sum = 0;
        for (size_t i = 0; i < x.dim[0] * pixels; i++) {
            double d = (double)c->x[0][(i / pixels * x.dim[1] + ch) * pixels + i % pixels]
                       - c->x[1][ch];
            sum += d * d;
        }
        c->y[ch] = (float)(sum / (double)(x.dim[0] * pixels));
    }
    return true;
}

/* x, mean, variance, dy -> sum of dy times the normalised x. */
bool ref_norm_products(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    size_t pixels = (size_t)x.dim[2] * x.dim[3];
    for (size_t ch = 0; ch < x.dim[1]; ch++) {
        double sum = 0, inverse = 1 / sqrt((double)c->x[2][ch] + c->node->attr.eps);
        for (size_t i = 0; i < x.dim[0] * pixels; i++) {
            size_t at = (i / pixels * x.dim[1] + ch) * pixels + i % pixels;
            sum += c->x[3][at] * ((double)c->x[0][at] - c->x[1][ch]) * inverse;
        }
        c->y[ch] = (float)sum;
    }
    return true;
}

/* x, gamma, mean, variance, dy, dbeta, dgamma; factor is 1/n or 0. */
bool ref_batch_norm_grad(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    size_t pixels = (size_t)x.dim[2] * x.dim[3];
    double share = c->node->attr.factor;
    for (uint64_t i = 0; i < count_of(c); i++) {
        size_t ch = i / pixels % x.dim[1];
        double inverse = 1 / sqrt((double)c->x[3][ch] + c->node->attr.eps);
        double hat = ((double)c->x[0][i] - c->x[2][ch]) * inverse;
        c->y[i] = (float)(c->x[1][ch] * inverse
                          * (c->x[4][i] - share * (c->x[5][ch] + hat * c->x[6][ch])));
    }
    return true;
}

static double blur_tap(uint32_t o, uint32_t i, uint32_t size)
{
    static const double tap[3] = { 1, 2, 1 };
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        int at = (int)o * 2 + k - 1;
        at = at < 0 ? -at : at;
        at = at < (int)size ? at : 2 * (int)size - 2 - at;
        sum += at == (int)i ? tap[k] : 0;
    }
    return sum;
}

bool ref_blur_pool_grad(const struct ref_call *c)
{
    struct nn_shape dy = c->shape[0], x = c->node->shape;
    for (uint64_t i = 0; i < count_of(c); i++) {
        uint32_t ix = (uint32_t)(i % x.dim[3]), iy = (uint32_t)(i / x.dim[3] % x.dim[2]);
        const float *plane = c->x[0] + i / x.dim[3] / x.dim[2] * dy.dim[2] * dy.dim[3];
        double sum = 0;
        for (uint32_t oy = 0; oy < dy.dim[2]; oy++) {
            double row = blur_tap(oy, iy, x.dim[2]);
            for (uint32_t ox = 0; ox < dy.dim[3] && row > 0; ox++) {
                sum += row * blur_tap(ox, ix, x.dim[3]) * plane[oy * dy.dim[3] + ox];
            }
        }
        c->y[i] = (float)(sum / 16);
    }
    return true;
}

bool ref_avg_pool_grad(const struct ref_call *c)
{
    struct nn_shape dy = c->shape[0], x = c->node->shape;
    uint32_t k = c->node->attr.kernel;
    for (uint64_t i = 0; i < count_of(c); i++) {
        uint32_t ox = (uint32_t)(i % x.dim[3]) / k;
        uint32_t oy = (uint32_t)(i / x.dim[3] % x.dim[2]) / k;
        const float *plane = c->x[0] + i / x.dim[3] / x.dim[2] * dy.dim[2] * dy.dim[3];
        uint32_t high = oy * k + k < x.dim[2] ? k : x.dim[2] - oy * k;
        uint32_t wide = ox * k + k < x.dim[3] ? k : x.dim[3] - ox * k;
        bool seen = oy < dy.dim[2] && ox < dy.dim[3]; /* the floor mode drops an edge */
        c->y[i] = seen ? plane[oy * dy.dim[3] + ox] / (float)(high * wide) : 0;
    }
    return true;
}

bool ref_depth_to_space(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0], y = c->node->shape;
    for (uint64_t i = 0; i < count_of(c); i++) {
        size_t ix = i % y.dim[3], iy = i / y.dim[3] % y.dim[2];
        size_t plane = i / y.dim[3] / y.dim[2];
        size_t ch = (iy % 4 * 4 + ix % 4) * y.dim[1] + plane % y.dim[1];
        c->y[i] = c->x[0][((plane / y.dim[1] * x.dim[1] + ch) * x.dim[2] + iy / 4) * x.dim[3]
                          + ix / 4];
    }
    return true;
}

bool ref_rows_to_map(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    for (uint64_t i = 0; i < count_of(c); i++) {
        size_t t = i % x.dim[1], ch = i / x.dim[1] % x.dim[2], b = i / x.dim[1] / x.dim[2];
        c->y[i] = c->x[0][(b * x.dim[1] + t) * x.dim[2] + ch];
    }
    return true;
}

/* --- Rows ---------------------------------------------------------------------------------- */

bool ref_drop_first_row(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    size_t d = x.dim[2], kept = (size_t)(x.dim[1] - 1) * d;
    for (size_t b = 0; b < x.dim[0]; b++) {
        memcpy(c->y + b * kept, c->x[0] + b * (kept + d) + d, kept * sizeof *c->y);
    }
    return true;
}

bool ref_place_row(const struct ref_call *c)
{
    struct nn_shape y = c->node->shape;
    memset(c->y, 0, count_of(c) * sizeof *c->y);
    for (size_t b = 0; b < y.dim[0]; b++) {
        int32_t t = c->index[1] ? c->index[1][b] : 0;
        t = t < 0 ? 0 : t >= (int32_t)y.dim[1] ? (int32_t)y.dim[1] - 1 : t;
        memcpy(c->y + (b * y.dim[1] + (size_t)t) * y.dim[2], c->x[0] + b * y.dim[2],
               y.dim[2] * sizeof *c->y);
    }
    return true;
}

bool ref_pad_rows(const struct ref_call *c)
{
    uint64_t given = nn_shape_count(c->shape[0]);
    memset(c->y, 0, count_of(c) * sizeof *c->y);
    memcpy(c->y + (size_t)c->node->attr.first * c->node->shape.dim[1], c->x[0],
           given * sizeof *c->y);
    return true;
}

bool ref_embed_grad(const struct ref_call *c)
{
    size_t d = c->node->shape.dim[1];
    double *sum = calloc(count_of(c), sizeof *sum);
    if (!sum) {
        return false;
    }
    for (uint64_t i = 0; i < nn_shape_count(c->shape[0]); i++) {
        int32_t id = c->index[0][i];
        for (size_t j = 0; j < d && id >= 0 && (uint32_t)id < c->node->shape.dim[0]; j++) {
            sum[(size_t)id * d + j] += c->x[1][i * d + j];
        }
    }
    for (uint64_t i = 0; i < count_of(c); i++) {
        c->y[i] = (float)sum[i];
    }
    free(sum);
    return true;
}

static size_t width_of(const struct ref_call *c)
{
    return c->node->shape.dim[c->node->shape.rank - 1];
}

/* The mean of a row and one over its standard deviation. */
static void row_statistics(const float *x, size_t d, double eps, double *mean,
                           double *inverse)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < d; i++) {
        sum += x[i];
    }
    *mean = sum / (double)d;
    for (size_t i = 0; i < d; i++) {
        square += (x[i] - *mean) * (x[i] - *mean);
    }
    *inverse = 1 / sqrt(square / (double)d + eps);
}

bool ref_layer_norm_hat(const struct ref_call *c)
{
    size_t d = width_of(c);
    for (uint64_t at = 0; at < count_of(c); at += d) {
        double mean, inverse;
        row_statistics(c->x[0] + at, d, c->node->attr.eps, &mean, &inverse);
        for (size_t i = 0; i < d; i++) {
            c->y[at + i] = (float)((c->x[0][at + i] - mean) * inverse);
        }
    }
    return true;
}

/* x, gamma, dy. With g = dy gamma: dx = (g - mean(g) - hat mean(g hat)) / deviation. */
bool ref_layer_norm_grad(const struct ref_call *c)
{
    size_t d = width_of(c);
    for (uint64_t at = 0; at < count_of(c); at += d) {
        const float *x = c->x[0] + at, *dy = c->x[2] + at;
        double mean, inverse, plain = 0, product = 0;
        row_statistics(x, d, c->node->attr.eps, &mean, &inverse);
        for (size_t i = 0; i < d; i++) {
            double g = (double)dy[i] * c->x[1][i];
            plain += g / (double)d;
            product += g * (x[i] - mean) * inverse / (double)d;
        }
        for (size_t i = 0; i < d; i++) {
            double hat = (x[i] - mean) * inverse;
            c->y[at + i] =
                (float)(inverse * ((double)dy[i] * c->x[1][i] - plain - hat * product));
        }
    }
    return true;
}

/* x, dy. With u = x / |x|: dx = (dy - u (u . dy)) / |x|. */
bool ref_l2_normalize_grad(const struct ref_call *c)
{
    size_t d = width_of(c);
    for (uint64_t at = 0; at < count_of(c); at += d) {
        const float *x = c->x[0] + at, *dy = c->x[1] + at;
        double square = 0, dot = 0;
        for (size_t i = 0; i < d; i++) {
            square += (double)x[i] * x[i];
            dot += (double)x[i] * dy[i];
        }
        for (size_t i = 0; i < d; i++) {
            c->y[at + i] = (float)((dy[i] - x[i] * dot / square) / sqrt(square));
        }
    }
    return true;
}

/* y, dy: dx = y (dy - y . dy). */
bool ref_softmax_grad(const struct ref_call *c)
{
    size_t d = width_of(c);
    for (uint64_t at = 0; at < count_of(c); at += d) {
        double dot = 0;
        for (size_t i = 0; i < d; i++) {
            dot += (double)c->x[0][at + i] * c->x[1][at + i];
        }
        for (size_t i = 0; i < d; i++) {
            c->y[at + i] = (float)(c->x[0][at + i] * (c->x[1][at + i] - dot));
        }
    }
    return true;
}

/* --- Attention ------------------------------------------------------------------------------- */

/* dy [B,queries,width], v -> dy . v by head [B,heads,queries,keys]. */
bool ref_attn_grad_probs(const struct ref_call *c)
{
    struct nn_shape y = c->node->shape, v = c->shape[1];
    size_t width = c->node->attr.width, part = width / y.dim[1];
    for (uint64_t i = 0; i < count_of(c); i++) {
        size_t t = i % y.dim[3], q = i / y.dim[3] % y.dim[2];
        size_t head = i / y.dim[3] / y.dim[2] % y.dim[1];
        size_t b = i / y.dim[3] / y.dim[2] / y.dim[1];
        const float *dy = c->x[0] + (b * y.dim[2] + q) * width + head * part;
        const float *value = c->x[1] + (b * v.dim[1] + t) * v.dim[2]
                             + c->node->attr.v_column + head * part;
        double sum = 0;
        for (size_t k = 0; k < part; k++) {
            sum += (double)dy[k] * value[k];
        }
        c->y[i] = (float)sum;
    }
    return true;
}

/* Adds one image's part to sum: p [B,heads,queries,keys] summed over its keys, or over its
 * queries when `by_key`, with the rows of `other`. */
static void attention_image(const struct ref_call *c, size_t b, bool by_key, double *sum)
{
    struct nn_shape p = c->shape[0], other = c->shape[1], y = c->node->shape;
    const struct nn_attr *a = &c->node->attr;
    size_t part = a->width / a->heads;
    const float *from = c->x[1] + (other.dim[0] == 1 ? 0 : b) * other.dim[1] * other.dim[2];
    for (size_t i = 0; i < (size_t)p.dim[1] * p.dim[2] * p.dim[3]; i++) {
        size_t t = i % p.dim[3], q = i / p.dim[3] % p.dim[2], head = i / p.dim[3] / p.dim[2];
        double weight = c->x[0][b * p.dim[1] * p.dim[2] * p.dim[3] + i];
        const float *row =
            from + (by_key ? q : t) * other.dim[2] + a->k_column + head * part;
        double *to = sum + (by_key ? t : q) * y.dim[2] + a->q_column + head * part;
        for (size_t k = 0; k < part; k++) {
            to[k] += weight * row[k];
        }
    }
}

static bool attention_rows(const struct ref_call *c, bool by_key)
{
    struct nn_shape p = c->shape[0], y = c->node->shape;
    size_t image = (size_t)y.dim[1] * y.dim[2];
    double *sum = calloc(count_of(c), sizeof *sum);
    if (!sum) {
        return false;
    }
    for (size_t b = 0; b < p.dim[0]; b++) {
        attention_image(c, b, by_key, sum + (y.dim[0] == 1 ? 0 : b) * image);
    }
    for (uint64_t i = 0; i < count_of(c); i++) {
        c->y[i] = (float)(sum[i] * c->node->attr.factor);
    }
    free(sum);
    return true;
}

bool ref_attn_grad_query(const struct ref_call *c) { return attention_rows(c, false); }
bool ref_attn_grad_key(const struct ref_call *c) { return attention_rows(c, true); }
