/* The vocabulary of a workspace, for a list that a person manages: read and changed on the
 * thread of the store. The labels of the workspace follow every change. Main thread only.
 *
 * Signals of the workspace: "vocabulary" (const char *): it was read again, after a change
 * that the text tells of, or NULL; "counted" (gint64 label, guint): an answer to
 * tl_workspace_count_decided. What fails is told by "failed". */
#pragma once

#include "app/words/vocabulary_edit.h"
#include "app/workspace/workspace.h"

G_BEGIN_DECLS

/* Of VocabularyEntry, as read last; borrowed until the next "vocabulary". */
const GPtrArray *tl_workspace_vocabulary(TlWorkspace *self);
/* Ids (gint64) of the labels that are used in the open folder; NULL when all are. The same. */
const GArray *tl_workspace_folder_labels(TlWorkspace *self);
void tl_workspace_read_vocabulary(TlWorkspace *self);

/* Takes over what is in the wish. */
void tl_workspace_edit_label(TlWorkspace *self, VocabularyWish *wish);
void tl_workspace_merge_labels(TlWorkspace *self, gint64 from, gint64 into);
/* Labels of a list, as vocabulary_add_text. */
void tl_workspace_add_text(TlWorkspace *self, const char *text);
/* A file of app/words/vocabulary_file.h; a name that ends in .txt is written as a list. */
void tl_workspace_import_labels(TlWorkspace *self, const char *path);
void tl_workspace_export_labels(TlWorkspace *self, const char *path);
/* The labels that are used in the open folder and below it; n = 0: all. */
void tl_workspace_set_folder_labels(TlWorkspace *self, const gint64 *labels, guint n);
/* Whether one label is: out of all, or of those that are used until now. */
void tl_workspace_use_in_folder(TlWorkspace *self, gint64 label, gboolean used);
/* The label of that name or other name, as read last; or 0. */
gint64 tl_workspace_find_name(TlWorkspace *self, const char *name);
/* On how many images a label is decided; the answer is a signal. */
void tl_workspace_count_decided(TlWorkspace *self, gint64 label);

G_END_DECLS
