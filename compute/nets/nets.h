/* The networks: for each a configuration read off the shapes of a state, and a builder
 * that adds it to a graph with its intermediates as named outputs. Adding a network is a
 * file beside these and a part kind in model.h. */
#ifndef TAGLIGHT_COMPUTE_NETS_H
#define TAGLIGHT_COMPUTE_NETS_H

#include "compute/nets/model.h"
#include "compute/nets/state.h"

/* Each detect function: false when the state does not hold that network. Faults inside a
 * network are recorded in the graph by its builder. */

/* --- TResNet (Ridnik et al., arXiv 2003.13630; Alibaba-MIIL/TResNet) ---------------- */

struct tresnet {
    uint32_t width;        /* channels of the stem */
    uint32_t blocks[4];
    bool bottleneck[4];
    uint32_t channels;     /* of layer4 */
    uint32_t classes;      /* of head.fc; 0 without it */
    float stem_slope, slope;
};

bool tresnet_detect(struct tresnet *out, const struct state *state,
                    const struct model_settings *settings);
/* image [B,3,H,W], sides multiples of 4 -> layer4 [B,channels,h,w]. */
nn_id tresnet_build(struct nn_graph *graph, const struct state *state,
                    const struct tresnet *net, nn_id image);
/* layer4 -> image.pooled and, with head.fc, image.logits. Returns the last. */
nn_id tresnet_head(struct nn_graph *graph, const struct state *state,
                   const struct tresnet *net, nn_id layer4);

/* --- ML-Decoder (Ridnik et al., arXiv 2111.12933) ----------------------------------- */

struct mldecoder {
    bool zero_shot;
    uint32_t width, features, hidden, heads;
    uint32_t embedding;    /* zero-shot: width of a label embedding */
    uint32_t queries, group, classes; /* fixed labels */
    float dropout;         /* rate while it is trained; 0 at inference */
    nn_id random;          /* what dropout reads (grad.h) */
};

bool mldecoder_detect(struct mldecoder *out, const struct state *state,
                      const struct model_settings *settings);
/* rows [B,T,features] -> head.tokens [B,T,width]. */
nn_id mldecoder_tokens(struct nn_graph *graph, const struct state *state,
                       const struct mldecoder *net, nn_id rows);
/* tokens [B,T,width], labels [N,embedding] (NN_NONE for fixed labels) -> logits [B,N]. */
nn_id mldecoder_logits(struct nn_graph *graph, const struct state *state,
                       const struct mldecoder *net, nn_id tokens, nn_id labels);
/* The same by another order of the sums: keys and values are not projected for each
 * token, but once for each label. Cheaper for few labels, and without the intermediate
 * outputs up to head.attn_out. Zero-shot heads whose width is a multiple of 4 only. */
bool mldecoder_can_absorb(const struct mldecoder *net);
nn_id mldecoder_logits_absorbed(struct nn_graph *graph, const struct state *state,
                                const struct mldecoder *net, nn_id tokens, nn_id labels);

/* --- CLIP (Radford et al., arXiv 2103.00020; openai/CLIP) ---------------------------- */

struct clip_transformer { uint32_t width, layers, heads; enum nn_act act; };

struct clip_text {
    struct clip_transformer transformer;
    uint32_t context, vocabulary, embedding;
};

bool clip_text_detect(struct clip_text *out, const struct state *state,
                      const struct model_settings *settings);
/* ids I32 [N,T], T <= context, eot I32 [N] -> features [N,embedding]. Outputs are called
 * `label` (such as "text") + ".features" and so on, for a graph may hold it twice. */
nn_id clip_text_build(struct nn_graph *graph, const struct state *state,
                      const struct clip_text *net, const char *label, nn_id ids,
                      nn_id eot);
/* The same from the ids' rows of the token table, x [N,T,width]. */
nn_id clip_text_encode(struct nn_graph *graph, const struct state *state,
                       const struct clip_text *net, const char *label, nn_id x,
                       nn_id eot);

struct clip_vit {
    struct clip_transformer transformer;
    uint32_t patch, tokens, embedding; /* tokens with the class token */
};

bool clip_vit_detect(struct clip_vit *out, const struct state *state,
                     const struct model_settings *settings);
/* image [B,3,S,S] -> image.features [B,embedding]. */
nn_id clip_vit_build(struct nn_graph *graph, const struct state *state,
                     const struct clip_vit *net, nn_id image);

struct clip_resnet { uint32_t width, blocks[4], heads, tokens, embedding; };

bool clip_resnet_detect(struct clip_resnet *out, const struct state *state,
                        const struct model_settings *settings);
nn_id clip_resnet_build(struct nn_graph *graph, const struct state *state,
                        const struct clip_resnet *net, nn_id image);

/* Shared by the two transformers: blocks prefix + "%u" over x [B,T,width]; outputs are
 * called `label` + number. */
nn_id clip_blocks(struct nn_graph *graph, const struct state *state,
                  const struct clip_transformer *net, const char *prefix,
                  const char *label, bool causal, nn_id x);
/* layer_norm with <name>.weight and <name>.bias. */
nn_id net_layer_norm(struct nn_graph *graph, const struct state *state, nn_id x,
                     uint32_t width, const char *name);
/* x M for a parameter stored as M [in,out]. */
nn_id net_project(struct nn_graph *graph, const struct state *state, nn_id x,
                  uint32_t in, uint32_t out, const char *name);
nn_id net_batch_norm(struct nn_graph *graph, const struct state *state, nn_id x,
                     uint32_t channels, const char *name);

#endif
