/* Reference of the operators on rows. Clear before fast; sums in double. */
#include "compute/graph/op_ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t width_of(struct nn_shape shape)
{
    return shape.rank == 0 ? 1 : shape.dim[shape.rank - 1];
}

/* Leaves are given, never computed. */
bool ref_input(const struct ref_call *c) { return true; }
bool ref_param(const struct ref_call *c) { return true; }
bool ref_variable(const struct ref_call *c) { return true; }

bool ref_linear(const struct ref_call *c)
{
    size_t in = c->shape[1].dim[1], out = c->shape[1].dim[0];
    size_t rows = nn_shape_count(c->node->shape) / out;
    for (size_t r = 0; r < rows; r++) {
        const float *x = c->x[0] + r * in;
        for (size_t o = 0; o < out; o++) {
            const float *w = c->x[1] + o * in;
            double sum = 0;
            for (size_t i = 0; i < in; i++) {
                sum += (double)x[i] * w[i];
            }
            sum += c->x[2] ? c->x[2][o] : 0;
            sum += c->x[3] ? c->x[3][r * out + o] : 0;
            c->y[r * out + o] = (float)ref_activate(c->node->attr.epilogue, sum);
        }
    }
    return true;
}

bool ref_group_linear(const struct ref_call *c)
{
    size_t groups = c->node->attr.heads, in = c->shape[1].dim[1];
    size_t out = c->shape[1].dim[0] / groups;
    size_t rows = nn_shape_count(c->node->shape) / (groups * out);
    for (size_t r = 0; r < rows; r++) {
        for (size_t o = 0; o < groups * out; o++) {
            const float *x = c->x[0] + (r * groups + o / out) * in;
            double sum = c->x[2] ? c->x[2][o] : 0;
            for (size_t i = 0; i < in; i++) {
                sum += (double)x[i] * c->x[1][o * in + i];
            }
            c->y[r * groups * out + o] = (float)sum;
        }
    }
    return true;
}

bool ref_matmul_nt(const struct ref_call *c)
{
    size_t m = c->shape[0].dim[0], n = c->shape[1].dim[0], d = c->shape[0].dim[1];
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; k < d; k++) {
                sum += (double)c->x[0][i * d + k] * c->x[1][j * d + k];
            }
            c->y[i * n + j] = (float)sum;
        }
    }
    return true;
}

bool ref_mean_rows(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    for (size_t b = 0; b < x.dim[0]; b++) {
        for (size_t d = 0; d < x.dim[2]; d++) {
            double sum = 0;
            for (size_t t = 0; t < x.dim[1]; t++) {
                sum += c->x[0][(b * x.dim[1] + t) * x.dim[2] + d];
            }
            c->y[b * x.dim[2] + d] = (float)(sum / x.dim[1]);
        }
    }
    return true;
}

bool ref_map_to_rows(const struct ref_call *c)
{
    struct nn_shape y = c->node->shape; /* [B,T,C] */
    for (size_t b = 0; b < y.dim[0]; b++) {
        for (size_t t = 0; t < y.dim[1]; t++) {
            for (size_t ch = 0; ch < y.dim[2]; ch++) {
                c->y[(b * y.dim[1] + t) * y.dim[2] + ch] =
                    c->x[0][(b * y.dim[2] + ch) * y.dim[1] + t];
            }
        }
    }
    return true;
}

bool ref_prepend_row(const struct ref_call *c)
{
    struct nn_shape x = c->shape[1];
    size_t d = x.dim[2], image = (size_t)x.dim[1] * d;
    bool shared = c->shape[0].rank == 1;
    for (size_t b = 0; b < x.dim[0]; b++) {
        float *y = c->y + b * (image + d);
        memcpy(y, c->x[0] + (shared ? 0 : b * d), d * sizeof *y);
        memcpy(y + d, c->x[1] + b * image, image * sizeof *y);
    }
    return true;
}

bool ref_select_row(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    for (size_t b = 0; b < x.dim[0]; b++) {
        int32_t t = c->index[1][b];
        t = t < 0 ? 0 : t >= (int32_t)x.dim[1] ? (int32_t)x.dim[1] - 1 : t;
        memcpy(c->y + b * x.dim[2], c->x[0] + (b * x.dim[1] + (size_t)t) * x.dim[2],
               x.dim[2] * sizeof *c->y);
    }
    return true;
}

