#include "app/trainer/centre.h"

#include <math.h>
#include <string.h>

static gboolean find(const struct train_step *step, const char *name, size_t *index)
{
    for (*index = 0; *index < train_step_count(step); (*index)++) {
        if (strcmp(train_step_variable(step, *index)->entry->name, name) == 0) {
            return TRUE;
        }
    }
    return FALSE;
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

static void mean_of(const float *rows, guint n, guint width, double *out)
{
    memset(out, 0, width * sizeof *out);
    for (guint i = 0; i < n; i++) {
        for (guint k = 0; k < width; k++) {
            out[k] += rows[(gsize)i * width + k] / (double)n;
        }
    }
}

static double dot(const float *weight, const float *row, const double *mean, guint width)
{
    double sum = 0;
    for (guint k = 0; k < width; k++) {
        sum += weight[k] * ((row ? row[k] : 0) - mean[k]);
    }
    return sum;
}

/* weight [queries,width] and bias [queries], in place. */
static void rescale(float *weight, float *bias, guint queries, const float *embeddings,
                    guint n, guint width)
{
    g_autofree double *mean = g_new(double, width);
    double square = 0;
    mean_of(embeddings, n, width, mean);
    for (guint i = 0; i < n; i++) {
        for (guint q = 0; q < queries; q++) {
            double z = dot(weight + (gsize)q * width, embeddings + (gsize)i * width, mean,
                           width);
            square += z * z / ((double)n * queries);
        }
    }
    float factor = square > 0 ? (float)(1 / sqrt(square)) : 1;
    for (guint q = 0; q < queries; q++) {
        for (guint k = 0; k < width; k++) {
            weight[(gsize)q * width + k] *= factor;
        }
        bias[q] = (float)dot(weight + (gsize)q * width, NULL, mean, width);
    }
}

gboolean centre_queries(struct train_step *step, const float *embeddings, guint labels,
                        guint width, GError **error)
{
    struct nn_error failure = { 0 };
    size_t w, b;
    if (!find(step, "head.wordvec_proj.weight", &w)
        || !find(step, "head.wordvec_proj.bias", &b)) {
        return TRUE; /* embeddings are the queries; there is nothing to move */
    }
    const struct state_entry *entry = train_step_variable(step, w)->entry;
    g_autofree float *weight = g_new(float, entry->count);
    g_autofree float *bias = g_new(float, train_step_variable(step, b)->entry->count);
    enum nn_status status =
        train_step_read_slot(step, w, TRAIN_SLOT_VALUE, weight, &failure);
    if (status == NN_OK) {
        rescale(weight, bias, (guint)entry->shape[0], embeddings, labels, width);
        status = write_value(step, w, weight, &failure);
    }
    if (status == NN_OK) {
        status = write_value(step, b, bias, &failure);
    }
    if (status != NN_OK) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure.text);
    }
    return status == NN_OK;
}
