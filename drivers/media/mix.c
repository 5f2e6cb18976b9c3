/* What a party hears: prompts, tones, keys, its partner, a line it listens to. One source alone passes through untouched. */
#include "internal.h"

#include <string.h>

bool fifo_pop(struct fifo *fifo, int16_t *frame)
{
    if (!fifo->count)
        return false;
    memcpy(frame, fifo->frame[fifo->head], sizeof fifo->frame[0]);
    fifo->head = (fifo->head + 1) % FIFO_FRAMES;
    fifo->count--;
    return true;
}

void fifo_push(struct fifo *fifo, const int16_t *frame)
{
    if (fifo->count == FIFO_FRAMES) { /* the other side is slower: what is oldest goes */
        fifo->head = (fifo->head + 1) % FIFO_FRAMES;
        fifo->count--;
    }
    memcpy(fifo->frame[(fifo->head + fifo->count++) % FIFO_FRAMES], frame, sizeof fifo->frame[0]);
    fifo->flowing = true;
}

void fifo_clear(struct fifo *fifo)
{
    fifo->head = fifo->count = 0;
    fifo->flowing = false;
}

static struct port *port_at(cm_engine *e, int index)
{
    return index >= 0 ? e->live_ports[index] : NULL;
}

static void part(struct port *p)
{
    p->peer = -1;
    p->native = false;
    fifo_clear(&p->from_peer);
}

void bridge_unset(cm_engine *e, struct port *p)
{
    struct port *peer = port_at(e, p->peer);
    if (peer)
        part(peer);
    part(p);
}

void bridge_set(cm_engine *e, struct port *a, struct port *b, bool native)
{
    bridge_unset(e, a);
    bridge_unset(e, b);
    conference_leave(e, a);
    conference_leave(e, b);
    a->peer = b->index;
    b->peer = a->index;
    a->native = b->native = native;
}

void tap_set(cm_engine *e, struct port *listener, struct port *target)
{
    struct port *before = port_at(e, listener->tapped);
    if (before)
        before->listeners--;
    listener->tapped = target ? target->index : -1;
    if (target)
        target->listeners++;
    fifo_clear(&listener->from_tap);
}

/* The port goes: nobody hears it any more. */
void bridge_clear(cm_engine *e, struct port *p)
{
    bridge_unset(e, p);
    conference_leave(e, p);
    tap_set(e, p, NULL);
    for (int i = 0; p->listeners && i <= e->highest_port; i++)
        if (e->live_ports[i] && e->live_ports[i]->tapped == p->index)
            tap_set(e, e->live_ports[i], NULL);
}

static bool interested(const struct port *p)
{
    return !p->native || p->recordings[0] || p->recordings[1] || p->recordings[2] || p->recordings[3] || p->listeners;
}

void bridge_exchange(cm_engine *e, struct port *p)
{
    static const int16_t silence[FRAME];
    struct port *peer = port_at(e, p->peer);
    if (peer && interested(peer))
        fifo_push(&peer->from_peer, is_unheard(p) ? silence : port_rx_linear(p));
}

static const int16_t *heard_linear(struct port *p)
{
    codes_to_linear(p->law, p->heard, p->heard_linear, FRAME);
    return p->heard_linear;
}

void tap_exchange(cm_engine *e, struct port *listener)
{
    struct port *target = port_at(e, listener->tapped);
    if (!target || !target->fresh)
        return;
    const int16_t *says = port_rx_linear(target), *hears = heard_linear(target);
    int16_t both[FRAME];
    for (int i = 0; i < FRAME; i++)
        both[i] = clamp16((is_unheard(target) ? 0 : says[i]) + hears[i]);
    fifo_push(&listener->from_tap, both);
}

struct mixture {
    int sources;
    bool linear; /* sum is in use; otherwise the one source is in p->tx */
    int32_t sum[FRAME];
};

