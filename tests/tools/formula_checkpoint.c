/* Writes full-size checkpoints with weights by formula: formula_checkpoint KIND OUT. */
#include "compute/weights/weights.h"
#include "tests/tools/formula.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TENSORS 2000

static struct weights_output outputs[MAX_TENSORS];
static size_t n_outputs;

static enum nn_status make_values(void *user, void *out, struct nn_error *error)
{
    const struct weights_output *o = user;
    formula_weights(o->name, o->shape, o->rank, out);
    return NN_OK;
}

static void put(const char *name, int rank, ...)
{
    struct weights_output *o = &outputs[n_outputs++];
    va_list args;
    if (n_outputs >= MAX_TENSORS) {
        abort();
    }
    *o = (struct weights_output){ .type = WEIGHTS_F32, .rank = rank, .read = make_values,
                                  .user = o };
    o->name = strdup(name);
    va_start(args, rank);
    for (int i = 0; i < rank; i++) {
        o->shape[i] = va_arg(args, uint32_t);
    }
    va_end(args);
}

static const char *join(const char *a, const char *b)
{
    static char buffer[8][256]; /* enough for the nested calls of one line */
    static int next;
    char *out = buffer[next++ % 8];
    size_t n = strlen(a), m = strlen(b);
    if (n + m >= 256) {
        abort();
    }
    memmove(out, a, n);
    memmove(out + n, b, m + 1);
    return out;
}

static void put_norm(const char *prefix, uint32_t n)
{
    put(join(prefix, ".weight"), 1, n);
    put(join(prefix, ".bias"), 1, n);
}

static void put_batch_norm(const char *prefix, uint32_t n)
{
    put_norm(prefix, n);
    put(join(prefix, ".running_mean"), 1, n);
    put(join(prefix, ".running_var"), 1, n);
}

static void put_linear(const char *prefix, uint32_t in, uint32_t out)
{
    put(join(prefix, ".weight"), 2, out, in);
    put(join(prefix, ".bias"), 1, out);
}

/* --- TResNet ----------------------------------------------------------------------------- */

struct tresnet { const char *kind; uint32_t width, blocks[4]; bool bottleneck; };

static const struct tresnet tresnets[] = {
    { "tresnet_m", 64, { 3, 4, 11, 3 }, false },
    { "tresnet_l", 76, { 4, 5, 18, 3 }, false },
    { "tresnet_xl", 83, { 4, 5, 24, 3 }, false },
    { "tresnet_v2_l", 64, { 3, 4, 23, 3 }, true },
    { "mldecoder_xl", 64, { 3, 8, 34, 5 }, true },
    { "tresnet_demo", 16, { 1, 1, 2, 1 }, false },
};

static void put_unit(const char *prefix, uint32_t in, uint32_t out, uint32_t k)
{
    put(join(prefix, ".conv.weight"), 4, out, in, k, k);
    put_batch_norm(join(prefix, ".bn"), out);
}

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void put_se(const char *block, uint32_t channels, uint32_t reduced)
{
    put(join(block, ".se.fc1.weight"), 4, reduced, channels, 1u, 1u);
    put(join(block, ".se.fc1.bias"), 1, reduced);
    put(join(block, ".se.fc2.weight"), 4, channels, reduced, 1u, 1u);
    put(join(block, ".se.fc2.bias"), 1, channels);
}

static uint32_t put_tresnet(const struct tresnet *t, uint32_t classes)
{
    uint32_t in = t->width;
    put_unit("body.conv1", 48, t->width, 3);
    for (uint32_t s = 0; s < 4; s++) {
        bool bottleneck = t->bottleneck || s >= 2;
        uint32_t planes = t->width << s, out = bottleneck ? 4 * planes : planes;
        for (uint32_t b = 0; b < t->blocks[s]; b++) {
            char block[64];
            snprintf(block, sizeof block, "body.layer%u.%u", s + 1, b);
            put_unit(join(block, ".conv1"), in, planes, bottleneck ? 1 : 3);
            put_unit(join(block, ".conv2"), planes, planes, 3);
            if (bottleneck) {
                put_unit(join(block, ".conv3"), planes, out, 1);
            }
            if (s < 3) {
                put_se(block, planes, max(bottleneck ? planes / 2 : planes / 4, 64));
            }
            if (b == 0 && (s > 0 || in != out)) {
                put_unit(join(block, s > 0 ? ".downsample.1" : ".downsample.0"), in, out, 1);
            }
            in = out;
        }
    }
    if (classes > 0) {
        put_linear("head.fc", in, classes);
    }
    return in;
}

/* --- ML-Decoder, zero-shot ------------------------------------------------------------------ */

static void put_head(uint32_t features, uint32_t d, uint32_t hidden, uint32_t text)
{
    const char *layer = "head.decoder.layers.0";
    put_linear("head.decoder.embed_standart", features, d);
    put_linear("head.wordvec_proj", text, d);
    for (int i = 1; i <= 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.norm%d", layer, i);
        put_norm(name, d);
    }
    put(join(layer, ".multihead_attn.in_proj_weight"), 2, 3 * d, d);
    put(join(layer, ".multihead_attn.in_proj_bias"), 1, 3 * d);
    put_linear(join(layer, ".multihead_attn.out_proj"), d, d);
    put_linear(join(layer, ".linear1"), d, hidden);
    put_linear(join(layer, ".linear2"), hidden, d);
    put("head.decoder.duplicate_pooling", 2, d, 1u);
    put("head.decoder.duplicate_pooling_bias", 1, 1u);
}

/* --- CLIP -------------------------------------------------------------------------------------- */

