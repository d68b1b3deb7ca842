/* Which of two wordings of a label separates what a person accepted from what was rejected,
 * asked about the same images. Plain arithmetic; any thread. */
#pragma once

#include "app/trust/trust.h"

G_BEGIN_DECLS

struct trust_contest {
    struct trust_comparison comparison; /* areas, their difference, decisions */
    double precision[2];  /* average precision over what was decided; NaN while nothing was
                           * accepted */
    int better;           /* 1: the first, 2: the second; 0: neither is shown to be, as the
                           * difference may be 0 */
};

/* a, b: [n], the verdicts those of `a`; what is undecided counts for nothing. */
void trust_hold_contest(const struct trust_pair *a, const struct trust_pair *b, guint n,
                        struct trust_contest *out);

G_END_DECLS
