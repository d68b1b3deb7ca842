/* Builds and runs plans. Building goes in five passes:
 *   1. fuse the graph and drop what nobody asked for;
 *   2. ask every operator's planner for its dispatches over symbolic tensors;
 *   3. place the tensors in one arena, sharing bytes between lives that do not meet;
 *   4. find the dispatches before which a barrier is needed, from the byte ranges that
 *      were read and written since the last one (bytes are shared, so tensor identity
 *      would not do);
 *   5. record command buffers, each short enough for the submit budget. */
#include "compute/graph/plan_private.h"

#include "compute/graph/grad.h"
#include "compute/graph/graph_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_SUBMIT_SECONDS 0.05
#define MAX_SEGMENT_STEPS 1000

struct segment {
    uint32_t first, count; /* steps */
    double flops;
    struct gpu_commands *commands;
};

struct nn_plan {
    struct nn_graph *graph;
    struct nn_store *store;
    struct plan_builder b;
    struct gpu_buffer *arena;
    uint64_t arena_bytes, peak_bytes;
    bool *barrier;             /* by step: one is needed before it */
    uint32_t n_barriers;
    struct segment *segments;
    uint32_t n_segments;
    double submit_seconds, flops;
};

/* --- Building blocks for the planners --------------------------------------------- */

static enum nn_status add_tensor(struct plan_builder *b, const struct plan_tensor *tensor,
                                 uint32_t *out, struct nn_error *error)
{
    if (b->n_tensors == b->tensors_room) {
        uint32_t room = b->tensors_room ? 2 * b->tensors_room : 256;
        void *grown = realloc(b->tensors, room * sizeof *b->tensors);
        if (!grown) {
            return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a plan");
        }
        b->tensors = grown;
        b->tensors_room = room;
    }
    b->tensors[b->n_tensors] = *tensor;
    *out = b->n_tensors++;
    return NN_OK;
}

enum nn_status plan_constant(struct plan_builder *b, nn_id id, enum nn_pack pack,
                             uint32_t *out, struct nn_error *error)
{
    struct plan_tensor tensor = { 0 };
    enum nn_status status =
        nn_store_get(b->store, b->graph, id, pack, &tensor.fixed, error);
    if (status != NN_OK) {
        return status;
    }
    tensor.bytes = tensor.fixed.bytes;
    return add_tensor(b, &tensor, out, error);
}

enum nn_status plan_operand(struct plan_builder *b, nn_id id, uint32_t *out,
                            struct nn_error *error)
{
    if (b->tensor[id] == UINT32_MAX) {
        enum nn_pack pack = b->layout[id] == NN_LAYOUT_MAP ? NN_PACK_MAP : NN_PACK_ROWS;
        enum nn_status status = plan_constant(b, id, pack, &b->tensor[id], error);
        if (status != NN_OK) {
            return status;
        }
    }
    *out = b->tensor[id];
    return NN_OK;
}

enum nn_status plan_scratch(struct plan_builder *b, uint64_t bytes, uint32_t *out,
                            struct nn_error *error)
{
    if (bytes > b->caps->max_storage_range || bytes > UINT32_MAX) {
        return nn_fail(error, NN_ERROR_DEVICE_MEMORY,
                       "a tensor of %.1f MiB is larger than a buffer of %s may be",
                       bytes / 1048576.0, b->caps->name);
    }
    struct plan_tensor tensor = { .bytes = bytes, .first = UINT32_MAX };
    return add_tensor(b, &tensor, out, error);
}

enum nn_status plan_result(struct plan_builder *b, nn_id id, uint32_t *out,
                           struct nn_error *error)
{
    if (b->tensor[id] == UINT32_MAX) {
        uint64_t bytes =
            nn_layout_bytes(b->layout[id], nn_graph_node(b->graph, id)->shape, b->half);
        enum nn_status status = plan_scratch(b, bytes, &b->tensor[id], error);
        if (status != NN_OK) {
            return status;
        }
    }
    *out = b->tensor[id];
    return NN_OK;
}

