/* Building graphs: nodes, names and the sticky first fault. */
#include "compute/graph/graph_private.h"

#include "compute/graph/grad.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VALUES UINT32_MAX

struct nn_graph {
    struct nn_node *nodes;
    uint32_t n, room;
    struct nn_error fault;
    bool (*trainable)(void *user, const char *name); /* NULL in an inference graph */
    void *trainable_user;
};

uint64_t nn_shape_count(struct nn_shape shape)
{
    uint64_t count = 1;
    for (int i = 0; i < shape.rank; i++) {
        count *= shape.dim[i];
        if (count > MAX_VALUES) {
            return UINT64_MAX;
        }
    }
    return count;
}

bool nn_shape_equal(struct nn_shape a, struct nn_shape b)
{
    return a.rank == b.rank
           && memcmp(a.dim, b.dim, (size_t)a.rank * sizeof a.dim[0]) == 0;
}

const char *nn_shape_text(struct nn_shape shape, char *buffer, size_t size)
{
    size_t used = 0;
    used += (size_t)snprintf(buffer, size, "[");
    for (int i = 0; i < shape.rank && used < size; i++) {
        used += (size_t)snprintf(buffer + used, size - used, i ? ", %u" : "%u",
                                 shape.dim[i]);
    }
    if (used < size) {
        snprintf(buffer + used, size - used, "]");
    }
    return buffer;
}

struct nn_graph *nn_graph_create(void)
{
    return calloc(1, sizeof(struct nn_graph));
}

void nn_graph_destroy(struct nn_graph **graph)
{
    if (!graph || !*graph) {
        return;
    }
    for (uint32_t i = 0; i < (*graph)->n; i++) {
        free((char *)(*graph)->nodes[i].name);
    }
    free((*graph)->nodes);
    free(*graph);
    *graph = NULL;
}

uint32_t nn_graph_size(const struct nn_graph *graph)
{
    return graph->n;
}

const struct nn_node *nn_graph_node(const struct nn_graph *graph, nn_id id)
{
    return &graph->nodes[id];
}

nn_id nn_graph_find(const struct nn_graph *graph, const char *name)
{
    for (nn_id id = 0; id < graph->n; id++) {
        if (graph->nodes[id].name && strcmp(graph->nodes[id].name, name) == 0) {
            return id;
        }
    }
    return NN_NONE;
}

enum nn_status nn_graph_check(const struct nn_graph *graph, struct nn_error *error)
{
    if (graph->fault.status != NN_OK) {
        return nn_fail(error, graph->fault.status, "%s", graph->fault.text);
    }
    return NN_OK;
}

nn_id nn_graph_fail(struct nn_graph *graph, const char *format, ...)
{
    if (graph->fault.status == NN_OK) {
        char text[NN_ERROR_TEXT_SIZE];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        nn_fail(&graph->fault, NN_ERROR_INVALID, "%s", text);
    }
    return NN_NONE;
}

/* --- Nodes --------------------------------------------------------------------------- */

static nn_id append(struct nn_graph *graph, const struct nn_node *node)
{
    if (graph->n == graph->room) {
        uint32_t room = graph->room ? 2 * graph->room : 128;
        void *grown = realloc(graph->nodes, room * sizeof *graph->nodes);
        if (!grown) {
            return nn_graph_fail(graph, "out of memory for a graph");
        }
        graph->nodes = grown;
        graph->room = room;
    }
    graph->nodes[graph->n] = *node;
    return graph->n++;
}

static bool set_name(struct nn_graph *graph, struct nn_node *node, const char *name)
{
    size_t size = strlen(name) + 1;
    char *copy = malloc(size);
    if (!copy) {
        nn_graph_fail(graph, "out of memory for a graph");
        return false;
    }
    node->name = memcpy(copy, name, size);
    return true;
}

