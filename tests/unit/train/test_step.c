/* The training engine on a small CLIP-Decoder of random weights: test_step SCRATCH. What
 * the golden files do not reach: labels as tokens, features in place of images, dropout,
 * averages, the limit of the gradients' norm, stopping and going on, and values that are
 * no numbers. */
#include "compute/gpu/gpu.h"
#include "compute/train/init.h"
#include "compute/train/step.h"
#include "tests/check.h"

#define BATCH 5
#define LABELS 7
#define LENGTH 6
#define SIDE 64

static const struct network_config small = {
    .layers = { 1, 1, 1, 1 }, .width_factor = 0.125, .decoder_width = 32,
    .decoder_hidden = 48, .label_width = 24, .text_context = 8, .text_width = 32,
    .text_layers = 2, .text_heads = 4, .vocabulary = 50, .align_width = 16,
    .image_size = SIDE };

struct fixture {
    struct gpu_device *device;
    struct state *state;
    struct model_settings settings;
    float images[BATCH * 3 * SIDE * SIDE], targets[BATCH * LABELS];
    int32_t label_tokens[LABELS * LENGTH], label_eot[LABELS];
    int32_t tokens[BATCH * LENGTH], eot[BATCH];
};

static double noise(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 40) / 8388608.0 - 1.0;
}

static void fill_texts(int32_t *ids, int32_t *eot, uint32_t n)
{
    uint64_t state = n;
    for (uint32_t i = 0; i < n; i++) {
        eot[i] = 2 + (int32_t)(i % (LENGTH - 2));
        for (int32_t t = 0; t < LENGTH; t++) {
            int32_t word = (int32_t)((noise(&state) + 1) * 24);
            ids[i * LENGTH + (uint32_t)t] = t == eot[i] ? 49 : t < eot[i] ? word : 0;
        }
    }
}

static void open_fixture(struct fixture *f)
{
    struct nn_error error = { 0 };
    struct gpu_device_params params = { .family = -1,
                                        .choice.precision = GPU_PRECISION_F32 };
    uint64_t state = 1;
    if (gpu_device_create(&f->device, &params, &error) != NN_OK) {
        fprintf(stderr, "skipped: %s\n", error.text);
        exit(CHECK_SKIP);
    }
    REQUIRE_OK(state_create_random(&f->state, &small, 7, &error));
    model_settings_init(&f->settings);
    f->settings.text_heads = small.text_heads;
    for (size_t i = 0; i < sizeof f->images / sizeof *f->images; i++) {
        f->images[i] = (float)(0.5 + 0.5 * noise(&state));
    }
    for (int i = 0; i < BATCH * LABELS; i++) {
        f->targets[i] = i == 3 ? -1 : noise(&state) > 0.4;
    }
    fill_texts(f->label_tokens, f->label_eot, LABELS);
    fill_texts(f->tokens, f->eot, BATCH);
}

static struct train_step_params full_params(const struct fixture *f)
{
    return (struct train_step_params){
        .settings = &f->settings, .images = NN_SHAPE4(BATCH, 3, SIDE, SIDE),
        .label_tokens = NN_SHAPE2(LABELS, LENGTH), .tokens = NN_SHAPE2(BATCH, LENGTH),
        .alpha = 1, .beta = 1, .asymmetric = { 4, 0, 0.05f, 1e-8f, true },
        .decay = NN_DECAY_DECOUPLED, .keep_gradients = true, .dropout = 0.1, .seed = 11,
        .ema = 0.9, .max_norm = 1 };
}

static struct train_batch full_batch(const struct fixture *f)
{
    return (struct train_batch){ .images = f->images, .targets = f->targets,
                                 .tokens = f->tokens, .eot = f->eot,
                                 .label_tokens = f->label_tokens,
                                 .label_eot = f->label_eot };
}

static struct train_step *make_step(const struct fixture *f,
                                    const struct train_step_params *params)
{
    struct nn_error error = { 0 };
    struct train_step *step = NULL;
    REQUIRE_OK(train_step_create(&step, f->device, f->state, params, &error));
    return step;
}

static struct train_losses run(struct train_step *step, const struct train_batch *batch,
                               uint64_t number, double lr)
{
    struct nn_error error = { 0 };
    struct nn_adam adam = { .lr = lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8,
                            .decay = lr > 0 ? 0.01 : 0, .gradient_factor = 1,
                            .step = number };
    struct train_losses losses;
    REQUIRE_OK(train_step_run(step, batch, &adam, &losses, &error));
    return losses;
}

