"""One connection of a call agent, whatever carries it: the greeting, then commands. Line server's event loop only."""

import logging
from typing import Protocol

from drivers.errors import CarelineError
from drivers.protocol import VERSION, Command, Event, Hello, Refused
from drivers.server.commands import Commands
from drivers.server.lines import Lines
from drivers.server.unattended import Unattended

log = logging.getLogger("careline.lines")

HELLO_LIMIT_S = 10.0


class Wire(Protocol):
    """What carries a session. Both calls return at once; `send` drops the connection of a client that does not read."""

    def send(self, event: Event) -> None: ...

    def end(self) -> None: ...


class Reception:
    """Lets one call agent at a time in."""

    def __init__(self, lines: Lines, commands: Commands, unattended: Unattended) -> None:
        self.lines = lines
        self.commands = commands
        self._unattended = unattended

    def enter(self, session: "Session", hello: Hello) -> Refused | None:
        """None when the session is the call agent now."""
        if hello.version != VERSION:
            what = f"{hello.client} speaks version {hello.version} of the line protocol, this server version {VERSION}"
            return Refused(code="LIN-050", what=what, remedy="Install both programs from the same release and restart them")
        if self.lines.outbox.receiver is not None:
            what = "another call agent is connected"
            return Refused(code="LIN-051", what=what, remedy="Stop the other one first; it has the calls")
        self._unattended.agent_here()
        self.lines.outbox.connect(session, self.lines.welcome())
        log.info("call agent %s connected, %d legs", hello.client, len(self.lines.book.states()))
        return None

    def leave(self, session: "Session") -> None:
        if self.lines.outbox.disconnect(session):
            log.warning("LIN-056 call agent gone; %d legs go on without it", len(self.lines.book.states()))
            self._unattended.agent_gone()


class Session:
    """Greets, then carries out commands; ends at the first message that makes no sense."""

    def __init__(self, reception: Reception, wire: Wire) -> None:
        self._reception = reception
        self._wire = wire
        self._welcome = False
        self._over = False

    @property
    def greeted(self) -> bool:
        return self._welcome

    def deliver(self, event: Event) -> None:
        if not self._over:
            self._wire.send(event)

    def receive(self, message: object) -> None:
        if self._over:
            return
        if not self._welcome:
            self._greet(message)
        elif isinstance(message, Command) and not isinstance(message, Hello):
            self._reception.commands.carry_out(message)
        else:
            self.refuse("LIN-053", f"{type(message).__name__} is no command", "Say Hello once, then send commands")

    def _greet(self, message: object) -> None:
        if not isinstance(message, Hello):
            self.refuse("LIN-053", f"the first message was {type(message).__name__}, not Hello", "Say Hello first")
            return
        self._welcome = True
        if refused := self._reception.enter(self, message):
            self.refuse(refused.code, refused.what, refused.remedy)

    def refuse(self, code: str, what: str, remedy: str) -> None:
        """Say why and end the connection."""
        log.warning("%s client refused: %s", code, what)
        self.deliver(Refused(code=code, what=what, remedy=remedy))
        self.lost()
        self._wire.end()

    def broken(self, error: CarelineError) -> None:
        self.refuse(error.code, error.what, error.remedy)

    def lost(self) -> None:
        """The connection is gone."""
        if not self._over:
            self._over = True
            self._reception.leave(self)
