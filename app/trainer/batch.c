#include "app/trainer/batch.h"

#include "app/trainer/sampler.h"

#include <string.h>

struct batch {
    struct batch_params params;
    guint32 *order;            /* [pictures] of `epoch`; used with rows */
    guint64 epoch;
    float *pictures;           /* [size,3,S,S] or [size,rows,width] */
    gsize values;              /* of one of them */
    float *all_targets;        /* [size,all labels] */
    guint32 *columns;          /* [labels]: those of the step */
    float *targets;            /* [size,labels] */
    float *embeddings;         /* [labels,embedding] */
    gint32 *label_ids, *label_eot; /* [labels,length], [labels] */
    gint32 *ids, *eot;         /* [size,context], [size] */
};

struct batch *batch_new(const struct batch_params *p)
{
    struct batch *b = g_new0(struct batch, 1);
    gsize size = p->size, labels = p->labels;
    b->params = *p;
    b->epoch = G_MAXUINT64;
    b->values = p->rows ? (gsize)p->rows->count * p->rows->width
                        : 3 * (gsize)p->preprocess.size * p->preprocess.size;
    b->order = g_new(guint32, p->set->images->len);
    b->pictures = g_new(float, size * b->values);
    b->all_targets = g_new(float, size * p->set->labels->len);
    b->columns = g_new(guint32, labels);
    b->targets = g_new(float, size * labels);
    b->embeddings = g_new(float, labels * p->embedding);
    b->label_ids = g_new(gint32, labels * p->texts->length);
    b->label_eot = g_new(gint32, labels);
    b->ids = g_new(gint32, size * p->texts->context);
    b->eot = g_new(gint32, size);
    return b;
}

void batch_free(struct batch **batch)
{
    struct batch *b = *batch;
    *batch = NULL;
    if (b) {
        gpointer arrays[] = { b->order, b->pictures, b->all_targets, b->columns, b->targets,
                              b->embeddings, b->label_ids, b->label_eot, b->ids, b->eot };
        for (gsize i = 0; i < G_N_ELEMENTS(arrays); i++) {
            g_free(arrays[i]);
        }
        g_free(b);
    }
}

/* --- Pictures ------------------------------------------------------------------------ */

static void forget_targets(float *targets, guint n)
{
    for (guint k = 0; k < n; k++) {
        targets[k] = -1;
    }
}

/* Where nothing is known, what the model said before the training. */
static void keep_targets(const struct rows *rows, guint image, float *targets, guint n)
{
    for (guint k = 0; k < n; k++) {
        if (targets[k] < 0) {
            targets[k] = rows->confidence[(gsize)image * n + k];
        }
    }
}

static guint take_rows(struct batch *b, guint64 number, float *out, gboolean *broken)
{
    const struct batch_params *p = &b->params;
    if (number / p->length != b->epoch) {
        b->epoch = number / p->length;
        sampler_order(p->seed, b->epoch, p->set->images->len, b->order);
    }
    guint image = b->order[number % p->length];
    memcpy(out, p->rows->values + image * b->values, b->values * sizeof *out);
    *broken = p->rows->broken[image];
    return image;
}

static guint take_pixels(struct batch *b, float *out, gboolean *broken)
{
    struct feed_picture picture = { 0 };
    feed_take(b->params.feed, &picture);
    img_normalise(picture.rgb, &b->params.preprocess, out);
    *broken = picture.error != NULL;
    if (picture.error) {
        b->params.broken(picture.error->message, b->params.data);
    }
    g_free(picture.rgb);
    g_clear_error(&picture.error);
    return picture.image;
}

static gboolean fill_caption(struct batch *b, guint slot, guint64 number, GError **error)
{
    guint n = 0, all = b->params.set->labels->len, context = b->params.texts->context;
    g_autofree guint32 *positive = g_new(guint32, all);
    for (guint k = 0; k < all; k++) {
        if (b->all_targets[(gsize)slot * all + k] > 0) {
            positive[n++] = k;
        }
    }
    return texts_caption(b->params.texts, positive, n, b->params.seed, number,
                         b->ids + (gsize)slot * context, &b->eot[slot], error);
}

/* --- Labels -------------------------------------------------------------------------- */

static void fill_labels(struct batch *b, guint64 step)
{
    const struct batch_params *p = &b->params;
    guint all = p->set->labels->len, length = p->texts->length;
    sampler_labels(p->seed, step, b->all_targets, p->size, all, p->labels, b->columns);
    for (guint k = 0; k < p->labels; k++) {
        guint32 label = b->columns[k];
        for (guint i = 0; i < p->size; i++) {
            b->targets[(gsize)i * p->labels + k] = b->all_targets[(gsize)i * all + label];
        }
        if (p->embeddings) {
            memcpy(b->embeddings + (gsize)k * p->embedding,
                   p->embeddings + (gsize)label * p->embedding,
                   p->embedding * sizeof(float));
        } else {
            memcpy(b->label_ids + (gsize)k * length, p->texts->ids + (gsize)label * length,
                   length * sizeof(gint32));
            b->label_eot[k] = p->texts->eot[label];
        }
    }
}

gboolean batch_fill(struct batch *b, guint64 step, struct train_batch *out, GError **error)
{
    const struct batch_params *p = &b->params;
    guint all = p->set->labels->len;
    for (guint i = 0; i < p->size; i++) {
        guint64 number = step * p->size + i;
        gboolean broken;
        float *to = b->pictures + i * b->values, *targets = b->all_targets + (gsize)i * all;
        guint image = p->rows ? take_rows(b, number, to, &broken)
                              : take_pixels(b, to, &broken);
        if (broken) {
            forget_targets(targets, all);
        } else {
            training_set_targets(p->set, image, targets);
            if (p->rows && p->rows->confidence) {
                keep_targets(p->rows, image, targets, all);
            }
        }
        if (p->captions && !fill_caption(b, i, number, error)) {
            return FALSE;
        }
    }
    fill_labels(b, step);
    *out = (struct train_batch){
        .images = p->rows ? NULL : b->pictures, .features = p->rows ? b->pictures : NULL,
        .targets = b->targets, .tokens = p->captions ? b->ids : NULL,
        .eot = p->captions ? b->eot : NULL,
        .auxiliary_targets = p->all_targets ? b->all_targets : NULL,
        .label_embeddings = p->embeddings ? b->embeddings : NULL,
        .label_tokens = p->embeddings ? NULL : b->label_ids,
        .label_eot = p->embeddings ? NULL : b->label_eot };
    return TRUE;
}
