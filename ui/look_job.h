/* What the window of charts asks of the database, on a thread and a connection of its own. */
#pragma once

#include "app/look/look.h"

G_BEGIN_DECLS

typedef struct {
    char *db, *label, *model; /* label, model: as in LookOptions */
    LookView view;
    double threshold;
    gboolean names;           /* only the lists of labels and models are wanted */
    GStrv labels, models;     /* the answer, or: */
    LookTable *table;
} LookJob;

void look_job_free(gpointer job);
/* The thread of a GTask with a job as its data; returns a boolean. */
void look_job_run(GTask *task, gpointer source, gpointer job, GCancellable *cancellable);

G_END_DECLS
