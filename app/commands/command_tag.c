/* `taglight tag`: confidences of labels for images, without a window. */
#include "app/commands/commands.h"
#include "app/commands/progress.h"
#include "app/engine/prompts.h"
#include "app/library/library.h"
#include "app/tagger/results.h"
#include "app/tagger/tagger.h"
#include "compute/text/tokenizer.h"
#include "compute/weights/weights.h"

#include <signal.h>
#include <string.h>

static const char help[] =
    "PATH is an image or a folder of images. csv has the columns path, label, confidence\n"
    "and error; an image that cannot be read has a row with an error and no confidence.\n"
    "Such images do not make the command fail. Ctrl-C ends after the images at hand; what\n"
    "was written until then is kept.";

struct tag_options {
    char *model, *labels, *labels_file, *format, *out, *device, *precision_name;
    enum gpu_precision precision;
    double threshold;
    int top, jobs;
    gboolean recursive, stats, no_cache;
    gboolean unasked; /* the model is the usual one */
};

struct tag {
    struct tag_options options;
    struct model *model;
    struct session *session;
    GPtrArray *labels;
    token_cache *cache;
    float *embeddings; /* NULL for a fixed head */
    struct results *results;
    struct progress progress;
};

/* --- Labels ------------------------------------------------------------------------------- */

static void add_label(GPtrArray *labels, const char *text)
{
    g_autofree char *label = g_strstrip(g_strdup(text));
    if (*label && !g_ptr_array_find_with_equal_func(labels, label, g_str_equal, NULL)) {
        g_ptr_array_add(labels, g_steal_pointer(&label));
    }
}

static gboolean read_labels(struct tag *t)
{
    g_auto(GStrv) parts = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    size_t n = 0;
    const struct weights_label *fixed = model_labels(t->model, &n);
    if (t->options.labels_file) {
        if (!g_file_get_contents(t->options.labels_file, &text, NULL, &error)) {
            command_fail(COMMAND_FAILED, "%s", error->message);
            return FALSE;
        }
        if (!g_utf8_validate(text, -1, NULL)) {
            command_fail(COMMAND_FAILED, "%s: this is not UTF-8 text",
                         t->options.labels_file);
            return FALSE;
        }
        const char *begin = g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text;
        parts = g_strsplit(begin, "\n", -1);
    } else if (t->options.labels) {
        parts = g_strsplit(t->options.labels, ",", -1);
    }
    for (char **p = parts; p && *p; p++) {
        add_label(t->labels, *p);
    }
    if (!model_info(t->model)->open_vocabulary) {
        if (t->labels->len > 0) {
            command_fail(COMMAND_DONE, "%s answers for its own %zu labels only; the given "
                         "ones are not used", model_info(t->model)->name, n);
            g_ptr_array_set_size(t->labels, 0);
        }
        for (size_t i = 0; i < n; i++) {
            g_ptr_array_add(t->labels, g_strdup(fixed[i].name));
        }
    }
    if (t->labels->len == 0) {
        command_fail(COMMAND_MISUSED, "no label was given; use --labels \"a, b\" or "
                     "--labels-file");
        return FALSE;
    }
    return TRUE;
}

/* The model sees only so much of a prompt; a person should know. */
static void warn_of_long(const struct tag *t, const char *label, const char *prompt)
{
    struct nn_error error = { 0 };
    size_t context = model_info(t->model)->context, used = 0, full = 0;
    g_autofree gint64 *ids = g_new0(gint64, MAX(context, 1));
    if (model_tokenizer(t->model)
        && tokenizer_prompt(model_tokenizer(t->model), prompt, strlen(prompt),
                            (int64_t *)ids, context, &used, &full, &error) == NN_OK
        && full > context) {
        command_fail(COMMAND_DONE, "a label is too long: its prompt has %zu tokens and "
                     "only the first %zu count: \"%.60s…\"", full, context, label);
    }
}

/* Embeddings of the prompts, cached ones as they are. */
static gboolean encode_labels(struct tag *t)
{
    const struct model_info *info = model_info(t->model);
    if (!info->open_vocabulary) {
        return TRUE;
    }
    struct nn_error error = { 0 };
    enum nn_status status;
    gsize width = info->embedding;
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(guint));
    t->embeddings = g_new(float, t->labels->len * width);
    for (guint i = 0; i < t->labels->len; i++) {
        g_autofree char *prompt = prompts_fill(info->prompt, t->labels->pdata[i]);
        warn_of_long(t, t->labels->pdata[i], prompt);
        if (!token_cache_get_query(t->cache, prompt, t->embeddings + i * width)) {
            g_array_append_val(missing, i);
            g_ptr_array_add(prompts, g_steal_pointer(&prompt));
        }
    }
    g_autofree float *made = g_new(float, missing->len * width);
    if (missing->len > 0
        && !prompts_encode(t->session, t->model, (const char *const *)prompts->pdata,
                           prompts->len, made, NULL, &status, &error)) {
        command_fail(COMMAND_FAILED, "%s", error.text);
        return FALSE;
    }
    for (guint i = 0; i < missing->len; i++) {
        memcpy(t->embeddings + g_array_index(missing, guint, i) * width, made + i * width,
               width * sizeof *made);
        token_cache_put_query(t->cache, prompts->pdata[i], made + i * width);
    }
    return TRUE;
}

