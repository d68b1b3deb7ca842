/* A training that can go on: a safetensors file with the values, moments and averages of
 * every variable (`value.NAME`, `first.NAME`, `second.NAME`, `average.NAME`) and, as
 * metadata, the step and the options. It takes the place of an older one only when it is
 * whole. */
#pragma once

#include "compute/train/step.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* An option as text. A training goes on only with the options that it began with. */
struct checkpoint_option { const char *name; char *value; };

/* `options` end with a NULL name. */
gboolean checkpoint_save(const char *path, struct train_step *step, guint64 done,
                         const struct checkpoint_option *options, GError **error);
/* The steps that were done, after a check of the options. */
gboolean checkpoint_read_step(const char *path, const struct checkpoint_option *options,
                              guint64 *done, GError **error);
gboolean checkpoint_load(const char *path, struct train_step *step, GError **error);

G_END_DECLS
