/* `taglight train`: trains a CLIP-Decoder on a labelled data set. */
#include "app/commands/commands.h"
#include "app/trainer/trainer.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Makes the bundle --out. Ctrl-C saves and stops; the same command with --resume goes\n"
    "on, with the same result as a training that was never stopped. docs/training.md\n"
    "explains the options.";

struct train_options {
    struct trainer_options o;
    char *about, *licence, *word_vectors, *model, *config, *encoder, *text_encoder, *data;
    char *images, *split, *unlisted, *labels, *out, *prompt;
    char *words, *validation, *scope, *reduction, *optimizer, *augment, *precision, *store, *device;
    gint64 steps, seed;
    int batch, epochs, labels_per_step, caption_labels, operations, jobs, memory;
    double minutes;
    gboolean from_decisions;
};

/* --- Choices by name ----------------------------------------------------------------- */

/* The place of `text` among `names`, *out left alone for NULL. */
static gboolean choose(const char *option, const char *text, const char *const *names,
                       int *out)
{
    if (!text) {
        return TRUE;
    }
    for (int i = 0; names[i]; i++) {
        if (g_str_equal(text, names[i])) {
            *out = i;
            return TRUE;
        }
    }
    g_autofree char *all = g_strjoinv(", ", (GStrv)names);
    command_fail(COMMAND_MISUSED, "--%s is one of %s, not \"%s\"", option, all, text);
    return FALSE;
}

static gboolean read_names(struct train_options *t)
{
    int scope = (int)t->o.scope, reduction = (int)t->o.reduction, unlisted = 0, kept = 0;
    int optimizer = (int)t->o.optimizer;
    enum gpu_precision precision = GPU_PRECISION_F32;
    gboolean good =
        choose("scope", t->scope,
               (const char *const[]){ "all", "head", "head+text", "decoder", NULL }, &scope)
        && choose("reduction", t->reduction,
                  (const char *const[]){ "sum", "image", "mean", NULL }, &reduction)
        && choose("optimizer", t->optimizer,
                  (const char *const[]){ "adam", "adamw", NULL }, &optimizer)
        && choose("unlisted", t->unlisted,
                  (const char *const[]){ "default", "negative", "unknown", NULL },
                  &unlisted)
        && choose("store", t->store, (const char *const[]){ "f32", "f16", NULL }, &kept)
        && command_read_precision(t->precision, &precision);
    t->o.scope = (enum trainer_scope)scope;
    t->o.reduction = (enum trainer_reduction)reduction;
    t->o.optimizer = (enum trainer_optimizer)optimizer;
    t->o.set.unlisted = (enum dataset_unlisted)unlisted;
    t->o.half = kept == 1;
    t->o.mixed = precision == GPU_PRECISION_F16;
    return good;
}

static gboolean read_augment(struct train_options *t)
{
    const char *text = t->augment                    ? t->augment
                       : t->o.scope == TRAINER_ALL ? "cutout,shape,colour" : "none";
    if (!augment_parse(text, &t->o.augment.kinds)) {
        command_fail(COMMAND_MISUSED, "--augment is none, or some of flip, cutout, shape "
                     "and colour, not \"%s\"", text);
        return FALSE;
    }
    if (t->o.scope == TRAINER_DECODER && t->o.augment.kinds != 0) {
        command_fail(COMMAND_MISUSED, "--scope decoder learns from cached tokens, so pictures "
                     "cannot be changed: leave out --augment");
        return FALSE;
    }
    return TRUE;
}

/* --- Numbers ------------------------------------------------------------------------- */

