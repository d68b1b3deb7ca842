/* Thresholds by model and label, and the filters that a person saved. Like the rest of a
 * store for one thread at a time. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

#define STORE_DEFAULT_THRESHOLD 0.5

/* value: 0..1; below 0 takes it away. model: as decisions name it. */
gboolean store_set_threshold(store *s, const char *model, gint64 label, double value,
                             GError **error);
/* -1 when there is none. */
double store_threshold(store *s, const char *model, gint64 label);

/* --- Saved filters ----------------------------------------------------------------- */

/* query: NULL takes it away. */
gboolean store_save_filter(store *s, const char *name, const char *query, GError **error);
/* Names, in the order of the alphabet. */
GStrv store_filters(store *s, GError **error);
/* To be freed; NULL when there is none of that name. */
char *store_filter(store *s, const char *name);

G_END_DECLS
