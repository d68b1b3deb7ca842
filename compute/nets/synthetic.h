/* Full-size networks whose weights are made by formula (formula.h), without a file: for
 * benchmarks and for tests, where only sizes and repeatable values matter. */
#ifndef TAGLIGHT_COMPUTE_SYNTHETIC_H
#define TAGLIGHT_COMPUTE_SYNTHETIC_H

#include "compute/weights/weights.h"

/* The checkpoint of that kind, under canonical names: tresnet_m, tresnet_l, tresnet_xl,
 * tresnet_v2_l, mldecoder_xl, tresnet_demo (1000 labels), mldecoder_zsl, mldecoder_zsl_l,
 * mldecoder_zsl300 (heads alone), clip_vitb32, clip_vitb32_text, clip_vitb32_image,
 * clip_rn50_image, clip_decoder_m, clip_decoder_l (TResNet, head and text) and demo (a
 * small CLIP-Decoder). NN_ERROR_INVALID for another name. Values are made when they are
 * read, so an opened checkpoint holds only its list of tensors. */
enum nn_status synthetic_open(struct weights **out, const char *kind,
                              struct nn_error *error);

#endif
