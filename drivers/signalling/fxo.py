"""A line of the exchange on our FXO port (kernel: fxsks, fxsls): ringing comes in, we seize and dial. Pure; line server's event loop.

The machine that walks the table is `analog_machine`, what a row does is in `fxo_rows`.
Source: DAHDI's event names; Q.850 causes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from drivers.protocol import Cause, LegPhase
from drivers.signalling import Input, StartTimer
from drivers.signalling.analog_machine import Actions, AnalogLine, Table, nothing, quiet
from drivers.signalling.analog_rows import (
    end,
    far_hung_up,
    hang_up,
    idle,
    no_answer,
)
from drivers.signalling.fxo_profile import LineProfile
from drivers.signalling.fxo_rows import (
    answer,
    answer_glare,
    answered,
    await_ring,
    caller_gone,
    check_ring,
    dial,
    far_busy,
    far_congested,
    glare,
    idle_then_check_ring,
    no_exchange,
    offer,
    progress,
    refuse,
    ringback_off,
    ringback_on,
    seize,
    seize_hotline,
)


class Fxs(StrEnum):
    """States of a line of the exchange."""

    IDLE = "idle"
    RING_CHECK = "ring_check"
    RINGING = "ringing"
    REFUSED = "refused"
    SEIZING = "seizing"
    DIALLING = "dialling"
    PROGRESS = "progress"
    GLARE = "glare"
    ANSWERED = "answered"
    GUARD = "guard"


S = Fxs

# Marks on the line that mean nothing in that state.
_QUIET: Mapping[StrEnum, tuple[str, ...]] = {
    S.IDLE: ("ONHOOK", "POLARITY", "WINKFLASH", "NumberSent", "AnswerWanted", "ReleaseWanted"),
    S.RING_CHECK: ("RINGBEGIN", "POLARITY", "WINKFLASH"),
    S.RINGING: ("POLARITY", "WINKFLASH"),
    S.REFUSED: ("POLARITY", "WINKFLASH", "ReleaseWanted", "AnswerWanted"),
    S.SEIZING: ("RINGOFFHOOK", "POLARITY", "WINKFLASH", "tone dial ends"),
    S.DIALLING: ("RINGBEGIN", "RINGOFFHOOK", "POLARITY", "WINKFLASH", "tone dial", "tone dial ends"),
    S.PROGRESS: ("RINGBEGIN", "RINGOFFHOOK", "POLARITY", "WINKFLASH", "tone dial", "tone dial ends", "NumberSent",
                 "tone busy ends", "tone congestion ends"),
    S.GLARE: ("RINGBEGIN", "RINGOFFHOOK", "POLARITY", "WINKFLASH", "tone dial", "tone dial ends", "tone busy ends"),
    S.ANSWERED: ("RINGBEGIN", "RINGOFFHOOK", "POLARITY", "WINKFLASH", "NumberSent", "AnswerWanted", "tone dial", "tone dial ends",
                 "tone ringback", "tone ringback ends", "tone congestion", "tone congestion ends", "tone busy ends"),
    S.GUARD: ("ONHOOK", "RINGOFFHOOK", "POLARITY", "WINKFLASH", "NumberSent", "AnswerWanted", "ReleaseWanted"),
}  # fmt: skip


class FxsSignalled(AnalogLine):
    """A line of the exchange on our FXO port."""

    resting = S.IDLE
    in_call = frozenset({S.RINGING, S.SEIZING, S.DIALLING, S.PROGRESS, S.GLARE, S.ANSWERED})
    timers: ClassVar[Mapping[StrEnum, tuple[str, ...]]] = {
        S.IDLE: (), S.RING_CHECK: ("ring_confirm",), S.RINGING: ("ring_stopped",), S.REFUSED: ("ring_stopped",),
        S.SEIZING: ("dial_blind", "dial_tone_missing", "no_answer"), S.DIALLING: ("no_answer",),
        S.PROGRESS: ("answer_assumed", "no_answer"), S.GLARE: (), S.ANSWERED: (), S.GUARD: ("guard",),
    }  # fmt: skip
    table: ClassVar[Table] = {
        **quiet(_QUIET),
        (S.IDLE, "RINGBEGIN"): (check_ring, S.RING_CHECK),
        (S.IDLE, "RINGOFFHOOK"): (offer, S.RINGING),  # the end of a burst whose beginning nobody saw
        (S.IDLE, "CallWanted"): (seize, S.SEIZING),
        (S.IDLE, "CallWanted hotline"): (seize_hotline, S.PROGRESS),
        (S.RING_CHECK, "timer ring_confirm"): (offer, S.RINGING),
        (S.RING_CHECK, "RINGOFFHOOK"): (nothing, S.IDLE),
        (S.RING_CHECK, "ONHOOK"): (nothing, S.IDLE),
        (S.RING_CHECK, "ReleaseWanted"): (nothing, S.IDLE),
        (S.RINGING, "RINGBEGIN"): (await_ring, S.RINGING),
        (S.RINGING, "RINGOFFHOOK"): (await_ring, S.RINGING),
        (S.RINGING, "timer ring_stopped"): (caller_gone, S.IDLE),
        (S.RINGING, "ONHOOK"): (caller_gone, S.IDLE),
        (S.RINGING, "AnswerWanted"): (answer, S.ANSWERED),
        (S.RINGING, "ReleaseWanted"): (refuse, S.REFUSED),
        (S.REFUSED, "RINGBEGIN"): (await_ring, S.REFUSED),
        (S.REFUSED, "RINGOFFHOOK"): (await_ring, S.REFUSED),
        (S.REFUSED, "timer ring_stopped"): (idle, S.IDLE),
        (S.REFUSED, "ONHOOK"): (idle, S.IDLE),
        (S.SEIZING, "tone dial"): (dial, S.DIALLING),
        (S.SEIZING, "timer dial_blind"): (dial, S.DIALLING),
        (S.SEIZING, "timer dial_tone_missing"): (no_exchange, S.GUARD),
        (S.SEIZING, "timer no_answer"): (no_answer, S.GUARD),
        (S.SEIZING, "RINGBEGIN"): (glare, S.GLARE),
        (S.SEIZING, "ONHOOK"): (no_exchange, S.GUARD),
        (S.SEIZING, "ReleaseWanted"): (hang_up, S.GUARD),
        (S.DIALLING, "NumberSent"): (progress, S.PROGRESS),
        (S.DIALLING, "NumberSent answers"): (answered, S.ANSWERED),
        (S.DIALLING, "timer no_answer"): (no_answer, S.GUARD),
        (S.DIALLING, "ONHOOK"): (far_hung_up, S.GUARD),
        (S.DIALLING, "ReleaseWanted"): (hang_up, S.GUARD),
        (S.PROGRESS, "tone ringback"): (ringback_on, S.PROGRESS),
        (S.PROGRESS, "tone ringback ends"): (ringback_off, S.PROGRESS),
        (S.PROGRESS, "tone busy"): (far_busy, S.GUARD),
        (S.PROGRESS, "tone congestion"): (far_congested, S.GUARD),
        (S.PROGRESS, "timer answer_assumed"): (answered, S.ANSWERED),
        (S.PROGRESS, "POLARITY answers"): (answered, S.ANSWERED),
        (S.PROGRESS, "timer no_answer"): (no_answer, S.GUARD),
        (S.PROGRESS, "ONHOOK"): (far_hung_up, S.GUARD),
        (S.PROGRESS, "ReleaseWanted"): (hang_up, S.GUARD),
        (S.GLARE, "AnswerWanted"): (answer_glare, S.ANSWERED),
        (S.GLARE, "tone busy"): (far_hung_up, S.GUARD),
        (S.GLARE, "ONHOOK"): (far_hung_up, S.GUARD),
        (S.GLARE, "ReleaseWanted"): (hang_up, S.GUARD),
        (S.ANSWERED, "ONHOOK"): (far_hung_up, S.GUARD),
        (S.ANSWERED, "tone busy"): (far_hung_up, S.GUARD),
        (S.ANSWERED, "ReleaseWanted"): (hang_up, S.GUARD),
        (S.GUARD, "timer guard"): (idle, S.IDLE),
        (S.GUARD, "RINGBEGIN"): (idle_then_check_ring, S.RING_CHECK),
    }

    def __init__(self, channel: int, profile: LineProfile) -> None:
        super().__init__(channel, profile.release_guard_ms)
        self.profile = profile

    def trigger(self, event: Input) -> str:
        plain = super().trigger(event)
        if plain == "CallWanted" and self.state == S.IDLE and not self.wanted.number:
            return "CallWanted hotline"
        if plain == "NumberSent" and self.state == S.DIALLING and self.profile.answer == "dialled":
            return "NumberSent answers"
        if plain == "POLARITY" and self.state == S.PROGRESS and self.profile.answer == "polarity":
            return "POLARITY answers"
        return plain

    def _adopt(self, phase: LegPhase) -> Actions:
        match phase:
            case LegPhase.OFFERED:
                return self._adopt_into(S.RINGING, *await_ring(self, Input()))
            case LegPhase.ANSWERED:
                return self._adopt_into(S.ANSWERED, *answered(self, Input())[1:])
            case LegPhase.ALERTING:
                limit = StartTimer("no_answer", self.wanted.no_answer_ms)
                return self._adopt_into(S.PROGRESS, limit, *progress(self, Input())[1:])
        # Nobody knows which digits of the number went out.
        return self._adopt_into(S.GUARD, *end(self, Cause.TEMPORARY_FAILURE, by_far_end=False))
