/* `taglight evaluate`: how good a model, or a file of scores, is on a labelled data set. */
#include "app/commands/commands.h"
#include "app/commands/evaluate_model.h"
#include "app/metrics/evaluation.h"

#include <errno.h>
#include <glib/gstdio.h>

struct evaluate_options {
    char *scores, *truth, *model, *data, *seen, *unseen, *split, *unlisted, *images;
    char *scores_out, *device, *word_vectors;
    double threshold;
    gboolean json, per_class;
};

static int fail_with(GError *error)
{
    int status = command_fail(COMMAND_FAILED, "%s", error->message);
    g_error_free(error);
    return status;
}

/* To a temporary file that takes the place of `path` when it is whole. */
static gboolean write_scores(const struct scores *s, const char *path)
{
    g_autofree char *part = g_strconcat(path, ".part", NULL);
    FILE *out = g_fopen(part, "wb");
    gboolean good = out && scores_write(s, out);
    int code = errno;
    if (out && fclose(out) != 0 && good) {
        code = errno;
        good = FALSE;
    }
    if (good && g_rename(part, path) != 0) {
        code = errno;
        good = FALSE;
    }
    if (!good) {
        command_fail(COMMAND_FAILED, "%s: %s", path, g_strerror(code));
        g_unlink(part);
    }
    return good;
}

static gboolean read_names(const char *path, GPtrArray **out, GError **error)
{
    *out = path ? dataset_read_lines(path, error) : NULL;
    return *out || !path;
}

/* The scores of the file, or of the model; NULL after a message. */
static struct scores *get_scores(const struct evaluate_options *o,
                                 const struct dataset *data,
                                 const struct evaluation_params *params)
{
    GError *error = NULL;
    guint n_seen, broken = 0;
    if (o->scores) {
        struct scores *s = scores_read(o->scores, &error);
        if (!s) {
            fail_with(error);
        }
        return s;
    }
    g_autoptr(GArray) labels = evaluation_labels(data, params, &n_seen, &error);
    if (!labels) {
        fail_with(error);
        return NULL;
    }
    struct scores *s = evaluate_model(o->model, o->device, o->word_vectors, data, labels,
                                      o->split, &broken);
    if (s) {
        g_printerr("%u images scored, %u broken\n", s->images->len, broken);
    }
    if (s && o->scores_out && !write_scores(s, o->scores_out)) {
        scores_free(&s);
    }
    return s;
}

static int measure(const struct evaluate_options *o, const struct dataset *data,
                   const struct evaluation_params *params)
{
    GError *error = NULL;
    struct scores *scores = get_scores(o, data, params);
    if (!scores) {
        return COMMAND_FAILED;
    }
    struct evaluation *e = evaluation_run(scores, data, params, &error);
    scores_free(&scores);
    if (!e) {
        return fail_with(error);
    }
    if (o->json) {
        g_autofree char *text = evaluation_to_json(e);
        g_print("%s\n", text);
    } else {
        evaluation_print(e, o->per_class);
    }
    evaluation_free(&e);
    return COMMAND_DONE;
}

static int run(const struct evaluate_options *o)
{
    GError *error = NULL;
    struct evaluation_params params = { .split = o->split, .threshold = o->threshold };
    struct dataset_options options = { .images = o->images };
    struct dataset *data = NULL;
    int status;
    if (o->unlisted) {
        options.unlisted = g_str_equal(o->unlisted, "negative") ? DATASET_UNLISTED_NEGATIVE
                                                                : DATASET_UNLISTED_UNKNOWN;
    }
    if (read_names(o->seen, &params.seen, &error)
        && read_names(o->unseen, &params.unseen, &error)) {
        data = dataset_open(o->truth ? o->truth : o->data, &options, &error);
    }
    status = data ? measure(o, data, &params) : fail_with(error);
    dataset_close(&data);
    g_clear_pointer(&params.seen, g_ptr_array_unref);
    g_clear_pointer(&params.unseen, g_ptr_array_unref);
    return status;
}

static gboolean is_misused(const struct evaluate_options *o)
{
    gboolean of_scores = o->scores && o->truth && !o->data && !o->model && !o->scores_out;
    gboolean of_model = o->model && o->data && !o->scores && !o->truth;
    return !(of_scores || of_model)
           || (o->unlisted && !g_str_equal(o->unlisted, "negative")
               && !g_str_equal(o->unlisted, "unknown"));
}

static void clear(struct evaluate_options *o)
{
    char *texts[] = { o->scores, o->truth, o->model, o->data, o->seen, o->unseen, o->split,
                      o->unlisted, o->images, o->scores_out, o->device, o->word_vectors };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
}

int command_evaluate(int argc, char **argv)
{
    struct evaluate_options o = { .threshold = 0.75 };
    const GOptionEntry entries[] = {
        { "model", 'm', 0, G_OPTION_ARG_FILENAME, &o.model, "Model to measure", "MODEL" },
        { "data", 0, 0, G_OPTION_ARG_FILENAME, &o.data, "Data set: COCO file or folder, "
          "CSV, NUS-WIDE folder, or database of decisions", "PATH" },
        { "scores", 0, 0, G_OPTION_ARG_FILENAME, &o.scores, "Measure these scores (CSV) "
          "instead of a model", "FILE" },
        { "truth", 0, 0, G_OPTION_ARG_FILENAME, &o.truth, "The data set for --scores",
          "PATH" },
        { "seen", 0, 0, G_OPTION_ARG_FILENAME, &o.seen, "Labels of the training, a line "
          "each", "FILE" },
        { "unseen", 0, 0, G_OPTION_ARG_FILENAME, &o.unseen, "Labels that were never "
          "trained, a line each", "FILE" },
        { "split", 0, 0, G_OPTION_ARG_STRING, &o.split, "Only the images of this split",
          "NAME" },
        { "threshold", 't', 0, G_OPTION_ARG_DOUBLE, &o.threshold, "Scores above it are "
          "predictions (0.75)", "X" },
        { "unlisted", 0, 0, G_OPTION_ARG_STRING, &o.unlisted, "What pairs are that are not "
          "listed: negative or unknown", "WHAT" },
        { "images", 0, 0, G_OPTION_ARG_FILENAME, &o.images, "Folder of the images", "DIR" },
        { "word-vectors", 0, 0, G_OPTION_ARG_FILENAME, &o.word_vectors, "Labels are given by "
          "these vectors of words, as in `train`", "FILE" },
        { "scores-out", 0, 0, G_OPTION_ARG_FILENAME, &o.scores_out, "Write the model's "
          "scores, a row for each image", "FILE" },
        { "per-class", 0, 0, G_OPTION_ARG_NONE, &o.per_class, "Print every label's average "
          "precision", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print all figures as JSON", NULL },
        { "device", 'd', 0, G_OPTION_ARG_STRING, &o.device, "Device by number or name",
          "N|NAME" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "- measure a model or scores",
                       "Average precision, and precision and recall of the best labels, as "
                       "docs/evaluation.md defines them.")) {
        return COMMAND_MISUSED;
    }
    if (!o.scores && !o.model) {
        o.model = command_setting("model");
    }
    o.device = o.device ? o.device : command_setting("device");
    int status = argc > 1 || is_misused(&o)
                     ? command_fail(COMMAND_MISUSED,
                                    "evaluate needs --model and --data, or --scores and "
                                    "--truth; --unlisted is negative or unknown")
                     : run(&o);
    clear(&o);
    return status;
}
