/* Pictures made of bars: labels, confidences, progress. */
#include "app/look/chart_private.h"

#include <math.h>

/* The sum of the columns first..last-1 of a row. */
static double sum_row(const LookTable *table, guint row, guint first, guint last)
{
    double sum = 0;
    for (guint c = first; c < last; c++) {
        sum += look_value(table, row, c);
    }
    return sum;
}

static double most_of(const LookTable *table, guint rows, guint first, guint last)
{
    double most = 0;
    for (guint row = 0; row < rows; row++) {
        most = MAX(most, sum_row(table, row, first, last));
    }
    return MAX(most, 1);
}

static double draw_legend(const ChartFrame *area, const LookTable *table, guint first,
                          guint last)
{
    g_autofree const char **names = g_new(const char *, last - first + 1);
    g_autofree guint *series = g_new(guint, last - first + 1);
    for (guint c = first; c < last; c++) {
        names[c - first] = look_column(table, c)->name;
        series[c - first] = c - first;
    }
    return chart_legend(area, area->left, area->top, area->right - area->left, names, series,
                        last - first);
}

/* --- Labels ------------------------------------------------------------------------------- */

#define FIRST_STATE 1
#define OPEN 4 /* told as a number: where little is decided its bar would hide the others */

/* Bars go to the right: columns 1 to 3 stacked. */
static void draw_label(const ChartFrame *f, const LookTable *table, guint row, double top,
                       double pitch)
{
    double em = f->style->text, from = 0, middle = top + pitch / 2;
    g_autofree char *name = chart_shorten(f, look_text(table, row, 0), f->left - 2.2 * em);
    g_autofree char *open = look_cell(table, row, OPEN);
    chart_text(f, f->left - 0.7 * em, middle + 0.35 * em, CANVAS_END, CHART_TEXT, name);
    for (guint c = FIRST_STATE; c < OPEN; c++) {
        double to = from + look_value(table, row, c);
        chart_bar(f, chart_x(f, from), middle - 0.36 * pitch, chart_x(f, to),
                  middle + 0.36 * pitch, c - FIRST_STATE);
        from = to;
    }
    chart_text(f, f->right + 5 * em, middle + 0.35 * em, CANVAS_END, CHART_FAINT_TEXT, open);
}

/* What the widest name needs, within bounds. */
static double name_width(const ChartFrame *area, const LookTable *table, guint rows,
                         double most)
{
    CanvasText how = { .size = area->style->text };
    double width = 4 * area->style->text;
    for (guint row = 0; row < rows; row++) {
        g_autofree char *name = chart_shorten(area, look_text(table, row, 0), most);
        width = MAX(width, area->canvas->width(area->canvas, &how, name));
    }
    return MIN(width, most) + 1.5 * area->style->text;
}

void chart_counts(const ChartFrame *area, const LookTable *table)
{
    double em = area->style->text, legend = draw_legend(area, table, FIRST_STATE, OPEN);
    ChartFrame f = *area;
    f.top += legend + 1.8 * em;
    f.bottom -= 3.4 * em;
    guint rows = (guint)MAX((f.bottom - f.top) / (1.6 * em), 1), all = look_n_rows(table);
    rows = MIN(rows, all);
    double pitch = MIN((f.bottom - f.top) / rows, 2 * em);
    f.left += name_width(area, table, rows, 0.35 * (f.right - f.left));
    f.right -= 5.5 * em;
    f.most_x = most_of(table, rows, FIRST_STATE, OPEN);
    chart_text(&f, f.right + 5 * em, f.top - 0.6 * em, CANVAS_END, CHART_FAINT_TEXT,
               look_column(table, OPEN)->name);
    f.bottom = f.top + pitch * rows;
    chart_axis_x(&f, table->x_name);
    for (guint row = 0; row < rows; row++) {
        draw_label(&f, table, row, f.top + pitch * row, pitch);
    }
    if (rows < all) {
        g_autofree char *more = g_strdup_printf("… + %u", all - rows);
        chart_text(&f, area->left, f.bottom + 1.4 * em, CANVAS_START, CHART_FAINT_TEXT, more);
    }
}

/* --- Confidences -------------------------------------------------------------------------- */

#define FIRST_KIND 2

