"""Signalling of the inner line, which leads from the box to itself: what one end does is news at the other. Pure.

Called from the line server's event loop by `drivers.spans`, as every signaller.
"""

from collections.abc import Iterable
from enum import StrEnum

from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    AnswerWanted,
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    Input,
    LineFailed,
    ReleaseWanted,
    StartTimer,
    Step,
    StopTimer,
    TimerFired,
)

NO_ANSWER = "no answer"


class _State(StrEnum):
    IDLE = "idle"
    RINGING = "ringing"
    TALKING = "talking"


class InnerSignaller:
    """Calls begin at `caller` and arrive at `called`."""

    def __init__(self, caller: int, called: int) -> None:
        self._caller, self._called = caller, called
        self._state = _State.IDLE

    def channels(self) -> Iterable[int]:
        return self._caller, self._called

    def is_idle(self, channel: int) -> bool:
        return self._state is _State.IDLE

    def state_name(self, channel: int) -> str:
        return self._state.value

    def adopt(self, channel: int, phase: LegPhase) -> tuple[Step, ...]:
        """A call on it ends with the process that carried its sound."""
        return ((channel, CallReleased(Cause.TEMPORARY_FAILURE, False)),)

    def handle(self, channel: int, event: Input) -> tuple[Step, ...]:
        match self._state, event:
            case _State.IDLE, CallWanted() if channel == self._caller:
                return self._ring(event)
            case _State.RINGING, AnswerWanted() if channel == self._called:
                return self._answer()
            case ((_State.RINGING | _State.TALKING), ReleaseWanted(cause=cause)):
                return self._end(channel, cause)
            case ((_State.RINGING | _State.TALKING), LineFailed(cause=cause)):
                return self._end(channel, cause)
            case _State.RINGING, TimerFired(name=name) if name == NO_ANSWER:
                return self._end(self._called, Cause.NO_ANSWER)
        return ()

    def _ring(self, wanted: CallWanted) -> tuple[Step, ...]:
        self._state = _State.RINGING
        alerting = ((self._caller, CallAlerting()), (self._caller, StartTimer(NO_ANSWER, wanted.no_answer_ms)))
        return (*alerting, (self._called, CallOffered()))

    def _answer(self) -> tuple[Step, ...]:
        self._state = _State.TALKING
        return (self._caller, StopTimer(NO_ANSWER)), (self._called, CallAnswered()), (self._caller, CallAnswered())

    def _end(self, by: int, cause: int) -> tuple[Step, ...]:
        self._state = _State.IDLE
        other = self._caller if by == self._called else self._called
        released = ((by, CallReleased(cause, False)), (other, CallReleased(cause, True)))
        return (self._caller, StopTimer(NO_ANSWER)), *released, (by, ChannelIdle()), (other, ChannelIdle())
