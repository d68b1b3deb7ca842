#include "app/formats/text.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* Blanks around a field count only in quotes for some readers, and other separators make
 * them guess which one is meant. */
void text_csv_field(FILE *out, const char *text)
{
    gsize n = strlen(text);
    gboolean blanks = n > 0 && (g_ascii_isspace(text[0]) || g_ascii_isspace(text[n - 1]));
    if (!strpbrk(text, ",;\t\"\r\n") && !blanks) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"') {
            fputc('"', out);
        }
        fputc(*c, out);
    }
    fputc('"', out);
}

void text_json_string(FILE *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    fputc('"', out);
    for (const char *c = valid; *c; c++) {
        if (g_ascii_iscntrl(*c)) {
            fprintf(out, "\\u%04x", (unsigned)*c);
        } else {
            fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
        }
    }
    fputc('"', out);
}

char *text_xml_valid(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        gboolean control = letter < 0x20 && !strchr("\t\n\r", (int)letter);
        if (control || letter == 0xfffe || letter == 0xffff) {
            g_string_append(out, REPLACEMENT);
        } else {
            g_string_append_unichar(out, letter);
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

void text_xml(FILE *out, const char *text)
{
    g_autofree char *valid = text_xml_valid(text);
    for (const char *c = valid; *c; c++) {
        switch (*c) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\t': case '\n': case '\r': /* bare, an attribute would make them blanks */
            fprintf(out, "&#%d;", *c);
            break;
        default: fputc(*c, out);
        }
    }
}

void text_number(FILE *out, const char *format, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    fputs(g_ascii_formatd(text, sizeof text, format, value), out);
}
