#include "app/workspace/comparison.h"

#include "app/store/browse.h"
#include "app/words/prompt_batch.h"
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>
#include <string.h>

#define CHUNK 64

typedef struct { TlImage *image; float confidence; } Place;

struct _TlComparison {
    GObject parent;
    TlWorkspace *workspace;
    TlModelFacts *model;
    char *label;
    GPtrArray *expressions;     /* of the two wordings */
    struct prompt_batch *batch;
    GBytes *embeddings;         /* F32 [2,embedding] */
    GCancellable *cancellable;
    token_cache *cache;         /* of the reading task; one is under way at a time */
    GHashTable *verdicts;       /* row of an image -> what a person decided */
    GPtrArray *images;          /* to be asked about, decided ones first */
    guint at, asked;
    GArray *pairs[2];           /* of struct trust_pair: the decided images */
    struct trust_contest contest;
    Place best[2][TL_COMPARISON_BEST];
    guint n_best;
    gboolean done;
};

G_DEFINE_FINAL_TYPE(TlComparison, tl_comparison, G_TYPE_OBJECT)

enum { COMPARISON_CHANGED, COMPARISON_FAILED, N_COMPARISON_SIGNALS };
static guint signals[N_COMPARISON_SIGNALS];

static void expression_free(gpointer data)
{
    prompt_expression_free(data);
}

static void fail(TlComparison *self, const GError *error)
{
    self->done = TRUE;
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
        && !g_cancellable_is_cancelled(self->cancellable)) {
        g_signal_emit(self, signals[COMPARISON_FAILED], 0, error->message);
    }
}

/* --- Results --------------------------------------------------------------------------- */

/* Into its place among the best, if it is one of them. */
static void rank(Place *best, guint n, TlImage *image, float confidence)
{
    guint at = n;
    while (at > 0 && confidence > best[at - 1].confidence) {
        at--;
    }
    if (at < TL_COMPARISON_BEST) {
        guint kept = MIN(n, TL_COMPARISON_BEST - 1);
        if (n == TL_COMPARISON_BEST) {
            g_object_unref(best[n - 1].image);
        }
        memmove(best + at + 1, best + at, (kept - at) * sizeof *best);
        best[at] = (Place){ g_object_ref(image), confidence };
    }
}

static void take(TlComparison *self, TlImage *image, const float *confidences)
{
    gpointer verdict = NULL;
    gboolean decided =
        g_hash_table_lookup_extended(self->verdicts, &image->row, NULL, &verdict);
    for (guint w = 0; w < 2; w++) {
        struct trust_pair pair = { confidences[w], (gint8)GPOINTER_TO_INT(verdict) };
        rank(self->best[w], self->n_best, image, confidences[w]);
        if (decided) {
            g_array_append_val(self->pairs[w], pair);
        }
    }
    self->n_best = MIN(self->n_best + 1, TL_COMPARISON_BEST);
    self->asked++;
}

static void tell(TlComparison *self)
{
    if (!g_cancellable_is_cancelled(self->cancellable)) {
        g_signal_emit(self, signals[COMPARISON_CHANGED], 0);
    }
}

static void judge(TlComparison *self)
{
    trust_hold_contest((const struct trust_pair *)(gpointer)self->pairs[0]->data,
                       (const struct trust_pair *)(gpointer)self->pairs[1]->data,
                       self->pairs[0]->len, &self->contest);
    tell(self);
}

/* --- Some images ------------------------------------------------------------------------ */

typedef struct {
    GPtrArray *images, *tokens, *hashes; /* tokens: GBytes, NULL where the cache has them */
    float *values;                       /* [images,tokens] */
    gboolean *missing;                   /* by image: the cache has lost it */
} Chunk;

static void chunk_free(gpointer data)
{
    Chunk *c = data;
    g_ptr_array_unref(c->images);
    g_ptr_array_unref(c->tokens);
    g_ptr_array_unref(c->hashes);
    g_free(c->values);
    g_free(c->missing);
    g_free(c);
}

static void bytes_free(gpointer bytes)
{
    g_clear_pointer((GBytes **)&bytes, g_bytes_unref);
}

/* What is not encoded yet cannot be asked about. */
static Chunk *chunk_new(TlComparison *self)
{
    Chunk *c = g_new0(Chunk, 1);
    c->images = image_array();
    c->tokens = g_ptr_array_new_with_free_func(bytes_free);
    c->hashes = g_ptr_array_new_with_free_func(g_free);
    while (self->at < self->images->len && c->images->len < CHUNK) {
        TlImage *image = self->images->pdata[self->at++];
        if (image->tokens || (image->cached && image->hash)) {
            g_ptr_array_add(c->images, g_object_ref(image));
            g_ptr_array_add(c->tokens, image->tokens ? g_bytes_ref(image->tokens) : NULL);
            g_ptr_array_add(c->hashes, g_strdup(image->hash));
        }
    }
    return c;
}

