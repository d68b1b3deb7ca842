/* Finding the files that a layout is made of. */
#pragma once

#include "app/dataset/dataset_private.h"

G_BEGIN_DECLS

/* For g_ptr_array_sort of texts. */
int files_by_name(gconstpointer a, gconstpointer b);
/* Paths below `folder`, relative to it, of the files whose names end in `suffix` in any
 * case, sorted; those of folders in it too when `deep`. Hidden ones are left out and links
 * to folders are not followed. A folder that cannot be read is an error. */
GPtrArray *files_list(const char *folder, const char *suffix, gboolean deep,
                      GError **error);
/* The same for a path that may be one file: *top is the folder, to be freed in any case. */
GPtrArray *files_list_or_one(const char *path, const char *suffix, char **top,
                             GError **error);
/* Whether there is such a file; FALSE for a folder that cannot be read. */
gboolean files_any(const char *folder, const char *suffix, gboolean deep);
/* dataset_find_root for a file of annotations, whose images lie beside it, or below or
 * beside its folder in `images`, with a folder for the split or without. `split` may be
 * NULL. */
void files_find_root(struct dataset *d, guint first, const char *path, const char *split);
/* The name of an image beside which a file with a suffix stands, to be freed: of
 * "day/quay.jpg.xmp" "day/quay.jpg", of "day/quay.xmp" "day/quay". */
char *files_owner(const char *sidecar);
/* The text of a file of at most `limit` bytes, UTF-8 without a byte order mark, to be
 * freed. */
char *files_read_text(const char *path, gsize limit, GError **error);

G_END_DECLS