bool ref_first_row(const struct ref_call *c)
{
    struct nn_shape x = c->shape[0];
    for (size_t b = 0; b < x.dim[0]; b++) {
        memcpy(c->y + b * x.dim[2], c->x[0] + b * x.dim[1] * x.dim[2],
               x.dim[2] * sizeof *c->y);
    }
    return true;
}

bool ref_slice_rows(const struct ref_call *c)
{
    size_t row = c->shape[0].rank == 2 ? c->shape[0].dim[1] : 1;
    memcpy(c->y, c->x[0] + c->node->attr.first * row,
           nn_shape_count(c->node->shape) * sizeof *c->y);
    return true;
}

bool ref_reshape(const struct ref_call *c)
{
    memcpy(c->y, c->x[0], nn_shape_count(c->node->shape) * sizeof *c->y);
    return true;
}

bool ref_transpose(const struct ref_call *c)
{
    size_t groups = c->node->attr.heads, columns = c->shape[0].dim[1];
    size_t rows = c->shape[0].dim[0] / groups;
    for (size_t g = 0; g < groups; g++) {
        const float *x = c->x[0] + g * rows * columns;
        float *y = c->y + g * rows * columns;
        for (size_t r = 0; r < rows; r++) {
            for (size_t i = 0; i < columns; i++) {
                y[i * rows + r] = x[r * columns + i];
            }
        }
    }
    return true;
}

bool ref_embed(const struct ref_call *c)
{
    size_t d = c->shape[1].dim[1];
    for (uint64_t i = 0; i < nn_shape_count(c->shape[0]); i++) {
        int32_t id = c->index[0][i];
        if (id >= 0 && (uint32_t)id < c->shape[1].dim[0]) {
            memcpy(c->y + i * d, c->x[1] + (size_t)id * d, d * sizeof *c->y);
        } else {
            memset(c->y + i * d, 0, d * sizeof *c->y);
        }
    }
    return true;
}

bool ref_layer_norm(const struct ref_call *c)
{
    size_t d = width_of(c->node->shape);
    for (size_t r = 0; r < nn_shape_count(c->node->shape) / d; r++) {
        const float *x = c->x[0] + r * d;
        double mean = 0, variance = 0;
        for (size_t i = 0; i < d; i++) {
            mean += x[i];
        }
        mean /= (double)d;
        for (size_t i = 0; i < d; i++) {
            variance += (x[i] - mean) * (x[i] - mean);
        }
        double inverse = 1 / sqrt(variance / (double)d + c->node->attr.eps);
        for (size_t i = 0; i < d; i++) {
            c->y[r * d + i] = (float)((x[i] - mean) * inverse * c->x[1][i] + c->x[2][i]);
        }
    }
    return true;
}

bool ref_l2_normalize(const struct ref_call *c)
{
    size_t d = width_of(c->node->shape);
    for (size_t r = 0; r < nn_shape_count(c->node->shape) / d; r++) {
        double sum = 0;
        for (size_t i = 0; i < d; i++) {
            sum += (double)c->x[0][r * d + i] * c->x[0][r * d + i];
        }
        for (size_t i = 0; i < d; i++) {
            c->y[r * d + i] = (float)(c->x[0][r * d + i] / sqrt(sum));
        }
    }
    return true;
}

/* In place; only the first `seen` values take part, the others become zero. */
static void softmax_row(double scale, size_t seen, size_t n, float *row)
{
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < seen; i++) {
        top = row[i] * scale > top ? row[i] * scale : top;
    }
    for (size_t i = 0; i < seen; i++) {
        sum += exp(row[i] * scale - top);
    }
    for (size_t i = 0; i < n; i++) {
        row[i] = i < seen ? (float)(exp(row[i] * scale - top) / sum) : 0;
    }
}

bool ref_softmax(const struct ref_call *c)
{
    size_t d = width_of(c->node->shape);
    memcpy(c->y, c->x[0], nn_shape_count(c->node->shape) * sizeof *c->y);
    for (size_t r = 0; r < nn_shape_count(c->node->shape) / d; r++) {
        softmax_row(1, d, d, c->y + r * d);
    }
    return true;
}

