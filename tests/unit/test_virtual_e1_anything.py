"""Whatever both ends of E1 spans do and whatever goes wrong with them, in any order: only clear refusals, and then all is well."""

import asyncio
import contextlib
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.clock import VirtualClock, run_virtual
from drivers.errors import LineError
from drivers.io import ChannelIO, Hook, LinkIO
from drivers.media import End, Engine, EngineConfig
from drivers.virtual.card import VirtualCard
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.digital import FarCard
from drivers.virtual.faults import Fault

CONFIG = VirtualConfig(spans=(SpanConfig(kind=SpanKind.PRI), SpanConfig(kind=SpanKind.CAS)))
LINK = 16
NUMBERS = (1, 2, LINK, 32, 33, 48)  # 48 is a timeslot without a channel
REFUSALS = {"LIN-070", "LIN-072", "LIN-085", "LIN-086", "LIN-087"}


class Site:
    """One end: what it has open, and what it can do to it."""

    def __init__(self, card: VirtualCard | FarCard) -> None:
        self.card = card
        self.channels: list[ChannelIO] = []
        self.links: list[LinkIO] = []
        self.frames: list[bytes] = []
        card.start(lambda *told: None, lambda span: None)

    def open(self, number: int) -> None:
        self.channels.append(self.card.open(number))

    def open_link(self, number: int) -> None:
        self.links.append(self.card.open_link(number, self.frames.append))

    def channel(self, at: int, act: Callable[[ChannelIO], object]) -> None:
        if self.channels:
            act(self.channels[at % len(self.channels)])

    def send(self, at: int, frame: bytes) -> None:
        if self.links:
            self.links[at % len(self.links)].send(frame)

    def close_one(self, at: int) -> None:
        if self.channels:
            self.channels.pop(at % len(self.channels)).close()

    def close_link(self, at: int) -> None:
        if self.links:
            self.links.pop(at % len(self.links)).close()

    def close_all(self) -> None:
        for channel in self.channels:
            channel.close()
        for link in self.links:
            link.close()
        self.channels.clear()
        self.links.clear()


Act = Callable[[VirtualCard, Site], None]

numbers = st.sampled_from(NUMBERS)
small = st.integers(0, 20)
acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(lambda number: lambda card, site: site.open(number), numbers),
    st.builds(lambda number: lambda card, site: site.open_link(number), numbers),
    st.builds(lambda at, bits: lambda card, site: site.channel(at, lambda each: each.set_bits(bits)), small, st.integers(-1, 16)),
    st.builds(lambda at: lambda card, site: site.channel(at, lambda each: each.bits()), small),
    st.builds(lambda at: lambda card, site: site.channel(at, lambda each: each.set_hook(Hook.OFF)), small),
    st.builds(lambda at: lambda card, site: site.channel(at, lambda each: each.is_offhook()), small),
    st.builds(
        lambda at, by: lambda card, site: site.channel(at, lambda each: each.native_bridge(site.channels[by % len(site.channels)])),
        small,
        small,
    ),
    st.builds(lambda at: lambda card, site: site.channel(at, lambda each: each.native_unbridge()), small),
    st.builds(lambda at, frame: lambda card, site: site.send(at, frame), small, st.binary(max_size=270)),
    st.builds(lambda at: lambda card, site: site.close_one(at), small),
    st.builds(lambda at: lambda card, site: site.close_link(at), small),
    st.builds(
        lambda number, fault, on, ends: lambda card, site: card.set_fault(number, fault, on, 0.5, ends),
        numbers,
        st.sampled_from((Fault.CUT, Fault.FREEZE, Fault.ALARM, Fault.LOSS, Fault.CORRUPT, Fault.SILENCE)),
        st.booleans(),
        st.sampled_from(((), (End.NEAR,), (End.FAR,), (End.NEAR, End.FAR))),
    ),
    st.builds(
        lambda span, alarm: lambda card, site: card.set_span_alarm(span, *alarm),
        st.sampled_from((1, 2)),
        st.sampled_from(((), ("red",), ("yellow",))),
    ),
    st.builds(lambda span: lambda card, site: card.unplug(span), st.sampled_from((1, 2))),
    st.builds(lambda span: lambda card, site: card.plug(span), st.sampled_from((1, 2))),
)
steps = st.lists(st.tuples(acts, st.booleans(), st.integers(0, 30)), max_size=40)


async def all_is_well(card: VirtualCard, box: Site, far: Site) -> None:
    """With everything repaired and closed, a fresh pair of each kind works."""
    for site in (box, far):
        site.close_all()
    for span in (1, 2):
        card.plug(span)
        card.set_span_alarm(span)
    for number in NUMBERS:
        for fault in (Fault.CUT, Fault.FREEZE, Fault.ALARM, Fault.LOSS, Fault.CORRUPT, Fault.SILENCE):
            with contextlib.suppress(LineError):
                card.set_fault(number, fault, on=False)
    await asyncio.sleep(2)
    assert all(not span.alarms for span in (*card.spans(), *card.far.spans()))
    near, there = card.open(32), card.far.open(32)
    assert near.bits() == there.bits() == 0b1101
    near.set_bits(0b0110)
    there.set_bits(0b1001)
    frames: list[bytes] = []
    link = card.open_link(LINK, frames.append)
    assert card.far.open_link(LINK, print).send(b"well")
    await asyncio.sleep(0.1)
    assert (near.bits(), there.bits(), frames) == (0b1001, 0b0110, [b"well"])
    assert link.send(b"too")
    assert near.is_offhook()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps)
def test_anything(steps: list[tuple[Act, bool, int]]) -> None:
    async def main(clock: VirtualClock) -> None:
        faults: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(str(context)))
        engine = Engine(EngineConfig(max_ports=4, max_lines=CONFIG.lines_needed(), max_recordings=1))
        card = VirtualCard(CONFIG, engine)
        box, far = Site(card), Site(card.far)
        for act, at_box, wait_ms in steps:
            try:
                act(card, box if at_box else far)
            except LineError as error:
                assert error.code in REFUSALS, error  # noqa: PT017
            await asyncio.sleep(wait_ms / 1000)
        await all_is_well(card, box, far)
        card.close()
        engine.close()
        assert not faults

    run_virtual(main)
