/* Images as the store knows them: by content. A file's hash is taken again only when its
 * size or time changed. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

/* What is found out about a file; hash NULL and `row` set: the store has it already. */
struct known_image {
    gint64 row;
    char *hash; /* to be freed */
    gint64 bytes, mtime;
    int width, height;
};

/* Writes nothing, so that a folder of new files can be read before a transaction begins. */
gboolean known_image_find(store *s, const char *path, struct known_image *out,
                          GError **error);
/* The row, made when missing; 0 on failure. */
gint64 known_image_put(store *s, const char *path, const struct known_image *image,
                       GError **error);

G_END_DECLS
