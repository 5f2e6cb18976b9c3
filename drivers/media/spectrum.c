/* What was heard, looked through at leisure: stretches of pause, tone or other sound with their frequencies. Control thread only.
 *
 * Stretches are found by the energy of 20 ms around every 5 ms; a tone is followed as long as its one or two frequencies hold
 * 75 % of the energy, and is then measured as a whole: Hann window, transform, peaks refined by bisection. */
#include "internal.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP         40 /* 5 ms */
#define AROUND       160 /* 20 ms */
#define FINE         4096
#define COARSE       1024
#define LOOK         1920 /* 240 ms tell 25 Hz apart */
#define LOOK_LEAST   800
#define FOLLOW       320 /* 40 ms */
#define SHORTEST     240 /* 30 ms; shorter sounds are clicks */
#define GAP_STEPS    3 /* shorter pauses are none */
#define QUIET_DBM0   (-45.0)
#define ABOVE_FLOOR  6.3 /* 8 dB */
#define BELOW_LOUD   16.0 /* 12 dB */
#define EDGE         0.25 /* of the energy: the window is then 5 ms over the edge */
#define EDGE_MS      5.0
#define SECOND_POWER 0.05 /* 13 dB: a weaker second frequency is none */
#define SHARE        0.75
#define ROUGHLY      0.7 /* of a peak is in the bin beside it */
#define SAME_HZ      8.0
#define LOWEST_HZ    150.0
#define HIGHEST_HZ   3700.0
#define NONE_DBM0    (-90.0)

struct sound {
    int16_t *linear;
    float *energy; /* by step, mean square */
    int samples, steps;
    cm_segment *out;
    int count, most;
};

struct pair {
    double hz1, hz2;
    double share; /* of the energy */
};

static double dbm0_of(double mean_square)
{
    return mean_square > 0 ? fmax(20 * log10(sqrt(mean_square) / dbm0_to_rms(0)), NONE_DBM0) : NONE_DBM0;
}

static double mean_square(const int16_t *linear, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)linear[i] * linear[i];
    return count ? sum / count : 0;
}

static void measure_energy(struct sound *s)
{
    for (int k = 0; k < s->steps; k++) {
        int from = k * STEP + STEP / 2 - AROUND / 2, to = from + AROUND;
        from = from < 0 ? 0 : from;
        to = to > s->samples ? s->samples : to;
        s->energy[k] = (float)mean_square(s->linear + from, to - from);
    }
}

/* --- frequencies --- */

static float complex turns[FINE / 2];

static void fill_turns(void)
{
    for (int k = 0; k < FINE / 2; k++)
        turns[k] = cexpf(-2.0f * (float)M_PI * I * (float)k / FINE);
}

static void transform(float complex *x, int count)
{
    for (int i = 1, j = 0; i < count; i++) {
        int bit = count >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            float complex swap = x[i];
            x[i] = x[j];
            x[j] = swap;
        }
    }
    for (int length = 2; length <= count; length <<= 1)
        for (int k = 0; k < length / 2; k++) {
            float complex turn = turns[k * (FINE / length)];
            for (int i = k; i < count; i += length) {
                float complex even = x[i], odd = x[i + length / 2] * turn;
                x[i] = even + odd;
                x[i + length / 2] = even - odd;
            }
        }
}

/* Mean square of the sine at that frequency, by a Hann window over all of it. */
static double power_at(const float *windowed, int count, double hz)
{
    double factor = 2 * cos(2 * M_PI * hz / 8000.0), v1 = 0, v2 = 0;
    for (int i = 0; i < count; i++) {
        double v = factor * v1 - v2 + windowed[i];
        v2 = v1;
        v1 = v;
    }
    return 8 * (v1 * v1 + v2 * v2 - factor * v1 * v2) / count / count;
}

static double refine(const float *windowed, int count, double hz, double bin_hz)
{
    double at = power_at(windowed, count, hz);
    for (double by = bin_hz / 2; by > 0.1; by /= 2) {
        double below = power_at(windowed, count, hz - by), above = power_at(windowed, count, hz + by);
        if (fmax(below, above) > at) {
            hz += above > below ? by : -by;
            at = fmax(below, above);
        }
    }
    return hz;
}

static int highest_bin(const float *power, double bin_hz, double but_hz, double near_hz)
{
    int best = 0;
    for (int k = (int)(LOWEST_HZ / bin_hz); k < HIGHEST_HZ / bin_hz; k++)
        if (fabs(k * bin_hz - but_hz) > near_hz && power[k] > power[k - 1] && power[k] >= power[k + 1] &&
            (!best || power[k] > power[best]))
            best = k;
    return best;
}

static void order(struct pair *p)
{
    if (p->hz2 > 0 && p->hz2 < p->hz1) {
        double swap = p->hz1;
        p->hz1 = p->hz2;
        p->hz2 = swap;
    }
}

