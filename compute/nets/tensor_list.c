#include "compute/nets/tensor_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tensor_put(struct tensor_list *list, const char *name, int rank, ...)
{
    if (list->n == list->room && !list->failed) {
        size_t room = list->room ? 2 * list->room : 512;
        void *grown = realloc(list->tensors, room * sizeof *list->tensors);
        list->failed = !grown;
        list->tensors = grown ? grown : list->tensors;
        list->room = grown ? room : list->room;
    }
    char *copy = list->failed ? NULL : malloc(strlen(name) + 1);
    if (!copy) {
        list->failed = true;
        return;
    }
    struct weights_tensor *t = &list->tensors[list->n++];
    *t = (struct weights_tensor){ .name = strcpy(copy, name), .rank = rank };
    va_list args;
    va_start(args, rank);
    for (int i = 0; i < rank; i++) {
        t->shape[i] = va_arg(args, uint32_t);
    }
    va_end(args);
}

void tensor_list_clear(struct tensor_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free((char *)list->tensors[i].name);
    }
    free(list->tensors);
}

struct name { char text[160]; };

/* By value, so that it lives to the end of the expression that it stands in. */
static struct name join(const char *a, const char *b)
{
    struct name out;
    snprintf(out.text, sizeof out.text, "%s%s", a, b);
    return out;
}

static void put_norm(struct tensor_list *list, const char *prefix, uint32_t n)
{
    tensor_put(list, join(prefix, ".weight").text, 1, n);
    tensor_put(list, join(prefix, ".bias").text, 1, n);
}

static void put_batch_norm(struct tensor_list *list, const char *prefix, uint32_t n)
{
    put_norm(list, prefix, n);
    tensor_put(list, join(prefix, ".running_mean").text, 1, n);
    tensor_put(list, join(prefix, ".running_var").text, 1, n);
}

void tensor_linear(struct tensor_list *list, const char *prefix, uint32_t in, uint32_t out)
{
    tensor_put(list, join(prefix, ".weight").text, 2, out, in);
    tensor_put(list, join(prefix, ".bias").text, 1, out);
}

/* --- TResNet ---------------------------------------------------------------------- */

static void put_unit(struct tensor_list *list, const char *prefix, uint32_t in,
                     uint32_t out, uint32_t k)
{
    tensor_put(list, join(prefix, ".conv.weight").text, 4, out, in, k, k);
    put_batch_norm(list, join(prefix, ".bn").text, out);
}

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void put_se(struct tensor_list *list, const char *block, uint32_t channels,
                   uint32_t reduced)
{
    tensor_put(list, join(block, ".se.fc1.weight").text, 4, reduced, channels, 1u, 1u);
    tensor_put(list, join(block, ".se.fc1.bias").text, 1, reduced);
    tensor_put(list, join(block, ".se.fc2.weight").text, 4, channels, reduced, 1u, 1u);
    tensor_put(list, join(block, ".se.fc2.bias").text, 1, channels);
}

uint32_t tensor_list_tresnet(struct tensor_list *list, uint32_t width,
                             const uint32_t blocks[4], bool all_bottleneck)
{
    uint32_t in = width;
    put_unit(list, "body.conv1", 48, width, 3);
    for (uint32_t s = 0; s < 4; s++) {
        bool bottleneck = all_bottleneck || s >= 2;
        uint32_t planes = width << s, out = bottleneck ? 4 * planes : planes;
        for (uint32_t b = 0; b < blocks[s]; b++) {
            char block[64], shortcut[96];
            snprintf(block, sizeof block, "body.layer%u.%u", s + 1, b);
            snprintf(shortcut, sizeof shortcut, "%s.downsample.%d", block, s > 0);
            put_unit(list, join(block, ".conv1").text, in, planes, bottleneck ? 1 : 3);
            put_unit(list, join(block, ".conv2").text, planes, planes, 3);
            if (bottleneck) {
                put_unit(list, join(block, ".conv3").text, planes, out, 1);
            }
            if (s < 3) {
                uint32_t reduced = bottleneck ? planes / 2 : planes / 4;
                put_se(list, block, planes, max(reduced, 64));
            }
            if (b == 0 && (s > 0 || in != out)) {
                put_unit(list, shortcut, in, out, 1);
            }
            in = out;
        }
    }
    return in;
}

/* --- ML-Decoder, zero-shot -------------------------------------------------------- */

