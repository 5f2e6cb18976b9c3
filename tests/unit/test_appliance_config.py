"""careline.toml of the call agent: what is wrong names file, key, value and what is allowed."""

import os
from pathlib import Path

import pytest

from appliance import config as configuration
from appliance.checks import unreachable_routes
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
    assert unreachable_routes(config) == []


def test_unreachable_route_is_named(tmp_path: Path) -> None:
    config = load(tmp_path, "[calls]\nroutes = [{name='all', service='hotline'}, {name='late', service='reject', ani='1*'}]")
    (fault,) = unreachable_routes(config)
    assert fault.code == "CFG-054"
    assert "'late'" in fault.what


def test_other_hours_are_put_together(tmp_path: Path) -> None:
    hours = "['08:00-12:00']"
    config = load(tmp_path, f"[hospital.calendar.week]\nmonday = {hours}\ntuesday = {hours}\nsunday = ['09:30-11:00']")
    assert opening_hours(config.hospital.calendar, "zh") == (
        "weekday_1", "to", "weekday_2", "period_morning", "hour_8", "to", "period_noon", "hour_12",
        "weekday_7", "period_morning", "hour_9", "half", "to", "period_morning", "hour_11",
    )
