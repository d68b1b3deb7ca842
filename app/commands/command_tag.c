/* `taglight tag`: confidences of labels for images, without a window. */
#include "app/commands/commands.h"
#include "app/commands/progress.h"
#include "app/library/library.h"
#include "app/store/backup.h"
#include "app/tagger/results.h"
#include "app/tagger/tag_job.h"
#include "app/tagger/watch.h"
#include "app/words/prompt_expression.h"

#include <signal.h>
#include <stdio.h>

static const char help[] =
    "PATH is an image or a folder of images. csv has the columns path, label, confidence\n"
    "and error; an image that cannot be read has a row with an error and no confidence.\n"
    "Such images do not make the command fail. Ctrl-C ends after the images at hand; what\n"
    "was written until then is kept.\n"
    "\n"
    "With --db the confidences go into a database of decisions, as proposals apart from\n"
    "what people decided; nothing is accepted unless --accept-above says so. What is there\n"
    "already is not done again (--resume), so a run that was killed goes on where it was.\n"
    "--shard 2/5 takes the second fifth of the images, by their content; the databases of\n"
    "the shards, one each, are joined by `taglight merge`. --watch tags what is in a folder\n"
    "and then what arrives there, until Ctrl-C.";

struct tag_options {
    char *model, *labels, *labels_file, *format, *out, *device, *precision_name, *db;
    char *shard_name, *watch;
    enum gpu_precision precision;
    double threshold, accept_above;
    int top, jobs;
    guint shard, shards; /* 0: no shards */
    gboolean recursive, stats, no_cache, again, resume;
    gboolean unasked; /* the model is the usual one */
};

struct tag {
    struct tag_options options;
    struct tag_model model;
    GPtrArray *labels;       /* as given */
    GPtrArray *wordings;     /* what each is to ask (LABEL := WORDING), or NULL */
    struct results *results; /* NULL when only the database is written */
    struct progress progress;
};

/* --- Labels ----------------------------------------------------------------------- */

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
        g_autoptr(GPtrArray) list = prompt_expression_split(t->options.labels);
        g_ptr_array_extend_and_steal(t->labels, g_steal_pointer(&list));
    }
    for (char **p = parts; p && *p; p++) {
        add_label(t->labels, *p);
    }
    g_ptr_array_unref(t->wordings);
    t->wordings = prompt_expression_take_wordings(t->labels);
    return TRUE;
}

static void warn(const char *text)
{
    command_fail(COMMAND_DONE, "%s", text);
}

static gboolean ask_labels(struct tag *t)
{
    g_autoptr(GError) error = NULL;
    if (!read_labels(t)) {
        return FALSE;
    }
    if (t->labels->len == 0 && model_info(t->model.model)->open_vocabulary) {
        command_fail(COMMAND_MISUSED, "no label was given; use --labels \"a, b\" or "
                     "--labels-file");
        return FALSE;
    }
    g_autoptr(GPtrArray) kept = NULL;
    gboolean good = tag_job_wordings(t->options.db, t->labels, &kept, &error);
    for (guint i = 0; kept && i < kept->len; i++) {
        if (!t->wordings->pdata[i]) {
            t->wordings->pdata[i] = g_steal_pointer(&kept->pdata[i]);
        }
    }
    if (!good || !tag_model_set_labels(&t->model, t->labels, t->wordings, warn, &error)) {
        command_fail(COMMAND_FAILED, "%s", error->message);
        return FALSE;
    }
    return TRUE;
}

/* --- Running ---------------------------------------------------------------------- */

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

static gboolean show(const char *path, const float *confidence, const GError *failure,
                     gpointer data, GError **error)
{
    struct tag *t = data;
    if (failure) {
        progress_hide(&t->progress);
        command_fail(COMMAND_DONE, "%s", failure->message);
    }
    if (t->results && failure) {
        results_put_error(t->results, path, failure->message);
    } else if (t->results) {
        results_put(t->results, path, confidence);
    }
    return TRUE;
}

static gboolean put_batch(const struct tagger_item *items, guint n,
                          const struct tagger_stats *stats, gpointer data, GError **error)
{
    struct tag *t = data;
    progress_hide(&t->progress);
    for (guint i = 0; i < n; i++) {
        show(items[i].path, items[i].confidence, items[i].error, t, NULL);
    }
    gboolean good = results_flush(t->results, error);
    progress_show(&t->progress, stats->tagged + stats->broken);
    return good;
}

