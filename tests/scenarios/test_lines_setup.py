"""Setting lines up while the box runs, on the virtual card: what is told, what is touched, what is undone."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from drivers.config import GroupConfig, LineSetup, load_setup
from drivers.line_setup import OLD, TRYING
from drivers.protocol import (
    AskSetup,
    Cause,
    CommandFailed,
    LinesReplaced,
    Offered,
    Released,
    Seize,
    SettleSetup,
    SetupChecked,
    SetupSettled,
    SetupTold,
)
from drivers.signalling.pri.config import PriConfig
from drivers.signalling.r2 import R2Span
from drivers.span_plans import SpanPlan
from drivers.virtual.config import SpanConfig, SpanKind
from drivers.virtual.handset import Phase
from tests.scenarios.lines_rig import Rig, run_rig
from tests.scenarios.setup_rig import CONFIG, E1, LOOP_START, WORLD, applied, send, settled, told, with_groups, with_span


def test_set_up_in_use_is_told_with_the_cards(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(AskSetup())
        answer = await rig.agent.told(SetupTold)
        assert [(span.number, span.digital, len(span.ports)) for span in answer.found] == [
            (1, False, 2), (2, False, 2), (3, False, 2), (4, True, 31),
        ]  # fmt: skip
        assert answer.found[0].ports[0].can == ("fxsks", "fxsls")
        assert answer.found[3].ports[15].now == "dchan"
        setup = msgspec.json.decode(answer.setup, type=LineSetup)
        assert [plan.span for plan in setup.spans] == [1, 2, 3, 4]
        assert (setup.spans[3].bchan, setup.spans[3].dchan) == (E1, "22")
        assert [(group.name, group.channels) for group in setup.groups] == [("trunk", f"1-4,{E1}"), ("sets", "5-6")]
        assert {field.name for field in answer.fields["pri"]} >= {"switch", "side"}

    run_rig(folder, main, CONFIG)


def test_check_shows_what_would_change_and_changes_nothing(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        setup = with_span(await told(rig), LOOP_START)
        checked = await rig.agent.told(SetupChecked, command_id=send(rig, setup, apply=False))
        assert checked.touched == (3, 4)
        assert checked.trying_until is None
        assert '-fxsks = "3-4"' in checked.diff
        assert '+fxsls = "3-4"' in checked.diff
        assert rig.channel_state(3).signalling == "fxsks"

    run_rig(folder, main, CONFIG)


def test_one_span_changes_while_another_carries_a_call(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        untouched = rig.server.lines.channels[1]
        checked = await applied(rig, with_span(await told(rig), LOOP_START))
        assert checked.touched == (3, 4)
        assert checked.trying_until is not None
        replaced = await rig.agent.told(LinesReplaced)
        assert [channel.signalling for channel in replaced.channels[:4]] == ["fxsks", "fxsks", "fxsls", "fxsls"]
        assert rig.server.lines.channels[1] is untouched
        await asyncio.sleep(3)
        assert caller.phase is Phase.TALKING
        assert (await settled(rig, keep=True)).kept
        kept = load_setup(folder / "data")
        assert kept is not None
        assert kept.spans[1] == LOOP_START
        assert not (folder / "data" / TRYING).exists()
        await asyncio.sleep(70)
        assert rig.channel_state(3).signalling == "fxsls"
        caller.hang_up()
        await rig.agent.told(Released, leg=leg)

    run_rig(folder, main, CONFIG)


def test_line_set_up_anew_takes_calls(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        await applied(rig, with_span(with_span(await told(rig), LOOP_START), SpanPlan(span=1, fxsls="1-2")))
        await asyncio.sleep(3)
        caller, leg = await rig.answered()
        assert rig.leg(leg).channel == 1
        caller.hang_up()  # loop start: told by the busy tone alone
        assert (await rig.agent.told(Released, leg=leg, limit_s=10)).by_far_end

    run_rig(folder, main, CONFIG)


def test_nobody_confirms_and_it_is_undone(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        await applied(rig, with_span(await told(rig), LOOP_START), confirm_s=20)
        await asyncio.sleep(15)
        assert rig.channel_state(3).signalling == "fxsls"
        undone = await rig.agent.told(SetupSettled, limit_s=10)
        assert (undone.kept, undone.code) == (False, "LIN-183")
        assert rig.channel_state(3).signalling == "fxsks"
        assert load_setup(folder / "data") is None
        assert not (folder / "data" / TRYING).exists()
        await asyncio.sleep(3)
        await rig.answered()

    run_rig(folder, main, CONFIG)


def test_undone_at_once_when_asked(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        await applied(rig, with_span(await told(rig), LOOP_START))
        undone = await settled(rig, keep=False)
        assert (undone.kept, undone.code) == (False, "")
        assert rig.channel_state(3).signalling == "fxsks"
        rig.agent.send(SettleSetup(keep=True))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-178"

    run_rig(folder, main, CONFIG)


def test_a_restart_undoes_what_nobody_confirmed_and_keeps_the_rest(folder: Path) -> None:
    async def keep_one(rig: Rig) -> None:
        await applied(rig, with_span(await told(rig), LOOP_START))
        await settled(rig, keep=True)
        await applied(rig, with_span(await told(rig), SpanPlan(span=1, fxsls="1-2")))

    run_rig(folder, keep_one, CONFIG)
    kept = load_setup(folder / "data")
    assert kept is not None
    assert (kept.spans[0].fxsks, kept.spans[1].fxsls) == ("1-2", "3-4")


def test_the_one_before_is_kept_beside(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        for plan in (LOOP_START, SpanPlan(span=1, fxsls="1-2")):
            await applied(rig, with_span(await told(rig), plan))
            await settled(rig, keep=True)
        before = load_setup(folder / "data", OLD)
        assert before is not None
        assert before.spans[0].fxsks == "1-2"

    run_rig(folder, main, CONFIG)


def test_groups_change_under_a_call(folder: Path) -> None:
    """No channel is made anew when only its group's rules change."""

    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        setup = await told(rig)
        groups = (
            GroupConfig(name="front", channels="1-2", hunting="down"),
            GroupConfig(name="back", channels="3-4"),
            GroupConfig(name="sets", channels="5-6", role="extension"),
            GroupConfig(name="pri", channels=E1),
        )
        assert (await applied(rig, with_groups(setup, *groups))).touched == ()
        assert caller.phase is Phase.TALKING
        rig.agent.send(Seize(leg="out", group="front", number="13800138000"))
        await asyncio.sleep(1)
        assert rig.leg("out").channel == 2
        assert rig.leg(leg).released_at is None
        assert rig.channel_state(3).group == "back"

    run_rig(folder, main, CONFIG)


