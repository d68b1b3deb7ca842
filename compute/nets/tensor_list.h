/* The tensors that make up a network of given sizes, under canonical names: what a
 * checkpoint without a file (weights_make) is made of. */
#ifndef TAGLIGHT_COMPUTE_TENSOR_LIST_H
#define TAGLIGHT_COMPUTE_TENSOR_LIST_H

#include "compute/weights/weights.h"

/* Begins as zeros. The names are its own; a failure to grow is kept. */
struct tensor_list {
    struct weights_tensor *tensors;
    size_t n, room;
    bool failed;
};

/* `rank` dimensions follow, each a uint32_t. */
void tensor_put(struct tensor_list *list, const char *name, int rank, ...);
/* prefix.weight [out,in] and prefix.bias. */
void tensor_linear(struct tensor_list *list, const char *prefix, uint32_t in,
                        uint32_t out);
void tensor_list_clear(struct tensor_list *list);

/* A TResNet without a head; of its stages the last two or all are bottlenecks. Returns the
 * channels of its last map. */
uint32_t tensor_list_tresnet(struct tensor_list *list, uint32_t width,
                             const uint32_t blocks[4], bool all_bottleneck);
/* A zero-shot ML-Decoder of width d for image rows of `features` and label embeddings of
 * `text` values. */
void tensor_list_head(struct tensor_list *list, uint32_t features, uint32_t d,
                      uint32_t hidden, uint32_t text);
/* CLIP's text encoder and its two image encoders. */
void tensor_list_text(struct tensor_list *list, uint32_t w, uint32_t layers,
                      uint32_t context, uint32_t vocabulary, uint32_t embedding);
void tensor_list_vit(struct tensor_list *list, uint32_t w, uint32_t layers, uint32_t patch,
                     uint32_t tokens, uint32_t embedding);
void tensor_list_resnet(struct tensor_list *list, const uint32_t blocks[4], uint32_t w,
                        uint32_t tokens, uint32_t embedding);

#endif
