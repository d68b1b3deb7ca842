/* What a model says of itself, for places with room for a line. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The first sentence of `text`, without line breaks; "" of one that holds none. To be freed,
 * UTF-8 whatever the text is. */
char *about_first_sentence(const char *text);

G_END_DECLS
