/* ML-Decoder: one cross-attention layer from label queries to image tokens, zero-shot or
 * with fixed groups of labels (spec 2.2 to 2.4). */
#include "compute/graph/grad.h"
#include "compute/nets/nets.h"

#include <math.h>

static const struct nn_epilogue relu = { NN_ACT_RELU, 0 };

static uint32_t dim(const struct state_entry *e, int i)
{
    return e && i < e->rank && e->shape[i] < 1000000 ? (uint32_t)e->shape[i] : 0;
}

bool mldecoder_detect(struct mldecoder *out, const struct state *state,
                      const struct model_settings *settings)
{
    const struct state_entry *embed =
        state_find(state, "head.decoder.embed_standart.weight");
    if (!embed) {
        return false;
    }
    const struct state_entry *pooling = state_find(state, "head.decoder.duplicate_pooling");
    *out = (struct mldecoder){ .width = dim(embed, 0), .features = dim(embed, 1) };
    out->hidden = dim(state_find(state, "head.decoder.layers.0.linear1.weight"), 0);
    out->heads = settings->head_heads ? settings->head_heads : 8;
    out->queries = dim(state_find(state, "head.decoder.query_embed.weight"), 0);
    out->zero_shot = out->queries == 0;
    if (out->zero_shot) {
        const struct state_entry *words = state_find(state, "head.wordvec_proj.weight");
        out->embedding = words ? dim(words, 1) : out->width;
    } else {
        out->group = dim(pooling, 2);
        out->classes = dim(state_find(state, "head.decoder.duplicate_pooling_bias"), 0);
    }
    return true;
}

nn_id mldecoder_tokens(struct nn_graph *graph, const struct state *state,
                       const struct mldecoder *net, nn_id rows)
{
    nn_id weight = state_param(graph, state, NN_SHAPE2(net->width, net->features),
                               "head.decoder.embed_standart.weight");
    nn_id bias = state_param(graph, state, NN_SHAPE1(net->width),
                             "head.decoder.embed_standart.bias");
    return nn_linear_act(graph, rows, weight, bias, relu);
}

/* The places of dropout: queries, attention probabilities, what was attended to, and both
 * results of the feed-forward part. */
enum { DROP_QUERIES, DROP_PROBS, DROP_ATTENDED, DROP_HIDDEN, DROP_FORWARD };

static nn_id drop(struct nn_graph *graph, const struct mldecoder *net, nn_id x,
                  uint32_t place)
{
    return net->dropout > 0 ? nn_dropout(graph, x, net->random, net->dropout, place) : x;
}

/* Queries as rows [1,N,width]. */
static nn_id build_queries(struct nn_graph *graph, const struct state *state,
                           const struct mldecoder *net, nn_id labels)
{
    uint32_t d = net->width;
    if (!net->zero_shot) {
        return nn_param(graph, "head.decoder.query_embed.weight",
                        NN_SHAPE3(1, net->queries, d));
    }
    if (nn_graph_check(graph, NULL) != NN_OK) {
        return NN_NONE;
    }
    uint32_t n = nn_graph_node(graph, labels)->shape.dim[0];
    labels = nn_reshape(graph, labels, NN_SHAPE3(1, n, net->embedding));
    if (!state_find(state, "head.wordvec_proj.weight")) {
        return nn_activation(graph, labels, relu);
    }
    nn_id weight = state_param(graph, state, NN_SHAPE2(d, net->embedding),
                               "head.wordvec_proj.weight");
    nn_id bias = state_param(graph, state, NN_SHAPE1(d), "head.wordvec_proj.bias");
    return nn_linear_act(graph, labels, weight, bias, relu);
}

