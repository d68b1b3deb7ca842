#include "app/trainer/sampler.h"

#include "app/random/rng.h"

#include <stdlib.h>

static void shuffle(struct rng *r, guint32 *values, guint n)
{
    for (guint i = n; i > 1; i--) {
        guint other = (guint)rng_below(r, (int)i);
        guint32 kept = values[i - 1];
        values[i - 1] = values[other];
        values[other] = kept;
    }
}

void sampler_shuffle(guint64 seed, guint64 place, enum sampler_purpose purpose,
                     guint32 *values, guint n)
{
    struct rng r = rng_new(seed, place, purpose);
    shuffle(&r, values, n);
}

void sampler_order(guint64 seed, guint64 epoch, guint n, guint32 *out)
{
    for (guint i = 0; i < n; i++) {
        out[i] = i;
    }
    sampler_shuffle(seed, epoch, SAMPLER_ORDER, out, n);
}

static gboolean is_positive(const float *targets, guint batch, guint n, guint label)
{
    for (guint i = 0; i < batch; i++) {
        if (targets[(gsize)i * n + label] > 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static int by_number(const void *left, const void *right)
{
    guint32 a = *(const guint32 *)left, b = *(const guint32 *)right;
    return (a > b) - (a < b);
}

void sampler_labels(guint64 seed, guint64 step, const float *targets, guint batch, guint n,
                    guint count, guint32 *out)
{
    struct rng r = rng_new(seed, step, SAMPLER_LABELS);
    g_autofree guint32 *order = g_new(guint32, n);
    guint positive = 0, rest = n;
    for (guint i = 0; i < n && count < n; i++) {
        if (is_positive(targets, batch, n, i)) {
            order[positive++] = i;
        } else {
            order[--rest] = i;
        }
    }
    if (count >= n) {
        for (guint i = 0; i < n; i++) {
            out[i] = i;
        }
        return;
    }
    shuffle(&r, order, positive);
    shuffle(&r, order + positive, n - positive);
    for (guint i = 0; i < count; i++) {
        out[i] = order[i];
    }
    qsort(out, count, sizeof *out, by_number);
}
