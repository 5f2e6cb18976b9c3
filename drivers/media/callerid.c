/* Caller id by FSK: messages heard (spandsp's demodulators, our framing) and made (spandsp's adsi, rendered beforehand).
 *
 * GR-30-CORE, ETSI EN 300 659-1: 1200 bit/s, channel seizure of 0101..., mark, then the message: type,
 * length, that many bytes, and a check sum that makes all of it 0 modulo 256. Two demodulators listen, for Bell 202 and for
 * V.23; the first whole message counts. What began as a message and never became one is told too.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#define EARS        2
#define BYTES       512
#define CUTOFF_DBM0 (-44.0f) /* GR-30-CORE: -36 dBm must do; with some room */
#define GATE_DBM0   (-50.0)
#define HOLD_FRAMES 10
/* 0101... is read as bytes of 0x55; 30 are sent, some are gone until the carrier is seen. Music sometimes has eight, but no
 * mark after them. */
#define SEIZURE_BYTES   4
#define SEIZURE_SURE    8
#define MARK_BITS       40 /* between seizure and message; 80 or 180 are sent */
#define PATIENCE_FRAMES 5 /* a message was wrong: the other ear may have heard it right */
#define QUIET_FRAMES    15 /* 300 ms without a byte; the mark before a message lasts 150 ms */
#define PULL_SAMPLES    160
#define MOST_SAMPLES    40000 /* the longest message is 258 bytes and the preamble: 2.6 s */

enum { UART_IDLE = -1, UART_STOP = 8 };

struct ear {
    struct caller_id_detector *detector;
    enum cm_fsk standard;
    fsk_rx_state_t *rx;
    int bit, byte; /* of the byte being received */
    int seizure; /* bytes of 0x55 in a row */
    int ones; /* bits of mark in a row */
    bool seized; /* seizure and mark were there: a message must follow */
    int count, start;
    int spoilt; /* the last byte without a stop bit, -1 for none */
    uint8_t bytes[BYTES];
};

struct caller_id_detector {
    struct object object;
    struct ear ear[EARS];
    uint32_t gate;
    int hold, quiet;
    int patience; /* frames until a wrong message is told, 0: there was none */
    bool told; /* what still comes in belongs to the message that was told */
    cm_engine *engine;
    struct port *port;
    atomic_bool ready; /* the message is the control thread's until it has taken it */
    int length;
    uint8_t message[CM_MESSAGE_LEN];
};

static void caller_id_destroy(struct object *object)
{
    struct caller_id_detector *d = (struct caller_id_detector *)object;
    for (int i = 0; i < EARS; i++)
        if (d->ear[i].rx)
            fsk_rx_free(d->ear[i].rx);
    free(d);
}

static void tell(struct caller_id_detector *d, enum cm_fsk standard, const uint8_t *message, int length)
{
    d->told = true;
    for (int i = 0; i < EARS; i++)
        d->ear[i].seized = false;
    if (atomic_load_explicit(&d->ready, memory_order_acquire))
        return; /* nobody took the one before */
    memcpy(d->message, message, (size_t)length);
    d->length = length;
    atomic_store_explicit(&d->ready, true, memory_order_release);
    event_push(d->engine, CM_EV_CALLER_ID, d->port->index, 0, length, standard, 0);
}

/* GR-30-CORE: call set-up and message waiting, each in single and in multiple data format. */
static bool is_type(uint8_t byte)
{
    return byte == 0x04 || byte == 0x06 || byte == 0x80 || byte == 0x82;
}

/* Looks for a whole message from `start` on; with `all`, also behind one that is still incomplete. */
static bool find_message(struct ear *ear, bool all)
{
    for (; ear->start < ear->count; ear->start++) {
        const uint8_t *from = ear->bytes + ear->start;
        int left = ear->count - ear->start;
        if (!is_type(*from))
            continue;
        if (left < 2 || left < from[1] + 3) {
            if (all)
                continue;
            return false;
        }
        uint8_t sum = 0;
        for (int i = 0; i < from[1] + 3; i++)
            sum = (uint8_t)(sum + from[i]);
        if (sum == 0 && ear->spoilt < ear->start) {
            tell(ear->detector, ear->standard, from, from[1] + 2);
            return true;
        }
        if (ear->seized && !ear->detector->patience)
            ear->detector->patience = PATIENCE_FRAMES;
    }
    return false;
}

