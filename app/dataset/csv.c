#include "app/dataset/csv.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

G_DEFINE_QUARK(dataset-error-quark, dataset_error)

/* Where a field begins: in the text of its row, and in the file. */
struct field { gsize start; guint64 line, column; gboolean quoted; };

struct csv {
    FILE *file;
    char *path;
    char delimiter;
    guint64 line, column; /* of the next character */
    int held;             /* a character that was read too far, or EOF */
    GString *text;        /* the row's fields, each with a NUL behind it */
    GArray *fields;       /* of struct field */
    GPtrArray *header;    /* NULL for a file without one */
};

/* --- Characters --------------------------------------------------------------------- */

static gboolean fail_at(const struct csv *c, guint64 line, guint64 column, GError **error,
                        const char *text)
{
    g_autofree char *name = g_filename_display_name(c->path);
    /* What is quoted from a file may be long, or cut inside a character. */
    g_autofree char *shown = g_utf8_make_valid(text, (gssize)MIN(strlen(text), 300));
    g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                "%s:%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ": %s", name, line, column,
                shown);
    return FALSE;
}

gboolean csv_fail(const struct csv *c, guint field, GError **error, const char *format,
                  ...)
{
    const struct field *at = &g_array_index(c->fields, struct field, field);
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return fail_at(c, at->line, at->column, error, text);
}

static int take(struct csv *c)
{
    int byte = c->held != EOF ? c->held : getc_unlocked(c->file);
    c->held = EOF;
    if (byte == '\n') {
        c->line++;
        c->column = 1;
    } else if (byte != EOF && (byte & 0xc0) != 0x80) {
        c->column++; /* the first byte of a character */
    }
    return byte;
}

static int peek(struct csv *c)
{
    if (c->held == EOF) {
        c->held = getc_unlocked(c->file);
    }
    return c->held;
}

/* --- Fields ------------------------------------------------------------------------- */

enum end { END_FIELD, END_ROW, END_WRONG };

static gboolean is_blank(const struct csv *c, int byte)
{
    return byte == ' ' || (byte == '\t' && c->delimiter != '\t');
}

/* Behind a field: what ends it is taken. */
static enum end take_end(struct csv *c, GError **error)
{
    while (is_blank(c, peek(c))) {
        take(c); /* only behind a quote, for other fields take them in */
    }
    int byte = peek(c);
    if (byte == EOF) {
        return END_ROW;
    }
    guint64 line = c->line, column = c->column;
    take(c);
    if (byte == (unsigned char)c->delimiter) {
        return END_FIELD;
    }
    if (byte == '\r' && peek(c) == '\n') {
        byte = take(c);
    }
    if (byte == '\n') {
        return END_ROW;
    }
    fail_at(c, line, column, error,
            byte == '\r' ? "a carriage return without a line feed behind it"
                         : "text behind a closing quote");
    return END_WRONG;
}

static gboolean take_quoted(struct csv *c, GError **error)
{
    guint64 line = c->line, column = c->column;
    take(c);
    for (;;) {
        int byte = take(c);
        if (byte == EOF) {
            return fail_at(c, line, column, error, "this quote is never closed");
        }
        if (byte == '"') {
            if (peek(c) != '"') {
                return TRUE;
            }
            take(c);
        }
        if (c->text->len >= CSV_MAX_ROW_BYTES) {
            return fail_at(c, line, column, error, "the row is too long");
        }
        g_string_append_c(c->text, (char)byte);
    }
}

static gboolean take_plain(struct csv *c, GError **error)
{
    for (;;) {
        int byte = peek(c);
        if (byte == EOF || byte == (unsigned char)c->delimiter || byte == '\n'
            || byte == '\r') {
            return TRUE;
        }
        if (byte == '"') {
            return fail_at(c, c->line, c->column, error,
                           "a quote inside a field that does not begin with one");
        }
        if (c->text->len >= CSV_MAX_ROW_BYTES) {
            return fail_at(c, c->line, c->column, error, "the row is too long");
        }
        take(c);
        g_string_append_c(c->text, (char)byte);
    }
}

static enum end take_field(struct csv *c, GError **error)
{
    struct field field = { c->text->len, c->line, c->column, FALSE };
    while (is_blank(c, peek(c))) {
        g_string_append_c(c->text, (char)take(c));
    }
    field.quoted = peek(c) == '"';
    if (field.quoted) {
        g_string_truncate(c->text, field.start);
    }
    if (!(field.quoted ? take_quoted(c, error) : take_plain(c, error))) {
        return END_WRONG;
    }
    if (!g_utf8_validate_len(c->text->str + field.start, c->text->len - field.start,
                             NULL)) {
        fail_at(c, field.line, field.column, error, "this field is not UTF-8 text");
        return END_WRONG;
    }
    g_string_append_c(c->text, '\0');
    g_array_append_val(c->fields, field);
    return take_end(c, error);
}

/* TRUE with no field at the end of the file. */
static gboolean take_row(struct csv *c, GError **error)
{
    enum end end = END_FIELD;
    g_string_truncate(c->text, 0);
    g_array_set_size(c->fields, 0);
    while (peek(c) == '\n' || peek(c) == '\r') { /* blank lines */
        if (take_end(c, error) == END_WRONG) {
            return FALSE;
        }
    }
    if (peek(c) == EOF) {
        return TRUE;
    }
    while (end == END_FIELD) {
        end = take_field(c, error);
    }
    return end == END_ROW;
}

/* --- The file ------------------------------------------------------------------------- */

static gboolean io_fail(const struct csv *c, GError **error)
{
    int code = errno;
    g_autofree char *name = g_filename_display_name(c->path);
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", name,
                g_strerror(code));
    return FALSE;
}

