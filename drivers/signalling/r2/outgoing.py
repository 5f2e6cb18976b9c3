"""Register signals of the calling side: digits and who calls, one at a time, each for as long as the far side wants it. Pure.

Source: Q.440, Q.441, Q.476 (T1 is forward_signal, T2 forward_silence).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import ClassVar

from drivers.protocol import Cause
from drivers.signalling import ListenForMf, NumberDoubted, SendMf
from drivers.signalling.r2.exchange import Actions, Exchange, LoopTime, Table
from drivers.signalling.r2.settings import R2Span
from drivers.signalling.r2.variants import ACCEPTED, CAUSES, Order


class Sending(StrEnum):
    """Where the compelled exchange stands."""

    SOUNDING = "sounding"  # our signal is on
    HUSHED = "hushed"  # our signal is off, the answer to it still on
    SILENT = "silent"  # nothing to send: the far side speaks next, by a pulse
    OVER = "over"


def nothing(exchange: "OutgoingRegister") -> Actions:
    return ()


def hush(exchange: "OutgoingRegister") -> Actions:
    exchange._early_for(exchange._too_soon_ms())
    exchange._loop.end()
    return (SendMf(), exchange._timer("forward_silence"))


def hear_pulse(exchange: "OutgoingRegister") -> Actions:
    """It ends by itself, however long the way."""
    exchange._early_for(exchange._span.timers.early_ms)
    return (exchange._timer("forward_silence"),)


def obey(exchange: "OutgoingRegister") -> Actions:
    return exchange._obey()


def fail(exchange: "OutgoingRegister") -> Actions:
    """No answer in time, or an interrupted one: nobody knows what the far side has understood."""
    exchange._loop.end()
    return exchange._over("failed")


def doubt(exchange: "OutgoingRegister") -> Actions:
    """A digit may have been heard twice, or an answer to it not at all. It is our machine's fault, and says nothing about the line."""
    exchange._loop.end()
    return (NumberDoubted(), *exchange._over("failed", Cause.RESOURCE_UNAVAILABLE))


S = Sending


class OutgoingRegister(Exchange):
    """Sends one call's numbers, digits 0-9; `ani` empty: withheld. Outcomes: "accepted", "refused" (`cause`), "failed" (so too, or 0)."""

    over = S.OVER
    forward = True
    timers: ClassVar[Mapping[StrEnum, tuple[str, ...]]] = {
        S.SOUNDING: ("forward_signal",), S.HUSHED: ("forward_silence",), S.SILENT: ("forward_silence",), S.OVER: (),
    }  # fmt: skip
    table: ClassVar[Table] = {
        (S.SOUNDING, "signal"): (hush, S.HUSHED),
        (S.SOUNDING, "signal early"): (fail, S.OVER),  # no answer yet: the last one goes on
        (S.SOUNDING, "silence"): (nothing, S.SOUNDING),
        (S.SOUNDING, "silence early"): (nothing, S.SOUNDING),
        (S.SOUNDING, "timer forward_signal"): (fail, S.OVER),
        (S.HUSHED, "silence"): (obey, None),
        (S.HUSHED, "silence early"): (fail, S.OVER),  # it cannot have heard our silence yet
        (S.HUSHED, "signal"): (fail, S.OVER),  # another signal without silence between
        (S.HUSHED, "signal early"): (fail, S.OVER),
        (S.HUSHED, "timer forward_silence"): (fail, S.OVER),
        (S.SILENT, "signal"): (hear_pulse, S.HUSHED),
        (S.SILENT, "signal early"): (hear_pulse, S.HUSHED),
        (S.SILENT, "silence"): (nothing, S.SILENT),
        (S.SILENT, "silence early"): (nothing, S.SILENT),
        (S.SILENT, "timer forward_silence"): (fail, S.OVER),
        (S.SOUNDING, "sound lost"): (doubt, S.OVER),
        (S.HUSHED, "sound lost"): (doubt, S.OVER),
        (S.SILENT, "sound lost"): (doubt, S.OVER),
    }

    def __init__(self, span: R2Span, loop: LoopTime, dnis: str, ani: str) -> None:
        super().__init__(span, loop, S.SOUNDING)
        self._dnis = dnis
        self._ani = ani
        self._at = 0
        self._ani_at = 0
        self._dnis_ended = False

    def begin(self) -> Actions:
        return (ListenForMf(forward=False), *self._sound(digit_signal(self._dnis[0])))

    def _sound(self, signal: str) -> Actions:
        self.state = S.SOUNDING
        self._early_for(self._too_soon_ms())
        self._loop.begin()
        return (SendMf(signal), self._timer("forward_signal"))

    def _wait(self) -> Actions:
        self.state = S.SILENT
        return (self._timer("forward_silence"),)

    def _obey(self) -> Actions:
        order = self._meanings.get(self._heard)
        if order is None:
            return self._over("failed")
        if order in ACCEPTED:
            return self._over("accepted")
        if order in CAUSES:
            return self._over("refused", CAUSES[order])
        return ORDERS[order](self)

    def _digit(self, at: int) -> Actions:
        """Send the digit there, or say that there are no more."""
        self._at = min(max(0, at), len(self._dnis))
        if self._rules.back_to_a != "never":
            self._meanings = self._rules.a
        if self._at < len(self._dnis):
            return self._sound(digit_signal(self._dnis[self._at]))
        if self._dnis_ended or not self._rules.end_of_dnis:
            return self._wait()
        self._dnis_ended = True
        return self._sound(self._rules.end_of_dnis)

    def _category_for_caller(self) -> Actions:
        self._meanings = self._rules.caller
        return self._sound(category_signal(self._rules.caller_categories, self._span.own_category))

    def _digit_of_caller(self) -> Actions:
        if self._ani_at < len(self._ani):
            self._ani_at += 1
            return self._sound(digit_signal(self._ani[self._ani_at - 1]))
        if self._rules.back_to_a == "end":
            self._meanings = self._rules.a
        return self._sound(self._rules.end_of_caller if self._ani else self._rules.withheld or self._rules.end_of_caller)

    def _category_for_b(self) -> Actions:
        signal = category_signal(self._rules.categories, self._span.own_category)
        self._meanings = self._rules.group_b(signal)
        return self._sound(signal)


def digit_signal(digit: str) -> str:
    """The forward signal of a digit 0-9."""
    return "10" if digit == "0" else digit


def category_signal(categories: Mapping[str, str], name: str) -> str:
    """The signal of that category; where a country has none by that name, its first."""
    return next((signal for signal, each in categories.items() if each == name), next(iter(categories)))


ORDERS: Mapping[Order, Callable[[OutgoingRegister], Actions]] = {
    Order.NEXT: lambda register: register._digit(register._at + 1),
    Order.BACK_1: lambda register: register._digit(register._at - 1),
    Order.BACK_2: lambda register: register._digit(register._at - 2),
    Order.BACK_3: lambda register: register._digit(register._at - 3),
    Order.FROM_FIRST: lambda register: register._digit(0),
    Order.CALLER: OutgoingRegister._category_for_caller,
    Order.NEXT_OF_CALLER: OutgoingRegister._digit_of_caller,
    Order.TO_B: OutgoingRegister._category_for_b,
}
