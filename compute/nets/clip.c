/* CLIP's text encoder and its two image encoders (spec 4.2 to 4.5). */
#include "compute/nets/nets.h"

#include <stdio.h>

#define EPS 1e-5f

static uint32_t dim(const struct state_entry *e, int i)
{
    return e && i < e->rank && e->shape[i] < 100000000 ? (uint32_t)e->shape[i] : 0;
}

nn_id net_layer_norm(struct nn_graph *graph, const struct state *state, nn_id x,
                     uint32_t width, const char *name)
{
    nn_id gamma = state_param(graph, state, NN_SHAPE1(width), "%s.weight", name);
    nn_id beta = state_param(graph, state, NN_SHAPE1(width), "%s.bias", name);
    return nn_layer_norm(graph, x, gamma, beta, EPS);
}

nn_id net_project(struct nn_graph *graph, const struct state *state, nn_id x, uint32_t in,
                  uint32_t out, const char *name)
{
    nn_id weight = state_param(graph, state, NN_SHAPE2(in, out), "%s", name);
    return nn_graph_check(graph, NULL) != NN_OK
               ? NN_NONE : nn_linear(graph, x, nn_transpose(graph, weight, 1), NN_NONE);
}

static nn_id linear(struct nn_graph *graph, const struct state *state, nn_id x,
                    uint32_t in, uint32_t out, const char *name)
{
    nn_id weight = state_param(graph, state, NN_SHAPE2(out, in), "%s.weight", name);
    nn_id bias = state_param(graph, state, NN_SHAPE1(out), "%s.bias", name);
    return nn_linear(graph, x, weight, bias);
}

/* --- Transformer ------------------------------------------------------------------- */

static nn_id block(struct nn_graph *graph, const struct state *state,
                   const struct clip_transformer *net, const char *prefix, bool causal,
                   nn_id x)
{
    char name[200];
    uint32_t w = net->width;
    snprintf(name, sizeof name, "%s.ln_1", prefix);
    nn_id h = net_layer_norm(graph, state, x, w, name);
    nn_id weight =
        state_param(graph, state, NN_SHAPE2(3 * w, w), "%s.attn.in_proj_weight", prefix);
    nn_id bias = state_param(graph, state, NN_SHAPE1(3 * w), "%s.attn.in_proj_bias", prefix);
    nn_id qkv = nn_linear(graph, h, weight, bias);
    struct nn_attention a = { .heads = net->heads, .width = w, .k_column = w,
                              .v_column = 2 * w, .causal = causal };
    h = nn_attn_apply(graph, nn_attn_probs(graph, qkv, qkv, a), qkv, a);
    snprintf(name, sizeof name, "%s.attn.out_proj", prefix);
    x = nn_add(graph, x, linear(graph, state, h, w, w, name));

    snprintf(name, sizeof name, "%s.ln_2", prefix);
    h = net_layer_norm(graph, state, x, w, name);
    snprintf(name, sizeof name, "%s.mlp.c_fc", prefix);
    uint32_t hidden = dim(state_findf(state, "%s.weight", name), 0);
    h = linear(graph, state, h, w, hidden, name);
    h = nn_activation(graph, h, (struct nn_epilogue){ net->act, 0 });
    snprintf(name, sizeof name, "%s.mlp.c_proj", prefix);
    return nn_add(graph, x, linear(graph, state, h, hidden, w, name));
}

nn_id clip_blocks(struct nn_graph *graph, const struct state *state,
                  const struct clip_transformer *net, const char *prefix,
                  const char *label, bool causal, nn_id x)
{
    for (uint32_t i = 0; i < net->layers; i++) {
        char name[128], output[64];
        snprintf(name, sizeof name, "%s%u", prefix, i);
        snprintf(output, sizeof output, "%s%u", label, i);
        x = nn_output(graph, block(graph, state, net, name, causal, x), output);
    }
    return x;
}

