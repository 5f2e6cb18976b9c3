"""Trunk groups on the virtual card: overflow, reserve, direction, attempts in a second, numbers in one form."""

import asyncio
from pathlib import Path

import msgspec

from drivers.config import GroupConfig, LinesConfig
from drivers.numbers import GroupNumbers, NumberRules, Rewrite
from drivers.protocol import Alerting, BlockChannel, Cause, LegPhase, Offered, Release, Released, Seize
from drivers.virtual.config import Answering, NumberConfig, TelephoneConfig
from drivers.virtual.handset import Phase
from tests.scenarios.lines_rig import BOX, LINES, OUTSIDE, WORLD, Rig, run_rig

POLICE = "110"
WARD = "88880001"


def with_groups(*groups: GroupConfig, numbers: NumberRules | None = None) -> LinesConfig:
    telephones = tuple(TelephoneConfig(number=number, answering=Answering.COMMAND) for number in (OUTSIDE, POLICE, WARD))
    world = msgspec.structs.replace(WORLD, telephones=telephones)
    return msgspec.structs.replace(LINES, groups=groups, virtual=world, numbers=numbers or NumberRules())


async def seized(rig: Rig, leg: str, group: str = "first", number: str = OUTSIDE) -> int:
    """Call out; answers the channel, 0 while there is none."""
    rig.agent.send(Seize(leg=leg, group=group, number=number))
    await asyncio.sleep(0.1)
    return rig.leg(leg).channel


def test_overflow_to_the_next_group_and_the_cause_when_all_are_taken(folder: Path) -> None:
    lines = with_groups(GroupConfig(name="first", channels="1", overflow=("second",)), GroupConfig(name="second", channels="2"))

    async def main(rig: Rig) -> None:
        assert [await seized(rig, leg) for leg in ("a", "b", "c")] == [1, 2, 0]
        assert (rig.leg("b").group, rig.leg("c").phase) == ("second", LegPhase.RELEASED)
        assert (await rig.agent.told(Released, leg="c")).cause == Cause.NO_CHANNEL

    run_rig(folder, main, lines)


def test_blocked_channels_overflow_too(folder: Path) -> None:
    lines = with_groups(GroupConfig(name="first", channels="1-2", overflow=("second",)), GroupConfig(name="second", channels="3"))

    async def main(rig: Rig) -> None:
        for channel in (1, 2):
            rig.agent.send(BlockChannel(channel=channel))
        assert await seized(rig, "a") == 3

    run_rig(folder, main, lines)


def test_a_full_network_is_left_for_the_next_group(folder: Path) -> None:
    """The exchange gives its congestion tone for a number it has no way to."""
    lines = with_groups(GroupConfig(name="first", channels="1-2", overflow=("second",)), GroupConfig(name="second", channels="3"))

    async def main(rig: Rig) -> None:
        assert await seized(rig, "a", number="99999999") == 1
        released = await rig.agent.told(Released, leg="a", limit_s=60)
        assert (released.cause, rig.leg("a").channel, rig.leg("a").group) == (Cause.NO_CHANNEL, 3, "second")

    run_rig(folder, main, lines)


def test_reserve_and_direction_bind_all_calls_but_emergency_ones(folder: Path) -> None:
    lines = with_groups(GroupConfig(name="first", channels="1-4", reserve=1, incoming_only="1", outgoing_only="4", hunting="down"))

    async def main(rig: Rig) -> None:
        assert [await seized(rig, leg) for leg in ("a", "b", "c", "d")] == [4, 3, 2, 0]
        assert await seized(rig, "e", number=POLICE) == 1

    run_rig(folder, main, lines)


def test_a_line_for_calls_out_takes_no_caller(folder: Path) -> None:
    lines = with_groups(GroupConfig(name="first", channels="1-4", outgoing_only="1-4"))

    async def main(rig: Rig) -> None:
        caller = rig.call_in()
        await asyncio.sleep(10)
        assert not rig.agent.heard(Offered)
        assert caller.phase is Phase.RINGING

    run_rig(folder, main, lines)


