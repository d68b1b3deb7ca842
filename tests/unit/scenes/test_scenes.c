/* Words, plans and pixels of drawn scenes. */
#include "app/scenes/paint.h"
#include "tests/check.h"

#define PICTURES 2000

static const struct scene_style usual = SCENE_USUAL_STYLE;

static void stay(gconstpointer data, double *x, double *y)
{
}

/* --- Words ------------------------------------------------------------------------ */

static void test_outlines(void)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 8, 8);
    cairo_t *cr = cairo_create(surface);
    for (int i = 0; i < words_number(WORD_SHAPE); i++) {
        double left, top, right, bottom;
        cairo_new_path(cr);
        REQUIRE(path_trace(cr, words_shape[i].outline, stay, NULL));
        cairo_path_extents(cr, &left, &top, &right, &bottom);
        REQUIRE(left >= -1.01 && top >= -1.01 && right <= 1.01 && bottom <= 1.01);
        REQUIRE(right - left > 1.4 && bottom - top > 1.1); /* sizes mean the same */
        REQUIRE(path_trace(cr, words_shape[i].details, stay, NULL));
    }
    for (int i = 0; i < words_number(WORD_PATTERN); i++) {
        REQUIRE(path_trace(cr, words_pattern[i].tile, stay, NULL));
    }
    REQUIRE(!path_trace(cr, "M 0 0 Q 1 1", stay, NULL));
    REQUIRE(!path_trace(cr, "M 0 0 L 1", stay, NULL));
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
}

/* Nothing in the label files is escaped. */
static void require_plain(const char *text)
{
    for (const char *c = text; *c; c++) {
        REQUIRE((*c >= 'a' && *c <= 'z') || *c == ' ');
    }
}

static void test_labels(void)
{
    const struct vocabulary *v = words_vocabulary();
    g_autoptr(GHashTable) texts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                        NULL);
    for (int i = 0; i < v->count; i++) {
        require_plain(v->labels[i].text);
        REQUIRE(g_hash_table_add(texts, v->labels[i].text));
        g_auto(GStrv) parts = g_strsplit(v->labels[i].text, " ", -1);
        for (char **p = parts; !v->labels[i].held_out && *p; p++) {
            g_hash_table_add(words, g_strdup(*p));
        }
    }
    for (int i = 0; i < v->count; i++) { /* what is held out holds no word of its own */
        g_auto(GStrv) parts = g_strsplit(v->labels[i].text, " ", -1);
        for (char **p = parts; *p; p++) {
            REQUIRE(g_hash_table_contains(words, *p));
        }
    }
    REQUIRE(g_hash_table_contains(texts, "striped blue triangle"));
    REQUIRE(g_hash_table_contains(texts, "two circles"));
    REQUIRE(g_hash_table_contains(texts, "two fish"));
    REQUIRE(!g_hash_table_contains(texts, " circle"));
}

/* Half of the values of every shape, and of the shapes of every value, is held out. */
static void test_halves(enum word_kind kind, int slack)
{
    int shapes = words_number(WORD_SHAPE), all = 0, spoken = 0;
    for (int value = 0; value < words_number(kind); value++) {
        int held_out = 0;
        for (int shape = 0; shape < shapes; shape++) {
            held_out += words_held_out(kind, value, shape);
        }
        if (*words_text(kind, value)) {
            REQUIRE(abs(2 * held_out - shapes) <= slack);
            spoken++;
        } else {
            REQUIRE_INT(held_out, 0);
        }
        all += held_out;
    }
    REQUIRE_INT(2 * all, spoken * shapes);
}

/* Any three colours have a background: no subject must wait for its own. */
static void test_colours_fit(void)
{
    int n = words_number(WORD_COLOUR);
    for (int set = 0; set < n * n * n; set++) {
        int fitting = 0;
        for (int b = 0; b < words_number(WORD_BACKGROUND); b++) {
            fitting += scene_colour_fits(set % n, b)
                       && scene_colour_fits(set / n % n, b)
                       && scene_colour_fits(set / n / n, b);
        }
        REQUIRE(fitting > 0);
    }
    for (int b = 0; b < words_number(WORD_BACKGROUND); b++) {
        int fitting = 0;
        for (int colour = 0; colour < n; colour++) {
            fitting += scene_colour_fits(colour, b);
        }
        REQUIRE(fitting >= 3);
    }
}

/* --- Plans ------------------------------------------------------------------------ */

/* What every picture keeps to, whatever may be shown. */
static void require_fair(const struct scene *scene)
{
    gboolean dim = words_condition[scene->condition].light < 1;
    REQUIRE(scene->count >= 1 && scene->count <= SCENE_MAX_OBJECTS);
    REQUIRE(!(dim && words_background[scene->background].dark));
    for (int i = 0; i < scene->count; i++) {
        const struct scene_object *o = &scene->objects[i];
        REQUIRE(o->seen >= SCENE_LEAST_SEEN && o->seen <= 1);
        REQUIRE(o->radius >= words_size[o->size].smallest);
        REQUIRE(o->radius <= words_size[o->size].largest * scene->style.scale + 1e-9);
        REQUIRE(scene_colour_fits(o->colour, scene->background));
    }
}

static void require_seen_only(const struct scene *scene)
{
    for (int i = 0; i < scene->count; i++) {
        const struct scene_object *o = &scene->objects[i];
        REQUIRE(!words_held_out(WORD_COLOUR, o->colour, o->shape));
        REQUIRE(!words_held_out(WORD_PATTERN, o->pattern, o->shape));
        REQUIRE(!words_held_out(WORD_SIZE, o->size, o->shape));
    }
}