void tensor_list_head(struct tensor_list *list, uint32_t features, uint32_t d,
                      uint32_t hidden, uint32_t text)
{
    const char *layer = "head.decoder.layers.0";
    tensor_linear(list, "head.decoder.embed_standart", features, d);
    tensor_linear(list, "head.wordvec_proj", text, d);
    for (int i = 1; i <= 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.norm%d", layer, i);
        put_norm(list, name, d);
    }
    tensor_put(list, join(layer, ".multihead_attn.in_proj_weight").text, 2, 3 * d, d);
    tensor_put(list, join(layer, ".multihead_attn.in_proj_bias").text, 1, 3 * d);
    tensor_linear(list, join(layer, ".multihead_attn.out_proj").text, d, d);
    tensor_linear(list, join(layer, ".linear1").text, d, hidden);
    tensor_linear(list, join(layer, ".linear2").text, hidden, d);
    tensor_put(list, "head.decoder.duplicate_pooling", 2, d, 1u);
    tensor_put(list, "head.decoder.duplicate_pooling_bias", 1, 1u);
}

/* --- CLIP ------------------------------------------------------------------------- */

static void put_blocks(struct tensor_list *list, const char *prefix, uint32_t w,
                       uint32_t layers)
{
    for (uint32_t i = 0; i < layers; i++) {
        char block[96];
        snprintf(block, sizeof block, "%s.resblocks.%u", prefix, i);
        put_norm(list, join(block, ".ln_1").text, w);
        tensor_put(list, join(block, ".attn.in_proj_weight").text, 2, 3 * w, w);
        tensor_put(list, join(block, ".attn.in_proj_bias").text, 1, 3 * w);
        tensor_linear(list, join(block, ".attn.out_proj").text, w, w);
        put_norm(list, join(block, ".ln_2").text, w);
        tensor_linear(list, join(block, ".mlp.c_fc").text, w, 4 * w);
        tensor_linear(list, join(block, ".mlp.c_proj").text, 4 * w, w);
    }
}

void tensor_list_text(struct tensor_list *list, uint32_t w, uint32_t layers,
                      uint32_t context, uint32_t vocabulary, uint32_t embedding)
{
    tensor_put(list, "token_embedding.weight", 2, vocabulary, w);
    tensor_put(list, "positional_embedding", 2, context, w);
    put_blocks(list, "transformer", w, layers);
    put_norm(list, "ln_final", w);
    tensor_put(list, "text_projection", 2, w, embedding);
    tensor_put(list, "logit_scale", 0);
}

void tensor_list_vit(struct tensor_list *list, uint32_t w, uint32_t layers, uint32_t patch,
                     uint32_t tokens, uint32_t embedding)
{
    tensor_put(list, "visual.conv1.weight", 4, w, 3u, patch, patch);
    tensor_put(list, "visual.class_embedding", 1, w);
    tensor_put(list, "visual.positional_embedding", 2, tokens, w);
    put_norm(list, "visual.ln_pre", w);
    put_blocks(list, "visual.transformer", w, layers);
    put_norm(list, "visual.ln_post", w);
    tensor_put(list, "visual.proj", 2, w, embedding);
}

void tensor_list_resnet(struct tensor_list *list, const uint32_t blocks[4], uint32_t w,
                        uint32_t tokens, uint32_t embedding)
{
    uint32_t half = w / 2, in = w;
    const uint32_t stem[3][2] = { { 3, half }, { half, half }, { half, w } };
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "visual.conv%d.weight", i + 1);
        tensor_put(list, name, 4, stem[i][1], stem[i][0], 3u, 3u);
        snprintf(name, sizeof name, "visual.bn%d", i + 1);
        put_batch_norm(list, name, stem[i][1]);
    }
    for (uint32_t s = 0; s < 4; s++) {
        uint32_t planes = w << s;
        for (uint32_t b = 0; b < blocks[s]; b++) {
            char block[64];
            snprintf(block, sizeof block, "visual.layer%u.%u", s + 1, b);
            tensor_put(list, join(block, ".conv1.weight").text, 4, planes, in, 1u, 1u);
            put_batch_norm(list, join(block, ".bn1").text, planes);
            tensor_put(list, join(block, ".conv2.weight").text, 4, planes, planes, 3u, 3u);
            put_batch_norm(list, join(block, ".bn2").text, planes);
            tensor_put(list, join(block, ".conv3.weight").text, 4, 4 * planes, planes, 1u,
                       1u);
            put_batch_norm(list, join(block, ".bn3").text, 4 * planes);
            if (b == 0) {
                tensor_put(list, join(block, ".downsample.0.weight").text, 4, 4 * planes,
                           in, 1u, 1u);
                put_batch_norm(list, join(block, ".downsample.1").text, 4 * planes);
            }
            in = 4 * planes;
        }
    }
    tensor_put(list, "visual.attnpool.positional_embedding", 2, tokens, in);
    tensor_linear(list, "visual.attnpool.q_proj", in, in);
    tensor_linear(list, "visual.attnpool.k_proj", in, in);
    tensor_linear(list, "visual.attnpool.v_proj", in, in);
    tensor_linear(list, "visual.attnpool.c_proj", in, embedding);
}
