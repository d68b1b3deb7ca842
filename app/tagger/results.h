/* Confidences as text: a table for people, CSV and JSON lines for programs. Numbers have
 * six digits and a point in every locale.
 *
 * csv: `path,label,confidence,error`. A row for each label; an image that could not be
 * read has one row with the error and neither label nor confidence. The path is written
 * byte for byte.
 * jsonl: {"path", "labels": {label: confidence, …}} or {"path", "error"}. A path that is
 * not UTF-8 has replacement characters there and its bytes in "path_base64". */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct results_params {
    const char *format;           /* "table", "csv" or "jsonl" */
    const char *out;              /* a file; NULL for standard output */
    const char *const *labels;    /* borrowed; UTF-8 */
    guint n_labels;
    double threshold;             /* lower confidences are left out */
    guint top;                    /* at most so many labels of an image; 0: all */
};

struct results;

/* NULL-terminated names of the formats. */
const char *const *results_formats(void);
/* A file is written as `out`.part; one of that name is replaced. What is no ordinary file
 * is written to directly. `params` is copied, its strings are borrowed. */
struct results *results_open(const struct results_params *params, GError **error);
/* The confidences [n_labels] of an image, highest first. */
void results_put(struct results *r, const char *path, const float *confidence);
void results_put_error(struct results *r, const char *path, const char *message);
/* Hands everything so far to the system. */
gboolean results_flush(struct results *r, GError **error);
/* With `keep` the file takes its name, else it is removed. Frees r in any case. */
gboolean results_close(struct results *r, gboolean keep, GError **error);

G_END_DECLS
