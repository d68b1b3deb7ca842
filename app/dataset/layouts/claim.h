/* What JSON files say of an image and a label by number, kept until the file has said what
 * the numbers mean; and the values that several layouts write alike. */
#pragma once

#include "app/dataset/dataset_private.h"
#include "app/dataset/json_stream.h"

G_BEGIN_DECLS

struct claim {
    gint64 image, label; /* numbers of the file, or indices */
    double score;        /* below 0: none */
    gint8 truth;
    guint8 by_model;
};

/* A person's, positive, without a score. */
struct claim claim_new(void);
/* A confidence, or null. Detectors write scores that are none (above 1, below 0); they
 * count as no score. */
double claim_read_score(struct json_stream *json);
/* The attributes "state", "source" and "score" of an object as this program writes them;
 * others, and what is no object, are passed over. */
void claim_read_attributes(struct json_stream *json, struct claim *claim);
/* To the data set: image and label are its indices by now. */
void claim_add(struct dataset *d, const struct claim *claim);
/* All of them, struct claim, whose labels are indices that the file gave. */
gboolean claims_add(struct dataset *d, const GArray *claims, const char *path,
                    GError **error);

G_END_DECLS
