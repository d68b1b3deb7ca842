/* Datumaro's own layout (formats.md 3.3): a file annotations/SUBSET.json, or a folder of
 * them. Every annotation with a label counts, whatever its shape; its attributes `state`,
 * `source` and `score` are kept. */
#include "app/dataset/layouts/claim.h"
#include "app/dataset/layouts/files.h"

#include <string.h>

struct datumaro {
    struct dataset *d;
    struct json_stream *json;
    const char *split;
    GArray *labels; /* guint index by number */
    GArray *claims; /* the categories may come behind the items */
};

static void read_label(struct datumaro *r)
{
    gboolean named = FALSE;
    json_stream_object(r->json);
    for (const char *key; (key = json_stream_key(r->json));) {
        if (strcmp(key, "name") == 0) {
            const char *name = json_stream_string(r->json);
            if (name) {
                guint label = dataset_add_label(r->d, name, DATASET_NO_GROUP);
                g_array_append_val(r->labels, label);
                named = TRUE;
            }
        } else {
            json_stream_skip(r->json);
        }
    }
    if (!named) {
        json_stream_fail(r->json, "a label without \"name\"");
    }
}

/* {"label": {"labels": [{"name": …}, …], …}, …} */
static void read_categories(struct datumaro *r)
{
    json_stream_object(r->json);
    for (const char *kind; (kind = json_stream_key(r->json));) {
        if (strcmp(kind, "label") != 0) {
            json_stream_skip(r->json);
            continue;
        }
        json_stream_object(r->json);
        for (const char *key; (key = json_stream_key(r->json));) {
            if (strcmp(key, "labels") != 0) {
                json_stream_skip(r->json);
                continue;
            }
            json_stream_array(r->json);
            while (json_stream_item(r->json)) {
                read_label(r);
            }
        }
    }
}

static void read_annotations(struct datumaro *r, GArray *out)
{
    json_stream_array(r->json);
    while (json_stream_item(r->json)) {
        struct claim claim = claim_new();
        gboolean labelled = FALSE;
        json_stream_object(r->json);
        for (const char *key; (key = json_stream_key(r->json));) {
            if (strcmp(key, "label_id") == 0 && json_stream_peek(r->json) != 'n') {
                labelled = json_stream_integer(r->json, &claim.label);
            } else if (strcmp(key, "attributes") == 0) {
                claim_read_attributes(r->json, &claim);
            } else {
                json_stream_skip(r->json);
            }
        }
        if (labelled) {
            g_array_append_val(out, claim);
        }
    }
}

static void read_path(struct datumaro *r, GString *name)
{
    if (json_stream_peek(r->json) != '{') {
        json_stream_skip(r->json);
        return;
    }
    json_stream_object(r->json);
    for (const char *key; (key = json_stream_key(r->json));) {
        if (strcmp(key, "path") == 0 && json_stream_peek(r->json) == '"') {
            const char *path = json_stream_string(r->json);
            if (path && *path) {
                g_string_assign(name, path);
            }
        } else {
            json_stream_skip(r->json);
        }
    }
}

/* Its image's path names an item, else its id, which is the path without a suffix. */
static void read_item(struct datumaro *r)
{
    g_autoptr(GString) path = g_string_new(NULL), id = g_string_new(NULL);
    guint first = r->claims->len;
    json_stream_object(r->json);
    for (const char *key; (key = json_stream_key(r->json));) {
        if (strcmp(key, "id") == 0) {
            const char *text = json_stream_string(r->json);
            g_string_assign(id, text ? text : "");
        } else if (strcmp(key, "image") == 0) {
            read_path(r, path);
        } else if (strcmp(key, "annotations") == 0) {
            read_annotations(r, r->claims);
        } else {
            json_stream_skip(r->json);
        }
    }
    if (path->len == 0 && id->len == 0) {
        json_stream_fail(r->json, "an item without \"id\" or a path");
        return;
    }
    guint image = dataset_add_image(r->d, path->len ? path->str : id->str, r->split);
    for (guint i = first; i < r->claims->len; i++) {
        g_array_index(r->claims, struct claim, i).image = image;
    }
}

static gboolean read_lists(struct datumaro *r, const char *path, GError **error)
{
    gboolean items = FALSE;
    r->json = json_stream_open(path);
    json_stream_object(r->json);
    for (const char *key; (key = json_stream_key(r->json));) {
        if (strcmp(key, "categories") == 0) {
            read_categories(r);
        } else if (strcmp(key, "items") == 0) {
            items = TRUE;
            json_stream_array(r->json);
            while (json_stream_item(r->json)) {
                read_item(r);
            }
        } else {
            json_stream_skip(r->json);
        }
    }
    if (!items) {
        json_stream_fail(r->json, "this is no Datumaro file: it has no list of items");
    }
    return json_stream_close(&r->json, error);
}

/* The labels of a file are numbered by it alone. */
static gboolean resolve(struct datumaro *r, const char *path, GError **error)
{
    for (guint i = 0; i < r->claims->len; i++) {
        struct claim *claim = &g_array_index(r->claims, struct claim, i);
        if (claim->label >= 0 && claim->label < r->labels->len) {
            claim->label = g_array_index(r->labels, guint, (guint)claim->label);
        } else {
            claim->label = -1;
        }
    }
    return claims_add(r->d, r->claims, path, error);
}

static gboolean read_file(struct dataset *d, const char *path, GError **error)
{
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *split = files_owner(base);
    guint first = d->images->len;
    struct datumaro r = { .d = d, .split = split,
                          .labels = g_array_new(FALSE, FALSE, sizeof(guint)),
                          .claims = g_array_new(FALSE, FALSE, sizeof(struct claim)) };
    gboolean good = read_lists(&r, path, error) && resolve(&r, path, error);
    g_array_unref(r.labels);
    g_array_unref(r.claims);
    files_find_root(d, first, path, split);
    return good;
}

static gboolean matches(const struct dataset_file *file)
{
    if (!file->folder) {
        return file->json == JSON_LAYOUT_DATUMARO;
    }
    g_autofree char *folder = g_build_filename(file->path, "annotations", NULL);
    g_autoptr(GPtrArray) files = files_list(folder, ".json", FALSE, NULL);
    g_autofree char *first = files && files->len > 0
                                 ? g_build_filename(folder, files->pdata[0], NULL) : NULL;
    return first && json_layout_find(first, "{") == JSON_LAYOUT_DATUMARO;
}

static gboolean read_datumaro(struct dataset *d, const char *path, GError **error)
{
    d->summary = g_strdup("Datumaro annotations");
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return read_file(d, path, error);
    }
    g_autofree char *folder = g_build_filename(path, "annotations", NULL);
    g_autoptr(GPtrArray) files = files_list(folder, ".json", FALSE, error);
    for (guint i = 0; files && i < files->len; i++) {
        g_autofree char *file = g_build_filename(folder, files->pdata[i], NULL);
        if (!read_file(d, file, error)) {
            return FALSE;
        }
    }
    return files != NULL;
}

const struct dataset_reader dataset_datumaro = {
    "datumaro", "Datumaro's own: a file annotations/SUBSET.json, or the folder above",
    matches, read_datumaro };
