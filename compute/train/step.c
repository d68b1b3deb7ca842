#include "compute/train/step.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME 560

struct variable {
    struct train_variable info;
    nn_id id;       /* in the graph */
    nn_id gradient; /* NN_NONE for running statistics */
};

struct train_step {
    const struct state *state;
    struct train_step_params params;
    struct nn_graph *graph;
    struct nn_store *store;
    struct nn_plan *plan;
    struct variable *variables;
    size_t n_variables;
    bool contrast; /* L_clip takes part */
};

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static bool is_statistic(const char *name)
{
    return ends(name, ".running_mean") || ends(name, ".running_var");
}

/* Canonical names of the text encoder have no prefix of their own. */
static bool in_scope(void *user, const char *name)
{
    const struct train_step *step = user;
    bool head = begins(name, "head.") || begins(name, "align.");
    bool image = begins(name, "body.") || begins(name, "visual.");
    return step->params.scope == TRAIN_ALL || head
           || (step->params.scope == TRAIN_HEAD_TEXT && !image);
}

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

/* --- The graph -------------------------------------------------------------------------- */

/* Image to decoder tokens [B,T,D]. */
static nn_id build_tokens(struct train_step *step, const struct mldecoder *head)
{
    struct tresnet net;
    if (!tresnet_detect(&net, step->state, step->params.settings)) {
        return nn_graph_fail(step->graph, "training needs a TResNet image encoder");
    }
    nn_id image = nn_input(step->graph, "images", NN_F32, step->params.images);
    nn_id map = tresnet_build(step->graph, step->state, &net, image);
    return mldecoder_tokens(step->graph, step->state, head,
                            nn_map_to_rows(step->graph, map));
}

/* One side of the alignment: [width of x, P] called `name`. */
static nn_id alignment(struct train_step *step, const char *name, nn_id x)
{
    const struct state_entry *e = state_find(step->state, name);
    if (!e || e->rank != 2 || nn_graph_check(step->graph, NULL) != NN_OK) {
        return nn_graph_fail(step->graph, "tensor \"%s\" is missing or no matrix", name);
    }
    uint32_t width = nn_graph_node(step->graph, x)->shape.dim[1];
    return state_param(step->graph, step->state, NN_SHAPE2(width, (uint32_t)e->shape[1]),
                       "%s", name);
}

static nn_id build_contrast(struct train_step *step, nn_id tokens)
{
    struct nn_graph *g = step->graph;
    struct clip_text text;
    if (!clip_text_detect(&text, step->state, step->params.settings)) {
        return nn_graph_fail(g, "the contrastive loss needs a text encoder");
    }
    nn_id ids = nn_input(g, "tokens", NN_I32, step->params.tokens);
    nn_id eot = nn_input(g, "eot", NN_I32, NN_SHAPE1(step->params.tokens.dim[0]));
    nn_id v = clip_text_build(g, step->state, &text, ids, eot);
    nn_id u = nn_mean_rows(g, tokens);
    nn_id wi = alignment(step, "align.W_i", u), wj = alignment(step, "align.W_j", v);
    nn_id temperature =
        state_param(g, step->state, (struct nn_shape){ 0 }, "align.temperature");
    return nn_output(g, nn_contrastive_loss(g, u, v, wi, wj, temperature), "loss.clip");
}

static nn_id build_labels_loss(struct train_step *step, const struct mldecoder *head,
                               nn_id tokens)
{
    struct nn_graph *g = step->graph;
    nn_id labels = nn_input(g, "label_embeddings", NN_F32, step->params.label_embeddings);
    nn_id logits = mldecoder_logits(g, step->state, head, tokens, labels);
    if (nn_graph_check(g, NULL) != NN_OK) {
        return NN_NONE;
    }
    struct nn_shape shape = nn_graph_node(g, logits)->shape;
    nn_id targets = nn_input(g, "targets", NN_F32, shape);
    nn_id each = nn_asymmetric_loss(g, logits, targets, step->params.asymmetric);
    nn_id sum = nn_sum_to(g, each, NN_NONE, (struct nn_shape){ 0 });
    float share = step->params.mean ? 1.0f / (float)nn_shape_count(shape) : 1;
    return nn_output(g, nn_scale(g, sum, share), "loss.labels");
}

