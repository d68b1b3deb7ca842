/* Reference of the losses and of the steps that change variables. */
#include "compute/graph/grad.h"
#include "compute/graph/op_ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 0^0 is 1, and a base below zero counts as zero. */
static double power(double base, double exponent)
{
    return exponent == 0 ? 1 : base <= 0 ? 0 : pow(base, exponent);
}

/* Loss of one logit and its slope (spec 2.5). 1 - p is formed as sigmoid(-x), for a
 * difference would lose it where p is near 1. */
static double asymmetric(const struct nn_attr *a, double x, double y, double *slope)
{
    double p = 1 / (1 + exp(-x)), q = 1 / (1 + exp(x)), eps = a->eps, clip = a->clip;
    if (y < 0) { /* unknown */
        *slope = 0;
        return 0;
    }
    if (isnan(x)) { /* the limits of the logarithms would make a loss of it */
        return *slope = x;
    }
    bool active = p > clip;
    double negative = active ? q + clip : 1;
    double base = y * log(p > eps ? p : eps) + (1 - y) * log(negative > eps ? negative : eps);
    double dbase = (p > eps ? y * q : 0)
                   - (active && negative > eps ? (1 - y) * p * q / negative : 0);
    double gamma = y * a->gamma_positive + (1 - y) * a->gamma_negative;
    double miss = y * q + (1 - y) * (active ? p - clip : 0);
    double weight = power(miss, gamma), dweight = 0;
    if (!a->detached && gamma > 0) {
        double dmiss = (active ? (1 - y) * p * q : 0) - y * p * q;
        dweight = gamma * power(miss, gamma - 1) * dmiss;
    }
    *slope = -(weight * dbase + dweight * base);
    return -weight * base;
}

bool ref_asymmetric_loss(const struct ref_call *c)
{
    double slope;
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        c->y[i] = (float)asymmetric(&c->node->attr, c->x[0][i], c->x[1][i], &slope);
    }
    return true;
}

bool ref_asymmetric_loss_grad(const struct ref_call *c)
{
    double slope;
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        asymmetric(&c->node->attr, c->x[0][i], c->x[1][i], &slope);
        c->y[i] = (float)(c->x[2][i] * slope);
    }
    return true;
}

/* One row of label_loss: x[n], its class, and the share of the loss that class j has.
 * log_p[n] and part[n] (derivative of the loss by log_p[j]) are filled. */
static double label_row(const struct nn_attr *a, const float *x, size_t n, size_t label,
                        double *log_p, double *part)
{
    double top = -INFINITY, sum = 0, loss = 0, others = 0;
    for (size_t j = 0; j < n; j++) {
        top = x[j] > top ? x[j] : top;
    }
    for (size_t j = 0; j < n; j++) {
        sum += exp(x[j] - top);
    }
    for (size_t j = 0; j < n; j++) {
        log_p[j] = x[j] - top - log(sum);
        others += j == label ? 0 : exp(log_p[j]);
    }
    for (size_t j = 0; j < n; j++) {
        double p = exp(log_p[j]), gamma = j == label ? a->gamma_positive : a->gamma_negative;
        double miss = j == label ? others : p, dmiss = j == label ? -p : p;
        double weight = power(miss, gamma);
        double dweight = gamma > 0 ? gamma * power(miss, gamma - 1) * dmiss : 0;
        double target = a->smoothing / (double)n + (j == label ? 1 - a->smoothing : 0);
        loss -= target * weight * log_p[j];
        part[j] = -target * (weight + log_p[j] * dweight);
    }
    return loss;
}

/* Calls label_row for every row; with dy it fills y with the gradient, else the losses. */
static bool label_rows(const struct ref_call *c, const int32_t *labels, const float *dy)
{
    size_t rows = c->shape[0].dim[0], n = c->shape[0].dim[1];
    double *log_p = malloc(2 * n * sizeof *log_p), *part = log_p + n;
    if (!log_p) {
        return false;
    }
    for (size_t r = 0; r < rows; r++) {
        size_t label = labels ? (size_t)labels[r] : r;
        double loss = label_row(&c->node->attr, c->x[0] + r * n, n, label, log_p, part);
        double sum = 0;
        for (size_t j = 0; j < n; j++) {
            sum += part[j];
        }
        for (size_t j = 0; j < n && dy; j++) {
            c->y[r * n + j] = (float)(dy[r] * (part[j] - exp(log_p[j]) * sum));
        }
        if (!dy) {
            c->y[r] = (float)loss;
        }
    }
    free(log_p);
    return true;
}

