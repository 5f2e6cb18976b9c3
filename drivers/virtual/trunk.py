"""The exchange's circuit at the far end of one line to the box: rings it, supervises it, takes its digits.

Used from the event loop only. The behaviour is `TABLE`.
"""

import asyncio
import logging
from collections.abc import Callable
from enum import Enum, auto

from drivers.media import End, EventKind, MediaEvent, Tone
from drivers.protocol import Caller, NumberSource, Presentation
from drivers.virtual.audio import Circuit, FarPorts
from drivers.virtual.config import SpanConfig, VirtualConfig
from drivers.virtual.exchange import Refusal
from drivers.virtual.holding import Switch
from drivers.virtual.hooks import FlashReceiver
from drivers.virtual.hookstate import KEWL_MS, RxSig, TxSig
from drivers.virtual.pulses import PulseReceiver
from drivers.virtual.ringing import cadence_ms
from drivers.virtual.timer import Timer
from drivers.virtual.wire import Wire

log = logging.getLogger(__name__)

ID_PAUSE_MS = 500  # from the end of the first ring, or from the loop's reversal, to caller id. Source: GR-30-CORE: 500 to 1500 ms
RING_PAUSE_MS = 300  # from caller id to the first ring


class TrunkState(Enum):
    IDLE = auto()
    RINGING = auto()  # a call is offered to the box
    DIALLING = auto()  # the box seized the line: dial tone, digits
    CALLING = auto()  # the dialled number is being rung
    TALKING = auto()
    ENDED = auto()  # busy or congestion tone until the box hangs up


class TrunkEvent(Enum):
    LOOP_CLOSED = auto()
    LOOP_OPENED = auto()
    OFFERED = auto()
    CONNECTED = auto()
    REFUSED = auto()
    CLEARED = auto()
    FLASHED = auto()


