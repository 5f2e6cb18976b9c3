"""Set-up that cannot be: refused with a remedy, told when cards lack what it names, and the lines go on as they were."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from drivers.config import GroupConfig
from drivers.errors import ConfigError
from drivers.line_setup import TRYING
from drivers.protocol import CommandFailed, LineFaultsChanged, LinesReplaced, Release, Released, Seize, TrySetup, Welcome
from drivers.signalling.pri.config import PriConfig
from drivers.span_plans import SpanPlan
from drivers.virtual.handset import Phase
from tests.scenarios.lines_rig import Rig, run_rig
from tests.scenarios.setup_rig import CONFIG, E1, LOOP_START, applied, refused, told, with_span


def test_channels_with_calls_are_not_changed(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        setup = with_span(await told(rig), SpanPlan(span=1, fxsls="1-2"))
        failed = await refused(rig, setup)
        assert failed.code == "LIN-181"
        assert "channels 1 " in failed.what
        rig.agent.send(Release(leg=leg))
        await rig.agent.told(Released, leg=leg)
        assert (await applied(rig, setup)).touched == (1, 2)
        assert (await refused(rig, setup)).code == "LIN-180"

    run_rig(folder, main, CONFIG)


BAD: list[tuple[str, dict[str, object]]] = [
    ("CFG-091", {"spans": [{"span": 1, "fxsks": "1-2", "fxsls": "2"}]}),
    ("CFG-091", {"spans": [{"span": 1, "fxsks": "1-3"}, {"span": 2, "fxsks": "3-4"}]}),
    ("CFG-090", {"spans": [{"span": 1, "fxsks": "one"}]}),
    ("CFG-092", {"spans": [{"span": 1, "fxsks": "1"}, {"span": 1, "fxsks": "2"}]}),
    ("CFG-093", {"spans": [{"span": 4, "bchan": E1}]}),
    ("CFG-093", {"spans": [{"span": 4, "dchan": "22"}]}),
    ("CFG-094", {"spans": [{"span": 4, "bchan": "7-10", "cas": "11-12", "dchan": "22"}]}),
    ("CFG-095", {"spans": [{"span": 9, "fxsks": "1"}]}),
    ("CFG-095", {"spans": [{"span": 1, "fxsks": "1-3"}]}),
    ("CFG-096", {"spans": [{"span": 4, "bchan": "7-22", "dchan": "23"}]}),
    ("CFG-097", {"spans": [{"span": 1, "fxoks": "1-2"}]}),
    ("CFG-097", {"spans": [{"span": 1, "fxsks": "1", "fxsls": "2"}]}),
    ("CFG-003", {"spans": [{"span": 1, "isdn": "1-2"}]}),
    ("CFG-004", {"groups": [{"name": "a", "channels": "1", "hunting": "sideways"}]}),
    ("CFG-004", {"pri": [{"span": 4, "switch": "unknown"}]}),
    ("CFG-031", {"groups": [{"name": "a", "channels": "1-2"}, {"name": "b", "channels": "2"}]}),
    ("CFG-032", {"groups": [{"name": "", "channels": "1"}]}),
    ("CFG-033", {"groups": [{"name": "a", "channels": "1,99"}]}),
    ("CFG-093", {"groups": [{"name": "a", "channels": "22"}]}),
    ("CFG-081", {"groups": [{"name": "a", "channels": "1", "overflow": ["nowhere"]}]}),
]


@pytest.mark.parametrize(("code", "setup"), BAD)
def test_bad_set_up_is_refused_with_a_remedy_and_touches_nothing(folder: Path, code: str, setup: dict[str, object]) -> None:
    async def main(rig: Rig) -> None:
        before = dict(rig.server.lines.channels)
        number = rig.agent.send(TrySetup(setup=msgspec.json.encode(setup), apply=True))
        failed = await rig.agent.told(CommandFailed, command_id=number)
        assert failed.code == code
        assert failed.what
        assert failed.remedy
        assert rig.server.lines.channels == before
        assert not (folder / "data" / TRYING).exists()
        await rig.answered()

    run_rig(folder, main, CONFIG)


def test_nonsense_is_no_set_up(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        for rubbish in (b"", b"{", b"\xff\xff", b"[]"):
            number = rig.agent.send(TrySetup(setup=rubbish))
            assert (await rig.agent.told(CommandFailed, command_id=number)).code == "CFG-098"

    run_rig(folder, main, CONFIG)


def test_disk_that_cannot_be_written_leaves_the_lines_alone(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        (folder / "data" / TRYING).mkdir(parents=True)
        (folder / "data" / TRYING / "in the way").touch()
        failed = await refused(rig, with_span(await told(rig), LOOP_START))
        assert failed.code == "CFG-099"
        assert rig.channel_state(3).signalling == "fxsks"
        (folder / "data" / TRYING / "in the way").unlink()
        (folder / "data" / TRYING).rmdir()

    run_rig(folder, main, CONFIG)


def faults_of(welcome: Welcome) -> list[tuple[str, str]]:
    return [(fault.code, fault.what.split(":")[0]) for fault in welcome.faults]


def test_card_missing_at_the_start_is_taken_into_use_when_it_is_there(folder: Path) -> None:
    """The rest works meanwhile; what is missing is told with code and remedy."""
    groups = (GroupConfig(name="front", channels="1-2"), GroupConfig(name="back", channels="3-4"), GroupConfig(name="sets", channels="5-6"))
    config = msgspec.structs.replace(CONFIG, groups=groups)

    async def main(rig: Rig) -> None:
        assert sorted(rig.server.lines.channels) == [1, 2, 5, 6]
        welcome = await rig.agent.welcome()
        assert faults_of(welcome) == [("CFG-033", 'group "back"')]
        assert "plugged in" in welcome.faults[0].remedy
        caller, leg = await rig.answered()
        rig.card.plug(2)
        await asyncio.sleep(8)
        assert sorted(rig.server.lines.channels) == [1, 2, 3, 4, 5, 6]
        assert (await rig.agent.told(LineFaultsChanged)).faults == ()
        assert [group.name for group in (await rig.agent.told(LinesReplaced)).groups] == ["front", "back", "sets"]
        assert caller.phase is Phase.TALKING
        assert rig.leg(leg).released_at is None
        rig.agent.send(Seize(leg="out", group="back", number="13800138000"))
        await asyncio.sleep(1)
        assert rig.leg("out").channel == 3

    run_rig(folder, main, config, connected=False, before=lambda rig: rig.card.unplug(2))


def test_d_channel_in_a_group_and_b_channels_without_one_are_told(folder: Path) -> None:
    groups = (GroupConfig(name="trunk", channels="1-4"), GroupConfig(name="pri", channels="7-22"))
    config = msgspec.structs.replace(CONFIG, groups=groups, pri=(PriConfig(span=1),))

    async def main(rig: Rig) -> None:
        told_ = {fault.code: fault.what for fault in (await rig.agent.welcome()).faults}
        assert told_["CFG-033"] == 'group "pri": the virtual card has no channel 22 that carries calls'
        assert "lines.pri[0]" in told_["LIN-153"]
        await rig.answered()

    run_rig(folder, main, config, connected=False)


def test_nothing_at_all_is_an_error_at_the_start(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        raise AssertionError("it started")

    config = msgspec.structs.replace(CONFIG, groups=(GroupConfig(name="a", channels="90-99"),))
    with pytest.raises(ConfigError, match="CFG-033"):
        run_rig(folder, main, config)
