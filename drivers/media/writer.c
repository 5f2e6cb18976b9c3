/* Recordings on the file's side: the writer thread takes blocks and makes WAV files of them (A-law, format 6).
 *
 * Data first, then the sizes in the header, so a file is valid whenever the process dies. A write that fails is tried
 * again at the next pass, from the same byte on; meanwhile audio waits in the ring.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEADER_BYTES    58
#define RUN_BLOCKS      8 /* of one write */
#define PUSH_BYTES      (5 * 8000)
#define GIVE_UP_SAMPLES (10 * 8000) /* a stopped recording whose disk refuses it for 10 s is given up */

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

/* RIFF, fmt (18 bytes, no extension), fact, data. Source: Multimedia Programming Interface and Data Specifications 1.0. */
static void make_header(uint8_t *header, int channels, int64_t data_bytes)
{
    uint32_t bytes = data_bytes > 0xFFFFFF00LL ? 0xFFFFFF00U : (uint32_t)data_bytes;
    memset(header, 0, HEADER_BYTES);
    memcpy(header, "RIFF....WAVEfmt ", 16);
    put32(header + 4, HEADER_BYTES - 8 + bytes);
    put32(header + 16, 18);
    header[20] = 6;
    header[22] = (uint8_t)channels;
    put32(header + 24, 8000);
    put32(header + 28, 8000U * (unsigned)channels);
    header[32] = (uint8_t)channels;
    header[34] = 8;
    memcpy(header + 38, "fact", 4);
    put32(header + 42, 4);
    put32(header + 46, bytes / (unsigned)channels);
    memcpy(header + 50, "data", 4);
    put32(header + 54, bytes);
}

static int64_t now_samples(cm_engine *e)
{
    return atomic_load_explicit(&e->samples, memory_order_relaxed);
}

/* One event when writing begins to fail, not one a pass. */
static bool failed(cm_engine *e, struct recording *r, int why)
{
    r->last_errno = why;
    if (!r->failing)
        event_push_writer(e, CM_EV_RECORD_GAP, r->port, r->id, why, 0);
    r->failing = true;
    return false;
}

static void note_duration(cm_engine *e, int64_t took_ns)
{
    if (took_ns > atomic_load_explicit(&e->disk_ns_max, memory_order_relaxed))
        atomic_store_explicit(&e->disk_ns_max, took_ns, memory_order_relaxed);
}

/* A short write is followed by another, whose errno tells why. */
static bool write_at(cm_engine *e, struct recording *r, const uint8_t *bytes, int count, int64_t at, int *written)
{
    int64_t began = clock_ns();
    ssize_t done = 1;
    *written = 0;
    while (*written < count && done > 0) {
        done = pwrite(r->fd, bytes + *written, (size_t)(count - *written), (off_t)(at + *written));
        *written += done > 0 ? (int)done : 0;
    }
    int why = done < 0 ? errno : ENOSPC;
    note_duration(e, clock_ns() - began);
    return *written == count || failed(e, r, why);
}

static bool write_header(cm_engine *e, struct recording *r)
{
    uint8_t header[HEADER_BYTES];
    int written;
    if (r->header_bytes == r->data_bytes)
        return true;
    make_header(header, r->channels, r->data_bytes);
    if (!write_at(e, r, header, HEADER_BYTES, 0, &written))
        return false;
    r->header_bytes = r->data_bytes;
    return true;
}

/* A file of ours is continued where its audio ends, also when it was never closed; one too short to tell is begun anew. */
static bool continue_file(cm_engine *e, struct recording *r, int64_t file_bytes)
{
    uint8_t found[HEADER_BYTES], expected[HEADER_BYTES];
    make_header(expected, r->channels, 0);
    r->header_bytes = -1;
    r->data_bytes = 0;
    if (file_bytes < HEADER_BYTES)
        return true;
    r->data_bytes = r->pushed_bytes = (file_bytes - HEADER_BYTES) / r->channels * r->channels;
    bool ours = pread(r->fd, found, HEADER_BYTES, 0) == HEADER_BYTES && !memcmp(found, expected, 4) &&
                !memcmp(found + 8, expected + 8, 30) && !memcmp(found + 50, expected + 50, 4);
    if (ours)
        return true;
    r->refused = true;
    return failed(e, r, EEXIST);
}

