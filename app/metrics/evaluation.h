/* Scores against a data set: what both name is matched, and measured for all labels, and
 * for the unseen ones alone where the labels are grouped. */
#pragma once

#include "app/dataset/dataset.h"
#include "app/dataset/scores.h"
#include "app/metrics/metrics.h"

G_BEGIN_DECLS

/* Names on one side only, which take no part. */
struct evaluation_missing {
    guint count;
    GPtrArray *names; /* the first few; owned strings */
};

#define EVALUATION_NAMED 5
#define EVALUATION_N_TIES 5

/* The figures of one set of labels. */
struct evaluation_part {
    const char *name;      /* "all", "ZSL" (unseen labels only) or "GZSL" (seen, unseen) */
    guint n_labels;
    guint64 positives, negatives, unknown;
    double *ap;            /* by label: ties to the lower image index, with epsilon */
    guint *n_positive;     /* by label */
    GStrv labels;          /* names */
    struct metrics_map map[EVALUATION_N_TIES]; /* by enum metrics_ties; "together" without
                                                * the epsilon, as scikit-learn has it */
    struct metrics_at_k at3, at5;
    struct metrics_at_threshold at;
};

struct evaluation {
    guint n_images, by_file_name; /* of them, matched by the last part of the path only */
    double threshold;
    char *truth;                  /* what the data set is */
    guint64 without_score;        /* pairs that have none: they rank last */
    struct evaluation_missing only_scored, only_true;               /* images */
    struct evaluation_missing labels_only_scored, labels_only_true;
    struct evaluation_part parts[2];
    guint n_parts;
};

struct evaluation_params {
    GPtrArray *seen, *unseen; /* of names; NULL: as the data set groups its labels */
    const char *split;        /* NULL: all images */
    double threshold;
};

/* NULL with an error when nothing can be compared: no image or label in common, a split or
 * a label that the data set does not have. */
struct evaluation *evaluation_run(const struct scores *scores, const struct dataset *truth,
                                  const struct evaluation_params *params, GError **error);
void evaluation_free(struct evaluation **e);

/* The labels to score: those of `seen` and then of `unseen`, where given, else the data
 * set's seen, then its unseen ones, or all in its order. Indices (guint) into the data
 * set; *n_seen counts those that are seen. NULL with an error for a name that the data set
 * does not have. */
GArray *evaluation_labels(const struct dataset *truth,
                          const struct evaluation_params *params, guint *n_seen,
                          GError **error);

/* For people and for programs. `per_class`: a line for each label too. */
void evaluation_print(const struct evaluation *e, gboolean per_class);
char *evaluation_to_json(const struct evaluation *e);

G_END_DECLS
