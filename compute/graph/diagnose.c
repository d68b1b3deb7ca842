/* Where values that are no numbers come from: a plan run again, one step at a time. */
#include "compute/graph/grad.h"
#include "compute/graph/graph_private.h"
#include "compute/graph/plan_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_DEPTH 6

/* The nearest constant or variable that `id` is made from, by the last source first, for
 * a layer's weights stand behind what it reads. NULL when there is none nearby. */
static const char *nearest_name(const struct nn_graph *graph, nn_id id, int depth)
{
    const struct nn_node *node = nn_graph_node(graph, id);
    if (node->name) {
        return node->name;
    }
    for (int within = 0; within < depth; within++) {
        for (uint32_t i = node->n_sources; i-- > 0;) {
            const char *name = node->source[i] == NN_NONE
                                   ? NULL : nearest_name(graph, node->source[i], within);
            if (name) {
                return name;
            }
        }
    }
    return NULL;
}

static void describe(const struct nn_graph *graph, nn_id id, char *out, size_t size)
{
    const struct nn_node *node = nn_graph_node(graph, id);
    const char *name = nearest_name(graph, id, MAX_DEPTH);
    char shape[64];
    if (nn_op_is_leaf(node->op)) {
        snprintf(out, size, "%s %s", nn_op_name(node->op), name);
    } else {
        snprintf(out, size, "%s %s by %s", nn_op_name(node->op),
                 nn_shape_text(node->shape, shape, sizeof shape), name ? name : "nothing");
    }
}

/* Whether all values of a tensor in f32 are finite. */
static enum nn_status check_tensor(const struct nn_plan *plan, uint32_t tensor,
                                   bool *finite, struct nn_error *error)
{
    uint64_t bytes = nn_plan_builder(plan)->tensors[tensor].bytes;
    float *values = malloc(bytes + 1);
    enum nn_status status =
        values ? plan_read_tensor(plan, tensor, values, error)
               : nn_fail(error, NN_ERROR_MEMORY, "out of memory to look at a tensor");
    *finite = true;
    for (uint64_t i = 0; status == NN_OK && i < bytes / sizeof *values && *finite; i++) {
        *finite = isfinite(values[i]);
    }
    free(values);
    return status;
}

/* Whether something computes with the leaf: running statistics, averages and moments are
 * kept for later only, and may tell of an older fault. */
static bool is_read(const struct nn_graph *graph, nn_id leaf)
{
    for (nn_id id = leaf + 1; id < nn_graph_size(graph); id++) {
        const struct nn_node *node = nn_graph_node(graph, id);
        for (uint32_t i = 0; i < node->n_sources && !nn_op_updates(node->op); i++) {
            if (node->source[i] == leaf) {
                return true;
            }
        }
    }
    return false;
}

/* What is given: inputs and variables. */
static enum nn_status check_leaves(const struct nn_plan *plan, nn_id *found,
                                   struct nn_error *error)
{
    const struct plan_builder *b = nn_plan_builder(plan);
    enum nn_status status = NN_OK;
    for (nn_id id = 0; id < nn_graph_size(b->graph) && status == NN_OK; id++) {
        const struct nn_node *node = nn_graph_node(b->graph, id);
        bool finite = true;
        bool leaf = node->op == NN_OP_input || node->op == NN_OP_variable;
        if (leaf && node->type == NN_F32 && is_read(b->graph, id)) {
            status = check_tensor(plan, b->tensor[id], &finite, error);
        }
        if (!finite) {
            *found = id;
            return status;
        }
    }
    return status;
}

static enum nn_status check_steps(struct nn_plan *plan, nn_id *found,
                                  struct nn_error *error)
{
    const struct plan_builder *b = nn_plan_builder(plan);
    enum nn_status status = NN_OK;
    for (uint32_t s = 0; s < b->n_steps && status == NN_OK; s++) {
        const struct plan_step *step = &b->steps[s];
        bool updates = nn_op_updates(nn_graph_node(b->graph, step->node)->op);
        status = plan_run_step(plan, s, error);
        for (uint32_t i = 0; i < step->kernel.n_bindings && status == NN_OK && !updates;
             i++) {
            bool finite = true;
            if (step->write_mask >> i & 1) {
                status = check_tensor(plan, step->operand[i], &finite, error);
            }
            if (!finite) {
                *found = step->node;
                return status;
            }
        }
    }
    return status;
}

enum nn_status nn_plan_find_fault(struct nn_plan *plan, const struct nn_binding *inputs,
                                  size_t n_inputs, char *what, size_t size,
                                  struct nn_error *error)
{
    nn_id found = NN_NONE;
    if (nn_plan_builder(plan)->half) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED, "values in 16 bits are not looked at");
    }
    enum nn_status status = plan_upload(plan, inputs, n_inputs, error);
    if (status == NN_OK) {
        status = check_leaves(plan, &found, error);
    }
    if (status == NN_OK && found == NN_NONE) {
        status = plan_record(plan, PLAN_BY_SUBMITS, error);
        if (status == NN_OK) {
            status = check_steps(plan, &found, error);
        }
        struct nn_error again = { 0 };
        if (plan_record(plan, PLAN_UNTIMED, &again) != NN_OK && status == NN_OK) {
            status = nn_fail(error, again.status, "%s", again.text);
        }
    }
    what[0] = '\0';
    if (status == NN_OK && found != NN_NONE) {
        describe(nn_plan_graph(plan), found, what, size);
    }
    return status;
}
