/* The effect of 16-bit storage on a model's confidences over photographs. */
#include "app/bench/bench_private.h"
#include "app/engine/prompt_text.h"
#include "app/library/library.h"
#include "app/tagger/tagger.h"

#include <string.h>

static const char *const labels[] = { "person", "dog", "cat", "car", "bus", "bicycle",
                                      "boat", "tree", "building", "food", "sky", "water" };

/* F32 [images,3,S,S] of the files that can be read. */
static float *load_images(const GPtrArray *paths, const struct img_preprocess *p,
                          guint *count)
{
    gsize values = 3 * (gsize)p->size * (gsize)p->size;
    float *pixels = g_new(float, MAX(values * paths->len, 1));
    *count = 0;
    for (guint i = 0; i < paths->len; i++) {
        *count += img_load_tensor(paths->pdata[i], p, NULL, pixels + *count * values, NULL);
    }
    return pixels;
}

static gboolean compare(const struct model *model, const GPtrArray *paths,
                        const struct bench_options *options, guint *n_images,
                        struct precision_effect *out, struct nn_error *error)
{
    const struct model_info *info = model_info(model);
    struct session_params params = { .device = { .select = options->device, .family = -1,
                                                 .cache_dir = options->cache_dir } };
    struct img_preprocess p = tagger_preprocess(info);
    enum nn_status status;
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        g_ptr_array_add(prompts, prompts_fill(info->prompt, labels[i]));
    }
    g_autofree float *pixels = load_images(paths, &p, n_images);
    if (*n_images == 0) {
        nn_fail(error, NN_ERROR_INVALID, "no image there can be read");
        return FALSE;
    }
    return precision_compare(model, &params, pixels, *n_images,
                             (const char *const *)prompts->pdata, prompts->len, out,
                             &status, error);
}

gboolean bench_precision(const char *model_path, const char *images,
                         const struct bench_options *options, guint *n_images,
                         struct precision_effect *out, struct nn_error *error)
{
    struct model *model = NULL;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) failure = NULL;
    if (!library_scan(images, TRUE, NULL, paths, &failure)) {
        nn_fail(error, NN_ERROR_INVALID, "%s", failure->message);
        return FALSE;
    }
    gboolean good = model_open(&model, &model_path, 1, NULL, error) == NN_OK;
    if (good && model_info(model)->kind == MODEL_PARTS) {
        nn_fail(error, NN_ERROR_UNSUPPORTED, "%s: this holds parts of a model only",
                model_path);
        good = FALSE;
    }
    good = good && compare(model, paths, options, n_images, out, error);
    model_destroy(&model);
    return good;
}
