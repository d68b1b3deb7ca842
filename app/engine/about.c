#include "app/engine/about.h"

#include <string.h>

/* "e.g. cats" goes on, "shapes. It" does not: a sentence ends where a big letter or nothing
 * follows. */
static gboolean ends_at(const char *c)
{
    const char *next = c + 1;
    if (!strchr(".!?", *c) || (*next && *next != ' ')) {
        return FALSE;
    }
    next += strspn(next, " ");
    return !*next || g_unichar_isupper(g_utf8_get_char(next));
}

char *about_first_sentence(const char *text)
{
    g_autofree char *line = g_utf8_make_valid(text, -1);
    g_strdelimit(line, "\r\n\t", ' ');
    g_strstrip(line);
    for (char *c = line; *c; c++) {
        if (ends_at(c)) {
            c[1] = '\0';
            break;
        }
    }
    return g_steal_pointer(&line);
}
