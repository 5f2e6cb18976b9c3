/* The media core: everything that must happen every 20 ms, and its whole surface.
 *
 * Threads
 *   control  the one Python thread that owns the engine; every function below is for it alone,
 *            unless the function says otherwise.
 *   tick     runs one frame (160 samples, 20 ms) for all ports. Never allocates, logs, opens a file,
 *            enters Python, or waits on a lock.
 *   writer   takes recorded audio out of per-recording rings and writes it to files.
 * Commands go to the tick thread through a ring, events come back through another and an eventfd.
 * A full ring, a slow disk or a full disk never blocks the tick: it is counted and reported.
 *
 * One frame has two phases: all ports read and detect, then all ports produce and record. So the order of ports does not
 * matter, and what a key press stops is stopped in the very frame in which the key is known.
 *
 * Units: levels in dBm0 (0 dBm0 = 3.14 dB below full scale of A-law, G.711 clause 4), times in ms or samples of
 * 8000 Hz. Audio of a line is one byte a sample in the port's law, 160 bytes a frame.
 */
#ifndef CARELINE_MEDIA_H
#define CARELINE_MEDIA_H

#include <stdint.h>

#define CM_FRAME_SAMPLES 160
#define CM_MAX_CLIPS     512 /* clips in one play list */
#define CM_MAX_CADENCE   8  /* steps of one tone */
#define CM_DIGITS_LEN    64 /* digits of one cm_send_digits */
#define CM_CAPTURE_MS    60000
#define CM_MASK_MS       60000 /* of cm_mask_keys */
#define CM_MESSAGE_LEN   257 /* type, length and up to 255 bytes */

typedef struct cm_engine cm_engine;
typedef struct cm_clip cm_clip;

enum cm_law { CM_ALAW = 0, CM_ULAW = 1 };
enum cm_end { CM_NEAR = 0, CM_FAR = 1 }; /* ends of a virtual line: the box's, the world's */

/* Every function that returns int: 0 or a handle (>= 0), else one of these. */
enum cm_error {
    CM_E_RING_FULL = -1,  /* command ring full: nothing was done, try again after the next tick */
    CM_E_NO_PORT = -2,    /* no such port, line, play or recording */
    CM_E_LIMIT = -3,      /* all ports, lines or recordings in use; list too long */
    CM_E_NO_MEMORY = -4,
    CM_E_FILE = -5,       /* cannot open or read; errno tells why */
    CM_E_FORMAT = -6,     /* not a mono 8 kHz WAV in A-law, mu-law or 16-bit PCM, or cut off */
    CM_E_ARGUMENT = -7,
    CM_E_STATE = -8,      /* engine already started, or not */
};

enum cm_event_type {
    CM_EV_PLAY_DONE = 1,   /* id play; value: cm_play_end; value2: digit that ended it or 0; samples: samples sent */
    CM_EV_DIGIT,           /* value: '0'-'9' '*' '#' 'A'-'D'; value2: level dBm0; id 1: while keys are masked */
    CM_EV_DIGIT_END,       /* value: the digit; value2: its length in ms */
    CM_EV_TONE,            /* value: cm_tone_kind detected; value2: 1 begins, 0 ends */
    CM_EV_SPEECH,          /* value 1: speech began */
    CM_EV_SILENCE,         /* value: silent for this many ms (the limit asked for) */
    CM_EV_RECORD_DONE,     /* id recording; samples: length; value: errno if its end could not be written, or 0 */
    CM_EV_RECORD_GAP,      /* id recording; samples: samples lost (kept as silence); value: errno or 0 (ring full).
                            * samples 0: a write failed with that errno, nothing is lost yet. EEXIST: the file that is to be
                            * continued is not a recording of this shape; nothing is written to it */
    CM_EV_LINE_EVENT,      /* value: kernel event number fetched by the tick thread (ELAST trap) */
    CM_EV_IO_ERROR,        /* value: errno of read/write, 0 after cm_port_detach; the port is detached */
    CM_EV_DIGITS_SENT,     /* cm_send_digits finished */
    CM_EV_UNDERRUN,        /* value: frames of this port that were not there in time, since the last such event;
                            * told at most once a second, but at once while R2 signals are listened for */
    CM_EV_EVENTS_LOST,     /* value: events dropped since last told; port -1 */
    CM_EV_MF,              /* value: R2 register signal 1-15 begins, 0: it ended; value2: level of both in dBm0 */
    CM_EV_CALLER_ID,       /* value: length of a message that waits for cm_take_caller_id, or 0: one came, but broken;
                            * value2: cm_fsk */
    CM_EV_KEYS_UNMASKED, /* cm_mask_keys off, and what it waited for is over */
};

