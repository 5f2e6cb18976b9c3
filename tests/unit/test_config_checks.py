"""What `careline check` says of configurations with one mistake each, and of those without: the words, the grade, the exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import checks
from appliance import config as configuration
from appliance.checks import folders, sounds
from appliance.checks.watch import NamesWatch, found_of
from appliance.cli.check import calls_report
from appliance.config import CallsConfig, Config, Destination
from drivers import config_checks
from drivers.errors import DoubtfulConfigError
from drivers.protocol import ChannelState, ConfigFinding, GroupState, LinesReplaced, NumberPlan
from drivers.server.checking import check_file
from drivers.settings import Paths
from tests.unit import broken

LIMIT_S = 60
WELL = "[lines]\n"
ROWS = [
    pytest.param(*row[1:], id=f"{part}: {row[0]}")
    for part in ("OPERATOR", "DIGITAL", "GROUPS", "ENGINE", "FILES", "SETS_AND_NUMBERS", "ROUTES")
    for row in getattr(broken, part)
]
DOUBTFUL_HERE = "CFG-010"  # the folders of tests are below /tmp


def written(folder: Path, text: str) -> Path:
    path = folder / "careline.toml"
    path.write_text(f'[paths]\nrun_dir = "{folder}/run"\ndata_dir = "{folder}/data"\n{text}', "utf-8")
    return path


def findings(path: Path) -> list[ConfigFinding]:
    """As `careline check` finds them, without the web's, in this process."""
    lines = check_file(path)
    return list(dict.fromkeys((*calls_report(path, lines.lines).findings, *lines.findings)))


def says(found: list[ConfigFinding], grade: str, code: str, words: tuple[str, ...]) -> None:
    severity = {"E": "error", "W": "warning"}[grade]
    fits = [each for each in found if (each.code, each.severity) == (code, severity)]
    assert any(all(word in f"{each.what} → {each.remedy}" for word in words) for each in fits), found
    assert grade == "E" or not [each for each in found if each.severity == "error"]


def test_nothing_is_wrong_with_the_defaults(tmp_path: Path) -> None:
    assert [each for each in findings(written(tmp_path, WELL)) if each.code != DOUBTFUL_HERE] == []


@pytest.mark.parametrize(("text", "grade", "code", "words"), ROWS)
def test_one_mistake_is_told(tmp_path: Path, text: str, grade: str, code: str, words: tuple[str, ...]) -> None:
    path = written(tmp_path, text)
    found = findings(path)
    says(found, grade, code, words)
    assert all(str(path) in each.what for each in found if each.code.startswith("CFG"))


@pytest.mark.parametrize(("text", "grade", "code", "words"), [pytest.param(*row[1:], id=row[0]) for row in broken.PATHS])
def test_folders_that_will_not_do(tmp_path: Path, text: str, grade: str, code: str, words: tuple[str, ...]) -> None:
    path = tmp_path / "careline.toml"
    path.write_text("[paths]\n" + text.replace("DIR", str(tmp_path)), "utf-8")
    says(findings(path), grade, code, words)


def test_folder_that_everybody_or_nobody_may_write(tmp_path: Path) -> None:
    config = Config(paths=Paths(run_dir=str(tmp_path / "run"), data_dir=str(tmp_path / "data")))
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o777)
    (fault,) = folders.private(config)
    assert (fault.code, type(fault), f"chmod o-w {tmp_path}/run") == ("CFG-011", DoubtfulConfigError, fault.remedy)
    (tmp_path / "run").chmod(0o500)
    if os.geteuid():  # root may write anywhere
        assert [fault.code for fault in folders.usable(config)] == ["CFG-009"]


def folder(mode: int, user: int, users: int) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 0, user, users, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("run_dir", "data_dir", "says"),
    [
        (folder(0o770, 0, 998), folder(0o2770, 995, 998), ""),  # as systemd-tmpfiles makes them
        (folder(0o755, 1000, 1000), folder(0o755, 1000, 1000), ""),
        (folder(0o770, 0, 0), folder(0o2770, 995, 998), "belongs to 995:998, and run_dir to 0:0"),
        (folder(0o750, 0, 998), folder(0o2770, 995, 998), "may not write in run_dir"),
    ],
)
def test_folders_of_different_people(run_dir: os.stat_result, data_dir: os.stat_result, says: str) -> None:
    found = folders.apart_by_rights(run_dir, data_dir)
    assert says in found
    assert bool(says) == bool(found)


