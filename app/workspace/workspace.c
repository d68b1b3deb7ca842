#include "app/workspace/workspace.h"

#include "app/engine/prompt_text.h"
#include "app/image/image.h"
#include "app/library/library.h"
#include "app/store/cache.h"

#include <glib/gstdio.h>
#include <string.h>

#define SCORE_CHUNK 16
#define CACHE_BYTES ((gint64)4 << 30)

struct _TlImage {
    GObject parent;
    char *path, *name, *error;
    gint64 row;          /* in the store; 0 while unknown */
    GBytes *tokens;
    GArray *confidence;  /* float by label, -1 unknown */
    GArray *verdict;     /* StoreVerdict by label */
    gboolean queued;
};

G_DEFINE_FINAL_TYPE(TlImage, tl_image, G_TYPE_OBJECT)

typedef struct { char *name, *prompt; gint64 row; GBytes *embedding; } Label;

struct _TlWorkspace {
    GObject parent;
    store *store;            /* the database thread's own after construction */
    cache *cache;            /* the same; NULL when there is none */
    GThreadPool *database;   /* one thread, in order */
    TlEngine *engine;
    TlModelFacts *model;
    gboolean loading;
    GListStore *images;
    GPtrArray *labels;       /* of Label */
    GCancellable *cancellable; /* of the open folder */
    GQueue pending;          /* images that wait for tokens */
    TlImage *busy;
    guint done;
    char *status, *device;
};

G_DEFINE_FINAL_TYPE(TlWorkspace, tl_workspace, G_TYPE_OBJECT)

enum { CHANGED, LABELS, STATUS, FAILED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void encode_next(TlWorkspace *self);

static void report(TlWorkspace *self, const char *text)
{
    g_signal_emit(self, signals[FAILED], 0, text);
}

static void report_error(TlWorkspace *self, const GError *error)
{
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        report(self, error->message);
    }
}

/* --- Images -------------------------------------------------------------------------- */

static void tl_image_finalize(GObject *object)
{
    TlImage *self = TL_IMAGE(object);
    g_free(self->path);
    g_free(self->name);
    g_free(self->error);
    g_clear_pointer(&self->tokens, g_bytes_unref);
    g_array_unref(self->confidence);
    g_array_unref(self->verdict);
    G_OBJECT_CLASS(tl_image_parent_class)->finalize(object);
}

static void tl_image_class_init(TlImageClass *class)
{
    G_OBJECT_CLASS(class)->finalize = tl_image_finalize;
}

static void tl_image_init(TlImage *self)
{
    self->confidence = g_array_new(FALSE, TRUE, sizeof(float));
    self->verdict = g_array_new(FALSE, TRUE, sizeof(StoreVerdict));
}

static TlImage *image_new(const char *path)
{
    TlImage *self = g_object_new(TL_TYPE_IMAGE, NULL);
    g_autofree char *base = g_path_get_basename(path);
    self->path = g_strdup(path);
    self->name = g_filename_display_name(base);
    return self;
}

const char *tl_image_path(TlImage *self) { return self->path; }
const char *tl_image_name(TlImage *self) { return self->name; }
const char *tl_image_error(TlImage *self) { return self->error; }

double tl_image_confidence(TlImage *self, guint index)
{
    return index < self->confidence->len ? g_array_index(self->confidence, float, index)
                                         : -1;
}

StoreVerdict tl_image_verdict(TlImage *self, guint index)
{
    return index < self->verdict->len ? g_array_index(self->verdict, StoreVerdict, index)
                                      : STORE_CLEARED;
}

static void set_confidence(TlImage *self, guint index, float value)
{
    while (self->confidence->len <= index) {
        float unknown = -1;
        g_array_append_val(self->confidence, unknown);
    }
    g_array_index(self->confidence, float, index) = value;
}

static void set_verdict(TlImage *self, guint index, StoreVerdict verdict)
{
    if (self->verdict->len <= index) {
        g_array_set_size(self->verdict, index + 1);
    }
    g_array_index(self->verdict, StoreVerdict, index) = verdict;
}

/* --- The database thread ---------------------------------------------------------------- */

typedef struct DatabaseJob DatabaseJob;
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
    char *model;                     /* fingerprint, for the cache */
    GBytes *tokens;                  /* found in the cache, or to be put there */
    GCancellable *cancellable;
    GError *error;
};

