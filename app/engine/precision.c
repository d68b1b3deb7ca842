#include "app/engine/precision.h"

#include "app/engine/prompts.h"

#include <math.h>

struct question {
    const struct model *model;
    struct session_params params;
    const float *pixels;
    guint n_images;
    const char *const *prompts;
    guint n_labels;
};

/* confidence: [n_images, n_labels]. */
static gboolean answer(const struct question *q, struct session *session,
                       float *confidence, enum nn_status *status, struct nn_error *error)
{
    const struct model_info *info = model_info(q->model);
    gsize row = (gsize)session_token_count(session) * info->token_width;
    g_autofree float *tokens = g_new(float, MAX(row * q->n_images, 1));
    g_autofree float *embeddings = NULL;
    if (info->open_vocabulary) {
        embeddings = g_new(float, MAX((gsize)q->n_labels * info->embedding, 1));
        if (!prompts_encode(session, q->model, q->prompts, q->n_labels, embeddings, NULL,
                            status, error)) {
            return FALSE;
        }
    }
    *status = session_encode_image(session, q->pixels, q->n_images, tokens, NULL, error);
    if (*status == NN_OK) {
        *status = session_score(session, tokens, q->n_images, embeddings, q->n_labels,
                                confidence, NULL, error);
    }
    return *status == NN_OK;
}

static gboolean answer_in(struct question *q, enum gpu_precision precision,
                          float *confidence, enum nn_status *status,
                          struct nn_error *error)
{
    struct session *session = NULL;
    q->params.device.choice.precision = precision;
    *status = session_create(&session, q->model, &q->params, error);
    gboolean good = *status == NN_OK && answer(q, session, confidence, status, error);
    session_destroy(&session);
    return good;
}

static struct precision_effect effect_of(const float *f32, const float *f16,
                                         guint n_images, guint n_labels)
{
    struct precision_effect e = { .count = n_images * n_labels, .largest = -1 };
    for (guint i = 0; i < e.count; i++) {
        double difference = fabs((double)f16[i] - f32[i]);
        e.mean += difference / e.count;
        if (difference > e.largest) {
            e.largest = difference;
            e.image = i / n_labels;
            e.label = i % n_labels;
            e.f32 = f32[i];
            e.f16 = f16[i];
        }
    }
    return e;
}

gboolean precision_compare(const struct model *model, const struct session_params *params,
                           const float *pixels, guint n_images,
                           const char *const *prompts, guint n_prompts,
                           struct precision_effect *out, enum nn_status *status,
                           struct nn_error *error)
{
    size_t n_fixed = 0;
    model_labels(model, &n_fixed);
    gboolean open = model_info(model)->open_vocabulary;
    struct question q = { model, *params, pixels, n_images, prompts,
                          open ? n_prompts : (guint)n_fixed };
    if (n_images == 0 || q.n_labels == 0) {
        *status = nn_fail(error, NN_ERROR_INVALID,
                          "precisions are compared on images and labels; none were given");
        return FALSE;
    }
    g_autofree float *f32 = g_new(float, (gsize)n_images * q.n_labels);
    g_autofree float *f16 = g_new(float, (gsize)n_images * q.n_labels);
    if (!answer_in(&q, GPU_PRECISION_F16, f16, status, error)
        || !answer_in(&q, GPU_PRECISION_F32, f32, status, error)) {
        return FALSE;
    }
    *out = effect_of(f32, f16, n_images, q.n_labels);
    return TRUE;
}