static gboolean check_numbers(struct train_options *t)
{
    struct trainer_options *o = &t->o;
    const struct { const char *name; double value, least, most; } numbers[] = {
        { "batch", t->batch, 1, 4096 }, { "epochs", t->epochs, 1, 1e6 },
        { "steps", (double)t->steps, 0, 1e9 }, { "seed", (double)t->seed, 0, 9e18 },
        { "labels-per-step", t->labels_per_step, 0, 1e6 },
        { "caption-labels", t->caption_labels, 0, 1e6 },
        { "operations", t->operations, 0, 16 }, { "magnitude", o->augment.magnitude, 0, 10 },
        { "jobs", t->jobs, 0, 256 }, { "memory", t->memory, 0, 1 << 20 },
        { "minutes", t->minutes, 0, 1e6 }, { "alpha", o->alpha, 0, 1e6 },
        { "beta", o->beta, 0, 1e6 }, { "gamma-negative", o->gamma_negative, 0, 100 },
        { "gamma-positive", o->gamma_positive, 0, 100 }, { "clip", o->clip, 0, 0.9 },
        { "dropout", o->dropout, 0, 0.9 }, { "decay", o->decay, 0, 10 },
        { "warmup", o->warmup, 0.001, 0.999 }, { "max-norm", o->max_norm, 0, 1e9 } };
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (!(numbers[i].value >= numbers[i].least && numbers[i].value <= numbers[i].most)) {
            command_fail(COMMAND_MISUSED, "--%s is %.15g to %.15g", numbers[i].name,
                         numbers[i].least, numbers[i].most);
            return FALSE;
        }
    }
    if (o->auxiliary != TRAINER_AUTO && !(o->auxiliary >= 0 && o->auxiliary <= 1e6)) {
        command_fail(COMMAND_MISUSED, "--auxiliary is 0 to 1000000");
        return FALSE;
    }
    if ((o->lr != TRAINER_AUTO && !(o->lr > 0 && o->lr < 10))
        || (o->ema != TRAINER_AUTO && !(o->ema >= 0 && o->ema < 1))) {
        command_fail(COMMAND_MISUSED, "--lr is above 0, --ema at least 0 and below 1");
        return FALSE;
    }
    o->batch = (guint)t->batch;
    o->epochs = (guint)t->epochs;
    o->steps = (guint64)t->steps;
    o->seed = (guint64)t->seed;
    o->labels_per_step = (guint)t->labels_per_step;
    o->caption_labels = (guint)t->caption_labels;
    o->augment.operations = (guint)t->operations;
    o->jobs = (guint)t->jobs;
    o->memory = (guint64)t->memory << 20;
    o->checkpoint_seconds = 60 * t->minutes;
    return TRUE;
}

static gboolean check(struct train_options *t)
{
    if (t->model && (t->encoder || t->text_encoder || t->o.auxiliary > 0)) {
        command_fail(COMMAND_MISUSED,
                     "--encoder, --text-encoder and --auxiliary are for new models");
        return FALSE;
    }
    if (!t->model == !t->config || !t->data || !t->out) {
        command_fail(COMMAND_MISUSED, "train needs --model or --new, --data or "
                     "--from-decisions, and --out");
        return FALSE;
    }
    if (t->prompt && !strstr(t->prompt, "%s")) {
        command_fail(COMMAND_MISUSED, "--prompt has a %%s where the label stands, as in "
                     "\"a photo of %%s\"");
        return FALSE;
    }
    return read_names(t) && read_augment(t) && check_numbers(t);
}

/* --- Running ------------------------------------------------------------------------- */

static GCancellable *cancellable;

/* A second Ctrl-C ends the program at once. GCancellable may not be used here. */
static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    stopped = 1;
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_stop,
                                .sa_flags = (int)SA_RESETHAND | SA_RESTART };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

#define TERMINAL_US 200000       /* between two looks at a terminal's line */
#define LOG_US (60 * 1000000)    /* between two lines of a log */

struct line { gboolean terminal, visible; gint64 shown; };

static void hide(struct line *l)
{
    if (l->visible) {
        g_printerr("\r\033[K");
        l->visible = FALSE;
    }
}

static void show_note(const char *text, gpointer data)
{
    hide(data);
    g_printerr("%s\n", text);
}

static void show_encoded(guint done, guint total, gpointer data)
{
    struct line *l = data;
    if (stopped) {
        g_cancellable_cancel(cancellable);
    }
    if (l->terminal) {
        g_printerr("\r%u of %u pictures encoded\033[K", done, total);
        l->visible = TRUE;
    }
}

