/* Tones heard: dial, ringback, busy, congestion of a country by their frequencies and rhythm; CNG and CED by spandsp.
 *
 * Blocks of 40 ms are silence, one of the switch's sounds, or something else. Runs of equal blocks have lengths, and the
 * last runs are compared with the switch's cadences: three of them, or two where no other tone begins so. Speech is almost
 * never a pure tone of one level for a whole block, and a rhythm of such blocks even less.
 */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#define BLOCK_FRAMES   2
#define BLOCK_MS       (BLOCK_FRAMES * FRAME_MS)
#define BLOCK_SAMPLES  (BLOCK_FRAMES * FRAME)
#define PLANS          4
#define MAX_SOUNDS     8
#define MAX_FILTERS    64
#define FILTER_HZ      12.0 /* between filters of one frequency: one in the middle loses 1 dB */
#define MAX_RUNS       (2 * CM_MAX_CADENCE)
#define GATE_DBM0      (-43.0)
#define PAUSE_RATIO    16   /* 12 dB below the tone is a pause of it */
#define STEADY_PERCENT 160 /* 2 dB between blocks of one tone */
#define PURE_SINGLE    0.80f
#define PURE_BESIDE    0.88f /* where a sound of two close frequencies is known: its beat can seem 0.81 pure */
#define CLOSE_HZ       50.0
#define SAME_HZ        6.0
#define PURE_DUAL      0.60f
#define DUAL_LEAST     0.15f
#define TOLERANCE_MS   60   /* a block and a half: where a run begins is known to a block only */
#define KNOWN_BY_MS    2300 /* of hearing it, wherever in its rhythm it began */
#define BEGUN_LEAST_MS 160
#define LONG_PAUSE_MS  1500 /* only ringback has such */
#define RING_SURE_MS   1000 /* of pause after a burst */
#define DIAL_LEAST_MS  600
#define FEED_FRAMES    15   /* the connect tone detectors see the end of a tone */

/* How far exchanges are off from what the tables of their country say. */
#define ZONE_HZ_PERCENT  2.0
#define CHINA_HZ_PERCENT 5.6 /* GB/T 3380: 450 +-25 Hz */
#define ZONE_MS_PERCENT  20

enum { SILENT = -1, OTHER = -2 };

struct run {
    int label, ms;
};

struct plan {
    enum cm_tone_kind kind;
    bool wanted;
    int runs; /* 1: sounds without end */
    int begun_ms; /* of a third run, when the first two are enough; 0: they are not */
    struct run run[MAX_RUNS];
    int sure_ms, longest_on_ms, longest_off_ms;
};

struct sound {
    double hz1, hz2;
    int tone1, tone2; /* index of the frequency, -1: none */
    bool close;
};