static void forget(struct ear *ear)
{
    ear->count = ear->start = ear->seizure = ear->ones = 0;
    ear->spoilt = -1;
    ear->seized = false;
}

static void byte_heard(struct ear *ear, int byte)
{
    ear->detector->quiet = 0;
    ear->seizure = byte == 0x55 ? ear->seizure + 1 : 0;
    if (ear->seizure >= SEIZURE_BYTES) { /* whatever came before was noise, or the message before */
        ear->count = ear->start = 0;
        ear->spoilt = -1;
        ear->detector->told = false;
    } else if (!ear->detector->told && ear->count < BYTES) {
        ear->bytes[ear->count++] = (uint8_t)byte;
        find_message(ear, false);
    }
}

static void wait_for_start(struct ear *ear, int bit)
{
    if (!bit && ear->ones) /* seizure has no pause between its bytes */
        ear->seizure = 0;
    ear->ones = bit ? ear->ones + 1 : 0;
    ear->seized |= ear->ones == MARK_BITS && ear->seizure >= SEIZURE_SURE;
    ear->bit = bit ? UART_IDLE : 0;
    ear->byte = 0;
}

/* Bits come at the rate of the line; negative ones tell of the carrier. */
static void bit_heard(void *user, int bit)
{
    struct ear *ear = user;
    if (bit < 0) {
        ear->bit = UART_IDLE;
        ear->seizure = ear->ones = 0;
    } else if (ear->bit == UART_IDLE) {
        wait_for_start(ear, bit);
    } else if (ear->bit == UART_STOP) {
        ear->bit = UART_IDLE;
        if (!bit) /* the check sum is weak, so a message with a wrong stop bit is not trusted */
            ear->spoilt = ear->count;
        byte_heard(ear, ear->byte);
    } else {
        ear->byte |= bit << ear->bit++;
    }
}

static bool ear_open(struct caller_id_detector *d, enum cm_fsk standard)
{
    struct ear *ear = &d->ear[standard];
    ear->detector = d;
    ear->standard = standard;
    ear->bit = UART_IDLE;
    ear->spoilt = -1;
    ear->rx = fsk_rx_init(NULL, &preset_fsk_specs[standard == CM_FSK_BELL202 ? FSK_BELL202 : FSK_V23CH1],
                          FSK_FRAME_MODE_ASYNC, bit_heard, ear);
    if (ear->rx)
        fsk_rx_signal_cutoff(ear->rx, CUTOFF_DBM0);
    return ear->rx;
}

static struct caller_id_detector *caller_id_detector_new(void)
{
    struct caller_id_detector *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->object.destroy = caller_id_destroy;
    d->gate = dbm0_to_mean_square(GATE_DBM0);
    if (ear_open(d, CM_FSK_BELL202) && ear_open(d, CM_FSK_V23))
        return d;
    caller_id_destroy(&d->object);
    return NULL;
}

int cm_detect_caller_id(cm_engine *e, int port, int on)
{
    struct caller_id_detector *d = on ? caller_id_detector_new() : NULL;
    if (on && !d)
        return CM_E_NO_MEMORY;
    int error = command_object(e, COMMAND_DETECT_CALLER_ID, port, d ? &d->object : NULL);
    if (!error)
        e->ports[port]->caller_id_taken = d;
    return error;
}

int cm_take_caller_id(cm_engine *e, int port, uint8_t *message)
{
    if (port < 0 || port >= e->config.max_ports || !e->ports[port])
        return CM_E_NO_PORT;
    struct caller_id_detector *d = e->ports[port]->caller_id_taken;
    if (!d || !atomic_load_explicit(&d->ready, memory_order_acquire))
        return 0;
    int length = d->length;
    memcpy(message, d->message, (size_t)length);
    atomic_store_explicit(&d->ready, false, memory_order_release);
    return length;
}

