/* The words of drawn scenes (words.def), the labels made of them, and which of these
 * are held out.
 *
 * Held out are pairs of a shape with a colour, a pattern, a size or a count: for
 * every shape half of each (where the number is odd, the smaller half for one shape
 * and the larger half for the next). A longer label is held out when a pair in it
 * is. Single words never are. The rule knows no seed: every set that is ever drawn
 * has the same seen and unseen labels. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

enum word_kind {
    WORD_SHAPE, WORD_COLOUR, WORD_PATTERN, WORD_SIZE, WORD_COUNT, WORD_BACKGROUND,
    WORD_CONDITION, WORD_KINDS
};

struct word_shape { const char *word, *plural, *outline, *details; int turn_deg; };
struct word_colour { const char *word; guint32 rgb, mark; };
struct word_pattern { const char *word, *tile; double unit; };
struct word_size { const char *word; double smallest, largest, unit; };
struct word_count { const char *word; int count; };
/* How much of the texture's colour is seen at a point of the unit square, 0 … 1. */
typedef double (*word_texture)(guint32 key, double x, double y);
struct word_background {
    const char *word;
    guint32 top, bottom, accent;
    word_texture texture;
    gboolean shadows, dark;
};
struct word_condition { const char *word; int per_mille; double light, blur, grain; };

extern const struct word_shape words_shape[];
extern const struct word_colour words_colour[];
extern const struct word_pattern words_pattern[];
extern const struct word_size words_size[];
extern const struct word_count words_count[];
extern const struct word_background words_background[];
extern const struct word_condition words_condition[];

/* How many entries a kind has, and the word of one: "" where nothing is said of it. */
int words_number(enum word_kind kind);
const char *words_text(enum word_kind kind, int value);
/* Whether the shape with this colour, pattern, size or count is held out; never
 * where the value has no word. */
gboolean words_held_out(enum word_kind kind, int value, int shape);

struct scene_label {
    char *text;
    const char *form;       /* of words.def */
    int value[WORD_KINDS];  /* -1: the label does not speak of it */
    gboolean held_out;
};

struct vocabulary {
    int count;
    const struct scene_label *labels;
};

/* Every label, form by form. Borrowed; made at the first call, from any thread. */
const struct vocabulary *words_vocabulary(void);

G_END_DECLS
