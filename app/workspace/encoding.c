/* From files to tokens: images without cached ones are decoded on a thread of GLib's and
 * go to the engine, one at a time, the one that a person looks at first. */
#include "app/image/image.h"
#include "app/workspace/workspace_private.h"

typedef struct {
    TlWorkspace *workspace;
    TlImage *image;
    GCancellable *cancellable;
    TlModelFacts *model;
} Encoding;

/* Whether the folder and the model are still those that the work was begun for. */
static gboolean is_current(const Encoding *e)
{
    return e->cancellable == e->workspace->cancellable && e->model == e->workspace->model;
}

static void encoding_done(Encoding *e, const GError *error)
{
    TlWorkspace *self = e->workspace;
    gboolean current = is_current(e);
    if (error && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        current = FALSE;
    } else if (error && current) {
        g_free(e->image->error);
        e->image->error = g_strdup(error->message);
    }
    if (self->busy == e->image && is_current(e)) {
        self->busy = NULL;
    }
    if (current) {
        self->done += !e->image->gone;
        workspace_set_status(self);
        g_signal_emit(self, workspace_signals[CHANGED], 0, e->image);
        encoding_next(self);
    }
    g_object_unref(e->workspace);
    g_object_unref(e->image);
    g_object_unref(e->cancellable);
    tl_model_facts_unref(e->model);
    g_free(e);
}

static void on_encoded(GObject *source, GAsyncResult *result, gpointer data)
{
    Encoding *e = data;
    g_autoptr(GError) error = NULL;
    GBytes *tokens = tl_engine_encode_image_finish(TL_ENGINE(source), result, &error);
    if (tokens && is_current(e)) {
        g_clear_pointer(&e->image->tokens, g_bytes_unref);
        e->image->tokens = tokens;
        database_keep(e->workspace, e->image);
        scoring_pump(e->workspace);
    } else if (tokens) {
        g_bytes_unref(tokens);
    } else if (error->domain == TL_ENGINE_ERROR) {
        workspace_report_error(e->workspace, error);
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
    GError *error = NULL;
    gsize count = 3 * (gsize)d->preprocess.size * (gsize)d->preprocess.size;
    g_autofree float *tensor = g_new(float, count);
    if (!img_load_tensor(d->path, &d->preprocess, cancellable, tensor, &error)) {
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

void encoding_next(TlWorkspace *self)
{
    TlImage *image = NULL;
    if (self->busy || !self->model) {
        return;
    }
    while (!image && !g_queue_is_empty(&self->pending)) {
        g_autoptr(TlImage) next = g_queue_pop_head(&self->pending);
        next->queued = FALSE;
        if (!next->tokens && !next->cached && !next->error && !next->gone) {
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
    e->model = tl_model_facts_ref(self->model);
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

void encoding_enqueue(TlWorkspace *self, TlImage *image, gboolean first)
{
    if (image->tokens || image->cached || image->error || self->busy == image) {
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

/* An image that was not looked up yet may have its tokens in the cache: that is awaited. */
void tl_workspace_focus(TlWorkspace *self, TlImage *image)
{
    if (image->queued) {
        encoding_enqueue(self, image, TRUE);
    }
    encoding_next(self);
}

void encoding_drop(TlWorkspace *self)
{
    while (!g_queue_is_empty(&self->pending)) {
        g_autoptr(TlImage) image = g_queue_pop_head(&self->pending);
        image->queued = FALSE;
    }
}
