"""What the tests of analogue signalling share: a line or a set is fed events, and its word is held against the contract."""

from drivers.io import LineEvent
from drivers.signalling import (
    Action,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    Input,
    LineHappened,
    StartTimer,
    StopTimer,
    TimerFired,
)
from drivers.signalling.analog_machine import AnalogLine

ONHOOK, RINGOFFHOOK, RINGBEGIN = (LineHappened(event) for event in (LineEvent.ONHOOK, LineEvent.RINGOFFHOOK, LineEvent.RINGBEGIN))


def run(line: AnalogLine, *events: Input) -> list[Action]:
    return [action for event in events for _, action in line.handle(7, event)]


def kinds(actions: list[Action], *wanted: type[Action]) -> list[Action]:
    return [action for action in actions if isinstance(action, wanted)]


class Owner:
    """Keeps timers and the call as the line server does, and holds the machine to its word."""

    def __init__(self, made: AnalogLine) -> None:
        self.made = made
        self.timers: set[str] = set()
        self.in_call = False

    def give(self, event: Input) -> None:
        if isinstance(event, TimerFired):
            if event.name not in self.timers:
                return
            self.timers.remove(event.name)
        self.in_call |= isinstance(event, CallWanted) and self.made.is_idle(7)
        for _, action in self.made.handle(7, event):
            self.take(action)
        assert self.timers <= set(self.made.timers[self.made.state])

    def take(self, action: Action) -> None:
        match action:
            case StartTimer(name=name, ms=ms):
                assert ms > 0
                self.timers.add(name)
            case StopTimer(name=name):
                self.timers.discard(name)
            case CallOffered():
                assert not self.in_call
                self.in_call = True
            case CallReleased():
                assert self.in_call
                self.in_call = False
            case ChannelIdle():
                assert not self.in_call
