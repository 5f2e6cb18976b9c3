/* Rings between two threads, the way back for memory, the pool of recorded blocks, and histograms. No locks anywhere. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

unsigned power_of_two_above(unsigned n)
{
    unsigned power = 1;
    while (power < n)
        power <<= 1;
    return power;
}

bool ring_init(struct ring *ring, unsigned slots, size_t slot_bytes)
{
    slots = power_of_two_above(slots);
    ring->slots = calloc(slots, slot_bytes);
    ring->mask = slots - 1;
    ring->slot_bytes = slot_bytes;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    return ring->slots != NULL;
}

void ring_free(struct ring *ring)
{
    free(ring->slots);
    ring->slots = NULL;
}

bool ring_push(struct ring *ring, const void *slot)
{
    unsigned head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    unsigned tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head - tail > ring->mask)
        return false;
    memcpy(ring->slots + (head & ring->mask) * ring->slot_bytes, slot, ring->slot_bytes);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

bool ring_peek_at(struct ring *ring, unsigned place, void *slot)
{
    unsigned tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (place >= atomic_load_explicit(&ring->head, memory_order_acquire) - tail)
        return false;
    memcpy(slot, ring->slots + ((tail + place) & ring->mask) * ring->slot_bytes, ring->slot_bytes);
    return true;
}

bool ring_peek(struct ring *ring, void *slot)
{
    return ring_peek_at(ring, 0, slot);
}

void ring_skip(struct ring *ring)
{
    unsigned tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

bool ring_pop(struct ring *ring, void *slot)
{
    if (!ring_peek(ring, slot))
        return false;
    ring_skip(ring);
    return true;
}

unsigned ring_count(struct ring *ring)
{
    return atomic_load_explicit(&ring->head, memory_order_acquire) -
           atomic_load_explicit(&ring->tail, memory_order_acquire);
}

void reclaim_push(reclaim_stack *stack, struct object *object)
{
    struct object *first = atomic_load_explicit(stack, memory_order_relaxed);
    do
        object->next = first;
    while (!atomic_compare_exchange_weak_explicit(stack, &first, object, memory_order_release, memory_order_relaxed));
}

void reclaim_all(reclaim_stack *stack)
{
    struct object *object = atomic_exchange_explicit(stack, NULL, memory_order_acquire);
    while (object) {
        struct object *next = object->next;
        object->destroy(object);
        object = next;
    }
}

bool pool_init(struct block_pool *pool, int blocks)
{
    size_t bytes = (size_t)blocks * BLOCK_BYTES;
    pool->blocks = blocks;
    pool->next = calloc((size_t)blocks, sizeof *pool->next);
    pool->used = calloc((size_t)blocks, sizeof *pool->used);
    pool->gap_before = calloc((size_t)blocks, sizeof *pool->gap_before);
    pool->wipe_before = calloc((size_t)blocks, sizeof *pool->wipe_before);
    pool->bytes = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pool->bytes == MAP_FAILED)
        pool->bytes = NULL;
    if (!pool->next || !pool->used || !pool->gap_before || !pool->wipe_before || !pool->bytes)
        return false;
    for (int i = 0; i < blocks; i++)
        pool->next[i] = i + 1 < blocks ? i + 1 : -1;
    atomic_init(&pool->head, 0);
    return true;
}

void pool_free(struct block_pool *pool)
{
    if (pool->bytes)
        munmap(pool->bytes, (size_t)pool->blocks * BLOCK_BYTES);
    free(pool->next);
    free(pool->used);
    free(pool->gap_before);
    free(pool->wipe_before);
}

/* Only one thread takes, so a block cannot leave and come back between load and exchange (no ABA). */
int pool_take(struct block_pool *pool)
{
    int block = atomic_load_explicit(&pool->head, memory_order_acquire);
    while (block >= 0 && !atomic_compare_exchange_weak_explicit(&pool->head, &block, pool->next[block],
                                                                memory_order_acquire, memory_order_acquire))
        continue;
    return block;
}

void pool_give(struct block_pool *pool, int block)
{
    int first = atomic_load_explicit(&pool->head, memory_order_relaxed);
    do
        pool->next[block] = first;
    while (
        !atomic_compare_exchange_weak_explicit(&pool->head, &first, block, memory_order_release, memory_order_relaxed));
}

void histogram_add(struct histogram *h, int64_t value)
{
    int64_t bin = value < 0 ? 0 : value / h->bin_width;
    if (bin >= HISTOGRAM_BINS)
        bin = HISTOGRAM_BINS - 1;
    atomic_fetch_add_explicit(&h->bin[bin], 1, memory_order_relaxed);
    if (value > atomic_load_explicit(&h->max, memory_order_relaxed))
        atomic_store_explicit(&h->max, value, memory_order_relaxed);
}

void histogram_clear(struct histogram *h)
{
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        atomic_store_explicit(&h->bin[i], 0, memory_order_relaxed);
    atomic_store_explicit(&h->max, 0, memory_order_relaxed);
}

static int64_t histogram_total(const struct histogram *h)
{
    int64_t total = 0;
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        total += atomic_load_explicit(&h->bin[i], memory_order_relaxed);
    return total;
}

/* Upper edge of the bin in which the quantile lies; the maximum itself for the last bin. */
double histogram_quantile(const struct histogram *h, double quantile)
{
    int64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);
    int64_t total = histogram_total(h), seen = 0;
    for (int i = 0; i < HISTOGRAM_BINS - 1 && total; i++) {
        seen += atomic_load_explicit(&h->bin[i], memory_order_relaxed);
        if ((double)seen >= quantile * (double)total)
            return (double)((i + 1) * h->bin_width < max ? (i + 1) * h->bin_width : max);
    }
    return (double)max;
}