static size_t find_variable(const struct train_step *step, const char *name)
{
    for (size_t i = 0; i < train_step_count(step); i++) {
        if (strcmp(train_step_variable(step, i)->entry->name, name) == 0) {
            return i;
        }
    }
    fprintf(stderr, "%s is not trained\n", name);
    exit(1);
}

static float *read_slot(struct train_step *step, size_t index, enum train_slot slot)
{
    struct nn_error error = { 0 };
    float *values = malloc(train_step_variable(step, index)->entry->count * sizeof *values);
    REQUIRE_OK(train_step_read_slot(step, index, slot, values, &error));
    return values;
}

/* --- New networks ------------------------------------------------------------------------ */

static void refuse(const char *path, const char *text, const char *word)
{
    struct network_config config;
    struct nn_error error = { 0 };
    FILE *file = fopen(path, "wb");
    REQUIRE(file && fputs(text, file) >= 0 && fclose(file) == 0);
    REQUIRE(network_config_read(&config, path, &error) == NN_ERROR_INVALID);
    if (!strstr(error.text, word) || !strstr(error.text, path)) {
        fprintf(stderr, "\"%s\" does not name %s\n", error.text, word);
        exit(1);
    }
}

#define GOOD "\"layers\":[1,2,3,1],\"width_factor\":0.25,\"decoder_width\":64,"              \
             "\"label_width\":48,\"text_context\":16,\"text_width\":48,\"text_layers\":2," \
             "\"text_heads\":4,\"image_size\":128"

static void check_config(const char *scratch)
{
    char path[1024];
    struct network_config c;
    struct nn_error error = { 0 };
    snprintf(path, sizeof path, "%s/network.json", scratch);
    refuse(path, "[]", "object");
    refuse(path, "{" GOOD "}", "vocabulary");
    refuse(path, "{" GOOD ",\"vocabulary\":9,\"planes\":3}", "planes");
    refuse(path, "{" GOOD ",\"vocabulary\":9,\"v2\":1}", "v2");
    refuse(path, "{" GOOD ",\"vocabulary\":9,\"align_width\":-1}", "align_width");
    refuse(path, "{" GOOD ",\"vocabulary\":9,\"temperature\":\"warm\"}", "temperature");
    refuse(path, "{\"layers\":[1,2,3]}", "layers");
    FILE *file = fopen(path, "wb");
    REQUIRE(file && fputs("{" GOOD ",\"vocabulary\":300,\"v2\":true}", file) >= 0);
    fclose(file);
    REQUIRE_OK(network_config_read(&c, path, &error));
    REQUIRE(c.layers[2] == 3 && c.width_factor == 0.25 && c.v2 && c.vocabulary == 300);
    REQUIRE(c.decoder_hidden == 0 && c.align_width == 0 && c.image_size == 128);
    REQUIRE(fabs(exp(c.temperature) - 1 / 0.07) < 1e-6);
}

static void check_spread(const struct fixture *f, const char *name, double deviation)
{
    struct nn_error error = { 0 };
    const struct state_entry *e = state_find(f->state, name);
    REQUIRE(e != NULL);
    float *values = malloc(e->count * sizeof *values);
    double sum = 0, square = 0;
    REQUIRE_OK(state_read(f->state, e, values, &error));
    for (uint64_t i = 0; i < e->count; i++) {
        sum += values[i];
        square += (double)values[i] * values[i];
    }
    double got = sqrt(square / (double)e->count);
    if (!(fabs(got - deviation) < 0.1 * deviation)
        || !(fabs(sum / (double)e->count) < 0.1 * deviation)) {
        fprintf(stderr, "%s has a deviation of %g, not %g\n", name, got, deviation);
        exit(1);
    }
    free(values);
}

static void check_random(const struct fixture *f)
{
    struct nn_error error = { 0 };
    struct state *other = NULL;
    const char *name = "body.layer1.0.conv1.conv.weight";
    float a[576], b[576];
    check_spread(f, name, sqrt(2.0 / (8 * 9)));
    check_spread(f, "head.decoder.layers.0.linear1.weight", sqrt(2.0 / 32));
    check_spread(f, "token_embedding.weight", 0.02);
    check_spread(f, "align.W_j", sqrt(1.0 / 24));
    for (uint64_t seed = 7; seed < 9; seed++) {
        REQUIRE_OK(state_create_random(&other, &small, seed, &error));
        REQUIRE_OK(state_read(f->state, state_find(f->state, name), a, &error));
        REQUIRE_OK(state_read(other, state_find(other, name), b, &error));
        REQUIRE((memcmp(a, b, sizeof a) == 0) == (seed == 7));
        REQUIRE_OK(state_read(other, state_find(other, "body.layer1.0.conv2.bn.weight"), b,
                              &error));
        REQUIRE(b[0] == 0);
        state_destroy(&other);
    }
}

