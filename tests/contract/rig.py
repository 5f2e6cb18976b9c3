"""A virtual card on a virtual clock, for tests: the media core steps once per 20 ms of it, and everything said is noted.

The rig plays the line server's part: it owns the engine, gives each opened channel a port, and passes media events on.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from drivers.clock import VirtualClock, run_virtual
from drivers.io import Hook, LineEvent, SpanStatus
from drivers.media import Engine, EngineConfig, EventKind, Law, MediaEvent, Tone
from drivers.virtual.card import VirtualCard
from drivers.virtual.channel import VirtualChannel
from drivers.virtual.config import VirtualConfig
from drivers.virtual.telephone import OutsideTelephone

ResultT = TypeVar("ResultT")
BOX_PORTS = 256


class Rig:
    """`events`, `digits`, `tones` by channel; times in ms since the start."""

    def __init__(self, clock: VirtualClock, config: VirtualConfig) -> None:
        self.clock, self.config = clock, config
        self.engine = Engine(
            EngineConfig(max_ports=min(1024, BOX_PORTS + config.ports_needed()), max_lines=config.lines_needed(), max_recordings=64)
        )
        self.card = VirtualCard(config, self.engine)
        self.world = self.card.world
        self.ports: dict[int, int] = {}
        self.events: dict[int, list[LineEvent]] = defaultdict(list)
        self.timed: list[tuple[int, int, str]] = []
        self.spans: list[SpanStatus] = []
        self.digits: dict[int, str] = defaultdict(str)
        self.tones: dict[int, list[tuple[Tone, bool]]] = defaultdict(list)
        self._answers: dict[int, int] = {}
        self._channels: dict[int, VirtualChannel] = {}
        self._channel_of: dict[int, int] = {}
        self.card.start(self._line_event, self.spans.append)
        clock.every_frame(self.engine.step)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.engine.eventfd, self._poll)

    def now_ms(self) -> int:
        return round(self.clock.monotonic_s() * 1000)

    def open(self, number: int) -> VirtualChannel:
        """Open a channel with a port that detects digits and tones."""
        if number not in self.ports:
            self.ports[number] = self.engine.port_new(Law.ALAW)
            self._channel_of[self.ports[number]] = number
        channel = self._channels[number] = self.card.open(number)
        channel.attach(self.ports[number])
        self.engine.detect_digits(self.ports[number], True)
        self.engine.detect_tones(self.ports[number], tuple(Tone), "cn")
        return channel

    def channel(self, number: int) -> VirtualChannel:
        return self._channels[number]

    def answers(self, number: int, bursts: int = 1) -> None:
        """Open the channel; the box answers each call on it after so many bursts."""
        self.open(number)
        self._answers[number] = bursts

    def say(self, number: int, digits: str) -> None:
        self.engine.send_digits(self.ports[number], digits, 60, 60, -9.0, -7.0)

    def caller(self, number: str = "") -> OutsideTelephone:
        """A telephone of outside that collects what it hears once it talks."""
        telephone = self.world.visitor(number)
        telephone.on_state.append(lambda phone: phone.detect("cn", tuple(Tone)))
        return telephone

    async def pass_ms(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000)

    async def until(self, reached: Callable[[], bool], limit_ms: int = 15_000) -> bool:
        """Look every 10 ms."""
        for _ in range(limit_ms // 10):
            if reached():
                return True
            await asyncio.sleep(0.01)
        return reached()

    def close(self) -> None:
        self._loop.remove_reader(self.engine.eventfd)
        self.card.close()
        self.engine.close()

    def _poll(self) -> None:
        for event in self.engine.poll_events():
            if not self.card.media_event(event):
                self._media_event(event)

    def _media_event(self, event: MediaEvent) -> None:
        number = self._channel_of.get(event.port, 0)
        if event.kind is EventKind.DIGIT:
            self.digits[number] += event.digit
        elif event.kind is EventKind.TONE:
            self.tones[number].append((Tone(event.value), bool(event.value2)))

    def _line_event(self, number: int, event: LineEvent) -> None:
        self.events[number].append(event)
        self.timed.append((self.now_ms(), number, event.name))
        bursts = self._answers.get(number)
        if bursts and self.events[number][-2 * bursts :] == [LineEvent.RINGBEGIN, LineEvent.RINGOFFHOOK] * bursts:
            self._channels[number].set_hook(Hook.OFF)


def run_rig(config: VirtualConfig, main: Callable[[Rig], Awaitable[ResultT]]) -> ResultT:
    """Run `main(rig)` in virtual time; the rig is closed afterwards."""

    async def within(clock: VirtualClock) -> ResultT:
        rig = Rig(clock, config)
        try:
            return await main(rig)
        finally:
            rig.close()

    result: ResultT = run_virtual(within)
    return result
