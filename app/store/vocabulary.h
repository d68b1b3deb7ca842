/* The vocabulary: what labels are called, how they hang together, what they look like.
 *
 * A name that stands for another label, be it a synonym, the name from before a renaming
 * or a label that was merged, is a label of its own that points to the other. So no event
 * is ever changed: what was decided about it counts for the label that it stands for, in
 * every list, export and training, and a merging can be taken back.
 *
 * Like the rest of a store for one thread at a time. A call that changes something does it
 * in one transaction, in the caller's where one is open. Errors are of STORE_ERROR. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

typedef struct {
    gint64 label;
    char *name;
    char *prompt;  /* app/words/prompt_expression.h; NULL: the name */
    char *colour;  /* "#rrggbb"; NULL: none */
    char *key;     /* one character; NULL: none */
    char *note;    /* NULL: none */
    gboolean favourite;
    gboolean listed;           /* FALSE: taken from the list, decisions stay */
    GStrv synonyms, parents, groups; /* names, in the order of the alphabet */
} VocabularyEntry;

/* All labels in the order in which they were added; names that stand for others are among
 * their synonyms. */
GPtrArray *vocabulary_load(store *s, GError **error);
/* What a label, or the one that it stands for, is called; to be freed. NULL when there is
 * none of that number. */
char *vocabulary_name(store *s, gint64 label);
/* One of them, by label, or NULL. Any thread. */
const VocabularyEntry *vocabulary_entry(const GPtrArray *entries, gint64 label);
/* What a person wrote for each of the labels (of char *): char *, NULL where it is the name
 * itself, or a label that is not there yet. */
GPtrArray *vocabulary_prompts(store *s, const GPtrArray *names, GError **error);
/* Borrowed entries whose name or synonyms hold `text`, whatever its case: those that begin
 * with it first, favourites before others. At most `most`. Any thread. */
GPtrArray *vocabulary_search(const GPtrArray *entries, const char *text, guint most);

/* --- Names ------------------------------------------------------------------------- */

/* Adds a label, or lists one that was taken from the list. Its id, or 0. */
gint64 vocabulary_add(store *s, const char *name, GError **error);
/* The old name goes on standing for it. An error when the name is another label's; merge
 * those. */
gboolean vocabulary_rename(store *s, gint64 label, const char *name, GError **error);
/* What was decided about `from` counts for `into` from now on; where both were decided
 * about an image, what came last. `from` and its synonyms become synonyms of `into`,
 * parents, groups and folder sets are joined. */
gboolean vocabulary_merge(store *s, gint64 from, gint64 into, GError **error);
gboolean vocabulary_add_synonym(store *s, gint64 label, const char *name, GError **error);
/* The name is a label of its own again, with what was decided about it. */
gboolean vocabulary_split(store *s, const char *name, GError **error);

/* --- Looks and notes ------------------------------------------------------------------ */

typedef enum {
    VOCABULARY_PROMPT,
    VOCABULARY_COLOUR, /* "#rrggbb" */
    VOCABULARY_KEY,    /* one character; taken from the label that had it */
    VOCABULARY_NOTE,
} VocabularyField;

/* text: NULL or "" for none. The prompt is not looked into. */
gboolean vocabulary_set(store *s, gint64 label, VocabularyField field, const char *text,
                        GError **error);
gboolean vocabulary_set_favourite(store *s, gint64 label, gboolean favourite,
                                  GError **error);

/* --- How labels hang together ------------------------------------------------------------ */

/* Who accepts `label` accepts `parent`. Refused where it would make a circle, or a label
 * that implies two of an exclusive group. */
gboolean vocabulary_add_parent(store *s, gint64 label, gint64 parent, GError **error);
gboolean vocabulary_remove_parent(store *s, gint64 label, gint64 parent, GError **error);
/* Of a group only one may hold. A group is there while it has labels. */
gboolean vocabulary_add_to_group(store *s, gint64 label, const char *group, GError **error);
gboolean vocabulary_remove_from_group(store *s, gint64 label, const char *group,
                                      GError **error);

/* The labels that are used in a folder and below it (encoding of file names), in order;
 * n = 0 takes the set away. */
gboolean vocabulary_set_folder(store *s, const char *folder, const gint64 *labels, guint n,
                               GError **error);
/* Ids of the set of `folder`, or of the nearest folder above that has one; NULL when none
 * has. */
GArray *vocabulary_folder(store *s, const char *folder);
/* Folders that have a set. */
GPtrArray *vocabulary_folders(store *s, GError **error);

/* --- Deciding ------------------------------------------------------------------------------ */

typedef struct {
    gint64 label;
    StoreVerdict before, after;
    gint64 because; /* the label whose decision brought it; 0: what was decided itself */
} VocabularyChange;

/* Decides, and what follows from it: who accepts a label accepts its parents and theirs,
 * and rejects the others of their exclusive groups; who rejects a label rejects what was
 * accepted and implies it. Each is an event of the same source that names the event which
 * brought it; one that changes nothing is not written. store_undo takes all back together.
 * Returns the changes (of VocabularyChange), the decision itself first; none when a
 * person's decision stands over that of a model. NULL on failure, when nothing was
 * written. */
GArray *vocabulary_decide(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                          const StoreSource *source, GError **error);
/* store_accept_once, and what follows from it as in vocabulary_decide. */
gboolean vocabulary_accept_once(store *s, gint64 image, gint64 label,
                                const StoreSource *source, gboolean *added, GError **error);

G_END_DECLS
