/* Reference of the operators on feature maps. Clear before fast; sums in double. */
#include "compute/graph/op_ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double activate_value(struct nn_epilogue e, double x)
{
    switch (e.act) {
    case NN_ACT_NONE: return x;
    case NN_ACT_RELU: return x > 0 ? x : 0;
    case NN_ACT_LEAKY_RELU: return x < 0 ? x * e.slope : x;
    case NN_ACT_GELU: return 0.5 * x * (1 + erf(x * 0.70710678118654752440));
    case NN_ACT_QUICK_GELU: return x / (1 + exp(-1.702 * x));
    case NN_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case NN_ACT_EXP: return exp(x);
    }
    return x;
}

double ref_activate(struct nn_epilogue epilogue, double x)
{
    return activate_value(epilogue, x);
}

/* One output plane: sums are kept for a whole row of pixels, so that the inner loop runs
 * along memory. */
static void conv_row(const struct ref_call *c, const float *w, uint32_t b, uint32_t oy,
                     double *sum)
{
    struct nn_shape x = c->shape[0], y = c->node->shape;
    int k = (int)c->node->attr.kernel, stride = (int)c->node->attr.stride;
    int pad = (int)c->node->attr.pad;
    memset(sum, 0, y.dim[3] * sizeof *sum);
    for (uint32_t ch = 0; ch < x.dim[1]; ch++) {
        const float *plane = c->x[0] + ((size_t)b * x.dim[1] + ch) * x.dim[2] * x.dim[3];
        for (int ky = 0; ky < k; ky++) {
            int iy = (int)oy * stride - pad + ky;
            if (iy < 0 || iy >= (int)x.dim[2]) {
                continue;
            }
            const float *line = plane + (size_t)iy * x.dim[3];
            for (int kx = 0; kx < k; kx++) {
                double weight = w[((size_t)ch * (size_t)k + (size_t)ky) * (size_t)k
                                  + (size_t)kx];
                int shift = kx - pad;
                int first = shift < 0 ? (-shift + stride - 1) / stride : 0;
                int last = ((int)x.dim[3] - 1 - shift) / stride;
                last = last < (int)y.dim[3] - 1 ? last : (int)y.dim[3] - 1;
                if ((int)x.dim[3] - 1 - shift < 0) {
                    continue;
                }
                for (int ox = first; ox <= last; ox++) {
                    sum[ox] += weight * line[ox * stride + shift];
                }
            }
        }
    }
}

bool ref_conv2d(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0], y = c->node->shape;
    size_t k2 = (size_t)c->node->attr.kernel * c->node->attr.kernel;
    double *sum = malloc(y.dim[3] * sizeof *sum);
    if (!sum) {
        return false;
    }
    for (uint32_t b = 0; b < y.dim[0]; b++) {
        for (uint32_t o = 0; o < y.dim[1]; o++) {
            double bias = c->x[2] ? c->x[2][o] : 0;
            for (uint32_t oy = 0; oy < y.dim[2]; oy++) {
                conv_row(c, c->x[1] + o * x.dim[1] * k2, b, oy, sum);
                size_t at = (((size_t)b * y.dim[1] + o) * y.dim[2] + oy) * y.dim[3];
                for (uint32_t ox = 0; ox < y.dim[3]; ox++) {
                    double residual = c->x[3] ? c->x[3][at + ox] : 0;
                    c->y[at + ox] = (float)activate_value(c->node->attr.epilogue,
                                                          sum[ox] + bias + residual);
                }
            }
        }
    }
    free(sum);
    return true;
}

bool ref_batch_norm(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    size_t pixels = (size_t)x.dim[2] * x.dim[3];
    for (size_t plane = 0; plane < (size_t)x.dim[0] * x.dim[1]; plane++) {
        size_t ch = plane % x.dim[1];
        double scale = c->x[1][ch] / sqrt((double)c->x[4][ch] + c->node->attr.eps);
        for (size_t i = 0; i < pixels; i++) {
            double v = c->x[0][plane * pixels + i];
            c->y[plane * pixels + i] = (float)((v - c->x[3][ch]) * scale + c->x[2][ch]);
        }
    }
    return true;
}

bool ref_fold_weight(const struct ref_call *c)
{
    size_t row = nn_shape_count(c->shape[0]) / c->shape[0].dim[0];
    for (size_t o = 0; o < c->shape[0].dim[0]; o++) {
        double scale = c->x[1][o] / sqrt((double)c->x[2][o] + c->node->attr.eps);
        for (size_t i = 0; i < row; i++) {
            c->y[o * row + i] = (float)(c->x[0][o * row + i] * scale);
        }
    }
    return true;
}

