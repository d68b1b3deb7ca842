#include "app/engine/engine.h"

#include "app/engine/prompts.h"
#include "compute/nets/model.h"
#include "compute/weights/weights.h"

#include <string.h>

G_DEFINE_QUARK(tl-engine-error-quark, tl_engine_error)

typedef enum {
    JOB_LOAD, JOB_IMAGE, JOB_PROMPTS, JOB_SCORE, JOB_ATTEND, JOB_STOP
} JobKind;

typedef struct {
    JobKind kind;
    int priority;
    guint64 order;      /* of jobs with one priority */
    GTask *task;
    atomic_bool cancel; /* looked at by the plan between submits */
    gulong cancel_handler;
    char *path, *device;
    GBytes *pixels, *tokens, *embeddings;
    guint label;
    GStrv prompts;
} Job;

struct _TlEngine {
    GObject parent;
    GThread *thread;
    GAsyncQueue *queue; /* of Job */
    guint64 next_order; /* main thread */
    /* The engine thread's own: */
    struct model *model;
    struct session *session;
    TlModelFacts *facts;
};

G_DEFINE_FINAL_TYPE(TlEngine, tl_engine, G_TYPE_OBJECT)

/* --- Facts ------------------------------------------------------------------------- */

TlModelFacts *tl_model_facts_ref(TlModelFacts *facts)
{
    return g_atomic_rc_box_acquire(facts);
}

static void facts_clear(gpointer data)
{
    TlModelFacts *facts = data;
    g_free(facts->name);
    g_free(facts->kind);
    g_free(facts->fingerprint);
    g_free(facts->image_key);
    g_free(facts->text_key);
    g_free(facts->prompt);
    g_free(facts->about);
    g_free(facts->device);
    g_strfreev(facts->labels);
}

void tl_model_facts_unref(TlModelFacts *facts)
{
    g_atomic_rc_box_release_full(facts, facts_clear);
}

static const char *kind_text(enum model_kind kind)
{
    switch (kind) {
    case MODEL_CLIP_DECODER: return "clip-decoder";
    case MODEL_ML_DECODER: return "ml-decoder";
    case MODEL_CLIP: return "clip";
    case MODEL_PARTS: break;
    }
    return "parts";
}

static GStrv labels_of(const struct model *model)
{
    size_t count = 0;
    const struct weights_label *labels = model_labels(model, &count);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (size_t i = 0; i < count; i++) {
        g_strv_builder_add(builder, labels[i].name);
    }
    return g_strv_builder_end(builder);
}

static TlModelFacts *facts_new(const struct model *model, struct session *session)
{
    const struct model_info *info = model_info(model);
    const struct gpu_caps *caps = gpu_device_caps(session_device(session));
    TlModelFacts *facts = g_atomic_rc_box_new0(TlModelFacts);
    facts->name = g_strdup(info->name);
    facts->kind = g_strdup(kind_text(info->kind));
    facts->fingerprint = g_strdup(info->fingerprint);
    facts->image_key = g_strdup(session_keys(session)->image);
    facts->text_key = g_strdup(session_keys(session)->text);
    facts->prompt = g_strdup(info->prompt);
    facts->about = g_strdup(info->about);
    facts->device = g_strdup(caps->name);
    facts->software = caps->type == GPU_SOFTWARE;
    facts->open_vocabulary = info->open_vocabulary;
    facts->labels = labels_of(model);
    facts->token_count = session_token_count(session);
    facts->token_width = info->token_width;
    facts->embedding = info->embedding;
    facts->size = info->preprocess.size;
    facts->resize_size = info->preprocess.resize_size;
    facts->crop = info->preprocess.fit == MODEL_FIT_CROP;
    facts->bicubic = info->preprocess.filter == MODEL_BICUBIC;
    memcpy(facts->mean, info->preprocess.mean, sizeof facts->mean);
    memcpy(facts->std, info->preprocess.std, sizeof facts->std);
    return facts;
}

/* --- The engine thread --------------------------------------------------------------- */

