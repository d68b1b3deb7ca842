/* A CSV file, row by row: RFC 4180 with a header, in UTF-8 with or without a byte order
 * mark, lines that end in LF or CRLF, and commas, semicolons or tabs between the fields
 * (whichever the header has most of, or a first line `sep=;` names). Blank lines are passed
 * over, and so are lines before the header that begin with `#`, and blanks around a quoted
 * field. Every row must have as many fields as the header. Memory is that of one row.
 *
 * Errors name the file, the line and the column (in characters, from 1). One thread at a
 * time. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define DATASET_ERROR (dataset_error_quark())
GQuark dataset_error_quark(void);

/* All that can be wrong with the content of a file; G_IO_ERROR and the store's errors
 * come as they are. */
typedef enum {
    DATASET_ERROR_INVALID,
    DATASET_ERROR_EMPTY,   /* well formed, with nothing in it that was asked for */
    DATASET_ERROR_MISSING, /* none of its pictures is where it should be */
} DatasetError;

#define CSV_MAX_ROW_BYTES (64 << 20)

struct csv;

/* Reads the header as the first row. Its first field may be empty, as where a program wrote
 * the numbers of the rows; no other. */
struct csv *csv_open(const char *path, GError **error);
/* A file without a header, whose rows may have any number of fields. */
struct csv *csv_open_plain(const char *path, GError **error);
void csv_close(struct csv **csv);
/* FALSE at the end, and with *error set when something is wrong. */
gboolean csv_next(struct csv *csv, GError **error);

/* Of the present row. */
guint csv_n_fields(const struct csv *csv);
/* Borrowed until the next row; blanks are kept. NUL-terminated, without NULs inside. */
const char *csv_field(const struct csv *csv, guint index);
/* A copy without blanks around it, except those that were quoted. To be freed. */
char *csv_trimmed(const struct csv *csv, guint index);
/* The header's field, trimmed so; valid until the file is closed. */
const char *csv_header(const struct csv *csv, guint index);
/* The column of a name in any case, or -1. */
int csv_find(const struct csv *csv, const char *name);
/* Sets an error about a field of the present row. Returns FALSE. */
gboolean csv_fail(const struct csv *csv, guint field, GError **error, const char *format,
                  ...) G_GNUC_PRINTF(4, 5);

G_END_DECLS
