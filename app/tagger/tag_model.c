#include "app/tagger/tag_model.h"

#include "app/engine/prompts.h"
#include "app/store/store.h"
#include "app/words/prompt_batch.h"
#include "compute/text/tokenizer.h"
#include "compute/weights/weights.h"

#include <string.h>

static gboolean fail(const char *text, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, text);
    return FALSE;
}

static void open_cache(struct tag_model *m)
{
    const struct model_info *info = model_info(m->model);
    const struct session_keys *keys = session_keys(m->session);
    struct token_cache_key key = { keys->image, keys->text,
                                   (gsize)session_token_count(m->session)
                                       * info->token_width, info->embedding };
    m->cache = token_cache_open(NULL, &key);
}

gboolean tag_model_open(struct tag_model *m, const struct tag_model_params *params,
                        GError **error)
{
    struct nn_error failure = { 0 };
    struct session_params session = {
        .device = { .select = params->device, .cache_dir = params->cache_dir, .family = -1,
                    .choice = { .precision = params->precision } } };
    *m = (struct tag_model){ .labels = g_ptr_array_new_with_free_func(g_free),
                             .prompts = g_ptr_array_new_with_free_func(g_free) };
    if (model_open(&m->model, (const char *const[]){ params->path }, 1, NULL, &failure)
        != NN_OK) {
        return fail(failure.text, error);
    }
    const struct model_info *info = model_info(m->model);
    if (info->kind == MODEL_PARTS) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: this holds parts of a model "
                    "only; make a whole one with `taglight model import`", params->path);
        return FALSE;
    }
    if (session_create(&m->session, m->model, &session, &failure) != NN_OK) {
        return fail(failure.text, error);
    }
    m->mark = store_model_mark(info->name, info->fingerprint);
    if (!params->no_cache) {
        open_cache(m);
    }
    return TRUE;
}

void tag_model_clear(struct tag_model *m)
{
    token_cache_close(&m->cache);
    session_destroy(&m->session);
    model_destroy(&m->model);
    g_clear_pointer(&m->labels, g_ptr_array_unref);
    g_clear_pointer(&m->prompts, g_ptr_array_unref);
    g_clear_pointer(&m->mark, g_free);
    g_clear_pointer(&m->embeddings, g_free);
}

/* --- Labels ----------------------------------------------------------------------- */

static void tell(void (*warn)(const char *), char *text)
{
    if (warn) {
        warn(text);
    }
    g_free(text);
}

/* The model sees only so much of a prompt; a person should know. */
static void warn_of_long(const struct tag_model *m, const char *label, const char *prompt,
                         void (*warn)(const char *))
{
    struct nn_error error = { 0 };
    size_t context = model_info(m->model)->context, used = 0, full = 0;
    g_autofree gint64 *ids = g_new0(gint64, MAX(context, 1));
    if (model_tokenizer(m->model)
        && tokenizer_prompt(model_tokenizer(m->model), prompt, strlen(prompt),
                            (int64_t *)ids, context, &used, &full, &error) == NN_OK
        && full > context) {
        tell(warn, g_strdup_printf("a label is too long: its prompt has %zu tokens and only "
                                   "the first %zu count: \"%.60s…\"", full, context, label));
    }
}

static void set_fixed(struct tag_model *m, guint given, void (*warn)(const char *))
{
    size_t n = 0;
    const struct weights_label *fixed = model_labels(m->model, &n);
    if (given > 0) {
        tell(warn, g_strdup_printf("%s answers for its own %zu labels only; the given ones "
                                   "are not used", model_info(m->model)->name, n));
    }
    for (size_t i = 0; i < n; i++) {
        g_ptr_array_add(m->labels, g_strdup(fixed[i].name));
        g_ptr_array_add(m->prompts, g_strdup(""));
    }
}

/* Embeddings of the expressions, cached ones as they are. */
static gboolean encode(struct tag_model *m, const GPtrArray *expressions, GError **error)
{
    struct nn_error failure = { 0 };
    enum nn_status status;
    gsize width = model_info(m->model)->embedding;
    struct prompt_batch *batch = prompt_batch_new(expressions, (guint)width, m->cache);
    const char *const *missing = prompt_batch_missing(batch);
    guint n = g_strv_length((char **)missing);
    g_autofree float *made = g_new(float, MAX(n, 1) * width);
    m->embeddings = g_new(float, MAX(expressions->len, 1) * width);
    gboolean good = TRUE;
    if (n > 0 && !prompts_encode(m->session, m->model, missing, n, made, NULL, &status,
                                 &failure)) {
        good = fail(failure.text, error);
    }
    good = good && prompt_batch_finish(batch, made, m->embeddings, error);
    if (good) {
        prompt_batch_keep(batch, made, m->embeddings, m->cache);
    }
    prompt_batch_free(batch);
    return good;
}

static void expression_free(gpointer data)
{
    prompt_expression_free(data);
}

gboolean tag_model_set_labels(struct tag_model *m, const GPtrArray *labels,
                              const GPtrArray *wordings, void (*warn)(const char *text),
                              GError **error)
{
    const struct model_info *info = model_info(m->model);
    g_autoptr(GPtrArray) expressions = g_ptr_array_new_with_free_func(expression_free);
    g_ptr_array_set_size(m->labels, 0);
    g_ptr_array_set_size(m->prompts, 0);
    g_clear_pointer(&m->embeddings, g_free);
    if (!info->open_vocabulary) {
        set_fixed(m, labels->len, warn);
        return TRUE;
    }
    for (guint i = 0; i < labels->len; i++) {
        struct prompt_expression *e = prompt_expression_new(
            labels->pdata[i], wordings ? wordings->pdata[i] : NULL, info->prompt, error);
        if (!e) {
            return FALSE;
        }
        for (guint p = 0; p < e->n; p++) {
            warn_of_long(m, labels->pdata[i], e->parts[p].prompt, warn);
        }
        g_ptr_array_add(expressions, e);
        g_ptr_array_add(m->labels, g_strdup(labels->pdata[i]));
        g_ptr_array_add(m->prompts, g_strdup(e->key));
    }
    return encode(m, expressions, error);
}
