/* Hugging Face's metadata.jsonl (formats.md 3.3): a line for each image with `file_name`
 * and a list `labels` (or `tags`, or one text), and `scores` in the same order where there
 * are some. In a folder the file stands beside the images, or in one folder for each
 * split. */
#include "app/dataset/layouts/claim.h"
#include "app/dataset/layouts/files.h"

#include <string.h>

struct line {
    GString *name;
    GPtrArray *labels;
    GArray *scores; /* double */
};

static void read_labels(struct json_stream *json, struct line *line)
{
    char next = json_stream_peek(json);
    if (next == '"') {
        g_ptr_array_add(line->labels, g_strdup(json_stream_string(json)));
    } else if (next == '[') {
        json_stream_array(json);
        while (json_stream_item(json)) {
            const char *label = json_stream_string(json);
            if (label) {
                g_ptr_array_add(line->labels, g_strdup(label));
            }
        }
    } else {
        json_stream_skip(json); /* null: none */
    }
}

static void read_scores(struct json_stream *json, GArray *scores)
{
    if (json_stream_peek(json) != '[') {
        json_stream_skip(json);
        return;
    }
    json_stream_array(json);
    while (json_stream_item(json)) {
        double score = claim_read_score(json);
        g_array_append_val(scores, score);
    }
}

static void read_line(struct json_stream *json, struct line *line)
{
    g_string_truncate(line->name, 0);
    g_ptr_array_set_size(line->labels, 0);
    g_array_set_size(line->scores, 0);
    json_stream_object(json);
    for (const char *key; (key = json_stream_key(json));) {
        if (strcmp(key, "file_name") == 0) {
            const char *name = json_stream_string(json);
            g_string_assign(line->name, name ? name : "");
        } else if (strcmp(key, "labels") == 0 || strcmp(key, "tags") == 0) {
            read_labels(json, line);
        } else if (strcmp(key, "scores") == 0) {
            read_scores(json, line->scores);
        } else {
            json_stream_skip(json);
        }
    }
    if (line->name->len == 0) {
        json_stream_fail(json, "a line without \"file_name\"");
    } else if (line->scores->len > 0 && line->scores->len != line->labels->len) {
        json_stream_fail(json, "there are %u labels and %u scores", line->labels->len,
                         line->scores->len);
    }
}

/* split: the folder that the file lies in, below the one that is read; may be NULL. */
static gboolean read_file(struct dataset *d, const char *path, const char *split,
                          GError **error)
{
    struct json_stream *json = json_stream_open(path);
    struct line line = { g_string_new(NULL), g_ptr_array_new_with_free_func(g_free),
                         g_array_new(FALSE, FALSE, sizeof(double)) };
    while (json_stream_more(json)) {
        read_line(json, &line);
        if (line.name->len == 0) {
            break; /* the fault is told when it is closed */
        }
        g_autofree char *name = g_build_filename(split ? split : "", line.name->str, NULL);
        struct claim claim = claim_new();
        claim.image = dataset_add_image(d, name, split);
        for (guint i = 0; i < line.labels->len; i++) {
            claim.label = dataset_add_label(d, line.labels->pdata[i], DATASET_NO_GROUP);
            claim.score = i < line.scores->len ? g_array_index(line.scores, double, i) : -1;
            claim_add(d, &claim);
        }
    }
    g_string_free(line.name, TRUE);
    g_ptr_array_unref(line.labels);
    g_array_unref(line.scores);
    return json_stream_close(&json, error);
}

static gboolean matches(const struct dataset_file *file)
{
    return file->folder ? files_any(file->path, "metadata.jsonl", TRUE)
                        : file->json == JSON_LAYOUT_METADATA;
}

static gboolean read_huggingface(struct dataset *d, const char *path, GError **error)
{
    d->summary = g_strdup("lines of metadata.jsonl");
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_autofree char *folder = g_path_get_dirname(path);
        gboolean good = read_file(d, path, NULL, error);
        dataset_find_root(d, 0, folder, (const char *const[]){ NULL });
        return good;
    }
    g_autoptr(GPtrArray) files = files_list(path, "metadata.jsonl", TRUE, error);
    gboolean good = files != NULL;
    for (guint i = 0; good && i < files->len; i++) {
        g_autofree char *file = g_build_filename(path, files->pdata[i], NULL);
        g_autofree char *below = g_path_get_dirname(files->pdata[i]);
        good = read_file(d, file, strcmp(below, ".") == 0 ? NULL : below, error);
    }
    dataset_find_root(d, 0, path, (const char *const[]){ NULL });
    return good;
}

const struct dataset_reader dataset_huggingface = {
    "huggingface", "Hugging Face's metadata.jsonl, or a folder that holds some", matches,
    read_huggingface };
