#include "compute/nets/synthetic.h"

#include "compute/nets/formula.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tensors of a network as they are put; the first failure to grow is kept. */
struct list {
    struct weights_tensor *tensors;
    size_t n, room;
    bool failed;
};

static void put(struct list *list, const char *name, int rank, ...)
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

static void list_clear(struct list *list)
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

static void put_norm(struct list *list, const char *prefix, uint32_t n)
{
    put(list, join(prefix, ".weight").text, 1, n);
    put(list, join(prefix, ".bias").text, 1, n);
}

static void put_batch_norm(struct list *list, const char *prefix, uint32_t n)
{
    put_norm(list, prefix, n);
    put(list, join(prefix, ".running_mean").text, 1, n);
    put(list, join(prefix, ".running_var").text, 1, n);
}

static void put_linear(struct list *list, const char *prefix, uint32_t in, uint32_t out)
{
    put(list, join(prefix, ".weight").text, 2, out, in);
    put(list, join(prefix, ".bias").text, 1, out);
}

/* --- TResNet ---------------------------------------------------------------------- */

struct tresnet_kind { const char *name; uint32_t width, blocks[4]; bool bottleneck; };

static const struct tresnet_kind tresnets[] = {
    { "m", 64, { 3, 4, 11, 3 }, false },
    { "l", 76, { 4, 5, 18, 3 }, false },
    { "xl", 83, { 4, 5, 24, 3 }, false },
    { "v2_l", 64, { 3, 4, 23, 3 }, true },
    { "v2_xl", 64, { 3, 8, 34, 5 }, true },
    { "demo", 16, { 1, 1, 2, 1 }, false },
};

static void put_unit(struct list *list, const char *prefix, uint32_t in, uint32_t out,
                     uint32_t k)
{
    put(list, join(prefix, ".conv.weight").text, 4, out, in, k, k);
    put_batch_norm(list, join(prefix, ".bn").text, out);
}

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void put_se(struct list *list, const char *block, uint32_t channels,
                   uint32_t reduced)
{
    put(list, join(block, ".se.fc1.weight").text, 4, reduced, channels, 1u, 1u);
    put(list, join(block, ".se.fc1.bias").text, 1, reduced);
    put(list, join(block, ".se.fc2.weight").text, 4, channels, reduced, 1u, 1u);
    put(list, join(block, ".se.fc2.bias").text, 1, channels);
}

/* Returns the channels of its last map. */
static uint32_t put_tresnet(struct list *list, const char *name, uint32_t classes)
{
    const struct tresnet_kind *t = tresnets;
    while (strcmp(t->name, name) != 0) {
        t++;
    }
    uint32_t in = t->width;
    put_unit(list, "body.conv1", 48, t->width, 3);
    for (uint32_t s = 0; s < 4; s++) {
        bool bottleneck = t->bottleneck || s >= 2;
        uint32_t planes = t->width << s, out = bottleneck ? 4 * planes : planes;
        for (uint32_t b = 0; b < t->blocks[s]; b++) {
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
    if (classes > 0) {
        put_linear(list, "head.fc", in, classes);
    }
    return in;
}

/* --- ML-Decoder, zero-shot -------------------------------------------------------- */

static void put_head(struct list *list, uint32_t features, uint32_t d, uint32_t hidden,
                     uint32_t text)
{
    const char *layer = "head.decoder.layers.0";
    put_linear(list, "head.decoder.embed_standart", features, d);
    put_linear(list, "head.wordvec_proj", text, d);
    for (int i = 1; i <= 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.norm%d", layer, i);
        put_norm(list, name, d);
    }
    put(list, join(layer, ".multihead_attn.in_proj_weight").text, 2, 3 * d, d);
    put(list, join(layer, ".multihead_attn.in_proj_bias").text, 1, 3 * d);
    put_linear(list, join(layer, ".multihead_attn.out_proj").text, d, d);
    put_linear(list, join(layer, ".linear1").text, d, hidden);
    put_linear(list, join(layer, ".linear2").text, hidden, d);
    put(list, "head.decoder.duplicate_pooling", 2, d, 1u);
    put(list, "head.decoder.duplicate_pooling_bias", 1, 1u);
}

/* --- CLIP ------------------------------------------------------------------------- */

static void put_blocks(struct list *list, const char *prefix, uint32_t w,
                       uint32_t layers)
{
    for (uint32_t i = 0; i < layers; i++) {
        char block[96];
        snprintf(block, sizeof block, "%s.resblocks.%u", prefix, i);
        put_norm(list, join(block, ".ln_1").text, w);
        put(list, join(block, ".attn.in_proj_weight").text, 2, 3 * w, w);
        put(list, join(block, ".attn.in_proj_bias").text, 1, 3 * w);
        put_linear(list, join(block, ".attn.out_proj").text, w, w);
        put_norm(list, join(block, ".ln_2").text, w);
        put_linear(list, join(block, ".mlp.c_fc").text, w, 4 * w);
        put_linear(list, join(block, ".mlp.c_proj").text, 4 * w, w);
    }
}

static void put_text(struct list *list, uint32_t w, uint32_t layers, uint32_t context,
                     uint32_t vocabulary, uint32_t embedding)
{
    put(list, "token_embedding.weight", 2, vocabulary, w);
    put(list, "positional_embedding", 2, context, w);
    put_blocks(list, "transformer", w, layers);
    put_norm(list, "ln_final", w);
    put(list, "text_projection", 2, w, embedding);
    put(list, "logit_scale", 0);
}

static void put_vit(struct list *list, uint32_t w, uint32_t layers, uint32_t patch,
                    uint32_t tokens, uint32_t embedding)
{
    put(list, "visual.conv1.weight", 4, w, 3u, patch, patch);
    put(list, "visual.class_embedding", 1, w);
    put(list, "visual.positional_embedding", 2, tokens, w);
    put_norm(list, "visual.ln_pre", w);
    put_blocks(list, "visual.transformer", w, layers);
    put_norm(list, "visual.ln_post", w);
    put(list, "visual.proj", 2, w, embedding);
}

static void put_resnet(struct list *list, const uint32_t blocks[4], uint32_t w,
                       uint32_t tokens, uint32_t embedding)
{
    uint32_t half = w / 2, in = w;
    const uint32_t stem[3][2] = { { 3, half }, { half, half }, { half, w } };
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "visual.conv%d.weight", i + 1);
        put(list, name, 4, stem[i][1], stem[i][0], 3u, 3u);
        snprintf(name, sizeof name, "visual.bn%d", i + 1);
        put_batch_norm(list, name, stem[i][1]);
    }
    for (uint32_t s = 0; s < 4; s++) {
        uint32_t planes = w << s;
        for (uint32_t b = 0; b < blocks[s]; b++) {
            char block[64];
            snprintf(block, sizeof block, "visual.layer%u.%u", s + 1, b);
            put(list, join(block, ".conv1.weight").text, 4, planes, in, 1u, 1u);
            put_batch_norm(list, join(block, ".bn1").text, planes);
            put(list, join(block, ".conv2.weight").text, 4, planes, planes, 3u, 3u);
            put_batch_norm(list, join(block, ".bn2").text, planes);
            put(list, join(block, ".conv3.weight").text, 4, 4 * planes, planes, 1u, 1u);
            put_batch_norm(list, join(block, ".bn3").text, 4 * planes);
            if (b == 0) {
                put(list, join(block, ".downsample.0.weight").text, 4, 4 * planes, in,
                    1u, 1u);
                put_batch_norm(list, join(block, ".downsample.1").text, 4 * planes);
            }
            in = 4 * planes;
        }
    }
    put(list, "visual.attnpool.positional_embedding", 2, tokens, in);
    put_linear(list, "visual.attnpool.q_proj", in, in);
    put_linear(list, "visual.attnpool.k_proj", in, in);
    put_linear(list, "visual.attnpool.v_proj", in, in);
    put_linear(list, "visual.attnpool.c_proj", in, embedding);
}

