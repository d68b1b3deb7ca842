/* The vocabulary as a file: JSON that holds all of it, or a plain list of names. */
#pragma once

#include "app/store/vocabulary.h"

G_BEGIN_DECLS

/* The JSON text of the whole vocabulary, to be freed: the same for the same vocabulary.
 * Labels that were taken from the list are in it, marked. */
char *vocabulary_file_write(store *s, GError **error);
/* The names of the labels that are listed, a line each, to be freed. */
char *vocabulary_file_list(store *s, GError **error);
/* Takes in what a file holds, whichever of both it is: adds labels, names, parents, groups
 * and folder sets, and sets colours, keys, notes and prompts that it gives. Nothing is
 * taken away. name: of the file, for messages. All or nothing; *labels, which may be NULL,
 * counts the labels of the file. */
gboolean vocabulary_file_read(store *s, const char *text, const char *name, guint *labels,
                              GError **error);

G_END_DECLS
