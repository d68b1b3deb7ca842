/* Shape rules of the operators of training. */
#include "compute/graph/op_shape.h"

#include "compute/graph/grad.h"

RULE(variable) { return "a variable is not computed"; }

RULE(fill)
{
    *out = node->attr.shape;
    return NULL;
}

RULE(mul)
{
    *out = source(graph, node, 0);
    return is_residual(graph, node, 1, *out) ? NULL : "shapes differ";
}

RULE(mul_scalar)
{
    *out = source(graph, node, 0);
    return source(graph, node, 1).rank == 0 ? NULL : "the factor is not a scalar";
}

RULE(sum_to)
{
    struct nn_shape x = source(graph, node, 0), to = node->attr.shape;
    bool channels = x.rank == 4 && to.rank == 1 && to.dim[0] == x.dim[1];
    bool planes = x.rank == 4 && to.rank == 2 && to.dim[0] == x.dim[0]
                  && to.dim[1] == x.dim[1];
    *out = to;
    if (!is_residual(graph, node, 1, x)) {
        return "the factors differ in shape";
    }
    return channels || planes || to.rank == 0 || (x.rank < 4 && shape_is_trailing(to, x))
               ? NULL : "it cannot be summed to that shape";
}

RULE(dropout)
{
    float rate = node->attr.factor;
    *out = source(graph, node, 0);
    if (!(rate >= 0 && rate < 1) || out->rank == 0) {
        return "the rate must be 0 or more and below 1";
    }
    return is_vector(graph, node, 1, NN_RANDOM_NUMBERS)
                   && nn_graph_node(graph, node->source[1])->type == NN_I32
               ? NULL : "the random numbers do not fit";
}

RULE(channel_mean)
{
    struct nn_shape x = source(graph, node, 0);
    *out = NN_SHAPE1(x.dim[1]);
    return x.rank == 4 ? NULL : "it is not a map";
}

RULE(channel_variance)
{
    const char *wrong = shape_channel_mean(graph, node, out);
    return wrong ? wrong : is_vector(graph, node, 1, out->dim[0])
                               ? NULL : "the mean does not fit the channels";
}

RULE(asymmetric_loss)
{
    *out = source(graph, node, 0);
    return is_residual(graph, node, 1, *out) && out->rank > 0 && out->rank < 4
               ? NULL : "logits and targets differ in shape";
}

RULE(label_loss)
{
    struct nn_shape x = source(graph, node, 0);
    *out = NN_SHAPE1(x.dim[0]);
    if (x.rank != 2) {
        return "logits must be rows";
    }
    if (node->n_sources < 2) {
        return x.dim[1] >= x.dim[0] ? NULL : "there are fewer classes than rows";
    }
    return is_vector(graph, node, 1, x.dim[0])
                   && nn_graph_node(graph, node->source[1])->type == NN_I32
               ? NULL : "there must be one class number a row";
}

RULE(expand)
{
    struct nn_shape x = source(graph, node, 0), to = node->attr.shape;
    bool map = x.rank == 2 && to.rank == 4 && to.dim[0] == x.dim[0]
               && to.dim[1] == x.dim[1];
    bool rows = x.rank == 2 && to.rank == 3 && to.dim[0] == x.dim[0]
                && to.dim[2] == x.dim[1];
    *out = to;
    return x.rank == 0 || map || rows ? NULL : "it cannot be repeated to that shape";
}

RULE(activation_grad) { return shape_mul(graph, node, out); }

RULE(weight_grad)
{
    struct nn_shape x = source(graph, node, 0), dy = source(graph, node, 1);
    struct nn_shape w = *out = node->attr.shape;
    bool conv = w.rank == 4 && x.rank == 4 && dy.rank == 4 && w.dim[0] == dy.dim[1]
                && w.dim[1] == x.dim[1] && dy.dim[0] == x.dim[0];
    bool linear = w.rank == 2 && x.rank < 4 && dy.rank == x.rank
                  && w.dim[0] == dy.dim[dy.rank - 1] && w.dim[1] == x.dim[x.rank - 1]
                  && nn_shape_count(x) / w.dim[1] == nn_shape_count(dy) / w.dim[0];
    return conv || linear ? NULL : "the gradient does not fit the weights";
}

