/* FiftyOneImageClassificationDataset (formats.md 3.3): labels.json with the classes and,
 * by image, the numbers of its labels with confidence and attributes; or the folder that
 * holds it and data/. Keys are paths without a suffix; null is an image without labels.
 * Labels may be names instead of numbers, as where `classes` is missing. */
#include "app/dataset/layouts/claim.h"
#include "app/dataset/layouts/files.h"

#include <string.h>

struct fiftyone {
    struct dataset *d;
    struct json_stream *json;
    GArray *claims; /* the classes may come behind */
};

static void read_classes(struct fiftyone *r)
{
    json_stream_array(r->json);
    while (json_stream_item(r->json)) {
        const char *name = json_stream_string(r->json);
        if (name) {
            dataset_add_label(r->d, name, DATASET_NO_GROUP);
        }
    }
}

static gboolean read_label(struct fiftyone *r, struct claim *claim)
{
    if (json_stream_peek(r->json) != '"') {
        return json_stream_integer(r->json, &claim->label);
    }
    const char *name = json_stream_string(r->json);
    if (name) {
        claim->label = dataset_add_label(r->d, name, DATASET_NO_GROUP);
    }
    return name != NULL;
}

/* A number, a name, or an object with one as "label". */
static void read_claim(struct fiftyone *r, guint image)
{
    struct claim claim = claim_new();
    gboolean labelled = FALSE;
    claim.image = image;
    if (json_stream_peek(r->json) != '{') {
        labelled = read_label(r, &claim);
    } else {
        json_stream_object(r->json);
        for (const char *key; (key = json_stream_key(r->json));) {
            if (strcmp(key, "label") == 0) {
                labelled = read_label(r, &claim);
            } else if (strcmp(key, "confidence") == 0) {
                claim.score = claim_read_score(r->json);
            } else if (strcmp(key, "attributes") == 0) {
                claim_read_attributes(r->json, &claim);
            } else {
                json_stream_skip(r->json);
            }
        }
    }
    if (labelled) {
        g_array_append_val(r->claims, claim);
    } else {
        json_stream_fail(r->json, "an entry without \"label\"");
    }
}

static void read_labels(struct fiftyone *r)
{
    json_stream_object(r->json);
    for (const char *key; (key = json_stream_key(r->json));) {
        guint image = dataset_add_image(r->d, key, NULL);
        char next = json_stream_peek(r->json);
        if (next == 'n') {
            json_stream_skip(r->json);
        } else if (next == '[') {
            json_stream_array(r->json);
            while (json_stream_item(r->json)) {
                read_claim(r, image);
            }
        } else {
            read_claim(r, image);
        }
    }
}

static gboolean read_file(struct fiftyone *r, const char *path, GError **error)
{
    gboolean labels = FALSE;
    r->json = json_stream_open(path);
    json_stream_object(r->json);
    for (const char *key; (key = json_stream_key(r->json));) {
        if (strcmp(key, "classes") == 0 && json_stream_peek(r->json) == '[') {
            read_classes(r);
        } else if (strcmp(key, "labels") == 0) {
            labels = TRUE;
            read_labels(r);
        } else {
            json_stream_skip(r->json);
        }
    }
    if (!labels) {
        json_stream_fail(r->json, "this is no file of FiftyOne: it has no \"labels\"");
    }
    return json_stream_close(&r->json, error) && claims_add(r->d, r->claims, path, error);
}

static char *find_file(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_DIR) ? g_build_filename(path, "labels.json", NULL)
                                                 : g_strdup(path);
}

static gboolean matches(const struct dataset_file *file)
{
    g_autofree char *labels = find_file(file->path);
    return file->folder ? g_file_test(labels, G_FILE_TEST_IS_REGULAR)
                              && json_layout_find(labels, "{") == JSON_LAYOUT_FIFTYONE
                        : file->json == JSON_LAYOUT_FIFTYONE;
}

static gboolean read_fiftyone(struct dataset *d, const char *path, GError **error)
{
    g_autofree char *file = find_file(path), *folder = g_path_get_dirname(file);
    struct fiftyone r = { .d = d, .claims = g_array_new(FALSE, FALSE,
                                                        sizeof(struct claim)) };
    gboolean good = read_file(&r, file, error);
    g_array_unref(r.claims);
    d->summary = g_strdup("FiftyOne image classifications");
    /* The first key has no suffix, so the folder is asked for, not the image. */
    g_autofree char *data = g_build_filename(folder, "data", NULL);
    gboolean below = g_file_test(data, G_FILE_TEST_IS_DIR);
    dataset_find_root(d, 0, below ? data : folder, (const char *const[]){ NULL });
    return good;
}

const struct dataset_reader dataset_fiftyone = {
    "fiftyone", "FiftyOne image classifications: labels.json, or the folder above",
    matches, read_fiftyone };
