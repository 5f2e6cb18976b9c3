"""Every event the kernel can report on a channel: one row each, with what it means here. Pure.

Source: DAHDI's <dahdi/user.h>, DAHDI_EVENT_*; remarks on when they come were seen in the line lab.
"""

import msgspec

from drivers.io import LineEvent

DIGIT_MASK = 0xFFFF
PULSE_DIGIT = 1 << 16
DTMF_DOWN = 1 << 17
DTMF_UP = 1 << 18


class EventRow(msgspec.Struct, frozen=True):
    """One kernel event and its meaning in a sentence for logs."""

    event: LineEvent
    meaning: str


ROWS = (
    EventRow(LineEvent.NONE, "nothing waits"),
    EventRow(LineEvent.ONHOOK, "far side hung up: handset down (FXS port) or loop current gone (FXO port)"),
    EventRow(LineEvent.RINGOFFHOOK, "handset lifted (FXS port), ring burst ended (FXO port), seizure (E&M)"),
    EventRow(LineEvent.WINKFLASH, "hook flash (FXS port) or wink (E&M)"),
    EventRow(LineEvent.ALARM, "span or channel went into alarm"),
    EventRow(LineEvent.NOALARM, "alarm is over"),
    EventRow(LineEvent.ABORT, "HDLC frame was aborted (D channel)"),
    EventRow(LineEvent.OVERRUN, "HDLC receiver overran (D channel)"),
    EventRow(LineEvent.BADFCS, "HDLC frame with a bad check sum (D channel)"),
    EventRow(LineEvent.DIALCOMPLETE, "driver has dialled all digits"),
    EventRow(LineEvent.RINGERON, "ring burst towards the handset begins (FXS port)"),
    EventRow(LineEvent.RINGEROFF, "ring burst towards the handset ends (FXS port)"),
    EventRow(LineEvent.HOOKCOMPLETE, "hook change asked for is done"),
    EventRow(LineEvent.BITSCHANGED, "CAS bits changed; read them with rx_bits"),
    EventRow(LineEvent.PULSE_START, "first pulse of a pulse-dialled digit"),
    EventRow(LineEvent.TIMER_EXPIRED, "timer descriptor: expired"),
    EventRow(LineEvent.TIMER_PING, "timer descriptor: ping"),
    EventRow(LineEvent.POLARITY, "polarity of the loop was reversed"),
    EventRow(LineEvent.RINGBEGIN, "ring burst begins (FXO port)"),
    EventRow(LineEvent.EC_DISABLED, "echo canceller switched itself off (modem answer tone)"),
    EventRow(LineEvent.REMOVED, "card was unplugged; the channel must be closed"),
    EventRow(LineEvent.NEONMWI_ACTIVE, "message-waiting lamp voltage seen"),
    EventRow(LineEvent.NEONMWI_INACTIVE, "message-waiting lamp voltage gone"),
    EventRow(LineEvent.TX_CED_DETECTED, "fax answer tone sent by us"),
    EventRow(LineEvent.RX_CED_DETECTED, "fax answer tone received"),
    EventRow(LineEvent.TX_CNG_DETECTED, "fax calling tone sent by us"),
    EventRow(LineEvent.RX_CNG_DETECTED, "fax calling tone received"),
    EventRow(LineEvent.EC_NLP_DISABLED, "non-linear part of the echo canceller off"),
    EventRow(LineEvent.EC_NLP_ENABLED, "non-linear part of the echo canceller on"),
    EventRow(LineEvent.READ_OVERRUN, "received blocks were lost because nobody read them"),
    EventRow(LineEvent.WRITE_UNDERRUN, "nothing was there to send"),
    *(EventRow(LineEvent(PULSE_DIGIT | ord(digit)), f"{digit} was dialled by pulses (FXS port)") for digit in "0123456789*#"),
)

MEANING = {row.event: row.meaning for row in ROWS}


class DigitEvent(msgspec.Struct, frozen=True):
    """A digit the card or driver decoded: pulses counted, or DTMF key down/up of cards with a detector.
    `kind` is pulse, down or up."""

    kind: str
    digit: str


_DIGIT_KINDS = ((PULSE_DIGIT, "pulse"), (DTMF_DOWN, "down"), (DTMF_UP, "up"))


def decode(value: int) -> LineEvent | DigitEvent | None:
    """A value of DAHDI_GETEVENT as an event; None for a number this table does not know (a newer kernel)."""
    for flag, kind in _DIGIT_KINDS:
        if value & flag:
            return DigitEvent(kind=kind, digit=chr(value & DIGIT_MASK))
    try:
        return LineEvent(value)
    except ValueError:
        return None
