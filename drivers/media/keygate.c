/* Could this frame belong to a key? Asked before spandsp's receivers are fed, in integers: on speech they would cost, all in
 * floating point, many times as much on a machine that emulates it, and speech is what callers mostly send.
 *
 * Half frames of 80 samples, Goertzel filters at the eight frequencies of ITU-T Q.23. The bars are far below what the
 * receivers themselves ask for, so they decide; this only keeps plain speech away from them.
 */
#include "internal.h"

#define HALF          (FRAME / 2)
#define LEAST_PERCENT 6 /* of the energy in the strongest row, and in the strongest column; 6 dB of twist leave 20 */
#define BOTH_PERCENT  40 /* in both together; a key in noise of 10 dB below it has 90 */

/* 2 cos(2 pi f / 8000) in Q14 */
static const int32_t row_factor[4] = {27980, 26956, 25701, 24219};
static const int32_t column_factor[4] = {19073, 16325, 13085, 9315};

static int64_t power_at(const int16_t *linear, int32_t factor)
{
    int64_t v1 = 0, v2 = 0;
    for (int i = 0; i < HALF; i++) {
        int64_t v = ((factor * v1) >> 14) - v2 + (linear[i] >> 2);
        v2 = v1;
        v1 = v;
    }
    return v1 * v1 + v2 * v2 - ((factor * v1) >> 14) * v2;
}

/* Share of the energy at the strongest of four frequencies, in percent. A pure sine has 100. */
static int64_t strongest_percent(const int16_t *linear, const int32_t *factor, int64_t energy)
{
    int64_t strongest = 0;
    for (int i = 0; i < 4; i++) {
        int64_t power = power_at(linear, factor[i]);
        strongest = power > strongest ? power : strongest;
    }
    return 200 * strongest / (HALF * energy + 1);
}

static bool half_could_be_key(const int16_t *linear)
{
    int64_t energy = 0;
    for (int i = 0; i < HALF; i++)
        energy += (linear[i] >> 2) * (linear[i] >> 2);
    int64_t column = strongest_percent(linear, column_factor, energy);
    if (column < LEAST_PERCENT)
        return false;
    int64_t row = strongest_percent(linear, row_factor, energy);
    return row >= LEAST_PERCENT && row + column >= BOTH_PERCENT;
}

bool could_be_key(const int16_t *linear)
{
    return half_could_be_key(linear) || half_could_be_key(linear + HALF);
}
