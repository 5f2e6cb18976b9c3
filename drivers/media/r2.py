"""R2 register signals as sound: two of six frequencies, 15 signals in each direction. Pure. Source: ITU-T Q.441, Q.454."""

from enum import IntEnum

from drivers.errors import MediaError
from drivers.media.values import Cadence, ToneStep

FORWARD_HZ = (1380, 1500, 1620, 1740, 1860, 1980)
BACKWARD_HZ = (1140, 1020, 900, 780, 660, 540)
LEVEL_DBM0 = -11.5  # each frequency. Source: Q.454
_WEIGHTS = (0, 1, 2, 4, 7, 11)  # a signal's number: the place of its lower frequency (0-5) and the weight of the higher one


class MfSet(IntEnum):
    """Which direction's signals are listened for."""

    NONE = 0
    FORWARD = 1
    BACKWARD = 2


def frequencies(signal: int, forward: bool) -> tuple[int, int]:
    """The two frequencies in Hz of signal 1 to 15. Raises: MediaError MED-014."""
    hz = FORWARD_HZ if forward else BACKWARD_HZ
    for high, heavy in enumerate(_WEIGHTS):
        low = signal - heavy
        if 0 <= low < high:
            return hz[low], hz[high]
    raise MediaError("MED-014", f"there is no R2 register signal {signal}", "Signals are 1 to 15")


def sound(signal: int, forward: bool, dbm0: float = LEVEL_DBM0) -> Cadence:
    """The signal, without end; `dbm0` is the level of each frequency. Raises: MediaError MED-014."""
    first, second = frequencies(signal, forward)
    return Cadence((ToneStep(first, second, dbm0),))