/* --- made --- */

static int32_t level_factor(double dbm0)
{
    return db_to_gain(dbm0 - preset_fsk_specs[FSK_BELL202].tx_level);
}

static bool render(adsi_tx_state_t *tx, struct tone_source *tone, int32_t factor)
{
    int64_t count = 0;
    for (int got = 1; got > 0 && count + PULL_SAMPLES <= MOST_SAMPLES; count += got)
        got = adsi_tx(tx, tone->pcm + count, PULL_SAMPLES);
    for (int64_t i = 0; i < count; i++)
        tone->pcm[i] = clamp16(tone->pcm[i] * factor / GAIN_ONE);
    tone->pcm_samples = count;
    return count > 0;
}

static struct tone_source *message_sound(enum cm_fsk standard, const uint8_t *message, int length, int seizure_bits,
                                         double dbm0)
{
    int adsi = standard == CM_FSK_BELL202 ? ADSI_STANDARD_CLASS : ADSI_STANDARD_CLIP;
    adsi_tx_state_t *tx = adsi_tx_init(NULL, adsi);
    struct tone_source *tone = tone_from_pcm(MOST_SAMPLES);
    bool made = false;
    if (tx && tone) {
        adsi_tx_set_preamble(tx, seizure_bits, seizure_bits ? 180 : 80, 10, 1);
        made = adsi_tx_put_message(tx, message, length) > 0 && render(tx, tone, level_factor(dbm0));
    }
    if (tx)
        adsi_tx_free(tx);
    if (tone && !made)
        tone->object.destroy(&tone->object);
    return made ? tone : NULL;
}

int cm_send_caller_id(cm_engine *e, int port, enum cm_fsk standard, const uint8_t *message, int length,
                      int seizure_bits, double dbm0)
{
    if (standard > CM_FSK_V23 || length < 2 || length > CM_MESSAGE_LEN || message[1] != length - 2 ||
        seizure_bits < 0 || seizure_bits > 600 || !(dbm0 >= -40 && dbm0 <= 0))
        return CM_E_ARGUMENT;
    struct tone_source *tone = message_sound(standard, message, length, seizure_bits, dbm0);
    return tone ? command_object(e, COMMAND_SEND_DIGITS, port, &tone->object) : CM_E_NO_MEMORY;
}

/* --- tick --- */

/* No more bytes: what is there is looked through to the end, and what was no message is told as such. */
static void came_to_rest(struct caller_id_detector *d)
{
    bool seized = false;
    for (int i = 0; i < EARS; i++)
        seized |= d->ear[i].seized;
    for (int i = 0; i < EARS && !d->told; i++)
        find_message(&d->ear[i], true);
    if (seized && !d->told)
        event_push(d->engine, CM_EV_CALLER_ID, d->port->index, 0, 0, 0, 0);
    for (int i = 0; i < EARS; i++)
        forget(&d->ear[i]);
    d->told = false;
    d->patience = 0;
}

static bool overflowed(const struct caller_id_detector *d)
{
    return d->ear[0].count == BYTES || d->ear[1].count == BYTES;
}

void caller_id_detect(cm_engine *e, struct port *p)
{
    struct caller_id_detector *d = p->caller_id;
    d->engine = e;
    d->port = p;
    d->hold = p->level.mean_square >= d->gate ? HOLD_FRAMES : d->hold - (d->hold > 0);
    for (int i = 0; d->hold && i < EARS; i++)
        fsk_rx(d->ear[i].rx, port_rx_linear(p), FRAME);
    if (d->patience)
        d->patience--;
    if (d->told)
        d->patience = 0;
    if (++d->quiet == QUIET_FRAMES || d->patience == 1 || overflowed(d))
        came_to_rest(d);
}
