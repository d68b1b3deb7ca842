/* Images with all that is known of each, for exports: one image at a time, so that the
 * memory does not grow with the database. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

/* What is known of an image and a label. */
typedef struct {
    gint64 label;
    const char *name;
    StoreVerdict verdict; /* STORE_CLEARED: a model scored it and nobody decided */
    gboolean by_model;
    /* What the decision says; where it has no score, the newest prediction fills in
     * score, model, prompt. Below 0: unknown. */
    double score, threshold;
    double predicted; /* the newest prediction whatever was decided; below 0: none */
    const char *model, *prompt, *author;
    const char *time; /* of the decision or prediction, as store_time() writes it */
} StoreTag;

typedef struct {
    gint64 file, image; /* as in StoreRow */
    const char *path, *hash;
    int width, height;
    const StoreTag *tags; /* by name; valid like all else until the function returns */
    guint n_tags;
} StoreItem;

/* FALSE with an error set ends the pass. */
typedef gboolean (*StoreItemFunc)(const StoreItem *item, gpointer user_data,
                                  GError **error);

/* Every image with a path, by path. A label that was taken from the list counts where
 * something was decided about it. */
gboolean store_each_item(store *s, StoreItemFunc func, gpointer user_data,
                         GError **error);
/* The same with predictions of that model only, named as decisions do or by a person's
 * name for it, whichever of that name; NULL: of any. */
gboolean store_each_item_of(store *s, const char *model, StoreItemFunc func,
                            gpointer user_data, GError **error);
/* The same for paths in a folder and below it (encoding of file names); NULL: all. */
gboolean store_each_item_in(store *s, const char *folder, const char *model,
                            StoreItemFunc func, gpointer user_data, GError **error);
/* How many store_each_item gives. */
guint store_count_items(store *s);
/* What is read in between is of one moment, whatever others write meanwhile. */
gboolean store_begin_reading(store *s, GError **error);
void store_end_reading(store *s);

G_END_DECLS
