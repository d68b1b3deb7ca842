#include "app/dataset/dataset_private.h"
#include "app/library/library.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* In the order in which they are asked: those that are told by the names in a folder before
 * those that look for sidecars; the last one takes any text. */
static const struct dataset_reader *const readers[] = {
    &dataset_store, &dataset_coco, &dataset_datumaro, &dataset_fiftyone,
    &dataset_huggingface, &dataset_labelstudio, &dataset_nuswide, &dataset_voc,
    &dataset_openimages, &dataset_xmp, &dataset_cvat, &dataset_yolo, &dataset_labelme,
    &dataset_txt, &dataset_automl, &dataset_list, &dataset_onehot, &dataset_csv };

const char *dataset_layout_id(guint index)
{
    return index < G_N_ELEMENTS(readers) ? readers[index]->id : NULL;
}

const char *dataset_layout_summary(guint index)
{
    return index < G_N_ELEMENTS(readers) ? readers[index]->summary : NULL;
}

/* --- Filling ------------------------------------------------------------------------ */

guint dataset_add_image(struct dataset *d, const char *name, const char *split)
{
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(d->image_of, name));
    if (at == 0) {
        char *copy = g_strdup(name);
        g_ptr_array_add(d->images, copy);
        g_ptr_array_add(d->splits, NULL);
        g_ptr_array_add(d->roots, NULL);
        at = d->images->len;
        g_hash_table_insert(d->image_of, copy, GUINT_TO_POINTER(at));
    }
    if (split) {
        d->splits->pdata[at - 1] = (gpointer)g_intern_string(split);
    }
    return at - 1;
}

guint dataset_add_label(struct dataset *d, const char *name, enum dataset_group group)
{
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(d->label_of, name));
    if (at == 0) {
        char *copy = g_strdup(name);
        guint8 byte = (guint8)group;
        g_ptr_array_add(d->labels, copy);
        g_array_append_val(d->groups, byte);
        at = d->labels->len;
        g_hash_table_insert(d->label_of, copy, GUINT_TO_POINTER(at));
    }
    return at - 1;
}

void dataset_add(struct dataset *d, guint image, guint label, enum truth truth)
{
    StoreEvent event = DATASET_EVENT(truth);
    dataset_add_event(d, image, label, &event);
}

void dataset_add_event(struct dataset *d, guint image, guint label,
                       const StoreEvent *event)
{
    if (!d->scans) {
        struct dataset_pair pair = { image, label, (gint8)event->verdict,
                                     (guint8)event->source.by_model };
        g_array_append_val(d->pairs, pair);
    } else if (d->func && !d->failure) {
        d->func(d, image, label, event, d->user_data, &d->failure);
    }
}

void dataset_add_filled(struct dataset *d, guint image, guint label, enum truth truth)
{
    if (truth != TRUTH_NEGATIVE || !d->scans || d->zeros) {
        dataset_add(d, image, label, truth);
    }
}

static void fact_free(gpointer data)
{
    struct dataset_fact *fact = data;
    g_free(fact->hash);
    g_free(fact);
}

static struct dataset_fact *fact_of(struct dataset *d, guint image)
{
    gpointer key = GUINT_TO_POINTER(image + 1);
    struct dataset_fact *fact = g_hash_table_lookup(d->facts, key);
    if (!fact) {
        fact = g_new0(struct dataset_fact, 1);
        g_hash_table_insert(d->facts, key, fact);
    }
    return fact;
}

void dataset_set_content(struct dataset *d, guint image, const char *hash, gint64 bytes)
{
    struct dataset_fact *fact = fact_of(d, image);
    g_free(fact->hash);
    fact->hash = g_strdup(hash);
    fact->bytes = bytes;
}

void dataset_set_number(struct dataset *d, guint image, gint64 number)
{
    fact_of(d, image)->number = number;
}

static int by_place(gconstpointer a, gconstpointer b)
{
    const struct dataset_pair *l = a, *r = b;
    if (l->image != r->image) {
        return l->image < r->image ? -1 : 1;
    }
    return l->label < r->label ? -1 : l->label > r->label;
}