static struct clip_transformer detect_blocks(const struct state *state, uint32_t width,
                                             const char *prefix, uint32_t heads,
                                             enum nn_act act)
{
    struct clip_transformer t = { .width = width };
    t.heads = heads ? heads : width / 64 ? width / 64 : 1;
    t.act = act != NN_ACT_NONE ? act : NN_ACT_QUICK_GELU;
    while (t.layers < 1000
           && state_findf(state, "%s%u.ln_1.weight", prefix, t.layers)) {
        t.layers++;
    }
    return t;
}

/* --- Text ------------------------------------------------------------------------------ */

bool clip_text_detect(struct clip_text *out, const struct state *state,
                      const struct model_settings *settings)
{
    const struct state_entry *table = state_find(state, "token_embedding.weight");
    if (!table) {
        return false;
    }
    *out = (struct clip_text){ .vocabulary = dim(table, 0) };
    out->context = dim(state_find(state, "positional_embedding"), 0);
    const struct state_entry *projection = state_find(state, "text_projection");
    const struct state_entry *as_linear = state_find(state, "text_projection.weight");
    out->embedding = projection ? dim(projection, 1) : dim(as_linear, 0);
    out->transformer = detect_blocks(state, dim(table, 1), "transformer.resblocks.",
                                     settings->text_heads, settings->text_activation);
    return true;
}

static nn_id name_output(struct nn_graph *graph, nn_id id, const char *prefix,
                         const char *name)
{
    char full[80];
    snprintf(full, sizeof full, "%s.%s", prefix, name);
    return nn_output(graph, id, full);
}

nn_id clip_text_build(struct nn_graph *graph, const struct state *state,
                      const struct clip_text *net, const char *label, nn_id ids,
                      nn_id eot)
{
    nn_id table = state_param(graph, state,
                              NN_SHAPE2(net->vocabulary, net->transformer.width),
                              "token_embedding.weight");
    return clip_text_encode(graph, state, net, label, nn_embed(graph, ids, table), eot);
}

nn_id clip_text_encode(struct nn_graph *graph, const struct state *state,
                       const struct clip_text *net, const char *label, nn_id x,
                       nn_id eot)
{
    char blocks[64];
    uint32_t w = net->transformer.width;
    if (nn_graph_check(graph, NULL) != NN_OK) {
        return NN_NONE;
    }
    uint32_t t = nn_graph_node(graph, x)->shape.dim[1];
    if (t > net->context) {
        return nn_graph_fail(graph, "%u tokens are more than the text encoder's %u", t,
                             net->context);
    }
    nn_id position = state_param(graph, state, NN_SHAPE2(net->context, w),
                                 "positional_embedding");
    x = nn_add(graph, x, nn_slice_rows(graph, position, 0, t));
    name_output(graph, x, label, "embed");
    snprintf(blocks, sizeof blocks, "%s.block", label);
    x = clip_blocks(graph, state, &net->transformer, "transformer.resblocks.", blocks,
                    true, x);
    x = net_layer_norm(graph, state, x, w, "ln_final");
    name_output(graph, x, label, "ln_final");
    x = nn_select_row(graph, x, eot);
    if (state_find(state, "text_projection")) {
        x = net_project(graph, state, x, w, net->embedding, "text_projection");
    } else {
        x = nn_linear(graph, x, state_param(graph, state, NN_SHAPE2(net->embedding, w),
                                            "text_projection.weight"), NN_NONE);
    }
    name_output(graph, x, label, "features");
    name_output(graph, nn_l2_normalize(graph, x), label, "features_normalized");
    return x;
}

/* --- Vision transformer ------------------------------------------------------------------ */

bool clip_vit_detect(struct clip_vit *out, const struct state *state,
                     const struct model_settings *settings)
{
    const struct state_entry *patch = state_find(state, "visual.conv1.weight");
    if (!patch || !state_find(state, "visual.class_embedding")) {
        return false;
    }
    *out = (struct clip_vit){ .patch = dim(patch, 3) };
    out->tokens = dim(state_find(state, "visual.positional_embedding"), 0);
    out->embedding = dim(state_find(state, "visual.proj"), 1);
    out->transformer = detect_blocks(state, dim(patch, 0), "visual.transformer.resblocks.",
                                     settings->image_heads, settings->image_activation);
    return true;
}

