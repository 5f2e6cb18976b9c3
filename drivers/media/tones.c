/* Tones made: sines by phase accumulator, cadences, digits, and the tone plans of the countries (libtonezone). */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SINE_BITS 12
#define ZONE_DBM0 (-13.0) /* each frequency; within ITU-T E.180 clause 6 */

static int16_t sine[1 << SINE_BITS];

static void fill_sine(void)
{
    for (int i = 0; i < 1 << SINE_BITS; i++)
        sine[i] = (int16_t)lrint(32767.0 * sin(2.0 * M_PI * i / (1 << SINE_BITS)));
}

static void add_sine(int32_t *mix, uint32_t *phase, uint32_t step, int32_t amplitude, int count)
{
    if (!step)
        return;
    for (int i = 0; i < count; i++, *phase += step)
        mix[i] += (sine[*phase >> (32 - SINE_BITS)] * amplitude) >> 15;
}

static int64_t part_samples(const struct tone_part *part)
{
    return part->on_samples ? part->on_samples + part->off_samples : INT64_MAX;
}

static bool next_part(struct tone_source *tone)
{
    tone->at = 0;
    tone->phase1 = tone->phase2 = 0;
    if (++tone->part < tone->parts)
        return true;
    tone->part = 0;
    return tone->repeat;
}

static int add_stretch(struct tone_source *tone, int32_t *mix, int room)
{
    const struct tone_part *part = &tone->list[tone->part];
    bool sounding = !part->on_samples || tone->at < part->on_samples;
    int64_t left = (sounding && part->on_samples ? part->on_samples : part_samples(part)) - tone->at;
    int count = left < room ? (int)left : room;
    if (sounding) {
        add_sine(mix, &tone->phase1, part->step1, part->amplitude1, count);
        add_sine(mix, &tone->phase2, part->step2, part->amplitude2, count);
    }
    tone->at += count;
    return count;
}

static bool add_pcm(struct tone_source *tone, int32_t *mix)
{
    int64_t left = tone->pcm_samples - tone->at;
    int count = left < FRAME ? (int)left : FRAME;
    for (int i = 0; i < count; i++)
        mix[i] += tone->pcm[tone->at + i];
    tone->at += count;
    return tone->at < tone->pcm_samples;
}

bool tone_add(struct tone_source *tone, int32_t *mix)
{
    if (tone->pcm)
        return add_pcm(tone, mix);
    for (int done = 0; done < FRAME;) {
        done += add_stretch(tone, mix + done, FRAME - done);
        if (tone->at >= part_samples(&tone->list[tone->part]) && !next_part(tone))
            return false;
    }
    return true;
}

static void tone_destroy(struct object *object)
{
    free(object);
}

static struct tone_source *tone_new(bool repeat, int64_t pcm_samples)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_sine);
    struct tone_source *tone = calloc(1, sizeof *tone + (size_t)pcm_samples * sizeof(int16_t));
    if (tone) {
        tone->object.destroy = tone_destroy;
        tone->repeat = repeat;
        tone->pcm = pcm_samples ? (int16_t *)(tone + 1) : NULL;
    }
    return tone;
}

struct tone_source *tone_from_pcm(int64_t most_samples)
{
    return tone_new(false, most_samples);
}

static uint32_t phase_step(double hz)
{
    return (uint32_t)(hz / 8000.0 * 4294967296.0);
}

static int32_t amplitude_of(double dbm0)
{
    double peak = dbm0_to_rms(dbm0) * sqrt(2.0);
    return (int32_t)lrint(peak < 32767.0 ? peak : 32767.0);
}

static void add_part(struct tone_source *tone, double hz1, double dbm1, double hz2, double dbm2, int on_ms, int off_ms)
{
    struct tone_part *part = &tone->list[tone->parts++];
    part->step1 = phase_step(hz1);
    part->step2 = phase_step(hz2);
    part->amplitude1 = amplitude_of(dbm1);
    part->amplitude2 = amplitude_of(dbm2);
    part->on_samples = (int64_t)on_ms * SAMPLES_PER_MS;
    part->off_samples = (int64_t)off_ms * SAMPLES_PER_MS;
}

static bool step_is_sound(const cm_tone_step *step)
{
    bool pause = step->hz1 <= 0;
    return step->hz1 < 4000 && step->hz2 < 4000 && step->hz2 >= 0 && step->on_ms >= 0 && step->off_ms >= 0 &&
           (!pause || step->on_ms + step->off_ms > 0);
}

struct tone_source *tone_from_cadence(const cm_cadence *cadence)
{
    struct tone_source *tone = tone_new(cadence->repeat != 0, 0);
    for (int i = 0; tone && i < cadence->steps; i++) {
        const cm_tone_step *s = &cadence->step[i];
        bool pause = s->hz1 <= 0;
        add_part(tone, pause ? 0 : s->hz1, s->dbm0, s->hz2, s->dbm0, pause ? s->on_ms + s->off_ms : s->on_ms,
                 pause ? 0 : s->off_ms);
    }
    return tone;
}

