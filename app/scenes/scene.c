#include "app/scenes/scene.h"
#include "app/random/rng.h"

#include <math.h>
#include <string.h>

enum purpose { PURPOSE_DECK, PURPOSE_ATTEMPT = 1000 };

/* One thing to show: `count` objects of a shape and colour; pattern -1 is drawn anew
 * for each. */
struct card { int shape, colour, pattern, count; };

/* --- What is true ----------------------------------------------------------------- */

gboolean scene_label_true(const struct scene *scene, const struct scene_label *label)
{
    const int *want = label->value;
    if (want[WORD_BACKGROUND] >= 0 || want[WORD_CONDITION] >= 0) {
        return want[WORD_BACKGROUND] == scene->background
               || want[WORD_CONDITION] == scene->condition;
    }
    int n = 0;
    for (int i = 0; i < scene->count; i++) {
        const struct scene_object *o = &scene->objects[i];
        n += (want[WORD_SHAPE] < 0 || want[WORD_SHAPE] == o->shape)
             && (want[WORD_COLOUR] < 0 || want[WORD_COLOUR] == o->colour)
             && (want[WORD_PATTERN] < 0 || want[WORD_PATTERN] == o->pattern)
             && (want[WORD_SIZE] < 0 || want[WORD_SIZE] == o->size);
    }
    return want[WORD_COUNT] < 0 ? n > 0 : n == words_count[want[WORD_COUNT]].count;
}

static gboolean shows_held_out(const struct scene *scene)
{
    const struct vocabulary *v = words_vocabulary();
    for (int i = 0; i < v->count; i++) {
        if (v->labels[i].held_out && scene_label_true(scene, &v->labels[i])) {
            return TRUE;
        }
    }
    return FALSE;
}

/* --- Colours ---------------------------------------------------------------------- */

/* Near to how different two colours look, 0 … 765: the weights of red and blue shift
 * with the mean of red. */
static double distance(guint32 a, guint32 b)
{
    double red = ((double)(a >> 16) + (b >> 16)) / 2, sum = 0;
    const double weights[] = { 2 + (255 - red) / 256, 4, 2 + red / 256 };
    for (int i = 0; i < 3; i++) {
        double d = (double)(a >> 8 * i & 255) - (double)(b >> 8 * i & 255);
        sum += weights[i] * d * d;
    }
    return sqrt(sum);
}

gboolean scene_colour_fits(int colour, int background)
{
    const struct word_background *b = &words_background[background];
    guint32 rgb = words_colour[colour].rgb;
    /* The third colour is never alone: half of it counts. */
    guint32 mixed = ((b->accent & 0xfefefe) >> 1) + ((b->top & 0xfefefe) >> 1);
    return distance(rgb, b->top) > 170 && distance(rgb, b->bottom) > 170
           && distance(rgb, mixed) > 130;
}

static gboolean choose_background(struct scene *scene, struct rng *r)
{
    int fitting[64], n = 0;
    for (int b = 0; b < MIN(words_number(WORD_BACKGROUND), 64); b++) {
        gboolean fits = !(words_background[b].dark
                          && words_condition[scene->condition].light < 1);
        for (int i = 0; i < scene->count; i++) {
            fits = fits && scene_colour_fits(scene->objects[i].colour, b);
        }
        if (fits) {
            fitting[n++] = b;
        }
    }
    if (n > 0) {
        scene->background = fitting[rng_below(r, n)];
    }
    return n > 0;
}

static void choose_condition(struct scene *scene, struct rng *r)
{
    int left = rng_below(r, 1000);
    for (int i = 0; i < words_number(WORD_CONDITION); i++) {
        if (left >= 0) {
            scene->condition = i;
        }
        left -= words_condition[i].per_mille;
    }
}

/* --- Cards ------------------------------------------------------------------------ */

static gboolean may_show(enum scene_rule rule, enum word_kind kind, int value,
                         int shape)
{
    return rule == SCENE_ANY || !words_held_out(kind, value, shape);
}

/* A value of a kind that may be shown with the shape. */
static int draw_value(enum scene_rule rule, enum word_kind kind, int shape,
                      struct rng *r)
{
    int value;
    do {
        value = rng_below(r, words_number(kind));
    } while (!may_show(rule, kind, value, shape));
    return value;
}

/* Card `position` of an endless row of shuffled decks. The cards are all (kind, colour,
 * shape) that the rule allows, where kind is a pattern or a count. */
