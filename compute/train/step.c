#include "compute/train/step_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values for the params that stay constant. */
static enum nn_status read_param(void *user, const char *name, float *out, uint64_t count,
                                 struct nn_error *error)
{
    const struct state *state = user;
    const struct state_entry *e = state_find(state, name);
    if (!e || e->count != count) {
        return nn_fail(error, NN_ERROR_INVALID, "tensor \"%s\" is missing or does not fit",
                       name);
    }
    return state_read(state, e, out, error);
}

/* --- The plan --------------------------------------------------------------------------- */

/* The average begins at the value. */
static enum nn_status write_variables(struct train_step *step, struct nn_error *error)
{
    enum nn_status status = NN_OK;
    for (size_t i = 0; i < step->n_variables && status == NN_OK; i++) {
        const struct state_entry *e = step->variables[i].info.entry;
        float *values = malloc(e->count * sizeof *values + 1);
        status = values ? state_read(step->state, e, values, error)
                        : nn_fail(error, NN_ERROR_MEMORY, "out of memory for weights");
        if (status == NN_OK) {
            status = train_step_write_slot(step, i, TRAIN_SLOT_VALUE, values, error);
        }
        if (status == NN_OK && step->params.ema > 0) {
            status = train_step_write_slot(step, i, TRAIN_SLOT_AVERAGE, values, error);
        }
        free(values);
    }
    return status;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The losses and, where they are kept, the gradients; not the networks' intermediates. */
static enum nn_status make_plan(struct train_step *step, struct nn_error *error)
{
    uint32_t n = nn_graph_size(step->graph);
    const char **wanted = malloc((n + 1) * sizeof *wanted);
    if (!wanted) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a training step");
    }
    struct nn_plan_params params = { .no_fuse = true, .wanted = wanted };
    for (nn_id id = 0; id < n; id++) {
        const struct nn_node *node = nn_graph_node(step->graph, id);
        if (node->output && (begins(node->name, "loss.") || begins(node->name, "norm.")
                             || begins(node->name, "grad."))) {
            wanted[params.n_wanted++] = node->name;
        }
    }
    enum nn_status status =
        nn_plan_create(&step->plan, step->graph, step->store, &params, error);
    free(wanted);
    return status;
}

static bool is_rate(double value)
{
    return value >= 0 && value < 1;
}

static enum nn_status check_params(const struct train_step_params *p, struct nn_error *error)
{
    if ((p->images.rank > 0) == (p->features.rank > 0)
        || (p->label_tokens.rank > 0) == (p->label_embeddings.rank > 0)) {
        return nn_fail(error, NN_ERROR_INVALID, "a training step takes images or features, "
                       "and label tokens or label embeddings");
    }
    if (p->features.rank > 0 && p->scope == TRAIN_ALL) {
        return nn_fail(error, NN_ERROR_INVALID,
                       "features in place of images leave the image encoder untrained");
    }
    if (p->scope == TRAIN_DECODER && (p->features.rank == 0 || p->tokens.rank > 0)) {
        return nn_fail(error, NN_ERROR_INVALID,
                       "the decoder alone is trained from tokens and without captions");
    }
    if (!is_rate(p->dropout) || !is_rate(p->ema) || !(p->max_norm >= 0)) {
        return nn_fail(error, NN_ERROR_INVALID, "dropout and the average's decay must be "
                       "below 1, and no limit negative");
    }
    if (p->mixed) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED, "training has no mixed precision yet");
    }
    return NN_OK;
}

