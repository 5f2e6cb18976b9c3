/* Caller id out of anything: made-up FSK of both modems with random content, wrong sums, lost carriers and noise, and after each a
 * good message that must be heard. Built with sanitizers by test_callerid.py; the first argument is how long, in seconds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "media.h"

static unsigned seed = 7;

static unsigned any(unsigned below)
{
    seed = seed * 1103515245U + 12345U;
    return (seed >> 16) % below;
}

static cm_engine *engine;
static int near, far, line;
static int whole, broken; /* of the made-up messages */
static double phase;

static void hear(const uint8_t *samples, int count)
{
    for (int at = 0; at < count; at += CM_FRAME_SAMPLES) {
        int part = count - at < CM_FRAME_SAMPLES ? count - at : CM_FRAME_SAMPLES;
        cm_stream_write(engine, far, samples + at, part);
        cm_engine_step(engine);
    }
}

/* A-law of a sine of some level, near enough. */
static uint8_t code(double value)
{
    int magnitude = (int)(fabs(value) * 4095), exponent = 7;
    while (exponent > 0 && magnitude < (32 << (exponent - 1)))
        exponent--;
    int mantissa = exponent > 1 ? magnitude >> (exponent) & 15 : magnitude >> 1 & 15;
    return (uint8_t)(((value < 0 ? 0 : 0x80) | exponent << 4 | mantissa) ^ 0x55);
}

static int put_bit(uint8_t *out, int bit, int v23)
{
    static double left;
    static const int hz[2][2] = {{2200, 1200}, {2100, 1300}};
    int count = 0;
    for (left += 8000.0 / 1200; left >= 1; left--) {
        phase += 2 * M_PI * hz[v23][bit] / 8000;
        out[count++] = code(0.3 * sin(phase));
    }
    return count;
}

static int put_byte(uint8_t *out, int byte, int v23)
{
    int count = put_bit(out, 0, v23);
    for (int k = 0; k < 8; k++)
        count += put_bit(out + count, byte >> k & 1, v23);
    return count + put_bit(out + count, 1, v23);
}

static void random_message(void)
{
    static uint8_t sound[200000];
    static const uint8_t types[] = {0x04, 0x06, 0x80, 0x82, 0x55, 0x00};
    int v23 = (int)any(2), count = 0, length = (int)any(300), sum = 0;
    for (unsigned k = any(400); k > 0; k--)
        count += put_bit(sound + count, (int)(k & 1), v23);
    for (unsigned k = any(200); k > 0; k--)
        count += put_bit(sound + count, 1, v23);
    for (int i = 0; i < length; i++) {
        int byte = i == 0 ? types[any(sizeof types)] : i == 1 && any(3) ? (length - 3) & 255 : (int)any(256);
        byte = i == length - 1 && any(2) ? -sum & 255 : byte;
        sum += byte;
        count += put_byte(sound + count, byte, v23);
    }
    for (unsigned k = any(50); k > 0; k--) /* spoilt here and there */
        sound[any((unsigned)count + 1)] = (uint8_t)any(256);
    hear(sound, any(4) ? count : count / 2);
}

static void noise(void)
{
    static uint8_t sound[8000];
    for (size_t i = 0; i < sizeof sound; i++)
        sound[i] = (uint8_t)any(256);
    hear(sound, (int)any(sizeof sound));
}

static int drain(const uint8_t *good, int length)
{
    cm_event events[64];
    uint8_t message[CM_MESSAGE_LEN];
    int found = 0;
    for (int count = cm_poll_events(engine, events, 64); count > 0; count = cm_poll_events(engine, events, 64))
        for (int i = 0; i < count; i++)
            if (events[i].type == CM_EV_CALLER_ID) {
                int got = cm_take_caller_id(engine, near, message);
                whole += got > 0;
                broken += got == 0;
                found |= got == length && !memcmp(message, good, (size_t)length);
            }
    return found;
}

static int good_message_is_heard(void)
{
    static const uint8_t message[] = {0x80, 6, 2, 4, '8', '0', '0', '5'};
    for (int i = 0; i < 60; i++)
        cm_engine_step(engine);
    drain(message, 0);
    cm_send_caller_id(engine, far, any(2), message, sizeof message, 300, -13.5);
    int found = 0;
    for (int i = 0; i < 100; i++) {
        cm_engine_step(engine);
        found |= drain(message, sizeof message);
    }
    return found;
}

int main(int argc, char **argv)
{
    cm_engine_config config = {.max_ports = 2,
                               .max_lines = 1,
                               .max_recordings = 1,
                               .commands = 64,
                               .events = 256,
                               .record_ring_ms = 400,
                               .flush_ms = 40};
    time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
    engine = cm_engine_new(&config);
    if (!engine)
        return 2;
    line = cm_line_new(engine);
    near = cm_port_new(engine, CM_ALAW);
    far = cm_port_new(engine, CM_ALAW);
    cm_port_attach_line(engine, near, line, CM_NEAR);
    cm_port_attach_line(engine, far, line, CM_FAR);
    cm_stream(engine, far, 1);
    cm_detect_caller_id(engine, near, 1);
    int rounds = 0, missed = 0;
    for (; time(NULL) < end; rounds++) {
        random_message();
        if (any(3) == 0)
            noise();
        missed += !good_message_is_heard();
    }
    cm_engine_free(engine);
    printf("%d rounds: %d whole, %d broken, %d good messages missed\n", rounds, whole, broken, missed);
    return missed ? 1 : 0;
}