/* On a thread of its own. */
static void read_tokens(GTask *task, gpointer source, gpointer data,
                        GCancellable *cancellable)
{
    TlComparison *self = source;
    Chunk *c = data;
    gsize n = (gsize)self->model->token_count * self->model->token_width;
    token_cache *cache = scoring_cache(&self->cache, self->model);
    c->values = g_new0(float, c->images->len * n);
    c->missing = g_new0(gboolean, c->images->len);
    for (guint i = 0; i < c->images->len; i++) {
        GBytes *held = c->tokens->pdata[i];
        if (held && g_bytes_get_size(held) == n * sizeof(float)) {
            memcpy(c->values + i * n, g_bytes_get_data(held, NULL), n * sizeof(float));
        } else {
            c->missing[i] = !token_cache_get(cache, c->hashes->pdata[i] ? c->hashes->pdata[i]
                                                                         : "",
                                             c->values + i * n);
        }
    }
    g_task_return_boolean(task, TRUE);
}

static void next_chunk(TlComparison *self);

static void on_scored(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    TlComparison *self = g_task_get_source_object(task);
    const Chunk *c = g_task_get_task_data(task);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = tl_engine_score_finish(TL_ENGINE(source), result, &error);
    if (!bytes) {
        fail(self, error);
        return;
    }
    const float *values = g_bytes_get_data(bytes, NULL);
    gboolean whole = g_bytes_get_size(bytes) == 2 * c->images->len * sizeof *values;
    for (guint i = 0; whole && i < c->images->len; i++) {
        if (!c->missing[i]) {
            take(self, c->images->pdata[i], values + (gsize)2 * i);
        }
    }
    judge(self);
    next_chunk(self);
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    TlComparison *self = TL_COMPARISON(source);
    Chunk *c = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    if (!g_task_propagate_boolean(G_TASK(result), &error)) {
        fail(self, error);
        return;
    }
    if (self->workspace->model != self->model) {
        g_set_error_literal(&error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            _("Another model was loaded"));
        fail(self, error);
        return;
    }
    gsize bytes = (gsize)self->model->token_count * self->model->token_width * sizeof(float);
    g_autoptr(GBytes) tokens =
        g_bytes_new_take(g_steal_pointer(&c->values), c->images->len * bytes);
    tl_engine_score_async(self->workspace->engine, tokens, self->embeddings,
                          TL_PRIORITY_VISIBLE, self->cancellable, on_scored,
                          g_object_ref(result));
}

static void next_chunk(TlComparison *self)
{
    Chunk *c = chunk_new(self);
    if (c->images->len == 0) {
        chunk_free(c);
        self->done = TRUE;
        tell(self);
        return;
    }
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, on_read, NULL);
    g_task_set_task_data(task, c, chunk_free);
    g_task_run_in_thread(task, read_tokens);
}

/* --- What a person decided ----------------------------------------------------------------- */

typedef struct {
    TlComparison *owner;
    GHashTable *verdicts;
} Verdicts;

static void verdicts_free(gpointer data)
{
    Verdicts *v = data;
    g_object_unref(v->owner);
    g_hash_table_unref(v->verdicts);
    g_free(v);
}

static gboolean add_verdict(const StoreJudged *j, gpointer user_data)
{
    Verdicts *v = user_data;
    if (!j->by_model && j->verdict != STORE_CLEARED) {
        g_hash_table_insert(v->verdicts, g_memdup2(&j->image, sizeof j->image),
                            GINT_TO_POINTER(j->verdict));
    }
    return TRUE;
}

static void work_verdicts(store *s, gpointer data, GError **error)
{
    Verdicts *v = data;
    gint64 label = store_find_label(s, v->owner->label);
    if (label) {
        store_each_judged(s, NULL, label, add_verdict, v, error);
    }
}

/* Decided ones first, so that the figures stand soon. */
static void list_images(TlComparison *self)
{
    GPtrArray *all = self->workspace->images->items;
    for (gboolean decided = TRUE; decided >= FALSE; decided--) {
        for (guint i = 0; i < all->len; i++) {
            TlImage *image = all->pdata[i];
            if (g_hash_table_contains(self->verdicts, &image->row) == decided) {
                g_ptr_array_add(self->images, g_object_ref(image));
            }
        }
    }
}

static void done_verdicts(TlWorkspace *workspace, gpointer data, gboolean good)
{
    Verdicts *v = data;
    TlComparison *self = v->owner;
    if (good && !g_cancellable_is_cancelled(self->cancellable)) {
        g_hash_table_unref(self->verdicts);
        self->verdicts = g_hash_table_ref(v->verdicts);
        list_images(self);
        next_chunk(self);
    }
}

/* --- What is asked -------------------------------------------------------------------------- */

