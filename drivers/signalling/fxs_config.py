"""How telephone sets are served (`[lines.sets]`). Pure structs."""

from typing import Literal

import msgspec

SHORTEST_RING_MS, LONGEST_RING_MS = 100, 10_000
MAX_CADENCE = 16  # Source: dahdi/user.h, DAHDI_MAX_CADENCE


class SetPort(msgspec.Struct, frozen=True, kw_only=True):
    """Sets unlike the others (`[[lines.sets.ports]]`); `channels` as "5-8,12".

    mode: a "headset" is always off-hook: lifted it takes calls, which arrive by a beep; it does not dial. answer: whether its calls are
    answered at once, after an `announcement` (a WAV file) if there is one, or by `answer_key` or a flash.
    hotline: what a telephone calls when lifted, at once or after so long without a digit.
    """

    channels: str
    mode: Literal["telephone", "headset"] = "telephone"
    answer: Literal["at_once", "key"] = "at_once"
    answer_key: str = "*"
    announcement: str = ""
    hotline: str = ""
    hotline_after_ms: int = 0


class Rings(msgspec.Struct, frozen=True, kw_only=True):
    """Ring cadences in ms on, off, on, off …; none: the country's. By kind of call: of another set, from outside, one that
    beeped in the set's conversation and was not taken."""

    internal: tuple[int, ...] = (400, 200, 400, 4000)
    external: tuple[int, ...] = ()
    recall: tuple[int, ...] = (300, 200, 300, 200, 300, 3700)

    def of(self, kind: str) -> tuple[int, ...]:
        """The cadence of that kind; of one not told here, the country's."""
        return getattr(self, kind, ()) if kind in self.__struct_fields__ else ()


class SetsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Section `[lines.sets]`. Times of tones: Source: YD/T 729, first digit 10-20 s, between digits 20 s at most.

    first_digit_ms, next_digit_ms: patience while somebody dials. release_guard_ms: on-hook at least so long between two calls (a set's
    battery drop takes the kernel 800 ms). busy_tone_ms: then the howler for howler_ms, then silence until the set is put down.
    flash: whether a short press of the hook is one; flash_max_ms: longer is a hang-up.
    caller_id: how the caller's number is told to a set: "fsk" (Bell 202) or "v23" after the first ring, "dtmf" before it, which may take
    caller_id_limit_ms. caller_id_after_ms: from the end of the first ring. Source: ETSI EN 300 659-1, 500 to 1500 ms.
    beep_ms: the beep of a headset's call.
    """

    first_digit_ms: int = 15_000
    next_digit_ms: int = 4_000
    release_guard_ms: int = 1_000
    busy_tone_ms: int = 40_000
    howler_ms: int = 60_000
    flash: bool = True
    flash_max_ms: int = 1_000
    caller_id: Literal["fsk", "v23", "dtmf", "none"] = "fsk"
    caller_id_after_ms: int = 600
    caller_id_limit_ms: int = 5_000
    beep_ms: int = 500
    rings: Rings = Rings()
    ports: tuple[SetPort, ...] = ()
