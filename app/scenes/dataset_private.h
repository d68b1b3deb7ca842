#pragma once

#include "app/scenes/dataset.h"
#include "app/scenes/scene.h"

G_BEGIN_DECLS

extern const char *const dataset_split_names[3];

/* The first picture of a split; of split 3: how many pictures there are. */
int dataset_split_start(const struct dataset_options *options, int split);
/* The split of a picture; -1 without splits. */
int dataset_split_of(const struct dataset_options *options, int picture);

/* All files but the pictures. scenes: [options->count]. */
gboolean dataset_write_labels(const char *folder, const struct dataset_options *options,
                              const struct scene *scenes, GError **error);
/* Sets `error` from errno, with the path; returns FALSE. */
gboolean dataset_io_error(const char *path, GError **error);

G_END_DECLS
