"""Primary rate spans through line server and protocol, on the virtual card, with an exchange on libpri's network side at their far end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.config import GroupConfig, LinesConfig
from drivers.media import End
from drivers.protocol import (
    Alerting,
    Answer,
    Answered,
    BlockChannel,
    Bridge,
    Bridged,
    Cause,
    ChannelChanged,
    Offered,
    Presentation,
    Release,
    Released,
    Seize,
    SpanChanged,
    Welcome,
)
from drivers.signalling.pri.config import PriConfig
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.faults import Fault
from tests.pri_exchange import NETWORK, Exchange
from tests.pri_load import Load
from tests.scenarios.lines_rig import Rig, run_rig

D_CHANNEL = 16
LINES = LinesConfig(virtual=VirtualConfig(spans=(SpanConfig(kind=SpanKind.PRI),)))
TWO_SPANS = LinesConfig(virtual=VirtualConfig(spans=(SpanConfig(kind=SpanKind.PRI), SpanConfig(kind=SpanKind.PRI))))


class PriRig:
    def __init__(self, rig: Rig, exchange: Exchange) -> None:
        self.rig, self.exchange, self.agent = rig, exchange, rig.agent

    async def talking(self, channel: int = 3) -> tuple[Any, str]:
        """A call of the exchange that the box has answered: the exchange's record, and the leg."""
        call = self.exchange.call(channel, "88886666", "13800138000")
        leg = (await self.agent.told(Offered)).state.leg
        self.agent.send(Answer(leg=leg))
        await self.agent.told(Answered, leg=leg)
        await self.exchange.until(lambda: call.answered_at is not None)
        await asyncio.sleep(1)
        return call, leg

    async def no_call_is_left(self) -> None:
        """Every channel is free at both ends. Raises: TimeoutError."""
        channels = self.rig.server.lines.channels.values()

        def free() -> bool:
            return all(channel.is_quiet() for channel in channels) and len(self.exchange.free()) == len(self.exchange.lines)

        await self.exchange.until(free, 200)


def run_pri(folder: Path, main: Callable[[PriRig], Awaitable[Any]], lines: LinesConfig = LINES, network: PriConfig = NETWORK) -> Any:
    async def within(rig: Rig) -> Any:
        exchange = Exchange(rig.card.far, rig.clock, network)
        exchange.start()
        try:
            await exchange.until(lambda: exchange.up == set(exchange.links))
            await exchange.until(lambda: len(exchange.free()) == len(exchange.lines), 30)
            await asyncio.sleep(2)
            return await main(PriRig(rig, exchange))
        finally:
            exchange.close()

    return run_rig(folder, within, lines)


