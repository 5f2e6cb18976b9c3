/* libpri with a clock and a mailbox of ours: the whole C surface of drivers.signalling.pri. One thread: the line server's event loop.
 *
 * libpri owns no descriptor here: frames are handed in one by one (stack_receive) and taken out of a queue (stack_frame). Its gettimeofday
 * is ours (linked with --wrap), so that time is what stack_clock said last. Frames here never hold the check sum libpri counts in. */
#ifndef CARELINE_PRI_STACK_H
#define CARELINE_PRI_STACK_H

#include <stdint.h>

#define STACK_LONGEST_FRAME 300
#define STACK_TEXT          256

struct pri;
struct q931_call;
struct stack;

/* One event of libpri; fields a kind of event does not have are zero or empty. Numbers are libpri's, text is Latin-1. */
struct stack_event {
    int kind;
    int channel; /* timeslot; -1 or 0xff: any or all */
    struct q931_call *call;
    int reference; /* of a call that comes in, as it stands in frames that arrive */
    int cause;
    int complete; /* no more digits will come */
    int flexible; /* another channel would do */
    int progress; /* bits of PRI_PROG_* */
    int status; /* of SERVICE */
    int calling_presentation;
    int calling_plan;
    int redirecting_presentation;
    int redirecting_plan;
    int ani_plan;
    char called[STACK_TEXT];
    char calling[STACK_TEXT];
    char ani[STACK_TEXT];
    char name[STACK_TEXT];
    char redirecting[STACK_TEXT];
    char text[STACK_TEXT];
};

/* What a SETUP of ours says; strings are copied. A presentation or plan is libpri's octet. */
struct stack_setup {
    int channel;
    int law; /* PRI_LAYER_1_* */
    int complete;
    const char *called;
    int called_plan;
    const char *calling; /* NULL: none is given */
    int calling_plan;
    int calling_presentation;
    const char *name; /* NULL: none */
    const char *redirecting; /* NULL: not diverted */
    int redirecting_plan;
};

/* Time from now on, for every stack, in microseconds; never falls. */
void stack_clock(int64_t now_us);

/* NULL: no memory. libpri cannot give a D-channel back, so it lives as long as the process. */
struct stack *stack_new(int node, int switch_type);
struct pri *stack_pri(struct stack *stack);

/* Hand in a frame of 3 to STACK_LONGEST_FRAME bytes. 1: it made an event. */
int stack_receive(struct stack *stack, const unsigned char *frame, int length, struct stack_event *event);

/* Run timers that are due. 1: one made an event, and more may be due; 0: all done. */
int stack_run(struct stack *stack, struct stack_event *event);

/* When stack_run is wanted next, in microseconds; -1: not at all. */
int64_t stack_next_us(struct stack *stack);

/* Take the next frame to send, at most `room` bytes; its length, 0: no more. */
int stack_frame(struct stack *stack, unsigned char *frame, int room);

/* Is this call known to libpri still? */
int stack_knows(struct stack *stack, struct q931_call *call);

/* Send SETUP. 0 or -1. */
int stack_setup(struct stack *stack, struct q931_call *call, const struct stack_setup *setup);

/* Take what libpri has said since, in lines; its length. */
int stack_messages(char *text, int room);

#endif
