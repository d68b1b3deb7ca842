/* COCO annotations: instances with boxes and masks, or labels without (formats.md 3.1).
 * An image has a label when any annotation says so, crowds included; an annotation whose
 * attributes say `"state": "rejected"` is a verified negative. Read as a stream, for the
 * published file is 450 MB, almost all of it outlines that are skipped.
 *
 * A folder is read too when it holds files of one split each: `annotations/instances_*`
 * as COCO ships, or `labels_*` (else `labels.json`), with `seen.txt` and `unseen.txt`. */
#include "app/dataset/layouts/claim.h"
#include "app/dataset/layouts/files.h"

#include <string.h>

struct numbered { gint64 id; guint32 index; };

struct coco {
    struct dataset *d;
    struct json_stream *json;
    const char *split;
    GArray *images, *categories; /* of struct numbered */
    GArray *annotations;         /* of struct claim: they may come before both */
};

/* --- One file ------------------------------------------------------------------------- */

static void add_numbered(GArray *list, gint64 id, guint index)
{
    struct numbered n = { id, index };
    g_array_append_val(list, n);
}

/* An object with an id and one text, as images and categories are. */
static gboolean read_named(struct json_stream *json, const char *name_key, gint64 *id,
                           GString *name)
{
    gboolean have_id = FALSE, have_name = FALSE;
    json_stream_object(json);
    for (const char *key; (key = json_stream_key(json));) {
        if (strcmp(key, "id") == 0) {
            have_id = json_stream_integer(json, id);
        } else if (strcmp(key, name_key) == 0) {
            const char *text = json_stream_string(json);
            have_name = text && *text;
            g_string_assign(name, text ? text : "");
        } else {
            json_stream_skip(json);
        }
    }
    if (!have_id || !have_name) {
        json_stream_fail(json, "an entry without \"id\" or \"%s\"", name_key);
        return FALSE;
    }
    return TRUE;
}

static void read_images(struct coco *c)
{
    g_autoptr(GString) name = g_string_new(NULL);
    json_stream_array(c->json);
    while (json_stream_item(c->json)) {
        gint64 id;
        guint before = c->d->images->len;
        if (!read_named(c->json, "file_name", &id, name)) {
            return;
        }
        guint image = dataset_add_image(c->d, name->str, c->split);
        add_numbered(c->images, id, image);
        dataset_set_number(c->d, image, id);
        if (c->d->images->len == before) {
            json_stream_fail(c->json, "the image %s is listed twice", name->str);
        }
    }
}

static void read_categories(struct coco *c)
{
    g_autoptr(GString) name = g_string_new(NULL);
    json_stream_array(c->json);
    while (json_stream_item(c->json)) {
        gint64 id;
        if (!read_named(c->json, "name", &id, name)) {
            return;
        }
        add_numbered(c->categories, id,
                     dataset_add_label(c->d, name->str, DATASET_NO_GROUP));
    }
}

static void read_annotation(struct coco *c)
{
    struct claim a = claim_new();
    gboolean image = FALSE, category = FALSE;
    json_stream_object(c->json);
    for (const char *key; (key = json_stream_key(c->json));) {
        if (strcmp(key, "image_id") == 0) {
            image = json_stream_integer(c->json, &a.image);
        } else if (strcmp(key, "category_id") == 0) {
            category = json_stream_integer(c->json, &a.label);
        } else if (strcmp(key, "score") == 0) {
            a.score = claim_read_score(c->json);
        } else if (strcmp(key, "attributes") == 0) {
            claim_read_attributes(c->json, &a);
        } else {
            json_stream_skip(c->json);
        }
    }
    if (!image || !category) {
        json_stream_fail(c->json, "an annotation without \"image_id\" or \"category_id\"");
        return;
    }
    g_array_append_val(c->annotations, a);
}

static void read_annotations(struct coco *c)
{
    json_stream_array(c->json);
    while (json_stream_item(c->json)) {
        read_annotation(c);
    }
}

static int by_id(gconstpointer a, gconstpointer b)
{
    gint64 l = ((const struct numbered *)a)->id, r = ((const struct numbered *)b)->id;
    return l < r ? -1 : l > r;
}

/* The entry of an id, or NULL. The list is sorted. */
static const struct numbered *find(const GArray *list, gint64 id)
{
    struct numbered wanted = { id, 0 };
    return list->len ? bsearch(&wanted, list->data, list->len, sizeof wanted, by_id) : NULL;
}

