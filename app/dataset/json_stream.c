#include "app/dataset/json_stream.h"

#include "app/dataset/csv.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_STRING_BYTES (64 << 20)
#define BUFFER_BYTES 65536

struct json_stream {
    FILE *file;
    char *path;
    GError *error;
    gboolean failed;
    guint64 line, before; /* lines begun; bytes of the file before the buffer */
    guint64 begin;        /* bytes of the file before the line, and of it those that are
                           * not the first of a character */
    gsize at, end;        /* in the buffer */
    guint depth;
    gboolean first[MAX_DEPTH + 1]; /* by depth: nothing of the container was read yet */
    char closer[MAX_DEPTH + 1];
    GString *text;
    unsigned char buffer[BUFFER_BYTES];
};

/* --- Characters --------------------------------------------------------------------- */

void json_stream_fail(struct json_stream *s, const char *format, ...)
{
    if (s->failed) {
        return;
    }
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *name = g_filename_display_name(s->path);
    s->failed = TRUE;
    g_set_error(&s->error, DATASET_ERROR, DATASET_ERROR_INVALID,
                "%s:%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ": %s", name, s->line,
                s->before + s->at - s->begin + 1, text);
}

static void fail_io(struct json_stream *s)
{
    int code = errno;
    g_autofree char *name = g_filename_display_name(s->path);
    s->failed = TRUE;
    g_set_error(&s->error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", name,
                g_strerror(code));
}

static gboolean refill(struct json_stream *s)
{
    if (s->failed) {
        return FALSE;
    }
    s->before += s->end;
    s->at = 0;
    s->end = fread(s->buffer, 1, BUFFER_BYTES, s->file);
    if (s->end == 0 && ferror(s->file)) {
        fail_io(s);
    }
    return s->end > 0;
}

static inline int peek(struct json_stream *s)
{
    return s->at < s->end || refill(s) ? s->buffer[s->at] : EOF;
}

static inline int take(struct json_stream *s)
{
    int byte = peek(s);
    s->at += byte != EOF;
    return byte;
}

/* The first character behind blanks; EOF after a fault too, which ends every loop. */
static int peek_value(struct json_stream *s)
{
    for (;;) {
        int byte = s->failed ? EOF : peek(s);
        if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n') {
            return byte;
        }
        s->at++;
        if (byte == '\n') {
            s->line++;
            s->begin = s->before + s->at;
        }
    }
}

gboolean json_stream_more(struct json_stream *s)
{
    return peek_value(s) != EOF;
}

char json_stream_peek(struct json_stream *s)
{
    int byte = peek_value(s);
    return byte == EOF ? '\0' : (char)byte;
}

static gboolean expect(struct json_stream *s, char wanted, const char *what)
{
    if (peek_value(s) != wanted) {
        json_stream_fail(s, "%s is missing", what);
        return FALSE;
    }
    s->at++;
    return TRUE;
}

/* --- Containers --------------------------------------------------------------------- */

static gboolean enter(struct json_stream *s, char opener, char closer, const char *what)
{
    if (!expect(s, opener, what)) {
        return FALSE;
    }
    if (s->depth == MAX_DEPTH) {
        json_stream_fail(s, "values are nested too deep");
        return FALSE;
    }
    s->depth++;
    s->first[s->depth] = TRUE;
    s->closer[s->depth] = closer;
    return TRUE;
}

gboolean json_stream_object(struct json_stream *s)
{
    return enter(s, '{', '}', "an object");
}

gboolean json_stream_array(struct json_stream *s)
{
    return enter(s, '[', ']', "an array");
}

gboolean json_stream_item(struct json_stream *s)
{
    int byte = peek_value(s);
    if (s->failed) {
        return FALSE;
    }
    if (byte == s->closer[s->depth]) {
        s->at++;
        s->depth--;
        return FALSE;
    }
    if (!s->first[s->depth] && !expect(s, ',', "a comma or an end")) {
        return FALSE;
    }
    s->first[s->depth] = FALSE;
    return TRUE;
}

const char *json_stream_key(struct json_stream *s)
{
    if (!json_stream_item(s)) {
        return NULL;
    }
    const char *key = json_stream_string(s);
    return key && expect(s, ':', "a colon") ? key : NULL;
}

/* --- Values ------------------------------------------------------------------------- */

static gboolean take_hex4(struct json_stream *s, gunichar *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int byte = take(s);
        int digit = byte == EOF ? -1 : g_ascii_xdigit_value((char)byte);
        if (digit < 0) {
            json_stream_fail(s, "a wrong escape in a string");
            return FALSE;
        }
        *out = *out * 16 + (gunichar)digit;
    }
    return TRUE;
}

static gboolean take_unicode(struct json_stream *s)
{
    gunichar code, low;
    if (!take_hex4(s, &code)) {
        return FALSE;
    }
    if (code >= 0xd800 && code < 0xdc00) {
        if (take(s) != '\\' || take(s) != 'u' || !take_hex4(s, &low) || low < 0xdc00
            || low >= 0xe000) {
            json_stream_fail(s, "half of a surrogate pair in a string");
            return FALSE;
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code == 0 || (code >= 0xdc00 && code < 0xe000)) {
        json_stream_fail(s, "a character that no text may hold");
        return FALSE;
    }
    g_string_append_unichar(s->text, code);
    return TRUE;
}

static gboolean take_escape(struct json_stream *s)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    int byte = take(s);
    if (byte == 'u') {
        return take_unicode(s);
    }
    const char *found = byte > 0 ? strchr(letters, byte) : NULL;
    if (!found) {
        json_stream_fail(s, "a wrong escape in a string");
        return FALSE;
    }
    g_string_append_c(s->text, values[found - letters]);
    return TRUE;
}

