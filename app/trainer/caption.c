#include "app/trainer/caption.h"

#include "app/engine/prompt_text.h"

static char *join(const GPtrArray *labels)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < labels->len; i++) {
        g_string_append(text, i == 0 ? "" : i + 1 == labels->len ? " and " : ", ");
        g_string_append(text, labels->pdata[i]);
    }
    return g_string_free(text, FALSE);
}

static char *fill(const char *prompt, const GPtrArray *labels)
{
    g_autofree char *joined = join(labels);
    return g_strchomp(prompts_fill(prompt, joined));
}

char *caption_make(const char *prompt, const char *const *labels, guint n,
                   caption_fits fits, gpointer data)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    char *caption = fill(prompt, kept);
    for (guint i = 0; i < n; i++) {
        g_ptr_array_add(kept, (gpointer)labels[i]);
        g_autofree char *longer = fill(prompt, kept);
        if (fits(longer, data)) {
            g_free(caption);
            caption = g_steal_pointer(&longer);
        } else {
            g_ptr_array_set_size(kept, (int)kept->len - 1);
        }
    }
    return caption;
}
