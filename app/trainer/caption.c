#include "app/trainer/caption.h"

#include "app/engine/prompt_text.h"

char *caption_make(const char *prompt, const char *const *labels, guint n)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < n; i++) {
        g_string_append(text, i == 0 ? "" : i + 1 == n ? " and " : ", ");
        g_string_append(text, labels[i]);
    }
    return g_strchomp(prompts_fill(prompt, text->str));
}

guint caption_choose(const struct caption_room *room, const guint *sizes, guint n,
                     guint *chosen)
{
    guint count = 0, used = 0;
    for (guint i = 0; i < n; i++) {
        /* A third label makes a comma of the second one's "and". */
        guint separator = count == 0 ? 0 : count == 1 ? room->and : room->comma;
        if (used + separator + sizes[i] <= room->room) {
            used += separator + sizes[i];
            chosen[count++] = i;
        }
    }
    return count;
}
