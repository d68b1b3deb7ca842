#include "app/engine/bundles.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_DESCRIPTION (1 << 20)

static void bundle_free(gpointer data)
{
    struct bundle *b = data;
    g_free(b->name);
    g_free(b->licence);
    g_free(b->about);
    g_free(b);
}

static char *member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    const char *text = node && JSON_NODE_HOLDS_VALUE(node)
                               && json_node_get_value_type(node) == G_TYPE_STRING
                           ? json_node_get_string(node) : "";
    return g_utf8_make_valid(text, -1);
}

static void describe(struct bundle *b, const char *path)
{
    g_autofree char *text = NULL;
    g_autoptr(JsonParser) parser = json_parser_new();
    GStatBuf info;
    gsize size = 0;
    JsonNode *root = NULL;
    if (g_stat(path, &info) == 0 && info.st_size <= MAX_DESCRIPTION
        && g_file_get_contents(path, &text, &size, NULL)
        && json_parser_load_from_data(parser, text, (gssize)size, NULL)) {
        root = json_parser_get_root(parser);
    }
    if (root && JSON_NODE_HOLDS_OBJECT(root)) {
        b->licence = member(json_node_get_object(root), "licence");
        b->about = member(json_node_get_object(root), "about");
    } else {
        b->licence = g_strdup("");
        b->about = g_strdup("");
    }
}

static guint64 count_bytes(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint64 bytes = 0;
    for (const char *n = dir ? g_dir_read_name(dir) : NULL; n; n = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, n, NULL);
        GStatBuf info;
        bytes += g_lstat(path, &info) == 0 && S_ISREG(info.st_mode) ? (guint64)info.st_size
                                                                    : 0;
    }
    return bytes;
}

static int by_name(gconstpointer left, gconstpointer right)
{
    const struct bundle *a = *(struct bundle *const *)left;
    const struct bundle *b = *(struct bundle *const *)right;
    return strcmp(a->name, b->name);
}

GPtrArray *bundles_list(const char *dir)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(bundle_free);
    g_autoptr(GDir) folder = g_dir_open(dir, 0, NULL);
    for (const char *n = folder ? g_dir_read_name(folder) : NULL; n;
         n = g_dir_read_name(folder)) {
        g_autofree char *path = g_build_filename(dir, n, NULL);
        g_autofree char *description = g_build_filename(path, "model.json", NULL);
        if (n[0] != '.' && g_utf8_validate(n, -1, NULL)
            && g_file_test(description, G_FILE_TEST_IS_REGULAR)) {
            struct bundle *b = g_new0(struct bundle, 1);
            b->name = g_strdup(n);
            b->bytes = count_bytes(path);
            describe(b, description);
            g_ptr_array_add(list, b);
        }
    }
    g_ptr_array_sort(list, by_name);
    return list;
}

static gboolean fail(const char *path, GError **error)
{
    int code = errno;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", path,
                g_strerror(code));
    return FALSE;
}

/* model.json goes last: a bundle that is half removed can be removed again. */
static gboolean remove_files(const char *folder, const char *last, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    if (!dir) {
        return FALSE;
    }
    for (const char *n = g_dir_read_name(dir); n; n = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, n, NULL);
        if (strcmp(path, last) != 0 && g_unlink(path) != 0) {
            return fail(path, error);
        }
    }
    return g_unlink(last) == 0 && g_rmdir(folder) == 0 ? TRUE : fail(folder, error);
}

gboolean bundles_remove(const char *dir, const char *name, GError **error)
{
    g_autofree char *folder = g_build_filename(dir, name, NULL);
    g_autofree char *description = g_build_filename(folder, "model.json", NULL);
    if (!*name || *name == '.' || strchr(name, G_DIR_SEPARATOR)
        || g_file_test(folder, G_FILE_TEST_IS_SYMLINK)
        || !g_file_test(description, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "there is no installed model \"%s\"", name);
        return FALSE;
    }
    return remove_files(folder, description, error);
}
