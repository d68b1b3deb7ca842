/* XMP sidecars (formats.md 3.5): quay.jpg.xmp or quay.xmp beside quay.jpg. Labels are
 * lr:hierarchicalSubject with `|` between the levels, else digiKam:TagsList, whose `/` is
 * made one; and what of dc:subject is none of their levels. */
#include "app/dataset/layouts/files.h"
#include "app/dataset/xml_stream.h"

#include <string.h>

#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

enum { SUBJECT, HIERARCHICAL, TAGS_LIST, N_FIELDS };

static const struct { const char *space, *name; } fields[N_FIELDS] = {
    { "http://purl.org/dc/elements/1.1/", "subject" },
    { "http://ns.adobe.com/lightroom/1.0/", "hierarchicalSubject" },
    { "http://www.digikam.org/ns/1.0/", "TagsList" } };

/* The items of a field that has started: of char *, to `out`. */
static void read_field(struct xml_stream *x, GPtrArray *out)
{
    for (int depth = 1; depth > 0;) {
        enum xml_event e = xml_stream_next(x);
        if (e == XML_STREAM_END_OF_FILE) {
            return;
        }
        if (e == XML_STREAM_START && xml_stream_is(x, RDF, "li")) {
            g_autofree char *text = xml_stream_content(x);
            if (text && *g_strstrip(text)) {
                g_ptr_array_add(out, g_steal_pointer(&text));
            }
        } else if (e == XML_STREAM_START) {
            depth++;
        } else if (e == XML_STREAM_END) {
            depth--;
        }
    }
}

static gboolean read_keywords(const char *path, GPtrArray **keywords, GError **error)
{
    struct xml_stream *x = xml_stream_open(path);
    gboolean found = FALSE;
    for (enum xml_event e; (e = xml_stream_next(x)) != XML_STREAM_END_OF_FILE;) {
        found |= e == XML_STREAM_START && xml_stream_is(x, RDF, "RDF");
        for (int f = 0; e == XML_STREAM_START && f < N_FIELDS; f++) {
            if (xml_stream_is(x, fields[f].space, fields[f].name)) {
                read_field(x, keywords[f]);
                break;
            }
        }
    }
    if (!found) {
        xml_stream_fail(x, "this is no XMP: there is no rdf:RDF in it");
    }
    return xml_stream_close(&x, error);
}

static gboolean is_level(const GPtrArray *paths, const char *word)
{
    gsize n = strlen(word);
    for (guint i = 0; i < paths->len; i++) {
        for (const char *at = paths->pdata[i]; at; at = strchr(at, '|')) {
            at += *at == '|';
            if (strncmp(at, word, n) == 0 && (at[n] == '|' || at[n] == '\0')) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

static void add_labels(struct dataset *d, guint image, GPtrArray **keywords)
{
    GPtrArray *paths = keywords[HIERARCHICAL]->len > 0 ? keywords[HIERARCHICAL]
                                                       : keywords[TAGS_LIST];
    GPtrArray *lists[] = { paths, keywords[SUBJECT] };
    for (guint i = 0; paths == keywords[TAGS_LIST] && i < paths->len; i++) {
        g_strdelimit(paths->pdata[i], "/", '|');
    }
    for (int l = 0; l < 2; l++) {
        for (guint i = 0; i < lists[l]->len; i++) {
            const char *label = lists[l]->pdata[i];
            if (l == 0 || !is_level(paths, label)) {
                dataset_add(d, image, dataset_add_label(d, label, DATASET_NO_GROUP),
                            TRUTH_POSITIVE);
            }
        }
    }
}

/* `name`: of the sidecar, below the folder. */
static gboolean read_sidecar(struct dataset *d, const char *path, const char *name,
                             GError **error)
{
    g_autofree char *owner = files_owner(name);
    g_autofree char *image = g_filename_display_name(owner);
    GPtrArray *keywords[N_FIELDS];
    for (int f = 0; f < N_FIELDS; f++) {
        keywords[f] = g_ptr_array_new_with_free_func(g_free);
    }
    gboolean good = read_keywords(path, keywords, error);
    if (good) {
        add_labels(d, dataset_add_image(d, image, NULL), keywords);
    }
    for (int f = 0; f < N_FIELDS; f++) {
        g_ptr_array_unref(keywords[f]);
    }
    return good;
}

static gboolean matches(const struct dataset_file *file)
{
    return file->folder ? files_any(file->path, ".xmp", TRUE)
                        : strstr(file->head, "adobe:ns:meta/") != NULL;
}

static gboolean read_xmp(struct dataset *d, const char *path, GError **error)
{
    g_autofree char *top = NULL;
    g_autoptr(GPtrArray) files = files_list_or_one(path, ".xmp", &top, error);
    gboolean good = files != NULL;
    d->summary = g_strdup("keywords of XMP sidecars");
    for (guint i = 0; good && i < files->len; i++) {
        g_autofree char *file = g_build_filename(top, files->pdata[i], NULL);
        good = read_sidecar(d, file, files->pdata[i], error);
    }
    dataset_find_root(d, 0, top, (const char *const[]){ NULL });
    return good;
}

const struct dataset_reader dataset_xmp = {
    "xmp", "XMP sidecars: a file, or the folder of some", matches, read_xmp };
