#include "app/trainer/trainer.h"

#include "app/engine/prompts.h"
#include "app/engine/word_vectors.h"
#include "app/tagger/tagger.h"
#include "app/trainer/base.h"
#include "app/trainer/batch.h"
#include "app/trainer/centre.h"
#include "app/trainer/record.h"
#include "app/trainer/train_log.h"
#include "app/trainer/validation.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>

#define USUAL_PROMPT "a photo of %s"
#define USUAL_EMA 0.9997
#define RATE_WINDOW 50   /* steps over which images a second are measured */
#define DRAW_SECONDS 10  /* between drawings of the curve */

struct trainer {
    struct trainer_options o;      /* with what was chosen for the automatic ones */
    struct trainer_calls calls;
    GCancellable *cancellable;
    char *folder, *checkpoint, *csv, *svg;
    gboolean made_folder;          /* in this run */
    char *prompt;
    struct training_set *set;
    struct model *model;
    struct texts texts;
    struct rows rows;
    float *embeddings;
    gboolean captions;
    GHashTable *broken;            /* set of messages */
    struct checkpoint_option *pairs;
    struct gpu_device *device;
    struct train_step *step;
    struct feed *feed;
    struct batch *batch;
    struct train_log *log;
    guint64 done;                  /* steps */
    gint64 times[RATE_WINDOW];     /* µs: ends of the latest steps, step i at i % size */
    guint64 first;                 /* step that this run began with */
    gint64 saved, drawn;           /* µs */
    struct trainer_progress progress;
};

void trainer_options_init(struct trainer_options *options)
{
    *options = (struct trainer_options){
        .alpha = 1, .beta = 1, .gamma_negative = 4, .clip = 0.05,
        .reduction = TRAINER_SUM_OF_IMAGE, .dropout = 0.1, .labels_per_step = 512,
        .auxiliary = TRAINER_AUTO, .optimizer = TRAINER_ADAMW, .lr = TRAINER_AUTO, .decay = 0.01, .warmup = 0.2,
        .ema = TRAINER_AUTO, .batch = 32, .epochs = 10, .seed = 1,
        .augment = { .operations = 2, .magnitude = 5 }, .memory = (guint64)2 << 30,
        .checkpoint_seconds = 300 };
}

void trainer_options_for_decisions(struct trainer_options *options)
{
    trainer_options_init(options);
    options->scope = TRAINER_DECODER;
    options->keep = TRUE;
    options->alpha = 0;
    options->gamma_negative = options->clip = 0; /* cross entropy: kept pairs are not 0 or 1 */
    /* Small steps: at 1e-3 twenty decisions spoil what the model knew of other labels. */
    options->lr = 2e-4;
    options->dropout = 0;
    options->epochs = 40;
    options->checkpoint_seconds = 0;
}

void trainer_discard(const char *out)
{
    g_autofree char *folder = g_strconcat(out, ".training", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name;
         name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

static gboolean fail(const struct nn_error *failure, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure->text);
    return FALSE;
}

static void note(const struct trainer *t, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void note(const struct trainer *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (t->calls.note) {
        t->calls.note(text, t->calls.data);
    }
}

/* Once for each picture, not in every epoch. */
static void note_broken(const char *message, gpointer data)
{
    struct trainer *t = data;
    if (g_hash_table_add(t->broken, g_strdup(message))) {
        note(t, "%s; none of its labels is learnt", message);
    }
}

/* --- The folder ---------------------------------------------------------------------- */

static gboolean open_folder(struct trainer *t, GError **error)
{
    const char *wrong = NULL;
    t->folder = g_strconcat(t->o.out, ".training", NULL);
    t->checkpoint = g_build_filename(t->folder, "checkpoint.safetensors", NULL);
    t->csv = g_build_filename(t->folder, "training.csv", NULL);
    t->svg = g_build_filename(t->folder, "training.svg", NULL);
    gboolean there = g_file_test(t->folder, G_FILE_TEST_IS_DIR);
    if (g_file_test(t->o.out, G_FILE_TEST_EXISTS)) {
        wrong = "there is something of that name already";
    } else if (there && !t->o.resume) {
        wrong = "a training of that name was stopped; go on with --resume, or delete "
                "its folder OUT.training";
    } else if (!there && t->o.resume) {
        wrong = "there is no stopped training of that name to resume";
    }
    if (wrong) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS, "%s: %s", t->o.out, wrong);
        return FALSE;
    }
    t->made_folder = !there;
    if (!there && g_mkdir_with_parents(t->folder, 0777) != 0) {
        int code = errno;
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", t->folder,
                    g_strerror(code));
        return FALSE;
    }
    return TRUE;
}

