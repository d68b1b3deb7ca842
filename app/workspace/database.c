/* The thread of the store: one job after another, each with a part that runs there and
 * one that takes its results on the main thread. */
#include "app/library/library.h"
#include "app/workspace/workspace_private.h"


#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

struct DatabaseJob {
    void (*work)(DatabaseJob *job);  /* on the database thread */
    void (*done)(DatabaseJob *job);  /* on the main thread; may be NULL */
    TlWorkspace *workspace;
    TlImage *image;
    guint label_index;
    gint64 label_row, image_row;
    char *text, *prompt;
    StoreVerdict verdict;
    double confidence;
    GArray *rows, *verdicts;         /* label rows asked for, verdicts found */
    TlModelFacts *model;             /* NULL while there is none */
    GStrv labels, prompts;           /* of predictions */
    GArray *images;                  /* their rows */
    float *values;                   /* [images,labels] */
    GBytes *tokens;                  /* to be put in the cache */
    char *hash;                      /* of the image's content */
    gboolean cached;                 /* the cache holds its tokens */
    GCancellable *cancellable;
    void (*then)(TlWorkspace *);     /* of database_after_writes */
    GError *error;
};

static void job_free(DatabaseJob *job)
{
    g_clear_object(&job->image);
    g_clear_object(&job->cancellable);
    g_object_unref(job->workspace);
    g_free(job->text);
    g_free(job->prompt);
    g_free(job->hash);
    g_strfreev(job->labels);
    g_strfreev(job->prompts);
    g_free(job->values);
    g_clear_pointer(&job->images, g_array_unref);
    g_clear_pointer(&job->model, tl_model_facts_unref);
    g_clear_pointer(&job->tokens, g_bytes_unref);
    g_clear_pointer(&job->rows, g_array_unref);
    g_clear_pointer(&job->verdicts, g_array_unref);
    g_clear_error(&job->error);
    g_free(job);
}

static gboolean job_finish(gpointer data)
{
    DatabaseJob *job = data;
    if (job->error) {
        workspace_report_error(job->workspace, job->error);
    }
    if (job->done) {
        job->done(job);
    }
    job_free(job);
    return G_SOURCE_REMOVE;
}

void database_run(gpointer data, gpointer unused)
{
    DatabaseJob *job = data;
    job->work(job);
    g_idle_add_full(G_PRIORITY_DEFAULT, job_finish, job, NULL);
}

static DatabaseJob *job_new(TlWorkspace *self, void (*work)(DatabaseJob *),
                            void (*done)(DatabaseJob *))
{
    DatabaseJob *job = g_new0(DatabaseJob, 1);
    job->workspace = g_object_ref(self);
    job->work = work;
    job->done = done;
    return job;
}

static void job_push(DatabaseJob *job)
{
    if (!job->workspace->database) {
        job_free(job); /* the workspace was stopped */
        return;
    }
    g_thread_pool_push(job->workspace->database, job, NULL);
}

/* The row of an image by content; the hash is taken again only when size or time
 * changed. */
static gint64 find_row(store *s, const char *path, GError **error)
{
    GStatBuf info;
    if (g_stat(path, &info) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s: %s", path,
                    g_strerror(errno));
        return 0;
    }
    gint64 row = store_find_image(s, path, info.st_size, info.st_mtime);
    if (row) {
        return row;
    }
    gint64 bytes = 0;
    g_autofree char *hash = library_hash(path, NULL, &bytes, error);
    if (!hash) {
        return 0;
    }
    int width = 0, height = 0;
    gdk_pixbuf_get_file_info(path, &width, &height);
    StoreImage image = { hash, path, bytes, info.st_mtime, width, height };
    return store_put_image(s, &image, error);
}

static void work_find(DatabaseJob *job)
{
    if (g_cancellable_is_cancelled(job->cancellable)) {
        return;
    }
    job->image_row = find_row(job->workspace->store, job->text, &job->error);
    for (guint i = 0; job->image_row && i < job->rows->len; i++) {
        StoreVerdict v = store_verdict(job->workspace->store, job->image_row,
                                       g_array_index(job->rows, gint64, i));
        g_array_append_val(job->verdicts, v);
    }
    if (job->image_row) {
        job->hash = store_image_hash(job->workspace->store, job->image_row);
    }
    if (job->hash && job->model) {
        token_cache *cache = scoring_cache(&job->workspace->kept, job->model);
        job->cached = token_cache_has(cache, job->hash);
    }
}

