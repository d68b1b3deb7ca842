/* Thresholds by model and label, what models said of what people decided, and the filters
 * that a person saved. Like the rest of a store for one thread at a time. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

#define STORE_DEFAULT_THRESHOLD 0.5

/* value: 0..1; below 0 takes it away. model: as decisions name it. */
gboolean store_set_threshold(store *s, const char *model, gint64 label, double value,
                             GError **error);
/* -1 when there is none. */
double store_threshold(store *s, const char *model, gint64 label);

/* What a model said of an image and what holds of it. */
typedef struct {
    gint64 image, label;
    const char *name, *prompt;
    double confidence;    /* the newest prediction, or that of the decision */
    StoreVerdict verdict; /* a person's; STORE_CLEARED while nobody decided */
} StoreJudged;

typedef gboolean (*StoreJudgedFunc)(const StoreJudged *judged, gpointer user_data);

/* By label, prompt and image; label 0: of all labels. `func` ends it early by returning
 * FALSE. */
gboolean store_each_judged(store *s, const char *model, gint64 label, StoreJudgedFunc func,
                           gpointer user_data, GError **error);
/* Names of the models that said something, the newest first. */
GStrv store_models(store *s, GError **error);

/* --- Saved filters ----------------------------------------------------------------- */

/* query: NULL takes it away. */
gboolean store_save_filter(store *s, const char *name, const char *query, GError **error);
/* Names, in the order of the alphabet. */
GStrv store_filters(store *s, GError **error);
/* To be freed; NULL when there is none of that name. */
char *store_filter(store *s, const char *name);

G_END_DECLS