/* After a failure before the first step: nothing is worth to be resumed. */
static void remove_folder(const struct trainer *t)
{
    g_autoptr(GDir) dir = g_dir_open(t->folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(t->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(t->folder);
}

/* --- Choices ------------------------------------------------------------------------- */

static guint64 epoch_steps(const struct trainer *t)
{
    return MAX(t->set->images->len / t->o.batch, 1);
}

/* Labels of left and right do not survive a flip. */
static gboolean knows_sides(const struct training_set *set)
{
    for (guint i = 0; i < set->labels->len; i++) {
        g_auto(GStrv) words = g_str_tokenize_and_fold(set->labels->pdata[i], NULL, NULL);
        if (g_strv_contains((const char *const *)words, "left")
            || g_strv_contains((const char *const *)words, "right")) {
            return TRUE;
        }
    }
    return FALSE;
}

static void choose(struct trainer *t)
{
    struct trainer_options *o = &t->o;
    o->batch = MIN(o->batch, t->set->images->len);
    o->steps = MAX(o->steps ? o->steps : o->epochs * epoch_steps(t), 2);
    o->lr = o->lr == TRAINER_AUTO ? (o->config ? 1e-3 : 1e-4) : o->lr;
    if (o->auxiliary == TRAINER_AUTO || o->scope != TRAINER_ALL) {
        o->auxiliary = o->config && !o->encoder && o->scope == TRAINER_ALL;
    }
    /* An average over more than a tenth of the steps would remember the start. */
    o->ema = o->ema == TRAINER_AUTO ? MIN(USUAL_EMA, 1 - MIN(10.0 / (double)o->steps, 0.5))
                                    : o->ema;
    o->labels_per_step = o->labels_per_step ? MIN(o->labels_per_step, t->set->labels->len)
                                            : t->set->labels->len;
    o->jobs = o->jobs ? o->jobs : MAX(g_get_num_processors(), 2) - 1;
    o->keep = o->keep && o->scope == TRAINER_DECODER;
    if (o->augment.kinds & AUGMENT_FLIP && knows_sides(t->set)) {
        o->augment.kinds &= ~(guint)AUGMENT_FLIP;
        note(t, "pictures are not flipped, for there are labels of left and right");
    }
}

static void note_set(const struct trainer *t)
{
    const struct training_set *s = t->set;
    note(t, "pictures: %u, labels: %u, %s", s->images->len, s->labels->len,
         dataset_summary(s->data));
    if (s->missing > 0) {
        note(t, "pictures that are not there, left out: %u", s->missing);
    }
    if (s->silent > 0) {
        note(t, "pictures of which nothing is known, left out: %u", s->silent);
    }
}

/* --- The model ----------------------------------------------------------------------- */

static gboolean open_model(struct trainer *t, GError **error)
{
    if (t->o.config && !t->o.prompt) {
        t->o.prompt = USUAL_PROMPT;
    }
    t->model = base_open(&t->o, t->set, t->folder, error);
    if (!t->model) {
        return FALSE;
    }
    t->prompt = g_strdup(t->o.prompt ? t->o.prompt : model_info(t->model)->prompt);
    t->o.prompt = t->prompt;
    gboolean wanted = t->o.alpha > 0 && t->o.scope != TRAINER_DECODER && !t->o.word_vectors;
    t->captions = wanted && state_find(model_state(t->model), "align.W_i");
    if (wanted && !t->captions) { /* align_width 0 in the configuration */
        note(t, "the model has no alignment of images and captions: it is trained by the "
             "labels' loss alone");
    }
    if (!texts_init(&t->texts, t->set, t->model, t->prompt, error)) {
        return FALSE;
    }
    t->texts.most = t->o.caption_labels;
    if (t->texts.cut > 0) {
        note(t, "labels longer than the %u tokens of the text encoder, cut: %u",
             t->texts.context, t->texts.cut);
    }
    return TRUE;
}

/* Embeddings of all labels, for a text encoder that does not change. */
static gboolean encode_labels(struct trainer *t, GError **error)
{
    guint n = t->set->labels->len;
    struct nn_error failure = { 0 };
    enum nn_status status;
    struct session *session = NULL;
    struct session_params params = {
        .device = { .select = t->o.device, .cache_dir = t->o.cache_dir, .family = -1,
                    .choice = { .precision = GPU_PRECISION_F32 } } };
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    if (t->o.word_vectors) {
        gsize width = model_info(t->model)->embedding;
        t->embeddings = g_new(float, n * width);
        return word_vectors_embed(t->o.word_vectors,
                                  (const char *const *)t->set->labels->pdata, n,
                                  (guint)width, t->embeddings, error);
    }
    for (guint i = 0; i < n; i++) {
        g_ptr_array_add(prompts, prompts_fill(t->prompt, t->set->labels->pdata[i]));
    }
    t->embeddings = g_new(float, (gsize)n * model_info(t->model)->embedding);
    gboolean good = session_create(&session, t->model, &params, &failure) == NN_OK
                    && prompts_encode(session, t->model,
                                      (const char *const *)prompts->pdata, n,
                                      t->embeddings, NULL, &status, &failure);
    session_destroy(&session);
    return good || fail(&failure, error);
}

static struct feed_params feed_params(const struct trainer *t)
{
    struct img_preprocess p = tagger_preprocess(model_info(t->model));
    return (struct feed_params){
        .paths = t->set->paths, .side = p.size, .filter = p.filter,
        .seed = t->o.seed, .length = epoch_steps(t) * t->o.batch,
        .first = t->done * t->o.batch, .end = t->o.steps * t->o.batch, .jobs = t->o.jobs,
        .ahead = 2 * t->o.batch + t->o.jobs, .cache_bytes = t->o.memory };
}

static void show_rows(guint done, guint total, gpointer data)
{
    const struct trainer *t = data;
    if (t->calls.encoded) {
        t->calls.encoded(done, total, t->calls.data);
    }
}

/* What a frozen encoder makes of the pictures, where they are not changed from epoch to
 * epoch and there is room. */
static gboolean encode_pictures(struct trainer *t, GError **error)
{
    struct rows_params params = { .model = t->model, .device = t->o.device,
                                  .cache_dir = t->o.cache_dir, .paths = t->set->paths,
                                  .jobs = t->o.jobs, .memory = t->o.memory,
                                  .tokens = t->o.scope == TRAINER_DECODER,
                                  .progress = show_rows, .broken = note_broken, .data = t };
    if (t->o.keep) {
        params.embeddings = t->embeddings;
        params.labels = t->set->labels->len;
    }
    GError *failure = NULL;
    gboolean made = rows_make(&t->rows, &params, t->cancellable, &failure);
    if (!made && failure) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (!made && params.tokens) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "the encoded pictures need more "
                    "memory than is allowed");
        return FALSE;
    }
    if (made) {
        note(t, "pictures encoded: %u; the image encoder does not run again",
             t->set->images->len);
    } else {
        note(t, "the encoded pictures need more than --memory; the image encoder runs at "
             "every step");
    }
    return TRUE;
}