static void show_progress(const struct trainer_progress *p, gpointer data)
{
    struct line *l = data;
    gint64 now = g_get_monotonic_time();
    if (stopped) {
        g_cancellable_cancel(cancellable);
    }
    l->shown = l->shown ? l->shown : now;
    if (now - l->shown < (l->terminal ? TERMINAL_US : LOG_US)) {
        return;
    }
    guint left = (guint)MIN(p->seconds_left, 3e6);
    g_printerr("%sstep %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ", epoch %.2f, loss "
               "%.4g (captions %.4g, labels %.4g), rate %.2e, %.1f images/s, "
               "%u:%02u:%02u left%s", l->terminal ? "\r" : "", p->step, p->steps,
               p->epoch, p->loss, p->clip,
               p->labels, p->lr, p->images_per_second, left / 3600, left / 60 % 60,
               left % 60, l->terminal ? "\033[K" : "\n");
    l->visible = l->terminal;
    l->shown = now;
}

static char *command_line(int argc, char **argv)
{
    GString *text = g_string_new("taglight");
    for (int i = 0; i < argc; i++) {
        g_autofree char *quoted = g_shell_quote(argv[i]);
        gboolean plain = *argv[i] && strcspn(argv[i], " \t\n\"'\\$`;&|<>()*?#~") ==
                                         strlen(argv[i]);
        g_string_append_printf(text, " %s", plain ? argv[i] : quoted);
    }
    return g_string_free(text, FALSE);
}

static int run(struct train_options *t)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cache = command_cache_dir(), *path = NULL;
    struct line line = { .terminal = isatty(STDERR_FILENO) == 1 };
    struct trainer_calls calls = { show_progress, show_encoded, show_note, &line };
    enum trainer_end end;
    path = t->model ? command_find_model(t->model) : NULL;
    t->o.model = path;
    t->o.config = t->config;
    g_autofree char *encoder = t->encoder ? command_find_model(t->encoder) : NULL;
    g_autofree char *text = t->text_encoder ? command_find_model(t->text_encoder) : NULL;
    t->o.encoder = encoder;
    t->o.text_encoder = text;
    t->o.prompt = t->prompt;
    t->o.words = t->words;
    t->o.about = t->about;
    t->o.licence = t->licence;
    t->o.word_vectors = t->word_vectors;
    t->o.out = t->out;
    t->o.validation = t->validation;
    t->o.set.path = t->data;
    t->o.set.images = t->images;
    t->o.set.split = t->split;
    t->o.set.kept_out = t->validation;
    t->o.set.labels = t->labels;
    t->o.device = t->device;
    t->o.cache_dir = cache;
    cancellable = g_cancellable_new();
    catch_signals();
    gboolean good = trainer_run(&t->o, &calls, cancellable, &end, &error);
    hide(&line);
    g_clear_object(&cancellable);
    if (!good) {
        return command_fail(COMMAND_FAILED, "%s", error->message);
    }
    if (end == TRAINER_STOPPED) {
        g_printerr("stopped and saved in %s.training; the same command with --resume goes "
                   "on\n", t->out);
        return COMMAND_FAILED;
    }
    g_printerr("made %s\n", t->out);
    return COMMAND_DONE;
}

static void clear(struct train_options *t)
{
    char *texts[] = { t->model, t->config, t->data, t->images, t->split, t->unlisted,
                      t->labels, t->out, t->prompt, t->words, t->validation, t->scope,
                      t->reduction, t->optimizer, t->augment, t->precision, t->store,
                      t->device, t->encoder, t->text_encoder, t->word_vectors,
                      t->about, t->licence };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
}