enum nn_status plan_emit(struct plan_builder *b, const struct plan_step *step,
                         struct nn_error *error)
{
    if (b->n_steps == b->steps_room) {
        uint32_t room = b->steps_room ? 2 * b->steps_room : 256;
        void *grown = realloc(b->steps, room * sizeof *b->steps);
        if (!grown) {
            return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a plan");
        }
        b->steps = grown;
        b->steps_room = room;
    }
    for (uint32_t i = 0; i < step->kernel.n_bindings; i++) {
        struct plan_tensor *tensor = &b->tensors[step->operand[i]];
        if (tensor->first > b->n_steps) {
            tensor->first = b->n_steps;
        }
        if (tensor->last < b->n_steps) {
            tensor->last = b->n_steps;
        }
        tensor->used = true;
    }
    b->steps[b->n_steps] = *step;
    b->steps[b->n_steps].kernel.half = b->half;
    b->steps[b->n_steps++].node = b->node;
    return NN_OK;
}

void plan_groups(const struct plan_builder *b, struct plan_step *step, uint64_t count)
{
    uint64_t groups = (count + 63) / 64;
    uint64_t most = b->caps->type == GPU_SOFTWARE ? 256 : 16384;
    step->groups[0] = (uint32_t)(groups < most ? groups : most);
    step->groups[0] = step->groups[0] ? step->groups[0] : 1;
    step->groups[1] = step->groups[2] = 1;
}

enum nn_status plan_emit_rows(struct plan_builder *b, struct plan_step *step,
                              uint32_t rows, uint32_t base_word, struct nn_error *error)
{
    enum nn_status status = NN_OK;
    uint32_t most = b->caps->max_groups[0];
    double flops = step->flops;
    for (uint32_t base = 0; base < rows && status == NN_OK; base += most) {
        uint32_t count = rows - base < most ? rows - base : most;
        memcpy(step->push + 4 * base_word, &base, 4);
        step->groups[0] = count;
        step->groups[1] = step->groups[2] = 1;
        step->flops = flops * count / rows;
        status = plan_emit(b, step, error);
    }
    return status;
}

/* --- Pass 2: operators to steps ---------------------------------------------------- */

typedef enum nn_status (*plan_op)(struct plan_builder *, nn_id, struct nn_error *);

static const plan_op planners[NN_OP_COUNT] = {
#define OP(name, min, max, kind, saved) [NN_OP_##name] = plan_op_##name,
#include "compute/graph/op.def"
#undef OP
};

static enum nn_layout layout_of(const struct plan_builder *b, nn_id id)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    if (node->type == NN_I32) {
        return NN_LAYOUT_INDEX;
    }
    if (node->shape.rank != 4) {
        return NN_LAYOUT_ROWS;
    }
    switch (node->op) {
    case NN_OP_attn_probs:
    case NN_OP_attn_grad_probs: return NN_LAYOUT_ROWS;
    case NN_OP_softmax:
    case NN_OP_softmax_grad:
    case NN_OP_activation:
    case NN_OP_activation_grad:
    case NN_OP_mul:
    case NN_OP_mul_scalar:
    case NN_OP_dropout:
    case NN_OP_add:
    case NN_OP_scale: return b->layout[node->source[0]];
    default: return NN_LAYOUT_MAP;
    }
}

static bool is_constant(const struct plan_builder *b, nn_id id)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    if (node->op == NN_OP_param) {
        return true;
    }
    if (node->n_sources == 0) {
        return false;
    }
    for (uint32_t i = 0; i < node->n_sources; i++) {
        if (node->source[i] != NN_NONE && !b->constant[node->source[i]]) {
            return false;
        }
    }
    return true;
}

static enum nn_status describe_nodes(struct plan_builder *b, struct nn_error *error)
{
    uint32_t n = nn_graph_size(b->graph);
    b->constant = calloc(n + 1, sizeof *b->constant);
    b->layout = calloc(n + 1, sizeof *b->layout);
    b->tensor = malloc((n + 1) * sizeof *b->tensor);
    if (!b->constant || !b->layout || !b->tensor) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a plan");
    }
    for (nn_id id = 0; id < n; id++) {
        b->tensor[id] = UINT32_MAX;
        b->constant[id] = is_constant(b, id);
        b->layout[id] = layout_of(b, id);
    }
    return NN_OK;
}