bool ref_label_loss(const struct ref_call *c)
{
    return label_rows(c, c->index[1], NULL);
}

bool ref_label_loss_grad(const struct ref_call *c)
{
    return label_rows(c, c->index[2], c->x[1]);
}

/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"): four
 * random words from a counter and a key, without a state. shaders/dropout.comp has the
 * same. */
static void philox(uint32_t word[4], const uint32_t key[2])
{
    for (uint32_t round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xd2511f53u * word[0], b = (uint64_t)0xcd9e8d57u * word[2];
        uint32_t next[4] = { (uint32_t)(b >> 32) ^ word[1] ^ (key[0] + round * 0x9e3779b9u),
                             (uint32_t)b,
                             (uint32_t)(a >> 32) ^ word[3] ^ (key[1] + round * 0xbb67ae85u),
                             (uint32_t)a };
        memcpy(word, next, sizeof next);
    }
}

bool ref_dropout(const struct ref_call *c)
{
    size_t size = c->shape[0].dim[c->shape[0].rank - 1], quads = (size + 3) / 4;
    const uint32_t *random = (const uint32_t *)c->index[1];
    double rate = c->node->attr.factor;
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        uint64_t quad = i / size * quads + i % size / 4;
        uint32_t word[4] = { (uint32_t)quad, c->node->attr.place, random[2], random[3] };
        philox(word, random);
        bool kept = word[i % size % 4] >= (uint32_t)(rate * 4294967296.0);
        c->y[i] = kept ? (float)(c->x[0][i] / (1 - rate)) : 0;
    }
    return true;
}

/* Sources that are variables are the run's own copies, and are meant to change. */
static float *variable(const struct ref_call *c, int i)
{
    return (float *)c->x[i];
}

bool ref_blend(const struct ref_call *c)
{
    float *v = variable(c, 0);
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        v[i] = c->node->attr.keep * v[i] + c->node->attr.take * c->x[1][i];
        c->y[i] = v[i];
    }
    return true;
}

bool ref_clip_factor(const struct ref_call *c)
{
    double norm = sqrt(c->x[0][0]) * c->x[1][NN_ADAM_FACTOR], limit = c->node->attr.factor;
    c->y[0] = !isfinite(norm) ? -1 : limit > 0 && norm > limit ? (float)(limit / norm) : 1;
    return true;
}

bool ref_adam(const struct ref_call *c)
{
    float *p = variable(c, 0), *first = variable(c, 1), *second = variable(c, 2);
    const float *h = c->x[4];
    bool l2 = c->node->attr.decay && !c->node->attr.decoupled;
    bool shrink = c->node->attr.decay && c->node->attr.decoupled;
    double factor = c->x[5] ? c->x[5][0] : 1;
    for (uint64_t i = 0; i < nn_shape_count(c->node->shape); i++) {
        if (factor < 0) {
            c->y[i] = p[i];
            continue;
        }
        double g = (double)c->x[3][i] * h[NN_ADAM_FACTOR] * factor;
        g += l2 ? (double)h[NN_ADAM_DECAY] * p[i] : 0;
        double value = shrink ? p[i] * (1 - (double)h[NN_ADAM_SHRINK]) : p[i];
        double m = (double)h[NN_ADAM_BETA1] * first[i] + h[NN_ADAM_REST1] * g;
        double v = (double)h[NN_ADAM_BETA2] * second[i] + h[NN_ADAM_REST2] * g * g;
        first[i] = (float)m;
        second[i] = (float)v;
        p[i] = (float)(value - h[NN_ADAM_STEP] * m
                                   / (sqrt(v) * h[NN_ADAM_ROOT] + h[NN_ADAM_EPS]));
        c->y[i] = p[i];
    }
    return true;
}
