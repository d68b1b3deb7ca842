/* `taglight model forward`: tensors in, every named intermediate out. */
#include "app/commands/command_model.h"
#include "app/commands/commands.h"
#include "compute/nets/model.h"
#include "compute/weights/weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct forward {
    struct model *model;
    struct weights *in;
    struct nn_graph *graph;
    struct nn_binding inputs[8];
    size_t n_inputs;
    struct nn_binding *outputs;
    struct weights_output *files;
    size_t n_outputs;
    struct nn_error error;
};

static void forward_clear(struct forward *f)
{
    for (size_t i = 0; i < f->n_inputs; i++) {
        g_free(f->inputs[i].values);
    }
    for (size_t i = 0; i < f->n_outputs; i++) {
        g_free(f->outputs[i].values);
    }
    g_free(f->outputs);
    g_free(f->files);
    nn_graph_destroy(&f->graph);
    weights_destroy(&f->in);
    model_destroy(&f->model);
}

static enum nn_status bad_input(struct forward *f, const char *name, const char *what)
{
    return nn_fail(&f->error, NN_ERROR_INVALID, "%s: input \"%s\" %s", weights_path(f->in),
                   name, what);
}

/* The shape of input `name`, or rank 0 when it is not given. */
static enum nn_status read_shape(struct forward *f, const char *name, int rank,
                                 struct nn_shape *out)
{
    const struct weights_tensor *t = weights_find(f->in, name);
    if (!t) {
        return NN_OK;
    }
    if (t->rank != rank || t->count == 0 || t->count > 1u << 30) {
        return bad_input(f, name, rank == 4 ? "must be [batch, channels, height, width]"
                         : rank == 3 ? "must be [batch, tokens, width]"
                                     : "must be [rows, columns]");
    }
    out->rank = rank;
    for (int i = 0; i < rank; i++) {
        out->dim[i] = (uint32_t)t->shape[i];
    }
    return NN_OK;
}

static enum nn_status bind_floats(struct forward *f, const char *name)
{
    const struct weights_tensor *t = weights_find(f->in, name);
    float *values = g_new(float, t->count);
    f->inputs[f->n_inputs++] = (struct nn_binding){ name, values, t->count };
    return weights_read_f32(f->in, t, values, &f->error);
}

/* Tokens, and the row of the first largest id of each. */
static enum nn_status bind_tokens(struct forward *f, struct nn_shape shape)
{
    uint32_t n = shape.dim[0], length = shape.dim[1];
    const struct weights_tensor *t = weights_find(f->in, "tokens");
    g_autofree int64_t *ids = g_new(int64_t, t->count);
    enum nn_status status = weights_read_i64(f->in, t, ids, &f->error);
    if (status != NN_OK) {
        return status;
    }
    int32_t *values = g_new(int32_t, t->count), *eot = g_new(int32_t, n);
    f->inputs[f->n_inputs++] = (struct nn_binding){ "tokens", values, t->count };
    f->inputs[f->n_inputs++] = (struct nn_binding){ "text.eot", eot, n };
    for (uint32_t i = 0; i < n; i++) {
        uint32_t best = 0;
        for (uint32_t j = 0; j < length; j++) {
            int64_t id = ids[i * length + j];
            if (id < 0 || id >= model_info(f->model)->vocabulary) {
                return bad_input(f, "tokens", "holds an id outside the vocabulary");
            }
            values[i * length + j] = (int32_t)id;
            best = id > ids[i * length + best] ? j : best;
        }
        eot[i] = (int32_t)best;
    }
    return NN_OK;
}

static enum nn_status read_inputs(struct forward *f)
{
    struct model_inputs shapes = { 0 };
    struct { const char *name; int rank; struct nn_shape *shape; } table[] = {
        { "image", 4, &shapes.image }, { "features", 4, &shapes.features },
        { "tokens2d", 3, &shapes.tokens2d }, { "tokens", 2, &shapes.tokens },
        { "label_embeddings", 2, &shapes.label_embeddings } };
    enum nn_status status = NN_OK;
    int given = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(table) && status == NN_OK; i++) {
        status = read_shape(f, table[i].name, table[i].rank, table[i].shape);
        given += table[i].shape->rank > 0 && i < 4;
    }
    if (status == NN_OK && given == 0) {
        status = nn_fail(&f->error, NN_ERROR_INVALID,
                         "%s: it holds none of the inputs image, tokens, features, "
                         "tokens2d", weights_path(f->in));
    }
    if (status == NN_OK && shapes.features.rank && shapes.tokens2d.rank) {
        status = bad_input(f, "features", "and tokens2d cannot be given together");
    }
    if (status == NN_OK) {
        status = model_forward_graph(&f->graph, f->model, &shapes, &f->error);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(table) && status == NN_OK; i++) {
        if (nn_graph_find(f->graph, table[i].name) == NN_NONE) {
            continue; /* given, but of no use to this model */
        }
        status = table[i].shape == &shapes.tokens ? bind_tokens(f, shapes.tokens)
                                                  : bind_floats(f, table[i].name);
    }
    return status;
}

