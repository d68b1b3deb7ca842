/* The list of benchmarks, the clock, and the timing of plans. */
#include "app/bench/bench_private.h"
#include "compute/nets/formula.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEAK_RUNS 20
#define PEAK_SIDE 1024

static const char *const names[] = { "tresnet_m", "tresnet_l", "clip_text", "head",
                                     "train", "gemm", "conv", "decode", NULL };

static enum nn_status (*const functions[])(struct bench *, struct nn_error *) = {
    bench_tresnet_m, bench_tresnet_l, bench_clip_text, bench_head,
    bench_train, bench_gemm, bench_conv, bench_decode,
};
G_STATIC_ASSERT(G_N_ELEMENTS(names) == G_N_ELEMENTS(functions) + 1);

const char *const *bench_names(void)
{
    return names;
}

/* --- Rows ------------------------------------------------------------------------- */

double bench_now(void)
{
    return 1e-6 * (double)g_get_monotonic_time();
}

/* Linux resets the greatest resident size when 5 is written here. */
static void reset_host_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file) {
        fputs("5", file);
        fclose(file);
    }
}

static guint64 read_host_peak(void)
{
    g_autofree char *status = NULL;
    if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL)) {
        return 0;
    }
    const char *line = strstr(status, "VmHWM:");
    return line ? g_ascii_strtoull(line + strlen("VmHWM:"), NULL, 10) * 1024 : 0;
}

void bench_row_begin(struct bench_row *row, const char *net)
{
    *row = (struct bench_row){ .net = net, .items = 1 };
    reset_host_peak();
}