/* --- The steps ----------------------------------------------------------------------- */

static struct train_step_params step_params(const struct trainer *t)
{
    static const enum train_scope scopes[] = { TRAIN_ALL, TRAIN_HEAD, TRAIN_HEAD_TEXT,
                                             TRAIN_DECODER };
    const struct trainer_options *o = &t->o;
    guint side = model_info(t->model)->preprocess.size;
    struct train_step_params p = {
        .settings = model_settings(t->model), .alpha = o->alpha, .beta = o->beta,
        .asymmetric = { .gamma_negative = (float)o->gamma_negative,
                        .gamma_positive = (float)o->gamma_positive,
                        .clip = (float)o->clip, .eps = 1e-8f, .detached = true },
        .auxiliary = o->auxiliary, .mean = o->reduction == TRAINER_MEAN, .scope = scopes[o->scope],
        .decay = o->optimizer == TRAINER_ADAM ? NN_DECAY_L2 : NN_DECAY_DECOUPLED,
        .dropout = o->dropout, .seed = o->seed, .ema = o->ema, .max_norm = o->max_norm,
        .mixed = o->mixed, .recompute = o->recompute };
    if (o->reduction == TRAINER_SUM_OF_IMAGE) {
        p.beta /= o->batch;
        p.auxiliary /= o->batch;
    }
    if (t->rows.values) {
        p.features = NN_SHAPE3(o->batch, t->rows.count, t->rows.width);
    } else {
        p.images = NN_SHAPE4(o->batch, 3, side, side);
    }
    if (t->embeddings) {
        p.label_embeddings = NN_SHAPE2(o->labels_per_step, model_info(t->model)->embedding);
    } else {
        p.label_tokens = NN_SHAPE2(o->labels_per_step, t->texts.length);
    }
    if (t->captions) {
        p.tokens = NN_SHAPE2(o->batch, t->texts.context);
    }
    return p;
}

