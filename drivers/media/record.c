/* Recordings on the tick's side of the ring: audio into blocks, blocks to the writer. What finds no room is counted and
 * becomes silence of the same length, so that the time in the file stays right.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static void recording_destroy(struct object *object)
{
    struct recording *r = (struct recording *)object;
    ring_free(&r->full_blocks);
    free(r->path);
    free(r);
}

static unsigned blocks_for(const cm_engine *e, int channels)
{
    return (unsigned)(e->config.record_ring_ms * SAMPLES_PER_MS * channels / BLOCK_BYTES + 2);
}

static struct recording *recording_new(cm_engine *e, int port, uint32_t id, const char *path, int channels,
                                       int64_t gap_samples)
{
    struct recording *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->object.destroy = recording_destroy;
    r->engine = e;
    r->id = id;
    r->port = port;
    r->slot = r->block = r->fd = -1;
    r->channels = channels;
    r->gap_left = gap_samples * channels;
    r->path = strdup(path);
    if (r->path && ring_init(&r->full_blocks, blocks_for(e, channels), sizeof(int)))
        return r;
    recording_destroy(&r->object);
    return NULL;
}

static int free_slot(cm_engine *e)
{
    for (int i = 0; i < e->config.max_recordings; i++)
        if (!atomic_load_explicit(&e->recordings[i], memory_order_relaxed))
            return i;
    return CM_E_LIMIT;
}

static struct recording *recording_by_id(cm_engine *e, uint32_t id)
{
    for (int i = 0; i < e->config.max_recordings; i++) {
        struct recording *r = atomic_load_explicit(&e->recordings[i], memory_order_relaxed);
        if (r && r->id == id && !r->stopping)
            return r;
    }
    return NULL;
}

static int live_on_port(cm_engine *e, int port)
{
    int count = 0;
    for (int i = 0; i < e->config.max_recordings; i++) {
        struct recording *r = atomic_load_explicit(&e->recordings[i], memory_order_relaxed);
        count += r && r->port == port && !r->stopping;
    }
    return count;
}

int cm_record(cm_engine *e, int port, uint32_t record_id, const char *path, int stereo, int64_t gap_samples)
{
    reclaim_all(&e->reclaim);
    int slot = free_slot(e);
    if (gap_samples < 0 || !*path || recording_by_id(e, record_id))
        return CM_E_ARGUMENT;
    if (slot < 0 || live_on_port(e, port) >= PORT_RECORDINGS)
        return CM_E_LIMIT;
    struct recording *r = recording_new(e, port, record_id, path, stereo ? 2 : 1, gap_samples);
    if (!r)
        return CM_E_NO_MEMORY;
    r->slot = slot;
    int error = command_object(e, COMMAND_RECORD, port, &r->object);
    if (!error)
        atomic_store_explicit(&e->recordings[slot], r, memory_order_release);
    return error;
}

/* The port goes, and its recordings with it: a stop of one would come too late. */
void recordings_stopping(cm_engine *e, int port)
{
    for (int i = 0; i < e->config.max_recordings; i++) {
        struct recording *r = atomic_load_explicit(&e->recordings[i], memory_order_relaxed);
        if (r && r->port == port)
            r->stopping = true;
    }
}

int cm_record_stop(cm_engine *e, uint32_t record_id)
{
    struct recording *r = recording_by_id(e, record_id);
    if (!r)
        return CM_E_NO_PORT;
    struct command c = {.type = COMMAND_RECORD_STOP, .port = r->port, .object = r};
    if (!command_send(e, &c))
        return CM_E_RING_FULL;
    r->stopping = true;
    return 0;
}

/* --- tick --- */

static bool hand_over(struct recording *r)
{
    if (!ring_push(&r->full_blocks, &r->block))
        return false;
    r->block = -1;
    return true;
}

/* A block with room for one more frame. When the ring is full the last block stays ours, full, until there is room. */
static bool have_room(cm_engine *e, struct recording *r, int bytes)
{
    if (r->block >= 0 && e->pool.used[r->block] + bytes <= BLOCK_BYTES && !r->pending_gap && !r->pending_wipe)
        return true;
    if (r->block >= 0 && !hand_over(r))
        return false;
    r->block = pool_take(&e->pool);
    if (r->block < 0)
        return false;
    e->pool.used[r->block] = 0;
    e->pool.gap_before[r->block] = r->pending_gap;
    e->pool.wipe_before[r->block] = r->pending_wipe;
    r->pending_gap = r->pending_wipe = 0;
    return true;
}

typedef uint8_t lane __attribute__((vector_size(16), aligned(1), may_alias));