static void return_error(Job *job, enum nn_status status, const struct nn_error *error)
{
    if (status == NN_ERROR_CANCELLED) {
        g_task_return_new_error(job->task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "%s",
                                error->text);
        return;
    }
    gboolean device = status == NN_ERROR_DEVICE_LOST || status == NN_ERROR_DEVICE_MEMORY;
    g_task_return_new_error(job->task, TL_ENGINE_ERROR,
                            device ? TL_ENGINE_ERROR_DEVICE : TL_ENGINE_ERROR_MODEL, "%s",
                            error->text);
}

static void unload(TlEngine *self)
{
    session_destroy(&self->session);
    model_destroy(&self->model);
    g_clear_pointer(&self->facts, tl_model_facts_unref);
}

static void run_load(TlEngine *self, Job *job)
{
    unload(self);
    struct nn_error error = { 0 };
    const char *paths[1] = { job->path };
    enum nn_status status = model_open(&self->model, paths, 1, NULL, &error);
    if (status == NN_OK) {
        g_autofree char *cache =
            g_build_filename(g_get_user_cache_dir(), "taglight", NULL);
        g_mkdir_with_parents(cache, 0700);
        struct session_params params = {
            .device = { .select = job->device, .cache_dir = cache, .family = -1 } };
        status = session_create(&self->session, self->model, &params, &error);
    }
    if (status != NN_OK) {
        unload(self);
        return_error(job, status, &error);
        return;
    }
    self->facts = facts_new(self->model, self->session);
    g_task_return_pointer(job->task, tl_model_facts_ref(self->facts),
                          (GDestroyNotify)tl_model_facts_unref);
}

static gsize tokens_bytes(const TlEngine *self)
{
    return (gsize)self->facts->token_count * self->facts->token_width * sizeof(float);
}

static void return_floats(Job *job, float *values, gsize bytes)
{
    g_task_return_pointer(job->task, g_bytes_new_take(values, bytes),
                          (GDestroyNotify)g_bytes_unref);
}

static void run_image(TlEngine *self, Job *job, const struct nn_run_params *run)
{
    gsize want = (gsize)3 * self->facts->size * self->facts->size * sizeof(float);
    if (g_bytes_get_size(job->pixels) != want) {
        g_task_return_new_error(job->task, TL_ENGINE_ERROR, TL_ENGINE_ERROR_MODEL,
                                "an image tensor of the wrong size was given");
        return;
    }
    struct nn_error error = { 0 };
    float *tokens = g_malloc(tokens_bytes(self));
    enum nn_status status =
        session_encode_image(self->session, g_bytes_get_data(job->pixels, NULL), 1, tokens,
                             run, &error);
    if (status != NN_OK) {
        g_free(tokens);
        return_error(job, status, &error);
        return;
    }
    return_floats(job, tokens, tokens_bytes(self));
}

static void run_prompts(TlEngine *self, Job *job, const struct nn_run_params *run)
{
    guint n = g_strv_length(job->prompts);
    gsize bytes = (gsize)n * self->facts->embedding * sizeof(float);
    float *embeddings = g_malloc0(MAX(bytes, 4));
    g_autoptr(GError) failure = NULL;
    struct nn_error error = { 0 };
    enum nn_status status = NN_OK;
    if (!prompts_encode(self->session, self->model, (const char *const *)job->prompts, n,
                        embeddings, run, &status, &error)) {
        g_free(embeddings);
        return_error(job, status, &error);
        return;
    }
    return_floats(job, embeddings, bytes);
}

static void run_score(TlEngine *self, Job *job, const struct nn_run_params *run)
{
    gsize size = 0;
    const float *tokens = g_bytes_get_data(job->tokens, &size);
    guint images = (guint)(size / tokens_bytes(self));
    gsize row = (gsize)self->facts->embedding * sizeof(float);
    guint n = job->embeddings && row > 0
                  ? (guint)(g_bytes_get_size(job->embeddings) / row)
                  : g_strv_length(self->facts->labels);
    if (images == 0 || n == 0) {
        return_floats(job, g_malloc0(4), 0);
        return;
    }
    if (size % tokens_bytes(self) != 0) {
        g_task_return_new_error(job->task, TL_ENGINE_ERROR, TL_ENGINE_ERROR_MODEL,
                                "image tokens of another model were given");
        return;
    }
    struct nn_error error = { 0 };
    float *confidence = g_new0(float, (gsize)images * n);
    enum nn_status status = session_score(
        self->session, tokens, images,
        job->embeddings ? g_bytes_get_data(job->embeddings, NULL) : NULL, n, confidence,
        run, &error);
    if (status != NN_OK) {
        g_free(confidence);
        return_error(job, status, &error);
        return;
    }
    return_floats(job, confidence, (gsize)images * n * sizeof(float));
}

