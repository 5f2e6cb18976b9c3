/* See stack.h. */
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <libpri.h>

#define QUEUE     512
#define SAID      16384
#define CHECK_SUM 2

struct frame {
    int length;
    unsigned char bytes[STACK_LONGEST_FRAME];
};

struct stack {
    struct pri *pri;
    const unsigned char *arriving;
    int arriving_length;
    unsigned first, last; /* of the queue; both only rise */
    struct frame queue[QUEUE];
};

/* Not in libpri.h, but needed: a call can end without an event. */
extern int q931_is_call_valid(struct pri *pri, struct q931_call *call);

int __wrap_gettimeofday(struct timeval *now, void *zone);

static int64_t clock_us;
static char said[SAID];
static int said_length;

void stack_clock(int64_t now_us)
{
    clock_us = now_us;
}

int __wrap_gettimeofday(struct timeval *now, void *zone)
{
    (void)zone;
    now->tv_sec = clock_us / 1000000;
    now->tv_usec = clock_us % 1000000;
    return 0;
}

static void say(struct pri *pri, char *text)
{
    int length = (int)strlen(text);

    (void)pri;
    if (length > SAID - said_length)
        length = SAID - said_length;
    memcpy(said + said_length, text, (size_t)length);
    said_length += length;
}

int stack_messages(char *text, int room)
{
    int length = said_length < room ? said_length : room;

    memcpy(text, said, (size_t)length);
    memmove(said, said + length, (size_t)(said_length - length));
    said_length -= length;
    return length;
}

static int read_frame(struct pri *pri, void *buffer, int room)
{
    struct stack *stack = pri_get_userdata(pri);
    int length = stack->arriving_length;

    if (!length || length + CHECK_SUM > room)
        return 0;
    memcpy(buffer, stack->arriving, (size_t)length);
    /* In some elements (redirecting number) libpri looks for bit 8 of an octet without minding the end: it shall find one there. */
    memset((char *)buffer + length, 0xff, (size_t)(room - length));
    stack->arriving_length = 0;
    return length + CHECK_SUM;
}

static int write_frame(struct pri *pri, void *buffer, int length)
{
    struct stack *stack = pri_get_userdata(pri);
    struct frame *frame = &stack->queue[stack->last % QUEUE];

    if (stack->last - stack->first == QUEUE || length - CHECK_SUM > STACK_LONGEST_FRAME)
        return length; /* lost on the line, as far as libpri is concerned: it repeats what it must */
    frame->length = length - CHECK_SUM;
    memcpy(frame->bytes, buffer, (size_t)frame->length);
    stack->last++;
    return length;
}

struct stack *stack_new(int node, int switch_type)
{
    struct stack *stack = calloc(1, sizeof *stack);

    if (!stack)
        return NULL;
    pri_set_message(say);
    pri_set_error(say);
    stack->pri = pri_new_cb(-1, node, switch_type, read_frame, write_frame, stack);
    if (stack->pri)
        return stack;
    free(stack);
    return NULL;
}

struct pri *stack_pri(struct stack *stack)
{
    return stack->pri;
}

static void copy(char *target, const char *source)
{
    snprintf(target, STACK_TEXT, "%s", source);
}

static void copy_redirecting(struct stack_event *event, const struct pri_subcommands *commands)
{
    const struct pri_party_redirecting *redirecting;
    int at;

    for (at = 0; commands && at < commands->counter_subcmd; at++) {
        if (commands->subcmd[at].cmd != PRI_SUBCMD_REDIRECTING)
            continue;
        redirecting = &commands->subcmd[at].u.redirecting;
        if (!redirecting->from.number.valid)
            continue;
        copy(event->redirecting, redirecting->from.number.str);
        event->redirecting_presentation = redirecting->from.number.presentation;
        event->redirecting_plan = redirecting->from.number.plan;
    }
}

static void copy_ring(struct stack_event *event, const pri_event_ring *ring)
{
    event->channel = ring->channel;
    event->call = ring->call;
    event->reference = ring->cref;
    event->complete = ring->complete;
    event->flexible = ring->flexible;
    event->progress = ring->progressmask;
    copy(event->called, ring->callednum);
    copy(event->ani, ring->callingani);
    event->ani_plan = ring->callingplanani;
    if (ring->calling.number.valid) {
        copy(event->calling, ring->calling.number.str);
        event->calling_presentation = ring->calling.number.presentation;
        event->calling_plan = ring->calling.number.plan;
    } else {
        event->calling_presentation = PRI_PRES_UNAVAILABLE;
    }
    if (ring->calling.name.valid && !(ring->calling.name.presentation & PRI_PRES_RESTRICTION))
        copy(event->name, ring->calling.name.str);
    copy_redirecting(event, ring->subcmds);
}

static void copy_digits(struct stack_event *event, const pri_event_ring *digits)
{
    event->channel = digits->channel;
    event->call = digits->call;
    event->complete = digits->complete;
    copy(event->called, digits->callednum);
}

