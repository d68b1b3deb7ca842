/* A folder of drawn pictures with everything that is true of them:
 *
 *   images/000001.jpg …   the pictures
 *   labels.json           COCO labels: a category a label, an annotation for each
 *                         label that is true
 *   labels.csv            a row for each picture, a column for each label, 0 or 1
 *   labels_SPLIT.json, labels_SPLIT.csv   the same of each split, where there are any
 *   vocabulary.txt        all labels; seen.txt and unseen.txt: the two parts of it
 *   scenes.jsonl          what was drawn, a line for each picture
 */
#pragma once

#include "app/scenes/scene.h"

G_BEGIN_DECLS

struct dataset_options {
    const char *out;     /* missing, or an empty folder */
    int count, side, jobs;
    struct scene_style style;
    guint64 seed;
    /* Parts of 1 of train, val and test in this order; all 0: no splits. Pictures of
     * train and val never show what is held out, those of test show anything. */
    double split[3];
    gboolean held_out;   /* without splits: as train */
    gboolean progress;   /* a line on standard error that counts */
};

/* Everything is written to a folder beside `out` that takes its place at the end, so a
 * run that was cut short leaves no `out`. After an error that folder is removed. */
gboolean dataset_write(const struct dataset_options *options, GError **error);

G_END_DECLS
