/* The filter line: which images a person wants to see, and in which order.
 *
 *   boat>0.6 and not harbour accepted:person sort:uncertain:boat
 *
 * Conditions, joined by `and` (or by standing side by side), `or`, `not` and parentheses:
 *
 *   boat                     accepted, or undecided with a confidence that reaches the
 *                            label's threshold
 *   boat>0.6  boat<=40%      the model's confidence; images without one do not match
 *   accepted:boat  rejected:boat  undecided:boat  decided:boat
 *   accepted  rejected  undecided  decided        of any label; undecided: of all
 *   by:model  by:person  by:anna                  who decided something about the image
 *   name:quay*  folder:day1  folder:2024/day?     parts of a path; * and ? stand for text,
 *                                                 case does not count
 *   width>=1000  height  pixels>12M  size>2MB  date>=2024-05
 *
 * Labels with blanks or signs stand in quotes; label:NAME is a label whose name is a word
 * of this language. Dates are local and mean the whole day, month or year.
 *
 *   sort:name  sort:folder  sort:date  sort:size  sort:width  sort:height  sort:pixels
 *   sort:boat                most likely first
 *   sort:uncertain:boat      nearest to the threshold first
 *   sort:-date               the other way round; several count in turn
 *
 * A query is immutable. Parsing, completing and running are for any thread; a source is
 * asked on the thread of query_run only. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define QUERY_ERROR (query_error_quark())
GQuark query_error_quark(void);

typedef enum {
    QUERY_ERROR_SYNTAX,
    QUERY_ERROR_LABEL, /* the source has no such label */
} QueryError;

struct query;

/* Reads a filter line; an empty one finds everything. On failure the message names the
 * column, and *column, which may be NULL, is it: the first character is 1. */
struct query *query_parse(const char *text, guint *column, GError **error);
void query_free(struct query **q);
/* The labels that it names, each once, as they were written. Borrowed, ends with NULL. */
const char *const *query_labels(const struct query *q);
/* Whether it asks for confidences of label `index` of query_labels. */
gboolean query_needs_confidence(const struct query *q, guint index);
/* Whether it asks what was decided of an image whatever the label, or by whom. */
gboolean query_needs_decisions(const struct query *q);
/* Whether it asks by whom. */
gboolean query_needs_authors(const struct query *q);

enum query_number { QUERY_BYTES, QUERY_WIDTH, QUERY_HEIGHT, QUERY_TIME };

/* What is known of images. `label` is what find_label gave; `data` is handed through. */
struct query_source {
    guint images;
    gpointer data;
    /* -1: there is none. By name or synonym. */
    int (*find_label)(const char *name, gpointer data);
    /* Encoding of file names; borrowed until the next call. */
    const char *(*path)(guint image, gpointer data);
    /* Bytes, pixels, seconds since 1970; below 0: unknown, which matches nothing. */
    gint64 (*number)(guint image, enum query_number which, gpointer data);
    /* 0..1, below 0: unknown. */
    double (*confidence)(guint image, guint label, gpointer data);
    double (*threshold)(guint label, gpointer data);
    /* -1 rejected, 0 undecided, 1 accepted. */
    int (*verdict)(guint image, guint label, gpointer data);
    /* Whether any label has that verdict. */
    gboolean (*any)(guint image, int verdict, gpointer data);
    /* Whether a model (NULL), a person ("") or that author has decided what holds now. May be
     * NULL for a query that does not need authors. */
    gboolean (*decided_by)(guint image, const char *who, gpointer data);
};

/* Indices of the images that match, sorted; of those that are equal in everything asked
 * for, the source's order. NULL with an error when a label is not known. */
GArray *query_run(const struct query *q, const struct query_source *source,
                  guint *column, GError **error);

/* What a completion can offer beside the words of the language. */
struct query_words {
    const char *const *labels;  /* ends with NULL; favourites first */
    const char *const *folders; /* names; may be NULL */
    const char *const *authors; /* may be NULL */
};

/* Candidates for the word that ends at `cursor` (bytes), best first, at most `most`: texts
 * that replace the bytes from *start to *end (exclusive). Owned by the caller. */
GPtrArray *query_complete(const char *text, gsize cursor, const struct query_words *words,
                          guint most, gsize *start, gsize *end);

/* A label as a query must write it: in quotes where it would be read otherwise. */
char *query_quote(const char *label);

G_END_DECLS