enum nn_status train_step_create(struct train_step **out, struct gpu_device *device,
                                 const struct state *state,
                                 const struct train_step_params *params,
                                 struct nn_error *error)
{
    enum nn_status status = check_params(params, error);
    struct train_step *step = status == NN_OK ? calloc(1, sizeof *step) : NULL;
    if (!step) {
        return status != NN_OK ? status : nn_fail(error, NN_ERROR_MEMORY,
                                                  "out of memory for a training step");
    }
    step->state = state;
    step->params = *params;
    step->images = (params->features.rank ? params->features : params->images).dim[0];
    if (params->beta > 0 || params->auxiliary <= 0) {
        step->labels = (params->label_tokens.rank ? params->label_tokens
                                                  : params->label_embeddings).dim[0];
    }
    step->contrast = params->tokens.rank > 0 && state_find(state, "align.W_i");
    struct nn_params constants = { (void *)state, read_param };
    status = train_graph_build(step, error);
    if (status == NN_OK) {
        status = nn_store_create(&step->store, device, &constants, error);
    }
    if (status == NN_OK) {
        status = make_plan(step, error);
    }
    if (status == NN_OK) {
        status = write_variables(step, error);
    }
    if (status != NN_OK) {
        train_step_destroy(&step);
        return status;
    }
    *out = step;
    return NN_OK;
}

void train_step_destroy(struct train_step **step)
{
    if (!step || !*step) {
        return;
    }
    nn_plan_destroy(&(*step)->plan);
    nn_store_destroy(&(*step)->store);
    nn_graph_destroy(&(*step)->graph);
    free((*step)->variables);
    free(*step);
    *step = NULL;
}

/* --- Running ------------------------------------------------------------------------------ */

struct inputs {
    struct nn_binding bind[12];
    size_t n;
    float numbers[NN_ADAM_NUMBERS];
    int32_t random[NN_RANDOM_NUMBERS];
};

/* Adds an input unless its shape says that there is none. Bindings are not const because
 * the reference changes variables; inputs stay. */
static void bind_shaped(struct inputs *in, const char *name, const void *values,
                        struct nn_shape shape)
{
    if (shape.rank > 0) {
        in->bind[in->n++] =
            (struct nn_binding){ name, (void *)values, nn_shape_count(shape) };
    }
}

static void bind_inputs(const struct train_step *step, const struct train_batch *batch,
                        const struct nn_adam *adam, struct inputs *in)
{
    const struct train_step_params *p = &step->params;
    const struct nn_shape none = { 0 }, labels = NN_SHAPE1(step->labels);
    const bool decoder = step->labels > 0;
    in->n = 0;
    nn_adam_numbers(adam, in->numbers);
    nn_random_numbers(p->seed, adam->step, in->random);
    bind_shaped(in, "images", batch->images, p->images);
    bind_shaped(in, "features", batch->features, p->features);
    bind_shaped(in, "label_embeddings", batch->label_embeddings, decoder ? p->label_embeddings : none);
    bind_shaped(in, "label_tokens", batch->label_tokens, decoder ? p->label_tokens : none);
    bind_shaped(in, "label_eot", batch->label_eot,
                decoder && p->label_tokens.rank ? labels : none);
    bind_shaped(in, "targets", batch->targets,
                decoder ? NN_SHAPE2(step->images, step->labels) : none);
    bind_shaped(in, "adam.numbers", in->numbers, NN_SHAPE1(NN_ADAM_NUMBERS));
    bind_shaped(in, "random", in->random,
                p->dropout > 0 && decoder ? NN_SHAPE1(NN_RANDOM_NUMBERS) : none);
    bind_shaped(in, "tokens", batch->tokens, step->contrast ? p->tokens : none);
    bind_shaped(in, "auxiliary_targets", batch->auxiliary_targets,
                step->classes ? NN_SHAPE2(step->images, step->classes) : none);
    bind_shaped(in, "eot", batch->eot, step->contrast ? NN_SHAPE1(step->images) : none);
}

/* Says what was first to be no number. */
static enum nn_status name_fault(struct train_step *step, const struct inputs *in,
                                 uint64_t number, const char *seen, struct nn_error *error)
{
    char what[200];
    struct nn_error fault = { 0 };
    enum nn_status status =
        nn_plan_find_fault(step->plan, in->bind, in->n, what, sizeof what, &fault);
    return nn_fail(error, NN_ERROR_INVALID, "the %s of step %llu is not a number%s%s", seen,
                   (unsigned long long)number,
                   status != NN_OK || !what[0] ? "" : "; the first that is none is in ",
                   status != NN_OK ? "" : what);
}

