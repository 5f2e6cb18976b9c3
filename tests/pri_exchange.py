"""A small exchange at the far end of primary rate spans: libpri's network side on any card, with a log of every call.

Serves tests on the virtual card and, in a process of its own, in the lab. Used from one event loop.
"""

import asyncio
import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from drivers.clock import Clock
from drivers.io import Card, ChannelSpec, LineEvent, Signalling, SpanStatus
from drivers.links import Link
from drivers.protocol import Caller, Cause
from drivers.signalling import (
    Action,
    AlertWanted,
    AnswerWanted,
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    CallWanted,
    EventUnexpected,
    Input,
    ReleaseWanted,
    StartTimer,
    StopTimer,
    TimerFired,
)
from drivers.signalling.pri.config import PriConfig
from drivers.signalling.pri.span import PriSpan

NETWORK = PriConfig(side="network")
LOOK_S = 0.2


class FarCall(msgspec.Struct, kw_only=True):
    """One call as the exchange saw it. `ours`: the exchange called; times are the exchange's."""

    at: int
    channel: int
    ours: bool
    dnis: str
    ani: str = ""
    caller: Caller | None = None
    rdnis: str | None = None
    began_at: datetime
    alerting_at: datetime | None = None
    inband: bool = False
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None
    ended_by_box: bool = False


class FarLine:
    """One B-channel at the exchange's end."""

    def __init__(self, number: int, span: PriSpan, exchange: "Exchange") -> None:
        self.number = number
        self.call: FarCall | None = None
        self._span, self._exchange = span, exchange
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def is_free(self) -> bool:
        return self.call is None and self._span.is_idle(self.number)

    def tell(self, event: Input) -> None:
        for number, action in self._span.handle(self.number, event):
            self._exchange.find(number).perform(action)

    def perform(self, action: Action) -> None:
        match action:
            case StartTimer(name=name, ms=ms):
                self._stop(name)
                self._timers[name] = asyncio.get_running_loop().call_later(ms / 1000, self._fire, name)
            case StopTimer(name=name):
                self._stop(name)
            case EventUnexpected():
                self._exchange.unexpected.append(action)
            case _:
                self._exchange.told(self, action)

    def close(self) -> None:
        for name in tuple(self._timers):
            self._stop(name)

    def _stop(self, name: str) -> None:
        if timer := self._timers.pop(name, None):
            timer.cancel()

    def _fire(self, name: str) -> None:
        self._timers.pop(name, None)
        self.tell(TimerFired(name))


