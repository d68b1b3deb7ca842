/* `taglight trust --compare A --compare B`: two wordings asked about what was decided. */
#pragma once

#include "app/trust/contest.h"

#include <gio/gio.h>

G_BEGIN_DECLS

struct trust_wordings_params {
    const char *db, *model; /* model: name or path of a bundle, not how decisions call it */
    const char *device;     /* index or part of a name; NULL for the best */
    const char *label;
    const char *texts[2];   /* prompt expressions */
};

/* Asks the model about every image that a person accepted or rejected for the label; its
 * files are read where the cache does not hold their tokens. *missing counts images that
 * could not be read. FALSE with an error for a person. */
gboolean trust_wordings(const struct trust_wordings_params *params,
                        struct trust_contest *out, guint *missing, GError **error);
/* On standard output: for a person, and for programs ("better" is 1, 2 or 0 for neither). */
void trust_wordings_print(const struct trust_wordings_params *params,
                          const struct trust_contest *contest);
void trust_wordings_print_json(const struct trust_wordings_params *params,
                               const struct trust_contest *contest);

G_END_DECLS