static void print_summary(const struct tag *t, const struct tagger_stats *s, guint done,
                          guint total)
{
    if (done < total) {
        g_printerr("stopped after %u of %u images\n", done, total);
    }
    g_printerr("%u images tagged, %u broken, on %s\n", s->tagged, s->broken,
               gpu_device_caps(session_device(t->model.session))->name);
    if (s->cached > 0) {
        g_printerr("%u of them were encoded before (--no-cache does it again)\n",
                   s->cached);
    }
    if (t->options.stats) {
        guint worked = s->tagged + s->broken;
        double rate = s->seconds > 0 ? worked / s->seconds : 0;
        double share = s->seconds > 0 ? 100 * s->device_seconds / s->seconds : 0;
        g_printerr("%.2f s, %.2f images a second; decoding %.2f s on %u thread%s, waiting "
                   "for it %.2f s; device %.2f s (%.0f %%)\n", s->seconds, rate,
                   s->decode_seconds, s->jobs, s->jobs == 1 ? "" : "s", s->wait_seconds,
                   s->device_seconds, share);
    }
}

static gboolean open_results(struct tag *t, GError **error)
{
    const struct tag_options *o = &t->options;
    struct results_params out = { .format = o->format ? o->format : "table", .out = o->out,
                                  .labels = (const char *const *)t->model.labels->pdata,
                                  .n_labels = t->model.labels->len,
                                  .threshold = o->threshold, .top = (guint)o->top };
    if (o->db && !o->format && !o->out) {
        return TRUE; /* the database is the result */
    }
    t->results = results_open(&out, error);
    return t->results != NULL;
}

static gboolean tag_all(struct tag *t, GPtrArray *images, GError **error)
{
    struct tagger_params params = { .model = t->model.model, .session = t->model.session,
                                    .embeddings = t->model.embeddings,
                                    .n_labels = t->model.labels->len,
                                    .cache = t->model.cache, .jobs = (guint)t->options.jobs,
                                    .stop = &stopped, .put = put_batch, .data = t };
    struct tagger_stats stats;
    t->progress = progress_start(images->len);
    gboolean good = tagger_run(&params, images, &stats, error);
    progress_hide(&t->progress);
    print_summary(t, &stats, stats.tagged + stats.broken, images->len);
    return good;
}

/* --- Into a database -------------------------------------------------------------- */

static void show_progress(const struct tag_job_stats *stats, gpointer data)
{
    struct tag *t = data;
    progress_show(&t->progress, stats->done);
}

static tag_job *open_job(struct tag *t, GError **error)
{
    const struct tag_options *o = &t->options;
    g_autoptr(GError) warning = NULL;
    struct tag_job_params params = { .model = &t->model, .db = o->db,
                                     .jobs = (guint)o->jobs, .shard = o->shard,
                                     .shards = o->shards, .again = o->again,
                                     .accept_above = o->accept_above, .stop = &stopped,
                                     .show_known = t->results != NULL, .show = show,
                                     .progress = show_progress, .data = t };
    tag_job *job = tag_job_new(&params, error);
    if (job && !backup_roll(tag_job_store(job), NULL, &warning)) {
        command_fail(COMMAND_DONE, "%s", warning->message);
    }
    return job;
}

static gboolean run_job(struct tag *t, tag_job *job, GPtrArray *images, GError **error)
{
    struct tag_job_stats stats;
    t->progress = progress_start(images->len);
    gboolean good = tag_job_run(job, images, &stats, error)
                    && (!t->results || results_flush(t->results, error));
    progress_hide(&t->progress);
    /* What the device did and what reached the disk differ when the disk is full. */
    stats.run.tagged = stats.tagged;
    print_summary(t, &stats.run, stats.done, stats.total);
    if (stats.before > 0) {
        g_printerr("%u were done before (--again does it again)\n", stats.before);
    }
    if (stats.elsewhere > 0) {
        g_printerr("%u belong to other shards\n", stats.elsewhere);
    }
    if (t->options.accept_above >= 0) {
        g_printerr("%u confidences of %g and more were accepted in the model's name\n",
                   stats.accepted, t->options.accept_above);
    }
    return good;
}

static gboolean watch_folder(struct tag *t, tag_job *job, GError **error)
{
    struct watch *watch = watch_new(t->options.watch, t->options.recursive, error);
    gboolean good = watch != NULL;
    g_printerr("%s", good ? "watching; Ctrl-C ends it\n" : "");
    while (good && !g_atomic_int_get(&stopped)) {
        g_autoptr(GPtrArray) images = watch_take(watch, 1000);
        good = images->len == 0 || run_job(t, job, images, error);
    }
    watch_free(watch);
    return good;
}

static gboolean tag_into_database(struct tag *t, GPtrArray *images, GError **error)
{
    tag_job *job = open_job(t, error);
    gboolean good = job && (t->options.watch ? watch_folder(t, job, error)
                                             : run_job(t, job, images, error));
    tag_job_free(job);
    return good;
}

/* --- The command ------------------------------------------------------------------ */