class Trunk:
    """One line circuit. `number` is what called telephones are shown."""

    def __init__(
        self,
        channel: int,
        wire: Wire,
        exchange: Switch,
        ports: FarPorts,
        config: VirtualConfig,
        span: SpanConfig,
    ) -> None:
        self.channel, self.wire, self.state = channel, wire, TrunkState.IDLE
        self.number = self.dialled = ""
        self.circuit = Circuit(ports, wire.line, End.FAR, self._media_event)
        self.digits = ""
        self.rested_since = 0.0
        self._exchange, self._config, self._span = exchange, config, span
        self._cadence_ms, self._cadence_at = cadence_ms(ports.country), 0
        self._ring = Timer(self._next_ring_step)
        self._drop = Timer(lambda: wire.from_world(RxSig.OFFHOOK))
        self._digit_wait = Timer(self._dialled)
        self._setup = Timer(self._place)
        self._pulses = PulseReceiver(self._pulsed, self._opened_while_dialling)
        self._flash = FlashReceiver(lambda: self.happened(TrunkEvent.FLASHED), lambda: self.happened(TrunkEvent.LOOP_OPENED))
        self._caller: Caller | None = None
        self._id_pause = Timer(self._tell_caller)
        self._first_ring = Timer(self._ring_step)
        wire.far = self

    def become(self, span: SpanConfig) -> None:
        """Supervised or not from now on."""
        self._span = span

    def close(self) -> None:
        """Nothing happens on it any more."""
        for timer in (self._ring, self._drop, self._digit_wait, self._setup, self._id_pause, self._first_ring):
            timer.stop()
        self._pulses.reset()
        self._flash.reset()

    def line_signal(self, sig: TxSig) -> None:
        closed = sig in (TxSig.OFFHOOK, TxSig.START)
        if self.state is TrunkState.DIALLING:
            self._pulses.loop(closed)
            if self._span.transfers:
                self._flash.pulse_or_flash(closed)
        elif self._span.transfers and self.state in (TrunkState.CALLING, TrunkState.TALKING, TrunkState.ENDED):
            self._flash.loop(closed)
        else:
            self.happened(TrunkEvent.LOOP_CLOSED if closed else TrunkEvent.LOOP_OPENED)

    # --- as a party of the exchange ---

    def is_free(self) -> bool:
        return self.state is TrunkState.IDLE and self.wire.usable

    def offered(self, caller: str) -> None:
        shown = Presentation.ALLOWED if caller else Presentation.RESTRICTED
        self._caller = None if self._span.caller_id == "none" else Caller(caller, shown, NumberSource.NETWORK)
        self.happened(TrunkEvent.OFFERED)

    def alerting(self) -> None:
        """The box hears the ringback tone, nothing else tells it."""

    def connected(self) -> None:
        self.happened(TrunkEvent.CONNECTED)

    def refused(self, why: Refusal) -> None:
        self.happened(TrunkEvent.REFUSED)

    def cleared(self) -> None:
        self.happened(TrunkEvent.CLEARED)

    # --- the table and its actions ---

    def happened(self, event: TrunkEvent) -> None:
        """One row of the table; an event without one is logged and releases the line."""
        row = TABLE.get((self.state, event))
        if row is None:
            log.error("LIN-074: exchange line %d: %s in state %s; released", self.channel, event.name, self.state.name)
            row = Trunk.give_up, TrunkState.IDLE
        action, self.state = row
        action(self)

    def nothing(self) -> None:
        """Seen, and of no consequence here."""

    def begin_ringing(self) -> None:
        self._cadence_at = 0
        if self._caller is None or self._span.caller_id_at == "first_ring":
            self._ring_step()
            return
        self.wire.reverse(self._span.caller_id_at == "polarity")
        self._id_pause.start(ID_PAUSE_MS)

    def stop_ringing(self) -> None:
        for timer in (self._ring, self._id_pause, self._first_ring):
            timer.stop()
        self.wire.reverse(False)
        self.wire.from_world(RxSig.OFFHOOK)
        self.rested_since = asyncio.get_running_loop().time()

    def answer(self) -> None:
        self.stop_ringing()
        self.circuit.release()
        self._exchange.answered(self)

    def begin_dialling(self) -> None:
        self.digits = ""
        self._pulses.reset()
        self.circuit.tone(Tone.DIAL)
        self.circuit.detect_digits(True)
        self._digit_wait.start(self._config.first_digit_ms)

    def show_answer(self) -> None:
        """The number the box dialled was answered."""
        self.wire.reverse(self._span.reverses_polarity)

    def give_up(self) -> None:
        """The box hung up, at whatever point."""
        for timer in (self._ring, self._id_pause, self._first_ring, self._digit_wait, self._setup, self._drop):
            timer.stop()
        self._pulses.reset()
        self._flash.reset()
        self.wire.reverse(False)
        self.wire.from_world(RxSig.OFFHOOK)
        self.rested_since = asyncio.get_running_loop().time()
        self._exchange.hung_up(self)

    def drop_battery(self) -> None:
        """Tell the box that the other side hung up: by polarity, and the kewl-start way."""
        self.wire.reverse(False)
        if self._span.supervised and not self._exchange.holds(self):
            self.wire.from_world(RxSig.ONHOOK)
            self._drop.start(KEWL_MS)

    def _ring_step(self) -> None:
        self.wire.from_world(RxSig.OFFHOOK if self._cadence_at % 2 else RxSig.RING)
        self._ring.start(self._cadence_ms[self._cadence_at])

    def _next_ring_step(self) -> None:
        self._cadence_at = (self._cadence_at + 1) % len(self._cadence_ms)
        self._ring_step()
        if self._caller is not None and self._cadence_at == len(self._cadence_ms) - 1:
            self._id_pause.start(ID_PAUSE_MS)

    # --- who calls ---

    def _tell_caller(self) -> None:
        caller, self._caller = self._caller, None
        if caller is not None:
            self.circuit.tell_caller(caller, self._span.caller_id)

    def _caller_told(self) -> None:
        self.circuit.release()
        if self.state is TrunkState.RINGING and not self._ring.running:
            self.wire.reverse(False)
            self._first_ring.start(RING_PAUSE_MS)

    # --- hook flash ---

    def flashed(self) -> None:
        """Hold the other side and take another number; or, when one is held, go back to it."""
        if not self._exchange.holds(self):
            if self.state is TrunkState.TALKING:
                self._exchange.hold(self)
                self.state = TrunkState.DIALLING
                self.begin_dialling()
            return
        for timer in (self._digit_wait, self._setup):
            timer.stop()
        self.state = TrunkState.TALKING
        if not self._exchange.take_back(self):
            self.state = TrunkState.ENDED
            self.circuit.tone(Tone.BUSY)

    def _opened_while_dialling(self) -> None:
        if not self._span.transfers:
            self.happened(TrunkEvent.LOOP_OPENED)

    # --- digits of the box ---

    def _media_event(self, event: MediaEvent) -> None:
        if event.kind is EventKind.DIGITS_SENT:
            self.circuit.sending = False
            self._caller_told()
        elif event.kind is EventKind.DIGIT and self.state is TrunkState.DIALLING and not self._setup.running:
            self._digit(event.digit)

    def _pulsed(self, digit: str) -> None:
        if self.state is TrunkState.DIALLING and not self._setup.running:
            self._digit(digit)

    def _digit(self, digit: str) -> None:
        if not self.digits:
            self.circuit.tone(None)
        self.digits += digit
        if self._exchange.is_complete(self.digits):
            self._dialled()
        else:
            self._digit_wait.start(self._config.next_digit_ms)

    def _dialled(self) -> None:
        self._digit_wait.stop()
        self.circuit.tone(None)
        self.circuit.detect_digits(False)
        self._setup.start(self._config.setup_ms)

    def _place(self) -> None:
        self.state = TrunkState.CALLING
        self._exchange.place(self, self.digits, self.number)


