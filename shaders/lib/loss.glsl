// 0^0 is 1, and a base below zero counts as zero.
float power(float base, float exponent)
{
    return exponent == 0.0 ? 1.0 : base <= 0.0 ? 0.0 : pow(base, exponent);
}
