/* Measuring a line: levels both ways, and what was heard kept for `spectrum.c` to look through. */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define METER_FRAMES 10 /* 200 ms, as a needle would */
#define SILENCE_DBM0 (-90.0)

struct meter {
    struct object object;
    int frames;
    uint64_t sum[2]; /* by way: received, sent */
    int32_t highest[2];
    _Atomic uint32_t mean_square[2]; /* in units of g711.square */
    atomic_int peak[2];
    _Atomic int64_t windows;
};

static void destroy(struct object *object)
{
    free(object);
}

int cm_meter(cm_engine *e, int port, int on)
{
    struct meter *m = on ? calloc(1, sizeof *m) : NULL;
    if (on && !m)
        return CM_E_NO_MEMORY;
    if (m)
        m->object.destroy = destroy;
    int error = command_object(e, COMMAND_METER, port, m ? &m->object : NULL);
    if (!error)
        e->ports[port]->meter_seen = m;
    return error;
}

static double to_dbm0(double rms)
{
    return rms > 0 ? 20 * log10(rms / dbm0_to_rms(0)) : SILENCE_DBM0;
}

static double level_of(struct meter *m, int way)
{
    return to_dbm0(8 * sqrt(atomic_load_explicit(&m->mean_square[way], memory_order_relaxed)));
}

/* Of a sine with that peak. */
static double peak_of(struct meter *m, int way)
{
    return to_dbm0(atomic_load_explicit(&m->peak[way], memory_order_relaxed) / sqrt(2));
}

int cm_meter_levels(cm_engine *e, int port, cm_levels *out)
{
    if (port < 0 || port >= e->config.max_ports || !e->ports[port])
        return CM_E_NO_PORT;
    struct meter *m = e->ports[port]->meter_seen;
    if (!m)
        return CM_E_STATE;
    out->windows = atomic_load_explicit(&m->windows, memory_order_relaxed);
    out->rx_dbm0 = level_of(m, 0);
    out->tx_dbm0 = level_of(m, 1);
    out->rx_peak_dbm0 = peak_of(m, 0);
    out->tx_peak_dbm0 = peak_of(m, 1);
    return 0;
}

static struct capture *capture_new(int64_t samples)
{
    size_t bytes = sizeof(struct capture) + (size_t)samples;
    struct capture *c = malloc(bytes);
    if (!c)
        return NULL;
    memset(c, 0, bytes); /* every page is touched here, not by the tick */
    c->object.destroy = destroy;
    c->room = samples;
    return c;
}

int cm_capture(cm_engine *e, int port, int ms)
{
    if (ms < 0 || ms > CM_CAPTURE_MS)
        return CM_E_ARGUMENT;
    struct capture *c = ms ? capture_new((int64_t)ms * SAMPLES_PER_MS) : NULL;
    if (ms && !c)
        return CM_E_NO_MEMORY;
    int error = command_object(e, COMMAND_CAPTURE, port, c ? &c->object : NULL);
    if (!error)
        e->ports[port]->capture_seen = c;
    return error;
}

int cm_echo(cm_engine *e, int port, int on)
{
    return command_port(e, (struct command){.type = COMMAND_ECHO, .port = port, .a = on != 0});
}

/* --- tick --- */

void capture_frame(struct capture *c, const uint8_t *codes)
{
    int64_t at = atomic_load_explicit(&c->samples, memory_order_relaxed);
    int64_t count = c->room - at < FRAME ? c->room - at : FRAME;
    memcpy(c->codes + at, codes, (size_t)count);
    atomic_store_explicit(&c->samples, at + count, memory_order_release);
}

static void add(struct meter *m, int way, enum cm_law law, const uint8_t *codes)
{
    for (int i = 0; i < FRAME; i++) {
        int32_t value = abs(g711.linear[law][codes[i]]);
        m->highest[way] = value > m->highest[way] ? value : m->highest[way];
        m->sum[way] += g711.square[law][codes[i]];
    }
}

void meter_frame(struct meter *m, enum cm_law law, const uint8_t *received, const uint8_t *sent)
{
    add(m, 0, law, received);
    add(m, 1, law, sent);
    if (++m->frames < METER_FRAMES)
        return;
    for (int way = 0; way < 2; way++) {
        uint32_t mean = (uint32_t)(m->sum[way] / (METER_FRAMES * FRAME));
        atomic_store_explicit(&m->mean_square[way], mean, memory_order_relaxed);
        atomic_store_explicit(&m->peak[way], m->highest[way], memory_order_relaxed);
        m->sum[way] = 0;
        m->highest[way] = 0;
    }
    m->frames = 0;
    atomic_fetch_add_explicit(&m->windows, 1, memory_order_relaxed);
}
