"""Register signals of the called side: asks for one digit after the other, for the caller, and says how the line is. Pure.

Whoever asks decides here, so a number is only taken when every signal of it was whole: one that changes without silence between, or that
stops or comes back sooner than our own signal can have been heard, is an interruption; it is answered with congestion, and there is no
call. The same goes for a number during which sound was lost on its way between the card and us.
Source: Q.440, Q.441, Q.442 (pulses), Q.476 (T3 is next_signal).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import ClassVar

from drivers.protocol import Caller, NumberSource, Presentation
from drivers.signalling import ListenForMf, NumberDoubted, SendMf, StartTimer
from drivers.signalling.r2.exchange import Actions, Exchange, LoopTime, Table
from drivers.signalling.r2.settings import MAX_DIGITS, R2Span
from drivers.signalling.r2.variants import Order, refusal, signal_for


class Asking(StrEnum):
    """Where the compelled exchange stands."""

    LISTENING = "listening"  # silence on both sides; the next forward signal is due
    ANSWERING = "answering"  # both signals on
    PAUSE = "pause"  # silence before a pulse that follows another signal of ours
    PULSE = "pulse"  # a backward signal without a forward one
    HOLDING = "holding"  # the far side waits for our signal of group B
    OVER = "over"


class Part(StrEnum):
    """What the next forward signal belongs to."""

    DNIS = "dnis"
    CATEGORY = "category"
    ANI = "ani"
    GROUP_B = "group_b"


DIGITS: Mapping[str, str] = {str(number): str(number % 10) for number in range(1, 11)}


def nothing(exchange: "IncomingRegister") -> Actions:
    return ()


def take(exchange: "IncomingRegister") -> Actions:
    return TAKING[exchange._part](exchange)


def heard(exchange: "IncomingRegister") -> Actions:
    """The forward signal is over, so ours has been heard."""
    actions = hush(exchange)
    exchange._loop.end()
    return actions


def hush(exchange: "IncomingRegister") -> Actions:
    """Silence, and then the next signal; or that was the last."""
    if exchange._after:
        return exchange._over(exchange._after)
    exchange.state = S.LISTENING
    exchange._early_for(exchange._too_soon_ms())
    return (SendMf(forward=False), *exchange._listen())


def mutilated(exchange: "IncomingRegister") -> Actions:
    exchange._loop.end()
    exchange._pulse, exchange._after = exchange._congestion(), "failed"
    return (SendMf(forward=False), StartTimer("pause", exchange._span.timers.pulse_ms))


def doubt(exchange: "IncomingRegister") -> Actions:
    """A digit may be missing, or there twice. Before the first one nothing can; nor when the last word was said."""
    if not exchange._heard or exchange._after in ("done", "failed"):
        return ()
    exchange.state = S.PAUSE
    return (NumberDoubted(), *mutilated(exchange))


def fail(exchange: "IncomingRegister") -> Actions:
    return exchange._over("failed")


def time_over(exchange: "IncomingRegister") -> Actions:
    return exchange._time_over()


def pulse(exchange: "IncomingRegister") -> Actions:
    return (SendMf(exchange._pulse, forward=False), exchange._timer("pulse"))


S = Asking


class IncomingRegister(Exchange):
    """Collects one call's numbers. Outcomes: "offer" (numbers there, `accept` or `refuse` is due), "set_up"
    (numbers there, the line was said to be free), "done" (`accept` or `refuse` has been heard), "failed"."""

    over = S.OVER
    forward = False
    timers: ClassVar[Mapping[StrEnum, tuple[str, ...]]] = {
        S.LISTENING: ("next_signal",), S.ANSWERING: ("forward_signal",), S.PAUSE: ("pause",), S.PULSE: ("pulse",),
        S.HOLDING: (), S.OVER: (),
    }  # fmt: skip
    table: ClassVar[Table] = {
        (S.LISTENING, "signal"): (take, None),
        (S.LISTENING, "signal early"): (mutilated, S.PAUSE),  # no next one yet: the same goes on
        (S.LISTENING, "silence"): (nothing, S.LISTENING),
        (S.LISTENING, "silence early"): (nothing, S.LISTENING),
        (S.LISTENING, "timer next_signal"): (time_over, None),
        (S.ANSWERING, "silence"): (heard, None),
        (S.ANSWERING, "silence early"): (mutilated, S.PAUSE),  # it cannot have heard our signal yet
        (S.ANSWERING, "signal"): (mutilated, S.PAUSE),  # another signal without silence between
        (S.ANSWERING, "signal early"): (mutilated, S.PAUSE),
        (S.ANSWERING, "timer forward_signal"): (fail, S.OVER),
        (S.PAUSE, "signal"): (nothing, S.PAUSE),
        (S.PAUSE, "signal early"): (nothing, S.PAUSE),
        (S.PAUSE, "silence"): (nothing, S.PAUSE),
        (S.PAUSE, "silence early"): (nothing, S.PAUSE),
        (S.PAUSE, "timer pause"): (pulse, S.PULSE),
        (S.PULSE, "signal"): (mutilated, S.PAUSE),  # a late digit: the number we have is not whole
        (S.PULSE, "signal early"): (mutilated, S.PAUSE),
        (S.PULSE, "silence"): (nothing, S.PULSE),
        (S.PULSE, "silence early"): (nothing, S.PULSE),
        (S.PULSE, "timer pulse"): (hush, None),
        (S.HOLDING, "signal"): (mutilated, S.PAUSE),
        (S.HOLDING, "signal early"): (mutilated, S.PAUSE),
        (S.HOLDING, "silence"): (mutilated, S.PAUSE),
        (S.HOLDING, "silence early"): (mutilated, S.PAUSE),
        (S.LISTENING, "sound lost"): (doubt, None),
        (S.ANSWERING, "sound lost"): (doubt, None),
        (S.PAUSE, "sound lost"): (nothing, S.PAUSE),
        (S.PULSE, "sound lost"): (doubt, None),
        (S.HOLDING, "sound lost"): (nothing, S.HOLDING),  # the number was whole before the far side began to wait
    }

    def __init__(self, span: R2Span, loop: LoopTime) -> None:
        super().__init__(span, loop, S.LISTENING)
        self._part = Part.DNIS
        self._dnis_whole = False
        self._asked_for_caller = False
        self._withheld = False
        self._after = ""  # the outcome once the signal we send has been heard
        self._pulse = ""
        self._caller_category = ""
        self._category = ""
        self.dnis = ""
        self.ani = ""

    @property
    def caller(self) -> Caller:
        presentation = Presentation.UNAVAILABLE
        if self._withheld:
            presentation = Presentation.RESTRICTED
        elif self.ani:
            presentation = Presentation.ALLOWED
        category = self._rules.caller_categories.get(self._caller_category) or self._rules.categories.get(self._category, "")
        return Caller(self.ani, presentation, NumberSource.MF, category=category)

    def begin(self) -> Actions:
        return (ListenForMf(forward=True), *self._listen())

    def accept(self) -> Actions:
        """While holding: the line is free."""
        free = Order.FREE if self._span.charge else Order.FREE_OF_CHARGE
        return self._finish(signal_for(self._rules.group_b(self._category), free))

    def refuse(self, order: Order) -> Actions:
        """While holding: it is not."""
        return self._finish(refusal(self._rules.group_b(self._category), order))

    def _finish(self, signal: str) -> Actions:
        return self._move(self._answer, signal, "done") if self.state is S.HOLDING else ()

    # --- what is sent ------------------------------------------------------------------------------------------------

    def _listen(self) -> Actions:
        timers = self._span.timers
        may_end = self._part is Part.ANI or (self._part is Part.DNIS and self.dnis and not self._span.dnis_length)
        return (StartTimer("next_signal", timers.end_of_number_ms if may_end else timers.next_signal_ms),)

    def _answer(self, signal: str, after: str = "") -> Actions:
        self.state, self._after = S.ANSWERING, after
        self._early_for(self._too_soon_ms())
        self._loop.begin()
        return (SendMf(signal, forward=False), self._timer("forward_signal"))

    def _send_pulse(self, signal: str, after: str = "") -> Actions:
        self.state, self._after, self._pulse = S.PULSE, after, signal
        return pulse(self)

    def _refuse(self) -> Actions:
        """Congestion in answer to the forward signal that is on."""
        return self._answer(self._congestion(), "failed")

    def _congestion(self) -> str:
        meanings = self._rules.group_b(self._category) if self._part is Part.GROUP_B else self._meanings
        return signal_for(meanings, Order.CONGESTED) or "4"

    # --- what is heard -----------------------------------------------------------------------------------------------

    def _take_dnis(self) -> Actions:
        if digit := DIGITS.get(self._heard):
            self.dnis += digit
            self._dnis_whole = len(self.dnis) == self._span.dnis_length
        elif self._heard == self._rules.end_of_dnis and self.dnis:
            self._dnis_whole = True
        else:
            return self._refuse()
        return self._refuse() if len(self.dnis) > MAX_DIGITS else self._ask(self._next_order())

    def _take_category(self) -> Actions:
        self._caller_category = self._heard
        if not self._span.ani:
            return self._resume()
        self._part = Part.ANI
        return self._ask(Order.NEXT_OF_CALLER)

    def _take_ani(self) -> Actions:
        if digit := DIGITS.get(self._heard):
            self.ani += digit
            if len(self.ani) > MAX_DIGITS:
                return self._refuse()
            return self._resume() if len(self.ani) == self._span.ani_length else self._ask(Order.NEXT_OF_CALLER)
        if self._heard not in (self._rules.end_of_caller, self._rules.withheld):
            return self._refuse()
        self._withheld = self._heard == self._rules.withheld and (self._heard != self._rules.end_of_caller or not self.ani)
        if self._rules.back_to_a == "end":
            self._meanings = self._rules.a
        return self._resume()

    def _take_group_b(self) -> Actions:
        self._category, self.state, self.outcome = self._heard, S.HOLDING, "offer"
        return ()

    def _resume(self) -> Actions:
        """The caller is known; on with the called number."""
        self._part = Part.DNIS
        return self._ask(self._next_order())

    def _next_order(self) -> Order:
        span = self._span
        due = self._dnis_whole or 0 < span.ani_after <= len(self.dnis)
        if due and (span.ani or span.category) and not self._asked_for_caller:
            return Order.CALLER
        if not self._dnis_whole:
            return Order.NEXT
        return Order.TO_B if span.group_b else Order.SET_UP

    def _signal(self, order: Order) -> str:
        """The signal for it; what follows is then understood accordingly."""
        signal = signal_for(self._meanings, order) or signal_for(self._rules.a, order)
        if order is Order.CALLER:
            self._part, self._asked_for_caller, self._meanings = Part.CATEGORY, True, self._rules.caller
        elif order is Order.NEXT and self._rules.back_to_a == "digit":
            self._meanings = self._rules.a
        elif order is Order.TO_B:
            self._part = Part.GROUP_B
        return signal

    def _ask(self, order: Order) -> Actions:
        return self._answer(self._signal(order), "set_up" if order is Order.SET_UP else "")

    def _time_over(self) -> Actions:
        """No further signal: a number without length or end is whole now, anything else is not."""
        if self._part is Part.DNIS and self.dnis and not self._span.dnis_length:
            self._dnis_whole = True
        elif self._part is Part.ANI and self._dnis_whole:
            self._part, self.ani = Part.DNIS, ""  # its end did not come: nobody knows what is missing
        else:
            return self._send_pulse(self._congestion(), "failed")
        order = self._next_order()
        return self._send_pulse(self._signal(order), "set_up" if order is Order.SET_UP else "")


TAKING: Mapping[Part, Callable[[IncomingRegister], Actions]] = {
    Part.DNIS: IncomingRegister._take_dnis,
    Part.CATEGORY: IncomingRegister._take_category,
    Part.ANI: IncomingRegister._take_ani,
    Part.GROUP_B: IncomingRegister._take_group_b,
}