static nn_id build_loss(struct train_step *step)
{
    struct nn_graph *g = step->graph;
    struct mldecoder head;
    if (!mldecoder_detect(&head, step->state, step->params.settings) || !head.zero_shot) {
        return nn_graph_fail(g, "training needs a zero-shot ML-Decoder head");
    }
    nn_id tokens = build_tokens(step, &head);
    nn_id labels = build_labels_loss(step, &head, tokens);
    nn_id total = nn_scale(g, labels, (float)step->params.beta);
    if (step->contrast) {
        nn_id clip = build_contrast(step, tokens);
        total = nn_add(g, total, nn_scale(g, clip, (float)step->params.alpha));
    }
    return nn_output(g, total, "loss.total");
}

static bool decays(const struct state_entry *e)
{
    return e->rank > 1 && !ends(e->name, ".bias");
}

/* The state's entries that the graph holds as variables. */
static enum nn_status list_variables(struct train_step *step, struct nn_error *error)
{
    step->variables = calloc(state_count(step->state) + 1, sizeof *step->variables);
    if (!step->variables) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a training step");
    }
    for (size_t i = 0; i < state_count(step->state); i++) {
        const struct state_entry *e = state_at(step->state, i);
        nn_id id = nn_graph_find(step->graph, e->name);
        if (id == NN_NONE || nn_graph_node(step->graph, id)->op != NN_OP_variable) {
            continue;
        }
        step->variables[step->n_variables++] = (struct variable){
            { e, !is_statistic(e->name), decays(e) }, id, NN_NONE };
    }
    return NN_OK;
}

static enum nn_status find_gradients(struct train_step *step, nn_id loss,
                                     struct nn_error *error)
{
    size_t n = step->n_variables, used = 0;
    nn_id *wanted = malloc((n + 1) * sizeof *wanted), *found = malloc((n + 1) * sizeof *found);
    if (wanted && found) {
        for (size_t i = 0; i < n; i++) {
            if (step->variables[i].info.trained) {
                wanted[used++] = step->variables[i].id;
            }
        }
        nn_graph_grad(step->graph, loss, wanted, used, found);
    }
    enum nn_status status =
        wanted && found ? nn_graph_check(step->graph, error)
                        : nn_fail(error, NN_ERROR_MEMORY, "out of memory for gradients");
    for (size_t i = 0, at = 0; i < n && status == NN_OK; i++) {
        struct variable *v = &step->variables[i];
        v->gradient = v->info.trained ? found[at++] : NN_NONE;
        v->info.trained = v->gradient != NN_NONE;
    }
    free(wanted);
    free(found);
    return status;
}

/* Adam on every variable with a gradient. The steps stand after all that reads the old
 * values. */
static void add_updates(struct train_step *step)
{
    struct nn_graph *g = step->graph;
    nn_id numbers = nn_input(g, "adam.numbers", NN_F32, NN_SHAPE1(NN_ADAM_NUMBERS));
    for (size_t i = 0; i < step->n_variables; i++) {
        const struct variable *v = &step->variables[i];
        const char *name = v->info.entry->name;
        char first[MAX_NAME], second[MAX_NAME], gradient[MAX_NAME];
        if (!v->info.trained || nn_graph_check(g, NULL) != NN_OK) {
            continue;
        }
        snprintf(first, sizeof first, "adam.first.%s", name);
        snprintf(second, sizeof second, "adam.second.%s", name);
        snprintf(gradient, sizeof gradient, "grad.%s", name);
        struct nn_shape shape = nn_graph_node(g, v->id)->shape;
        nn_adam_update(g, v->id, nn_variable(g, first, shape),
                       nn_variable(g, second, shape), v->gradient, numbers,
                       v->info.decays ? step->params.decay : NN_DECAY_NONE);
        if (step->params.keep_gradients) {
            /* A copy of its own name: one node may be the gradient of two variables. */
            nn_output(g, nn_scale(g, v->gradient, 1), gradient);
        }
    }
}

static enum nn_status build_graph(struct train_step *step, struct nn_error *error)
{
    step->graph = nn_graph_create();
    if (!step->graph) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a training step");
    }
    nn_graph_set_trainable(step->graph, in_scope, step);
    nn_id loss = build_loss(step);
    enum nn_status status = nn_graph_check(step->graph, error);
    if (status == NN_OK) {
        status = list_variables(step, error);
    }
    if (status == NN_OK) {
        status = find_gradients(step, loss, error);
    }
    if (status == NN_OK) {
        add_updates(step);
        status = nn_graph_check(step->graph, error);
    }
    return status;
}

