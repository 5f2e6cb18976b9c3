/* Moves numbered audio through many wired channels at once and counts what does not arrive: the lab's measure of buffering.
 *
 * Usage: pump read|tick SECONDS AHEAD FD... ; the first half of the descriptors are wired to the second half, in order.
 * "read" writes one block for each block read (the card's clock), "tick" one per 20 ms of ours. Prints one JSON object.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../../drivers/dahdi/kernel.h"

enum { BLOCK = 160, CHUNK = 8, CHUNKS = BLOCK / CHUNK, MAX_FDS = 256, TICK_NS = 20000000, STALE_MS = 1000 };

static const uint32_t SILENCE = 0xd5d5d5d5u; /* A-law */

typedef struct {
    int fd;
    uint32_t next_sent; /* number of the next chunk written */
    uint32_t next_heard; /* number expected next, 0 before the first */
} line;

static struct {
    long read, written, refused, lost_ms, silent_ms, damaged_ms, stale_ms, repeated_ms, gaps, events, late_ticks;
    long delay_min_ms, delay_max_ms, delay_sum_ms, delay_count;
    double late_max_ms;
} count = {.delay_min_ms = 1000000};

static uint32_t check_of(uint32_t number)
{
    return number * 2654435761u ^ 0x5a5a1234u;
}

static void take_events(int fd)
{
    int event;
    while (ioctl(fd, DAHDI_GETEVENT, &event) == 0 && event != 0)
        count.events++;
}

static int write_block(line *l)
{
    uint32_t block[CHUNKS * 2];
    for (int i = 0; i < CHUNKS; i++) {
        block[2 * i] = l->next_sent + (uint32_t)i;
        block[2 * i + 1] = check_of(block[2 * i]);
    }
    ssize_t done = write(l->fd, block, BLOCK);
    if (done < 0 && errno == DAHDI_ELAST) {
        take_events(l->fd);
        done = write(l->fd, block, BLOCK);
    }
    if (done != BLOCK) {
        count.refused++;
        return 0;
    }
    l->next_sent += CHUNKS;
    count.written++;
    return 1;
}

static void hear_chunk(line *l, const line *partner, const uint32_t chunk[2])
{
    if (chunk[1] != check_of(chunk[0])) {
        int silent = chunk[0] == SILENCE && chunk[1] == SILENCE;
        count.silent_ms += silent && l->next_heard != 0;
        count.damaged_ms += !silent && l->next_heard != 0;
        return;
    }
    if (l->next_heard != 0 && chunk[0] != l->next_heard) {
        count.gaps++;
        if (chunk[0] > l->next_heard)
            count.lost_ms += chunk[0] - l->next_heard;
        else
            count.repeated_ms += l->next_heard - chunk[0];
    }
    l->next_heard = chunk[0] + 1;
    long delay_ms = (long)partner->next_sent - (long)chunk[0];
    count.delay_min_ms = delay_ms < count.delay_min_ms ? delay_ms : count.delay_min_ms;
    count.delay_max_ms = delay_ms > count.delay_max_ms ? delay_ms : count.delay_max_ms;
    count.delay_sum_ms += delay_ms;
    count.stale_ms += delay_ms > STALE_MS;
    count.delay_count++;
}

static int read_block(line *l, const line *partner)
{
    uint32_t block[CHUNKS * 2];
    ssize_t got = read(l->fd, block, BLOCK);
    if (got < 0 && errno == DAHDI_ELAST) {
        take_events(l->fd);
        got = read(l->fd, block, BLOCK);
    }
    if (got != BLOCK)
        return 0;
    count.read++;
    for (int i = 0; i < CHUNKS; i++)
        hear_chunk(l, partner, &block[2 * i]);
    return 1;
}

static void tick(line *lines, int total, int by_read)
{
    for (int i = 0; i < total; i++) {
        line *l = &lines[i];
        const line *partner = &lines[(i + total / 2) % total];
        while (read_block(l, partner))
            if (by_read)
                write_block(l);
        if (!by_read)
            write_block(l);
    }
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void run(line *lines, int total, int by_read, double seconds)
{
    struct itimerspec every = {.it_interval = {.tv_nsec = TICK_NS}, .it_value = {.tv_nsec = TICK_NS}};
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    timerfd_settime(timer, 0, &every, NULL);
    double started = now_ms(), ticks = 0;
    while (now_ms() - started < seconds * 1e3) {
        uint64_t expired;
        if (read(timer, &expired, sizeof expired) != sizeof expired)
            exit(2);
        ticks += (double)expired;
        double late = now_ms() - started - ticks * 20;
        count.late_max_ms = late > count.late_max_ms ? late : count.late_max_ms;
        count.late_ticks += (long)expired - 1;
        for (uint64_t i = 0; i < (by_read ? 1 : expired); i++)
            tick(lines, total, by_read);
    }
}

int main(int argc, char **argv)
{
    static line lines[MAX_FDS];
    if (argc < 6 || argc - 4 > MAX_FDS)
        return 2;
    int total = argc - 4, ahead = atoi(argv[3]);
    for (int i = 0; i < total; i++) {
        int both = DAHDI_FLUSH_BOTH;
        lines[i] = (line){.fd = atoi(argv[4 + i]), .next_sent = 1};
        take_events(lines[i].fd);
        ioctl(lines[i].fd, DAHDI_FLUSH, &both);
    }
    for (int i = 0; i < total; i++)
        for (int n = 0; n < ahead; n++)
            write_block(&lines[i]);
    run(lines, total, strcmp(argv[1], "read") == 0, atof(argv[2]));
    printf("{\"blocks_read\": %ld, \"refused\": %ld, \"gaps\": %ld, \"lost_ms\": %ld, \"silent_ms\": %ld, "
           "\"damaged_ms\": %ld, \"stale_ms\": %ld, \"repeated_ms\": %ld, "
           "\"delay_min_ms\": %ld, \"delay_mean_ms\": %ld, \"delay_max_ms\": %ld, \"late_ticks\": %ld, "
           "\"late_max_ms\": %.1f}\n",
           count.read, count.refused, count.gaps, count.lost_ms, count.silent_ms, count.damaged_ms, count.stale_ms,
           count.repeated_ms, count.delay_min_ms, count.delay_sum_ms / (count.delay_count ? count.delay_count : 1),
           count.delay_max_ms, count.late_ticks, count.late_max_ms);
    return 0;
}