/* What is known goes before what is not, and a person's word before a model's. */
static int weight(const struct dataset_pair *pair)
{
    return pair->truth == TRUTH_UNKNOWN ? 0 : pair->by_model ? 1 : 2;
}

static gboolean contradicts(const struct dataset *d, const struct dataset_pair *pair,
                            const char *path, GError **error)
{
    g_autofree char *name = g_filename_display_name(path);
    g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                "%s: \"%s\" is said to be both true and untrue of %s", name,
                dataset_label(d, pair->label), dataset_image_name(d, pair->image));
    return FALSE;
}

/* Sorts the pairs and drops what is said twice; two of a weight that contradict are an
 * error. */
static gboolean finish(struct dataset *d, const char *path, GError **error)
{
    struct dataset_pair *pairs = (struct dataset_pair *)(gpointer)d->pairs->data;
    guint n = 0;
    g_array_sort(d->pairs, by_place);
    for (guint i = 0; i < d->pairs->len; i++) {
        if (n == 0 || by_place(&pairs[n - 1], &pairs[i]) != 0) {
            pairs[n++] = pairs[i];
        } else if (weight(&pairs[i]) > weight(&pairs[n - 1])) {
            pairs[n - 1] = pairs[i];
        } else if (weight(&pairs[i]) == weight(&pairs[n - 1])
                   && pairs[i].truth != pairs[n - 1].truth) {
            return contradicts(d, &pairs[i], path, error);
        }
    }
    g_array_set_size(d->pairs, n);
    for (guint32 image = 0, at = 0; image <= d->images->len; image++) {
        while (at < n && pairs[at].image < image) {
            at++;
        }
        g_array_append_val(d->first, at);
    }
    return TRUE;
}

void dataset_find_root(struct dataset *d, guint first, const char *base,
                       const char *const *folders)
{
    g_autofree char *root = g_canonicalize_filename(base, NULL);
    for (; *folders && first < d->images->len; folders++) {
        g_autofree char *folder = g_build_filename(base, *folders, NULL);
        g_autofree char *file = g_build_filename(folder, d->images->pdata[first], NULL);
        if (g_file_test(file, G_FILE_TEST_EXISTS)) {
            g_free(root);
            root = g_canonicalize_filename(folder, NULL);
            break;
        }
    }
    for (guint i = first; i < d->images->len; i++) {
        d->roots->pdata[i] = (gpointer)g_intern_string(root);
    }
}

gboolean dataset_fail(const char *path, guint64 line, GError **error, const char *format,
                      ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *name = g_filename_display_name(path);
    g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID, "%s:%" G_GUINT64_FORMAT ": %s",
                name, line, text);
    return FALSE;
}

/* --- Opening ------------------------------------------------------------------------ */

static gboolean read_head(const char *path, char *head, gsize size, GError **error)
{
    FILE *file = g_fopen(path, "rb");
    if (!file) {
        int code = errno;
        g_autofree char *name = g_filename_display_name(path);
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", name,
                    g_strerror(code));
        return FALSE;
    }
    head[fread(head, 1, size - 1, file)] = '\0';
    fclose(file);
    return TRUE;
}

static struct dataset *new_dataset(const struct dataset_options *options)
{
    struct dataset *d = g_new0(struct dataset, 1);
    d->root = options ? g_strdup(options->images) : NULL;
    d->images = g_ptr_array_new_with_free_func(g_free);
    d->splits = g_ptr_array_new();
    d->roots = g_ptr_array_new();
    d->facts = g_hash_table_new_full(NULL, NULL, NULL, fact_free);
    d->labels = g_ptr_array_new_with_free_func(g_free);
    d->groups = g_array_new(FALSE, FALSE, 1);
    d->image_of = g_hash_table_new(g_str_hash, g_str_equal);
    d->label_of = g_hash_table_new(g_str_hash, g_str_equal);
    d->pairs = g_array_new(FALSE, FALSE, sizeof(struct dataset_pair));
    d->first = g_array_new(FALSE, FALSE, sizeof(guint32));
    return d;
}

