/* Audio of a program as source and sink of a port: two byte rings without locks. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* The reader's tail is loaded for its ordering only: what lags too far is overwritten, and skipped by the reader. */
static void bytes_put(struct byte_ring *ring, const uint8_t *from, unsigned count)
{
    unsigned head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    (void)atomic_load_explicit(&ring->tail, memory_order_acquire);
    unsigned at = head % STREAM_BYTES, first = STREAM_BYTES - at < count ? STREAM_BYTES - at : count;
    memcpy(ring->bytes + at, from, first);
    memcpy(ring->bytes, from + first, count - first);
    atomic_store_explicit(&ring->head, head + count, memory_order_release);
}

static unsigned bytes_waiting(struct byte_ring *ring)
{
    unsigned tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    unsigned waiting = atomic_load_explicit(&ring->head, memory_order_acquire) - tail;
    return waiting < STREAM_MAX_BYTES ? waiting : STREAM_MAX_BYTES;
}

/* Takes `count` of the bytes that wait; what is older than 400 ms is passed over. */
static void bytes_take(struct byte_ring *ring, uint8_t *to, unsigned count)
{
    unsigned head = atomic_load_explicit(&ring->head, memory_order_acquire);
    unsigned tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (head - tail > STREAM_MAX_BYTES)
        tail = head - STREAM_MAX_BYTES;
    unsigned at = tail % STREAM_BYTES, first = STREAM_BYTES - at < count ? STREAM_BYTES - at : count;
    memcpy(to, ring->bytes + at, first);
    memcpy(to + first, ring->bytes, count - first);
    atomic_store_explicit(&ring->tail, tail + count, memory_order_release);
}

bool stream_take_frame(struct stream *stream, uint8_t *frame)
{
    unsigned waiting = bytes_waiting(&stream->in);
    if (waiting < (stream->flowing ? FRAME : STREAM_PRIME_BYTES)) {
        stream->flowing = false;
        return false;
    }
    stream->flowing = true;
    bytes_take(&stream->in, frame, FRAME);
    return true;
}

void stream_give_frame(struct stream *stream, const uint8_t *frame)
{
    bytes_put(&stream->out, frame, FRAME);
}

static void stream_destroy(struct object *object)
{
    free(object);
}

int cm_stream(cm_engine *e, int port, int on)
{
    struct port *p = port >= 0 && port < e->config.max_ports ? e->ports[port] : NULL;
    if (!p)
        return CM_E_NO_PORT;
    if (!on == !p->program)
        return 0;
    struct stream *stream = NULL;
    if (on) {
        stream = aligned_alloc(64, (sizeof *stream + 63) / 64 * 64);
        if (!stream)
            return CM_E_NO_MEMORY;
        memset(stream, 0, sizeof *stream);
        stream->object.destroy = stream_destroy;
    }
    int error = command_object(e, COMMAND_STREAM, port, stream ? &stream->object : NULL);
    if (!error)
        p->program = stream;
    return error;
}

static struct stream *program_of(cm_engine *e, int port)
{
    return port >= 0 && port < e->config.max_ports && e->ports[port] ? e->ports[port]->program : NULL;
}

int cm_stream_write(cm_engine *e, int port, const uint8_t *samples, int count)
{
    struct stream *stream = program_of(e, port);
    if (!stream)
        return CM_E_NO_PORT;
    int skipped = count > STREAM_MAX_BYTES ? count - STREAM_MAX_BYTES : 0;
    if (count > skipped)
        bytes_put(&stream->in, samples + skipped, (unsigned)(count - skipped));
    return count < 0 ? CM_E_ARGUMENT : count;
}

int cm_stream_read(cm_engine *e, int port, uint8_t *samples, int max)
{
    struct stream *stream = program_of(e, port);
    if (!stream)
        return CM_E_NO_PORT;
    if (max < 0)
        return CM_E_ARGUMENT;
    unsigned waiting = bytes_waiting(&stream->out);
    unsigned count = waiting < (unsigned)max ? waiting : (unsigned)max;
    bytes_take(&stream->out, samples, count);
    return (int)count;
}
