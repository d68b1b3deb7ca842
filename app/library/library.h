/* Finding images in folders. Any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether a file's name has the suffix of an image format that can be decoded. */
gboolean library_is_image_name(const char *name);
/* Appends the paths (file name encoding, owned by the array) of the images in folder
 * `path` in natural order, or `path` itself when it is a file. Hidden files are left out
 * and links to folders are not followed. */
gboolean library_scan(const char *path, gboolean recursive, GCancellable *cancellable,
                      GPtrArray *out, GError **error);
/* Paths of the regular files that are `stem` and the suffix of an image, owned by the
 * array. */
GPtrArray *library_list_stem(const char *stem);
/* The same with what lies below; the folders themselves go to `folders`. */
gboolean library_scan_tree(const char *path, GCancellable *cancellable, GPtrArray *out,
                           GPtrArray *folders, GError **error);
/* SHA-256 of the content in hex, with its size in bytes. */
char *library_hash(const char *path, GCancellable *cancellable, gint64 *bytes,
                   GError **error);

G_END_DECLS
