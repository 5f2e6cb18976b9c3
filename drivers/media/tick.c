/* The tick: one frame of everything, and the real-time thread that runs it every 20 ms. */
#include "internal.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000LL + now.tv_nsec;
}

int64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void tell_lost(struct ring *ring, int *lost, int64_t at)
{
    cm_event event = {.type = CM_EV_EVENTS_LOST, .port = -1, .value = *lost, .at = at};
    if (*lost && ring_push(ring, &event))
        *lost = 0;
}

static bool push(cm_engine *e, struct ring *ring, int *lost, cm_event event)
{
    event.at = atomic_load_explicit(&e->samples, memory_order_relaxed);
    tell_lost(ring, lost, event.at);
    if (*lost == 0 && ring_push(ring, &event))
        return true;
    ++*lost;
    atomic_fetch_add_explicit(&e->events_lost, 1, memory_order_relaxed);
    return false;
}

void event_push(cm_engine *e, enum cm_event_type type, int port, uint32_t id, int value, int value2, int64_t samples)
{
    cm_event event = {.type = type, .port = port, .id = id, .value = value, .value2 = value2, .samples = samples};
    e->told |= push(e, &e->tick_events, &e->lost_tick_events, event);
}

void event_push_writer(cm_engine *e, enum cm_event_type type, int port, uint32_t id, int value, int64_t samples)
{
    cm_event event = {.type = type, .port = port, .id = id, .value = value, .samples = samples};
    push(e, &e->writer_events, &e->lost_writer_events, event);
}

void events_signal(cm_engine *e)
{
    uint64_t one = 1;
    if (write(e->eventfd, &one, sizeof one) < 0)
        return; /* the counter is at its top: it is readable anyway */
}

static void amplify(struct port *p)
{
    if (p->rx_gain == GAIN_ONE)
        return;
    const int16_t *linear = g711.linear[p->law];
    for (int i = 0; i < FRAME; i++) {
        int32_t value = (int32_t)((int64_t)linear[p->rx[i]] * p->rx_gain / GAIN_ONE);
        p->rx[i] = g711.code[p->law][(uint16_t)clamp16(value) >> 2];
    }
}

/* Phase 1 for one port. */
static void receive(cm_engine *e, struct port *p, int round)
{
    p->fresh = port_read(e, p, round);
    p->rx_linear_ready = false;
    if (!p->fresh)
        return;
    amplify(p);
    detect(e, p);
    if (p->masked)
        mask_follow(e, p);
    if (p->peer >= 0)
        bridge_exchange(e, p);
    conference_hear(p);
}

/* Phase 2: listeners last, they hear what the others have just been sent. */
static void send_all(cm_engine *e)
{
    for (int i = 0; i <= e->highest_port; i++)
        if (e->live_ports[i] && e->live_ports[i]->fresh && e->live_ports[i]->tapped < 0)
            produce(e, e->live_ports[i]);
    for (int i = 0; i <= e->highest_port; i++)
        if (e->live_ports[i] && e->live_ports[i]->tapped >= 0)
            tap_exchange(e, e->live_ports[i]);
    for (int i = 0; i <= e->highest_port; i++)
        if (e->live_ports[i] && e->live_ports[i]->fresh && e->live_ports[i]->tapped >= 0)
            produce(e, e->live_ports[i]);
}

/* Cards have their own clock: a tick may find no block, one, or several. A round handles at most one of each port. */
static bool round_of_all(cm_engine *e, int round)
{
    bool any = false;
    for (int i = 0; i <= e->highest_port; i++)
        if (e->live_ports[i]) {
            receive(e, e->live_ports[i], round);
            any |= e->live_ports[i]->fresh;
        }
    if (round == 0)
        conference_mix(e);
    if (any)
        send_all(e);
    return any;
}

static void count_ports(cm_engine *e)
{
    int active = 0;
    for (int i = 0; i <= e->highest_port; i++)
        active += e->live_ports[i] != NULL;
    atomic_store_explicit(&e->ports_active, active, memory_order_relaxed);
}

static void reset_when_asked(cm_engine *e)
{
    if (!atomic_exchange_explicit(&e->stats_reset, false, memory_order_acquire))
        return;
    histogram_clear(&e->late);
    histogram_clear(&e->busy);
    atomic_store_explicit(&e->late_ticks, 0, memory_order_relaxed);
    atomic_store_explicit(&e->underruns, 0, memory_order_relaxed);
    atomic_store_explicit(&e->disk_ns_max, 0, memory_order_relaxed);
}

void tick_run(cm_engine *e)
{
    reset_when_asked(e);
    command_drain(e);
    line_flip(e);
    for (int round = 0; round < ROUNDS_PER_TICK && round_of_all(e, round);)
        round++;
    count_ports(e);
    atomic_fetch_add_explicit(&e->ticks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&e->samples, FRAME, memory_order_relaxed);
    if (e->told)
        events_signal(e);
    e->told = false;
}

/* Refused (no limit set for us) is no error: stats tell it, and then at least the priority is raised. */
static void ask_for_real_time(cm_engine *e)
{
    struct sched_param param = {.sched_priority = e->config.realtime_priority};
    bool granted = e->config.realtime_priority > 0 && !pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
    atomic_store_explicit(&e->realtime, granted, memory_order_relaxed);
    if (!granted && e->config.realtime_priority > 0)
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), -15);
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    (void)prctl(PR_SET_NAME, "media-tick", 0UL, 0UL, 0UL);
}

static void sleep_until(int64_t at_ns)
{
    struct timespec at = {.tv_sec = at_ns / 1000000000LL, .tv_nsec = at_ns % 1000000000LL};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        continue;
}

static void run_measured(cm_engine *e, int64_t due_ns)
{
    int64_t began = clock_ns();
    histogram_add(&e->late, began - due_ns);
    if (began - due_ns > FRAME_NS)
        atomic_fetch_add_explicit(&e->late_ticks, 1, memory_order_relaxed);
    tick_run(e);
    histogram_add(&e->busy, clock_ns() - began);
}

/* A late tick is caught up at once, so the engine's time stays true; only after seconds of standstill (the machine was
 * suspended) does it begin anew. */
void *tick_thread(void *engine)
{
    cm_engine *e = engine;
    ask_for_real_time(e);
    for (int64_t due = clock_ns() + FRAME_NS; atomic_load_explicit(&e->running, memory_order_relaxed);
         due += FRAME_NS) {
        if (clock_ns() < due)
            sleep_until(due);
        else if (clock_ns() - due > MAX_CATCH_UP_TICKS * FRAME_NS)
            due = clock_ns();
        run_measured(e, due);
    }
    atomic_fetch_add_explicit(&e->tick_cpu_ns, thread_cpu_ns(), memory_order_relaxed);
    return NULL;
}