bool ref_fold_bias(const struct ref_call *c)
{
    for (size_t o = 0; o < c->shape[0].dim[0]; o++) {
        double scale = c->x[0][o] / sqrt((double)c->x[3][o] + c->node->attr.eps);
        double bias = c->x[4] ? c->x[4][o] : 0;
        c->y[o] = (float)(c->x[1][o] + (bias - c->x[2][o]) * scale);
    }
    return true;
}

static uint32_t reflect(int i, uint32_t size)
{
    i = i < 0 ? -i : i;
    return (uint32_t)(i < (int)size ? i : 2 * (int)size - 2 - i);
}

bool ref_blur_pool(const struct ref_call *c)
{
    static const double tap[3] = { 1, 2, 1 };
    struct nn_shape x = c->shape[0], y = c->node->shape;
    float *out = c->y;
    for (size_t plane = 0; plane < (size_t)x.dim[0] * x.dim[1]; plane++) {
        const float *in = c->x[0] + plane * x.dim[2] * x.dim[3];
        for (uint32_t oy = 0; oy < y.dim[2]; oy++) {
            for (uint32_t ox = 0; ox < y.dim[3]; ox++) {
                double sum = 0;
                for (int ky = 0; ky < 3; ky++) {
                    for (int kx = 0; kx < 3; kx++) {
                        uint32_t iy = reflect((int)oy * 2 + ky - 1, x.dim[2]);
                        uint32_t ix = reflect((int)ox * 2 + kx - 1, x.dim[3]);
                        sum += tap[ky] * tap[kx] * in[(size_t)iy * x.dim[3] + ix];
                    }
                }
                *out++ = (float)(sum / 16);
            }
        }
    }
    return true;
}

bool ref_avg_pool(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0], y = c->node->shape;
    uint32_t k = c->node->attr.kernel;
    float *out = c->y;
    for (size_t plane = 0; plane < (size_t)x.dim[0] * x.dim[1]; plane++) {
        const float *in = c->x[0] + plane * x.dim[2] * x.dim[3];
        for (uint32_t oy = 0; oy < y.dim[2]; oy++) {
            for (uint32_t ox = 0; ox < y.dim[3]; ox++) {
                double sum = 0;
                int count = 0;
                for (uint32_t iy = oy * k; iy < oy * k + k && iy < x.dim[2]; iy++) {
                    for (uint32_t ix = ox * k; ix < ox * k + k && ix < x.dim[3]; ix++) {
                        sum += in[(size_t)iy * x.dim[3] + ix];
                        count++;
                    }
                }
                *out++ = (float)(sum / count);
            }
        }
    }
    return true;
}

bool ref_space_to_depth(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0], y = c->node->shape;
    float *out = c->y;
    for (uint32_t b = 0; b < y.dim[0]; b++) {
        for (uint32_t o = 0; o < y.dim[1]; o++) {
            uint32_t cell = o / x.dim[1], ch = o % x.dim[1];
            const float *in = c->x[0] + ((size_t)b * x.dim[1] + ch) * x.dim[2] * x.dim[3];
            for (uint32_t oy = 0; oy < y.dim[2]; oy++) {
                for (uint32_t ox = 0; ox < y.dim[3]; ox++) {
                    *out++ = in[(size_t)(oy * 4 + cell / 4) * x.dim[3] + ox * 4 + cell % 4];
                }
            }
        }
    }
    return true;
}

bool ref_activation(const struct ref_call *c)
{
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        c->y[i] = (float)activate_value(c->node->attr.epilogue, c->x[0][i]);
    }
    return true;
}

bool ref_add(const struct ref_call *c)
{
    uint64_t period = nn_shape_count(c->shape[1]);
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        c->y[i] = c->x[0][i] + c->x[1][i % period];
    }
    return true;
}

bool ref_scale(const struct ref_call *c)
{
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        c->y[i] = c->x[0][i] * c->node->attr.factor;
    }
    return true;
}

bool ref_mul_channels(const struct ref_call *c)
{
    size_t pixels = (size_t)c->shape[0].dim[2] * c->shape[0].dim[3];
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        c->y[i] = c->x[0][i] * c->x[1][i / pixels];
    }
    return true;
}

bool ref_scale_add_act(const struct ref_call *c)
{
    size_t pixels = (size_t)c->shape[0].dim[2] * c->shape[0].dim[3];
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        double v = (double)c->x[0][i] * c->x[1][i / pixels] + c->x[2][i];
        c->y[i] = (float)activate_value(c->node->attr.epilogue, v);
    }
    return true;
}

bool ref_mean_map(const struct ref_call *c)
{
    size_t pixels = (size_t)c->shape[0].dim[2] * c->shape[0].dim[3];
    for (uint64_t plane = 0; plane < nn_shape_count(c->node->shape); plane++) {
        double sum = 0;
        for (size_t i = 0; i < pixels; i++) {
            sum += c->x[0][plane * pixels + i];
        }
        c->y[plane] = (float)(sum / (double)pixels);
    }
    return true;
}
