/* `taglight tag`: confidences of labels for images, without a window. */
#include "app/commands/commands.h"
#include "app/engine/prompts.h"
#include "app/image/image.h"
#include "app/library/library.h"
#include "compute/nets/model.h"
#include "compute/weights/weights.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

struct tag_options {
    char *model, *labels, *labels_file, *format, *out, *device, *precision_name;
    enum gpu_precision precision;
    double threshold;
    int top;
    gboolean recursive;
};

struct tagger {
    struct tag_options options;
    struct model *model;
    struct session *session;
    GPtrArray *labels;
    float *embeddings; /* NULL for a fixed head */
    FILE *out;
    guint done, broken;
};

/* One image on its way from the decoder to the device. */
struct decoded { char *path; float *tensor; GError *error; };

static void decoded_free(struct decoded *d)
{
    g_free(d->path);
    g_free(d->tensor);
    g_clear_error(&d->error);
    g_free(d);
}

/* --- Labels ------------------------------------------------------------------------------- */

static void add_label(GPtrArray *labels, const char *text)
{
    g_autofree char *label = g_strstrip(g_strdup(text));
    if (*label && !g_ptr_array_find_with_equal_func(labels, label, g_str_equal, NULL)) {
        g_ptr_array_add(labels, g_steal_pointer(&label));
    }
}

static gboolean read_labels(struct tagger *t)
{
    g_auto(GStrv) parts = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    size_t n = 0;
    const struct weights_label *fixed = model_labels(t->model, &n);
    if (t->options.labels_file) {
        if (!g_file_get_contents(t->options.labels_file, &text, NULL, &error)) {
            command_fail(COMMAND_FAILED, "%s", error->message);
            return FALSE;
        }
        if (!g_utf8_validate(text, -1, NULL)) {
            command_fail(COMMAND_FAILED, "%s: this is not UTF-8 text",
                         t->options.labels_file);
            return FALSE;
        }
        parts = g_strsplit(text, "\n", -1);
    } else if (t->options.labels) {
        parts = g_strsplit(t->options.labels, ",", -1);
    }
    for (char **p = parts; p && *p; p++) {
        add_label(t->labels, *p);
    }
    if (!model_info(t->model)->open_vocabulary) {
        if (t->labels->len > 0) {
            command_fail(COMMAND_DONE, "%s answers for its own %zu labels only; the given "
                         "ones are not used", model_info(t->model)->name, n);
            g_ptr_array_set_size(t->labels, 0);
        }
        for (size_t i = 0; i < n; i++) {
            g_ptr_array_add(t->labels, g_strdup(fixed[i].name));
        }
    }
    if (t->labels->len == 0) {
        command_fail(COMMAND_MISUSED, "no label was given; use --labels \"a, b\" or "
                     "--labels-file");
        return FALSE;
    }
    return TRUE;
}

static gboolean encode_labels(struct tagger *t)
{
    const struct model_info *info = model_info(t->model);
    if (!info->open_vocabulary) {
        return TRUE;
    }
    struct nn_error error = { 0 };
    enum nn_status status;
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < t->labels->len; i++) {
        g_ptr_array_add(prompts, prompts_fill(info->prompt, t->labels->pdata[i]));
    }
    t->embeddings = g_new(float, (gsize)t->labels->len * info->embedding);
    if (!prompts_encode(t->session, t->model, (const char *const *)prompts->pdata,
                        prompts->len, t->embeddings, NULL, &status, &error)) {
        command_fail(COMMAND_FAILED, "%s", error.text);
        return FALSE;
    }
    return TRUE;
}

/* --- Output ------------------------------------------------------------------------------- */

static int by_confidence(gconstpointer a, gconstpointer b, gpointer data)
{
    const float *confidence = data;
    float left = confidence[*(const guint *)a], right = confidence[*(const guint *)b];
    return left > right ? -1 : left < right;
}

static void put_csv(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') {
            fputc('"', out);
        }
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_jsonl(struct tagger *t, const char *path, const guint *order, guint n,
                      const float *confidence, const char *failure)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "path");
    json_builder_add_string_value(b, path);
    if (failure) {
        json_builder_set_member_name(b, "error");
        json_builder_add_string_value(b, failure);
    } else {
        json_builder_set_member_name(b, "labels");
        json_builder_begin_object(b);
        for (guint i = 0; i < n; i++) {
            json_builder_set_member_name(b, t->labels->pdata[order[i]]);
            json_builder_add_double_value(b, confidence[order[i]]);
        }
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *text = json_to_string(root, FALSE);
    fprintf(t->out, "%s\n", text);
}

