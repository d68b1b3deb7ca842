/* The keys of the window: which command has which, as a person chose them or as they come.
 * Main thread only. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

guint keys_count(void);
const char *keys_group(guint command);  /* a heading, translated */
const char *keys_title(guint command);  /* translated */
/* Accelerators with blanks between, as GTK parses them; "" for none. Borrowed until they
 * change. */
const char *keys_of(guint command);
gboolean keys_are_own(guint command);   /* a person chose them */

/* Reads what was chosen before and gives the application its accelerators. */
void keys_start(GtkApplication *app);
/* NULL: as it comes. FALSE when another command has one of them, *other (translated), or one
 * cannot be read; nothing is changed then. Kept in the settings. */
gboolean keys_set(GtkApplication *app, guint command, const char *accelerators,
                  const char **other);
/* The action of a key that is pressed without Ctrl and the like, or NULL. */
const char *keys_action(guint key);
/* The letters and digits that are commands, to be freed: no label has them. */
char *keys_letters(void);
/* The title of the command that a character stands for, or NULL: no label can have it.
 * Borrowed. */
const char *keys_command_of(gunichar character);

G_END_DECLS