RULE(flip_weight)
{
    struct nn_shape w = source(graph, node, 0);
    *out = NN_SHAPE4(w.dim[1], w.dim[0], w.dim[2], w.dim[3]);
    return w.rank == 4 ? NULL : "these are no weights of a convolution";
}

RULE(conv_grad_input)
{
    struct nn_shape dy = source(graph, node, 0), w = source(graph, node, 1);
    struct nn_shape x = *out = node->attr.shape;
    return dy.rank == 4 && w.rank == 4 && x.rank == 4 && dy.dim[1] == w.dim[0]
                   && x.dim[1] == w.dim[1] && x.dim[0] == dy.dim[0]
               ? NULL : "the gradient does not fit the weights";
}

RULE(norm_products)
{
    struct nn_shape x = source(graph, node, 0);
    *out = NN_SHAPE1(x.dim[1]);
    return x.rank == 4 && is_vector(graph, node, 1, x.dim[1])
                   && is_vector(graph, node, 2, x.dim[1]) && is_residual(graph, node, 3, x)
               ? NULL : "the statistics do not fit the channels";
}

RULE(batch_norm_grad)
{
    struct nn_shape x = *out = source(graph, node, 0);
    for (uint32_t i = 1; i < 7; i++) {
        if (i != 4 && !is_vector(graph, node, i, x.dim[1])) {
            return "the statistics do not fit the channels";
        }
    }
    return x.rank == 4 && is_residual(graph, node, 4, x) ? NULL : "shapes differ";
}

/* The gradient of an operator whose forward shape is a function of the source's. */
static const char *same_map(const struct nn_graph *graph, const struct nn_node *node,
                            struct nn_shape *out)
{
    struct nn_shape dy = source(graph, node, 0);
    *out = node->attr.shape;
    return dy.rank == 4 && out->rank == 4 && dy.dim[0] == out->dim[0]
                   && dy.dim[1] == out->dim[1]
               ? NULL : "it is not the gradient of a map";
}

RULE(blur_pool_grad) { return same_map(graph, node, out); }
RULE(avg_pool_grad) { return same_map(graph, node, out); }

RULE(depth_to_space)
{
    struct nn_shape x = source(graph, node, 0);
    *out = NN_SHAPE4(x.dim[0], x.dim[1] / 16, x.dim[2] * 4, x.dim[3] * 4);
    return x.rank == 4 && x.dim[1] % 16 == 0 ? NULL : "channels must be a multiple of 16";
}

RULE(rows_to_map)
{
    struct nn_shape x = source(graph, node, 0);
    struct nn_shape to = *out = node->attr.shape;
    return x.rank == 3 && to.rank == 4 && to.dim[0] == x.dim[0] && to.dim[1] == x.dim[2]
                   && to.dim[2] * to.dim[3] == x.dim[1]
               ? NULL : "the rows do not fill the map";
}

RULE(drop_first_row)
{
    struct nn_shape x = source(graph, node, 0);
    *out = NN_SHAPE3(x.dim[0], x.dim[1] - 1, x.dim[2]);
    return x.rank == 3 && x.dim[1] > 1 ? NULL : "there are no rows after the first";
}

RULE(place_row)
{
    struct nn_shape x = source(graph, node, 0), to = *out = node->attr.shape;
    return x.rank == 2 && to.rank == 3 && to.dim[0] == x.dim[0] && to.dim[2] == x.dim[1]
                   && is_vector(graph, node, 1, x.dim[0])
               ? NULL : "the row does not fit";
}

RULE(pad_rows)
{
    struct nn_shape x = source(graph, node, 0), to = *out = node->attr.shape;
    return x.rank == 2 && to.rank == 2 && to.dim[1] == x.dim[1]
                   && (uint64_t)x.dim[0] + node->attr.first <= to.dim[0]
               ? NULL : "there are more rows already";
}

RULE(embed_grad)
{
    struct nn_shape ids = source(graph, node, 0), dy = source(graph, node, 1);
    struct nn_shape table = *out = node->attr.shape;
    return ids.rank == 2 && dy.rank == 3 && table.rank == 2 && dy.dim[0] == ids.dim[0]
                   && dy.dim[1] == ids.dim[1] && dy.dim[2] == table.dim[1]
               ? NULL : "ids or table do not fit";
}

