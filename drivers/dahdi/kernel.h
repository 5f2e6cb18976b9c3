/* The kernel's telephony interface, as much of it as the line server uses.
 *
 * Debian packages the kernel modules' sources but no header for programs, so the records and request numbers are declared
 * here. They are the kernel's binary interface: names, order and widths of the fields must stay as they are.
 * Source: DAHDI 2.11 and 3.x, <dahdi/user.h>; tests/lab compares every size and number with that header.
 */
#ifndef CARELINE_DAHDI_KERNEL_H
#define CARELINE_DAHDI_KERNEL_H

#include <stdint.h>
#include <sys/ioctl.h>

#define DAHDI_CODE  0xDA
#define DAHDI_ELAST 500 /* errno of read and write while an event waits; the header calls it ELAST */

struct dahdi_params {
    int channo, spanno, chanpos;
    int sigtype, sigcap;
    int rxisoffhook, rxbits, txbits, txhooksig, rxhooksig;
    int curlaw, idlebits;
    char name[40];
    int prewinktime, preflashtime, winktime, flashtime, starttime; /* ms */
    int rxwinktime, rxflashtime, debouncetime;                     /* ms */
    int pulsebreaktime, pulsemaketime, pulseaftertime;             /* ms */
    uint32_t chan_alarms;
};

struct dahdi_spaninfo {
    int spanno;
    char name[20];
    char desc[40];
    int alarms, txlevel, rxlevel;
    int bpvcount, crc4count, ebitcount, fascount;
    uint32_t fecount, cvcount, becount, prbs, errsec;
    int irqmisses, syncsrc, numchans, totalchans, totalspans, lbo, lineconfig;
    char lboname[40];
    char location[40];
    char manufacturer[40];
    char devicetype[40];
    int irq, linecompat;
    char spantype[6];
} __attribute__((packed));

struct dahdi_maintinfo {
    int spanno, command;
};

struct dahdi_confinfo {
    int chan, confno, confmode;
};

struct dahdi_gains {
    int chan;
    unsigned char rxgain[256];
    unsigned char txgain[256];
};

struct dahdi_bufferinfo {
    int txbufpolicy, rxbufpolicy;
    int numbufs, bufsize;
    int readbufs, writebufs; /* always -1 */
};

struct dahdi_dialparams {
    int mfv1_tonelen, dtmf_tonelen, mfr2_tonelen; /* ms */
    int reserved[3];
};

struct dahdi_dialoperation {
    int op;
    char dialstr[256];
};

struct dahdi_echocanparam {
    char name[16];
    int32_t value;
};

/* The kernel's request number covers the head only; the parameters follow it in memory (at most 8). */
struct dahdi_echocanparams {
    uint32_t tap_length, param_count;
};

struct careline_echocan {
    struct dahdi_echocanparams head;
    struct dahdi_echocanparam params[8];
};

struct dahdi_ring_cadence {
    int ringcadence[16]; /* ms on, ms off, ...; a negative one marks where the loop begins */
};

struct dahdi_versioninfo {
    char version[80];
    char echo_canceller[80];
};

struct dahdi_hwgain {
    int32_t newgain; /* tenths of a dB */
    uint32_t tx;     /* the kernel reads bit 0: 1 transmit, 0 receive */
};

struct dahdi_dynamic_span {
    char driver[20];
    char addr[40];
    int numchans, timing, spanno;
};