static gboolean open_step(struct trainer *t, GError **error)
{
    struct nn_error failure = { 0 };
    struct gpu_device_params device = {
        .select = t->o.device, .cache_dir = t->o.cache_dir, .family = -1,
        .choice = { .precision = t->o.mixed ? GPU_PRECISION_F16 : GPU_PRECISION_F32 } };
    struct train_step_params params = step_params(t);
    return (gpu_device_create(&t->device, &device, &failure) == NN_OK
            && train_step_create(&t->step, t->device, model_state(t->model), &params,
                                 &failure) == NN_OK)
           || fail(&failure, error);
}

/* Before the first step of a new model. */
static gboolean begin_new(struct trainer *t, GError **error)
{
    struct session_params params = {
        .device = { .select = t->o.device, .cache_dir = t->o.cache_dir, .family = -1,
                    .choice = { .precision = GPU_PRECISION_F32 } } };
    return centre_texts(t->step, t->model, &t->texts, &params, error);
}

static void open_batches(struct trainer *t)
{
    struct batch_params params = {
        .set = t->set, .texts = &t->texts, .preprocess = tagger_preprocess(model_info(t->model)),
        .rows = t->rows.values ? &t->rows : NULL, .embeddings = t->embeddings,
        .embedding = model_info(t->model)->embedding, .captions = t->captions,
        .all_targets = t->o.auxiliary > 0,
        .size = t->o.batch, .labels = t->o.labels_per_step,
        .length = epoch_steps(t) * t->o.batch, .seed = t->o.seed, .broken = note_broken,
        .data = t };
    if (!t->rows.values) {
        struct feed_params feed = feed_params(t);
        feed.augment = t->o.augment;
        t->feed = feed_new(&feed);
    }
    params.feed = t->feed;
    t->batch = batch_new(&params);
}

static gboolean save(struct trainer *t, GError **error)
{
    t->saved = g_get_monotonic_time();
    return train_log_flush(t->log, t->svg, error)
           && checkpoint_save(t->checkpoint, t->step, t->done, t->pairs, error);
}

static enum nn_status read_result(void *user, const struct state_entry *entry, float *out,
                                  struct nn_error *error)
{
    struct trainer *t = user;
    for (size_t i = 0; i < train_step_count(t->step); i++) {
        if (train_step_variable(t->step, i)->entry == entry) {
            enum train_slot slot = train_step_has(t->step, i, TRAIN_SLOT_AVERAGE)
                                       ? TRAIN_SLOT_AVERAGE : TRAIN_SLOT_VALUE;
            return train_step_read_slot(t->step, i, slot, out, error);
        }
    }
    return state_read(model_state(t->model), entry, out, error);
}

/* What was learnt so far, as a bundle in the folder of the training. */
static gboolean write_model(struct trainer *t, GError **error)
{
    struct nn_error failure = { 0 };
    g_autofree char *name = g_path_get_basename(t->o.out);
    struct model_write_params params = { .name = name, .origin = t->o.command,
                                         .prompt = t->prompt, .about = t->o.about,
                                         .licence = t->o.licence, .tokenizer = true,
                                         .half = t->o.half, .read = read_result,
                                         .user = t };
    return model_write(t->model, t->folder, &params, &failure) == NN_OK
           || fail(&failure, error);
}

