/* Confidences: what is unknown is work. A request takes up to so many images as the
 * device scores at once; the reading thread fetches their tokens from the cache file,
 * then the engine scores them. Two requests at most are under way, so that one is read
 * while the other is scored, and no more tokens than theirs are in memory. */
#include "app/words/prompt_batch.h"
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>
#include <string.h>

#define REQUEST_IMAGES 64
#define MAX_REQUESTS 2

typedef struct ReadJob ReadJob;
struct ReadJob {
    void (*work)(ReadJob *job); /* on the reading thread */
    void (*done)(ReadJob *job); /* on the main thread; frees the job or hands it on */
    TlWorkspace *workspace;
    TlModelFacts *model;
    GCancellable *cancellable;
    GStrv labels;               /* names */
    GPtrArray *images;          /* of a request; NULL for queries */
    GPtrArray *tokens;          /* by image: GBytes held in memory, or NULL */
    GPtrArray *hashes;          /* by image */
    GArray *missing;            /* by image, gboolean: the cache has lost it */
    GPtrArray *expressions;     /* of queries, by label */
    struct prompt_batch *batch;
    GBytes *encoded;            /* prompts [missing,...] of the batch */
    GBytes *values;             /* tokens [images,...] or embeddings [labels,...] */
    GBytes *embeddings;
};

static void read_job_free(ReadJob *job)
{
    g_object_unref(job->workspace);
    g_clear_pointer(&job->model, tl_model_facts_unref);
    g_clear_object(&job->cancellable);
    g_strfreev(job->labels);
    prompt_batch_free(job->batch);
    g_clear_pointer(&job->expressions, g_ptr_array_unref);
    g_clear_pointer(&job->encoded, g_bytes_unref);
    g_clear_pointer(&job->images, g_ptr_array_unref);
    g_clear_pointer(&job->tokens, g_ptr_array_unref);
    g_clear_pointer(&job->hashes, g_ptr_array_unref);
    g_clear_pointer(&job->missing, g_array_unref);
    g_clear_pointer(&job->values, g_bytes_unref);
    g_clear_pointer(&job->embeddings, g_bytes_unref);
    g_free(job);
}

static gboolean read_job_finish(gpointer data)
{
    ReadJob *job = data;
    job->done(job);
    return G_SOURCE_REMOVE;
}

void scoring_read(gpointer data, gpointer unused)
{
    ReadJob *job = data;
    job->work(job);
    g_idle_add_full(G_PRIORITY_DEFAULT, read_job_finish, job, NULL);
}

static ReadJob *read_job_new(TlWorkspace *self, void (*work)(ReadJob *),
                             void (*done)(ReadJob *))
{
    ReadJob *job = g_new0(ReadJob, 1);
    job->work = work;
    job->done = done;
    job->workspace = g_object_ref(self);
    job->model = tl_model_facts_ref(self->model);
    job->cancellable = g_object_ref(self->scoring);
    return job;
}

/* False when the workspace was stopped; the job is freed then. */
static gboolean read_job_push(ReadJob *job)
{
    if (!job->workspace->reader) {
        read_job_free(job);
        return FALSE;
    }
    return g_thread_pool_push(job->workspace->reader, job, NULL);
}

token_cache *scoring_cache(token_cache **cache, const TlModelFacts *model)
{
    struct token_cache_key key = { model->image_key, model->text_key,
                                   (gsize)model->token_count * model->token_width,
                                   model->embedding };
    token_cache_use(cache, NULL, &key);
    return *cache;
}

/* --- A request --------------------------------------------------------------------- */

static gsize image_bytes(const TlModelFacts *model)
{
    return (gsize)model->token_count * model->token_width * sizeof(float);
}

static void work_tokens(ReadJob *job)
{
    gsize bytes = image_bytes(job->model);
    if (g_cancellable_is_cancelled(job->cancellable)) {
        return;
    }
    token_cache *cache = scoring_cache(&job->workspace->read, job->model);
    guint8 *values = g_malloc(bytes * job->images->len);
    for (guint i = 0; i < job->images->len; i++) {
        GBytes *held = job->tokens->pdata[i];
        guint8 *out = values + bytes * i;
        gboolean missing = FALSE;
        if (held && g_bytes_get_size(held) == bytes) {
            memcpy(out, g_bytes_get_data(held, NULL), bytes);
        } else if (!token_cache_get(cache, job->hashes->pdata[i], (float *)out)) {
            missing = TRUE;
            memset(out, 0, bytes);
        }
        g_array_append_val(job->missing, missing);
    }
    job->values = g_bytes_new_take(values, bytes * job->images->len);
}

