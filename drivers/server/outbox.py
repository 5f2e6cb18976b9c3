"""Where events go: to the call agent that is connected, or, few and bounded, kept until one is. Line server's event loop only."""

import logging
from collections import deque
from typing import Protocol

from drivers.legs import LegBook
from drivers.protocol import DigitsSent, Event, RecordingGap, SilenceBegan, SpeechBegan, ToneDetected, Transferred

log = logging.getLogger("careline.lines")

# What a snapshot cannot tell. Everything else is in the LegState already.
KEPT = (DigitsSent, RecordingGap, SilenceBegan, SpeechBegan, ToneDetected, Transferred)


class Receiver(Protocol):
    """A connected call agent. `deliver` never waits."""

    def deliver(self, event: Event) -> None: ...


class Outbox:
    """Sends events in order; the book of legs is on disk before any event about it leaves."""

    def __init__(self, book: LegBook, max_kept: int) -> None:
        self._book = book
        self._receiver: Receiver | None = None
        self._kept: deque[Event] = deque(maxlen=max_kept)

    @property
    def receiver(self) -> Receiver | None:
        return self._receiver

    def connect(self, receiver: Receiver, welcome: Event) -> None:
        """From now on `receiver` hears everything: the welcome first, then what was kept."""
        self._receiver = receiver
        self.emit(welcome)
        while self._kept:
            self.emit(self._kept.popleft())

    def disconnect(self, receiver: Receiver) -> bool:
        """False when that one was not the call agent."""
        if receiver is not self._receiver:
            return False
        self._receiver = None
        return True

    def emit(self, event: Event) -> None:
        self._book.flush()
        if self._receiver is not None:
            self._receiver.deliver(event)
        elif isinstance(event, KEPT):
            self._kept.append(event)

    def forget(self, leg: str) -> None:
        """What was kept about a leg nobody knows any more."""
        left = [event for event in self._kept if getattr(event, "leg", "") != leg]
        self._kept.clear()
        self._kept.extend(left)
