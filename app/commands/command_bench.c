/* `taglight bench`: the table, or the JSON, of app/bench/. */
#include "app/bench/bench.h"
#include "app/commands/commands.h"
#include "app/json/json_out.h"

#include <string.h>

#define PROFILE_ROWS 10
#define MIB 1048576.0

static const char help[] =
    "What --net takes: tresnet_m (224 pixels), tresnet_l (448), clip_text (prompts of\n"
    "5, 16 and 77 tokens), head (1, 80 and 1000 labels), train (a step of a small\n"
    "CLIP-Decoder, of 32 images unless --batch says more), gemm, conv, decode, several\n"
    "of them with commas between, or all. Weights are made by formula.\n"
    "\n"
    "Times are medians for one item (image, prompt, product) after one run to warm\n"
    "up. Networks are timed from host array to host array, kernels (gemm, conv) by\n"
    "the device's clock. GFLOP/s count products in their direct form; the share is\n"
    "that of the device's best 1024x1024x1024 product, measured first.\n"
    "\n"
    "--precision f16 stores values in 16 bits. With --model and --images the effect on\n"
    "the confidences of those photographs is told, in place of rows unless --net is\n"
    "given too.\n"
    "\n"
    "JSON: {format: 1, device, driver, kernels, precision, timestamps, peak_gflops, batch, runs,\n"
    "rows: [{net, case, items, seconds, best_seconds, flops, gflops, peak_share,\n"
    "weight_bytes, arena_bytes, host_peak_bytes, device_seconds, profile: [{operator,\n"
    "calls, seconds, share, gflops, bytes}]}]}. seconds and flops are of one item, in\n"
    "a profile of one run; device_seconds sums all operators of a run. flops, gflops\n"
    "and peak_share are null where they have no meaning; device_seconds and profile\n"
    "are there with --profile only; precision_effect: {images, confidences, largest,\n"
    "mean} with --model and --images only. Within format 1 members may be added but keep\n"
    "their meaning.";

struct output {
    const struct bench_options *options;
    JsonBuilder *json; /* NULL for the table */
    double peak_flops;
};

/* --- Table ------------------------------------------------------------------------ */

static void print_device(void *user, const struct bench_device *device)
{
    struct output *o = user;
    o->peak_flops = device->peak_flops;
    g_print("%s (%s), %s kernels, %s\n", device->name, device->driver,
            device->family == GPU_FAMILY_DIRECT ? "direct" : "tiled",
            gpu_precision_name(device->precision));
    if (!device->timestamps) {
        g_print("this device has no timestamps: kernels are timed on the host, with a "
                "submit for each\n");
    }
    g_print("best 1024x1024x1024 product: %.1f GFLOP/s; batch %d, median of %d run%s\n\n",
            1e-9 * device->peak_flops, o->options->batch, o->options->runs,
            o->options->runs == 1 ? "" : "s");
    g_print("%-10s %-26s %12s %9s %6s %9s %9s %9s\n", "", "", "an item", "GFLOP/s",
            "peak", "weights", "arena", "host");
}

static void print_profile(const struct bench_row *row)
{
    const struct nn_profile *p = &row->profile;
    if (p->n_rows > 0) {
        g_print("  operators of one run: %.3f ms on the device%s\n", 1e3 * p->seconds,
                p->by_submits ? ", with the cost of a submit for each" : "");
    }
    for (size_t i = 0; i < MIN(p->n_rows, PROFILE_ROWS); i++) {
        const struct nn_profile_row *r = &p->rows[i];
        g_print("  %5.1f%% %9.3f ms %4u x %-42s %7.1f GFLOP/s %6.2f GB/s\n",
                100 * r->seconds / p->seconds, 1e3 * r->seconds, r->calls, r->what,
                1e-9 * r->flops / r->seconds, 1e-9 * (double)r->bytes / r->seconds);
    }
}

static void print_row(void *user, const struct bench_row *row)
{
    const struct output *o = user;
    g_print("%-10s %-26s %9.3f ms", row->net, row->what, 1e3 * row->seconds);
    if (row->flops > 0) {
        double rate = row->flops / row->seconds;
        g_print(" %9.1f %5.0f%% %5.0f MiB %5.0f MiB", 1e-9 * rate,
                100 * rate / o->peak_flops, (double)row->weight_bytes / MIB,
                (double)row->arena_bytes / MIB);
    } else {
        g_print(" %9s %6s %9s %9s", "", "", "", "");
    }
    g_print(" %5.0f MiB\n", (double)row->host_peak_bytes / MIB);
    print_profile(row);
}

