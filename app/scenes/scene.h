/* What one picture shows: the description from which it is painted and labelled.
 *
 * Lengths are parts of the picture's side, from the top left corner, so a scene is
 * the same at every size. Everything depends on the seed, the picture's number and
 * its place in the split only. All functions may be called from any thread. */
#pragma once

#include "app/scenes/path.h"
#include "app/scenes/words.h"

G_BEGIN_DECLS

#define SCENE_VERSION 2      /* another version draws other scenes from the same seed */
#define SCENE_MAX_OBJECTS 6
#define SCENE_LEAST_SEEN .6  /* of every object: what is covered more is not drawn, so
                              * that no label is a matter of opinion */

enum scene_rule {
    SCENE_ANY,       /* every combination may be shown */
    SCENE_SEEN_ONLY, /* none that is held out, neither as an object nor by number */
};

struct scene_object {
    int shape, colour, pattern, size; /* of words.h */
    double x, y, radius;
    double turn, pattern_turn;        /* radians */
    double stretch, shear;            /* 1 and 0: as in words.def */
    double tilt_x, tilt_y;            /* perspective: how much farther one side is */
    gboolean mirrored;
    double seen;                      /* part of its area inside and uncovered */
};

/* How hard pictures are. */
struct scene_style {
    int objects;   /* at most so many things, 1 … SCENE_MAX_OBJECTS */
    double scale;  /* things are so many times as large, SCENE_MIN_SCALE … SCENE_MAX_SCALE */
};
#define SCENE_MIN_SCALE .5
#define SCENE_MAX_SCALE 1.25
#define SCENE_USUAL_STYLE ((struct scene_style){ 3, 1 })

/* Objects stand in the order in which they are painted. */
struct scene {
    guint64 seed, number;
    struct scene_style style;
    int background, condition, count;
    struct scene_object objects[SCENE_MAX_OBJECTS];
};

/* `position` is the picture's place among those of its rule; subjects are dealt from
 * a shuffled deck by it, so that rare labels are as frequent as they can be. FALSE
 * when no arrangement was found, which the tests show not to happen with these
 * words. */
gboolean scene_plan(struct scene *scene, guint64 seed, guint64 number, guint64 position,
                    enum scene_rule rule, const struct scene_style *style);
gboolean scene_label_true(const struct scene *scene, const struct scene_label *label);
/* Whether things of this colour stand out from the background. */
gboolean scene_colour_fits(int colour, int background);
/* A path_map: from the box of words.def to the picture. data: a struct scene_object. */
void scene_object_map(gconstpointer data, double *x, double *y);

G_END_DECLS
