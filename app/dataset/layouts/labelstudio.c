/* Label Studio's export as JSON (formats.md 3.3): a list of tasks. What a person chose are
 * the choices of `annotations` (those that were cancelled are left out) with the
 * annotator's name and time; those of `predictions` are a model's with its version and the
 * task's one score, or a person's where the version says "human". */
#include "app/dataset/layouts/files.h"
#include "app/dataset/json_stream.h"
#include "app/library/library.h"

#include <string.h>

/* An annotation or a prediction; it belongs to the image that its task names, which may
 * come after it. */
struct opinion {
    GPtrArray *choices;
    gboolean by_model, cancelled;
    double score;
    char *model, *author, *time;
};

struct task {
    GString *image;
    gint64 id;
    GPtrArray *opinions;
};

static void opinion_free(gpointer data)
{
    struct opinion *o = data;
    g_ptr_array_unref(o->choices);
    g_free(o->model);
    g_free(o->author);
    g_free(o->time);
    g_free(o);
}

/* --- What a task says ----------------------------------------------------------------- */

static void read_texts(struct json_stream *json, GPtrArray *out)
{
    if (json_stream_peek(json) != '[') {
        json_stream_skip(json);
        return;
    }
    json_stream_array(json);
    while (json_stream_item(json)) {
        const char *text = json_stream_string(json);
        if (text) {
            g_ptr_array_add(out, g_strdup(text));
        }
    }
}

static void read_value(struct json_stream *json, GPtrArray *out)
{
    json_stream_object(json);
    for (const char *key; (key = json_stream_key(json));) {
        if (strcmp(key, "choices") == 0) {
            read_texts(json, out);
        } else {
            json_stream_skip(json);
        }
    }
}

static void read_results(struct json_stream *json, GPtrArray *out)
{
    json_stream_array(json);
    while (json_stream_item(json)) {
        json_stream_object(json);
        for (const char *key; (key = json_stream_key(json));) {
            if (strcmp(key, "value") == 0 && json_stream_peek(json) == '{') {
                read_value(json, out);
            } else {
                json_stream_skip(json);
            }
        }
    }
}

/* A number, or an object with the person's address. */
static char *read_annotator(struct json_stream *json)
{
    char *name = NULL;
    gint64 id;
    if (json_stream_peek(json) != '{') {
        gboolean number = g_ascii_isdigit(json_stream_peek(json));
        if (!number) {
            json_stream_skip(json);
            return NULL;
        }
        return json_stream_integer(json, &id)
                   ? g_strdup_printf("%" G_GINT64_FORMAT, id) : NULL;
    }
    json_stream_object(json);
    for (const char *key; (key = json_stream_key(json));) {
        if (strcmp(key, "email") == 0 && json_stream_peek(json) == '"') {
            g_free(name);
            name = g_strdup(json_stream_string(json));
        } else {
            json_stream_skip(json);
        }
    }
    return name;
}

static void set_text(struct json_stream *json, char **to)
{
    if (json_stream_peek(json) != '"') {
        json_stream_skip(json);
        return;
    }
    g_free(*to);
    *to = g_strdup(json_stream_string(json));
}

/* updated: the later of the two times, when both are there. */
static void read_time(struct json_stream *json, struct opinion *o, gboolean updated)
{
    g_autofree char *text = NULL;
    set_text(json, &text);
    char *time = text ? store_time(text) : NULL;
    if (text && !time) {
        json_stream_fail(json, "this is no date with a time: \"%.100s\"", text);
    } else if (time && (updated || !o->time)) {
        g_free(o->time);
        o->time = g_steal_pointer(&time);
    }
    g_free(time);
}

static void read_field(struct json_stream *json, const char *key, struct opinion *o)
{
    if (strcmp(key, "result") == 0) {
        read_results(json, o->choices);
    } else if (strcmp(key, "score") == 0 && json_stream_peek(json) != 'n') {
        json_stream_number(json, &o->score);
    } else if (strcmp(key, "model_version") == 0) {
        set_text(json, &o->model);
    } else if (strcmp(key, "completed_by") == 0) {
        g_free(o->author);
        o->author = read_annotator(json);
    } else if (strcmp(key, "updated_at") == 0 || strcmp(key, "created_at") == 0) {
        read_time(json, o, key[0] == 'u');
    } else if (strcmp(key, "was_cancelled") == 0 && json_stream_peek(json) != 'n') {
        json_stream_boolean(json, &o->cancelled);
    } else {
        json_stream_skip(json);
    }
}

