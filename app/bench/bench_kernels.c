/* Single kernels: matrix products and convolutions in the sizes of our networks. */
#include "app/bench/bench_private.h"
#include "compute/nets/formula.h"

#include <stdio.h>

static enum nn_status read_uniform(void *user, const char *name, float *out,
                                   uint64_t count, struct nn_error *error)
{
    uint64_t hash = formula_hash(name);
    for (uint64_t i = 0; i < count; i++) {
        out[i] = (float)(0.05 * formula_uniform(hash, i));
    }
    return NN_OK;
}

/* Takes over the graph, whose last node is the result. */
static enum nn_status make_kernel(struct bench_kernel *out, struct gpu_device *device,
                                  struct nn_graph *graph, nn_id result,
                                  struct nn_error *error)
{
    struct nn_params params = { NULL, read_uniform };
    nn_output(graph, result, "result");
    enum nn_status status = nn_store_create(&out->store, device, &params, error);
    if (status == NN_OK) {
        status = nn_plan_create(&out->plan, graph, out->store, NULL, error);
    }
    nn_graph_destroy(&graph);
    return status;
}

void bench_kernel_clear(struct bench_kernel *kernel)
{
    nn_plan_destroy(&kernel->plan);
    nn_store_destroy(&kernel->store);
}

enum nn_status bench_product(struct bench_kernel *out, struct gpu_device *device,
                             guint32 rows, guint32 in, guint32 outs,
                             struct nn_error *error)
{
    struct nn_graph *graph = nn_graph_create();
    if (!graph) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a graph");
    }
    nn_id x = nn_input(graph, "x", NN_F32, NN_SHAPE2(rows, in));
    nn_id weight = nn_param(graph, "weight", NN_SHAPE2(outs, in));
    return make_kernel(out, device, graph, nn_linear(graph, x, weight, NN_NONE), error);
}

struct conv { guint32 kernel, in, out, side; };

static enum nn_status make_conv(struct bench_kernel *out, struct gpu_device *device,
                                const struct conv *c, guint32 batch,
                                struct nn_error *error)
{
    struct nn_graph *graph = nn_graph_create();
    if (!graph) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a graph");
    }
    nn_id x = nn_input(graph, "x", NN_F32, NN_SHAPE4(batch, c->in, c->side, c->side));
    nn_id weight =
        nn_param(graph, "weight", NN_SHAPE4(c->out, c->in, c->kernel, c->kernel));
    nn_id y = nn_conv2d(graph, x, weight, NN_NONE, 1, c->kernel / 2);
    return make_kernel(out, device, graph, y, error);
}

static enum nn_status kernel_row(const struct bench *bench, struct bench_row *row,
                                 const struct bench_kernel *kernel,
                                 struct nn_error *error)
{
    enum nn_status status = bench_plan(bench, row, kernel->plan, TRUE, error);
    if (status == NN_OK) {
        row->weight_bytes = nn_store_bytes(kernel->store);
        bench_row_end(bench, row);
    }
    return status;
}

enum nn_status bench_gemm(struct bench *bench, struct nn_error *error)
{
    /* A square, then what the networks ask for: one image's labels, the head's tokens
     * and labels, the two layers of a text block. */
    static const struct { guint32 rows, in, out; } sizes[] = {
        { 1024, 1024, 1024 }, { 1, 2048, 1000 },  { 49, 2048, 768 },
        { 80, 768, 2304 },    { 1000, 768, 768 }, { 77, 512, 2048 },
        { 77, 2048, 512 },    { 8, 512, 2048 },
    };
    struct gpu_device_params params = bench_device_params(bench);
    struct gpu_device *device = NULL;
    enum nn_status status = gpu_device_create(&device, &params, error);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes) && status == NN_OK; i++) {
        struct bench_kernel kernel = { 0 };
        struct bench_row row;
        bench_row_begin(&row, "gemm");
        snprintf(row.what, sizeof row.what, "%ux%ux%u", sizes[i].rows, sizes[i].in,
                 sizes[i].out);
        status = bench_product(&kernel, device, sizes[i].rows, sizes[i].in,
                               sizes[i].out, error);
        if (status == NN_OK) {
            status = kernel_row(bench, &row, &kernel, error);
        }
        bench_kernel_clear(&kernel);
    }
    gpu_device_destroy(&device);
    return status;
}

enum nn_status bench_conv(struct bench *bench, struct nn_error *error)
{
    /* The layers of TResNet-M at 224 pixels, then those of TResNet-L at 448. */
    static const struct conv sizes[] = {
        { 3, 48, 64, 56 },     { 3, 64, 64, 56 },     { 3, 64, 128, 56 },
        { 3, 128, 128, 28 },   { 3, 256, 256, 14 },   { 1, 256, 1024, 14 },
        { 1, 1024, 256, 14 },  { 3, 512, 512, 7 },    { 1, 512, 2048, 7 },
        { 1, 2048, 512, 7 },   { 3, 48, 76, 112 },    { 3, 76, 76, 112 },
        { 3, 76, 152, 112 },   { 3, 152, 152, 56 },   { 3, 304, 304, 28 },
        { 1, 304, 1216, 28 },  { 1, 1216, 304, 28 },  { 3, 608, 608, 14 },
        { 1, 608, 2432, 14 },  { 1, 2432, 608, 14 },
    };
    struct gpu_device_params params = bench_device_params(bench);
    struct gpu_device *device = NULL;
    enum nn_status status = gpu_device_create(&device, &params, error);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes) && status == NN_OK; i++) {
        const struct conv *c = &sizes[i];
        struct bench_kernel kernel = { 0 };
        struct bench_row row;
        bench_row_begin(&row, "conv");
        row.items = bench->options->batch;
        snprintf(row.what, sizeof row.what, "%ux%u %u->%u @%ux%u", c->kernel, c->kernel,
                 c->in, c->out, c->side, c->side);
        status = make_conv(&kernel, device, c, (guint32)row.items, error);
        if (status == NN_OK) {
            status = kernel_row(bench, &row, &kernel, error);
        }
        bench_kernel_clear(&kernel);
    }
    gpu_device_destroy(&device);
    return status;
}