def test_a_call_in_is_offered_with_all_that_is_known_of_it(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        call = pri.exchange.call(3, "88886666", "1088886666")
        state = (await pri.agent.told(Offered)).state
        assert (state.channel, state.ani, state.dnis) == (3, "01088886666", "88886666")
        assert state.caller is not None
        assert state.caller.presentation is Presentation.ALLOWED
        await pri.exchange.until(lambda: call.alerting_at is not None)
        pri.agent.send(Answer(leg=state.leg))
        await pri.exchange.until(lambda: call.answered_at is not None)
        await asyncio.sleep(3)
        pri.exchange.hang_up(call, Cause.NORMAL)
        released = await pri.agent.told(Released, leg=state.leg)
        assert (released.cause, released.by_far_end) == (Cause.NORMAL, True)
        await pri.no_call_is_left()

    run_pri(folder, main, network=msgspec.structs.replace(NETWORK, caller_type="national"))


def test_the_box_hangs_up_with_its_cause(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        call = pri.exchange.call(3, "88886666")
        leg = (await pri.agent.told(Offered)).state.leg
        pri.agent.send(Release(leg=leg, cause=Cause.USER_BUSY))
        await pri.exchange.until(lambda: call.ended_at is not None)
        assert (call.cause, call.ended_by_box) == (Cause.USER_BUSY, True)
        await pri.no_call_is_left()

    run_pri(folder, main)


def test_a_call_out(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        pri.agent.send(Seize(leg="out", group="trunk", number="114", caller="88886666"))
        await pri.exchange.until(lambda: bool(pri.exchange.calls))
        (call,) = pri.exchange.calls
        assert (call.channel, call.dnis, call.ani) == (1, "114", "88886666")
        await pri.agent.told(Alerting, leg="out", inband=False)
        pri.exchange.alert(call, inband=True)
        await pri.agent.told(Alerting, leg="out", inband=True)
        pri.exchange.answer(call)
        await pri.agent.told(Answered, leg="out")
        pri.exchange.hang_up(call)
        assert (await pri.agent.told(Released, leg="out")).by_far_end
        await pri.no_call_is_left()

    run_pri(folder, main)


@pytest.mark.parametrize("cause", [Cause.USER_BUSY, Cause.REJECTED, Cause.UNALLOCATED_NUMBER, Cause.SWITCH_CONGESTION])
def test_a_call_out_that_fails(folder: Path, cause: Cause) -> None:
    async def main(pri: PriRig) -> None:
        pri.exchange.on_offered = lambda call: asyncio.get_running_loop().call_soon(pri.exchange.hang_up, call, cause)
        pri.agent.send(Seize(leg="out", group="trunk", number="114"))
        assert (await pri.agent.told(Released, leg="out")).cause == cause
        await pri.no_call_is_left()

    run_pri(folder, main)


def test_both_call_on_the_same_channel(folder: Path) -> None:
    """The exchange's call is taken, ours goes through on the next channel."""

    async def main(pri: PriRig) -> None:
        pri.exchange.call(1, "88886666")
        pri.agent.send(Seize(leg="out", group="trunk", number="114"))
        assert (await pri.agent.told(Offered)).state.channel == 1
        await pri.exchange.until(lambda: len(pri.exchange.calls) == 2)
        assert (pri.exchange.calls[1].channel, pri.exchange.calls[1].dnis) == (2, "114")
        pri.exchange.answer(pri.exchange.calls[1])
        await pri.agent.told(Answered, leg="out")
        assert pri.agent.heard(Released) == []

    run_pri(folder, main)


def test_a_blocked_channel_refuses_calls(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        pri.agent.send(BlockChannel(channel=5, blocked=True))
        await pri.agent.told(ChannelChanged)
        call = pri.exchange.call(5, "88886666")
        await pri.exchange.until(lambda: call.ended_at is not None)
        assert call.cause == Cause.CHANNEL_NOT_AVAILABLE
        assert pri.agent.heard(Offered) == []
        await pri.no_call_is_left()

    run_pri(folder, main)


@pytest.mark.parametrize("cut_s", [5, 40])
def test_the_d_channel_is_cut_in_a_call(folder: Path, cut_s: int) -> None:
    async def main(pri: PriRig) -> None:
        call, leg = await pri.talking()
        pri.exchange.close_link(D_CHANNEL)
        await asyncio.sleep(cut_s)
        assert any(not told.span.link_up for told in pri.agent.heard(SpanChanged)) == (cut_s > 20)
        assert pri.rig.server.lines.spans[1].link_up is (cut_s < 20)
        pri.exchange.open_link(D_CHANNEL)
        await asyncio.sleep(30)
        assert pri.agent.heard(Released) == []
        assert pri.rig.server.lines.spans[1].link_up
        pri.exchange.hang_up(call)
        await pri.agent.told(Released, leg=leg)
        await pri.no_call_is_left()

    run_pri(folder, main)


def test_a_span_in_alarm_for_a_while_keeps_the_calls_that_talk(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        call, leg = await pri.talking()
        pri.rig.card.set_span_alarm(1, "red")
        await asyncio.sleep(20)
        assert pri.agent.heard(Released) == []
        pri.agent.send(Seize(leg="none", group="trunk", number="114"))
        assert (await pri.agent.told(Released, leg="none")).cause == Cause.NO_CHANNEL
        pri.rig.card.set_span_alarm(1)
        await asyncio.sleep(20)
        pri.exchange.hang_up(call)
        assert (await pri.agent.told(Released, leg=leg)).cause == Cause.NORMAL
        await pri.no_call_is_left()

    run_pri(folder, main)


def test_calls_of_one_span_are_bridged_in_the_card(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        _, one = await pri.talking(3)
        _, other = await pri.talking(4)
        pri.agent.send(Bridge(leg=one, other=other))
        assert (await pri.agent.told(Bridged)).native

    run_pri(folder, main)


def test_the_exchange_begins_anew(folder: Path) -> None:
    """Its RESTART ends what it has forgotten; the channels serve again."""

    async def main(pri: PriRig) -> None:
        _, leg = await pri.talking()
        pri.exchange.close()
        fresh = Exchange(pri.rig.card.far, pri.rig.clock)
        fresh.start()
        await pri.agent.told(Released, leg=leg)
        await fresh.until(lambda: len(fresh.free()) == 30, 60)
        pri.exchange = fresh
        await pri.talking()
        fresh.close()

    run_pri(folder, main)


def test_another_span_is_untouched_by_a_span_s_faults(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        call, leg = await pri.talking(33)
        pri.rig.card.unplug(1)
        await asyncio.sleep(5)
        pri.exchange.hang_up(call)
        assert (await pri.agent.told(Released, leg=leg)).cause == Cause.NORMAL
        await pri.talking(34)

    run_pri(folder, main, TWO_SPANS)


def test_a_card_pulled_and_put_back(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        _, leg = await pri.talking()
        pri.rig.card.unplug(1)
        assert (await pri.agent.told(Released, leg=leg)).cause == Cause.NETWORK_OUT_OF_ORDER
        await asyncio.sleep(10)
        pri.rig.card.plug(1)
        await asyncio.sleep(60)
        await pri.talking()

    run_pri(folder, main)


def test_frames_are_lost(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        pri.rig.card.set_fault(D_CHANNEL, Fault.LOSS, True, 0.2, (End.NEAR, End.FAR))
        for channel in range(1, 11):
            call, leg = await pri.talking(channel)
            pri.exchange.hang_up(call)
            await pri.agent.told(Released, leg=leg)
        pri.rig.card.set_fault(D_CHANNEL, Fault.LOSS, False)
        await pri.no_call_is_left()

    run_pri(folder, main)


def test_hundreds_of_calls_over_one_another(folder: Path) -> None:
    """Both directions, every ending, glare: both sides say the same of every call, and every channel is free afterwards."""

    async def main(pri: PriRig) -> Any:
        pri.agent.die()
        load = Load(pri.exchange, await pri.rig.server.connect(), pri.rig.clock.now)
        running = asyncio.create_task(load.agent.run())
        await load.make(600, hands=40)
        await pri.no_call_is_left()
        running.cancel()
        assert not pri.exchange.unexpected
        assert not pri.rig.server.lines.book.states()
        return load.compare(tolerance_s=0.15)

    seen, wrong = run_pri(folder, main)
    assert not wrong, "\n".join(wrong)
    assert seen["answered"] > 200
    assert seen["box"] > 150


# --- set-up ----------------------------------------------------------------------------------------------------------


def test_a_span_needs_no_words_in_the_configuration(folder: Path) -> None:
    async def main(rig: Rig) -> Welcome:
        return await rig.agent.welcome()

    welcome = run_rig(folder, main, LINES, connected=False)
    assert [(group.name, len(group.channels)) for group in welcome.groups] == [("trunk", 30)]
    assert welcome.spans[0].link_up is False
    assert {channel.state for channel in welcome.channels} == {"link down"}


def test_sections_that_name_nothing_there_are_told_and_harm_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main(pri: PriRig) -> None:
        await pri.talking()

    pri = (PriConfig(span=7), PriConfig(d_channel=40), PriConfig(span=1, alert_after_ms=0))
    run_pri(folder, main, msgspec.structs.replace(LINES, pri=pri))
    told = [record.getMessage() for record in caplog.records if "LIN-153" in record.getMessage()]
    assert len(told) == 2
    assert "lines.pri[0]: span 7" in told[0]
    assert "D-channels there are: 16" in told[1]


def test_channels_outside_every_group_take_no_calls(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        call = pri.exchange.call(20, "88886666")
        await pri.exchange.until(lambda: call.ended_at is not None)
        assert call.cause == Cause.CHANNEL_DOES_NOT_EXIST
        await pri.talking(3)

    run_pri(folder, main, msgspec.structs.replace(LINES, groups=(GroupConfig(name="few", channels="1-10"),)))