static void deal(enum word_kind kind, guint64 seed, guint64 position,
                 enum scene_rule rule, struct card *out)
{
    int shapes = words_number(WORD_SHAPE), colours = words_number(WORD_COLOUR), n = 0;
    g_autofree int *deck = g_new(int, words_number(kind) * colours * shapes);
    for (int i = 0; i < words_number(kind) * colours * shapes; i++) {
        if (may_show(rule, kind, i / shapes / colours, i % shapes)
            && may_show(rule, WORD_COLOUR, i / shapes % colours, i % shapes)) {
            deck[n++] = i;
        }
    }
    struct rng r = rng_new(seed, position / (guint64)n,
                                         PURPOSE_DECK + kind + 10 * (guint64)rule);
    int place = (int)(position % (guint64)n);
    for (int i = 0; i <= place; i++) {
        int other = i + rng_below(&r, n - i), card = deck[other];
        deck[other] = deck[i];
        deck[i] = card;
    }
    int value = deck[place] / shapes / colours;
    *out = (struct card){ .shape = deck[place] % shapes,
                          .colour = deck[place] / shapes % colours,
                          .pattern = kind == WORD_PATTERN ? value : -1,
                          .count = kind == WORD_COUNT ? words_count[value].count : 1 };
}

static int draw_size(enum scene_rule rule, int shape, int room, struct rng *r)
{
    int size = draw_value(rule, WORD_SIZE, shape, r);
    /* Where much is shown, little of it is large. */
    while (words_size[size].largest > .25 && rng_below(r, 6) >= room) {
        size = draw_value(rule, WORD_SIZE, shape, r);
    }
    return size;
}

static void add_objects(struct scene *scene, const struct card *card,
                        enum scene_rule rule, struct rng *r)
{
    if (scene->count + card->count > scene->style.objects) {
        return; /* a count that is cut would be another count */
    }
    for (int i = 0; i < card->count; i++) {
        struct scene_object *o = &scene->objects[scene->count++];
        *o = (struct scene_object){ .shape = card->shape, .colour = card->colour };
        o->pattern = card->pattern >= 0
                         ? card->pattern
                         : draw_value(rule, WORD_PATTERN, card->shape, r);
        o->size = draw_size(rule, card->shape, 7 - 2 * card->count, r);
    }
}

/* Two of five pictures count things, by number and not by chance, or the deck of counts
 * would have gaps. What no arrangement was found for is left out in the end: the
 * extras. */
static void choose_objects(struct scene *scene, guint64 position, int attempt,
                           enum scene_rule rule, struct rng *r)
{
    guint64 round = position / 5, place = position % 5;
    struct card subject;
    if (place < 2 && scene->style.objects > 1) {
        deal(WORD_COUNT, scene->seed, round * 2 + place, rule, &subject);
    } else {
        deal(WORD_PATTERN, scene->seed, round * 3 + place % 3, rule, &subject);
    }
    scene->count = 0;
    if (subject.count > scene->style.objects) {
        subject.count = 1; /* another count might be held out */
    }
    add_objects(scene, &subject, rule, r);
    int extras = rng_chance(r, .4) ? 1 + rng_below(r, MAX(scene->style.objects - 2, 1))
                                     : 0;
    for (int i = 0; i < extras && attempt < 100; i++) {
        struct card extra = { .pattern = -1, .count = 1 };
        extra.shape = rng_below(r, words_number(WORD_SHAPE));
        extra.colour = draw_value(rule, WORD_COLOUR, extra.shape, r);
        add_objects(scene, &extra, rule, r);
    }
}

/* --- Where things stand ----------------------------------------------------------- */

void scene_object_map(gconstpointer data, double *x, double *y)
{
    const struct scene_object *o = data;
    double u = (o->mirrored ? -*x : *x) * o->stretch + o->shear * *y;
    double v = *y / o->stretch;
    double across = u * cos(o->turn) - v * sin(o->turn);
    double down = u * sin(o->turn) + v * cos(o->turn);
    double farther = 1 + o->tilt_x * across + o->tilt_y * down;
    *x = o->x + o->radius * across / farther;
    *y = o->y + o->radius * down / farther;
}

static void choose_pose(struct scene_object *o, double scale, struct rng *r)
{
    const struct word_size *size = &words_size[o->size];
    double turn = words_shape[o->shape].turn_deg * G_PI / 180;
    o->radius = scale * rng_between(r, size->smallest, size->largest);
    o->turn = rng_between(r, -turn, turn);
    o->pattern_turn = rng_between(r, -G_PI, G_PI);
    o->stretch = rng_between(r, .95, 1.05);
    o->shear = rng_between(r, -.07, .07);
    o->tilt_x = rng_between(r, -.1, .1);
    o->tilt_y = rng_between(r, -.1, .1);
    o->mirrored = rng_chance(r, .5);
}

