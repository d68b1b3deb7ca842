/* TResNet: space-to-depth stem, anti-aliased downsampling, squeeze and excitation
 * (spec 3.1, 3.2; names of timm). */
#include "compute/nets/nets.h"

#include <stdio.h>

#define EPS 1e-5f

static uint32_t dim(const struct state_entry *e, int i)
{
    return e && i < e->rank && e->shape[i] < 1000000 ? (uint32_t)e->shape[i] : 0;
}

bool tresnet_detect(struct tresnet *out, const struct state *state,
                    const struct model_settings *settings)
{
    const struct state_entry *stem = state_find(state, "body.conv1.conv.weight");
    if (!stem) {
        return false;
    }
    *out = (struct tresnet){ .width = dim(stem, 0) };
    for (uint32_t s = 0; s < 4; s++) {
        while (out->blocks[s] < 1000
               && state_findf(state, "body.layer%u.%u.conv1.conv.weight", s + 1,
                              out->blocks[s])) {
            out->blocks[s]++;
        }
        out->bottleneck[s] =
            state_findf(state, "body.layer%u.0.conv3.conv.weight", s + 1) != NULL;
    }
    out->channels = dim(state_findf(state, "body.layer4.0.conv%u.conv.weight",
                                    out->bottleneck[3] ? 3u : 2u), 0);
    out->classes = dim(state_find(state, "head.fc.weight"), 0);
    out->slope = settings->image_slope >= 0 ? settings->image_slope : 1e-3f;
    out->stem_slope = settings->image_stem_slope >= 0 ? settings->image_stem_slope : 1e-2f;
    return true;
}

nn_id net_batch_norm(struct nn_graph *graph, const struct state *state, nn_id x,
                     uint32_t channels, const char *name)
{
    struct nn_shape shape = NN_SHAPE1(channels);
    nn_id gamma = state_param(graph, state, shape, "%s.weight", name);
    nn_id beta = state_param(graph, state, shape, "%s.bias", name);
    nn_id mean = state_param(graph, state, shape, "%s.running_mean", name);
    nn_id variance = state_param(graph, state, shape, "%s.running_var", name);
    return nn_batch_norm(graph, x, gamma, beta, mean, variance, EPS);
}

/* Convolution and batch-norm called <name>.conv and <name>.bn. */
static nn_id conv_norm(struct nn_graph *graph, const struct state *state, nn_id x,
                       uint32_t in, uint32_t out, uint32_t kernel, const char *name)
{
    char norm[300];
    snprintf(norm, sizeof norm, "%s.bn", name);
    nn_id weight = state_param(graph, state, NN_SHAPE4(out, in, kernel, kernel),
                               "%s.conv.weight", name);
    nn_id y = nn_conv2d(graph, x, weight, NN_NONE, 1, kernel / 2);
    return net_batch_norm(graph, state, y, out, norm);
}

/* A 1x1 convolution of the squeezed [B,C], which is a linear layer; its weight keeps the
 * convolution's shape in the file. */
static nn_id squeeze_conv(struct nn_graph *graph, const struct state *state, nn_id x,
                          uint32_t in, uint32_t out, enum nn_act act, const char *name)
{
    const struct state_entry *e = state_findf(state, "%s.weight", name);
    if (!e || e->rank != 4 || e->shape[0] != out || e->shape[1] != in
        || e->count != (uint64_t)in * out) {
        return nn_graph_fail(graph, "tensor \"%s.weight\" is missing or does not fit",
                             name);
    }
    nn_id weight = nn_param(graph, e->name, NN_SHAPE2(out, in));
    nn_id bias = state_param(graph, state, NN_SHAPE1(out), "%s.bias", name);
    return nn_linear_act(graph, x, weight, bias, (struct nn_epilogue){ act, 0 });
}

/* x scaled by its squeeze and excitation; x itself when the block has none. */
static nn_id excite(struct nn_graph *graph, const struct state *state, nn_id x,
                    uint32_t channels, const char *block)
{
    char name[300];
    const struct state_entry *fc1 = state_findf(state, "%s.se.fc1.weight", block);
    if (!fc1) {
        return x;
    }
    uint32_t reduced = dim(fc1, 0);
    snprintf(name, sizeof name, "%s.se.fc1", block);
    nn_id s = squeeze_conv(graph, state, nn_mean_map(graph, x), channels, reduced,
                           NN_ACT_RELU, name);
    snprintf(name, sizeof name, "%s.se.fc2", block);
    s = squeeze_conv(graph, state, s, reduced, channels, NN_ACT_SIGMOID, name);
    return nn_mul_channels(graph, x, s);
}

