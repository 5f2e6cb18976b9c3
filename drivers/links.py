"""D-channels: where a card's frames meet the signalling of a whole span. Line server's event loop only.

A `Link` feeds its signaller with frames and timers under the D-channel's number and performs what comes of it, for its B-channels too.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from drivers.errors import LineError, MediaError
from drivers.io import ChannelSpec, LineEvent, LinkIO
from drivers.signalling import Action, FrameReceived, Input, LinkChanged, SendFrame, Signaller, StartTimer, Step, StopTimer, TimerFired
from drivers.timers import Timers

log = logging.getLogger("careline.lines")


class LinkSignaller(Signaller, Protocol):
    """Signalling that has a link of its own."""

    def start(self) -> tuple[Step, ...]:
        """What the link begins with."""


class Performs(Protocol):
    """A channel or a link: does what a signaller asks for."""

    def perform(self, action: Action) -> None: ...


Find = Callable[[int], Performs]


def perform(steps: tuple[Step, ...], find: Find) -> None:
    """Do all of it, in order; what a card or the media core refuses is logged and the rest still done."""
    for number, action in steps:
        try:
            find(number).perform(action)
        except (LineError, MediaError) as error:
            log.error("%s channel %d: %s. %s", error.code, number, error.what, error.remedy)


class Link:
    """One D-channel. `changed` is told when it comes up or goes down; `io` is None while it is not open."""

    def __init__(self, spec: ChannelSpec, signaller: LinkSignaller, find: Find, changed: Callable[[ChannelSpec, bool], None]) -> None:
        self.spec = spec
        self.number = spec.number
        self.io: LinkIO | None = None
        self._signaller = signaller
        self._find = find
        self._changed = changed
        self._timers = Timers(self._timer_fired)
        self._begun = False

    @property
    def serves(self) -> frozenset[int]:
        """Its B-channels."""
        return frozenset(self._signaller.channels()) - {self.number}

    def opened(self, io: LinkIO) -> None:
        """The D-channel is there (again)."""
        self.io = io
        if not self._begun:
            self._begun = True
            perform(self._signaller.start(), self._find)

    def on_frame(self, frame: bytes) -> None:
        self._tell(FrameReceived(frame))

    def on_line_event(self, event: LineEvent) -> None:
        """Alarms need nothing here: the far side's silence tells the signalling."""
        log.debug("D-channel %d: %s", self.number, event.name)
        if event is LineEvent.REMOVED and self.io is not None:
            self.io.close()
            self.io = None

    def perform(self, action: Action) -> None:
        match action:
            case SendFrame(frame=frame):
                self._send(frame)
            case StartTimer(name=name, ms=ms):
                self._timers.start(name, ms)
            case StopTimer(name=name):
                self._timers.stop(name)
            case LinkChanged(up=up):
                log.warning("LIN-150 D-channel %d is %s", self.number, "up" if up else "down: calls that talk go on, no call can begin")
                self._changed(self.spec, up)
            case _:
                log.error("LIN-060 D-channel %d cannot do %s", self.number, type(action).__name__)

    def close(self) -> None:
        """Stop; calls are left as they are."""
        self._timers.close()
        if self.io is not None:
            self.io.close()
            self.io = None

    def _tell(self, event: Input) -> None:
        perform(self._signaller.handle(self.number, event), self._find)

    def _send(self, frame: bytes) -> None:
        if self.io is None or not self.io.send(frame):
            log.debug("D-channel %d: a frame of %d bytes is lost", self.number, len(frame))

    def _timer_fired(self, name: str) -> None:
        self._tell(TimerFired(name))
