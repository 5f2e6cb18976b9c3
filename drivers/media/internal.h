/* What the files of the media core share. Nothing outside this folder includes it.
 *
 * Memory: objects (plays, tones, detectors, recordings, ports, lines) are made by the control thread, handed to the tick
 * thread inside a command, and given back through `reclaim`; only the control thread calls malloc or free.
 */
#ifndef CARELINE_MEDIA_INTERNAL_H
#define CARELINE_MEDIA_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media.h"

#define FRAME              CM_FRAME_SAMPLES
#define FRAME_MS           20
#define FRAME_NS           20000000LL
#define SAMPLES_PER_MS     8
#define ALAW_SILENCE       0xD5
#define ULAW_SILENCE       0xFF
#define GAIN_ONE           4096 /* gains are Q12 */
#define ROUNDS_PER_TICK    8    /* blocks of one descriptor taken in one tick at most */
#define FIFO_FRAMES        4
#define PORT_RECORDINGS    4
#define CARD_BUFFERS       16 /* blocks the kernel keeps of a channel nobody reads (drivers/dahdi sets that many) */
#define BLOCK_BYTES        1920 /* 12 mono or 6 stereo frames: no frame is split */
#define HISTOGRAM_BINS     1024
#define MAX_CATCH_UP_TICKS 250

/* ---- ring.c ---- */
struct ring { /* one producer, one consumer */
    unsigned mask;
    size_t slot_bytes;
    unsigned char *slots;
    _Alignas(64) atomic_uint head;
    _Alignas(64) atomic_uint tail;
};
bool ring_init(struct ring *ring, unsigned slots, size_t slot_bytes);
void ring_free(struct ring *ring);
bool ring_push(struct ring *ring, const void *slot);
bool ring_pop(struct ring *ring, void *slot);
bool ring_peek(struct ring *ring, void *slot);
bool ring_peek_at(struct ring *ring, unsigned place, void *slot); /* 0: the next to be taken */
void ring_skip(struct ring *ring);
unsigned ring_count(struct ring *ring);
unsigned power_of_two_above(unsigned n);

/* An object on its way back to the control thread. First member of whatever is handed to the tick thread. */
struct object {
    struct object *next;
    void (*destroy)(struct object *object);
};
typedef _Atomic(struct object *) reclaim_stack;
void reclaim_push(reclaim_stack *stack, struct object *object); /* any thread, never waits */
void reclaim_all(reclaim_stack *stack);                         /* control */

/* Blocks of recorded audio. Last in, first out, so that a quick disk keeps the working set small. */
struct block_pool {
    int blocks;
    atomic_int head; /* index of the first free block, -1 for none */
    int *next;
    int *used;
    int64_t *gap_before; /* samples of silence that come before the block's audio */
    int64_t *wipe_before; /* samples before that which become silence */
    uint8_t *bytes;
};
bool pool_init(struct block_pool *pool, int blocks);
void pool_free(struct block_pool *pool);
int pool_take(struct block_pool *pool); /* tick only; -1: none left */
void pool_give(struct block_pool *pool, int block); /* writer only */

struct histogram {
    _Atomic uint32_t bin[HISTOGRAM_BINS];
    _Atomic int64_t max;
    int64_t bin_width;
};
void histogram_add(struct histogram *h, int64_t value);
void histogram_clear(struct histogram *h);
double histogram_quantile(const struct histogram *h, double quantile);

