/* Pascal VOC's classification (formats.md 3.3): ImageSets/Main/CLASS_SUBSET.txt, whose
 * lines are an image without its suffix and 1, -1, or 0 for what is too hard to tell; the
 * pictures lie in JPEGImages/. */
#include "app/dataset/layouts/files.h"

#include <string.h>

#define MOST_BYTES (1 << 30)

/* "train" of boat_train.txt, and the class before it; FALSE for a list of images. */
static gboolean split_name(const char *name, char **class, char **subset)
{
    const char *under = strrchr(name, '_'), *dot = strrchr(name, '.');
    if (!under || under == name || under + 1 == dot) {
        return FALSE;
    }
    *class = g_strndup(name, (gsize)(under - name));
    *subset = g_strndup(under + 1, (gsize)(dot - under - 1));
    return TRUE;
}

/* Cuts the line's last word off. */
static gboolean take_value(char *line, enum truth *out)
{
    char *blank = strrchr(line, ' '), *tab = strrchr(line, '\t');
    char *last = MAX(blank, tab);
    if (!last || (strcmp(last + 1, "1") != 0 && strcmp(last + 1, "-1") != 0
                  && strcmp(last + 1, "0") != 0)) {
        return FALSE;
    }
    *out = last[1] == '1' ? TRUTH_POSITIVE : last[1] == '-' ? TRUTH_NEGATIVE : TRUTH_UNKNOWN;
    *last = '\0';
    g_strchomp(line);
    return *line != '\0';
}

/* Lines are not trimmed: a name may begin with a blank. */
static gboolean read_class(struct dataset *d, const char *path, const char *class,
                           const char *subset, GError **error)
{
    g_autofree char *text = files_read_text(path, MOST_BYTES, error);
    if (!text) {
        return FALSE;
    }
    guint label = dataset_add_label(d, class, DATASET_NO_GROUP);
    char *rest = text;
    for (guint64 number = 1; rest; number++) {
        char *line = rest;
        enum truth truth;
        rest = strchr(line, '\n');
        if (rest) {
            *rest++ = '\0';
        }
        g_strchomp(line);
        if (!*line) {
            continue;
        }
        if (!take_value(line, &truth)) {
            return dataset_fail(path, number, error,
                                "the line is not an image and 1, -1 or 0");
        }
        dataset_add(d, dataset_add_image(d, line, subset), label, truth);
    }
    return TRUE;
}

static char *lists_of(const char *path)
{
    return g_build_filename(path, "ImageSets", "Main", NULL);
}

/* The label map's order is the order of the labels; some of it has no file. */
static gboolean read_order(struct dataset *d, const char *path, const GPtrArray *files,
                           GError **error)
{
    g_autofree char *map = g_build_filename(path, "labelmap.txt", NULL);
    if (!g_file_test(map, G_FILE_TEST_EXISTS)) {
        return TRUE;
    }
    g_autoptr(GHashTable) classes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                          NULL);
    for (guint i = 0; i < files->len; i++) {
        g_autofree char *class = NULL, *subset = NULL;
        if (split_name(files->pdata[i], &class, &subset)) {
            g_hash_table_add(classes, g_steal_pointer(&class));
        }
    }
    g_autoptr(GPtrArray) lines = dataset_read_lines(map, error);
    for (guint i = 0; lines && i < lines->len; i++) {
        char *line = lines->pdata[i];
        line[strcspn(line, ":")] = '\0';
        if (g_hash_table_contains(classes, line)) {
            dataset_add_label(d, line, DATASET_NO_GROUP);
        }
    }
    return lines != NULL;
}

static gboolean matches(const struct dataset_file *file)
{
    g_autofree char *lists = lists_of(file->path);
    return file->folder && files_any(lists, ".txt", FALSE);
}

static gboolean read_voc(struct dataset *d, const char *path, GError **error)
{
    g_autofree char *lists = lists_of(path);
    g_autoptr(GPtrArray) files = files_list(lists, ".txt", FALSE, error);
    gboolean good = files && read_order(d, path, files, error);
    for (guint i = 0; good && i < files->len; i++) {
        g_autofree char *file = g_build_filename(lists, files->pdata[i], NULL);
        g_autofree char *class = NULL, *subset = NULL;
        good = !split_name(files->pdata[i], &class, &subset)
               || read_class(d, file, class, subset, error);
    }
    d->summary = g_strdup("VOC classification");
    g_autofree char *pictures = g_build_filename(path, "JPEGImages", NULL);
    gboolean below = g_file_test(pictures, G_FILE_TEST_IS_DIR);
    dataset_find_root(d, 0, below ? pictures : path, (const char *const[]){ NULL });
    return good;
}

const struct dataset_reader dataset_voc = {
    "voc", "Pascal VOC's classification: the folder above ImageSets/Main", matches,
    read_voc };
