/* Looking at one's data: what a database holds as tables, which chart.h draws.
 *
 * A table is computed from a store in one go, on any one thread (the store's), and then
 * stands alone. All texts of a table are in the language of `say`; the keys of its columns
 * are for programs and never change. To add a view: its name here and in the table of
 * look.c, a file that fills it, and a shape in chart.c; docs/look.md. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

typedef enum {
    LOOK_COUNTS,      /* labels, by what was decided */
    LOOK_HISTOGRAM,   /* a label's confidences, by what was decided */
    LOOK_PRECISION,   /* precision and recall of a label over all thresholds */
    LOOK_CALIBRATION, /* how often a confidence is right */
    LOOK_TOGETHER,    /* which labels are accepted on the same images */
    LOOK_PROGRESS,    /* decisions over time */
    LOOK_VIEWS
} LookView;

typedef enum {
    LOOK_TEXT,
    LOOK_NUMBER, /* a count */
    LOOK_SHARE   /* 0..1 */
} LookKind;

typedef struct {
    char *key;  /* for programs: "accepted", or a label's or person's name */
    char *name; /* for a person */
    LookKind kind;
} LookColumn;

typedef struct {
    LookView view;
    char *title;
    char *note;       /* what it says in short, for who cannot see the picture; "" for
                       * nothing */
    char *x_name, *y_name; /* of the axes of its picture; NULL: they need none */
    GArray *columns;  /* of LookColumn */
    GPtrArray *texts; /* char *, by row and column; NULL in columns of numbers */
    GArray *values;   /* double, by row and column; NaN in columns of text, and unknown */
} LookTable;

typedef struct {
    const char *label; /* of the views that are about one (look_is_about_label()) */
    const char *model; /* as decisions name it, or a person's name for it; NULL: the one
                        * that scored an image last */
    double threshold;  /* LOOK_COUNTS: of labels without their own, 0..1 */
    guint most;        /* LOOK_TOGETHER: labels; 0: 20. LOOK_PROGRESS: people and models
                        * with columns of their own; 0: 6 */
    const char *(*say)(const char *text); /* translates; NULL: plain English */
    GCancellable *cancellable;
} LookOptions;

/* NULL with an error: no label of that name, no model, cancelled, or the store's. A table
 * may have no rows. */
LookTable *look_build(store *s, LookView view, const LookOptions *options, GError **error);
void look_table_free(LookTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LookTable, look_table_free)

/* "counts", "histogram", …; -1 for what is no view. */
int look_view_of(const char *name);
const char *look_view_name(LookView view);
/* What a person calls it; to be translated. */
const char *look_view_title(LookView view);
gboolean look_is_about_label(LookView view);

/* --- Reading a table -------------------------------------------------------------------- */

guint look_n_rows(const LookTable *table);
const LookColumn *look_column(const LookTable *table, guint column);
/* -1 when there is none. */
int look_find_column(const LookTable *table, const char *key);
double look_value(const LookTable *table, guint row, guint column);
/* Of a column of text; never NULL. */
const char *look_text(const LookTable *table, guint row, guint column);
/* As a person reads it ("0.250", "12", "–" for unknown), to be freed. */
char *look_cell(const LookTable *table, guint row, guint column);

/* --- Writing ---------------------------------------------------------------------------- */

/* RFC 4180 with the keys as header, points in numbers and nothing for unknown ones: the
 * same bytes in every language. To be freed. */
char *look_to_csv(const LookTable *table);
/* Columns one below the other, for a terminal; to be freed. */
char *look_to_text(const LookTable *table);
/* A picture with texts that can be selected and read aloud (app/look/chart.h); to be
 * freed. */
char *look_to_svg(const LookTable *table);

G_END_DECLS
