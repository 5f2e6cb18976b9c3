"""The small exchange on E1 spans: calls between telephones outside and the box by primary rate and by MFC/R2, through the line server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from drivers.config import LinesConfig, LineSetup
from drivers.protocol import (
    Answer,
    Answered,
    AskSetup,
    Cause,
    Digit,
    Offered,
    Release,
    Released,
    Seize,
    SettleSetup,
    SetupChecked,
    SetupSettled,
    SetupTold,
    TrySetup,
)
from drivers.span_plans import SpanPlan
from drivers.virtual.config import Answering, NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.office import Office, State
from tests.scenarios.lines_rig import Rig, run_rig

BOX, DOCTOR = "88886666", "88886667"
OUTSIDE, ENGAGED, SILENT = "01066668888", "01066668889", "01066668880"
ANI = "13800138000"
TELEPHONES = (
    TelephoneConfig(number=OUTSIDE, after_ms=4000),
    TelephoneConfig(number=ENGAGED, answering=Answering.BUSY),
    TelephoneConfig(number=SILENT, answering=Answering.NEVER),
)
BEARERS = "1-15,17-31"
KINDS = [SpanKind.PRI, SpanKind.CAS]


def lines(kind: SpanKind) -> LinesConfig:
    numbers = tuple(NumberConfig(number=number, spans=(1,)) for number in (BOX, DOCTOR))
    span = SpanConfig(kind=kind, exchange=True)
    return LinesConfig(virtual=VirtualConfig(spans=(span,), numbers=numbers, telephones=TELEPHONES, ring_limit_ms=20_000))


def run_office(folder: Path, kind: SpanKind, main: Callable[[Rig, Office], Awaitable[None]]) -> None:
    async def within(rig: Rig) -> None:
        office = Office(rig.card, rig.engine, rig.server.config, rig.clock, folder / "far")
        office.open()
        await until(lambda: all(trunk.is_free() for trunk in office.trunks.values()))
        await asyncio.sleep(5)
        await main(rig, office)
        await until(lambda: all(trunk.is_free() for trunk in office.trunks.values()))
        await until(lambda: all(channel.is_quiet() for channel in rig.server.lines.channels.values()))
        assert not rig.world.exchange.busy
        office.close()

    run_rig(folder, within, lines(kind))


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not reached():  # noqa: ASYNC110  # virtual time
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [BOX, DOCTOR])
def test_a_call_from_outside(tmp_path: Path, kind: SpanKind, number: str) -> None:
    async def main(rig: Rig, office: Office) -> None:
        caller = rig.call_in(number, ANI)
        offered = await rig.agent.told(Offered)
        assert offered.state.dnis == number
        assert offered.state.caller is not None
        assert offered.state.caller.number == ANI
        leg = offered.state.leg
        rig.agent.send(Answer(leg=leg))
        await rig.agent.told(Answered, leg=leg)
        await caller.reached(Phase.TALKING)
        await asyncio.sleep(0.5)
        caller.press("5")
        assert (await rig.agent.told(Digit, leg=leg)).digit == "5"
        caller.hang_up()
        assert (await rig.agent.told(Released, leg=leg)).by_far_end

    run_office(tmp_path, kind, main)


@pytest.mark.parametrize("kind", KINDS)
def test_the_box_hangs_up(tmp_path: Path, kind: SpanKind) -> None:
    async def main(rig: Rig, office: Office) -> None:
        caller, leg = await rig.answered(rig.call_in(BOX, ANI))
        rig.agent.send(Release(leg=leg))
        await rig.agent.told(Released, leg=leg)
        await caller.reached(Phase.ENDED)
        caller.hang_up()

    run_office(tmp_path, kind, main)


@pytest.mark.parametrize("kind", KINDS)
def test_a_caller_gives_up_while_it_rings(tmp_path: Path, kind: SpanKind) -> None:
    async def main(rig: Rig, office: Office) -> None:
        caller = rig.call_in(BOX, ANI)
        leg = await rig.offered()
        await asyncio.sleep(1)
        caller.hang_up()
        await rig.agent.told(Released, leg=leg)

    run_office(tmp_path, kind, main)


@pytest.mark.parametrize("kind", KINDS)
def test_the_box_calls(tmp_path: Path, kind: SpanKind) -> None:
    async def main(rig: Rig, office: Office) -> None:
        rig.agent.send(Seize(leg="out", group="trunk", number=OUTSIDE, caller=BOX))
        await rig.agent.told(Answered, leg="out")
        telephone = rig.world.telephones[OUTSIDE]
        assert telephone.phase is Phase.TALKING
        await asyncio.sleep(0.5)
        telephone.press("9")
        assert (await rig.agent.told(Digit, leg="out")).digit == "9"
        rig.agent.send(Release(leg="out"))
        await rig.agent.told(Released, leg="out")
        await until(lambda: telephone.phase is Phase.IDLE)

    run_office(tmp_path, kind, main)


@pytest.mark.parametrize("kind", KINDS)
def test_the_called_party_hangs_up(tmp_path: Path, kind: SpanKind) -> None:
    async def main(rig: Rig, office: Office) -> None:
        rig.agent.send(Seize(leg="out", group="trunk", number=OUTSIDE, caller=BOX))
        await rig.agent.told(Answered, leg="out")
        rig.world.telephones[OUTSIDE].hang_up()
        assert (await rig.agent.told(Released, leg="out")).by_far_end

    run_office(tmp_path, kind, main)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("number", "cause"), [(ENGAGED, Cause.USER_BUSY), ("999", Cause.UNALLOCATED_NUMBER), (SILENT, Cause.NO_ANSWER)])
def test_a_call_that_does_not_come_about(tmp_path: Path, kind: SpanKind, number: str, cause: int) -> None:
    async def main(rig: Rig, office: Office) -> None:
        rig.agent.send(Seize(leg="out", group="trunk", number=number, caller=BOX))
        released = await rig.agent.told(Released, leg="out", limit_s=90)
        assert released.cause == cause or (kind is SpanKind.CAS and number == SILENT), released

    run_office(tmp_path, kind, main)


@pytest.mark.parametrize("kind", KINDS)
def test_thirty_calls_at_once(tmp_path: Path, kind: SpanKind) -> None:
    async def main(rig: Rig, office: Office) -> None:
        callers = [rig.call_in(BOX, f"138001380{at:02}") for at in range(30)]
        for _ in callers:
            rig.agent.send(Answer(leg=await rig.offered()))
        for caller in callers:
            await caller.reached(Phase.TALKING)
        assert all(trunk.state is State.TALKING for trunk in office.trunks.values())
        late = rig.call_in(BOX, ANI)
        await late.reached(Phase.BUSY)
        for caller in (*callers, late):
            caller.hang_up()

    run_office(tmp_path, kind, main)


def test_the_exchange_follows_a_new_set_up(tmp_path: Path) -> None:
    async def main(rig: Rig, office: Office) -> None:
        caller, leg = await rig.answered(rig.call_in(BOX, ANI))
        caller.hang_up()
        await rig.agent.told(Released, leg=leg)
        for kind, cas in ((SpanKind.CAS, True), (SpanKind.PRI, False), (SpanKind.CAS, True), (SpanKind.PRI, False)):
            await set_up(rig, cas)
            await until(lambda: all(trunk.is_free() for trunk in office.trunks.values()))
            await asyncio.sleep(5)
            caller, leg = await rig.answered(rig.call_in(BOX, ANI))
            signalling = {channel.spec.signalling for channel in rig.server.lines.channels.values()}
            assert signalling == {SpanConfig(kind=kind).signalling}
            caller.hang_up()
            await rig.agent.told(Released, leg=leg)

    run_office(tmp_path, SpanKind.PRI, main)


async def set_up(rig: Rig, cas: bool) -> None:
    """The span with bits, or with a D-channel, and confirmed."""
    rig.agent.send(AskSetup())
    before = msgspec.json.decode((await rig.agent.told(SetupTold)).setup, type=LineSetup)
    plan = SpanPlan(span=1, cas=BEARERS) if cas else SpanPlan(span=1, bchan=BEARERS, dchan="16")
    wanted = msgspec.structs.replace(before, spans=(plan,))
    sent = rig.agent.send(TrySetup(setup=msgspec.json.encode(wanted), apply=True, confirm_s=60))
    await rig.agent.told(SetupChecked, command_id=sent)
    rig.agent.send(SettleSetup(keep=True))
    await rig.agent.told(SetupSettled)
