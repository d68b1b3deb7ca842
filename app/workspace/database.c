/* The thread of the store: one job after another, each with a part that runs there and
 * one that takes its results on the main thread. */
#include "app/library/identity.h"
#include "app/store/backup.h"
#include "app/store/vocabulary.h"
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>
#include <string.h>

/* Images that one job looks up: few enough that the first are seen soon. */
#define FIND_IMAGES 16
#define FIND_JOBS 2

typedef struct {
    TlImage *image;
    struct identity identity;
    gint64 row;
    int width, height;
    StoreVerdict *verdicts; /* on the labels asked for */
    gboolean cached;        /* the cache holds its tokens */
    GError *error;
} Found;

struct DatabaseJob {
    void (*work)(DatabaseJob *job);  /* on the database thread */
    void (*done)(DatabaseJob *job);  /* on the main thread; may be NULL */
    TlWorkspace *workspace;
    TlImage *image;
    gint64 label_row;
    char *text, *prompt;
    GPtrArray *found;                /* of Found: images looked up */
    GArray *rows;                    /* of the labels asked for */
    TlModelFacts *model;             /* NULL while there is none */
    GStrv labels, prompts;           /* of predictions */
    GArray *images;                  /* their rows */
    float *values;                   /* [images,labels] */
    GBytes *tokens;                  /* to be put in the cache */
    char *hash;                      /* of the image's content */
    gboolean cached;                 /* the cache has taken the tokens */
    GCancellable *cancellable;
    void (*then)(TlWorkspace *);     /* of database_after_writes */
    const DatabaseTask *task;        /* of database_do */
    gpointer task_data;
    GError *error;
};

static void found_free(gpointer data)
{
    Found *found = data;
    g_object_unref(found->image);
    identity_clear(&found->identity);
    g_free(found->verdicts);
    g_clear_error(&found->error);
    g_free(found);
}

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
    g_clear_pointer(&job->found, g_ptr_array_unref);
    g_clear_error(&job->error);
    if (job->task) {
        job->task->free(job->task_data);
    }
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

/* Hashes the images that the store has not seen as they are, or that changed. */
static void identify(DatabaseJob *job)
{
    for (guint i = 0; i < job->found->len; i++) {
        Found *f = job->found->pdata[i];
        if (!g_cancellable_is_cancelled(job->cancellable)
            && !identity_look_up(job->workspace->store, f->image->path, &f->identity)) {
            identity_read(f->image->path, job->cancellable, &f->identity, &f->error);
        }
    }
}

/* One transaction for those that are new. */
static gboolean put_rows(DatabaseJob *job)
{
    store *s = job->workspace->store;
    gboolean begun = FALSE;
    for (guint i = 0; i < job->found->len; i++) {
        Found *f = job->found->pdata[i];
        if (!begun && f->identity.hash && !f->identity.row) {
            begun = store_begin(s, &job->error);
            if (!begun) {
                return FALSE;
            }
        }
        f->row = f->identity.hash
                     ? identity_put(s, f->image->path, &f->identity, &job->error) : 0;
        if (job->error) {
            store_rollback(s);
            return FALSE;
        }
    }
    return !begun || store_commit(s, &job->error);
}

static void work_find(DatabaseJob *job)
{
    TlWorkspace *self = job->workspace;
    identify(job);
    gboolean stored = put_rows(job);
    for (guint i = 0; i < job->found->len; i++) {
        Found *f = job->found->pdata[i];
        f->row = stored ? f->row : 0;
        f->verdicts = g_new0(StoreVerdict, job->rows->len + 1);
        if (f->row) {
            store_image_size(self->store, f->row, &f->width, &f->height);
            store_verdicts(self->store, f->row, (const gint64 *)job->rows->data,
                           job->rows->len, f->verdicts);
        }
        if (f->identity.hash && job->model) {
            token_cache *cache = scoring_cache(&self->kept, job->model);
            f->cached = token_cache_has(cache, f->identity.hash);
        }
    }
}

/* An image with cached tokens needs no decoding and no image encoder. */
static void take_tokens(DatabaseJob *job, const Found *found)
{
    TlWorkspace *self = job->workspace;
    TlImage *image = found->image;
    if (!job->model || job->model != self->model || image->cached || image->tokens
        || self->busy == image || job->cancellable != self->cancellable) {
        return;
    }
    if (!found->cached) {
        encoding_enqueue(self, image, FALSE);
        encoding_next(self);
        return;
    }
    image->cached = TRUE;
    self->done++;
    workspace_set_status(self);
    scoring_pump(self);
}

static void take_verdicts(DatabaseJob *job, const Found *found)
{
    TlWorkspace *self = job->workspace;
    for (guint i = 0; i < job->rows->len; i++) {
        gint64 row = g_array_index(job->rows, gint64, i);
        for (guint l = 0; l < self->labels->len; l++) {
            if (((Label *)self->labels->pdata[l])->row == row) {
                image_set_verdict(found->image, l, found->verdicts[i]);
            }
        }
    }
}

static void find_more(TlWorkspace *self);