/* *out is NaN unless an epoch has ended. */
static gboolean validate(struct trainer *t, double *out, GError **error)
{
    struct validation_params params = { .model = t->folder, .set = t->set,
                                        .word_vectors = t->o.word_vectors,
                                        .split = t->o.validation, .device = t->o.device,
                                        .cache_dir = t->o.cache_dir, .jobs = t->o.jobs };
    *out = NAN;
    if (!t->o.validation || (t->done % epoch_steps(t) != 0 && t->done < t->o.steps)) {
        return TRUE;
    }
    if (!write_model(t, error) || !validation_run(&params, out, error)) {
        return FALSE;
    }
    note(t, "epoch %.4g: loss %.4g, mAP %.2f on %s", t->progress.epoch, t->progress.loss,
         *out, t->o.validation);
    return TRUE;
}

/* Images a second over the latest steps of this run. */
static void measure(struct trainer *t)
{
    gint64 now = g_get_monotonic_time();
    guint64 steps = MIN(t->done - t->first - 1, RATE_WINDOW - 1);
    t->times[t->done % RATE_WINDOW] = now;
    if (steps > 0) {
        double seconds = 1e-6 * (double)(now - t->times[(t->done - steps) % RATE_WINDOW]);
        double each = seconds / (double)steps;
        t->progress.images_per_second = t->o.batch / MAX(each, 1e-9);
        t->progress.seconds_left = each * (double)(t->o.steps - t->done);
    }
}

/* Logs the step that is done. */
static gboolean report(struct trainer *t, const struct train_losses *losses, double lr,
                       GError **error)
{
    struct trainer_progress *p = &t->progress;
    t->done++;
    measure(t);
    p->step = t->done;
    p->steps = t->o.steps;
    p->epoch = (double)t->done / (double)epoch_steps(t);
    p->loss = losses->total;
    p->clip = losses->clip;
    p->labels = t->o.reduction == TRAINER_SUM_OF_IMAGE ? losses->labels / t->o.batch
                                                       : losses->labels;
    p->lr = lr;
    struct train_log_row row = { p->step, p->epoch, p->loss, p->clip, p->labels, lr,
                                 losses->gradient_norm, p->images_per_second, NAN };
    if (!validate(t, &row.validation, error) || !train_log_add(t->log, &row, error)) {
        return FALSE;
    }
    if (t->calls.progress) {
        t->calls.progress(p, t->calls.data);
    }
    gint64 now = g_get_monotonic_time();
    if (now - t->drawn > DRAW_SECONDS * G_USEC_PER_SEC) {
        t->drawn = now;
        return train_log_flush(t->log, t->svg, error);
    }
    return TRUE;
}

