#include "app/commands/evaluate_model.h"

#include "app/commands/commands.h"
#include "app/commands/progress.h"
#include "app/engine/prompts.h"
#include "app/tagger/tagger.h"
#include "compute/weights/weights.h"

#include <math.h>

struct scorer {
    const struct dataset *data;
    struct scores *scores;
    struct model *model;
    struct session *session;
    float *embeddings;          /* [labels, embedding]; NULL for a fixed head */
    GArray *images;             /* guint: indices into the data set, as they are run */
    guint taken;                /* of them */
    struct progress progress;
};

/* --- The model ------------------------------------------------------------------------ */

static gboolean fail(const struct nn_error *error)
{
    command_fail(COMMAND_FAILED, "%s", error->text);
    return FALSE;
}

static gboolean open_model(struct scorer *s, const char *name, const char *device)
{
    struct nn_error error = { 0 };
    g_autofree char *path = command_find_model(name);
    g_autofree char *cache = command_cache_dir();
    struct session_params params = {
        .device = { .select = device, .cache_dir = cache, .family = -1 } };
    if (model_open(&s->model, (const char *const[]){ path }, 1, NULL, &error) != NN_OK) {
        return fail(&error);
    }
    if (model_info(s->model)->kind == MODEL_PARTS) {
        command_fail(COMMAND_FAILED, "%s: this holds parts of a model only", path);
        return FALSE;
    }
    return session_create(&s->session, s->model, &params, &error) == NN_OK
           || fail(&error);
}

static void add_fixed_labels(struct scorer *s)
{
    size_t n = 0;
    const struct weights_label *fixed = model_labels(s->model, &n);
    for (size_t i = 0; i < n; i++) {
        scores_add_label(s->scores, fixed[i].name);
    }
}

static gboolean add_labels(struct scorer *s, const GArray *labels)
{
    const struct model_info *info = model_info(s->model);
    struct nn_error error = { 0 };
    enum nn_status status;
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    if (!info->open_vocabulary) {
        add_fixed_labels(s);
        return TRUE;
    }
    for (guint i = 0; i < labels->len; i++) {
        const char *label = dataset_label(s->data, g_array_index(labels, guint, i));
        scores_add_label(s->scores, label);
        g_ptr_array_add(prompts, prompts_fill(info->prompt, label));
    }
    s->embeddings = g_new(float, (gsize)labels->len * info->embedding);
    return prompts_encode(s->session, s->model, (const char *const *)prompts->pdata,
                          prompts->len, s->embeddings, NULL, &status, &error)
           || fail(&error);
}

/* --- The images ----------------------------------------------------------------------- */

/* Results come in the order of the images, broken ones among them. */
static gboolean put_batch(const struct tagger_item *items, guint n,
                          const struct tagger_stats *stats, gpointer data, GError **error)
{
    struct scorer *s = data;
    progress_hide(&s->progress);
    for (guint i = 0; i < n; i++) {
        guint image = g_array_index(s->images, guint, s->taken++);
        if (items[i].error) {
            command_fail(COMMAND_DONE, "%s", items[i].error->message);
            continue;
        }
        guint row = scores_add_image(s->scores, dataset_image_name(s->data, image));
        for (guint k = 0; k < s->scores->labels->len; k++) {
            if (!isfinite(items[i].confidence[k])) {
                g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                            "%s: the model's confidence is not a number",
                            dataset_image_name(s->data, image));
                return FALSE;
            }
            scores_set(s->scores, row, k, items[i].confidence[k]);
        }
    }
    progress_show(&s->progress, stats->tagged + stats->broken);
    return TRUE;
}

static gboolean score_all(struct scorer *s, const char *split, guint *broken)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    struct tagger_stats stats;
    for (guint i = 0; i < dataset_n_images(s->data); i++) {
        if (!split || g_strcmp0(dataset_image_split(s->data, i), split) == 0) {
            g_array_append_val(s->images, i);
            g_ptr_array_add(paths, dataset_image_path(s->data, i));
        }
    }
    struct tagger_params params = { .model = s->model, .session = s->session,
                                    .embeddings = s->embeddings,
                                    .n_labels = s->scores->labels->len, .put = put_batch,
                                    .data = s };
    s->progress = progress_start(paths->len);
    gboolean good = tagger_run(&params, paths, &stats, &error);
    progress_hide(&s->progress);
    *broken = stats.broken;
    if (!good) {
        command_fail(COMMAND_FAILED, "%s", error->message);
    }
    return good;
}

struct scores *evaluate_model(const char *model, const char *device,
                              const struct dataset *data, const GArray *labels,
                              const char *split, guint *broken)
{
    struct scorer s = { .data = data, .scores = scores_new(),
                        .images = g_array_new(FALSE, FALSE, sizeof(guint)) };
    s.scores->wide = TRUE;
    gboolean good = open_model(&s, model, device) && add_labels(&s, labels)
                    && score_all(&s, split, broken);
    if (!good) {
        scores_free(&s.scores);
    }
    session_destroy(&s.session);
    model_destroy(&s.model);
    g_array_unref(s.images);
    g_free(s.embeddings);
    return s.scores;
}
