/* labelme and X-AnyLabeling (formats.md 3.3): a file for each image beside it, whose
 * `flags` say true or false of each label. The programs write false for every flag that
 * nobody set. Shapes are passed over. */
#include "app/dataset/layouts/files.h"
#include "app/dataset/json_stream.h"

#include <string.h>

struct flag { guint label; gboolean set; };

static void read_flags(struct dataset *d, struct json_stream *json, GArray *flags)
{
    json_stream_object(json);
    for (const char *key; (key = json_stream_key(json));) {
        struct flag flag = { dataset_add_label(d, key, DATASET_NO_GROUP), FALSE };
        if (json_stream_boolean(json, &flag.set)) {
            g_array_append_val(flags, flag);
        }
    }
}

/* An image's path from where its file lies, below `top`. Written on Windows it has `\`
 * between its parts, which may be part of a name elsewhere. */
static char *place(const char *top, const char *below, const char *image_path)
{
    g_autofree char *folder = g_path_get_dirname(below);
    g_autofree char *as_is = g_build_filename(top, folder, image_path, NULL);
    g_autofree char *text = g_strdup(image_path);
    if (!g_path_is_absolute(text) && !g_file_test(as_is, G_FILE_TEST_EXISTS)) {
        g_strdelimit(text, "\\", '/');
    }
    gboolean plain = strcmp(folder, ".") == 0 || g_path_is_absolute(text);
    if (plain && !g_str_has_prefix(text, "./")) {
        return g_steal_pointer(&text);
    }
    /* Of "day/../x.jpg" and "./x.jpg" there is a shorter form. */
    g_autofree char *whole = g_build_filename("/", folder, text, NULL);
    g_autofree char *canonical = g_canonicalize_filename(whole, "/");
    gboolean outside = strstr(text, "..") != NULL;
    return outside ? g_build_filename(folder, text, NULL) : g_strdup(canonical + 1);
}

/* below: the file's path below `folder`. */
static gboolean read_file(struct dataset *d, const char *folder, const char *below,
                          GError **error)
{
    g_autofree char *path = g_build_filename(folder, below, NULL);
    g_autofree char *name = files_owner(below);
    g_autoptr(GArray) flags = g_array_new(FALSE, FALSE, sizeof(struct flag));
    struct json_stream *json = json_stream_open(path);
    json_stream_object(json);
    for (const char *key; (key = json_stream_key(json));) {
        char next = json_stream_peek(json);
        if (strcmp(key, "flags") == 0 && next == '{') {
            read_flags(d, json, flags);
        } else if (strcmp(key, "imagePath") == 0 && next == '"') {
            const char *text = json_stream_string(json);
            if (text && *text) {
                g_free(name);
                name = place(folder, below, text);
            }
        } else {
            json_stream_skip(json);
        }
    }
    if (!json_stream_close(&json, error)) {
        return FALSE;
    }
    guint image = dataset_add_image(d, name, NULL);
    for (guint i = 0; i < flags->len; i++) {
        const struct flag *flag = &g_array_index(flags, struct flag, i);
        dataset_add_filled(d, image, flag->label,
                           flag->set ? TRUTH_POSITIVE : TRUTH_NEGATIVE);
    }
    return TRUE;
}

/* Of the files in a folder those count that are of labelme. */
static gboolean is_labelme(const char *folder, const char *below)
{
    g_autofree char *path = g_build_filename(folder, below, NULL);
    return json_layout_find(path, "{") == JSON_LAYOUT_LABELME;
}

static gboolean matches(const struct dataset_file *file)
{
    if (!file->folder) {
        return file->json == JSON_LAYOUT_LABELME;
    }
    g_autoptr(GPtrArray) files = files_list(file->path, ".json", TRUE, NULL);
    return files && files->len > 0 && is_labelme(file->path, files->pdata[0]);
}

static gboolean read_labelme(struct dataset *d, const char *path, GError **error)
{
    gboolean folder = g_file_test(path, G_FILE_TEST_IS_DIR);
    g_autofree char *top = NULL;
    g_autoptr(GPtrArray) files = files_list_or_one(path, ".json", &top, error);
    gboolean good = files != NULL;
    d->summary = g_strdup("flags of labelme");
    for (guint i = 0; good && i < files->len; i++) {
        good = (folder && !is_labelme(path, files->pdata[i]))
               || read_file(d, top, files->pdata[i], error);
    }
    dataset_find_root(d, 0, top, (const char *const[]){ NULL });
    return good;
}

const struct dataset_reader dataset_labelme = {
    "labelme", "labelme's flags: a file, or the folder of some", matches, read_labelme };