#define DAHDI_FLUSH_BOTH          3 /* argument of DAHDI_FLUSH: 1 read, 2 write, 4 events */
#define DAHDI_FLUSH               _IOW(DAHDI_CODE, 3, int)
#define DAHDI_SYNC                _IO(DAHDI_CODE, 4)
#define DAHDI_GET_PARAMS          _IOWR(DAHDI_CODE, 5, struct dahdi_params)
#define DAHDI_SET_PARAMS          _IOW(DAHDI_CODE, 5, struct dahdi_params)
#define DAHDI_HOOK                _IOW(DAHDI_CODE, 7, int)
#define DAHDI_GETEVENT            _IOR(DAHDI_CODE, 8, int)
#define DAHDI_SPANSTAT            _IOWR(DAHDI_CODE, 10, struct dahdi_spaninfo)
#define DAHDI_MAINT               _IOW(DAHDI_CODE, 11, struct dahdi_maintinfo)
#define DAHDI_GETCONF             _IOWR(DAHDI_CODE, 12, struct dahdi_confinfo)
#define DAHDI_SETCONF             _IOWR(DAHDI_CODE, 13, struct dahdi_confinfo)
#define DAHDI_GETGAINS            _IOWR(DAHDI_CODE, 16, struct dahdi_gains)
#define DAHDI_SETGAINS            _IOW(DAHDI_CODE, 16, struct dahdi_gains)
#define DAHDI_SENDTONE            _IOW(DAHDI_CODE, 21, int)
#define DAHDI_GETTONEZONE         _IOR(DAHDI_CODE, 22, int)
#define DAHDI_SETTONEZONE         _IOW(DAHDI_CODE, 22, int)
#define DAHDI_GET_BUFINFO         _IOR(DAHDI_CODE, 27, struct dahdi_bufferinfo)
#define DAHDI_SET_BUFINFO         _IOW(DAHDI_CODE, 27, struct dahdi_bufferinfo)
#define DAHDI_GET_DIALPARAMS      _IOR(DAHDI_CODE, 29, struct dahdi_dialparams)
#define DAHDI_SET_DIALPARAMS      _IOW(DAHDI_CODE, 29, struct dahdi_dialparams)
#define DAHDI_DIAL                _IOW(DAHDI_CODE, 31, struct dahdi_dialoperation)
#define DAHDI_AUDIOMODE           _IOW(DAHDI_CODE, 32, int)
#define DAHDI_ECHOCANCEL          _IOW(DAHDI_CODE, 33, int)
#define DAHDI_ECHOCANCEL_PARAMS   _IOW(DAHDI_CODE, 33, struct dahdi_echocanparams)
#define DAHDI_CHANNO              _IOR(DAHDI_CODE, 34, int)
#define DAHDI_DIALING             _IOR(DAHDI_CODE, 35, int)
#define DAHDI_SPECIFY             _IOW(DAHDI_CODE, 38, int)
#define DAHDI_SETLAW              _IOW(DAHDI_CODE, 39, int)
#define DAHDI_SETLINEAR           _IOW(DAHDI_CODE, 40, int)
#define DAHDI_SETCADENCE          _IOW(DAHDI_CODE, 42, struct dahdi_ring_cadence)
#define DAHDI_GETRXBITS           _IOR(DAHDI_CODE, 43, int)
#define DAHDI_SETTXBITS           _IOW(DAHDI_CODE, 43, int)
#define DAHDI_ECHOTRAIN           _IOW(DAHDI_CODE, 50, int)
#define DAHDI_ONHOOKTRANSFER      _IOW(DAHDI_CODE, 51, int)
#define DAHDI_GETVERSION          _IOR(DAHDI_CODE, 57, struct dahdi_versioninfo)
#define DAHDI_LOOPBACK            _IOW(DAHDI_CODE, 58, int)
#define DAHDI_DYNAMIC_DESTROY     _IOW(DAHDI_CODE, 81, struct dahdi_dynamic_span)
#define DAHDI_SET_HWGAIN          _IOW(DAHDI_CODE, 86, struct dahdi_hwgain)
#define DAHDI_SETPOLARITY         _IOW(DAHDI_CODE, 92, int)
#define DAHDI_VMWI                _IOWR(DAHDI_CODE, 94, int)
#define DAHDI_STARTUP             _IOW(DAHDI_CODE, 99, int)
#define DAHDI_SHUTDOWN            _IOW(DAHDI_CODE, 100, int)
#define DAHDI_ECHOCANCEL_FAX_MODE _IOW(DAHDI_CODE, 102, int)
#define DAHDI_BUFFER_EVENTS       _IOW(DAHDI_CODE, 105, int)

#endif
