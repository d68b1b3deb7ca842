#include "app/scenes/words.h"
#include "app/scenes/background.h"

#include <string.h>

#define SHAPE(...)
#define COLOUR(...)
#define PATTERN(...)
#define SIZE(...)
#define COUNT(...)
#define BACKGROUND(...)
#define CONDITION(...)
#define FORM(...)

#undef SHAPE
#define SHAPE(...) { __VA_ARGS__ },
const struct word_shape words_shape[] = {
#include "app/scenes/words.def"
};
#undef SHAPE
#define SHAPE(...)

#undef COLOUR
#define COLOUR(...) { __VA_ARGS__ },
const struct word_colour words_colour[] = {
#include "app/scenes/words.def"
};
#undef COLOUR
#define COLOUR(...)

#undef PATTERN
#define PATTERN(...) { __VA_ARGS__ },
const struct word_pattern words_pattern[] = {
#include "app/scenes/words.def"
};
#undef PATTERN
#define PATTERN(...)

#undef SIZE
#define SIZE(...) { __VA_ARGS__ },
const struct word_size words_size[] = {
#include "app/scenes/words.def"
};
#undef SIZE
#define SIZE(...)

#undef COUNT
#define COUNT(...) { __VA_ARGS__ },
const struct word_count words_count[] = {
#include "app/scenes/words.def"
};
#undef COUNT
#define COUNT(...)

#undef BACKGROUND
#define BACKGROUND(word, top, bottom, accent, texture, ...)                            \
    { word, top, bottom, accent, texture_##texture, __VA_ARGS__ },
const struct word_background words_background[] = {
#include "app/scenes/words.def"
};
#undef BACKGROUND
#define BACKGROUND(...)

#undef CONDITION
#define CONDITION(...) { __VA_ARGS__ },
const struct word_condition words_condition[] = {
#include "app/scenes/words.def"
};
#undef CONDITION
#define CONDITION(...)

#undef FORM
#define FORM(text) text,
static const char *const forms[] = {
#include "app/scenes/words.def"
};

/* Each entry starts with its word, so one stride a kind reads them all. `stride` is how
 * many shapes share a turn of the held-out rule; sizes and counts differ in it, or one
 * would always be held out with the other. */
#define KIND(name, table, stride)                                                      \
    { name, table, sizeof table[0], G_N_ELEMENTS(table), stride }
static const struct {
    const char *name;
    const void *entries;
    size_t bytes;
    int count, stride;
} kinds[WORD_KINDS] = {
    [WORD_SHAPE] = KIND("shape", words_shape, 1),
    [WORD_COLOUR] = KIND("colour", words_colour, 1),
    [WORD_PATTERN] = KIND("pattern", words_pattern, 1),
    [WORD_SIZE] = KIND("size", words_size, 1),
    [WORD_COUNT] = KIND("count", words_count, 2),
    [WORD_BACKGROUND] = KIND("background", words_background, 1),
    [WORD_CONDITION] = KIND("condition", words_condition, 1),
};

int words_number(enum word_kind kind)
{
    return kinds[kind].count;
}

const char *words_text(enum word_kind kind, int value)
{
    const char *entries = kinds[kind].entries;
    const void *entry = entries + kinds[kind].bytes * (size_t)value;
    return *(const char *const *)entry;
}

gboolean words_held_out(enum word_kind kind, int value, int shape)
{
    int spoken = 0, rank = 0;
    for (int i = 0; i < kinds[kind].count; i++) {
        if (*words_text(kind, i)) {
            rank = i == value ? spoken : rank;
            spoken++;
        }
    }
    if (!*words_text(kind, value)) {
        return FALSE;
    }
    return (rank + shape / kinds[kind].stride) % spoken < (spoken + shape % 2) / 2;
}

/* --- The vocabulary --------------------------------------------------------------- */

static gboolean pair_held_out(const struct scene_label *label)
{
    const enum word_kind paired[] = { WORD_COLOUR, WORD_PATTERN, WORD_SIZE,
                                      WORD_COUNT };
    for (size_t i = 0; i < G_N_ELEMENTS(paired); i++) {
        int value = label->value[paired[i]];
        if (label->value[WORD_SHAPE] >= 0 && value >= 0
            && words_held_out(paired[i], value, label->value[WORD_SHAPE])) {
            return TRUE;
        }
    }
    return FALSE;
}

/* The kind that "{name}" at `slot` stands for. */
static enum word_kind slot_kind(const char *slot, gboolean *plural)
{
    size_t n = strcspn(slot, "}") - 1;
    *plural = n == 6 && strncmp(slot + 1, "shapes", 6) == 0;
    n -= *plural;
    for (int k = 0; k < WORD_KINDS; k++) {
        if (strlen(kinds[k].name) == n && strncmp(slot + 1, kinds[k].name, n) == 0) {
            return k;
        }
    }
    g_error("words.def: no kind is called %s", slot);
}

/* Fills the first open slot of `text` with every word and goes on from there. */
static void expand(GArray *labels, const char *text, struct scene_label *label)
{
    const char *slot = strchr(text, '{');
    gboolean plural;
    if (!slot) {
        struct scene_label whole = *label;
        whole.text = g_strdup(text);
        whole.held_out = pair_held_out(label);
        g_array_append_val(labels, whole);
        return;
    }
    enum word_kind kind = slot_kind(slot, &plural);
    for (int i = 0; i < kinds[kind].count; i++) {
        const char *word = plural ? words_shape[i].plural : words_text(kind, i);
        if (*word) {
            g_autofree char *filled = g_strdup_printf(
                "%.*s%s%s", (int)(slot - text), text, word, strchr(slot, '}') + 1);
            label->value[kind] = i;
            expand(labels, filled, label);
        }
    }
    label->value[kind] = -1;
}

static gpointer make_vocabulary(gpointer unused)
{
    GArray *labels = g_array_new(FALSE, FALSE, sizeof(struct scene_label));
    struct vocabulary *v = g_new(struct vocabulary, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        struct scene_label label = { .form = forms[i] };
        for (int k = 0; k < WORD_KINDS; k++) {
            label.value[k] = -1;
        }
        expand(labels, forms[i], &label);
    }
    v->count = (int)labels->len;
    v->labels = (struct scene_label *)g_array_free(labels, FALSE);
    return v;
}

const struct vocabulary *words_vocabulary(void)
{
    static GOnce once = G_ONCE_INIT;
    return g_once(&once, make_vocabulary, NULL);
}