/* An image with cached tokens needs no decoding and no image encoder. */
static void take_tokens(DatabaseJob *job)
{
    TlWorkspace *self = job->workspace;
    TlImage *image = job->image;
    if (!job->model || job->model != self->model || image->cached || image->tokens
        || self->busy == image || job->cancellable != self->cancellable) {
        return;
    }
    if (!job->cached) {
        encoding_enqueue(self, image, FALSE);
        encoding_next(self);
        return;
    }
    image->cached = TRUE;
    self->done++;
    workspace_set_status(self);
    scoring_pump(self);
}

static void done_find(DatabaseJob *job)
{
    TlImage *image = job->image;
    image->row = job->image_row;
    g_free(image->hash);
    image->hash = g_steal_pointer(&job->hash);
    take_tokens(job);
    for (guint i = 0; i < job->verdicts->len; i++) {
        gint64 row = g_array_index(job->rows, gint64, i);
        for (guint l = 0; l < job->workspace->labels->len; l++) {
            if (((Label *)job->workspace->labels->pdata[l])->row == row) {
                image_set_verdict(image, l, g_array_index(job->verdicts, StoreVerdict, i));
            }
        }
    }
    g_signal_emit(job->workspace, workspace_signals[CHANGED], 0, image);
}

void database_find(TlWorkspace *self, TlImage *image, guint first)
{
    DatabaseJob *job = job_new(self, work_find, done_find);
    job->image = g_object_ref(image);
    job->text = g_strdup(image->path);
    job->cancellable = g_object_ref(self->cancellable);
    job->model = self->model ? tl_model_facts_ref(self->model) : NULL;
    job->rows = g_array_new(FALSE, FALSE, sizeof(gint64));
    job->verdicts = g_array_new(FALSE, FALSE, sizeof(StoreVerdict));
    for (guint i = first; i < self->labels->len; i++) {
        g_array_append_val(job->rows, ((Label *)self->labels->pdata[i])->row);
    }
    job_push(job);
}

/* --- Tokens ---------------------------------------------------------------------------- */

static void work_keep(DatabaseJob *job)
{
    token_cache *cache = scoring_cache(&job->workspace->kept, job->model);
    token_cache_put(cache, job->hash, g_bytes_get_data(job->tokens, NULL));
    job->cached = token_cache_has(cache, job->hash);
}

/* Tokens that the cache does not take stay in memory. */
static void done_keep(DatabaseJob *job)
{
    if (job->cached && job->image->tokens == job->tokens) {
        job->image->cached = TRUE;
        g_clear_pointer(&job->image->tokens, g_bytes_unref);
    }
}

void database_keep(TlWorkspace *self, TlImage *image)
{
    if (!image->hash) {
        return;
    }
    DatabaseJob *job = job_new(self, work_keep, done_keep);
    job->image = g_object_ref(image);
    job->hash = g_strdup(image->hash);
    job->model = tl_model_facts_ref(self->model);
    job->tokens = g_bytes_ref(image->tokens);
    job_push(job);
}

/* --- Labels and decisions ---------------------------------------------------------------- */

static void work_label(DatabaseJob *job)
{
    job->label_row =
        store_put_label(job->workspace->store, job->text, job->prompt, &job->error);
}

static void done_label(DatabaseJob *job)
{
    int index = workspace_find_label(job->workspace, job->text);
    if (index < 0 || job->error) {
        return;
    }
    ((Label *)job->workspace->labels->pdata[index])->row = job->label_row;
    guint n = g_list_model_get_n_items(tl_workspace_images(job->workspace));
    for (guint i = 0; i < n; i++) {
        g_autoptr(TlImage) image =
            g_list_model_get_item(tl_workspace_images(job->workspace), i);
        database_find(job->workspace, image, (guint)index);
    }
}

void database_add_label(TlWorkspace *self, const Label *label)
{
    DatabaseJob *job = job_new(self, work_label, done_label);
    job->text = g_strdup(label->name);
    job->prompt = g_strdup(label->prompt);
    job_push(job);
}

static void work_hide(DatabaseJob *job)
{
    store_hide_label(job->workspace->store, job->text, &job->error);
}

void database_hide_label(TlWorkspace *self, const char *name)
{
    DatabaseJob *job = job_new(self, work_hide, NULL);
    job->text = g_strdup(name);
    job_push(job);
}

/* A model as decisions and predictions name it: by a person's name for it, and by what
 * tells two models of one name apart. */
static char *model_mark(const TlModelFacts *model)
{
    return model ? g_strdup_printf("%s#%.8s", model->name, model->fingerprint) : NULL;
}

