/* Keys: what is received is measured cheaply in integers, and only what could be a key is given to spandsp. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

/* ITU-T Q.24 wants keys from about -25 dBm0 up; we take them from -30 dBm0 a frequency, with a margin for the gate. */
#define GATE_DBM0      (-42.0)
#define THRESHOLD_DBM0 (-38)
#define TWIST_DB       8
#define HOLD_FRAMES    3 /* fed with what follows a sound, so that the end of a key is seen */

/* spandsp looks at blocks of 102 samples and wants two in a row. A key of 50 ms has sometimes only just two, and noise may
 * spoil one; so two receivers look, half a block apart, and either suffices. */
#define RECEIVERS       2
#define STAGGER_SAMPLES 51

/* Between the end of a key and the start of the next as the receivers tell them; a pause of 40 ms (ITU-T Q.24) never seems
 * so short to them, an interruption of 10 ms always. */
#define REJOIN_SAMPLES 200

struct receiver {
    dtmf_rx_state_t *rx;
    int digit; /* the key it hears, 0 for none */
    struct digit_detector *detector;
};

struct digit_detector {
    struct object object;
    struct receiver receiver[RECEIVERS];
    uint32_t gate;
    int hold;
    int digit; /* the key that is down, 0 for none */
    int ended; /* the key that went up just now, and may come back */
    int64_t down_at, ended_at, fed;
    bool has_last;
    int16_t last[FRAME]; /* the frame before, which was not fed */
    /* of the frame being fed */
    cm_engine *engine;
    struct port *port;
};

static void digit_detector_destroy(struct object *object)
{
    struct digit_detector *d = (struct digit_detector *)object;
    for (int i = 0; i < RECEIVERS; i++)
        if (d->receiver[i].rx)
            dtmf_rx_free(d->receiver[i].rx);
    free(d);
}

static void tell_end(struct digit_detector *d)
{
    if (d->ended)
        event_push(d->engine, CM_EV_DIGIT_END, d->port->index, 0, d->ended,
                   (int)((d->ended_at - d->down_at) / SAMPLES_PER_MS), 0);
    d->ended = 0;
}

static void key_up(struct digit_detector *d)
{
    d->ended = d->digit;
    d->ended_at = d->fed;
    d->digit = 0;
}

static bool only_interrupted(const struct digit_detector *d, int digit)
{
    return d->ended == digit && d->fed - d->ended_at < REJOIN_SAMPLES;
}

static void key_down(struct digit_detector *d, int digit, int level_dbm0)
{
    if (d->digit)
        key_up(d);
    d->digit = digit;
    if (only_interrupted(d, digit)) {
        d->ended = 0;
        return;
    }
    tell_end(d);
    d->down_at = d->fed;
    digit_pressed(d->engine, d->port, digit, level_dbm0);
}

static bool still_heard(const struct digit_detector *d)
{
    for (int i = 0; i < RECEIVERS; i++)
        if (d->receiver[i].digit == d->digit)
            return true;
    return false;
}

/* Called by spandsp inside dtmf_rx: a key went down, or (code 0) up. */
static void on_digit(void *user, int code, int level, int delay)
{
    struct receiver *r = user;
    struct digit_detector *d = r->detector;
    (void)delay;
    r->digit = code;
    if (code && code != d->digit)
        key_down(d, code, level);
    else if (d->digit && !still_heard(d))
        key_up(d);
}

static bool receiver_init(struct digit_detector *d, struct receiver *r)
{
    r->detector = d;
    r->rx = dtmf_rx_init(NULL, NULL, NULL);
    if (!r->rx)
        return false;
    dtmf_rx_parms(r->rx, 0, TWIST_DB, TWIST_DB, THRESHOLD_DBM0);
    dtmf_rx_set_realtime_callback(r->rx, on_digit, r);
    return true;
}

struct digit_detector *digit_detector_new(void)
{
    static const int16_t silence[STAGGER_SAMPLES];
    struct digit_detector *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->object.destroy = digit_detector_destroy;
    d->gate = dbm0_to_mean_square(GATE_DBM0);
    for (int i = 0; i < RECEIVERS; i++)
        if (!receiver_init(d, &d->receiver[i])) {
            digit_detector_destroy(&d->object);
            return NULL;
        }
    dtmf_rx(d->receiver[1].rx, silence, STAGGER_SAMPLES);
    return d;
}

void digit_pressed(cm_engine *e, struct port *p, int digit, int level_dbm0)
{
    event_push(e, CM_EV_DIGIT, p->index, p->masked, digit, level_dbm0, 0);
    if (p->masked && p->unmask_after)
        return; /* left over from the secret: meant for no prompt */
    if (p->play && digit_index(digit) >= 0 && p->play->barge_mask & 1U << digit_index(digit))
        play_end(e, p, CM_PLAY_BARGED, digit);
}

static bool loud(const struct digit_detector *d, const struct frame_level *level)
{
    for (int i = 0; i < 4; i++)
        if (level->quarter[i] >= d->gate)
            return true;
    return false;
}

static void feed(struct digit_detector *d, const int16_t *linear)
{
    /* a quarter at a time: the time of a key is known to 5 ms */
    for (int at = 0; at < FRAME; at += FRAME / 4) {
        d->fed += FRAME / 4;
        for (int i = 0; i < RECEIVERS; i++)
            dtmf_rx(d->receiver[i].rx, linear + at, FRAME / 4);
    }
}

bool key_sounds(const struct digit_detector *d)
{
    return d && (d->hold == HOLD_FRAMES || (d->hold && d->digit));
}

/* Open from the frame before the first that could be a key, which may hold its beginning, to some frames after the last. */
void digits_detect(cm_engine *e, struct port *p)
{
    struct digit_detector *d = p->digits;
    bool sounds = loud(d, &p->level);
    bool was_open = d->hold > 0;
    if (sounds && could_be_key(port_rx_linear(p)))
        d->hold = HOLD_FRAMES;
    else if (was_open)
        d->hold--;
    d->engine = e;
    d->port = p;
    if (d->hold && !was_open && d->has_last)
        feed(d, d->last);
    if (d->hold)
        feed(d, port_rx_linear(p));
    if (!d->hold || d->fed - d->ended_at >= REJOIN_SAMPLES)
        tell_end(d);
    d->has_last = sounds && !d->hold;
    if (d->has_last)
        memcpy(d->last, port_rx_linear(p), sizeof d->last);
}

int cm_detect_digits(cm_engine *e, int port, int on)
{
    struct digit_detector *d = on ? digit_detector_new() : NULL;
    if (on && !d)
        return CM_E_NO_MEMORY;
    return command_object(e, COMMAND_DETECT_DIGITS, port, d ? &d->object : NULL);
}