/* --- Choice ----------------------------------------------------------------------- */

enum { TEXT = 1, VIT = 2, RN50 = 4 };

static const struct {
    const char *kind;
    int clip;                     /* towers of CLIP */
    uint32_t features, embedding; /* of a zero-shot head; 0 for none */
    const char *tresnet;
    uint32_t classes;             /* of its head.fc; 0 for none */
} kinds[] = {
    { "tresnet_m", 0, 0, 0, "m", 1000 },
    { "tresnet_l", 0, 0, 0, "l", 1000 },
    { "tresnet_xl", 0, 0, 0, "xl", 1000 },
    { "tresnet_v2_l", 0, 0, 0, "v2_l", 1000 },
    { "mldecoder_xl", 0, 0, 0, "v2_xl", 1000 },
    { "tresnet_demo", 0, 0, 0, "demo", 1000 },
    { "mldecoder_zsl", 0, 2048, 512, NULL, 0 },
    { "mldecoder_zsl_l", 0, 2432, 512, NULL, 0 },
    { "mldecoder_zsl300", 0, 2048, 300, NULL, 0 },
    { "clip_vitb32_text", TEXT, 0, 0, NULL, 0 },
    { "clip_vitb32_image", VIT, 0, 0, NULL, 0 },
    { "clip_vitb32", VIT | TEXT, 0, 0, NULL, 0 },
    { "clip_rn50_image", RN50, 0, 0, NULL, 0 },
    { "clip_decoder_m", TEXT, 2048, 512, "m", 0 },
    { "clip_decoder_l", TEXT, 2432, 512, "l", 0 },
};

static bool put_kind(struct list *list, const char *kind)
{
    static const uint32_t rn50[4] = { 3, 4, 6, 3 };
    if (strcmp(kind, "demo") == 0) { /* small in every part */
        put_head(list, put_tresnet(list, "demo", 0), 128, 256, 64);
        put_text(list, 64, 2, 32, 1114, 64);
        return true;
    }
    size_t i = 0, n = sizeof kinds / sizeof kinds[0];
    while (i < n && strcmp(kind, kinds[i].kind) != 0) {
        i++;
    }
    if (i == n) {
        return false;
    }
    if (kinds[i].tresnet) {
        put_tresnet(list, kinds[i].tresnet, kinds[i].classes);
    }
    if (kinds[i].features > 0) {
        put_head(list, kinds[i].features, 768, 2048, kinds[i].embedding);
    }
    if (kinds[i].clip & VIT) {
        put_vit(list, 768, 12, 32, 50, 512);
    }
    if (kinds[i].clip & RN50) {
        put_resnet(list, rn50, 64, 50, 1024);
    }
    if (kinds[i].clip & TEXT) {
        put_text(list, 512, 12, 77, 49408, 512);
    }
    return true;
}

static void fill(const struct weights_tensor *tensor, float *out)
{
    formula_weights(tensor->name, tensor->shape, tensor->rank, out);
}

enum nn_status synthetic_open(struct weights **out, const char *kind,
                              struct nn_error *error)
{
    struct list list = { 0 };
    enum nn_status status;
    if (!put_kind(&list, kind)) {
        status = nn_fail(error, NN_ERROR_INVALID,
                         "there is no network \"%s\" by formula", kind);
    } else if (list.failed) {
        status = nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", kind);
    } else {
        status = weights_make(out, kind, list.tensors, list.n, fill, error);
    }
    list_clear(&list);
    return status;
}