static void to_sum(struct mixture *m, struct port *p)
{
    const int16_t *table = g711.linear[p->law];
    if (m->linear)
        return;
    for (int i = 0; i < FRAME; i++)
        m->sum[i] = m->sources ? table[p->tx[i]] : 0;
    m->linear = true;
}

static void add_codes(struct mixture *m, struct port *p, const uint8_t *codes)
{
    const int16_t *table = g711.linear[p->law];
    if (!m->sources++) {
        memcpy(p->tx, codes, FRAME);
        return;
    }
    to_sum(m, p);
    for (int i = 0; i < FRAME; i++)
        m->sum[i] += table[codes[i]];
}

static void add_fifo(cm_engine *e, struct mixture *m, struct port *p, struct fifo *fifo)
{
    int16_t frame[FRAME];
    if (!fifo_pop(fifo, frame)) {
        if (fifo->flowing)
            port_underrun(e, p, 1);
        fifo->flowing = false;
        return;
    }
    to_sum(m, p);
    m->sources++;
    for (int i = 0; i < FRAME; i++)
        m->sum[i] += frame[i];
}

static void add_tone(cm_engine *e, struct mixture *m, struct port *p, struct tone_source **tone)
{
    to_sum(m, p);
    m->sources++;
    if (tone_add(*tone, m->sum))
        return;
    struct tone_source *ended = *tone;
    *tone = ended->following;
    if (tone == &p->sending)
        event_push(e, CM_EV_DIGITS_SENT, p->index, 0, 0, 0, 0);
    give_back(e, &ended->object);
}

static void add_program(cm_engine *e, struct mixture *m, struct port *p)
{
    uint8_t frame[FRAME];
    bool flowed = p->stream->flowing;
    if (stream_take_frame(p->stream, frame))
        add_codes(m, p, frame);
    else if (flowed)
        port_underrun(e, p, 1);
}

static void gather(cm_engine *e, struct mixture *m, struct port *p)
{
    uint8_t frame[FRAME];
    if (p->play && play_frame(e, p, frame))
        add_codes(m, p, frame);
    if (p->stream && p->source != SOURCE_NONE)
        add_program(e, m, p);
    if (p->ring >= 0 || (p->peer >= 0 && !p->native))
        add_fifo(e, m, p, &p->from_peer);
    if (p->tapped >= 0)
        add_fifo(e, m, p, &p->from_tap);
    if (p->tone)
        add_tone(e, m, p, &p->tone);
    if (p->sending)
        add_tone(e, m, p, &p->sending);
    if (p->echo)
        add_codes(m, p, p->rx);
}

static void finish(struct mixture *m, struct port *p)
{
    if (!m->sources || p->tx_muted) {
        memset(p->tx, g711_silence(p->law), FRAME);
        return;
    }
    if (!m->linear && p->tx_gain == GAIN_ONE)
        return;
    to_sum(m, p);
    const uint8_t *code = g711.code[p->law];
    for (int i = 0; i < FRAME; i++) {
        int32_t value = p->tx_gain == GAIN_ONE ? m->sum[i] : (int32_t)((int64_t)m->sum[i] * p->tx_gain / GAIN_ONE);
        p->tx[i] = code[(uint16_t)clamp16(value) >> 2];
    }
}

/* In a native bridge the card carries the partner's voice past us; recordings still want it. */
static void native_side(struct port *p)
{
    int16_t frame[FRAME];
    p->heard = p->tx;
    if (!p->native || !interested(p))
        return;
    memset(p->heard_native, g711_silence(p->law), FRAME);
    if (fifo_pop(&p->from_peer, frame))
        linear_to_codes(p->law, frame, p->heard_native, FRAME);
    p->heard = p->heard_native;
}

void produce(cm_engine *e, struct port *p)
{
    struct mixture m;
    m.sources = 0;
    m.linear = false;
    gather(e, &m, p);
    finish(&m, p);
    if (p->bert)
        bert_send(p->bert, p->tx);
    native_side(p);
    port_write(e, p);
    record_frame(e, p);
    if (p->meter)
        meter_frame(p->meter, p->law, p->rx, p->heard);
}
