"""`careline lines` as a technician meets it: what it asks of the call agent, what it prints, its exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from appliance.cli import careline
from appliance.cli.line_words import outcome, status
from appliance.store.database import open_store
from appliance.store.models import Alarm, LineAction
from drivers.errors import CarelineError
from drivers.protocol import BlockedBy, Figure, LineTest, LineTestKind, LineTestPhase
from tests.web import prepared
from tests.web.agent import ScriptedAgent

NOW = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> prepared.Place:
    return prepared.make_place(tmp_path / "box")


@pytest.fixture
def agent(place: prepared.Place) -> Iterator[ScriptedAgent]:
    running = ScriptedAgent(place.run_dir / "control.sock", NOW).start()
    running.show_day()
    yield running
    running.stop()


def lines(place: prepared.Place, *arguments: str, lang: str = "en") -> Result:
    return CliRunner().invoke(careline, ["lines", *arguments, "--config", str(place.config)], env={"LC_ALL": lang, "USER": "anna"})


def test_status_tells_spans_channels_and_why_they_are_blocked(place: prepared.Place, agent: ScriptedAgent) -> None:
    told = lines(place, "status").output
    for part in ("Span 2", "alarm red since", "D-channel down", "CRC-4 12", "blocked", "failed", "in test"):
        assert part in told, part
    assert "因故障停用" in lines(place, "status", lang="zh_CN.UTF-8").output


def test_status_for_programs(place: prepared.Place, agent: ScriptedAgent) -> None:
    found = json.loads(lines(place, "status", "--json").output)
    assert len(found["channels"]) == 24
    assert found["spans"][1]["errors"]["crc4_errors"] == 12


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (("block", "3"), ("blocked", "channel 3", True)),
        (("block", "span:2", "--now"), ("blocked at once", "span 2", True)),
        (("unblock", "group:trunk"), ("blocked", "group trunk", False)),
        (("reset-counters", "channel:7"), ("reset", "channel 7")),
    ],
)
def test_what_is_asked(place: prepared.Place, agent: ScriptedAgent, arguments: tuple[str, ...], asked: tuple[object, ...]) -> None:
    done = lines(place, *arguments)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Done: ")
    assert agent.asked[0][:-1] == asked
    assert str(agent.asked[0][-1]).endswith("@console")


@pytest.mark.parametrize("target", ["span:x", "group:", "0", "-3", "trunk"])
def test_a_target_that_is_none_is_wrong_use(place: prepared.Place, agent: ScriptedAgent, target: str) -> None:
    assert lines(place, "block", "--", target).exit_code == 2
    assert agent.asked == []


def test_a_refusal_is_one_line_with_a_remedy(place: prepared.Place) -> None:
    command = [sys.executable, "-c", "from appliance.cli import main; main()", "lines", "block", "3", "--config", str(place.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | {"LC_ALL": "C"})
    assert done.returncode == 1
    assert "APP-030" in done.stderr
    assert "Traceback" not in done.stderr


def a_test(phase: LineTestPhase, reason: str = "", *figures: Figure) -> LineTest:
    return LineTest(test_id="t", channel=3, kind=LineTestKind.DIAL_TONE, phase=phase, began_at=NOW, at=NOW, reason=reason, figures=figures)


@pytest.mark.parametrize(("phase", "status_"), [(LineTestPhase.PASSED, 0), (LineTestPhase.FAILED, 1), (LineTestPhase.STOPPED, 1)])
def test_a_test_is_followed_to_its_end(place: prepared.Place, agent: ScriptedAgent, phase: LineTestPhase, status_: int) -> None:
    agent.outcome = msgspec.structs.replace(a_test(phase, "dial_tone", Figure("after", 1560, "ms")), channel=3)
    done = lines(place, "test", "dial_tone", "3", "--seconds", "5")
    assert done.exit_code == status_
    assert agent.asked[0][:4] == ("test", 3, "dial_tone", 5000)
    assert phase.value in done.output


def test_what_cannot_be_tested_says_why(place: prepared.Place, agent: ScriptedAgent) -> None:
    agent.refuse = CarelineError("LIN-174", "channel 1 is in use", "Wait")
    done = lines(place, "test", "dial_tone", "1")
    assert isinstance(done.exception, CarelineError)
    assert done.exception.code == "LIN-174"


@pytest.mark.parametrize(
    ("test", "lang", "told"),
    [
        (a_test(LineTestPhase.RUNNING), "en", "testing"),
        (a_test(LineTestPhase.PASSED, "dial_tone", Figure("after", 1560, "ms")), "zh", "通过: 听到拨号音, 用时 1560 ms"),
        (a_test(LineTestPhase.FAILED, "alarm"), "en", "failed: the line went into alarm"),
        (a_test(LineTestPhase.STOPPED, "stopped"), "en", "stopped"),
        (a_test(LineTestPhase.FAILED, "something newer"), "en", "failed: something newer"),
    ],
)
def test_outcomes_in_words(test: LineTest, lang: str, told: str) -> None:
    assert outcome(test, lang) == told


def test_a_box_without_line_server_says_so(agent: ScriptedAgent) -> None:
    live = agent.live.snapshot()
    away = msgspec.structs.replace(live, health=msgspec.structs.replace(live.health, lines_connected=False))
    assert status(away, "en").startswith("The line server is away")
    assert [channel.blocked_by for channel in live.channels if channel.number == 7] == [BlockedBy.FAILURES]


def test_history_is_read_from_the_store(place: prepared.Place) -> None:
    database = open_store(place.data_dir / "careline.db")
    Alarm.create(subject="span", number=2, alarm="red", began_at=NOW, ended_at=NOW + timedelta(minutes=4))
    Alarm.create(subject="channel", number=7, alarm="blocked", began_at=NOW)
    LineAction.create(at=NOW, by="liwei", action="blocked", subject="channel 5")
    database.close()
    told = lines(place, "history").output
    assert "2026-03-08 02:00:00Z – 2026-03-08 02:04:00Z  span 2: red" in told
    assert "lasts  channel 7: blocked" in told
    assert "liwei: blocked channel 5" in told
    assert "至今" in lines(place, "history", lang="zh").output
