/* The graph of a training step: networks, losses, gradients and updates. */
#include "compute/train/step_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    bool decoder = begins(name, "head.") && !begins(name, "head.decoder.embed_standart.");
    if (step->params.scope == TRAIN_DECODER) {
        return decoder;
    }
    bool head = begins(name, "head.") || begins(name, "align.");
    bool image = begins(name, "body.") || begins(name, "visual.");
    return step->params.scope == TRAIN_ALL || head
           || (step->params.scope == TRAIN_HEAD_TEXT && !image);
}

/* Images to the last map of the image encoder; NN_NONE where features stand for them. */
static nn_id build_map(struct train_step *step)
{
    struct tresnet net;
    if (step->params.features.rank > 0) {
        return NN_NONE;
    }
    if (!tresnet_detect(&net, step->state, step->params.settings)) {
        return nn_graph_fail(step->graph, "training needs a TResNet image encoder");
    }
    nn_id image = nn_input(step->graph, "images", NN_F32, step->params.images);
    return tresnet_build(step->graph, step->state, &net, image);
}

/* The map, or the features that stand for it, to decoder tokens [B,T,D]. */
static nn_id build_tokens(struct train_step *step, const struct mldecoder *head, nn_id map)
{
    struct nn_graph *g = step->graph;
    nn_id rows = map == NN_NONE ? nn_input(g, "features", NN_F32, step->params.features)
                                : nn_map_to_rows(g, map);
    return step->params.scope == TRAIN_DECODER
               ? rows : mldecoder_tokens(g, step->state, head, rows);
}

/* The state's matrix `name`, whatever its sizes. */
static nn_id matrix(struct train_step *step, const char *name)
{
    const struct state_entry *e = state_find(step->state, name);
    if (!e || e->rank != 2) {
        return nn_graph_fail(step->graph, "tensor \"%s\" is missing or no matrix", name);
    }
    return state_param(step->graph, step->state,
                       NN_SHAPE2((uint32_t)e->shape[0], (uint32_t)e->shape[1]), "%s", name);
}

/* Texts [n,T], the inputs `ids` and `eot`, to their features [n,embedding]. */
static nn_id build_text(struct train_step *step, const char *what, const char *ids,
                        const char *eot, struct nn_shape shape)
{
    struct nn_graph *g = step->graph;
    struct clip_text text;
    if (!clip_text_detect(&text, step->state, step->params.settings)) {
        return nn_graph_fail(g, "%s need a text encoder", what);
    }
    return clip_text_build(g, step->state, &text, what, nn_input(g, ids, NN_I32, shape),
                           nn_input(g, eot, NN_I32, NN_SHAPE1(shape.dim[0])));
}

static nn_id build_contrast(struct train_step *step, nn_id tokens)
{
    struct nn_graph *g = step->graph;
    nn_id v = build_text(step, "captions", "tokens", "eot", step->params.tokens);
    nn_id u = nn_mean_rows(g, tokens);
    nn_id wi = matrix(step, "align.W_i"), wj = matrix(step, "align.W_j");
    nn_id temperature =
        state_param(g, step->state, (struct nn_shape){ 0 }, "align.temperature");
    return nn_output(g, nn_contrastive_loss(g, u, v, wi, wj, temperature), "loss.clip");
}

/* The loss of logits against the input `targets` of their shape. */
static nn_id build_asymmetric(struct train_step *step, nn_id logits, const char *targets)
{
    struct nn_graph *g = step->graph;
    if (nn_graph_check(g, NULL) != NN_OK) {
        return NN_NONE;
    }
    struct nn_shape shape = nn_graph_node(g, logits)->shape;
    nn_id each = nn_asymmetric_loss(g, logits, nn_input(g, targets, NN_F32, shape),
                                    step->params.asymmetric);
    nn_id sum = nn_sum_to(g, each, NN_NONE, (struct nn_shape){ 0 });
    return nn_scale(g, sum, step->params.mean ? 1.0f / (float)nn_shape_count(shape) : 1);
}

static nn_id build_labels_loss(struct train_step *step, const struct mldecoder *head,
                               nn_id tokens)
{
    struct nn_graph *g = step->graph;
    nn_id labels =
        step->params.label_tokens.rank > 0
            ? build_text(step, "labels", "label_tokens", "label_eot",
                         step->params.label_tokens)
            : nn_input(g, "label_embeddings", NN_F32, step->params.label_embeddings);
    nn_id logits = mldecoder_logits(g, step->state, head, tokens, labels);
    return nn_output(g, build_asymmetric(step, logits, "targets"), "loss.labels");
}

static nn_id build_auxiliary(struct train_step *step, nn_id map)
{
    struct nn_graph *g = step->graph;
    nn_id weight = matrix(step, "auxiliary.weight");
    if (map == NN_NONE || nn_graph_check(g, NULL) != NN_OK) {
        return nn_graph_fail(g, "an auxiliary classifier needs images");
    }
    step->classes = nn_graph_node(g, weight)->shape.dim[0];
    nn_id bias = state_param(g, step->state, NN_SHAPE1(step->classes), "auxiliary.bias");
    nn_id logits = nn_linear(g, nn_mean_map(g, map), weight, bias);
    return build_asymmetric(step, logits, "auxiliary_targets");
}