/* ITU-T Q.23: frequencies by row and column. */
struct tone_source *tone_from_digits(const char *digits, int on_ms, int off_ms, double low_dbm0, double high_dbm0)
{
    static const double row_hz[] = {697, 770, 852, 941}, column_hz[] = {1209, 1336, 1477, 1633};
    static const char keys[] = "123A456B789C*0#D";
    struct tone_source *tone = tone_new(false, 0);
    for (; tone && *digits; digits++) {
        const char *key = strchr(keys, *digits);
        if (key)
            add_part(tone, row_hz[(key - keys) / 4], low_dbm0, column_hz[(key - keys) % 4], high_dbm0, on_ms, off_ms);
        else
            add_part(tone, 0, low_dbm0, 0, high_dbm0, 500, 0);
    }
    return tone;
}

int cadence_fault(const cm_cadence *cadence)
{
    if (cadence->steps < 1 || cadence->steps > CM_MAX_CADENCE)
        return CM_E_LIMIT;
    for (int i = 0; i < cadence->steps; i++)
        if (!step_is_sound(&cadence->step[i]))
            return CM_E_ARGUMENT;
    return 0;
}

int cm_tone(cm_engine *e, int port, const cm_cadence *cadence)
{
    struct tone_source *tone = NULL;
    int error = cadence ? cadence_fault(cadence) : 0;
    if (error)
        return error;
    if (cadence && !(tone = tone_from_cadence(cadence)))
        return CM_E_NO_MEMORY;
    return command_object(e, COMMAND_TONE, port, tone ? &tone->object : NULL);
}

int cm_send_digits(cm_engine *e, int port, const char *digits, int on_ms, int off_ms, double low_dbm0, double high_dbm0)
{
    size_t count = strlen(digits);
    if (!count || on_ms < 1 || off_ms < 0 || strspn(digits, "0123456789*#ABCDw") != count)
        return CM_E_ARGUMENT;
    if (count > CM_DIGITS_LEN)
        return CM_E_LIMIT;
    struct tone_source *tone = tone_from_digits(digits, on_ms, off_ms, low_dbm0, high_dbm0);
    return tone ? command_object(e, COMMAND_SEND_DIGITS, port, &tone->object) : CM_E_NO_MEMORY;
}

/* --- libtonezone. Its header needs the kernel module's headers for two sizes, so its shape is said here again.
 * Source: dahdi-tools tonezone.h, dahdi/user.h (DAHDI_MAX_CADENCE 16, DAHDI_TONE_MAX 16). */
struct tone_zone_sound {
    int toneid;
    char data[256];
};
struct tone_zone {
    int zone;
    char country[10];
    char description[40];
    int ringcadence[16];
    struct tone_zone_sound tones[16];
    int levels[4];
};
struct tone_zone *tone_zone_find(char *country);

/* One "f1+f2/ms" of a zone; "f1*f2" is f1 modulated by f2, of which the carrier is kept. */
static const char *read_step(const char *text, cm_tone_step *step)
{
    char *end;
    step->hz1 = strtod(text + (*text == '!'), &end);
    if (*end == '+')
        step->hz2 = strtod(end + 1, &end);
    else if (*end == '*')
        (void)strtod(end + 1, &end);
    end += *end == '@'; /* Australia: every second burst is weaker, which is left out */
    if (*end == '/')
        step->on_ms = (int)strtol(end + 1, &end, 10);
    step->dbm0 = ZONE_DBM0;
    /* "400+15" (Japan): the second is no tone of its own but a modulation */
    if (step->hz2 < 100)
        step->hz2 = 0;
    return *end == ',' ? end + 1 : NULL;
}

/* A pause after a tone is that tone's off time. */
static void read_plan(const char *text, cm_cadence *out)
{
    while (text && *text && out->steps < CM_MAX_CADENCE) {
        cm_tone_step step = {0};
        text = read_step(text, &step);
        if (step.hz1 <= 0 && out->steps && !out->step[out->steps - 1].off_ms)
            out->step[out->steps - 1].off_ms = step.on_ms;
        else
            out->step[out->steps++] = step;
    }
    out->repeat = 1;
}

int cm_zone_tone(const char *country, enum cm_tone_kind kind, cm_cadence *out)
{
    /* dahdi/user.h: DAHDI_TONE_DIALTONE 0, BUSY 1, RINGTONE 2, CONGESTION 3 */
    static const int number[] = {
        [CM_TONE_DIAL] = 0, [CM_TONE_BUSY] = 1, [CM_TONE_RINGBACK] = 2, [CM_TONE_CONGESTION] = 3};
    char name[10] = {0};
    memset(out, 0, sizeof *out);
    if (kind < CM_TONE_DIAL || kind > CM_TONE_CONGESTION)
        return CM_E_ARGUMENT;
    strncpy(name, country, sizeof name - 1);
    struct tone_zone *zone = tone_zone_find(name);
    for (int i = 0; zone && i < 16; i++)
        if (zone->tones[i].toneid == number[kind] && zone->tones[i].data[0]) {
            read_plan(zone->tones[i].data, out);
            return 0;
        }
    return CM_E_ARGUMENT;
}
