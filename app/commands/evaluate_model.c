#include "app/commands/evaluate_model.h"

#include "app/commands/commands.h"
#include "app/engine/prompts.h"
#include "app/image/image.h"
#include "compute/weights/weights.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

struct scorer {
    const struct dataset *data;
    struct scores *scores;
    struct model *model;
    struct session *session;
    float *embeddings;          /* [labels, embedding]; NULL for a fixed head */
    struct img_preprocess preprocess;
    float *pixels;              /* [max_batch, 3, S, S] */
    guint *images;              /* of the batch: indices into the scores */
    guint waiting, done, broken;
};

/* --- The model ------------------------------------------------------------------------ */

static gboolean fail(const struct nn_error *error)
{
    command_fail(COMMAND_FAILED, "%s", error->text);
    return FALSE;
}

static gboolean open_model(struct scorer *s, const char *name, const char *device)
{
    struct nn_error error = { 0 };
    g_autofree char *path = command_find_model(name);
    g_autofree char *cache = command_cache_dir();
    struct session_params params = {
        .device = { .select = device, .cache_dir = cache, .family = -1 } };
    if (model_open(&s->model, (const char *const[]){ path }, 1, NULL, &error) != NN_OK) {
        return fail(&error);
    }
    const struct model_info *info = model_info(s->model);
    const struct model_preprocess *m = &info->preprocess;
    if (info->kind == MODEL_PARTS) {
        command_fail(COMMAND_FAILED, "%s: this holds parts of a model only", path);
        return FALSE;
    }
    s->preprocess = (struct img_preprocess){
        .size = (int)m->size, .resize_size = (int)m->resize_size,
        .fit = m->fit == MODEL_FIT_CROP ? IMG_FIT_CROP : IMG_FIT_SQUASH,
        .filter = m->filter == MODEL_BICUBIC ? IMG_BICUBIC : IMG_BILINEAR };
    memcpy(s->preprocess.mean, m->mean, sizeof s->preprocess.mean);
    memcpy(s->preprocess.std, m->std, sizeof s->preprocess.std);
    return session_create(&s->session, s->model, &params, &error) == NN_OK
           || fail(&error);
}

static void add_fixed_labels(struct scorer *s)
{
    size_t n = 0;
    const struct weights_label *fixed = model_labels(s->model, &n);
    for (size_t i = 0; i < n; i++) {
        scores_add_label(s->scores, fixed[i].name);
    }
}

static gboolean add_labels(struct scorer *s, const GArray *labels)
{
    const struct model_info *info = model_info(s->model);
    struct nn_error error = { 0 };
    enum nn_status status;
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    if (!info->open_vocabulary) {
        add_fixed_labels(s);
        return TRUE;
    }
    for (guint i = 0; i < labels->len; i++) {
        const char *label = dataset_label(s->data, g_array_index(labels, guint, i));
        scores_add_label(s->scores, label);
        g_ptr_array_add(prompts, prompts_fill(info->prompt, label));
    }
    s->embeddings = g_new(float, (gsize)labels->len * info->embedding);
    return prompts_encode(s->session, s->model, (const char *const *)prompts->pdata,
                          prompts->len, s->embeddings, NULL, &status, &error)
           || fail(&error);
}

/* --- The images ----------------------------------------------------------------------- */

static gsize image_values(const struct scorer *s)
{
    return 3 * (gsize)s->preprocess.size * (gsize)s->preprocess.size;
}

/* Whether the image stands at the end of the batch. */
static gboolean decode(struct scorer *s, guint image)
{
    struct img_pixels pixels = { 0 };
    g_autoptr(GError) error = NULL;
    g_autofree char *path = dataset_image_path(s->data, image);
    gboolean good = img_decode(path, TRUE, NULL, &pixels, &error)
                    && img_to_tensor(&pixels, &s->preprocess,
                                     s->pixels + s->waiting * image_values(s), &error);
    img_clear(&pixels);
    if (!good) {
        command_fail(COMMAND_FAILED, "%s", error->message);
        s->broken++;
        return FALSE;
    }
    s->images[s->waiting++] = scores_add_image(s->scores,
                                               dataset_image_name(s->data, image));
    return TRUE;
}

static gboolean keep(struct scorer *s, const float *confidence, guint n)
{
    for (guint i = 0; i < s->waiting; i++) {
        for (guint k = 0; k < n; k++) {
            float value = confidence[(gsize)i * n + k];
            if (!isfinite(value)) {
                command_fail(COMMAND_FAILED, "%s: the model's confidence is not a number",
                             (char *)s->scores->images->pdata[s->images[i]]);
                return FALSE;
            }
            scores_set(s->scores, s->images[i], k, value);
        }
    }
    return TRUE;
}

static gboolean score_batch(struct scorer *s)
{
    struct nn_error error = { 0 };
    guint n = s->scores->labels->len;
    gsize tokens_each = (gsize)session_token_count(s->session)
                        * model_info(s->model)->token_width;
    g_autofree float *tokens = g_new(float, s->waiting * tokens_each);
    g_autofree float *confidence = g_new(float, (gsize)s->waiting * n);
    if (session_encode_image(s->session, s->pixels, s->waiting, tokens, NULL, &error)
            != NN_OK
        || session_score(s->session, tokens, s->waiting, s->embeddings, n, confidence, NULL,
                         &error) != NN_OK) {
        return fail(&error);
    }
    gboolean good = keep(s, confidence, n);
    s->done += s->waiting;
    s->waiting = 0;
    return good;
}

static void show_progress(const struct scorer *s, guint total)
{
    if (isatty(STDERR_FILENO)) {
        g_printerr("\r%u of %u images", s->done + s->broken, total);
    }
}

static gboolean score_all(struct scorer *s, const char *split)
{
    guint batch = session_max_batch(s->session), total = 0;
    gboolean good = TRUE;
    g_autoptr(GArray) images = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < dataset_n_images(s->data); i++) {
        if (!split || g_strcmp0(dataset_image_split(s->data, i), split) == 0) {
            g_array_append_val(images, i);
        }
    }
    total = images->len;
    s->pixels = g_new(float, batch * image_values(s));
    s->images = g_new(guint, batch);
    for (guint i = 0; good && i < total; i++) {
        decode(s, g_array_index(images, guint, i));
        if (s->waiting == batch || (s->waiting > 0 && i + 1 == total)) {
            good = score_batch(s);
            show_progress(s, total);
        }
    }
    if (total > 0 && isatty(STDERR_FILENO)) {
        g_printerr("\n");
    }
    return good;
}

struct scores *evaluate_model(const char *model, const char *device,
                              const struct dataset *data, const GArray *labels,
                              const char *split, guint *broken)
{
    struct scorer s = { .data = data, .scores = scores_new() };
    s.scores->wide = TRUE;
    gboolean good = open_model(&s, model, device) && add_labels(&s, labels)
                    && score_all(&s, split);
    if (!good) {
        scores_free(&s.scores);
    }
    *broken = s.broken;
    session_destroy(&s.session);
    model_destroy(&s.model);
    g_free(s.embeddings);
    g_free(s.pixels);
    g_free(s.images);
    return s.scores;
}