static gboolean predict_image(DatabaseJob *job, guint image, const gint64 *labels,
                              StoreSource *source)
{
    guint n = g_strv_length(job->labels);
    for (guint l = 0; l < n; l++) {
        source->prompt = job->prompts[l];
        source->confidence = job->values[image * n + l];
        if (labels[l] && source->confidence >= 0
            && !store_predict(job->workspace->store,
                              g_array_index(job->images, gint64, image), labels[l], source,
                              &job->error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static void work_predict(DatabaseJob *job)
{
    store *s = job->workspace->store;
    guint n = g_strv_length(job->labels);
    g_autofree char *mark = model_mark(job->model);
    g_autofree gint64 *labels = g_new0(gint64, n + 1);
    StoreSource source = { .by_model = TRUE, .model = mark, .threshold = -1 };
    for (guint l = 0; l < n; l++) {
        labels[l] = store_find_label(s, job->labels[l]);
    }
    if (!store_begin(s, &job->error)) {
        return;
    }
    for (guint i = 0; i < job->images->len; i++) {
        if (g_array_index(job->images, gint64, i)
            && !predict_image(job, i, labels, &source)) {
            break;
        }
    }
    store_commit(s, job->error ? NULL : &job->error);
}

void database_predict(TlWorkspace *self, TlModelFacts *model, GPtrArray *images,
                      GStrv labels, const float *values)
{
    gsize n = g_strv_length(labels);
    DatabaseJob *job = job_new(self, work_predict, NULL);
    g_autoptr(GStrvBuilder) prompts = g_strv_builder_new();
    for (gsize l = 0; l < n; l++) {
        int index = workspace_find_label(self, labels[l]);
        const Label *label = index < 0 ? NULL : self->labels->pdata[index];
        g_strv_builder_add(prompts, label && label->prompt ? label->prompt : "");
    }
    job->model = tl_model_facts_ref(model);
    job->labels = g_strdupv(labels);
    job->prompts = g_strv_builder_end(prompts);
    job->values = g_memdup2(values, images->len * n * sizeof *values);
    job->images = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < images->len; i++) {
        g_array_append_val(job->images, ((TlImage *)images->pdata[i])->row);
    }
    job_push(job);
}

static void work_decide(DatabaseJob *job)
{
    store *s = job->workspace->store;
    g_autofree char *mark = model_mark(job->model);
    gint64 image = find_row(s, job->image->path, &job->error);
    gint64 label = image ? store_put_label(s, job->text, NULL, &job->error) : 0;
    StoreSource source = { .model = mark, .prompt = job->prompt,
                           .confidence = job->confidence, .threshold = -1 };
    if (label) {
        store_decide(s, image, label, job->verdict, &source, &job->error);
    }
}

static void done_decide(DatabaseJob *job)
{
    int index = workspace_find_label(job->workspace, job->text);
    if (!job->error && index >= 0) {
        image_set_verdict(job->image, (guint)index, job->verdict);
        g_signal_emit(job->workspace, workspace_signals[CHANGED], 0, job->image);
    }
}

void tl_workspace_decide(TlWorkspace *self, TlImage *image, guint label,
                         StoreVerdict verdict)
{
    DatabaseJob *job = job_new(self, work_decide, done_decide);
    job->image = g_object_ref(image);
    job->text = g_strdup(tl_workspace_label(self, label));
    job->prompt = g_strdup(((Label *)self->labels->pdata[label])->prompt);
    job->confidence = tl_image_confidence(image, label);
    job->model = self->model ? tl_model_facts_ref(self->model) : NULL;
    job->verdict = verdict;
    job_push(job);
}

static void work_undo(DatabaseJob *job)
{
    store_undo(job->workspace->store, &job->image_row, &job->label_row, &job->error);
    if (job->image_row) {
        job->verdict = store_verdict(job->workspace->store, job->image_row, job->label_row);
    }
}

static void done_undo(DatabaseJob *job)
{
    TlWorkspace *self = job->workspace;
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->images));
    if (!job->image_row) {
        workspace_report(self, _("There is nothing to undo"));
        return;
    }
    for (guint i = 0; i < n; i++) {
        g_autoptr(TlImage) image = g_list_model_get_item(G_LIST_MODEL(self->images), i);
        for (guint l = 0; image->row == job->image_row && l < self->labels->len; l++) {
            if (((Label *)self->labels->pdata[l])->row == job->label_row) {
                image_set_verdict(image, l, job->verdict);
                g_signal_emit(self, workspace_signals[CHANGED], 0, image);
            }
        }
    }
}

void tl_workspace_undo(TlWorkspace *self)
{
    job_push(job_new(self, work_undo, done_undo));
}

/* --- Order ------------------------------------------------------------------------------------ */

static void work_nothing(DatabaseJob *job)
{
}

static void done_then(DatabaseJob *job)
{
    job->then(job->workspace);
}

void database_after_writes(TlWorkspace *self, void (*then)(TlWorkspace *))
{
    DatabaseJob *job = job_new(self, work_nothing, done_then);
    job->then = then;
    job_push(job);
}