const char *json_stream_string(struct json_stream *s)
{
    g_string_truncate(s->text, 0);
    if (!expect(s, '"', "a string")) {
        return NULL;
    }
    for (int byte; (byte = take(s)) != '"';) {
        if (byte == EOF || byte < 0x20) {
            json_stream_fail(s, byte == EOF ? "a string without an end"
                                            : "a control character in a string");
            return NULL;
        }
        if (s->text->len >= MAX_STRING_BYTES) {
            json_stream_fail(s, "a string is too long");
            return NULL;
        }
        if (byte == '\\') {
            if (!take_escape(s)) {
                return NULL;
            }
        } else {
            g_string_append_c(s->text, (char)byte);
            s->begin += (byte & 0xc0) == 0x80;
        }
    }
    if (!g_utf8_validate_len(s->text->str, s->text->len, NULL)) {
        json_stream_fail(s, "invalid UTF-8 in a string");
        return NULL;
    }
    return s->text->str;
}

/* Digits go to `out` while there is room; a longer number keeps its first ones, which is
 * of no matter to those who skip it. */
struct number { char text[64]; gsize n; };

static gboolean take_digits(struct json_stream *s, struct number *number)
{
    gboolean any = FALSE;
    for (int byte; (byte = peek(s)) >= '0' && byte <= '9'; s->at++) {
        any = TRUE;
        if (number->n + 1 < sizeof number->text) {
            number->text[number->n++] = (char)byte;
        }
    }
    return any;
}

static void keep(struct json_stream *s, struct number *number)
{
    if (number->n + 1 < sizeof number->text) {
        number->text[number->n++] = (char)peek(s);
    }
    s->at++;
}

static gboolean take_number(struct json_stream *s, struct number *number)
{
    number->n = 0;
    if (peek_value(s) == '-') {
        keep(s, number);
    }
    gsize start = number->n;
    gboolean zero = peek(s) == '0';
    gboolean good = take_digits(s, number) && !(zero && number->n > start + 1);
    if (good && peek(s) == '.') {
        keep(s, number);
        good = take_digits(s, number);
    }
    if (good && (peek(s) == 'e' || peek(s) == 'E')) {
        keep(s, number);
        if (peek(s) == '+' || peek(s) == '-') {
            keep(s, number);
        }
        good = take_digits(s, number);
    }
    number->text[number->n] = '\0';
    if (!good) {
        json_stream_fail(s, "a number is missing or wrong");
    }
    return good;
}

gboolean json_stream_integer(struct json_stream *s, gint64 *out)
{
    struct number number;
    if (!take_number(s, &number)) {
        return FALSE;
    }
    double value = g_ascii_strtod(number.text, NULL);
    if (number.n + 1 >= sizeof number.text || fabs(value) > 9007199254740992.0
        || value != floor(value)) {
        json_stream_fail(s, "a whole number is wanted");
        return FALSE;
    }
    *out = (gint64)value;
    return TRUE;
}

gboolean json_stream_number(struct json_stream *s, double *out)
{
    struct number number;
    if (!take_number(s, &number)) {
        return FALSE;
    }
    *out = g_ascii_strtod(number.text, NULL);
    if (number.n + 1 >= sizeof number.text || !isfinite(*out)) {
        json_stream_fail(s, "a number that is too long or too large");
        return FALSE;
    }
    return TRUE;
}

static gboolean skip_word(struct json_stream *s, const char *word)
{
    for (; *word; word++) {
        if (take(s) != *word) {
            json_stream_fail(s, "something that is not a value");
            return FALSE;
        }
    }
    return TRUE;
}

gboolean json_stream_boolean(struct json_stream *s, gboolean *out)
{
    *out = peek_value(s) == 't';
    return skip_word(s, *out ? "true" : "false");
}

gboolean json_stream_skip(struct json_stream *s)
{
    struct number number;
    switch (peek_value(s)) {
    case '{':
        json_stream_object(s);
        while (json_stream_key(s) && json_stream_skip(s)) {
        }
        return !s->failed;
    case '[':
        json_stream_array(s);
        while (json_stream_item(s) && json_stream_skip(s)) {
        }
        return !s->failed;
    case '"': return json_stream_string(s) != NULL;
    case 't': return skip_word(s, "true");
    case 'f': return skip_word(s, "false");
    case 'n': return skip_word(s, "null");
    default: return take_number(s, &number);
    }
}

/* --- The file ------------------------------------------------------------------------- */

struct json_stream *json_stream_open(const char *path)
{
    struct json_stream *s = g_new0(struct json_stream, 1);
    s->path = g_strdup(path);
    s->text = g_string_new(NULL);
    s->line = 1;
    s->file = g_fopen(path, "rb");
    if (!s->file) {
        fail_io(s);
    } else if (refill(s) && s->end >= 3 && memcmp(s->buffer, "\xef\xbb\xbf", 3) == 0) {
        s->at = 3;
        s->begin = 3;
    }
    return s;
}

gboolean json_stream_close(struct json_stream **stream, GError **error)
{
    struct json_stream *s = *stream;
    *stream = NULL;
    if (!s->failed && peek_value(s) != EOF) {
        json_stream_fail(s, "more text after the end");
    }
    gboolean good = !s->failed;
    if (s->error) {
        g_propagate_error(error, s->error);
    }
    if (s->file) {
        fclose(s->file);
    }
    g_string_free(s->text, TRUE);
    g_free(s->path);
    g_free(s);
    return good;
}
