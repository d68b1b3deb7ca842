/* The beta distribution: what is known of a share after so many successes and failures.
 * Plain arithmetic; any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The probability of a value below x in 0..1; a, b above 0 (the regularised incomplete
 * beta function). To some 1e-12. */
double beta_below(double x, double a, double b);
/* The x with that probability below it. */
double beta_quantile(double probability, double a, double b);

G_END_DECLS
