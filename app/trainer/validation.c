#include "app/trainer/validation.h"

#include "app/metrics/evaluation.h"
#include "app/metrics/score_set.h"

gboolean validation_check(const struct training_set *set, const char *split,
                          GError **error)
{
    for (guint i = 0; i < dataset_n_images(set->data); i++) {
        if (g_strcmp0(dataset_image_split(set->data, i), split) == 0) {
            return TRUE;
        }
    }
    g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                "the data set has no images of the split \"%s\" to measure on", split);
    return FALSE;
}

/* The training names broken pictures; here they have no scores, which is bad enough. */
static void ignore_broken(const char *message, gpointer data)
{
}

static void ignore_progress(guint done, guint total, gpointer data)
{
}

static gboolean measure(const struct scores *scores, const struct validation_params *p,
                        double *out, GError **error)
{
    struct evaluation_params params = { .seen = p->set->labels, .split = p->split,
                                        .threshold = 0.5 };
    struct evaluation *e = evaluation_run(scores, p->set->data, &params, error);
    if (e) {
        *out = 100 * e->parts[e->n_parts - 1].map[METRICS_TIES_LOW_INDEX].present;
    }
    gboolean good = e != NULL;
    evaluation_free(&e);
    return good;
}

static gboolean score(const struct validation_params *p, struct model *model,
                      struct session *session, double *out, GError **error)
{
    guint broken = 0;
    struct score_set_params params = { .model = model, .session = session,
                                       .data = p->set->data, .labels = p->set->columns,
                                       .word_vectors = p->word_vectors,
                                       .split = p->split, .jobs = p->jobs,
                                       .broken = ignore_broken,
                                       .progress = ignore_progress };
    struct scores *scores = score_set(&params, &broken, error);
    gboolean good = scores && measure(scores, p, out, error);
    scores_free(&scores);
    return good;
}

gboolean validation_run(const struct validation_params *p, double *out, GError **error)
{
    struct nn_error failure = { 0 };
    struct model *model = NULL;
    struct session *session = NULL;
    struct session_params params = {
        .device = { .select = p->device, .cache_dir = p->cache_dir, .family = -1,
                    .choice = { .precision = GPU_PRECISION_F32 } } };
    gboolean good = model_open(&model, &p->model, 1, NULL, &failure) == NN_OK
                    && session_create(&session, model, &params, &failure) == NN_OK;
    if (!good) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure.text);
    }
    good = good && score(p, model, session, out, error);
    session_destroy(&session);
    model_destroy(&model);
    return good;
}
