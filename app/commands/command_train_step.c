/* `taglight train-step`: a few training steps on one given batch, with every number
 * written down. It exists to compare the training with other implementations. */
#include "app/commands/commands.h"
#include "compute/gpu/gpu.h"
#include "compute/json.h"
#include "compute/train/step.h"

#include <string.h>

struct config {
    double alpha, beta, decay, lr;
    guint64 text_heads;
};

struct batch {
    struct weights *file;
    struct train_step_params shapes; /* only the shapes are filled */
    float *images, *label_embeddings, *targets;
    int32_t *tokens, *eot;
};

struct train_run {
    struct config config;
    struct batch batch;
    struct state *state;
    struct gpu_device *device;
    struct train_step *step;
    gint64 steps;
    gboolean cycle;                 /* adam_onecycle, not adamw */
    float *losses;                  /* [steps,3] */
    struct weights_output *outputs; /* with names and values of their own */
    size_t n_outputs;
    struct nn_error error;
};

static enum nn_status read_number(const struct json *json, const char *path,
                                  const char *key, double *out, struct nn_error *error)
{
    if (!json_double(json, json_get(json, 0, key), out)) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: \"%s\" is missing or no number", path,
                       key);
    }
    return NN_OK;
}

static enum nn_status read_config(struct train_run *r, const char *path)
{
    g_autofree char *text = NULL;
    gsize size = 0;
    g_autoptr(GError) failure = NULL;
    struct json *json = NULL;
    if (!g_file_get_contents(path, &text, &size, &failure)) {
        return nn_fail(&r->error, NN_ERROR_IO, "%s", failure->message);
    }
    enum nn_status status = json_parse(&json, text, size, path, &r->error);
    if (status != NN_OK) {
        return status;
    }
    struct { const char *key; double *value; } numbers[] = {
        { "alpha", &r->config.alpha }, { "beta", &r->config.beta },
        { "wd", &r->config.decay }, { "lr", &r->config.lr } };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers) && status == NN_OK; i++) {
        status = read_number(json, path, numbers[i].key, numbers[i].value, &r->error);
    }
    if (status == NN_OK
        && (!json_u64(json, json_get(json, 0, "th"), &r->config.text_heads)
            || r->config.text_heads == 0 || r->config.text_heads > 1024)) {
        status = nn_fail(&r->error, NN_ERROR_INVALID,
                         "%s: \"th\" is missing or no number of heads", path);
    }
    json_destroy(&json);
    return status;
}

/* --- The batch ------------------------------------------------------------------------- */

/* The tensor called `name` with its shape; NULL and a message when it is not there. */
static const struct weights_tensor *find_tensor(struct train_run *r, const char *name,
                                                int rank, struct nn_shape *shape)
{
    const struct weights_tensor *t = weights_find(r->batch.file, name);
    if (!t || t->rank != rank || t->count == 0 || t->count > 1u << 30) {
        nn_fail(&r->error, NN_ERROR_INVALID, "%s: \"%s\" is missing or not of rank %d",
                weights_path(r->batch.file), name, rank);
        return NULL;
    }
    *shape = (struct nn_shape){ .rank = rank };
    for (int i = 0; i < rank; i++) {
        shape->dim[i] = (uint32_t)t->shape[i];
    }
    return t;
}

static enum nn_status read_floats(struct train_run *r, const char *name, int rank,
                                  struct nn_shape *shape, float **out)
{
    const struct weights_tensor *t = find_tensor(r, name, rank, shape);
    if (!t) {
        return r->error.status;
    }
    *out = g_new(float, t->count);
    return weights_read_f32(r->batch.file, t, *out, &r->error);
}

/* Ids, and the row of the first largest id of each caption. */
static enum nn_status read_tokens(struct train_run *r)
{
    struct batch *b = &r->batch;
    const struct weights_tensor *t = find_tensor(r, "tokens", 2, &b->shapes.tokens);
    if (!t) {
        return r->error.status;
    }
    g_autofree int64_t *ids = g_new(int64_t, t->count);
    enum nn_status status = weights_read_i64(b->file, t, ids, &r->error);
    uint32_t length = b->shapes.tokens.dim[1];
    b->tokens = g_new0(int32_t, t->count);
    b->eot = g_new0(int32_t, b->shapes.tokens.dim[0]);
    for (uint64_t i = 0; i < t->count && status == NN_OK; i++) {
        int32_t *end = &b->eot[i / length];
        if (ids[i] < 0 || ids[i] > INT32_MAX) {
            status = nn_fail(&r->error, NN_ERROR_INVALID,
                             "%s: \"tokens\" holds an impossible id",
                             weights_path(b->file));
            break;
        }
        b->tokens[i] = (int32_t)ids[i];
        if (b->tokens[i] > b->tokens[i / length * length + (uint32_t)*end]) {
            *end = (int32_t)(i % length);
        }
    }
    return status;
}

