/* The engine's life: made, started, stopped, freed; events out; figures. Control thread only. */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES (256 * 1024)
#define LATE_BIN_NS 50000
#define BUSY_BIN_NS 10000
#define MAX_PORTS   1024
#define MAX_EVENTS  65536

static bool within(int value, int least, int most)
{
    return value >= least && value <= most;
}

static bool config_is_sound(const cm_engine_config *c)
{
    return within(c->max_ports, 1, MAX_PORTS) && within(c->max_lines, 0, MAX_PORTS) &&
           within(c->max_recordings, 0, 4 * MAX_PORTS) && within(c->commands, 2, MAX_EVENTS) &&
           within(c->events, 2, MAX_EVENTS) && within(c->record_ring_ms, 100, 60000) &&
           within(c->flush_ms, 20, 60000) && within(c->realtime_priority, 0, 99);
}

static int pool_blocks(const cm_engine_config *c)
{
    return c->max_recordings * (c->record_ring_ms * SAMPLES_PER_MS * 2 / BLOCK_BYTES + 2) + 1;
}

static bool make_rooms(cm_engine *e)
{
    const cm_engine_config *c = &e->config;
    e->ports = calloc((size_t)c->max_ports, sizeof *e->ports);
    e->live_ports = calloc((size_t)c->max_ports, sizeof *e->live_ports);
    e->lines = calloc((size_t)c->max_lines + 1, sizeof *e->lines);
    e->live_lines = calloc((size_t)c->max_lines + 1, sizeof *e->live_lines);
    e->recordings = calloc((size_t)c->max_recordings + 1, sizeof *e->recordings);
    return e->ports && e->live_ports && e->lines && e->live_lines && e->recordings &&
           ring_init(&e->commands, (unsigned)c->commands, sizeof(struct command)) &&
           ring_init(&e->tick_events, (unsigned)c->events, sizeof(cm_event)) &&
           ring_init(&e->writer_events, (unsigned)c->events, sizeof(cm_event)) && pool_init(&e->pool, pool_blocks(c));
}

static void free_rooms(cm_engine *e)
{
    if (e->eventfd >= 0)
        close(e->eventfd);
    ring_free(&e->commands);
    ring_free(&e->tick_events);
    ring_free(&e->writer_events);
    pool_free(&e->pool);
    free(e->ports);
    free(e->live_ports);
    free(e->lines);
    free(e->live_lines);
    free(e->recordings);
    free(e);
}

cm_engine *cm_engine_new(const cm_engine_config *config)
{
    if (!config_is_sound(config)) {
        errno = EINVAL;
        return NULL;
    }
    g711_prepare();
    cm_engine *e = aligned_alloc(64, (sizeof *e + 63) / 64 * 64);
    if (!e)
        return NULL;
    memset(e, 0, sizeof *e);
    e->config = *config;
    e->highest_port = e->highest_line = -1;
    e->late.bin_width = LATE_BIN_NS;
    e->busy.bin_width = BUSY_BIN_NS;
    e->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    (void)sem_init(&e->writer_wanted, 0, 0); /* cannot fail with these */
    if (make_rooms(e) && e->eventfd >= 0)
        return e;
    int saved = errno;
    free_rooms(e);
    errno = saved;
    return NULL;
}

/* Threads of ours take no signals: those are for Python's main thread. */
static int spawn(pthread_t *thread, void *(*body)(void *), cm_engine *e)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, &attributes, body, e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

void lock_memory(cm_engine *e, const void *start, size_t bytes)
{
    if (atomic_load_explicit(&e->memory_locked, memory_order_relaxed) && mlock(start, bytes))
        atomic_store_explicit(&e->memory_locked, 0, memory_order_relaxed);
}

int cm_engine_start(cm_engine *e)
{
    if (atomic_load_explicit(&e->threads, memory_order_relaxed))
        return CM_E_STATE;
    /* what is in memory stays there; on fault, so that nothing grows by it */
    atomic_store_explicit(&e->memory_locked, !mlockall(MCL_CURRENT | MCL_ONFAULT), memory_order_relaxed);
    atomic_store(&e->running, true);
    if (spawn(&e->tick_thread, tick_thread, e))
        return CM_E_NO_MEMORY;
    e->threads_ran = true;
    if (!spawn(&e->writer_thread, writer_thread, e)) {
        atomic_store_explicit(&e->threads, true, memory_order_relaxed);
        return 0;
    }
    atomic_store(&e->running, false);
    pthread_join(e->tick_thread, NULL);
    return CM_E_NO_MEMORY;
}

