/* The pictures and labels of a data set that a training uses. Does not change once
 * opened; may be read from any thread. */
#pragma once

#include "app/dataset/dataset.h"

G_BEGIN_DECLS

struct training_set_params {
    const char *path, *images;       /* the data set and, or NULL, where its pictures are */
    const char *split;               /* NULL: all pictures */
    const char *kept_out;            /* split whose pictures are not for learning; or NULL */
    const char *labels;              /* file with a label a line; NULL: all labels */
    enum dataset_unlisted unlisted;
};

struct training_set {
    struct dataset *data;
    GArray *images;          /* guint: indices into `data` */
    GArray *columns;         /* guint: the labels' indices into `data` */
    GPtrArray *labels;       /* their names */
    GPtrArray *paths;        /* of the pictures, as `images` */
    guint missing;           /* pictures whose file is not there */
    guint silent;            /* pictures of which no label's truth is known */
};

/* Pictures without a file, and those about which nothing is known, are left out and
 * counted. Fails when nothing is left, or the data set lacks a label of the list. */
struct training_set *training_set_open(const struct training_set_params *params,
                                       GError **error);
void training_set_close(struct training_set **set);

/* out [labels]: 1, 0, or -1 where it is unknown. */
void training_set_targets(const struct training_set *set, guint image, float *out);

G_END_DECLS
