/* The pairs of trust.h from a database: what a model said of each image and what a person
 * decided. One thread, the store's. */
#pragma once

#include "app/store/store.h"
#include "app/trust/trust.h"

G_BEGIN_DECLS

/* One wording of a label, as predictions carry it ("" for labels of a fixed head). */
struct trust_wording {
    char *prompt;
    char *last;      /* when the model answered last; "" where only decisions remember it */
    GArray *pairs;   /* of struct trust_pair */
    GArray *images;  /* gint64, by pair: the image, ascending */
};

/* The wordings of a label that a model was asked with, the latest first (of struct
 * trust_wording). What a model accepted counts as undecided: it would measure the model by
 * itself. model: as decisions name it. */
GPtrArray *trust_load(store *s, const char *model, gint64 label, GError **error);
/* The images that both wordings were asked about, side by side: a and b get pairs. */
void trust_match(const struct trust_wording *one, const struct trust_wording *other,
                 GArray *a, GArray *b);

G_END_DECLS