enum nn_status train_step_run(struct train_step *step, const struct train_batch *batch,
                              const struct nn_adam *adam, struct train_losses *out,
                              struct nn_error *error)
{
    struct inputs in;
    float square = 0;
    *out = (struct train_losses){ 0 };
    size_t n = 2;
    struct nn_binding outputs[4] = { { "loss.total", &out->total, 1 },
                                     { "norm.square", &square, 1 } };
    if (step->labels > 0) {
        outputs[n++] = (struct nn_binding){ "loss.labels", &out->labels, 1 };
    }
    if (step->contrast) {
        outputs[n++] = (struct nn_binding){ "loss.clip", &out->clip, 1 };
    }
    bind_inputs(step, batch, adam, &in);
    enum nn_status status = nn_plan_run(step->plan, in.bind, in.n, outputs, n, NULL, error);
    double norm = sqrt((double)square) * adam->gradient_factor;
    out->gradient_norm = step->params.max_norm > 0 ? (float)norm : 0;
    if (status == NN_OK && !(isfinite(out->total) && isfinite(norm))) {
        status = name_fault(step, &in, adam->step,
                            isfinite(out->total) ? "gradient" : "loss", error);
    }
    return status;
}

struct nn_plan *train_step_plan(struct train_step *step)
{
    return step->plan;
}

/* --- Variables ---------------------------------------------------------------------------- */

size_t train_step_count(const struct train_step *step)
{
    return step->n_variables;
}

const struct train_variable *train_step_variable(const struct train_step *step,
                                                 size_t index)
{
    return &step->variables[index].info;
}

bool train_step_has(const struct train_step *step, size_t index, enum train_slot slot)
{
    return slot == TRAIN_SLOT_VALUE
           || (slot == TRAIN_SLOT_AVERAGE ? step->params.ema > 0
                                          : step->variables[index].info.trained);
}

/* The binding of a slot; its name is written to `name`. */
static enum nn_status bind_slot(const struct train_step *step, size_t index,
                                enum train_slot slot, const float *values,
                                char name[TRAIN_MAX_NAME], struct nn_binding *out,
                                struct nn_error *error)
{
    const struct state_entry *e = step->variables[index].info.entry;
    train_slot_name(e->name, slot, name);
    if (!train_step_has(step, index, slot)) {
        return nn_fail(error, NN_ERROR_INVALID, "this training has no %s", name);
    }
    *out = (struct nn_binding){ name, (void *)values, e->count };
    return NN_OK;
}

enum nn_status train_step_read_slot(struct train_step *step, size_t index,
                                    enum train_slot slot, float *out,
                                    struct nn_error *error)
{
    char name[TRAIN_MAX_NAME];
    struct nn_binding bind;
    enum nn_status status = bind_slot(step, index, slot, out, name, &bind, error);
    return status != NN_OK ? status : nn_plan_read(step->plan, &bind, error);
}

enum nn_status train_step_write_slot(struct train_step *step, size_t index,
                                     enum train_slot slot, const float *values,
                                     struct nn_error *error)
{
    char name[TRAIN_MAX_NAME];
    struct nn_binding bind;
    enum nn_status status = bind_slot(step, index, slot, values, name, &bind, error);
    return status != NN_OK ? status : nn_plan_write(step->plan, &bind, error);
}

enum nn_status train_step_read(struct train_step *step, size_t index, float *out,
                               struct nn_error *error)
{
    return train_step_read_slot(step, index, TRAIN_SLOT_VALUE, out, error);
}

enum nn_status train_step_read_gradient(struct train_step *step, size_t index, float *out,
                                        struct nn_error *error)
{
    const struct state_entry *e = step->variables[index].info.entry;
    char name[TRAIN_MAX_NAME];
    struct nn_binding bind = { name, out, e->count };
    snprintf(name, sizeof name, "grad.%s", e->name);
    return nn_plan_read(step->plan, &bind, error);
}