static void take_confidences(ReadJob *job, const float *values)
{
    guint n = g_strv_length(job->labels);
    g_autofree float *said = g_memdup2(values, job->images->len * n * sizeof *values);
    for (guint i = 0; i < job->images->len; i++) {
        for (guint l = 0; g_array_index(job->missing, gboolean, i) && l < n; l++) {
            said[i * n + l] = -1;
        }
    }
    database_predict(job->workspace, job->model, job->images, job->labels, said);
    for (guint l = 0; l < n; l++) {
        int index = workspace_find_label(job->workspace, job->labels[l]);
        order_follow(job->workspace, job->labels[l]);
        for (guint i = 0; index >= 0 && i < job->images->len; i++) {
            if (!g_array_index(job->missing, gboolean, i)) {
                image_set_confidence(job->images->pdata[i], (guint)index,
                                     values[i * n + l]);
            }
        }
    }
    g_signal_emit(job->workspace, workspace_signals[CHANGED], 0,
                  job->images->len == 1 ? job->images->pdata[0] : NULL);
}

static void end_request(ReadJob *job)
{
    TlWorkspace *self = job->workspace;
    self->requests--;
    for (guint i = 0; i < job->images->len; i++) {
        ((TlImage *)job->images->pdata[i])->scoring = FALSE;
    }
    scoring_pump(self);
    read_job_free(job);
}

static void on_scored(GObject *source, GAsyncResult *result, gpointer data)
{
    ReadJob *job = data;
    TlWorkspace *self = job->workspace;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = tl_engine_score_finish(TL_ENGINE(source), result, &error);
    gsize want = job->images->len * g_strv_length(job->labels) * sizeof(float);
    if (g_cancellable_is_cancelled(job->cancellable)) {
        g_clear_error(&error); /* of labels or a model that are no longer wanted */
    } else if (!bytes) {
        self->halted = TRUE;
        workspace_report_error(self, error);
    } else if (g_bytes_get_size(bytes) == want) {
        take_confidences(job, g_bytes_get_data(bytes, NULL));
    } else {
        self->halted = TRUE;
        workspace_report(self, _("The model gave confidences for other labels"));
    }
    end_request(job);
}

/* An image whose tokens went from the cache is encoded again. */
static void encode_missing(ReadJob *job)
{
    TlWorkspace *self = job->workspace;
    for (guint i = 0; i < job->missing->len; i++) {
        TlImage *image = job->images->pdata[i];
        if (g_array_index(job->missing, gboolean, i)) {
            image->cached = FALSE;
            self->score_from = 0;
            g_clear_pointer(&image->tokens, g_bytes_unref);
            self->done -= self->done > 0;
            encoding_enqueue(self, image, FALSE);
        }
    }
    encoding_next(self);
}

static void done_tokens(ReadJob *job)
{
    TlWorkspace *self = job->workspace;
    if (!job->values || g_cancellable_is_cancelled(job->cancellable)) {
        end_request(job);
        return;
    }
    encode_missing(job);
    tl_engine_score_async(self->engine, job->values, job->embeddings, TL_PRIORITY_VISIBLE,
                          job->cancellable, on_scored, job);
}

/* --- What is unknown -------------------------------------------------------------------- */

gboolean workspace_can_score(TlWorkspace *self, const Label *label)
{
    return self->model && (!self->model->open_vocabulary || label->embedding);
}

static gboolean has_tokens(const TlImage *image)
{
    return (image->tokens || image->cached) && !image->scoring;
}

/* Label numbers that `image` has no confidence for; of the urgent label alone while one
 * is set. A fixed head answers for all its labels or for none. */