enum cm_play_end { CM_PLAY_FINISHED = 0, CM_PLAY_BARGED = 1, CM_PLAY_STOPPED = 2 };

enum cm_tone_kind {
    CM_TONE_DIAL = 1,
    CM_TONE_RINGBACK = 2,
    CM_TONE_BUSY = 3,
    CM_TONE_CONGESTION = 4,
    CM_TONE_CNG = 5,
    CM_TONE_CED = 6,
};

enum cm_fsk { CM_FSK_BELL202 = 0, CM_FSK_V23 = 1 };
enum cm_mf_set { CM_MF_NONE = 0, CM_MF_FORWARD = 1, CM_MF_BACKWARD = 2 };

typedef struct {
    uint32_t type;    /* cm_event_type */
    int32_t port;
    uint32_t id;
    int32_t value;
    int32_t value2;
    int64_t samples;
    int64_t at;       /* engine sample clock of the frame in which it happened */
} cm_event;

typedef struct {
    int max_ports;        /* up to 1024 */
    int max_lines;        /* virtual lines */
    int max_recordings;
    int commands;         /* slots of the command ring, power of two */
    int events;           /* slots of the event ring, power of two */
    int record_ring_ms;   /* audio kept per recording while the disk is slow, e.g. 8000 */
    int flush_ms;         /* how often the writer brings files up to date, e.g. 500 */
    int realtime_priority; /* SCHED_FIFO priority asked for, 0 for none; refused is not an error (see stats) */
} cm_engine_config;

typedef struct {
    int64_t ticks, samples;
    int64_t late_ticks;          /* started more than 20 ms late */
    double tick_late_ms_p50, tick_late_ms_p99, tick_late_ms_p999, tick_late_ms_max;
    double tick_busy_us_p50, tick_busy_us_p999, tick_busy_us_max;
    int64_t underruns;           /* frames a line or player needed and did not get */
    int64_t events_lost, commands_refused;
    int64_t record_gap_samples;
    double disk_ms_max;          /* longest single write of the writer */
    int ports_active, recordings_active;
    int realtime;                /* 1 if SCHED_FIFO was granted */
    int memory_locked;
    int64_t tick_cpu_ns, writer_cpu_ns;
} cm_stats;

/* hz2 0: single tone; hz1 0: pause. dbm0: level of each frequency. on_ms 0 with hz1: sounds until stopped. */
typedef struct {
    double hz1, hz2, dbm0;
    int on_ms, off_ms;
} cm_tone_step;

typedef struct {
    int steps;
    int repeat; /* 1 endless, 0 once */
    cm_tone_step step[CM_MAX_CADENCE];
} cm_cadence;

/* How a switch's tones sound; a tone with no steps is not known there. Frequencies may be off by hz_percent (0.5 to 6), times by
 * ms_percent (5 to 50), but 60 ms always. */
typedef struct {
    cm_cadence tone[4]; /* DIAL, RINGBACK, BUSY, CONGESTION */
    double hz_percent;
    int ms_percent;
} cm_tone_plan;

typedef struct { /* of the last 200 ms; -90 is nothing at all. A peak is told as the level of the sine that has it. */
    double rx_dbm0, tx_dbm0, rx_peak_dbm0, tx_peak_dbm0;
    int64_t windows; /* of 200 ms, measured so far */
} cm_levels;

typedef struct { /* bits compared, without those in which sync was lost */
    int64_t bits, errors, sync_losses;
    int synced;
} cm_bit_errors;

enum cm_sound { CM_SOUND_PAUSE = 0, CM_SOUND_TONE = 1, CM_SOUND_OTHER = 2 };
typedef struct { /* a stretch of one kind; a tone has one frequency (hz2 0) or two, hz1 < hz2 */
    int sound; /* cm_sound */
    double begin_ms, ms, dbm0, hz1, hz2;
} cm_segment;

