"""What a switch does for its extensions: hold a conversation, call somebody else, have the first back or hand it over. A kind of exchange.

Used from the event loop only. A party holds one conversation at most.
"""

from drivers.media import Tone
from drivers.virtual.audio import join, part
from drivers.virtual.exchange import Connection, Exchange, Party


class Switch(Exchange):
    """An exchange whose parties can hold. `holds` says whether one does."""

    def hold(self, party: Party) -> None:
        """Park the conversation of `party`, which can call somebody else now. The other side hears nothing meanwhile."""
        connection = self._connections.pop(id(party))
        part(connection.caller.circuit, connection.callee.circuit)
        connection.talking = False
        self._held[id(party)] = connection

    def holds(self, party: Party) -> bool:
        return id(party) in self._held

    def take_back(self, party: Party) -> bool:
        """Give up whatever call `party` makes now and go back to the one it holds; False when that one has hung up."""
        if id(party) in self._connections:
            super().hung_up(party)
        else:
            party.circuit.release()
        connection = self._held.pop(id(party))
        if id(connection.other(party)) not in self._connections:
            return False
        self._connections[id(party)] = connection
        connection.talking = True
        join(connection.caller.circuit, connection.callee.circuit)
        return True

    def hung_up(self, party: Party) -> None:
        """Of one that holds: hand the held conversation over to whom it called, ringing or talking; or end it."""
        if not self.holds(party):
            self._forget_if_held(party)
            super().hung_up(party)
            return
        held = self._held.pop(id(party))
        consult = self._connections.get(id(party))
        waiting = held.other(party)
        alive = self._connections.get(id(waiting)) is held
        if alive and consult is not None and consult.caller is party:
            self._hand_over(party, waiting, consult)
            return
        if alive:
            del self._connections[id(waiting)]
            waiting.circuit.tone(Tone.BUSY)
            waiting.cleared()
        super().hung_up(party)

    def _hand_over(self, party: Party, waiting: Party, consult: Connection) -> None:
        if consult.talking:
            part(consult.caller.circuit, consult.callee.circuit)
        del self._connections[id(party)]
        party.circuit.release()
        consult.caller = waiting
        self._connections[id(waiting)] = consult
        if consult.talking:
            join(waiting.circuit, consult.callee.circuit)
        else:
            waiting.circuit.tone(Tone.RINGBACK)

    def _forget_if_held(self, party: Party) -> None:
        """Somebody on hold gives up: there is nothing to part, and nobody is told."""
        connection = self._connections.get(id(party))
        if connection is not None and connection in self._held.values():
            del self._connections[id(party)]
