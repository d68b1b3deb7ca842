/* Where a plan's time goes: times of single steps, medians over runs, and their sums by
 * kernel and size. */
#include "compute/graph/plan_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- What a step does ------------------------------------------------------------- */

static struct nn_shape source_shape(const struct nn_graph *graph,
                                    const struct nn_node *node, int i)
{
    return nn_graph_node(graph, node->source[i])->shape;
}

static void describe_step(const struct nn_graph *graph, const struct plan_step *step,
                          char *out, size_t size)
{
    const struct nn_node *node = nn_graph_node(graph, step->node);
    struct nn_shape y = node->shape;
    char shape[64];
    if (node->op == NN_OP_conv2d) {
        snprintf(out, size, "%s %u->%u @%ux%u", step->label,
                 source_shape(graph, node, 0).dim[1], y.dim[1], y.dim[2], y.dim[3]);
    } else if (node->op == NN_OP_linear) {
        struct nn_shape w = source_shape(graph, node, 1);
        snprintf(out, size, "%s %u->%u x%llu", step->label, w.dim[1], w.dim[0],
                 (unsigned long long)(nn_shape_count(y) / w.dim[0]));
    } else {
        snprintf(out, size, "%s %s", step->label,
                 nn_shape_text(y, shape, sizeof shape));
    }
}

/* Multiply and add counted as two; 0 for what is no product. */
static double node_flops(const struct nn_graph *graph, const struct nn_node *node)
{
    double count = (double)nn_shape_count(node->shape);
    const struct nn_attr *a = &node->attr;
    switch (node->op) {
    case NN_OP_conv2d:
        return 2 * count * source_shape(graph, node, 0).dim[1] * a->kernel * a->kernel;
    case NN_OP_weight_grad: /* the weights times the rows or pixels of the gradient */
        return 2 * count * (double)nn_shape_count(source_shape(graph, node, 1))
               / node->shape.dim[0];
    case NN_OP_linear:
    case NN_OP_matmul_nt:
    case NN_OP_group_fc: return 2 * count * source_shape(graph, node, 1).dim[1];
    case NN_OP_attn_probs: return 2 * count / a->heads * a->width;
    case NN_OP_attn_apply: return 2 * count * source_shape(graph, node, 0).dim[3];
    case NN_OP_attention: return 4 * count * source_shape(graph, node, 1).dim[1];
    default: return 0;
    }
}

double plan_nominal_flops(const struct plan_builder *b)
{
    double flops = 0;
    for (nn_id id = 0; id < nn_graph_size(b->graph); id++) {
        if (!b->constant[id]) {
            flops += node_flops(b->graph, nn_graph_node(b->graph, id));
        }
    }
    return flops;
}

/* An embedding reads only the rows of its table that the ids name: as many bytes as it
 * writes. */
static uint64_t step_bytes(const struct plan_builder *b, const struct plan_step *step)
{
    bool embed = nn_graph_node(b->graph, step->node)->op == NN_OP_embed;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < step->kernel.n_bindings; i++) {
        bool seen = false;
        for (uint32_t j = 0; j < i && !seen; j++) {
            seen = step->operand[j] == step->operand[i];
        }
        const struct plan_tensor *t = &b->tensors[step->operand[i]];
        if (embed && t->fixed.buffer) {
            t = &b->tensors[b->tensor[step->node]];
        }
        bytes += seen ? 0 : t->bytes;
    }
    return bytes;
}

/* --- Times to rows ---------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static int by_seconds(const void *left, const void *right)
{
    const struct nn_profile_row *a = left, *b = right;
    return a->seconds != b->seconds ? (a->seconds < b->seconds ? 1 : -1)
                                    : strcmp(a->what, b->what);
}

/* The median of one step's times; times is [runs][steps]. */
static double step_median(const double *times, uint32_t runs, uint32_t n_steps,
                          uint32_t step, double *scratch)
{
    for (uint32_t r = 0; r < runs; r++) {
        scratch[r] = times[(size_t)r * n_steps + step];
    }
    qsort(scratch, runs, sizeof *scratch, by_value);
    return runs % 2 ? scratch[runs / 2]
                    : (scratch[runs / 2 - 1] + scratch[runs / 2]) / 2;
}