static void spectrum_of(const float *windowed, int count, int size, float *power)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    float complex x[FINE];
    pthread_once(&once, fill_turns);
    for (int i = 0; i < size; i++)
        x[i] = i < count ? windowed[i] : 0;
    transform(x, size);
    for (int k = 0; k <= size / 2; k++)
        power[k] = crealf(x[k]) * crealf(x[k]) + cimagf(x[k]) * cimagf(x[k]);
}

/* `least`: where the two highest peaks have less of the energy, that is answered at once. */
static struct pair frequencies(const int16_t *linear, int count, double least)
{
    float windowed[FINE], power[FINE / 2 + 1];
    struct pair p = {0, 0, 0};
    int size = COARSE;
    count = count < FINE ? count : FINE;
    while (size < count)
        size *= 2;
    double bin_hz = 8000.0 / size;
    for (int i = 0; i < count; i++)
        windowed[i] = linear[i] * (0.5f - 0.5f * cosf(2.0f * (float)M_PI * ((float)i + 0.5f) / (float)count));
    spectrum_of(windowed, count, size, power);
    int first = highest_bin(power, bin_hz, 0, 0);
    if (!first)
        return p;
    int second = highest_bin(power, bin_hz, first * bin_hz, 2.2 * 8000.0 / count);
    bool two = second && power[second] >= SECOND_POWER * power[first];
    double energy = mean_square(linear, count) + 1;
    if (8.0 * (power[first] + (two ? power[second] : 0)) / count / count < ROUGHLY * least * energy)
        return p;
    p.hz1 = refine(windowed, count, first * bin_hz, bin_hz);
    if (two)
        p.hz2 = refine(windowed, count, second * bin_hz, bin_hz);
    p.share = (power_at(windowed, count, p.hz1) + (two ? power_at(windowed, count, p.hz2) : 0)) / energy;
    order(&p);
    return p;
}

/* --- stretches --- */

static void tell(struct sound *s, enum cm_sound kind, double from, double to, double level, const struct pair *p)
{
    if (s->count == s->most || to <= from)
        return;
    s->out[s->count++] = (cm_segment){.sound = kind,
                                      .begin_ms = from / SAMPLES_PER_MS,
                                      .ms = (to - from) / SAMPLES_PER_MS,
                                      .dbm0 = dbm0_of(level),
                                      .hz1 = p ? p->hz1 : 0,
                                      .hz2 = p ? p->hz2 : 0};
}

/* Sum of the samples turned back by that frequency. */
static double complex turned_back(const int16_t *linear, double hz)
{
    double complex sum = 0, turn = cexp(-2.0 * M_PI * I * hz / 8000.0), phase = 1;
    for (int i = 0; i < FOLLOW; i++, phase *= turn)
        sum += linear[i] * phase;
    return sum;
}

/* Energy of what best fits the samples out of two sines, which are alike when they are close. */
static double energy_of_two(const int16_t *linear, double hz1, double hz2)
{
    double complex first = turned_back(linear, hz1), second = turned_back(linear, hz2), alike = 0;
    for (int i = 0; i < FOLLOW; i++)
        alike += cexp(2.0 * M_PI * I * (hz2 - hz1) * i / 8000.0) / FOLLOW;
    double both = creal(first * conj(first) + second * conj(second) - 2 * conj(first) * alike * second);
    return 2 * both / FOLLOW / (1 - creal(alike * conj(alike)));
}

static bool still_there(const int16_t *linear, const struct pair *p)
{
    double complex one = turned_back(linear, p->hz1);
    double found = p->hz2 > 0 ? energy_of_two(linear, p->hz1, p->hz2) : 2 * creal(one * conj(one)) / FOLLOW;
    return found >= SHARE * mean_square(linear, FOLLOW) * FOLLOW;
}

/* Where the tone that begins here ends; `from` itself when there is none. */
static int follow_tone(const struct sound *s, int from, int to)
{
    for (int look = LOOK; look >= LOOK_LEAST; look -= LOOK - LOOK_LEAST) {
        int count = to - from < look ? to - from : look;
        struct pair p = frequencies(s->linear + from, count, SHARE);
        int at = from;
        if (p.share < SHARE)
            continue;
        while (at + FOLLOW <= to && still_there(s->linear + at, &p))
            at += FOLLOW / 4;
        at = at + FOLLOW > to ? to : at == from ? from : at + FOLLOW / 2;
        if (at - from >= SHORTEST)
            return at;
    }
    return from;
}

static bool continues(const struct sound *s, int from, const struct pair *p)
{
    const cm_segment *last = s->count ? &s->out[s->count - 1] : NULL;
    return last && last->sound == CM_SOUND_TONE &&
           fabs(last->begin_ms + last->ms - (double)from / SAMPLES_PER_MS) < 1 && fabs(last->hz1 - p->hz1) < SAME_HZ &&
           fabs(last->hz2 - p->hz2) < SAME_HZ;
}

