"""Audio of the far side: media ports that the exchange and the telephones use, and joining them. The card's own ports are not here.

Ports are taken from the engine once and used again for ever, so an event that arrives late can never meet a stranger.
Used from the event loop only.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from drivers.media import Cadence, End, Engine, Law, MediaEvent, Tone, zone_tone
from drivers.media.line_signals import Fsk
from drivers.protocol import Caller
from drivers.signalling import callerid
from drivers.signalling.fxo_profile import LineTones
from drivers.tone_cadence import cadence_of

COUNTRY_TONES = LineTones()
CALLER_KEY_MS = 70  # Source: EN 300 659-1 annex B: 70 ms each, +-5
CALLER_LOW_DBM0, CALLER_HIGH_DBM0 = -11.0, -9.0

EventSink = Callable[[MediaEvent], None]
IDS_FROM = 1 << 31  # the box's own plays and recordings are numbered from 1


class FarPorts:
    """The ports of the far side: lends idle ones, and hands each its events."""

    def __init__(self, engine: Engine, country: str, law: Law, tones: LineTones = COUNTRY_TONES) -> None:
        self.engine = engine
        self.law = law
        self.country = country
        self._tones = {Tone[name.upper()]: cadence_of(text) for name, text in tones.written().items()}
        self._idle: deque[int] = deque()
        self._sinks: dict[int, EventSink | None] = {}
        self._last_id = IDS_FROM

    def take(self, sink: EventSink) -> int:
        """A port nobody uses; `sink` gets its events until it is given back. Raises: MediaError when all are in use."""
        port = self._idle.popleft() if self._idle else self.engine.port_new(self.law)
        self._sinks[port] = sink
        return port

    def give_back(self, port: int, sending: bool = False) -> None:
        """Silence it and keep it for the next; not one that still sends keys, which the engine would send into the next call."""
        if sending:
            del self._sinks[port]
            self.engine.port_free(port)
            return
        self._sinks[port] = None
        self.engine.unbridge(port)
        self.engine.tone(port, None)
        self.engine.detect_digits(port, False)
        self.engine.detach(port)
        self._idle.append(port)

    def media_event(self, event: MediaEvent) -> bool:
        """Pass on an event of the media core; False when its port is not of the far side."""
        if event.port not in self._sinks:
            return False
        sink = self._sinks[event.port]
        if sink is not None:
            sink(event)
        return True

    def cadence(self, tone: Tone) -> Cadence:
        """How the exchange sounds that tone: its own way, or the country's."""
        return self._tones.get(tone) or zone_tone(self.country, tone)

    def next_id(self) -> int:
        """For a play or a recording, different from all others of this engine."""
        self._last_id += 1
        return self._last_id

    def free(self) -> None:
        """Give every port back to the engine."""
        for port in self._sinks:
            self.engine.port_free(port)
        self._sinks.clear()
        self._idle.clear()


class Mover(Protocol):
    """A telephone whose own port can be put on another line (the exchange's switching contact)."""

    def audio_to(self, line: int, end: End) -> None: ...

    def audio_home(self) -> None: ...


class Circuit:
    """The exchange's end of one line: sends tones, hears digits, is joined to another circuit.

    `sending`: caller id is on its way, until DIGITS_SENT.
    `mover` is the telephone at the other end of a subscriber's own line, None for a line to the box.
    """

    def __init__(self, ports: FarPorts, line: int, end: End, sink: EventSink, mover: Mover | None = None) -> None:
        self.line, self.end, self.mover = line, end, mover
        self.sending = False
        self._ports, self._sink = ports, sink
        self._port: int | None = None

    @property
    def engine(self) -> Engine:
        return self._ports.engine

    def port(self) -> int:
        """The exchange's port on this line, taken when first needed."""
        if self._port is None:
            self._port = self._ports.take(self._sink)
            self.engine.attach_line(self._port, self.line, self.end)
        return self._port

    def tone(self, tone: Tone | None) -> None:
        """Send one of the country's tones into the line; None stops."""
        if tone is None and self._port is None:
            return
        cadence = None if tone is None else self._ports.cadence(tone)
        self.engine.tone(self.port(), cadence)

    def tell_caller(self, caller: Caller, standard: str) -> None:
        """Send caller id ("dtmf", "bell202", "v23") into the line; DIGITS_SENT tells the end."""
        self.tone(None)
        self.sending = True
        if standard == "dtmf":
            keys = callerid.to_dtmf(caller)
            self.engine.send_digits(self.port(), keys, CALLER_KEY_MS, CALLER_KEY_MS, CALLER_LOW_DBM0, CALLER_HIGH_DBM0)
        else:
            self.engine.send_caller_id(self.port(), callerid.to_message(caller), Fsk[standard.upper()])

    def detect_digits(self, on: bool) -> None:
        if on or self._port is not None:
            self.engine.detect_digits(self.port(), on)

    def release(self) -> None:
        """Nothing more is sent or heard here."""
        if self._port is not None:
            self._ports.give_back(self._port, self.sending)
            self._port = None
            self.sending = False


def join(first: Circuit, second: Circuit) -> None:
    """The parties of two circuits talk. A telephone's port moves onto the other line; two lines of the box are bridged."""
    for mine, other in ((first, second), (second, first)):
        if mine.mover is not None:
            mine.release()
            other.release()
            mine.mover.audio_to(other.line, other.end)
            return
    first.tone(None)
    second.tone(None)
    first.detect_digits(False)
    second.detect_digits(False)
    first.engine.bridge(first.port(), second.port())


def part(first: Circuit, second: Circuit) -> None:
    """Undo `join`; each circuit is the exchange's again."""
    for mine in (first, second):
        if mine.mover is not None:
            mine.mover.audio_home()
    if first.mover is None and second.mover is None:
        first.release()
        second.release()