static void put_blocks(const char *prefix, uint32_t w, uint32_t layers)
{
    for (uint32_t i = 0; i < layers; i++) {
        char block[96];
        snprintf(block, sizeof block, "%s.resblocks.%u", prefix, i);
        put_norm(join(block, ".ln_1"), w);
        put(join(block, ".attn.in_proj_weight"), 2, 3 * w, w);
        put(join(block, ".attn.in_proj_bias"), 1, 3 * w);
        put_linear(join(block, ".attn.out_proj"), w, w);
        put_norm(join(block, ".ln_2"), w);
        put_linear(join(block, ".mlp.c_fc"), w, 4 * w);
        put_linear(join(block, ".mlp.c_proj"), 4 * w, w);
    }
}

static void put_text(uint32_t w, uint32_t layers, uint32_t context, uint32_t vocabulary,
                     uint32_t embedding)
{
    put("token_embedding.weight", 2, vocabulary, w);
    put("positional_embedding", 2, context, w);
    put_blocks("transformer", w, layers);
    put_norm("ln_final", w);
    put("text_projection", 2, w, embedding);
    put("logit_scale", 0);
}

static void put_vit(uint32_t w, uint32_t layers, uint32_t patch, uint32_t tokens,
                    uint32_t embedding)
{
    put("visual.conv1.weight", 4, w, 3u, patch, patch);
    put("visual.class_embedding", 1, w);
    put("visual.positional_embedding", 2, tokens, w);
    put_norm("visual.ln_pre", w);
    put_blocks("visual.transformer", w, layers);
    put_norm("visual.ln_post", w);
    put("visual.proj", 2, w, embedding);
}

static void put_resnet(const uint32_t blocks[4], uint32_t w, uint32_t tokens,
                       uint32_t embedding)
{
    uint32_t half = w / 2, in = w;
    const uint32_t stem[3][2] = { { 3, half }, { half, half }, { half, w } };
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "visual.conv%d.weight", i + 1);
        put(name, 4, stem[i][1], stem[i][0], 3u, 3u);
        snprintf(name, sizeof name, "visual.bn%d", i + 1);
        put_batch_norm(name, stem[i][1]);
    }
    for (uint32_t s = 0; s < 4; s++) {
        uint32_t planes = w << s;
        for (uint32_t b = 0; b < blocks[s]; b++) {
            char block[64];
            snprintf(block, sizeof block, "visual.layer%u.%u", s + 1, b);
            put(join(block, ".conv1.weight"), 4, planes, in, 1u, 1u);
            put_batch_norm(join(block, ".bn1"), planes);
            put(join(block, ".conv2.weight"), 4, planes, planes, 3u, 3u);
            put_batch_norm(join(block, ".bn2"), planes);
            put(join(block, ".conv3.weight"), 4, 4 * planes, planes, 1u, 1u);
            put_batch_norm(join(block, ".bn3"), 4 * planes);
            if (b == 0) {
                put(join(block, ".downsample.0.weight"), 4, 4 * planes, in, 1u, 1u);
                put_batch_norm(join(block, ".downsample.1"), 4 * planes);
            }
            in = 4 * planes;
        }
    }
    put("visual.attnpool.positional_embedding", 2, tokens, in);
    put_linear("visual.attnpool.q_proj", in, in);
    put_linear("visual.attnpool.k_proj", in, in);
    put_linear("visual.attnpool.v_proj", in, in);
    put_linear("visual.attnpool.c_proj", in, embedding);
}

/* --- Choice -------------------------------------------------------------------------------------- */

static bool put_kind(const char *kind)
{
    static const uint32_t rn50[4] = { 3, 4, 6, 3 };
    for (size_t i = 0; i < sizeof tresnets / sizeof tresnets[0]; i++) {
        if (strcmp(kind, tresnets[i].kind) == 0) {
            put_tresnet(&tresnets[i], 1000);
            return true;
        }
    }
    if (strcmp(kind, "mldecoder_zsl") == 0 || strcmp(kind, "mldecoder_zsl_l") == 0
        || strcmp(kind, "mldecoder_zsl300") == 0) {
        put_head(strcmp(kind, "mldecoder_zsl_l") == 0 ? 2432 : 2048, 768, 2048,
                 strcmp(kind, "mldecoder_zsl300") == 0 ? 300 : 512);
    } else if (strcmp(kind, "clip_vitb32_text") == 0) {
        put_text(512, 12, 77, 49408, 512);
    } else if (strcmp(kind, "clip_vitb32_image") == 0) {
        put_vit(768, 12, 32, 50, 512);
    } else if (strcmp(kind, "clip_vitb32") == 0) {
        put_vit(768, 12, 32, 50, 512);
        put_text(512, 12, 77, 49408, 512);
    } else if (strcmp(kind, "clip_rn50_image") == 0) {
        put_resnet(rn50, 64, 50, 1024);
    } else if (strcmp(kind, "demo") == 0) {
        uint32_t channels = put_tresnet(&tresnets[5], 0);
        put_head(channels, 128, 256, 64);
        put_text(64, 2, 32, 1114, 64);
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct nn_error error = { 0 };
    if (argc != 3 || !put_kind(argv[1])) {
        fprintf(stderr, "usage: formula_checkpoint KIND OUT.safetensors\n");
        return 2;
    }
    enum nn_status status = weights_save(argv[2], outputs, n_outputs, NULL, 0, &error);
    for (size_t i = 0; i < n_outputs; i++) {
        free((char *)outputs[i].name);
    }
    if (status != NN_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    return 0;
}