static enum nn_status emit_nodes(struct plan_builder *b, struct nn_error *error)
{
    for (nn_id id = 0; id < nn_graph_size(b->graph); id++) {
        const struct nn_node *node = nn_graph_node(b->graph, id);
        if (b->constant[id]) {
            continue;
        }
        b->node = id;
        enum nn_status status = planners[node->op](b, id, error);
        if (status != NN_OK) {
            return status;
        }
    }
    for (nn_id id = 0; id < nn_graph_size(b->graph); id++) {
        const struct nn_node *node = nn_graph_node(b->graph, id);
        uint32_t tensor;
        if (node->output) {
            enum nn_status status = plan_operand(b, id, &tensor, error);
            if (status != NN_OK) {
                return status;
            }
            b->tensors[tensor].last = UINT32_MAX;
            b->tensors[tensor].used = true;
        }
        if (node->op == NN_OP_input || node->op == NN_OP_variable) {
            b->tensors[b->tensor[id]].first = 0;
        }
        if (node->op == NN_OP_variable) { /* it keeps its bytes from run to run */
            b->tensors[b->tensor[id]].last = UINT32_MAX;
            b->tensors[b->tensor[id]].used = true;
        }
    }
    return NN_OK;
}

/* --- Pass 3: the arena --------------------------------------------------------------- */


static uint64_t aligned(uint64_t bytes)
{
    return (bytes + NN_ALIGN - 1) / NN_ALIGN * NN_ALIGN;
}

struct placement { uint32_t tensor; uint64_t bytes; };

static int by_size(const void *left, const void *right)
{
    const struct placement *a = left, *b = right;
    if (a->bytes != b->bytes) {
        return a->bytes < b->bytes ? 1 : -1;
    }
    return a->tensor < b->tensor ? -1 : 1;
}

static bool lives_meet(const struct plan_tensor *a, const struct plan_tensor *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset at which `tensor` overlaps no placed tensor that lives with it. */
static uint64_t find_offset(const struct plan_builder *b, const struct placement *placed,
                            uint32_t n_placed, const struct plan_tensor *tensor)
{
    uint64_t offset = 0;
    bool moved = true;
    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < n_placed; i++) {
            const struct plan_tensor *other = &b->tensors[placed[i].tensor];
            if (lives_meet(tensor, other) && offset < other->offset + aligned(other->bytes)
                && other->offset < offset + aligned(tensor->bytes)) {
                offset = other->offset + aligned(other->bytes);
                moved = true;
            }
        }
    }
    return offset;
}

static uint64_t peak_of(const struct plan_builder *b)
{
    uint64_t peak = 0;
    for (uint32_t step = 0; step < b->n_steps; step++) {
        uint64_t live = 0;
        for (uint32_t i = 0; i < b->n_tensors; i++) {
            const struct plan_tensor *t = &b->tensors[i];
            if (!t->fixed.buffer && t->used && t->first <= step && step <= t->last) {
                live += aligned(t->bytes);
            }
        }
        peak = live > peak ? live : peak;
    }
    return peak;
}

static enum nn_status place_tensors(struct nn_plan *plan, struct nn_error *error)
{
    struct plan_builder *b = &plan->b;
    struct placement *order = malloc((b->n_tensors + 1) * sizeof *order);
    if (!order) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a plan");
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n_tensors; i++) {
        if (!b->tensors[i].fixed.buffer && (b->tensors[i].used || !b->tensors[i].first)) {
            order[n++] = (struct placement){ i, b->tensors[i].bytes };
        }
    }
    qsort(order, n, sizeof *order, by_size);
    for (uint32_t i = 0; i < n; i++) {
        struct plan_tensor *tensor = &b->tensors[order[i].tensor];
        tensor->offset = find_offset(b, order, i, tensor);
        uint64_t end = tensor->offset + aligned(tensor->bytes);
        plan->arena_bytes = end > plan->arena_bytes ? end : plan->arena_bytes;
    }
    free(order);
    plan->peak_bytes = peak_of(b);
    return gpu_buffer_create(&plan->arena, nn_store_device(plan->store),
                             plan->arena_bytes ? plan->arena_bytes : NN_ALIGN, error);
}

