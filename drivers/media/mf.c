/* R2 register signals heard (ITU-T Q.441: two of six frequencies, 15 signals of each direction).
 *
 * A frame is filtered to the band of its direction, so that our own signals coming back are not in the way, and the last
 * 133 samples of it are measured: zeros of the transforms then lie at 60 Hz, neighbours at 120 Hz. How
 * much of that window the signal fills shows in the share of the energy that its two frequencies have: a signal counts from
 * 12 ms on, and is over when 9 ms are missing. So one of 7 ms is not taken, nor is an interruption of 7 ms seen. */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FREQUENCIES 6
#define WINDOW      133
#define SECTIONS    2

/* Q.455: -35 to -5 dBm0 a frequency are taken, -42 dBm0 is not; a signal that fills 70 % of the window seems
 * 3 dB weaker than it is. */
#define OPERATE_DBM0  (-39.5)
#define RELEASE_DBM0  (-43.0)
#define OPERATE_SHARE 0.70f
#define RELEASE_SHARE 0.45f
#define TWIST_POWER   0.1f /* 10 dB; 7 dB are wanted, 20 dB must not be taken */
#define THIRD_POWER   0.25f /* a third frequency is 6 dB below the weaker of the two */

struct section {
    float b0, b1, b2, a1, a2;
};

struct mf_detector {
    struct object object;
    const struct section *band;
    float factor[FREQUENCIES];
    float delay1[SECTIONS], delay2[SECTIONS];
    float operate, release; /* powers */
    int signal; /* that is on, 0 for none */
};

/* Elliptic, 0.3 dB and 32 dB, from 1330 Hz up and to 1190 Hz. */
static const struct section forward_band[SECTIONS] = {
    {0.30317407f, -0.57047548f, 0.30317407f, -0.33802544f, 0.19775979f},
    {1.00000000f, -1.50198293f, 1.00000000f, -0.97524910f, 0.80251215f},
};
static const struct section backward_band[SECTIONS] = {
    {0.06263905f, 0.05877193f, 0.06263905f, -1.00347325f, 0.35956622f},
    {1.00000000f, -0.51068137f, 1.00000000f, -1.00813177f, 0.80495157f},
};

/* A signal's number is the place of its first frequency and the weight of its second. */
static const double forward_hz[FREQUENCIES] = {1380, 1500, 1620, 1740, 1860, 1980};
static const double backward_hz[FREQUENCIES] = {1140, 1020, 900, 780, 660, 540};
static const int weight[FREQUENCIES] = {0, 1, 2, 4, 7, 11};

static void mf_destroy(struct object *object)
{
    free(object);
}

/* What a sine of this level gives as the power of its filter over a whole window. */
static float window_power(double dbm0)
{
    double amplitude = dbm0_to_rms(dbm0) * sqrt(2.0) * WINDOW / 2;
    return (float)(amplitude * amplitude);
}

static struct mf_detector *mf_detector_new(bool forward)
{
    struct mf_detector *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->object.destroy = mf_destroy;
    d->band = forward ? forward_band : backward_band;
    for (int k = 0; k < FREQUENCIES; k++)
        d->factor[k] = (float)(2.0 * cos(2.0 * M_PI * (forward ? forward_hz : backward_hz)[k] / 8000.0));
    d->operate = window_power(OPERATE_DBM0);
    d->release = window_power(RELEASE_DBM0);
    return d;
}

int cm_detect_mf(cm_engine *e, int port, enum cm_mf_set set)
{
    if (set > CM_MF_BACKWARD)
        return CM_E_ARGUMENT;
    struct mf_detector *d = set ? mf_detector_new(set == CM_MF_FORWARD) : NULL;
    if (set && !d)
        return CM_E_NO_MEMORY;
    return command_object(e, COMMAND_DETECT_MF, port, d ? &d->object : NULL);
}

/* --- tick --- */

static void filter(struct mf_detector *d, const int16_t *linear, float *out)
{
    for (int i = 0; i < FRAME; i++) {
        float v = (float)linear[i];
        for (int s = 0; s < SECTIONS; s++) { /* transposed direct form II */
            const struct section *c = &d->band[s];
            float y = c->b0 * v + d->delay1[s];
            d->delay1[s] = c->b1 * v - c->a1 * y + d->delay2[s];
            d->delay2[s] = c->b2 * v - c->a2 * y;
            v = y;
        }
        out[i] = v;
    }
}

static float power_at(const float *window, float factor)
{
    float v1 = 0, v2 = 0;
    for (int i = 0; i < WINDOW; i++) {
        float v = factor * v1 - v2 + window[i];
        v2 = v1;
        v1 = v;
    }
    return v1 * v1 + v2 * v2 - factor * v1 * v2;
}

struct spectrum {
    float power[FREQUENCIES];
    float energy; /* so that a sine's share is 1 */
    int order[FREQUENCIES];
};

static void sort_in(struct spectrum *s, int k)
{
    int at = k;
    for (; at > 0 && s->power[s->order[at - 1]] < s->power[k]; at--)
        s->order[at] = s->order[at - 1];
    s->order[at] = k;
}

static void measure(const struct mf_detector *d, const float *window, struct spectrum *s)
{
    float sum = 0;
    for (int i = 0; i < WINDOW; i++)
        sum += window[i] * window[i];
    s->energy = sum * WINDOW / 2 + 1;
    for (int k = 0; k < FREQUENCIES; k++) {
        s->power[k] = power_at(window, d->factor[k]);
        sort_in(s, k);
    }
}

static int signal_of(const struct spectrum *s)
{
    int a = s->order[0], b = s->order[1];
    return a < b ? a + weight[b] : b + weight[a];
}

static bool is_there(const struct spectrum *s, float least_power, float least_share)
{
    float strong = s->power[s->order[0]], weak = s->power[s->order[1]];
    return weak >= least_power && strong + weak >= least_share * s->energy;
}

static bool begins(const struct mf_detector *d, const struct spectrum *s)
{
    float strong = s->power[s->order[0]], weak = s->power[s->order[1]], third = s->power[s->order[2]];
    return is_there(s, d->operate, OPERATE_SHARE) && weak >= TWIST_POWER * strong && third <= THIRD_POWER * weak;
}

static bool goes_on(const struct mf_detector *d, const struct spectrum *s)
{
    return d->signal == signal_of(s) && is_there(s, d->release, RELEASE_SHARE);
}

static int level_dbm0(const struct spectrum *s)
{
    float both = s->power[s->order[0]] + s->power[s->order[1]];
    return (int)lrintf(10.0f * log10f(both / window_power(0)));
}

static void change(cm_engine *e, struct port *p, struct mf_detector *d, int signal, int dbm0)
{
    event_push(e, CM_EV_MF, p->index, 0, signal, dbm0, 0);
    d->signal = signal;
}

void mf_detect(cm_engine *e, struct port *p)
{
    struct mf_detector *d = p->mf;
    struct spectrum s;
    float filtered[FRAME];
    filter(d, port_rx_linear(p), filtered);
    measure(d, filtered + FRAME - WINDOW, &s);
    if (d->signal && goes_on(d, &s))
        return;
    if (d->signal)
        change(e, p, d, 0, 0);
    if (begins(d, &s))
        change(e, p, d, signal_of(&s), level_dbm0(&s));
}
