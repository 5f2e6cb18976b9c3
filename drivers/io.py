"""What a card looks like to the line server, whichever card it is: the contract of `dahdi` and `virtual`.

A trunk is I/O x signalling. This is the I/O half: hook, ring, events, audio joined to a media port, spans and their alarms.
No policy lives here. Used from the line server's event loop only.
"""

from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Protocol

import msgspec

MAX_FRAME_BYTES = 264
"""Of a D-channel's frame without check sum: 260 of information, 2 of address, 2 of control. Source: Q.921 clauses 2.1 and 5.9.3."""


class Signalling(StrEnum):
    """How a channel is signalled, in DAHDI's words. An FXO port speaks FXS signalling (`fxsks`) and the other way round."""

    FXSKS = "fxsks"
    FXSLS = "fxsls"
    FXOKS = "fxoks"
    FXOLS = "fxols"
    BCHAN = "bchan"
    DCHAN = "dchan"
    CAS = "cas"


class Hook(IntEnum):
    """What can be done to a channel's loop; values of the kernel's DAHDI_HOOK. Source: dahdi/user.h."""

    ON = 0
    OFF = 1
    WINK = 2
    FLASH = 3
    START = 4
    RING = 5
    RING_OFF = 6


class LineEvent(IntEnum):
    """Events of a channel, numbered as the kernel numbers them. Source: dahdi/user.h, DAHDI_EVENT_*."""

    NONE = 0
    ONHOOK = 1
    RINGOFFHOOK = 2
    WINKFLASH = 3
    ALARM = 4
    NOALARM = 5
    ABORT = 6
    OVERRUN = 7
    BADFCS = 8
    DIALCOMPLETE = 9
    RINGERON = 10
    RINGEROFF = 11
    HOOKCOMPLETE = 12
    BITSCHANGED = 13
    PULSE_START = 14
    TIMER_EXPIRED = 15
    TIMER_PING = 16
    POLARITY = 17
    RINGBEGIN = 18
    EC_DISABLED = 19
    REMOVED = 20
    NEONMWI_ACTIVE = 21
    NEONMWI_INACTIVE = 22
    TX_CED_DETECTED = 23
    RX_CED_DETECTED = 24
    TX_CNG_DETECTED = 25
    RX_CNG_DETECTED = 26
    EC_NLP_DISABLED = 27
    EC_NLP_ENABLED = 28
    READ_OVERRUN = 29
    WRITE_UNDERRUN = 30
    PULSE_HASH = 65571  # a digit that a set dialled by pulses: DAHDI_EVENT_PULSEDIGIT and the digit's character
    PULSE_STAR = 65578
    PULSE_0 = 65584
    PULSE_1 = 65585
    PULSE_2 = 65586
    PULSE_3 = 65587
    PULSE_4 = 65588
    PULSE_5 = 65589
    PULSE_6 = 65590
    PULSE_7 = 65591
    PULSE_8 = 65592
    PULSE_9 = 65593


class ChannelSpec(msgspec.Struct, frozen=True):
    """One channel as the card knows it."""

    number: int
    span: int
    timeslot: int
    signalling: Signalling
    name: str
    law: str = "alaw"


class SpanStatus(msgspec.Struct, frozen=True):
    """One span as it stands now; `alarms` in the kernel's words (red, yellow, blue, loopback, recover, notopen)."""

    number: int
    name: str
    description: str
    channels: int
    alarms: tuple[str, ...] = ()


EventHandler = Callable[[int, LineEvent], None]
SpanHandler = Callable[[SpanStatus], None]


class ChannelIO(Protocol):
    """One opened channel. Every method returns at once; what happens later arrives as a LineEvent.

    Raises: LineError when the card refuses (unplugged, not open, unknown to the kernel).
    """

    spec: ChannelSpec

    def set_hook(self, hook: Hook) -> None:
        """Change the loop's state (seize, hang up, ring, flash)."""

    def is_offhook(self) -> bool:
        """True when the far side of this channel holds the loop closed or rings, as far as the card can tell (adoption)."""

    def attach(self, port: int) -> None:
        """Begin moving audio between this channel and the media port of that number."""

    def detach(self) -> None:
        """Stop moving audio; the channel stays open."""

    def bits(self) -> int:
        """CAS bits the far side sends now, ABCD as 8 4 2 1; changes are LineEvent.BITSCHANGED."""

    def set_bits(self, bits: int) -> None:
        """CAS bits to send from now on."""

    def dial_pulses(self, digits: str) -> None:
        """Dial by interrupting the loop; LineEvent.DIALCOMPLETE at the end. Only 0-9, and off-hook. No audio moves meanwhile; it
        goes on by itself."""

    def set_polarity(self, reversed_: bool) -> None:
        """Polarity of a set's loop."""

    def show_message_waiting(self, on: bool) -> None:
        """The lamp of a set."""

    def set_ring_cadence(self, cadence_ms: tuple[int, ...]) -> None:
        """How a set rings from the next Hook.RING on: ms on, off, on, off …, up to 16; empty: as the country does."""

    def set_flash_limit(self, ms: int) -> None:
        """A set's loop that is open for longer is hung up, for less a flash (WINKFLASH)."""

    def allow_on_hook_audio(self, for_ms: int) -> None:
        """Let sound through to a set that is on-hook, for so long (caller id)."""

    def native_bridge(self, other: "ChannelIO") -> bool:
        """Join two channels inside the card. False if this pair cannot be joined there (then the media core mixes)."""

    def native_unbridge(self) -> None:
        """Part this channel from its partner; both keep their audio with their media ports."""

    def native_peer(self) -> int | None:
        """Number of the channel this one is joined to inside the card, asked of the card itself (adoption after a crash)."""

    def store_fd(self) -> int | None:
        """The descriptor that keeps this channel alive when the process dies, None for a card in software."""

    def close(self) -> None:
        """Give the channel back: audio stops, the loop goes on-hook."""


class LinkIO(Protocol):
    """One opened D-channel: frames in and out, check sums made and checked by the card. Line events come as a channel's do."""

    spec: ChannelSpec

    def send(self, frame: bytes) -> bool:
        """Queue a frame of 1 to MAX_FRAME_BYTES, without check sum. False when there is no room or no card: it is lost, as on a bad
        line."""

    def close(self) -> None:
        """Give the channel back."""


class Card(Protocol):
    """All channels of one driver."""

    def spans(self) -> tuple[SpanStatus, ...]:
        """Every span with its alarms, as it stands now."""

    def channels(self) -> tuple[ChannelSpec, ...]:
        """Every channel that is configured and can be opened."""

    def open(self, number: int, adopted_fd: int | None = None) -> ChannelIO:
        """Open a channel, or take it over by a descriptor that survived an earlier process."""

    def open_link(self, number: int, on_frame: Callable[[bytes], None]) -> LinkIO:
        """Open a D-channel; every good frame is told, without check sum. Raises: LineError."""

    def start(self, on_event: EventHandler, on_span: SpanHandler) -> None:
        """Begin reporting, on the running event loop."""

    def line_event(self, number: int, event: LineEvent) -> None:
        """An event of that channel that the media core's tick thread fetched (the kernel's "event pending" trap)."""

    def close(self) -> None:
        """Close all channels and stop reporting."""
