/* The two shapes of CSV files about pairs of image and label, told by the header.
 *
 * wide: the first column is the image, every other one a label (one called `split` is the
 *       image's split).
 * long: a row for each pair. The label's column is called `label` or `LabelName`, and
 *       there is one for the value; without that and with two columns only, every row is
 *       a positive. */
#pragma once

#include "app/dataset/csv.h"

G_BEGIN_DECLS

struct csv_layout {
    gboolean wide;
    int image, split;  /* columns; split is -1 when there is none */
    int label, value;  /* long only; value is -1 when every row is a positive */
};

/* `values`: names of the value's column, best first, NULL-terminated. */
struct csv_layout csv_layout_find(const struct csv *csv, const char *const *values);
/* Whether a column is one of labels: of a file with numbered rows the first one is not. */
gboolean csv_layout_is_label(const struct csv_layout *layout, const struct csv *csv,
                             guint column);
/* The image's name in the present row, borrowed; NULL with an error when it is empty. */
const char *csv_layout_image(const struct csv_layout *layout, const struct csv *csv,
                             GError **error);
/* A number that is a finite float; blanks around it are allowed. */
gboolean csv_number(const struct csv *csv, guint field, float *out, GError **error);

G_END_DECLS