static void put_image(struct tagger *t, const char *path, const float *confidence)
{
    g_autofree guint *order = g_new(guint, t->labels->len);
    g_autofree char *name = g_filename_display_name(path);
    guint n = 0;
    for (guint i = 0; i < t->labels->len; i++) {
        if (confidence[i] >= t->options.threshold) {
            order[n++] = i;
        }
    }
    g_qsort_with_data(order, (int)n, sizeof *order, by_confidence, (gpointer)confidence);
    n = t->options.top > 0 ? MIN(n, (guint)t->options.top) : n;
    if (g_str_equal(t->options.format, "jsonl")) {
        put_jsonl(t, name, order, n, confidence, NULL);
    } else if (g_str_equal(t->options.format, "csv")) {
        for (guint i = 0; i < n; i++) {
            put_csv(t->out, name);
            fputc(',', t->out);
            put_csv(t->out, t->labels->pdata[order[i]]);
            fprintf(t->out, ",%.6f\n", confidence[order[i]]);
        }
    } else {
        fprintf(t->out, "%s\n", name);
        for (guint i = 0; i < n; i++) {
            fprintf(t->out, "  %5.1f %%  %s\n", 100 * confidence[order[i]],
                    (char *)t->labels->pdata[order[i]]);
        }
    }
    fflush(t->out);
}

/* --- The pipeline ------------------------------------------------------------------------- */

struct pipeline {
    GPtrArray *paths;
    struct img_preprocess preprocess;
    GAsyncQueue *ready;   /* of struct decoded, in order */
    GMutex lock;
    GCond room;
    guint waiting;        /* decoded and not yet taken; bounded */
};

#define MAX_WAITING 8

/* Decodes in order on one thread while the device works; one core is left to it. */
static gpointer decode_all(gpointer data)
{
    struct pipeline *p = data;
    gsize count = 3 * (gsize)p->preprocess.size * (gsize)p->preprocess.size;
    for (guint i = 0; i < p->paths->len; i++) {
        g_mutex_lock(&p->lock);
        while (p->waiting >= MAX_WAITING) {
            g_cond_wait(&p->room, &p->lock);
        }
        p->waiting++;
        g_mutex_unlock(&p->lock);
        struct decoded *d = g_new0(struct decoded, 1);
        struct img_pixels pixels = { 0 };
        d->path = g_strdup(p->paths->pdata[i]);
        d->tensor = g_new(float, count);
        if (img_decode(d->path, TRUE, NULL, &pixels, &d->error)) {
            img_to_tensor(&pixels, &p->preprocess, d->tensor, &d->error);
        }
        img_clear(&pixels);
        g_async_queue_push(p->ready, d);
    }
    return NULL;
}

static struct decoded *take(struct pipeline *p)
{
    struct decoded *d = g_async_queue_pop(p->ready);
    g_mutex_lock(&p->lock);
    p->waiting--;
    g_cond_signal(&p->room);
    g_mutex_unlock(&p->lock);
    return d;
}

static gboolean score(struct tagger *t, struct decoded *d)
{
    const struct model_info *info = model_info(t->model);
    struct nn_error error = { 0 };
    g_autofree float *tokens =
        g_new(float, (gsize)session_token_count(t->session) * info->token_width);
    g_autofree float *confidence = g_new(float, t->labels->len);
    if (session_encode_image(t->session, d->tensor, 1, tokens, NULL, &error) != NN_OK
        || session_score(t->session, tokens, 1, t->embeddings, t->labels->len, confidence,
                         NULL, &error) != NN_OK) {
        command_fail(COMMAND_FAILED, "%s", error.text);
        return FALSE;
    }
    put_image(t, d->path, confidence);
    t->done++;
    return TRUE;
}

static void report_broken(struct tagger *t, const struct decoded *d)
{
    g_autofree char *name = g_filename_display_name(d->path);
    command_fail(COMMAND_DONE, "%s", d->error->message);
    t->broken++;
    if (g_str_equal(t->options.format, "jsonl")) {
        put_jsonl(t, name, NULL, 0, NULL, d->error->message);
    }
}

static struct img_preprocess preprocess_of(const struct model_info *info)
{
    const struct model_preprocess *m = &info->preprocess;
    struct img_preprocess p = { .size = (int)m->size, .resize_size = (int)m->resize_size,
                                .fit = m->fit == MODEL_FIT_CROP ? IMG_FIT_CROP
                                                                : IMG_FIT_SQUASH,
                                .filter = m->filter == MODEL_BICUBIC ? IMG_BICUBIC
                                                                     : IMG_BILINEAR };
    memcpy(p.mean, m->mean, sizeof p.mean);
    memcpy(p.std, m->std, sizeof p.std);
    return p;
}

static gboolean tag_all(struct tagger *t, GPtrArray *paths)
{
    struct pipeline p = { .paths = paths,
                          .preprocess = preprocess_of(model_info(t->model)),
                          .ready = g_async_queue_new() };
    g_mutex_init(&p.lock);
    g_cond_init(&p.room);
    GThread *thread = g_thread_new("decode", decode_all, &p);
    gboolean good = TRUE;
    for (guint i = 0; i < paths->len; i++) {
        struct decoded *d = take(&p);
        if (d->error) {
            report_broken(t, d);
        } else if (good) { /* after a failure of the device the queue is only emptied */
            good = score(t, d);
        }
        decoded_free(d);
    }
    g_thread_join(thread);
    g_async_queue_unref(p.ready);
    g_mutex_clear(&p.lock);
    g_cond_clear(&p.room);
    return good;
}

