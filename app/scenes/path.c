#include "app/scenes/path.h"

#include <string.h>

static void curve(cairo_t *cr, const double p[6], path_map map, gconstpointer data)
{
    double q[6];
    memcpy(q, p, sizeof q);
    for (int i = 0; i < 6; i += 2) {
        map(data, q + i, q + i + 1);
    }
    cairo_curve_to(cr, q[0], q[1], q[2], q[3], q[4], q[5]);
}

/* Four curves, so that the map may bend the circle too. `way` is 1 clockwise and -1 for
 * a hole. */
static void circle(cairo_t *cr, const double p[3], double way, path_map map,
                   gconstpointer data)
{
    const double x = p[0], y = p[1], r = p[2], w = way * r, k = .5522847498;
    double start_x = x + r, start_y = y;
    map(data, &start_x, &start_y);
    cairo_move_to(cr, start_x, start_y);
    curve(cr, (double[]){ x + r, y + k * w, x + k * r, y + w, x, y + w }, map, data);
    curve(cr, (double[]){ x - k * r, y + w, x - r, y + k * w, x - r, y }, map, data);
    curve(cr, (double[]){ x - r, y - k * w, x - k * r, y - w, x, y - w }, map, data);
    curve(cr, (double[]){ x + k * r, y - w, x + r, y - k * w, x + r, y }, map, data);
    cairo_close_path(cr);
}

static gboolean read_numbers(const char **text, int n, double *out)
{
    for (int i = 0; i < n; i++) {
        char *end;
        out[i] = g_ascii_strtod(*text, &end);
        if (end == *text) {
            return FALSE;
        }
        *text = end;
    }
    return TRUE;
}

static void draw(cairo_t *cr, char command, double p[6], path_map map,
                 gconstpointer data)
{
    switch (command) {
    case 'M':
        map(data, p, p + 1);
        cairo_move_to(cr, p[0], p[1]);
        break;
    case 'L':
        map(data, p, p + 1);
        cairo_line_to(cr, p[0], p[1]);
        break;
    case 'C':
        curve(cr, p, map, data);
        break;
    case 'O':
    case 'H':
        circle(cr, p, command == 'O' ? 1 : -1, map, data);
        break;
    default:
        cairo_close_path(cr);
    }
}

gboolean path_trace(cairo_t *cr, const char *outline, path_map map, gconstpointer data)
{
    static const char commands[] = "MLCOHZ";
    static const int numbers[] = { 2, 2, 6, 3, 3, 0 };
    for (outline += strspn(outline, " "); *outline; outline += strspn(outline, " ")) {
        const char *known = strchr(commands, *outline);
        double p[6];
        outline++;
        if (!known || !read_numbers(&outline, numbers[known - commands], p)) {
            return FALSE;
        }
        draw(cr, *known, p, map, data);
    }
    return TRUE;
}