static enum nn_status read_batch(struct train_run *r, const char *path)
{
    struct batch *b = &r->batch;
    struct nn_shape targets;
    enum nn_status status = weights_open(&b->file, path, &r->error);
    if (status == NN_OK) {
        status = read_floats(r, "images", 4, &b->shapes.images, &b->images);
    }
    if (status == NN_OK) {
        status = read_floats(r, "label_embeddings", 2, &b->shapes.label_embeddings,
                             &b->label_embeddings);
    }
    if (status == NN_OK) {
        status = read_floats(r, "targets", 2, &targets, &b->targets);
    }
    if (status == NN_OK) {
        status = read_tokens(r);
    }
    if (status != NN_OK) {
        return status;
    }
    uint32_t images = b->shapes.images.dim[0];
    if (targets.dim[0] != images || b->shapes.tokens.dim[0] != images
        || targets.dim[1] != b->shapes.label_embeddings.dim[0]) {
        return nn_fail(&r->error, NN_ERROR_INVALID,
                       "%s: images, targets, tokens and label_embeddings do not fit each "
                       "other", path);
    }
    return NN_OK;
}

static enum nn_status read_init(struct train_run *r, const char *path)
{
    struct weights *file = NULL;
    enum nn_status status = weights_open(&file, path, &r->error);
    return status != NN_OK ? status : state_create(&r->state, &file, 1, &r->error);
}

/* --- Steps ------------------------------------------------------------------------------- */

static enum nn_status make_step(struct train_run *r, const char *device)
{
    g_autofree char *cache = command_cache_dir();
    struct gpu_device_params device_params = { .select = device, .cache_dir = cache,
                                               .family = -1,
                                               .choice.precision = GPU_PRECISION_F32 };
    struct model_settings settings;
    model_settings_init(&settings);
    settings.text_heads = (uint32_t)r->config.text_heads;
    struct train_step_params params = r->batch.shapes;
    params.settings = &settings;
    params.alpha = r->config.alpha;
    params.beta = r->config.beta;
    params.asymmetric = (struct nn_asymmetric){ .gamma_negative = 4, .clip = 0.05f,
                                                .eps = 1e-8f, .detached = true };
    params.decay = r->cycle ? NN_DECAY_L2 : NN_DECAY_DECOUPLED;
    params.keep_gradients = true;
    enum nn_status status = gpu_device_create(&r->device, &device_params, &r->error);
    return status != NN_OK ? status
                           : train_step_create(&r->step, r->device, r->state, &params,
                                               &r->error);
}

static enum nn_status save_values(struct train_run *r, const char *prefix, size_t index,
                                  gboolean gradient)
{
    const struct state_entry *e = train_step_variable(r->step, index)->entry;
    const char *name = state_file_name(e);
    if (!name) {
        return nn_fail(&r->error, NN_ERROR_UNSUPPORTED,
                       "\"%s\" was converted on reading and cannot be written back", e->name);
    }
    float *values = g_new(float, e->count);
    struct weights_output *o = &r->outputs[r->n_outputs++];
    *o = (struct weights_output){ .name = g_strconcat(prefix, name, NULL),
                                  .type = WEIGHTS_F32, .rank = e->rank,
                                  .values = values };
    memcpy(o->shape, e->shape, sizeof o->shape);
    return gradient ? train_step_read_gradient(r->step, index, values, &r->error)
                    : train_step_read(r->step, index, values, &r->error);
}

static enum nn_status save_all(struct train_run *r, const char *prefix, gboolean gradient)
{
    enum nn_status status = NN_OK;
    for (size_t i = 0; i < train_step_count(r->step) && status == NN_OK; i++) {
        if (!gradient || train_step_variable(r->step, i)->trained) {
            status = save_values(r, prefix, i, gradient);
        }
    }
    return status;
}

/* One more pass without an update: the running statistics that are written are those of
 * the final parameters too, as in the files of the reference implementation. */
static enum nn_status settle(struct train_run *r, const struct train_batch *batch)
{
    struct nn_adam still = { .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8,
                             .step = (uint64_t)r->steps + 1 };
    struct train_losses losses;
    return train_step_run(r->step, batch, &still, &losses, &r->error);
}