/* Predictions may be the numbers of some, which say nothing. */
static void read_opinions(struct json_stream *json, struct task *task, gboolean by_model)
{
    json_stream_array(json);
    while (json_stream_item(json)) {
        if (json_stream_peek(json) != '{') {
            json_stream_skip(json);
            continue;
        }
        struct opinion *o = g_new0(struct opinion, 1);
        o->choices = g_ptr_array_new_with_free_func(g_free);
        o->score = -1;
        g_ptr_array_add(task->opinions, o);
        json_stream_object(json);
        for (const char *key; (key = json_stream_key(json));) {
            read_field(json, key, o);
        }
        o->by_model = by_model && g_strcmp0(o->model, "human") != 0;
    }
}

/* --- Its image ------------------------------------------------------------------------ */

/* The name in an address as Label Studio serves files: what stands behind ?d= of its
 * local storage, and without the mark that an upload puts before it. */
static char *name_of(const char *address)
{
    const char *local = strstr(address, "/local-files/?d=");
    g_autofree char *path = local ? g_uri_unescape_string(local + 16, NULL) : NULL;
    const char *upload = strstr(address, "data/upload/");
    if (path) {
        return g_steal_pointer(&path);
    }
    if (upload && (upload == address || upload[-1] == '/')) {
        const char *name = strrchr(upload, '/') + 1;
        gboolean marked = strspn(name, "0123456789abcdef") == 8 && name[8] == '-';
        return g_strdup(marked ? name + 9 : name);
    }
    gboolean remote = strstr(address, "://") != NULL;
    return g_strndup(address, remote ? strcspn(address, "?") : strlen(address));
}

/* The key `image`, else the first text that is the name of an image. */
static void read_data(struct json_stream *json, struct task *task)
{
    gboolean sure = FALSE;
    json_stream_object(json);
    for (const char *key; (key = json_stream_key(json));) {
        gboolean named = strcmp(key, "image") == 0;
        if (sure || json_stream_peek(json) != '"') {
            json_stream_skip(json);
            continue;
        }
        const char *text = json_stream_string(json);
        g_autofree char *name = text ? name_of(text) : NULL;
        if (name && *name && (named || (task->image->len == 0
                                        && library_is_image_name(name)))) {
            g_string_assign(task->image, name);
            sure = named;
        }
    }
}

/* --- The list ------------------------------------------------------------------------- */

static void add_opinion(struct dataset *d, guint image, const struct opinion *o)
{
    StoreEvent event = DATASET_EVENT(TRUTH_POSITIVE);
    event.source.by_model = o->by_model;
    event.source.confidence = o->score >= 0 && o->score <= 1 ? o->score : -1;
    event.source.model = o->by_model ? o->model : NULL;
    event.source.author = o->author;
    event.source.time = o->time;
    for (guint i = 0; !o->cancelled && i < o->choices->len; i++) {
        dataset_add_event(d, image,
                          dataset_add_label(d, o->choices->pdata[i], DATASET_NO_GROUP),
                          &event);
    }
}

static void read_task(struct dataset *d, struct json_stream *json, struct task *task)
{
    g_string_truncate(task->image, 0);
    g_ptr_array_set_size(task->opinions, 0);
    task->id = 0;
    json_stream_object(json);
    for (const char *key; (key = json_stream_key(json));) {
        char next = json_stream_peek(json);
        if (strcmp(key, "data") == 0) {
            read_data(json, task);
        } else if (strcmp(key, "id") == 0 && g_ascii_isdigit(next)) {
            json_stream_integer(json, &task->id);
        } else if (next == '[' && (strcmp(key, "annotations") == 0
                                   || strcmp(key, "predictions") == 0)) {
            read_opinions(json, task, key[0] == 'p');
        } else {
            json_stream_skip(json);
        }
    }
    if (task->image->len == 0) {
        json_stream_fail(json, "a task whose \"data\" names no image");
        return;
    }
    guint image = dataset_add_image(d, task->image->str, NULL);
    dataset_set_number(d, image, task->id);
    for (guint i = 0; i < task->opinions->len; i++) {
        add_opinion(d, image, task->opinions->pdata[i]);
    }
}

static gboolean matches(const struct dataset_file *file)
{
    return file->json == JSON_LAYOUT_LABEL_STUDIO;
}

static gboolean read_tasks(struct dataset *d, const char *path, GError **error)
{
    struct json_stream *json = json_stream_open(path);
    struct task task = { .image = g_string_new(NULL),
                         .opinions = g_ptr_array_new_with_free_func(opinion_free) };
    gboolean single = json_stream_peek(json) == '{';
    if (single) {
        read_task(d, json, &task);
    } else {
        json_stream_array(json);
        while (json_stream_item(json)) {
            read_task(d, json, &task);
        }
    }
    g_string_free(task.image, TRUE);
    g_ptr_array_unref(task.opinions);
    d->summary = g_strdup("tasks of Label Studio");
    files_find_root(d, 0, path, NULL);
    return json_stream_close(&json, error);
}

const struct dataset_reader dataset_labelstudio = {
    "label-studio", "Label Studio's export as JSON: choices and predictions", matches,
    read_tasks };