static struct gpu_range range_of(const struct nn_plan *plan, uint32_t tensor)
{
    const struct plan_tensor *t = &plan->b.tensors[tensor];
    return t->fixed.buffer ? t->fixed
                           : (struct gpu_range){ plan->arena, t->offset, t->bytes };
}

/* --- Pass 4: hazards ------------------------------------------------------------------ */

struct access { uint64_t begin, end; bool write; };

/* Whether step `s` touches bytes of the arena that conflict with `seen`. */
static bool conflicts(const struct nn_plan *plan, const struct plan_step *step,
                      const struct access *seen, uint32_t n_seen)
{
    for (uint32_t i = 0; i < step->kernel.n_bindings; i++) {
        const struct plan_tensor *t = &plan->b.tensors[step->operand[i]];
        if (t->fixed.buffer) {
            continue;
        }
        bool write = step->write_mask >> i & 1;
        for (uint32_t j = 0; j < n_seen; j++) {
            if ((write || seen[j].write) && t->offset < seen[j].end
                && seen[j].begin < t->offset + t->bytes) {
                return true;
            }
        }
    }
    return false;
}

/* Dispatches that an operator was cut into write one tensor at different places, which
 * is no hazard among them. */
static bool same_operator(const struct plan_step *a, const struct plan_step *b)
{
    return memcmp(a->operand, b->operand, sizeof a->operand) == 0
           && memcmp(&a->kernel, &b->kernel, sizeof a->kernel) == 0;
}

static enum nn_status find_hazards(struct nn_plan *plan, struct nn_error *error)
{
    struct plan_builder *b = &plan->b;
    plan->barrier = calloc(b->n_steps + 1, sizeof *plan->barrier);
    struct access *seen = malloc((b->n_steps + 1) * NN_MAX_OPERANDS * sizeof *seen);
    if (!plan->barrier || !seen) {
        free(seen);
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a plan");
    }
    uint32_t n_seen = 0;
    for (uint32_t s = 0; s < b->n_steps; s++) {
        const struct plan_step *step = &b->steps[s];
        if (s > 0 && same_operator(step, step - 1)) {
            continue;
        }
        if (conflicts(plan, step, seen, n_seen)) {
            plan->barrier[s] = true;
            plan->n_barriers++;
            n_seen = 0;
        }
        for (uint32_t i = 0; i < step->kernel.n_bindings; i++) {
            const struct plan_tensor *t = &b->tensors[step->operand[i]];
            if (!t->fixed.buffer) {
                seen[n_seen++] = (struct access){ t->offset, t->offset + t->bytes,
                                                  step->write_mask >> i & 1 };
            }
        }
    }
    free(seen);
    return NN_OK;
}

/* --- Pass 5: recording ------------------------------------------------------------------ */

static void drop_segments(struct nn_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_segments; i++) {
        gpu_commands_destroy(&plan->segments[i].commands);
    }
    free(plan->segments);
    plan->segments = NULL;
    plan->n_segments = 0;
}

static enum nn_status cut_segments(struct nn_plan *plan, enum plan_timing timing,
                                   struct nn_error *error)
{
    const struct plan_builder *b = &plan->b;
    double limit = plan->submit_seconds / *nn_store_seconds_per_flop(plan->store);
    uint32_t most = timing == PLAN_BY_SUBMITS ? 1 : MAX_SEGMENT_STEPS;
    plan->segments = calloc(b->n_steps + 1, sizeof *plan->segments);
    if (!plan->segments) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a plan");
    }
    for (uint32_t s = 0; s < b->n_steps; s++) {
        struct segment *last = plan->n_segments ? &plan->segments[plan->n_segments - 1]
                                                : NULL;
        if (!last || last->flops + b->steps[s].flops > limit || last->count >= most) {
            last = &plan->segments[plan->n_segments++];
            last->first = s;
        }
        last->count++;
        last->flops += b->steps[s].flops;
    }
    return NN_OK;
}