int cm_engine_stop(cm_engine *e)
{
    if (!atomic_load_explicit(&e->threads, memory_order_relaxed))
        return CM_E_STATE;
    atomic_store(&e->running, false);
    (void)sem_post(&e->writer_wanted);
    pthread_join(e->tick_thread, NULL);
    pthread_join(e->writer_thread, NULL);
    atomic_store_explicit(&e->threads, false, memory_order_relaxed);
    return 0;
}

int cm_engine_step(cm_engine *e)
{
    if (atomic_load_explicit(&e->threads, memory_order_relaxed))
        return CM_E_STATE;
    tick_run(e);
    records_step(e);
    reclaim_all(&e->reclaim);
    return 0;
}

/* Everything the tick holds is given back, every file finished; commands not yet obeyed are obeyed for that. */
static void wind_up(cm_engine *e)
{
    command_drain(e);
    for (int i = 0; i <= e->highest_port; i++)
        if (e->live_ports[i])
            port_release(e, e->live_ports[i]);
    for (int i = 0; i <= e->highest_line; i++)
        if (e->live_lines[i])
            give_back(e, &e->live_lines[i]->object);
    records_write(e, true);
    reclaim_all(&e->reclaim);
}

void cm_engine_free(cm_engine *e)
{
    if (!e)
        return;
    (void)cm_engine_stop(e);
    wind_up(e);
    free_rooms(e);
}

int cm_engine_eventfd(cm_engine *e)
{
    return e->eventfd;
}

static int take(struct ring *ring, cm_event *out, int max)
{
    int count = 0;
    while (count < max && ring_pop(ring, &out[count]))
        count++;
    return count;
}

int cm_poll_events(cm_engine *e, cm_event *out, int max)
{
    uint64_t signals;
    bool signalled = read(e->eventfd, &signals, sizeof signals) > 0;
    int count = take(&e->tick_events, out, max);
    count += take(&e->writer_events, out + count, max - count);
    if (signalled && (ring_count(&e->tick_events) || ring_count(&e->writer_events)))
        events_signal(e);
    reclaim_all(&e->reclaim);
    return count;
}

static int64_t cpu_of(cm_engine *e, pthread_t thread, int64_t ended)
{
    struct timespec time;
    clockid_t clock;
    if (!atomic_load_explicit(&e->threads, memory_order_relaxed) || pthread_getcpuclockid(thread, &clock) ||
        clock_gettime(clock, &time))
        return ended;
    return ended + (int64_t)time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void stats_of_time(cm_engine *e, cm_stats *out)
{
    out->tick_late_ms_p50 = histogram_quantile(&e->late, 0.5) / 1e6;
    out->tick_late_ms_p99 = histogram_quantile(&e->late, 0.99) / 1e6;
    out->tick_late_ms_p999 = histogram_quantile(&e->late, 0.999) / 1e6;
    out->tick_late_ms_max = histogram_quantile(&e->late, 1.0) / 1e6;
    out->tick_busy_us_p50 = histogram_quantile(&e->busy, 0.5) / 1e3;
    out->tick_busy_us_p999 = histogram_quantile(&e->busy, 0.999) / 1e3;
    out->tick_busy_us_max = histogram_quantile(&e->busy, 1.0) / 1e3;
    out->tick_cpu_ns = cpu_of(e, e->tick_thread, atomic_load(&e->tick_cpu_ns));
    out->writer_cpu_ns = cpu_of(e, e->writer_thread, atomic_load(&e->writer_cpu_ns));
}

static int recordings_active(cm_engine *e)
{
    int count = 0;
    for (int i = 0; i < e->config.max_recordings; i++)
        count += atomic_load_explicit(&e->recordings[i], memory_order_relaxed) != NULL;
    return count;
}

void cm_get_stats(cm_engine *e, cm_stats *out)
{
    memset(out, 0, sizeof *out);
    out->ticks = atomic_load(&e->ticks);
    out->samples = atomic_load(&e->samples);
    out->late_ticks = atomic_load(&e->late_ticks);
    out->underruns = atomic_load(&e->underruns);
    out->events_lost = atomic_load(&e->events_lost);
    out->commands_refused = e->commands_refused;
    out->record_gap_samples = atomic_load(&e->gap_samples);
    out->disk_ms_max = (double)atomic_load(&e->disk_ns_max) / 1e6;
    out->ports_active = atomic_load(&e->ports_active);
    out->recordings_active = recordings_active(e);
    out->realtime = atomic_load(&e->realtime);
    out->memory_locked = atomic_load(&e->memory_locked);
    stats_of_time(e, out);
}

void cm_reset_stats(cm_engine *e)
{
    e->commands_refused = 0;
    atomic_store_explicit(&e->stats_reset, true, memory_order_release);
}