void bench_row_end(const struct bench *bench, struct bench_row *row)
{
    row->host_peak_bytes = read_host_peak();
    bench->sink->row(bench->sink->user, row);
    nn_profile_clear(&row->profile);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

void bench_row_times(struct bench_row *row, double *seconds, int runs)
{
    qsort(seconds, (size_t)runs, sizeof *seconds, by_value);
    double middle = (seconds[(runs - 1) / 2] + seconds[runs / 2]) / 2;
    row->seconds = middle / row->items;
    row->best_seconds = seconds[0] / row->items;
}

/* --- Plans ------------------------------------------------------------------------ */

struct bindings {
    struct nn_binding *inputs, output;
    size_t n_inputs;
};

static void bindings_clear(struct bindings *b)
{
    for (size_t i = 0; i < b->n_inputs; i++) {
        g_free(b->inputs[i].values);
    }
    g_free(b->inputs);
    g_free(b->output.values);
}

/* Integers are token ids or row numbers; the first five serve as both. */
static void fill_input(const struct nn_node *node, void *values, uint64_t count)
{
    uint64_t hash = formula_hash(node->name);
    for (uint64_t i = 0; i < count; i++) {
        if (node->type == NN_I32) {
            ((int32_t *)values)[i] = (int32_t)(i % 5);
        } else {
            ((float *)values)[i] = (float)formula_uniform(hash, i);
        }
    }
}

static void bind_plan(struct bindings *b, const struct nn_plan *plan)
{
    const struct nn_graph *graph = nn_plan_graph(plan);
    uint32_t n = nn_graph_size(graph);
    b->inputs = g_new0(struct nn_binding, n);
    for (nn_id id = 0; id < n; id++) {
        const struct nn_node *node = nn_graph_node(graph, id);
        uint64_t count = nn_shape_count(node->shape);
        if (node->op == NN_OP_input) {
            struct nn_binding *in = &b->inputs[b->n_inputs++];
            *in = (struct nn_binding){ node->name, g_malloc_n(count, 4), count };
            fill_input(node, in->values, count);
        } else if (node->output) {
            g_free(b->output.values);
            b->output = (struct nn_binding){ node->name, g_malloc_n(count, 4), count };
        }
    }
}

static enum nn_status time_on_host(struct nn_plan *plan, const struct bindings *b,
                                   int runs, double *seconds, struct nn_error *error)
{
    enum nn_status status = NN_OK;
    for (int run = -1; run < runs && status == NN_OK; run++) { /* -1 warms up */
        double begin = bench_now();
        status = nn_plan_run(plan, b->inputs, b->n_inputs, &b->output, 1, NULL, error);
        seconds[MAX(run, 0)] = bench_now() - begin;
    }
    return status;
}

static enum nn_status time_on_device(struct nn_plan *plan, const struct bindings *b,
                                     int runs, double *seconds, struct nn_error *error)
{
    enum nn_status status = NN_OK;
    for (int run = 0; run < runs && status == NN_OK; run++) { /* each warms up itself */
        struct nn_profile profile = { 0 };
        status = nn_plan_profile(plan, b->inputs, b->n_inputs, NULL, &profile, error);
        seconds[run] = profile.seconds;
        nn_profile_clear(&profile);
    }
    return status;
}

enum nn_status bench_plan(const struct bench *bench, struct bench_row *row,
                          struct nn_plan *plan, gboolean on_device,
                          struct nn_error *error)
{
    int runs = bench->options->runs;
    g_autofree double *seconds = g_new0(double, runs);
    struct bindings bindings = { 0 };
    struct nn_plan_facts facts;
    bind_plan(&bindings, plan);
    enum nn_status status =
        on_device ? time_on_device(plan, &bindings, runs, seconds, error)
                  : time_on_host(plan, &bindings, runs, seconds, error);
    if (status == NN_OK && bench->options->profile) {
        struct nn_profile_params params = { .runs = (uint32_t)runs };
        status = nn_plan_profile(plan, bindings.inputs, bindings.n_inputs, &params,
                                 &row->profile, error);
    }
    nn_plan_get_facts(plan, &facts);
    row->flops = facts.nominal_flops / row->items;
    row->arena_bytes = facts.arena_bytes;
    bench_row_times(row, seconds, runs);
    bindings_clear(&bindings);
    return status;
}

/* --- The device and the list ------------------------------------------------------ */

struct gpu_device_params bench_device_params(const struct bench *bench)
{
    return (struct gpu_device_params){ .select = bench->options->device,
                                       .cache_dir = bench->options->cache_dir,
                                       .family = -1,
                                       .choice = bench->options->choice };
}

static enum nn_status measure_peak(struct gpu_device *device, double *peak_flops,
                                   struct nn_error *error)
{
    struct bench_kernel kernel = { 0 };
    struct bindings bindings = { 0 };
    double seconds[PEAK_RUNS];
    enum nn_status status =
        bench_product(&kernel, device, PEAK_SIDE, PEAK_SIDE, PEAK_SIDE, error);
    if (status == NN_OK) {
        bind_plan(&bindings, kernel.plan);
        status = time_on_device(kernel.plan, &bindings, PEAK_RUNS, seconds, error);
    }
    if (status == NN_OK) {
        qsort(seconds, PEAK_RUNS, sizeof *seconds, by_value);
        *peak_flops = 2.0 * PEAK_SIDE * PEAK_SIDE * PEAK_SIDE / seconds[0];
    }
    bindings_clear(&bindings);
    bench_kernel_clear(&kernel);
    return status;
}

static enum nn_status measure_device(struct bench *bench, struct nn_error *error)
{
    struct gpu_device_params params = bench_device_params(bench);
    struct gpu_device *device = NULL;
    struct bench_device facts = { 0 };
    enum nn_status status = gpu_device_create(&device, &params, error);
    if (status == NN_OK) {
        status = measure_peak(device, &facts.peak_flops, error);
    }
    if (status == NN_OK) {
        const struct gpu_caps *caps = gpu_device_caps(device);
        facts.name = caps->name;
        facts.driver = caps->driver;
        facts.family = caps->family;
        facts.timestamps = caps->timestamps;
        facts.precision = caps->choice.precision;
        bench->sink->device(bench->sink->user, &facts);
    }
    gpu_device_destroy(&device);
    return status;
}

enum nn_status bench_run(const char *const *wanted, const struct bench_options *options,
                         const struct bench_sink *sink, struct nn_error *error)
{
    struct bench bench = { options, sink };
    for (size_t i = 0; wanted[i]; i++) {
        if (!g_strv_contains(names, wanted[i])) {
            return nn_fail(error, NN_ERROR_INVALID, "there is no benchmark \"%s\"",
                           wanted[i]);
        }
    }
    enum nn_status status = measure_device(&bench, error);
    for (size_t i = 0; names[i] && status == NN_OK; i++) {
        if (g_strv_contains(wanted, names[i])) {
            status = functions[i](&bench, error);
        }
    }
    return status;
}