static void done_find(DatabaseJob *job)
{
    job->workspace->find_jobs--;
    find_more(job->workspace);
    for (guint i = 0; i < job->found->len; i++) {
        Found *f = job->found->pdata[i];
        if (f->error) {
            workspace_report_error(job->workspace, f->error);
        }
        f->image->row = f->row;
        f->image->bytes = f->identity.bytes;
        f->image->mtime = f->identity.mtime;
        f->image->width = f->width;
        f->image->height = f->height;
        g_free(f->image->hash);
        f->image->hash = g_steal_pointer(&f->identity.hash);
        take_tokens(job, f);
        take_verdicts(job, f);
        g_signal_emit(job->workspace, workspace_signals[CHANGED], 0, f->image);
    }
}

static DatabaseJob *find_job(TlWorkspace *self)
{
    DatabaseJob *job = job_new(self, work_find, done_find);
    job->cancellable = g_object_ref(self->cancellable);
    job->model = self->model ? tl_model_facts_ref(self->model) : NULL;
    job->found = g_ptr_array_new_with_free_func(found_free);
    job->rows = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = self->find_first; i < self->labels->len; i++) {
        g_array_append_val(job->rows, ((Label *)self->labels->pdata[i])->row);
    }
    return job;
}

/* Few jobs wait at a time: what a person decides must not queue behind a large folder. */
static void find_more(TlWorkspace *self)
{
    GPtrArray *all = self->images->items;
    while (self->database && self->find_jobs < FIND_JOBS && self->find_at < all->len) {
        DatabaseJob *job = find_job(self);
        while (job->found->len < FIND_IMAGES && self->find_at < all->len) {
            TlImage *image = all->pdata[self->find_at++];
            if (!image->sought) {
                Found *found = g_new0(Found, 1);
                found->image = g_object_ref(image);
                image->sought = TRUE;
                g_ptr_array_add(job->found, found);
            }
        }
        if (job->found->len == 0) {
            job_free(job);
            return;
        }
        self->find_jobs++;
        job_push(job);
    }
}

void database_find(TlWorkspace *self, guint first)
{
    gboolean under_way = self->find_at < self->images->items->len;
    self->find_first = under_way ? MIN(self->find_first, first) : first;
    self->find_at = 0;
    for (guint i = 0; i < self->images->items->len; i++) {
        ((TlImage *)self->images->items->pdata[i])->sought = FALSE;
    }
    find_more(self);
}

void database_find_new(TlWorkspace *self)
{
    self->find_first = 0;
    self->find_at = 0;
    find_more(self);
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

/* --- Labels ------------------------------------------------------------------------------- */

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
    vocabulary_join_folder(job->workspace, job->label_row);
    database_find(job->workspace, (guint)index);
}

void database_add_label(TlWorkspace *self, const Label *label)
{
    DatabaseJob *job = job_new(self, work_label, done_label);
    job->text = g_strdup(label->name);
    job->prompt = g_strdup(label->words);
    job_push(job);
}

static void work_words(DatabaseJob *job)
{
    store *s = job->workspace->store;
    vocabulary_set(s, store_find_label(s, job->text), VOCABULARY_PROMPT, job->prompt,
                   &job->error);
}

void database_set_words(TlWorkspace *self, const Label *label)
{
    DatabaseJob *job = job_new(self, work_words, NULL);
    job->text = g_strdup(label->name);
    job->prompt = g_strdup(label->words);
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

char *database_model_mark(const TlModelFacts *model)
{
    return model ? store_model_mark(model->name, model->fingerprint) : NULL;
}

static void work_predict(DatabaseJob *job)
{
    store *s = job->workspace->store;
    guint n = g_strv_length(job->labels);
    g_autofree char *mark = database_model_mark(job->model);
    g_autofree gint64 *labels = g_new0(gint64, n + 1);
    StoreQuestion question = { mark, labels, (const char *const *)job->prompts, n };
    for (guint l = 0; l < n; l++) {
        labels[l] = store_find_label(s, job->labels[l]);
        for (guint i = 0; !labels[l] && i < job->images->len; i++) {
            job->values[i * n + l] = -1; /* a label that was taken away meanwhile */
        }
    }
    gboolean good = store_begin(s, &job->error);
    for (guint i = 0; good && i < job->images->len; i++) {
        gint64 image = g_array_index(job->images, gint64, i);
        good = !image || store_predict(s, image, &question, job->values + i * n, TRUE,
                                       &job->error);
    }
    if (good) {
        store_commit(s, &job->error);
    } else {
        store_rollback(s);
    }
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

/* --- Safety ------------------------------------------------------------------------------------ */

static void work_back_up(DatabaseJob *job)
{
    backup_roll(job->workspace->store, NULL, &job->error);
}

void database_back_up(TlWorkspace *self)
{
    job_push(job_new(self, work_back_up, NULL));
}

/* --- Jobs of other files ----------------------------------------------------------------------- */

static void work_task(DatabaseJob *job)
{
    job->task->work(job->workspace->store, job->task_data, &job->error);
}

static void done_task(DatabaseJob *job)
{
    job->task->done(job->workspace, job->task_data, job->error == NULL);
}

void database_do(TlWorkspace *self, const DatabaseTask *task, gpointer data)
{
    DatabaseJob *job = job_new(self, work_task, done_task);
    job->task = task;
    job->task_data = data;
    job_push(job);
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
