/* Tagging into the decision database: what a model says of each image is kept as a proposal,
 * apart from decisions.
 *
 * An image is done for a model when the database has its confidence for every label asked
 * about, each with its prompt; what is done is not done again, so a job that was killed goes
 * on where it was by being run once more. Results are written in transactions of at most 64
 * images or 200 ms, and count as done when they are on the disk. A job uses its model and
 * its connections on the thread that runs it. */
#pragma once

#include "app/store/store.h"
#include "app/tagger/tag_model.h"
#include "app/tagger/tagger.h"

G_BEGIN_DECLS

/* Counts of images. `done` of `total` are dealt with and on the disk, if they were to be. */
struct tag_job_stats {
    guint total, done;
    guint tagged;    /* now */
    guint before;    /* were done before */
    guint elsewhere; /* belong to other shards */
    guint broken;    /* cannot be read */
    guint accepted;  /* decisions that --accept-above made, no images */
    struct tagger_stats run;
};

struct tag_job_params {
    const struct tag_model *model;
    const char *db;           /* made when missing */
    guint jobs;               /* decoding threads; 0: one less than cores, at least one */
    guint shard, shards;      /* only the images of shard `shard` of 1..shards, by their
                               * content; shards 0: all */
    gboolean again;           /* also what is done, in place of what was said */
    double accept_above;      /* from this confidence on the model accepts; below 0: never */
    const gint *stop;         /* set by a signal or another thread: the batch at hand is
                               * the last; or NULL */
    gboolean show_known;      /* give `show` the images that were done before, too */
    /* The results of an image [labels], or its error, in the order of the paths; may be
     * NULL. They may not be on the disk yet. FALSE with an error ends the run. */
    gboolean (*show)(const char *path, const float *confidence, const GError *failure,
                     gpointer data, GError **error);
    /* Something was done. May be NULL. */
    void (*progress)(const struct tag_job_stats *stats, gpointer data);
    gpointer data;
};

typedef struct tag_job tag_job;

/* What labels (of char *) ask by what is written in the database `db`: *out as
 * tag_model_set_labels takes it, NULL where there is no such file, or no file is named. */
gboolean tag_job_wordings(const char *db, const GPtrArray *labels, GPtrArray **out,
                          GError **error);

/* Opens the database and puts the labels there. `params` is copied, what it points to is
 * borrowed. */
tag_job *tag_job_new(const struct tag_job_params *params, GError **error);
/* Tags `paths` (of char *). Can be called again with others. A broken image is no error.
 * `stats` is filled in any case. */
gboolean tag_job_run(tag_job *job, const GPtrArray *paths, struct tag_job_stats *stats,
                     GError **error);
/* The connection that writes; for the thread of the job. Borrowed. */
store *tag_job_store(tag_job *job);
void tag_job_free(tag_job *job);

/* Which shard of 1..shards an image belongs to: by the first 64 bits of its content's hash,
 * so that it is the same on every machine. */
guint tag_job_shard(const char *hash, guint shards);

/* The whole of it on a thread of its own, for a window: opens the model, tags the images
 * below `folder` for `labels` (of char *) into `db`. Everything is copied. */
struct tag_task_params {
    struct tag_model_params model;
    const char *db, *folder;
    const GPtrArray *labels;
    gboolean recursive, again;
    double accept_above;      /* below 0: never */
    /* Called on the main context that was the default at the start, at most ten times a
     * second; may be NULL. */
    void (*progress)(const struct tag_job_stats *stats, gpointer data);
    gpointer data;
};
/* Cancelling ends it after the images at hand; what was done until then is kept, and the
 * result is G_IO_ERROR_CANCELLED. */
void tag_task_run_async(const struct tag_task_params *params, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data);
/* `stats`, which may be NULL, is filled when it ended well. */
gboolean tag_task_run_finish(GAsyncResult *result, struct tag_job_stats *stats,
                             GError **error);

G_END_DECLS
