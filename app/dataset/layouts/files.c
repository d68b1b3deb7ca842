#include "app/dataset/layouts/files.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAX_DEPTH 64

int files_by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean ends_with(const char *name, const char *suffix)
{
    gsize n = strlen(name), m = strlen(suffix);
    return n >= m && g_ascii_strcasecmp(name + n - m, suffix) == 0;
}

/* below: the folder's path relative to the top, "" for itself. */
static gboolean list(const char *top, const char *below, const char *suffix, int depth,
                     GPtrArray *out, GError **error)
{
    g_autofree char *folder = g_build_filename(top, below, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    if (!dir) {
        return FALSE;
    }
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *relative = *below ? g_build_filename(below, name, NULL)
                                           : g_strdup(name);
        g_autofree char *path = g_build_filename(top, relative, NULL);
        GStatBuf info;
        if (name[0] == '.' || g_lstat(path, &info) != 0) {
            continue;
        }
        if (S_ISDIR(info.st_mode)) {
            if (depth > 0 && !list(top, relative, suffix, depth - 1, out, error)) {
                return FALSE;
            }
        } else if (ends_with(name, suffix) && g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
            g_ptr_array_add(out, g_steal_pointer(&relative));
        }
    }
    return TRUE;
}

GPtrArray *files_list(const char *folder, const char *suffix, gboolean deep,
                      GError **error)
{
    g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func(g_free);
    if (!list(folder, "", suffix, deep ? MAX_DEPTH : 0, out, error)) {
        return NULL;
    }
    g_ptr_array_sort(out, files_by_name);
    return g_steal_pointer(&out);
}

GPtrArray *files_list_or_one(const char *path, const char *suffix, char **top,
                             GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        *top = g_strdup(path);
        return files_list(path, suffix, TRUE, error);
    }
    GPtrArray *one = g_ptr_array_new_with_free_func(g_free);
    *top = g_path_get_dirname(path);
    g_ptr_array_add(one, g_path_get_basename(path));
    return one;
}

gboolean files_any(const char *folder, const char *suffix, gboolean deep)
{
    g_autoptr(GPtrArray) found = files_list(folder, suffix, deep, NULL);
    return found && found->len > 0;
}

void files_find_root(struct dataset *d, guint first, const char *path, const char *split)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *beside = g_build_filename("..", split ? split : ".", NULL);
    g_autofree char *beside_images = g_build_filename("..", "images", split, NULL);
    g_autofree char *below = g_build_filename("images", split, NULL);
    dataset_find_root(d, first, folder,
                      (const char *const[]){ ".", below, "images", beside_images, beside,
                                             "../images", "..", NULL });
}

char *files_owner(const char *sidecar)
{
    const char *dot = strrchr(sidecar, '.');
    return g_strndup(sidecar, dot ? (gsize)(dot - sidecar) : strlen(sidecar));
}

char *files_read_text(const char *path, gsize limit, GError **error)
{
    g_autofree char *text = NULL;
    GStatBuf info;
    gsize size = 0;
    if (g_stat(path, &info) == 0 && (guint64)info.st_size > limit) {
        dataset_fail(path, 1, error, "the file is larger than %zu bytes", limit);
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &size, error)) {
        return NULL;
    }
    const char *wrong = text;
    if (!g_utf8_validate_len(text, size, &wrong)) {
        guint64 line = 1;
        for (const char *c = text; c < wrong; c++) {
            line += *c == '\n';
        }
        dataset_fail(path, line, error, "this is not UTF-8 text");
        return NULL;
    }
    return g_strdup(g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text);
}