/* x W^T + b by `count` of the three [D,D] parts of in_proj: queries, keys, values. */
static nn_id project_parts(struct nn_graph *graph, const struct state *state,
                           const struct mldecoder *net, nn_id x, uint32_t first,
                           uint32_t count)
{
    uint32_t d = net->width;
    const char *prefix = "head.decoder.layers.0.multihead_attn";
    nn_id weight =
        state_param(graph, state, NN_SHAPE2(3 * d, d), "%s.in_proj_weight", prefix);
    nn_id bias = state_param(graph, state, NN_SHAPE1(3 * d), "%s.in_proj_bias", prefix);
    bias = nn_slice_rows(graph, nn_reshape(graph, bias, NN_SHAPE2(3, d)), first, count);
    return nn_linear(graph, x, nn_slice_rows(graph, weight, first * d, count * d),
                     nn_reshape(graph, bias, NN_SHAPE1(count * d)));
}

static nn_id attend(struct nn_graph *graph, const struct state *state,
                    const struct mldecoder *net, nn_id queries, nn_id tokens)
{
    uint32_t d = net->width;
    const char *prefix = "head.decoder.layers.0.multihead_attn";
    nn_id q = project_parts(graph, state, net, queries, 0, 1);
    nn_id kv = project_parts(graph, state, net, tokens, 1, 2);
    struct nn_attention a = { .heads = net->heads, .width = d, .v_column = d };
    nn_id probs = nn_output(graph, nn_attn_probs(graph, q, kv, a), "head.attn_probs");
    nn_id out = nn_attn_apply(graph, drop(graph, net, probs, DROP_PROBS), kv, a);
    nn_id weight = state_param(graph, state, NN_SHAPE2(d, d), "%s.out_proj.weight", prefix);
    nn_id bias = state_param(graph, state, NN_SHAPE1(d), "%s.out_proj.bias", prefix);
    return nn_output(graph, nn_linear(graph, out, weight, bias), "head.attn_out");
}

static nn_id feed_forward(struct nn_graph *graph, const struct state *state,
                          const struct mldecoder *net, nn_id x)
{
    uint32_t d = net->width, hidden = net->hidden;
    const char *prefix = "head.decoder.layers.0";
    nn_id w1 = state_param(graph, state, NN_SHAPE2(hidden, d), "%s.linear1.weight", prefix);
    nn_id b1 = state_param(graph, state, NN_SHAPE1(hidden), "%s.linear1.bias", prefix);
    nn_id w2 = state_param(graph, state, NN_SHAPE2(d, hidden), "%s.linear2.weight", prefix);
    nn_id b2 = state_param(graph, state, NN_SHAPE1(d), "%s.linear2.bias", prefix);
    nn_id h = nn_linear_act(graph, x, w1, b1, relu);
    h = nn_linear(graph, drop(graph, net, h, DROP_HIDDEN), w2, b2);
    return drop(graph, net, h, DROP_FORWARD);
}

/* norm1 of queries + dropout(queries), which doubles them at inference; the factor is kept
 * for the norm's epsilon. */
static nn_id norm_queries(struct nn_graph *graph, const struct state *state,
                          const struct mldecoder *net, nn_id labels)
{
    nn_id queries = build_queries(graph, state, net, labels);
    queries = net->dropout > 0
                  ? nn_add(graph, queries, drop(graph, net, queries, DROP_QUERIES))
                  : nn_scale(graph, queries, 2);
    return net_layer_norm(graph, state, queries, net->width,
                          "head.decoder.layers.0.norm1");
}

/* From the normed queries x [1,N,D] and what they attended to, a [B,N,D], to logits. */
static nn_id finish(struct nn_graph *graph, const struct state *state,
                    const struct mldecoder *net, nn_id x, nn_id a)
{
    uint32_t d = net->width;
    x = nn_add(graph, drop(graph, net, a, DROP_ATTENDED), x); /* the images share x */
    x = net_layer_norm(graph, state, x, d, "head.decoder.layers.0.norm2");
    nn_output(graph, x, "head.norm2");
    x = nn_add(graph, x, feed_forward(graph, state, net, x));
    x = net_layer_norm(graph, state, x, d, "head.decoder.layers.0.norm3");
    nn_output(graph, x, "head.norm3");
    const char *pool = "head.decoder.duplicate_pooling";
    if (net->zero_shot) {
        /* [D,1] has the memory of [1,D]. */
        const struct state_entry *e = state_find(state, pool);
        if (!e || e->count != d || e->rank != 2) {
            return nn_graph_fail(graph, "tensor \"%s\" is missing or does not fit", pool);
        }
        nn_id weight = nn_param(graph, pool, NN_SHAPE2(1, d));
        nn_id bias = state_param(graph, state, NN_SHAPE1(1), "%s_bias", pool);
        return nn_output(graph, nn_linear(graph, x, weight, bias), "head.logits");
    }
    nn_id weight = state_param(graph, state, NN_SHAPE3(net->queries, d, net->group), "%s",
                               pool);
    nn_id bias = state_param(graph, state, NN_SHAPE1(net->classes), "%s_bias", pool);
    return nn_output(graph, nn_group_fc(graph, x, weight, bias), "head.logits");
}