static void job_free(DatabaseJob *job)
{
    g_clear_object(&job->image);
    g_clear_object(&job->cancellable);
    g_object_unref(job->workspace);
    g_free(job->text);
    g_free(job->prompt);
    g_free(job->model);
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
        report_error(job->workspace, job->error);
    }
    if (job->done) {
        job->done(job);
    }
    job_free(job);
    return G_SOURCE_REMOVE;
}

static void database_run(gpointer data, gpointer unused)
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
    if (job->image_row && job->model) {
        g_autofree char *hash = store_image_hash(job->workspace->store, job->image_row);
        job->tokens = hash ? NULL
                           : NULL;
    }
}

static void take_cached(DatabaseJob *job);

static void done_find(DatabaseJob *job)
{
    TlImage *image = job->image;
    image->row = job->image_row;
    take_cached(job);
    for (guint i = 0; i < job->verdicts->len; i++) {
        gint64 row = g_array_index(job->rows, gint64, i);
        for (guint l = 0; l < job->workspace->labels->len; l++) {
            if (((Label *)job->workspace->labels->pdata[l])->row == row) {
                set_verdict(image, l, g_array_index(job->verdicts, StoreVerdict, i));
            }
        }
    }
    g_signal_emit(job->workspace, signals[CHANGED], 0, image);
}

/* Asks for an image's row and its decisions on the labels from `first` on. */
static void find_image(TlWorkspace *self, TlImage *image, guint first)
{
    DatabaseJob *job = job_new(self, work_find, done_find);
    job->image = g_object_ref(image);
    job->text = g_strdup(image->path);
    job->cancellable = g_object_ref(self->cancellable);
    job->model = self->model && !image->tokens ? g_strdup(self->model->fingerprint) : NULL;
    job->rows = g_array_new(FALSE, FALSE, sizeof(gint64));
    job->verdicts = g_array_new(FALSE, FALSE, sizeof(StoreVerdict));
    for (guint i = first; i < self->labels->len; i++) {
        g_array_append_val(job->rows, ((Label *)self->labels->pdata[i])->row);
    }
    job_push(job);
}

/* --- Status ------------------------------------------------------------------------------- */

static void set_status(TlWorkspace *self)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->images));
    g_free(self->status);
    self->status = n == 0 ? g_strdup("") : g_strdup_printf("%u of %u images", self->done, n);
    g_signal_emit(self, signals[STATUS], 0);
}

const char *tl_workspace_status(TlWorkspace *self) { return self->status; }

double tl_workspace_fraction(TlWorkspace *self)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->images));
    return n ? (double)self->done / n : 0;
}

/* --- Scoring -------------------------------------------------------------------------------- */

typedef struct { TlWorkspace *workspace; GPtrArray *images; guint first, count; } Scoring;

static void scoring_free(Scoring *s)
{
    g_object_unref(s->workspace);
    g_ptr_array_unref(s->images);
    g_free(s);
}

static void on_scored(GObject *source, GAsyncResult *result, gpointer data)
{
    Scoring *s = data;
    TlWorkspace *self = s->workspace;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = tl_engine_score_finish(TL_ENGINE(source), result, &error);
    gsize size = 0;
    const float *values = bytes ? g_bytes_get_data(bytes, &size) : NULL;
    if (!bytes) {
        report_error(self, error);
    } else if (size == s->images->len * s->count * sizeof *values) {
        for (guint i = 0; i < s->images->len; i++) {
            for (guint l = 0; l < s->count && s->first + l < self->labels->len; l++) {
                set_confidence(s->images->pdata[i], s->first + l, values[i * s->count + l]);
            }
        }
        g_signal_emit(self, signals[CHANGED], 0,
                      s->images->len == 1 ? s->images->pdata[0] : NULL);
    }
    scoring_free(s);
}

