/* In which order images are shown, and which of them: queues for a person to work off. */
#include "app/random/rng.h"
#include "app/select/select.h"
#include "app/workspace/workspace_private.h"

#include <math.h>
#include <string.h>

/* Images that the diverse queue chooses from, the most uncertain ones. */
#define DIVERSE_IMAGES 400
#define PAUSE_MS 300

typedef struct { TlImage *image; double key; guint at; } Ranked;

static int by_key(gconstpointer a, gconstpointer b)
{
    const Ranked *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key ? -1 : 1) : (x->at > y->at) - (x->at < y->at);
}

/* The same for a path as long as the seed is. */
static double shuffled(const TlImage *image, guint seed)
{
    struct rng r = rng_new(seed, g_str_hash(image->path), 0);
    return rng_below(&r, G_MAXINT);
}

/* The higher, the earlier; NaN for images that the queue leaves out. */
static double rank(TlWorkspace *self, TlImage *image, TlOrder order, guint label)
{
    double p = tl_image_confidence(image, label);
    double threshold = tl_workspace_threshold(self, label);
    StoreVerdict verdict = tl_image_verdict(image, label);
    gboolean open = verdict == STORE_CLEARED;
    switch (order) {
    case TL_ORDER_LIKELY: return p;
    case TL_ORDER_UNCERTAIN:
    case TL_ORDER_DIVERSE: return !open ? NAN : p < 0 ? -2 : -fabs(p - threshold);
    case TL_ORDER_UNDECIDED: return open ? 0 : NAN;
    case TL_ORDER_DISAGREE:
        return open || p < 0 || (verdict == STORE_ACCEPTED) == (p >= threshold)
                   ? NAN : fabs(p - threshold);
    case TL_ORDER_RANDOM: return shuffled(image, self->seed);
    default: return 0;
    }
}

/* found: numbers of the images to rank; NULL for all. */
static GArray *ranked_images(TlWorkspace *self, TlOrder order, guint label,
                             const GArray *found)
{
    GArray *ranked = g_array_new(FALSE, FALSE, sizeof(Ranked));
    guint n = found ? found->len : self->images->items->len;
    for (guint i = 0; i < n; i++) {
        guint at = found ? g_array_index(found, guint, i) : i;
        TlImage *image = self->images->items->pdata[at];
        Ranked r = { image, rank(self, image, order, label), i };
        if (!isnan(r.key)) {
            g_array_append_val(ranked, r);
        }
    }
    if (order != TL_ORDER_FOLDER && order != TL_ORDER_UNDECIDED) {
        g_array_sort(ranked, by_key);
    }
    return ranked;
}

static GPtrArray *images_of(GArray *ranked)
{
    GPtrArray *images = g_ptr_array_new_full(ranked->len, g_object_unref);
    for (guint i = 0; i < ranked->len; i++) {
        g_ptr_array_add(images, g_object_ref(g_array_index(ranked, Ranked, i).image));
    }
    return images;
}

/* --- Diverse ------------------------------------------------------------------------------ */

typedef struct {
    TlModelFacts *model;
    GPtrArray *images;   /* that have cached tokens */
    GPtrArray *hashes;
    GArray *confidence;  /* float */
} Pool;

static void pool_free(gpointer data)
{
    Pool *pool = data;
    tl_model_facts_unref(pool->model);
    g_ptr_array_unref(pool->images);
    g_ptr_array_unref(pool->hashes);
    g_array_unref(pool->confidence);
    g_free(pool);
}

/* features [images,width]: the mean of each image's tokens, zeros where they went. */
static float *read_features(const Pool *pool)
{
    guint width = pool->model->token_width, count = pool->model->token_count;
    float *features = g_new0(float, (gsize)pool->images->len * width);
    g_autofree float *tokens = g_new(float, (gsize)count * width);
    token_cache *cache = NULL;
    scoring_cache(&cache, pool->model);
    for (guint i = 0; i < pool->images->len; i++) {
        float *mean = features + (gsize)i * width;
        if (!token_cache_get(cache, pool->hashes->pdata[i], tokens)) {
            continue;
        }
        for (gsize t = 0; t < (gsize)count * width; t++) {
            mean[t % width] += tokens[t] / count;
        }
    }
    token_cache_close(&cache);
    return features;
}