/* --- Running ------------------------------------------------------------------------------ */

static gint stopped;

/* A second Ctrl-C ends the program at once. */
static void on_stop(int number)
{
    g_atomic_int_set(&stopped, 1);
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_stop,
                                .sa_flags = (int)SA_RESETHAND | SA_RESTART };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of the output */
}

static gboolean put_batch(const struct tagger_item *items, guint n,
                          const struct tagger_stats *stats, gpointer data, GError **error)
{
    struct tag *t = data;
    progress_hide(&t->progress);
    for (guint i = 0; i < n; i++) {
        if (items[i].error) {
            command_fail(COMMAND_DONE, "%s", items[i].error->message);
            results_put_error(t->results, items[i].path, items[i].error->message);
        } else {
            results_put(t->results, items[i].path, items[i].confidence);
        }
    }
    gboolean good = results_flush(t->results, error);
    progress_show(&t->progress, stats->tagged + stats->broken);
    return good;
}

static void print_summary(const struct tag *t, const struct tagger_stats *s, guint total)
{
    guint done = s->tagged + s->broken;
    if (done < total) {
        g_printerr("stopped after %u of %u images\n", done, total);
    }
    g_printerr("%u images tagged, %u broken, on %s\n", s->tagged, s->broken,
               gpu_device_caps(session_device(t->session))->name);
    if (s->cached > 0) {
        g_printerr("%u of them were encoded before (--no-cache does it again)\n",
                   s->cached);
    }
    if (t->options.stats) {
        double rate = s->seconds > 0 ? done / s->seconds : 0;
        double share = s->seconds > 0 ? 100 * s->device_seconds / s->seconds : 0;
        g_printerr("%.2f s, %.2f images a second; decoding %.2f s on %u thread%s, waiting "
                   "for it %.2f s; device %.2f s (%.0f %%)\n", s->seconds, rate,
                   s->decode_seconds, s->jobs, s->jobs == 1 ? "" : "s", s->wait_seconds,
                   s->device_seconds, share);
    }
}

static gboolean tag_all(struct tag *t, GPtrArray *images, GError **error)
{
    const struct tag_options *o = &t->options;
    struct results_params out = { .format = o->format, .out = o->out,
                                  .labels = (const char *const *)t->labels->pdata,
                                  .n_labels = t->labels->len, .threshold = o->threshold,
                                  .top = (guint)o->top };
    struct tagger_params params = { .model = t->model, .session = t->session,
                                    .embeddings = t->embeddings,
                                    .n_labels = t->labels->len, .cache = t->cache,
                                    .jobs = (guint)o->jobs,
                                    .stop = &stopped, .put = put_batch, .data = t };
    struct tagger_stats stats;
    t->results = results_open(&out, error);
    if (!t->results) {
        return FALSE;
    }
    catch_signals();
    t->progress = progress_start(images->len);
    gboolean good = tagger_run(&params, images, &stats, error);
    progress_hide(&t->progress);
    good = results_close(t->results, good, good ? error : NULL) && good;
    print_summary(t, &stats, images->len);
    return good;
}

/* --- The command -------------------------------------------------------------------------- */

static gboolean open_all(struct tag *t)
{
    struct nn_error error = { 0 };
    g_autofree char *path = command_find_model(t->options.model);
    g_autofree char *cache = command_cache_dir();
    struct session_params params = {
        .device = { .select = t->options.device, .cache_dir = cache, .family = -1,
                    .choice = { .precision = t->options.precision } } };
    if (model_open(&t->model, (const char *const[]){ path }, 1, NULL, &error) != NN_OK) {
        command_fail(COMMAND_FAILED, "%s", error.text);
        return FALSE;
    }
    if (model_info(t->model)->kind == MODEL_PARTS) {
        command_fail(COMMAND_FAILED, "%s: this holds parts of a model only; make a whole "
                     "one with `taglight model import`", path);
        return FALSE;
    }
    if (session_create(&t->session, t->model, &params, &error) != NN_OK) {
        command_fail(COMMAND_FAILED, "%s", error.text);
        return FALSE;
    }
    if (!t->options.no_cache) {
        const struct model_info *info = model_info(t->model);
        const struct session_keys *keys = session_keys(t->session);
        struct token_cache_key key = {
            keys->image, keys->text,
            (gsize)session_token_count(t->session) * info->token_width, info->embedding };
        t->cache = token_cache_open(NULL, &key);
    }
    return TRUE;
}