/* ---- engine ---- */
cm_engine *cm_engine_new(const cm_engine_config *config); /* NULL: errno */
void cm_engine_free(cm_engine *e); /* stops threads, finishes files */
int cm_engine_start(cm_engine *e); /* starts tick and writer threads */
int cm_engine_stop(cm_engine *e);
/* One frame without threads: commands, all ports, recordings written inline. For a virtual clock only; CM_E_STATE when started. */
int cm_engine_step(cm_engine *e);
int cm_engine_eventfd(cm_engine *e); /* readable while events wait */
int cm_poll_events(cm_engine *e, cm_event *out, int max); /* how many were taken */
void cm_get_stats(cm_engine *e, cm_stats *out);
void cm_reset_stats(cm_engine *e);

/* ---- clips: in locked memory, read-only, counted ---- */
cm_clip *cm_clip_open(const char *path, int *error); /* reads all of it, checks the header */
int64_t cm_clip_samples(const cm_clip *clip);
void cm_clip_close(cm_clip *clip); /* may be playing: freed when the last play ends */

/* ---- ports ---- */
int cm_port_new(cm_engine *e, enum cm_law law);
int cm_port_free(cm_engine *e, int port);
/* A channel of the kernel: non-blocking descriptor, 160-byte blocks; write_ahead blocks of silence are written first and
 * the same number is kept queued (one block is written per block read: the card is the clock). getevent is the ioctl that
 * fetches an event when errno is elast. flush (0: none) is the ioctl that empties the write queue when a prompt is cut
 * short, with flush_what as its int; the queue is then primed again. */
int cm_port_attach_fd(cm_engine *e, int port, int fd, int write_ahead, unsigned long getevent, int elast,
                      unsigned long flush, int flush_what);
int cm_port_attach_line(cm_engine *e, int port, int line, enum cm_end end); /* A-law ports only */
/* Answers by CM_EV_IO_ERROR value 0 once the tick no longer touches the descriptor. */
int cm_port_detach(cm_engine *e, int port);

/* No gap between clips; replaces what plays (its PLAY_DONE says stopped); loops 0: endless. A clip may not be NULL.
 * Finished means heard: what was queued towards a card has been sent. */
int cm_play(cm_engine *e, int port, uint32_t play_id, cm_clip *const *clips, int count, const char *barge_digits,
            int loops);
int cm_play_stop(cm_engine *e, int port);
int cm_tone(cm_engine *e, int port, const cm_cadence *cadence); /* NULL: stop */
/* 'w' in digits is a 500 ms pause; digits still being sent are finished first. */
int cm_send_digits(cm_engine *e, int port, const char *digits, int on_ms, int off_ms, double low_dbm0,
                   double high_dbm0);
/* Stereo: left what the party says, right what it hears; mono: what it says. A file that exists is continued, after
 * gap_samples of silence. The file is opened by the writer thread: a path that cannot be written answers by RECORD_GAP.
 * Up to 4 at once on a port. Audio reaches the file every flush_ms, data before the sizes in the header. */
int cm_record(cm_engine *e, int port, uint32_t record_id, const char *path, int stereo, int64_t gap_samples);
int cm_record_stop(cm_engine *e, uint32_t record_id);
int cm_detect_digits(cm_engine *e, int port, int on);
int cm_detect_tones(cm_engine *e, int port, unsigned mask /* 1 << cm_tone_kind */, const char *country);
/* The same with tones of the line's own switch instead of a country's. */
int cm_detect_plan(cm_engine *e, int port, unsigned mask, const cm_tone_plan *plan);
/* Caller id by FSK, Bell 202 and V.23 alike. The message of CM_EV_CALLER_ID: type, length, content, without check sum; room for
 * CM_MESSAGE_LEN. 0: none waits. */
int cm_detect_caller_id(cm_engine *e, int port, int on);
int cm_take_caller_id(cm_engine *e, int port, uint8_t *message);
/* Sends such a message as cm_send_digits sends keys, and CM_EV_DIGITS_SENT tells the end. seizure_bits: 300 on-hook, 0 off-hook. */
int cm_send_caller_id(cm_engine *e, int port, enum cm_fsk standard, const uint8_t *message, int length,
                      int seizure_bits, double dbm0);
