/* Finding a file again of which only a name is known, or the content: the folders above it
 * may be others than where the name was written down. One thread at a time. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct locator;

struct locator *locator_new(void);
void locator_free(struct locator **l);
/* path: copied; in the encoding of file names. */
void locator_add(struct locator *l, const char *path);

/* The path that agrees with `name` (UTF-8, with `/` or `\` between its parts) in most of
 * its last parts, *parts of them: borrowed. A name without the suffix of an image is that
 * of a file without its own. NULL when there is none, or when two agree as well. */
const char *locator_by_name(const struct locator *l, const char *name, guint *parts);
/* The first path whose content has that SHA-256, borrowed, or NULL. bytes: its size, so
 * that only files of that size are read; 0: not known. */
const char *locator_by_content(struct locator *l, const char *hash, gint64 bytes);

G_END_DECLS