struct tone_detector {
    struct object object;
    int plans, sounds, tones, filters, ms_percent;
    double hz_percent;
    struct plan plan[PLANS];
    struct sound sound[MAX_SOUNDS];
    double hz[2 * MAX_SOUNDS];
    int first_filter[2 * MAX_SOUNDS + 1]; /* of each frequency; those of the last end where the next would begin */
    float factor[MAX_FILTERS], v2[MAX_FILTERS], v3[MAX_FILTERS];
    int frames;
    uint64_t energy;
    float pure_single;
    uint32_t gate, tone_energy;
    struct run now, past[3];
    int seemed; /* the sound of the last block that had one */
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

/* Filters side by side over all that the frequency may be off by. */
static void add_filters(struct tone_detector *d, double hz)
{
    double off_hz = hz * d->hz_percent / 100;
    int each_side = (int)ceil(off_hz / FILTER_HZ);
    for (int k = -each_side; k <= each_side && d->filters < MAX_FILTERS; k++)
        d->factor[d->filters++] = (float)(2.0 * cos(2.0 * M_PI * (hz + k * off_hz / each_side) / 8000.0));
}

static int tone_index(struct tone_detector *d, double hz)
{
    int i = 0;
    while (i < d->tones && d->hz[i] != hz)
        i++;
    if (i == d->tones) {
        d->hz[d->tones++] = hz;
        add_filters(d, hz);
        d->first_filter[d->tones] = d->filters;
    }
    return i;
}

static int sound_index(struct tone_detector *d, const cm_tone_step *step)
{
    for (int i = 0; i < d->sounds; i++)
        if (fabs(d->sound[i].hz1 - step->hz1) < SAME_HZ && fabs(d->sound[i].hz2 - step->hz2) < SAME_HZ)
            return i;
    if (d->sounds == MAX_SOUNDS)
        return OTHER;
    d->sound[d->sounds] =
        (struct sound){.hz1 = step->hz1, .hz2 = step->hz2, .tone1 = tone_index(d, step->hz1), .tone2 = -1};
    if (step->hz2 > 0)
        d->sound[d->sounds].tone2 = tone_index(d, step->hz2);
    if (step->hz2 > 0 && fabs(step->hz2 - step->hz1) < CLOSE_HZ) {
        d->sound[d->sounds].close = true;
        d->pure_single = PURE_BESIDE;
    }
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

static void add_plan(struct tone_detector *d, enum cm_tone_kind kind, const cm_cadence *cadence, bool wanted)
{
    if (!cadence->steps)
        return;
    struct plan *plan = &d->plan[d->plans++];
    plan->kind = kind;
    plan->wanted = wanted;
    for (int i = 0; i < cadence->steps; i++)
        add_runs(d, plan, &cadence->step[i]);
}

static bool fits(const struct tone_detector *d, struct run heard, struct run expected)
{
    int tolerance = longer(TOLERANCE_MS, expected.ms * d->ms_percent / 100);
    return heard.label == expected.label && abs(heard.ms - expected.ms) <= tolerance;
}

/* A plain on and off that is no part of a longer rhythm is known by two runs. */
static bool begins_so(const struct tone_detector *d, const struct plan *longer_one, const struct plan *plan)
{
    for (int k = 0; k < longer_one->runs; k++)
        if (fits(d, longer_one->run[k], plan->run[0]) || fits(d, longer_one->run[k], plan->run[1]))
            return true;
    return false;
}

/* Nearly all of the third run, but of slow tones as much as there is time for. */
static int begun_ms(const struct tone_detector *d, int on_ms, int off_ms)
{
    int shorter = on_ms < off_ms ? on_ms : off_ms;
    int most = shorter - longer(TOLERANCE_MS, shorter * d->ms_percent / 100);
    int left = KNOWN_BY_MS - longer(on_ms, off_ms) - on_ms - off_ms;
    return longer(left < most ? left : most, BEGUN_LEAST_MS);
}

static void find_plain(struct tone_detector *d)
{
    for (int i = 0; i < d->plans; i++) {
        struct plan *plan = &d->plan[i];
        bool plain = plan->runs == 2;
        for (int k = 0; k < d->plans && plain; k++)
            plain = d->plan[k].runs <= 2 || !begins_so(d, &d->plan[k], plan);
        if (plain)
            plan->begun_ms = begun_ms(d, plan->run[0].ms, plan->run[1].ms);
    }
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

static struct tone_detector *tone_detector_new(unsigned mask, const cm_tone_plan *plan)
{
    struct tone_detector *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->object.destroy = tone_detector_destroy;
    d->mask = mask;
    d->gate = dbm0_to_mean_square(GATE_DBM0);
    d->now.label = OTHER;
    d->pure_single = PURE_SINGLE;
    d->hz_percent = plan->hz_percent;
    d->ms_percent = plan->ms_percent;
    for (enum cm_tone_kind kind = CM_TONE_DIAL; kind <= CM_TONE_CONGESTION; kind++)
        if (mask & 0x1EU) /* all four, whichever is wanted: they are told from one another */
            add_plan(d, kind, &plan->tone[kind - CM_TONE_DIAL], mask & 1U << kind);
    make_sure(d);
    find_plain(d);
    if (mask & 1U << CM_TONE_CNG)
        d->cng = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CNG, on_cng, d);
    if (mask & 1U << CM_TONE_CED)
        d->ced = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CED, on_ced, d);
    return d;
}

static bool plan_is_sound(const cm_tone_plan *plan)
{
    for (int i = 0; i < PLANS; i++)
        if (plan->tone[i].steps && cadence_fault(&plan->tone[i]))
            return false;
    return plan->hz_percent >= 0.5 && plan->hz_percent <= 6 && plan->ms_percent >= 5 && plan->ms_percent <= 50;
}

int cm_detect_tones(cm_engine *e, int port, unsigned mask, const char *country)
{
    double hz_percent = strcmp(country, "cn") ? ZONE_HZ_PERCENT : CHINA_HZ_PERCENT;
    cm_tone_plan plan = {.hz_percent = hz_percent, .ms_percent = ZONE_MS_PERCENT};
    for (int i = 0; mask & 0x1EU && i < PLANS; i++)
        (void)cm_zone_tone(country, CM_TONE_DIAL + (unsigned)i, &plan.tone[i]);
    return mask & 0x1EU && !plan.tone[0].steps ? CM_E_ARGUMENT : cm_detect_plan(e, port, mask, &plan);
}

int cm_detect_plan(cm_engine *e, int port, unsigned mask, const cm_tone_plan *plan)
{
    if (mask & ~0x7EU || !plan_is_sound(plan))
        return CM_E_ARGUMENT;
    struct tone_detector *d = mask ? tone_detector_new(mask, plan) : NULL;
    if (mask && !d)
        return CM_E_NO_MEMORY;
    return command_object(e, COMMAND_DETECT_TONES, port, d ? &d->object : NULL);
}

/* --- tick --- */

static void forget_runs(struct tone_detector *d)
{
    for (int i = 0; i < 3; i++)
        d->past[i].label = OTHER;
}

static void filter(struct tone_detector *d, const int16_t *linear)
{
    for (int k = 0; k < d->filters; k++) {
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

/* Share of the block's energy that lies at or near this frequency: 1 for a pure sine. `energy` is in units of 64. */
static float share(const struct tone_detector *d, int tone)
{
    float most = 0;
    for (int k = d->first_filter[tone]; k < d->first_filter[tone + 1]; k++)
        most = fmaxf(most, d->v3[k] * d->v3[k] + d->v2[k] * d->v2[k] - d->factor[k] * d->v2[k] * d->v3[k]);
    return 2.0f * most / ((float)BLOCK_SAMPLES * 64.0f * (float)d->energy);
}

static bool sounds_like(const struct tone_detector *d, const struct sound *sound)
{
    float first = share(d, sound->tone1);
    if (sound->tone2 < 0)
        return first >= d->pure_single;
    float second = share(d, sound->tone2);
    return first >= DUAL_LEAST && second >= DUAL_LEAST && first + second >= PURE_DUAL;
}

/* A tone of an exchange has one level; a note of music fades, and the next is another. */
static bool steady(struct tone_detector *d, int label, uint32_t mean)
{
    uint64_t least = 100ULL * mean / STEADY_PERCENT, most = (uint64_t)mean * STEADY_PERCENT / 100;
    bool same = d->tone_energy >= least && d->tone_energy <= most;
    if (!same)
        forget_runs(d);
    d->tone_energy = mean;
    return same || d->now.label != label;
}

/* A block in which one frequency begins or ends can seem to be two close ones; two blocks in a row cannot. */
static bool is_sure(struct tone_detector *d, int label)
{
    bool again = d->seemed == label;
    d->seemed = label;
    return again || !d->sound[label].close;
}

static int label_block(struct tone_detector *d)
{
    uint32_t mean = (uint32_t)(d->energy / BLOCK_SAMPLES);
    if (mean < d->gate || mean < d->tone_energy / PAUSE_RATIO)
        return SILENT;
    for (int two = 0; two < 2; two++) /* one frequency explains better than two that are near */
        for (int i = 0; i < d->sounds; i++)
            if ((d->sound[i].tone2 >= 0) == two && sounds_like(d, &d->sound[i]))
                return is_sure(d, i) && steady(d, i, mean) ? i : OTHER;
    return OTHER;
}

static bool rhythm_fits(const struct tone_detector *d, const struct plan *plan)
{
    for (int k = 0; k < plan->runs; k++)
        if (plan->run[k].label >= 0 && fits(d, d->past[0], plan->run[k]) &&
            fits(d, d->past[1], plan->run[(k + 1) % plan->runs]) &&
            fits(d, d->past[2], plan->run[(k + 2) % plan->runs]))
            return true;
    return false;
}

/* On, off and it is on again; or off, on and it is off again, after the end of a burst whose beginning nobody heard. */
static bool two_fit(const struct tone_detector *d, const struct plan *plan)
{
    if (!plan->begun_ms || d->now.ms < plan->begun_ms)
        return false;
    const struct run *on = &plan->run[0], *off = &plan->run[1];
    if (d->now.label == on->label)
        return fits(d, d->past[1], *on) && fits(d, d->past[2], *off);
    return d->now.label == SILENT && d->past[0].label == on->label && fits(d, d->past[1], *off) &&
           fits(d, d->past[2], *on);
}

/* Ringback is known in its first long pause, without waiting for the second burst. */
static bool rings(const struct tone_detector *d, const struct plan *plan)
{
    if (d->now.label != SILENT || d->now.ms < RING_SURE_MS)
        return false;
    for (int k = 0; k + 1 < plan->runs; k++)
        if (plan->run[k + 1].ms >= LONG_PAUSE_MS && fits(d, d->past[2], plan->run[k]))
            return d->now.ms <= plan->run[k + 1].ms;
    return false;
}

static bool heard_plan(const struct tone_detector *d, const struct plan *plan)
{
    if (plan->runs == 1)
        return d->now.label == plan->run[0].label && d->now.ms >= plan->sure_ms;
    return rhythm_fits(d, plan) || two_fit(d, plan) || rings(d, plan);
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
        if (fits(d, d->past[0], plan->run[k]) && fits(d, d->past[1], plan->run[(k + 1) % plan->runs]))
            return true;
    return heard_plan(d, plan);
}

static void decide(struct tone_detector *d)
{
    for (int i = 0; i < d->plans; i++)
        if (d->plan[i].kind == d->active && over(d, &d->plan[i])) {
            tone_change(d, d->active, 0);
            d->active = 0;
            forget_runs(d);
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
    d->energy += (uint64_t)p->level.mean_square * FRAME + 1;
    if (d->energy >= (uint64_t)d->gate * FRAME) /* most of the time a line is silent, and the filters are what costs */
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
