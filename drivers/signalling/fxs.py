"""A telephone set on our FXS port (kernel: fxoks, fxols): we ring it, or it goes off-hook by itself. Pure; line server's event loop.

The machine that walks the table is `analog_machine`, what a row does is in `fxs_rows`.
Source: DAHDI's event names; Q.850 causes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from drivers.protocol import Cause, LegPhase
from drivers.signalling import StartTimer
from drivers.signalling.analog_machine import Actions, AnalogLine, AnalogTimings, Table, nothing, quiet
from drivers.signalling.analog_rows import (
    end,
    far_hung_up,
    hang_up,
    idle,
    no_answer,
)
from drivers.signalling.fxs_rows import (
    hush,
    idle_then_set_lifted,
    park,
    ring_set,
    set_answered,
    set_down,
    set_lifted,
)


class Fxo(StrEnum):
    """States of a telephone set."""

    IDLE = "idle"
    RINGING = "ringing"
    OFFERED = "offered"
    ANSWERED = "answered"
    PARKED = "parked"
    GUARD = "guard"
    LIFTED = "lifted"


S = Fxo

# Marks on the line that mean nothing in that state.
_QUIET: Mapping[StrEnum, tuple[str, ...]] = {
    S.IDLE: ("ONHOOK", "RINGERON", "RINGEROFF", "WINKFLASH", "NumberSent", "AnswerWanted", "ReleaseWanted"),
    S.RINGING: ("ONHOOK", "RINGERON", "RINGEROFF", "WINKFLASH"),
    S.OFFERED: ("RINGOFFHOOK", "RINGERON", "RINGEROFF", "WINKFLASH"),
    S.ANSWERED: ("RINGOFFHOOK", "RINGERON", "RINGEROFF", "WINKFLASH", "NumberSent", "AnswerWanted"),
    S.PARKED: ("RINGOFFHOOK", "RINGERON", "RINGEROFF", "WINKFLASH", "NumberSent", "AnswerWanted", "ReleaseWanted"),
    S.GUARD: ("ONHOOK", "RINGERON", "RINGEROFF", "WINKFLASH", "NumberSent", "AnswerWanted", "ReleaseWanted"),
    S.LIFTED: ("RINGOFFHOOK", "RINGERON", "RINGEROFF", "WINKFLASH", "NumberSent", "AnswerWanted", "ReleaseWanted"),
}  # fmt: skip


class FxoSignalled(AnalogLine):
    """A telephone set on our FXS port."""

    resting = S.IDLE
    in_call = frozenset({S.RINGING, S.OFFERED, S.ANSWERED})
    timers: ClassVar[Mapping[StrEnum, tuple[str, ...]]] = {
        S.IDLE: (), S.RINGING: ("no_answer",), S.OFFERED: (), S.ANSWERED: (), S.PARKED: ("lockout",), S.GUARD: ("guard",),
        S.LIFTED: ("guard",),
    }  # fmt: skip
    table: ClassVar[Table] = {
        **quiet(_QUIET),
        (S.IDLE, "RINGOFFHOOK"): (set_lifted, S.OFFERED),
        (S.IDLE, "CallWanted"): (ring_set, S.RINGING),
        (S.RINGING, "RINGOFFHOOK"): (set_answered, S.ANSWERED),
        (S.RINGING, "timer no_answer"): (no_answer, S.GUARD),
        (S.RINGING, "ReleaseWanted"): (hang_up, S.GUARD),
        (S.OFFERED, "AnswerWanted"): (set_answered, S.ANSWERED),
        (S.OFFERED, "ONHOOK"): (far_hung_up, S.GUARD),
        (S.OFFERED, "ReleaseWanted"): (park, S.PARKED),
        (S.ANSWERED, "ONHOOK"): (far_hung_up, S.GUARD),
        (S.ANSWERED, "ReleaseWanted"): (park, S.PARKED),
        (S.PARKED, "timer lockout"): (hush, S.PARKED),
        (S.PARKED, "ONHOOK"): (set_down, S.GUARD),
        (S.GUARD, "timer guard"): (idle, S.IDLE),
        (S.GUARD, "RINGOFFHOOK"): (nothing, S.LIFTED),  # the kernel takes no order while the battery is dropped
        (S.LIFTED, "timer guard"): (idle_then_set_lifted, S.OFFERED),
        (S.LIFTED, "ONHOOK"): (nothing, S.GUARD),
    }

    def __init__(self, channel: int, timings: AnalogTimings) -> None:
        super().__init__(channel, timings.release_guard_ms)
        self.timings = timings

    def _adopt(self, phase: LegPhase) -> Actions:
        match phase:
            case LegPhase.OFFERED:
                return self._adopt_into(S.OFFERED)
            case LegPhase.ANSWERED:
                return self._adopt_into(S.ANSWERED)
            case LegPhase.ALERTING:
                return self._adopt_into(S.RINGING, StartTimer("no_answer", self.wanted.no_answer_ms))
        return self._adopt_into(S.GUARD, *end(self, Cause.TEMPORARY_FAILURE, by_far_end=False))
