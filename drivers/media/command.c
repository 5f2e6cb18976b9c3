/* Commands: put into the ring by the control thread, taken out and obeyed by the tick thread at the start of a frame. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

bool command_send(cm_engine *e, const struct command *command)
{
    reclaim_all(&e->reclaim);
    if (ring_push(&e->commands, command))
        return true;
    e->commands_refused++;
    return false;
}

static bool has_port(const cm_engine *e, int port)
{
    return port >= 0 && port < e->config.max_ports && e->ports[port];
}

int command_port(cm_engine *e, struct command command)
{
    if (!has_port(e, command.port))
        return CM_E_NO_PORT;
    return command_send(e, &command) ? 0 : CM_E_RING_FULL;
}

int command_object(cm_engine *e, enum command_type type, int port, struct object *object)
{
    int error = command_port(e, (struct command){.type = type, .port = port, .object = object});
    if (error && object)
        object->destroy(object);
    return error;
}

static void port_destroy(struct object *object)
{
    free(object);
}

static struct port *port_make(cm_engine *e, int index, enum cm_law law)
{
    struct port *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->object.destroy = port_destroy;
    p->engine = e;
    p->index = index;
    p->law = law;
    p->peer = p->ring = p->tapped = p->fd = -1;
    p->rx_gain = p->tx_gain = GAIN_ONE;
    p->heard = p->tx;
    memset(p->tx, g711_silence(law), FRAME);
    lock_memory(e, p, sizeof *p);
    return p;
}

int cm_port_new(cm_engine *e, enum cm_law law)
{
    int index = 0;
    while (index < e->config.max_ports && e->ports[index])
        index++;
    if (index == e->config.max_ports)
        return CM_E_LIMIT;
    struct port *p = port_make(e, index, law == CM_ULAW ? CM_ULAW : CM_ALAW);
    if (!p)
        return CM_E_NO_MEMORY;
    struct command c = {.type = COMMAND_PORT_ADD, .port = index, .object = p};
    if (!command_send(e, &c)) {
        free(p);
        return CM_E_RING_FULL;
    }
    e->ports[index] = p;
    return index;
}

/* The number may be given to a new port at once: commands are obeyed in order. */
int cm_port_free(cm_engine *e, int port)
{
    int error = command_port(e, (struct command){.type = COMMAND_PORT_FREE, .port = port});
    if (error)
        return error;
    recordings_stopping(e, port);
    e->ports[port] = NULL;
    return 0;
}

int cm_port_attach_fd(cm_engine *e, int port, int fd, int write_ahead, unsigned long getevent, int elast,
                      unsigned long flush, int flush_what)
{
    int flags = fcntl(fd, F_GETFL);
    if (write_ahead < 0 || write_ahead > 64 || flags < 0 || !(flags & O_NONBLOCK))
        return CM_E_ARGUMENT;
    return command_port(e, (struct command){.type = COMMAND_ATTACH_FD,
                                            .port = port,
                                            .a = fd,
                                            .b = write_ahead,
                                            .c = elast,
                                            .d = flush_what,
                                            .x = getevent,
                                            .y = flush});
}

int cm_port_attach_line(cm_engine *e, int port, int line, enum cm_end end)
{
    if (!has_port(e, port) || line < 0 || line >= e->config.max_lines || !e->lines[line])
        return CM_E_NO_PORT;
    if (e->ports[port]->law != CM_ALAW || end > CM_FAR)
        return CM_E_ARGUMENT;
    return command_port(e, (struct command){.type = COMMAND_ATTACH_LINE, .port = port, .a = line, .b = (int)end});
}

int cm_port_detach(cm_engine *e, int port)
{
    return command_port(e, (struct command){.type = COMMAND_DETACH, .port = port});
}

int cm_play_stop(cm_engine *e, int port)
{
    return command_port(e, (struct command){.type = COMMAND_PLAY_STOP, .port = port});
}