/* --- Steps --------------------------------------------------------------------------------- */

/* All that a training is must come back: two steps go on from six alike. */
static void check_resume(const struct fixture *f)
{
    struct nn_error error = { 0 };
    struct train_step_params params = full_params(f);
    struct train_batch batch = full_batch(f);
    struct train_step *one = make_step(f, &params), *two = make_step(f, &params);
    struct train_losses first = run(one, &batch, 1, 1e-3), last = first;
    for (uint64_t i = 2; i <= 6; i++) {
        last = run(one, &batch, i, 1e-3);
    }
    REQUIRE(last.total < first.total);
    REQUIRE(first.gradient_norm > 1);
    size_t slots = 0;
    for (size_t i = 0; i < train_step_count(one); i++) {
        for (int slot = 0; slot < TRAIN_SLOTS; slot++) {
            if (train_step_has(one, i, slot)) {
                float *values = read_slot(one, i, slot);
                REQUIRE_OK(train_step_write_slot(two, i, slot, values, &error));
                free(values);
                slots++;
            }
        }
    }
    size_t statistic = find_variable(one, "body.conv1.bn.running_mean");
    float moment[8];
    REQUIRE(!train_step_has(one, statistic, TRAIN_SLOT_FIRST));
    REQUIRE(train_step_read_slot(one, statistic, TRAIN_SLOT_FIRST, moment, &error)
            == NN_ERROR_INVALID);
    REQUIRE(slots > 3 * train_step_count(one));
    for (uint64_t i = 7; i <= 8; i++) {
        struct train_losses a = run(one, &batch, i, 1e-3), b = run(two, &batch, i, 1e-3);
        REQUIRE(memcmp(&a, &b, sizeof a) == 0);
    }
    train_step_destroy(&one);
    train_step_destroy(&two);
}

/* The average follows e = d e + (1 - d) p, of running statistics too. */
static void check_average(const struct fixture *f)
{
    static const char *const names[] = { "head.wordvec_proj.weight",
                                         "body.conv1.bn.running_var" };
    struct train_step_params params = full_params(f);
    struct train_batch batch = full_batch(f);
    struct train_step *step = make_step(f, &params);
    for (int k = 0; k < 2; k++) {
        size_t index = find_variable(step, names[k]);
        float *before = read_slot(step, index, TRAIN_SLOT_AVERAGE);
        run(step, &batch, 1, 1e-2);
        float *after = read_slot(step, index, TRAIN_SLOT_AVERAGE);
        float *value = read_slot(step, index, TRAIN_SLOT_VALUE);
        REQUIRE(value[1] != before[1]);
        REQUIRE(fabs(after[1] - (0.9 * before[1] + 0.1 * value[1])) < 1e-6);
        free(before);
        free(after);
        free(value);
    }
    train_step_destroy(&step);
}

/* A gradient of all the chain, labels' text encoder, head with dropout and clipping left
 * out, against differences of the loss: the mask is that of the step's number. */
static void check_slope(struct train_step *step, const struct train_batch *batch,
                        const char *name)
{
    struct nn_error error = { 0 };
    size_t index = find_variable(step, name), at = 0;
    uint64_t count = train_step_variable(step, index)->entry->count;
    float *gradient = malloc(count * sizeof *gradient);
    run(step, batch, 3, 0);
    REQUIRE_OK(train_step_read_gradient(step, index, gradient, &error));
    for (uint64_t i = 0; i < count; i++) {
        at = fabsf(gradient[i]) > fabsf(gradient[at]) ? i : at;
    }
    float *value = read_slot(step, index, TRAIN_SLOT_VALUE);
    double side[2];
    float kept = value[at], width = 4e-3f * (fabsf(kept) > 0.1f ? fabsf(kept) : 0.1f);
    for (int i = 0; i < 2; i++) {
        value[at] = kept + (i ? width : -width);
        REQUIRE_OK(train_step_write_slot(step, index, TRAIN_SLOT_VALUE, value, &error));
        side[i] = run(step, batch, 3, 0).total;
    }
    value[at] = kept;
    REQUIRE_OK(train_step_write_slot(step, index, TRAIN_SLOT_VALUE, value, &error));
    double slope = (side[1] - side[0]) / (2 * (double)width);
    if (!(fabs(slope) > 1e-2 && fabs(slope - gradient[at]) <= 0.02 * fabs(slope))) {
        fprintf(stderr, "slope of %s is %g, not %g\n", name, gradient[at], slope);
        exit(1);
    }
    free(value);
    free(gradient);
}

