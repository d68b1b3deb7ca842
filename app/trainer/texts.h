/* The texts of a training as token ids. Immutable once made. */
#pragma once

#include "app/trainer/caption.h"
#include "app/trainer/training_set.h"
#include "compute/nets/model.h"

G_BEGIN_DECLS

struct texts {
    const struct training_set *set;
    const struct tokenizer *tokenizer;
    const char *prompt;      /* with one %s; borrowed */
    guint context;           /* tokens that the text encoder takes */
    guint length;            /* of the longest label prompt */
    gint32 *ids;             /* [labels,length], zero padded */
    gint32 *eot;             /* [labels]: the row of the end token */
    guint cut;               /* labels whose prompts are longer than the context */
    guint *sizes;            /* [labels]: tokens of the bare label */
    struct caption_room room;
    guint most;              /* labels of a caption; 0: all that it has room for */
};

/* Borrows all three. */
gboolean texts_init(struct texts *t, const struct training_set *set,
                    const struct model *model, const char *prompt, GError **error);
void texts_clear(struct texts *t);

/* ids [context] and *eot of the caption of picture number `picture` of the training, whose
 * true labels are `labels` [n]; they are put into an order by chance. */
gboolean texts_caption(const struct texts *t, guint32 *labels, guint n, guint64 seed,
                       guint64 picture, gint32 *ids, gint32 *eot, GError **error);

G_END_DECLS
