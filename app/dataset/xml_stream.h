/* An XML document read once, from front to back, by libxml2: in the memory of its longest
 * text. Nothing outside the file is ever read, entities of its own are refused with the
 * document type that declares them, and depth and sizes have the library's limits (256
 * levels, 10 MB a text).
 *
 * The first fault sticks, as with json_stream.h: from then on xml_stream_next gives
 * XML_STREAM_END_OF_FILE, and xml_stream_close the error, which names file, line and
 * column. One thread at a time. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

enum xml_event { XML_STREAM_END_OF_FILE, XML_STREAM_START, XML_STREAM_END,
                 XML_STREAM_TEXT };

struct xml_stream;

struct xml_stream *xml_stream_open(const char *path);
/* TRUE when the whole document was read without a fault. */
gboolean xml_stream_close(struct xml_stream **x, GError **error);

/* Comments and instructions are passed over; an element without content starts and ends
 * like any other. */
enum xml_event xml_stream_next(struct xml_stream *x);
/* Whether the element that starts or ends has this name; space NULL: in any namespace. */
gboolean xml_stream_is(const struct xml_stream *x, const char *space, const char *name);
/* Of the element that starts; to be freed, NULL when there is none. */
char *xml_stream_attribute(const struct xml_stream *x, const char *name);
/* All text up to the end of the element that has started, which is taken with all that is
 * in it; to be freed, NULL after a fault. */
char *xml_stream_content(struct xml_stream *x);
/* Takes the rest of the element that has started. */
void xml_stream_skip(struct xml_stream *x);
/* A fault of the content, found by the caller, at the place that is read. */
void xml_stream_fail(struct xml_stream *x, const char *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
