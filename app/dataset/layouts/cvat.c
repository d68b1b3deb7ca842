/* CVAT for images 1.1 (formats.md 3.3): tags of whole images. `source` says whether a
 * person set a tag (manual) or a model (auto), an attribute `score` how sure it was. Boxes
 * and other shapes are passed over. */
#include "app/dataset/dataset_private.h"
#include "app/dataset/layouts/files.h"
#include "app/dataset/xml_stream.h"

#include <string.h>

static gboolean is(const struct xml_stream *x, const char *name)
{
    return xml_stream_is(x, NULL, name);
}

static double read_score(struct xml_stream *x, double before)
{
    g_autofree char *name = xml_stream_attribute(x, "name");
    if (g_strcmp0(name, "score") != 0) {
        xml_stream_skip(x);
        return before;
    }
    g_autofree char *text = xml_stream_content(x);
    char *end = NULL;
    double score = text && *g_strstrip(text) ? g_ascii_strtod(text, &end) : -1;
    if (text && *text && (*end || !(score >= 0 && score <= 1))) {
        xml_stream_fail(x, "a score is between 0 and 1, and this is \"%.100s\"", text);
    }
    return score;
}

/* Up to the end of the tag that has started. */
static void read_tag(struct dataset *d, struct xml_stream *x, guint image)
{
    StoreEvent event = DATASET_EVENT(TRUTH_POSITIVE);
    g_autofree char *label = xml_stream_attribute(x, "label");
    g_autofree char *source = xml_stream_attribute(x, "source");
    event.source.by_model = g_strcmp0(source, "auto") == 0;
    if (!label || !*label) {
        xml_stream_fail(x, "a tag without a label");
        return;
    }
    for (enum xml_event e; (e = xml_stream_next(x)) != XML_STREAM_END;) {
        if (e == XML_STREAM_END_OF_FILE) {
            return;
        }
        if (e == XML_STREAM_START && is(x, "attribute")) {
            event.source.confidence = read_score(x, event.source.confidence);
        } else if (e == XML_STREAM_START) {
            xml_stream_skip(x);
        }
    }
    dataset_add_event(d, image, dataset_add_label(d, label, DATASET_NO_GROUP), &event);
}

static void read_image(struct dataset *d, struct xml_stream *x)
{
    g_autofree char *name = xml_stream_attribute(x, "name");
    g_autofree char *subset = xml_stream_attribute(x, "subset");
    g_autofree char *id = xml_stream_attribute(x, "id");
    if (!name || !*name) {
        xml_stream_fail(x, "an image without a name");
        return;
    }
    guint image = dataset_add_image(d, name, subset && *subset ? subset : NULL);
    dataset_set_number(d, image, id ? g_ascii_strtoll(id, NULL, 10) : 0);
    for (enum xml_event e; (e = xml_stream_next(x)) != XML_STREAM_END;) {
        if (e == XML_STREAM_END_OF_FILE) {
            return;
        }
        if (e == XML_STREAM_START && is(x, "tag")) {
            read_tag(d, x, image);
        } else if (e == XML_STREAM_START) {
            xml_stream_skip(x);
        }
    }
}

/* A label of the task, in <meta>, whether any image has it or not. */
static void read_label(struct dataset *d, struct xml_stream *x)
{
    for (enum xml_event e; (e = xml_stream_next(x)) != XML_STREAM_END;) {
        if (e == XML_STREAM_END_OF_FILE) {
            return;
        }
        if (e == XML_STREAM_START && is(x, "name")) {
            g_autofree char *name = xml_stream_content(x);
            if (name && *name) {
                dataset_add_label(d, name, DATASET_NO_GROUP);
            }
        } else if (e == XML_STREAM_START) {
            xml_stream_skip(x);
        }
    }
}

static char *find_file(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_DIR)
               ? g_build_filename(path, "annotations.xml", NULL) : g_strdup(path);
}

static gboolean matches(const struct dataset_file *file)
{
    g_autofree char *path = find_file(file->path);
    const char *head = file->head + strspn(file->head, " \t\r\n");
    return file->folder ? g_file_test(path, G_FILE_TEST_IS_REGULAR)
                        : g_str_has_prefix(head, "<?xml")
                              || g_str_has_prefix(head, "<annotations");
}

static gboolean read_cvat(struct dataset *d, const char *path, GError **error)
{
    g_autofree char *file = find_file(path);
    struct xml_stream *x = xml_stream_open(file);
    gboolean rooted = FALSE;
    for (enum xml_event e; (e = xml_stream_next(x)) != XML_STREAM_END_OF_FILE;) {
        if (e != XML_STREAM_START) {
            continue;
        }
        if (!rooted && !is(x, "annotations")) {
            xml_stream_fail(x, "this is no CVAT file: it does not begin with <annotations>");
        } else if (is(x, "image")) {
            read_image(d, x);
        } else if (is(x, "label")) {
            read_label(d, x);
        }
        rooted = TRUE;
    }
    d->summary = g_strdup("tags of CVAT");
    files_find_root(d, 0, file, NULL);
    return xml_stream_close(&x, error);
}

const struct dataset_reader dataset_cvat = {
    "cvat", "CVAT for images 1.1: the XML file, or the folder of annotations.xml", matches,
    read_cvat };