S, E = TrunkState, TrunkEvent

TABLE: dict[tuple[TrunkState, TrunkEvent], tuple[Callable[[Trunk], None], TrunkState]] = {
    (S.IDLE, E.LOOP_CLOSED): (Trunk.begin_dialling, S.DIALLING),
    (S.IDLE, E.LOOP_OPENED): (Trunk.nothing, S.IDLE),
    (S.IDLE, E.OFFERED): (Trunk.begin_ringing, S.RINGING),
    (S.RINGING, E.LOOP_CLOSED): (Trunk.answer, S.RINGING),
    (S.RINGING, E.LOOP_OPENED): (Trunk.nothing, S.RINGING),
    (S.RINGING, E.CONNECTED): (Trunk.nothing, S.TALKING),
    (S.RINGING, E.CLEARED): (Trunk.stop_ringing, S.IDLE),
    (S.DIALLING, E.LOOP_CLOSED): (Trunk.nothing, S.DIALLING),
    (S.DIALLING, E.LOOP_OPENED): (Trunk.give_up, S.IDLE),
    (S.CALLING, E.LOOP_CLOSED): (Trunk.nothing, S.CALLING),
    (S.CALLING, E.LOOP_OPENED): (Trunk.give_up, S.IDLE),
    (S.CALLING, E.CONNECTED): (Trunk.show_answer, S.TALKING),
    (S.CALLING, E.REFUSED): (Trunk.nothing, S.ENDED),
    (S.TALKING, E.LOOP_CLOSED): (Trunk.nothing, S.TALKING),
    (S.TALKING, E.LOOP_OPENED): (Trunk.give_up, S.IDLE),
    (S.TALKING, E.CLEARED): (Trunk.drop_battery, S.ENDED),
    (S.DIALLING, E.FLASHED): (Trunk.flashed, S.DIALLING),
    (S.CALLING, E.FLASHED): (Trunk.flashed, S.CALLING),
    (S.TALKING, E.FLASHED): (Trunk.flashed, S.TALKING),
    (S.ENDED, E.FLASHED): (Trunk.flashed, S.ENDED),
    (S.ENDED, E.LOOP_CLOSED): (Trunk.nothing, S.ENDED),
    (S.ENDED, E.LOOP_OPENED): (Trunk.give_up, S.IDLE),
}
"""(state, event) -> (action, state). OFFHOOK and START both close the loop, so a closed loop may be told twice."""
