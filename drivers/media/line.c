/* Virtual lines: what the card in software is made of. Double-buffered: what is sent in a frame arrives in the next. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static void line_destroy(struct object *object)
{
    free(object);
}

static struct line *line_at(cm_engine *e, int line)
{
    return line >= 0 && line < e->config.max_lines ? e->lines[line] : NULL;
}

static struct line *line_make(int index)
{
    struct line *line = calloc(1, sizeof *line);
    if (!line)
        return NULL;
    line->object.destroy = line_destroy;
    line->index = index;
    line->crossed = -1;
    memset(line->sent, ALAW_SILENCE, sizeof line->sent);
    line->arrive[CM_NEAR] = line->sent[CM_FAR][0];
    line->arrive[CM_FAR] = line->sent[CM_NEAR][0];
    return line;
}

int cm_line_new(cm_engine *e)
{
    int index = 0;
    while (index < e->config.max_lines && e->lines[index])
        index++;
    if (index == e->config.max_lines)
        return CM_E_LIMIT;
    struct line *line = line_make(index);
    if (!line)
        return CM_E_NO_MEMORY;
    struct command c = {.type = COMMAND_LINE_ADD, .a = index, .object = line};
    if (!command_send(e, &c)) {
        free(line);
        return CM_E_RING_FULL;
    }
    e->lines[index] = line;
    return index;
}

static int send_for_line(cm_engine *e, const struct command *c)
{
    if (!line_at(e, c->a))
        return CM_E_NO_PORT;
    return command_send(e, c) ? 0 : CM_E_RING_FULL;
}

int cm_line_free(cm_engine *e, int line)
{
    struct command c = {.type = COMMAND_LINE_FREE, .a = line};
    int error = send_for_line(e, &c);
    if (!error)
        e->lines[line] = NULL;
    return error;
}

int cm_line_cross(cm_engine *e, int a, int b)
{
    struct command c = {.type = COMMAND_LINE_CROSS, .a = a, .b = b};
    if (b >= 0 && (!line_at(e, b) || a == b))
        return a == b ? CM_E_ARGUMENT : CM_E_NO_PORT;
    return send_for_line(e, &c);
}

static uint32_t fault_value(enum cm_fault fault, double value)
{
    if (fault == CM_FAULT_NOISE) /* uniform noise: its rms is its amplitude / sqrt(3) */
        return (uint32_t)(dbm0_to_rms(value) * 1.7320508);
    return (uint32_t)db_to_gain(fault == CM_FAULT_ECHO ? -value : value);
}

int cm_line_fault(cm_engine *e, int line, enum cm_end towards, enum cm_fault fault, int on, double value)
{
    if (towards > CM_FAR || fault < CM_FAULT_CUT || fault > CM_FAULT_STALL || value > 60 || value < -120)
        return CM_E_ARGUMENT;
    struct command c = {.type = COMMAND_LINE_FAULT,
                        .a = line,
                        .b = (int)towards,
                        .c = (int)fault,
                        .d = on != 0,
                        .x = fault_value(fault, value)};
    return send_for_line(e, &c);
}

/* --- tick --- */

void line_fault_set(struct line *line, const struct command *c)
{
    struct line_way *way = &line->way[c->b];
    if (!way->faults)
        memcpy(way->heard, line->arrive[c->b], FRAME);
    way->faults = c->d ? way->faults | 1U << c->c : way->faults & ~(1U << c->c);
    way->noise_seed |= 1;
    if (c->c == CM_FAULT_NOISE)
        way->noise_amplitude = (int32_t)c->x;
    else if (c->c == CM_FAULT_ECHO)
        way->echo_gain = (int32_t)c->x;
    else if (c->c == CM_FAULT_GAIN)
        way->gain = (int32_t)c->x;
}

static int32_t noise(struct line_way *way)
{
    way->noise_seed ^= way->noise_seed << 13;
    way->noise_seed ^= way->noise_seed >> 17;
    way->noise_seed ^= way->noise_seed << 5;
    int64_t unit = (int64_t)way->noise_seed - 2147483648LL;
    return (int32_t)((unit * way->noise_amplitude) >> 31);
}

static void spoil(struct line_way *way, const uint8_t *from_other, const uint8_t *own, uint8_t *heard)
{
    bool silent = way->faults & (1U << CM_FAULT_SILENCE), echo = way->faults & (1U << CM_FAULT_ECHO);
    bool noisy = way->faults & (1U << CM_FAULT_NOISE), gain = way->faults & (1U << CM_FAULT_GAIN);
    const int16_t *linear = g711.linear[CM_ALAW];
    for (int i = 0; i < FRAME; i++) {
        int32_t sum = silent ? 0 : linear[from_other[i]];
        if (gain)
            sum = (int32_t)(((int64_t)sum * way->gain) / GAIN_ONE);
        if (echo)
            sum += (int32_t)(((int64_t)linear[own[i]] * way->echo_gain) / GAIN_ONE);
        if (noisy)
            sum += noise(way);
        heard[i] = g711.code[CM_ALAW][(uint16_t)clamp16(sum) >> 2];
    }
}

static const uint8_t *spoilt(struct line_way *way, const uint8_t *from_other, const uint8_t *own)
{
    if (way->faults & (1U << CM_FAULT_FREEZE))
        return way->heard;
    if (way->faults & (1U << CM_FAULT_CUT))
        memset(way->heard, ALAW_SILENCE, FRAME);
    else
        spoil(way, from_other, own, way->heard);
    return way->heard;
}

static void settle_sent(struct line *line)
{
    for (int end = 0; end < 2; end++) {
        if (!line->written[end])
            memset(line->sent[end][line->now], ALAW_SILENCE, FRAME);
        line->written[end] = false;
    }
}

static void arrive(cm_engine *e, struct line *line)
{
    struct line *partner = line->crossed >= 0 ? e->live_lines[line->crossed] : NULL;
    for (int end = 0; end < 2; end++) {
        bool other_line = partner && end == CM_FAR;
        const uint8_t *from = other_line ? partner->sent[CM_FAR][partner->now] : line->sent[!end][line->now];
        const uint8_t *own = line->sent[end][line->now];
        line->arrive[end] = line->way[end].faults ? spoilt(&line->way[end], from, own) : from;
    }
}

/* What was sent in the last frame is what arrives in this one; the other parity is free for what is sent now. */
void line_flip(cm_engine *e)
{
    for (int i = 0; i <= e->highest_line; i++)
        if (e->live_lines[i])
            settle_sent(e->live_lines[i]);
    for (int i = 0; i <= e->highest_line; i++)
        if (e->live_lines[i])
            arrive(e, e->live_lines[i]);
    for (int i = 0; i <= e->highest_line; i++)
        if (e->live_lines[i])
            e->live_lines[i]->now ^= 1;
}

bool line_stands_still(const struct line *line, enum cm_end end)
{
    return line->way[end].faults & (1U << CM_FAULT_STALL);
}

void line_send(struct line *line, enum cm_end end, const uint8_t *frame)
{
    memcpy(line->sent[end][line->now], frame, FRAME);
    line->written[end] = true;
}
