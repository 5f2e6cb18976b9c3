"""What the rows of a telephone set's table (`fxs.py`) do: one function per doing, named in the table. Pure."""

from typing import TYPE_CHECKING

from drivers.io import Hook
from drivers.signalling import (
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    Input,
    SetHook,
    SoundTone,
    StartTimer,
)
from drivers.signalling.analog_machine import Actions
from drivers.signalling.analog_rows import cause_of, idle

if TYPE_CHECKING:
    from drivers.signalling.fxs import FxoSignalled


def ring_set(line: "FxoSignalled", event: Input) -> Actions:
    return (SetHook(Hook.RING), CallAlerting(), StartTimer("no_answer", line.wanted.no_answer_ms))


def set_lifted(line: "FxoSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), CallOffered())


def idle_then_set_lifted(line: "FxoSignalled", event: Input) -> Actions:
    return (*idle(line, event), *set_lifted(line, event))


def set_answered(line: "FxoSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), CallAnswered())


def park(line: "FxoSignalled", event: Input) -> Actions:
    """The set is still off-hook: open the loop for a moment, then busy tone until it is put down."""
    hook, released = SetHook(Hook.ON), CallReleased(cause_of(event), False)
    return (hook, released, SoundTone("busy"), StartTimer("lockout", line.timings.lockout_ms))


def hush(line: "FxoSignalled", event: Input) -> Actions:
    return (SoundTone(),)


def set_down(line: "FxoSignalled", event: Input) -> Actions:
    return (SoundTone(), SetHook(Hook.ON), StartTimer("guard", line.release_guard_ms))