/* Scores images (which have tokens) for labels first .. first+count-1. */
static void score(TlWorkspace *self, GPtrArray *images, guint first, guint count,
                  TlPriority priority)
{
    if (images->len == 0 || count == 0 || !self->model) {
        return;
    }
    g_autoptr(GPtrArray) tokens =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (guint i = 0; i < images->len; i++) {
        g_ptr_array_add(tokens, g_bytes_ref(((TlImage *)images->pdata[i])->tokens));
    }
    g_autoptr(GByteArray) all = g_byte_array_new();
    for (guint l = first; l < first + count; l++) {
        Label *label = self->labels->pdata[l];
        gsize size = 0;
        const guint8 *data =
            label->embedding ? g_bytes_get_data(label->embedding, &size) : NULL;
        if (self->model->open_vocabulary && !data) {
            return; /* its embedding is on the way and will score everything */
        }
        g_byte_array_append(all, data, (guint)size);
    }
    g_autoptr(GBytes) embeddings =
        self->model->open_vocabulary
            ? g_byte_array_free_to_bytes(g_steal_pointer(&all)) : NULL;
    Scoring *s = g_new0(Scoring, 1);
    s->workspace = g_object_ref(self);
    s->images = g_ptr_array_ref(images);
    s->first = first;
    s->count = count;
    tl_engine_score_async(self->engine, tokens, embeddings, priority, self->cancellable,
                          on_scored, s);
}

static GPtrArray *image_array(void)
{
    return g_ptr_array_new_with_free_func(g_object_unref);
}

/* All images with tokens, in chunks, so that what is seen comes first and a newer label
 * does not wait for the end. */
static void score_all(TlWorkspace *self, guint first, guint count)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->images));
    g_autoptr(GPtrArray) chunk = image_array();
    for (guint i = 0; i < n; i++) {
        g_autoptr(TlImage) image = g_list_model_get_item(G_LIST_MODEL(self->images), i);
        if (image->tokens) {
            g_ptr_array_add(chunk, g_object_ref(image));
        }
        if (chunk->len == SCORE_CHUNK || (i + 1 == n && chunk->len > 0)) {
            score(self, chunk, first, count, TL_PRIORITY_VISIBLE);
            g_ptr_array_unref(chunk);
            chunk = image_array();
        }
    }
}

/* --- The cache of tokens --------------------------------------------------------------- */

/* Tokens from the cache spare the decoding and the image encoder. */
static void take_cached(DatabaseJob *job)
{
    TlWorkspace *self = job->workspace;
    TlImage *image = job->image;
    gsize want = self->model ? (gsize)self->model->token_count * self->model->token_width
                                   * sizeof(float) : 0;
    if (!job->tokens || image->tokens || self->busy == image || !self->model
        || job->cancellable != self->cancellable
        || strcmp(job->model, self->model->fingerprint) != 0
        || g_bytes_get_size(job->tokens) != want) {
        return;
    }
    image->tokens = g_bytes_ref(job->tokens);
    self->done++;
    set_status(self);
    g_autoptr(GPtrArray) one = image_array();
    g_ptr_array_add(one, g_object_ref(image));
    score(self, one, 0, self->labels->len, TL_PRIORITY_VISIBLE);
}

static void work_keep(DatabaseJob *job)
{
    g_autofree char *hash = NULL;
    gint64 row = find_row(job->workspace->store, job->image->path, NULL);
    hash = row ? store_image_hash(job->workspace->store, row) : NULL;
    if (hash) {
        cache_put(job->workspace->cache, "tokens", hash, job->model,
                  g_bytes_get_data(job->tokens, NULL), g_bytes_get_size(job->tokens), CACHE_BYTES);
    }
}

static void keep_tokens(TlWorkspace *self, TlImage *image)
{
    DatabaseJob *job = job_new(self, work_keep, NULL);
    job->image = g_object_ref(image);
    job->model = g_strdup(self->model->fingerprint);
    job->tokens = g_bytes_ref(image->tokens);
    job_push(job);
}

/* --- Encoding images --------------------------------------------------------------------------- */

typedef struct { TlWorkspace *workspace; TlImage *image; GCancellable *cancellable; } Encoding;

static void encoding_done(Encoding *e, const GError *error)
{
    TlWorkspace *self = e->workspace;
    gboolean current = e->cancellable == self->cancellable;
    if (error && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        current = FALSE;
    } else if (error) {
        g_free(e->image->error);
        e->image->error = g_strdup(error->message);
    }
    if (self->busy == e->image) {
        self->busy = NULL;
    }
    if (current) {
        self->done++;
        set_status(self);
        g_signal_emit(self, signals[CHANGED], 0, e->image);
        encode_next(self);
    }
    g_object_unref(e->workspace);
    g_object_unref(e->image);
    g_object_unref(e->cancellable);
    g_free(e);
}

