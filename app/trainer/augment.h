/* Changes to a training picture that its labels survive.
 *
 * All arithmetic is on bytes and every choice comes from the given random numbers, so a
 * picture comes out the same whatever thread makes it. docs/training.md describes every
 * operation. */
#pragma once

#include "app/random/rng.h"

G_BEGIN_DECLS

enum augment_kinds {
    AUGMENT_FLIP = 1,    /* left and right exchanged, every second time */
    AUGMENT_CUTOUT = 2,  /* a rectangle of one colour, half as wide and high */
    AUGMENT_SHAPE = 4,   /* RandAugment: rotate, shear, translate */
    AUGMENT_COLOUR = 8,  /* RandAugment: brightness, contrast, saturation, sharpness,
                          * autocontrast, posterize */
};

struct augment {
    guint kinds;         /* of enum augment_kinds */
    guint operations;    /* that RandAugment applies one after another */
    double magnitude;    /* of them, 0..10 */
};

/* Parses "flip,cutout,shape,colour" or "none". */
gboolean augment_parse(const char *text, guint *kinds);
/* rgb: [side,side,3], changed in place. */
void augment_apply(const struct augment *a, guint8 *rgb, int side, struct rng *r);

/* --- Single operations, level 0..1 --------------------------------------------------- */

void augment_flip(guint8 *rgb, int side);
void augment_cutout(guint8 *rgb, int side, struct rng *r);

enum augment_operation {
    AUGMENT_ROTATE, AUGMENT_SHEAR_X, AUGMENT_SHEAR_Y, AUGMENT_TRANSLATE_X,
    AUGMENT_TRANSLATE_Y,
    AUGMENT_BRIGHTNESS, AUGMENT_CONTRAST, AUGMENT_SATURATION, AUGMENT_SHARPNESS,
    AUGMENT_AUTOCONTRAST, AUGMENT_POSTERIZE,
    AUGMENT_OPERATIONS,
};
/* level -1..1; its sign is the direction where there is one. */
void augment_operate(enum augment_operation operation, double level, guint8 *rgb, int side);

G_END_DECLS
