/* `taglight find --similar`: images by likeness to a picture. */
#pragma once

#include "app/query/catalogue.h"

G_BEGIN_DECLS

struct find_similar_params {
    const struct catalogue *catalogue;
    const GArray *images; /* guint: which of them are ranked */
    const char *like;     /* file of the picture */
    const char *model;    /* path of the bundle */
    const char *device;   /* index or part of a name; NULL for the best */
};

/* Ranks by the cosine of mean tokens, nearest first: images (guint) and likeness (float),
 * both to be freed. *unseen counts those whose tokens the cache does not hold. */
gboolean find_similar(const struct find_similar_params *params, GArray **images,
                      GArray **likeness, guint *unseen, GError **error);

G_END_DECLS
