#include "app/scenes/background.h"

#include <math.h>

/* --- Noise ------------------------------------------------------------------------ */

/* 0 … 1 for a point of the integer grid. */
static double lattice(guint32 key, int x, int y)
{
    guint32 h = key ^ ((guint32)x * 0x85ebca6bu) ^ ((guint32)y * 0xc2b2ae35u);
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    return (double)(h ^ (h >> 16)) / 4294967296.0;
}

static double smooth_step(double low, double high, double value)
{
    double t = CLAMP((value - low) / (high - low), 0, 1);
    return t * t * (3 - 2 * t);
}

/* Smooth noise of one wavelength, 0 … 1. */
static double noise(guint32 key, double x, double y)
{
    int left = (int)floor(x), top = (int)floor(y);
    double u = smooth_step(0, 1, x - left), v = smooth_step(0, 1, y - top);
    double above = (1 - u) * lattice(key, left, top) + u * lattice(key, left + 1, top);
    double below = (1 - u) * lattice(key, left, top + 1)
                   + u * lattice(key, left + 1, top + 1);
    return (1 - v) * above + v * below;
}

/* Four octaves, 0 … 1. */
static double cloudy(guint32 key, double x, double y)
{
    double sum = 0, weight = 8.0 / 15;
    for (guint32 i = 0; i < 4; i++) {
        sum += weight * noise(key + i, x, y);
        x *= 2;
        y *= 2;
        weight /= 2;
    }
    return sum;
}

/* --- Skies and water -------------------------------------------------------------- */

double texture_clouds(guint32 key, double x, double y)
{
    return .8 * smooth_step(.5, .75, cloudy(key, 3 * x, 5 * y));
}

double texture_stars(guint32 key, double x, double y)
{
    int column = (int)floor(20 * x), row = (int)floor(20 * y);
    if (lattice(key, column, row) > .3) {
        return 0;
    }
    double dx = 20 * x - column - .2 - .6 * lattice(key + 1, column, row);
    double dy = 20 * y - row - .2 - .6 * lattice(key + 2, column, row);
    double radius = .06 + .12 * lattice(key + 3, column, row);
    return 1 - smooth_step(.5 * radius, 1.6 * radius, hypot(dx, dy));
}

double texture_streaks(guint32 key, double x, double y)
{
    return .75 * smooth_step(.42, .72, cloudy(key, 1.4 * x, 8 * y));
}

/* Crests stand closer together towards the horizon at the top. */
double texture_waves(guint32 key, double x, double y)
{
    double depth = 16 * sqrt(y + .1);
    double bend = 1.5 * noise(key, 5 * x, 1.5 * depth);
    double crest = .5 + .5 * sin(2 * G_PI * (depth + bend));
    double patch = smooth_step(.35, .7, noise(key + 1, 6 * x, depth));
    return .6 * patch * smooth_step(.75, 1, crest);
}

/* --- Ground ----------------------------------------------------------------------- */

double texture_blades(guint32 key, double x, double y)
{
    double lean = .02 * noise(key + 1, 8 * x, 8 * y);
    double blade = noise(key, 70 * (x + lean), 11 * y);
    return .75 * smooth_step(.45, .9, blade) + .25 * cloudy(key + 2, 3 * x, 3 * y);
}

double texture_ripples(guint32 key, double x, double y)
{
    double bend = 1.6 * cloudy(key, 2 * x, 2 * y);
    double ripple = .5 + .5 * sin(2 * G_PI * (7 * y + bend));
    double grains = noise(key + 2, 90 * x, 90 * y);
    return .35 * ripple * noise(key + 1, 3 * x, 3 * y) + .3 * grains;
}

double texture_drifts(guint32 key, double x, double y)
{
    return .9 * smooth_step(.4, .75, cloudy(key, 1.5 * x, 3 * y));
}

/* --- Walls, wood and paper -------------------------------------------------------- */

double texture_bricks(guint32 key, double x, double y)
{
    double row = floor(11 * y), across = 5 * x + .5 * fmod(fabs(row), 2);
    double u = across - floor(across), v = 11 * y - row;
    double edge = MIN(2.2 * MIN(u, 1 - u), MIN(v, 1 - v));
    double brick = .22 * lattice(key, (int)floor(across), (int)row)
                   + .14 * noise(key + 1, 45 * x, 45 * y);
    return MAX(.9 * (1 - smooth_step(.03, .12, edge)), brick);
}

double texture_boards(guint32 key, double x, double y)
{
    double board = floor(5 * y), v = 5 * y - board;
    if (v < .04) {
        return .95;
    }
    double grain = noise(key + (guint32)(int)board, 4 * x, 55 * y);
    return .22 * lattice(key, 1, (int)board) + .4 * smooth_step(.45, 1, grain);
}

double texture_squares(guint32 key, double x, double y)
{
    double across = fabs(14 * x - round(14 * x)), down = fabs(14 * y - round(14 * y));
    double line = 1 - smooth_step(.02, .11, MIN(across, down));
    return MAX(.8 * line, .06 * noise(key, 30 * x, 30 * y));
}

/* Each point belongs to the nearest of scattered centres; joints run where two are
 * equally near. */
double texture_stones(guint32 key, double x, double y)
{
    double nearest = 9, next = 9, tone = 0;
    int column = (int)floor(6 * x), row = (int)floor(7 * y);
    for (int i = column - 1; i <= column + 1; i++) {
        for (int j = row - 1; j <= row + 1; j++) {
            double d = hypot(6 * x - i - .15 - .7 * lattice(key, i, j),
                             7 * y - j - .15 - .7 * lattice(key + 1, i, j));
            if (d < nearest) {
                next = nearest;
                nearest = d;
                tone = lattice(key + 2, i, j);
            } else {
                next = MIN(next, d);
            }
        }
    }
    double joint = 1 - smooth_step(.04, .11, next - nearest);
    return MAX(.9 * joint, .35 * tone + .15 * noise(key + 3, 40 * x, 40 * y));
}

double texture_trunks(guint32 key, double x, double y)
{
    double trunk = noise(key, 13 * x + .25 * noise(key + 1, 3 * x, 2 * y), .35 * y);
    double leaves = cloudy(key + 2, 9 * x, 9 * y) * (1 - y);
    return MAX(.9 * smooth_step(.62, .7, trunk), .8 * leaves);
}
