/* Shared inside compute/graph/: what fusion, the reference and the planner need of a
 * graph beyond its public header. */
#ifndef TAGLIGHT_COMPUTE_GRAPH_PRIVATE_H
#define TAGLIGHT_COMPUTE_GRAPH_PRIVATE_H

#include "compute/graph/graph.h"

/* Adds a node after checking its sources and finding its shape (op.c). */
nn_id nn_graph_add(struct nn_graph *graph, enum nn_op op, const nn_id *sources,
                   uint32_t n_sources, const struct nn_attr *attr);
/* The same for nodes whose shape and type are given: input, param and variable. */
nn_id nn_graph_add_leaf(struct nn_graph *graph, enum nn_op op, const char *name,
                        enum nn_type type, struct nn_shape shape);

/* The shape rule of an operator: fills *out and returns NULL, or returns what is wrong. */
const char *nn_op_shape(const struct nn_graph *graph, const struct nn_node *node,
                        struct nn_shape *out);
const char *nn_op_name(enum nn_op op);

/* Whether the operator changes variables in place: it is kept though nobody reads it. */
bool nn_op_updates(enum nn_op op);
/* input, param and variable: known by name and not computed. */
bool nn_op_is_leaf(enum nn_op op);

/* One node on the host. sources[i] is the i-th source's values (NULL when absent), F32 or
 * I32 as that node says; out has the node's shape. Operators that update variables
 * write to their sources. Not for leaves. */
enum nn_status nn_ref_node(const struct nn_graph *graph, const struct nn_node *node,
                           const void *const *sources, float *out, struct nn_error *error);

#endif
