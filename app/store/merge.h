/* Joining databases without loss.
 *
 * Images are the same by content, labels by name, events by the name that each got when it
 * was made, so merging twice changes nothing and the order does not matter: what holds of a
 * pair is what was decided last, wherever.
 *
 * What is said of labels (names that stand for others, wordings, colours, keys, notes,
 * favourites, parents, groups, folder sets, thresholds) and saved filters are taken where
 * the database has nothing; where it has something else, that stays and the other is told.
 * Notes are joined line by line. Where sources differ about what the database does not
 * have, which one is taken does not depend on their order. */
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
    gint64 vocabulary; /* things said of labels, and filters */
} MergeCounts;

/* Something that a source says and that did not come into the database. */
typedef struct {
    const char *what; /* "colour", "parent", "folder set", … */
    char *subject;    /* the label, folder (encoding of file names) or filter */
    char *detail;     /* the model of a threshold, else "" */
    char *kept;       /* what the database has, or why it cannot be */
    char *other;      /* what the source says; of a folder, a label a line */
    char *source;     /* its author, or the file's name without its suffix */
} MergeDifference;

GPtrArray *merge_differences_new(void);

/* Brings everything that the sources [n] hold into `into`, in one transaction. A source that
 * is `into` itself adds nothing. Sources are brought to this version's format, and else left
 * as they are. `counts` may be NULL, and so may `differences` (merge_differences_new), to
 * which is appended what differs. */
gboolean merge_run(store *into, const MergeSource *sources, gsize n, MergeCounts *counts,
                   GPtrArray *differences, GError **error);

/* Two people's last words on an image and label that differ: one accepted what the other
 * rejected. Calls `func` for each one's last decision, pair by pair, the first of a pair
 * having another image or label than the row before. `verdict` is theirs; `by_model` is
 * FALSE; an author without a name is "". Reads every decision. */
gboolean merge_each_conflict(store *s, StoreRowFunc func, gpointer user_data,
                             GError **error);

G_END_DECLS