static void run_attend(TlEngine *self, Job *job, const struct nn_run_params *run)
{
    gsize embedding = job->embeddings ? g_bytes_get_size(job->embeddings) : 0;
    if (g_bytes_get_size(job->tokens) != tokens_bytes(self)
        || (self->facts->open_vocabulary
            && embedding != self->facts->embedding * sizeof(float))) {
        g_task_return_new_error(job->task, TL_ENGINE_ERROR, TL_ENGINE_ERROR_MODEL,
                                "tokens or a label of another model were given");
        return;
    }
    struct nn_error error = { 0 };
    float *attention = g_new0(float, self->facts->token_count);
    enum nn_status status = session_attention(
        self->session, g_bytes_get_data(job->tokens, NULL),
        embedding > 0 ? g_bytes_get_data(job->embeddings, NULL) : NULL, job->label,
        attention, run, &error);
    if (status != NN_OK) {
        g_free(attention);
        return_error(job, status, &error);
        return;
    }
    return_floats(job, attention, self->facts->token_count * sizeof(float));
}

static void run_job(TlEngine *self, Job *job)
{
    if (g_task_return_error_if_cancelled(job->task)) {
        return;
    }
    if (job->kind == JOB_LOAD) {
        run_load(self, job);
        return;
    }
    if (!self->session) {
        g_task_return_new_error(job->task, TL_ENGINE_ERROR, TL_ENGINE_ERROR_NO_MODEL,
                                "no model is loaded");
        return;
    }
    struct nn_run_params run = { .cancel = &job->cancel };
    switch (job->kind) {
    case JOB_IMAGE: run_image(self, job, &run); break;
    case JOB_PROMPTS: run_prompts(self, job, &run); break;
    case JOB_SCORE: run_score(self, job, &run); break;
    case JOB_ATTEND: run_attend(self, job, &run); break;
    case JOB_LOAD:
    case JOB_STOP: break;
    }
}

static void job_free(Job *job)
{
    if (job->task) {
        GCancellable *cancellable = g_task_get_cancellable(job->task);
        if (cancellable && job->cancel_handler) {
            g_cancellable_disconnect(cancellable, job->cancel_handler);
        }
        g_object_unref(job->task);
    }
    g_free(job->path);
    g_free(job->device);
    g_clear_pointer(&job->pixels, g_bytes_unref);
    g_clear_pointer(&job->embeddings, g_bytes_unref);
    g_clear_pointer(&job->prompts, g_strfreev);
    g_clear_pointer(&job->tokens, g_bytes_unref);
    g_free(job);
}

static gpointer engine_thread(gpointer data)
{
    TlEngine *self = data; /* lives until the thread is joined */
    for (;;) {
        Job *job = g_async_queue_pop(self->queue);
        gboolean stop = job->kind == JOB_STOP;
        if (!stop) {
            run_job(self, job);
        }
        job_free(job);
        if (stop) {
            unload(self);
            return NULL;
        }
    }
}

/* --- The main thread ------------------------------------------------------------------- */

static int by_priority(gconstpointer left, gconstpointer right, gpointer unused)
{
    const Job *a = left, *b = right;
    if (a->priority != b->priority) {
        return a->priority < b->priority ? -1 : 1;
    }
    return a->order < b->order ? -1 : a->order > b->order;
}

static void on_cancelled(GCancellable *cancellable, gpointer data)
{
    Job *job = data;
    atomic_store(&job->cancel, true);
}

