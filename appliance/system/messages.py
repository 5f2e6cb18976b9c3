"""What crosses the socket of the box service (`careline system`): the base of all requests, and how one is answered.

Framing as in drivers.protocol. Every request is answered by Done or Failed with its `request_id`; before that may come what it asked for,
and Progress of what takes long. Each subject (network, update, backup …) has its own messages in its own package;
`appliance.system.actions` lists them. Times are aware UTC.
"""

from drivers.protocol import Message

VERSION = 1


class SystemRequest(Message, frozen=True, kw_only=True):
    """`by`: who asks: the account's name, or "console:NAME". Clients have checked what that person may do."""

    request_id: int = 0
    by: str = ""


class SystemHello(SystemRequest, frozen=True, kw_only=True):
    """First message. Answered by Done, or by Refused for another version."""

    version: int
    client: str


class Progress(Message, frozen=True, kw_only=True):
    """How far a long request has come: 0 to 100, and the step in a stable English word ("copying", "checking") that pages translate."""

    request_id: int
    percent: int
    step: str


class SystemDone(Message, frozen=True, kw_only=True):
    request_id: int


class SystemFailed(Message, frozen=True, kw_only=True):
    request_id: int
    code: str
    what: str
    remedy: str
