/* What the files of merging share. */
#pragma once

#include "app/store/merge.h"
#include "app/store/store_private.h"

G_BEGIN_DECLS

/* Makes and removes the table that merge_collect_vocabulary fills. */
extern const char merge_vocabulary_table[], merge_vocabulary_forget[];

/* Collects what the attached database `source` says about labels; `name` is how that source
 * is called where it differs. */
gboolean merge_collect_vocabulary(store *into, const char *name, GError **error);

/* In a transaction, when all labels are there: joins synonyms, then brings what was
 * collected and `into` does not have. Adds to *changed what is new. What `into` has
 * otherwise, or cannot be, is appended to `differences`, which may be NULL. */
gboolean merge_bring_vocabulary(store *into, gint64 *changed, GPtrArray *differences,
                                GError **error);

G_END_DECLS
