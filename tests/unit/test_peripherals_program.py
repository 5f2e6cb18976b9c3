"""`careline peripherals` as a program: nothing to do without peripherals, one at a time, its configuration checked."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import config as configuration
from appliance.peripherals.__main__ import LOCK, is_wanted
from drivers.errors import ConfigError

LIMIT_S = 60.0


def place(folder: Path, text: str = "") -> Path:
    file = folder / "careline.toml"
    file.write_text(f'[paths]\nrun_dir = "{folder}"\ndata_dir = "{folder}/data"\n{text}', "utf-8")
    return file


def run(file: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "appliance.peripherals", "--config", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)


def test_without_peripherals_it_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    done = run(place(tmp_path))
    assert (done.returncode, "nothing to do" in done.stderr) == (0, True)
    assert not (tmp_path / "data").exists()


def test_only_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(place(tmp_path, '[sms]\ndevice = "/dev/ttyUSB0"\n'))
    assert (done.returncode, done.stderr[:7]) == (1, "PER-001")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[sms]\ndevice = "ttyUSB0"', "CFG-090"),
        ('[sms]\nquiet = "25:00-07:00"', "CFG-090"),
        ("[sms]\nper_minute = 0", "CFG-004"),
        ('[sms]\nmemory = "XX"', "CFG-004"),
        ('[sms]\ndevise = "x"', "CFG-003"),
        ('[[smdr.sources]]\nname = "a"\ntable = "hicom112"', "CFG-091"),
        ('[[smdr.sources]]\nname = "a"\ntable = "hicom112"\nlisten = "5100"', "CFG-091"),
        ('[[smdr.sources]]\nname = "a"\ntable = "hicom112"\nlisten = "127.0.0.1:5100"\ndevice = "/dev/ttyS0"', "CFG-091"),
        ('[[smdr.sources]]\nname = "a b"\ntable = "hicom112"\nlisten = "127.0.0.1:5100"', "CFG-091"),
        ('[[smdr.sources]]\nname = "a"\ntable = "hicom"\nlisten = "127.0.0.1:5100"', "CFG-091"),
        ('[[smdr.tables]]\nname = "a"\npattern = "("', "CFG-092"),
        ('[[smdr.tables]]\nname = "a"\ncolumns = [{field = "time", first = 0, last = 5}]', "CFG-004"),
        ('[smdi]\nmessage_lamps = ["x"]', "CFG-093"),
        ('[smdi]\nlisten = "1"', "CFG-091"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(ConfigError) as told:
        configuration.load(place(tmp_path, text))
    assert told.value.code == code


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    text = """
[[smdr.sources]]
name = "main"
table = "ours"
device = "/dev/ttyS1"
framing = "7E1"
[[smdr.tables]]
name = "ours"
dates = "yy-mm-dd"
columns = [{field = "date", first = 1, last = 8}, {field = "time", first = 10, last = 17}, {field = "station", first = 20, last = 24}]
"""
    config = configuration.load(place(tmp_path, text))
    assert is_wanted(config)
    table = config.smdr.table("ours")
    assert table is not None
    assert (table.dates, len(table.columns), config.smdr.sources[0].where.framing) == ("yy-mm-dd", 3, "7E1")
