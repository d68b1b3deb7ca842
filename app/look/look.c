/* The table of views, and tables as values. */
#include "app/look/look_private.h"

#include "app/store/browse.h"
#include "app/store/summary.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

/* What a view needs before it can be made. */
enum needs { NEEDS_LABEL = 1, NEEDS_MODEL = 2, LIKES_MODEL = 4 };

static const struct {
    const char *name, *title;
    guint needs;
    gboolean (*fill)(Look *look, LookTable *table, GError **error);
} views[LOOK_VIEWS] = {
    { "counts", N_("Labels"), LIKES_MODEL, look_counts },
    { "histogram", N_("Confidences"), NEEDS_LABEL | NEEDS_MODEL, look_histogram },
    { "precision", N_("Precision and Recall"), NEEDS_LABEL | NEEDS_MODEL, look_precision },
    { "calibration", N_("Calibration"), NEEDS_LABEL | NEEDS_MODEL, look_calibration },
    { "together", N_("Labels Together"), 0, look_together },
    { "progress", N_("Progress"), 0, look_progress },
};

int look_view_of(const char *name)
{
    for (int i = 0; i < LOOK_VIEWS; i++) {
        if (strcmp(views[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *look_view_name(LookView view)
{
    return views[view].name;
}

const char *look_view_title(LookView view)
{
    return views[view].title;
}

gboolean look_is_about_label(LookView view)
{
    return (views[view].needs & NEEDS_LABEL) != 0;
}

/* --- Building ----------------------------------------------------------------------------- */

const char *look_say(const Look *look, const char *text)
{
    return look->options->say ? look->options->say(text) : text;
}

static void clear_column(gpointer data)
{
    LookColumn *column = data;
    g_free(column->key);
    g_free(column->name);
}

void look_add_named_column(LookTable *table, const char *key, const char *name,
                           LookKind kind)
{
    LookColumn column = { g_utf8_make_valid(key, -1), g_utf8_make_valid(name, -1), kind };
    g_array_append_val(table->columns, column);
}

void look_add_column(LookTable *table, const Look *look, const char *key, const char *name,
                     LookKind kind)
{
    look_add_named_column(table, key ? key : name, look_say(look, name), kind);
}

static void add_cell(LookTable *table, char *text, double value)
{
    g_ptr_array_add(table->texts, text);
    g_array_append_val(table->values, value);
}

void look_add_text(LookTable *table, const char *text)
{
    add_cell(table, g_utf8_make_valid(text, -1), NAN);
}

void look_add_value(LookTable *table, double value)
{
    add_cell(table, NULL, value);
}

void look_set_title(LookTable *table, const Look *look, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_free(table->title);
    table->title = g_strdup_vprintf(look_say(look, format), args);
    va_end(args);
}

void look_set_note(LookTable *table, const Look *look, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_free(table->note);
    table->note = g_strdup_vprintf(look_say(look, format), args);
    va_end(args);
}

void look_set_axes(LookTable *table, const Look *look, const char *x, const char *y)
{
    table->x_name = x ? g_strdup(look_say(look, x)) : NULL;
    table->y_name = y ? g_strdup(look_say(look, y)) : NULL;
}

gboolean look_go_on(const Look *look, GError **error)
{
    return !g_cancellable_set_error_if_cancelled(look->options->cancellable, error);
}

static gboolean find_label(Look *look, GError **error)
{
    const char *name = look->options->label;
    if (!name) {
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_REFUSED,
                            look_say(look, N_("this view is about a label; name one")));
        return FALSE;
    }
    look->label = store_find_label_like(look->s, name);
    look->name = name;
    if (!look->label) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_REFUSED,
                    look_say(look, N_("there is no label \"%s\"")), name);
    }
    return look->label != 0;
}

/* The model that was asked for, or the newest; that there is none is an error only where
 * one is needed. */
static gboolean find_model(Look *look, gboolean needed, GError **error)
{
    g_autoptr(GError) failed = NULL;
    const char *name = look->options->model;
    look->model = name ? store_find_model(look->s, name, &failed)
                       : store_newest_model(look->s, &failed);
    if (failed) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    if (!look->model && needed) {
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_REFUSED,
                            look_say(look, N_("no model has scored an image yet")));
    }
    return look->model || !needed;
}

static LookTable *table_new(LookView view)
{
    LookTable *table = g_new0(LookTable, 1);
    table->view = view;
    table->note = g_strdup("");
    table->columns = g_array_new(FALSE, FALSE, sizeof(LookColumn));
    g_array_set_clear_func(table->columns, clear_column);
    table->texts = g_ptr_array_new_with_free_func(g_free);
    table->values = g_array_new(FALSE, FALSE, sizeof(double));
    return table;
}

void look_table_free(LookTable *table)
{
    if (table) {
        g_free(table->title);
        g_free(table->note);
        g_free(table->x_name);
        g_free(table->y_name);
        g_array_unref(table->columns);
        g_ptr_array_unref(table->texts);
        g_array_unref(table->values);
        g_free(table);
    }
}

LookTable *look_build(store *s, LookView view, const LookOptions *options, GError **error)
{
    Look look = { .s = s, .options = options };
    guint needs = views[view].needs;
    g_autoptr(LookTable) table = table_new(view);
    gboolean good = look_go_on(&look, error)
                    && (!(needs & NEEDS_LABEL) || find_label(&look, error))
                    && (!(needs & (NEEDS_MODEL | LIKES_MODEL))
                        || find_model(&look, (needs & NEEDS_MODEL) != 0, error))
                    && views[view].fill(&look, table, error) && look_go_on(&look, error);
    g_free(look.model);
    return good ? g_steal_pointer(&table) : NULL;
}

/* --- Reading ------------------------------------------------------------------------------ */

guint look_n_rows(const LookTable *table)
{
    return table->columns->len ? table->values->len / table->columns->len : 0;
}

const LookColumn *look_column(const LookTable *table, guint column)
{
    return &g_array_index(table->columns, LookColumn, column);
}

int look_find_column(const LookTable *table, const char *key)
{
    for (guint i = 0; i < table->columns->len; i++) {
        if (strcmp(look_column(table, i)->key, key) == 0) {
            return (int)i;
        }
    }
    return -1;
}

double look_value(const LookTable *table, guint row, guint column)
{
    return g_array_index(table->values, double, row * table->columns->len + column);
}

const char *look_text(const LookTable *table, guint row, guint column)
{
    const char *text = table->texts->pdata[row * table->columns->len + column];
    return text ? text : "";
}

char *look_cell(const LookTable *table, guint row, guint column)
{
    LookKind kind = look_column(table, column)->kind;
    double value = look_value(table, row, column);
    if (kind == LOOK_TEXT) {
        return g_strdup(look_text(table, row, column));
    }
    return isnan(value) ? g_strdup("–")
                        : g_strdup_printf(kind == LOOK_NUMBER ? "%.0f" : "%.3f", value);
}
