/* Ports: where a frame comes from and where it goes. A virtual line, a descriptor of the kernel, or a program's stream. */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define UNDERRUN_TELL_SAMPLES 8000
#define BACKLOG_CHECK_TICKS   4

void port_underrun(cm_engine *e, struct port *p, int frames)
{
    p->missed_frames += frames;
    atomic_fetch_add_explicit(&e->underruns, frames, memory_order_relaxed);
}

/* At most one event a second: a broken card must not flood the ring. At once while R2 signals are listened for: a number is only
 * believed when nothing of it was lost. */
static void tell_underruns(cm_engine *e, struct port *p)
{
    int64_t now = atomic_load_explicit(&e->samples, memory_order_relaxed);
    if (!p->missed_frames || (!p->mf && now - p->missed_told_at < UNDERRUN_TELL_SAMPLES))
        return;
    event_push(e, CM_EV_UNDERRUN, p->index, 0, (int)p->missed_frames, 0, 0);
    p->missed_frames = 0;
    p->missed_told_at = now;
}

void port_detach(cm_engine *e, struct port *p, int why)
{
    if (p->idle_ticks > CARD_BUFFERS)
        record_silence(e, p, CARD_BUFFERS); /* it had nothing in its buffers either */
    p->idle_ticks = 0;
    p->source = SOURCE_NONE;
    p->line = NULL;
    p->fd = -1;
    event_push(e, CM_EV_IO_ERROR, p->index, 0, why, 0, 0);
}

/* ELAST: an event waits in the kernel, and audio is refused until it has been fetched. */
static bool fetch_event(cm_engine *e, struct port *p)
{
    int event = 0;
    if (ioctl(p->fd, p->getevent, &event) < 0)
        return false;
    if (event)
        event_push(e, CM_EV_LINE_EVENT, p->index, 0, event, 0, 0);
    return true;
}

enum io { IO_FRAME, IO_NOTHING, IO_FAILED };

static enum io after_error(cm_engine *e, struct port *p)
{
    if (errno == p->elast && p->elast && fetch_event(e, p))
        return IO_FRAME; /* try again */
    if (errno == EAGAIN || errno == EINTR)
        return IO_NOTHING;
    port_detach(e, p, errno);
    return IO_FAILED;
}

static enum io read_block(cm_engine *e, struct port *p)
{
    for (int tries = 0; tries < 4; tries++) {
        ssize_t got = read(p->fd, p->rx, FRAME);
        if (got > 0) {
            memset(p->rx + got, g711_silence(p->law), (size_t)(FRAME - got));
            return IO_FRAME;
        }
        if (got == 0)
            errno = EPIPE;
        enum io after = after_error(e, p);
        if (after != IO_FRAME)
            return after;
    }
    return IO_NOTHING;
}

static void write_block(cm_engine *e, struct port *p, const uint8_t *block)
{
    for (int tries = 0; tries < 4 && p->source == SOURCE_FD; tries++) {
        if (write(p->fd, block, FRAME) >= 0)
            return;
        if (after_error(e, p) == IO_FRAME)
            continue;
        port_underrun(e, p, 1); /* the frame is dropped: waiting would delay every other port */
        return;
    }
}

static void write_silence(cm_engine *e, struct port *p, int blocks)
{
    uint8_t silence[FRAME];
    memset(silence, g711_silence(p->law), FRAME);
    for (int i = 0; i < blocks; i++)
        write_block(e, p, silence);
}

void port_attach_fd(cm_engine *e, struct port *p, const struct command *c)
{
    p->source = SOURCE_FD;
    p->fd = c->a;
    p->write_ahead = c->b;
    p->elast = c->c;
    p->flush_what = c->d;
    p->getevent = c->x;
    p->flush = c->y;
    p->idle_ticks = p->read_misses = 0;
    p->cut = false;
    write_silence(e, p, p->write_ahead);
}

/* What is queued in the kernel is the prompt that was cut: it is thrown away just before the next block is written, and the
 * queue is filled to where it was with that block. */
static void cut(cm_engine *e, struct port *p)
{
    p->cut = false;
    if (p->flush && ioctl(p->fd, p->flush, &p->flush_what) >= 0)
        write_silence(e, p, p->write_ahead - 1);
}