_Static_assert(FRAME % sizeof(lane) == 0, "a frame is a whole number of lanes");

/* Left, right, left, right ..: every recorded channel does it 50 times a second, so sixteen samples at once. */
static void interleave(uint8_t *to, const uint8_t *left, const uint8_t *right)
{
    static const lane low = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23};
    static const lane high = {8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    for (size_t i = 0; i < FRAME; i += sizeof(lane)) {
        lane l = *(const lane *)(left + i), r = *(const lane *)(right + i);
        *(lane *)(to + 2 * i) = __builtin_shuffle(l, r, low);
        *(lane *)(to + 2 * i + sizeof(lane)) = __builtin_shuffle(l, r, high);
    }
}

static void append(cm_engine *e, struct recording *r, const uint8_t *left, const uint8_t *right)
{
    if (!have_room(e, r, FRAME * r->channels)) {
        r->pending_gap += FRAME;
        atomic_fetch_add_explicit(&e->gap_samples, FRAME, memory_order_relaxed);
        return;
    }
    uint8_t *to = e->pool.bytes + (size_t)r->block * BLOCK_BYTES + e->pool.used[r->block];
    e->pool.used[r->block] += FRAME * r->channels;
    if (r->channels == 1)
        memcpy(to, left, FRAME);
    else
        interleave(to, left, right);
}

static const uint8_t *in_alaw(const struct port *p, const uint8_t *codes, uint8_t *room)
{
    if (p->law == CM_ALAW)
        return codes;
    for (int i = 0; i < FRAME; i++)
        room[i] = g711.to_alaw[codes[i]];
    return room;
}

static bool recorded(const struct port *p)
{
    for (int i = 0; i < PORT_RECORDINGS; i++)
        if (p->recordings[i])
            return true;
    return false;
}

static void append_all(cm_engine *e, struct port *p, const uint8_t *left, const uint8_t *right)
{
    for (int i = 0; i < PORT_RECORDINGS; i++)
        if (p->recordings[i])
            append(e, p->recordings[i], left, right);
}

void record_frame(cm_engine *e, struct port *p)
{
    uint8_t left[FRAME], right[FRAME];
    if (!recorded(p))
        return;
    if (is_unheard(p))
        memset(left, ALAW_SILENCE, FRAME);
    append_all(e, p, is_unheard(p) ? left : in_alaw(p, p->rx, left), in_alaw(p, p->heard, right));
}

void record_silence(cm_engine *e, struct port *p, int frames)
{
    uint8_t silence[FRAME];
    memset(silence, ALAW_SILENCE, FRAME);
    for (int i = 0; i < frames && recorded(p); i++)
        append_all(e, p, silence, silence);
}

void record_begin(struct port *p, struct recording *r)
{
    for (int i = 0; i < PORT_RECORDINGS; i++)
        if (!p->recordings[i]) {
            p->recordings[i] = r;
            return;
        }
}

/* The last block may find the ring full: what it holds is then lost like any other, and its length kept. */
/* A card that is silent to the end has nothing in its buffers either: what was waited for is silence. */
static void settle(cm_engine *e, const struct port *p, struct recording *r)
{
    uint8_t silence[FRAME];
    memset(silence, ALAW_SILENCE, FRAME);
    for (int i = 0; i < CARD_BUFFERS && p->idle_ticks > CARD_BUFFERS; i++)
        append(e, r, silence, silence);
}

/* What the party said in the last samples becomes silence: the writer does it before it writes what follows. */
void record_wipe(struct port *p, int64_t samples)
{
    for (int i = 0; i < PORT_RECORDINGS; i++)
        if (p->recordings[i] && p->recordings[i]->pending_wipe < samples)
            p->recordings[i]->pending_wipe = samples;
}

void record_end(cm_engine *e, struct port *p, struct recording *r)
{
    settle(e, p, r);
    for (int i = 0; i < PORT_RECORDINGS; i++)
        if (p->recordings[i] == r)
            p->recordings[i] = NULL;
    if (r->block >= 0 && !hand_over(r)) {
        r->pending_gap += e->pool.gap_before[r->block] + e->pool.used[r->block] / r->channels;
        e->pool.gap_before[r->block] = 0;
        if (e->pool.wipe_before[r->block] > r->pending_wipe)
            r->pending_wipe = e->pool.wipe_before[r->block];
    }
    r->final_wipe = r->pending_wipe;
    r->final_gap = r->pending_gap;
    atomic_store_explicit(&r->closed, true, memory_order_release);
    (void)sem_post(&e->writer_wanted);
}
