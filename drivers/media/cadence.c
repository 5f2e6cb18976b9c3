/* Tones heard: dial, ringback, busy, congestion of a country by their frequencies and rhythm; CNG and CED by spandsp.
 *
 * Blocks of 40 ms are silence, one of the country's sounds, or something else. Runs of equal blocks have lengths, and the
 * last three runs are compared with the country's cadences. Speech is almost never a pure tone for a whole block, and a
 * rhythm of such blocks even less.
 */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#define BLOCK_FRAMES  2
#define BLOCK_MS      (BLOCK_FRAMES * FRAME_MS)
#define BLOCK_SAMPLES (BLOCK_FRAMES * FRAME)
#define PLANS         4
#define MAX_SOUNDS    8
#define MAX_RUNS      (2 * CM_MAX_CADENCE)
#define GATE_DBM0     (-43.0)
#define PAUSE_RATIO   50   /* 17 dB below the tone is a pause of it */
#define PURE_SINGLE   0.80f
#define PURE_DUAL     0.60f
#define DUAL_LEAST    0.15f
#define TOLERANCE_MS  60   /* a block and a half: where a run begins is known to a block only */
#define LONG_PAUSE_MS 1500 /* only ringback has such */
#define RING_SURE_MS  1000 /* of pause after a burst */
#define DIAL_LEAST_MS 600
#define FEED_FRAMES   15   /* the connect tone detectors see the end of a tone */

enum { SILENT = -1, OTHER = -2 };

struct run {
    int label, ms;
};

struct plan {
    enum cm_tone_kind kind;
    bool wanted;
    int runs; /* 1: sounds without end */
    struct run run[MAX_RUNS];
    int sure_ms, longest_on_ms, longest_off_ms;
};

struct sound {
    double hz1, hz2;
    int tone1, tone2; /* index of the frequency */
};

struct tone_detector {
    struct object object;
    int plans, sounds, tones;
    struct plan plan[PLANS];
    struct sound sound[MAX_SOUNDS];
    float factor[2 * MAX_SOUNDS], v2[2 * MAX_SOUNDS], v3[2 * MAX_SOUNDS];
    double hz[2 * MAX_SOUNDS];
    int frames;
    uint64_t energy;
    uint32_t gate, tone_energy;
    struct run now, past[3];
    bool doubtful; /* one block of something else: an edge, or a change */
    enum cm_tone_kind active;
    unsigned mask;
    modem_connect_tones_rx_state_t *cng, *ced;
    int feed;
    cm_engine *engine; /* of the frame being fed */
    struct port *port;
};

static void tone_detector_destroy(struct object *object)
{
    struct tone_detector *d = (struct tone_detector *)object;
    if (d->cng)
        modem_connect_tones_rx_free(d->cng);
    if (d->ced)
        modem_connect_tones_rx_free(d->ced);
    free(d);
}

static int tone_index(struct tone_detector *d, double hz)
{
    int i = 0;
    while (i < d->tones && d->hz[i] != hz)
        i++;
    if (i == d->tones) {
        d->hz[d->tones++] = hz;
        d->factor[i] = (float)(2.0 * cos(2.0 * M_PI * hz / 8000.0));
    }
    return i;
}

static int sound_index(struct tone_detector *d, const cm_tone_step *step)
{
    for (int i = 0; i < d->sounds; i++)
        if (d->sound[i].hz1 == step->hz1 && d->sound[i].hz2 == step->hz2)
            return i;
    if (d->sounds == MAX_SOUNDS)
        return OTHER;
    d->sound[d->sounds] = (struct sound){step->hz1, step->hz2, tone_index(d, step->hz1), -1};
    if (step->hz2 > 0)
        d->sound[d->sounds].tone2 = tone_index(d, step->hz2);
    return d->sounds++;
}

static int longer(int a, int b)
{
    return a > b ? a : b;
}

static void add_runs(struct tone_detector *d, struct plan *plan, const cm_tone_step *step)
{
    if (step->hz1 > 0) {
        plan->run[plan->runs++] = (struct run){sound_index(d, step), step->on_ms};
        plan->longest_on_ms = longer(plan->longest_on_ms, step->on_ms);
    }
    int off_ms = step->hz1 > 0 ? step->off_ms : step->on_ms;
    if (off_ms)
        plan->run[plan->runs++] = (struct run){SILENT, off_ms};
    plan->longest_off_ms = longer(plan->longest_off_ms, off_ms);
}

static bool add_plan(struct tone_detector *d, enum cm_tone_kind kind, const char *country, bool wanted)
{
    cm_cadence cadence;
    if (cm_zone_tone(country, kind, &cadence))
        return false;
    struct plan *plan = &d->plan[d->plans++];
    plan->kind = kind;
    plan->wanted = wanted;
    for (int i = 0; i < cadence.steps; i++)
        add_runs(d, plan, &cadence.step[i]);
    return true;
}

