/* Rewrites a graph for inference by a table of patterns.
 *
 * Nodes are visited in order and copied to a new graph. A pattern looks at a node and at
 * the node that computes one of its sources; it may replace both by one, when nobody
 * else reads the inner value and nobody asked for it by name. The fused node stands at
 * the outer node's place, so that all its sources come before it. */
#include "compute/graph/graph_private.h"

#include <stdlib.h>
#include <string.h>

struct fuse {
    const struct nn_graph *in;
    struct nn_graph *out;
    bool *kept;        /* by old node: leads to something wanted */
    bool *wanted;      /* by old node: asked for by name */
    uint32_t *readers; /* by old node: kept nodes that read it */
    bool *absorbed;    /* by old node: computed inside another, not copied */
    nn_id *map;        /* old to new */
    bool enabled;
};

static const struct nn_node *old(const struct fuse *f, nn_id id)
{
    return nn_graph_node(f->in, id);
}

static nn_id mapped(const struct fuse *f, nn_id id)
{
    return id == NN_NONE ? NN_NONE : f->map[id];
}

/* Whether the value of `id` may vanish into its only reader. */
static bool is_private(const struct fuse *f, nn_id id)
{
    return f->readers[id] == 1 && !f->wanted[id];
}

/* --- What is needed -------------------------------------------------------------------- */

static bool is_wanted(const struct nn_node *node, const char *const *wanted, size_t n)
{
    if (!node->output) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(wanted[i], node->name) == 0) {
            return true;
        }
    }
    return n == 0;
}

static void mark_kept(struct fuse *f, const char *const *wanted, size_t n_wanted)
{
    for (nn_id id = nn_graph_size(f->in); id-- > 0;) {
        const struct nn_node *node = old(f, id);
        f->wanted[id] = is_wanted(node, wanted, n_wanted);
        if (!f->wanted[id] && !f->kept[id] && !nn_op_updates(node->op)) {
            continue;
        }
        f->kept[id] = true;
        for (uint32_t i = 0; i < node->n_sources; i++) {
            if (node->source[i] != NN_NONE) {
                f->kept[node->source[i]] = true;
                f->readers[node->source[i]]++;
            }
        }
    }
}

/* --- Patterns ------------------------------------------------------------------------------ */

/* The chain that ends in a node: convolution or linear, its batch-norm, a residual add
 * and an activation, each optional after the first. */
struct chain {
    nn_id product;   /* conv2d or linear; NN_NONE when the node ends no chain */
    nn_id norm;      /* batch_norm */
    nn_id add;
    nn_id residual;  /* the other side of add */
    nn_id act;
};

static bool is_product(const struct nn_node *node)
{
    return (node->op == NN_OP_conv2d || node->op == NN_OP_linear) && node->n_sources <= 3
           && node->attr.epilogue.act == NN_ACT_NONE;
}

/* Finds batch-norm over convolution, or a bare product, at `id`. */
static bool match_product(const struct fuse *f, nn_id id, struct chain *chain)
{
    const struct nn_node *node = old(f, id);
    if (is_product(node)) {
        chain->product = id;
        return true;
    }
    if (node->op == NN_OP_batch_norm && is_private(f, node->source[0])
        && old(f, node->source[0])->op == NN_OP_conv2d
        && is_product(old(f, node->source[0]))) {
        chain->norm = id;
        chain->product = node->source[0];
        return true;
    }
    return false;
}

static bool match_add(const struct fuse *f, nn_id id, struct chain *chain)
{
    const struct nn_node *node = old(f, id);
    if (node->op != NN_OP_add
        || !nn_shape_equal(old(f, node->source[0])->shape,
                           old(f, node->source[1])->shape)
        || node->source[0] == node->source[1]) {
        return false;
    }
    /* The later side is the branch; the earlier one is computed by then in any case. */
    int first = node->source[0] > node->source[1] ? 0 : 1;
    for (int i = 0; i < 2; i++) {
        int side = i == 0 ? first : 1 - first;
        nn_id inner = node->source[side];
        if (is_private(f, inner) && match_product(f, inner, chain)) {
            chain->add = id;
            chain->residual = node->source[1 - side];
            return true;
        }
    }
    return false;
}