/* ---- g711.c: tables, filled once ---- */
struct g711_tables {
    int16_t linear[2][256];     /* by law and code */
    uint8_t code[2][16384];     /* by law and (uint16_t)linear >> 2 */
    uint32_t square[2][256];    /* (linear / 8)^2, for energies in integers */
    uint8_t to_alaw[256], to_ulaw[256];
};
extern struct g711_tables g711;
void g711_prepare(void);
void codes_to_linear(enum cm_law law, const uint8_t *codes, int16_t *linear, int count);
void linear_to_codes(enum cm_law law, const int16_t *linear, uint8_t *codes, int count);
static inline uint8_t g711_silence(enum cm_law law)
{
    return law == CM_ALAW ? ALAW_SILENCE : ULAW_SILENCE;
}
static inline int16_t clamp16(int32_t value)
{
    return (int16_t)(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
}
double dbm0_to_rms(double dbm0);          /* of 16-bit linear */
int32_t db_to_gain(double db);            /* Q12 */
uint32_t dbm0_to_mean_square(double dbm0); /* in units of g711.square */

/* ---- clip.c ---- */
struct cm_clip {
    int references; /* control thread only */
    enum cm_law law;
    bool pcm; /* 16-bit linear instead of G.711 */
    void *map;
    size_t map_bytes;
    const uint8_t *audio;
    int64_t samples;
};

/* ---- play.c ---- */
struct play {
    struct object object;
    uint32_t id;
    uint32_t barge_mask;
    int count, loops, clip;
    int64_t at, sent;
    cm_clip *clips[CM_MAX_CLIPS];
    int draining; /* frames until the last sample has left the card's queue */
};
int digit_index(int digit); /* 0-15, -1 if it is no digit */

/* ---- tones.c ---- */
struct tone_part {
    uint32_t step1, step2; /* phase per sample */
    int32_t amplitude1, amplitude2;
    int64_t on_samples, off_samples; /* on 0: endless */
};
struct tone_source {
    struct object object;
    struct tone_source *following; /* digits to be sent after these */
    bool repeat;
    int parts, part;
    int64_t at;
    uint32_t phase1, phase2;
    int16_t *pcm; /* instead of the parts */
    int64_t pcm_samples;
    struct tone_part list[CM_DIGITS_LEN];
};
bool tone_add(struct tone_source *tone, int32_t *mix); /* adds one frame; false when it has ended */
struct tone_source *tone_from_pcm(int64_t most_samples); /* with room for so many */
int cadence_fault(const cm_cadence *cadence); /* 0 or a cm_error */
struct tone_source *tone_from_cadence(const cm_cadence *cadence);
struct tone_source *tone_from_digits(const char *digits, int on_ms, int off_ms, double low_dbm0, double high_dbm0);

/* ---- digits.c, cadence.c, speech.c, mf.c ---- */
struct frame_level { /* energies of one received frame, in units of g711.square */
    uint32_t quarter[4];
    uint32_t mean_square;
};
struct digit_detector;
struct digit_detector *digit_detector_new(void);
bool could_be_key(const int16_t *linear); /* one frame */
bool key_sounds(const struct digit_detector *d); /* in the frame last looked at; d may be NULL */
struct tone_detector;
struct mf_detector;
struct caller_id_detector;
struct speech_detector {
    bool on, talking, silence_told;
    int silence_ms, silent_for_ms, loud_frames;
    uint32_t floor;
};

/* ---- measure.c, bert.c ---- */
struct meter;
struct bert;
struct capture {
    struct object object;
    int64_t room;
    _Atomic int64_t samples; /* what is before does not change any more */
    uint8_t codes[];
};
void meter_frame(struct meter *m, enum cm_law law, const uint8_t *received, const uint8_t *sent);
void capture_frame(struct capture *c, const uint8_t *codes);
void bert_send(struct bert *b, uint8_t *octets);
void bert_receive(struct bert *b, const uint8_t *octets);

/* ---- a few frames between two ports ---- */
struct fifo {
    unsigned head, count;
    bool flowing;
    int16_t frame[FIFO_FRAMES][FRAME];
};
bool fifo_pop(struct fifo *fifo, int16_t *frame);
void fifo_push(struct fifo *fifo, const int16_t *frame);
void fifo_clear(struct fifo *fifo);

/* ---- stream.c ---- */
#define STREAM_BYTES       16384
#define STREAM_MAX_BYTES   3200 /* 400 ms */
#define STREAM_PRIME_BYTES 480 /* 60 ms */
struct byte_ring {
    _Alignas(64) atomic_uint head;
    _Alignas(64) atomic_uint tail;
    uint8_t bytes[STREAM_BYTES];
};
struct stream {
    struct object object;
    bool flowing;
    struct byte_ring in, out; /* from the program, to the program */
};
bool stream_take_frame(struct stream *stream, uint8_t *frame); /* tick; false: nothing there */
void stream_give_frame(struct stream *stream, const uint8_t *frame);

/* ---- line.c ---- */
struct line_way { /* one direction: what one end hears */
    uint32_t faults; /* 1 << cm_fault */
    int32_t gain, echo_gain, noise_amplitude;
    uint32_t noise_seed;
    uint8_t heard[FRAME]; /* with faults */
};
struct line {
    struct object object;
    int index;
    int crossed; /* line the card joined it to, or -1 */
    bool written[2];
    const uint8_t *arrive[2];
    int now;
    uint8_t sent[2][2][FRAME]; /* by end and parity */
    struct line_way way[2];    /* by the end that hears */
};

/* ---- record.c ---- */
struct recording {
    struct object object;
    cm_engine *engine;
    uint32_t id;
    int port, slot;
    int channels;
    char *path;
    bool stopping; /* control: cm_record_stop was called */
    /* tick */
    int block;
    int64_t pending_gap, pending_wipe;
    struct ring full_blocks; /* of int */
    atomic_bool closed;      /* after it the tick touches the recording no more */
    int64_t final_gap, final_wipe;
    /* writer */
    int fd;
    bool refused; /* the file is none of ours */
    bool gap_taken;
    bool failing;
    int last_errno;
    int64_t data_bytes, header_bytes, gap_left, give_up_at;
    int block_offset;
    int64_t pushed_bytes; /* of which the kernel was asked to begin writing to the disk */
};

/* ---- port.c ---- */
enum source { SOURCE_NONE, SOURCE_LINE, SOURCE_FD };
struct port {
    struct object object;
    cm_engine *engine;
    int index;
    enum cm_law law;
    struct stream *program; /* control thread's view of `stream` */
    struct caller_id_detector *caller_id_taken; /* the same of `caller_id`, and so on */
    struct meter *meter_seen;
    struct capture *capture_seen;
    struct bert *bert_seen;
    /* below: tick only */
    enum source source;
    struct line *line;
    enum cm_end end;
    int fd, write_ahead, elast, flush_what;
    unsigned long getevent, flush;
    int idle_ticks, read_misses;
    bool backlog;
    bool cut; /* what is queued in the kernel is not to be heard */
    bool fresh; /* has a frame in this round */
    bool rx_linear_ready;
    int64_t missed_frames, missed_told_at;
    int32_t rx_gain, tx_gain;
    bool rx_muted, tx_muted;
    bool masked;
    int unmask_after, unmask_in; /* frames without a key; unmask_after 0: it stays masked */
    int peer; /* bridged or native */
    bool native;
    int ring;   /* the next port of its conference, -1 when it is in none */
    bool spoke; /* `says` holds its frame of this mix */
    int tapped; /* port listened to, -1 */
    int listeners;
    struct play *play;
    struct tone_source *tone, *sending;
    struct digit_detector *digits;
    struct tone_detector *tones;
    struct mf_detector *mf;
    struct caller_id_detector *caller_id;
    struct meter *meter;
    struct capture *capture;
    struct bert *bert;
    bool echo;
    struct speech_detector speech;
    struct stream *stream;
    struct recording *recordings[PORT_RECORDINGS];
    struct frame_level level;
    uint8_t rx[FRAME], tx[FRAME];
    int16_t rx_linear[FRAME], heard_linear[FRAME];
    const uint8_t *heard; /* in the port's law: tx, or the native partner's side */
    uint8_t heard_native[FRAME];
    struct fifo from_peer, from_tap, said;
    int16_t says[FRAME];
};

/* ---- commands ---- */
enum command_type {
    COMMAND_PORT_ADD,
    COMMAND_PORT_FREE,
    COMMAND_ATTACH_FD,
    COMMAND_ATTACH_LINE,
    COMMAND_DETACH,
    COMMAND_PLAY,
    COMMAND_PLAY_STOP,
    COMMAND_TONE,
    COMMAND_SEND_DIGITS,
    COMMAND_RECORD,
    COMMAND_RECORD_STOP,
    COMMAND_DETECT_DIGITS,
    COMMAND_DETECT_TONES,
    COMMAND_DETECT_SPEECH,
    COMMAND_DETECT_MF,
    COMMAND_DETECT_CALLER_ID,
    COMMAND_METER,
    COMMAND_CAPTURE,
    COMMAND_ECHO,
    COMMAND_BERT,
    COMMAND_GAIN,
    COMMAND_MUTE,
    COMMAND_MASK_KEYS,
    COMMAND_BRIDGE,
    COMMAND_UNBRIDGE,
    COMMAND_CONFER,
    COMMAND_TAP,
    COMMAND_STREAM,
    COMMAND_LINE_ADD,
    COMMAND_LINE_FREE,
    COMMAND_LINE_CROSS,
    COMMAND_LINE_FAULT,
};
struct command {
    enum command_type type;
    int port;
    int a, b, c, d;
    unsigned long x, y;
    void *object;
};

struct cm_engine {
    cm_engine_config config;
    struct ring commands;      /* control -> tick */
    struct ring tick_events;   /* tick -> control */
    struct ring writer_events; /* writer -> control */
    int eventfd;
    reclaim_stack reclaim;
    struct block_pool pool;
    /* control */
    struct port **ports;
    struct line **lines;
    int64_t commands_refused;
    bool threads_ran;
    pthread_t tick_thread, writer_thread;
    /* tick */
    struct port **live_ports; /* by index, NULL where there is none */
    struct line **live_lines;
    int highest_port, highest_line;
    int lost_tick_events, lost_writer_events;
    bool told; /* an event was pushed in this frame */
    /* shared */
    _Atomic(struct recording *) *recordings; /* set by control, cleared by control; writer and tick read */
    atomic_bool running, threads, stats_reset;
    atomic_int realtime, memory_locked, ports_active;
    _Atomic int64_t ticks, samples, late_ticks, underruns, events_lost, gap_samples, disk_ns_max;
    _Atomic int64_t tick_cpu_ns, writer_cpu_ns; /* of threads that have ended */
    struct histogram late, busy;                /* 50 us and 10 us wide bins, values in ns */
    int64_t writer_due_at;
    sem_t writer_wanted; /* before its time: a recording has ended */
};

/* ---- engine.c, tick.c, command.c ---- */
void tick_run(cm_engine *e);           /* one frame of all ports */
void *tick_thread(void *engine);
void *writer_thread(void *engine);
void command_drain(cm_engine *e);      /* tick */
bool command_send(cm_engine *e, const struct command *command); /* control; false: ring full */
int command_object(cm_engine *e, enum command_type type, int port, struct object *object); /* destroys it on error */
int command_port(cm_engine *e, struct command command); /* for a port that must exist */
void lock_memory(cm_engine *e, const void *start, size_t bytes);
void event_push(cm_engine *e, enum cm_event_type type, int port, uint32_t id, int value, int value2, int64_t samples);
void event_push_writer(cm_engine *e, enum cm_event_type type, int port, uint32_t id, int value, int64_t samples);
void events_signal(cm_engine *e);
int64_t clock_ns(void);
int64_t thread_cpu_ns(void);

/* ---- tick side of each file ---- */
void give_back(cm_engine *e, struct object *object);
bool port_read(cm_engine *e, struct port *p, int round); /* true: p->rx holds a frame */
void port_write(cm_engine *e, struct port *p);
void port_detach(cm_engine *e, struct port *p, int why);
void port_attach_fd(cm_engine *e, struct port *p, const struct command *c);
void port_underrun(cm_engine *e, struct port *p, int frames);
void port_release(cm_engine *e, struct port *p);
const int16_t *port_rx_linear(struct port *p);
void line_flip(cm_engine *e);
void line_fault_set(struct line *line, const struct command *c);
void line_send(struct line *line, enum cm_end end, const uint8_t *frame);
bool line_stands_still(const struct line *line, enum cm_end end);
void play_end(cm_engine *e, struct port *p, enum cm_play_end how, int digit);
bool play_frame(cm_engine *e, struct port *p, uint8_t *frame); /* bytes in the port's law */
void detect(cm_engine *e, struct port *p);
void digits_detect(cm_engine *e, struct port *p);
void tones_detect(cm_engine *e, struct port *p);
void speech_detect(cm_engine *e, struct port *p);
void mf_detect(cm_engine *e, struct port *p);
void caller_id_detect(cm_engine *e, struct port *p);
void speech_start(struct speech_detector *s, bool on, int silence_ms);
void digit_pressed(cm_engine *e, struct port *p, int digit, int level_dbm0);
void bridge_set(cm_engine *e, struct port *a, struct port *b, bool native);
void bridge_unset(cm_engine *e, struct port *p);
void bridge_clear(cm_engine *e, struct port *p); /* taps too */
void tap_set(cm_engine *e, struct port *listener, struct port *target);
void bridge_exchange(cm_engine *e, struct port *p);
void conference_join(cm_engine *e, struct port *p, struct port *with);
void conference_leave(cm_engine *e, struct port *p);
void conference_hear(struct port *p);
void conference_mix(cm_engine *e);
void tap_exchange(cm_engine *e, struct port *listener);
void produce(cm_engine *e, struct port *p);
void record_frame(cm_engine *e, struct port *p);
void record_silence(cm_engine *e, struct port *p, int frames);
void record_begin(struct port *p, struct recording *r);
void record_wipe(struct port *p, int64_t samples);
void mask_set(cm_engine *e, struct port *p, bool on, int ms);
void mask_follow(cm_engine *e, struct port *p);
static inline bool is_unheard(const struct port *p)
{
    return p->rx_muted || p->masked;
}
void record_end(cm_engine *e, struct port *p, struct recording *r);
void recordings_stopping(cm_engine *e, int port); /* control */
void records_write(cm_engine *e, bool last); /* writer: one pass over all recordings */
void records_step(cm_engine *e);             /* without threads: a pass when one is due */
#endif