static Job *job_new(TlEngine *self, JobKind kind, int priority, gpointer tag,
                    GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
    Job *job = g_new0(Job, 1);
    job->kind = kind;
    job->priority = priority;
    job->order = self->next_order++;
    job->task = g_task_new(self, cancellable, callback, user_data);
    g_task_set_source_tag(job->task, tag);
    if (cancellable) {
        job->cancel_handler = g_cancellable_connect(
            cancellable, G_CALLBACK(on_cancelled), job, NULL);
    }
    return job;
}

static void job_push(TlEngine *self, Job *job)
{
    g_async_queue_push_sorted(self->queue, job, by_priority, NULL);
}

void tl_engine_load_async(TlEngine *self, const char *path, const char *device,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
    Job *job = job_new(self, JOB_LOAD, -1, tl_engine_load_async, cancellable, callback,
                       user_data);
    job->path = g_strdup(path);
    job->device = g_strdup(device);
    job_push(self, job);
}

TlModelFacts *tl_engine_load_finish(TlEngine *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void tl_engine_encode_image_async(TlEngine *self, GBytes *pixels, TlPriority priority,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
    Job *job = job_new(self, JOB_IMAGE, priority, tl_engine_encode_image_async,
                       cancellable, callback, user_data);
    job->pixels = g_bytes_ref(pixels);
    job_push(self, job);
}

GBytes *tl_engine_encode_image_finish(TlEngine *self, GAsyncResult *result,
                                      GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void tl_engine_encode_prompts_async(TlEngine *self, const char *const *prompts,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
    Job *job = job_new(self, JOB_PROMPTS, TL_PRIORITY_LABEL,
                       tl_engine_encode_prompts_async, cancellable, callback, user_data);
    job->prompts = g_strdupv((GStrv)prompts);
    job_push(self, job);
}

GBytes *tl_engine_encode_prompts_finish(TlEngine *self, GAsyncResult *result,
                                        GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void tl_engine_score_async(TlEngine *self, GBytes *tokens, GBytes *embeddings,
                           TlPriority priority, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
    Job *job = job_new(self, JOB_SCORE, priority, tl_engine_score_async, cancellable,
                       callback, user_data);
    job->tokens = g_bytes_ref(tokens);
    job->embeddings = embeddings ? g_bytes_ref(embeddings) : NULL;
    job_push(self, job);
}

GBytes *tl_engine_score_finish(TlEngine *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void tl_engine_attend_async(TlEngine *self, GBytes *tokens, GBytes *embedding, guint label,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
    Job *job = job_new(self, JOB_ATTEND, TL_PRIORITY_LABEL, tl_engine_attend_async,
                       cancellable, callback, user_data);
    job->tokens = g_bytes_ref(tokens);
    job->embeddings = embedding ? g_bytes_ref(embedding) : NULL;
    job->label = label;
    job_push(self, job);
}

GBytes *tl_engine_attend_finish(TlEngine *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void tl_engine_stop(TlEngine *self)
{
    Job *job;
    if (!self->thread) {
        return;
    }
    while ((job = g_async_queue_try_pop(self->queue))) {
        g_task_return_new_error(job->task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                "the engine was stopped");
        job_free(job);
    }
    Job *stop = g_new0(Job, 1);
    stop->kind = JOB_STOP;
    stop->priority = -2;
    job_push(self, stop);
    g_thread_join(g_steal_pointer(&self->thread));
}

static void tl_engine_finalize(GObject *object)
{
    TlEngine *self = TL_ENGINE(object);
    tl_engine_stop(self);
    g_async_queue_unref(self->queue);
    G_OBJECT_CLASS(tl_engine_parent_class)->finalize(object);
}

static void tl_engine_class_init(TlEngineClass *class)
{
    G_OBJECT_CLASS(class)->finalize = tl_engine_finalize;
}

static void tl_engine_init(TlEngine *self)
{
    self->queue = g_async_queue_new_full((GDestroyNotify)job_free);
    self->thread = g_thread_new("engine", engine_thread, self);
}

TlEngine *tl_engine_new(void)
{
    return g_object_new(TL_TYPE_ENGINE, NULL);
}
