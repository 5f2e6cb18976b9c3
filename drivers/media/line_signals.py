"""The part of the media core's facade that signalling on the line itself needs: R2 register signals and caller id.

A base of `Engine`; same thread, same rules.
"""

from abc import ABC, abstractmethod
from enum import IntEnum

from drivers.media import r2
from drivers.media.values import Cadence

CALLER_ID_DBM0 = -13.5  # Source: GR-30-CORE, ETSI EN 300 659-1
SEIZURE_BITS = 300
_MESSAGE_BYTES = 257  # media.h, CM_MESSAGE_LEN


class Fsk(IntEnum):
    """Modems of caller id."""

    BELL202 = 0
    V23 = 1


class LineSignals(ABC):
    """What `Engine` can do with signals of the line."""

    @abstractmethod
    def _do(self, what: str, function: str, *arguments: object) -> int: ...

    @abstractmethod
    def _bytes(self, what: str, most: int, function: str, *arguments: object) -> bytes: ...

    @abstractmethod
    def tone(self, port: int, cadence: Cadence | None) -> None: ...

    def mf(self, port: int, signal: int, forward: bool, dbm0: float = r2.LEVEL_DBM0) -> None:
        """Sound an R2 register signal (1-15) until something else is sounded; 0: silence. In the place of `tone`, so never two at once."""
        self.tone(port, r2.sound(signal, forward, dbm0) if signal else None)

    def detect_mf(self, port: int, which: r2.MfSet) -> None:
        """Report R2 register signals of one direction from now on (MF, 1-15 or 0 at its end); MfSet.NONE: no more."""
        self._do(f"R2 register signals on port {port}", "cm_detect_mf", port, which)

    def detect_caller_id(self, port: int, on: bool = True) -> None:
        """Report messages of caller id by FSK, Bell 202 and V.23 (CALLER_ID; value 0: one came that cannot be read)."""
        self._do(f"caller id on port {port}", "cm_detect_caller_id", port, on)

    def take_caller_id(self, port: int) -> bytes:
        """The message CALLER_ID told of: type, length, content; no check sum. Empty: there is none."""
        return self._bytes(f"caller id of port {port}", _MESSAGE_BYTES, "cm_take_caller_id", port)

    def send_caller_id(
        self, port: int, message: bytes, fsk: Fsk = Fsk.BELL202, seizure_bits: int = SEIZURE_BITS, dbm0: float = CALLER_ID_DBM0
    ) -> None:
        """Send such a message (DIGITS_SENT tells the end). `seizure_bits` 0 for a set that is off-hook.

        Raises: MediaError MED-014 when its length byte is wrong.
        """
        what = f"caller id of {len(message)} bytes on port {port}"
        self._do(what, "cm_send_caller_id", port, fsk, message, len(message), seizure_bits, dbm0)
