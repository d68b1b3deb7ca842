/* Which pictures and labels a step trains on. Every choice depends on the seed and the
 * place in the training alone. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What random numbers are for; streams of different purposes are independent. */
enum sampler_purpose { SAMPLER_ORDER = 1, SAMPLER_LABELS, SAMPLER_CAPTION, SAMPLER_PIXELS };

/* A permutation of 0 … n - 1: the order of the pictures in an epoch. */
void sampler_order(guint64 seed, guint64 epoch, guint n, guint32 *out);
/* `count` of n labels for a step, in rising order: those with a positive in the batch
 * first, each chosen by chance where there is no room for all. targets: [batch,n], above
 * 0 is positive. */
void sampler_labels(guint64 seed, guint64 step, const float *targets, guint batch, guint n,
                    guint count, guint32 *out);
/* `values` in an order by chance, for the thing number `place` of that purpose. */
void sampler_shuffle(guint64 seed, guint64 place, enum sampler_purpose purpose,
                     guint32 *values, guint n);

G_END_DECLS
