/* A model made ready to tag with: on its device, with its cache and the embeddings of the
 * labels it is asked about. One thread at a time. */
#pragma once

#include "app/engine/token_cache.h"
#include "compute/nets/model.h"

#include <gio/gio.h>

G_BEGIN_DECLS

struct tag_model_params {
    const char *path;      /* bundle or checkpoint */
    const char *device;    /* index or part of a name; NULL for the best */
    const char *cache_dir; /* of compiled kernels */
    enum gpu_precision precision;
    gboolean no_cache;     /* neither use nor keep image tokens and embeddings */
};

struct tag_model {
    struct model *model;
    struct session *session;
    token_cache *cache;  /* NULL without one */
    char *mark;          /* store_model_mark */
    GPtrArray *labels;   /* of char * */
    GPtrArray *prompts;  /* of char *: keys of their expressions; "" for the labels of a
                          * fixed head */
    float *embeddings;   /* F32 [labels,embedding]; NULL for a fixed head */
};

/* *m is to be cleared in any case. */
gboolean tag_model_open(struct tag_model *m, const struct tag_model_params *params,
                        GError **error);
/* Sets the labels (of char *, copied) and encodes what they ask; a fixed head has its own
 * and takes no others. wordings: by label its prompt expression or NULL for the label
 * itself; NULL: of all. `warn`, which may be NULL, is told what a person should know. */
gboolean tag_model_set_labels(struct tag_model *m, const GPtrArray *labels,
                              const GPtrArray *wordings, void (*warn)(const char *text),
                              GError **error);
void tag_model_clear(struct tag_model *m);

G_END_DECLS
