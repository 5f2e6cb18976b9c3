"""The numbers of messages, as callers hear them: short, rising, never given twice. Call agent's event loop only."""

import asyncio
from collections.abc import Iterable

from appliance.errors import CallError
from appliance.events import AnyHappened, MessageLeft
from appliance.store.models import VoiceMessage

FIRST = 1001


def highest_stored() -> int:
    """The highest number in the store; run by the store's writer thread."""
    numbers = (row.reference for row in VoiceMessage.select(VoiceMessage.reference))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def not_known() -> CallError:
    return CallError("APP-015", "no number can be given to a message: the store is not open", "Free disk space; see the fault of the store")


class References:
    """Counts on from the store and from what calls carry that is not stored yet. `known`: the store has been read."""

    def __init__(self) -> None:
        self._next = FIRST
        self.known = asyncio.Event()

    def stored(self, highest: int) -> None:
        """The store has been read: from now on numbers can be given."""
        self.seen(highest)
        self.known.set()

    def seen(self, highest: int) -> None:
        """Numbers up to this one are given."""
        self._next = max(self._next, highest + 1)

    def seen_in(self, events: Iterable[AnyHappened]) -> None:
        """Numbers in these events are given."""
        for event in events:
            if isinstance(event, MessageLeft) and event.reference.isdecimal():
                self.seen(int(event.reference))

    def next(self) -> str:
        """Raises: CallError APP-015 while the store has not been read: a number might be given twice."""
        if not self.known.is_set():
            raise not_known()
        reference = str(self._next)
        self._next += 1
        return reference
