"""The part of the media core's facade that measures a line: levels, echo, bit errors, and what was heard as stretches of tone and pause.

A base of `Engine`; same thread, same rules. Raises MediaError MED-015 where a result is asked for that was not switched on.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from enum import IntEnum
from typing import Any

import msgspec

from drivers.media.values import Cadence, ToneStep

MILLIWATT = Cadence((ToneStep(1004.0, dbm0=0.0),))  # Source: ITU-T O.133; 1004 Hz is no part of 8000 Hz
SWEEP_HZ = (300, 500, 800, 1020, 1500, 2000, 2700, 3400)
MAX_CAPTURE_MS = 60_000  # media.h, CM_CAPTURE_MS
_MOST_SEGMENTS = 1000


class Levels(msgspec.Struct, frozen=True):
    """Of the last 200 ms, in dBm0 (-90: nothing): received, sent, and the peaks as the level of a sine that has them."""

    rx_dbm0: float
    tx_dbm0: float
    rx_peak_dbm0: float
    tx_peak_dbm0: float
    windows: int


class BitErrors(msgspec.Struct, frozen=True):
    """Bits compared so far, errors among them, how often the pattern was lost (those bits do not count), and whether it is there now."""

    bits: int
    errors: int
    sync_losses: int
    synced: bool


class Sound(IntEnum):
    """What a stretch is."""

    PAUSE = 0
    TONE = 1
    OTHER = 2


class Segment(msgspec.Struct, frozen=True):
    """A stretch of what was heard. A tone has one frequency (`hz2` 0) or two, `hz1` the lower; `dbm0` is the level of all of it."""

    sound: Sound
    begin_ms: float
    ms: float
    dbm0: float
    hz1: float = 0.0
    hz2: float = 0.0


def sweep(dbm0: float = -10.0, each_ms: int = 1000) -> Cadence:
    """Eight frequencies across the voice band, one after another, over and over."""
    return Cadence(tuple(ToneStep(hz, dbm0=dbm0, on_ms=each_ms) for hz in SWEEP_HZ))


class Measuring(ABC):
    """What `Engine` can measure."""

    @abstractmethod
    def _do(self, what: str, function: str, *arguments: object) -> int: ...

    @abstractmethod
    def _fields(self, what: str, c_type: str, names: Iterable[str], function: str, port: int) -> dict[str, Any]: ...

    @abstractmethod
    def _rows(self, what: str, c_type: str, names: Iterable[str], most: int, function: str, port: int) -> list[dict[str, Any]]: ...

    def meter(self, port: int, on: bool = True) -> None:
        """Measure levels from now on."""
        self._do(f"level meter of port {port}", "cm_meter", port, on)

    def levels(self, port: int) -> Levels:
        """The levels of the last whole 200 ms; `windows` 0: there were none yet."""
        return Levels(**self._fields(f"levels of port {port}", "cm_levels", Levels.__struct_fields__, "cm_meter_levels", port))

    def echo(self, port: int, on: bool = True) -> None:
        """Send back what is received; octets as they are where nothing else sounds and no gain is set."""
        self._do(f"echo of port {port}", "cm_echo", port, on)

    def bit_error_test(self, port: int, on: bool = True) -> None:
        """Send the pattern of ITU-T O.151 (2^15 - 1 bits) in place of all else, and compare what is received with it."""
        self._do(f"bit error test of port {port}", "cm_bert", port, on)

    def bit_errors(self, port: int) -> BitErrors:
        """What the test has found so far."""
        found = self._fields(f"bit errors of port {port}", "cm_bit_errors", BitErrors.__struct_fields__, "cm_bert_result", port)
        return BitErrors(**found | {"synced": bool(found["synced"])})

    def capture(self, port: int, ms: int) -> None:
        """Keep what is heard for so long (up to 60 000 ms) from now on; 0: forget it."""
        self._do(f"keeping {ms} ms of port {port}", "cm_capture", port, ms)

    def segments(self, port: int) -> list[Segment]:
        """What was kept so far, as stretches without gaps. Frequencies are within 3 Hz for tones of 100 ms and more."""
        rows = self._rows(f"sounds of port {port}", "cm_segment", Segment.__struct_fields__, _MOST_SEGMENTS, "cm_segments", port)
        return [Segment(**row | {"sound": Sound(row["sound"])}) for row in rows]