static void list_files(struct train_options *t, GArray *out)
{
    struct trainer_options *o = &t->o;
    const GOptionEntry entries[] = {
        { "model", 'm', 0, G_OPTION_ARG_FILENAME, &t->model, "Model to go on from",
          "MODEL" },
        { "new", 0, 0, G_OPTION_ARG_FILENAME, &t->config, "Sizes of a new model (JSON)",
          "CONFIG" },
        { "encoder", 0, 0, G_OPTION_ARG_FILENAME, &t->encoder, "Model whose image encoder a "
          "new model begins with", "MODEL" },
        { "text-encoder", 0, 0, G_OPTION_ARG_FILENAME, &t->text_encoder, "Model whose text "
          "encoder and tokenizer a new model begins with", "MODEL" },
        { "data", 0, 0, G_OPTION_ARG_FILENAME, &t->data, "Data set, as in `evaluate`",
          "PATH" },
        { "from-decisions", 0, 0, G_OPTION_ARG_NONE, &t->from_decisions, "The data set is "
          "what was accepted and rejected in the window", NULL },
        { "split", 0, 0, G_OPTION_ARG_STRING, &t->split, "Only the images of this split",
          "NAME" },
        { "val", 0, 0, G_OPTION_ARG_STRING, &t->validation, "Measure on the images of this "
          "split after each epoch", "NAME" },
        { "images", 0, 0, G_OPTION_ARG_FILENAME, &t->images, "Folder of the images", "DIR" },
        { "labels", 0, 0, G_OPTION_ARG_FILENAME, &t->labels, "Labels to learn, a line each "
          "(all)", "FILE" },
        { "unlisted", 0, 0, G_OPTION_ARG_STRING, &t->unlisted, "What pairs are that are not "
          "listed: negative or unknown", "WHAT" },
        { "out", 'o', 0, G_OPTION_ARG_FILENAME, &t->out, "Bundle to make", "BUNDLE" },
        { "about", 0, 0, G_OPTION_ARG_STRING, &t->about, "What the model knows and what not, "
          "for those who use it", "TEXT" },
        { "licence", 0, 0, G_OPTION_ARG_STRING, &t->licence, "Licence of the model", "SPDX" },
        { "resume", 0, 0, G_OPTION_ARG_NONE, &o->resume, "Go on with a stopped training",
          NULL } };
    g_array_append_vals(out, entries, G_N_ELEMENTS(entries));
}

static void list_learning(struct train_options *t, GArray *out)
{
    struct trainer_options *o = &t->o;
    const GOptionEntry entries[] = {
        { "scope", 0, 0, G_OPTION_ARG_STRING, &t->scope, "What is trained: all, "
          "head+text, head or decoder (all)", "WHAT" },
        { "prompt", 0, 0, G_OPTION_ARG_STRING, &t->prompt, "Sentence around a label "
          "(the model's, \"a photo of %s\")", "TEXT" },
        { "words", 0, 0, G_OPTION_ARG_FILENAME, &t->words, "Lines whose words the tokenizer "
          "of a new model knows too", "FILE" },
        { "word-vectors", 0, 0, G_OPTION_ARG_FILENAME, &t->word_vectors, "Labels are given by "
          "these vectors of words, not by the text encoder", "FILE" },
        { "epochs", 0, 0, G_OPTION_ARG_INT, &t->epochs, "Times that each image is seen (10)",
          "N" },
        { "steps", 0, 0, G_OPTION_ARG_INT64, &t->steps, "Steps, instead of --epochs", "N" },
        { "batch", 0, 0, G_OPTION_ARG_INT, &t->batch, "Images of a step (32)", "N" },
        { "caption-labels", 0, 0, G_OPTION_ARG_INT, &t->caption_labels, "Labels of a "
          "caption at most, drawn by chance (all)", "N" },
        { "labels-per-step", 0, 0, G_OPTION_ARG_INT, &t->labels_per_step, "Labels of a "
          "step at most (512), 0 for all", "N" },
        { "seed", 's', 0, G_OPTION_ARG_INT64, &t->seed, "Other seeds, other models (1)",
          "S" },
        { "alpha", 0, 0, G_OPTION_ARG_DOUBLE, &o->alpha, "Weight of the captions' loss (1)",
          "X" },
        { "beta", 0, 0, G_OPTION_ARG_DOUBLE, &o->beta, "Weight of the labels' loss (1)",
          "X" },
        { "auxiliary", 0, 0, G_OPTION_ARG_DOUBLE, &o->auxiliary, "Weight of the labels' loss "
          "of a classifier that helps a new image encoder (1)", "X" },
        { "reduction", 0, 0, G_OPTION_ARG_STRING, &t->reduction, "Labels' loss: sum, sum "
          "of an image, or mean (image)", "sum|image|mean" },
        { "gamma-negative", 0, 0, G_OPTION_ARG_DOUBLE, &o->gamma_negative, "Focus on hard "
          "negatives (4)", "X" },
        { "gamma-positive", 0, 0, G_OPTION_ARG_DOUBLE, &o->gamma_positive, "Focus on hard "
          "positives (0)", "X" },
        { "clip", 0, 0, G_OPTION_ARG_DOUBLE, &o->clip, "Negatives below it cost nothing "
          "(0.05)", "X" },
        { "optimizer", 0, 0, G_OPTION_ARG_STRING, &t->optimizer, "adam or adamw (adamw)",
          "NAME" },
        { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &o->lr, "Highest learning rate (1e-4, new "
          "models 1e-3)", "X" },
        { "decay", 0, 0, G_OPTION_ARG_DOUBLE, &o->decay, "Weight decay (0.01)", "X" },
        { "warmup", 0, 0, G_OPTION_ARG_DOUBLE, &o->warmup, "Share of the steps in which the "
          "rate rises (0.2)", "X" },
        { "ema", 0, 0, G_OPTION_ARG_DOUBLE, &o->ema, "Decay of the averaged model (0.9997, "
          "less in short trainings), 0 for none", "X" },
        { "max-norm", 0, 0, G_OPTION_ARG_DOUBLE, &o->max_norm, "Limit of the gradient's "
          "norm (none)", "X" },
        { "dropout", 0, 0, G_OPTION_ARG_DOUBLE, &o->dropout, "Dropout in the head (0.1)",
          "P" } };
    g_array_append_vals(out, entries, G_N_ELEMENTS(entries));
}