static enum nn_status run_steps(struct train_run *r)
{
    const struct batch *b = &r->batch;
    struct train_batch batch = { .images = b->images, .targets = b->targets,
                                 .label_embeddings = b->label_embeddings,
                                 .tokens = b->tokens, .eot = b->eot };
    struct train_cycle cycle = { .max_lr = r->config.lr, .rise = 0.2,
                                 .steps = (uint64_t)r->steps + 1 };
    enum nn_status status = NN_OK;
    r->losses = g_new0(float, 3 * r->steps);
    r->outputs = g_new0(struct weights_output, 2 * train_step_count(r->step) + 1);
    for (gint64 i = 0; i < r->steps && status == NN_OK; i++) {
        struct train_rates rates = { r->config.lr, 0.9 };
        if (r->cycle) {
            rates = train_cycle_at(&cycle, (uint64_t)i);
        }
        struct nn_adam adam = { .lr = rates.lr, .beta1 = rates.beta1, .beta2 = 0.999,
                                .eps = 1e-8, .decay = r->config.decay,
                                .gradient_factor = 1, .step = (uint64_t)i + 1 };
        struct train_losses losses;
        status = train_step_run(r->step, &batch, &adam, &losses, &r->error);
        if (status == NN_OK) {
            r->losses[3 * i] = losses.total;
            r->losses[3 * i + 1] = losses.clip;
            r->losses[3 * i + 2] = losses.labels;
        }
        if (status == NN_OK && i == 0) {
            status = save_all(r, "grad.", TRUE);
        }
    }
    if (status == NN_OK) {
        status = settle(r, &batch);
    }
    return status == NN_OK ? save_all(r, "final.", FALSE) : status;
}

static enum nn_status write_file(struct train_run *r, const char *path)
{
    r->outputs[r->n_outputs++] = (struct weights_output){
        .name = g_strdup("losses"), .type = WEIGHTS_F32, .rank = 2,
        .shape = { (uint64_t)r->steps, 3 }, .values = r->losses };
    r->losses = NULL; /* freed with the outputs */
    return weights_save(path, r->outputs, r->n_outputs, NULL, 0, &r->error);
}

static void clear(struct train_run *r)
{
    for (size_t i = 0; i < r->n_outputs; i++) {
        g_free((char *)r->outputs[i].name);
        g_free((void *)r->outputs[i].values);
    }
    g_free(r->outputs);
    g_free(r->losses);
    g_free(r->batch.images);
    g_free(r->batch.label_embeddings);
    g_free(r->batch.targets);
    g_free(r->batch.tokens);
    g_free(r->batch.eot);
    weights_destroy(&r->batch.file);
    train_step_destroy(&r->step);
    gpu_device_destroy(&r->device);
    state_destroy(&r->state);
}

int command_train_step(int argc, char **argv)
{
    g_autofree char *config = NULL, *init = NULL, *batch = NULL, *recipe = NULL;
    g_autofree char *out = NULL, *device = NULL;
    struct train_run r = { .steps = 10 };
    const GOptionEntry entries[] = {
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &config,
          "JSON with alpha, beta, lr, wd and th (text heads)", "FILE" },
        { "init", 0, 0, G_OPTION_ARG_FILENAME, &init, "Parameters to begin with", "FILE" },
        { "batch", 0, 0, G_OPTION_ARG_FILENAME, &batch,
          "images, label_embeddings, targets, tokens", "FILE" },
        { "steps", 0, 0, G_OPTION_ARG_INT64, &r.steps, "Steps on the same batch (10)", "N" },
        { "recipe", 0, 0, G_OPTION_ARG_STRING, &recipe, "Optimiser and schedule",
          "adamw|adam_onecycle" },
        { "out", 0, 0, G_OPTION_ARG_FILENAME, &out,
          "losses [steps,3] (total, contrastive, labels), grad.NAME of the first step, "
          "final.NAME", "FILE" },
        { "device", 0, 0, G_OPTION_ARG_STRING, &device, "Device by number or name",
          "N|NAME" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "- run training steps on one batch",
                       "Writes losses, gradients and parameters for comparison.")) {
        return COMMAND_MISUSED;
    }
    if (!config || !init || !batch || !out || argc > 1) {
        return command_fail(COMMAND_MISUSED,
                            "train-step needs --config, --init, --batch and --out");
    }
    r.cycle = g_strcmp0(recipe, "adam_onecycle") == 0;
    if ((!r.cycle && g_strcmp0(recipe, "adamw") != 0) || r.steps < 1 || r.steps > 100000) {
        return command_fail(COMMAND_MISUSED, "train-step needs --recipe adamw or "
                            "adam_onecycle and --steps from 1 to 100000");
    }
    device = device ? device : command_setting("device");
    enum nn_status status = read_config(&r, config);
    if (status == NN_OK) {
        status = read_batch(&r, batch);
    }
    if (status == NN_OK) {
        status = read_init(&r, init);
    }
    if (status == NN_OK) {
        status = make_step(&r, device);
    }
    if (status == NN_OK) {
        status = run_steps(&r);
    }
    if (status == NN_OK) {
        status = write_file(&r, out);
    }
    clear(&r);
    return status == NN_OK ? COMMAND_DONE
                           : command_fail(COMMAND_FAILED, "%s", r.error.text);
}
