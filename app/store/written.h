/* The keywords that exports wrote into sidecars beside images. A sidecar belongs to
 * many programs; what stands here is ours and may be taken out again, all else may not.
 */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

/* The keywords of a field of the sidecar at `path`, sorted; to be freed with
 * g_ptr_array_unref. */
GPtrArray *store_written(store *s, const char *path, const char *field, GError **error);
/* Replaces them. keywords: of char *. */
gboolean store_set_written(store *s, const char *path, const char *field,
                           const GPtrArray *keywords, GError **error);

G_END_DECLS
