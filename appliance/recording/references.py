"""The numbers of messages, as callers hear them: short, rising, never given twice. Call agent's event loop only."""

from collections.abc import Iterable

from appliance.events import AnyHappened, MessageLeft
from appliance.store.models import VoiceMessage

FIRST = 1001


def highest_stored() -> int:
    """The highest number in the store; run by the store's writer thread."""
    numbers = (row.reference for row in VoiceMessage.select(VoiceMessage.reference))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


class References:
    """Counts on from the store and from what calls carry that is not stored yet."""

    def __init__(self) -> None:
        self._next = FIRST

    def seen(self, highest: int) -> None:
        """Numbers up to this one are given."""
        self._next = max(self._next, highest + 1)

    def seen_in(self, events: Iterable[AnyHappened]) -> None:
        """Numbers in these events are given."""
        for event in events:
            if isinstance(event, MessageLeft) and event.reference.isdecimal():
                self.seen(int(event.reference))

    def next(self) -> str:
        reference = str(self._next)
        self._next += 1
        return reference
