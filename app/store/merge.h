/* Joining databases without loss.
 *
 * Images are the same by content, labels by name, events by the name that each got when it
 * was made, so merging twice changes nothing and the order does not matter: what holds of a
 * pair is what was decided last, wherever. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

typedef struct {
    const char *path;
    const char *author; /* for decisions of a person who has no name yet; NULL: the file's
                         * name without its suffix */
} MergeSource;

/* What came into the database that was not there. */
typedef struct {
    gint64 images, paths, labels, events, predictions;
} MergeCounts;

/* Brings everything that the sources [n] hold into `into`, in one transaction. A source that
 * is `into` itself adds nothing. Sources are brought to this version's format, and else left
 * as they are. `counts` may be NULL. */
gboolean merge_run(store *into, const MergeSource *sources, gsize n, MergeCounts *counts,
                   GError **error);

/* Two people's last words on an image and label that differ: one accepted what the other
 * rejected. Calls `func` for each one's last decision, pair by pair, the first of a pair
 * having another image or label than the row before. `verdict` is theirs; `by_model` is
 * FALSE; an author without a name is "". Reads every decision. */
gboolean merge_each_conflict(store *s, StoreRowFunc func, gpointer user_data,
                             GError **error);

G_END_DECLS