static GArray *unknown_labels(TlWorkspace *self, TlImage *image)
{
    GArray *unknown = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint l = 0; l < self->labels->len; l++) {
        const Label *label = self->labels->pdata[l];
        if (workspace_can_score(self, label) && tl_image_confidence(image, l) < 0
            && (!self->urgent || self->urgent == label)) {
            g_array_append_val(unknown, l);
        }
    }
    return unknown;
}

static gboolean same_labels(const GArray *a, const GArray *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len * sizeof(guint)) == 0;
}

/* The first images of the folder that lack the same labels. The search begins where the
 * last one found that nothing is lacking before. */
static GPtrArray *pick_images(TlWorkspace *self, GArray **labels)
{
    GPtrArray *all = self->images->items, *images = image_array();
    gboolean whole = !self->urgent; /* otherwise other labels may be lacking */
    *labels = NULL;
    for (guint i = self->score_from; i < all->len && images->len < REQUEST_IMAGES; i++) {
        TlImage *image = all->pdata[i];
        g_autoptr(GArray) unknown = has_tokens(image) ? unknown_labels(self, image) : NULL;
        whole = whole && (image->error || (unknown && unknown->len == 0));
        self->score_from = whole ? i + 1 : self->score_from;
        if (unknown && unknown->len > 0 && (!*labels || same_labels(unknown, *labels))) {
            *labels = *labels ? *labels : g_array_ref(unknown);
            g_ptr_array_add(images, g_object_ref(image));
        }
    }
    return images;
}

static GBytes *join_embeddings(TlWorkspace *self, const GArray *labels)
{
    if (!self->model->open_vocabulary) {
        return NULL;
    }
    GByteArray *all = g_byte_array_new();
    for (guint i = 0; i < labels->len; i++) {
        const Label *label = self->labels->pdata[g_array_index(labels, guint, i)];
        gsize size = 0;
        const guint8 *data = g_bytes_get_data(label->embedding, &size);
        g_byte_array_append(all, data, (guint)size);
    }
    return g_byte_array_free_to_bytes(all);
}

static void request(TlWorkspace *self, GPtrArray *images, const GArray *labels)
{
    ReadJob *job = read_job_new(self, work_tokens, done_tokens);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (guint i = 0; i < labels->len; i++) {
        const Label *label = self->labels->pdata[g_array_index(labels, guint, i)];
        g_strv_builder_add(names, label->name);
    }
    job->labels = self->model->open_vocabulary ? g_strv_builder_end(names)
                                               : g_strdupv(self->model->labels);
    job->embeddings = join_embeddings(self, labels);
    job->images = g_ptr_array_ref(images);
    job->tokens = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    job->hashes = g_ptr_array_new_with_free_func(g_free);
    job->missing = g_array_new(FALSE, FALSE, sizeof(gboolean));
    for (guint i = 0; i < images->len; i++) {
        TlImage *image = images->pdata[i];
        image->scoring = TRUE;
        g_ptr_array_add(job->tokens, image->tokens ? g_bytes_ref(image->tokens) : NULL);
        g_ptr_array_add(job->hashes, g_strdup(image->hash ? image->hash : ""));
    }
    self->requests++;
    read_job_push(job);
}

static gboolean pump(gpointer data)
{
    TlWorkspace *self = data;
    self->pump_idle = 0;
    while (self->model && self->reader && !self->halted
           && self->requests < MAX_REQUESTS) {
        g_autoptr(GArray) labels = NULL;
        g_autoptr(GPtrArray) images = pick_images(self, &labels);
        if (images->len > 0) {
            request(self, images, labels);
        } else if (self->urgent) {
            self->urgent = NULL; /* now for all that was left behind */
        } else {
            break;
        }
    }
    return G_SOURCE_REMOVE;
}

void scoring_pump(TlWorkspace *self)
{
    if (!self->pump_idle) {
        self->pump_idle = g_idle_add_full(G_PRIORITY_DEFAULT, pump, self, NULL);
    }
}

void scoring_search_all(TlWorkspace *self)
{
    self->score_from = 0;
    scoring_pump(self);
}

void scoring_cancel(TlWorkspace *self)
{
    g_cancellable_cancel(self->scoring);
    g_object_unref(self->scoring);
    self->scoring = g_cancellable_new();
}

/* --- Embeddings of labels ---------------------------------------------------------------- */