static enum nn_status record_step(const struct nn_plan *plan, const struct plan_step *step,
                                  struct gpu_commands *commands, struct nn_error *error)
{
    struct gpu_dispatch dispatch = { .label = step->label };
    for (uint32_t i = 0; i < step->kernel.n_bindings; i++) {
        dispatch.binding[i] = range_of(plan, step->operand[i]);
    }
    memcpy(dispatch.push, step->push, sizeof dispatch.push);
    memcpy(dispatch.groups, step->groups, sizeof dispatch.groups);
    enum nn_status status = gpu_kernel_get(
        &dispatch.kernel, nn_store_device(plan->store), &step->kernel, error);
    return status != NN_OK ? status : gpu_commands_dispatch(commands, &dispatch, error);
}

static enum nn_status record_segment(struct nn_plan *plan, struct segment *segment,
                                     bool timed, struct nn_error *error)
{
    enum nn_status status =
        gpu_commands_create(&segment->commands, nn_store_device(plan->store), error);
    if (status == NN_OK && timed) {
        gpu_commands_timestamp(segment->commands);
    }
    for (uint32_t i = 0; i < segment->count && status == NN_OK; i++) {
        uint32_t s = segment->first + i;
        if (i > 0 && (plan->barrier[s] || timed)) {
            gpu_commands_barrier(segment->commands);
        }
        status = record_step(plan, &plan->b.steps[s], segment->commands, error);
        if (timed) {
            gpu_commands_timestamp(segment->commands);
        }
    }
    return status != NN_OK ? status : gpu_commands_finish(segment->commands, error);
}

static enum nn_status prepare_kernels(struct nn_plan *plan, struct nn_error *error)
{
    const struct plan_builder *b = &plan->b;
    const struct gpu_kernel_desc **descs = calloc(b->n_steps + 1, sizeof *descs);
    if (!descs) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a plan");
    }
    for (uint32_t i = 0; i < b->n_steps; i++) {
        descs[i] = &b->steps[i].kernel;
    }
    enum nn_status status = gpu_kernels_prepare(nn_store_device(plan->store), descs,
                                                b->n_steps, error);
    free(descs);
    return status;
}

enum nn_status plan_record(struct nn_plan *plan, enum plan_timing timing,
                           struct nn_error *error)
{
    drop_segments(plan);
    enum nn_status status = cut_segments(plan, timing, error);
    for (uint32_t i = 0; i < plan->n_segments && status == NN_OK; i++) {
        status = record_segment(plan, &plan->segments[i], timing == PLAN_BY_TIMESTAMPS,
                                error);
    }
    return status;
}

/* --- Life ---------------------------------------------------------------------------- */

/* The operators of training have kernels in f32 alone. */
static enum nn_status check_precision(const struct plan_builder *b, struct nn_error *error)
{
    for (nn_id id = 0; b->half && id < nn_graph_size(b->graph); id++) {
        if (nn_graph_node(b->graph, id)->op >= NN_OP_variable) {
            return nn_fail(error, NN_ERROR_UNSUPPORTED,
                           "%s needs a device opened for f32",
                           nn_op_name(nn_graph_node(b->graph, id)->op));
        }
    }
    return NN_OK;
}

/* Variables begin at zero. */
static enum nn_status clear_variables(struct nn_plan *plan, struct nn_error *error)
{
    enum nn_status status = NN_OK;
    for (nn_id id = 0; id < nn_graph_size(plan->graph) && status == NN_OK; id++) {
        if (nn_graph_node(plan->graph, id)->op != NN_OP_variable) {
            continue;
        }
        struct gpu_range range = range_of(plan, plan->b.tensor[id]);
        void *zeros = calloc(1, range.bytes);
        status = zeros ? gpu_buffer_write(range.buffer, range.offset, zeros, range.bytes,
                                          error)
                       : nn_fail(error, NN_ERROR_MEMORY, "out of memory for a plan");
        free(zeros);
    }
    return status;
}

