/* The sentence that goes with a training picture: "a photo of x, y and z". */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether the text encoder sees all of a text. */
typedef gboolean (*caption_fits)(const char *text, gpointer data);

/* The labels joined by ", " and, before the last one, " and ", in the prompt (its %s).
 * Labels are taken in their order; one with which the text would no longer fit is left
 * out, so no separator dangles. Without any label that fits it is the prompt of nothing,
 * with no blank at the end. */
char *caption_make(const char *prompt, const char *const *labels, guint n,
                   caption_fits fits, gpointer data);

G_END_DECLS
