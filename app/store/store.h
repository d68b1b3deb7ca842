/* The decision database: images by content, labels, what people and models said.
 *
 * Decisions are events that are only appended; what holds now is a view. A model's
 * proposal never stands over a person's decision, whatever comes when. A call that
 * decides returns after the row is on the disk, so killing the program loses nothing
 * that was decided.
 *
 * A store is one SQLite connection (WAL): use one per thread. Messages of errors say which
 * file it is and what a person can do; after an error the file is as it was before the
 * call. docs/database.md has the tables and what they promise. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define STORE_ERROR (store_error_quark())
GQuark store_error_quark(void);

typedef enum {
    STORE_ERROR_OPEN,    /* missing, no database, or not ours */
    STORE_ERROR_DAMAGED,
    STORE_ERROR_NEWER,   /* written by a later version; left as it is */
    STORE_ERROR_LOCKED,  /* another program wrote for longer than one can wait */
    STORE_ERROR_FULL,    /* the disk is full */
    STORE_ERROR_READ_ONLY,
    STORE_ERROR_REFUSED, /* what was asked for cannot be, such as a circle */
    STORE_ERROR_FAILED,
} StoreError;

#define STORE_SCHEMA_VERSION 7

typedef struct store store;

typedef enum { STORE_READ_ONLY, STORE_CREATE } StoreMode;

typedef enum { STORE_CLEARED = 0, STORE_ACCEPTED = 1, STORE_REJECTED = -1 } StoreVerdict;

typedef struct {
    const char *hash; /* of the content, hex */
    const char *path; /* encoding of file names */
    gint64 bytes, mtime;
    int width, height;
} StoreImage;

/* What is written with a decision or prediction; strings may be NULL. */
typedef struct {
    gboolean by_model;
    const char *model, *prompt;
    double confidence, threshold; /* below 0: unknown */
    const char *author;           /* NULL: the person at this machine */
    const char *time;             /* as store_time() writes it; NULL: now, and later than
                                   * anything that was decided before */
} StoreSource;

/* `file` numbers a path and `label` a label: both stay what they are for ever. */
typedef struct {
    gint64 file, image, label;
    StoreVerdict verdict;
    gboolean by_model;
    const char *path, *hash, *name, *model, *prompt, *author;
    const char *time; /* ISO 8601, UTC, with milliseconds */
    double confidence, threshold;
    int width, height;
} StoreRow;

typedef gboolean (*StoreRowFunc)(const StoreRow *row, gpointer user_data);

/* A file of an earlier version is brought to this one in either mode. To write, a file that
 * was not closed well or not checked for a week is read whole first, and refused when it is
 * damaged. To read, it may lie in a folder that cannot be written to. */
store *store_open(const char *path, StoreMode mode, GError **error);
void store_close(store **s);

/* Ids of rows, made when missing; 0 on failure. A synonym gives the label that it stands
 * for. `prompt` is an expression (app/words/prompt_expression.h); NULL leaves it. */
gint64 store_put_image(store *s, const StoreImage *image, GError **error);
gint64 store_put_label(store *s, const char *name, const char *prompt, GError **error);
/* The label of that name or synonym, listed or not, or 0. */
gint64 store_find_label(store *s, const char *name);
/* The image last seen at `path` with that size and time, or 0. */
gint64 store_find_image(store *s, const char *path, gint64 bytes, gint64 mtime);
/* The image of that content, or 0. */
gint64 store_find_content(store *s, const char *hash);
/* Hash of an image, to be freed; NULL when there is none. */
char *store_image_hash(store *s, gint64 image);
/* Its sides in pixels; 0 when they are not known. */
void store_image_size(store *s, gint64 image, int *width, int *height);
/* Names of labels in the order in which they were added. */
GStrv store_labels(store *s, GError **error);
/* Takes a label from the list; decisions about it stay. */
gboolean store_hide_label(store *s, const char *name, GError **error);

/* A time as decisions carry it ("2026-11-24T10:02:11.000Z"), so that the order of texts is
 * that of times; NULL when `iso8601` is no date with a time. To be freed. */
char *store_time(const char *iso8601);

gboolean store_decide(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                      const StoreSource *source, GError **error);
StoreVerdict store_verdict(store *s, gint64 image, gint64 label);
/* The verdicts [n] on the labels [n] of an image. */
void store_verdicts(store *s, gint64 image, const gint64 *labels, guint n,
                    StoreVerdict *out);
/* Appends what `source`, a model, accepts, unless it has accepted the same with the same
 * threshold before; *added, which may be NULL, says whether it did. */
gboolean store_accept_once(store *s, gint64 image, gint64 label, const StoreSource *source,
                           gboolean *added, GError **error);

/* How decisions and predictions name a model: by a person's name for it, and by what tells
 * two models of one name apart. To be freed. */
char *store_model_mark(const char *name, const char *fingerprint);

/* What a model is asked about each image: labels [n] with their prompts [n], "" for labels
 * of a fixed head. Borrowed. */
typedef struct {
    const char *model;
    const gint64 *labels;
    const char *const *prompts;
    guint n;
} StoreQuestion;

/* Keeps confidences [n] of an image, never decisions; those below 0 are left out. What was
 * known before stays as it is unless `replace`. */
gboolean store_predict(store *s, gint64 image, const StoreQuestion *question,
                       const float *confidence, gboolean replace, GError **error);
/* The confidences [n] that are known, -1 for others. TRUE when all are. */
gboolean store_predicted(store *s, gint64 image, const StoreQuestion *question,
                         float *confidence);
gboolean store_begin(store *s, GError **error);
gboolean store_commit(store *s, GError **error);
/* Takes back what came since store_begin, after one of its calls failed. */
void store_rollback(store *s);

/* The current decisions that are not cleared, by path and label. */
gboolean store_each_decision(store *s, StoreRowFunc func, gpointer user_data,
                             GError **error);
/* Every image with a path, by path; label fields are empty. */
gboolean store_each_image(store *s, StoreRowFunc func, gpointer user_data,
                          GError **error);
/* Every label that is listed or that a current decision is about, in the order in which
 * they were added; only `label` and `name` are set. */
gboolean store_each_label(store *s, StoreRowFunc func, gpointer user_data,
                          GError **error);

G_END_DECLS
