"""What the rows of an exchange line's table (`fxo.py`) do: one function per doing, named in the table. Pure."""

from typing import TYPE_CHECKING

from drivers.io import Hook
from drivers.protocol import Cause
from drivers.signalling import (
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    ChannelIdle,
    DialNumber,
    Input,
    ListenForTones,
    SetHook,
    SoundTone,
    StartTimer,
    StopTimer,
)
from drivers.signalling.analog_machine import Actions
from drivers.signalling.analog_rows import cause_of, end, idle

if TYPE_CHECKING:
    from drivers.signalling.fxo import FxsSignalled


def check_ring(line: "FxsSignalled", event: Input) -> Actions:
    return (StartTimer("ring_confirm", line.profile.ring_confirm_ms),)


def idle_then_check_ring(line: "FxsSignalled", event: Input) -> Actions:
    return (*idle(line, event), *check_ring(line, event))


def await_ring(line: "FxsSignalled", event: Input) -> Actions:
    return (StartTimer("ring_stopped", line.profile.ring_timeout_ms),)


def offer(line: "FxsSignalled", event: Input) -> Actions:
    return (CallOffered(), *await_ring(line, event))


def caller_gone(line: "FxsSignalled", event: Input) -> Actions:
    return (CallReleased(Cause.NORMAL, True), ChannelIdle())


def refuse(line: "FxsSignalled", event: Input) -> Actions:
    """A ringing loop cannot be refused: let it ring and take no notice."""
    return (CallReleased(cause_of(event), False), *await_ring(line, event))


def answer(line: "FxsSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), *answered(line, event))


def answered(line: "FxsSignalled", event: Input) -> Actions:
    return (CallAnswered(), ListenForTones(line.profile.hangup_tones))


def seize(line: "FxsSignalled", event: Input) -> Actions:
    timer = "dial_blind" if line.profile.dial_without_tone else "dial_tone_missing"
    return (
        SetHook(Hook.OFF),
        ListenForTones(("dial",)),
        StartTimer(timer, line.profile.dial_tone_wait_ms),
        StartTimer("no_answer", line.wanted.no_answer_ms),
    )


def seize_hotline(line: "FxsSignalled", event: Input) -> Actions:
    """No number: the exchange knows where this line leads."""
    return (SetHook(Hook.OFF), StartTimer("no_answer", line.wanted.no_answer_ms), *progress(line, event))


def dial(line: "FxsSignalled", event: Input) -> Actions:
    return (ListenForTones(), DialNumber(line.wanted.number))


def progress(line: "FxsSignalled", event: Input) -> Actions:
    if line.profile.answer == "polarity":
        return (CallAlerting(), ListenForTones(("busy", "congestion")))
    return (
        CallAlerting(),
        ListenForTones(("ringback", "busy", "congestion")),
        StartTimer("answer_assumed", line.profile.assume_answer_ms),
    )


def ringback_on(line: "FxsSignalled", event: Input) -> Actions:
    return (StopTimer("answer_assumed"),)


def ringback_off(line: "FxsSignalled", event: Input) -> Actions:
    return (StartTimer("answer_assumed", line.profile.ringback_gap_ms),)


def glare(line: "FxsSignalled", event: Input) -> Actions:
    """We went off-hook into an arriving call: ours has failed, theirs is on the line already."""
    return (CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False), CallOffered(), ListenForTones(("busy",)), SoundTone("ringback"))


def answer_glare(line: "FxsSignalled", event: Input) -> Actions:
    return (SoundTone(), *answered(line, event))


def far_busy(line: "FxsSignalled", event: Input) -> Actions:
    return end(line, Cause.USER_BUSY, by_far_end=True)


def far_congested(line: "FxsSignalled", event: Input) -> Actions:
    return end(line, Cause.NO_CHANNEL, by_far_end=True)


def no_exchange(line: "FxsSignalled", event: Input) -> Actions:
    return end(line, Cause.NETWORK_OUT_OF_ORDER, by_far_end=True)
