/* Shared by model.c, bundle.c and session.c. */
#ifndef TAGLIGHT_COMPUTE_MODEL_PRIVATE_H
#define TAGLIGHT_COMPUTE_MODEL_PRIVATE_H

#include "compute/nets/nets.h"
#include "compute/text/tokenizer.h"

struct model {
    struct model_info info;
    struct model_settings settings;
    struct state *state;
    struct tokenizer *tokenizer;
    struct weights_label *labels; /* of a bundle; a checkpoint's own are in its file */
    size_t n_labels;
    struct tresnet tresnet;
    struct mldecoder head;
    struct clip_text text;
    struct clip_vit vit;
    struct clip_resnet resnet;
};

/* What model.json says; read before the weights. */
struct bundle {
    char *weights_path, *tokenizer_path; /* the second may be NULL */
    bool has_preprocess;
};

/* Fills settings, name, licence, labels, preprocessing of `model` from DIR/model.json. */
enum nn_status bundle_read(struct model *model, struct bundle *bundle, const char *dir,
                           struct nn_error *error);
void bundle_clear(struct bundle *bundle);

/* The part of a forward graph from an image to the head's rows; see session.c. */
nn_id model_build_image(struct nn_graph *graph, const struct model *model, nn_id image);

#endif
