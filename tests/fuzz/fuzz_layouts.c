/* Every layout that is one file, whatever the file looks like: what is told must be of an
 * image and a label that there are. Those that are folders get the file in the place where
 * they look for it. */
#define _GNU_SOURCE
#include "app/dataset/dataset.h"
#include "tests/fuzz/fuzz_file.h"

#include <glib/gstdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The folder of a layout and the file in it. */
static const struct { const char *layout, *file; } folders[] = {
    { "voc", "ImageSets/Main/a_b.txt" }, { "txt", "quay.txt" }, { "xmp", "quay.xmp" },
    { "labelme", "quay.json" }, { "huggingface", "train/metadata.jsonl" },
    { "openimages", "val-annotations-human-imagelabels.csv" },
    { "openimages", "class-descriptions.csv" }, { "datumaro", "annotations/train.json" } };

static gboolean check(const struct dataset *d, guint image, guint label,
                      const StoreEvent *event, gpointer user_data, GError **error)
{
    const StoreSource *s = &event->source;
    gboolean sound = image < dataset_n_images(d) && label < dataset_n_labels(d)
                     && *dataset_image_name(d, image) && s->confidence <= 1
                     && (!s->time || strlen(s->time) == strlen("2026-01-01T00:00:00.000Z"));
    if (!sound) {
        abort();
    }
    return TRUE;
}

static void scan(const char *path, const char *layout)
{
    struct dataset_options options = { .layout = layout, .zeros = TRUE };
    g_autoptr(GError) error = NULL;
    struct dataset *d = dataset_scan(path, &options, check, NULL, &error);
    if (!d && !error) {
        abort();
    }
    dataset_close(&d);
}

static char *top;

static void remove_folders(void)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", top);
    if (system(command) != 0) {
        fprintf(stderr, "%s stays\n", top);
    }
}

static char *make_folder(gsize i)
{
    if (!top) {
        top = g_dir_make_tmp("taglight-fuzz-XXXXXX", NULL);
        atexit(remove_folders);
    }
    g_autofree char *number = g_strdup_printf("%zu", i);
    return g_build_filename(top, number, NULL);
}

static void scan_in_folder(gsize i, const uint8_t *data, size_t size)
{
    g_autofree char *folder = make_folder(i);
    g_autofree char *path = g_build_filename(folder, folders[i].file, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    if (g_mkdir_with_parents(parent, 0700) != 0
        || !g_file_set_contents(path, (const char *)data, (gssize)size, NULL)) {
        abort();
    }
    scan(folder, folders[i].layout);
    g_unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = fuzz_file(data, size, path);
    for (guint i = 0; dataset_layout_id(i); i++) {
        if (strcmp(dataset_layout_id(i), "decisions") != 0) { /* not a reader of ours */
            scan(path, dataset_layout_id(i));
        }
    }
    close(fd);
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        scan_in_folder(i, data, size);
    }
    return 0;
}