static void make_outputs(struct forward *f)
{
    uint32_t n = nn_graph_size(f->graph);
    f->outputs = g_new0(struct nn_binding, n);
    f->files = g_new0(struct weights_output, n);
    for (nn_id id = 0; id < n; id++) {
        const struct nn_node *node = nn_graph_node(f->graph, id);
        if (!node->output) {
            continue;
        }
        uint64_t count = nn_shape_count(node->shape);
        float *values = g_new(float, count);
        struct weights_output *o = &f->files[f->n_outputs];
        *o = (struct weights_output){ .name = node->name, .type = WEIGHTS_F32,
                                      .rank = node->shape.rank, .values = values };
        for (int i = 0; i < o->rank; i++) {
            o->shape[i] = node->shape.dim[i];
        }
        /* One logit a query: the graph keeps a last dimension of 1. */
        o->rank -= strcmp(node->name, "head.logits") == 0 && o->rank == 3;
        f->outputs[f->n_outputs++] = (struct nn_binding){ node->name, values, count };
    }
}

static enum nn_status run(struct forward *f, const char *device,
                          enum gpu_precision precision, gboolean no_fuse,
                          gboolean reference)
{
    if (reference) {
        struct nn_params params = model_params(f->model);
        return nn_ref_run(f->graph, &params, f->inputs, f->n_inputs, f->outputs,
                          f->n_outputs, &f->error);
    }
    g_autofree char *cache = command_cache_dir();
    struct session_params params = {
        .device = { .select = device, .cache_dir = cache, .family = -1,
                    .choice = { .precision = precision } },
        .no_fuse = no_fuse };
    struct session *session = NULL;
    enum nn_status status = session_create(&session, f->model, &params, &f->error);
    if (status == NN_OK) {
        status = session_run(session, f->graph, f->inputs, f->n_inputs, f->outputs,
                             f->n_outputs, NULL, &f->error);
    }
    session_destroy(&session);
    return status;
}

int command_forward(int argc, char **argv)
{
    g_autofree char *in = NULL, *out = NULL, *device = NULL, *precision_name = NULL;
    /* Numbers to compare with others' are f32 on every device. */
    enum gpu_precision precision = GPU_PRECISION_F32;
    g_auto(GStrv) set = NULL;
    gboolean no_fuse = FALSE, reference = FALSE;
    const GOptionEntry entries[] = {
        { "in", 0, 0, G_OPTION_ARG_FILENAME, &in, "Input tensors", "FILE" },
        { "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "Where to write the outputs", "FILE" },
        { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &set,
          "What the checkpoint does not store, such as text.heads=4", "KEY=VALUE" },
        { "no-fuse", 0, 0, G_OPTION_ARG_NONE, &no_fuse, "Run the graph unfused", NULL },
        { "reference", 0, 0, G_OPTION_ARG_NONE, &reference,
          "Run the plain C reference in place of a device", NULL },
        { "device", 0, 0, G_OPTION_ARG_STRING, &device, "Device by number or name",
          "N|NAME" },
        { "precision", 0, 0, G_OPTION_ARG_STRING, &precision_name,
          "How values are stored: f32 (default) or f16", "f32|f16" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "MODEL|FILE… - run a network on tensors",
                       "Inputs: image, tokens, features, tokens2d, label_embeddings.")) {
        return COMMAND_MISUSED;
    }
    if (argc < 2 || !in || !out) {
        return command_fail(COMMAND_MISUSED, "forward needs a model, --in and --out");
    }
    if (!command_read_precision(precision_name, &precision)) {
        return COMMAND_MISUSED;
    }
    device = device ? device : command_setting("device");
    struct forward f = { 0 };
    struct model_settings settings;
    enum nn_status status = command_read_settings(&settings, set, &f.error);
    if (status == NN_OK) {
        status = command_open_model(&f.model, argv + 1, (size_t)argc - 1,
                                    set ? &settings : NULL, &f.error);
    }
    if (status == NN_OK) {
        status = weights_open(&f.in, in, &f.error);
    }
    if (status == NN_OK) {
        status = read_inputs(&f);
    }
    if (status == NN_OK) {
        make_outputs(&f);
        status = run(&f, device, precision, no_fuse, reference);
    }
    if (status == NN_OK) {
        status = weights_save(out, f.files, f.n_outputs, NULL, 0, &f.error);
    }
    forward_clear(&f);
    return status == NN_OK ? COMMAND_DONE
                           : command_fail(COMMAND_FAILED, "%s", f.error.text);
}
