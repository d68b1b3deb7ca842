#include "app/engine/prompts.h"

#include "compute/text/tokenizer.h"

#include <string.h>

char *prompts_fill(const char *template, const char *label)
{
    const char *hole = strstr(template, "%s");
    if (!hole) {
        return g_strdup(label);
    }
    g_autofree char *before = g_strndup(template, (gsize)(hole - template));
    return g_strconcat(before, label, hole + 2, NULL);
}

/* Prompts as ids [n,context] and how many of each are used. */
static gboolean tokenize(const struct model *model, const char *const *prompts, guint n,
                         gint64 *ids, guint *used, enum nn_status *status,
                         struct nn_error *error)
{
    guint context = model_info(model)->context;
    for (guint i = 0; i < n; i++) {
        size_t length = 0, full = 0;
        *status = tokenizer_prompt(model_tokenizer(model), prompts[i], strlen(prompts[i]),
                                   (int64_t *)ids + (gsize)i * context, context, &length,
                                   &full, error);
        if (*status != NN_OK) {
            return FALSE;
        }
        used[i] = (guint)length;
    }
    return TRUE;
}

/* The steps in which session_encode_text lengthens prompts: those of one step share a
 * batch and pay for no longer prompt. */
static guint step_of(guint used)
{
    return (used + 7) / 8;
}

/* Encodes the prompts of one step. Nothing after a prompt's end can matter (causal mask),
 * so only as many positions are encoded as the longest of them has. */
static enum nn_status encode_step(struct session *session, const struct model_info *info,
                                  guint step, const gint64 *ids, const guint *used, guint n,
                                  float *out, const struct nn_run_params *run,
                                  struct nn_error *error)
{
    guint longest = MIN(step * 8, info->context), count = 0;
    g_autofree gint64 *cut = g_new0(gint64, (gsize)n * longest);
    g_autofree guint *which = g_new(guint, n);
    for (guint i = 0; i < n; i++) {
        if (step_of(used[i]) == step) {
            memcpy(cut + (gsize)count * longest, ids + (gsize)i * info->context,
                   longest * sizeof *cut);
            which[count++] = i;
        }
    }
    if (count == 0) {
        return NN_OK;
    }
    g_autofree float *rows = g_new(float, (gsize)count * info->embedding);
    enum nn_status status = session_encode_text(session, (const int64_t *)cut, count,
                                                longest, rows, run, error);
    for (guint i = 0; i < count && status == NN_OK; i++) {
        memcpy(out + (gsize)which[i] * info->embedding, rows + (gsize)i * info->embedding,
               info->embedding * sizeof *out);
    }
    return status;
}

gboolean prompts_encode(struct session *session, const struct model *model,
                        const char *const *prompts, guint n, float *out,
                        const struct nn_run_params *run, enum nn_status *status,
                        struct nn_error *error)
{
    const struct model_info *info = model_info(model);
    if (!model_tokenizer(model) || info->text.kind == MODEL_PART_NONE) {
        *status = nn_fail(error, NN_ERROR_UNSUPPORTED,
                          "%s has no text encoder and tokenizer, so it cannot take labels",
                          info->name);
        return FALSE;
    }
    g_autofree gint64 *ids = g_new0(gint64, MAX((gsize)n * info->context, 1));
    g_autofree guint *used = g_new0(guint, MAX(n, 1));
    if (!tokenize(model, prompts, n, ids, used, status, error)) {
        return FALSE;
    }
    *status = NN_OK;
    for (guint step = 1; step <= step_of(info->context) && *status == NN_OK; step++) {
        *status = encode_step(session, info, step, ids, used, n, out, run, error);
    }
    return *status == NN_OK;
}
