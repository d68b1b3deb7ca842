#include "app/dataset/xml_stream.h"

#include "app/dataset/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <libxml/xmlreader.h>
#include <string.h>
#include <unistd.h>

struct xml_stream {
    char *path;
    int fd;
    xmlTextReader *reader;
    GError *error;
    gboolean failed;
    gboolean ends; /* the element that started has no content: its end comes next */
};

static void fail_at(struct xml_stream *x, int line, int column, const char *text)
{
    if (x->failed) {
        return;
    }
    g_autofree char *name = g_filename_display_name(x->path);
    g_autofree char *shown = g_utf8_make_valid(text, -1);
    x->failed = TRUE;
    g_set_error(&x->error, DATASET_ERROR, DATASET_ERROR_INVALID, "%s:%d:%d: %s", name, line,
                column, g_strstrip(shown));
}

void xml_stream_fail(struct xml_stream *x, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    fail_at(x, x->reader ? xmlTextReaderGetParserLineNumber(x->reader) : 1,
            x->reader ? xmlTextReaderGetParserColumnNumber(x->reader) : 1, text);
}

static void fail_io(struct xml_stream *x)
{
    int code = errno;
    g_autofree char *name = g_filename_display_name(x->path);
    x->failed = TRUE;
    g_set_error(&x->error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", name,
                g_strerror(code));
}

/* What the library finds wrong; its warnings are no faults. */
static void take_fault(void *user_data, xmlError *fault)
{
    if (fault->level != XML_ERR_WARNING) {
        fail_at(user_data, fault->line, MAX(fault->int2, 1), fault->message);
    }
}

struct xml_stream *xml_stream_open(const char *path)
{
    struct xml_stream *x = g_new0(struct xml_stream, 1);
    x->path = g_strdup(path);
    x->fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (x->fd < 0) {
        fail_io(x);
        return x;
    }
    x->reader = xmlReaderForFd(x->fd, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOCDATA);
    if (x->reader) {
        xmlTextReaderSetStructuredErrorHandler(
            x->reader, (xmlStructuredErrorFunc)take_fault, x);
    } else {
        xml_stream_fail(x, "the file cannot be read as XML");
    }
    return x;
}

gboolean xml_stream_close(struct xml_stream **stream, GError **error)
{
    struct xml_stream *x = *stream;
    *stream = NULL;
    while (!x->failed && xml_stream_next(x) != XML_STREAM_END_OF_FILE) {
    }
    gboolean good = !x->failed;
    if (x->error) {
        g_propagate_error(error, x->error);
    }
    xmlFreeTextReader(x->reader);
    if (x->fd >= 0) {
        close(x->fd);
    }
    g_free(x->path);
    g_free(x);
    return good;
}

static enum xml_event event_of(struct xml_stream *x)
{
    switch (xmlTextReaderNodeType(x->reader)) {
    case XML_READER_TYPE_ELEMENT:
        x->ends = xmlTextReaderIsEmptyElement(x->reader);
        return XML_STREAM_START;
    case XML_READER_TYPE_END_ELEMENT: return XML_STREAM_END;
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE: return XML_STREAM_TEXT;
    case XML_READER_TYPE_DOCUMENT_TYPE:
    case XML_READER_TYPE_ENTITY_REFERENCE:
        xml_stream_fail(x, "a document type or an entity, which are not read");
        return XML_STREAM_END_OF_FILE;
    default: return XML_STREAM_END_OF_FILE;
    }
}

static gboolean is_passed_over(int type)
{
    return type == XML_READER_TYPE_COMMENT || type == XML_READER_TYPE_WHITESPACE
           || type == XML_READER_TYPE_PROCESSING_INSTRUCTION
           || type == XML_READER_TYPE_XML_DECLARATION;
}

enum xml_event xml_stream_next(struct xml_stream *x)
{
    if (x->failed) {
        return XML_STREAM_END_OF_FILE;
    }
    if (x->ends) {
        x->ends = FALSE;
        return XML_STREAM_END;
    }
    int got;
    do {
        got = xmlTextReaderRead(x->reader);
    } while (got == 1 && is_passed_over(xmlTextReaderNodeType(x->reader)));
    if (got < 0) {
        xml_stream_fail(x, "the file cannot be read as XML");
    }
    return got == 1 && !x->failed ? event_of(x) : XML_STREAM_END_OF_FILE;
}

gboolean xml_stream_is(const struct xml_stream *x, const char *space, const char *name)
{
    const char *got = (const char *)xmlTextReaderConstLocalName(x->reader);
    const char *in = (const char *)xmlTextReaderConstNamespaceUri(x->reader);
    return g_strcmp0(got, name) == 0 && (!space || g_strcmp0(in, space) == 0);
}

char *xml_stream_attribute(const struct xml_stream *x, const char *name)
{
    xmlChar *value = xmlTextReaderGetAttribute(x->reader, BAD_CAST name);
    char *copy = g_strdup((const char *)value);
    xmlFree(value);
    return copy;
}

char *xml_stream_content(struct xml_stream *x)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int depth = 1; depth > 0;) {
        switch (xml_stream_next(x)) {
        case XML_STREAM_START: depth++; break;
        case XML_STREAM_END: depth--; break;
        case XML_STREAM_TEXT:
            g_string_append(text, (const char *)xmlTextReaderConstValue(x->reader));
            break;
        case XML_STREAM_END_OF_FILE: return NULL;
        }
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void xml_stream_skip(struct xml_stream *x)
{
    g_free(xml_stream_content(x));
}