class Exchange:
    """`on_offered` is told of calls of the box; every call stays in `calls`. `spans`: only these of the card; () for all."""

    def __init__(self, card: Card, clock: Clock, config: PriConfig = NETWORK, spans: tuple[int, ...] = ()) -> None:
        self.card = card
        self.calls: list[FarCall] = []
        self.by_number: dict[str, list[FarCall]] = {}
        self.lines: dict[int, FarLine] = {}
        self.links: dict[int, Link] = {}
        self.up: set[int] = set()
        self.unexpected: list[EventUnexpected] = []
        self.on_offered: Callable[[FarCall], object] = lambda call: None
        self.on_changed: Callable[[FarCall], None] = lambda call: None
        self._clock = clock
        self._count = itertools.count(1)
        self._waiting: dict[asyncio.Future[None], Callable[[], bool]] = {}
        self._looking: asyncio.TimerHandle | None = None
        specs = card.channels()
        for link in specs:
            if link.signalling is Signalling.DCHAN and (not spans or link.span in spans):
                self._add_span(link, {spec.number: spec.timeslot for spec in specs if self._goes_with(spec, link)}, config)

    @staticmethod
    def _goes_with(spec: ChannelSpec, link: ChannelSpec) -> bool:
        return spec.signalling is Signalling.BCHAN and spec.span == link.span

    def _add_span(self, link: ChannelSpec, slots: dict[int, int], config: PriConfig) -> None:
        span = PriSpan(msgspec.structs.replace(config, d_channel=link.number), slots, self._clock)
        self.links[link.number] = Link(link, span, self.find, self._link_changed)
        self.lines |= {number: FarLine(number, span, self) for number in slots}

    def start(self) -> None:
        """Open the D-channels; on the running event loop."""
        self.card.start(self._on_event, self._on_span)
        for number in self.links:
            self.open_link(number)

    def open_link(self, number: int) -> None:
        link = self.links[number]
        link.opened(self.card.open_link(number, link.on_frame))

    def close_link(self, number: int) -> None:
        """Frames vanish both ways; the signalling goes on unaware."""
        link = self.links[number]
        if link.io is not None:
            link.io.close()
            link.io = None

    def close(self) -> None:
        for line in self.lines.values():
            line.close()
        for link in self.links.values():
            link.close()
        if self._looking:
            self._looking.cancel()

    def find(self, number: int) -> FarLine | Link:
        return self.lines.get(number) or self.links[number]

    # --- calls -------------------------------------------------------------------------------------------------------

    def free(self) -> list[int]:
        return [number for number, line in self.lines.items() if line.is_free]

    def call(self, number: int, dnis: str, ani: str = "") -> FarCall:
        """Call the box on that channel."""
        line = self.lines[number]
        call = self._note(line, ours=True, dnis=dnis, ani=ani)
        line.tell(CallWanted(dnis, ani or None))
        return call

    def alert(self, call: FarCall, inband: bool = False) -> None:
        self._tell(call, AlertWanted(inband))

    def answer(self, call: FarCall) -> None:
        """Harmless when the call is over or answered."""
        line = self.lines[call.channel]
        if line.call is call and call.answered_at is None:
            line.tell(AnswerWanted())

    def hang_up(self, call: FarCall, cause: int = Cause.NORMAL) -> None:
        """Harmless when the call is over."""
        self._tell(call, ReleaseWanted(cause))

    async def until(self, holds: Callable[[], bool], limit_s: float = 20.0) -> None:
        """Raises: TimeoutError."""
        if holds():
            return
        loop = asyncio.get_running_loop()
        reached: asyncio.Future[None] = loop.create_future()
        self._waiting[reached] = holds
        if self._looking is None:
            self._looking = loop.call_later(LOOK_S, self._look_again)
        try:
            async with asyncio.timeout(limit_s):
                await reached
        finally:
            del self._waiting[reached]

    def _look(self) -> None:
        for reached, holds in self._waiting.items():
            if not reached.done() and holds():
                reached.set_result(None)

    def _look_again(self) -> None:
        """Channels become free without a word."""
        self._look()
        self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look_again) if self._waiting else None

    def _tell(self, call: FarCall, event: Input) -> None:
        line = self.lines[call.channel]
        if line.call is call:
            line.tell(event)

    def _note(self, line: FarLine, **known: Any) -> FarCall:
        call = FarCall(at=next(self._count), channel=line.number, began_at=self._clock.now(), **known)
        line.call = call
        self.calls.append(call)
        self.by_number.setdefault(call.dnis, []).append(call)
        return call

    def told(self, line: FarLine, action: Action) -> None:
        """News of a call."""
        now = self._clock.now()
        call = line.call
        match action:
            case CallOffered(caller=caller, dnis=dnis, rdnis=rdnis):
                call = self._note(line, ours=False, dnis=dnis or "", caller=caller, rdnis=rdnis, ani=caller.number if caller else "")
                self.on_offered(call)
            case CallAlerting(inband=inband) if call:
                call.alerting_at, call.inband = now, inband
            case CallAnswered() if call:
                call.answered_at = now
            case CallReleased(cause=cause, by_far_end=by_far_end) if call:
                call.ended_at, call.cause, call.ended_by_box = now, cause, by_far_end
                line.call = None
        if call:
            self.on_changed(call)
        self._look()

    # --- the card ----------------------------------------------------------------------------------------------------

    def _link_changed(self, spec: ChannelSpec, up: bool) -> None:
        (self.up.add if up else self.up.discard)(spec.number)
        self._look()

    def _on_event(self, number: int, event: LineEvent) -> None:
        if link := self.links.get(number):
            link.on_line_event(event)

    def _on_span(self, status: SpanStatus) -> None:
        """Alarms of the exchange's own end are not looked at: the link tells."""
