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

/* What a model said of an image, and what holds of it. */
typedef struct {
    gint64 image;
    const char *prompt, *author; /* author: of the decision */
    double confidence;    /* below 0: the model said nothing */
    const char *time;     /* of the prediction; "" for what a decision remembers */
    StoreVerdict verdict; /* STORE_CLEARED: nobody decided */
    gboolean by_model;    /* the decision */
} StoreJudged;

typedef gboolean (*StoreJudgedFunc)(const StoreJudged *judged, gpointer user_data);

/* Every image of which the model said something about the label, once for each prompt, and
 * then those of which only a decision is known, with the confidence that it remembers.
 * model: as decisions name it; NULL for none. `func` ends it early by returning FALSE. */
gboolean store_each_judged(store *s, const char *model, gint64 label, StoreJudgedFunc func,
                           gpointer user_data, GError **error);
/* What holds of any label, image by image, in no order: `image`, `verdict`, `by_model` and
 * `author` are set. */
gboolean store_each_verdict(store *s, StoreJudgedFunc func, gpointer user_data,
                            GError **error);
/* The models that said something, as decisions name them, in the order of the alphabet.
 * Reads every prediction. */
GStrv store_models(store *s, GError **error);

/* --- Saved filters ----------------------------------------------------------------- */

/* query: NULL takes it away. */
gboolean store_save_filter(store *s, const char *name, const char *query, GError **error);
/* Names, in the order of the alphabet. */
GStrv store_filters(store *s, GError **error);
/* To be freed; NULL when there is none of that name. */
char *store_filter(store *s, const char *name);

G_END_DECLS
