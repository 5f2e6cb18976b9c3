"""The contract of cards (tests/contract/card_suite.py) on the kernel's drivers: the same cases as the virtual card's, on one set of spans.

The box's card and the far end's are two cards of this process with one media core. A case has two lines and two sets; so many cases run
side by side as LANES. The machine is emulated and stands still for seconds when its host is busy, so a limit of the suite is LIMIT_FACTOR
times as long here, and a case that went wrong is tried again.
"""

import asyncio
import os
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable

from drivers.dahdi.card import DahdiCard
from drivers.dahdi.channel import DahdiChannel
from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan
from drivers.errors import LineError
from drivers.io import Card, ChannelIO, Hook, LineEvent, Signalling
from drivers.media import Engine, EngineConfig, EventKind, Law, MediaEvent
from tests.contract.card_suite import CASES, LIMIT_MS
from tests.lab import cards
from tests.lab.exchange import WRITE_AHEAD
from tests.lab.scenario import Report, scenario

LANES = 6
EACH = 2 * LANES
TRUNKS, EXCHANGE = range(1, EACH + 1), range(EACH + 1, 2 * EACH + 1)
SETS, PHONES = range(2 * EACH + 1, 3 * EACH + 1), range(3 * EACH + 1, 4 * EACH + 1)
PARTNER = dict(zip((*TRUNKS, *SETS), (*EXCHANGE, *PHONES), strict=True))
LIMIT_FACTOR = 3
TRIES = 3
LOOK_S = 0.02
QUIET_S = 3.0  # the longest battery drop, and then the deafness to rings
RING_PERIOD_S = 5.0  # zone cn
KEY_MS, KEY_LOW_DBM0, KEY_HIGH_DBM0 = 60, -9.0, -7.0


PULSED = frozenset(event for event in LineEvent if event.name.startswith("PULSE_") and event is not LineEvent.PULSE_START)


class FarEnd:
    """The other end of one of the box's ports: an exchange's line circuit or a telephone set."""

    def __init__(self, io: DahdiChannel, engine: Engine) -> None:
        self.io = io
        self.port = engine.port_new(Law.ALAW)
        self.heard = ""
        self.rung_s = -RING_PERIOD_S
        self.dialled = ""
        engine.detect_digits(self.port, True)

    def line_event(self, event: LineEvent) -> None:
        if event is LineEvent.RINGBEGIN:
            self.rung_s = time.monotonic()

    def off_hook(self) -> None:
        self.rung_s = -RING_PERIOD_S
        self.io.set_hook(Hook.OFF)
        self.io.attach(self.port)

    def on_hook(self) -> None:
        self.io.set_hook(Hook.ON)
        self.io.detach()


class Circuit(FarEnd):
    """An exchange's: it answers the loop as an exchange does, and lets go when the box has hung up."""

    def line_event(self, event: LineEvent) -> None:
        if event is LineEvent.RINGOFFHOOK:
            self.off_hook()
        elif event is LineEvent.ONHOOK:
            self.on_hook()
        elif event in PULSED:
            self.dialled += chr(event & 0xFF)


