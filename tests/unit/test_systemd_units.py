"""The unit files as systemd itself judges them, without a running systemd."""

import configparser
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from appliance.config import load
from appliance.store.database import open_store

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SERVICES = ("lines", "calls", "web", "printers", "peripherals", "health")
LIMIT_S = 60


def systemd(*command: str | Path) -> str:
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=LIMIT_S, check=False, env=os.environ | {"LC_ALL": "C"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class UnitParser(configparser.ConfigParser):
    """Capital letters of a setting's name count."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def service(name: str) -> configparser.SectionProxy:
    """The [Service] section; of a setting given twice the last counts here."""
    parser = UnitParser(strict=False, interpolation=None)
    parser.read(UNITS / f"careline-{name}.service")
    return parser["Service"]


EXPOSURE = {"lines": 1.0, "system": 4.3}  # the box service has root's work to do; what for, its unit says
EXPOSURE_MOST = 2.5


@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda unit: unit.stem)
def test_exposure_is_within_what_was_promised(unit: Path) -> None:
    judged = systemd("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", judged)
    assert found, judged
    assert float(found[1]) <= EXPOSURE.get(unit.stem.removeprefix("careline-"), EXPOSURE_MOST)


def test_systemd_finds_nothing_wrong_with_any_unit(tmp_path: Path) -> None:
    for unit in UNITS.glob("careline*.*"):
        text = re.sub(r"/opt/careline/\.venv/bin/(careline|python)", "/bin/true", unit.read_text()).replace("=/opt/careline", "=/")
        (tmp_path / unit.name).write_text(text)
    shutil.copytree(UNITS / "all", tmp_path / "careline-.service.d")
    units = [path for path in sorted(tmp_path.iterdir()) if path.is_file()]
    assert systemd("systemd-analyze", "verify", "--man=no", *units) == ""


def test_systemd_finds_nothing_wrong_with_the_way_out_to_a_database(tmp_path: Path) -> None:
    text = (UNITS / "careline-calls.service").read_text()
    unit, way_out = tmp_path / "careline-calls.service", tmp_path / "careline-calls.service.d" / "database.conf"
    unit.write_text(re.sub(r"/opt/careline/\.venv/bin/(careline|python)", "/bin/true", text))
    way_out.parent.mkdir()
    shutil.copy(UNITS / "etc" / "careline-calls-database.conf", way_out)
    assert systemd("systemd-analyze", "verify", "--man=no", unit) == ""


def test_all_services_share_what_is_set_for_the_memory() -> None:
    (text,) = (path.read_text() for path in (UNITS / "all").iterdir())
    assert "\nEnvironment=MALLOC_ARENA_MAX=1 " in text
    assert not [unit.name for unit in UNITS.glob("*.service") if "MALLOC_" in unit.read_text()]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_says_when_it_is_ready_and_is_watched(name: str) -> None:
    unit = service(name)
    assert unit["Type"] == "notify"
    assert unit["Restart"] == ("on-failure" if name in ("peripherals", "printers") else "always")  # with nothing to do it ends
    assert unit["WatchdogSec"].endswith("s")
    assert unit["User"] == f"careline-{name}"
    assert unit["Group"] == "careline"


def test_only_the_line_server_keeps_descriptors_and_reaches_the_cards() -> None:
    assert int(service("lines")["FileDescriptorStoreMax"]) >= 480  # two E1 cards of eight spans
    assert service("lines")["DeviceAllow"] == "char-dahdi rw"
    for name in ("calls", "web"):
        assert not {"FileDescriptorStoreMax", "DeviceAllow", "BindPaths"} & set(service(name))
        assert "telephony" not in service(name).get("SupplementaryGroups", "")


def test_the_target_starts_cards_and_all_processes() -> None:
    parser = configparser.ConfigParser(strict=False)
    parser.read(UNITS / "careline.target")
    wanted = {f"careline-{name}.service" for name in ("cards", "system", *SERVICES)}
    assert wanted | {"careline-cards.path"} <= set(parser["Unit"]["Wants"].split())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system root in which our users and folders have been made."""
    for kind in ("sysusers.d", "tmpfiles.d"):
        shutil.copytree(UNITS / kind, tmp_path / "usr/lib" / kind)
    (tmp_path / "etc").mkdir()
    systemd("systemd-sysusers", f"--root={tmp_path}")
    systemd("systemd-tmpfiles", f"--root={tmp_path}", "--create")
    return tmp_path


def test_users_and_groups_are_made(root: Path) -> None:
    users = {line.split(":")[0] for line in (root / "etc/passwd").read_text().splitlines()}
    groups = {line.split(":")[0]: line.split(":")[3].split(",") for line in _lines(root / "etc/group")}
    assert {f"careline-{name}" for name in SERVICES} <= users
    assert {f"careline-{name}" for name in SERVICES} <= set(groups["careline"])
    assert groups["telephony"] == ["careline-lines"]


def test_folders_are_closed_to_the_world_and_shared_in_the_group(root: Path) -> None:
    gid = next(int(line.split(":")[2]) for line in _lines(root / "etc/group") if line.startswith("careline:"))
    for folder in ("run/careline", "var/lib/careline", "var/lib/careline/recordings", "etc/careline"):
        status = (root / folder).stat()
        assert status.st_gid == gid
        assert not stat.S_IMODE(status.st_mode) & stat.S_IRWXO


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_the_configuration_that_is_installed_is_good() -> None:
    config = load(UNITS / "etc/careline.toml")
    assert config.lines["card"] == "dahdi"
    assert config.lines["socket_group"] == "careline"


def test_the_store_one_process_makes_can_be_written_by_the_others_of_the_group(tmp_path: Path) -> None:
    umask = os.umask(0o007)  # as in every unit
    try:
        store = open_store(tmp_path / "careline.db")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(umask)
    assert modes == dict.fromkeys(("careline.db", "careline.db-wal", "careline.db-shm"), 0o660)
