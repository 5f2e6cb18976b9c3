"""What the tests of analogue signalling share: a line or a set is fed events, and its word is held against the contract."""

from drivers.io import LineEvent
from drivers.protocol import LegPhase
from drivers.signalling import (
    Action,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    Input,
    LineHappened,
    ReleaseWanted,
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


def check_never_stuck(made: AnalogLine, events: list[Input]) -> None:
    """Whatever happens: after a release, the far end on-hook and every timer, the channel is idle, and each call has ended once."""
    owner = Owner(made)
    for event in events:
        owner.give(event)
    owner.give(ReleaseWanted())
    owner.give(ONHOOK)
    for _ in range(3):  # a timer may start the next
        for name in sorted(owner.timers):
            owner.give(TimerFired(name))
    assert not owner.in_call
    assert made.is_idle(7)
    assert not owner.timers


def check_every_event_has_a_row(kind: type[AnalogLine], said: set[str]) -> None:
    assert {(state, name) for state in kind.timers for name in said} - set(kind.table) == set()


def check_names_are_real(kind: type[AnalogLine], commands: set[str]) -> None:
    """Triggers of the table: events of the kernel, timers the kind knows, country tones, and `commands`."""
    tones = {f"tone {tone}{end}" for tone in ("dial", "ringback", "busy", "congestion") for end in ("", " ends")}
    timers = {f"timer {name}" for names in kind.timers.values() for name in names}
    known = tones | commands | timers | {event.name for event in LineEvent}
    assert {trigger for _, trigger in kind.table} <= known
    assert {state for state, _ in kind.table} == set(kind.timers)


def check_adopted(made: AnalogLine, phase: LegPhase) -> None:
    """A call taken over can be released, or is released at once because nobody knows which digits went out."""
    first = [action for _, action in made.adopt(7, phase)]
    done = [*first, *run(made, ReleaseWanted(), ONHOOK, TimerFired("guard"), TimerFired("ring_stopped"))]
    assert len(kinds(done, CallReleased)) == 1
    assert (phase is LegPhase.DIALLING) == bool(kinds(first, CallReleased))
    assert made.is_idle(7)
