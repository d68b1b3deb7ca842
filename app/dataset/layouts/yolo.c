/* A folder for each label (formats.md 3.3), as YOLO's classification and ImageFolder have
 * it: SUBSET/LABEL/IMAGE, or LABEL/IMAGE without subsets. An image with several labels is
 * a link in all folders but one, or in all of them: it counts as the file that the links
 * lead to. */
#include "app/dataset/layouts/files.h"
#include "app/library/library.h"

#include <stdlib.h>
#include <string.h>

static gboolean is_subset(const char *name)
{
    static const char *const names[] = { "train", "val", "valid", "validation", "test" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_ascii_strcasecmp(name, names[i]) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Names of the folders in a folder, sorted; NULL when it cannot be read. */
static GPtrArray *list_folders(const char *path, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    if (!dir) {
        return NULL;
    }
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (name[0] != '.' && g_file_test(child, G_FILE_TEST_IS_DIR)) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    g_ptr_array_sort(names, files_by_name);
    return names;
}

/* A file's path with all links followed, below `top` where it lies there. */
static char *real_name(const char *top, const char *path)
{
    char *real = realpath(path, NULL);
    char *top_real = realpath(top, NULL);
    gsize n = top_real ? strlen(top_real) : 0;
    gboolean below = real && n > 0 && strncmp(real, top_real, n) == 0 && real[n] == '/';
    char *name = g_strdup(below ? real + n + 1 : real ? real : path);
    free(real);
    free(top_real);
    return name;
}

static gboolean read_label(struct dataset *d, const char *top, const char *subset,
                           const char *name, GError **error)
{
    g_autofree char *folder = g_build_filename(top, subset ? subset : ".", name, NULL);
    g_autofree char *text = g_filename_to_utf8(name, -1, NULL, NULL, NULL);
    g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func(g_free);
    if (!text) {
        return dataset_fail(folder, 1, error, "the folder's name is not UTF-8 text");
    }
    if (!library_scan(folder, TRUE, NULL, images, error)) {
        return FALSE;
    }
    guint label = dataset_add_label(d, text, DATASET_NO_GROUP);
    for (guint i = 0; i < images->len; i++) {
        g_autofree char *image = real_name(top, images->pdata[i]);
        dataset_add(d, dataset_add_image(d, image, subset), label, TRUTH_POSITIVE);
    }
    return TRUE;
}

static gboolean read_labels(struct dataset *d, const char *top, const char *subset,
                            GError **error)
{
    g_autofree char *path = g_build_filename(top, subset, NULL);
    g_autoptr(GPtrArray) names = list_folders(path, error);
    for (guint i = 0; names && i < names->len; i++) {
        if (!read_label(d, top, subset, names->pdata[i], error)) {
            return FALSE;
        }
    }
    return names != NULL;
}

static gboolean has_subsets(const GPtrArray *names)
{
    for (guint i = 0; i < names->len; i++) {
        if (is_subset(names->pdata[i])) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Found out only by its subsets: folders of images may be anything. */
static gboolean matches(const struct dataset_file *file)
{
    g_autoptr(GPtrArray) names = file->folder ? list_folders(file->path, NULL) : NULL;
    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *path = g_build_filename(file->path, names->pdata[i], NULL);
        g_autoptr(GPtrArray) labels =
            is_subset(names->pdata[i]) ? list_folders(path, NULL) : NULL;
        if (labels && labels->len > 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean read_yolo(struct dataset *d, const char *path, GError **error)
{
    g_autoptr(GPtrArray) names = list_folders(path, error);
    gboolean parted = names && has_subsets(names);
    d->summary = g_strdup("a folder for each label");
    if (!names || (!parted && !read_labels(d, path, NULL, error))) {
        return FALSE;
    }
    for (guint i = 0; parted && i < names->len; i++) {
        if (is_subset(names->pdata[i]) && !read_labels(d, path, names->pdata[i], error)) {
            return FALSE;
        }
    }
    dataset_find_root(d, 0, path, (const char *const[]){ NULL });
    return TRUE;
}

const struct dataset_reader dataset_yolo = {
    "yolo", "a folder for each label, as YOLO's classification has them", matches,
    read_yolo };
