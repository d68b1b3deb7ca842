/* Thresholds: each label has one for each model, kept in the store; and how far the model
 * can be trusted about a label, from what was decided in this folder. */
#include "app/store/thresholds.h"
#include "app/workspace/workspace_private.h"

/* A slider gives many values; the last one is kept. */
#define KEEP_MS 600

typedef struct {
    char *mark;    /* of the model */
    GStrv names;
    double *values; /* by name; below 0: none */
} Values;

static void values_free(gpointer data)
{
    Values *v = data;
    g_free(v->mark);
    g_strfreev(v->names);
    g_free(v->values);
    g_free(v);
}

static Values *values_new(TlWorkspace *self)
{
    Values *v = g_new0(Values, 1);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    v->mark = database_model_mark(self->model);
    v->values = g_new(double, self->labels->len + 1);
    for (guint l = 0; l < self->labels->len; l++) {
        const Label *label = self->labels->pdata[l];
        g_strv_builder_add(names, label->name);
        v->values[l] = label->own_threshold && !label->preview ? label->threshold : -1;
    }
    v->names = g_strv_builder_end(names);
    return v;
}

/* --- The store's ---------------------------------------------------------------------------- */

static void work_read(store *s, gpointer data, GError **error)
{
    Values *v = data;
    for (guint i = 0; v->names[i]; i++) {
        gint64 label = store_find_label(s, v->names[i]);
        v->values[i] = label ? store_threshold(s, v->mark, label) : -1;
    }
}

static void done_read(TlWorkspace *self, gpointer data, gboolean good)
{
    Values *v = data;
    for (guint i = 0; v->names[i]; i++) {
        int index = workspace_find_label(self, v->names[i]);
        if (index >= 0 && v->values[i] >= 0) {
            Label *label = self->labels->pdata[index];
            label->threshold = v->values[i];
            label->own_threshold = TRUE;
        }
    }
    g_signal_emit(self, workspace_signals[CHANGED], 0, NULL);
}

void thresholds_read(TlWorkspace *self)
{
    static const DatabaseTask task = { work_read, done_read, values_free };
    if (self->model) {
        database_do(self, &task, values_new(self));
    }
}

static void work_write(store *s, gpointer data, GError **error)
{
    Values *v = data;
    gboolean good = store_begin(s, error);
    for (guint i = 0; good && v->names[i]; i++) {
        gint64 label = v->values[i] >= 0 ? store_find_label(s, v->names[i]) : 0;
        good = !label || store_set_threshold(s, v->mark, label, v->values[i], error);
    }
    if (good) {
        store_commit(s, error);
    } else {
        store_rollback(s);
    }
}

static void done_write(TlWorkspace *self, gpointer data, gboolean good)
{
}

void thresholds_write(TlWorkspace *self)
{
    static const DatabaseTask task = { work_write, done_write, values_free };
    gboolean due = self->keep_timeout != 0;
    g_clear_handle_id(&self->keep_timeout, g_source_remove);
    if (due && self->model) {
        database_do(self, &task, values_new(self));
    }
}

static gboolean on_keep(gpointer data)
{
    thresholds_write(data);
    return G_SOURCE_REMOVE;
}

/* --- Setting --------------------------------------------------------------------------------- */

double tl_workspace_threshold(TlWorkspace *self, guint index)
{
    return index < self->labels->len ? ((Label *)self->labels->pdata[index])->threshold
                                     : self->threshold;
}

void tl_workspace_set_threshold(TlWorkspace *self, guint index, double threshold)
{
    Label *label = self->labels->pdata[index];
    label->threshold = CLAMP(threshold, 0, 1);
    label->own_threshold = TRUE;
    g_clear_handle_id(&self->keep_timeout, g_source_remove);
    self->keep_timeout = g_timeout_add(KEEP_MS, on_keep, self);
    g_signal_emit(self, workspace_signals[CHANGED], 0, NULL);
}

void tl_workspace_set_thresholds(TlWorkspace *self, double threshold)
{
    self->threshold = CLAMP(threshold, 0, 1);
    for (guint i = 0; i < self->labels->len; i++) {
        Label *label = self->labels->pdata[i];
        label->threshold = label->own_threshold ? label->threshold : self->threshold;
    }
    g_signal_emit(self, workspace_signals[CHANGED], 0, NULL);
}

/* --- Trust --------------------------------------------------------------------------------------- */

void tl_workspace_trust(TlWorkspace *self, guint label, double precision, TlTrust *out)
{
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(struct trust_pair));
    double threshold = tl_workspace_threshold(self, label);
    struct trust_fit fit;
    for (guint i = 0; i < self->images->items->len; i++) {
        TlImage *image = self->images->items->pdata[i];
        struct trust_pair pair = { (float)tl_image_confidence(image, label),
                                   (gint8)tl_image_verdict(image, label) };
        if (pair.confidence >= 0) {
            g_array_append_val(pairs, pair);
        }
    }
    const struct trust_pair *all = (const struct trust_pair *)pairs->data;
    trust_fit(all, pairs->len, &fit);
    out->counts = trust_count(all, pairs->len, threshold);
    out->probability = trust_probability(&fit, threshold);
    out->interval = trust_probability_interval(&fit, threshold);
    trust_find_threshold(all, pairs->len, precision, &out->wished);
}