static GPtrArray *list_images(char **paths, int n, gboolean recursive)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < n; i++) {
        g_autoptr(GError) error = NULL;
        if (!library_scan(paths[i], recursive, NULL, all, &error)) {
            command_fail(COMMAND_FAILED, "%s", error->message);
            return NULL;
        }
    }
    return g_steal_pointer(&all);
}

static int run(struct tag *t, char **paths, int n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) images = list_images(paths, n, t->options.recursive);
    if (!images || !open_all(t)) {
        return COMMAND_FAILED;
    }
    if (t->options.unasked && *model_info(t->model)->about) {
        g_printerr("%s: %s\n", model_info(t->model)->name, model_info(t->model)->about);
    }
    if (!read_labels(t) || !encode_labels(t)) {
        return COMMAND_FAILED;
    }
    if (!tag_all(t, images, &error)) {
        return command_fail(COMMAND_FAILED, "%s", error->message);
    }
    return g_atomic_int_get(&stopped) ? COMMAND_FAILED : COMMAND_DONE;
}

static int check_and_run(struct tag *t, int argc, char **argv)
{
    struct tag_options *o = &t->options;
    o->format = o->format ? o->format : g_strdup("table");
    o->device = o->device ? o->device : command_setting("device");
    o->unasked = o->model == NULL;
    o->model = o->model ? o->model : command_default_model();
    if (argc < 2 || !o->model || !g_strv_contains(results_formats(), o->format)) {
        return command_fail(COMMAND_MISUSED, "tag needs a path, --model, and a format of "
                            "table, csv or jsonl");
    }
    if (o->jobs < 0 || o->jobs > 256 || o->top < 0) {
        return command_fail(COMMAND_MISUSED, "--jobs is 1 to 256 and --top is positive");
    }
    if (!command_read_precision(o->precision_name, &o->precision)) {
        return COMMAND_MISUSED;
    }
    return run(t, argv + 1, argc - 1);
}

static void tag_clear(struct tag *t)
{
    g_ptr_array_unref(t->labels);
    token_cache_close(&t->cache);
    session_destroy(&t->session);
    model_destroy(&t->model);
    g_free(t->embeddings);
    g_free(t->options.model);
    g_free(t->options.labels);
    g_free(t->options.labels_file);
    g_free(t->options.format);
    g_free(t->options.out);
    g_free(t->options.device);
    g_free(t->options.precision_name);
}

int command_tag(int argc, char **argv)
{
    struct tag t = { .labels = g_ptr_array_new_with_free_func(g_free) };
    struct tag_options *o = &t.options;
    const GOptionEntry entries[] = {
        { "model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model, "Model to use", "MODEL" },
        { "labels", 'l', 0, G_OPTION_ARG_STRING, &o->labels, "Labels, with commas between",
          "A, B" },
        { "labels-file", 0, 0, G_OPTION_ARG_FILENAME, &o->labels_file,
          "File with a label a line", "FILE" },
        { "threshold", 't', 0, G_OPTION_ARG_DOUBLE, &o->threshold,
          "Leave out lower confidences (0)", "X" },
        { "top", 'k', 0, G_OPTION_ARG_INT, &o->top, "At most so many labels an image",
          "K" },
        { "recursive", 'r', 0, G_OPTION_ARG_NONE, &o->recursive, "Descend into folders",
          NULL },
        { "format", 'f', 0, G_OPTION_ARG_STRING, &o->format, "table, csv or jsonl",
          "FORMAT" },
        { "out", 'o', 0, G_OPTION_ARG_FILENAME, &o->out, "Write to a file", "FILE" },
        { "device", 'd', 0, G_OPTION_ARG_STRING, &o->device, "Device by number or name",
          "N|NAME" },
        { "precision", 0, 0, G_OPTION_ARG_STRING, &o->precision_name,
          "How values are stored; see `taglight devices` for the default", "f32|f16" },
        { "jobs", 'j', 0, G_OPTION_ARG_INT, &o->jobs,
          "Decoding threads (one less than cores)", "N" },
        { "no-cache", 0, 0, G_OPTION_ARG_NONE, &o->no_cache,
          "Neither use nor keep what was computed before", NULL },
        { "stats", 0, 0, G_OPTION_ARG_NONE, &o->stats, "Say where the time went", NULL },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "PATH… - tag images", help)) {
        tag_clear(&t);
        return COMMAND_MISUSED;
    }
    int status = check_and_run(&t, argc, argv);
    tag_clear(&t);
    return status;
}
