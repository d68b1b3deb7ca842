/* NUS-WIDE as it ships: text files of 0 and 1, a line for each image in the order of the
 * image list.
 *
 *   ConceptsList/Concepts81.txt                  81 concepts, a line each
 *   NUS_WID_Tags/TagList1k.txt                   1,000 tags, a line each; may be missing
 *   ImageList/Imagelist.txt                      269,648 images, `folder\name.jpg`
 *   ImageList/TrainImagelist.txt, TestImagelist.txt
 *   Groundtruth/AllLabels/Labels_CONCEPT.txt     people's labels, a number a line
 *   Groundtruth/TrainTestLabels/Labels_CONCEPT_Train.txt, …_Test.txt
 *   NUS_WID_Tags/AllTags1k.txt                   1,000 numbers a line, tabs between
 *   NUS_WID_Tags/Train_Tags1k.dat, Test_Tags1k.dat
 *   Flickr/, images/ or the folder itself        the pictures
 *
 * Labels are the tags that are no concept (925: seen), then the concepts (81: unseen).
 * Files over all images are preferred; without them those of the two splits are read. */
#include "app/dataset/dataset_private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define NO_LABEL G_MAXUINT32

struct nuswide {
    struct dataset *d;
    const char *root;
    GPtrArray *concepts;
    GPtrArray *tags;   /* NULL: only the concepts */
    GArray *columns;   /* guint32 label by tag; NO_LABEL for a concept's tag */
};

/* A set of files whose lines belong to one list of images. */
struct part {
    const char *list, *split, *labels, *tags; /* labels: a format for the concept */
};

static const struct part whole = { "Imagelist.txt", NULL,
                                   "Groundtruth/AllLabels/Labels_%s.txt",
                                   "AllTags1k.txt" };
static const struct part parts[] = {
    { "TrainImagelist.txt", "train", "Groundtruth/TrainTestLabels/Labels_%s_Train.txt",
      "Train_Tags1k.dat" },
    { "TestImagelist.txt", "test", "Groundtruth/TrainTestLabels/Labels_%s_Test.txt",
      "Test_Tags1k.dat" } };

/* --- Files ---------------------------------------------------------------------------- */

/* The file in its folder, or beside the folders as some copies have it. */
static char *find_file(const struct nuswide *n, const char *folder, const char *name)
{
    char *path = g_build_filename(n->root, folder, name, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        char *flat = g_build_filename(n->root, name, NULL);
        if (g_file_test(flat, G_FILE_TEST_EXISTS)) {
            g_free(path);
            return flat;
        }
        g_free(flat);
    }
    return path;
}

static gboolean io_fail(const char *path, GError **error)
{
    int code = errno;
    g_autofree char *name = g_filename_display_name(path);
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", name,
                g_strerror(code));
    return FALSE;
}

/* One line of `n` numbers: adds a positive pair for each 1 in a column with a label. */
static gboolean read_line(struct dataset *d, FILE *file, const char *path, guint64 line,
                          guint image, const guint32 *labels, guint n, GError **error)
{
    guint column = 0;
    int byte;
    while ((byte = getc_unlocked(file)) != EOF && byte != '\n') {
        if (byte == ' ' || byte == '\t' || byte == '\r') {
            continue;
        }
        if ((byte != '0' && byte != '1') || column == n) {
            return dataset_fail(path, line, error, column == n
                                ? "there are more than %u numbers"
                                : "the line is not made of %u times 0 or 1", n);
        }
        if (byte == '1' && labels[column] != NO_LABEL) {
            dataset_add(d, image, labels[column], TRUTH_POSITIVE);
        }
        column++;
    }
    return column == n
           || dataset_fail(path, line, error, "there are %u numbers instead of %u", column,
                           n);
}

/* rows: guint image by line. */
static gboolean read_matrix(struct dataset *d, const char *path, const GArray *rows,
                            const guint32 *labels, guint n, GError **error)
{
    FILE *file = g_fopen(path, "rb");
    gboolean good = TRUE;
    if (!file) {
        return io_fail(path, error);
    }
    for (guint i = 0; good && i < rows->len; i++) {
        good = read_line(d, file, path, i + 1, g_array_index(rows, guint, i), labels, n,
                         error);
    }
    if (good && ferror(file)) {
        good = io_fail(path, error);
    }
    for (int byte; good && (byte = getc_unlocked(file)) != EOF;) {
        if (byte != '\n' && byte != '\r') {
            good = dataset_fail(path, rows->len + 1, error,
                                "there are more lines than the %u images", rows->len);
        }
    }
    fclose(file);
    return good;
}

/* --- Parts ---------------------------------------------------------------------------- */

static GPtrArray *read_list(const struct nuswide *n, const struct part *part, char **path,
                            GError **error)
{
    *path = find_file(n, "ImageList", part->list);
    GPtrArray *lines = dataset_read_lines(*path, error);
    for (guint i = 0; lines && i < lines->len; i++) {
        g_strdelimit(lines->pdata[i], "\\", '/');
    }
    return lines;
}

