"""What the kernel interface says and takes, as frozen values. Pure: nothing here touches a device.

Numbers are the kernel's own. Source: DAHDI's <dahdi/user.h>.
"""

from enum import IntEnum, IntFlag

import msgspec

from drivers.io import Signalling

BLOCK_SAMPLES = 160
MAX_BUFFERS = 32
"""DAHDI_MAX_NUM_BUFS."""
DEVICE_DIR = "/dev/dahdi"
DIGITAL_SPANS = ("E1", "T1", "J1", "BRI")
"""Types of spans with timeslots, as DAHDI_SPANSTAT tells them."""


class Law(IntEnum):
    """Companding of a channel, DAHDI_LAW_*."""

    DEFAULT = 0
    ULAW = 1
    ALAW = 2


class Policy(IntEnum):
    """When the kernel begins to move buffers, DAHDI_POLICY_*. HALF_FULL exists for sending only."""

    IMMEDIATE = 0
    WHEN_FULL = 1
    HALF_FULL = 2


class Flush(IntFlag):
    """What DAHDI_FLUSH throws away."""

    READ = 1
    WRITE = 2
    BOTH = 3
    EVENT = 4
    ALL = 7


class DialOperation(IntEnum):
    """DAHDI_DIAL_OP_*."""

    APPEND = 1
    REPLACE = 2
    CANCEL = 3


class Alarm(IntFlag):
    """Alarm bits of a span or channel, DAHDI_ALARM_*; the names are the words used in reports."""

    RECOVER = 1
    LOOPBACK = 2
    YELLOW = 4
    RED = 8
    BLUE = 16
    NOTOPEN = 32
    LOS = 256
    LFA = 512
    LMFA = 1024


class ConfMode(IntEnum):
    """The two conference modes used; mixing is the media core's."""

    NORMAL = 0
    DIGITAL_MONITOR = 9


CONF_MODE_MASK = 0xFF

_SIG_CLEAR = 1 << 7
_SIG_HDLC_RAW = 1 << 8 | _SIG_CLEAR
_SIG_HDLC_FCS = 1 << 9 | _SIG_HDLC_RAW
_SIG_HARD_HDLC = 1 << 19 | _SIG_CLEAR
_FXO = 1 << 12
_FXS = 1 << 13

SIGNALLING_OF_TYPE = {
    1 << 0 | _FXS: Signalling.FXSLS,
    1 << 2 | _FXS: Signalling.FXSKS,
    1 << 3 | _FXO: Signalling.FXOLS,
    1 << 5 | _FXO: Signalling.FXOKS,
    1 << 15: Signalling.CAS,
    _SIG_CLEAR: Signalling.BCHAN,
    _SIG_HDLC_FCS: Signalling.DCHAN,
    _SIG_HARD_HDLC: Signalling.DCHAN,
}
"""The kernel's sigtype to our words; a channel of any other type is not ours to open."""

CALLED_SIDE = frozenset({Signalling.FXSKS, Signalling.FXSLS})
"""Signalling of FXO ports: the exchange feeds the loop and rings."""
CALLING_SIDE = frozenset({Signalling.FXOKS, Signalling.FXOLS})
"""Signalling of FXS ports: we feed the loop and ring."""


class BufferPolicy(msgspec.Struct, frozen=True):
    """How many blocks the kernel keeps each way (2..32), and when it begins to send them. A block is a frame on a D-channel."""

    blocks: int
    write: Policy
    read: Policy = Policy.IMMEDIATE
    block_bytes: int = BLOCK_SAMPLES

    def __post_init__(self) -> None:
        if not 2 <= self.blocks <= MAX_BUFFERS:
            raise ValueError(f"blocks must be 2..{MAX_BUFFERS}, not {self.blocks}")


FCS_BYTES = 2
FRAME_BUFFERS = BufferPolicy(blocks=32, write=Policy.IMMEDIATE, block_bytes=512)
"""Of a D-channel. Roomier than a frame may be: one that fills a buffer is told as OVERRUN and lost. Together at most 32768 bytes."""


class ChannelParams(msgspec.Struct, frozen=True):
    """One channel as the kernel describes it (DAHDI_GET_PARAMS). Bits are -1 where the card has none."""

    number: int
    span: int
    timeslot: int
    sigtype: int
    name: str
    law: Law
    rx_offhook: bool
    rx_bits: int
    tx_bits: int
    alarms: Alarm
    capabilities: int = 0

    @property
    def possible(self) -> tuple[Signalling, ...]:
        """What the port can be set up for. Source: dahdi/user.h, sigcap is the union of all sigtypes it can have."""
        can = (word for sigtype, word in SIGNALLING_OF_TYPE.items() if self.capabilities & sigtype == sigtype)
        return tuple(dict.fromkeys(can))

    @property
    def signalling(self) -> Signalling | None:
        """Our word for the kernel's sigtype, None when not configured or not ours."""
        return SIGNALLING_OF_TYPE.get(self.sigtype)


class SpanRecord(msgspec.Struct, frozen=True):
    """One span with its counters (DAHDI_SPANSTAT)."""

    number: int
    name: str
    description: str
    alarms: Alarm
    channels_configured: int
    channels_total: int
    spans_total: int
    span_type: str
    manufacturer: str
    device_type: str
    location: str
    sync_source: int
    irq_misses: int
    bipolar_violations: int
    crc4_errors: int
    e_bit_errors: int
    frame_errors: int


class EchoCanceller(msgspec.Struct, frozen=True):
    """Echo canceller to switch on: taps of 125 us (32, 64 .. 1024) and the module's own parameters (mg2:
    aggressive=0|1)."""

    taps: int = 256
    parameters: tuple[tuple[str, int], ...] = ()


def alarm_words(alarms: Alarm) -> tuple[str, ...]:
    """Alarm bits as words, lowest bit first: ("red", "los")."""
    return tuple(alarm.name.lower() for alarm in Alarm if alarm in alarms and alarm.name)