static bool open_file(cm_engine *e, struct recording *r)
{
    struct stat status;
    if (r->fd >= 0)
        return !r->refused;
    r->fd = open(r->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
    if (r->fd < 0 || fstat(r->fd, &status) < 0)
        return failed(e, r, errno);
    return continue_file(e, r, S_ISREG(status.st_mode) ? status.st_size : 0);
}

static bool write_audio(cm_engine *e, struct recording *r, const uint8_t *bytes, int count, int *written)
{
    bool whole = write_at(e, r, bytes, count, HEADER_BYTES + r->data_bytes, written);
    r->data_bytes += *written;
    return whole;
}

static bool write_gap(cm_engine *e, struct recording *r)
{
    uint8_t silence[4096];
    int written;
    memset(silence, ALAW_SILENCE, sizeof silence);
    while (r->gap_left) {
        int count = r->gap_left < (int64_t)sizeof silence ? (int)r->gap_left : (int)sizeof silence;
        bool whole = write_audio(e, r, silence, count, &written);
        r->gap_left -= written;
        if (!whole)
            return false;
    }
    return true;
}

/* Left of each sample: what the party said. */
static bool wipe(cm_engine *e, struct recording *r, int64_t samples)
{
    uint8_t audio[4096];
    int written;
    int64_t at = samples * r->channels < r->data_bytes ? r->data_bytes - samples * r->channels : 0;
    while (at < r->data_bytes) {
        int64_t left = r->data_bytes - at;
        int count = left < (int64_t)sizeof audio ? (int)left : (int)sizeof audio;
        if (pread(r->fd, audio, (size_t)count, (off_t)(HEADER_BYTES + at)) != count)
            return failed(e, r, EIO);
        for (int i = 0; i < count; i += r->channels)
            audio[i] = ALAW_SILENCE;
        if (!write_at(e, r, audio, count, HEADER_BYTES + at, &written))
            return false;
        at += count;
    }
    return true;
}

static void owe_gap(cm_engine *e, struct recording *r, int64_t samples)
{
    if (!samples)
        return;
    r->gap_left += samples * r->channels;
    event_push_writer(e, CM_EV_RECORD_GAP, r->port, r->id, r->last_errno, samples);
}

/* What comes before the block's audio. */
static bool begin_block(cm_engine *e, struct recording *r, int block)
{
    if (!r->gap_taken && !wipe(e, r, e->pool.wipe_before[block]))
        return false;
    if (!r->gap_taken)
        owe_gap(e, r, e->pool.gap_before[block]);
    r->gap_taken = true;
    return write_gap(e, r);
}

static void drop_block(cm_engine *e, struct recording *r, int block)
{
    ring_skip(&r->full_blocks);
    pool_give(&e->pool, block);
    r->gap_taken = false;
    r->block_offset = 0;
}

static bool follows_at_once(cm_engine *e, int block)
{
    return !e->pool.gap_before[block] && !e->pool.wipe_before[block];
}

static void drop_written(cm_engine *e, struct recording *r, int written)
{
    int block;
    while (ring_peek(&r->full_blocks, &block)) {
        int left = e->pool.used[block] - r->block_offset;
        if (written < left) {
            r->block_offset += written;
            return;
        }
        written -= left;
        drop_block(e, r, block);
        if (!written)
            return;
    }
}

/* Blocks that follow one another go out at once: system calls are most of what a recording costs. */
static bool write_run(cm_engine *e, struct recording *r)
{
    uint8_t run[RUN_BLOCKS * BLOCK_BYTES];
    int block, bytes = 0, written;
    for (unsigned k = 0; k < RUN_BLOCKS && ring_peek_at(&r->full_blocks, k, &block); k++) {
        if (k && !follows_at_once(e, block))
            break;
        int offset = k ? 0 : r->block_offset;
        int count = e->pool.used[block] - offset;
        memcpy(run + bytes, e->pool.bytes + (size_t)block * BLOCK_BYTES + offset, (size_t)count);
        bytes += count;
    }
    bool whole = write_audio(e, r, run, bytes, &written);
    drop_written(e, r, written);
    return whole;
}

static bool write_blocks(cm_engine *e, struct recording *r)
{
    int block;
    while (ring_peek(&r->full_blocks, &block))
        if (!begin_block(e, r, block) || !write_run(e, r))
            return false;
    return write_gap(e, r); /* of the beginning, when no audio has come yet */
}

/* Left to itself the kernel may keep audio for half a minute; a power cut should cost a few seconds. Does not wait. */
static void push_to_disk(cm_engine *e, struct recording *r)
{
    if (!e->threads_ran || r->data_bytes - r->pushed_bytes < PUSH_BYTES * r->channels)
        return;
    (void)sync_file_range(r->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    r->pushed_bytes = r->data_bytes;
}

static bool write_all(cm_engine *e, struct recording *r)
{
    if (!open_file(e, r) || !write_blocks(e, r) || !write_header(e, r))
        return false;
    r->failing = false;
    push_to_disk(e, r);
    return true;
}

static void drop_queued(cm_engine *e, struct recording *r)
{
    int block;
    while (ring_peek(&r->full_blocks, &block))
        drop_block(e, r, block);
}

static void drop_rest(cm_engine *e, struct recording *r)
{
    drop_queued(e, r);
    if (r->block >= 0)
        pool_give(&e->pool, r->block);
    r->block = -1;
}

/* The slot is emptied before the recording goes home: from then on only the control thread knows it. */
static void finish(cm_engine *e, struct recording *r)
{
    drop_rest(e, r);
    if (r->fd >= 0) {
        if (e->threads_ran && fsync(r->fd) < 0 && errno != EINVAL)
            failed(e, r, errno);
        close(r->fd);
    }
    int64_t samples = r->refused ? 0 : r->data_bytes / r->channels;
    event_push_writer(e, CM_EV_RECORD_DONE, r->port, r->id, r->failing ? r->last_errno : 0, samples);
    atomic_store_explicit(&e->recordings[r->slot], NULL, memory_order_release);
    reclaim_push(&e->reclaim, &r->object);
}

static bool given_up(cm_engine *e, struct recording *r)
{
    if (!r->give_up_at)
        r->give_up_at = now_samples(e) + GIVE_UP_SAMPLES;
    return r->refused || now_samples(e) >= r->give_up_at;
}

static bool write_recording(cm_engine *e, struct recording *r, bool last)
{
    bool closed = atomic_load_explicit(&r->closed, memory_order_acquire);
    bool whole = write_all(e, r);
    if (r->refused)
        drop_queued(e, r);
    if (!closed)
        return false;
    if (whole && r->final_wipe) {
        whole = wipe(e, r, r->final_wipe);
        r->final_wipe = whole ? 0 : r->final_wipe;
    }
    if (whole && r->final_gap) {
        owe_gap(e, r, r->final_gap);
        r->final_gap = 0;
        whole = write_all(e, r);
    }
    if (!whole && !last && !given_up(e, r))
        return false;
    finish(e, r);
    return true;
}

void records_write(cm_engine *e, bool last)
{
    bool done = false;
    for (int i = 0; i < e->config.max_recordings; i++) {
        struct recording *r = atomic_load_explicit(&e->recordings[i], memory_order_acquire);
        if (r)
            done |= write_recording(e, r, last);
    }
    if (done || ring_count(&e->writer_events))
        events_signal(e);
}

static bool was_wanted(cm_engine *e)
{
    bool wanted = false;
    while (!sem_trywait(&e->writer_wanted))
        wanted = true;
    return wanted;
}

/* Without threads: as often in the engine's own time as the thread would do it. */
void records_step(cm_engine *e)
{
    int64_t now = now_samples(e);
    if (now < e->writer_due_at && !was_wanted(e))
        return;
    e->writer_due_at = now + (int64_t)e->config.flush_ms * SAMPLES_PER_MS;
    records_write(e, false);
}

static void sleep_until_wanted(cm_engine *e)
{
    int64_t at_ns = clock_ns() + e->config.flush_ms * 1000000LL;
    struct timespec at = {.tv_sec = at_ns / 1000000000LL, .tv_nsec = at_ns % 1000000000LL};
    while (sem_clockwait(&e->writer_wanted, CLOCK_MONOTONIC, &at) < 0 && errno == EINTR)
        continue;
    (void)was_wanted(e);
}

void *writer_thread(void *engine)
{
    cm_engine *e = engine;
    while (atomic_load_explicit(&e->running, memory_order_relaxed)) {
        sleep_until_wanted(e);
        records_write(e, false);
    }
    atomic_fetch_add_explicit(&e->writer_cpu_ns, thread_cpu_ns(), memory_order_relaxed);
    return NULL;
}