static gboolean read_with(struct dataset *d, const char *path,
                          const struct dataset_options *options, GError **error)
{
    enum dataset_unlisted unlisted = options ? options->unlisted : DATASET_UNLISTED_DEFAULT;
    d->unlisted = TRUTH_NEGATIVE;
    gboolean good = d->reader->read(d, path, error);
    if (good && d->failure) {
        g_propagate_error(error, g_steal_pointer(&d->failure));
        good = FALSE;
    }
    if (!good || !finish(d, path, error)) {
        return FALSE;
    }
    if (unlisted != DATASET_UNLISTED_DEFAULT && !d->lists_all) {
        d->unlisted = unlisted == DATASET_UNLISTED_NEGATIVE ? TRUTH_NEGATIVE
                                                            : TRUTH_UNKNOWN;
    }
    const char *rest = d->lists_all ? "every pair is listed"
                       : d->unlisted == TRUTH_NEGATIVE
                           ? "pairs that are not listed count as negative"
                           : "pairs that are not listed are unknown and left out";
    char *summary = g_strdup_printf("%s; %s", d->summary, rest);
    g_free(d->summary);
    d->summary = summary;
    return TRUE;
}

/* The layout that was asked for, else the one that the path looks like. */
static const struct dataset_reader *find_reader(const char *path, const char *wanted,
                                                GError **error)
{
    char head[256] = "";
    struct dataset_file file = { path, g_file_test(path, G_FILE_TEST_IS_DIR), head,
                                 JSON_LAYOUT_NONE };
    if (!file.folder && !read_head(path, head, sizeof head, error)) {
        return NULL;
    }
    if (g_str_has_prefix(head, "\xef\xbb\xbf")) {
        file.head += 3;
    }
    if (!wanted && !file.folder) {
        file.json = json_layout_find(path, file.head);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(readers); i++) {
        if (wanted ? strcmp(readers[i]->id, wanted) == 0 : readers[i]->matches(&file)) {
            return readers[i];
        }
    }
    g_autofree char *name = g_filename_display_name(path);
    g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                wanted ? "%s: there is no layout called \"%s\""
                       : "%s: there is no data set of a known layout in this folder",
                name, wanted);
    return NULL;
}

static struct dataset *open_with(const char *path, const struct dataset_options *options,
                                 gboolean scans, dataset_func func, gpointer user_data,
                                 GError **error)
{
    const struct dataset_reader *reader =
        find_reader(path, options ? options->layout : NULL, error);
    if (!reader) {
        return NULL;
    }
    struct dataset *d = new_dataset(options);
    d->reader = reader;
    d->scans = scans;
    d->zeros = options && options->zeros;
    d->func = func;
    d->user_data = user_data;
    if (!read_with(d, path, options, error)) {
        dataset_close(&d);
    }
    return d;
}

struct dataset *dataset_open(const char *path, const struct dataset_options *options,
                             GError **error)
{
    return open_with(path, options, FALSE, NULL, NULL, error);
}

struct dataset *dataset_scan(const char *path, const struct dataset_options *options,
                             dataset_func func, gpointer user_data, GError **error)
{
    return open_with(path, options, TRUE, func, user_data, error);
}

void dataset_close(struct dataset **dataset)
{
    struct dataset *d = *dataset;
    *dataset = NULL;
    if (!d) {
        return;
    }
    g_hash_table_unref(d->image_of);
    g_hash_table_unref(d->label_of);
    g_ptr_array_unref(d->images);
    g_ptr_array_unref(d->splits);
    g_ptr_array_unref(d->roots);
    g_hash_table_unref(d->facts);
    g_ptr_array_unref(d->labels);
    g_clear_error(&d->failure);
    g_array_unref(d->groups);
    g_array_unref(d->pairs);
    g_array_unref(d->first);
    g_free(d->summary);
    g_free(d->root);
    g_free(d);
}

