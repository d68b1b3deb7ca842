#include "app/query/query_private.h"

#include <string.h>

/* The next character, whatever its case, and past it. A byte that is no UTF-8 is a
 * character of its own, beyond all others. */
static gunichar next_char(const char **at)
{
    guchar byte = (guchar)**at;
    if (byte < 0x80) {
        (*at)++;
        return (gunichar)g_ascii_tolower((char)byte);
    }
    gunichar c = g_utf8_get_char_validated(*at, -1);
    if (c >= 0x110000) {
        (*at)++;
        return 0x110000 + (gunichar)byte;
    }
    *at = g_utf8_next_char(*at);
    return g_unichar_tolower(c);
}

static gboolean is_end(char c)
{
    return c == '\0' || c == '/';
}

/* Whether the pattern matches from `text` to the end of a part of a path. Goes back to the
 * last star only, so it costs at most the product of both lengths. */
static gboolean match_here(const char *pattern, const char *text)
{
    const char *star = NULL, *again = NULL;
    while (*pattern || !is_end(*text)) {
        const char *p = pattern, *t = text;
        if (*pattern == '*') {
            star = ++pattern;
            again = text;
            continue;
        }
        if (*p && *t && !(*p == '?' && *t == '/')) {
            gunichar want = next_char(&p), got = next_char(&t);
            if (want == got || want == '?') {
                pattern = p;
                text = t;
                continue;
            }
        }
        if (!star || is_end(*again)) {
            return FALSE;
        }
        next_char(&again);
        text = again;
        pattern = star;
    }
    return TRUE;
}

gboolean match_whole(const char *pattern, const char *text)
{
    return !strchr(text, '/') && match_here(pattern, text);
}

/* Whether the pattern is a part of the text. */
static gboolean is_within(const char *pattern, const char *text)
{
    for (const char *from = text; *from;) {
        const char *p = pattern, *t = from;
        while (*p && *t) {
            if (next_char(&p) != next_char(&t)) {
                break;
            }
            if (!*p) {
                return TRUE;
            }
        }
        next_char(&from);
    }
    return !*pattern;
}

gboolean match_name(const char *pattern, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return strpbrk(pattern, "*?") ? match_here(pattern, name) : is_within(pattern, name);
}

gboolean match_folder(const char *pattern, const char *path)
{
    const char *last = strrchr(path, '/');
    g_autofree char *folders = g_strndup(path, last ? (gsize)(last - path) : 0);
    if (*pattern == '/') {
        return *folders == '/' && match_here(pattern + 1, folders + 1);
    }
    for (const char *part = *folders ? folders : NULL; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (match_here(pattern, part)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* The number at *at, and past it. */
static guint64 take_number(const char **at)
{
    guint64 value = 0;
    for (; g_ascii_isdigit(**at); (*at)++) {
        guint64 digit = (guint64)(**at - '0');
        value = value > (G_MAXUINT64 - digit) / 10 ? G_MAXUINT64 : value * 10 + digit;
    }
    return value;
}

int compare_names(const char *a, const char *b)
{
    const char *l = a, *r = b;
    while (*l && *r) {
        guint64 left, right;
        if (g_ascii_isdigit(*l) && g_ascii_isdigit(*r)) {
            left = take_number(&l);
            right = take_number(&r);
        } else {
            left = next_char(&l);
            right = next_char(&r);
        }
        if (left != right) {
            return left < right ? -1 : 1;
        }
    }
    return *l || *r ? (*r ? -1 : 1) : strcmp(a, b);
}