/* Probabilities of one (image, head, query) to p[keys]. */
static void attention_row(const struct ref_call *c, size_t image, size_t head,
                          size_t query, float *p)
{
    const struct nn_attr *a = &c->node->attr;
    struct nn_shape q = c->shape[0], k = c->shape[1];
    size_t width = a->width / a->heads, queries = q.dim[1], keys = k.dim[1];
    const float *qv = c->x[0] + ((q.dim[0] == 1 ? 0 : image) * queries + query) * q.dim[2]
                      + a->q_column + head * width;
    for (size_t t = 0; t < keys; t++) {
        const float *kv =
            c->x[1] + (image * keys + t) * k.dim[2] + a->k_column + head * width;
        double sum = 0;
        for (size_t i = 0; i < width; i++) {
            sum += (double)qv[i] * kv[i];
        }
        p[t] = (float)sum;
    }
    size_t seen = a->causal && query + 1 < keys ? query + 1 : keys;
    softmax_row(1 / sqrt((double)width), seen, keys, p);
}

bool ref_attn_probs(const struct ref_call *c)
{
    struct nn_shape y = c->node->shape;
    float *p = c->y;
    for (size_t image = 0; image < y.dim[0]; image++) {
        for (size_t head = 0; head < y.dim[1]; head++) {
            for (size_t query = 0; query < y.dim[2]; query++, p += y.dim[3]) {
                attention_row(c, image, head, query, p);
            }
        }
    }
    return true;
}

/* y[columns of one head] = p . v */
static void apply_row(const struct nn_attr *a, struct nn_shape v, const float *values,
                      const float *p, size_t image, size_t head, float *y)
{
    size_t width = a->width / a->heads;
    for (size_t i = 0; i < width; i++) {
        double sum = 0;
        for (size_t t = 0; t < v.dim[1]; t++) {
            sum += (double)p[t] * values[(image * v.dim[1] + t) * v.dim[2] + a->v_column
                                         + head * width + i];
        }
        y[head * width + i] = (float)sum;
    }
}

bool ref_attn_apply(const struct ref_call *c)
{
    struct nn_shape p = c->shape[0], y = c->node->shape;
    for (size_t image = 0; image < p.dim[0]; image++) {
        for (size_t head = 0; head < p.dim[1]; head++) {
            for (size_t query = 0; query < p.dim[2]; query++) {
                const float *row = c->x[0] + ((image * p.dim[1] + head) * p.dim[2] + query)
                                                 * p.dim[3];
                apply_row(&c->node->attr, c->shape[1], c->x[1], row, image, head,
                          c->y + (image * y.dim[1] + query) * y.dim[2]);
            }
        }
    }
    return true;
}

bool ref_attention(const struct ref_call *c)
{
    struct nn_shape y = c->node->shape;
    size_t keys = c->shape[1].dim[1];
    float *p = malloc(keys * sizeof *p);
    if (!p) {
        return false;
    }
    for (size_t image = 0; image < y.dim[0]; image++) {
        for (size_t head = 0; head < c->node->attr.heads; head++) {
            for (size_t query = 0; query < y.dim[1]; query++) {
                attention_row(c, image, head, query, p);
                apply_row(&c->node->attr, c->shape[2], c->x[2], p, image, head,
                          c->y + (image * y.dim[1] + query) * y.dim[2]);
            }
        }
    }
    free(p);
    return true;
}

bool ref_group_fc(const struct ref_call *c)
{
    struct nn_shape h = c->shape[0], p = c->shape[1];
    size_t classes = c->node->shape.dim[1];
    for (size_t b = 0; b < h.dim[0]; b++) {
        for (size_t n = 0; n < classes; n++) {
            size_t group = n / p.dim[2], j = n % p.dim[2];
            double sum = c->x[2][n];
            for (size_t d = 0; d < p.dim[1]; d++) {
                sum += (double)c->x[0][(b * h.dim[1] + group) * h.dim[2] + d]
                       * c->x[1][(group * p.dim[1] + d) * p.dim[2] + j];
            }
            c->y[b * classes + n] = (float)sum;
        }
    }
    return true;
}
