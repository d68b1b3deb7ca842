/* What made a model, as text: for the checkpoint, and for training.json in the bundle. */
#pragma once

#include "app/trainer/checkpoint.h"
#include "app/trainer/trainer.h"

G_BEGIN_DECLS

/* The options that the result depends on, with what was chosen for the automatic ones, the
 * base model's fingerprint and a checksum of the data. To be freed by record_free. */
struct checkpoint_option *record_options(const struct trainer_options *options,
                                         const struct training_set *set,
                                         const char *fingerprint);
void record_free(struct checkpoint_option *options);

/* The model that the bundle was trained from, as a path, from its training.json; NULL when
 * there is none. To be freed. */
char *record_base(const char *bundle);

/* Writes the file `path`: the command line, the options, the labels with their prompt, and
 * how the training ended. */
gboolean record_write(const char *path, const struct trainer_options *options,
                      const struct checkpoint_option *pairs,
                      const struct training_set *set, const struct trainer_progress *last,
                      GError **error);

G_END_DECLS
