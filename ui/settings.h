/* What the window remembers from one start to the next. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The value of a text setting, to be freed; NULL when it is empty, or when the program runs
 * without its schema (not installed). */
char *settings_get(const char *key);
/* A number, or `otherwise` without the schema. */
double settings_get_number(const char *key, double otherwise);
void settings_set_number(const char *key, double value);
void settings_set(const char *key, const char *value);

G_END_DECLS
