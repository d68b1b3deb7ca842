// 0^0 is 1, and a base below zero counts as zero. Small whole exponents are products,
// which are more exact than pow() and as fast.
float power(float base, float exponent)
{
    if (exponent == floor(exponent) && exponent <= 8.0) {
        float product = 1.0;
        for (float i = 0.0; i < exponent; i += 1.0) {
            product *= max(base, 0.0);
        }
        return product;
    }
    return base <= 0.0 ? 0.0 : pow(base, exponent);
}
