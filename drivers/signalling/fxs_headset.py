"""A headset on our FXS port: always off-hook, so never rung and never without a call's silence. Pure; line server's event loop.

    away -> (lifted) ready -> beeping [-> announcing] -> answered -> ready -> (put down) away

It takes calls and dials none. Source: DAHDI's event names; Q.850 causes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from drivers.io import Hook
from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    AvailabilityChanged,
    CallAlerting,
    CallAnswered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    DigitHeard,
    FlashHeard,
    Input,
    ListenForDigits,
    MessageWaitingWanted,
    NumberDialled,
    SayClip,
    SetHook,
    ShowMessageWaiting,
    SoundTone,
    StartTimer,
)
from drivers.signalling.analog_machine import Actions, AnalogLine, Table, quiet
from drivers.signalling.analog_rows import cause_of
from drivers.signalling.fxs_config import SetPort, SetsConfig

BEEP_EVERY_MS = 4000
ANNOUNCEMENT_LIMIT_MS = 30_000


class Headset(StrEnum):
    """States of a headset. away: put down; ready: waits for a call; beeping, announcing: has one, not answered yet."""

    AWAY = "away"
    READY = "ready"
    BEEPING = "beeping"
    ANNOUNCING = "announcing"
    ANSWERED = "answered"


H = Headset


def log_in(line: "HeadsetSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), AvailabilityChanged())


def log_out(line: "HeadsetSignalled", event: Input) -> Actions:
    return (SetHook(Hook.ON), AvailabilityChanged())


def beep_first(line: "HeadsetSignalled", event: Input) -> Actions:
    if isinstance(event, CallWanted):
        line.wanted = event
    listen = (ListenForDigits(),) if line.port.answer == "key" else ()
    return (CallAlerting(), *listen, StartTimer("no_answer", line.wanted.no_answer_ms), *_beep(line.config.beep_ms))


def beep_again(line: "HeadsetSignalled", event: Input) -> Actions:
    return _beep(BEEP_EVERY_MS)


def announce(line: "HeadsetSignalled", event: Input) -> Actions:
    return (SoundTone(), SayClip(line.port.announcement), StartTimer("announcement", ANNOUNCEMENT_LIMIT_MS))


def answer(line: "HeadsetSignalled", event: Input) -> Actions:
    return (SoundTone(), ListenForDigits(False), CallAnswered())


def no_answer(line: "HeadsetSignalled", event: Input) -> Actions:
    return _over(Cause.NO_ANSWER, by_far_end=False)


def let_go(line: "HeadsetSignalled", event: Input) -> Actions:
    """The loop stays closed: the headset is connected and silent until its next call."""
    return _over(cause_of(event), by_far_end=False)


def put_down(line: "HeadsetSignalled", event: Input) -> Actions:
    return (SetHook(Hook.ON), *_over(Cause.NORMAL, by_far_end=True), AvailabilityChanged())


def put_down_unanswered(line: "HeadsetSignalled", event: Input) -> Actions:
    return (SetHook(Hook.ON), *_over(Cause.NO_USER_RESPONSE, by_far_end=True), AvailabilityChanged())


def flash(line: "HeadsetSignalled", event: Input) -> Actions:
    return (FlashHeard(),) if line.config.flash else ()


def no_dialling(line: "HeadsetSignalled", event: Input) -> Actions:
    return (NumberDialled("", valid=False),)


def _beep(ms: int) -> Actions:
    return (SoundTone("beep"), StartTimer("beep", ms))


def _over(cause: int, by_far_end: bool) -> Actions:
    return (SoundTone(), ListenForDigits(False), CallReleased(cause, by_far_end), ChannelIdle())


_RINGER = ("RINGERON", "RINGEROFF")
_NO_CALL = ("NumberSent", "AnswerWanted", "ReleaseWanted", "NumberWanted", "ClipSaid")
_QUIET: Mapping[StrEnum, tuple[str, ...]] = {
    H.AWAY: ("ONHOOK", "WINKFLASH", "digit", "digit answers", *_RINGER, *_NO_CALL),
    H.READY: ("RINGOFFHOOK", "WINKFLASH", "digit", "digit answers", *_RINGER, *_NO_CALL),
    H.BEEPING: ("RINGOFFHOOK", "WINKFLASH", "digit", *_RINGER, "NumberSent", "AnswerWanted", "NumberWanted", "ClipSaid"),
    H.ANNOUNCING: ("RINGOFFHOOK", "WINKFLASH", "digit", "digit answers", *_RINGER, "NumberSent", "AnswerWanted", "NumberWanted"),
    H.ANSWERED: ("RINGOFFHOOK", "digit", "digit answers", *_RINGER, "NumberSent", "AnswerWanted", "ClipSaid"),
}  # fmt: skip


class HeadsetSignalled(AnalogLine):
    """A headset on our FXS port."""

    resting = H.AWAY
    in_call = frozenset({H.BEEPING, H.ANNOUNCING, H.ANSWERED})
    timers: ClassVar[Mapping[StrEnum, tuple[str, ...]]] = {
        H.AWAY: (), H.READY: (), H.BEEPING: ("beep", "no_answer"), H.ANNOUNCING: ("announcement", "no_answer"), H.ANSWERED: (),
    }  # fmt: skip
    table: ClassVar[Table] = {
        **quiet(_QUIET),
        (H.AWAY, "RINGOFFHOOK"): (log_in, H.READY),
        (H.READY, "ONHOOK"): (log_out, H.AWAY),
        (H.READY, "CallWanted"): (beep_first, H.BEEPING),
        (H.BEEPING, "timer beep"): (beep_again, H.BEEPING),
        (H.BEEPING, "timer beep announces"): (announce, H.ANNOUNCING),
        (H.BEEPING, "timer beep answers"): (answer, H.ANSWERED),
        (H.BEEPING, "digit answers"): (answer, H.ANSWERED),
        (H.BEEPING, "WINKFLASH answers"): (answer, H.ANSWERED),
        (H.BEEPING, "timer no_answer"): (no_answer, H.READY),
        (H.BEEPING, "ReleaseWanted"): (let_go, H.READY),
        (H.BEEPING, "ONHOOK"): (put_down_unanswered, H.AWAY),
        (H.ANNOUNCING, "ClipSaid"): (answer, H.ANSWERED),
        (H.ANNOUNCING, "timer announcement"): (answer, H.ANSWERED),
        (H.ANNOUNCING, "timer no_answer"): (no_answer, H.READY),
        (H.ANNOUNCING, "ReleaseWanted"): (let_go, H.READY),
        (H.ANNOUNCING, "ONHOOK"): (put_down_unanswered, H.AWAY),
        (H.ANSWERED, "WINKFLASH"): (flash, H.ANSWERED),
        (H.ANSWERED, "NumberWanted"): (no_dialling, H.ANSWERED),
        (H.ANSWERED, "ReleaseWanted"): (let_go, H.READY),
        (H.ANSWERED, "ONHOOK"): (put_down, H.AWAY),
    }

    def __init__(self, channel: int, config: SetsConfig, port: SetPort) -> None:
        super().__init__(channel, config.release_guard_ms)
        self.config = config
        self.port = port

    def is_idle(self, channel: int) -> bool:
        """Somebody wears it and has no call."""
        return self.state == H.READY

    def _walk(self, event: Input) -> Actions:
        if isinstance(event, MessageWaitingWanted):
            return (ShowMessageWaiting(event.waiting),)
        return super()._walk(event)

    def trigger(self, event: Input) -> str:
        plain = super().trigger(event)
        by_key = self.port.answer == "key"
        if isinstance(event, DigitHeard):
            return "digit answers" if by_key and event.digit == self.port.answer_key else "digit"
        if plain == "timer beep" and not by_key:
            return "timer beep announces" if self.port.announcement else "timer beep answers"
        if plain == "WINKFLASH" and by_key and self.state == H.BEEPING:
            return "WINKFLASH answers"
        return plain

    def _adopt(self, phase: LegPhase) -> Actions:
        match phase:
            case LegPhase.ANSWERED:
                return self._adopt_into(H.ANSWERED)
            case LegPhase.ALERTING:
                return self._adopt_into(H.BEEPING, *beep_first(self, Input())[1:])
        return self._adopt_into(H.READY, *_over(Cause.TEMPORARY_FAILURE, by_far_end=False))