/* R2 register signals of one direction; a signal that is on when this is called is told as it begins. */
int cm_detect_mf(cm_engine *e, int port, enum cm_mf_set set);
int cm_detect_speech(cm_engine *e, int port, int on, int silence_ms);

/* ---- measuring; results may be asked for at any time, CM_E_STATE when nothing was switched on ---- */
int cm_meter(cm_engine *e, int port, int on);
int cm_meter_levels(cm_engine *e, int port, cm_levels *out);
int cm_echo(cm_engine *e, int port,
            int on); /* what is received is sent back, octet by octet where nothing else sounds */
/* Sends the pattern of ITU-T O.151 (2^15 - 1) instead of all else and compares what is received with it. */
int cm_bert(cm_engine *e, int port, int on);
int cm_bert_result(cm_engine *e, int port, cm_bit_errors *out);
/* Keeps what is received for so long, 0: forget it. cm_segments looks through what there is by now, which takes up
 * to 2 ms for each second heard. */
int cm_capture(cm_engine *e, int port, int ms);
int cm_segments(cm_engine *e, int port, cm_segment *out, int most); /* how many */

int cm_gain(cm_engine *e, int port, double rx_db, double tx_db);
/* rx: nobody hears or records this party (its keys still count); tx: this party hears nothing. */
int cm_mute(cm_engine *e, int port, int rx, int tx);
/* on: nobody hears or records this party, as by rx of cm_mute but apart from it; its recordings of the last `ms` become silence as well.
 * off: from when there was no key for `ms` (at least 80), told by CM_EV_KEYS_UNMASKED; ms 0: at once, untold. */
int cm_mask_keys(cm_engine *e, int port, int on, int ms);
int cm_bridge(cm_engine *e, int a, int b); /* the core mixes: each hears the other and own prompts */
int cm_unbridge(cm_engine *e, int port);
/* port joins with and all that with is in conference with already: each hears all the others and own prompts. A bridge of either
 * ends. with -1: port leaves; the last one is alone. */
int cm_confer(cm_engine *e, int port, int with);
/* a and b are joined by their card: nothing is mixed, but recordings and taps of one take the other's side from it. */
int cm_native_peer(cm_engine *e, int a, int b);
int cm_tap(cm_engine *e, int listener, int target); /* listener hears both sides of target; target -1: stop */

/* Audio of a program (the browser's telephone), in A-law; a bounded ring each way. On a port that is attached to a line it
 * is the person there: written samples are sent to the line, what the line brings is read. On a port that is attached to
 * nothing it is the line itself: written samples are what the party says, read ones are what it hears. Starts when 60 ms
 * are there; what waits longer than 400 ms is dropped, oldest first. */
int cm_stream(cm_engine *e, int port, int on);
int cm_stream_write(cm_engine *e, int port, const uint8_t *samples, int count); /* how many were taken */
int cm_stream_read(cm_engine *e, int port, uint8_t *samples, int max);

/* ---- virtual lines: what the card in software is made of; a frame sent at one end arrives at the other one tick later ---- */
int cm_line_new(cm_engine *e);
int cm_line_free(cm_engine *e, int line);
/* Joined by the card: the far end of a hears the far end of b and the other way round; near ends go on receiving. b -1: undo. */
int cm_line_cross(cm_engine *e, int a, int b);
enum cm_fault {
    CM_FAULT_CUT = 1,
    CM_FAULT_SILENCE,
    CM_FAULT_FREEZE,
    CM_FAULT_NOISE,
    CM_FAULT_ECHO,
    CM_FAULT_GAIN,
    CM_FAULT_STALL,
};
/* towards: the end that hears it. CUT: nothing at all arrives, not even noise or echo; SILENCE: the other end is not heard;
 * FREEZE: its last frame repeats; NOISE: white, value dBm0; ECHO: value dB that the own signal comes back lower; GAIN: dB.
 * STALL: the program at that end does not come: what arrives is lost, nothing is sent; CM_EV_UNDERRUN when it is back.
 * on 0 takes the fault away. */
int cm_line_fault(cm_engine *e, int line, enum cm_end towards, enum cm_fault fault, int on, double value);

/* ---- country tones (libtonezone); any thread ---- */
int cm_zone_tone(const char *country, enum cm_tone_kind kind, cm_cadence *out); /* DIAL..CONGESTION */
#endif
