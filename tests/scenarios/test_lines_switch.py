"""Lines that are extensions of a switch: hook flash, callers handed on and taken back, dial pulses, polarity as the end of a call."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.config import LinesConfig
from drivers.protocol import (
    Answered,
    Bridge,
    Bridged,
    Cause,
    CommandFailed,
    Flash,
    Release,
    Released,
    Seize,
    TransferByFlash,
    TransferOutcome,
    Transferred,
    TransferWhen,
    Unbridge,
)
from drivers.signalling.fxo_profile import LineProfile
from drivers.virtual.config import Answering, NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.faults import Fault
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from drivers.virtual.trunk import TrunkState
from tests.scenarios.lines_rig import BOX, LINES, Rig, run_rig, speech_like, wav

ANSWERS, BUSY, SILENT, REJECTS, UNKNOWN = "8001", "8002", "8003", "8004", "8999"


def behind_a_switch(say: str = "", profile: LineProfile | None = None, **span: Any) -> LinesConfig:
    world = VirtualConfig(
        spans=(SpanConfig(kind=SpanKind.FXO, channels=4, transfers=True, **span),),
        numbers=(NumberConfig(number=BOX, spans=(1,)),),
        telephones=(
            TelephoneConfig(number=ANSWERS, after_ms=6000, say=say),
            TelephoneConfig(number=BUSY, answering=Answering.BUSY),
            TelephoneConfig(number=SILENT, answering=Answering.NEVER),
            TelephoneConfig(number=REJECTS, answering=Answering.REJECT, after_ms=8000),
        ),
    )
    return msgspec.structs.replace(LINES, virtual=world, analog=profile or LineProfile(answer="voice"))


async def talking(rig: Rig) -> tuple[OutsideTelephone, str]:
    caller, leg = await rig.answered()
    await asyncio.sleep(1)
    return caller, leg


def test_answered_target_is_joined_with_the_caller_in_the_switch(folder: Path) -> None:
    say = str(wav(folder / "hello.wav", speech_like(5, 3)))

    async def main(rig: Rig) -> None:
        caller, leg = await talking(rig)
        rig.agent.send(TransferByFlash(leg=leg, number=ANSWERS))
        done = await rig.agent.told(Transferred, leg=leg, limit_s=30)
        released = await rig.agent.told(Released, leg=leg)
        assert done.outcome is TransferOutcome.TRANSFERRED
        assert (released.cause, released.by_far_end) == (Cause.NORMAL, False)
        target = rig.world.telephones[ANSWERS]
        assert (caller.phase, target.phase) == (Phase.TALKING, Phase.TALKING)
        await asyncio.sleep(6)  # the target has said its hello
        assert rig.server.lines.channels[1].is_free()
        caller.detect("cn")
        target.press("4711")
        await caller.heard("4711")
        caller.hang_up()
        await target.reached(Phase.ENDED, Phase.IDLE)

    run_rig(folder, main, behind_a_switch(say))


@pytest.mark.parametrize(
    ("number", "no_answer_ms", "outcome"),
    [
        (BUSY, 30_000, TransferOutcome.BUSY),
        (SILENT, 12_000, TransferOutcome.NO_ANSWER),
        (REJECTS, 30_000, TransferOutcome.BUSY),
        (UNKNOWN, 30_000, TransferOutcome.CONGESTION),
    ],
)
def test_caller_is_taken_back(folder: Path, number: str, no_answer_ms: int, outcome: TransferOutcome) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await talking(rig)
        for _ in range(2):
            rig.agent.send(TransferByFlash(leg=leg, number=number, no_answer_ms=no_answer_ms))
            assert (await rig.agent.told(Transferred, leg=leg, limit_s=40)).outcome is outcome
            assert rig.world.trunks[1].state is TrunkState.TALKING
        caller.press("42")
        await caller.keys_sent()
        await asyncio.sleep(0.5)
        assert "".join(press.digit for press in rig.leg(leg).digits) == "42"
        caller.hang_up()
        assert (await rig.agent.told(Released, leg=leg)).by_far_end

    run_rig(folder, main, behind_a_switch())


@pytest.mark.parametrize("when", [TransferWhen.DIALLED, TransferWhen.RINGING])
def test_caller_let_go_early_hears_the_target_ring(folder: Path, when: TransferWhen) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await talking(rig)
        rig.agent.send(TransferByFlash(leg=leg, number=ANSWERS, when=when))
        assert (await rig.agent.told(Transferred, leg=leg)).outcome is TransferOutcome.TRANSFERRED
        await rig.world.telephones[ANSWERS].reached(Phase.TALKING)
        assert caller.phase is Phase.TALKING

    run_rig(folder, main, behind_a_switch())


def test_switch_whose_dial_tone_is_not_heard_gets_no_digits(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await talking(rig)
        rig.card.set_fault(1, Fault.SILENCE)
        rig.agent.send(TransferByFlash(leg=leg, number=ANSWERS))
        assert (await rig.agent.told(Transferred, leg=leg)).outcome is TransferOutcome.NO_DIAL_TONE
        assert rig.world.trunks[1].state is TrunkState.TALKING
        assert rig.world.trunks[1].digits == ""

    run_rig(folder, main, behind_a_switch())


def test_caller_who_gives_up_on_hold_is_noticed_on_the_way_back(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await talking(rig)
        rig.agent.send(TransferByFlash(leg=leg, number=SILENT, no_answer_ms=10_000))
        await asyncio.sleep(6)
        caller.hang_up()
        assert (await rig.agent.told(Transferred, leg=leg, limit_s=20)).outcome is TransferOutcome.NO_ANSWER
        released = await rig.agent.told(Released, leg=leg, limit_s=10)
        assert (released.cause, released.by_far_end) == (Cause.NORMAL, True)

    run_rig(folder, main, behind_a_switch())


def test_flash_alone_gives_the_switch_s_dial_tone_and_the_call_goes_on(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await talking(rig)
        for state in (TrunkState.DIALLING, TrunkState.TALKING):
            rig.agent.send(Flash(leg=leg))
            await asyncio.sleep(1)
            assert rig.world.trunks[1].state is state
        assert not rig.agent.heard(Released)

    run_rig(folder, main, behind_a_switch())


def test_second_transfer_is_refused_while_one_is_under_way(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await talking(rig)
        rig.agent.send(TransferByFlash(leg=leg, number=SILENT, no_answer_ms=10_000))
        await asyncio.sleep(2)
        rig.agent.send(TransferByFlash(leg=leg, number=ANSWERS))
        rig.agent.send(Flash(leg=leg))
        for _ in range(2):
            assert (await rig.agent.told(CommandFailed)).code == "LIN-093"
        assert (await rig.agent.told(Transferred, leg=leg, limit_s=20)).outcome is TransferOutcome.NO_ANSWER

    run_rig(folder, main, behind_a_switch())


def test_outcome_waits_for_the_next_call_agent(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await talking(rig)
        rig.agent.send(TransferByFlash(leg=leg, number=BUSY))
        await asyncio.sleep(1)
        rig.agent.die()
        await asyncio.sleep(15)
        await rig.agent.welcome()
        assert (await rig.agent.told(Transferred, leg=leg)).outcome is TransferOutcome.BUSY

    run_rig(folder, main, behind_a_switch())


def test_caller_who_talks_inside_the_card_is_parted_first(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, one = await talking(rig)
        _, two = await talking(rig)
        rig.agent.send(Bridge(leg=one, other=two))
        assert (await rig.agent.told(Bridged)).native
        rig.agent.send(TransferByFlash(leg=one, number=ANSWERS))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-096"
        rig.agent.send(Unbridge(leg=one))
        rig.agent.send(TransferByFlash(leg=one, number=BUSY))
        assert (await rig.agent.told(Transferred, leg=one)).outcome is TransferOutcome.BUSY

    run_rig(folder, main, behind_a_switch())


def test_a_telephone_set_cannot_be_flashed(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(Seize(leg="set", group="sets"))
        await asyncio.sleep(1)
        rig.world.sets[5].answer()
        await rig.agent.told(Answered, leg="set")
        rig.agent.send(Flash(leg="set"))
        rig.agent.send(TransferByFlash(leg="set", number="1#!"))
        rig.agent.send(TransferByFlash(leg="set", number="1", no_answer_ms=5))
        codes = [(await rig.agent.told(CommandFailed)).code for _ in range(3)]
        assert codes == ["LIN-092", "LIN-042", "LIN-042"]

    run_rig(folder, main)


@pytest.mark.parametrize("dialling", ["dtmf", "pulse"])
def test_number_by_keys_or_by_pulses(folder: Path, dialling: Any) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(Seize(leg="out", channel=1, number=ANSWERS))
        await rig.world.telephones[ANSWERS].reached(Phase.TALKING)
        await rig.agent.told(Answered, leg="out")
        rig.agent.send(Release(leg="out"))
        await rig.agent.told(Released, leg="out")

    run_rig(folder, main, behind_a_switch(profile=LineProfile(dialling=dialling)))


def test_polarity_ends_the_call_where_the_profile_says_so(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(Seize(leg="out", channel=1, number=ANSWERS))
        await rig.agent.told(Answered, leg="out")
        await asyncio.sleep(2)
        began_s = rig.clock.monotonic_s()
        rig.world.telephones[ANSWERS].hang_up()
        assert (await rig.agent.told(Released, leg="out")).by_far_end
        assert rig.clock.monotonic_s() - began_s < 0.1

    profile = LineProfile(answer="polarity", hangup_by_polarity=True, hangup_tones=())
    run_rig(folder, main, behind_a_switch(profile=profile, supervised=False, reverses_polarity=True))
