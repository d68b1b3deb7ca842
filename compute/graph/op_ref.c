/* Runs graphs on the host, node by node, with the functions of op_ref_map.c and
 * op_ref_rows.c. */
#include "compute/graph/op_ref.h"

#include <stdlib.h>
#include <string.h>

typedef bool (*ref_function)(const struct ref_call *);

static const ref_function functions[NN_OP_COUNT] = {
#define OP(name, min, max, kind, saved) [NN_OP_##name] = ref_##name,
#include "compute/graph/op.def"
#undef OP
};

enum nn_status nn_ref_node(const struct nn_graph *graph, const struct nn_node *node,
                           const void *const *sources, float *out, struct nn_error *error)
{
    struct ref_call call = { .node = node, .y = out };
    for (uint32_t i = 0; i < node->n_sources; i++) {
        if (node->source[i] == NN_NONE) {
            continue;
        }
        const struct nn_node *source = nn_graph_node(graph, node->source[i]);
        call.shape[i] = source->shape;
        call.x[i] = source->type == NN_F32 ? sources[i] : NULL;
        call.index[i] = source->type == NN_I32 ? sources[i] : NULL;
    }
    if (!functions[node->op](&call)) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for %s",
                       nn_op_name(node->op));
    }
    return NN_OK;
}

struct ref_run {
    const struct nn_graph *graph;
    const struct nn_params *params;
    void **values;       /* by node */
    uint32_t *last_use;  /* by node: the last node that reads it; UINT32_MAX for outputs */
};

static const struct nn_binding *find_binding(const struct nn_binding *bindings, size_t n,
                                             const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (name && strcmp(bindings[i].name, name) == 0) {
            return &bindings[i];
        }
    }
    return NULL;
}

/* Marks the nodes that lead to outputs by their last use; 0 means that none is needed. */
static enum nn_status mark(struct ref_run *run, const struct nn_binding *outputs,
                           size_t n_outputs, struct nn_error *error)
{
    for (size_t i = 0; i < n_outputs; i++) {
        nn_id id = nn_graph_find(run->graph, outputs[i].name);
        if (id == NN_NONE) {
            return nn_fail(error, NN_ERROR_INVALID, "the graph has no tensor called %s",
                           outputs[i].name);
        }
        if (outputs[i].count != nn_shape_count(nn_graph_node(run->graph, id)->shape)) {
            return nn_fail(error, NN_ERROR_INVALID, "%s has another size", outputs[i].name);
        }
        run->last_use[id] = UINT32_MAX;
    }
    for (nn_id id = nn_graph_size(run->graph); id-- > 0;) {
        const struct nn_node *node = nn_graph_node(run->graph, id);
        if (nn_op_updates(node->op) || (node->op == NN_OP_variable && run->last_use[id])) {
            run->last_use[id] = UINT32_MAX;
        }
        for (uint32_t i = 0; run->last_use[id] && i < node->n_sources; i++) {
            nn_id source = node->source[i];
            if (source != NN_NONE && run->last_use[source] < id) {
                run->last_use[source] = id;
            }
        }
    }
    return NN_OK;
}

static enum nn_status fill_leaf(struct ref_run *run, nn_id id,
                                const struct nn_binding *inputs, size_t n_inputs,
                                struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(run->graph, id);
    uint64_t count = nn_shape_count(node->shape);
    if (node->op == NN_OP_param) {
        return run->params->read(run->params->user, node->name, run->values[id], count,
                                 error);
    }
    const struct nn_binding *bind = find_binding(inputs, n_inputs, node->name);
    if (!bind || bind->count != count) {
        return nn_fail(error, NN_ERROR_INVALID, "input %s is missing or of another size",
                       node->name);
    }
    memcpy(run->values[id], bind->values, count * 4);
    return NN_OK;
}

static enum nn_status run_node(struct ref_run *run, nn_id id,
                               const struct nn_binding *inputs, size_t n_inputs,
                               struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(run->graph, id);
    run->values[id] = malloc(nn_shape_count(node->shape) * 4 + 4);
    if (!run->values[id]) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for the reference");
    }
    if (nn_op_is_leaf(node->op)) {
        return fill_leaf(run, id, inputs, n_inputs, error);
    }
    const void *sources[NN_MAX_SOURCES] = { NULL };
    for (uint32_t i = 0; i < node->n_sources; i++) {
        if (node->source[i] != NN_NONE) {
            sources[i] = run->values[node->source[i]];
        }
    }
    enum nn_status status = nn_ref_node(run->graph, node, sources, run->values[id], error);
    for (uint32_t i = 0; i < node->n_sources; i++) {
        nn_id source = node->source[i];
        if (source != NN_NONE && run->last_use[source] == id) {
            free(run->values[source]);
            run->values[source] = NULL;
        }
    }
    return status;
}

enum nn_status nn_ref_run(const struct nn_graph *graph, const struct nn_params *params,
                          const struct nn_binding *inputs, size_t n_inputs,
                          const struct nn_binding *outputs, size_t n_outputs,
                          struct nn_error *error)
{
    uint32_t n = nn_graph_size(graph);
    struct ref_run run = { graph, params, calloc(n + 1, sizeof(void *)),
                           calloc(n + 1, sizeof(uint32_t)) };
    enum nn_status status = nn_graph_check(graph, error);
    if (status == NN_OK && (!run.values || !run.last_use)) {
        status = nn_fail(error, NN_ERROR_MEMORY, "out of memory for the reference");
    }
    if (status == NN_OK) {
        status = mark(&run, outputs, n_outputs, error);
    }
    for (nn_id id = 0; id < n && status == NN_OK; id++) {
        if (run.last_use[id]) {
            status = run_node(&run, id, inputs, n_inputs, error);
        }
    }
    for (size_t i = 0; i < n_outputs && status == NN_OK; i++) {
        nn_id id = nn_graph_find(graph, outputs[i].name);
        memcpy(outputs[i].values, run.values[id], outputs[i].count * 4);
    }
    for (size_t i = 0; i < n_inputs && status == NN_OK; i++) {
        nn_id id = nn_graph_find(graph, inputs[i].name);
        if (id != NN_NONE && nn_graph_node(graph, id)->op == NN_OP_variable
            && run.values[id]) {
            memcpy(inputs[i].values, run.values[id], inputs[i].count * 4);
        }
    }
    for (uint32_t id = 0; run.values && id < n; id++) {
        free(run.values[id]);
    }
    free(run.values);
    free(run.last_use);
    return status;
}