static enum nn_status build(struct nn_plan *plan, const struct nn_graph *graph,
                            const struct nn_plan_params *params, struct nn_error *error)
{
    enum nn_status status = nn_graph_fuse(&plan->graph, graph, params->wanted,
                                          params->n_wanted, !params->no_fuse, error);
    if (status != NN_OK) {
        return status;
    }
    struct plan_builder *b = &plan->b;
    b->graph = plan->graph;
    b->store = plan->store;
    b->caps = gpu_device_caps(nn_store_device(plan->store));
    b->winograd = !params->no_winograd && !params->no_fuse && !b->caps->choice.no_winograd;
    b->lanes = b->caps->subgroup_arithmetic ? b->caps->subgroup_size : 1;
    b->half = b->caps->choice.precision == GPU_PRECISION_F16;
    if ((status = check_precision(b, error)) != NN_OK
        || (status = describe_nodes(b, error)) != NN_OK
        || (status = emit_nodes(b, error)) != NN_OK
        || (status = place_tensors(plan, error)) != NN_OK
        || (status = clear_variables(plan, error)) != NN_OK
        || (status = find_hazards(plan, error)) != NN_OK) {
        return status;
    }
    for (uint32_t i = 0; i < b->n_steps; i++) {
        plan->flops += b->steps[i].flops;
    }
    status = prepare_kernels(plan, error);
    return status == NN_OK ? plan_record(plan, PLAN_UNTIMED, error) : status;
}

enum nn_status nn_plan_create(struct nn_plan **out, const struct nn_graph *graph,
                              struct nn_store *store,
                              const struct nn_plan_params *params, struct nn_error *error)
{
    enum nn_status status = nn_graph_check(graph, error);
    if (status != NN_OK) {
        return status;
    }
    struct nn_plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a plan");
    }
    static const struct nn_plan_params defaults;
    params = params ? params : &defaults;
    plan->store = store;
    plan->submit_seconds =
        params->submit_seconds > 0 ? params->submit_seconds : DEFAULT_SUBMIT_SECONDS;
    status = build(plan, graph, params, error);
    if (status != NN_OK) {
        nn_plan_destroy(&plan);
        return status;
    }
    *out = plan;
    return NN_OK;
}

void nn_plan_destroy(struct nn_plan **plan)
{
    if (!plan || !*plan) {
        return;
    }
    struct nn_plan *p = *plan;
    drop_segments(p);
    gpu_buffer_destroy(&p->arena);
    nn_graph_destroy(&p->graph);
    free(p->barrier);
    free(p->b.constant);
    free(p->b.layout);
    free(p->b.tensor);
    free(p->b.tensors);
    free(p->b.steps);
    free(p);
    *plan = NULL;
}

/* --- Running --------------------------------------------------------------------------- */

static enum nn_status bound_node(const struct nn_plan *plan, const struct nn_binding *bind,
                                 nn_id *out, struct nn_error *error)
{
    nn_id id = nn_graph_find(plan->graph, bind->name);
    if (id == NN_NONE) {
        return nn_fail(error, NN_ERROR_INVALID, "the plan has no tensor called %s",
                       bind->name);
    }
    const struct nn_node *node = nn_graph_node(plan->graph, id);
    if (bind->count != nn_shape_count(node->shape)) {
        return nn_fail(error, NN_ERROR_INVALID, "%s has %llu values, not %llu", bind->name,
                       (unsigned long long)nn_shape_count(node->shape),
                       (unsigned long long)bind->count);
    }
    *out = id;
    return NN_OK;
}

/* `packed` has room for the layout's values in f32. */
static enum nn_status upload_packed(const struct nn_binding *bind, struct nn_shape shape,
                                    enum nn_layout layout, bool half,
                                    struct gpu_range range, void *packed,
                                    struct nn_error *error)
{
    nn_layout_pack(layout, shape, bind->values, packed);
    if (half) {
        nn_layout_narrow(packed, nn_layout_values(layout, shape));
    }
    return gpu_buffer_write(range.buffer, range.offset, packed, range.bytes, error);
}

static enum nn_status download_packed(const struct nn_binding *bind, struct nn_shape shape,
                                      enum nn_layout layout, bool half,
                                      struct gpu_range range, void *packed,
                                      struct nn_error *error)
{
    enum nn_status status =
        gpu_buffer_read(range.buffer, range.offset, packed, range.bytes, error);
    if (status == NN_OK && half) {
        nn_layout_widen(packed, nn_layout_values(layout, shape));
    }
    if (status == NN_OK) {
        nn_layout_unpack(layout, shape, packed, bind->values);
    }
    return status;
}

