/* A computation described apart from any device.
 *
 * A graph is a list of nodes in topological order; a node is named by its index
 * (nn_id). Constructors check shapes. The first fault of a graph is kept and every
 * later constructor then returns NN_NONE, so a builder may add nodes without looking
 * and ask nn_graph_check() once.
 *
 * Shapes are logical and row-major: maps are [B,C,H,W], token rows [B,T,D] and single
 * rows [B,D]. How a device lays them out in memory is the plan's business; every
 * reader and writer at the edge of a plan sees the logical order. All values are F32
 * except token ids and row indices, which are I32.
 *
 * Not thread-safe: a graph belongs to one thread at a time. */
#ifndef TAGLIGHT_COMPUTE_GRAPH_H
#define TAGLIGHT_COMPUTE_GRAPH_H

#include "compute/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t nn_id;
#define NN_NONE UINT32_MAX
#define NN_MAX_RANK 4
#define NN_MAX_SOURCES 7

enum nn_type { NN_F32, NN_I32 };

struct nn_shape {
    int rank;                   /* 0 to 4 */
    uint32_t dim[NN_MAX_RANK];  /* outermost first; unused ones are 1 */
};

#define NN_SHAPE1(a) ((struct nn_shape){ 1, { (a), 1, 1, 1 } })
#define NN_SHAPE2(a, b) ((struct nn_shape){ 2, { (a), (b), 1, 1 } })
#define NN_SHAPE3(a, b, c) ((struct nn_shape){ 3, { (a), (b), (c), 1 } })
#define NN_SHAPE4(a, b, c, d) ((struct nn_shape){ 4, { (a), (b), (c), (d) } })

uint64_t nn_shape_count(struct nn_shape shape);
bool nn_shape_equal(struct nn_shape a, struct nn_shape b);
/* Writes "[1, 64, 56, 56]" and returns buffer. */
const char *nn_shape_text(struct nn_shape shape, char *buffer, size_t size);

enum nn_op {
#define OP(name, min, max, kind, saved) NN_OP_##name,
#include "compute/graph/op.def"
#undef OP
    NN_OP_COUNT
};

enum nn_act {
    NN_ACT_NONE,
    NN_ACT_RELU,
    NN_ACT_LEAKY_RELU, /* x < 0 ? slope * x : x */
    NN_ACT_GELU,       /* x * Phi(x), the exact form with erf */
    NN_ACT_QUICK_GELU, /* x * sigmoid(1.702 x) */
    NN_ACT_SIGMOID,
    NN_ACT_EXP,
};

/* What is done to a result before it is stored: y = act(value + bias + residual). */
struct nn_epilogue {
    enum nn_act act;
    float slope; /* of NN_ACT_LEAKY_RELU */
};

struct nn_attr {
    struct nn_epilogue epilogue;       /* conv2d, linear, activation, scale_add_act */
    uint32_t kernel, stride, pad;      /* conv2d, avg_pool; square */
    float eps;                         /* batch_norm, fold_*, layer_norm */
    float factor;                      /* scale, fill, expand, sum_to, *_grad; the rate of
                                        * dropout, the limit of clip_factor */
    uint32_t heads;                    /* attention; groups of group_linear, transpose */
    uint32_t q_column, k_column, v_column; /* attention: first column in its source */
    uint32_t width;                    /* attention: columns of q, k and v; slice_rows */
    uint32_t first;                    /* slice_rows, pad_rows */
    bool causal;                       /* attention */
    struct nn_shape shape;             /* reshape, fill, sum_to, expand, *_grad */
    float gamma_negative, gamma_positive; /* asymmetric_loss, label_loss */
    float clip;                        /* asymmetric_loss: margin of probability */
    float smoothing;                   /* label_loss */
    bool detached;                     /* asymmetric_loss: weight without gradient */
    float keep, take;                  /* blend */
    bool decay, decoupled;             /* adam */
    uint32_t place;                    /* dropout */
};

struct nn_node {
    enum nn_op op;
    enum nn_type type;
    struct nn_shape shape;
    uint32_t n_sources;
    nn_id source[NN_MAX_SOURCES]; /* NN_NONE for an optional one that is absent */
    struct nn_attr attr;
    const char *name;             /* NULL unless named; owned by the graph */
    bool output;
};

struct nn_graph;

struct nn_graph *nn_graph_create(void); /* NULL when out of memory */
void nn_graph_destroy(struct nn_graph **graph);

