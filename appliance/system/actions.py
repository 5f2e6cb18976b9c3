"""Every request of the box service and the function that does it: the one table that server and client are made of.

An action runs in a thread of its own and may take its time, but every wait in it has a limit. It answers with one message, or with None
when Done says it all. Raises: CarelineError, told to the client as SystemFailed.
"""

from functools import reduce
from operator import or_
from typing import Any

from appliance.system.backup import actions as backup
from appliance.system.box import Action, Box, Tell
from appliance.system.cards import actions as cards
from appliance.system.messages import Progress, SystemDone, SystemFailed, SystemHello, SystemRequest
from appliance.system.network import actions as network
from appliance.system.services import actions as services
from appliance.system.update import actions as update
from drivers.protocol import Message, Refused

__all__ = ["ACTIONS", "REPLIES", "Action", "Box", "Tell", "replies", "requests"]

ACTIONS: dict[type[SystemRequest], Action] = {**backup.ACTIONS, **cards.ACTIONS, **network.ACTIONS, **services.ACTIONS, **update.ACTIONS}
REPLIES: tuple[type[Message], ...] = (*backup.REPLIES, *cards.REPLIES, *network.REPLIES, *services.REPLIES, *update.REPLIES)


def requests() -> Any:
    """The union of all requests, as FrameReader wants it."""
    return _union((SystemHello, *ACTIONS))


def replies() -> Any:
    """The union of all answers."""
    return _union((SystemDone, SystemFailed, Refused, Progress, *REPLIES))


def _union(kinds: tuple[type[Message], ...]) -> Any:
    return reduce(or_, kinds)