static void work_keep_queries(ReadJob *job)
{
    token_cache *cache = scoring_cache(&job->workspace->read, job->model);
    prompt_batch_keep(job->batch, g_bytes_get_data(job->encoded, NULL),
                      g_bytes_get_data(job->values, NULL), cache);
}

/* Gives labels their embeddings; false when none is a label any more. */
static void take_embeddings(ReadJob *job)
{
    TlWorkspace *self = job->workspace;
    gsize row = job->model->embedding * sizeof(float);
    Label *last = NULL;
    guint n = g_strv_length(job->labels);
    for (guint i = 0; i < n && job->model == self->model; i++) {
        int index = workspace_find_label(self, job->labels[i]);
        if (index >= 0) {
            last = self->labels->pdata[index];
            g_clear_pointer(&last->embedding, g_bytes_unref);
            last->embedding = g_bytes_new_from_bytes(job->values, i * row, row);
        }
    }
    if (last && n == 1) {
        self->urgent = last;
        scoring_cancel(self);
    }
    scoring_search_all(self);
}

/* From what was encoded, NULL for nothing, to the labels' embeddings. FALSE when a sum of
 * words leaves nothing; the person is told. */
static gboolean finish_embeddings(ReadJob *job)
{
    g_autoptr(GError) error = NULL;
    gsize bytes = job->expressions->len * job->model->embedding * sizeof(float);
    float *values = g_malloc(bytes);
    const float *encoded = job->encoded ? g_bytes_get_data(job->encoded, NULL) : NULL;
    gboolean good = prompt_batch_finish(job->batch, encoded, values, &error);
    job->values = g_bytes_new_take(values, bytes);
    if (!good) {
        workspace_report_error(job->workspace, error);
    }
    return good;
}

static void on_prompts(GObject *source, GAsyncResult *result, gpointer data)
{
    ReadJob *job = data;
    g_autoptr(GError) error = NULL;
    job->encoded = tl_engine_encode_prompts_finish(TL_ENGINE(source), result, &error);
    if (!job->encoded) {
        workspace_report_error(job->workspace, error);
    }
    if (!job->encoded || !finish_embeddings(job)) {
        read_job_free(job);
        return;
    }
    take_embeddings(job);
    job->work = work_keep_queries;
    job->done = read_job_free;
    read_job_push(job);
}

static void work_queries(ReadJob *job)
{
    token_cache *cache = scoring_cache(&job->workspace->read, job->model);
    job->batch = prompt_batch_new(job->expressions, job->model->embedding, cache);
}

static void done_queries(ReadJob *job)
{
    const char *const *missing = prompt_batch_missing(job->batch);
    if (missing[0]) {
        tl_engine_encode_prompts_async(job->workspace->engine, missing, NULL, on_prompts,
                                       job);
        return;
    }
    if (finish_embeddings(job)) {
        take_embeddings(job);
    }
    read_job_free(job);
}

static void expression_free(gpointer data)
{
    prompt_expression_free(data);
}

/* What a label asks; a person is told of one that cannot be read, and it has no
 * confidences. */
static struct prompt_expression *read_expression(TlWorkspace *self, Label *label)
{
    g_autoptr(GError) error = NULL;
    struct prompt_expression *e =
        prompt_expression_new(label->name, label->words, self->model->prompt, &error);
    if (!e) {
        workspace_report_error(self, error);
    }
    g_free(label->prompt);
    label->prompt = e ? g_strdup(e->key) : NULL;
    return e;
}

void scoring_encode_labels(TlWorkspace *self, Label *const *labels, guint n)
{
    if (!self->model || !self->model->open_vocabulary) {
        return;
    }
    g_autoptr(GPtrArray) expressions = g_ptr_array_new_with_free_func(expression_free);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (guint i = 0; i < n; i++) {
        struct prompt_expression *e = read_expression(self, labels[i]);
        if (e) {
            g_ptr_array_add(expressions, e);
            g_strv_builder_add(names, labels[i]->name);
        }
    }
    if (expressions->len > 0) {
        ReadJob *job = read_job_new(self, work_queries, done_queries);
        job->labels = g_strv_builder_end(names);
        job->expressions = g_steal_pointer(&expressions);
        read_job_push(job);
    }
}