def test_whole_span_is_touched_when_its_wire_is_set_up_otherwise(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        setup = await told(rig)
        plan = msgspec.structs.replace(setup.spans[3], crc4=False)
        assert (await applied(rig, with_span(setup, plan))).touched == tuple(range(7, 38))

    run_rig(folder, main, CONFIG)


@pytest.mark.parametrize(("kind", "rules"), [(SpanKind.PRI, PriConfig(span=4)), (SpanKind.CAS, R2Span(span=4))])
def test_rules_of_its_own_that_say_nothing_new_touch_no_channel(folder: Path, kind: SpanKind, rules: PriConfig | R2Span) -> None:
    world = msgspec.structs.replace(WORLD, spans=(*WORLD.spans[:3], SpanConfig(kind=kind)))

    async def main(rig: Rig) -> None:
        setup = await told(rig)
        own = LineSetup(pri=(rules,)) if isinstance(rules, PriConfig) else LineSetup(r2=(rules,))
        more = msgspec.structs.replace(own, spans=setup.spans, groups=setup.groups)
        checked = await rig.agent.told(SetupChecked, command_id=send(rig, more, apply=False))
        assert "+span = 4" in checked.diff
        assert checked.touched == ()

    run_rig(folder, main, msgspec.structs.replace(CONFIG, virtual=world))


def test_channel_taken_out_of_its_group_is_not_there(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        setup = await told(rig)
        groups = (GroupConfig(name="trunk", channels="1-3"), setup.groups[1])
        await applied(rig, with_groups(setup, *groups))
        assert sorted(rig.server.lines.channels) == [1, 2, 3, 5, 6]
        assert rig.server.lines.links == {}
        for _ in range(3):
            rig.call_in()
            await rig.offered()
        rig.call_in()
        await asyncio.sleep(10)
        assert not rig.agent.heard(Offered)
        await settled(rig, keep=False)
        assert len(rig.server.lines.channels) == 36

    run_rig(folder, main, CONFIG)


def test_e1_becomes_r2_and_back(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        setup = await told(rig)
        cas = msgspec.structs.replace(with_span(setup, SpanPlan(span=4, cas=E1)), r2=(R2Span(span=4, variant="itu"),))
        checked = await applied(rig, cas)
        assert checked.touched == tuple(range(7, 38))
        assert {rig.channel_state(number).signalling for number in (7, 37)} == {"cas"}
        assert 22 not in rig.server.lines.links
        assert rig.server.lines.spans[4].state().link_up is None
        await rig.agent.told(LinesReplaced)
        await settled(rig, keep=False)
        assert rig.channel_state(7).signalling == "bchan"
        assert rig.server.lines.links[22].io is not None
        assert rig.server.lines.spans[4].state().link_up is False

    run_rig(folder, main, CONFIG)


def test_undo_ends_calls_that_began_on_changed_channels(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        await applied(rig, with_span(with_span(await told(rig), LOOP_START), SpanPlan(span=1, fxsls="1-2")))
        await asyncio.sleep(3)
        _, leg = await rig.answered()
        rig.agent.send(SettleSetup(keep=False))
        assert (await rig.agent.told(Released, leg=leg)).cause == Cause.TEMPORARY_FAILURE
        assert not (await rig.agent.told(SetupSettled)).kept

    run_rig(folder, main, CONFIG)
