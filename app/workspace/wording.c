/* What labels ask the model, where that is not their name. */
#include "app/words/prompt_expression.h"
#include "app/workspace/workspace_private.h"

#include <string.h>

gboolean workspace_check_words(TlWorkspace *self, const char *name, const char *words)
{
    g_autoptr(GError) error = NULL;
    struct prompt_expression *e = prompt_expression_new(name, words, "%s", &error);
    if (!e) {
        workspace_report_error(self, error);
    }
    prompt_expression_free(e);
    return error == NULL;
}

gboolean workspace_can_read(const char *name)
{
    struct prompt_expression *e = prompt_expression_new(name, NULL, "%s", NULL);
    gboolean good = e != NULL;
    prompt_expression_free(e);
    return good;
}

const char *tl_workspace_wording(TlWorkspace *self, guint index)
{
    return ((Label *)self->labels->pdata[index])->words;
}

static void forget_confidences(TlWorkspace *self, guint index)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->images));
    for (guint i = 0; i < n; i++) {
        g_autoptr(TlImage) image = g_list_model_get_item(G_LIST_MODEL(self->images), i);
        image_set_confidence(image, index, -1);
    }
    g_signal_emit(self, workspace_signals[CHANGED], 0, NULL);
}

void workspace_ask_again(TlWorkspace *self, guint index)
{
    Label *label = self->labels->pdata[index];
    g_clear_pointer(&label->embedding, g_bytes_unref);
    scoring_cancel(self); /* what is under way was asked in other words */
    forget_confidences(self, index);
    scoring_encode_labels(self, &label, 1);
}

void workspace_ask(TlWorkspace *self, guint index, const char *words)
{
    Label *label = self->labels->pdata[index];
    if (g_strcmp0(label->words, words) != 0) {
        g_free(label->words);
        label->words = g_strdup(words);
        workspace_ask_again(self, index);
    }
}

void tl_workspace_set_wording(TlWorkspace *self, guint index, const char *text)
{
    Label *label = self->labels->pdata[index];
    g_autofree char *words = g_strstrip(g_strdup(text ? text : ""));
    if (strcmp(words, label->name) == 0) {
        *words = '\0'; /* what is not said follows a new name */
    }
    if ((g_strcmp0(label->words, *words ? words : NULL) == 0 && !label->words_once)
        || (*words && !workspace_check_words(self, label->name, words))) {
        return;
    }
    workspace_keep_label(self, label);
    workspace_ask(self, index, *words ? words : NULL);
    label->words_once = FALSE;
    database_set_words(self, label);
}

void tl_workspace_add_labels(TlWorkspace *self, const char *list)
{
    g_autoptr(GPtrArray) names = prompt_expression_split(list);
    g_autoptr(GPtrArray) wordings = prompt_expression_take_wordings(names);
    for (guint i = 0; i < names->len; i++) {
        guint index = tl_workspace_add_label(self, names->pdata[i]);
        if (index != G_MAXUINT && wordings->pdata[i]
            && workspace_check_words(self, names->pdata[i], wordings->pdata[i])) {
            ((Label *)self->labels->pdata[index])->words_once = TRUE;
            workspace_ask(self, index, wordings->pdata[i]);
        }
    }
}
