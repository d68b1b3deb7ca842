/* The sentence that goes with a training picture: "a photo of x, y and z". */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The labels joined by ", " and, before the last one, " and ", in the prompt (its %s). No
 * separator dangles; of no labels it is the prompt of nothing, with no blank at the end. */
char *caption_make(const char *prompt, const char *const *labels, guint n);

/* Tokens: how many there may be besides the prompt's own, and what separators take. */
struct caption_room { guint room, comma, and; };

/* Which of n labels, that take sizes[n] tokens, a caption has room for: each in its turn,
 * unless it would no longer fit. Their numbers to chosen[n]; returns how many. */
guint caption_choose(const struct caption_room *room, const guint *sizes, guint n,
                     guint *chosen);

G_END_DECLS
