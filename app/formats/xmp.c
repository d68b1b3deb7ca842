#include "app/formats/xmp.h"

#include <libxml/parser.h>
#include <libxml/xmlsave.h>
#include <string.h>

#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

static const struct { const char *space, *prefix, *name, *container; } fields[] = {
    { "http://purl.org/dc/elements/1.1/", "dc", "subject", "Bag" },
    { "http://ns.adobe.com/lightroom/1.0/", "lr", "hierarchicalSubject", "Bag" },
    { "http://www.digikam.org/ns/1.0/", "digiKam", "TagsList", "Seq" },
};

static const char empty[] =
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"" RDF "\">"
    "<rdf:Description rdf:about=\"\"/></rdf:RDF></x:xmpmeta>";

struct xmp {
    xmlDoc *doc;
    xmlNode *rdf;
    xmlNode *containers[XMP_FIELDS]; /* rdf:Bag or rdf:Seq; NULL: no such field */
    int options;                     /* of saving */
};

/* --- Finding ---------------------------------------------------------------------- */

static gboolean is_element(const xmlNode *node, const char *space, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns && node->ns->href
           && strcmp((const char *)node->ns->href, space) == 0
           && strcmp((const char *)node->name, name) == 0;
}

static xmlNode *find_child(const xmlNode *parent, const char *space, const char *name)
{
    xmlNode *child = parent ? parent->children : NULL;
    while (child && !is_element(child, space, name)) {
        child = child->next;
    }
    return child;
}

/* The list in a property; NULL when it is written in a form that is none. */
static xmlNode *find_container(const xmlNode *property)
{
    static const char *const kinds[] = { "Bag", "Seq", "Alt" };
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        xmlNode *container = find_child(property, RDF, kinds[i]);
        if (container) {
            return container;
        }
    }
    return NULL;
}

static gboolean fail(GError **error, const char *text)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, text);
    return FALSE;
}

/* The properties may be spread over several descriptions. */
static gboolean find_fields(struct xmp *xmp, GError **error)
{
    for (xmlNode *d = xmp->rdf->children; d; d = d->next) {
        for (int f = 0; is_element(d, RDF, "Description") && f < XMP_FIELDS; f++) {
            xmlNode *property = find_child(d, fields[f].space, fields[f].name);
            if (xmlHasNsProp(d, BAD_CAST fields[f].name, BAD_CAST fields[f].space)
                || (property && !find_container(property))) {
                return fail(error,
                            "its keywords are written in a form that is not known");
            }
            if (property && xmp->containers[f]) {
                return fail(error, "it has two lists of the same keywords");
            }
            xmp->containers[f] =
                property ? find_container(property) : xmp->containers[f];
        }
    }
    return TRUE;
}

static gboolean find_rdf(struct xmp *xmp, GError **error)
{
    xmlNode *root = xmlDocGetRootElement(xmp->doc);
    xmp->rdf =
        root && is_element(root, RDF, "RDF") ? root : find_child(root, RDF, "RDF");
    return xmp->rdf ? find_fields(xmp, error)
                    : fail(error, "there is no rdf:RDF in it");
}

/* NULL when it is no XML or uses a prefix that it does not declare: declaring one of
 * ours would give that a meaning. */
static xmlDoc *read_document(const char *text, gsize size)
{
    const int quiet = XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET;
    xmlParserCtxt *parser = xmlNewParserCtxt();
    xmlDoc *doc = NULL;
    if (parser && size <= G_MAXINT) {
        doc = xmlCtxtReadMemory(parser, text, (int)size, NULL, NULL, quiet);
    }
    if (doc && !parser->nsWellFormed) {
        xmlFreeDoc(doc);
        doc = NULL;
    }
    xmlFreeParserCtxt(parser);
    return doc;
}

struct xmp *xmp_parse(const char *text, gsize size, GError **error)
{
    struct xmp *xmp = g_new0(struct xmp, 1);
    gboolean fresh = size == 0;
    xmp->options = fresh ? XML_SAVE_FORMAT : 0;
    if (size >= 6 && memcmp(text, "<?xml ", 6) != 0) {
        xmp->options |= XML_SAVE_NO_DECL;
    }
    xmp->doc = read_document(fresh ? empty : text, fresh ? strlen(empty) : size);
    if (!xmp->doc) {
        fail(error, "it is no well-formed XML");
    }
    if (!xmp->doc || !find_rdf(xmp, error)) {
        xmp_free(&xmp);
    }
    return xmp;
}