/* Recordings keep the time although the card is silent. What it has in its buffers still comes; only what went by when
 * they were full is lost, and is silence. */
static void keep_time(cm_engine *e, struct port *p)
{
    p->idle_ticks++;
    if (p->idle_ticks > CARD_BUFFERS)
        record_silence(e, p, 1);
}

/* A second read that finds nothing costs a system call, so a backlog is looked for only now and then, and after a miss. */
static bool worth_reading(const cm_engine *e, const struct port *p, int round)
{
    if (round == 0 || p->backlog)
        return true;
    return (atomic_load_explicit(&e->ticks, memory_order_relaxed) + p->index) % BACKLOG_CHECK_TICKS == 0;
}

static bool read_fd(cm_engine *e, struct port *p, int round)
{
    if (round && !p->fresh)
        return false;
    if (!worth_reading(e, p, round))
        return false;
    enum io result = read_block(e, p);
    if (result == IO_FRAME) {
        p->backlog = round > 0 || p->idle_ticks > 0;
        p->idle_ticks = 0;
        return true;
    }
    if (round == 0 && result == IO_NOTHING)
        keep_time(e, p);
    if (round > 0)
        p->backlog = false;
    return false;
}

static void read_program(cm_engine *e, struct port *p)
{
    bool flowed = p->stream->flowing;
    if (stream_take_frame(p->stream, p->rx))
        return;
    memset(p->rx, g711_silence(p->law), FRAME);
    if (flowed)
        port_underrun(e, p, 1);
}

/* As a card behaves whose program does not come: what arrives is lost, and nothing is sent. */
static bool stands_still(cm_engine *e, struct port *p)
{
    if (p->source != SOURCE_LINE || !line_stands_still(p->line, p->end))
        return false;
    port_underrun(e, p, 1);
    record_silence(e, p, 1);
    return true;
}

/* Ports without a kernel's clock have exactly one frame in every tick, in its first round. */
bool port_read(cm_engine *e, struct port *p, int round)
{
    if (p->source == SOURCE_FD)
        return read_fd(e, p, round);
    if (round || stands_still(e, p))
        return false;
    if (p->source == SOURCE_LINE)
        memcpy(p->rx, p->line->arrive[p->end], FRAME);
    else if (p->stream)
        read_program(e, p);
    else
        memset(p->rx, g711_silence(p->law), FRAME);
    tell_underruns(e, p);
    return true;
}

void port_write(cm_engine *e, struct port *p)
{
    if (p->source == SOURCE_FD) {
        if (p->cut)
            cut(e, p);
        write_block(e, p, p->tx);
        tell_underruns(e, p);
    } else if (p->source == SOURCE_LINE) {
        line_send(p->line, p->end, p->tx);
    }
    if (p->stream)
        stream_give_frame(p->stream, p->source == SOURCE_NONE ? p->tx : p->rx);
}

const int16_t *port_rx_linear(struct port *p)
{
    if (!p->rx_linear_ready)
        codes_to_linear(p->law, p->rx, p->rx_linear, FRAME);
    p->rx_linear_ready = true;
    return p->rx_linear;
}

static void release_object(cm_engine *e, void *object)
{
    if (object)
        give_back(e, object);
}

/* Everything the port holds goes home; the port itself last. */
void port_release(cm_engine *e, struct port *p)
{
    play_end(e, p, CM_PLAY_STOPPED, 0);
    bridge_clear(e, p);
    for (int i = 0; i < PORT_RECORDINGS; i++)
        if (p->recordings[i])
            record_end(e, p, p->recordings[i]);
    while (p->sending) {
        struct tone_source *following = p->sending->following;
        release_object(e, p->sending);
        p->sending = following;
    }
    release_object(e, p->tone);
    release_object(e, p->digits);
    release_object(e, p->tones);
    release_object(e, p->mf);
    release_object(e, p->caller_id);
    release_object(e, p->meter);
    release_object(e, p->capture);
    release_object(e, p->bert);
    release_object(e, p->stream);
    e->live_ports[p->index] = NULL;
    release_object(e, p);
}