nn_id clip_vit_build(struct nn_graph *graph, const struct state *state,
                     const struct clip_vit *net, nn_id image)
{
    uint32_t w = net->transformer.width, p = net->patch;
    nn_id weight = state_param(graph, state, NN_SHAPE4(w, 3, p, p), "visual.conv1.weight");
    nn_id x = nn_map_to_rows(graph, nn_conv2d(graph, image, weight, NN_NONE, p, 0));
    x = nn_prepend_row(graph, state_param(graph, state, NN_SHAPE1(w),
                                          "visual.class_embedding"), x);
    if (nn_graph_check(graph, NULL) == NN_OK
        && nn_graph_node(graph, x)->shape.dim[1] != net->tokens) {
        return nn_graph_fail(graph, "this image encoder takes images of %u patches, not %u",
                             net->tokens - 1, nn_graph_node(graph, x)->shape.dim[1] - 1);
    }
    x = nn_add(graph, x, state_param(graph, state, NN_SHAPE2(net->tokens, w),
                                     "visual.positional_embedding"));
    x = nn_output(graph, net_layer_norm(graph, state, x, w, "visual.ln_pre"),
                  "image.ln_pre");
    x = clip_blocks(graph, state, &net->transformer, "visual.transformer.resblocks.",
                    "image.block", false, x);
    x = nn_first_row(graph, x);
    x = nn_output(graph, net_layer_norm(graph, state, x, w, "visual.ln_post"),
                  "image.ln_post");
    x = net_project(graph, state, x, w, net->embedding, "visual.proj");
    return nn_output(graph, x, "image.features");
}

/* --- Modified ResNet ----------------------------------------------------------------------- */

bool clip_resnet_detect(struct clip_resnet *out, const struct state *state,
                        const struct model_settings *settings)
{
    const struct state_entry *stem = state_find(state, "visual.conv1.weight");
    if (!stem || !state_find(state, "visual.attnpool.positional_embedding")) {
        return false;
    }
    *out = (struct clip_resnet){ .width = 2 * dim(stem, 0) };
    for (uint32_t s = 0; s < 4; s++) {
        while (out->blocks[s] < 1000
               && state_findf(state, "visual.layer%u.%u.conv1.weight", s + 1,
                              out->blocks[s])) {
            out->blocks[s]++;
        }
    }
    out->tokens = dim(state_find(state, "visual.attnpool.positional_embedding"), 0);
    out->embedding = dim(state_find(state, "visual.attnpool.c_proj.weight"), 0);
    out->heads = settings->image_heads ? settings->image_heads : out->width / 2;
    return true;
}

static nn_id conv_norm(struct nn_graph *graph, const struct state *state, nn_id x,
                       uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride,
                       const char *conv, const char *norm)
{
    nn_id weight =
        state_param(graph, state, NN_SHAPE4(out, in, kernel, kernel), "%s.weight", conv);
    nn_id y = nn_conv2d(graph, x, weight, NN_NONE, stride, kernel / 2);
    return net_batch_norm(graph, state, y, out, norm);
}

static const struct nn_epilogue relu = { NN_ACT_RELU, 0 };

