/* What every step of a training cost: training.csv, and a picture of it, training.svg. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

struct train_log_row {
    guint64 step;               /* counted from 1 */
    double epoch;               /* epochs that were begun and done by then */
    double loss, clip, labels;  /* before the step's change; clip and labels unweighted */
    double lr, norm;            /* norm of the gradient, 0 where it is not measured */
    double images_per_second;
    double validation;          /* mean average precision after the step, in percent; NaN
                                 * where it was not measured */
};

struct train_log;

/* Opens the file `path` and keeps its rows up to step `done`; 0 begins anew. */
struct train_log *train_log_open(const char *path, guint64 done, GError **error);
gboolean train_log_add(struct train_log *log, const struct train_log_row *row,
                       GError **error);
/* Brings the rows to the disk and draws them to the file `svg`. */
gboolean train_log_flush(struct train_log *log, const char *svg, GError **error);
void train_log_close(struct train_log **log);

/* The rows as an SVG picture, to be freed. */
char *train_log_draw(const struct train_log_row *rows, guint n);

G_END_DECLS