static void add_loss(struct train_step *step, nn_id *total, nn_id loss, double weight)
{
    nn_id part = nn_scale(step->graph, loss, (float)weight);
    *total = *total == NN_NONE ? part : nn_add(step->graph, *total, part);
}

static nn_id build_loss(struct train_step *step)
{
    struct nn_graph *g = step->graph;
    struct mldecoder head;
    if (!mldecoder_detect(&head, step->state, step->params.settings) || !head.zero_shot) {
        return nn_graph_fail(g, "training needs a zero-shot ML-Decoder head");
    }
    if (step->params.dropout > 0 && step->labels > 0) {
        head.dropout = (float)step->params.dropout;
        head.random = nn_input(g, "random", NN_I32, NN_SHAPE1(NN_RANDOM_NUMBERS));
    }
    nn_id map = build_map(step), tokens = NN_NONE, total = NN_NONE;
    if (step->labels > 0 || step->contrast) {
        tokens = build_tokens(step, &head, map);
    }
    if (step->labels > 0) {
        add_loss(step, &total, build_labels_loss(step, &head, tokens), step->params.beta);
    }
    if (step->contrast) {
        add_loss(step, &total, build_contrast(step, tokens), step->params.alpha);
    }
    if (step->params.auxiliary > 0) {
        add_loss(step, &total, build_auxiliary(step, map), step->params.auxiliary);
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

/* Where the image encoder's activations are kept when the others are made again. */
static size_t list_kept(const struct train_step *step, nn_id kept[6])
{
    static const char *const names[6] = { "images", "image.stem", "image.layer1",
                                          "image.layer2", "image.layer3", "image.layer4" };
    size_t n = 0;
    for (int i = 0; i < 6 && step->params.recompute; i++) {
        nn_id id = nn_graph_find(step->graph, names[i]);
        if (id != NN_NONE) {
            kept[n++] = id;
        }
    }
    return n;
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
        nn_id kept[6];
        size_t n_kept = list_kept(step, kept);
        nn_graph_grad(step->graph, loss, wanted, used, kept, n_kept, found);
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

/* The sum of the squares of all gradients, NN_NONE without any. */
static nn_id sum_squares(struct train_step *step)
{
    struct nn_graph *g = step->graph;
    nn_id sum = NN_NONE;
    for (size_t i = 0; i < step->n_variables; i++) {
        const struct variable *v = &step->variables[i];
        if (v->info.trained) {
            nn_id part = nn_sum_to(g, v->gradient, v->gradient, (struct nn_shape){ 0 });
            sum = sum == NN_NONE ? part : nn_add(g, sum, part);
        }
    }
    return sum == NN_NONE ? sum : nn_output(g, sum, "norm.square");
}

void train_slot_name(const char *name, enum train_slot slot, char out[TRAIN_MAX_NAME])
{
    static const char *const prefix[TRAIN_SLOTS] = { "", "adam.first.", "adam.second.",
                                                     "average." };
    snprintf(out, TRAIN_MAX_NAME, "%s%s", prefix[slot], name);
}

static nn_id slot_variable(struct train_step *step, const struct variable *v,
                           enum train_slot slot)
{
    char name[TRAIN_MAX_NAME];
    train_slot_name(v->info.entry->name, slot, name);
    return nn_variable(step->graph, name, nn_graph_node(step->graph, v->id)->shape);
}

/* Adam on a variable with a gradient, and its average. */
static void add_update(struct train_step *step, const struct variable *v, nn_id numbers,
                       nn_id factor)
{
    struct nn_graph *g = step->graph;
    if (v->info.trained) {
        nn_adam_update(g, v->id, slot_variable(step, v, TRAIN_SLOT_FIRST),
                       slot_variable(step, v, TRAIN_SLOT_SECOND), v->gradient, numbers,
                       factor, v->info.decays ? step->params.decay : NN_DECAY_NONE);
    }
    if (step->params.ema > 0) {
        /* The two add up to 1 in floats too, or the average would drift off. */
        float keep = (float)step->params.ema;
        nn_blend(g, slot_variable(step, v, TRAIN_SLOT_AVERAGE), v->id, keep, 1 - keep);
    }
    if (step->params.keep_gradients && v->info.trained) {
        /* A copy of its own name: one node may be the gradient of two variables. */
        char gradient[TRAIN_MAX_NAME];
        snprintf(gradient, sizeof gradient, "grad.%s", v->info.entry->name);
        nn_output(g, nn_scale(g, v->gradient, 1), gradient);
    }
}

/* The updates stand after all that reads the old values. A step whose gradients are not
 * numbers changes no parameter: the factor says so. */
static void add_updates(struct train_step *step)
{
    struct nn_graph *g = step->graph;
    nn_id numbers = nn_input(g, "adam.numbers", NN_F32, NN_SHAPE1(NN_ADAM_NUMBERS));
    nn_id square = sum_squares(step), factor = NN_NONE;
    if (square != NN_NONE) {
        factor = nn_clip_factor(g, square, numbers, (float)step->params.max_norm);
    }
    for (size_t i = 0; i < step->n_variables && nn_graph_check(g, NULL) == NN_OK; i++) {
        add_update(step, &step->variables[i], numbers, factor);
    }
}

enum nn_status train_graph_build(struct train_step *step, struct nn_error *error)
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
