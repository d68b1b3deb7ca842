/* Private to the shape rules, one an operator (op.c and op_shape_grad.c). A rule returns
 * NULL and the result's shape, or a few words on what does not fit. */
#ifndef TAGLIGHT_COMPUTE_OP_SHAPE_H
#define TAGLIGHT_COMPUTE_OP_SHAPE_H

#include "compute/graph/graph_private.h"

static inline struct nn_shape source(const struct nn_graph *graph,
                                     const struct nn_node *node, uint32_t i)
{
    return nn_graph_node(graph, node->source[i])->shape;
}

static inline bool is_vector(const struct nn_graph *graph, const struct nn_node *node,
                             uint32_t i, uint32_t size)
{
    if (i >= node->n_sources || node->source[i] == NN_NONE) {
        return true;
    }
    struct nn_shape shape = source(graph, node, i);
    return shape.rank == 1 && shape.dim[0] == size;
}

static inline bool is_residual(const struct nn_graph *graph, const struct nn_node *node,
                               uint32_t i, struct nn_shape shape)
{
    return i >= node->n_sources || node->source[i] == NN_NONE
           || nn_shape_equal(source(graph, node, i), shape);
}

/* Whether b's dimensions are the last ones of a; a first dimension of 1 in a b of a's
 * rank counts as absent. */
bool shape_is_trailing(struct nn_shape b, struct nn_shape a);

#define RULE(name)                                                                     \
    const char *shape_##name(const struct nn_graph *graph, const struct nn_node *node, \
                             struct nn_shape *out)

#define OP(name, min, max, kind, saved) RULE(name);
#include "compute/graph/op.def"
#undef OP

#endif
