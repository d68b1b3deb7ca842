/* What a person did in one go: a step, which is taken back and brought back as a whole.
 *
 * Steps are decisions like others, only appended: undo appends events that name those they
 * take back, redo events that name those of undo. An event is in force while the chain of
 * those that take back one another behind it is of even length. So there is no limit, and
 * the history holds over restarts. Only what was decided at this machine is taken back. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

/* What holds for a pair from now on. */
typedef struct {
    gint64 image, label;
    char *name; /* of the label */
    StoreVerdict verdict;
} StoreChange;

/* An empty array of them, which frees its names. */
GArray *store_changes_new(void);
/* Decides as a part of a step, with what follows from it (vocabulary_decide); appends what
 * changed to `changes`. *step is 0 before its first part. Inside store_begin. */
gboolean store_decide_in_step(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                              const StoreSource *source, gint64 *step, GArray *changes,
                              GError **error);
/* Takes back the person's last step that is in force, what came last first. The changes to
 * be freed, empty when there is nothing to undo; NULL with an error when nothing was taken
 * back. */
GArray *store_undo(store *s, GError **error);
/* Brings back the step that was taken back last, unless something was decided since. As
 * store_undo. */
GArray *store_redo(store *s, GError **error);

G_END_DECLS
