"""The program careline-lines as a process: configuration errors, one instance, readiness, a clean stop."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.small_disk import small_disk

LIMIT_S = 30


def config(folder: Path, text: str = "") -> Path:
    path = folder / "careline.toml"
    path.write_text(f'[paths]\nrun_dir = "{folder}/run"\ndata_dir = "{folder}/data"\n{text}', "utf-8")
    return path


def command(path: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "drivers.server", "--config", str(path), *options]


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(path, *options), capture_output=True, text=True, timeout=LIMIT_S, check=False)


class ServiceManager:
    """Hears what the program says to the service manager."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(LIMIT_S)
        self._socket.bind(str(self.path))

    def hears(self, wanted: str) -> str:
        while wanted not in (said := self._socket.recv(4096).decode()):
            pass
        return said

    def close(self) -> None:
        self._socket.close()


@contextmanager
def running(folder: Path, path: Path) -> Iterator[tuple[subprocess.Popen[str], ServiceManager]]:
    manager = ServiceManager(folder)
    surroundings = {**os.environ, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "400000"}
    with subprocess.Popen(command(path), env=surroundings, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, manager
        finally:
            process.kill()
            manager.close()


def test_check_says_good(tmp_path: Path) -> None:
    done = run(config(tmp_path), "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "6 channels on the virtual card" in done.stdout


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("[lines]\ncolour = 1\n", 78, "CFG-003"),
        ("[lines]\ncard = 'virtual'\n[[lines.groups]]\nname = 'a'\nchannels = '1-99'\n", 78, "CFG-033"),
        ("[lines\n", 78, "CFG-002"),
    ],
)
def test_configuration_that_cannot_be_used(tmp_path: Path, text: str, status: int, said: str) -> None:
    done = run(config(tmp_path, text), "--check")
    assert done.returncode == status
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_missing_card(tmp_path: Path) -> None:
    """Without DAHDI modules, or with cards that do not have that many channels: either way it is said."""
    done = run(config(tmp_path, "[lines]\ncard = 'dahdi'\n[[lines.groups]]\nname = 'a'\nchannels = '1024'\n"), "--check")
    assert done.returncode in (1, 78)
    assert "LIN-101" in done.stderr or "CFG-033" in done.stderr


def test_no_card_at_all(tmp_path: Path) -> None:
    """It is ready, gives signs of life, and says what is missing."""
    with running(tmp_path, config(tmp_path, "[lines.virtual]\nspans = []\n")) as (process, manager):
        assert "0 channels (no telephony card was found)" in manager.hears("READY=1")
        manager.hears("WATCHDOG=1")
        manager.hears("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0


def test_no_configuration_at_all(tmp_path: Path) -> None:
    done = run(tmp_path / "none.toml")
    assert done.returncode == 78
    assert "CFG-001" in done.stderr


def test_second_instance_notices_the_first_when_run_dir_was_deleted(tmp_path: Path) -> None:
    """Before it reads or touches anything of it."""
    path = config(tmp_path)
    (tmp_path / "data").mkdir()
    with running(tmp_path, path) as (process, manager):
        manager.hears("READY=1")
        shutil.rmtree(tmp_path / "run")
        second = run(path)
        assert second.returncode == 1
        assert f"LIN-054: another line server (process {process.pid})" in second.stderr
        assert not (tmp_path / "run" / "legs").exists()
        manager.hears("WATCHDOG=1")


def test_a_full_disk_keeps_no_line_server_from_starting(tmp_path: Path) -> None:
    path = config(tmp_path)
    with small_disk(tmp_path / "data", size_mb=1) as disk:
        disk.fill()
        with running(tmp_path, path) as (_, manager):
            manager.hears("READY=1")
            assert "LIN-054" in run(path).stderr


def test_ready_watched_one_instance_and_stopped(tmp_path: Path) -> None:
    path = config(tmp_path)
    with running(tmp_path, path) as (process, manager):
        assert "6 channels" in manager.hears("READY=1")
        manager.hears("WATCHDOG=1")
        second = run(path)
        assert second.returncode == 1
        assert f"LIN-054: another line server (process {process.pid})" in second.stderr
        process.send_signal(signal.SIGTERM)
        manager.hears("STOPPING=1")
        assert process.wait(LIMIT_S) == 0
        assert not (tmp_path / "run" / "lines.sock").exists()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_restart_after_a_kill_needs_no_cleaning_up(tmp_path: Path) -> None:
    path = config(tmp_path)
    with running(tmp_path, path) as (process, manager):
        manager.hears("READY=1")
        process.kill()
        process.wait(LIMIT_S)
    (tmp_path / "notify").unlink()
    with running(tmp_path, path) as (_, manager):
        manager.hears("READY=1")
