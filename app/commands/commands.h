/* The commands of the program, one function each. argv[0] is the command's name. They
 * return the exit status: 0 done, 1 failed, 2 misused. */
#pragma once

#include "compute/gpu/gpu.h"

#include <glib.h>

G_BEGIN_DECLS

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_MISUSED = 2 };

int command_backup(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_card(int argc, char **argv);
int command_check(int argc, char **argv);
int command_devices(int argc, char **argv);
int command_evaluate(int argc, char **argv);
int command_export(int argc, char **argv);
int command_find(int argc, char **argv);
int command_image(int argc, char **argv);
int command_import(int argc, char **argv);
int command_labels(int argc, char **argv);
int command_look(int argc, char **argv);
int command_merge(int argc, char **argv);
int command_model(int argc, char **argv);
int command_restore(int argc, char **argv);
int command_scenes(int argc, char **argv);
int command_tag(int argc, char **argv);
int command_tokenize(int argc, char **argv);
int command_train(int argc, char **argv);
int command_train_step(int argc, char **argv);
int command_trust(int argc, char **argv);

/* Parses options; on failure prints the message and returns FALSE. `summary` is the line
 * under the usage. What is left in argv are the arguments. */
gboolean command_parse(int *argc, char ***argv, const GOptionEntry *entries,
                       const char *usage, const char *summary);
/* Prints "taglight: MESSAGE" to standard error and returns `status`. */
int command_fail(int status, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Writes a text to a file, whole or not at all; to standard output, the same bytes in every
 * locale, for "-". */
gboolean command_put_file(const char *path, const char *text, GError **error);
/* What --precision said, into *out; NULL leaves it alone. Prints and returns FALSE when
 * it is neither f32 nor f16. */
gboolean command_read_precision(const char *text, enum gpu_precision *out);
/* "train=0.8,val=0.1,test=0.1", each at most once, into split, which is zeros. FALSE when it
 * is no such text with a sum of 1. */
gboolean command_parse_split(const char *text, double split[3]);
/* NAME, or a path: the folder of a model of that name when a person installed one or the
 * program came with one. */
char *command_find_model(const char *name);
/* What the program came with, below its data folder ("models/starter"), or NULL: beside the
 * program in a build folder, else where it was installed. To be freed. */
char *command_data(const char *name);
/* The model of the settings, else the one that the program came with, or NULL. To be
 * freed. */
char *command_default_model(void);
#define COMMAND_STARTER "starter"
/* Where `model import` puts bundles. */
char *command_models_dir(void);
/* A value of [taglight] in ~/.config/taglight/settings.ini (keys: device, model), or NULL.
 * To be freed. */
char *command_setting(const char *key);
/* Folder of caches that may be deleted; made when missing. */
char *command_cache_dir(void);

G_END_DECLS
