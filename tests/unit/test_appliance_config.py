"""careline.toml of the call agent: what is wrong names file, key, value and what is allowed."""

import os
from pathlib import Path

import pytest

from appliance import config as configuration
from appliance.checks.names import groups_in_file, services
from appliance.checks.rules import unreachable
from appliance.config import Destination
from appliance.ivr.hours import opening_hours
from drivers.errors import ConfigError

EXAMPLE = Path(configuration.__file__).parent / "careline.toml"


def load(tmp_path: Path, text: str) -> configuration.Config:
    path = tmp_path / "careline.toml"
    path.write_text(text, "utf-8")
    return configuration.load(path)


def test_empty_file_is_a_working_box(tmp_path: Path) -> None:
    config = load(tmp_path, "")
    assert config.calls.language == "zh"
    assert opening_hours(config.hospital.calendar, "zh") == ("opening_hours",)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("[calls]\nlangauge = 'zh'", "CFG-003", ("calls.langauge", "Did you mean `language`")),
        ("[calls]\nlanguage = 'fr'", "CFG-004", ("calls.language", "fr")),
        ("[calls]\nattempts = 'three'", "CFG-004", ("calls.attempts", "int")),
        ("[calls]\nattempts = 0", "CFG-052", ("calls.attempts = 0", "1 to 10")),
        ("[hospital]\ncard_wrong_passwords = 0", "CFG-052", ("hospital.card_wrong_passwords = 0", "1 to 10")),
        ("[calls.operator]\nring_ms = 1", "CFG-052", ("calls.operator.ring_ms = 1", "5000 to 300000")),
        ("[calls.operator]\nnumber = '6234-5678'", "CFG-056", ("calls.operator.number = '6234-5678'", "Digits")),
        ("[calls]\nroutes = [{name='a', service='sing'}]", "CFG-004", ("calls.routes", "sing")),
        ("[calls]\nroutes = [{name='a', service='reject', wen='open'}]", "CFG-003", ("calls.routes.wen", "when")),
        ("[calls]\nroutes = [{name='', service='reject'}]", "CFG-053", ("calls.routes[0].name",)),
        ("[hospital.calendar]\ntime_zone = 'Moon'", "CFG-050", ("Moon",)),
        ("[hospital.calendar.week]\nmonday = ['8-12']", "CFG-051", ("week.monday", "8-12")),
        ("[hospital.calendar.week]\nmunday = []", "CFG-004", ("munday",)),
        ("[calls", "CFG-002", ("not TOML",)),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, code: str, says: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.code == code
    for word in (str(tmp_path / "careline.toml"), *says):
        assert word in str(caught.value)


@pytest.mark.parametrize(("folder", "allowed"), [("/" + "r" * 93, True), ("/" + "r" * 94, False), ("/" + "线" * 32, False)])
def test_sockets_that_cannot_be_bound(tmp_path: Path, folder: str, allowed: bool) -> None:
    """The longest is run_dir/control.sock; a unix socket's path may have 107 bytes."""
    text = f'[paths]\nrun_dir = "{folder}"'
    if allowed:
        assert len(os.fsencode(load(tmp_path, text).paths.control_socket)) == 107
        return
    with pytest.raises(ConfigError, match=r"CFG-005.*paths\.run_dir.*107.*shorter"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("to", "label"),
    [
        (Destination(), "sets"),
        (Destination(channel=5), "sets/5"),
        (Destination(group="trunk", number="62345678"), "62345678"),
    ],
)
def test_a_destination_is_called_by_what_is_dialled(to: Destination, label: str) -> None:
    assert to.label == label


def test_missing_file() -> None:
    with pytest.raises(ConfigError, match="CFG-001"):
        configuration.load(Path("/nonexistent/careline.toml"))


def test_example_is_valid() -> None:
    config = configuration.load(EXAMPLE)
    assert list(unreachable(config)) == []


def test_unreachable_route_is_named(tmp_path: Path) -> None:
    config = load(tmp_path, "[calls]\nroutes = [{name='all', service='hotline'}, {name='late', service='reject', ani='1*'}]")
    (fault,) = unreachable(config)
    assert fault.code == "CFG-054"
    assert "'late'" in fault.what


def unknown_names(config: configuration.Config) -> list[ConfigError]:
    return [*groups_in_file(config), *services(config)]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("[calls.operator]\ngroup = 'desk'", "CFG-057", ("calls.operator.group = 'desk'", "trunk, sets")),
        ("[calls]\nroutes = [{name='a', group='isdn', service='reject'}]", "CFG-057", ("calls.routes[0].group = 'isdn'", "trunk")),
        ("[lines.dial_plan]\nservices = [{code='*1', service='nix'}]", "CFG-058", ("services[0].service = 'nix'", "hotline, operator")),
    ],
)
def test_names_that_lead_nowhere_are_told(tmp_path: Path, text: str, code: str, words: tuple[str, ...]) -> None:
    (fault,) = unknown_names(load(tmp_path, text))
    assert fault.code == code
    assert all(word in str(fault) for word in words)


@pytest.mark.parametrize("text", ["groups = 'x'", "groups = ['x']", "dial_plan = 3", "dial_plan = {services = [1]}"])
def test_sections_of_others_may_be_anything(tmp_path: Path, text: str) -> None:
    assert unknown_names(load(tmp_path, f"[lines]\n{text}")) == []


def test_groups_set_up_from_the_web_go_before_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "lines.toml").write_text('[[groups]]\nname = "desk"\nchannels = "1"\n')
    paths = f"[paths]\ndata_dir = '{tmp_path}'\n[[lines.groups]]\nname = 'old'\nchannels = '1'\n[calls.operator]\n"
    assert unknown_names(load(tmp_path, paths + "group = 'desk'")) == []
    assert [fault.code for fault in unknown_names(load(tmp_path, paths + "group = 'old'"))] == ["CFG-057"]
    assert unknown_names(load(tmp_path, paths + "group = 'nowhere'\nhow = 'flash'\nnumber = '8001'")) == []


def test_other_hours_are_put_together(tmp_path: Path) -> None:
    hours = "['08:00-12:00']"
    config = load(tmp_path, f"[hospital.calendar.week]\nmonday = {hours}\ntuesday = {hours}\nsunday = ['09:30-11:00']")
    assert opening_hours(config.hospital.calendar, "zh") == (
        "weekday_1",
        "to",
        "weekday_2",
        "period_morning",
        "hour_8",
        "to",
        "period_noon",
        "hour_12",
        "weekday_7",
        "period_morning",
        "hour_9",
        "half",
        "to",
        "period_morning",
        "hour_11",
    )
