#include "app/trust/beta.h"

#include <math.h>

/* log Gamma(x) for x > 0 by Stirling's series, with smaller x carried up to where the
 * series serves. The C library's own writes to a global variable. */
static double log_gamma(double x)
{
    double shift = 0;
    for (; x < 10; x++) {
        shift += log(x);
    }
    double y = 1 / (x * x);
    double series = 1 / (12 * x)
                    * (1 - y / 30 * (1 - y * 2 / 7 * (1 - y * 3 / 4
                    * (1 - y * 140 / 99 * (1 - y * 2073.0 / 910)))));
    return (x - 0.5) * log(x) - x + 0.918938533204672741780 + series - shift;
}

/* The continued fraction of the incomplete beta function (DiDonato and Morris 1992 review
 * it) by the method of Lentz (1976); it converges fast for x below (a + 1) / (a + b + 2). */
static double fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d, change = 0;
    for (int m = 1; m < 10000 && fabs(change - 1) > 1e-15; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = 1 + even / c;
        c = fabs(c) < tiny ? tiny : c;
        value *= c * d;
        d = 1 + odd * d;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = 1 + odd / c;
        c = fabs(c) < tiny ? tiny : c;
        change = c * d;
        value *= change;
    }
    return value;
}

double beta_below(double x, double a, double b)
{
    if (x <= 0 || x >= 1) {
        return x >= 1;
    }
    double factor = exp(a * log(x) + b * log1p(-x) + log_gamma(a + b) - log_gamma(a)
                        - log_gamma(b));
    return x < (a + 1) / (a + b + 2) ? factor * fraction(x, a, b) / a
                                     : 1 - factor * fraction(1 - x, b, a) / b;
}

double beta_quantile(double probability, double a, double b)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (beta_below(middle, a, b) < probability) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2;
}