/* --- Reading what is there ------------------------------------------------------------ */

const char *dataset_layout(const struct dataset *d)
{
    return d->reader->id;
}

const char *dataset_summary(const struct dataset *d)
{
    return d->summary;
}

guint dataset_n_images(const struct dataset *d)
{
    return d->images->len;
}

guint dataset_n_labels(const struct dataset *d)
{
    return d->labels->len;
}

const char *dataset_image_name(const struct dataset *d, guint image)
{
    return d->images->pdata[image];
}

/* Of a.jpg and a.png that are "a" and "a.png" here, the first is "a". */
static char *find_stem(const struct dataset *d, const char *name, const char *path)
{
    g_autoptr(GPtrArray) files = library_list_stem(path);
    char *found = NULL;
    for (guint i = 0; i < files->len; i++) {
        const char *suffix = (const char *)files->pdata[i] + strlen(path);
        g_autofree char *other = g_strconcat(name, suffix, NULL);
        if (dataset_find_image(d, other) >= 0) {
            continue;
        }
        if (found) {
            return NULL;
        }
        found = files->pdata[i];
    }
    return g_strdup(found);
}

char *dataset_image_path(const struct dataset *d, guint image)
{
    const char *name = d->images->pdata[image];
    const char *root = d->root ? d->root : d->roots->pdata[image];
    g_autofree char *path = g_path_is_absolute(name) || !root
                                ? g_strdup(name) : g_build_filename(root, name, NULL);
    char *found = library_is_image_name(name) ? NULL : find_stem(d, name, path);
    return found ? found : g_steal_pointer(&path);
}

const char *dataset_image_hash(const struct dataset *d, guint image, gint64 *bytes)
{
    const struct dataset_fact *fact =
        g_hash_table_lookup(d->facts, GUINT_TO_POINTER(image + 1));
    *bytes = fact ? fact->bytes : 0;
    return fact ? fact->hash : NULL;
}

gint64 dataset_image_number(const struct dataset *d, guint image)
{
    const struct dataset_fact *fact =
        g_hash_table_lookup(d->facts, GUINT_TO_POINTER(image + 1));
    return fact ? fact->number : 0;
}

const char *dataset_image_split(const struct dataset *d, guint image)
{
    return d->splits->pdata[image];
}

const char *dataset_label(const struct dataset *d, guint label)
{
    return d->labels->pdata[label];
}

enum dataset_group dataset_label_group(const struct dataset *d, guint label)
{
    return g_array_index(d->groups, guint8, label);
}

int dataset_find_image(const struct dataset *d, const char *name)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(d->image_of, name)) - 1;
}

int dataset_find_label(const struct dataset *d, const char *name)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(d->label_of, name)) - 1;
}

void dataset_truth(const struct dataset *d, guint image, gint8 *out)
{
    const struct dataset_pair *pairs =
        (const struct dataset_pair *)(gconstpointer)d->pairs->data;
    memset(out, d->unlisted, d->labels->len);
    for (guint32 i = g_array_index(d->first, guint32, image);
         i < g_array_index(d->first, guint32, image + 1); i++) {
        out[pairs[i].label] = pairs[i].truth;
    }
}

/* --- Text --------------------------------------------------------------------------- */

GPtrArray *dataset_read_lines(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize size = 0;
    if (!g_file_get_contents(path, &text, &size, error)) {
        return NULL;
    }
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    char *at = g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text;
    for (guint64 line = 1; at < text + size; line++) {
        gsize left = (gsize)(text + size - at);
        char *end = memchr(at, '\n', left);
        gsize length = end ? (gsize)(end - at) : left;
        if (!g_utf8_validate_len(at, length, NULL)) {
            dataset_fail(path, line, error, "this line is not UTF-8 text");
            return NULL;
        }
        char *copy = g_strstrip(g_strndup(at, length));
        if (*copy) {
            g_ptr_array_add(lines, copy);
        } else {
            g_free(copy);
        }
        at += length + 1;
    }
    return g_steal_pointer(&lines);
}