static gboolean read_labels(struct nuswide *n, const struct part *part, const GArray *rows,
                            GError **error)
{
    for (guint i = 0; i < n->concepts->len; i++) {
        guint32 label = (guint32)dataset_find_label(n->d, n->concepts->pdata[i]);
        g_auto(GStrv) around = g_strsplit(part->labels, "%s", 2);
        g_autofree char *name = g_strconcat(around[0], n->concepts->pdata[i], around[1],
                                            NULL);
        g_autofree char *path = g_build_filename(n->root, name, NULL);
        if (!read_matrix(n->d, path, rows, &label, 1, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean read_part(struct nuswide *n, const struct part *part, GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(GPtrArray) names = read_list(n, part, &path, error);
    if (!names) {
        return FALSE;
    }
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < names->len; i++) {
        guint image = dataset_add_image(n->d, names->pdata[i], part->split);
        g_array_append_val(rows, image);
    }
    if (!read_labels(n, part, rows, error)) {
        return FALSE;
    }
    g_autofree char *tags = find_file(n, "NUS_WID_Tags", part->tags);
    return !n->tags || read_matrix(n->d, tags, rows,
                                   (const guint32 *)(gpointer)n->columns->data,
                                   n->columns->len, error);
}

/* Which images of the whole list are of which split. */
static gboolean read_split(struct nuswide *n, const struct part *part, GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(GPtrArray) names = read_list(n, part, &path, error);
    for (guint i = 0; names && i < names->len; i++) {
        if (dataset_find_image(n->d, names->pdata[i]) < 0) {
            return dataset_fail(path, i + 1, error, "%s is not in %s",
                                (const char *)names->pdata[i], whole.list);
        }
        dataset_add_image(n->d, names->pdata[i], part->split);
    }
    return names != NULL;
}

/* --- The data set --------------------------------------------------------------------- */

static gboolean add_labels(struct nuswide *n, GError **error)
{
    g_autofree char *concepts = find_file(n, "ConceptsList", "Concepts81.txt");
    g_autofree char *tags = find_file(n, "NUS_WID_Tags", "TagList1k.txt");
    n->concepts = dataset_read_lines(concepts, error);
    if (!n->concepts) {
        return FALSE;
    }
    if (g_file_test(tags, G_FILE_TEST_EXISTS)) {
        n->tags = dataset_read_lines(tags, error);
        if (!n->tags) {
            return FALSE;
        }
    }
    for (guint i = 0; n->tags && i < n->tags->len; i++) {
        gboolean concept = g_ptr_array_find_with_equal_func(n->concepts, n->tags->pdata[i],
                                                            g_str_equal, NULL);
        guint32 label = concept ? NO_LABEL
                                : dataset_add_label(n->d, n->tags->pdata[i], DATASET_SEEN);
        g_array_append_val(n->columns, label);
    }
    for (guint i = 0; i < n->concepts->len; i++) {
        dataset_add_label(n->d, n->concepts->pdata[i],
                          n->tags ? DATASET_UNSEEN : DATASET_NO_GROUP);
    }
    return TRUE;
}

static gboolean exists(const struct nuswide *n, const char *folder, const char *name)
{
    g_autofree char *path = find_file(n, folder, name);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gboolean read_all(struct nuswide *n, GError **error)
{
    gboolean joined = exists(n, "ImageList", whole.list)
                      && exists(n, "Groundtruth", "AllLabels");
    if (!add_labels(n, error) || (joined && !read_part(n, &whole, error))) {
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        /* Without the split's list the whole one serves, and there is no split. */
        gboolean listed = exists(n, "ImageList", parts[i].list);
        if (joined ? listed && !read_split(n, &parts[i], error)
                   : !read_part(n, &parts[i], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean matches(const struct dataset_file *file)
{
    struct nuswide n = { .root = file->path };
    return file->folder && exists(&n, "ConceptsList", "Concepts81.txt");
}

static gboolean read_nuswide(struct dataset *d, const char *path, GError **error)
{
    struct nuswide n = { .d = d, .root = path,
                         .columns = g_array_new(FALSE, FALSE, sizeof(guint32)) };
    gboolean good = read_all(&n, error);
    d->lists_all = TRUE;
    d->summary = g_strdup(n.tags ? "NUS-WIDE, tags that are no concept (seen) and concepts "
                                   "(unseen)"
                                 : "NUS-WIDE, concepts only");
    dataset_find_root(d, 0, path, (const char *const[]){ "Flickr", "images", "Images", ".",
                                                         NULL });
    g_clear_pointer(&n.concepts, g_ptr_array_unref);
    g_clear_pointer(&n.tags, g_ptr_array_unref);
    g_array_unref(n.columns);
    return good;
}

const struct dataset_reader dataset_nuswide = { "nus-wide", "NUS-WIDE's own folder", matches,
                                                read_nuswide };
