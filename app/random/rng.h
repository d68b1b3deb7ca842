/* Random numbers by counter: a number depends on its key and its place in the sequence
 * only, so what is made of them is the same whatever thread makes it and in what order. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct rng { guint64 key, counter; };

/* A bijection of 64 bits that leaves no visible relation between input and output. */
static inline guint64 rng_mix(guint64 x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Streams with another seed, item or purpose have nothing to do with each other. */
static inline struct rng rng_new(guint64 seed, guint64 item, guint64 purpose)
{
    guint64 key = rng_mix(seed + 0x9e3779b97f4a7c15u);
    key = rng_mix(key ^ (item + 0x632be59bd9b4e019u));
    return (struct rng){ rng_mix(key ^ (purpose + 0xd1342543de82ef95u)), 0 };
}

static inline guint64 rng_next(struct rng *r)
{
    return rng_mix(r->key + 0x9e3779b97f4a7c15u * ++r->counter);
}

/* In [low, high). */
static inline double rng_between(struct rng *r, double low, double high)
{
    return low + (high - low) * (double)(rng_next(r) >> 11) * 0x1p-53;
}

/* 0 … n - 1; n is at least 1 and small, so the bias of the product is below 1e-6. */
static inline int rng_below(struct rng *r, int n)
{
    return (int)(((rng_next(r) >> 32) * (guint64)n) >> 32);
}

static inline gboolean rng_chance(struct rng *r, double probability)
{
    return rng_between(r, 0, 1) < probability;
}

G_END_DECLS
