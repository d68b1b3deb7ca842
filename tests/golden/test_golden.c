/* Networks against numbers of the public implementations: test_golden FOLDER.
 *
 * Each case is a checkpoint and a file of inputs and intermediates. It runs fused and
 * unfused, whole and image by image, in both precisions and on both kernel families, and
 * every intermediate is compared. */
#include "compute/nets/model.h"
#include "compute/weights/weights.h"
#include "tests/check.h"

#define TOLERANCE 5e-5
#define HALF_TOLERANCE 1e-2 /* of the lengths, for f16 */

struct golden {
    const char *model, *io, *prefix; /* prefix of the tensors in io */
    const char *input, *graph_input; /* the image-like input; NULL for none */
    const char *labels, *tokens;
    const char *output_prefix;       /* of graph outputs whose names io shortens */
    const char *set[3];
};

static const struct golden cases[] = {
    { "tresnet_basic_timm", "tresnet_basic_io", "i0.", "i0.input", "image", NULL, NULL,
      "image.", { NULL } },
    { "tresnet_basic_repo", "tresnet_basic_io", "i2.", "i2.input", "image", NULL, NULL,
      "image.", { NULL } },
    { "tresnet_bneck_timm", "tresnet_bneck_io", "i1.", "i1.input", "image", NULL, NULL,
      "image.", { NULL } },
    { "tresnet_bneck_repo", "tresnet_bneck_io", "i0.slope1e-6.", "i0.input", "image", NULL,
      NULL, "image.", { "image.slope=1e-6" } },
    { "mldecoder_zsl300", "mldecoder_zsl300_io", "", "input", "features",
      "label_embeddings", NULL, "head.", { NULL } },
    { "mldecoder_zsl512", "mldecoder_zsl512_io", "", "input", "features",
      "label_embeddings", NULL, "head.", { NULL } },
    { "mldecoder_group", "mldecoder_group_io", "", "input", "features", NULL, NULL, "head.",
      { NULL } },
    { "clip_ctx77_vit_openai", "clip_ctx77_vit_io", "", "images", "image", NULL, "tokens",
      "", { "text.heads=4", "image.heads=4" } },
    { "clip_ctx77_vit_hf", "clip_ctx77_vit_io", "", "images", "image", NULL,
      "tokens", "", { "text.heads=4", "image.heads=4" } },
    { "clip_ctx16_rn_openai", "clip_ctx16_rn_io", "", "images", "image", NULL, "tokens",
      "", { "text.heads=4", "image.heads=4" } },
};

static float *read_floats(const struct weights *io, const char *name, uint64_t *count)
{
    struct nn_error error = { 0 };
    const struct weights_tensor *t = weights_find(io, name);
    REQUIRE(t);
    float *values = malloc(t->count * sizeof *values);
    REQUIRE_OK(weights_read_f32(io, t, values, &error));
    *count = t->count;
    return values;
}

static struct nn_shape shape_of(const struct weights *io, const char *name, uint32_t batch)
{
    const struct weights_tensor *t = weights_find(io, name);
    struct nn_shape shape = { .rank = t->rank };
    for (int i = 0; i < t->rank; i++) {
        shape.dim[i] = (uint32_t)t->shape[i];
    }
    shape.dim[0] = batch ? batch : shape.dim[0];
    return shape;
}

/* The name that the io file gives to a graph's output; NULL when it has none. */
static const struct weights_tensor *find_expected(const struct golden *g,
                                                  const struct weights *io,
                                                  const char *output)
{
    char name[128];
    size_t skip = strlen(g->output_prefix);
    if (strncmp(output, g->output_prefix, skip) != 0) {
        return NULL;
    }
    snprintf(name, sizeof name, "%s%s", g->prefix, output + skip);
    return weights_find(io, name);
}

struct run {
    const struct golden *golden;
    struct model *model;
    struct weights *io;
    struct nn_graph *graph;
    struct nn_binding inputs[4];
    size_t n_inputs;
    bool half;
};

static void bind_tokens(struct run *r)
{
    struct nn_error error = { 0 };
    const struct weights_tensor *t = weights_find(r->io, r->golden->tokens);
    uint32_t n = (uint32_t)t->shape[0], length = (uint32_t)t->shape[1];
    int64_t *ids = malloc(t->count * sizeof *ids);
    int32_t *values = malloc(t->count * sizeof *values), *eot = malloc(n * sizeof *eot);
    REQUIRE_OK(weights_read_i64(r->io, t, ids, &error));
    for (uint32_t i = 0; i < n; i++) {
        eot[i] = 0;
        for (uint32_t j = 0; j < length; j++) {
            values[i * length + j] = (int32_t)ids[i * length + j];
            eot[i] = ids[i * length + j] > ids[i * length + (uint32_t)eot[i]] ? (int32_t)j
                                                                              : eot[i];
        }
    }
    free(ids);
    r->inputs[r->n_inputs++] = (struct nn_binding){ "tokens", values, t->count };
    r->inputs[r->n_inputs++] = (struct nn_binding){ "text.eot", eot, n };
}

