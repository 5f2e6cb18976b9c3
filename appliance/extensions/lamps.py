"""Message waiting: the sets named in `[calls] message_lamps` show it while a caller's message has not been heard.

Runs in the call agent's event loop, one task; the web marks messages as heard in the store, so the store is asked again and again.
"""

import asyncio
import logging

from appliance.extensions.session import Extensions
from appliance.lines import Lines
from appliance.store.models import VoiceMessage
from appliance.store.writer import Store
from drivers.errors import CarelineError
from drivers.protocol import Event, LinesReplaced, ShowMessages, Welcome

log = logging.getLogger("careline.call")

LOOK_EVERY_S = 5.0


class MessageLamps:
    """Told of the lines as a listener after `Extensions` has the plan."""

    def __init__(self, numbers: tuple[str, ...], extensions: Extensions, lines: Lines, store: Store) -> None:
        self._numbers = numbers
        self._extensions = extensions
        self._lines = lines
        self._store = store
        self._shown: bool | None = None

    def adopted(self, welcome: Welcome) -> None:
        """A line server that has started anew shows no lamp."""
        self._shown = None

    def lost(self, error: CarelineError) -> None:
        """The lamps stay as they are."""

    def event(self, event: Event) -> None:
        """A set that is new shows no lamp."""
        if isinstance(event, LinesReplaced):
            self._shown = None

    async def run(self) -> None:
        """Until cancelled; at once over when no set has a lamp to show."""
        while self._numbers:
            try:
                await self._look()
            except CarelineError as error:  # told as the store's own fault
                log.info("message lamps stay as they are: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        waiting = bool(await self._store.read(_unheard))
        if waiting is self._shown or not self._lines.connected:
            return
        self._shown = waiting
        for number in self._numbers:
            self._show(number, waiting)

    def _show(self, number: str, waiting: bool) -> None:
        leads_to = self._extensions.leads_to(number)
        if leads_to is None or leads_to.channel is None:
            log.error("APP-014: [calls] message_lamps: %s is no set of the dial plan", number)
        else:
            self._lines.send(ShowMessages(channel=leads_to.channel, waiting=waiting))


def _unheard() -> int:
    count: int = VoiceMessage.select().where(VoiceMessage.heard_at.is_null()).count()
    return count
