"""Two PRI signallers, user and network side, on one wire that can lose frames or be cut, in time of their own: no loop, no waiting."""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from drivers.signalling import (
    Action,
    CallAnswered,
    CallOffered,
    CallReleased,
    ChannelIdle,
    FrameReceived,
    Input,
    LinkChanged,
    SendFrame,
    StartTimer,
    Step,
    StopTimer,
    TimerFired,
)
from drivers.signalling.pri.config import PriConfig
from drivers.signalling.pri.span import PriSpan

D_CHANNEL = 16
CHANNELS = tuple(number for number in range(1, 32) if number != D_CHANNEL)
SLOTS = {number: number for number in CHANNELS}
USER = PriConfig(d_channel=D_CHANNEL, channels="1-15,17-31")
NETWORK = PriConfig(d_channel=D_CHANNEL, channels="1-15,17-31", side="network")


class PairClock:
    """Time of the pair."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 8, tzinfo=UTC) + timedelta(seconds=self.at_s)

    def monotonic_s(self) -> float:
        return self.at_s

    def external_work(self) -> Any:
        raise AssertionError("signalling has no threads")


class Side:
    """One end: performs what its signaller asks for and writes down its news as (channel, action)."""

    def __init__(self, pair: "Pair", config: PriConfig, slots: dict[int, int]) -> None:
        self.span = PriSpan(config, slots, pair.clock)
        self.d_channel = config.d_channel
        self.news: list[Step] = []
        self.on_news: Callable[[int, Action], None] = lambda channel, action: None
        self.send: Callable[[bytes], None] = lambda frame: None
        self.busy: set[int] = set()
        self._pair = pair
        self._timers: dict[tuple[int, str], int] = {}
        self._order = itertools.count(1)

    def tell(self, channel: int, event: Input) -> None:
        self.perform(self.span.handle(channel, event))

    def perform(self, steps: tuple[Step, ...]) -> None:
        for channel, action in steps:
            match action:
                case SendFrame(frame=frame):
                    self.send(frame)
                case StartTimer(name=name, ms=ms):
                    self._start_timer(channel, name, ms)
                case StopTimer(name=name):
                    self._timers.pop((channel, name), None)
                case _:
                    self._note(channel, action)

    def _note(self, channel: int, action: Action) -> None:
        self.news.append((channel, action))
        if isinstance(action, CallReleased):
            self.busy.discard(channel)
        elif isinstance(action, CallOffered):
            assert channel not in self.busy, f"a call is offered on channel {channel}, which has one"
            self.busy.add(channel)
        self.on_news(channel, action)

    def _start_timer(self, channel: int, name: str, ms: int) -> None:
        order = self._timers[channel, name] = next(self._order)
        self._pair.after(ms / 1000, lambda: self._fire(channel, name, order))

    def _fire(self, channel: int, name: str, order: int) -> None:
        if self._timers.get((channel, name)) == order:
            del self._timers[channel, name]
            self.tell(channel, TimerFired(name))

    def of(self, *kinds: type[Action]) -> list[Step]:
        return [(channel, action) for channel, action in self.news if isinstance(action, kinds)]

    def take(self) -> list[Step]:
        """News since the last time, without the channels' becoming idle."""
        news = [step for step in self.news if not isinstance(step[1], ChannelIdle | LinkChanged)]
        self.news.clear()
        return news

    def all_idle(self) -> bool:
        return all(self.span.is_idle(number) for number in self.span.channels())


class Pair:
    """`loses(frame)` decides which frames the wire swallows; `cut` swallows all."""

    def __init__(
        self, user: PriConfig = USER, network: PriConfig = NETWORK, channels: tuple[int, ...] = CHANNELS, delay_ms: int = 5
    ) -> None:
        self.clock = PairClock()
        self.cut = False
        self.loses: Callable[[bytes], bool] = lambda frame: False
        self.frames = 0
        self._delay_s = delay_ms / 1000
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        slots = {number: number for number in channels}
        self.user, self.network = Side(self, user, slots), Side(self, network, slots)
        self.user.send = lambda frame: self._carry(self.network, frame)
        self.network.send = lambda frame: self._carry(self.user, frame)
        self.user.perform(self.user.span.start())
        self.network.perform(self.network.span.start())

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.user, self.network

    def after(self, wait_s: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.clock.at_s + wait_s, next(self._order), call))

    def run(self, for_s: float) -> None:
        until_s = self.clock.at_s + for_s
        while self._queue and self._queue[0][0] <= until_s:
            self.clock.at_s, _, call = heapq.heappop(self._queue)
            call()
        self.clock.at_s = until_s

    def _carry(self, to: Side, frame: bytes) -> None:
        self.frames += 1
        if not self.cut and not self.loses(frame):
            self.after(self._delay_s, lambda: to.tell(to.d_channel, FrameReceived(frame)))


def up(user: PriConfig = USER, network: PriConfig = NETWORK, channels: tuple[int, ...] = CHANNELS) -> Pair:
    """A pair whose link is up and whose channels have been restarted."""
    pair = Pair(user, network, channels)
    pair.run(10)
    assert pair.user.all_idle()
    assert pair.network.all_idle()
    pair.user.news.clear()
    pair.network.news.clear()
    return pair


def answered(side: Side) -> list[int]:
    return [channel for channel, _ in side.of(CallAnswered)]