static void check_slopes(const struct fixture *f)
{
    static const char *const names[] = {
        "text_projection", "transformer.resblocks.0.attn.in_proj_weight",
        "head.wordvec_proj.weight", "head.decoder.layers.0.multihead_attn.in_proj_weight",
        "head.decoder.layers.0.linear2.weight", "head.decoder.embed_standart.weight",
        "body.layer3.0.downsample.1.conv.weight" };
    struct train_step_params params = full_params(f);
    struct train_batch batch = full_batch(f);
    params.dropout = 0.3;
    params.asymmetric.detached = false; /* or the gradient would not be the slope */
    struct train_step *step = make_step(f, &params);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        check_slope(step, &batch, names[i]);
    }
    float a = run(step, &batch, 3, 0).total, b = run(step, &batch, 4, 0).total;
    REQUIRE(a != b); /* another step drops other values */
    train_step_destroy(&step);
}

/* Values for a graph of the state's constants. */
static enum nn_status read_param(void *user, const char *name, float *out, uint64_t count,
                                 struct nn_error *error)
{
    const struct state *state = user;
    const struct state_entry *e = state_find(state, name);
    REQUIRE(e && e->count == count);
    return state_read(state, e, out, error);
}

/* Rows of the image encoder and features of the labels, as a user would cache them. */
static void encode(const struct fixture *f, float *rows, uint64_t n_rows, float *features)
{
    struct nn_error error = { 0 };
    struct nn_params constants = { f->state, read_param };
    struct nn_store *store = NULL;
    struct nn_plan *plan = NULL;
    struct tresnet net;
    struct clip_text text;
    struct nn_graph *g = nn_graph_create();
    REQUIRE(tresnet_detect(&net, f->state, &f->settings));
    REQUIRE(clip_text_detect(&text, f->state, &f->settings));
    nn_id map = tresnet_build(g, f->state, &net,
                              nn_input(g, "x", NN_F32, NN_SHAPE4(BATCH, 3, SIDE, SIDE)));
    nn_output(g, nn_map_to_rows(g, map), "rows");
    clip_text_build(g, f->state, &text, "text",
                    nn_input(g, "ids", NN_I32, NN_SHAPE2(LABELS, LENGTH)),
                    nn_input(g, "eot", NN_I32, NN_SHAPE1(LABELS)));
    struct nn_binding in[3] = { { "x", (void *)f->images, BATCH * 3 * SIDE * SIDE },
                                { "ids", (void *)f->label_tokens, LABELS * LENGTH },
                                { "eot", (void *)f->label_eot, LABELS } };
    struct nn_binding out[2] = { { "rows", rows, n_rows },
                                 { "text.features", features, LABELS * 24 } };
    REQUIRE_OK(nn_store_create(&store, f->device, &constants, &error));
    REQUIRE_OK(nn_plan_create(&plan, g, store, NULL, &error));
    REQUIRE_OK(nn_plan_run(plan, in, 3, out, 2, NULL, &error));
    nn_plan_destroy(&plan);
    nn_store_destroy(&store);
    nn_graph_destroy(&g);
}

/* From tokens, nothing is trained that tokens depend on. */
static void check_decoder(const struct fixture *f, struct train_step_params *params,
                          struct train_batch *batch)
{
    static float tokens[BATCH * 4 * 512];
    uint32_t width = (uint32_t)state_find(f->state, "head.decoder.embed_standart.bias")->count;
    REQUIRE(width <= 512);
    for (size_t i = 0; i < BATCH * 4 * width; i++) {
        tokens[i] = (float)(i * 7919 % 101) / 101;
    }
    params->tokens = (struct nn_shape){ 0 };
    params->features = NN_SHAPE3(BATCH, 4, width);
    batch->features = tokens;
    struct train_step *step = make_step(f, params);
    struct train_losses first = run(step, batch, 1, 1e-2);
    REQUIRE(first.clip == 0);
    for (size_t i = 0; i < train_step_count(step); i++) {
        const char *name = train_step_variable(step, i)->entry->name;
        REQUIRE(strncmp(name, "head.", 5) == 0 && !strstr(name, "embed_standart"));
    }
    struct train_losses later = first;
    for (int i = 2; i < 20; i++) {
        later = run(step, batch, (uint64_t)i, 1e-2);
    }
    REQUIRE(later.total < first.total);
    train_step_destroy(&step);
}

