/* What a file is: the hash of its content, and the size and time by which a later look
 * knows that it need not be read again. Any thread that owns the store it passes. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

struct identity {
    char *hash;          /* NULL while unknown */
    gint64 bytes, mtime; /* seconds */
    gint64 row;          /* in the store; 0 when its path was not seen like this */
};

void identity_clear(struct identity *id);
/* TRUE when the store has seen the path with this size and time; *out is then whole. */
gboolean identity_look_up(store *s, const char *path, struct identity *out);
/* Reads the file. */
gboolean identity_read(const char *path, GCancellable *cancellable, struct identity *out,
                       GError **error);
/* Whether the file still has that size and time. */
gboolean identity_holds(const struct identity *id, const char *path);
/* Puts the image and its path into the store unless they are there. The row of the image,
 * or 0 with an error. */
gint64 identity_put(store *s, const char *path, const struct identity *id, GError **error);

G_END_DECLS
