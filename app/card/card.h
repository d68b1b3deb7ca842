/* A dataset card: what a decision database holds and how good it is, for whoever is
 * given the labels. The same database and options give the same bytes: it holds no time
 * but those of the decisions, and does not look at the images. */
#pragma once

#include "app/formats/export.h"

G_BEGIN_DECLS

/* k of n, with the interval that holds the share with 95 %: Wilson's (1927). */
typedef struct { guint k, n; double low, high; } CardShare;

typedef struct {
    char *name;
    GPtrArray *prompts;   /* of char *, sorted: with which a model was asked */
    guint accepted, rejected; /* images */
    guint by_model;       /* of them */
    guint undecided;
    /* Of what people decided and the model scored: accepted among those that reach the
     * threshold, and those that reach it among the accepted. */
    CardShare precision, recall;
} CardLabel;

typedef struct {
    char *name;        /* a person's, "" for one without; or a model's */
    gboolean by_model;
    guint decisions;
} CardAuthor;

typedef struct { char *name; guint files; } CardSplit;

typedef struct {
    char *name;        /* of the database's file */
    char *model;       /* whose confidences count; NULL: the newest */
    double threshold;
    guint images, files;
    guint accepted, rejected, by_model; /* decisions */
    char *first, *last;      /* times of decisions; NULL: there are none */
    GPtrArray *labels;       /* of CardLabel */
    GPtrArray *authors;      /* of CardAuthor, by name */
    GPtrArray *splits;       /* of CardSplit; empty: none were asked for */
    guint looked_at;         /* files whose looks the database knows */
    guint copies, near;      /* groups of files of one content, and of near looks */
    char *manifest;          /* SHA-256, hex; see card_build() */
    char *command;           /* that makes the labels again */
} Card;

typedef struct {
    const char *db;    /* its path; the card has the last part */
    const char *model; /* NULL: the newest of any */
    double threshold;
    const double *split;    /* as in HealthStoreOptions; split_text as it was given */
    const char *split_text;
    guint64 split_seed;
    store *memory;
    GCancellable *cancellable;
} CardOptions;

/* Blocks; the store's thread. The manifest is the checksum of a line for each decision
 * that holds, sorted by bytes, each HASH TAB LABEL TAB VERDICT LF: the hash of the
 * image's content in hex; the label with backslash, tab and line ends as in C; accepted
 * or rejected. */
Card *card_build(store *s, const CardOptions *options, GError **error);
void card_free(Card **card);
/* To be freed. */
char *card_to_markdown(const Card *card);
char *card_to_json(const Card *card);

/* Wilson's interval; k of n, n may be 0. */
CardShare card_share(guint k, guint n);

G_END_DECLS
