"""The machine that walks an analogue state table. Pure; called from the line server's event loop.

A row is (state, trigger) -> (what to do, next state). Timers belong to states: one that the next state does not know is stopped.
An event without a row is answered by EventUnexpected and the release of the channel.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from drivers.io import Hook, LineEvent
from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    Action,
    CallReleased,
    CallWanted,
    ChannelIdle,
    EventUnexpected,
    Input,
    LineFailed,
    LineHappened,
    SetHook,
    Step,
    StopTimer,
    TimerFired,
    ToneHeard,
)


class AnalogTimings(msgspec.Struct, frozen=True, kw_only=True):
    """How telephone sets are treated (`[lines.sets]`).

    release_guard_ms: on-hook at least so long between two calls (a set's battery drop takes the kernel 800 ms).
    lockout_ms: how long a set left off-hook hears busy tone.
    """

    release_guard_ms: int = 1000
    lockout_ms: int = 60_000


Actions = tuple[Action, ...]
Doing = Callable[[Any, Input], Actions]
"""What a row does; it is given the line, of the kind its table is for."""
Table = Mapping[tuple[StrEnum, str], tuple[Doing, StrEnum]]


def quiet(rows: Mapping[StrEnum, tuple[str, ...]]) -> Table:
    """Rows for what means nothing in these states: nothing is done, the state stays."""
    return {(state, trigger): (nothing, state) for state, triggers in rows.items() for trigger in triggers}


def nothing(line: "AnalogLine", event: Input) -> Actions:
    return ()


# Events that say nothing about the call, in any state.
INDIFFERENT = frozenset({
    LineEvent.NONE, LineEvent.OVERRUN, LineEvent.DIALCOMPLETE, LineEvent.HOOKCOMPLETE, LineEvent.PULSE_START,
    LineEvent.TIMER_EXPIRED, LineEvent.TIMER_PING, LineEvent.EC_DISABLED, LineEvent.NEONMWI_ACTIVE,
    LineEvent.NEONMWI_INACTIVE, LineEvent.TX_CED_DETECTED, LineEvent.RX_CED_DETECTED, LineEvent.TX_CNG_DETECTED,
    LineEvent.RX_CNG_DETECTED, LineEvent.EC_NLP_DISABLED, LineEvent.EC_NLP_ENABLED, LineEvent.READ_OVERRUN,
    LineEvent.WRITE_UNDERRUN, LineEvent.ALARM, LineEvent.NOALARM, LineEvent.REMOVED,
})  # fmt: skip


class AnalogLine:
    """Walks one table for one channel. `release_guard_ms`: on-hook at least so long between two calls."""

    table: ClassVar[Table]
    timers: ClassVar[Mapping[StrEnum, tuple[str, ...]]]
    in_call: ClassVar[frozenset[StrEnum]]
    resting: ClassVar[StrEnum]

    def __init__(self, channel: int, release_guard_ms: int) -> None:
        self.release_guard_ms = release_guard_ms
        self.wanted = CallWanted()
        self.state: StrEnum = self.resting
        self._channel = channel

    def channels(self) -> tuple[int, ...]:
        return (self._channel,)

    def is_idle(self, channel: int) -> bool:
        return self.state == self.resting

    def state_name(self, channel: int) -> str:
        return self.state.value

    def handle(self, channel: int, event: Input) -> tuple[Step, ...]:
        return tuple((channel, action) for action in self._walk(event))

    def _walk(self, event: Input) -> Actions:
        if isinstance(event, LineFailed):
            return self._fail(event)
        if isinstance(event, LineHappened) and event.event in INDIFFERENT:
            return ()
        if isinstance(event, CallWanted) and self.state == self.resting:
            self.wanted = event
        row = self.table.get((self.state, self.trigger(event)))
        return self._unexpected(event) if row is None else self._take(row[0](self, event), row[1])

    def trigger(self, event: Input) -> str:
        """The event as the table spells it."""
        match event:
            case LineHappened(event=line_event):
                return line_event.name
            case TimerFired(name=name):
                return f"timer {name}"
            case ToneHeard(tone=tone, on=on):
                return f"tone {tone}" if on else f"tone {tone} ends"
        return type(event).__name__

    def _take(self, actions: Actions, state: StrEnum) -> Actions:
        stopped = (StopTimer(name) for name in self.timers[self.state] if name not in self.timers[state])
        self.state, actions = state, (*stopped, *actions)
        return actions

    def _unexpected(self, event: Input) -> Actions:
        note = EventUnexpected(self.state_name(self._channel), self.trigger(event))
        return (note, *self._fail(LineFailed(Cause.INTERWORKING)))

    def _fail(self, event: LineFailed) -> Actions:
        """Back to idle at once: on-hook, nothing sounding, no timer."""
        actions: list[Action] = [SetHook(Hook.ON)]
        if self.state in self.in_call:
            actions.append(CallReleased(event.cause, True))
        if self.state != self.resting:
            actions.append(ChannelIdle())
        return self._take(tuple(actions), self.resting)

    def adopt(self, channel: int, phase: LegPhase) -> tuple[Step, ...]:
        return tuple((channel, action) for action in self._adopt(phase))

    def _adopt(self, phase: LegPhase) -> Actions:
        raise NotImplementedError

    def _adopt_into(self, state: StrEnum, *actions: Action) -> Actions:
        self.state = state
        return actions
