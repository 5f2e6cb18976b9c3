"""How the lines of an exchange behave: a profile (`[lines.analog]`, `[[lines.profiles]]`), chosen by channel or by group. Pure struct.

Defaults suit Chinese exchanges. Sources: GB/T 3378 (ringing 1 s on, 4 s off; tones), YD/T 1277 (caller id by FSK and DTMF).
"""

from typing import Literal

import msgspec

from drivers.signalling.tone_text import tone_parts

HangupTone = Literal["busy", "congestion", "dial"]


class LineTones(msgspec.Struct, frozen=True, kw_only=True):
    """Tones of the line's own switch (`[lines.profiles.tones]`), as "450/350,0/350"; empty: those of the country."""

    dial: str = ""
    ringback: str = ""
    busy: str = ""
    congestion: str = ""

    def __post_init__(self) -> None:
        for text in self.written().values():
            tone_parts(text)

    def written(self) -> dict[str, str]:
        """Those that are not the country's, by name."""
        return {name: text for name, text in msgspec.structs.asdict(self).items() if text}


class LineProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One way lines behave. A profile with `channels` ("1-8,12") is for those; a group names one by `profile`; else `[lines.analog]`.

    Ringing. ring_confirm_ms: shorter ringing is taken for noise. ring_timeout_ms: no ring for so long means the caller gave up.
    Caller id. caller_id: standards listened for, none: calls are offered with the first ring. caller_id_begins: what comes before the
    first sign of it: the first "ring", a "polarity" reversal of the loop, or nothing ("idle": the line is always listened to, for
    exchanges that send DTMF unannounced). A call without it is offered with the second ring, or caller_id_wait_ms after the first: one
    whose caller hung up meanwhile too, then, since that is known ring_timeout_ms after a ring.
    Calling out. dialling; dial_tone_wait_ms: patience for dial tone, then dial all the same if dial_without_tone.
    answer: what counts as answered: "tone" (ringback stops, or no tone at all for assume_answer_ms), "voice" (as tone, and somebody
    speaks), "polarity" (the exchange reverses the loop) or "dialled" (at once when the number is sent).
    ringback_gap_ms: longest pause within ringback. ring_out_ms: ringback as long as this and then busy tone is nobody answering.
    Hanging up. hangup_tones: tones that mean in a call that the far end has gone; hangup_sure_ms: how much longer than it takes to know
    them they must go on. hangup_by_polarity: the exchange turns the loop back. release_guard_ms: on-hook at least so long between calls.
    Behind a switch. flash_ms: the loop opens so long. recall_wait_ms: patience for the switch's dial tone after a flash.
    back_digits: dialled after a flash to have the caller back, where the flash alone is not enough.
    """

    name: str = ""
    channels: str = ""
    tones: LineTones = LineTones()
    ring_confirm_ms: int = 200
    ring_timeout_ms: int = 6000
    caller_id: tuple[Literal["fsk", "dtmf"], ...] = ("fsk", "dtmf")
    caller_id_begins: Literal["ring", "polarity", "idle"] = "ring"
    caller_id_wait_ms: int = 8000
    dialling: Literal["dtmf", "pulse"] = "dtmf"
    dial_tone_wait_ms: int = 3000
    dial_without_tone: bool = True
    answer: Literal["tone", "voice", "polarity", "dialled"] = "voice"
    assume_answer_ms: int = 8000
    ringback_gap_ms: int = 4500
    ring_out_ms: int = 25_000
    hangup_tones: tuple[HangupTone, ...] = ("busy", "congestion")
    hangup_sure_ms: int = 0
    hangup_by_polarity: bool = False
    release_guard_ms: int = 1000
    flash_ms: int = 300
    recall_wait_ms: int = 3000
    back_digits: str = ""

    def __post_init__(self) -> None:
        for name, (lowest, highest) in LIMITS_MS.items():
            if not lowest <= getattr(self, name) <= highest:
                raise ValueError(f"{name} must be {lowest} to {highest}")
        if not set(self.back_digits) <= set("0123456789*#ABCDw"):
            raise ValueError("back_digits are 0-9 * # A-D, and w for a pause of 500 ms")


LIMITS_MS = {
    "ring_confirm_ms": (20, 2000),
    "ring_timeout_ms": (1000, 30_000),
    "caller_id_wait_ms": (500, 15_000),
    "dial_tone_wait_ms": (200, 30_000),
    "assume_answer_ms": (1000, 60_000),
    "ringback_gap_ms": (500, 15_000),
    "ring_out_ms": (5000, 300_000),
    "hangup_sure_ms": (0, 10_000),
    "release_guard_ms": (20, 10_000),
    "flash_ms": (50, 1200),  # over 1250 ms is a hang-up to the kernel. Source: dahdi/kernel.h, DAHDI_DEFAULT_RXFLASHTIME
    "recall_wait_ms": (200, 15_000),
}
