"""The two kinds of telephone: one of the outside world behind the exchange, and a set wired to an FXS port of the box.

Used from the event loop only.
"""

import asyncio

from drivers.media import End, MediaEvent
from drivers.virtual.audio import Circuit, FarPorts
from drivers.virtual.config import Answering, SetConfig, TelephoneConfig
from drivers.virtual.exchange import Exchange, Refusal
from drivers.virtual.handset import Handset, Phase
from drivers.virtual.hookstate import RxSig, TxSig
from drivers.virtual.pulses import PulseDial
from drivers.virtual.timer import Timer
from drivers.virtual.wire import Wire

REFUSED_PHASE = {Refusal.BUSY: Phase.BUSY, Refusal.NO_ANSWER: Phase.NO_ANSWER, Refusal.INVALID: Phase.ENDED}
LETS_GO_MS = 1000  # an automatic telephone hangs up this long after the other side did
FLASH_MS = 500


class OutsideTelephone(Handset):
    """A subscriber of the exchange: has its own line there, from which the exchange moves it onto the line it talks on."""

    def __init__(self, config: TelephoneConfig, exchange: Exchange, ports: FarPorts, setup_ms: int) -> None:
        super().__init__(config.number, ports, config.answering, config.after_ms, config.say)
        self.circuit = Circuit(ports, ports.engine.line_new(), End.NEAR, _ignore, self)
        self.rested_since = 0.0
        self.withheld = False
        self.dialled = ""
        self._exchange, self._setup_ms = exchange, setup_ms
        self._number_called = ""
        self._setup = Timer(self._place)
        self._let_go = Timer(self.hang_up)

    def dial(self, number: str) -> None:
        """Off-hook and call `number`; while a call is there, hang it up first."""
        self.hang_up()
        self.audio_home()
        self._number_called = number
        self._set_phase(Phase.DIALLING, number)
        self._setup.start(self._setup_ms)

    def answer(self) -> None:
        if self.phase is Phase.RINGING and self.port is None:
            self._auto_answer.stop()
            self.audio_home()
            self._exchange.answered(self)

    def hang_up(self) -> None:
        if self.phase is Phase.IDLE:
            return
        self._setup.stop()
        self._let_go.stop()
        ringing_unanswered = self.port is None
        if ringing_unanswered:
            self._exchange.busy_out(self)
        else:
            self._exchange.hung_up(self)
        self._rest("hung up")

    # --- audio: a mover of the exchange ---

    def audio_to(self, line: int, end: End) -> None:
        self._engine.attach_line(self._take_port(), line, end)

    def audio_home(self) -> None:
        self.audio_to(self.circuit.line, End.FAR)

    # --- a party of the exchange ---

    def is_free(self) -> bool:
        return self.phase is Phase.IDLE and self.answering is not Answering.BUSY

    def offered(self, caller: str) -> None:
        self._begins_to_ring(caller)

    def alerting(self) -> None:
        self._set_phase(Phase.RINGING, self._number_called)

    def connected(self) -> None:
        self._begins_to_talk()

    def refused(self, why: Refusal) -> None:
        self._set_phase(REFUSED_PHASE[why], why.value)

    def cleared(self) -> None:
        if self.port is None:
            self._rest("the caller gave up")
            return
        self._set_phase(Phase.ENDED, "the other side hung up")
        if self.answering is not Answering.COMMAND:
            self._let_go.start(LETS_GO_MS)

    def _place(self) -> None:
        self._exchange.place(self, self._number_called, "" if self.withheld else self.number)

    def _rest(self, detail: str) -> None:
        self._give_port_back()
        self.rested_since = asyncio.get_running_loop().time()
        self._set_phase(Phase.IDLE, detail)


class WiredSet(Handset):
    """A set on an FXS port: the box rings it and hears its hook."""

    def __init__(self, config: SetConfig, wire: Wire, ports: FarPorts) -> None:
        super().__init__(str(config.channel), ports, config.answering, config.after_ms, config.say)
        self.channel = config.channel
        self._wire = wire
        self._box_took_it = self._is_taken = False
        self._let_go = Timer(self.hang_up)
        self._flash = Timer(self._end_flash)
        self._dial = PulseDial(lambda closed: wire.from_world(RxSig.OFFHOOK if closed else RxSig.ONHOOK))
        wire.far = self

    @property
    def message_waiting(self) -> bool:
        """Its lamp."""
        return self._wire.message_waiting

    @property
    def polarity_reversed(self) -> bool:
        """Of its loop, as a set with an answer or hang-up contact sees it."""
        return self._wire.box_reversed

    def take_over(self) -> None:
        """Somebody sits at it: until `leave` it does nothing by itself, however it is configured."""
        self._is_taken = True
        self._auto_answer.stop()
        self._let_go.stop()

    def leave(self) -> None:
        """Nobody does any more: it is hung up, and is again as configured."""
        self._is_taken = False
        self.hang_up()
        if self.phase is Phase.RINGING:
            self._will_decide()

    def _will_decide(self) -> None:
        if not self._is_taken:
            super()._will_decide()

    def pick_up(self) -> None:
        """Off-hook, ringing or not."""
        if self.port is not None:
            return
        self._auto_answer.stop()
        self._box_took_it = False
        self._engine.attach_line(self._take_port(), self._wire.line, End.FAR)
        self._wire.from_world(RxSig.OFFHOOK)
        self._begins_to_talk()

    def answer(self) -> None:
        if self.phase is Phase.RINGING:
            self.pick_up()

    def hang_up(self) -> None:
        if self.port is None:
            return
        self._let_go.stop()
        self._flash.stop()
        self._dial.stop()
        self._give_port_back()
        self._wire.from_world(RxSig.ONHOOK)
        self._set_phase(Phase.IDLE, "hung up")

    def dial_pulses(self, digits: str) -> None:
        """Turn the dial of an old set: 0-9."""
        if self.port is not None:
            self._dial.dial(digits)

    def flash(self, ms: int = FLASH_MS) -> None:
        """Press the flash key: the loop opens for `ms`."""
        if self.port is not None:
            self._wire.from_world(RxSig.ONHOOK)
            self._flash.start(ms)

    def line_signal(self, sig: TxSig) -> None:
        if self.port is None:
            self._on_hook_signal(sig)
        elif sig is TxSig.OFFHOOK:
            self._box_took_it = True
        elif sig is TxSig.KEWL or (sig is TxSig.ONHOOK and self._box_took_it and self.phase is Phase.TALKING):
            self._box_hung_up()

    def _on_hook_signal(self, sig: TxSig) -> None:
        if sig is TxSig.START and self.phase is Phase.IDLE:
            self._begins_to_ring("")
        elif sig in (TxSig.ONHOOK, TxSig.KEWL) and self.phase is Phase.RINGING:
            self._auto_answer.stop()
            self._set_phase(Phase.IDLE, "ringing stopped")

    def _box_hung_up(self) -> None:
        self._set_phase(Phase.ENDED, "the box hung up")
        if self.answering is not Answering.COMMAND and not self._is_taken:
            self._let_go.start(LETS_GO_MS)

    def _end_flash(self) -> None:
        self._wire.from_world(RxSig.OFFHOOK)


def _ignore(event: MediaEvent) -> None:
    """The exchange listens to its own telephones only through their hooks."""