static void prepare(struct run *r, uint32_t batch)
{
    const struct golden *g = r->golden;
    struct nn_error error = { 0 };
    struct model_inputs in = { 0 };
    struct nn_shape shape = shape_of(r->io, g->input, batch);
    uint64_t count;
    *(strcmp(g->graph_input, "image") == 0 ? &in.image : &in.features) = shape;
    float *pixels = read_floats(r->io, g->input, &count);
    r->inputs[r->n_inputs++] =
        (struct nn_binding){ g->graph_input, pixels, nn_shape_count(shape) };
    if (g->labels) {
        in.label_embeddings = shape_of(r->io, g->labels, 0);
        float *labels = read_floats(r->io, g->labels, &count);
        r->inputs[r->n_inputs++] = (struct nn_binding){ "label_embeddings", labels, count };
    }
    if (g->tokens) {
        in.tokens = shape_of(r->io, g->tokens, 0);
        bind_tokens(r);
    }
    REQUIRE_OK(model_forward_graph(&r->graph, r->model, &in, &error));
}

static int compare(const struct run *r, const struct nn_binding *out)
{
    uint64_t count;
    const struct weights_tensor *t = find_expected(r->golden, r->io, out->name);
    if (!t) {
        return 0;
    }
    float *want = read_floats(r->io, t->name, &count);
    const float *got = out->values;
    double worst = 0, difference = 0, length = 0;
    REQUIRE(out->count <= count); /* fewer images than the file has */
    for (uint64_t i = 0; i < out->count; i++) {
        double d = (double)got[i] - want[i], err = fabs(d) / (1 + fabs((double)want[i]));
        worst = err > worst || isnan(err) ? err : worst;
        difference += d * d;
        length += (double)want[i] * want[i];
    }
    free(want);
    double relative = sqrt(difference / length);
    if (r->half ? !(relative <= HALF_TOLERANCE) : !(worst <= TOLERANCE)) {
        fprintf(stderr, "%s: %s: error %g, relative %g\n", r->golden->model, out->name,
                worst, relative);
        return -1;
    }
    return 1;
}

struct way {
    uint32_t batch; /* 0: all of the file */
    bool no_fuse;
    int family;
    enum gpu_precision precision;
    bool optional;  /* left out on devices that cannot */
};

static const struct way ways[] = {
    { 0, false, -1, GPU_PRECISION_F32, false }, { 0, true, -1, GPU_PRECISION_F32, false },
    { 1, false, -1, GPU_PRECISION_F32, false },
    { 0, false, GPU_FAMILY_TILED, GPU_PRECISION_F32, false },
    { 0, false, -1, GPU_PRECISION_F16, true },
    { 0, false, GPU_FAMILY_TILED, GPU_PRECISION_F16, true },
};

static int run_case(const char *folder, const struct golden *g, const struct way *way)
{
    char model_path[1024], io_path[1024];
    const char *paths[1] = { model_path };
    struct nn_error error = { 0 };
    struct model_settings settings;
    struct session *session = NULL;
    struct session_params params = {
        .device = { .family = way->family, .choice = { .precision = way->precision } },
        .no_fuse = way->no_fuse };
    struct run r = { .golden = g, .half = way->precision == GPU_PRECISION_F16 };
    snprintf(model_path, sizeof model_path, "%s/%s.safetensors", folder, g->model);
    snprintf(io_path, sizeof io_path, "%s/%s.safetensors", folder, g->io);
    FILE *probe = fopen(model_path, "rb");
    if (!probe) {
        return 0;
    }
    fclose(probe);
    model_settings_init(&settings);
    for (int i = 0; i < 3 && g->set[i]; i++) {
        REQUIRE_OK(model_settings_set(&settings, g->set[i], &error));
    }
    REQUIRE_OK(model_open(&r.model, paths, 1, &settings, &error));
    enum nn_status status = session_create(&session, r.model, &params, &error);
    if (status == NN_ERROR_UNSUPPORTED && way->optional) {
        fprintf(stderr, "%s: not tried: %s\n", g->model, error.text);
        model_destroy(&r.model);
        return 0;
    }
    REQUIRE_OK(status);
    REQUIRE_OK(weights_open(&r.io, io_path, &error));
    prepare(&r, way->batch);
    struct nn_binding outputs[64];
    size_t n = 0;
    for (nn_id id = 0; id < nn_graph_size(r.graph); id++) {
        const struct nn_node *node = nn_graph_node(r.graph, id);
        if (node->output) {
            uint64_t count = nn_shape_count(node->shape);
            outputs[n++] = (struct nn_binding){ node->name, malloc(count * 4), count };
        }
    }
    REQUIRE_OK(session_run(session, r.graph, r.inputs, r.n_inputs, outputs, n, NULL,
                           &error));
    REQUIRE_INT(gpu_device_validation_count(session_device(session)), 0);
    int compared = 0, failed = 0;
    for (size_t i = 0; i < n; i++) {
        int result = compare(&r, &outputs[i]);
        compared += result > 0;
        failed += result < 0;
        free(outputs[i].values);
    }
    for (size_t i = 0; i < r.n_inputs; i++) {
        free(r.inputs[i].values);
    }
    REQUIRE(compared + failed > 3);
    nn_graph_destroy(&r.graph);
    session_destroy(&session);
    weights_destroy(&r.io);
    model_destroy(&r.model);
    return failed ? -1 : 1;
}

int main(int argc, char **argv)
{
    int ran = 0, failed = 0;
    struct gpu_list_entry *list = NULL;
    size_t n_devices = 0;
    REQUIRE(argc == 2);
    if (gpu_list(&list, &n_devices, NULL) != NN_OK || n_devices == 0) {
        return CHECK_SKIP;
    }
    free(list);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t j = 0; j < sizeof ways / sizeof ways[0]; j++) {
            int result = run_case(argv[1], &cases[i], &ways[j]);
            ran += result != 0;
            failed += result < 0;
        }
    }
    printf("%d runs, %d failed\n", ran, failed);
    return failed ? 1 : ran ? 0 : CHECK_SKIP;
}