static struct chain match_chain(const struct fuse *f, nn_id id)
{
    struct chain chain = { NN_NONE, NN_NONE, NN_NONE, NN_NONE, NN_NONE };
    const struct nn_node *node = old(f, id);
    if (node->op == NN_OP_activation && is_private(f, node->source[0])) {
        chain.act = id;
        if (match_add(f, node->source[0], &chain)
            || match_product(f, node->source[0], &chain)) {
            return chain;
        }
    } else if (match_add(f, id, &chain) || match_product(f, id, &chain)) {
        return chain;
    }
    chain.product = NN_NONE;
    return chain;
}

static nn_id fuse_chain(struct fuse *f, const struct chain *chain)
{
    const struct nn_node *product = old(f, chain->product);
    nn_id source[4] = { mapped(f, product->source[0]), mapped(f, product->source[1]),
                        product->n_sources > 2 ? mapped(f, product->source[2]) : NN_NONE,
                        mapped(f, chain->residual) };
    struct nn_attr attr = product->attr;
    if (chain->act != NN_NONE) {
        attr.epilogue = old(f, chain->act)->attr.epilogue;
    }
    if (chain->norm != NN_NONE) {
        const struct nn_node *norm = old(f, chain->norm);
        struct nn_attr fold = { .eps = norm->attr.eps };
        nn_id gamma = mapped(f, norm->source[1]), beta = mapped(f, norm->source[2]);
        nn_id mean = mapped(f, norm->source[3]), variance = mapped(f, norm->source[4]);
        source[1] = nn_graph_add(f->out, NN_OP_fold_weight,
                                 (const nn_id[]){ source[1], gamma, variance }, 3, &fold);
        source[2] = nn_graph_add(
            f->out, NN_OP_fold_bias,
            (const nn_id[]){ gamma, beta, mean, variance, source[2] }, 5, &fold);
    }
    return nn_graph_add(f->out, product->op, source, 4, &attr);
}

/* Squeeze and excitation meeting the shortcut: act(x * s + residual). */
struct excitation { nn_id scale, add, residual; };

static bool match_excitation(const struct fuse *f, nn_id id, struct excitation *e)
{
    const struct nn_node *act = old(f, id);
    if (act->op != NN_OP_activation || !is_private(f, act->source[0])) {
        return false;
    }
    const struct nn_node *add = old(f, act->source[0]);
    if (add->op != NN_OP_add) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        nn_id inner = add->source[i];
        if (old(f, inner)->op == NN_OP_mul_channels && is_private(f, inner)
            && nn_shape_equal(old(f, inner)->shape, old(f, add->source[1 - i])->shape)) {
            *e = (struct excitation){ inner, act->source[0], add->source[1 - i] };
            return true;
        }
    }
    return false;
}

static nn_id fuse_attention(struct fuse *f, nn_id id)
{
    const struct nn_node *apply = old(f, id);
    const struct nn_node *probs = old(f, apply->source[0]);
    struct nn_attr attr = probs->attr;
    attr.v_column = apply->attr.v_column;
    return nn_graph_add(f->out, NN_OP_attention,
                        (const nn_id[]){ mapped(f, probs->source[0]),
                                         mapped(f, probs->source[1]),
                                         mapped(f, apply->source[1]) }, 3, &attr);
}

/* --- Rewriting --------------------------------------------------------------------------------- */

/* Marks what will be computed inside a later node. Outer nodes are looked at first, so
 * that the longest chain wins. */
static void mark_absorbed(struct fuse *f)
{
    for (nn_id id = nn_graph_size(f->in); id-- > 0;) {
        if (!f->kept[id] || f->absorbed[id]) {
            continue;
        }
        const struct nn_node *node = old(f, id);
        struct excitation e;
        struct chain chain = match_chain(f, id);
        if (chain.product != NN_NONE) {
            const nn_id inner[3] = { chain.product, chain.norm, chain.add };
            for (int i = 0; i < 3; i++) {
                if (inner[i] != NN_NONE && inner[i] != id) {
                    f->absorbed[inner[i]] = true;
                }
            }
        } else if (match_excitation(f, id, &e)) {
            f->absorbed[e.scale] = f->absorbed[e.add] = true;
        } else if (node->op == NN_OP_attn_apply && is_private(f, node->source[0])
                   && old(f, node->source[0])->op == NN_OP_attn_probs) {
            f->absorbed[node->source[0]] = true;
        }
    }
}

