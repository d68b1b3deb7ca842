/* Flags of labelme and X-AnyLabeling (formats.md 3.3): quay.json beside quay.jpg, true
 * for accepted labels and false for rejected ones. Shapes, other flags and all else
 * that stands in a file stay. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define VERSION "5.0.1" /* of labelme, for files that are new */

/* Where the image is, seen from the sidecar. */
static char *image_path(const ExportRun *run, const ExportItem *item)
{
    g_autofree char *base = g_path_get_basename(item->known->path);
    return g_utf8_make_valid(run->folder ? item->known->path : base, -1);
}

static JsonObject *new_document(const ExportRun *run, const ExportItem *item)
{
    JsonObject *o = json_object_new();
    g_autofree char *path = image_path(run, item);
    json_object_set_string_member(o, "version", VERSION);
    json_object_set_object_member(o, "flags", json_object_new());
    json_object_set_array_member(o, "shapes", json_array_new());
    json_object_set_string_member(o, "imagePath", path);
    json_object_set_null_member(o, "imageData");
    json_object_set_int_member(o, "imageHeight", item->known->height);
    json_object_set_int_member(o, "imageWidth", item->known->width);
    return o;
}

/* A reference of the caller's; NULL with an error when the text is something else. */
static JsonObject *parse(const char *path, const char *text, gsize size, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) failure = NULL;
    json_parser_load_from_data(parser, text, (gssize)size, &failure);
    JsonNode *root = failure ? NULL : json_parser_get_root(parser);
    JsonObject *o =
        root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    JsonNode *flags = o ? json_object_get_member(o, "flags") : NULL;
    if (!o || (flags && !JSON_NODE_HOLDS_OBJECT(flags))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "%s: this is no file of labelme: %s", path,
                    failure ? failure->message : "it holds no object with flags");
        return NULL;
    }
    if (!flags) {
        json_object_set_object_member(o, "flags", json_object_new());
    }
    return json_object_ref(o);
}

/* Puts our flags in and takes those out that are ours no more. Returns whether anything
 * is other than before. */
static gboolean set_flags(JsonObject *flags, const struct export_keywords *keywords,
                          const ExportItem *item)
{
    gboolean changed = FALSE;
    g_autoptr(GList) there = json_object_get_members(flags);
    for (GList *at = there; at; at = at->next) {
        if (!export_has_keyword(keywords->all, at->data)) {
            json_object_remove_member(flags, at->data);
            changed = TRUE;
        }
    }
    for (guint i = 0; i < item->n_tags; i++) {
        const char *name = item->tags[i].name;
        gboolean value = export_is_positive(&item->tags[i]);
        if (!json_object_has_member(flags, name)
            || json_object_get_boolean_member(flags, name) != value) {
            json_object_set_boolean_member(flags, name, value);
            changed = TRUE;
        }
    }
    return changed;
}

static gboolean merge(ExportRun *run, const ExportItem *item, const char *path,
                      JsonObject *flags, gboolean *changed, GError **error)
{
    g_autoptr(GPtrArray) there = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) now = g_ptr_array_new();
    g_autoptr(GList) names = json_object_get_members(flags);
    struct export_keywords keywords;
    for (GList *at = names; at; at = at->next) {
        g_ptr_array_add(there, g_strdup(at->data));
    }
    for (guint i = 0; i < item->n_tags; i++) {
        g_ptr_array_add(now, (gpointer)item->tags[i].name);
    }
    if (!export_merge(run, path, "flags", there, now, &keywords, error)) {
        return FALSE;
    }
    *changed = set_flags(flags, &keywords, item);
    export_keywords_clear(&keywords);
    return TRUE;
}

static char *to_text(JsonObject *o)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(root, o);
    g_autofree char *text = json_to_string(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    g_autofree char *path = export_sidecar(run, item, ".json", TRUE);
    GError *failure = NULL;
    gsize size = 0;
    g_autofree char *old = path ? export_read_sidecar(path, &size, &failure) : NULL;
    if (!path || (old && size == 0 && item->n_tags == 0)) {
        return TRUE; /* nothing is there, and there is nothing to say */
    }
    JsonObject *o = !old         ? NULL
                    : size == 0  ? new_document(run, item)
                                 : parse(path, old, size, &failure);
    if (!o) {
        return export_skip_sidecar(run, failure);
    }
    gboolean changed = FALSE;
    gboolean good = merge(run, item, path, json_object_get_object_member(o, "flags"),
                          &changed, error);
    char *text = good && changed ? to_text(o) : NULL;
    json_object_unref(o);
    return good
           && (!text || export_queue_sidecar(run, path, text, strlen(text), error));
}

const ExportFormat export_labelme = {
    .id = "labelme",
    .summary = "flags of labelme and X-AnyLabeling, one file an image",
    .kind = EXPORT_SIDECARS,
    .states = EXPORT_ACCEPTED | EXPORT_REJECTED,
    .marks = EXPORT_ACCEPTED | EXPORT_REJECTED,
    .item = put_item,
};
