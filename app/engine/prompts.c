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

gboolean prompts_encode(struct session *session, const struct model *model,
                        const char *const *prompts, guint n, float *out,
                        const struct nn_run_params *run, enum nn_status *status,
                        struct nn_error *error)
{
    const struct tokenizer *tokenizer = model_tokenizer(model);
    const struct model_info *info = model_info(model);
    if (!tokenizer || info->text.kind == MODEL_PART_NONE) {
        *status = nn_fail(error, NN_ERROR_UNSUPPORTED,
                          "%s has no text encoder and tokenizer, so it cannot take labels",
                          info->name);
        return FALSE;
    }
    g_autofree gint64 *ids = g_new0(gint64, MAX((gsize)n * info->context, 1));
    gsize longest = 1;
    for (guint i = 0; i < n; i++) {
        size_t used = 0, full = 0;
        *status = tokenizer_prompt(tokenizer, prompts[i], strlen(prompts[i]),
                                   (int64_t *)ids + (gsize)i * info->context,
                                   info->context, &used, &full, error);
        if (*status != NN_OK) {
            return FALSE;
        }
        longest = MAX(longest, used);
    }
    /* Nothing after the longest prompt's end can matter (causal mask), so only as many
     * positions are encoded. */
    g_autofree gint64 *cut = g_new0(gint64, MAX((gsize)n * longest, 1));
    for (guint i = 0; i < n; i++) {
        memcpy(cut + (gsize)i * longest, ids + (gsize)i * info->context,
               longest * sizeof *cut);
    }
    *status = session_encode_text(session, (const int64_t *)cut, n, (uint32_t)longest, out,
                                  run, error);
    return *status == NN_OK;
}
