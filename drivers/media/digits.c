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

struct digit_detector {
    struct object object;
    dtmf_rx_state_t *rx;
    uint32_t gate;
    int hold;
    int digit; /* the key that is down, 0 for none */
    int64_t down_at, fed;
    /* of the frame being fed */
    cm_engine *engine;
    struct port *port;
};

static void digit_detector_destroy(struct object *object)
{
    struct digit_detector *d = (struct digit_detector *)object;
    dtmf_rx_free(d->rx);
    free(d);
}

static void key_up(struct digit_detector *d)
{
    if (d->digit)
        event_push(d->engine, CM_EV_DIGIT_END, d->port->index, 0, d->digit,
                   (int)((d->fed - d->down_at) / SAMPLES_PER_MS), 0);
    d->digit = 0;
}

/* Called by spandsp inside dtmf_rx: a key went down, or (code 0) up. */
static void on_digit(void *user, int code, int level, int delay)
{
    struct digit_detector *d = user;
    (void)delay;
    key_up(d);
    if (!code)
        return;
    d->digit = code;
    d->down_at = d->fed;
    digit_pressed(d->engine, d->port, code, level);
}

struct digit_detector *digit_detector_new(void)
{
    struct digit_detector *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->rx = dtmf_rx_init(NULL, NULL, NULL);
    if (!d->rx) {
        free(d);
        return NULL;
    }
    d->object.destroy = digit_detector_destroy;
    d->gate = dbm0_to_mean_square(GATE_DBM0);
    dtmf_rx_parms(d->rx, 0, TWIST_DB, TWIST_DB, THRESHOLD_DBM0);
    dtmf_rx_set_realtime_callback(d->rx, on_digit, d);
    return d;
}

void digit_pressed(cm_engine *e, struct port *p, int digit, int level_dbm0)
{
    event_push(e, CM_EV_DIGIT, p->index, 0, digit, level_dbm0, 0);
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
        dtmf_rx(d->rx, linear + at, FRAME / 4);
    }
}

void digits_detect(cm_engine *e, struct port *p)
{
    struct digit_detector *d = p->digits;
    d->hold = loud(d, &p->level) ? HOLD_FRAMES : d->hold - (d->hold > 0);
    if (!d->hold)
        return;
    d->engine = e;
    d->port = p;
    feed(d, port_rx_linear(p));
}

int cm_detect_digits(cm_engine *e, int port, int on)
{
    struct digit_detector *d = on ? digit_detector_new() : NULL;
    if (on && !d)
        return CM_E_NO_MEMORY;
    return command_object(e, COMMAND_DETECT_DIGITS, port, d ? &d->object : NULL);
}
