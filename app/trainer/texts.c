#include "app/trainer/texts.h"

#include "app/engine/prompt_text.h"
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

/* Tokens of a text without the marks of its start and end. */
static gboolean count_tokens(const struct texts *t, const char *text, guint *out,
                             GError **error)
{
    gint32 eot;
    size_t full = 0;
    g_autofree gint32 *ids = g_new(gint32, t->context);
    gboolean good = tokenize(t, text, ids, &eot, &full, error);
    *out = good ? (guint)full - 2 : 0;
    return good;
}

/* What captions have room for. */
static gboolean measure(struct texts *t, GError **error)
{
    guint empty = 0;
    g_autofree char *prompt = prompts_fill(t->prompt, "");
    t->sizes = g_new(guint, t->set->labels->len);
    for (guint i = 0; i < t->set->labels->len; i++) {
        if (!count_tokens(t, t->set->labels->pdata[i], &t->sizes[i], error)) {
            return FALSE;
        }
    }
    if (!count_tokens(t, prompt, &empty, error)
        || !count_tokens(t, ",", &t->room.comma, error)
        || !count_tokens(t, "and", &t->room.and, error)) {
        return FALSE;
    }
    t->room.room = t->context > empty + 2 ? t->context - empty - 2 : 0;
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
    return measure(t, error);
}

void texts_clear(struct texts *t)
{
    g_free(t->ids);
    g_free(t->eot);
    g_free(t->sizes);
    *t = (struct texts){ 0 };
}

gboolean texts_caption(const struct texts *t, guint32 *labels, guint n, guint64 seed,
                       guint64 picture, gint32 *ids, gint32 *eot, GError **error)
{
    size_t full = 0;
    g_autofree guint *sizes = g_new(guint, n + 1), *chosen = g_new(guint, n + 1);
    g_autofree const char **names = g_new(const char *, n + 1);
    sampler_shuffle(seed, picture, SAMPLER_CAPTION, labels, n);
    n = t->most ? MIN(n, t->most) : n;
    for (guint i = 0; i < n; i++) {
        sizes[i] = t->sizes[labels[i]];
    }
    guint count = caption_choose(&t->room, sizes, n, chosen);
    for (guint i = 0; i < count; i++) {
        names[i] = t->set->labels->pdata[labels[chosen[i]]];
    }
    g_autofree char *text = caption_make(t->prompt, names, count);
    return tokenize(t, text, ids, eot, &full, error);
}