/* Between a host array and its tensor, through a buffer in device layout unless the two
 * are the same. What is uploaded must be a leaf of the kind `leaf`. */
static enum nn_status transfer(struct nn_plan *plan, const struct nn_binding *bind,
                               bool upload, enum nn_op leaf, struct nn_error *error)
{
    nn_id id = NN_NONE;
    enum nn_status status = bound_node(plan, bind, &id, error);
    if (status != NN_OK) {
        return status;
    }
    const struct nn_node *node = nn_graph_node(plan->graph, id);
    if (plan->b.tensor[id] == UINT32_MAX || (upload && node->op != leaf)) {
        return nn_fail(error, NN_ERROR_INVALID, "%s is not an %s of the plan", bind->name,
                       upload ? nn_op_name(leaf) : "output");
    }
    struct gpu_range range = range_of(plan, plan->b.tensor[id]);
    enum nn_layout layout = plan->b.layout[id];
    bool half = plan->b.half && layout != NN_LAYOUT_INDEX;
    range.bytes = nn_layout_bytes(layout, node->shape, half);
    if (!half && nn_layout_is_logical(layout, node->shape)) {
        return upload ? gpu_buffer_write(range.buffer, range.offset, bind->values,
                                         range.bytes, error)
                      : gpu_buffer_read(range.buffer, range.offset, bind->values,
                                        range.bytes, error);
    }
    uint64_t values = nn_layout_values(layout, node->shape);
    void *packed = malloc(values ? values * 4 : 16);
    if (!packed) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for %s", bind->name);
    }
    status = upload ? upload_packed(bind, node->shape, layout, half, range, packed, error)
                    : download_packed(bind, node->shape, layout, half, range, packed,
                                      error);
    free(packed);
    return status;
}

enum nn_status nn_plan_write(struct nn_plan *plan, const struct nn_binding *variable,
                             struct nn_error *error)
{
    return transfer(plan, variable, true, NN_OP_variable, error);
}