RULE(layer_norm_hat) { return shape_l2_normalize(graph, node, out); }
RULE(l2_normalize_grad) { return shape_mul(graph, node, out); }
RULE(softmax_grad) { return shape_mul(graph, node, out); }

RULE(layer_norm_grad)
{
    struct nn_shape x = *out = source(graph, node, 0);
    return x.rank > 0 && is_vector(graph, node, 1, x.dim[x.rank - 1])
                   && is_residual(graph, node, 2, x)
               ? NULL : "shapes differ";
}

RULE(attn_grad_probs)
{
    struct nn_shape dy = source(graph, node, 0), v = source(graph, node, 1);
    *out = NN_SHAPE4(dy.dim[0], node->attr.heads, dy.dim[1], v.dim[1]);
    return dy.rank == 3 && v.rank == 3 && dy.dim[2] == node->attr.width
                   && dy.dim[0] == v.dim[0]
               ? NULL : "gradient and values do not fit";
}

/* p [B,heads,queries,keys], other [B or 1,rows,*] -> attr.shape [B or 1,rows,*]. */
static const char *attention_rows(const struct nn_graph *graph, const struct nn_node *node,
                                  int result_dim, struct nn_shape *out)
{
    struct nn_shape p = source(graph, node, 0), other = source(graph, node, 1);
    const struct nn_attr *a = &node->attr;
    *out = a->shape;
    return p.rank == 4 && other.rank == 3 && out->rank == 3
                   && out->dim[1] == p.dim[result_dim]
                   && other.dim[1] == p.dim[5 - result_dim]
                   && a->q_column + a->width <= out->dim[2]
                   && a->k_column + a->width <= other.dim[2]
               ? NULL : "probabilities and rows do not fit";
}

RULE(attn_grad_query) { return attention_rows(graph, node, 2, out); }
RULE(attn_grad_key) { return attention_rows(graph, node, 3, out); }

RULE(group_fc_grad_rows)
{
    struct nn_shape dy = source(graph, node, 0), p = source(graph, node, 1);
    *out = NN_SHAPE3(dy.dim[0], p.dim[0], p.dim[1]);
    return dy.rank == 2 && p.rank == 3 && dy.dim[1] <= p.dim[0] * p.dim[2]
               ? NULL : "gradient and pooling do not fit";
}

RULE(group_fc_grad_pooling)
{
    struct nn_shape h = source(graph, node, 0), dy = source(graph, node, 1);
    struct nn_shape p = *out = node->attr.shape;
    return h.rank == 3 && dy.rank == 2 && p.rank == 3 && h.dim[1] == p.dim[0]
                   && h.dim[2] == p.dim[1] && h.dim[0] == dy.dim[0]
               ? NULL : "gradient and queries do not fit";
}

RULE(asymmetric_loss_grad)
{
    const char *wrong = shape_asymmetric_loss(graph, node, out);
    return wrong ? wrong : is_residual(graph, node, 2, *out) ? NULL : "shapes differ";
}

RULE(label_loss_grad)
{
    *out = source(graph, node, 0);
    return out->rank == 2 && is_vector(graph, node, 1, out->dim[0])
                   && is_vector(graph, node, 2, out->dim[0])
               ? NULL : "one gradient and one class number a row are needed";
}

RULE(blend)
{
    *out = source(graph, node, 0);
    if (nn_graph_node(graph, node->source[0])->op != NN_OP_variable) {
        return "only a variable can be changed";
    }
    return is_residual(graph, node, 1, *out) ? NULL : "shapes differ";
}

RULE(clip_factor)
{
    *out = source(graph, node, 0);
    return out->rank == 0 && is_vector(graph, node, 1, NN_ADAM_NUMBERS)
               ? NULL : "it is no sum, or the numbers do not fit";
}

RULE(adam)
{
    *out = source(graph, node, 0);
    for (uint32_t i = 0; i < 3; i++) {
        if (nn_graph_node(graph, node->source[i])->op != NN_OP_variable) {
            return "only a variable can be changed";
        }
    }
    for (uint32_t i = 1; i < 4; i++) {
        if (!is_residual(graph, node, i, *out)) {
            return "shapes differ";
        }
    }
    return is_vector(graph, node, 4, NN_ADAM_NUMBERS)
                   && is_residual(graph, node, 5, (struct nn_shape){ 0 })
               ? NULL : "the numbers do not fit";
}
