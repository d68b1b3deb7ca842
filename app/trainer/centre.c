#include "app/trainer/centre.h"

#include <math.h>
#include <string.h>

struct centre {
    guint labels, width, embedding;
    float *rows;        /* [labels,width]: what the last norm gives the end tokens */
    float *projection;  /* [width,embedding] */
    float *mean;        /* [width] of the rows */
    float scale;
};

static gboolean fail(const struct nn_error *failure, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure->text);
    return FALSE;
}

/* The index of a trained variable, or the count when there is none of that name. */
static size_t find(const struct train_step *step, const char *name)
{
    size_t i = 0, n = train_step_count(step);
    while (i < n && strcmp(train_step_variable(step, i)->entry->name, name) != 0) {
        i++;
    }
    return i;
}

/* --- What the encoder makes of the labels ------------------------------------------------ */

static void pick_ends(struct centre *c, const struct texts *texts, const float *all)
{
    c->rows = g_new(float, (gsize)c->labels * c->width);
    for (guint l = 0; l < c->labels; l++) {
        gsize row = (gsize)l * texts->length + (gsize)texts->eot[l];
        memcpy(c->rows + (gsize)l * c->width, all + row * c->width,
               c->width * sizeof(float));
    }
}

static gboolean run_encoder(struct centre *c, const struct model *model,
                            const struct texts *texts, const struct session_params *params,
                            GError **error)
{
    struct nn_error failure = { 0 };
    struct nn_graph *graph = NULL;
    struct session *session = NULL;
    struct model_inputs inputs = { .tokens = NN_SHAPE2(c->labels, texts->length) };
    enum nn_status status = model_forward_graph(&graph, model, &inputs, &failure);
    if (status == NN_OK) {
        status = session_create(&session, model, params, &failure);
    }
    if (status == NN_OK) {
        nn_id last = nn_graph_find(graph, "text.ln_final");
        uint64_t count = nn_shape_count(nn_graph_node(graph, last)->shape);
        c->width = nn_graph_node(graph, last)->shape.dim[2];
        g_autofree float *all = g_new(float, count);
        struct nn_binding in[2] = {
            { "tokens", texts->ids, nn_shape_count(inputs.tokens) },
            { "text.eot", texts->eot, c->labels } };
        struct nn_binding out = { "text.ln_final", all, count };
        status = session_run(session, graph, in, 2, &out, 1, NULL, &failure);
        pick_ends(c, texts, all);
    }
    session_destroy(&session);
    nn_graph_destroy(&graph);
    return status == NN_OK || fail(&failure, error);
}

/* --- The norm that centres them ---------------------------------------------------------- */

static void find_mean(struct centre *c)
{
    c->mean = g_new0(float, c->width);
    for (guint l = 0; l < c->labels; l++) {
        for (guint k = 0; k < c->width; k++) {
            c->mean[k] += c->rows[(gsize)l * c->width + k] / (float)c->labels;
        }
    }
}

/* One over the root of the mean square of the centred embeddings. */
static void find_scale(struct centre *c)
{
    double square = 0;
    for (guint l = 0; l < c->labels; l++) {
        for (guint e = 0; e < c->embedding; e++) {
            double value = 0;
            for (guint k = 0; k < c->width; k++) {
                value += (c->rows[(gsize)l * c->width + k] - c->mean[k])
                         * c->projection[(gsize)k * c->embedding + e];
            }
            square += value * value / ((double)c->labels * c->embedding);
        }
    }
    c->scale = square > 0 ? (float)(1 / sqrt(square)) : 1; /* one label is its own mean */
}

static enum nn_status write_value(struct train_step *step, size_t index, const float *values,
                                  struct nn_error *error)
{
    enum nn_status status =
        train_step_write_slot(step, index, TRAIN_SLOT_VALUE, values, error);
    if (status == NN_OK && train_step_has(step, index, TRAIN_SLOT_AVERAGE)) {
        status = train_step_write_slot(step, index, TRAIN_SLOT_AVERAGE, values, error);
    }
    return status;
}

static gboolean write_norm(const struct centre *c, struct train_step *step, GError **error)
{
    struct nn_error failure = { 0 };
    g_autofree float *weight = g_new(float, c->width), *bias = g_new(float, c->width);
    for (guint k = 0; k < c->width; k++) {
        weight[k] = c->scale;
        bias[k] = -c->scale * c->mean[k];
    }
    return (write_value(step, find(step, "ln_final.weight"), weight, &failure) == NN_OK
            && write_value(step, find(step, "ln_final.bias"), bias, &failure) == NN_OK)
           || fail(&failure, error);
}

gboolean centre_texts(struct train_step *step, const struct model *model,
                      const struct texts *texts, const struct session_params *params,
                      GError **error)
{
    struct nn_error failure = { 0 };
    size_t projection = find(step, "text_projection");
    if (projection == train_step_count(step)) {
        return TRUE;
    }
    const struct state_entry *entry = train_step_variable(step, projection)->entry;
    struct centre c = { .labels = texts->set->labels->len,
                        .embedding = (guint)entry->shape[1],
                        .projection = g_new(float, entry->count) };
    gboolean good = train_step_read_slot(step, projection, TRAIN_SLOT_VALUE, c.projection,
                                         &failure) == NN_OK
                    || fail(&failure, error);
    good = good && run_encoder(&c, model, texts, params, error);
    if (good) {
        find_mean(&c);
        find_scale(&c);
        good = write_norm(&c, step, error);
    }
    g_free(c.rows);
    g_free(c.projection);
    g_free(c.mean);
    return good;
}
