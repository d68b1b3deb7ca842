/* Shared by the views: building a table row by row. */
#pragma once

#include "app/look/look.h"

G_BEGIN_DECLS

/* What a view is made with. */
typedef struct {
    store *s;
    const LookOptions *options;
    char *model;      /* as decisions name it; NULL where none scored anything */
    gint64 label;     /* 0 in views that are about none */
    const char *name; /* of the label */
} Look;

const char *look_say(const Look *look, const char *text);
/* name: an English one, which is translated; also the key unless that is given. */
void look_add_column(LookTable *table, const Look *look, const char *key, const char *name,
                     LookKind kind);
/* A column that is called after something in the database; nothing is translated. */
void look_add_named_column(LookTable *table, const char *key, const char *name,
                           LookKind kind);
/* The cells of a row in the order of columns; texts are copied. */
void look_add_text(LookTable *table, const char *text);
void look_add_value(LookTable *table, double value);
/* format: English, is translated. */
void look_set_title(LookTable *table, const Look *look, const char *format, ...);
void look_set_note(LookTable *table, const Look *look, const char *format, ...);
/* English names, which are translated; NULL for none. */
void look_set_axes(LookTable *table, const Look *look, const char *x, const char *y);
gboolean look_go_on(const Look *look, GError **error);

/* Each fills a table that is empty. */
gboolean look_counts(Look *look, LookTable *table, GError **error);
gboolean look_histogram(Look *look, LookTable *table, GError **error);
gboolean look_precision(Look *look, LookTable *table, GError **error);
gboolean look_calibration(Look *look, LookTable *table, GError **error);
gboolean look_together(Look *look, LookTable *table, GError **error);
gboolean look_progress(Look *look, LookTable *table, GError **error);

G_END_DECLS