static void on_encoded(GObject *source, GAsyncResult *result, gpointer data)
{
    Encoding *e = data;
    g_autoptr(GError) error = NULL;
    GBytes *tokens = tl_engine_encode_image_finish(TL_ENGINE(source), result, &error);
    if (tokens) {
        g_clear_pointer(&e->image->tokens, g_bytes_unref);
        e->image->tokens = tokens;
        keep_tokens(e->workspace, e->image);
        g_autoptr(GPtrArray) one = image_array();
        g_ptr_array_add(one, g_object_ref(e->image));
        score(e->workspace, one, 0, e->workspace->labels->len, TL_PRIORITY_VISIBLE);
    } else if (error->domain == TL_ENGINE_ERROR) {
        report_error(e->workspace, error);
    }
    encoding_done(e, error);
}

typedef struct { char *path; struct img_preprocess preprocess; } Decoding;

static void decoding_free(gpointer data)
{
    Decoding *d = data;
    g_free(d->path);
    g_free(d);
}

static void decode_thread(GTask *task, gpointer source, gpointer data,
                          GCancellable *cancellable)
{
    Decoding *d = data;
    struct img_pixels pixels = { 0 };
    GError *error = NULL;
    gsize count = 3 * (gsize)d->preprocess.size * (gsize)d->preprocess.size;
    g_autofree float *tensor = g_new(float, count);
    if (img_decode(d->path, TRUE, cancellable, &pixels, &error)) {
        img_to_tensor(&pixels, &d->preprocess, tensor, &error);
    }
    img_clear(&pixels);
    if (error) {
        g_task_return_error(task, error);
    } else {
        GBytes *bytes = g_bytes_new_take(g_steal_pointer(&tensor), count * sizeof(float));
        g_task_return_pointer(task, bytes, (GDestroyNotify)g_bytes_unref);
    }
}

static void on_decoded(GObject *source, GAsyncResult *result, gpointer data)
{
    Encoding *e = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) pixels = g_task_propagate_pointer(G_TASK(result), &error);
    if (!pixels) {
        encoding_done(e, error);
        return;
    }
    tl_engine_encode_image_async(e->workspace->engine, pixels, TL_PRIORITY_FOLDER,
                                 e->cancellable, on_encoded, e);
}

static void encode_next(TlWorkspace *self)
{
    TlImage *image = NULL;
    if (self->busy || !self->model) {
        return;
    }
    while (!image && !g_queue_is_empty(&self->pending)) {
        g_autoptr(TlImage) next = g_queue_pop_head(&self->pending);
        next->queued = FALSE;
        if (!next->tokens && !next->error) {
            image = g_steal_pointer(&next);
        }
    }
    if (!image) {
        return;
    }
    Encoding *e = g_new0(Encoding, 1);
    Decoding *d = g_new0(Decoding, 1);
    const TlModelFacts *m = self->model;
    e->workspace = g_object_ref(self);
    e->image = image;
    e->cancellable = g_object_ref(self->cancellable);
    self->busy = image;
    d->path = g_strdup(image->path);
    d->preprocess = (struct img_preprocess){
        (int)m->size, (int)m->resize_size, m->crop ? IMG_FIT_CROP : IMG_FIT_SQUASH,
        m->bicubic ? IMG_BICUBIC : IMG_BILINEAR,
        { m->mean[0], m->mean[1], m->mean[2] }, { m->std[0], m->std[1], m->std[2] } };
    g_autoptr(GTask) task = g_task_new(NULL, self->cancellable, on_decoded, e);
    g_task_set_task_data(task, d, decoding_free);
    g_task_run_in_thread(task, decode_thread);
}

static void enqueue(TlWorkspace *self, TlImage *image, gboolean first)
{
    if (image->tokens || image->error || self->busy == image) {
        return;
    }
    if (image->queued) {
        if (!first) {
            return;
        }
        g_queue_remove(&self->pending, image);
        g_object_unref(image);
    }
    image->queued = TRUE;
    if (first) {
        g_queue_push_head(&self->pending, g_object_ref(image));
    } else {
        g_queue_push_tail(&self->pending, g_object_ref(image));
    }
}

