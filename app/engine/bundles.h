/* The models that a person installed, as far as their folders tell without opening them, and
 * removing them. Any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

struct bundle {
    char *name, *licence, *about; /* UTF-8; "" where the model does not say */
    guint64 bytes;                /* of its files */
};

/* Of struct bundle, by name: every folder in `dir` with a model.json. One that cannot be read
 * says nothing of itself. */
GPtrArray *bundles_list(const char *dir);
/* Removes the folder of a bundle and the files in it. Refused for names that leave `dir`, for
 * folders without a model.json, and for links. A folder in it is left, with an error. */
gboolean bundles_remove(const char *dir, const char *name, GError **error);

G_END_DECLS
