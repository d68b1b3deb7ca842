/* A JSON document read once, from front to back, in the memory of its longest string: for
 * files that are too large to hold (the COCO annotations are 450 MB). A file may hold
 * several, one behind the other, as JSON lines are.
 *
 * The caller says what it expects and the reader checks it. The first fault sticks: from
 * then on every call returns FALSE or NULL at once, and json_stream_close gives the error,
 * which names the file, the line and the column (in characters, from 1). So a caller need
 * not look at every result, only end its loops. RFC 8259 is kept strictly, in parts that
 * are skipped too, but for a byte order mark, which is passed over; depth is at most 64
 * and a string at most 64 MiB. One thread at a time. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

struct json_stream;

struct json_stream *json_stream_open(const char *path);
/* TRUE when the whole document was read without a fault. */
gboolean json_stream_close(struct json_stream **s, GError **error);

/* Whether another document follows. */
gboolean json_stream_more(struct json_stream *s);
/* Enters the object that must come next. */
gboolean json_stream_object(struct json_stream *s);
/* The next key, borrowed until another text is read; NULL at the end, which leaves the object.
 * The value must be read, or skipped, before the next key. */
const char *json_stream_key(struct json_stream *s);
/* The same for arrays: whether another item comes. */
gboolean json_stream_array(struct json_stream *s);
gboolean json_stream_item(struct json_stream *s);

/* Borrowed until another text is read. */
const char *json_stream_string(struct json_stream *s);
/* A number without a fraction, such as 7 or 7.0, of at most 2^53. */
gboolean json_stream_integer(struct json_stream *s, gint64 *out);
/* A finite number. */
gboolean json_stream_number(struct json_stream *s, double *out);
gboolean json_stream_boolean(struct json_stream *s, gboolean *out);
gboolean json_stream_skip(struct json_stream *s);
/* A fault of the content, found by the caller, at the place that is read. */
void json_stream_fail(struct json_stream *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* What follows next, to tell a string from an object: its first character, or 0. */
char json_stream_peek(struct json_stream *s);

G_END_DECLS
