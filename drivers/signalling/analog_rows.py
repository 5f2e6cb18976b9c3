"""What the rows of the analogue tables do: one function per doing, named in the tables. Pure."""

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
    ReleaseWanted,
    SetHook,
    SoundTone,
    StartTimer,
    StopTimer,
)
from drivers.signalling.analog_machine import Actions, AnalogLine


def nothing(line: AnalogLine, event: Input) -> Actions:
    return ()


def idle(line: AnalogLine, event: Input) -> Actions:
    return (ChannelIdle(),)


def check_ring(line: AnalogLine, event: Input) -> Actions:
    return (StartTimer("ring_confirm", line.timings.ring_confirm_ms),)


def idle_then_check_ring(line: AnalogLine, event: Input) -> Actions:
    return (*idle(line, event), *check_ring(line, event))


def await_ring(line: AnalogLine, event: Input) -> Actions:
    return (StartTimer("ring_stopped", line.timings.ring_timeout_ms),)


def offer(line: AnalogLine, event: Input) -> Actions:
    return (CallOffered(), *await_ring(line, event))


def caller_gone(line: AnalogLine, event: Input) -> Actions:
    return (CallReleased(Cause.NORMAL, True), ChannelIdle())


def refuse(line: AnalogLine, event: Input) -> Actions:
    """A ringing loop cannot be refused: let it ring and take no notice."""
    return (CallReleased(_cause(event), False), *await_ring(line, event))


def answer(line: AnalogLine, event: Input) -> Actions:
    return (SetHook(Hook.OFF), *answered(line, event))


def answered(line: AnalogLine, event: Input) -> Actions:
    return (CallAnswered(), ListenForTones(("busy",) if line.timings.busy_disconnect else ()))


def seize(line: AnalogLine, event: Input) -> Actions:
    timer = "dial_blind" if line.timings.dial_without_tone else "dial_tone_missing"
    return (
        SetHook(Hook.OFF),
        ListenForTones(("dial",)),
        StartTimer(timer, line.timings.dial_tone_wait_ms),
        StartTimer("no_answer", line.wanted.no_answer_ms),
    )


def seize_hotline(line: AnalogLine, event: Input) -> Actions:
    """No number: the exchange knows where this line leads."""
    return (SetHook(Hook.OFF), StartTimer("no_answer", line.wanted.no_answer_ms), *progress(line, event))


def dial(line: AnalogLine, event: Input) -> Actions:
    return (ListenForTones(), DialNumber(line.wanted.number))


def progress(line: AnalogLine, event: Input) -> Actions:
    if line.timings.answer == "polarity":
        return (CallAlerting(), ListenForTones(("busy", "congestion")))
    return (
        CallAlerting(),
        ListenForTones(("ringback", "busy", "congestion")),
        StartTimer("answer_assumed", line.timings.assume_answer_ms),
    )


def ringback_on(line: AnalogLine, event: Input) -> Actions:
    return (StopTimer("answer_assumed"),)


def ringback_off(line: AnalogLine, event: Input) -> Actions:
    return (StartTimer("answer_assumed", line.timings.ringback_gap_ms),)


def glare(line: AnalogLine, event: Input) -> Actions:
    """We went off-hook into an arriving call: ours has failed, theirs is on the line already."""
    return (CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False), CallOffered(), ListenForTones(("busy",)), SoundTone("ringback"))


def answer_glare(line: AnalogLine, event: Input) -> Actions:
    return (SoundTone(), *answered(line, event))


def hang_up(line: AnalogLine, event: Input) -> Actions:
    return end(line, _cause(event), by_far_end=False)


def far_hung_up(line: AnalogLine, event: Input) -> Actions:
    return end(line, Cause.NORMAL, by_far_end=True)


def far_busy(line: AnalogLine, event: Input) -> Actions:
    return end(line, Cause.USER_BUSY, by_far_end=True)


def far_congested(line: AnalogLine, event: Input) -> Actions:
    return end(line, Cause.NO_CHANNEL, by_far_end=True)


def no_exchange(line: AnalogLine, event: Input) -> Actions:
    return end(line, Cause.NETWORK_OUT_OF_ORDER, by_far_end=True)


def no_answer(line: AnalogLine, event: Input) -> Actions:
    return end(line, Cause.NO_ANSWER, by_far_end=False)


def ring_set(line: AnalogLine, event: Input) -> Actions:
    return (SetHook(Hook.RING), CallAlerting(), StartTimer("no_answer", line.wanted.no_answer_ms))


def set_lifted(line: AnalogLine, event: Input) -> Actions:
    return (SetHook(Hook.OFF), CallOffered())


def idle_then_set_lifted(line: AnalogLine, event: Input) -> Actions:
    return (*idle(line, event), *set_lifted(line, event))


def set_answered(line: AnalogLine, event: Input) -> Actions:
    return (SetHook(Hook.OFF), CallAnswered())


def park(line: AnalogLine, event: Input) -> Actions:
    """The set is still off-hook: open the loop for a moment, then busy tone until it is put down."""
    hook, released = SetHook(Hook.ON), CallReleased(_cause(event), False)
    return (hook, released, SoundTone("busy"), StartTimer("lockout", line.timings.lockout_ms))


def hush(line: AnalogLine, event: Input) -> Actions:
    return (SoundTone(),)


def set_down(line: AnalogLine, event: Input) -> Actions:
    return (SoundTone(), SetHook(Hook.ON), StartTimer("guard", line.timings.release_guard_ms))


def end(line: AnalogLine, cause: int, by_far_end: bool) -> Actions:
    guard = StartTimer("guard", line.timings.release_guard_ms)
    return (SetHook(Hook.ON), CallReleased(cause, by_far_end), guard)


def _cause(event: Input) -> int:
    return event.cause if isinstance(event, ReleaseWanted) else Cause.NORMAL