static nn_id shortcut(struct nn_graph *graph, const struct state *state, nn_id x,
                      uint32_t in, uint32_t out, uint32_t stride, const char *block)
{
    char name[300];
    if (stride == 1 && in == out) {
        return x;
    }
    if (stride == 2) {
        x = nn_avg_pool(graph, x, 2, true);
    }
    snprintf(name, sizeof name, "%s.downsample.%d", block, stride == 2);
    return conv_norm(graph, state, x, in, out, 1, name);
}

struct block { uint32_t in, planes, out, stride; bool bottleneck; float slope; };

static nn_id conv_act(struct nn_graph *graph, const struct state *state, nn_id x,
                      uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride,
                      float slope, const char *block, int number)
{
    char name[300];
    snprintf(name, sizeof name, "%s.conv%d", block, number);
    x = conv_norm(graph, state, x, in, out, kernel, name);
    x = nn_activation(graph, x, (struct nn_epilogue){ NN_ACT_LEAKY_RELU, slope });
    return stride == 2 ? nn_blur_pool(graph, x) : x;
}

static nn_id build_block(struct nn_graph *graph, const struct state *state,
                         const struct block *b, const char *name, nn_id x)
{
    char last[300];
    nn_id residual = shortcut(graph, state, x, b->in, b->out, b->stride, name);
    nn_id y;
    if (b->bottleneck) {
        y = conv_act(graph, state, x, b->in, b->planes, 1, 1, b->slope, name, 1);
        y = conv_act(graph, state, y, b->planes, b->planes, 3, b->stride, b->slope, name, 2);
        y = excite(graph, state, y, b->planes, name);
        snprintf(last, sizeof last, "%s.conv3", name);
        y = conv_norm(graph, state, y, b->planes, b->out, 1, last);
    } else {
        y = conv_act(graph, state, x, b->in, b->planes, 3, b->stride, b->slope, name, 1);
        snprintf(last, sizeof last, "%s.conv2", name);
        y = conv_norm(graph, state, y, b->planes, b->out, 3, last);
        y = excite(graph, state, y, b->out, name);
    }
    return nn_activation(graph, nn_add(graph, y, residual),
                         (struct nn_epilogue){ NN_ACT_RELU, 0 });
}

nn_id tresnet_build(struct nn_graph *graph, const struct state *state,
                    const struct tresnet *net, nn_id image)
{
    nn_id x = nn_space_to_depth(graph, image);
    x = conv_norm(graph, state, x, 48, net->width, 3, "body.conv1");
    x = nn_activation(graph, x,
                      (struct nn_epilogue){ NN_ACT_LEAKY_RELU, net->stem_slope });
    x = nn_output(graph, x, "image.stem");
    uint32_t in = net->width;
    for (uint32_t s = 0; s < 4; s++) {
        for (uint32_t i = 0; i < net->blocks[s]; i++) {
            char name[64];
            snprintf(name, sizeof name, "body.layer%u.%u", s + 1, i);
            struct block b = { .in = in, .stride = s > 0 && i == 0 ? 2 : 1,
                               .bottleneck = net->bottleneck[s], .slope = net->slope };
            b.planes = dim(state_findf(state, "%s.conv1.conv.weight", name), 0);
            b.out = dim(state_findf(state, "%s.conv%d.conv.weight", name,
                                    b.bottleneck ? 3 : 2), 0);
            x = build_block(graph, state, &b, name, x);
            in = b.out;
        }
        char label[32];
        snprintf(label, sizeof label, "image.layer%u", s + 1);
        x = nn_output(graph, x, label);
    }
    return x;
}

nn_id tresnet_head(struct nn_graph *graph, const struct state *state,
                   const struct tresnet *net, nn_id layer4)
{
    nn_id pooled = nn_output(graph, nn_mean_map(graph, layer4), "image.pooled");
    if (net->classes == 0) {
        return pooled;
    }
    nn_id weight = state_param(graph, state, NN_SHAPE2(net->classes, net->channels),
                               "head.fc.weight");
    nn_id bias = state_param(graph, state, NN_SHAPE1(net->classes), "head.fc.bias");
    return nn_output(graph, nn_linear(graph, pooled, weight, bias), "image.logits");
}