def test_attempts_wait_for_their_turn_and_no_longer_than_allowed(folder: Path) -> None:
    group = GroupConfig(name="first", channels="1-4", attempts_per_s=1, attempts_wait_ms=1500)

    async def main(rig: Rig) -> None:
        for leg in ("a", "b", "c"):
            rig.agent.send(Seize(leg=leg, group="first", number=OUTSIDE))
        await asyncio.sleep(0.1)
        assert [rig.leg(leg).channel for leg in ("a", "b", "c")] == [1, 0, 0]
        assert await seized(rig, "help", number=POLICE) == 2
        await asyncio.sleep(1.0)
        assert (rig.leg("b").channel, rig.leg("c").channel) == (3, 0)
        released = await rig.agent.told(Released, leg="c")
        assert released.cause == Cause.SWITCH_CONGESTION

    run_rig(folder, main, with_groups(group))


def test_a_waiting_call_can_be_given_up(folder: Path) -> None:
    group = GroupConfig(name="first", channels="1-4", attempts_per_s=1)

    async def main(rig: Rig) -> None:
        assert await seized(rig, "a") == 1
        assert await seized(rig, "b") == 0
        rig.agent.send(Release(leg="b"))
        assert (await rig.agent.told(Released, leg="b")).by_far_end is False
        await asyncio.sleep(3)
        assert await seized(rig, "c") == 2

    run_rig(folder, main, with_groups(group))


def test_numbers_are_kept_in_one_form_and_dialled_as_the_line_wants_them(folder: Path) -> None:
    numbers = NumberRules(area_code="10")
    group = GroupConfig(name="first", channels="1-4", dnis="88886666", numbers_as=GroupNumbers(dialled=Rewrite(strip=2)))
    lines = with_groups(group, numbers=numbers)
    world = msgspec.structs.replace(lines.virtual, numbers=(NumberConfig(number=BOX, spans=(1,)),))
    lines = msgspec.structs.replace(
        lines, virtual=msgspec.structs.replace(world, telephones=(TelephoneConfig(number=WARD[2:], answering=Answering.COMMAND),))
    )

    async def main(rig: Rig) -> None:
        rig.call_in()
        assert (await rig.agent.told(Offered)).state.dnis == "01088886666"
        await seized(rig, "a", number="+8610" + WARD)
        assert rig.leg("a").dnis == "010" + WARD
        await rig.agent.told(Alerting, leg="a")
        await rig.world.telephones[WARD[2:]].reached(Phase.RINGING)

    run_rig(folder, main, lines)


def test_a_call_whose_channel_is_blocked_at_once_waits_for_its_turn_and_can_be_given_up(folder: Path) -> None:
    lines = with_groups(GroupConfig(name="first", channels="1-4", attempts_per_s=1))

    async def main(rig: Rig) -> None:
        assert [await seized(rig, leg) for leg in ("a", "b")] == [1, 0]
        rig.agent.send(Release(leg="b"))
        rig.agent.send(BlockChannel(channel=1, at_once=True))
        await asyncio.sleep(0.1)
        assert (rig.leg("a").phase, rig.leg("a").channel) == (LegPhase.DIALLING, 0)
        rig.agent.send(Release(leg="a"))
        assert (await rig.agent.told(Released, leg="a", limit_s=0.2)).by_far_end is False

    run_rig(folder, main, lines)


def test_a_call_whose_channel_is_blocked_at_once_goes_on_elsewhere(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        assert await seized(rig, "a") == 1
        rig.agent.send(BlockChannel(channel=1, at_once=True))
        await rig.agent.told(Alerting, leg="a")
        assert rig.leg("a").channel == 2

    run_rig(folder, main, with_groups(GroupConfig(name="first", channels="1-4")))
