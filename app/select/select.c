#include "app/select/select.h"

#include "app/random/rng.h"

#include <math.h>
#include <string.h>

struct search {
    const struct select_pool *pool;
    float *features;  /* [images,width], about their mean, of length 1 */
    float *nearest;   /* [images,labels]: to what was decided or chosen for the label */
    gboolean *taken;  /* [images,labels] */
};

/* --- Distances ------------------------------------------------------------------------- */

static void subtract_mean(float *features, guint images, guint width)
{
    for (guint k = 0; k < width; k++) {
        double sum = 0;
        for (guint i = 0; i < images; i++) {
            sum += features[(gsize)i * width + k];
        }
        for (guint i = 0; i < images; i++) {
            features[(gsize)i * width + k] -= (float)(sum / images);
        }
    }
}

/* An image that is the mean itself is at distance 1 from all. */
static void normalise(float *row, guint width)
{
    double square = 0;
    for (guint k = 0; k < width; k++) {
        square += (double)row[k] * row[k];
    }
    float factor = square > 0 ? (float)(1 / sqrt(square)) : 0;
    for (guint k = 0; k < width; k++) {
        row[k] *= factor;
    }
}

static float distance(const struct search *s, guint a, guint b)
{
    guint width = s->pool->width;
    const float *x = s->features + (gsize)a * width, *y = s->features + (gsize)b * width;
    float dot = 0;
    for (guint k = 0; k < width; k++) {
        dot += x[k] * y[k];
    }
    return MAX(1 - dot, 0);
}

/* From now on `image` counts as decided for `label`. */
static void take(struct search *s, guint image, guint label)
{
    guint labels = s->pool->labels;
    s->taken[(gsize)image * labels + label] = TRUE;
    for (guint i = 0; i < s->pool->images; i++) {
        float *nearest = &s->nearest[(gsize)i * labels + label];
        *nearest = MIN(*nearest, distance(s, i, image));
    }
}

/* --- Choice ------------------------------------------------------------------------------ */

static double entropy(double p)
{
    p = CLAMP(p, 1e-6, 1 - 1e-6);
    return -p * log2(p) - (1 - p) * log2(1 - p);
}

/* FALSE when nothing is open. */
static gboolean find_best(const struct search *s, struct select_pair *out)
{
    const struct select_pool *p = s->pool;
    double best = -1;
    for (guint i = 0; i < p->images; i++) {
        for (guint l = 0; l < p->labels; l++) {
            gsize at = (gsize)i * p->labels + l;
            double value = s->taken[at] ? -1 : entropy(p->confidence[at]) * s->nearest[at];
            if (value > best) {
                best = value;
                *out = (struct select_pair){ i, l };
            }
        }
    }
    return best >= 0;
}

static void search_init(struct search *s, const struct select_pool *pool)
{
    gsize pairs = (gsize)pool->images * pool->labels;
    *s = (struct search){ pool, g_memdup2(pool->features, (gsize)pool->images * pool->width
                                                              * sizeof(float)),
                          g_new(float, pairs), g_new0(gboolean, pairs) };
    subtract_mean(s->features, pool->images, pool->width);
    for (guint i = 0; i < pool->images; i++) {
        normalise(s->features + (gsize)i * pool->width, pool->width);
    }
    for (gsize i = 0; i < pairs; i++) {
        s->nearest[i] = 2; /* the farthest that there is */
    }
    for (guint i = 0; i < pool->images; i++) {
        for (guint l = 0; l < pool->labels; l++) {
            if (pool->decided[(gsize)i * pool->labels + l]) {
                take(s, i, l);
            }
        }
    }
}

static guint choose_uncertain(const struct select_pool *pool, guint count,
                              struct select_pair *out)
{
    struct search s;
    guint n = 0;
    search_init(&s, pool);
    while (n < count && find_best(&s, &out[n])) {
        take(&s, out[n].image, out[n].label);
        n++;
    }
    g_free(s.features);
    g_free(s.nearest);
    g_free(s.taken);
    return n;
}

/* The first `count` of a shuffled deck of what is open. */
static guint choose_random(const struct select_pool *pool, guint64 seed, guint count,
                           struct select_pair *out)
{
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(struct select_pair));
    for (guint i = 0; i < pool->images; i++) {
        for (guint l = 0; l < pool->labels; l++) {
            if (!pool->decided[(gsize)i * pool->labels + l]) {
                struct select_pair pair = { i, l };
                g_array_append_val(open, pair);
            }
        }
    }
    struct rng r = rng_new(seed, 0, 0);
    for (guint n = 0; n < count && n < open->len; n++) {
        guint other = n + (guint)rng_below(&r, (int)(open->len - n));
        out[n] = g_array_index(open, struct select_pair, other);
        g_array_index(open, struct select_pair, other) =
            g_array_index(open, struct select_pair, n);
    }
    return MIN(count, open->len);
}

guint select_pairs(const struct select_pool *pool, enum select_rule rule, guint64 seed,
                   guint count, struct select_pair *out)
{
    return rule == SELECT_RANDOM ? choose_random(pool, seed, count, out)
                                 : choose_uncertain(pool, count, out);
}