/* The delimiter that the first line has most of outside quotes; then back to the start. */
static gboolean find_delimiter(struct csv *c, long start, GError **error)
{
    static const char candidates[] = ",;\t";
    guint count[3] = { 0 };
    gboolean quoted = FALSE;
    int byte;
    while ((byte = getc_unlocked(c->file)) != EOF && (quoted || byte != '\n')) {
        const char *found = byte ? strchr(candidates, byte) : NULL;
        quoted ^= byte == '"';
        if (found && !quoted) {
            count[found - candidates]++;
        }
    }
    guint best = count[1] > count[0] ? 1 : 0;
    c->delimiter = candidates[count[2] > count[best] ? 2 : best];
    return (!ferror(c->file) && fseek(c->file, start, SEEK_SET) == 0)
           || io_fail(c, error);
}

static gboolean find_start(struct csv *c, GError **error)
{
    char mark[3];
    gboolean marked = fread(mark, 1, 3, c->file) == 3
                      && memcmp(mark, "\xef\xbb\xbf", 3) == 0;
    if (fseek(c->file, marked ? 3 : 0, SEEK_SET) != 0) {
        return io_fail(c, error);
    }
    while (c->header && peek(c) == '#') {
        for (int byte = take(c); byte != EOF && byte != '\n'; byte = take(c)) {
        }
    }
    return TRUE;
}

/* A line `sep=;`, as spreadsheets understand it. */
static gboolean take_separator(struct csv *c, long start, GError **error)
{
    char line[6];
    gboolean found = fread(line, 1, 6, c->file) == 6 && memcmp(line, "sep=", 4) == 0
                     && (line[5] == '\n' || line[5] == '\r');
    if (fseek(c->file, start, SEEK_SET) != 0) {
        return io_fail(c, error);
    }
    if (!found) {
        return find_delimiter(c, start, error);
    }
    for (int i = 0; i < 5; i++) {
        take(c);
    }
    c->delimiter = line[4];
    return strchr(",;\t", line[4])
               ? take_end(c, error) != END_WRONG
               : fail_at(c, c->line, 5, error, "no separator of fields that is known");
}

static gboolean open_file(struct csv *c, GError **error)
{
    c->file = g_fopen(c->path, "rb");
    if (!c->file) {
        return io_fail(c, error);
    }
    if (!find_start(c, error)) {
        return FALSE;
    }
    long start = ftell(c->file) - (c->held != EOF);
    c->held = EOF;
    return fseek(c->file, start, SEEK_SET) == 0 ? take_separator(c, start, error)
                                                : io_fail(c, error);
}

static gboolean read_header(struct csv *c, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    if (!take_row(c, error)) {
        return FALSE;
    }
    if (ferror(c->file)) {
        return io_fail(c, error);
    }
    if (c->fields->len == 0) {
        return fail_at(c, 1, 1, error, "the file is empty");
    }
    for (guint i = 0; i < c->fields->len; i++) {
        char *name = csv_trimmed(c, i);
        g_ptr_array_add(c->header, name);
        if (!*name && i > 0) {
            return csv_fail(c, i, error, "column %u has no name", i + 1);
        }
        if (!g_hash_table_add(seen, name)) {
            return csv_fail(c, i, error, "two columns are called \"%s\"", name);
        }
    }
    return TRUE;
}

static struct csv *open_csv(const char *path, gboolean headed, GError **error)
{
    struct csv *c = g_new0(struct csv, 1);
    c->path = g_strdup(path);
    c->line = c->column = 1;
    c->held = EOF;
    c->text = g_string_new(NULL);
    c->fields = g_array_new(FALSE, FALSE, sizeof(struct field));
    c->header = headed ? g_ptr_array_new_with_free_func(g_free) : NULL;
    if (!open_file(c, error) || (headed && !read_header(c, error))) {
        csv_close(&c);
    }
    return c;
}

struct csv *csv_open(const char *path, GError **error)
{
    return open_csv(path, TRUE, error);
}

struct csv *csv_open_plain(const char *path, GError **error)
{
    return open_csv(path, FALSE, error);
}

void csv_close(struct csv **csv)
{
    struct csv *c = *csv;
    *csv = NULL;
    if (!c) {
        return;
    }
    if (c->file) {
        fclose(c->file);
    }
    g_string_free(c->text, TRUE);
    g_array_unref(c->fields);
    g_clear_pointer(&c->header, g_ptr_array_unref);
    g_free(c->path);
    g_free(c);
}

gboolean csv_next(struct csv *c, GError **error)
{
    if (!take_row(c, error)) {
        return FALSE;
    }
    if (ferror(c->file)) {
        return io_fail(c, error);
    }
    if (c->fields->len == 0) {
        return FALSE;
    }
    if (c->header && c->fields->len != c->header->len) {
        return csv_fail(c, c->fields->len - 1, error,
                        "this row has %u fields and the header %u", c->fields->len,
                        c->header->len);
    }
    return TRUE;
}

guint csv_n_fields(const struct csv *c)
{
    return c->fields->len;
}

const char *csv_field(const struct csv *c, guint index)
{
    return c->text->str + g_array_index(c->fields, struct field, index).start;
}

char *csv_trimmed(const struct csv *c, guint index)
{
    char *text = g_strdup(csv_field(c, index));
    return g_array_index(c->fields, struct field, index).quoted ? text : g_strstrip(text);
}

const char *csv_header(const struct csv *c, guint index)
{
    return c->header->pdata[index];
}

int csv_find(const struct csv *c, const char *name)
{
    for (guint i = 0; c->header && i < c->header->len; i++) {
        if (g_ascii_strcasecmp(c->header->pdata[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}
