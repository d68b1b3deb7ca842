/* Text sidecars (formats.md 3.4), as TagGUI, BooruDatasetTagManager and kohya's scripts
 * have them: quay.txt beside quay.jpg with tags and commas between them. In a folder that
 * holds images only the files beside one count; else every file does, and the images are
 * elsewhere. */
#include "app/dataset/layouts/files.h"
#include "app/library/library.h"

#include <string.h>

#define MOST_BYTES (16 << 20)

static gboolean has_images(const char *folder)
{
    g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func(g_free);
    return library_scan(folder, TRUE, NULL, images, NULL) && images->len > 0;
}

/* Whether an image lies beside a sidecar whose owner's name is `name`. */
static gboolean is_beside(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GPtrArray) found = library_list_stem(path);
    return found->len > 0 || (library_is_image_name(name)
                     && g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

static gboolean read_tags(struct dataset *d, const char *path, const char *name,
                          GError **error)
{
    g_autofree char *text = files_read_text(path, MOST_BYTES, error);
    if (!text) {
        return FALSE;
    }
    g_auto(GStrv) tags = g_strsplit_set(text, ",\r\n", -1);
    guint image = dataset_add_image(d, name, NULL);
    for (gsize i = 0; tags[i]; i++) {
        if (*g_strstrip(tags[i])) {
            dataset_add(d, image, dataset_add_label(d, tags[i], DATASET_NO_GROUP),
                        TRUTH_POSITIVE);
        }
    }
    return TRUE;
}

/* Folders of text may be anything: one file at least has to lie beside an image. */
static gboolean matches(const struct dataset_file *file)
{
    g_autoptr(GPtrArray) files = file->folder
                                     ? files_list(file->path, ".txt", TRUE, NULL) : NULL;
    for (guint i = 0; files && i < files->len; i++) {
        g_autofree char *name = files_owner(files->pdata[i]);
        if (is_beside(file->path, name)) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean read_txt(struct dataset *d, const char *path, GError **error)
{
    d->summary = g_strdup("text files beside images");
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return dataset_fail(path, 1, error, "text sidecars are read by the folder");
    }
    gboolean only_beside = has_images(path);
    g_autoptr(GPtrArray) files = files_list(path, ".txt", TRUE, error);
    for (guint i = 0; files && i < files->len; i++) {
        g_autofree char *file = g_build_filename(path, files->pdata[i], NULL);
        g_autofree char *owner = files_owner(files->pdata[i]);
        g_autofree char *name = g_filename_display_name(owner);
        if ((!only_beside || is_beside(path, owner)) && !read_tags(d, file, name, error)) {
            return FALSE;
        }
    }
    dataset_find_root(d, 0, path, (const char *const[]){ NULL });
    return files != NULL;
}

const struct dataset_reader dataset_txt = {
    "txt", "text sidecars: a folder of .txt files with commas between the tags", matches,
    read_txt };
