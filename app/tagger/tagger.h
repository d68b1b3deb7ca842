/* From image files to confidences: decoders ahead of the device, batches of what is
 * ready, results in the order of the paths. */
#pragma once

#include "app/engine/token_cache.h"
#include "app/tagger/decode_queue.h"
#include "compute/nets/model.h"

G_BEGIN_DECLS

struct tagger_stats {
    guint tagged, broken;
    guint skipped;          /* of which nothing was wanted */
    guint cached;           /* of the tagged ones, whose tokens were known */
    double seconds;         /* from the first decode to the last result */
    double decode_seconds;  /* of all decoders together */
    double wait_seconds;    /* in which the device waited for an image */
    double device_seconds;  /* of the image encoder and the head */
    guint jobs;
};

/* One image: tokens [T,width] and confidences [n_labels], or the error of its file, or
 * neither when nothing was wanted of it. */
struct tagger_item {
    const char *path;
    const struct identity *identity; /* its hash is NULL when nobody asked for it */
    const float *tokens, *confidence;
    const GError *error;
};

/* Takes the results of one batch; FALSE with an error ends the run. */
typedef gboolean (*tagger_batch)(const struct tagger_item *items, guint n,
                                 const struct tagger_stats *stats, gpointer data,
                                 GError **error);

struct tagger_params {
    const struct model *model;
    struct session *session;
    const float *embeddings;   /* F32 [n_labels,embedding]; NULL for a fixed head */
    guint n_labels;            /* 0: for the tokens alone */
    token_cache *cache;        /* of the session's keys; NULL for none. The run's own
                                * while it lasts */
    guint jobs;                /* decoding threads; 0: one less than cores, at least one */
    const gint *stop;          /* set by a signal: the batch at hand is the last; or NULL */
    /* Finds what an image is; FALSE when nothing is wanted of it. Called from the decoding
     * threads; a hash that it leaves NULL is no error. May be NULL. */
    gboolean (*look)(const char *path, GCancellable *cancellable, struct identity *out,
                     gpointer data);
    tagger_batch put;          /* called on this thread */
    gpointer data;
};

/* Runs over `paths` (of char *). FALSE when the device or `put` failed; a broken file is
 * a result. `stats` is filled in any case. */
gboolean tagger_run(const struct tagger_params *params, const GPtrArray *paths,
                    struct tagger_stats *stats, GError **error);

/* How images become what the model's network gets. */
struct img_preprocess tagger_preprocess(const struct model_info *info);

G_END_DECLS