static void read_verdicts(TlComparison *self)
{
    static const DatabaseTask task = { work_verdicts, done_verdicts, verdicts_free };
    Verdicts *v = g_new0(Verdicts, 1);
    v->owner = g_object_ref(self);
    v->verdicts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    database_do(self->workspace, &task, v);
}

static void on_prompts(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(TlComparison) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) encoded =
        tl_engine_encode_prompts_finish(TL_ENGINE(source), result, &error);
    gsize bytes = (gsize)2 * self->model->embedding * sizeof(float);
    g_autofree float *values = g_malloc(bytes);
    if (!encoded || !prompt_batch_finish(self->batch, g_bytes_get_data(encoded, NULL),
                                         values, &error)) {
        fail(self, error);
        return;
    }
    self->embeddings = g_bytes_new(values, bytes);
    read_verdicts(self);
}

static gboolean add_expression(TlComparison *self, const char *text, GError **error)
{
    g_autofree char *words = g_strstrip(g_strdup(text));
    struct prompt_expression *e = prompt_expression_new(
        self->label, *words ? words : NULL, self->model->prompt, error);
    if (e) {
        g_ptr_array_add(self->expressions, e);
    }
    return e != NULL;
}

TlComparison *tl_comparison_new(TlWorkspace *workspace, guint label, const char *a,
                                const char *b, GError **error)
{
    if (!workspace->model || !workspace->model->open_vocabulary) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            workspace->model
                                ? _("This model answers for its own labels only")
                                : _("No model is loaded."));
        return NULL;
    }
    g_autoptr(TlComparison) self = g_object_new(TL_TYPE_COMPARISON, NULL);
    self->workspace = g_object_ref(workspace);
    self->model = tl_model_facts_ref(workspace->model);
    self->label = g_strdup(tl_workspace_label(workspace, label));
    if (!add_expression(self, a, error) || !add_expression(self, b, error)) {
        return NULL;
    }
    /* Prompts are few, and the cache belongs to another thread. */
    self->batch = prompt_batch_new(self->expressions, self->model->embedding, NULL);
    tl_engine_encode_prompts_async(workspace->engine, prompt_batch_missing(self->batch),
                                   self->cancellable, on_prompts, g_object_ref(self));
    return g_steal_pointer(&self);
}

/* --- Reading it ------------------------------------------------------------------------------- */

const struct trust_contest *tl_comparison_contest(TlComparison *self)
{
    return &self->contest;
}

guint tl_comparison_asked(TlComparison *self) { return self->asked; }
gboolean tl_comparison_done(TlComparison *self) { return self->done; }

guint tl_comparison_best(TlComparison *self, guint wording, TlImage **images,
                         double *confidences)
{
    for (guint i = 0; i < self->n_best; i++) {
        images[i] = self->best[wording][i].image;
        confidences[i] = self->best[wording][i].confidence;
    }
    return self->n_best;
}

/* --- Life --------------------------------------------------------------------------------------- */

void tl_comparison_stop(TlComparison *self)
{
    g_cancellable_cancel(self->cancellable);
}

static void tl_comparison_finalize(GObject *object)
{
    TlComparison *self = TL_COMPARISON(object);
    for (guint w = 0; w < 2; w++) {
        for (guint i = 0; i < self->n_best; i++) {
            g_object_unref(self->best[w][i].image);
        }
        g_array_unref(self->pairs[w]);
    }
    prompt_batch_free(self->batch);
    g_ptr_array_unref(self->expressions);
    g_clear_pointer(&self->embeddings, g_bytes_unref);
    token_cache_close(&self->cache);
    g_ptr_array_unref(self->images);
    g_hash_table_unref(self->verdicts);
    g_object_unref(self->cancellable);
    g_clear_pointer(&self->model, tl_model_facts_unref);
    g_clear_object(&self->workspace);
    g_free(self->label);
    G_OBJECT_CLASS(tl_comparison_parent_class)->finalize(object);
}

static void tl_comparison_class_init(TlComparisonClass *class)
{
    G_OBJECT_CLASS(class)->finalize = tl_comparison_finalize;
    signals[COMPARISON_CHANGED] = g_signal_new("changed", TL_TYPE_COMPARISON,
                                               G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                               G_TYPE_NONE, 0);
    signals[COMPARISON_FAILED] = g_signal_new("failed", TL_TYPE_COMPARISON,
                                              G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                              G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void tl_comparison_init(TlComparison *self)
{
    self->expressions = g_ptr_array_new_with_free_func(expression_free);
    self->cancellable = g_cancellable_new();
    self->verdicts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    self->images = image_array();
    for (guint w = 0; w < 2; w++) {
        self->pairs[w] = g_array_new(FALSE, FALSE, sizeof(struct trust_pair));
    }
    trust_hold_contest(NULL, NULL, 0, &self->contest);
}