/* Dial tone is told from the first burst of another tone of the same sound by lasting longer. */
static void make_sure(struct tone_detector *d)
{
    for (int i = 0; i < d->plans; i++) {
        d->plan[i].sure_ms = DIAL_LEAST_MS;
        for (int k = 0; k < d->plans; k++)
            if (d->plan[k].runs > 1 && d->plan[k].run[0].label == d->plan[i].run[0].label)
                d->plan[i].sure_ms = longer(d->plan[i].sure_ms, d->plan[k].longest_on_ms * 3 / 2);
    }
}

static void tone_change(struct tone_detector *d, enum cm_tone_kind kind, int begins)
{
    event_push(d->engine, CM_EV_TONE, d->port->index, 0, (int)kind, begins, 0);
}

static void on_cng(void *user, int code, int level, int delay)
{
    (void)level;
    (void)delay;
    tone_change(user, CM_TONE_CNG, code != MODEM_CONNECT_TONES_NONE);
}

static void on_ced(void *user, int code, int level, int delay)
{
    (void)level;
    (void)delay;
    tone_change(user, CM_TONE_CED, code != MODEM_CONNECT_TONES_NONE);
}

struct tone_detector *tone_detector_new(unsigned mask, const char *country)
{
    struct tone_detector *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->object.destroy = tone_detector_destroy;
    d->mask = mask;
    d->gate = dbm0_to_mean_square(GATE_DBM0);
    d->now.label = OTHER;
    for (enum cm_tone_kind kind = CM_TONE_DIAL; kind <= CM_TONE_CONGESTION; kind++)
        if (mask & 0x1EU) /* all four, whichever is wanted: they are told from one another */
            add_plan(d, kind, country, mask & 1U << kind);
    make_sure(d);
    if (mask & 1U << CM_TONE_CNG)
        d->cng = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CNG, on_cng, d);
    if (mask & 1U << CM_TONE_CED)
        d->ced = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CED, on_ced, d);
    return d;
}

int cm_detect_tones(cm_engine *e, int port, unsigned mask, const char *country)
{
    cm_cadence cadence;
    if (mask & ~0x7EU || (mask & 0x1EU && cm_zone_tone(country, CM_TONE_DIAL, &cadence)))
        return CM_E_ARGUMENT;
    struct tone_detector *d = mask ? tone_detector_new(mask, country) : NULL;
    if (mask && !d)
        return CM_E_NO_MEMORY;
    return command_object(e, COMMAND_DETECT_TONES, port, d ? &d->object : NULL);
}

/* --- tick --- */

static void filter(struct tone_detector *d, const int16_t *linear)
{
    for (int k = 0; k < d->tones; k++) {
        float v2 = d->v2[k], v3 = d->v3[k], factor = d->factor[k];
        for (int i = 0; i < FRAME; i++) {
            float v1 = v2;
            v2 = v3;
            v3 = factor * v2 - v1 + (float)linear[i];
        }
        d->v2[k] = v2;
        d->v3[k] = v3;
    }
}

/* Share of the block's energy that lies at this frequency: 1 for a pure sine. `energy` is in units of 64. */
static float share(const struct tone_detector *d, int k)
{
    float power = d->v3[k] * d->v3[k] + d->v2[k] * d->v2[k] - d->factor[k] * d->v2[k] * d->v3[k];
    return 2.0f * power / ((float)BLOCK_SAMPLES * 64.0f * (float)d->energy);
}

static bool sounds_like(const struct tone_detector *d, const struct sound *sound)
{
    float first = share(d, sound->tone1);
    if (sound->tone2 < 0)
        return first >= PURE_SINGLE;
    float second = share(d, sound->tone2);
    return first >= DUAL_LEAST && second >= DUAL_LEAST && first + second >= PURE_DUAL;
}

static int label_block(struct tone_detector *d)
{
    uint32_t mean = (uint32_t)(d->energy / BLOCK_SAMPLES);
    if (mean < d->gate || mean < d->tone_energy / PAUSE_RATIO)
        return SILENT;
    for (int i = 0; i < d->sounds; i++)
        if (sounds_like(d, &d->sound[i])) {
            d->tone_energy = mean;
            return i;
        }
    return OTHER;
}

static bool fits(struct run heard, struct run expected)
{
    int tolerance = longer(TOLERANCE_MS, expected.ms / 5);
    return heard.label == expected.label && abs(heard.ms - expected.ms) <= tolerance;
}