static gboolean run_step(struct trainer *t, GError **error)
{
    struct nn_error failure = { 0 };
    struct train_batch batch;
    struct train_losses losses;
    struct train_cycle cycle = { t->o.lr, t->o.warmup, t->o.steps };
    struct train_rates rates = train_cycle_at(&cycle, t->done);
    struct nn_adam adam = { .lr = rates.lr, .beta1 = rates.beta1, .beta2 = 0.999,
                            .eps = 1e-8, .decay = t->o.decay, .gradient_factor = 1,
                            .step = t->done + 1 };
    if (!batch_fill(t->batch, t->done, &batch, error)) {
        return FALSE;
    }
    if (train_step_run(t->step, &batch, &adam, &losses, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    return report(t, &losses, rates.lr, error);
}

static gboolean run_steps(struct trainer *t, GError **error)
{
    gboolean good = TRUE;
    t->saved = t->drawn = g_get_monotonic_time();
    t->first = t->done;
    while (good && t->done < t->o.steps && !g_cancellable_is_cancelled(t->cancellable)) {
        good = run_step(t, error);
        double since = 1e-6 * (double)(g_get_monotonic_time() - t->saved);
        if (good && t->o.checkpoint_seconds > 0 && since > t->o.checkpoint_seconds) {
            good = save(t, error);
        }
    }
    return good;
}

/* --- The end ------------------------------------------------------------------------- */

static gboolean finish(struct trainer *t, GError **error)
{
    g_autofree char *record = g_build_filename(t->folder, "training.json", NULL);
    g_autofree char *added = g_build_filename(t->folder, BASE_ADDED, NULL);
    if (!train_log_flush(t->log, t->svg, error)
        || !record_write(record, &t->o, t->pairs, t->set, &t->progress, error)
        || !write_model(t, error)) {
        return FALSE;
    }
    g_unlink(t->checkpoint);
    g_unlink(added);
    if (g_rename(t->folder, t->o.out) != 0) {
        int code = errno;
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", t->o.out,
                    g_strerror(code));
        return FALSE;
    }
    return TRUE;
}

static gboolean prepare(struct trainer *t, GError **error)
{
    t->set = training_set_open(&t->o.set, error);
    if (!t->set
        || (t->o.validation && !validation_check(t->set, t->o.validation, error))
        || !open_folder(t, error)) {
        return FALSE;
    }
    note_set(t);
    choose(t);
    if (!open_model(t, error)) {
        return FALSE;
    }
    t->pairs = record_options(&t->o, t->set, model_info(t->model)->fingerprint);
    if (t->o.resume && g_file_test(t->checkpoint, G_FILE_TEST_EXISTS)
        && !checkpoint_read_step(t->checkpoint, t->pairs, &t->done, error)) {
        return FALSE;
    }
    gboolean fixed_text = t->o.scope == TRAINER_HEAD || t->o.scope == TRAINER_DECODER
                          || t->o.word_vectors;
    gboolean fixed_rows = t->o.scope == TRAINER_DECODER
                          || (t->o.scope != TRAINER_ALL && t->o.augment.kinds == 0);
    return (!fixed_text || encode_labels(t, error))
           && (!fixed_rows || encode_pictures(t, error));
}

static gboolean train(struct trainer *t, enum trainer_end *end, GError **error)
{
    if (!prepare(t, error) || !open_step(t, error)) {
        return FALSE;
    }
    if (t->done > 0) {
        note(t, "goes on after step %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, t->done,
             t->o.steps);
        if (!checkpoint_load(t->checkpoint, t->step, error)) {
            return FALSE;
        }
    }
    gboolean text = (t->o.beta > 0 && !t->o.word_vectors) || t->captions;
    if (t->done == 0 && t->o.config && text && !begin_new(t, error)) {
        return FALSE;
    }
    t->log = train_log_open(t->csv, t->done, error);
    if (!t->log) {
        return FALSE;
    }
    open_batches(t);
    if (!run_steps(t, error)) {
        return FALSE;
    }
    *end = t->done == t->o.steps ? TRAINER_DONE : TRAINER_STOPPED;
    return *end == TRAINER_DONE ? finish(t, error)
                                : save(t, error) && write_model(t, error);
}

static void trainer_clear(struct trainer *t)
{
    g_hash_table_unref(t->broken);
    batch_free(&t->batch);
    feed_free(&t->feed);
    train_log_close(&t->log);
    train_step_destroy(&t->step);
    gpu_device_destroy(&t->device);
    record_free(t->pairs);
    rows_clear(&t->rows);
    texts_clear(&t->texts);
    model_destroy(&t->model);
    training_set_close(&t->set);
    g_free(t->embeddings);
    g_free(t->prompt);
    g_free(t->folder);
    g_free(t->checkpoint);
    g_free(t->csv);
    g_free(t->svg);
}

gboolean trainer_run(const struct trainer_options *options,
                     const struct trainer_calls *calls, GCancellable *cancellable,
                     enum trainer_end *end, GError **error)
{
    struct trainer t = { .o = *options, .cancellable = cancellable,
                         .broken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                         NULL) };
    if (calls) {
        t.calls = *calls;
    }
    GError *failure = NULL;
    train(&t, end, &failure);
    if (g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        *end = TRAINER_STOPPED; /* before the first step */
        g_clear_error(&failure);
    }
    if (failure && t.made_folder && t.done == 0) {
        remove_folder(&t);
    }
    trainer_clear(&t);
    if (failure) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}