void tl_workspace_focus(TlWorkspace *self, TlImage *image)
{
    enqueue(self, image, TRUE);
    encode_next(self);
}

/* --- Folders ------------------------------------------------------------------------------------- */

static void scan_thread(GTask *task, gpointer source, gpointer data,
                        GCancellable *cancellable)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    GError *error = NULL;
    if (library_scan(data, TRUE, cancellable, paths, &error)) {
        g_task_return_pointer(task, paths, (GDestroyNotify)g_ptr_array_unref);
    } else {
        g_ptr_array_unref(paths);
        g_task_return_error(task, error);
    }
}

static void on_scanned(GObject *source, GAsyncResult *result, gpointer data)
{
    TlWorkspace *self = TL_WORKSPACE(source);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) paths = g_task_propagate_pointer(G_TASK(result), &error);
    if (!paths) {
        report_error(self, error);
        return;
    }
    g_autoptr(GPtrArray) images = image_array();
    for (guint i = 0; i < paths->len; i++) {
        g_ptr_array_add(images, image_new(paths->pdata[i]));
    }
    g_list_store_splice(self->images, 0,
                        g_list_model_get_n_items(G_LIST_MODEL(self->images)),
                        images->pdata, images->len);
    for (guint i = 0; i < images->len; i++) {
        enqueue(self, images->pdata[i], FALSE);
        find_image(self, images->pdata[i], 0);
    }
    set_status(self);
    encode_next(self);
    if (images->len == 0) {
        report(self, "There are no images in this folder");
    }
}

static void drop_pending(TlWorkspace *self)
{
    while (!g_queue_is_empty(&self->pending)) {
        g_object_unref(g_queue_pop_head(&self->pending));
    }
}

void tl_workspace_open_folder(TlWorkspace *self, const char *path)
{
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    self->cancellable = g_cancellable_new();
    self->busy = NULL;
    self->done = 0;
    drop_pending(self);
    g_list_store_remove_all(self->images);
    set_status(self);
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, on_scanned, NULL);
    g_task_set_task_data(task, g_strdup(path), g_free);
    g_task_run_in_thread(task, scan_thread);
}

GListModel *tl_workspace_images(TlWorkspace *self) { return G_LIST_MODEL(self->images); }

/* --- Labels ----------------------------------------------------------------------------------------- */

static void label_free(gpointer data)
{
    Label *label = data;
    g_free(label->name);
    g_free(label->prompt);
    g_clear_pointer(&label->embedding, g_bytes_unref);
    g_free(label);
}

guint tl_workspace_n_labels(TlWorkspace *self) { return self->labels->len; }

const char *tl_workspace_label(TlWorkspace *self, guint index)
{
    return ((Label *)self->labels->pdata[index])->name;
}