def test_music_that_is_gone_or_none(tmp_path: Path) -> None:
    config = Config(paths=Paths(data_dir=str(tmp_path)))
    assert list(sounds.music(config)) == []
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "chosen").write_text("spring")
    (fault,) = sounds.music(config)
    assert (fault.code, "spring.wav cannot be read" in fault.what) == ("CFG-068", True)
    (tmp_path / "music" / "spring.wav").write_bytes(b"RIFFxxxx")
    (fault,) = sounds.music(config)
    assert "is damaged or not 8 kHz" in fault.what


def test_tables_set_up_from_the_web_are_named_by_their_own_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "lines.toml").write_text('[[groups]]\nname = "sets"\nchannels = "5-6"\nrole = "extension"\n[[pri]]\nspan = 8\n')
    found = findings(written(tmp_path, WELL))
    assert f"{tmp_path}/data/lines.toml: lines.pri[0].span = 8" in next(each.what for each in found if each.code == "CFG-042")


def test_every_check_says_what_to_do() -> None:
    for check in (*config_checks.WITH_CARD, *config_checks.WITHOUT_CARD, *checks.CHECKS, *checks.NAMES):
        assert (check.__doc__ or "").strip()


def test_names_are_held_against_the_lines_that_are_told(caplog: pytest.LogCaptureFixture) -> None:
    channels = tuple(ChannelState(number=number, name="", span=1, group="desk", signalling="fxoks") for number in (1, 2))
    group = GroupState(name="desk", channels=(1, 2), hunting="up")
    told = LinesReplaced(channels=channels, spans=(), groups=(group,), number_plan=NumberPlan())
    calls = CallsConfig(operator=Destination(channel=9), message_lamps=("8001",))
    watch = NamesWatch(Config(calls=calls), Path("c.toml"))
    watch.event(told)
    watch.event(told)
    said = [(record.levelname, record.getMessage()[:50]) for record in caplog.records]
    assert said == [
        ("ERROR", "CFG-013: c.toml: calls.operator.channel = 9: no gr"),
        ("WARNING", 'CFG-015: c.toml: calls.message_lamps = ["8001"]: 8'),
    ]
    lines = found_of(told.groups, told.channels, told.number_plan)
    assert checks.faults_of_names(Config(calls=CallsConfig(operator=Destination(channel=2))), lines, Path("c.toml")) == []


# --- the command -------------------------------------------------------------------------------------------------


def run(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from appliance.cli import main; main()", "check", "--config", str(path), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def test_every_process_is_asked_and_each_thing_told_once(tmp_path: Path) -> None:
    path = written(tmp_path, '[calls]\nattempts = 0\n[lines.engine]\nevents = 1000\n[web]\ntls_certificate = "/nonexistent"\n')
    done = run(path, "--json")
    verdict = json.loads(done.stdout)
    codes = {name: [finding["code"] for finding in verdict[name]["findings"]] for name in ("calls", "lines", "web")}
    assert codes == {"calls": ["CFG-052"], "lines": ["CFG-034"], "web": ["WEB-006"]}
    assert (done.returncode, verdict["errors"]) == (1, 3)
    path.write_text("[lines\n")
    done = run(path)
    assert (done.returncode, done.stderr.count("CFG-002")) == (1, 1)


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    done = run(written(tmp_path, '[calls]\nmessage_lamps = ["8044"]\n'))
    assert done.returncode == 0
    assert "! CFG-015" in done.stderr
    assert "0 errors" in done.stderr
    assert "6 channels on the virtual card" in done.stdout


def test_process_that_cannot_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "webui").mkdir()
    (tmp_path / "webui" / "__init__.py").write_text("raise ImportError('no flask')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(Path(configuration.__file__).parent.parent / "docs")
    done = run(written(tmp_path, WELL))
    assert (done.returncode, "APP-120" in done.stderr, "no flask" in done.stderr) == (1, True, True)