static struct nn_profile_row *find_row(struct nn_profile *profile, const char *what)
{
    for (size_t i = 0; i < profile->n_rows; i++) {
        if (strcmp(profile->rows[i].what, what) == 0) {
            return &profile->rows[i];
        }
    }
    struct nn_profile_row *row = &profile->rows[profile->n_rows++];
    snprintf(row->what, sizeof row->what, "%s", what);
    return row;
}

static enum nn_status sum_rows(struct nn_profile *profile, const struct plan_builder *b,
                               const double *times, uint32_t runs,
                               struct nn_error *error)
{
    double *scratch = malloc(runs * sizeof *scratch);
    profile->rows = calloc(b->n_steps + 1, sizeof *profile->rows);
    if (!scratch || !profile->rows) {
        free(scratch);
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a profile");
    }
    for (uint32_t s = 0; s < b->n_steps; s++) {
        char what[sizeof profile->rows->what];
        describe_step(b->graph, &b->steps[s], what, sizeof what);
        struct nn_profile_row *row = find_row(profile, what);
        double seconds = step_median(times, runs, b->n_steps, s, scratch);
        row->calls++;
        row->seconds += seconds;
        row->flops += b->steps[s].flops;
        row->bytes += step_bytes(b, &b->steps[s]);
        profile->seconds += seconds;
    }
    qsort(profile->rows, profile->n_rows, sizeof *profile->rows, by_seconds);
    free(scratch);
    return NN_OK;
}

/* --- Profiling -------------------------------------------------------------------- */

/* Run 0 warms up and is overwritten by the next one. */
static enum nn_status time_runs(struct nn_plan *plan, enum plan_timing timing,
                                const struct nn_binding *inputs, size_t n_inputs,
                                double *times, uint32_t runs, struct nn_error *error)
{
    uint32_t n_steps = nn_plan_builder(plan)->n_steps;
    enum nn_status status = plan_record(plan, timing, error);
    for (uint32_t r = 0; r <= runs && status == NN_OK; r++) {
        double *to = times + (size_t)(r ? r - 1 : 0) * n_steps;
        status = plan_run_timed(plan, timing, inputs, n_inputs, to, error);
    }
    return status;
}

enum nn_status nn_plan_profile(struct nn_plan *plan, const struct nn_binding *inputs,
                               size_t n_inputs, const struct nn_profile_params *params,
                               struct nn_profile *out, struct nn_error *error)
{
    static const struct nn_profile_params defaults;
    params = params ? params : &defaults;
    const struct plan_builder *b = nn_plan_builder(plan);
    uint32_t runs = params->runs ? params->runs : 1;
    struct nn_profile profile = { .by_submits = params->by_submits
                                                || !b->caps->timestamps };
    double *times = calloc((size_t)runs * b->n_steps + 1, sizeof *times);
    if (!times) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a profile");
    }
    enum plan_timing timing = profile.by_submits ? PLAN_BY_SUBMITS : PLAN_BY_TIMESTAMPS;
    enum nn_status status =
        time_runs(plan, timing, inputs, n_inputs, times, runs, error);
    /* After a failure too: what comes next may be an ordinary run. */
    enum nn_status recorded =
        plan_record(plan, PLAN_UNTIMED, status == NN_OK ? error : NULL);
    status = status != NN_OK ? status : recorded;
    if (status == NN_OK) {
        status = sum_rows(&profile, b, times, runs, error);
    }
    free(times);
    if (status != NN_OK) {
        nn_profile_clear(&profile);
        return status;
    }
    *out = profile;
    return NN_OK;
}

void nn_profile_clear(struct nn_profile *profile)
{
    free(profile->rows);
    *profile = (struct nn_profile){ 0 };
}