uint32_t nn_graph_size(const struct nn_graph *graph);
const struct nn_node *nn_graph_node(const struct nn_graph *graph, nn_id id);
/* The node of that name, or NN_NONE. */
nn_id nn_graph_find(const struct nn_graph *graph, const char *name);
enum nn_status nn_graph_check(const struct nn_graph *graph, struct nn_error *error);
/* Records a builder's own fault, unless one is recorded already. Returns NN_NONE. */
nn_id nn_graph_fail(struct nn_graph *graph, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Names a node and makes it an output of the graph (an intermediate that a caller may
 * ask for). Returns id. Names are unique in a graph. */
nn_id nn_output(struct nn_graph *graph, nn_id id, const char *name);

/* A value given at each run. */
nn_id nn_input(struct nn_graph *graph, const char *name, enum nn_type type,
               struct nn_shape shape);
/* A constant known by name; its values are read when a plan is made. Asking twice for
 * one name gives one node. */
nn_id nn_param(struct nn_graph *graph, const char *name, struct nn_shape shape);

/* x [B,C,H,W], weight [O,C,k,k], bias [O] or NN_NONE -> [B,O,H',W'], zero padding,
 * H' = (H + 2 pad - k) / stride + 1. */
nn_id nn_conv2d(struct nn_graph *graph, nn_id x, nn_id weight, nn_id bias,
                uint32_t stride, uint32_t pad);
/* x [...,D], weight [O,D], bias [O] or NN_NONE -> [...,O]: x W^T + b. */
nn_id nn_linear(struct nn_graph *graph, nn_id x, nn_id weight, nn_id bias);
/* The same with a fused activation. */
nn_id nn_linear_act(struct nn_graph *graph, nn_id x, nn_id weight, nn_id bias,
                    struct nn_epilogue epilogue);
/* One linear layer for each of `groups` parts of a row: x [...,G*I], weight [G*O,I],
 * bias [G*O] or NN_NONE -> [...,G*O], where output row g*O + o reads part g of x. With
 * the weight transposed by groups (nn_transpose) it maps the other way, which is also
 * the derivative by x. */
nn_id nn_group_linear(struct nn_graph *graph, nn_id x, nn_id weight, nn_id bias,
                      uint32_t groups);
/* a [M,D], b [N,D] -> a b^T [M,N]; both are computed values. */
nn_id nn_matmul_nt(struct nn_graph *graph, nn_id a, nn_id b);
/* x [B,C,H,W]; gamma, beta, mean, variance [C]: inference form with running
 * statistics, y = gamma (x - mean) / sqrt(variance + eps) + beta. When mean and
 * variance are variables (grad.h) it is the training form: the batch's own statistics
 * normalise (biased variance) and the variables follow them with momentum 0.1 (unbiased
 * variance). */
nn_id nn_batch_norm(struct nn_graph *graph, nn_id x, nn_id gamma, nn_id beta,
                    nn_id mean, nn_id variance, float eps);
/* Depthwise 3x3 [1,2,1] x [1,2,1] / 16, stride 2, reflect padding 1 (spec 3.1). */
nn_id nn_blur_pool(struct nn_graph *graph, nn_id x);
/* kernel = stride, no padding; a window over the edge counts only what is inside.
 * ceil_mode gives ceil(H / k) rows, otherwise floor. */
nn_id nn_avg_pool(struct nn_graph *graph, nn_id x, uint32_t kernel, bool ceil_mode);
/* [B,C,H,W] -> [B,16 C,H/4,W/4], channel (dy*4 + dx)*C + c (spec 3.1). */
nn_id nn_space_to_depth(struct nn_graph *graph, nn_id x);
nn_id nn_activation(struct nn_graph *graph, nn_id x, struct nn_epilogue epilogue);
/* a and b of one shape, or b's shape equal to the trailing dimensions of a (a first
 * dimension of 1 in b counts as absent). */
nn_id nn_add(struct nn_graph *graph, nn_id a, nn_id b);
nn_id nn_scale(struct nn_graph *graph, nn_id x, float factor);
/* x [B,C,H,W] times s [B,C]. */
nn_id nn_mul_channels(struct nn_graph *graph, nn_id x, nn_id s);
/* act(x * s + residual): x, residual [B,C,H,W], s [B,C]. Made by fusion. */
nn_id nn_scale_add_act(struct nn_graph *graph, nn_id x, nn_id s, nn_id residual,
                       struct nn_epilogue epilogue);
/* [B,C,H,W] -> [B,C]. */
nn_id nn_mean_map(struct nn_graph *graph, nn_id x);
/* [B,T,D] -> [B,D]. */
nn_id nn_mean_rows(struct nn_graph *graph, nn_id x);
/* [B,C,H,W] -> [B,H*W,C], row y*W + x. */
nn_id nn_map_to_rows(struct nn_graph *graph, nn_id x);
/* first [D] (the same for every image) or [B,D], x [B,T,D] -> [B,T+1,D]. */
nn_id nn_prepend_row(struct nn_graph *graph, nn_id first, nn_id x);
/* x [B,T,D], index I32 [B] -> row index[b] of each, [B,D]. */
nn_id nn_select_row(struct nn_graph *graph, nn_id x, nn_id index);
/* x [B,T,D] -> its row 0, [B,D]. */
nn_id nn_first_row(struct nn_graph *graph, nn_id x);
/* x [T,D] -> its rows first .. first+count-1; of a vector [T] its values there, which
 * must be a constant then. */
nn_id nn_slice_rows(struct nn_graph *graph, nn_id x, uint32_t first, uint32_t count);
/* The same values in the same order; the last dimension must stay, or be a multiple of 4
 * before and after. */
nn_id nn_reshape(struct nn_graph *graph, nn_id x, struct nn_shape shape);
/* [G*M,N] -> [G*N,M], each of `groups` blocks of rows transposed by itself; only
 * a constant may have more than one. */
nn_id nn_transpose(struct nn_graph *graph, nn_id x, uint32_t groups);
/* ids I32 [B,T], table [V,D] -> [B,T,D]. Ids outside 0..V-1 give a row of zeros. */
nn_id nn_embed(struct nn_graph *graph, nn_id ids, nn_id table);
/* Over the last dimension; biased variance, y = gamma (x - m) / sqrt(v + eps) + beta */
nn_id nn_layer_norm(struct nn_graph *graph, nn_id x, nn_id gamma, nn_id beta,
                    float eps);
/* Rows divided by their Euclidean length; no epsilon. */
nn_id nn_l2_normalize(struct nn_graph *graph, nn_id x);
nn_id nn_softmax(struct nn_graph *graph, nn_id x); /* over the last dimension */

/* Multi-head attention. q [Bq,Tq,*], k and v [B,T,*] where columns q_column..+width of
 * q (and so on) are used, split in `heads` parts of width/heads; Bq is B or 1 (the same
 * queries for every image). Scale 1/sqrt(width/heads). causal masks key > query. */
struct nn_attention {
    uint32_t heads, width, q_column, k_column, v_column;
    bool causal;
};
/* -> softmax probabilities [B,heads,Tq,T]. */
nn_id nn_attn_probs(struct nn_graph *graph, nn_id q, nn_id k, struct nn_attention a);
/* probabilities, v -> [B,Tq,width]. */
nn_id nn_attn_apply(struct nn_graph *graph, nn_id probs, nn_id v, struct nn_attention a);
/* Both in one, without the probabilities in memory. */
nn_id nn_attention(struct nn_graph *graph, nn_id q, nn_id k, nn_id v,
                   struct nn_attention a);
/* ML-Decoder's group decoding (spec 2.2): h [B,E,D], pooling [E,D,g], bias [N] ->
 * [B,N], class i*g + j, the first N of E*g are kept. */
nn_id nn_group_fc(struct nn_graph *graph, nn_id h, nn_id pooling, nn_id bias);

/* Values of params, read by name when a plan or the reference needs them. */
struct nn_params {
    void *user;
    /* Fills out[count], row-major; count is the product of the param's shape. */
    enum nn_status (*read)(void *user, const char *name, float *out, uint64_t count,
                           struct nn_error *error);
};

/* A host array bound to an input or an output by name; F32 or I32 as the node says. */
struct nn_binding {
    const char *name;
    void *values;
    uint64_t count; /* elements; checked against the node's shape */
};

/* Rewrites `graph` to `out` by the table in graph_fuse.c: folds batch-norm into
 * convolutions, moves activations and residuals into epilogues, joins squeeze and
 * excitation scaling with the residual add, joins attention. Only nodes that lead to
 * the names in `wanted` are kept (all outputs when n_wanted is 0), and a node that is
 * wanted itself is never fused away. */
enum nn_status nn_graph_fuse(struct nn_graph **out, const struct nn_graph *graph,
                             const char *const *wanted, size_t n_wanted, bool fuse,
                             struct nn_error *error);

/* Runs a graph in plain C on the host: the reference that kernels are tested against,
 * slow and clear. Sums are kept in double. */
enum nn_status nn_ref_run(const struct nn_graph *graph, const struct nn_params *params,
                          const struct nn_binding *inputs, size_t n_inputs,
                          const struct nn_binding *outputs, size_t n_outputs,
                          struct nn_error *error);

#endif