static bool rhythm_fits(const struct tone_detector *d, const struct plan *plan)
{
    for (int k = 0; k < plan->runs; k++)
        if (plan->run[k].label >= 0 && fits(d->past[0], plan->run[k]) &&
            fits(d->past[1], plan->run[(k + 1) % plan->runs]) && fits(d->past[2], plan->run[(k + 2) % plan->runs]))
            return true;
    return false;
}

/* Ringback is known in its first long pause, without waiting for the second burst. */
static bool rings(const struct tone_detector *d, const struct plan *plan)
{
    if (d->now.label != SILENT || d->now.ms < RING_SURE_MS)
        return false;
    for (int k = 0; k + 1 < plan->runs; k++)
        if (plan->run[k + 1].ms >= LONG_PAUSE_MS && fits(d->past[2], plan->run[k]))
            return d->now.ms <= plan->run[k + 1].ms;
    return false;
}

static bool heard_plan(const struct tone_detector *d, const struct plan *plan)
{
    if (plan->runs == 1)
        return d->now.label == plan->run[0].label && d->now.ms >= plan->sure_ms;
    return rhythm_fits(d, plan) || rings(d, plan);
}

static bool over(const struct tone_detector *d, const struct plan *plan)
{
    if (plan->runs == 1)
        return d->now.label != plan->run[0].label;
    int longest = d->now.label == SILENT ? plan->longest_off_ms : plan->longest_on_ms;
    return d->now.label == OTHER || d->now.ms > longest * 7 / 5 + 2 * BLOCK_MS;
}

/* The two runs before the last still belong to it: what broke off within a run is no other tone. */
static bool just_heard(const struct tone_detector *d, const struct plan *plan)
{
    for (int k = 0; k < plan->runs; k++)
        if (fits(d->past[0], plan->run[k]) && fits(d->past[1], plan->run[(k + 1) % plan->runs]))
            return true;
    return heard_plan(d, plan);
}

static void decide(struct tone_detector *d)
{
    for (int i = 0; i < d->plans; i++)
        if (d->plan[i].kind == d->active && over(d, &d->plan[i])) {
            tone_change(d, d->active, 0);
            d->active = 0;
            memset(d->past, 0xFF, sizeof d->past);
        }
    for (int i = 0; i < d->plans; i++) /* two tones of one rhythm: the one that was told stays */
        if (d->plan[i].kind == d->active && just_heard(d, &d->plan[i]))
            return;
    for (int i = 0; i < d->plans; i++)
        if (d->plan[i].kind != d->active && d->plan[i].wanted && heard_plan(d, &d->plan[i])) {
            if (d->active) /* busy right after ringback: its rhythm tells, no length does */
                tone_change(d, d->active, 0);
            d->active = d->plan[i].kind;
            tone_change(d, d->active, 1);
            return;
        }
}

static void next_run(struct tone_detector *d, int label, int ms)
{
    memmove(&d->past[0], &d->past[1], 2 * sizeof d->past[0]);
    d->past[2] = d->now;
    d->now = (struct run){label, ms};
}

/* A block in which a tone begins or ends is neither; half of it belongs to each side. */
static void add_block(struct tone_detector *d, int label)
{
    int edge_ms = d->doubtful ? BLOCK_MS / 2 : 0;
    if (label == OTHER && !d->doubtful && d->now.label != OTHER) {
        d->doubtful = true;
        return;
    }
    d->doubtful = false;
    if (label == d->now.label) {
        d->now.ms += BLOCK_MS + 2 * edge_ms;
    } else {
        d->now.ms += edge_ms;
        next_run(d, label, BLOCK_MS + edge_ms);
    }
    decide(d);
}

static void country_tones(struct tone_detector *d, struct port *p)
{
    bool quiet = p->level.mean_square < d->gate && !d->energy;
    d->energy += (uint64_t)p->level.mean_square * FRAME + 1;
    if (!quiet)
        filter(d, port_rx_linear(p));
    if (++d->frames < BLOCK_FRAMES)
        return;
    add_block(d, label_block(d));
    d->frames = 0;
    d->energy = 0;
    memset(d->v2, 0, sizeof d->v2);
    memset(d->v3, 0, sizeof d->v3);
}

static void connect_tones(struct tone_detector *d, struct port *p)
{
    d->feed = p->level.mean_square >= d->gate ? FEED_FRAMES : d->feed - (d->feed > 0);
    if (!d->feed)
        return;
    const int16_t *linear = port_rx_linear(p);
    if (d->cng)
        modem_connect_tones_rx(d->cng, linear, FRAME);
    if (d->ced)
        modem_connect_tones_rx(d->ced, linear, FRAME);
}

void tones_detect(cm_engine *e, struct port *p)
{
    struct tone_detector *d = p->tones;
    d->engine = e;
    d->port = p;
    if (d->plans)
        country_tones(d, p);
    if (d->cng || d->ced)
        connect_tones(d, p);
}