nn_id nn_graph_add_leaf(struct nn_graph *graph, enum nn_op op, const char *name,
                        enum nn_type type, struct nn_shape shape)
{
    if (graph->fault.status != NN_OK) {
        return NN_NONE;
    }
    if (shape.rank < 0 || shape.rank > NN_MAX_RANK || nn_shape_count(shape) == 0
        || nn_shape_count(shape) > MAX_VALUES) {
        return nn_graph_fail(graph, "%s has an impossible shape", name);
    }
    for (int i = shape.rank; i < NN_MAX_RANK; i++) {
        shape.dim[i] = 1;
    }
    nn_id known = nn_graph_find(graph, name);
    if (known != NN_NONE) {
        const struct nn_node *other = &graph->nodes[known];
        if (other->op == op && op != NN_OP_input && nn_shape_equal(other->shape, shape)) {
            return known;
        }
        return nn_graph_fail(graph, "two nodes are called %s", name);
    }
    struct nn_node node = { .op = op, .type = type, .shape = shape };
    return set_name(graph, &node, name) ? append(graph, &node) : NN_NONE;
}

nn_id nn_graph_add(struct nn_graph *graph, enum nn_op op, const nn_id *sources,
                   uint32_t n_sources, const struct nn_attr *attr)
{
    if (graph->fault.status != NN_OK) {
        return NN_NONE;
    }
    struct nn_node node = { .op = op, .type = NN_F32, .n_sources = n_sources };
    if (attr) {
        node.attr = *attr;
    }
    for (uint32_t i = 0; i < NN_MAX_SOURCES; i++) {
        node.source[i] = i < n_sources ? sources[i] : NN_NONE;
        if (node.source[i] != NN_NONE && node.source[i] >= graph->n) {
            return nn_graph_fail(graph, "%s has a source that is not there",
                                 nn_op_name(op));
        }
    }
    while (node.n_sources > 0 && node.source[node.n_sources - 1] == NN_NONE) {
        node.n_sources--;
    }
    const char *wrong = nn_op_shape(graph, &node, &node.shape);
    if (!wrong && (nn_shape_count(node.shape) == 0
                   || nn_shape_count(node.shape) > MAX_VALUES)) {
        wrong = "the result would be empty or too large";
    }
    if (wrong) {
        char a[64] = "", b[64] = "";
        if (node.n_sources > 0 && node.source[0] != NN_NONE) {
            nn_shape_text(graph->nodes[node.source[0]].shape, a, sizeof a);
        }
        if (node.n_sources > 1 && node.source[1] != NN_NONE) {
            nn_shape_text(graph->nodes[node.source[1]].shape, b, sizeof b);
        }
        return nn_graph_fail(graph, "%s of %s %s: %s", nn_op_name(op), a, b, wrong);
    }
    for (int i = node.shape.rank; i < NN_MAX_RANK; i++) {
        node.shape.dim[i] = 1;
    }
    return append(graph, &node);
}

nn_id nn_output(struct nn_graph *graph, nn_id id, const char *name)
{
    if (graph->fault.status != NN_OK || id == NN_NONE) {
        return nn_graph_fail(graph, "an output has no node");
    }
    if (nn_graph_find(graph, name) != NN_NONE) {
        return nn_graph_fail(graph, "two nodes are called %s", name);
    }
    struct nn_node *node = &graph->nodes[id];
    if (node->name) {
        return nn_graph_fail(graph, "%s is called %s already", name, node->name);
    }
    if (!set_name(graph, node, name)) {
        return NN_NONE;
    }
    node->output = true;
    return id;
}

/* --- Constructors ----------------------------------------------------------------------- */

nn_id nn_input(struct nn_graph *graph, const char *name, enum nn_type type,
               struct nn_shape shape)
{
    return nn_graph_add_leaf(graph, NN_OP_input, name, type, shape);
}

nn_id nn_variable(struct nn_graph *graph, const char *name, struct nn_shape shape)
{
    return nn_graph_add_leaf(graph, NN_OP_variable, name, NN_F32, shape);
}

void nn_graph_set_trainable(struct nn_graph *graph,
                            bool (*chosen)(void *user, const char *name), void *user)
{
    graph->trainable = chosen;
    graph->trainable_user = user;
}

nn_id nn_param(struct nn_graph *graph, const char *name, struct nn_shape shape)
{
    if (graph->trainable && graph->trainable(graph->trainable_user, name)) {
        return nn_variable(graph, name, shape);
    }
    return nn_graph_add_leaf(graph, NN_OP_param, name, NN_F32, shape);
}