/* --- JSON ------------------------------------------------------------------------- */

/* flops may be 0, for "has no meaning". */
static void add_rate(JsonBuilder *b, const char *name, double flops, double rate)
{
    json_builder_set_member_name(b, name);
    if (flops > 0) {
        json_builder_add_double_value(b, rate);
    } else {
        json_builder_add_null_value(b);
    }
}

static void add_device(void *user, const struct bench_device *device)
{
    struct output *o = user;
    o->peak_flops = device->peak_flops;
    json_out_count(o->json, "format", 1);
    json_out_text(o->json, "device", device->name);
    json_out_text(o->json, "driver", device->driver);
    json_out_text(o->json, "kernels",
                  device->family == GPU_FAMILY_DIRECT ? "direct" : "tiled");
    json_out_text(o->json, "precision", gpu_precision_name(device->precision));
    json_out_flag(o->json, "timestamps", device->timestamps);
    json_out_number(o->json, "peak_gflops", 1e-9 * device->peak_flops);
    json_out_count(o->json, "batch", (guint64)o->options->batch);
    json_out_count(o->json, "runs", (guint64)o->options->runs);
    json_out_begin_array(o->json, "rows");
}

static void add_profile(JsonBuilder *b, const struct nn_profile *profile)
{
    json_out_number(b, "device_seconds", profile->seconds);
    json_out_begin_array(b, "profile");
    for (size_t i = 0; i < MIN(profile->n_rows, PROFILE_ROWS); i++) {
        const struct nn_profile_row *r = &profile->rows[i];
        json_builder_begin_object(b);
        json_out_text(b, "operator", r->what);
        json_out_count(b, "calls", r->calls);
        json_out_number(b, "seconds", r->seconds);
        json_out_number(b, "share", r->seconds / profile->seconds);
        add_rate(b, "gflops", r->flops, 1e-9 * r->flops / r->seconds);
        json_out_count(b, "bytes", r->bytes);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void add_row(void *user, const struct bench_row *row)
{
    const struct output *o = user;
    double rate = row->flops / row->seconds;
    json_builder_begin_object(o->json);
    json_out_text(o->json, "net", row->net);
    json_out_text(o->json, "case", row->what);
    json_out_count(o->json, "items", (guint64)row->items);
    json_out_number(o->json, "seconds", row->seconds);
    json_out_number(o->json, "best_seconds", row->best_seconds);
    add_rate(o->json, "flops", row->flops, row->flops);
    add_rate(o->json, "gflops", row->flops, 1e-9 * rate);
    add_rate(o->json, "peak_share", row->flops, rate / o->peak_flops);
    json_out_count(o->json, "weight_bytes", row->weight_bytes);
    json_out_count(o->json, "arena_bytes", row->arena_bytes);
    json_out_count(o->json, "host_peak_bytes", row->host_peak_bytes);
    if (o->options->profile) {
        add_profile(o->json, &row->profile);
    }
    json_builder_end_object(o->json);
}

static void print_json(JsonBuilder *b)
{
    json_builder_end_object(b);
    g_autofree char *text = json_out_string(b);
    g_print("%s\n", text);
}

/* --- The effect of the precision -------------------------------------------------- */

struct photographs { const char *model, *images; };

static void print_effect(const struct precision_effect *e, guint n_images)
{
    g_print("f16 against f32 over %u photographs, %u confidences: largest change %.5f "
            "(%.4f, not %.4f), mean %.6f\n", n_images, e->count, e->largest, e->f16, e->f32,
            e->mean);
}

static void add_effect(JsonBuilder *b, const struct precision_effect *e, guint n_images)
{
    json_out_begin_object(b, "precision_effect");
    json_out_count(b, "images", n_images);
    json_out_count(b, "confidences", e->count);
    json_out_number(b, "largest", e->largest);
    json_out_number(b, "mean", e->mean);
    json_builder_end_object(b);
}

static gboolean tell_effect(const struct photographs *p, const struct bench_options *options,
                            JsonBuilder *json, struct nn_error *error)
{
    struct precision_effect effect;
    guint n_images = 0;
    g_autofree char *model = command_find_model(p->model);
    if (!bench_precision(model, p->images, options, &n_images, &effect, error)) {
        return FALSE;
    }
    if (json) {
        add_effect(json, &effect, n_images);
    } else {
        print_effect(&effect, n_images);
    }
    return TRUE;
}

/* --- The command ------------------------------------------------------------------ */

static gboolean tell_rows(const char *net, struct output *output, struct nn_error *error)
{
    g_auto(GStrv) split = g_strsplit(net, ",", -1);
    const char *const *names =
        strcmp(net, "all") == 0 ? bench_names() : (const char *const *)split;
    const struct bench_sink sink = { output->json ? add_device : print_device,
                                     output->json ? add_row : print_row, output };
    gboolean good = bench_run(names, output->options, &sink, error) == NN_OK;
    if (good && output->json) {
        json_builder_end_array(output->json);
    }
    return good;
}

/* `net` is NULL for photographs alone. */
static int run(const char *net, const struct photographs *photographs,
               const struct bench_options *options, gboolean json)
{
    struct nn_error error = { 0 };
    g_autoptr(JsonBuilder) builder = json ? json_builder_new() : NULL;
    struct output output = { .options = options, .json = builder };
    if (json) {
        json_builder_begin_object(builder);
    }
    if ((net && !tell_rows(net, &output, &error))
        || (photographs->images && !tell_effect(photographs, options, builder, &error))) {
        return command_fail(COMMAND_FAILED, "%s", error.text);
    }
    if (json) {
        print_json(builder);
    }
    return COMMAND_DONE;
}

static gboolean known_names(const char *net)
{
    g_auto(GStrv) split = g_strsplit(net, ",", -1);
    gboolean known = split[0] != NULL;
    for (size_t i = 0; split[i]; i++) {
        known = known && g_strv_contains(bench_names(), split[i]);
    }
    return known || strcmp(net, "all") == 0;
}

int command_bench(int argc, char **argv)
{
    g_autofree char *net = NULL, *device = NULL, *precision = NULL, *model = NULL;
    g_autofree char *images = NULL;
    int batch = 1, runs = 5;
    gboolean json = FALSE, profile = FALSE, no_winograd = FALSE;
    enum gpu_precision stored = GPU_PRECISION_DEVICE;
    const GOptionEntry entries[] = {
        { "net", 0, 0, G_OPTION_ARG_STRING, &net, "What to measure (default: all)",
          "NAME,…" },
        { "batch", 0, 0, G_OPTION_ARG_INT, &batch,
          "Images or prompts in one run (default: 1)", "N" },
        { "runs", 0, 0, G_OPTION_ARG_INT, &runs, "Timed runs of each (default: 5)",
          "N" },
        { "profile", 0, 0, G_OPTION_ARG_NONE, &profile,
          "Show the ten most expensive operators of each", NULL },
        { "precision", 0, 0, G_OPTION_ARG_STRING, &precision,
          "How values are stored (default: by device)", "f32|f16" },
        { "model", 0, 0, G_OPTION_ARG_FILENAME, &model,
          "Tell the effect of f16 on this model", "MODEL" },
        { "images", 0, 0, G_OPTION_ARG_FILENAME, &images,
          "… over these photographs", "DIR" },
        { "no-winograd", 0, 0, G_OPTION_ARG_NONE, &no_winograd,
          "Convolve 3x3 maps directly", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
        { "device", 0, 0, G_OPTION_ARG_STRING, &device, "Device by number or name",
          "N|NAME" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "- measure speed and memory", help)) {
        return COMMAND_MISUSED;
    }
    if (argc > 1) {
        return command_fail(COMMAND_MISUSED, "bench takes no arguments");
    }
    if (batch < 1 || batch > 256 || runs < 1 || runs > 10000) {
        return command_fail(COMMAND_MISUSED,
                            "--batch takes 1 to 256, --runs takes 1 to 10000");
    }
    if (net && !known_names(net)) {
        return command_fail(COMMAND_MISUSED, "there is no benchmark \"%s\"; see --help",
                            net);
    }
    if (!command_read_precision(precision, &stored)) {
        return COMMAND_MISUSED;
    }
    if (!model != !images) {
        return command_fail(COMMAND_MISUSED, "--model and --images go together");
    }
    device = device ? device : command_setting("device");
    g_autofree char *cache = command_cache_dir();
    const struct bench_options options = { .device = device, .cache_dir = cache,
                                           .batch = batch, .runs = runs,
                                           .profile = profile,
                                           .choice = { .precision = stored,
                                                       .no_winograd = no_winograd } };
    const struct photographs photographs = { model, images };
    return run(net || images ? net : "all", &photographs, &options, json);
}