/* Like colours stand apart, or their outlines would melt into one. */
static gboolean stands_free(const struct scene_object *o,
                            const struct scene_object *other)
{
    double apart = hypot(o->x - other->x, o->y - other->y);
    double least = o->colour == other->colour ? 1.12 : .72;
    return apart > least * (o->radius + other->radius);
}

static gboolean place(struct scene *scene, int index, struct rng *r)
{
    struct scene_object *o = &scene->objects[index];
    for (int tries = 0; tries < 40; tries++) {
        double edge = .85 * o->radius;
        gboolean free = TRUE;
        o->x = rng_between(r, edge, 1 - edge);
        o->y = rng_between(r, edge, 1 - edge);
        for (int i = 0; i < index && free; i++) {
            free = stands_free(o, &scene->objects[i]);
        }
        if (free) {
            return TRUE;
        }
    }
    return FALSE;
}

#define MASK_SIDE 180  /* of a mask that shows -1/4 … 5/4 of the picture */

static void stamp(cairo_surface_t *mask, const struct scene_object *o)
{
    cairo_t *cr = cairo_create(mask);
    cairo_set_operator(cr, CAIRO_OPERATOR_CLEAR);
    cairo_paint(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
    cairo_scale(cr, MASK_SIDE / 1.5, MASK_SIDE / 1.5);
    cairo_translate(cr, .25, .25);
    path_trace(cr, words_shape[o->shape].outline, scene_object_map, o);
    cairo_fill(cr);
    cairo_destroy(cr);
    cairo_surface_flush(mask);
}

/* Fills `seen` of every object, by painting their outlines over one another. */
static void measure_seen(struct scene *scene)
{
    cairo_surface_t *mask =
        cairo_image_surface_create(CAIRO_FORMAT_A8, MASK_SIDE, MASK_SIDE);
    const int stride = cairo_image_surface_get_stride(mask), edge = MASK_SIDE / 6;
    g_autofree gint8 *owner = g_malloc(MASK_SIDE * MASK_SIDE);
    int whole[SCENE_MAX_OBJECTS] = { 0 }, seen[SCENE_MAX_OBJECTS] = { 0 };
    memset(owner, -1, MASK_SIDE * MASK_SIDE);
    for (int i = 0; i < scene->count; i++) {
        stamp(mask, &scene->objects[i]);
        const guint8 *covered = cairo_image_surface_get_data(mask);
        for (int p = 0; p < MASK_SIDE * MASK_SIDE; p++) {
            if (covered[p / MASK_SIDE * stride + p % MASK_SIDE] > 127) {
                owner[p] = (gint8)i;
                whole[i]++;
            }
        }
    }
    for (int y = edge; y < MASK_SIDE - edge; y++) {
        for (int x = edge; x < MASK_SIDE - edge; x++) {
            int i = owner[y * MASK_SIDE + x];
            if (i >= 0) {
                seen[i]++;
            }
        }
    }
    for (int i = 0; i < scene->count; i++) {
        scene->objects[i].seen = (double)seen[i] / whole[i];
    }
    cairo_surface_destroy(mask);
}

static gboolean arrange(struct scene *scene, struct rng *r)
{
    for (int i = 0; i < scene->count; i++) { /* no order tells what was dealt first */
        int other = i + rng_below(r, scene->count - i);
        struct scene_object o = scene->objects[other];
        scene->objects[other] = scene->objects[i];
        scene->objects[i] = o;
    }
    for (int i = 0; i < scene->count; i++) {
        choose_pose(&scene->objects[i], scene->style.scale, r);
        if (!place(scene, i, r)) {
            return FALSE;
        }
    }
    measure_seen(scene);
    for (int i = 0; i < scene->count; i++) {
        if (scene->objects[i].seen < SCENE_LEAST_SEEN) {
            return FALSE;
        }
    }
    return TRUE;
}

/* --- The plan --------------------------------------------------------------------- */

gboolean scene_plan(struct scene *scene, guint64 seed, guint64 number, guint64 position,
                    enum scene_rule rule, const struct scene_style *style)
{
    *scene = (struct scene){ .seed = seed, .number = number, .style = *style };
    for (int attempt = 0; attempt < 400; attempt++) {
        struct rng r = rng_new(seed, number, PURPOSE_ATTEMPT + (guint64)attempt);
        choose_objects(scene, position, attempt, rule, &r);
        choose_condition(scene, &r);
        if ((rule == SCENE_ANY || !shows_held_out(scene))
            && choose_background(scene, &r) && arrange(scene, &r)) {
            return TRUE;
        }
    }
    return FALSE;
}
