"""What the media core is told and what it tells, as typed values. Pure: no audio, no threads; the numbers are media.h's."""

from enum import IntEnum

import msgspec


class Law(IntEnum):
    """Companding of a port's bytes."""

    ALAW = 0
    ULAW = 1


class End(IntEnum):
    """Ends of a virtual line: the box's and the world's."""

    NEAR = 0
    FAR = 1


class EventKind(IntEnum):
    """What happened; the fields of `MediaEvent` that each one uses are told in media.h."""

    PLAY_DONE = 1
    DIGIT = 2
    DIGIT_END = 3
    TONE = 4
    SPEECH = 5
    SILENCE = 6
    RECORD_DONE = 7
    RECORD_GAP = 8
    LINE_EVENT = 9
    IO_ERROR = 10
    DIGITS_SENT = 11
    UNDERRUN = 12
    EVENTS_LOST = 13
    MF = 14
    CALLER_ID = 15
    KEYS_UNMASKED = 16


class PlayEnding(IntEnum):
    """`value` of PLAY_DONE."""

    FINISHED = 0
    BARGED = 1
    STOPPED = 2


class Tone(IntEnum):
    """Tones that can be detected; the first four also made, by country."""

    DIAL = 1
    RINGBACK = 2
    BUSY = 3
    CONGESTION = 4
    CNG = 5
    CED = 6


class Fault(IntEnum):
    """What can be wrong with one direction of a virtual line."""

    CUT = 1
    SILENCE = 2
    FREEZE = 3
    NOISE = 4
    ECHO = 5
    GAIN = 6
    STALL = 7


class EngineConfig(msgspec.Struct, frozen=True):
    """Sizes of an engine. `record_ring_ms` of audio per recording outlive a slow disk; unused ring takes no memory."""

    max_ports: int = 512
    max_lines: int = 512
    max_recordings: int = 1024
    commands: int = 4096
    events: int = 8192
    record_ring_ms: int = 8000
    flush_ms: int = 500
    realtime_priority: int = 50


class MediaEvent(msgspec.Struct, frozen=True):
    """One event. `port` is -1 for the engine's own; `at` is the engine's sample clock of the frame it happened in."""

    kind: EventKind
    port: int
    id: int
    value: int
    value2: int
    samples: int
    at: int

    @property
    def digit(self) -> str:
        """The key of DIGIT and DIGIT_END."""
        return chr(self.value)


class MediaStats(msgspec.Struct, frozen=True):
    """Figures since start or the last reset (`ticks`, `samples`, gaps, losses and CPU times: since start)."""

    ticks: int
    samples: int
    late_ticks: int
    tick_late_ms_p50: float
    tick_late_ms_p99: float
    tick_late_ms_p999: float
    tick_late_ms_max: float
    tick_busy_us_p50: float
    tick_busy_us_p999: float
    tick_busy_us_max: float
    underruns: int
    events_lost: int
    commands_refused: int
    record_gap_samples: int
    disk_ms_max: float
    ports_active: int
    recordings_active: int
    realtime: bool
    memory_locked: bool
    tick_cpu_ns: int
    writer_cpu_ns: int


class ToneStep(msgspec.Struct, frozen=True):
    """One step of a tone. `hz2` 0: one frequency; `hz1` 0: a pause; `on_ms` 0: until stopped. `dbm0` is each frequency's level."""

    hz1: float
    hz2: float = 0.0
    dbm0: float = -13.0
    on_ms: int = 0
    off_ms: int = 0


class Cadence(msgspec.Struct, frozen=True):
    """Up to 8 steps, once or over and over."""

    steps: tuple[ToneStep, ...]
    repeat: bool = True


class TonePlan(msgspec.Struct, frozen=True):
    """How a switch's tones sound; None: it has no such tone. Off by `hz_percent` (0.5 to 6) or `ms_percent` (5 to 50) they still count."""

    dial: Cadence | None = None
    ringback: Cadence | None = None
    busy: Cadence | None = None
    congestion: Cadence | None = None
    hz_percent: float = 2.0
    ms_percent: int = 20
