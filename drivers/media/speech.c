/* The level of what is received, and from it speech and silence: integer energies against a noise floor that adapts. */
#include "internal.h"

#include <string.h>

#define LOUD_FRAMES    3 /* 60 ms above the floor is speech, a click is not */
#define PAUSE_MS       200 /* pauses between words are part of speech */
#define FLOOR_RATIO    8 /* 9 dB above the floor is loud */
#define FLOOR_RISE     7 /* the floor creeps up by 1/128 a frame, 1.7 dB a second */
#define FLOOR_LOW_DBM0 (-58.0)
#define FLOOR_TOP_DBM0 (-30.0)

static uint32_t sum_squares(const uint32_t *square, const uint8_t *codes, int count)
{
    uint32_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += square[codes[i]];
    return sum;
}

/* A dead line repeats one code for ever; that is seen faster than it is summed. */
static void measure(struct port *p)
{
    const uint32_t *square = g711.square[p->law];
    struct frame_level *level = &p->level;
    bool flat = !memcmp(p->rx, p->rx + 1, FRAME - 1);
    uint64_t total = 0;
    for (int i = 0; i < 4; i++) {
        level->quarter[i] =
            flat ? square[p->rx[0]] : sum_squares(square, p->rx + i * FRAME / 4, FRAME / 4) / (FRAME / 4);
        total += level->quarter[i];
    }
    level->mean_square = (uint32_t)(total / 4);
}

void detect(cm_engine *e, struct port *p)
{
    if (p->mf)
        mf_detect(e, p);
    if (p->capture)
        capture_frame(p->capture, p->rx);
    if (p->bert)
        bert_receive(p->bert, p->rx);
    if (!p->digits && !p->tones && !p->speech.on && !p->caller_id)
        return;
    measure(p);
    if (p->caller_id)
        caller_id_detect(e, p);
    if (p->digits)
        digits_detect(e, p);
    if (p->tones)
        tones_detect(e, p);
    if (p->speech.on)
        speech_detect(e, p);
}

void speech_start(struct speech_detector *s, bool on, int silence_ms)
{
    memset(s, 0, sizeof *s);
    s->on = on;
    s->silence_ms = silence_ms;
    s->floor = dbm0_to_mean_square(FLOOR_LOW_DBM0);
}

static void adapt_floor(struct speech_detector *s, uint32_t energy)
{
    static uint32_t low, top;
    if (!top) {
        low = dbm0_to_mean_square(FLOOR_LOW_DBM0);
        top = dbm0_to_mean_square(FLOOR_TOP_DBM0);
    }
    if (energy < s->floor)
        s->floor = energy > low ? energy : low;
    else if (s->floor < top)
        s->floor += (s->floor >> FLOOR_RISE) + 1;
}

static void heard_loud(cm_engine *e, struct port *p)
{
    struct speech_detector *s = &p->speech;
    if (++s->loud_frames < LOUD_FRAMES)
        return;
    s->silent_for_ms = 0;
    s->silence_told = false;
    if (!s->talking)
        event_push(e, CM_EV_SPEECH, p->index, 0, 1, 0, 0);
    s->talking = true;
}

void speech_detect(cm_engine *e, struct port *p)
{
    struct speech_detector *s = &p->speech;
    uint32_t energy = p->level.mean_square;
    bool is_loud = energy > s->floor * FLOOR_RATIO;
    adapt_floor(s, energy);
    s->silent_for_ms += FRAME_MS;
    if (is_loud)
        heard_loud(e, p);
    else
        s->loud_frames = 0;
    if (s->silent_for_ms > PAUSE_MS)
        s->talking = false;
    if (s->silence_ms && s->silent_for_ms >= s->silence_ms && !s->silence_told) {
        s->silence_told = true;
        event_push(e, CM_EV_SILENCE, p->index, 0, s->silence_ms, 0, 0);
    }
}

int cm_detect_speech(cm_engine *e, int port, int on, int silence_ms)
{
    if (silence_ms < 0)
        return CM_E_ARGUMENT;
    return command_port(e,
                        (struct command){.type = COMMAND_DETECT_SPEECH, .port = port, .a = on != 0, .b = silence_ms});
}