static void list_machine(struct train_options *t, GArray *out)
{
    struct trainer_options *o = &t->o;
    const GOptionEntry entries[] = {
        { "augment", 0, 0, G_OPTION_ARG_STRING, &t->augment, "Changes to images: none, or "
          "some of flip,cutout,shape,colour", "LIST" },
        { "operations", 0, 0, G_OPTION_ARG_INT, &t->operations, "Changes of shape and "
          "colour to an image (2)", "N" },
        { "magnitude", 0, 0, G_OPTION_ARG_DOUBLE, &o->augment.magnitude, "Their strength, 0 "
          "to 10 (5)", "X" },
        { "precision", 0, 0, G_OPTION_ARG_STRING, &t->precision, "How values are stored "
          "while training (f32)", "f32|f16" },
        { "recompute", 0, 0, G_OPTION_ARG_NONE, &o->recompute, "Forget activations and "
          "compute them again: less memory, more time", NULL },
        { "store", 0, 0, G_OPTION_ARG_STRING, &t->store, "How the model is stored (f32)",
          "f32|f16" },
        { "minutes", 0, 0, G_OPTION_ARG_DOUBLE, &t->minutes, "Between checkpoints (5)",
          "X" },
        { "memory", 0, 0, G_OPTION_ARG_INT, &t->memory, "MiB of images to keep (2048)",
          "MIB" },
        { "jobs", 'j', 0, G_OPTION_ARG_INT, &t->jobs, "Decoding threads (one less than "
          "cores)", "N" },
        { "device", 'd', 0, G_OPTION_ARG_STRING, &t->device, "Device by number or name",
          "N|NAME" } };
    g_array_append_vals(out, entries, G_N_ELEMENTS(entries));
}

static gboolean parse(struct train_options *t, int *argc, char ***argv)
{
    g_autoptr(GArray) entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    list_files(t, entries);
    list_learning(t, entries);
    list_machine(t, entries);
    return command_parse(argc, argv, (const GOptionEntry *)(gpointer)entries->data,
                         "- train a model", help);
}

int command_train(int argc, char **argv)
{
    struct train_options t = { .seed = 1, .labels_per_step = 512, .memory = 2048,
                               .minutes = 5 };
    g_autofree char *line = command_line(argc, argv);
    int status = COMMAND_MISUSED;
    /* Other defaults, which the options then change. */
    if (g_strv_contains((const char *const *)argv, "--from-decisions")) {
        trainer_options_for_decisions(&t.o);
    } else {
        trainer_options_init(&t.o);
    }
    t.batch = (int)t.o.batch;
    t.epochs = (int)t.o.epochs;
    t.operations = (int)t.o.augment.operations;
    t.o.command = line;
    if (parse(&t, &argc, &argv)) {
        if (t.from_decisions && !t.data) {
            t.data = g_build_filename(g_get_user_data_dir(), "taglight", "decisions.db",
                                      NULL);
        }
        t.device = t.device ? t.device : command_setting("device");
        if (argc > 1) {
            command_fail(COMMAND_MISUSED, "train does not know \"%s\"", argv[1]);
        } else if (check(&t)) {
            status = run(&t);
        }
    }
    clear(&t);
    return status;
}
