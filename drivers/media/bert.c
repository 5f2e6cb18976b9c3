/* Bit-error test over the octets of a channel: the pattern of 2^15 - 1 bits (ITU-T O.151), sent and compared bit by bit.
 *
 * Only a path that hands on octets as they are shows no errors: no gain, no echo canceller, no change of law. */
#include "internal.h"

#include <stdlib.h>

#define REGISTER_BITS 15
#define REGISTER_MASK ((1U << REGISTER_BITS) - 1)
#define SURE_BITS     64 /* as foretold, and the comparison begins */
#define BLOCK_BITS    1000
#define LOST_ERRORS   200 /* in a block: not errors, but another place in the pattern */

struct bert {
    struct object object;
    uint32_t sent, expected; /* the last 15 bits, as they are before they are inverted */
    int agreed; /* bits in a row, while there is no sync */
    int block_bits, block_errors;
    atomic_bool synced;
    _Atomic int64_t bits, errors, sync_losses;
};

static void bert_destroy(struct object *object)
{
    free(object);
}

int cm_bert(cm_engine *e, int port, int on)
{
    struct bert *b = on ? calloc(1, sizeof *b) : NULL;
    if (on && !b)
        return CM_E_NO_MEMORY;
    if (b) {
        b->object.destroy = bert_destroy;
        b->sent = REGISTER_MASK;
    }
    int error = command_object(e, COMMAND_BERT, port, b ? &b->object : NULL);
    if (!error)
        e->ports[port]->bert_seen = b;
    return error;
}

int cm_bert_result(cm_engine *e, int port, cm_bit_errors *out)
{
    if (port < 0 || port >= e->config.max_ports || !e->ports[port])
        return CM_E_NO_PORT;
    struct bert *b = e->ports[port]->bert_seen;
    if (!b)
        return CM_E_STATE;
    out->bits = atomic_load_explicit(&b->bits, memory_order_relaxed);
    out->errors = atomic_load_explicit(&b->errors, memory_order_relaxed);
    out->sync_losses = atomic_load_explicit(&b->sync_losses, memory_order_relaxed);
    out->synced = atomic_load_explicit(&b->synced, memory_order_relaxed);
    return 0;
}

/* --- tick --- */

/* Stages 14 and 15, added and fed back. */
static uint32_t next_bit(uint32_t last)
{
    return (last >> 13 ^ last >> 14) & 1;
}

static uint32_t shifted(uint32_t last, uint32_t bit)
{
    return (last << 1 | bit) & REGISTER_MASK;
}

void bert_send(struct bert *b, uint8_t *octets)
{
    for (int i = 0; i < FRAME; i++) {
        uint32_t octet = 0;
        for (int k = 0; k < 8; k++) { /* the first bit on the line is bit 1 of G.711, the highest */
            uint32_t bit = next_bit(b->sent);
            b->sent = shifted(b->sent, bit);
            octet = octet << 1 | (bit ^ 1);
        }
        octets[i] = (uint8_t)octet;
    }
}

static void look_for_sync(struct bert *b, uint32_t bit)
{
    b->agreed = bit == next_bit(b->expected) && b->expected ? b->agreed + 1 : 0;
    b->expected = shifted(b->expected, bit);
    if (b->agreed < SURE_BITS)
        return;
    b->agreed = b->block_bits = b->block_errors = 0;
    atomic_store_explicit(&b->synced, true, memory_order_relaxed);
}

static void end_block(struct bert *b)
{
    if (b->block_errors > LOST_ERRORS) {
        atomic_store_explicit(&b->synced, false, memory_order_relaxed);
        atomic_fetch_add_explicit(&b->sync_losses, 1, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(&b->bits, b->block_bits, memory_order_relaxed);
        atomic_fetch_add_explicit(&b->errors, b->block_errors, memory_order_relaxed);
    }
    b->block_bits = b->block_errors = 0;
}

static void compare(struct bert *b, uint32_t bit)
{
    uint32_t right = next_bit(b->expected);
    b->expected = shifted(b->expected, right);
    b->block_errors += bit != right;
    if (++b->block_bits == BLOCK_BITS)
        end_block(b);
}

void bert_receive(struct bert *b, const uint8_t *octets)
{
    for (int i = 0; i < FRAME; i++)
        for (int k = 7; k >= 0; k--) {
            uint32_t bit = (octets[i] >> k & 1U) ^ 1;
            if (atomic_load_explicit(&b->synced, memory_order_relaxed))
                compare(b, bit);
            else
                look_for_sync(b, bit);
        }
}
