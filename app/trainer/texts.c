#include "app/trainer/texts.h"

#include "app/engine/prompt_text.h"
#include "app/trainer/caption.h"
#include "app/trainer/sampler.h"
#include "compute/text/tokenizer.h"

#include <string.h>

/* out [context]; *full is the number of tokens that the text needs. */
static gboolean tokenize(const struct texts *t, const char *text, gint32 *out, gint32 *eot,
                         size_t *full, GError **error)
{
    struct nn_error failure = { 0 };
    size_t used = 0;
    g_autofree int64_t *ids = g_new(int64_t, t->context);
    if (tokenizer_prompt(t->tokenizer, text, strlen(text), ids, t->context, &used, full,
                         &failure) != NN_OK) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure.text);
        return FALSE;
    }
    for (guint i = 0; i < t->context; i++) {
        out[i] = (gint32)ids[i];
    }
    *eot = (gint32)used - 1;
    return TRUE;
}

/* Rows of the context's length to rows of the longest prompt. */
static void shorten(struct texts *t, guint n)
{
    for (guint i = 0; i < n; i++) {
        memmove(t->ids + (gsize)i * t->length, t->ids + (gsize)i * t->context,
                t->length * sizeof *t->ids);
    }
}

gboolean texts_init(struct texts *t, const struct training_set *set,
                    const struct model *model, const char *prompt, GError **error)
{
    guint n = set->labels->len;
    *t = (struct texts){ .set = set, .tokenizer = model_tokenizer(model),
                         .prompt = prompt, .context = model_info(model)->context };
    t->ids = g_new(gint32, (gsize)n * t->context);
    t->eot = g_new(gint32, n);
    for (guint i = 0; i < n; i++) {
        size_t full = 0;
        g_autofree char *text = prompts_fill(prompt, set->labels->pdata[i]);
        if (!tokenize(t, text, t->ids + (gsize)i * t->context, &t->eot[i], &full, error)) {
            return FALSE;
        }
        t->cut += full > t->context;
        t->length = MAX(t->length, (guint)t->eot[i] + 1);
    }
    shorten(t, n);
    return TRUE;
}

void texts_clear(struct texts *t)
{
    g_free(t->ids);
    g_free(t->eot);
    *t = (struct texts){ 0 };
}

static gboolean fits(const char *text, gpointer data)
{
    const struct texts *t = data;
    g_autofree gint32 *ids = g_new(gint32, t->context);
    gint32 eot;
    size_t full = 0;
    return tokenize(t, text, ids, &eot, &full, NULL) && full <= t->context;
}

gboolean texts_caption(const struct texts *t, gpointer *labels, guint n, guint64 seed,
                       guint64 picture, gint32 *ids, gint32 *eot, GError **error)
{
    size_t full = 0;
    sampler_shuffle(seed, picture, SAMPLER_CAPTION, labels, n);
    g_autofree char *text = caption_make(t->prompt, (const char *const *)labels, n, fits,
                                         (gpointer)t);
    return tokenize(t, text, ids, eot, &full, error);
}
