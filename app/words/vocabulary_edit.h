/* A label as a person wants it: what differs from what is there is changed, in one step. */
#pragma once

#include "app/store/vocabulary.h"

G_BEGIN_DECLS

/* Every field as it is to be; texts may be NULL or "" for none. Lists end with NULL. */
typedef struct {
    gint64 label;                 /* 0: a new one */
    char *name, *prompt, *colour, *key, *note;
    gboolean favourite, listed;
    GStrv synonyms;               /* one that is missing is a label of its own again */
    GStrv parents, groups;        /* parents that are no labels yet are added */
} VocabularyWish;

void vocabulary_wish_clear(VocabularyWish *wish);

/* All or nothing. The label, or 0 with an error. */
gint64 vocabulary_edit(store *s, const VocabularyWish *wish, GError **error);
/* "a, b" with commas between, blanks around names do not count; ends with NULL. A name that
 * stands twice is taken once. */
GStrv vocabulary_split_names(const char *text);
/* Adds labels from a text: a line each, or with commas between where it is one line. The
 * number of names, or -1 with an error, when nothing was added. */
int vocabulary_add_text(store *s, const char *text, GError **error);

G_END_DECLS
