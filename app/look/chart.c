/* Which picture a table gets. */
#include "app/look/chart_private.h"

#include <math.h>

#define SVG_WIDTH 720
#define MOST_ROWS 40 /* of labels; the table has the others */

/* --- Texts around a picture --------------------------------------------------------------- */

/* Words of the text until the line is full; *rest is what is left. */
static char *take_line(const ChartFrame *f, const char *text, double width, const char **rest)
{
    CanvasText how = { .size = f->style->text };
    const char *end = text;
    for (const char *space = text; space; ) {
        const char *next = strchr(space + 1, ' ');
        g_autofree char *line = next ? g_strndup(text, (gsize)(next - text)) : g_strdup(text);
        if (end > text && f->canvas->width(f->canvas, &how, line) > width) {
            break;
        }
        end = next ? next : text + strlen(text);
        space = next;
    }
    *rest = *end ? end + 1 : end;
    return g_strndup(text, (gsize)(end - text));
}

/* At most three lines above `bottom`, whose height is returned. */
static double draw_note(const ChartFrame *f, const char *note, double bottom)
{
    double em = f->style->text, width = f->right - f->left;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    while (*note && lines->len < 3) {
        g_ptr_array_add(lines, take_line(f, note, width, &note));
    }
    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *fits = chart_shorten(f, lines->pdata[i], width);
        chart_text(f, f->left, bottom - 1.5 * em * (lines->len - i - 0.7), CANVAS_START,
                   CHART_FAINT_TEXT, fits);
    }
    return lines->len ? 1.5 * em * lines->len + 0.3 * em : 0;
}

static void draw_title(const ChartFrame *f, const char *title)
{
    double em = f->style->text;
    CanvasText how = { .size = 1.15 * em, .strong = TRUE,
                       .colour = chart_colour(f->style, CHART_TEXT) };
    g_autofree char *fits = chart_shorten(f, title, (f->right - f->left) / 1.3);
    f->canvas->text(f->canvas, f->left, f->top + 1.1 * em, &how, fits);
}

void chart_draw(const LookTable *table, Canvas *canvas, double width, double height,
                const ChartStyle *style)
{
    static void (*const shapes[LOOK_VIEWS])(const ChartFrame *, const LookTable *) = {
        chart_counts, chart_histogram, chart_precision, chart_calibration, chart_together,
        chart_progress };
    double em = style->text;
    ChartFrame f = { .canvas = canvas, .style = style, .left = em, .top = 0.7 * em,
                     .right = width - em, .bottom = height - 0.7 * em };
    if (f.right - f.left < 8 * em || f.bottom - f.top < 8 * em) {
        return; /* no room for anything that could be read */
    }
    draw_title(&f, table->title);
    f.bottom -= draw_note(&f, table->note, f.bottom);
    f.top += 2.2 * em;
    if (look_n_rows(table) > 0 && f.bottom - f.top > 8 * em) {
        shapes[table->view](&f, table);
    }
}

double chart_height(const LookTable *table, double width, const ChartStyle *style)
{
    double em = style->text;
    guint rows = MIN(look_n_rows(table), MOST_ROWS);
    switch (table->view) {
    case LOOK_COUNTS:
        return (13 + 2 * MAX(rows, 3)) * em;
    case LOOK_TOGETHER:
        return CLAMP(0.75 * width + 8 * em, 24 * em, 80 * em);
    case LOOK_HISTOGRAM:
        return MAX(0.65 * width, 36 * em);
    default:
        return MAX(0.6 * width, 26 * em);
    }
}

char *look_to_svg(const LookTable *table)
{
    ChartStyle style = CHART_SVG_STYLE;
    double height = round(chart_height(table, SVG_WIDTH, &style));
    Canvas *canvas = canvas_svg_new(SVG_WIDTH, height, table->title, table->note);
    chart_draw(table, canvas, SVG_WIDTH, height, &style);
    return canvas_svg_finish(canvas);
}