/* Every label that may be true is true of some picture, and no other is. */
static void test_plans(enum scene_rule rule)
{
    const struct vocabulary *v = words_vocabulary();
    g_autofree int *positives = g_new0(int, v->count);
    for (guint64 i = 0; i < PICTURES; i++) {
        struct scene scene;
        REQUIRE(scene_plan(&scene, 7, i, i, rule, &usual));
        require_fair(&scene);
        if (rule == SCENE_SEEN_ONLY) {
            require_seen_only(&scene);
        }
        for (int k = 0; k < v->count; k++) {
            positives[k] += scene_label_true(&scene, &v->labels[k]);
        }
    }
    for (int k = 0; k < v->count; k++) {
        if (rule == SCENE_SEEN_ONLY && v->labels[k].held_out) {
            REQUIRE_INT(positives[k], 0);
        } else {
            REQUIRE(positives[k] >= 2);
        }
    }
}

/* Two of three red circles, and what is true of them by hand. */
static void test_truth(void)
{
    const struct vocabulary *v = words_vocabulary();
    struct scene scene = { .background = 1, .condition = 0, .count = 4 };
    const char *const want[] = {
        "circle", "square", "something red", "something blue", "something striped",
        "night sky", "small circle", "large square", "red circle", "blue circle",
        "red square", "striped circle", "striped red circle", "three circles",
        NULL
    };
    scene.objects[0] = (struct scene_object){ .shape = 0, .colour = 0, .pattern = 1 };
    scene.objects[1] = (struct scene_object){ .shape = 0, .colour = 0, .size = 1 };
    scene.objects[2] = (struct scene_object){ .shape = 0, .colour = 2 };
    scene.objects[3] = (struct scene_object){ .shape = 1, .colour = 0, .size = 2 };
    for (int k = 0; k < v->count; k++) {
        gboolean listed = g_strv_contains(want, v->labels[k].text);
        if (scene_label_true(&scene, &v->labels[k]) != listed) {
            fprintf(stderr, "%s\n", v->labels[k].text);
            REQUIRE(FALSE);
        }
    }
}

/* Fewer things are never cut counts, and larger ones are found room for. */
static void test_styles(void)
{
    const struct scene_style easy = { 2, SCENE_MAX_SCALE };
    for (guint64 i = 0; i < 300; i++) {
        struct scene scene, plain;
        REQUIRE(scene_plan(&scene, 7, i, i, SCENE_SEEN_ONLY, &easy));
        REQUIRE(scene_plan(&plain, 7, i, i, SCENE_ANY, &(struct scene_style){ 1, 1 }));
        require_fair(&scene);
        REQUIRE(scene.count <= 2);
        REQUIRE_INT(plain.count, 1);
        for (int o = 0; o < scene.count; o++) {
            const struct word_size *size = &words_size[scene.objects[o].size];
            REQUIRE(scene.objects[o].radius >= SCENE_MAX_SCALE * size->smallest - 1e-9);
        }
    }
}

/* --- Pixels ----------------------------------------------------------------------- */

static void test_pixels(void)
{
    enum { SIDE = 48, BYTES = 3 * SIDE * SIDE };
    static guint8 first[BYTES], again[BYTES], other[BYTES];
    struct scene scene, next;
    g_autoptr(GError) error = NULL;
    for (guint64 i = 0; i < 40; i++) {
        REQUIRE(scene_plan(&scene, 3, i, i, SCENE_ANY, &usual));
        REQUIRE(scene_plan(&next, 4, i, i, SCENE_ANY, &usual));
        memset(first, 1, BYTES);
        memset(again, 2, BYTES);
        REQUIRE(paint_scene(&scene, SIDE, first, &error));
        REQUIRE(paint_scene(&scene, SIDE, again, &error));
        REQUIRE(paint_scene(&next, SIDE, other, &error));
        REQUIRE(memcmp(first, again, BYTES) == 0);
        REQUIRE(memcmp(first, other, BYTES) != 0);
    }
    REQUIRE(!paint_scene(&scene, 40000, first, &error) && error);
}

/* A plain object shows its colour where it stands: the middle of a lone circle. */
static void test_colour_of_pixels(void)
{
    enum { SIDE = 64 };
    static guint8 rgb[3 * SIDE * SIDE];
    g_autoptr(GError) error = NULL;
    for (int colour = 0; colour < words_number(WORD_COLOUR); colour++) {
        struct scene scene = { .seed = 1, .number = (guint64)colour, .count = 1 };
        scene.objects[0] = (struct scene_object){ .colour = colour, .x = .5, .y = .5,
                                                  .radius = .2, .stretch = 1 };
        REQUIRE(paint_scene(&scene, SIDE, rgb, &error));
        for (int c = 0; c < 3; c++) {
            int want = (int)(words_colour[colour].rgb >> (16 - 8 * c) & 255), sum = 0;
            for (int y = SIDE / 2 - 2; y < SIDE / 2 + 2; y++) {
                for (int x = SIDE / 2 - 2; x < SIDE / 2 + 2; x++) {
                    sum += rgb[3 * (y * SIDE + x) + c];
                }
            }
            REQUIRE(abs(sum / 16 - want) <= 24);
        }
    }
}

int main(void)
{
    test_outlines();
    test_labels();
    test_halves(WORD_COLOUR, 0);
    test_halves(WORD_PATTERN, 2);
    test_halves(WORD_SIZE, 0);
    test_halves(WORD_COUNT, 0);
    test_colours_fit();
    test_truth();
    test_plans(SCENE_ANY);
    test_plans(SCENE_SEEN_ONLY);
    test_styles();
    test_pixels();
    test_colour_of_pixels();
    return 0;
}