class Rig:
    """Both cards, the media core and what all channels told."""

    def __init__(self) -> None:
        cards.install(card_setup())
        self.engine = Engine(EngineConfig(max_ports=4 * EACH, max_lines=1, max_recordings=1))
        self.card = DahdiCard(self.engine, write_ahead=WRITE_AHEAD)
        self._far_card = DahdiCard(self.engine, write_ahead=WRITE_AHEAD)
        self.far = {number: self._far_end(number) for number in PARTNER}
        self.ports = {number: self.engine.port_new(Law.ALAW) for number in PARTNER}
        self.open: dict[int, DahdiChannel] = {}
        self.events: dict[int, list[LineEvent]] = defaultdict(list)
        self.heard: dict[int, str] = defaultdict(str)
        self._channel_of = {port: number for number, port in self.ports.items()}
        self._far_of = {far.port: far for far in self.far.values()}
        self._far_by_channel = {PARTNER[number]: far for number, far in self.far.items()}

    def _far_end(self, number: int) -> FarEnd:
        kind = Circuit if number in TRUNKS else FarEnd
        return kind(self._far_card.open(PARTNER[number]), self.engine)

    async def __aenter__(self) -> "Rig":
        self.card.start(lambda number, event: self.events[number].append(event), lambda _: None)
        self._far_card.start(lambda number, event: self._far_by_channel[number].line_event(event), lambda _: None)
        self.engine.start()
        asyncio.get_running_loop().add_reader(self.engine.eventfd, self._media_events)
        await asyncio.sleep(QUIET_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.card.close()
        self._far_card.close()
        await asyncio.sleep(0.5)
        asyncio.get_running_loop().remove_reader(self.engine.eventfd)
        self.engine.close()

    async def rest(self, numbers: Iterable[int]) -> None:
        """Everything of a case on-hook and forgotten, ready for the next one."""
        for number in numbers:
            if number in self.open:
                self.open.pop(number).close()
            self.far[number].on_hook()
        await asyncio.sleep(QUIET_S)
        for number in numbers:
            self.events[number].clear()
            self.heard[number] = self.far[number].heard = self.far[number].dialled = ""
            self.far[number].rung_s = -RING_PERIOD_S

    def _media_events(self) -> None:
        os.eventfd_read(self.engine.eventfd)
        while events := self.engine.poll_events():
            for event in events:
                self._media_event(event)

    def _media_event(self, event: MediaEvent) -> None:
        far = self._far_of.get(event.port)
        number = far.io.spec.number if far else self._channel_of.get(event.port, 0)
        if event.kind is EventKind.LINE_EVENT:
            (self._far_card if far else self.card).line_event(number, LineEvent(event.value))
        elif event.kind is EventKind.DIGIT and far:
            far.heard += event.digit
        elif event.kind is EventKind.DIGIT:
            self.heard[number] += event.digit


class LabBench:
    """A `CardBench` of one lane."""

    def __init__(self, rig: Rig, lane: int) -> None:
        self.card: Card = rig.card
        self.trunks = (TRUNKS[2 * lane], TRUNKS[2 * lane + 1])
        self.sets = (SETS[2 * lane], SETS[2 * lane + 1])
        self._rig = rig

    def open(self, number: int) -> ChannelIO:
        channel = self._rig.open[number] = self._rig.card.open(number)
        channel.attach(self._rig.ports[number])
        self._rig.engine.detect_digits(self._rig.ports[number], True)
        return channel

    def port(self, number: int) -> int:
        return self._rig.ports[number]

    def events(self, number: int) -> list[LineEvent]:
        return self._rig.events[number]

    async def pass_ms(self, ms: int) -> None:
        await asyncio.sleep(ms / 1000)

    async def until(self, reached: Callable[[], bool], limit_ms: int = LIMIT_MS) -> bool:
        deadline_s = time.monotonic() + LIMIT_FACTOR * limit_ms / 1000
        while not (found := reached()):
            if time.monotonic() > deadline_s:
                break
            await asyncio.sleep(LOOK_S)
        return found

    def far_rings(self, number: int) -> None:
        self._rig.far[number].io.set_hook(Hook.RING)

    def far_gives_up(self, number: int) -> None:
        self._rig.far[number].on_hook()

    def far_sees_loop(self, number: int) -> bool:
        return self._rig.far[number].io.is_offhook()

    def far_hangs_up(self, number: int) -> None:
        self._rig.far[number].on_hook()

    def far_dialled(self, number: int) -> str:
        return self._rig.far[number].dialled

    def set_rings(self, number: int) -> bool:
        """A set sees no end of ringing, only bursts that stay away."""
        return time.monotonic() - self._rig.far[number].rung_s < 1.2 * RING_PERIOD_S

    def set_picks_up(self, number: int) -> None:
        self._rig.far[number].off_hook()

    def set_puts_down(self, number: int) -> None:
        self._rig.far[number].on_hook()

    def set_flashes(self, number: int) -> None:
        self._rig.far[number].io.set_hook(Hook.FLASH)

    def set_dials_pulses(self, number: int, digits: str) -> None:
        self._rig.far[number].io.dial_pulses(digits)

    def say(self, number: int, digits: str) -> None:
        self._rig.engine.send_digits(self._rig.ports[number], digits, KEY_MS, KEY_MS, KEY_LOW_DBM0, KEY_HIGH_DBM0)

    def far_says(self, number: int, digits: str) -> None:
        self._rig.engine.send_digits(self._rig.far[number].port, digits, KEY_MS, KEY_MS, KEY_LOW_DBM0, KEY_HIGH_DBM0)

    def heard(self, number: int) -> str:
        return self._rig.heard[number]

    def far_heard(self, number: int) -> str:
        return self._rig.far[number].heard


def card_setup() -> CardSetup:
    """Box and far side as four loopback spans, A-law, zone cn, no echo canceller."""
    return CardSetup(
        dynamic_spans=tuple(DynamicSpan("loc", address, EACH) for address in ("1:0", "1:1", "2:0", "2:1")),
        groups=(
            ChannelGroup(_channels(TRUNKS), Signalling.FXSKS, law="alaw"),
            ChannelGroup(_channels(EXCHANGE), Signalling.FXOKS, law="alaw"),
            ChannelGroup(_channels(SETS), Signalling.FXOKS, law="alaw"),
            ChannelGroup(_channels(PHONES), Signalling.FXSKS, law="alaw"),
        ),
    )


def _channels(numbers: range) -> str:
    return f"{numbers[0]}-{numbers[-1]}"


@scenario(limit_s=400)
def every_case(report: Report) -> None:
    """All cases of the suite."""
    asyncio.run(_every_case(report))


async def _every_case(report: Report) -> None:
    waiting = list(reversed(CASES))
    faults: dict[str, list[str]] = defaultdict(list)

    async def lane(rig: Rig, number: int) -> None:
        bench = LabBench(rig, number)
        while waiting:
            name = waiting.pop()
            try:
                await CASES[name](bench)
                faults[name].clear()
            except (AssertionError, LineError) as error:
                report.remark(f"{name}: {error!r}")
                faults[name].append(traceback.format_exc())
                if len(faults[name]) < TRIES:
                    waiting.insert(0, name)
            await rig.rest((*bench.trunks, *bench.sets))

    async with Rig() as rig:
        await asyncio.gather(*(lane(rig, number) for number in range(LANES)))
        report.figure("underruns", rig.engine.stats().underruns)
    wrong = {name: traces for name, traces in faults.items() if traces}
    report.figure("cases_right", len(CASES) - len(wrong))
    assert not wrong, "\n".join(f"{name}: {traces[-1]}" for name, traces in wrong.items())
