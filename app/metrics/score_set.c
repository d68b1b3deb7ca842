#include "app/metrics/score_set.h"

#include "app/engine/prompts.h"
#include "app/engine/word_vectors.h"
#include "app/tagger/tagger.h"
#include "compute/weights/weights.h"

#include <math.h>

struct scorer {
    const struct score_set_params *params;
    struct scores *scores;
    float *embeddings;          /* [labels, embedding]; NULL for a fixed head */
    GArray *images;             /* guint: indices into the data set, as they are run */
    guint taken;                /* of them */
};

static void add_fixed_labels(struct scorer *s)
{
    size_t n = 0;
    const struct weights_label *fixed = model_labels(s->params->model, &n);
    for (size_t i = 0; i < n; i++) {
        scores_add_label(s->scores, fixed[i].name);
    }
}

static gboolean add_labels(struct scorer *s, GError **error)
{
    const struct score_set_params *p = s->params;
    const struct model_info *info = model_info(p->model);
    struct nn_error failure = { 0 };
    enum nn_status status;
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    const char *template = p->word_vectors ? "%s" : info->prompt;
    if (!info->open_vocabulary) {
        add_fixed_labels(s);
        return TRUE;
    }
    for (guint i = 0; i < p->labels->len; i++) {
        const char *label = dataset_label(p->data, g_array_index(p->labels, guint, i));
        scores_add_label(s->scores, label);
        g_ptr_array_add(prompts, prompts_fill(template, label));
    }
    s->embeddings = g_new(float, (gsize)p->labels->len * info->embedding);
    if (p->word_vectors) {
        return word_vectors_embed(p->word_vectors, (const char *const *)prompts->pdata,
                                  prompts->len, info->embedding, s->embeddings, error);
    }
    if (!prompts_encode(p->session, p->model, (const char *const *)prompts->pdata,
                        prompts->len, s->embeddings, NULL, &status, &failure)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure.text);
        return FALSE;
    }
    return TRUE;
}

static gboolean put_image(struct scorer *s, guint image, const float *confidence,
                          GError **error)
{
    const char *name = dataset_image_name(s->params->data, image);
    guint row = scores_add_image(s->scores, name);
    for (guint k = 0; k < s->scores->labels->len; k++) {
        if (!isfinite(confidence[k])) {
            g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                        "%s: the model's confidence is not a number", name);
            return FALSE;
        }
        scores_set(s->scores, row, k, confidence[k]);
    }
    return TRUE;
}

/* Results come in the order of the images, broken ones among them. */
static gboolean put_batch(const struct tagger_item *items, guint n,
                          const struct tagger_stats *stats, gpointer data, GError **error)
{
    struct scorer *s = data;
    for (guint i = 0; i < n; i++) {
        guint image = g_array_index(s->images, guint, s->taken++);
        if (items[i].error) {
            s->params->broken(items[i].error->message, s->params->user);
        } else if (!put_image(s, image, items[i].confidence, error)) {
            return FALSE;
        }
    }
    s->params->progress(stats->tagged + stats->broken, s->images->len, s->params->user);
    return TRUE;
}

static gboolean score_all(struct scorer *s, guint *broken, GError **error)
{
    const struct score_set_params *p = s->params;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    struct tagger_stats stats;
    for (guint i = 0; i < dataset_n_images(p->data); i++) {
        if (!p->split || g_strcmp0(dataset_image_split(p->data, i), p->split) == 0) {
            g_array_append_val(s->images, i);
            g_ptr_array_add(paths, dataset_image_path(p->data, i));
        }
    }
    struct tagger_params params = { .model = p->model, .session = p->session,
                                    .embeddings = s->embeddings, .jobs = p->jobs,
                                    .n_labels = s->scores->labels->len, .put = put_batch,
                                    .data = s };
    gboolean good = tagger_run(&params, paths, &stats, error);
    *broken = stats.broken;
    return good;
}

struct scores *score_set(const struct score_set_params *params, guint *broken,
                         GError **error)
{
    struct scorer s = { .params = params, .scores = scores_new(),
                        .images = g_array_new(FALSE, FALSE, sizeof(guint)) };
    s.scores->wide = TRUE;
    if (!add_labels(&s, error) || !score_all(&s, broken, error)) {
        scores_free(&s.scores);
    }
    g_array_unref(s.images);
    g_free(s.embeddings);
    return s.scores;
}