#define ADD(op, attr, ...)                                                             \
    nn_graph_add(graph, NN_OP_##op, (const nn_id[]){ __VA_ARGS__ },                    \
                 sizeof((const nn_id[]){ __VA_ARGS__ }) / sizeof(nn_id), attr)

nn_id nn_conv2d(struct nn_graph *graph, nn_id x, nn_id weight, nn_id bias,
                uint32_t stride, uint32_t pad)
{
    struct nn_attr attr = { .stride = stride, .pad = pad };
    if (weight < graph->n) {
        attr.kernel = graph->nodes[weight].shape.dim[3];
    }
    return ADD(conv2d, &attr, x, weight, bias);
}

nn_id nn_linear_act(struct nn_graph *graph, nn_id x, nn_id weight, nn_id bias,
                    struct nn_epilogue epilogue)
{
    if (graph->trainable && epilogue.act != NN_ACT_NONE && epilogue.act != NN_ACT_RELU) {
        /* The backward rule of an activation reads what went into it; that of a ReLU can
         * tell it from the result. */
        return nn_activation(graph, nn_linear(graph, x, weight, bias), epilogue);
    }
    struct nn_attr attr = { .epilogue = epilogue };
    return ADD(linear, &attr, x, weight, bias);
}

nn_id nn_linear(struct nn_graph *graph, nn_id x, nn_id weight, nn_id bias)
{
    return nn_linear_act(graph, x, weight, bias, (struct nn_epilogue){ NN_ACT_NONE, 0 });
}

nn_id nn_group_linear(struct nn_graph *graph, nn_id x, nn_id weight, nn_id bias,
                      uint32_t groups)
{
    struct nn_attr attr = { .heads = groups };
    return ADD(group_linear, &attr, x, weight, bias);
}

nn_id nn_matmul_nt(struct nn_graph *graph, nn_id a, nn_id b)
{
    return ADD(matmul_nt, NULL, a, b);
}

/* The batch's own statistics, which the variables follow. */
static nn_id batch_norm_train(struct nn_graph *graph, nn_id x, nn_id gamma, nn_id beta,
                              nn_id running_mean, nn_id running_variance, float eps)
{
    struct nn_shape shape = graph->nodes[x].shape;
    nn_id mean = ADD(channel_mean, NULL, x);
    nn_id variance = ADD(channel_variance, NULL, x, mean);
    double count = (double)shape.dim[0] * shape.dim[2] * shape.dim[3];
    double unbiased = count > 1 ? count / (count - 1) : 1;
    nn_blend(graph, running_mean, mean, 0.9f, 0.1f);
    nn_blend(graph, running_variance, variance, 0.9f, (float)(0.1 * unbiased));
    struct nn_attr attr = { .eps = eps };
    return ADD(batch_norm, &attr, x, gamma, beta, mean, variance);
}

nn_id nn_batch_norm(struct nn_graph *graph, nn_id x, nn_id gamma, nn_id beta,
                    nn_id mean, nn_id variance, float eps)
{
    if (graph->fault.status == NN_OK && mean < graph->n && variance < graph->n
        && graph->nodes[mean].op == NN_OP_variable
        && graph->nodes[variance].op == NN_OP_variable) {
        return batch_norm_train(graph, x, gamma, beta, mean, variance, eps);
    }
    struct nn_attr attr = { .eps = eps };
    return ADD(batch_norm, &attr, x, gamma, beta, mean, variance);
}

nn_id nn_blur_pool(struct nn_graph *graph, nn_id x)
{
    return ADD(blur_pool, NULL, x);
}

nn_id nn_avg_pool(struct nn_graph *graph, nn_id x, uint32_t kernel, bool ceil_mode)
{
    struct nn_attr attr = { .kernel = kernel, .stride = ceil_mode };
    return ADD(avg_pool, &attr, x);
}

nn_id nn_space_to_depth(struct nn_graph *graph, nn_id x)
{
    return ADD(space_to_depth, NULL, x);
}

nn_id nn_activation(struct nn_graph *graph, nn_id x, struct nn_epilogue epilogue)
{
    struct nn_attr attr = { .epilogue = epilogue };
    return ADD(activation, &attr, x);
}