/* Each kind has a scale of its own: of the undecided there may be a thousand times more. */
void chart_histogram(const ChartFrame *area, const LookTable *table)
{
    guint kinds = table->columns->len - FIRST_KIND, rows = look_n_rows(table);
    double em = area->style->text;
    double height = (area->bottom - 3.4 * em - area->top) / kinds;
    for (guint k = 0; k < kinds; k++) {
        ChartFrame f = *area;
        f.left += 5 * em;
        f.top += k * height + 2.2 * em;
        f.bottom = area->top + (k + 1) * height;
        f.most_x = 1;
        f.most_y = 1.05 * most_of(table, rows, FIRST_KIND + k, FIRST_KIND + k + 1);
        chart_axis_y(&f, look_column(table, FIRST_KIND + k)->name);
        for (guint row = 0; row < rows; row++) {
            double x1 = chart_x(&f, look_value(table, row, 0)) + 1;
            double x2 = chart_x(&f, look_value(table, row, 1)) - 1;
            double count = look_value(table, row, FIRST_KIND + k);
            chart_bar(&f, x1, chart_y(&f, 0), x2, chart_y(&f, count), k);
        }
        if (k + 1 == kinds) {
            chart_axis_x(&f, table->x_name);
        }
    }
}

/* --- Progress ----------------------------------------------------------------------------- */

/* Days or hours since 1970; NaN for what is no time. */
static double time_of(const char *text)
{
    gboolean hours = strlen(text) > 10;
    g_autofree char *whole = g_strconcat(text, hours ? ":00:00Z" : "T00:00:00Z", NULL);
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(whole, NULL);
    return time ? (double)g_date_time_to_unix(time) / (hours ? 3600 : 86400) : NAN;
}

/* Rows stand at their times, or one beside the other where one has none. */
static double *places_of(const LookTable *table, guint rows)
{
    double *places = g_new(double, rows);
    gboolean good = TRUE;
    for (guint row = 0; row < rows; row++) {
        places[row] = time_of(look_text(table, row, 0));
        good = good && isfinite(places[row]);
    }
    for (guint row = 0; !good && row < rows; row++) {
        places[row] = row;
    }
    return places;
}

static void draw_times(const ChartFrame *f, const LookTable *table, const double *places,
                       guint rows)
{
    double em = f->style->text, free_from = f->left - 3 * em;
    for (guint row = 0; row < rows; row++) {
        const char *text = look_text(table, row, 0);
        double x = chart_x(f, places[row] + 0.5);
        if (x - 3.2 * em >= free_from && x + 3.2 * em <= f->right + 3 * em) {
            g_autofree char *hour = strlen(text) > 10 ? g_strconcat(text + 11, ":00", NULL)
                                                      : NULL;
            g_autofree char *day = g_strndup(text, 10);
            chart_text(f, x, f->bottom + 1.5 * em, CANVAS_MIDDLE, CHART_FAINT_TEXT,
                       hour ? hour : day);
            if (hour && (free_from < f->left || g_str_equal(text + 11, "00"))) {
                chart_text(f, x, f->bottom + 2.9 * em, CANVAS_MIDDLE, CHART_FAINT_TEXT, day);
            }
            free_from = x + 3.6 * em;
        }
    }
}

void chart_progress(const ChartFrame *area, const LookTable *table)
{
    guint rows = look_n_rows(table), columns = table->columns->len;
    double em = area->style->text;
    g_autofree double *places = places_of(table, rows);
    ChartFrame f = *area;
    f.top += draw_legend(area, table, 1, columns) + 2 * em;
    f.bottom -= 3.6 * em;
    f.left += 5 * em;
    f.right -= 2.5 * em;
    f.least_x = places[0];
    f.most_x = MAX(places[rows - 1] + 1, places[0] + 8); /* a single bar is not a wall */
    f.most_y = 1.05 * most_of(table, rows, 1, columns);
    chart_axis_y(&f, table->y_name);
    for (guint row = 0; row < rows; row++) {
        double x1 = chart_x(&f, places[row] + 0.1), x2 = chart_x(&f, places[row] + 0.9);
        double from = 0;
        for (guint c = 1; c < columns; c++) {
            double to = from + look_value(table, row, c);
            chart_bar(&f, x1, chart_y(&f, from), MAX(x2, x1 + 1), chart_y(&f, to), c - 1);
            from = to;
        }
    }
    draw_times(&f, table, places, rows);
}