enum nn_status nn_plan_read(struct nn_plan *plan, const struct nn_binding *variable,
                            struct nn_error *error)
{
    return transfer(plan, variable, false, NN_OP_variable, error);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Runs every segment; *worst is the longest one's seconds over the budget. */
static enum nn_status replay(struct nn_plan *plan, const struct nn_run_params *run,
                             struct nn_error *error)
{
    for (uint32_t i = 0; i < plan->n_segments; i++) {
        if (run && run->cancel && atomic_load(run->cancel)) {
            return nn_fail(error, NN_ERROR_CANCELLED, "cancelled");
        }
        struct segment *segment = &plan->segments[i];
        double begin = now();
        enum nn_status status = gpu_commands_submit(segment->commands, error);
        if (status == NN_OK) {
            status = gpu_commands_wait(segment->commands, error);
        }
        if (status != NN_OK) {
            return status;
        }
        double rate = (now() - begin) / (segment->flops > 1e6 ? segment->flops : 1e6);
        double *known = nn_store_seconds_per_flop(plan->store);
        *known = 0.9 * *known + 0.1 * rate;
        if (run && run->progress) {
            run->progress(run->user, (i + 1.0) / plan->n_segments);
        }
    }
    return NN_OK;
}

/* Whether submits came out far too long or needlessly short for the budget. */
static bool should_cut_again(const struct nn_plan *plan)
{
    double worst = 0;
    for (uint32_t i = 0; i < plan->n_segments; i++) {
        const struct segment *s = &plan->segments[i];
        double seconds = s->flops * *nn_store_seconds_per_flop(plan->store);
        if (s->count > 1 && seconds > worst) {
            worst = seconds;
        }
    }
    return worst > 3 * plan->submit_seconds;
}

static enum nn_status check_inputs(const struct nn_plan *plan,
                                   const struct nn_binding *inputs, size_t n_inputs,
                                   struct nn_error *error)
{
    for (nn_id id = 0; id < nn_graph_size(plan->graph); id++) {
        const struct nn_node *node = nn_graph_node(plan->graph, id);
        bool given = node->op != NN_OP_input;
        for (size_t i = 0; i < n_inputs && !given; i++) {
            given = strcmp(inputs[i].name, node->name) == 0;
        }
        if (!given) {
            return nn_fail(error, NN_ERROR_INVALID, "input %s is missing", node->name);
        }
    }
    return NN_OK;
}

enum nn_status plan_upload(struct nn_plan *plan, const struct nn_binding *inputs,
                           size_t n_inputs, struct nn_error *error)
{
    enum nn_status status = check_inputs(plan, inputs, n_inputs, error);
    for (size_t i = 0; i < n_inputs && status == NN_OK; i++) {
        /* An input that fusion found to be unused is no fault of the caller. */
        if (nn_graph_find(plan->graph, inputs[i].name) != NN_NONE) {
            status = transfer(plan, &inputs[i], true, NN_OP_input, error);
        }
    }
    return status;
}

enum nn_status nn_plan_run(struct nn_plan *plan, const struct nn_binding *inputs,
                           size_t n_inputs, const struct nn_binding *outputs,
                           size_t n_outputs, const struct nn_run_params *run,
                           struct nn_error *error)
{
    enum nn_status status = plan_upload(plan, inputs, n_inputs, error);
    if (status == NN_OK && should_cut_again(plan)) {
        status = plan_record(plan, PLAN_UNTIMED, error);
    }
    if (status == NN_OK) {
        status = replay(plan, run, error);
    }
    for (size_t i = 0; i < n_outputs && status == NN_OK; i++) {
        status = transfer(plan, &outputs[i], false, NN_OP_input, error);
    }
    return status;
}

/* --- Timed runs, for profile.c -------------------------------------------------------- */

const struct plan_builder *nn_plan_builder(const struct nn_plan *plan)
{
    return &plan->b;
}

const struct nn_graph *nn_plan_graph(const struct nn_plan *plan)
{
    return plan->graph;
}

/* A step's time is that between the timestamp before it and the one after it. */
static enum nn_status read_timestamps(const struct segment *segment, double *seconds,
                                      struct nn_error *error)
{
    double ns[MAX_SEGMENT_STEPS + 1];
    enum nn_status status =
        gpu_commands_times(segment->commands, ns, segment->count + 1, error);
    for (uint32_t i = 0; i < segment->count && status == NN_OK; i++) {
        seconds[segment->first + i] = 1e-9 * (ns[i + 1] - ns[i]);
    }
    return status;
}

enum nn_status plan_run_step(struct nn_plan *plan, uint32_t step, struct nn_error *error)
{
    struct segment *segment = &plan->segments[step];
    enum nn_status status = gpu_commands_submit(segment->commands, error);
    return status == NN_OK ? gpu_commands_wait(segment->commands, error) : status;
}

enum nn_status plan_read_tensor(const struct nn_plan *plan, uint32_t tensor, void *out,
                                struct nn_error *error)
{
    struct gpu_range range = range_of(plan, tensor);
    return gpu_buffer_read(range.buffer, range.offset, out, range.bytes, error);
}

enum nn_status plan_run_timed(struct nn_plan *plan, enum plan_timing timing,
                              const struct nn_binding *inputs, size_t n_inputs,
                              double *seconds, struct nn_error *error)
{
    enum nn_status status = plan_upload(plan, inputs, n_inputs, error);
    for (uint32_t i = 0; i < plan->n_segments && status == NN_OK; i++) {
        struct segment *segment = &plan->segments[i];
        double begin = now();
        status = gpu_commands_submit(segment->commands, error);
        if (status == NN_OK) {
            status = gpu_commands_wait(segment->commands, error);
        }
        if (timing == PLAN_BY_SUBMITS) {
            seconds[segment->first] = now() - begin;
        } else if (status == NN_OK) {
            status = read_timestamps(segment, seconds, error);
        }
    }
    return status;
}

void nn_plan_get_facts(const struct nn_plan *plan, struct nn_plan_facts *out)
{
    *out = (struct nn_plan_facts){
        .arena_bytes = plan->arena_bytes, .peak_bytes = plan->peak_bytes,
        .n_dispatches = plan->b.n_steps, .n_submits = plan->n_segments,
        .n_barriers = plan->n_barriers, .n_nodes = nn_graph_size(plan->graph),
        .flops = plan->flops, .nominal_flops = plan_nominal_flops(&plan->b) };
}
