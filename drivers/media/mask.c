/* Keys nobody may hear: while a party enters a secret, what it says is silence to everyone but the detectors. The mask outlasts the key that
 * is down when it is to end, and reaches back to what was recorded before it was known that a secret comes. */
#include "internal.h"

#define UNMASK_FRAMES 4 /* no key for so long, at least: less is a pause inside a key, or a key not yet seen */

int cm_mask_keys(cm_engine *e, int port, int on, int ms)
{
    if (ms < 0 || ms > CM_MASK_MS)
        return CM_E_ARGUMENT;
    return command_port(e, (struct command){.type = COMMAND_MASK_KEYS, .port = port, .a = on != 0, .b = ms});
}

/* --- tick --- */

static void mask(struct port *p, int back_ms)
{
    p->masked = true;
    p->unmask_after = 0;
    record_wipe(p, (int64_t)back_ms * SAMPLES_PER_MS);
}

static void unmask_later(struct port *p, int quiet_ms)
{
    int frames = quiet_ms / FRAME_MS;
    p->unmask_after = p->unmask_in = frames > UNMASK_FRAMES ? frames : UNMASK_FRAMES;
}

void mask_set(cm_engine *e, struct port *p, bool on, int ms)
{
    if (on)
        mask(p, ms);
    else if (!ms)
        p->masked = false;
    else if (p->masked)
        unmask_later(p, ms);
    else
        event_push(e, CM_EV_KEYS_UNMASKED, p->index, 0, 0, 0, 0);
}

/* After detection, before anybody hears the frame. */
void mask_follow(cm_engine *e, struct port *p)
{
    if (!p->unmask_after)
        return;
    p->unmask_in = key_sounds(p->digits) ? p->unmask_after : p->unmask_in - 1;
    if (p->unmask_in > 0)
        return;
    p->masked = false;
    event_push(e, CM_EV_KEYS_UNMASKED, p->index, 0, 0, 0, 0);
}
