/* What is known of images, for lists that a person goes through. Like the rest of a store
 * for one thread at a time. Functions given to it end a list early by returning FALSE. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

typedef struct {
    gint64 image;
    const char *path, *hash; /* path: encoding of file names */
    gint64 bytes, mtime;     /* when it was seen last; mtime: seconds since 1970 */
    int width, height;       /* 0: unknown */
} StorePlace;

typedef gboolean (*StorePlaceFunc)(const StorePlace *place, gpointer user_data);

/* Every path, in order. */
gboolean store_each_place(store *s, StorePlaceFunc func, gpointer user_data,
                          GError **error);

/* What a model said of an image, and what holds of it. */
typedef struct {
    gint64 image, label;
    const char *prompt, *author; /* author: of the decision */
    double confidence;    /* below 0: the model said nothing */
    const char *time;     /* of the prediction; "" for what a decision remembers */
    StoreVerdict verdict; /* STORE_CLEARED: nobody decided */
    gboolean by_model;    /* the decision */
} StoreJudged;

typedef gboolean (*StoreJudgedFunc)(const StoreJudged *judged, gpointer user_data);

/* Every image of which the model said something about the label, once for each prompt, and
 * then those of which only a decision is known, with the confidence that it remembers.
 * model: as decisions name it; NULL for none. */
gboolean store_each_judged(store *s, const char *model, gint64 label, StoreJudgedFunc func,
                           gpointer user_data, GError **error);
/* What holds of any label, image by image, in no order: `image`, `label`, `verdict`,
 * `by_model` and `author` are set. */
gboolean store_each_verdict(store *s, StoreJudgedFunc func, gpointer user_data,
                            GError **error);
/* On how many images a label, or the one that it stands for, is accepted or rejected now. */
guint store_count_decided(store *s, gint64 label);
/* The models that said something, as decisions name them, in the order of the alphabet.
 * Reads every prediction. */
GStrv store_models(store *s, GError **error);
/* How decisions name the model that a person calls `name`: the mark itself, or the name in
 * it. To be freed; NULL with an error when there is none, or several. */
char *store_find_model(store *s, const char *name, GError **error);
/* The label of that name or synonym, whatever its case where no other fits; or 0. */
gint64 store_find_label_like(store *s, const char *name);

G_END_DECLS