static int find_label(TlWorkspace *self, const char *name)
{
    for (guint i = 0; i < self->labels->len; i++) {
        if (strcmp(tl_workspace_label(self, i), name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

typedef struct { TlWorkspace *workspace; char *name; } Prompting;

static void on_prompt(GObject *source, GAsyncResult *result, gpointer data)
{
    Prompting *p = data;
    g_autoptr(GError) error = NULL;
    GBytes *embedding = tl_engine_encode_prompts_finish(TL_ENGINE(source), result, &error);
    int index = find_label(p->workspace, p->name); /* it may have been removed */
    if (!embedding) {
        report_error(p->workspace, error);
    } else if (index >= 0) {
        Label *label = p->workspace->labels->pdata[index];
        g_clear_pointer(&label->embedding, g_bytes_unref);
        label->embedding = embedding;
        score_all(p->workspace, (guint)index, 1);
    } else {
        g_bytes_unref(embedding);
    }
    g_object_unref(p->workspace);
    g_free(p->name);
    g_free(p);
}

static void encode_label(TlWorkspace *self, Label *label)
{
    if (!self->model || !self->model->open_vocabulary) {
        return;
    }
    g_free(label->prompt);
    label->prompt = prompts_fill(self->model->prompt, label->name);
    Prompting *p = g_new0(Prompting, 1);
    p->workspace = g_object_ref(self);
    p->name = g_strdup(label->name);
    const char *prompts[2] = { label->prompt, NULL };
    tl_engine_encode_prompts_async(self->engine, prompts, NULL, on_prompt, p);
}

static void work_label(DatabaseJob *job)
{
    job->label_row =
        store_put_label(job->workspace->store, job->text, job->prompt, &job->error);
}

static void done_label(DatabaseJob *job)
{
    int index = find_label(job->workspace, job->text);
    if (index < 0 || job->error) {
        return;
    }
    ((Label *)job->workspace->labels->pdata[index])->row = job->label_row;
    guint n = g_list_model_get_n_items(tl_workspace_images(job->workspace));
    for (guint i = 0; i < n; i++) {
        g_autoptr(TlImage) image =
            g_list_model_get_item(tl_workspace_images(job->workspace), i);
        find_image(job->workspace, image, (guint)index);
    }
}

void tl_workspace_add_label(TlWorkspace *self, const char *text)
{
    g_autofree char *name = g_strstrip(g_strdup(text));
    if (!*name || find_label(self, name) >= 0) {
        return;
    }
    if (self->model && !self->model->open_vocabulary) {
        report(self, "This model answers for its own labels only");
        return;
    }
    Label *label = g_new0(Label, 1);
    label->name = g_strdup(name);
    g_ptr_array_add(self->labels, label);
    g_signal_emit(self, signals[LABELS], 0);
    encode_label(self, label);
    DatabaseJob *job = job_new(self, work_label, done_label);
    job->text = g_strdup(name);
    job->prompt = g_strdup(label->prompt);
    job_push(job);
}

static void work_hide(DatabaseJob *job)
{
    store_hide_label(job->workspace->store, job->text, &job->error);
}

void tl_workspace_remove_label(TlWorkspace *self, guint index)
{
    DatabaseJob *job = job_new(self, work_hide, NULL);
    job->text = g_strdup(tl_workspace_label(self, index));
    job_push(job);
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->images));
    for (guint i = 0; i < n; i++) {
        g_autoptr(TlImage) image = g_list_model_get_item(G_LIST_MODEL(self->images), i);
        if (index < image->confidence->len) {
            g_array_remove_index(image->confidence, index);
        }
        if (index < image->verdict->len) {
            g_array_remove_index(image->verdict, index);
        }
    }
    g_ptr_array_remove_index(self->labels, index);
    g_signal_emit(self, signals[LABELS], 0);
}

/* --- Decisions ---------------------------------------------------------------------------------------- */

static void work_decide(DatabaseJob *job)
{
    store *s = job->workspace->store;
    gint64 image = find_row(s, job->image->path, &job->error);
    gint64 label = image ? store_put_label(s, job->text, NULL, &job->error) : 0;
    StoreSource source = { .model = NULL, .prompt = job->prompt,
                           .confidence = job->confidence, .threshold = -1 };
    if (label) {
        store_decide(s, image, label, job->verdict, &source, &job->error);
    }
}

static void done_decide(DatabaseJob *job)
{
    int index = find_label(job->workspace, job->text);
    if (!job->error && index >= 0) {
        set_verdict(job->image, (guint)index, job->verdict);
        g_signal_emit(job->workspace, signals[CHANGED], 0, job->image);
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
        report(self, "There is nothing to undo");
        return;
    }
    for (guint i = 0; i < n; i++) {
        g_autoptr(TlImage) image = g_list_model_get_item(G_LIST_MODEL(self->images), i);
        for (guint l = 0; image->row == job->image_row && l < self->labels->len; l++) {
            if (((Label *)self->labels->pdata[l])->row == job->label_row) {
                set_verdict(image, l, job->verdict);
                g_signal_emit(self, signals[CHANGED], 0, image);
            }
        }
    }
}

void tl_workspace_undo(TlWorkspace *self)
{
    job_push(job_new(self, work_undo, done_undo));
}

static int by_confidence(gconstpointer a, gconstpointer b, gpointer data)
{
    guint label = GPOINTER_TO_UINT(data);
    double left = tl_image_confidence((TlImage *)a, label);
    double right = tl_image_confidence((TlImage *)b, label);
    return left > right ? -1 : left < right;
}

void tl_workspace_rank(TlWorkspace *self, guint label)
{
    g_list_store_sort(self->images, by_confidence, GUINT_TO_POINTER(label));
}

/* --- Model and life --------------------------------------------------------------------------------------- */

static void on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(TlWorkspace) self = data;
    g_autoptr(GError) error = NULL;
    TlModelFacts *facts = tl_engine_load_finish(TL_ENGINE(source), result, &error);
    self->loading = FALSE;
    g_clear_pointer(&self->model, tl_model_facts_unref);
    self->model = facts;
    if (!facts) {
        report_error(self, error);
    } else {
        for (guint i = 0; i < self->labels->len; i++) {
            encode_label(self, self->labels->pdata[i]);
        }
        for (char **l = facts->open_vocabulary ? NULL : facts->labels; l && *l; l++) {
            Label *label = g_new0(Label, 1);
            label->name = g_strdup(*l);
            g_ptr_array_add(self->labels, label);
        }
        guint n = g_list_model_get_n_items(G_LIST_MODEL(self->images));
        for (guint i = 0; i < n; i++) {
            g_autoptr(TlImage) image = g_list_model_get_item(G_LIST_MODEL(self->images), i);
            find_image(self, image, 0);
        }
        encode_next(self);
    }
    g_signal_emit(self, signals[LABELS], 0);
    g_signal_emit(self, signals[STATUS], 0);
}

void tl_workspace_load_model(TlWorkspace *self, const char *path, const char *device)
{
    self->loading = TRUE;
    tl_engine_load_async(self->engine, path, device, NULL, on_loaded, g_object_ref(self));
}

const TlModelFacts *tl_workspace_model(TlWorkspace *self) { return self->model; }
gboolean tl_workspace_loading(TlWorkspace *self) { return self->loading; }

TlWorkspace *tl_workspace_new(const char *db_path, GError **error)
{
    store *s = store_open(db_path, STORE_CREATE, error);
    if (!s) {
        return NULL;
    }
    TlWorkspace *self = g_object_new(TL_TYPE_WORKSPACE, NULL);
    self->store = s;
    g_autofree char *dir = g_build_filename(g_get_user_cache_dir(), "taglight", NULL);
    g_autofree char *cached = g_build_filename(dir, "tokens.db", NULL);
    g_mkdir_with_parents(dir, 0700);
    self->cache = cache_open(cached);
    g_auto(GStrv) names = store_labels(s, NULL);
    for (char **name = names; name && *name; name++) {
        Label *label = g_new0(Label, 1);
        label->name = g_strdup(*name);
        label->row = store_put_label(s, *name, NULL, NULL);
        g_ptr_array_add(self->labels, label);
    }
    return self;
}

void tl_workspace_stop(TlWorkspace *self)
{
    if (!self->database) {
        return;
    }
    g_cancellable_cancel(self->cancellable);
    g_thread_pool_free(g_steal_pointer(&self->database), FALSE, TRUE);
    store_close(&self->store);
    cache_close(&self->cache);
    tl_engine_stop(self->engine);
}

static void tl_workspace_finalize(GObject *object)
{
    TlWorkspace *self = TL_WORKSPACE(object);
    tl_workspace_stop(self);
    g_clear_object(&self->engine);
    g_clear_pointer(&self->model, tl_model_facts_unref);
    drop_pending(self);
    g_object_unref(self->images);
    g_object_unref(self->cancellable);
    g_ptr_array_unref(self->labels);
    g_free(self->status);
    G_OBJECT_CLASS(tl_workspace_parent_class)->finalize(object);
}

static void tl_workspace_class_init(TlWorkspaceClass *class)
{
    G_OBJECT_CLASS(class)->finalize = tl_workspace_finalize;
    GType type = TL_TYPE_WORKSPACE;
    signals[CHANGED] = g_signal_new("changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                    G_TYPE_NONE, 1, TL_TYPE_IMAGE);
    signals[LABELS] = g_signal_new("labels", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
    signals[STATUS] = g_signal_new("status", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
    signals[FAILED] = g_signal_new("failed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void tl_workspace_init(TlWorkspace *self)
{
    self->images = g_list_store_new(TL_TYPE_IMAGE);
    self->labels = g_ptr_array_new_with_free_func(label_free);
    self->cancellable = g_cancellable_new();
    self->engine = tl_engine_new();
    self->database = g_thread_pool_new(database_run, NULL, 1, TRUE, NULL);
    self->status = g_strdup("");
    g_queue_init(&self->pending);
}
