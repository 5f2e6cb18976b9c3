/* Conferences: rings of ports in which each hears all the others. Mixed once a tick, after all have been read: every voice is added up once,
 * and what a party hears is the sum without its own. */
#include "internal.h"

#include <string.h>

int cm_confer(cm_engine *e, int port, int with)
{
    if (with >= 0 && (with >= e->config.max_ports || !e->ports[with]))
        return CM_E_NO_PORT;
    if (port == with)
        return CM_E_ARGUMENT;
    return command_port(e, (struct command){.type = COMMAND_CONFER, .port = port, .a = with});
}

/* --- tick --- */

static struct port *after(cm_engine *e, const struct port *p)
{
    return e->live_ports[p->ring];
}

static void leave_alone(struct port *p)
{
    p->ring = -1;
    fifo_clear(&p->said);
    fifo_clear(&p->from_peer);
}

void conference_leave(cm_engine *e, struct port *p)
{
    if (p->ring < 0)
        return;
    struct port *before = p;
    while (before->ring != p->index)
        before = after(e, before);
    before->ring = p->ring;
    leave_alone(p);
    if (before->ring == before->index)
        leave_alone(before);
}

/* `p` joins those `with` is with; both lose whom they were bridged to. */
void conference_join(cm_engine *e, struct port *p, struct port *with)
{
    conference_leave(e, p);
    bridge_unset(e, p);
    if (with->ring < 0) {
        bridge_unset(e, with);
        with->ring = with->index;
    }
    p->ring = with->ring;
    with->ring = p->index;
}

void conference_hear(struct port *p)
{
    static const int16_t silence[FRAME];
    if (p->ring >= 0)
        fifo_push(&p->said, is_unheard(p) ? silence : port_rx_linear(p));
}

/* Takes a frame of everybody; false when nobody had one. */
static bool add_up(cm_engine *e, struct port *first, int32_t *sum)
{
    bool any = false;
    struct port *p = first;
    do {
        p->spoke = fifo_pop(&p->said, p->says);
        for (int i = 0; p->spoke && i < FRAME; i++)
            sum[i] += p->says[i];
        any |= p->spoke;
        p = after(e, p);
    } while (p != first);
    return any;
}

static void tell_others(struct port *p, const int32_t *sum)
{
    int16_t others[FRAME];
    for (int i = 0; i < FRAME; i++)
        others[i] = clamp16(sum[i] - (p->spoke ? p->says[i] : 0));
    fifo_push(&p->from_peer, others);
}

static void mix(cm_engine *e, struct port *first)
{
    int32_t sum[FRAME] = {0};
    if (!add_up(e, first, sum))
        return;
    struct port *p = first;
    do {
        tell_others(p, sum);
        p = after(e, p);
    } while (p != first);
}

static bool is_lowest(cm_engine *e, const struct port *p)
{
    for (const struct port *other = after(e, p); other != p; other = after(e, other))
        if (other->index < p->index)
            return false;
    return true;
}

void conference_mix(cm_engine *e)
{
    for (int i = 0; i <= e->highest_port; i++)
        if (e->live_ports[i] && e->live_ports[i]->ring >= 0 && is_lowest(e, e->live_ports[i]))
            mix(e, e->live_ports[i]);
}