void xmp_free(struct xmp **xmp)
{
    if (*xmp) {
        xmlFreeDoc((*xmp)->doc);
        g_clear_pointer(xmp, g_free);
    }
}

/* --- Keywords --------------------------------------------------------------------- */

const char *xmp_field_name(enum xmp_field field)
{
    static const char *const names[XMP_FIELDS] = { "dc:subject",
                                                   "lr:hierarchicalSubject",
                                                   "digiKam:TagsList" };
    return names[field];
}

static char *text_of(xmlNode *item)
{
    xmlChar *content = xmlNodeGetContent(item);
    char *text = g_strdup((const char *)content);
    xmlFree(content);
    return text;
}

GPtrArray *xmp_keywords(const struct xmp *xmp, enum xmp_field field)
{
    GPtrArray *keywords = g_ptr_array_new_with_free_func(g_free);
    const xmlNode *container = xmp->containers[field];
    for (xmlNode *item = container ? container->children : NULL; item;
         item = item->next) {
        if (is_element(item, RDF, "li")) {
            g_ptr_array_add(keywords, text_of(item));
        }
    }
    return keywords;
}

/* The namespace for new nodes in `node`, declared there when it is not yet. Its usual
 * prefix may stand for another one, which must go on to mean that. */
static xmlNs *find_space(struct xmp *xmp, xmlNode *node, const char *space,
                         const char *prefix)
{
    xmlNs *ns = xmlSearchNsByHref(xmp->doc, node, BAD_CAST space);
    g_autoptr(GString) name = g_string_new(prefix);
    while (!ns && xmlSearchNs(xmp->doc, node, BAD_CAST name->str)) {
        g_string_append_c(name, '_');
    }
    return ns ? ns : xmlNewNs(node, BAD_CAST space, BAD_CAST name->str);
}

static xmlNode *make_container(struct xmp *xmp, enum xmp_field field)
{
    xmlNode *description = find_child(xmp->rdf, RDF, "Description");
    if (!description) {
        description = xmlNewChild(xmp->rdf, xmp->rdf->ns, BAD_CAST "Description", NULL);
        xmlNewNsProp(description, xmp->rdf->ns, BAD_CAST "about", BAD_CAST "");
    }
    xmlNs *space =
        find_space(xmp, description, fields[field].space, fields[field].prefix);
    xmlNode *property =
        xmlNewChild(description, space, BAD_CAST fields[field].name, NULL);
    return xmlNewChild(property, xmp->rdf->ns, BAD_CAST fields[field].container, NULL);
}

static gboolean has(const GPtrArray *keywords, const char *keyword)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *)keywords, keyword, g_str_equal,
                                            NULL);
}

static void remove_others(xmlNode *container, const GPtrArray *keywords)
{
    for (xmlNode *item = container->children, *next; item; item = next) {
        next = item->next;
        g_autofree char *text = is_element(item, RDF, "li") ? text_of(item) : NULL;
        if (text && !has(keywords, text)) {
            xmlUnlinkNode(item);
            xmlFreeNode(item);
        }
    }
}

void xmp_set_keywords(struct xmp *xmp, enum xmp_field field, const GPtrArray *keywords)
{
    g_autoptr(GPtrArray) there = xmp_keywords(xmp, field);
    if (!xmp->containers[field] && keywords->len == 0) {
        return;
    }
    if (!xmp->containers[field]) {
        xmp->containers[field] = make_container(xmp, field);
    }
    remove_others(xmp->containers[field], keywords);
    for (guint i = 0; i < keywords->len; i++) {
        if (!has(there, keywords->pdata[i])) {
            xmlNewTextChild(xmp->containers[field], xmp->rdf->ns, BAD_CAST "li",
                            BAD_CAST keywords->pdata[i]);
        }
    }
}

char *xmp_text(const struct xmp *xmp, gsize *size)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlSaveCtxt *save = xmlSaveToBuffer(buffer, "UTF-8", xmp->options);
    xmlSaveDoc(save, xmp->doc);
    xmlSaveClose(save);
    *size = (gsize)xmlBufferLength(buffer);
    char *text = g_strndup((const char *)xmlBufferContent(buffer), *size);
    xmlBufferFree(buffer);
    return text;
}