static void tell_tone(struct sound *s, int from, int to)
{
    int inner = to - from > 3 * STEP ? STEP : 0, count = to - from - 2 * inner;
    int skipped = count > FINE ? (count - FINE) / 2 : 0;
    struct pair p = frequencies(s->linear + from + inner + skipped, count - 2 * skipped, 0);
    if (continues(s, from, &p))
        s->out[s->count - 1].ms += (double)(to - from) / SAMPLES_PER_MS;
    else
        tell(s, CM_SOUND_TONE, from, to, mean_square(s->linear + from + inner, count), &p);
}

static void tell_sound(struct sound *s, int from, int to)
{
    int other = from;
    for (int at = from; at < to;) {
        int end = to - at >= SHORTEST ? follow_tone(s, at, to) : at;
        if (end == at) {
            at += FOLLOW;
            continue;
        }
        tell(s, CM_SOUND_OTHER, other, at, mean_square(s->linear + other, at - other), NULL);
        tell_tone(s, at, end);
        other = at = end;
    }
    tell(s, CM_SOUND_OTHER, other, to, mean_square(s->linear + other, to - other), NULL);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Between the quietest and the loudest tenth, where these are far apart. */
static double threshold(const struct sound *s)
{
    double quiet = dbm0_to_rms(QUIET_DBM0) * dbm0_to_rms(QUIET_DBM0);
    float *sorted = malloc((size_t)s->steps * sizeof *sorted);
    if (!sorted)
        return quiet;
    memcpy(sorted, s->energy, (size_t)s->steps * sizeof *sorted);
    qsort(sorted, (size_t)s->steps, sizeof *sorted, compare);
    double floor = sorted[s->steps / 10], loud = sorted[s->steps - 1 - s->steps / 10];
    free(sorted);
    return fmax(quiet, fmin(floor * ABOVE_FLOOR, loud / BELOW_LOUD));
}

/* The first step from `at` on that is loud (or not); a change that does not last is none. */
static int next_change(const struct sound *s, int at, bool loud, double bar)
{
    int lasts = 0;
    for (int k = at; k < s->steps; k++) {
        lasts = (s->energy[k] >= bar) == loud ? lasts + 1 : 0;
        if (lasts == GAP_STEPS)
            return k - GAP_STEPS + 1;
    }
    return s->steps;
}

static double mean_energy(const struct sound *s, int from, int to)
{
    double sum = 0;
    for (int k = from; k < to; k++)
        sum += s->energy[k];
    return sum / (to - from);
}

static void trim(const struct sound *s, int *from, int *to)
{
    double bar = EDGE * mean_energy(s, *from, *to);
    while (*from < *to && s->energy[*from] < bar)
        ++*from;
    while (*to > *from && s->energy[*to - 1] < bar)
        --*to;
}

static void look_through(struct sound *s)
{
    double bar = threshold(s);
    int told = 0;
    for (int from = 0, to = 0; from < s->steps && s->samples; from = to) {
        int begin = next_change(s, from, true, bar), end = next_change(s, begin, false, bar);
        to = end;
        trim(s, &begin, &end);
        int first = begin * STEP + (begin ? (int)(EDGE_MS * SAMPLES_PER_MS) : 0);
        int last = end >= s->steps ? s->samples : end * STEP - (int)(EDGE_MS * SAMPLES_PER_MS);
        if (last - first < SHORTEST)
            continue;
        tell(s, CM_SOUND_PAUSE, told, first, mean_square(s->linear + told, first - told), NULL);
        tell_sound(s, first, last);
        told = last;
    }
    tell(s, CM_SOUND_PAUSE, told, s->samples, mean_square(s->linear + told, s->samples - told), NULL);
}

int cm_segments(cm_engine *e, int port, cm_segment *out, int most)
{
    if (port < 0 || port >= e->config.max_ports || !e->ports[port])
        return CM_E_NO_PORT;
    const struct capture *c = e->ports[port]->capture_seen;
    if (!c)
        return CM_E_STATE;
    struct sound s = {.out = out, .most = most};
    s.samples = (int)atomic_load_explicit(&c->samples, memory_order_acquire);
    s.steps = s.samples / STEP;
    s.linear = malloc((size_t)s.samples * sizeof *s.linear + 1);
    s.energy = malloc((size_t)s.steps * sizeof *s.energy + 1);
    bool enough = s.linear && s.energy;
    if (enough) {
        codes_to_linear(e->ports[port]->law, c->codes, s.linear, s.samples);
        measure_energy(&s);
        if (s.steps)
            look_through(&s);
    }
    free(s.linear);
    free(s.energy);
    return enough ? s.count : CM_E_NO_MEMORY;
}
