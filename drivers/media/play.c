/* Play lists: prompts one after another without a gap, in the law of the port, byte for byte when the laws agree. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

int digit_index(int digit)
{
    static const char order[] = "0123456789*#ABCD";
    const char *at = digit ? strchr(order, digit) : NULL;
    return at ? (int)(at - order) : -1;
}

static void play_destroy(struct object *object)
{
    struct play *play = (struct play *)object;
    for (int i = 0; i < play->count; i++)
        cm_clip_close(play->clips[i]);
    free(play);
}

static bool list_is_sound(cm_clip *const *clips, int count, int loops)
{
    int64_t total = 0;
    for (int i = 0; i < count; i++) {
        if (!clips[i])
            return false;
        total += clips[i]->samples;
    }
    return total > 0 || loops > 0; /* nothing, endlessly, would never return from a frame */
}

static uint32_t digits_mask(const char *digits)
{
    uint32_t mask = 0;
    for (; digits && *digits; digits++)
        if (digit_index(*digits) >= 0)
            mask |= 1U << digit_index(*digits);
    return mask;
}

int cm_play(cm_engine *e, int port, uint32_t play_id, cm_clip *const *clips, int count, const char *barge_digits,
            int loops)
{
    if (count < 1 || loops < 0 || (count <= CM_MAX_CLIPS && !list_is_sound(clips, count, loops)))
        return CM_E_ARGUMENT;
    if (count > CM_MAX_CLIPS)
        return CM_E_LIMIT;
    struct play *play = calloc(1, sizeof *play);
    if (!play)
        return CM_E_NO_MEMORY;
    play->object.destroy = play_destroy;
    play->id = play_id;
    play->barge_mask = digits_mask(barge_digits);
    play->loops = loops;
    play->count = count;
    for (int i = 0; i < count; i++) {
        play->clips[i] = clips[i];
        clips[i]->references++;
    }
    return command_object(e, COMMAND_PLAY, port, &play->object);
}

void play_end(cm_engine *e, struct port *p, enum cm_play_end how, int digit)
{
    struct play *play = p->play;
    if (!play)
        return;
    p->play = NULL;
    event_push(e, CM_EV_PLAY_DONE, p->index, play->id, how, digit, play->sent);
    give_back(e, &play->object);
    if (how != CM_PLAY_FINISHED)
        p->cut = true;
}

static void copy_pcm(enum cm_law law, const uint8_t *audio, uint8_t *out, int count)
{
    for (int i = 0; i < count; i++)
        out[i] = g711.code[law][(unsigned)(audio[2 * i] | audio[2 * i + 1] << 8) >> 2];
}

static void copy_audio(enum cm_law law, const cm_clip *clip, int64_t at, uint8_t *out, int count)
{
    if (clip->pcm) {
        copy_pcm(law, clip->audio + 2 * at, out, count);
        return;
    }
    if (clip->law == law) {
        memcpy(out, clip->audio + at, (size_t)count);
        return;
    }
    const uint8_t *table = law == CM_ALAW ? g711.to_alaw : g711.to_ulaw;
    for (int i = 0; i < count; i++)
        out[i] = table[clip->audio[at + i]];
}

/* To the next clip with audio left; false at the end of the last loop. */
static bool next_clip(struct play *play)
{
    while (play->at >= play->clips[play->clip]->samples) {
        play->at = 0;
        if (++play->clip < play->count)
            continue;
        play->clip = 0;
        if (play->loops && --play->loops == 0)
            return false;
    }
    return true;
}

/* The last samples still wait in the card's queue: a hang-up now would cut them off, so the play is done only when they have
 * been heard. A key in that time still cuts them. */
static void drain(cm_engine *e, struct port *p, struct play *play)
{
    play->draining = p->source == SOURCE_FD ? p->write_ahead : 0;
    if (!play->draining)
        play_end(e, p, CM_PLAY_FINISHED, 0);
}

bool play_frame(cm_engine *e, struct port *p, uint8_t *frame)
{
    struct play *play = p->play;
    if (play->draining) {
        if (--play->draining == 0)
            play_end(e, p, CM_PLAY_FINISHED, 0);
        return false;
    }
    int filled = 0;
    bool more = next_clip(play);
    while (more && filled < FRAME) {
        const cm_clip *clip = play->clips[play->clip];
        int64_t left = clip->samples - play->at;
        int count = left < FRAME - filled ? (int)left : FRAME - filled;
        copy_audio(p->law, clip, play->at, frame + filled, count);
        play->at += count;
        filled += count;
        more = next_clip(play);
    }
    memset(frame + filled, g711_silence(p->law), (size_t)(FRAME - filled));
    play->sent += filled;
    if (!more)
        drain(e, p, play);
    return filled > 0;
}
