"""E1 spans of the virtual card beyond the contract: faults of a D-channel, frames' time, alarms as both ends see them, unplugging."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.clock import VirtualClock, run_virtual
from drivers.errors import LineError
from drivers.io import LineEvent, LinkIO
from drivers.media import End, Engine, EngineConfig
from drivers.virtual.card import VirtualCard
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.faults import Fault

E = LineEvent
PRI = SpanConfig(kind=SpanKind.PRI)
CAS = SpanConfig(kind=SpanKind.CAS, idle_bits="1001")
CONFIG = VirtualConfig(spans=(PRI, CAS, SpanConfig(kind=SpanKind.FXO, channels=2)))
LINK, BEARER, CAS_CHANNEL, LOOP = 16, 1, 32, 63


class Ends:
    """The card, its far end, both D-channels open, and what was told: events as (channel, event)."""

    def __init__(self, engine: Engine) -> None:
        self.card = VirtualCard(CONFIG, engine)
        self.box_events: list[tuple[int, LineEvent]] = []
        self.far_events: list[tuple[int, LineEvent]] = []
        self.box_frames: list[tuple[float, bytes]] = []
        self.far_frames: list[tuple[float, bytes]] = []
        self.box_spans: list[tuple[int, tuple[str, ...]]] = []
        self.far_spans: list[tuple[int, tuple[str, ...]]] = []

    def start(self) -> tuple[LinkIO, LinkIO]:
        note = asyncio.get_running_loop().time
        self.card.start(lambda *told: self.box_events.append(told), lambda span: self.box_spans.append((span.number, span.alarms)))
        self.card.far.start(lambda *told: self.far_events.append(told), lambda span: self.far_spans.append((span.number, span.alarms)))
        box = self.card.open_link(LINK, lambda frame: self.box_frames.append((note(), frame)))
        return box, self.card.far.open_link(LINK, lambda frame: self.far_frames.append((note(), frame)))


Main = Callable[[Ends, LinkIO, LinkIO], Awaitable[None]]


def run(main: Main) -> None:
    async def within(clock: VirtualClock) -> None:
        engine = Engine(EngineConfig(max_ports=16, max_lines=CONFIG.lines_needed(), max_recordings=1))
        clock.every_frame(engine.step)
        ends = Ends(engine)
        await main(ends, *ends.start())
        ends.card.close()
        engine.close()

    run_virtual(within)


def test_frames_take_their_time_one_after_the_other() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        for _ in range(3):
            box.send(bytes(97))
        await asyncio.sleep(1)
        assert [round(1000 * at_s, 3) for at_s, _ in ends.far_frames] == [12.5, 25.0, 37.5]

    run(main)


def test_directions_do_not_wait_for_each_other() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        box.send(bytes(97))
        far.send(bytes(97))
        await asyncio.sleep(1)
        assert [at_s for at_s, _ in ends.far_frames] == [at_s for at_s, _ in ends.box_frames] == [0.0125]

    run(main)


@pytest.mark.parametrize(("fault", "told"), [(Fault.LOSS, []), (Fault.CORRUPT, [(LINK, E.BADFCS)])])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_a_share_of_the_frames_suffers_the_same_ones_each_time(fault: Fault, told: list[tuple[int, LineEvent]], share: float) -> None:
    arrived: list[list[bytes]] = []

    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        ends.card.set_fault(LINK, fault, value=share, ends=(End.FAR,))
        for number in range(200):
            far.send(bytes([number]))
            box.send(bytes([number]))
            await asyncio.sleep(0.002)
        arrived.append([frame for _, frame in ends.far_frames])
        assert len(ends.box_frames) == 200
        assert abs(200 - len(arrived[-1]) - 200 * share) <= 25
        assert ends.far_events == told * (200 - len(arrived[-1]))
        assert ends.box_events == []

    run(main)
    run(main)
    assert arrived[0] == arrived[1]


def test_a_frozen_end_takes_its_frames_when_it_thaws() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        ends.card.set_fault(LINK, Fault.FREEZE)
        for number in range(5):
            box.send(bytes([number]))
        await asyncio.sleep(1)
        assert ends.far_frames == []
        ends.card.set_fault(LINK, Fault.FREEZE, on=False)
        assert [frame for _, frame in ends.far_frames] == [bytes([number]) for number in range(5)]

    run(main)


def test_a_cut_both_ways_leaves_bearers_alone() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        bearer = ends.card.open(BEARER)
        ends.card.set_fault(LINK, Fault.CUT)
        box.send(b"lost")
        far.send(b"lost")
        await asyncio.sleep(5)
        ends.card.set_fault(LINK, Fault.CUT, on=False)
        assert (ends.box_frames, ends.far_frames, ends.box_events, ends.far_events) == ([], [], [], [])
        assert bearer.is_offhook()
        box.send(b"again")
        await asyncio.sleep(1)
        assert [frame for _, frame in ends.far_frames] == [b"again"]

    run(main)


@pytest.mark.parametrize(("here", "there"), [("red", "yellow"), ("blue", "yellow"), ("yellow", "red")])
def test_an_alarm_as_both_ends_see_it(here: str, there: str) -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        ends.card.set_span_alarm(1, here)
        box.send(b"lost")
        await asyncio.sleep(0.1)
        ends.card.set_span_alarm(1)
        await asyncio.sleep(0.1)
        assert ends.box_spans == [(1, (here,)), (1, ())]
        assert ends.far_spans == [(1, (there,)), (1, ())]
        assert ends.box_events == ends.far_events == [(LINK, E.ALARM), (LINK, E.NOALARM)]
        assert ends.far_frames == []

    run(main)


def test_another_alarm_is_told_of_the_span_only() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        ends.card.set_span_alarm(1, "yellow")
        ends.card.set_span_alarm(1, "red")
        await asyncio.sleep(0.1)
        assert ends.box_events == [(LINK, E.ALARM)]
        assert ends.box_spans == [(1, ("yellow",)), (1, ("red",))]

    run(main)


def test_bits_stand_still_in_an_alarm_and_are_right_after_it() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        near, there = ends.card.open(CAS_CHANNEL), ends.card.far.open(CAS_CHANNEL)
        assert near.bits() == there.bits() == 0b1001
        ends.card.set_span_alarm(2, "red")
        there.set_bits(0b0001)
        there.set_bits(0b1101)
        await asyncio.sleep(1)
        assert near.bits() == 0b1001
        ends.card.set_span_alarm(2)
        assert near.bits() == 0b1101
        await asyncio.sleep(0.1)
        assert ends.box_events == [(CAS_CHANNEL, E.ALARM), (CAS_CHANNEL, E.NOALARM), (CAS_CHANNEL, E.BITSCHANGED)]

    run(main)


def test_an_unplugged_span_leaves_the_far_end_in_red() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        ends.card.unplug(1)
        await asyncio.sleep(0.1)
        assert ends.far_spans[-1] == (1, ("red",))
        assert ends.far_events == [(LINK, E.ALARM)]
        assert ends.box_events == [(LINK, E.REMOVED)]
        assert ends.box_spans[-1] == (1, ("removed",))
        assert {spec.span for spec in ends.card.channels()} == {2, 3}
        ends.card.plug(1)
        ends.card.plug(1)
        await asyncio.sleep(0.1)
        assert ends.far_events[-1] == (LINK, E.NOALARM)
        assert ends.box_events == [(LINK, E.REMOVED)]
        assert not ends.card.spans()[0].alarms

    run(main)


def test_an_unplugged_line_tells_it_once_and_refuses() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        channel = ends.card.open(LOOP)
        ends.card.unplug(3)
        await asyncio.sleep(0.1)
        with pytest.raises(LineError, match=f"LIN-085.*channel {LOOP}"):
            channel.is_offhook()
        with pytest.raises(LineError, match="LIN-070"):
            ends.card.open(LOOP + 1)
        ends.card.plug(3)
        channel.close()
        again = ends.card.open(LOOP)
        channel.close()
        assert again.is_offhook()
        with pytest.raises(LineError, match="LIN-072"):
            ends.card.open(LOOP)
        assert ends.box_events == [(LOOP, E.REMOVED)]

    run(main)


def test_a_channel_left_open_while_unplugged_does_not_disturb_the_one_opened_after() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        old, there = ends.card.open(CAS_CHANNEL), ends.card.far.open(CAS_CHANNEL)
        ends.card.unplug(2)
        ends.card.plug(2)
        await asyncio.sleep(0.1)
        fresh = ends.card.open(CAS_CHANNEL)
        fresh.set_bits(0b0101)
        old.close()
        await asyncio.sleep(0.1)
        assert there.bits() == 0b0101
        there.set_bits(0b0011)
        await asyncio.sleep(0.1)
        assert ends.box_events == [(CAS_CHANNEL, E.REMOVED), (CAS_CHANNEL, E.BITSCHANGED)]

    run(main)


def test_a_span_that_does_not_exist() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        for wrong in (0, 4):
            for step in (ends.card.unplug, ends.card.plug, ends.card.set_span_alarm):
                with pytest.raises(LineError, match=f"LIN-088.*span {wrong}"):
                    step(wrong)

    run(main)


def test_channels_of_the_box_alone_are_joined_in_the_card() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        bearer, bits, loop = ends.card.open(BEARER), ends.card.open(CAS_CHANNEL), ends.card.open(LOOP)
        assert bearer.native_bridge(bits)
        assert bearer.native_bridge(loop)
        assert bits.native_peer() is None
        assert not bearer.native_bridge(ends.card.far.open(BEARER + 1))
        assert loop.native_peer() == BEARER

    run(main)


def test_a_d_channel_takes_a_new_taker_when_opened_again() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        far.close()
        far.close()
        box.send(b"nobody")
        await asyncio.sleep(0.1)
        taken: list[bytes] = []
        ends.card.far.open_link(LINK, taken.append)
        box.send(b"somebody")
        await asyncio.sleep(0.1)
        assert taken == [b"somebody"]
        assert ends.far_frames == []

    run(main)


def test_a_closing_end_takes_its_waiting_frames_along() -> None:
    async def main(ends: Ends, box: LinkIO, far: LinkIO) -> None:
        for _ in range(10):
            box.send(bytes(97))
        await asyncio.sleep(0.03)
        box.close()
        await asyncio.sleep(1)
        assert len(ends.far_frames) == 2

    run(main)


def test_channels_have_their_places() -> None:
    assert CONFIG.span_channels(1) == (*range(1, 16), *range(17, 32))
    assert CONFIG.first_channel(2) == CAS_CHANNEL
    assert CONFIG.span_channels(3) == (LOOP, LOOP + 1)


@pytest.mark.parametrize("bits", ["", "110", "11011", "1102", "abcd"])
def test_idle_bits_are_four_bits(bits: str) -> None:
    with pytest.raises(ValueError, match="idle_bits"):
        SpanConfig(kind=SpanKind.CAS, idle_bits=bits)