static gboolean open_model(struct tag *t)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = command_find_model(t->options.model);
    g_autofree char *cache = command_cache_dir();
    struct tag_model_params params = { path, t->options.device, cache, t->options.precision,
                                       t->options.no_cache };
    if (!tag_model_open(&t->model, &params, &error)) {
        command_fail(COMMAND_FAILED, "%s", error->message);
        return FALSE;
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
    const struct tag_options *o = &t->options;
    g_autoptr(GPtrArray) images = list_images(paths, n, o->recursive);
    if (!images || !open_model(t)) {
        return COMMAND_FAILED;
    }
    const struct model_info *info = model_info(t->model.model);
    if (o->unasked && *info->about) {
        g_printerr("%s: %s\n", info->name, info->about);
    }
    if (!ask_labels(t)) {
        return COMMAND_FAILED;
    }
    catch_signals();
    gboolean good = open_results(t, &error)
                    && (o->db ? tag_into_database(t, images, &error)
                              : tag_all(t, images, &error));
    if (t->results) {
        good = results_close(t->results, good, good ? &error : NULL) && good;
    }
    if (!good) {
        return command_fail(COMMAND_FAILED, "%s", error->message);
    }
    return g_atomic_int_get(&stopped) && !o->watch ? COMMAND_FAILED : COMMAND_DONE;
}

/* "2/5": the second of five. */
static gboolean read_shard(struct tag_options *o)
{
    int used = 0;
    if (o->shard_name
        && (sscanf(o->shard_name, "%u/%u%n", &o->shard, &o->shards, &used) != 2
            || o->shard_name[used] || o->shard < 1 || o->shard > o->shards)) {
        command_fail(COMMAND_MISUSED, "--shard is I/N with I from 1 to N, not \"%s\"",
                     o->shard_name);
        return FALSE;
    }
    return TRUE;
}

static gboolean check_database_options(const struct tag_options *o)
{
    gboolean asked = o->shard_name || o->watch || o->again || o->resume
                     || o->accept_above >= 0;
    if (asked && !o->db) {
        command_fail(COMMAND_MISUSED, "--shard, --watch, --again, --resume and "
                     "--accept-above need --db");
        return FALSE;
    }
    if (o->again && o->resume) {
        command_fail(COMMAND_MISUSED, "--again and --resume exclude each other");
        return FALSE;
    }
    return TRUE;
}

static int check_and_run(struct tag *t, int argc, char **argv)
{
    struct tag_options *o = &t->options;
    o->device = o->device ? o->device : command_setting("device");
    o->unasked = o->model == NULL;
    o->model = o->model ? o->model : command_default_model();
    if ((argc < 2) != (o->watch != NULL) || !o->model
        || (o->format && !g_strv_contains(results_formats(), o->format))) {
        return command_fail(COMMAND_MISUSED, "tag needs a path, or --watch and none; "
                            "--model; and a format of table, csv or jsonl");
    }
    if (o->jobs < 0 || o->jobs > 256 || o->top < 0) {
        return command_fail(COMMAND_MISUSED, "--jobs is 1 to 256 and --top is positive");
    }
    if (!command_read_precision(o->precision_name, &o->precision) || !read_shard(o)
        || !check_database_options(o)) {
        return COMMAND_MISUSED;
    }
    return run(t, argv + 1, argc - 1);
}

static void tag_clear(struct tag *t)
{
    g_ptr_array_unref(t->labels);
    g_ptr_array_unref(t->wordings);
    tag_model_clear(&t->model);
    g_free(t->options.model);
    g_free(t->options.labels);
    g_free(t->options.labels_file);
    g_free(t->options.format);
    g_free(t->options.out);
    g_free(t->options.device);
    g_free(t->options.precision_name);
    g_free(t->options.db);
    g_free(t->options.shard_name);
    g_free(t->options.watch);
}

int command_tag(int argc, char **argv)
{
    struct tag t = { .labels = g_ptr_array_new_with_free_func(g_free),
                     .wordings = g_ptr_array_new_with_free_func(g_free),
                     .options.accept_above = -1 };
    struct tag_options *o = &t.options;
    const GOptionEntry entries[] = {
        { "model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model, "Model to use", "MODEL" },
        { "labels", 'l', 0, G_OPTION_ARG_STRING, &o->labels, "Labels, with commas between; "
          "docs/vocabulary.md tells of sums and templates", "A, B" },
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
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &o->db, "Write into a database of decisions",
          "FILE" },
        { "again", 0, 0, G_OPTION_ARG_NONE, &o->again,
          "Do again what the database has already", NULL },
        { "resume", 0, 0, G_OPTION_ARG_NONE, &o->resume,
          "Go on where an earlier run ended (with --db by itself)", NULL },
        { "accept-above", 0, 0, G_OPTION_ARG_DOUBLE, &o->accept_above,
          "Accept, in the model's name, from this confidence on", "X" },
        { "shard", 0, 0, G_OPTION_ARG_STRING, &o->shard_name,
          "Only the I-th of N parts of the images", "I/N" },
        { "watch", 0, 0, G_OPTION_ARG_FILENAME, &o->watch,
          "Tag what is in a folder and what arrives there", "FOLDER" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "PATH… - tag images", help)) {
        tag_clear(&t);
        return COMMAND_MISUSED;
    }
    int status = check_and_run(&t, argc, argv);
    tag_clear(&t);
    return status;
}
