/* Shared by the sub-commands of `taglight model`. */
#pragma once

#include "compute/nets/model.h"

#include <glib.h>

int command_forward(int argc, char **argv);

enum nn_status command_read_settings(struct model_settings *out, char **set,
                                     struct nn_error *error);
/* Opens what the arguments name: installed models, bundles, checkpoint files. */
enum nn_status command_open_model(struct model **out, char **names, size_t n,
                                  const struct model_settings *settings,
                                  struct nn_error *error);
