"""The exchange beyond the box's lines: numbers, hunting, ringing, supervision. It knows parties, never what they are made of.

A party is a line to the box (`trunk.py`) or a telephone of the outside world (`telephone.py`). Used from the event loop only.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from drivers.media import Tone
from drivers.virtual.audio import Circuit, join, part
from drivers.virtual.config import Hunting
from drivers.virtual.timer import Timer


class Refusal(StrEnum):
    """Why a call did not come about."""

    BUSY = "busy"
    NO_ANSWER = "no answer"
    INVALID = "no such number"


REFUSAL_TONES = {Refusal.BUSY: Tone.BUSY, Refusal.NO_ANSWER: Tone.BUSY, Refusal.INVALID: Tone.CONGESTION}


class Party(Protocol):
    """One side of a call, as the exchange sees it."""

    dialled: str
    """The number of the call last offered."""

    @property
    def circuit(self) -> Circuit: ...

    @property
    def rested_since(self) -> float:
        """Loop time at which it last became free."""

    def is_free(self) -> bool:
        """Can be rung now."""

    def offered(self, caller: str) -> None:
        """Ring. Later `Exchange.answered`, or `cleared` from the exchange."""

    def alerting(self) -> None:
        """The number this party called rings."""

    def connected(self) -> None:
        """Both talk."""

    def refused(self, why: Refusal) -> None:
        """The call this party placed did not come about; it hears a tone until it hangs up."""

    def cleared(self) -> None:
        """The other side is gone: stop ringing, or end the talk."""


class Connection:
    """A call through the exchange: rings until `talking`."""

    def __init__(self, caller: Party, callee: Party, no_answer: Callable[["Connection"], None], ring_limit_ms: int) -> None:
        self.caller, self.callee = caller, callee
        self.talking = False
        self.ring_limit = Timer(lambda: no_answer(self))
        self.ring_limit.start(ring_limit_ms)

    def other(self, party: Party) -> Party:
        return self.callee if party is self.caller else self.caller


class Exchange:
    """Connects parties. `numbers` leads each number to the parties that serve it, in the order they are hunted."""

    def __init__(self, ring_limit_ms: int, hunting: Hunting = Hunting.LINEAR) -> None:
        self.numbers: dict[str, tuple[Party, ...]] = {}
        self._ring_limit_ms, self._hunting = ring_limit_ms, hunting
        self._connections: dict[int, Connection] = {}
        self._held: dict[int, Connection] = {}

    @property
    def busy(self) -> bool:
        """Some call rings or talks."""
        return bool(self._connections)

    def assign(self, number: str, parties: Sequence[Party]) -> None:
        self.numbers[number] = tuple(parties)

    def is_complete(self, digits: str) -> bool:
        """No further digit could matter: no number begins with these digits and goes on."""
        return not any(number != digits and number.startswith(digits) for number in self.numbers)

    def place(self, caller: Party, number: str, caller_number: str) -> None:
        """Call `number` for `caller`: ringback and `alerting`, or a tone and `refused`."""
        if number not in self.numbers:
            self._refuse(caller, Refusal.INVALID)
            return
        callee = self._hunt(number, caller)
        if callee is None:
            self._refuse(caller, Refusal.BUSY)
            return
        connection = Connection(caller, callee, self._no_answer, self._ring_limit_ms)
        self._connections[id(caller)] = self._connections[id(callee)] = connection
        callee.dialled = number
        callee.offered(caller_number)
        caller.circuit.tone(Tone.RINGBACK)
        caller.alerting()

    def answered(self, callee: Party) -> None:
        """A party that was rung went off-hook."""
        connection = self._connections[id(callee)]
        connection.ring_limit.stop()
        connection.talking = True
        join(connection.caller.circuit, connection.callee.circuit)
        connection.caller.connected()
        connection.callee.connected()

    def hung_up(self, party: Party) -> None:
        """A party went on-hook, whatever it was doing. Its circuit falls silent; the other side hears busy if it talked."""
        connection = self._connections.get(id(party))
        if connection is not None:
            self._end(connection)
            other = connection.other(party)
            if connection.talking:
                other.circuit.tone(Tone.BUSY)
            other.cleared()
        party.circuit.release()

    def busy_out(self, party: Party) -> None:
        """A rung party refuses the call: the caller hears busy."""
        connection = self._connections[id(party)]
        self._end(connection)
        self._refuse(connection.other(party), Refusal.BUSY)

    def _hunt(self, number: str, caller: Party) -> Party | None:
        free = [party for party in self.numbers[number] if party is not caller and party.is_free()]
        if self._hunting is Hunting.LONGEST_FREE:
            free.sort(key=lambda party: party.rested_since)
        return free[0] if free else None

    def _refuse(self, caller: Party, why: Refusal) -> None:
        caller.circuit.tone(REFUSAL_TONES[why])
        caller.refused(why)

    def _no_answer(self, connection: Connection) -> None:
        self._end(connection)
        connection.callee.cleared()
        self._refuse(connection.caller, Refusal.NO_ANSWER)

    def _end(self, connection: Connection) -> None:
        connection.ring_limit.stop()
        del self._connections[id(connection.caller)], self._connections[id(connection.callee)]
        if connection.talking:
            part(connection.caller.circuit, connection.callee.circuit)
