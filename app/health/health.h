/* The health of a set of labelled images: files that cannot be read or are not what
 * they are called, copies, images in two splits, decisions that a model strongly
 * disagrees with, and how the labels are balanced.
 *
 * A set is filled from a database, a data set or files, and then checked: both block,
 * and may be done on any one thread, with progress and a cancellable for a window.
 * Nothing is written, but the kin of images where shares of a split are given. To add a
 * check: a file beside these, its bit here and its line in the table of health.c. */
#pragma once

#include "app/dataset/dataset.h"
#include "app/dataset/scores.h"
#include "app/formats/export.h"

G_BEGIN_DECLS

/* --- The set
 * ----------------------------------------------------------------------- */

typedef struct {
    const char *path; /* in the encoding of file names */
    const char *hash; /* SHA-256 of the content, hex; NULL: not known, or of no other */
    int split;        /* index into the set's splits; -1: none */
    gboolean changed; /* the file is not the one that the database knows */
    gboolean hashed;  /* `looks` is known */
    guint64 looks;    /* app/image/image_hash.h */
    guint accepted, rejected; /* labels */
    guint64 labels;   /* the same for images with the same accepted labels */
} HealthImage;

typedef struct {
    const char *name;
    guint accepted, rejected; /* images, by anyone */
    guint by_model;           /* of them: decided by a model */
    guint undecided;          /* a model scored it and nobody decided */
    guint64 images;           /* the same for labels of the same images */
    gboolean elsewhere;       /* of a folder's set: nothing of it was decided there */
} HealthLabel;

/* A person's decision, and what a model said of the pair. */
typedef struct {
    guint image, label;
    gint8 verdict;    /* 1 accepted, -1 rejected */
    float confidence; /* 0..1 */
} HealthPair;

typedef struct {
    GArray *images;    /* of HealthImage */
    GArray *labels;    /* of HealthLabel */
    GArray *pairs;     /* of HealthPair, only those with a confidence */
    GPtrArray *splits; /* names */
    GStringChunk *texts;
} HealthSet;

HealthSet *health_set_new(void);
void health_set_free(HealthSet **set);
/* Files, and the images of folders and those below, but for those that the set has. */
gboolean health_add_path(HealthSet *set, const char *path, GCancellable *cancellable,
                         GError **error);
/* scores: of a model, for the disagreement; NULL: none. */
gboolean health_add_dataset(HealthSet *set, const struct dataset *data,
                            const struct scores *scores, GError **error);
/* model: whose confidences count; NULL: the newest. split and split_seed as in
 * ExportOptions, which names the splits that an export would make; NULL: none. `memory`
 * is needed then: a second connection to the same database, which may write. */
typedef struct {
    const char *model;
    const char *folder;  /* only images in it and below; NULL: all */
    const double *split; /* [EXPORT_SPLITS] */
    guint64 split_seed;
    store *memory;
    gboolean blind;        /* do not look whether the files have changed */
    StoreItemFunc each;    /* gets every item too, of the same moment; may be NULL */
    gpointer data;
    GCancellable *cancellable;
} HealthStoreOptions;

gboolean health_add_store(HealthSet *set, store *s, const HealthStoreOptions *options,
                          GError **error);

/* --- Checks
 * ------------------------------------------------------------------------ */

enum health_checks {
    HEALTH_FILES = 1, HEALTH_DUPLICATES = 2, HEALTH_LEAKAGE = 4,
    HEALTH_DISAGREEMENT = 8, HEALTH_BALANCE = 16, HEALTH_ALL = 31
};

/* A note may be as it should be, a warning seldom is, and an error spoils a training or
 * its figures. */
typedef enum { HEALTH_NOTE, HEALTH_WARNING, HEALTH_ERROR, HEALTH_SEVERITIES }
    HealthSeverity;

typedef struct {
    guint check;       /* one bit */
    const char *kind;  /* a word for programs, such as "cut-short"; docs/health.md */
    HealthSeverity severity;
    GPtrArray *paths;  /* the set's */
    const char *label; /* the set's; NULL: about no label */
    char *text;        /* a sentence for a person */
    double rank;       /* findings of disagreement: the higher, the more at odds */
} HealthFinding;

typedef struct {
    guint checks;
    guint jobs; /* threads that decode; 0: one for each core */
    GCancellable *cancellable;
    const char *(*say)(const char *text); /* translates findings; NULL: plain English */
    /* On the thread that runs: what is being done (English, to be translated), and how far
     * it is; may be NULL. */
    void (*progress)(const char *what, guint done, guint total, gpointer data);
    gpointer data;
} HealthOptions;

typedef struct {
    guint checks;          /* that were run */
    GPtrArray *findings;   /* of HealthFinding: by check, the worst first */
    GPtrArray *passed_over; /* of char *: what could not be checked, and why */
    guint counts[HEALTH_SEVERITIES];
} HealthReport;

/* Learns the looks of the set's images on the way. The report borrows the set's texts.
 * NULL with an error when it was cancelled. */
HealthReport *health_run(HealthSet *set, const HealthOptions *options, GError **error);
void health_report_free(HealthReport **report);
/* "files", "duplicates", …; 0 for what is no check. */
guint health_check_of(const char *name);
const char *health_check_name(guint check);
const char *health_severity_name(HealthSeverity severity);
/* All of it for programs, to be freed. */
char *health_to_json(const HealthSet *set, const HealthReport *report);

/* --- Disagreement
 * ------------------------------------------------------------------ */

/* Confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068) for the two
 * classes of one label. With c the confidence, the probability of a class is
 *
 *   p(accepted) = c,  p(rejected) = 1 - c
 *
 * and its threshold t(k) is the mean of p(k) over what was decided to be k. A pair
 * counts as k when p(k) >= t(k); where that holds of both, as the likelier. `joint` are
 * the counts of (decided, counts as). A row scaled to the number of its decisions
 * estimates how many of them are wrong. */
typedef struct {
    double threshold[2];  /* rejected, accepted; NaN where there is none of them */
    guint decided[2], joint[2][2];
    double wrong[2];      /* estimated: decided so, and not so */
} HealthConfusion;

/* confidence, verdict: [n]. odds: [n], for a pair that counts as s and was decided to
 * be g
 *
 *   (p(s) - t(s)) - (p(g) - t(g))
 *
 * and NaN for all others. */
void health_disagree(const float *confidence, const gint8 *verdict, guint n,
                     HealthConfusion *out, double *odds);

/* --- Groups
 * ------------------------------------------------------------------------ */

/* Images that belong together: of the same content, or near in their looks, or both, by
 * way of others too. */
typedef struct {
    GArray *images;   /* of guint, ascending */
    gboolean same;    /* all have the same content */
} HealthGroup;

/* Those of two images and more, by their first image. near: FALSE for the same content
 * only. Some n log n steps unless most of the pictures look alike. */
GPtrArray *health_groups(const HealthSet *set, gboolean near);

G_END_DECLS
