/* Scores of images for labels, as a table that a program wrote (`taglight tag --format csv`
 * or `taglight evaluate --scores-out`) or that a model gives. Rows grow with the labels
 * that are known, so a pair without a score is possible. */
#pragma once

#include "app/dataset/csv.h"

#include <stdio.h>

G_BEGIN_DECLS

struct scores {
    GPtrArray *images, *labels;       /* of names */
    GPtrArray *rows;                  /* by image: GArray of float by label; short or NaN
                                       * where there is no score */
    GHashTable *image_of, *label_of;  /* name -> index + 1 */
    gboolean wide;                    /* the labels' order is that of a header */
};

struct scores *scores_new(void);
void scores_free(struct scores **s);
/* Wide, or long with a column `confidence`, `score` or `value`; rows with an `error` and
 * no label are passed over. */
struct scores *scores_read(const char *path, GError **error);
/* Indices; a name that is there already keeps its own. */
guint scores_add_image(struct scores *s, const char *name);
guint scores_add_label(struct scores *s, const char *name);
/* value: finite. FALSE when the pair has a score already. */
gboolean scores_set(struct scores *s, guint image, guint label, float value);
/* NaN when there is none. */
float scores_get(const struct scores *s, guint image, guint label);
/* The wide layout, with digits enough to read the same floats again. FALSE on failure of
 * the stream; errno says why. */
gboolean scores_write(const struct scores *s, FILE *out);

G_END_DECLS
