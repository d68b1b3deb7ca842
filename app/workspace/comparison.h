/* Two wordings of a label side by side: both are asked about the images of the open folder,
 * those that a person decided on first. Nothing is stored. Main thread only. */
#pragma once

#include "app/trust/contest.h"
#include "app/workspace/workspace.h"

G_BEGIN_DECLS

/* Signals: "changed": more is known; "failed" (const char *): for a person, and nothing more
 * comes. */
#define TL_TYPE_COMPARISON (tl_comparison_get_type())
G_DECLARE_FINAL_TYPE(TlComparison, tl_comparison, TL, COMPARISON, GObject)

/* a, b: prompt expressions (app/words/prompt_expression.h); "" for the label's name. NULL
 * with an error when one cannot be read, or the loaded model takes no words. */
TlComparison *tl_comparison_new(TlWorkspace *workspace, guint label, const char *a,
                                const char *b, GError **error);
/* Ends the work; no signal comes afterwards. Before its owner lets go of it. */
void tl_comparison_stop(TlComparison *self);
/* Which separates the accepted from the rejected images of the folder, by those that were
 * asked about until now. Borrowed. */
const struct trust_contest *tl_comparison_contest(TlComparison *self);
/* Images that were asked about, and whether these are all that can be. */
guint tl_comparison_asked(TlComparison *self);
gboolean tl_comparison_done(TlComparison *self);

#define TL_COMPARISON_BEST 12
/* The images of the highest confidences for wording 0 or 1, highest first, to
 * images[TL_COMPARISON_BEST] (borrowed) with confidences; returns how many there are. */
guint tl_comparison_best(TlComparison *self, guint wording, TlImage **images,
                         double *confidences);

G_END_DECLS