static gboolean check_ids(GArray *list, const char *what, const char *path, GError **error)
{
    g_array_sort(list, by_id);
    for (guint i = 1; i < list->len; i++) {
        gint64 id = g_array_index(list, struct numbered, i).id;
        if (id == g_array_index(list, struct numbered, i - 1).id) {
            g_autofree char *name = g_filename_display_name(path);
            g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                        "%s: two %s have the id %" G_GINT64_FORMAT, name, what, id);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean resolve(struct coco *c, const char *path, GError **error)
{
    if (!check_ids(c->images, "images", path, error)
        || !check_ids(c->categories, "categories", path, error)) {
        return FALSE;
    }
    for (guint i = 0; i < c->annotations->len; i++) {
        struct claim a = g_array_index(c->annotations, struct claim, i);
        const struct numbered *image = find(c->images, a.image);
        const struct numbered *category = find(c->categories, a.label);
        if (!image || !category) {
            g_autofree char *name = g_filename_display_name(path);
            g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                        "%s: annotation %u: there is no %s %" G_GINT64_FORMAT, name, i,
                        image ? "category" : "image", image ? a.label : a.image);
            return FALSE;
        }
        a.image = image->index;
        a.label = category->index;
        claim_add(c->d, &a);
    }
    return TRUE;
}

static gboolean read_lists(struct coco *c, const char *path, GError **error)
{
    gboolean images = FALSE, categories = FALSE;
    c->json = json_stream_open(path);
    json_stream_object(c->json);
    for (const char *key; (key = json_stream_key(c->json));) {
        if (strcmp(key, "images") == 0) {
            images = TRUE;
            read_images(c);
        } else if (strcmp(key, "categories") == 0) {
            categories = TRUE;
            read_categories(c);
        } else if (strcmp(key, "annotations") == 0) {
            read_annotations(c);
        } else {
            json_stream_skip(c->json);
        }
    }
    if (!images || !categories) {
        json_stream_fail(c->json, "this is no COCO file: it has no list of %s",
                         images ? "categories" : "images");
    }
    return json_stream_close(&c->json, error);
}

/* "val2017" of instances_val2017.json; to be freed, NULL without an underscore. */
static char *split_of(const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    char *under = strrchr(base, '_'), *dot = strrchr(base, '.');
    return under && dot && dot > under + 1 ? g_strndup(under + 1, (gsize)(dot - under - 1))
                                           : NULL;
}

static gboolean read_file(struct dataset *d, const char *path, GError **error)
{
    g_autofree char *split = split_of(path);
    guint first = d->images->len;
    struct coco c = { .d = d, .split = split,
                      .images = g_array_new(FALSE, FALSE, sizeof(struct numbered)),
                      .categories = g_array_new(FALSE, FALSE, sizeof(struct numbered)),
                      .annotations = g_array_new(FALSE, FALSE, sizeof(struct claim)) };
    gboolean good = read_lists(&c, path, error) && resolve(&c, path, error);
    g_array_unref(c.images);
    g_array_unref(c.categories);
    g_array_unref(c.annotations);
    files_find_root(d, first, path, split);
    return good;
}

/* --- Folders -------------------------------------------------------------------------- */

/* Paths of the files to read, sorted; empty when the folder holds no such data set. */
static GPtrArray *list_files(const char *folder)
{
    static const struct { const char *below, *prefix; } places[] = {
        { "annotations", "instances_" }, { "annotations", "labels_" },
        { ".", "labels_" }, { ".", "labels.json" } };
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < G_N_ELEMENTS(places) && files->len == 0; i++) {
        g_autofree char *below = g_build_filename(folder, places[i].below, NULL);
        g_autoptr(GDir) dir = g_dir_open(below, 0, NULL);
        const char *name;
        while (dir && (name = g_dir_read_name(dir))) {
            if (g_str_has_prefix(name, places[i].prefix)
                && g_str_has_suffix(name, ".json")) {
                g_ptr_array_add(files, g_build_filename(below, name, NULL));
            }
        }
    }
    g_ptr_array_sort(files, files_by_name);
    return files;
}

static gboolean read_groups(struct dataset *d, const char *folder, GError **error)
{
    static const char *const names[] = { "seen.txt", "unseen.txt" };
    for (int i = 0; i < 2; i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
            continue;
        }
        g_autoptr(GPtrArray) lines = dataset_read_lines(path, error);
        if (!lines) {
            return FALSE;
        }
        for (guint j = 0; j < lines->len; j++) {
            dataset_add_label(d, lines->pdata[j], i ? DATASET_UNSEEN : DATASET_SEEN);
        }
    }
    return TRUE;
}

static gboolean matches(const struct dataset_file *file)
{
    if (!file->folder) {
        return file->json == JSON_LAYOUT_COCO;
    }
    g_autoptr(GPtrArray) files = list_files(file->path);
    return files->len > 0
           && json_layout_find(files->pdata[0], "{") == JSON_LAYOUT_COCO;
}

static gboolean read_coco(struct dataset *d, const char *path, GError **error)
{
    d->summary = g_strdup("COCO annotations");
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return read_file(d, path, error);
    }
    g_autoptr(GPtrArray) files = list_files(path);
    if (!read_groups(d, path, error)) {
        return FALSE;
    }
    for (guint i = 0; i < files->len; i++) {
        if (!read_file(d, files->pdata[i], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

const struct dataset_reader dataset_coco = {
    "coco", "COCO labels or instances: a file, or a folder of them", matches, read_coco };
