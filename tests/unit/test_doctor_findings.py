"""`careline doctor`: each thing that can be wrong, made wrong for real, and what it then says in both languages."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.control.messages import Grade
from appliance.doctor import examine, machine, report, sockets
from appliance.doctor.card import examine_card
from appliance.doctor.finding import Finding, Text
from appliance.ivr.prompts.catalogue import HERE as PROMPTS
from appliance.store.reserve import Reserve
from drivers.clock import VirtualClock
from tests.small_disk import small_disk

ABOUT = Text("它", "it")
NOBODY = 65534
SPAN = 'Span 1: WCTDM/0 "Wildcard TDM410P" {alarm}\n\n\t   1 WCTDM/0/0 {sig}\n\t   2 WCTDM/0/1 {sig}\n'


def is_well(finding: Finding) -> bool:
    return finding.grade is Grade.OK and not finding.code


# --- the card ----------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with a card that is configured and free of alarms, as files."""
    for folder in ("sys/module/dahdi", "dev/dahdi", "proc/dahdi"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "dev/dahdi/channel").touch()
    (tmp_path / "proc/dahdi/1").write_text(SPAN.format(alarm="(MASTER)", sig="FXSKS (In use)"))
    return tmp_path


def test_a_good_card_is_well(root: Path) -> None:
    assert is_well(examine_card("dahdi", root))


def test_the_card_in_software_needs_nothing(tmp_path: Path) -> None:
    assert is_well(examine_card("virtual", tmp_path))


def test_no_module(root: Path) -> None:
    (root / "sys/module/dahdi").rmdir()
    found = examine_card("dahdi", root)
    assert (found.code, found.grade) == ("APP-080", Grade.FAILED)
    assert "modprobe dahdi" in found.remedy.en
    assert "modprobe dahdi" in found.remedy.zh


def test_no_device(root: Path) -> None:
    (root / "dev/dahdi/channel").unlink()
    assert examine_card("dahdi", root).code == "APP-081"


def test_no_permission(root: Path) -> None:
    (root / "dev/dahdi/channel").chmod(0o600)
    with tempfile.TemporaryDirectory() as reachable:
        shutil.copytree(root, reachable, dirs_exist_ok=True)
        Path(reachable).chmod(0o755)
        os.seteuid(NOBODY)
        try:
            found = examine_card("dahdi", Path(reachable))
        finally:
            os.seteuid(0)
    assert found.code == "APP-082"
    assert "telephony" in found.remedy.en


def test_no_span(root: Path) -> None:
    (root / "proc/dahdi/1").unlink()
    assert examine_card("dahdi", root).code == "APP-083"


def test_channels_not_configured(root: Path) -> None:
    (root / "proc/dahdi/1").write_text(SPAN.format(alarm="(MASTER)", sig=""))
    assert examine_card("dahdi", root).code == "APP-084"


def test_a_span_in_alarm(root: Path) -> None:
    (root / "proc/dahdi/2").write_text(SPAN.format(alarm="HDB3/CCS RED", sig="Clear"))
    found = examine_card("dahdi", root)
    assert (found.code, found.grade) == ("APP-085", Grade.WARNING)
    assert "1 of 2 spans" in found.detail.en


# --- sockets, port, instances ------------------------------------------------------------------------------------


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "lines.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(str(path))
        sock.listen()
        path.chmod(0o660)
        yield path


def test_a_socket_that_answers_names_its_process(listener: Path) -> None:
    found = sockets.examine_socket(ABOUT, listener, "careline-lines")
    assert is_well(found)
    assert str(os.getpid()) in found.detail.en


def test_a_socket_open_to_everybody(listener: Path) -> None:
    listener.chmod(0o666)
    assert sockets.examine_socket(ABOUT, listener, "careline-lines").code == "APP-089"


def test_no_socket_is_a_process_not_started(tmp_path: Path) -> None:
    found = sockets.examine_socket(ABOUT, tmp_path / "none.sock", "careline-calls")
    assert (found.code, found.grade) == ("APP-086", Grade.WARNING)
    assert "systemctl restart careline-calls" in found.remedy.en


