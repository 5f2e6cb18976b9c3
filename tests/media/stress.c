/* Hammers the media core with its threads running, for the sanitizers: every command, in no sensible order, for some
 * seconds. Prints the number of events; the sanitizer decides. Arguments: seconds, a WAV file, a folder. */
#include "media.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORTS 24
#define LINES 12

static unsigned seed = 1;

static unsigned any(unsigned below)
{
    seed = seed * 1103515245U + 12345U;
    return (seed >> 16) % below;
}

static void play_something(cm_engine *e, int port, cm_clip *clip)
{
    cm_clip *clips[] = {clip, clip};
    cm_cadence cadence;
    if (cm_zone_tone("uk", 1 + any(4), &cadence) == 0 && any(2))
        cm_tone(e, port, any(3) ? &cadence : NULL);
    cm_play(e, port, any(1000), clips, 2, "123", (int)any(3));
    if (any(4) == 0)
        cm_play_stop(e, port);
    cm_send_digits(e, port, "1w2#", 50, 50, -10, -8);
}

static void detect_something(cm_engine *e, int port)
{
    cm_detect_digits(e, port, any(4) != 0);
    cm_detect_tones(e, port, any(3) ? 0x7E : 0, "cn");
    cm_detect_speech(e, port, any(2), 500);
    cm_gain(e, port, any(2) ? 3 : 0, any(2) ? -3 : 0);
    cm_mute(e, port, any(5) == 0, any(5) == 0);
    cm_mask_keys(e, port, any(2), (int)any(3) * 500);
}

static void join_something(cm_engine *e, int port)
{
    int other = (int)any(PORTS);
    switch (any(8)) {
    case 0:
        cm_bridge(e, port, other);
        break;
    case 1:
        cm_native_peer(e, port, other);
        break;
    case 2:
        cm_unbridge(e, port);
        break;
    case 3:
        cm_tap(e, port, other);
        break;
    case 4:
        cm_tap(e, port, -1);
        break;
    case 5:
        cm_confer(e, port, other);
        break;
    case 6:
        cm_confer(e, port, -1);
        break;
    default:
        cm_line_cross(e, (int)any(LINES), (int)any(LINES + 1) - 1);
    }
}

static void record_something(cm_engine *e, int port, const char *folder)
{
    char path[512];
    unsigned id = any(40);
    snprintf(path, sizeof path, "%s/stress%u.wav", folder, any(30));
    if (any(2))
        cm_record(e, port, id, path, (int)any(2), any(100));
    else
        cm_record_stop(e, id);
}

static void stream_something(cm_engine *e, int port)
{
    uint8_t samples[800] = {0};
    cm_stream(e, port, any(4) != 0);
    cm_stream_write(e, port, samples, (int)any(800));
    cm_stream_read(e, port, samples, (int)any(800));
}

static void signal_something(cm_engine *e, int port)
{
    static const uint8_t message[] = {0x80, 4, 2, 2, '1', '2'};
    uint8_t taken[CM_MESSAGE_LEN];
    cm_tone_plan plan = {.hz_percent = 2, .ms_percent = 20};
    cm_zone_tone("us", CM_TONE_BUSY, &plan.tone[2]);
    switch (any(5)) {
    case 0:
        cm_detect_mf(e, port, any(3));
        break;
    case 1:
        cm_detect_caller_id(e, port, any(4) != 0);
        break;
    case 2:
        cm_take_caller_id(e, port, taken);
        break;
    case 3:
        cm_send_caller_id(e, port, any(2), message, sizeof message, (int)any(2) * 300, -13.5);
        break;
    default:
        cm_detect_plan(e, port, any(128) & 0x7EU, &plan);
    }
}

static void measure_something(cm_engine *e, int port)
{
    cm_segment found[50];
    cm_levels levels;
    cm_bit_errors errors;
    switch (any(7)) {
    case 0:
        cm_meter(e, port, any(4) != 0);
        break;
    case 1:
        cm_echo(e, port, any(2));
        break;
    case 2:
        cm_bert(e, port, any(3) != 0);
        break;
    case 3:
        cm_capture(e, port, (int)any(500));
        break;
    case 4:
        cm_segments(e, port, found, 50);
        break;
    case 5:
        cm_meter_levels(e, port, &levels);
        break;
    default:
        cm_bert_result(e, port, &errors);
    }
}

static int sockets[2];

static void attach_something(cm_engine *e, int port)
{
    uint8_t block[CM_FRAME_SAMPLES] = {0};
    switch (any(4)) {
    case 0:
        cm_port_detach(e, port);
        break;
    case 1:
        if (port == 0)
            cm_port_attach_fd(e, port, sockets[0], 2, FIONREAD, 0, FIONREAD, 0);
        break;
    default:
        cm_port_attach_line(e, port, (int)any(LINES), any(2));
    }
    while (write(sockets[1], block, sizeof block) > 0 && any(3))
        continue;
    while (read(sockets[1], block, sizeof block) > 0)
        continue;
}

static void free_something(cm_engine *e, int port)
{
    if (any(20) == 0)
        cm_port_free(e, port);
    if (any(20) == 0)
        cm_line_free(e, (int)any(LINES));
    cm_port_new(e, any(8) ? CM_ALAW : CM_ULAW);
    cm_line_new(e);
    cm_line_fault(e, (int)any(LINES), any(2), 1 + any(6), (int)any(2), -10);
}

static int drain(cm_engine *e)
{
    cm_event events[64];
    cm_stats stats;
    cm_get_stats(e, &stats);
    if (any(50) == 0)
        cm_reset_stats(e);
    return cm_poll_events(e, events, 64);
}

static void disturb(cm_engine *e, cm_clip *clip, const char *folder)
{
    int port = (int)any(PORTS);
    switch (any(9)) {
    case 7:
        signal_something(e, port);
        break;
    case 8:
        measure_something(e, port);
        break;
    case 0:
        play_something(e, port, clip);
        break;
    case 1:
        detect_something(e, port);
        break;
    case 2:
        join_something(e, port);
        break;
    case 3:
        record_something(e, port, folder);
        break;
    case 4:
        stream_something(e, port);
        break;
    case 5:
        attach_something(e, port);
        break;
    default:
        free_something(e, port);
    }
}

int main(int argc, char **argv)
{
    cm_engine_config config = {.max_ports = PORTS,
                               .max_lines = LINES,
                               .max_recordings = 32,
                               .commands = 64,
                               .events = 64,
                               .record_ring_ms = 400,
                               .flush_ms = 40};
    int error, events = 0;
    if (argc < 4 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sockets))
        return 2;
    cm_clip *clip = cm_clip_open(argv[2], &error);
    cm_engine *e = cm_engine_new(&config);
    if (!clip || !e || cm_engine_start(e))
        return 2;
    time_t end = time(NULL) + atoi(argv[1]);
    for (unsigned n = 0; time(NULL) < end; n++) {
        disturb(e, clip, argv[3]);
        events += drain(e);
        if (n % 8 == 0)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (n % 2000 == 1999 && (cm_engine_stop(e) || cm_engine_start(e)))
            return 2;
    }
    cm_clip_close(clip);
    cm_engine_free(e);
    printf("%d events\n", events);
    return 0;
}