nn_id mldecoder_logits(struct nn_graph *graph, const struct state *state,
                       const struct mldecoder *net, nn_id tokens, nn_id labels)
{
    nn_id x = norm_queries(graph, state, net, labels);
    nn_output(graph, x, "head.norm1");
    return finish(graph, state, net, x, attend(graph, state, net, x, tokens));
}

/* --- Few labels ----------------------------------------------------------------------- */

bool mldecoder_can_absorb(const struct mldecoder *net)
{
    return net->zero_shot && net->width % 4 == 0;
}

/* Attention over the tokens themselves. Of head h with query q_h, the score of a token m
 * is q_h . (K_h m + k_h) = (K_h^T q_h) . m + a constant that the softmax drops, and
 * probabilities sum to 1, so that the mean of V_h m + v_h is V_h (mean of m) + v_h. */
static nn_id attend_absorbed(struct nn_graph *graph, const struct state *state,
                             const struct mldecoder *net, nn_id x, nn_id tokens)
{
    uint32_t d = net->width, heads = net->heads;
    const char *prefix = "head.decoder.layers.0.multihead_attn";
    nn_id weight =
        state_param(graph, state, NN_SHAPE2(3 * d, d), "%s.in_proj_weight", prefix);
    nn_id bias = state_param(graph, state, NN_SHAPE1(3 * d), "%s.in_proj_bias", prefix);
    if (nn_graph_check(graph, NULL) != NN_OK) {
        return NN_NONE;
    }
    uint32_t n = nn_graph_node(graph, x)->shape.dim[1];
    uint32_t images = nn_graph_node(graph, tokens)->shape.dim[0];
    nn_id q = project_parts(graph, state, net, x, 0, 1);
    nn_id keys = nn_transpose(graph, nn_slice_rows(graph, weight, d, d), heads);
    q = nn_group_linear(graph, q, keys, NN_NONE, heads); /* [1,N,heads*D] */
    /* One head as wide as a token divides by sqrt(D), the heads by sqrt(D / heads). */
    q = nn_scale(graph, nn_reshape(graph, q, NN_SHAPE3(1, n * heads, d)),
                 sqrtf((float)heads));
    struct nn_attention a = { .heads = 1, .width = d };
    nn_id out = nn_attn_apply(graph, nn_attn_probs(graph, q, tokens, a), tokens, a);
    out = nn_reshape(graph, out, NN_SHAPE3(images, n, heads * d));
    out = nn_group_linear(graph, out, nn_slice_rows(graph, weight, 2 * d, d),
                          nn_slice_rows(graph, bias, 2 * d, d), heads);
    weight = state_param(graph, state, NN_SHAPE2(d, d), "%s.out_proj.weight", prefix);
    bias = state_param(graph, state, NN_SHAPE1(d), "%s.out_proj.bias", prefix);
    return nn_linear(graph, out, weight, bias);
}

nn_id mldecoder_logits_absorbed(struct nn_graph *graph, const struct state *state,
                                const struct mldecoder *net, nn_id tokens, nn_id labels)
{
    nn_id x = norm_queries(graph, state, net, labels);
    return finish(graph, state, net, x, attend_absorbed(graph, state, net, x, tokens));
}