int cm_gain(cm_engine *e, int port, double rx_db, double tx_db)
{
    if (!(rx_db >= -60 && rx_db <= 30 && tx_db >= -60 && tx_db <= 30))
        return CM_E_ARGUMENT;
    return command_port(
        e, (struct command){.type = COMMAND_GAIN, .port = port, .a = db_to_gain(rx_db), .b = db_to_gain(tx_db)});
}

int cm_mute(cm_engine *e, int port, int rx, int tx)
{
    return command_port(e, (struct command){.type = COMMAND_MUTE, .port = port, .a = rx != 0, .b = tx != 0});
}

static int bridge(cm_engine *e, int a, int b, int native)
{
    if (!has_port(e, b))
        return CM_E_NO_PORT;
    if (a == b)
        return CM_E_ARGUMENT;
    return command_port(e, (struct command){.type = COMMAND_BRIDGE, .port = a, .a = b, .b = native});
}

int cm_bridge(cm_engine *e, int a, int b)
{
    return bridge(e, a, b, 0);
}

int cm_native_peer(cm_engine *e, int a, int b)
{
    return b < 0 ? cm_unbridge(e, a) : bridge(e, a, b, 1);
}

int cm_unbridge(cm_engine *e, int port)
{
    return command_port(e, (struct command){.type = COMMAND_UNBRIDGE, .port = port});
}

int cm_tap(cm_engine *e, int listener, int target)
{
    if (target >= 0 && !has_port(e, target))
        return CM_E_NO_PORT;
    if (listener == target)
        return CM_E_ARGUMENT;
    return command_port(e, (struct command){.type = COMMAND_TAP, .port = listener, .a = target});
}

/* --- tick --- */

void give_back(cm_engine *e, struct object *object)
{
    reclaim_push(&e->reclaim, object);
}

/* Puts an object into its place; what was there goes home. */
static void swap_in(cm_engine *e, void *place, void *object)
{
    void *before;
    memcpy(&before, place, sizeof before);
    memcpy(place, &object, sizeof object);
    if (before)
        give_back(e, before);
}

static void port_add(cm_engine *e, const struct command *c)
{
    e->live_ports[c->port] = c->object;
    if (c->port > e->highest_port)
        e->highest_port = c->port;
}

static void play_start(cm_engine *e, struct port *p, struct play *play)
{
    play_end(e, p, CM_PLAY_STOPPED, 0);
    p->play = play;
}

static void sending_add(struct port *p, struct tone_source *tone)
{
    struct tone_source **place = &p->sending;
    while (*place)
        place = &(*place)->following;
    *place = tone;
}

/* A key that is down when detection is asked for again must not count twice: the detector stays. */
static void digits_start(cm_engine *e, struct port *p, void *detector)
{
    if (p->digits && detector)
        give_back(e, detector);
    else
        swap_in(e, &p->digits, detector);
}

static void attach_line(struct port *p, struct line *line, int end)
{
    p->source = line ? SOURCE_LINE : SOURCE_NONE;
    p->line = line;
    p->end = (enum cm_end)end;
}

static void line_add(cm_engine *e, const struct command *c)
{
    e->live_lines[c->a] = c->object;
    if (c->a > e->highest_line)
        e->highest_line = c->a;
}

static void line_uncross(cm_engine *e, struct line *line)
{
    struct line *partner = line->crossed >= 0 ? e->live_lines[line->crossed] : NULL;
    if (partner)
        partner->crossed = -1;
    line->crossed = -1;
}

static void line_cross(cm_engine *e, struct line *line, int other)
{
    line_uncross(e, line);
    if (other < 0)
        return;
    line_uncross(e, e->live_lines[other]);
    line->crossed = other;
    e->live_lines[other]->crossed = line->index;
}

static void line_remove(cm_engine *e, struct line *line)
{
    for (int i = 0; i <= e->highest_port; i++)
        if (e->live_ports[i] && e->live_ports[i]->line == line)
            port_detach(e, e->live_ports[i], ENODEV);
    line_uncross(e, line);
    e->live_lines[line->index] = NULL;
    give_back(e, &line->object);
}

