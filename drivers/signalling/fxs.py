"""A telephone set on our FXS port (kernel: fxoks, fxols): we ring it, or somebody lifts it and dials. Pure; line server's event loop.

    idle -> ringing -> answered -> cut -> tone -> howler -> parked -> (on-hook) guard -> idle
    idle -> dial_tone -> dialling -> offered -> answered <-> collecting (a second number, after a flash)

The machine that walks the table is `analog_machine`, what a row does is in `fxs_rows`; a headset's table is in `fxs_headset`.
Source: DAHDI's event names; Q.850 causes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from drivers.io import LineEvent
from drivers.protocol import Cause, LegPhase
from drivers.protocol.number_plan import Completeness, NumberPlan
from drivers.signalling import (
    CallWanted,
    DigitHeard,
    Input,
    LeftOffHook,
    LineFailed,
    LineHappened,
    MessageWaitingWanted,
    ShowMessageWaiting,
    StartTimer,
)
from drivers.signalling.analog_machine import Actions, AnalogLine, Table, nothing, quiet
from drivers.signalling.analog_rows import end, far_hung_up, hang_up, idle, no_answer
from drivers.signalling.fxs_config import SetPort, SetsConfig
from drivers.signalling.fxs_rows import (
    busy_tone,
    call_hotline,
    collect,
    collected,
    collected_with_digit,
    cut,
    dial_tone,
    flash,
    flash_while_collecting,
    howl,
    hush,
    idle_then_hotline,
    idle_then_set_lifted,
    lifted_to_hotline,
    not_collected,
    nothing_dialled,
    offer_dialled,
    offer_with_digit,
    refuse_call,
    refuse_number,
    ring_answered,
    ring_paused,
    ring_set,
    set_answered,
    set_down,
    set_down_at_last,
    set_lifted,
    start_ringing,
    take_digit,
    tell_number,
    tell_number_first,
)


class Fxo(StrEnum):
    """States of a telephone set. caller_id: told its number, not yet rung; collecting: in a call, dials a second number; cut: the call is
    over, the loop open for a moment; tone, howler, parked: left off-hook."""

    IDLE = "idle"
    CALLER_ID = "caller_id"
    RINGING = "ringing"
    DIAL_TONE = "dial_tone"
    DIALLING = "dialling"
    OFFERED = "offered"
    ANSWERED = "answered"
    COLLECTING = "collecting"
    CUT = "cut"
    TONE = "tone"
    HOWLER = "howler"
    PARKED = "parked"
    GUARD = "guard"
    LIFTED = "lifted"


S = Fxo

# Marks on the line that mean nothing in that state.
_RINGER = ("RINGERON", "RINGEROFF")
_DIGITS = ("digit more", "digit complete", "digit ends", "digit invalid")
_NO_CALL = ("NumberSent", "AnswerWanted", "ReleaseWanted", "NumberWanted")
_QUIET: Mapping[StrEnum, tuple[str, ...]] = {
    S.IDLE: ("ONHOOK", "WINKFLASH", *_RINGER, *_DIGITS, *_NO_CALL),
    S.CALLER_ID: ("ONHOOK", "WINKFLASH", *_RINGER, *_DIGITS, "NumberWanted"),
    S.RINGING: ("ONHOOK", "WINKFLASH", "RINGERON", *_DIGITS, "NumberSent", "NumberWanted"),
    S.DIAL_TONE: ("RINGOFFHOOK", *_RINGER, *_NO_CALL),
    S.DIALLING: ("RINGOFFHOOK", *_RINGER, *_NO_CALL),
    S.OFFERED: ("RINGOFFHOOK", "WINKFLASH", *_RINGER, *_DIGITS, "NumberSent", "NumberWanted"),
    S.ANSWERED: ("RINGOFFHOOK", *_RINGER, *_DIGITS, "NumberSent", "AnswerWanted"),
    S.COLLECTING: ("RINGOFFHOOK", *_RINGER, "NumberSent", "AnswerWanted"),
    S.CUT: ("RINGOFFHOOK", "WINKFLASH", *_RINGER, *_DIGITS, *_NO_CALL),
    S.TONE: ("RINGOFFHOOK", *_RINGER, *_DIGITS, *_NO_CALL),
    S.HOWLER: ("RINGOFFHOOK", "WINKFLASH", *_RINGER, *_DIGITS, *_NO_CALL),
    S.PARKED: ("RINGOFFHOOK", "WINKFLASH", *_RINGER, *_DIGITS, *_NO_CALL),
    S.GUARD: ("ONHOOK", "WINKFLASH", *_RINGER, *_DIGITS, *_NO_CALL),
    S.LIFTED: ("RINGOFFHOOK", "WINKFLASH", *_RINGER, *_DIGITS, *_NO_CALL),
}  # fmt: skip


def _as_key(event: Input) -> Input:
    """A digit dialled by pulses is as good as a key."""
    if isinstance(event, LineHappened) and event.event.name.startswith("PULSE_") and event.event is not LineEvent.PULSE_START:
        return DigitHeard(chr(event.event & 0xFF))
    return event


class FxoSignalled(AnalogLine):
    """A telephone set on our FXS port."""

    resting = S.IDLE
    in_call = frozenset({S.CALLER_ID, S.RINGING, S.OFFERED, S.ANSWERED, S.COLLECTING})
    timers: ClassVar[Mapping[StrEnum, tuple[str, ...]]] = {
        S.IDLE: (), S.CALLER_ID: ("caller_id", "no_answer"), S.RINGING: ("caller_id", "no_answer"), S.DIAL_TONE: ("first_digit",),
        S.DIALLING: ("next_digit",), S.OFFERED: (), S.ANSWERED: (), S.COLLECTING: ("first_digit", "next_digit"), S.CUT: ("guard",),
        S.TONE: ("tone",), S.HOWLER: ("howler",), S.PARKED: (), S.GUARD: ("guard",), S.LIFTED: ("guard",),
    }  # fmt: skip
    table: ClassVar[Table] = {
        **quiet(_QUIET),
        (S.IDLE, "RINGOFFHOOK"): (set_lifted, S.DIAL_TONE),
        (S.IDLE, "RINGOFFHOOK hotline"): (lifted_to_hotline, S.OFFERED),
        (S.IDLE, "CallWanted"): (ring_set, S.RINGING),
        (S.IDLE, "CallWanted number first"): (tell_number_first, S.CALLER_ID),
        (S.CALLER_ID, "NumberSent"): (start_ringing, S.RINGING),
        (S.CALLER_ID, "timer caller_id"): (start_ringing, S.RINGING),
        (S.CALLER_ID, "RINGOFFHOOK"): (ring_answered, S.ANSWERED),
        (S.CALLER_ID, "timer no_answer"): (no_answer, S.GUARD),
        (S.CALLER_ID, "ReleaseWanted"): (hang_up, S.GUARD),
        (S.RINGING, "RINGEROFF"): (ring_paused, S.RINGING),
        (S.RINGING, "timer caller_id"): (tell_number, S.RINGING),
        (S.RINGING, "RINGOFFHOOK"): (ring_answered, S.ANSWERED),
        (S.RINGING, "timer no_answer"): (no_answer, S.GUARD),
        (S.RINGING, "ReleaseWanted"): (hang_up, S.GUARD),
        (S.DIAL_TONE, "digit more"): (take_digit, S.DIALLING),
        (S.DIAL_TONE, "digit complete"): (offer_with_digit, S.OFFERED),
        (S.DIAL_TONE, "digit ends"): (nothing, S.DIAL_TONE),  # "#" before any digit
        (S.DIAL_TONE, "digit invalid"): (refuse_number, S.TONE),
        (S.DIAL_TONE, "timer first_digit"): (nothing_dialled, S.TONE),
        (S.DIAL_TONE, "timer first_digit hotline"): (call_hotline, S.OFFERED),
        (S.DIAL_TONE, "WINKFLASH"): (dial_tone, S.DIAL_TONE),
        (S.DIAL_TONE, "ONHOOK"): (set_down, S.GUARD),
        (S.DIALLING, "digit more"): (take_digit, S.DIALLING),
        (S.DIALLING, "digit complete"): (offer_with_digit, S.OFFERED),
        (S.DIALLING, "digit ends"): (offer_dialled, S.OFFERED),
        (S.DIALLING, "digit invalid"): (refuse_number, S.TONE),
        (S.DIALLING, "timer next_digit"): (refuse_number, S.TONE),
        (S.DIALLING, "timer next_digit ends"): (offer_dialled, S.OFFERED),
        (S.DIALLING, "WINKFLASH"): (dial_tone, S.DIAL_TONE),
        (S.DIALLING, "ONHOOK"): (set_down, S.GUARD),
        (S.OFFERED, "AnswerWanted"): (set_answered, S.ANSWERED),
        (S.OFFERED, "ONHOOK"): (far_hung_up, S.GUARD),
        (S.OFFERED, "ReleaseWanted"): (refuse_call, S.TONE),
        (S.ANSWERED, "WINKFLASH"): (flash, S.ANSWERED),
        (S.ANSWERED, "NumberWanted"): (collect, S.COLLECTING),
        (S.ANSWERED, "ONHOOK"): (far_hung_up, S.GUARD),
        (S.ANSWERED, "ReleaseWanted"): (cut, S.CUT),
        (S.COLLECTING, "digit more"): (take_digit, S.COLLECTING),
        (S.COLLECTING, "digit complete"): (collected_with_digit, S.ANSWERED),
        (S.COLLECTING, "digit ends"): (collected, S.ANSWERED),
        (S.COLLECTING, "digit invalid"): (not_collected, S.ANSWERED),
        (S.COLLECTING, "timer first_digit"): (not_collected, S.ANSWERED),
        (S.COLLECTING, "timer next_digit"): (not_collected, S.ANSWERED),
        (S.COLLECTING, "timer next_digit ends"): (collected, S.ANSWERED),
        (S.COLLECTING, "NumberWanted"): (collect, S.COLLECTING),
        (S.COLLECTING, "WINKFLASH"): (flash_while_collecting, S.ANSWERED),
        (S.COLLECTING, "ONHOOK"): (far_hung_up, S.GUARD),
        (S.COLLECTING, "ReleaseWanted"): (cut, S.CUT),
        (S.CUT, "timer guard"): (busy_tone, S.TONE),
        (S.CUT, "ONHOOK"): (set_down, S.GUARD),
        (S.TONE, "timer tone"): (howl, S.HOWLER),
        (S.TONE, "WINKFLASH"): (set_lifted, S.DIAL_TONE),
        (S.TONE, "ONHOOK"): (set_down, S.GUARD),
        (S.HOWLER, "timer howler"): (hush, S.PARKED),
        (S.HOWLER, "ONHOOK"): (set_down_at_last, S.GUARD),
        (S.PARKED, "ONHOOK"): (set_down_at_last, S.GUARD),
        (S.GUARD, "timer guard"): (idle, S.IDLE),
        (S.GUARD, "RINGOFFHOOK"): (nothing, S.LIFTED),  # the kernel takes no order while the battery is dropped
        (S.LIFTED, "timer guard"): (idle_then_set_lifted, S.DIAL_TONE),
        (S.LIFTED, "timer guard hotline"): (idle_then_hotline, S.OFFERED),
        (S.LIFTED, "ONHOOK"): (nothing, S.GUARD),
    }

    def __init__(self, channel: int, config: SetsConfig, plan: NumberPlan | None = None, port: SetPort | None = None) -> None:
        super().__init__(channel, config.release_guard_ms)
        self.config = config
        self.plan = plan or NumberPlan()
        self.port = port or SetPort(channels=str(channel))
        self.dialled = ""
        self.bursts = 0
        self.message_waiting = False

    @property
    def own_number(self) -> str:
        """As the set is called; empty when it cannot be."""
        return self.plan.number_of(self._channel)

    def _walk(self, event: Input) -> Actions:
        if isinstance(event, MessageWaitingWanted):
            self.message_waiting = event.waiting
            return (ShowMessageWaiting(event.waiting),)
        return super()._walk(_as_key(event))

    def trigger(self, event: Input) -> str:
        plain = super().trigger(event)
        if isinstance(event, DigitHeard):
            return f"digit {self._with(event.digit)}"
        if isinstance(event, CallWanted) and self.config.caller_id == "dtmf" and event.caller:
            return f"{plain} number first" if self.state == S.IDLE else plain
        if plain == "timer next_digit":
            return f"{plain} ends" if self.plan.destination(self.dialled) else plain
        if self.port.hotline and self._begins_a_call(plain):
            return f"{plain} hotline"
        return plain

    def _with(self, digit: str) -> str:
        """What the number would be with this digit."""
        if digit == "#" and self.plan.destination(self.dialled):
            return "ends"
        match self.plan.completeness(self.dialled + digit):
            case Completeness.COMPLETE:
                return "complete"
            case Completeness.INVALID:
                return "ends" if digit == "#" and not self.dialled else "invalid"
        return "more"

    def _begins_a_call(self, plain: str) -> bool:
        """At once when lifted, or after a time without a digit."""
        if self.port.hotline_after_ms:
            return (self.state, plain) == (S.DIAL_TONE, "timer first_digit")
        return (self.state, plain) in ((S.IDLE, "RINGOFFHOOK"), (S.LIFTED, "timer guard"))

    def _fail(self, event: LineFailed) -> Actions:
        left = self.state in (S.HOWLER, S.PARKED)
        done = super()._fail(event)
        return (LeftOffHook(False), *done) if left else done

    def _adopt(self, phase: LegPhase) -> Actions:
        match phase:
            case LegPhase.OFFERED:
                return self._adopt_into(S.OFFERED)
            case LegPhase.ANSWERED:
                return self._adopt_into(S.ANSWERED)
            case LegPhase.ALERTING:
                return self._adopt_into(S.RINGING, StartTimer("no_answer", self.wanted.no_answer_ms))
        return self._adopt_into(S.GUARD, *end(self, Cause.TEMPORARY_FAILURE, by_far_end=False))