/* --- The plan --------------------------------------------------------------------------- */

static enum nn_status write_variables(struct train_step *step, struct nn_error *error)
{
    enum nn_status status = NN_OK;
    for (size_t i = 0; i < step->n_variables && status == NN_OK; i++) {
        const struct state_entry *e = step->variables[i].info.entry;
        struct nn_binding bind = { e->name, malloc(e->count * sizeof(float) + 1), e->count };
        status = bind.values ? state_read(step->state, e, bind.values, error)
                             : nn_fail(error, NN_ERROR_MEMORY, "out of memory for weights");
        if (status == NN_OK) {
            status = nn_plan_write(step->plan, &bind, error);
        }
        free(bind.values);
    }
    return status;
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
        if (node->output && (begins(node->name, "loss.") || begins(node->name, "grad."))) {
            wanted[params.n_wanted++] = node->name;
        }
    }
    enum nn_status status =
        nn_plan_create(&step->plan, step->graph, step->store, &params, error);
    free(wanted);
    return status;
}

enum nn_status train_step_create(struct train_step **out, struct gpu_device *device,
                                 const struct state *state,
                                 const struct train_step_params *params,
                                 struct nn_error *error)
{
    struct train_step *step = calloc(1, sizeof *step);
    if (!step) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a training step");
    }
    step->state = state;
    step->params = *params;
    step->contrast = params->tokens.rank > 0 && state_find(state, "align.W_i");
    struct nn_params constants = { (void *)state, read_param };
    enum nn_status status = build_graph(step, error);
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

/* Bindings are not const because the reference changes variables; inputs stay. */
static struct nn_binding bind_input(const char *name, const void *values,
                                    struct nn_shape shape)
{
    return (struct nn_binding){ name, (void *)values, nn_shape_count(shape) };
}

enum nn_status train_step_run(struct train_step *step, const struct train_batch *batch,
                              const struct nn_adam *adam, struct train_losses *out,
                              struct nn_error *error)
{
    const struct train_step_params *p = &step->params;
    float numbers[NN_ADAM_NUMBERS];
    uint32_t images = p->images.dim[0], labels = p->label_embeddings.dim[0];
    nn_adam_numbers(adam, numbers);
    struct nn_binding inputs[6] = {
        bind_input("images", batch->images, p->images),
        bind_input("label_embeddings", batch->label_embeddings, p->label_embeddings),
        bind_input("targets", batch->targets, NN_SHAPE2(images, labels)),
        { "adam.numbers", numbers, NN_ADAM_NUMBERS },
        bind_input("tokens", batch->tokens, p->tokens),
        bind_input("eot", batch->eot, NN_SHAPE1(p->tokens.dim[0])) };
    *out = (struct train_losses){ 0 };
    struct nn_binding outputs[3] = { { "loss.total", &out->total, 1 },
                                     { "loss.labels", &out->labels, 1 },
                                     { "loss.clip", &out->clip, 1 } };
    enum nn_status status =
        nn_plan_run(step->plan, inputs, step->contrast ? 6 : 4, outputs,
                    step->contrast ? 3 : 2, NULL, error);
    if (status == NN_OK && !isfinite(out->total)) {
        status = nn_fail(error, NN_ERROR_INVALID, "the loss of step %llu is not a number",
                         (unsigned long long)adam->step);
    }
    return status;
}

size_t train_step_count(const struct train_step *step)
{
    return step->n_variables;
}

const struct train_variable *train_step_variable(const struct train_step *step,
                                                 size_t index)
{
    return &step->variables[index].info;
}

enum nn_status train_step_read(struct train_step *step, size_t index, float *out,
                               struct nn_error *error)
{
    const struct state_entry *e = step->variables[index].info.entry;
    struct nn_binding bind = { e->name, out, e->count };
    return nn_plan_read(step->plan, &bind, error);
}

enum nn_status train_step_read_gradient(struct train_step *step, size_t index, float *out,
                                        struct nn_error *error)
{
    const struct state_entry *e = step->variables[index].info.entry;
    char name[MAX_NAME];
    struct nn_binding bind = { name, out, e->count };
    snprintf(name, sizeof name, "grad.%s", e->name);
    return nn_plan_read(step->plan, &bind, error);
}