/* The head alone sees the same numbers when rows and embeddings are made beforehand. */
static void check_features(const struct fixture *f)
{
    static float rows[BATCH * 4 * 256], embeddings[LABELS * 24];
    struct train_step_params params = full_params(f);
    struct train_batch batch = full_batch(f);
    struct nn_error error = { 0 };
    params.scope = TRAIN_HEAD;
    struct train_step *step = make_step(f, &params);
    struct train_losses whole = run(step, &batch, 1, 0);
    train_step_destroy(&step);
    encode(f, rows, sizeof rows / sizeof *rows, embeddings);
    params.images = (struct nn_shape){ 0 };
    params.features = NN_SHAPE3(BATCH, 4, 256);
    params.label_embeddings = NN_SHAPE2(LABELS, 24);
    params.label_tokens = (struct nn_shape){ 0 };
    batch.features = rows;
    batch.label_embeddings = embeddings;
    step = make_step(f, &params);
    struct train_losses parts = run(step, &batch, 1, 1e-2);
    REQUIRE(fabsf(parts.total - whole.total) <= 1e-4f * whole.total);
    REQUIRE(run(step, &batch, 2, 1e-2).total != parts.total);
    for (size_t i = 0; i < train_step_count(step); i++) {
        const char *name = train_step_variable(step, i)->entry->name;
        REQUIRE(strncmp(name, "head.", 5) == 0 || strncmp(name, "align.", 6) == 0);
    }
    train_step_destroy(&step);
    params.scope = TRAIN_ALL;
    REQUIRE(train_step_create(&step, f->device, f->state, &params, &error)
            == NN_ERROR_INVALID);
    params.scope = TRAIN_DECODER; /* has no captions */
    REQUIRE(train_step_create(&step, f->device, f->state, &params, &error)
            == NN_ERROR_INVALID);
    check_decoder(f, &params, &batch);
}

/* Activations that are made again give the same bits in less memory. */
static void check_recompute(const struct fixture *f)
{
    struct train_step_params params = full_params(f);
    struct train_batch batch = full_batch(f);
    struct nn_plan_facts facts[2];
    struct train_losses losses[2];
    float *weights[2];
    size_t count = 0;
    for (int again = 0; again < 2; again++) {
        params.recompute = again;
        params.keep_gradients = false;
        struct train_step *step = make_step(f, &params);
        run(step, &batch, 1, 1e-3);
        losses[again] = run(step, &batch, 2, 1e-3);
        size_t index = find_variable(step, "body.conv1.conv.weight");
        count = train_step_variable(step, index)->entry->count;
        weights[again] = read_slot(step, index, TRAIN_SLOT_VALUE);
        nn_plan_get_facts(train_step_plan(step), &facts[again]);
        train_step_destroy(&step);
    }
    REQUIRE(memcmp(&losses[0], &losses[1], sizeof losses[0]) == 0);
    REQUIRE(memcmp(weights[0], weights[1], count * sizeof **weights) == 0);
    REQUIRE(facts[1].arena_bytes < facts[0].arena_bytes);
    REQUIRE(facts[1].n_dispatches > facts[0].n_dispatches);
    free(weights[0]);
    free(weights[1]);
}

