/* The keywords of an XMP sidecar. All else in the document stays as it is: unknown
 * properties, comments, packet marks. One thread at a time. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

enum xmp_field {
    XMP_SUBJECT,      /* dc:subject, words */
    XMP_HIERARCHICAL, /* lr:hierarchicalSubject, levels with | between */
    XMP_TAGS_LIST,    /* digiKam:TagsList, levels with / between */
    XMP_FIELDS
};

struct xmp;

/* size 0: a new document. NULL with an error, which names no file, when the text is no
 * XMP or its keywords have a form that cannot be kept. */
struct xmp *xmp_parse(const char *text, gsize size, GError **error);
void xmp_free(struct xmp **xmp);
/* "dc:subject", … */
const char *xmp_field_name(enum xmp_field field);
/* Of char *, in their order; to be freed with g_ptr_array_unref. */
GPtrArray *xmp_keywords(const struct xmp *xmp, enum xmp_field field);
/* Makes the field hold these (of char *): entries that stay keep their nodes and
 * qualifiers, others are taken out, new ones come last. */
void xmp_set_keywords(struct xmp *xmp, enum xmp_field field, const GPtrArray *keywords);
/* The document in UTF-8, to be freed. */
char *xmp_text(const struct xmp *xmp, gsize *size);

G_END_DECLS