def test_a_socket_left_by_a_dead_process(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(str(path))
    assert sockets.examine_socket(ABOUT, path, "careline-lines").code == "APP-087"


def test_a_port_nobody_has_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert is_well(sockets.examine_port("127.0.0.1", port))


def test_a_port_taken_names_the_program_that_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = sockets.examine_port("127.0.0.1", taken.getsockname()[1])
    assert found.code == "APP-090"
    assert str(os.getpid()) in found.detail.en


def test_an_address_that_is_not_ours() -> None:
    assert sockets.examine_port("192.0.2.1", 8080).code == "APP-091"


def process(root: Path, pid: int, parent: int, *command: str) -> None:
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes("\0".join([*command, ""]).encode())
    (folder / "stat").write_text(f"{pid} (python3) S {parent} {pid} {pid} 0 -1")


def test_two_line_servers_with_one_configuration(tmp_path: Path) -> None:
    config = Path("/etc/careline/careline.toml")
    for pid in (100, 200):
        process(tmp_path, pid, 1, "python3", "-m", "drivers.server", "--config", str(config))
    process(tmp_path, 300, 1, "python3", "-m", "drivers.server", "--config", "/tmp/other.toml")
    (found,) = sockets.examine_instances(config, tmp_path)
    assert found.code == "APP-092"
    assert "100, 200" in found.detail.en


def test_workers_of_the_web_process_are_not_instances(tmp_path: Path) -> None:
    config = Path("/etc/careline/careline.toml")
    process(tmp_path, 100, 1, "python3", "-m", "webui", "--config", str(config))
    process(tmp_path, 101, 100, "python3", "-m", "webui", "--config", str(config))
    assert all(map(is_well, sockets.examine_instances(config, tmp_path)))


# --- the machine -------------------------------------------------------------------------------------------------


def test_this_python_is_fit() -> None:
    assert is_well(machine.examine_python())


def test_parts_not_compiled(tmp_path: Path) -> None:
    found = machine.examine_core(tmp_path)
    assert found.code == "APP-094"
    assert "media/_media" in found.detail.zh


def test_a_folder_that_is_missing_or_not_ours(tmp_path: Path) -> None:
    assert machine.examine_folder(ABOUT, tmp_path / "none").code == "APP-095"
    assert is_well(machine.examine_folder(ABOUT, tmp_path))


def test_a_file_system_that_is_read_only(tmp_path: Path) -> None:
    """Root may write everywhere but there; more rights are no remedy."""
    with small_disk(tmp_path / "data", size_mb=1) as disk:
        disk.mount_again("ro")
        found = machine.examine_folder(ABOUT, disk.folder)
    assert found.code == "APP-103"
    assert "read-only" in found.detail.en
    assert "只读" in found.detail.zh
    assert f"remount,rw $(findmnt -n -o TARGET -T {disk.folder})" in found.remedy.en


def test_the_reserve_of_the_store(tmp_path: Path) -> None:
    store = tmp_path / "careline.db"
    assert machine.examine_reserve(store) == []
    store.touch()
    (found,) = machine.examine_reserve(store)
    assert (found.code, found.grade) == ("STO-006", Grade.FAILED)
    Reserve(store).fill()
    assert all(map(is_well, machine.examine_reserve(store)))


def test_a_clock_before_our_own_files() -> None:
    assert machine.examine_clock(VirtualClock(datetime(1970, 1, 1, tzinfo=UTC))).code == "APP-097"


def test_the_disk_is_measured(tmp_path: Path) -> None:
    found = machine.examine_disk(tmp_path)
    assert "GB" in found.detail.zh
    assert str(tmp_path) in found.detail.zh


def test_the_prompts_are_whole() -> None:
    assert all(map(is_well, machine.examine_prompts()))


def test_damaged_prompts_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    shutil.copytree(PROMPTS, tmp_path / "prompts")
    for path in sorted((tmp_path / "prompts/zh").glob("*.wav"))[:5]:
        path.write_bytes(path.read_bytes()[:30])
    found = machine.examine_prompts(tmp_path / "prompts")
    assert [finding.grade for finding in found] == [Grade.FAILED] * 4
    assert found[-1].detail.en == "2 more files are bad"


def test_no_prompts_at_all(tmp_path: Path) -> None:
    (found,) = machine.examine_prompts(tmp_path)
    assert found.code == "APP-061"


# --- all of it ---------------------------------------------------------------------------------------------------


def test_a_broken_configuration_does_not_stop_the_doctor(tmp_path: Path) -> None:
    config = tmp_path / "careline.toml"
    config.write_text("[paths]\nrun_dri = '/x'\n")
    found = examine(config, tmp_path)
    assert [each.code for each in found if each.code.startswith("CFG")] == ["CFG-003"]
    said = report(found, "en")
    assert "run_dri" in said
    assert "run_dir" in said


@pytest.mark.parametrize(("lang", "word"), [("zh", "处故障"), ("en", "failed")])
def test_a_box_that_does_not_run_is_told_in_both_languages(tmp_path: Path, lang: str, word: str) -> None:
    config = tmp_path / "careline.toml"
    config.write_text(f"[paths]\nrun_dir = '{tmp_path}'\ndata_dir = '{tmp_path}'\n[lines]\ncard = 'dahdi'\n")
    (tmp_path / "proc").mkdir()
    said = report(examine(config, tmp_path), "zh" if lang == "zh" else "en")
    assert "APP-080" in said
    assert "APP-086" in said
    assert word in said.splitlines()[-1]


def test_every_finding_of_a_dead_box_has_a_remedy_in_both_languages(tmp_path: Path) -> None:
    for finding in examine(tmp_path / "none.toml", tmp_path):
        assert is_well(finding) or (finding.code and finding.remedy.zh and finding.remedy.en and finding.detail.zh)


def test_the_doctor_needs_no_card_and_no_core_to_be_imported() -> None:
    code = "import sys, appliance.doctor; print([name for name in sys.modules if name.startswith('drivers.media')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[]\n"