/* Every event with a call has it and the channel; libpri lays them out differently in each. */
#define COPY_CALL(part) (event->channel = from->part.channel, event->call = from->part.call)

static int copy_event(struct stack_event *event, const pri_event *from)
{
    memset(event, 0, sizeof *event);
    if (!from)
        return 0;
    event->kind = from->e;
    switch (from->e) {
    case PRI_EVENT_RING:
        copy_ring(event, &from->ring);
        break;
    case PRI_EVENT_INFO_RECEIVED:
        copy_digits(event, &from->ring);
        break;
    case PRI_EVENT_SETUP_ACK:
        COPY_CALL(setup_ack);
        event->progress = from->setup_ack.progressmask;
        break;
    case PRI_EVENT_PROCEEDING:
    case PRI_EVENT_PROGRESS:
        COPY_CALL(proceeding);
        event->progress = from->proceeding.progressmask;
        event->cause = from->e == PRI_EVENT_PROGRESS ? from->proceeding.cause : 0;
        break;
    case PRI_EVENT_RINGING:
        COPY_CALL(ringing);
        event->progress = from->ringing.progressmask;
        break;
    case PRI_EVENT_ANSWER:
        COPY_CALL(answer);
        break;
    case PRI_EVENT_HANGUP:
    case PRI_EVENT_HANGUP_REQ:
    case PRI_EVENT_HANGUP_ACK:
        COPY_CALL(hangup);
        event->cause = from->hangup.cause;
        break;
    case PRI_EVENT_RESTART:
    case PRI_EVENT_RESTART_ACK:
        event->channel = from->restart.channel;
        break;
    case PRI_EVENT_SERVICE:
    case PRI_EVENT_SERVICE_ACK:
        event->channel = from->service.channel;
        event->status = from->service.changestatus;
        break;
    case PRI_EVENT_CONFIG_ERR:
        copy(event->text, from->err.err);
        break;
    }
    return 1;
}

int stack_receive(struct stack *stack, const unsigned char *frame, int length, struct stack_event *event)
{
    if (length < 3 || length > STACK_LONGEST_FRAME)
        return 0;
    stack->arriving = frame;
    stack->arriving_length = length;
    return copy_event(event, pri_check_event(stack->pri));
}

int stack_run(struct stack *stack, struct stack_event *event)
{
    return copy_event(event, pri_schedule_run(stack->pri));
}

int64_t stack_next_us(struct stack *stack)
{
    const struct timeval *next = pri_schedule_next(stack->pri);

    return next ? (int64_t)next->tv_sec * 1000000 + next->tv_usec : -1;
}

int stack_frame(struct stack *stack, unsigned char *frame, int room)
{
    const struct frame *next = &stack->queue[stack->first % QUEUE];

    if (stack->first == stack->last || next->length > room)
        return 0;
    memcpy(frame, next->bytes, (size_t)next->length);
    stack->first++;
    return next->length;
}

int stack_knows(struct stack *stack, struct q931_call *call)
{
    return q931_is_call_valid(stack->pri, call);
}

static void set_party(struct pri_party_id *party, const char *number, int plan, int presentation)
{
    party->number.valid = 1;
    party->number.plan = plan;
    party->number.presentation = presentation;
    snprintf(party->number.str, sizeof party->number.str, "%s", number);
}

static void set_caller(struct pri_sr *request, const struct stack_setup *setup)
{
    struct pri_party_id caller;

    memset(&caller, 0, sizeof caller);
    if (setup->calling)
        set_party(&caller, setup->calling, setup->calling_plan, setup->calling_presentation);
    if (setup->name) {
        caller.name.valid = 1;
        caller.name.presentation = setup->calling_presentation;
        caller.name.char_set = PRI_CHAR_SET_ISO8859_1;
        snprintf(caller.name.str, sizeof caller.name.str, "%s", setup->name);
    }
    pri_sr_set_caller_party(request, &caller);
}

static void set_redirecting(struct pri_sr *request, const struct stack_setup *setup)
{
    struct pri_party_redirecting redirecting;

    memset(&redirecting, 0, sizeof redirecting);
    set_party(&redirecting.from, setup->redirecting, setup->redirecting_plan, PRES_ALLOWED_USER_NUMBER_NOT_SCREENED);
    redirecting.count = 1;
    redirecting.reason = PRI_REDIR_UNCONDITIONAL;
    pri_sr_set_redirecting_parties(request, &redirecting);
}

int stack_setup(struct stack *stack, struct q931_call *call, const struct stack_setup *setup)
{
    struct pri_sr *request = pri_sr_new();
    int outcome;

    if (!request)
        return -1;
    pri_sr_set_channel(request, setup->channel, 1, 0);
    pri_sr_set_bearer(request, PRI_TRANS_CAP_3_1K_AUDIO, setup->law);
    pri_sr_set_called(request, (char *)(uintptr_t)setup->called, setup->called_plan, setup->complete);
    set_caller(request, setup);
    if (setup->redirecting)
        set_redirecting(request, setup);
    outcome = pri_setup(stack->pri, call, request);
    pri_sr_free(request);
    return outcome;
}