static nn_id resnet_block(struct nn_graph *graph, const struct state *state,
                          const char *prefix, uint32_t in, uint32_t planes,
                          uint32_t stride, nn_id x)
{
    char conv[3][200], norm[3][200];
    for (int i = 0; i < 3; i++) {
        snprintf(conv[i], sizeof conv[i], "%s.conv%d", prefix, i + 1);
        snprintf(norm[i], sizeof norm[i], "%s.bn%d", prefix, i + 1);
    }
    nn_id residual = x;
    if (state_findf(state, "%s.downsample.0.weight", prefix)) {
        char down[200], down_norm[200];
        snprintf(down, sizeof down, "%s.downsample.0", prefix);
        snprintf(down_norm, sizeof down_norm, "%s.downsample.1", prefix);
        residual = stride > 1 ? nn_avg_pool(graph, x, stride, false) : x;
        residual = conv_norm(graph, state, residual, in, 4 * planes, 1, 1, down, down_norm);
    }
    nn_id y = nn_activation(graph, conv_norm(graph, state, x, in, planes, 1, 1, conv[0],
                                             norm[0]), relu);
    y = nn_activation(graph, conv_norm(graph, state, y, planes, planes, 3, 1, conv[1],
                                       norm[1]), relu);
    y = stride > 1 ? nn_avg_pool(graph, y, stride, false) : y;
    y = conv_norm(graph, state, y, planes, 4 * planes, 1, 1, conv[2], norm[2]);
    return nn_activation(graph, nn_add(graph, y, residual), relu);
}

static nn_id resnet_stem(struct nn_graph *graph, const struct state *state, uint32_t width,
                         nn_id x)
{
    uint32_t half = width / 2;
    x = nn_activation(graph, conv_norm(graph, state, x, 3, half, 3, 2, "visual.conv1",
                                       "visual.bn1"), relu);
    x = nn_activation(graph, conv_norm(graph, state, x, half, half, 3, 1, "visual.conv2",
                                       "visual.bn2"), relu);
    x = nn_activation(graph, conv_norm(graph, state, x, half, width, 3, 1, "visual.conv3",
                                       "visual.bn3"), relu);
    return nn_output(graph, nn_avg_pool(graph, x, 2, false), "image.stem");
}

static nn_id attention_pool(struct nn_graph *graph, const struct state *state,
                            const struct clip_resnet *net, nn_id map)
{
    const char *prefix = "visual.attnpool";
    char name[64];
    nn_id x = nn_map_to_rows(graph, map);
    x = nn_prepend_row(graph, nn_mean_rows(graph, x), x);
    if (nn_graph_check(graph, NULL) != NN_OK) {
        return NN_NONE;
    }
    struct nn_shape shape = nn_graph_node(graph, x)->shape;
    uint32_t d = shape.dim[2];
    if (shape.dim[1] != net->tokens) {
        return nn_graph_fail(graph, "this image encoder takes maps of %u places, not %u",
                             net->tokens - 1, shape.dim[1] - 1);
    }
    x = nn_add(graph, x, state_param(graph, state, NN_SHAPE2(net->tokens, d),
                                     "%s.positional_embedding", prefix));
    nn_id part[3];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s.%c_proj", prefix, "qkv"[i]);
        part[i] = linear(graph, state, i == 0 ? nn_first_row(graph, x) : x, d, d, name);
    }
    struct nn_attention a = { .heads = net->heads, .width = d };
    nn_id query = nn_reshape(graph, part[0], NN_SHAPE3(shape.dim[0], 1, d));
    x = nn_attn_apply(graph, nn_attn_probs(graph, query, part[1], a), part[2], a);
    snprintf(name, sizeof name, "%s.c_proj", prefix);
    return linear(graph, state, nn_first_row(graph, x), d, net->embedding, name);
}

nn_id clip_resnet_build(struct nn_graph *graph, const struct state *state,
                        const struct clip_resnet *net, nn_id image)
{
    nn_id x = resnet_stem(graph, state, net->width, image);
    uint32_t in = net->width;
    for (uint32_t s = 0; s < 4; s++) {
        uint32_t planes = net->width << s;
        for (uint32_t i = 0; i < net->blocks[s]; i++) {
            char name[64];
            snprintf(name, sizeof name, "visual.layer%u.%u", s + 1, i);
            x = resnet_block(graph, state, name, in, planes, s > 0 && i == 0 ? 2 : 1, x);
            in = 4 * planes;
        }
        char label[32];
        snprintf(label, sizeof label, "image.layer%u", s + 1);
        x = nn_output(graph, x, label);
    }
    return nn_output(graph, attention_pool(graph, state, net, x), "image.features");
}