/* A pixel that is no number: the step says so and the parameters stay. */
static void check_nan(struct fixture *f)
{
    struct train_step_params params = full_params(f);
    struct train_batch batch = full_batch(f);
    struct nn_adam adam = { .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8,
                            .gradient_factor = 1, .step = 2 };
    struct nn_error error = { 0 };
    struct train_losses losses;
    struct train_step *step = make_step(f, &params);
    run(step, &batch, 1, 1e-3);
    size_t index = find_variable(step, "body.conv1.conv.weight");
    float *before = read_slot(step, index, TRAIN_SLOT_VALUE), kept = f->images[100];
    f->images[100] = NAN;
    REQUIRE(train_step_run(step, &batch, &adam, &losses, &error) == NN_ERROR_INVALID);
    REQUIRE(strstr(error.text, "step 2") && strstr(error.text, "input images"));
    f->images[100] = kept;
    size_t wide = find_variable(step, "head.decoder.layers.0.linear2.weight");
    float *weight = read_slot(step, wide, TRAIN_SLOT_VALUE);
    for (int i = 0; i < 48; i++) { /* every value is one, their products are not */
        weight[i] = 3e38f;
    }
    REQUIRE_OK(train_step_write_slot(step, wide, TRAIN_SLOT_VALUE, weight, &error));
    REQUIRE(train_step_run(step, &batch, &adam, &losses, &error) == NN_ERROR_INVALID);
    if (!strstr(error.text, "linear [5, 7, 32] by head.decoder.layers.0.linear2")) {
        fprintf(stderr, "this does not name the operator: %s\n", error.text);
        exit(1);
    }
    free(weight);
    weight = read_slot(step, wide, TRAIN_SLOT_FIRST); /* zeros and small moments */
    REQUIRE_OK(train_step_write_slot(step, wide, TRAIN_SLOT_VALUE, weight, &error));
    free(weight);
    float *after = read_slot(step, index, TRAIN_SLOT_VALUE);
    REQUIRE(memcmp(before, after, 8 * 48 * 9 * sizeof *after) == 0);
    run(step, &batch, 2, 1e-3);
    free(before);
    free(after);
    train_step_destroy(&step);
    /* The labels' loss by itself must not swallow it either. */
    params.tokens = (struct nn_shape){ 0 };
    step = make_step(f, &params);
    f->images[100] = NAN;
    adam.step = 1;
    REQUIRE(train_step_run(step, &batch, &adam, &losses, &error) == NN_ERROR_INVALID);
    f->images[100] = kept;
    train_step_destroy(&step);
}

/* --- Dropout --------------------------------------------------------------------------------- */

#define DROP_ROWS 300
#define DROP_WIDTH 331

/* How many values are dropped, and that what stays is made up for it. */
static void check_dropout(const struct fixture *f)
{
    static float x[DROP_ROWS * DROP_WIDTH], y[2][DROP_ROWS * DROP_WIDTH];
    struct nn_error error = { 0 };
    struct nn_params constants = { f->state, read_param };
    struct nn_store *store = NULL;
    struct nn_plan *plan = NULL;
    struct nn_graph *g = nn_graph_create();
    struct nn_shape shape = NN_SHAPE2(DROP_ROWS, DROP_WIDTH);
    int32_t random[NN_RANDOM_NUMBERS];
    nn_id numbers = nn_input(g, "r", NN_I32, NN_SHAPE1(NN_RANDOM_NUMBERS));
    nn_output(g, nn_dropout(g, nn_input(g, "x", NN_F32, shape), numbers, 0.3f, 1), "y");
    struct nn_binding in[2] = { { "x", x, DROP_ROWS * DROP_WIDTH },
                                { "r", random, NN_RANDOM_NUMBERS } };
    uint64_t kept = 0, same = 0, all = DROP_ROWS * DROP_WIDTH;
    REQUIRE_OK(nn_store_create(&store, f->device, &constants, &error));
    REQUIRE_OK(nn_plan_create(&plan, g, store, NULL, &error));
    for (uint64_t i = 0; i < all; i++) {
        x[i] = 1;
    }
    for (uint64_t step = 0; step < 2; step++) {
        struct nn_binding out = { "y", y[step], all };
        nn_random_numbers(5, step, random);
        REQUIRE_OK(nn_plan_run(plan, in, 2, &out, 1, NULL, &error));
    }
    for (uint64_t i = 0; i < all; i++) {
        REQUIRE(y[0][i] == 0 || fabsf(y[0][i] * 0.7f - 1) < 1e-6f);
        kept += y[0][i] != 0;
        same += (y[0][i] != 0) == (y[1][i] != 0);
    }
    /* Five deviations of a count of that many. */
    REQUIRE(fabs((double)kept / (double)all - 0.7) < 5 * sqrt(0.21 / (double)all));
    REQUIRE(fabs((double)same / (double)all - 0.58) < 5 * sqrt(0.25 / (double)all));
    nn_plan_destroy(&plan);
    nn_store_destroy(&store);
    nn_graph_destroy(&g);
}

int main(int argc, char **argv)
{
    static struct fixture f;
    REQUIRE_INT(argc, 2);
    open_fixture(&f);
    check_config(argv[1]);
    check_random(&f);
    check_dropout(&f);
    check_slopes(&f);
    check_average(&f);
    check_resume(&f);
    check_features(&f);
    check_recompute(&f);
    check_nan(&f);
    REQUIRE_INT(gpu_device_validation_count(f.device), 0);
    gpu_device_destroy(&f.device);
    state_destroy(&f.state);
    return 0;
}