/* --- The command ---------------------------------------------------------------------------- */

static gboolean open_all(struct tagger *t)
{
    struct nn_error error = { 0 };
    g_autofree char *path = command_find_model(t->options.model);
    g_autofree char *cache = command_cache_dir();
    struct session_params params = {
        .device = { .select = t->options.device, .cache_dir = cache, .family = -1,
                    .choice = { .precision = t->options.precision } } };
    if (model_open(&t->model, (const char *const[]){ path }, 1, NULL, &error) != NN_OK) {
        command_fail(COMMAND_FAILED, "%s", error.text);
        return FALSE;
    }
    if (model_info(t->model)->kind == MODEL_PARTS) {
        command_fail(COMMAND_FAILED, "%s: this holds parts of a model only; make a whole "
                     "one with `taglight model import`", path);
        return FALSE;
    }
    if (session_create(&t->session, t->model, &params, &error) != NN_OK) {
        command_fail(COMMAND_FAILED, "%s", error.text);
        return FALSE;
    }
    return TRUE;
}

static GPtrArray *list_images(char **paths, int n, gboolean recursive)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < n; i++) {
        g_autoptr(GError) error = NULL;
        if (!library_scan(paths[i], recursive, NULL, all, &error)) {
            command_fail(COMMAND_FAILED, "%s", error->message);
            return NULL;
        }
    }
    return g_steal_pointer(&all);
}

static int run(struct tagger *t, char **paths, int n)
{
    const struct tag_options *o = &t->options;
    g_autoptr(GPtrArray) images = list_images(paths, n, o->recursive);
    if (!images || !open_all(t) || !read_labels(t) || !encode_labels(t)) {
        return COMMAND_FAILED;
    }
    g_autofree char *part = o->out ? g_strconcat(o->out, ".part", NULL) : NULL;
    t->out = part ? fopen(part, "wb") : stdout;
    if (!t->out) {
        return command_fail(COMMAND_FAILED, "%s: %s", part, g_strerror(errno));
    }
    if (g_str_equal(o->format, "csv")) {
        fputs("path,label,confidence\n", t->out);
    }
    gboolean good = tag_all(t, images);
    if (part) {
        good = fclose(t->out) == 0 && good && rename(part, o->out) == 0;
    }
    g_printerr("%u images tagged, %u broken, on %s\n", t->done, t->broken,
               gpu_device_caps(session_device(t->session))->name);
    return good ? COMMAND_DONE : COMMAND_FAILED;
}

int command_tag(int argc, char **argv)
{
    struct tagger t = { 0 };
    struct tag_options *o = &t.options;
    const GOptionEntry entries[] = {
        { "model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model, "Model to use", "MODEL" },
        { "labels", 'l', 0, G_OPTION_ARG_STRING, &o->labels, "Labels, with commas between",
          "A, B" },
        { "labels-file", 0, 0, G_OPTION_ARG_FILENAME, &o->labels_file,
          "File with a label a line", "FILE" },
        { "threshold", 't', 0, G_OPTION_ARG_DOUBLE, &o->threshold,
          "Leave out lower confidences (0)", "X" },
        { "top", 'k', 0, G_OPTION_ARG_INT, &o->top, "At most so many labels an image",
          "K" },
        { "recursive", 'r', 0, G_OPTION_ARG_NONE, &o->recursive, "Descend into folders",
          NULL },
        { "format", 'f', 0, G_OPTION_ARG_STRING, &o->format, "table, csv or jsonl",
          "FORMAT" },
        { "out", 'o', 0, G_OPTION_ARG_FILENAME, &o->out, "Write to a file", "FILE" },
        { "device", 'd', 0, G_OPTION_ARG_STRING, &o->device, "Device by number or name",
          "N|NAME" },
        { "precision", 0, 0, G_OPTION_ARG_STRING, &o->precision_name,
          "How values are stored; see `taglight devices` for the default", "f32|f16" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "PATH… - tag images",
                       "PATH is an image or a folder of images.")) {
        return COMMAND_MISUSED;
    }
    if (!o->format) {
        o->format = g_strdup("table");
    }
    o->device = o->device ? o->device : command_setting("device");
    o->model = o->model ? o->model : command_setting("model");
    int status;
    const char *const formats[] = { "table", "csv", "jsonl", NULL };
    if (argc < 2 || !o->model || !g_strv_contains(formats, o->format)) {
        status = command_fail(COMMAND_MISUSED,
                              "tag needs a path, --model, and a format of table, csv or "
                              "jsonl");
    } else if (!command_read_precision(o->precision_name, &o->precision)) {
        status = COMMAND_MISUSED;
    } else {
        t.labels = g_ptr_array_new_with_free_func(g_free);
        status = run(&t, argv + 1, argc - 1);
        g_ptr_array_unref(t.labels);
    }
    session_destroy(&t.session);
    model_destroy(&t.model);
    g_free(t.embeddings);
    g_free(o->model);
    g_free(o->labels);
    g_free(o->labels_file);
    g_free(o->format);
    g_free(o->out);
    g_free(o->device);
    g_free(o->precision_name);
    return status;
}