static bool obey_line(cm_engine *e, const struct command *c)
{
    switch (c->type) {
    case COMMAND_LINE_ADD:
        line_add(e, c);
        return true;
    case COMMAND_LINE_FREE:
        line_remove(e, e->live_lines[c->a]);
        return true;
    case COMMAND_LINE_CROSS:
        line_cross(e, e->live_lines[c->a], c->b);
        return true;
    case COMMAND_LINE_FAULT:
        line_fault_set(e->live_lines[c->a], c);
        return true;
    default:
        return false;
    }
}

static void obey_sound(cm_engine *e, struct port *p, const struct command *c)
{
    switch (c->type) {
    case COMMAND_PLAY:
        play_start(e, p, c->object);
        break;
    case COMMAND_PLAY_STOP:
        play_end(e, p, CM_PLAY_STOPPED, 0);
        break;
    case COMMAND_TONE:
        swap_in(e, &p->tone, c->object);
        break;
    case COMMAND_SEND_DIGITS:
        sending_add(p, c->object);
        break;
    case COMMAND_RECORD:
        record_begin(p, c->object);
        break;
    case COMMAND_RECORD_STOP:
        record_end(e, p, c->object);
        break;
    case COMMAND_STREAM:
        swap_in(e, &p->stream, c->object);
        break;
    default:
        break;
    }
}

static void obey_measuring(cm_engine *e, struct port *p, const struct command *c)
{
    switch (c->type) {
    case COMMAND_METER:
        swap_in(e, &p->meter, c->object);
        break;
    case COMMAND_CAPTURE:
        swap_in(e, &p->capture, c->object);
        break;
    case COMMAND_ECHO:
        p->echo = c->a;
        break;
    case COMMAND_BERT:
        swap_in(e, &p->bert, c->object);
        break;
    default:
        obey_sound(e, p, c);
    }
}

static void obey_port(cm_engine *e, struct port *p, const struct command *c)
{
    switch (c->type) {
    case COMMAND_PORT_FREE:
        port_release(e, p);
        break;
    case COMMAND_ATTACH_FD:
        port_attach_fd(e, p, c);
        break;
    case COMMAND_ATTACH_LINE:
        attach_line(p, e->live_lines[c->a], c->b);
        break;
    case COMMAND_DETACH:
        port_detach(e, p, 0);
        break;
    case COMMAND_DETECT_DIGITS:
        digits_start(e, p, c->object);
        break;
    case COMMAND_DETECT_TONES:
        swap_in(e, &p->tones, c->object);
        break;
    case COMMAND_DETECT_MF:
        swap_in(e, &p->mf, c->object);
        break;
    case COMMAND_DETECT_CALLER_ID:
        swap_in(e, &p->caller_id, c->object);
        break;
    case COMMAND_DETECT_SPEECH:
        speech_start(&p->speech, c->a, c->b);
        break;
    case COMMAND_GAIN:
        p->rx_gain = c->a;
        p->tx_gain = c->b;
        break;
    case COMMAND_MUTE:
        p->rx_muted = c->a;
        p->tx_muted = c->b;
        break;
    case COMMAND_MASK_KEYS:
        mask_set(e, p, c->a, c->b);
        break;
    case COMMAND_BRIDGE:
        bridge_set(e, p, e->live_ports[c->a], c->b);
        break;
    case COMMAND_UNBRIDGE:
        bridge_unset(e, p);
        break;
    case COMMAND_CONFER:
        if (c->a >= 0)
            conference_join(e, p, e->live_ports[c->a]);
        else
            conference_leave(e, p);
        break;
    case COMMAND_TAP:
        tap_set(e, p, c->a >= 0 ? e->live_ports[c->a] : NULL);
        break;
    default:
        obey_measuring(e, p, c);
    }
}

void command_drain(cm_engine *e)
{
    struct command c;
    while (ring_pop(&e->commands, &c)) {
        if (c.type == COMMAND_PORT_ADD)
            port_add(e, &c);
        else if (!obey_line(e, &c))
            obey_port(e, e->live_ports[c.port], &c);
    }
}