static void choose_diverse(GTask *task, gpointer source, gpointer data,
                           GCancellable *cancellable)
{
    Pool *pool = data;
    guint n = pool->images->len;
    g_autofree float *features = read_features(pool);
    g_autofree gint8 *decided = g_new0(gint8, n + 1);
    g_autofree struct select_pair *pairs = g_new(struct select_pair, n + 1);
    struct select_pool p = { n, 1, pool->model->token_width,
                             (const float *)pool->confidence->data, decided, features };
    guint chosen = select_pairs(&p, SELECT_UNCERTAIN, 0, n, pairs);
    GPtrArray *images = image_array();
    for (guint i = 0; i < chosen; i++) {
        g_ptr_array_add(images, g_object_ref(pool->images->pdata[pairs[i].image]));
    }
    g_task_return_pointer(task, images, (GDestroyNotify)g_ptr_array_unref);
}

static void on_diverse(GObject *source, GAsyncResult *result, gpointer data)
{
    TlWorkspace *self = TL_WORKSPACE(source);
    GPtrArray *images = g_task_propagate_pointer(G_TASK(result), NULL);
    if (images) {
        image_list_take(self->shown, images);
    }
}

/* Until it is known what differs, the uncertain ones are shown. */
static void ask_diverse(TlWorkspace *self, const GArray *ranked, guint label)
{
    Pool *pool = g_new0(Pool, 1);
    pool->model = tl_model_facts_ref(self->model);
    pool->images = image_array();
    pool->hashes = g_ptr_array_new_with_free_func(g_free);
    pool->confidence = g_array_new(FALSE, FALSE, sizeof(float));
    for (guint i = 0; i < ranked->len && pool->images->len < DIVERSE_IMAGES; i++) {
        TlImage *image = g_array_index(ranked, Ranked, i).image;
        float p = (float)tl_image_confidence(image, label);
        if (image->hash && image->cached && p >= 0) {
            g_ptr_array_add(pool->images, g_object_ref(image));
            g_ptr_array_add(pool->hashes, g_strdup(image->hash));
            g_array_append_val(pool->confidence, p);
        }
    }
    self->diverse = g_cancellable_new();
    g_autoptr(GTask) task = g_task_new(self, self->diverse, on_diverse, NULL);
    g_task_set_task_data(task, pool, pool_free);
    g_task_run_in_thread(task, choose_diverse);
}

/* --- The order ------------------------------------------------------------------------------ */

void order_show(TlWorkspace *self, const GArray *found)
{
    int label = self->order_label ? workspace_find_label(self, self->order_label) : -1;
    TlOrder order = label < 0 && self->order != TL_ORDER_RANDOM ? TL_ORDER_FOLDER
                                                                : self->order;
    g_cancellable_cancel(self->diverse);
    g_clear_object(&self->diverse);
    g_clear_handle_id(&self->order_timeout, g_source_remove);
    g_autoptr(GArray) ranked = ranked_images(self, order, (guint)MAX(label, 0), found);
    image_list_take(self->shown, images_of(ranked));
    if (order == TL_ORDER_DIVERSE && self->model) {
        ask_diverse(self, ranked, (guint)label);
    }
    g_signal_emit(self, workspace_signals[ORDERED], 0);
}

void order_apply(TlWorkspace *self)
{
    g_autoptr(GArray) found = filter_run(self);
    order_show(self, found);
}

static gboolean on_pause(gpointer data)
{
    TlWorkspace *self = data;
    self->order_timeout = 0;
    order_apply(self);
    return G_SOURCE_REMOVE;
}

void order_follow(TlWorkspace *self, const char *label)
{
    gboolean by_confidence =
        self->order == TL_ORDER_LIKELY || self->order == TL_ORDER_UNCERTAIN;
    gboolean about = by_confidence && self->order_label
                     && strcmp(self->order_label, label) == 0;
    if ((about || self->filter) && !self->order_timeout) {
        self->order_timeout = g_timeout_add(PAUSE_MS, on_pause, self);
    }
}

void tl_workspace_set_order(TlWorkspace *self, TlOrder order, guint label)
{
    self->order = order;
    g_free(self->order_label);
    self->order_label = label < self->labels->len
                            ? g_strdup(tl_workspace_label(self, label)) : NULL;
    self->seed += order == TL_ORDER_RANDOM; /* another sample each time */
    order_apply(self);
}

guint tl_workspace_next_open(TlWorkspace *self, guint from, guint label)
{
    GPtrArray *shown = self->shown->items;
    for (guint i = 0; i < shown->len; i++) {
        guint at = (from + i) % shown->len;
        if (tl_image_verdict(shown->pdata[at], label) == STORE_CLEARED) {
            return at;
        }
    }
    return G_MAXUINT;
}

TlOrder tl_workspace_order(TlWorkspace *self)
{
    return self->order;
}

const char *tl_workspace_order_label(TlWorkspace *self)
{
    return self->order_label;
}