nn_id nn_add(struct nn_graph *graph, nn_id a, nn_id b)
{
    return ADD(add, NULL, a, b);
}

nn_id nn_scale(struct nn_graph *graph, nn_id x, float factor)
{
    struct nn_attr attr = { .factor = factor };
    return ADD(scale, &attr, x);
}

nn_id nn_mul_channels(struct nn_graph *graph, nn_id x, nn_id s)
{
    return ADD(mul_channels, NULL, x, s);
}

nn_id nn_scale_add_act(struct nn_graph *graph, nn_id x, nn_id s, nn_id residual,
                       struct nn_epilogue epilogue)
{
    struct nn_attr attr = { .epilogue = epilogue };
    return ADD(scale_add_act, &attr, x, s, residual);
}

nn_id nn_mean_map(struct nn_graph *graph, nn_id x)
{
    return ADD(mean_map, NULL, x);
}

nn_id nn_mean_rows(struct nn_graph *graph, nn_id x)
{
    return ADD(mean_rows, NULL, x);
}

nn_id nn_map_to_rows(struct nn_graph *graph, nn_id x)
{
    return ADD(map_to_rows, NULL, x);
}

nn_id nn_prepend_row(struct nn_graph *graph, nn_id first, nn_id x)
{
    return ADD(prepend_row, NULL, first, x);
}

nn_id nn_select_row(struct nn_graph *graph, nn_id x, nn_id index)
{
    return ADD(select_row, NULL, x, index);
}

nn_id nn_first_row(struct nn_graph *graph, nn_id x)
{
    return ADD(first_row, NULL, x);
}

nn_id nn_slice_rows(struct nn_graph *graph, nn_id x, uint32_t first, uint32_t count)
{
    struct nn_attr attr = { .first = first, .width = count };
    return ADD(slice_rows, &attr, x);
}

nn_id nn_reshape(struct nn_graph *graph, nn_id x, struct nn_shape shape)
{
    struct nn_attr attr = { .shape = shape };
    return ADD(reshape, &attr, x);
}

nn_id nn_transpose(struct nn_graph *graph, nn_id x, uint32_t groups)
{
    struct nn_attr attr = { .heads = groups };
    return ADD(transpose, &attr, x);
}

nn_id nn_embed(struct nn_graph *graph, nn_id ids, nn_id table)
{
    return ADD(embed, NULL, ids, table);
}

nn_id nn_layer_norm(struct nn_graph *graph, nn_id x, nn_id gamma, nn_id beta, float eps)
{
    struct nn_attr attr = { .eps = eps };
    return ADD(layer_norm, &attr, x, gamma, beta);
}

nn_id nn_l2_normalize(struct nn_graph *graph, nn_id x)
{
    return ADD(l2_normalize, NULL, x);
}

nn_id nn_softmax(struct nn_graph *graph, nn_id x)
{
    return ADD(softmax, NULL, x);
}

static struct nn_attr attention_attr(struct nn_attention a)
{
    return (struct nn_attr){ .heads = a.heads, .width = a.width, .q_column = a.q_column,
                             .k_column = a.k_column, .v_column = a.v_column,
                             .causal = a.causal };
}

nn_id nn_attn_probs(struct nn_graph *graph, nn_id q, nn_id k, struct nn_attention a)
{
    struct nn_attr attr = attention_attr(a);
    return ADD(attn_probs, &attr, q, k);
}

nn_id nn_attn_apply(struct nn_graph *graph, nn_id probs, nn_id v, struct nn_attention a)
{
    struct nn_attr attr = attention_attr(a);
    return ADD(attn_apply, &attr, probs, v);
}

nn_id nn_attention(struct nn_graph *graph, nn_id q, nn_id k, nn_id v,
                   struct nn_attention a)
{
    struct nn_attr attr = attention_attr(a);
    return ADD(attention, &attr, q, k, v);
}

nn_id nn_group_fc(struct nn_graph *graph, nn_id h, nn_id pooling, nn_id bias)
{
    return ADD(group_fc, NULL, h, pooling, bias);
}
