"""Rows common to both kinds of analogue loop. Pure."""

from drivers.io import Hook
from drivers.protocol import Cause
from drivers.signalling import (
    CallReleased,
    ChannelIdle,
    Input,
    ReleaseWanted,
    SetHook,
    StartTimer,
)
from drivers.signalling.analog_machine import Actions, AnalogLine


def idle(line: AnalogLine, event: Input) -> Actions:
    return (ChannelIdle(),)


def hang_up(line: AnalogLine, event: Input) -> Actions:
    return end(line, cause_of(event), by_far_end=False)


def far_hung_up(line: AnalogLine, event: Input) -> Actions:
    return end(line, Cause.NORMAL, by_far_end=True)


def no_answer(line: AnalogLine, event: Input) -> Actions:
    return end(line, Cause.NO_ANSWER, by_far_end=False)


def end(line: AnalogLine, cause: int, by_far_end: bool) -> Actions:
    guard = StartTimer("guard", line.release_guard_ms)
    return (SetHook(Hook.ON), CallReleased(cause, by_far_end), guard)


def cause_of(event: Input) -> int:
    return event.cause if isinstance(event, ReleaseWanted) else Cause.NORMAL
