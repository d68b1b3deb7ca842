#include "app/library/library.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

static const char *const suffixes[] = { ".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp",
                                        ".tif", ".tiff", ".ppm", ".pgm", ".avif", ".heic",
                                        ".heif" };

gboolean library_is_image_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (gsize i = 0; dot && i < G_N_ELEMENTS(suffixes); i++) {
        if (g_ascii_strcasecmp(dot, suffixes[i]) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

GPtrArray *library_list_stem(const char *stem)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *upper = g_ascii_strup(suffixes[i / 2], -1);
        g_autofree char *path = g_strconcat(stem, i % 2 ? upper : suffixes[i / 2], NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
            g_ptr_array_add(found, g_steal_pointer(&path));
        }
    }
    return found;
}

typedef struct { char *path, *key; } Named;

static int by_key(gconstpointer left, gconstpointer right)
{
    const Named *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order ? order : strcmp(a->path, b->path);
}

/* image2 comes before image10. A key is made once for each name, as that is dear. */
static void sort_naturally(GPtrArray *paths)
{
    g_autofree Named *named = g_new(Named, paths->len);
    for (guint i = 0; i < paths->len; i++) {
        g_autofree char *name = g_filename_display_basename(paths->pdata[i]);
        named[i] = (Named){ paths->pdata[i], g_utf8_collate_key_for_filename(name, -1) };
    }
    if (paths->len > 0) {
        qsort(named, paths->len, sizeof *named, by_key);
    }
    for (guint i = 0; i < paths->len; i++) {
        paths->pdata[i] = named[i].path;
        g_free(named[i].key);
    }
}

/* all: takes the folders below `path`; may be NULL. */
static gboolean scan_folder(const char *path, gboolean recursive, int depth,
                            GCancellable *cancellable, GPtrArray *out, GPtrArray *all,
                            GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    if (!dir) {
        return FALSE;
    }
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
            return FALSE;
        }
        char *child = name[0] == '.' ? NULL : g_build_filename(path, name, NULL);
        GStatBuf info;
        if (child && g_lstat(child, &info) == 0 && S_ISDIR(info.st_mode)) {
            g_ptr_array_add(folders, child);
        } else if (child && library_is_image_name(name)
                   && g_file_test(child, G_FILE_TEST_IS_REGULAR)) {
            g_ptr_array_add(files, child);
        } else {
            g_free(child);
        }
    }
    sort_naturally(files);
    sort_naturally(folders);
    g_ptr_array_extend_and_steal(out, g_steal_pointer(&files));
    for (guint i = 0; recursive && depth < MAX_DEPTH && i < folders->len; i++) {
        g_autoptr(GError) inner = NULL;
        if (all) {
            g_ptr_array_add(all, g_strdup(folders->pdata[i]));
        }
        if (!scan_folder(folders->pdata[i], TRUE, depth + 1, cancellable, out, all,
                         &inner)) {
            if (g_error_matches(inner, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
                g_propagate_error(error, g_steal_pointer(&inner));
                return FALSE;
            }
            g_warning("%s", inner->message); /* one closed folder is not the end */
        }
    }
    return TRUE;
}

gboolean library_scan(const char *path, gboolean recursive, GCancellable *cancellable,
                      GPtrArray *out, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return scan_folder(path, recursive, 0, cancellable, out, NULL, error);
    }
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_autofree char *name = g_filename_display_name(path);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s: there is no such file",
                    name);
        return FALSE;
    }
    g_ptr_array_add(out, g_strdup(path));
    return TRUE;
}

gboolean library_scan_tree(const char *path, GCancellable *cancellable, GPtrArray *out,
                           GPtrArray *folders, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return library_scan(path, TRUE, cancellable, out, error);
    }
    g_ptr_array_add(folders, g_strdup(path));
    return scan_folder(path, TRUE, 0, cancellable, out, folders, error);
}

char *library_hash(const char *path, GCancellable *cancellable, gint64 *bytes,
                   GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, cancellable, error);
    if (!stream) {
        return NULL;
    }
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree guint8 *buffer = g_malloc(1 << 18);
    gssize got;
    *bytes = 0;
    while ((got = g_input_stream_read(G_INPUT_STREAM(stream), buffer, 1 << 18, cancellable,
                                      error)) > 0) {
        g_checksum_update(sum, buffer, got);
        *bytes += got;
    }
    return got < 0 ? NULL : g_strdup(g_checksum_get_string(sum));
}
