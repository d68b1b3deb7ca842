/* Networks to be trained from nothing: a configuration, and random weights for it. */
#ifndef TAGLIGHT_COMPUTE_INIT_H
#define TAGLIGHT_COMPUTE_INIT_H

#include "compute/nets/state.h"

#define NETWORK_TEMPERATURE 2.6592600369327783 /* log(1 / 0.07), as CLIP's */

/* Sizes of a CLIP-Decoder: TResNet, zero-shot ML-Decoder, CLIP text encoder. */
struct network_config {
    uint32_t layers[4];      /* blocks of the TResNet's stages, 1 to 64 each */
    double width_factor;     /* 1 is 64 channels in the stem */
    bool v2;                 /* bottlenecks in all stages, not in the last two alone */
    uint32_t decoder_width;  /* a multiple of 8, the decoder's heads */
    uint32_t decoder_hidden; /* of its feed-forward part; 0 for the published 2048 */
    uint32_t label_width;    /* of a label embedding: what the text encoder gives */
    uint32_t text_context;   /* most tokens of a prompt */
    uint32_t text_width, text_layers, text_heads;
    uint32_t vocabulary;
    uint32_t align_width;    /* of the contrastive loss's common space; 0 for none */
    double temperature;      /* of that space, a logarithm: similarities are multiplied by its
                              * exponential. NETWORK_TEMPERATURE when it is left out; the
                              * published 0.1 leaves the loss next to no gradient */
    uint32_t auxiliary;      /* classes of a classifier for training only; not of a file */
    uint32_t image_size;     /* side of the images in pixels, a multiple of 4 */
};

/* Reads a JSON object whose members are called as the fields; decoder_hidden, v2,
 * align_width and temperature may be left out. Anything else, and sizes that make no network, are
 * refused with the file and the member in the message. */
enum nn_status network_config_read(struct network_config *out, const char *path,
                                   struct nn_error *error);

/* A state with fresh random weights, equal for equal configurations and seeds:
 * convolutions after He, with a zero weight in the last norm of each block; the head so that
 * its layers keep the size of their inputs, after He; the text encoder as OpenAI's; align.W_i and align.W_j normal and
 * divided by the root of their inputs, align.temperature as the configuration has it. Nothing is stored: values
 * are made when they are read. */
enum nn_status state_create_random(struct state **out, const struct network_config *config,
                                   uint64_t seed, struct nn_error *error);

#endif