static nn_id copy_node(struct fuse *f, nn_id id)
{
    const struct nn_node *node = old(f, id);
    if (nn_op_is_leaf(node->op)) {
        return nn_graph_add_leaf(f->out, node->op, node->name, node->type, node->shape);
    }
    nn_id source[NN_MAX_SOURCES];
    for (uint32_t i = 0; i < node->n_sources; i++) {
        source[i] = mapped(f, node->source[i]);
    }
    return nn_graph_add(f->out, node->op, source, node->n_sources, &node->attr);
}

static nn_id rewrite_node(struct fuse *f, nn_id id)
{
    if (!f->enabled) {
        return copy_node(f, id);
    }
    const struct nn_node *node = old(f, id);
    struct excitation e;
    struct chain chain = match_chain(f, id);
    if (chain.product != NN_NONE && chain.product != id) {
        return fuse_chain(f, &chain);
    }
    if (chain.product == NN_NONE && match_excitation(f, id, &e)) {
        const struct nn_node *scale = old(f, e.scale);
        return nn_scale_add_act(f->out, mapped(f, scale->source[0]),
                                mapped(f, scale->source[1]), mapped(f, e.residual),
                                node->attr.epilogue);
    }
    if (node->op == NN_OP_attn_apply && f->absorbed[node->source[0]]) {
        return fuse_attention(f, id);
    }
    return copy_node(f, id);
}

static enum nn_status rewrite(struct fuse *f, struct nn_error *error)
{
    for (nn_id id = 0; id < nn_graph_size(f->in); id++) {
        const struct nn_node *node = old(f, id);
        if (!f->kept[id] || f->absorbed[id]) {
            f->map[id] = NN_NONE;
            continue;
        }
        f->map[id] = rewrite_node(f, id);
        if (f->wanted[id]) {
            nn_output(f->out, f->map[id], node->name);
        }
    }
    return nn_graph_check(f->out, error);
}

static enum nn_status check_wanted(const struct nn_graph *graph, const char *const *wanted,
                                   size_t n_wanted, struct nn_error *error)
{
    for (size_t i = 0; i < n_wanted; i++) {
        nn_id id = nn_graph_find(graph, wanted[i]);
        if (id == NN_NONE || !nn_graph_node(graph, id)->output) {
            return nn_fail(error, NN_ERROR_INVALID, "the graph has no output called %s",
                           wanted[i]);
        }
    }
    return NN_OK;
}

enum nn_status nn_graph_fuse(struct nn_graph **out, const struct nn_graph *graph,
                             const char *const *wanted, size_t n_wanted, bool fuse,
                             struct nn_error *error)
{
    enum nn_status status = nn_graph_check(graph, error);
    if (status == NN_OK) {
        status = check_wanted(graph, wanted, n_wanted, error);
    }
    if (status != NN_OK) {
        return status;
    }
    uint32_t n = nn_graph_size(graph) + 1;
    struct fuse f = { .in = graph, .out = nn_graph_create(), .enabled = fuse,
                      .kept = calloc(n, sizeof(bool)), .wanted = calloc(n, sizeof(bool)),
                      .readers = calloc(n, sizeof(uint32_t)),
                      .absorbed = calloc(n, sizeof(bool)), .map = calloc(n, sizeof(nn_id)) };
    if (!f.out || !f.kept || !f.wanted || !f.readers || !f.absorbed || !f.map) {
        status = nn_fail(error, NN_ERROR_MEMORY, "out of memory for a graph");
    } else {
        mark_kept(&f, wanted, n_wanted);
        if (fuse) {
            mark_absorbed(&f);
        }
        status = rewrite(&f, error);
    }
    free(f.kept);
    free(f.wanted);
    free(f.readers);
    free(f.absorbed);
    free(f.map);
    if (status != NN_OK) {
        nn_graph_destroy(&f.out);
        return status;
    }
    *out = f.out;
    return NN_OK;
}
