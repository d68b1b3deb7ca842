/* Tables as CSV and as lines of a terminal. */
#include "app/look/look_private.h"

#include "app/formats/text.h"

#include <math.h>
#include <stdlib.h>

char *look_to_csv(const LookTable *table)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    guint n = table->columns->len;
    for (guint c = 0; c < n; c++) {
        g_autofree char *key = g_utf8_make_valid(look_column(table, c)->key, -1);
        text_csv_field(out, key);
        fputs(c + 1 < n ? "," : "\r\n", out);
    }
    for (guint i = 0; i < look_n_rows(table) * n; i++) {
        guint row = i / n, c = i % n;
        LookKind kind = look_column(table, c)->kind;
        double value = look_value(table, row, c);
        if (kind == LOOK_TEXT) {
            text_csv_field(out, look_text(table, row, c));
        } else if (!isnan(value)) {
            text_number(out, kind == LOOK_NUMBER ? "%.0f" : "%.6g", value);
        }
        fputs(c + 1 < n ? "," : "\r\n", out);
    }
    fclose(out);
    char *text = g_strndup(bytes, size);
    free(bytes);
    return text;
}

/* How many places a terminal gives a text. */
static guint places(const char *text)
{
    guint n = 0;
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        n += g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 2 : 1;
    }
    return n;
}

/* A name in the database must not drive the terminal. */
static char *plain(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    for (char *c = valid; *c; c++) {
        *c = g_ascii_iscntrl(*c) ? '?' : *c;
    }
    return valid;
}

static char *cell_text(const LookTable *table, guint line, guint column)
{
    g_autofree char *text = line == 0 ? g_strdup(look_column(table, column)->name)
                                      : look_cell(table, line - 1, column);
    return plain(text);
}

static void put_cell(GString *out, const char *text, guint width, gboolean right)
{
    guint blanks = width - places(text);
    g_string_append_printf(out, "%*s%s%*s", right ? (int)blanks : 0, "", text,
                           right ? 0 : (int)blanks, "");
}

char *look_to_text(const LookTable *table)
{
    guint n = table->columns->len, lines = look_n_rows(table) + 1;
    g_autofree guint *widths = g_new0(guint, MAX(n, 1));
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *title = plain(table->title), *note = plain(table->note);
    GString *out = g_string_new(title);
    g_string_append_c(out, '\n');
    for (guint i = 0; i < lines * n; i++) {
        g_ptr_array_add(cells, cell_text(table, i / n, i % n));
        widths[i % n] = MAX(widths[i % n], places(cells->pdata[i]));
    }
    for (guint i = 0; lines > 1 && i < cells->len; i++) {
        gboolean last = i % n + 1 == n, right = look_column(table, i % n)->kind != LOOK_TEXT;
        put_cell(out, cells->pdata[i], last && !right ? places(cells->pdata[i])
                                                      : widths[i % n], right);
        g_string_append(out, last ? "\n" : "  ");
    }
    g_string_append_printf(out, "%s%s", note, *note ? "\n" : "");
    return g_string_free(out, FALSE);
}
