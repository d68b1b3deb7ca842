/* Which images look alike: a hash of each one's looks, and its kin, the image whose
 * fate it shares when a data set is split. Kin is given once and stays, so that an
 * image is always in the same split. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

typedef struct {
    gint64 image;
    const char *hash;  /* of the content */
    const char *path;  /* only of what has no likeness yet; else "" */
    gboolean hashed;   /* FALSE: the picture could not be read */
    guint64 dhash;     /* of its looks (app/image/image_hash.h) */
    const char *kin;   /* hash of the content of an image; NULL: not given yet */
} StoreLikeness;

/* FALSE with an error set ends the pass. */
typedef gboolean (*StoreLikenessFunc)(const StoreLikeness *likeness, gpointer user_data,
                                      GError **error);

/* Images without a likeness, once for each of their paths, by hash of the content.
 * `func` may write through another connection only. */
gboolean store_each_unlike(store *s, StoreLikenessFunc func, gpointer user_data,
                           GError **error);
/* All others: those that have kin, then those that have none, each by hash of the
 * content. `func` may write through another connection only. */
gboolean store_each_likeness(store *s, StoreLikenessFunc func, gpointer user_data,
                             GError **error);
/* dhash: NULL when the picture cannot be read. */
gboolean store_put_likeness(store *s, gint64 image, const guint64 *dhash,
                            GError **error);
gboolean store_set_kin(store *s, gint64 image, const char *kin, GError **error);
/* To be freed; NULL when it has none. */
char *store_kin(store *s, gint64 image);

G_END_DECLS
