"""careline-calls as a process: what it says about its configuration, one instance, a clean end."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_disk import small_disk

LIMIT_S = 60.0


@pytest.fixture
def careline_toml() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cl-") as folder:
        path = Path(folder) / "careline.toml"
        path.write_text(f'[paths]\nrun_dir = "{folder}/run"\ndata_dir = "{folder}/data"\n', "utf-8")
        yield path


def command(config: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "appliance.main", "--config", str(config), *options]


def run(config: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(config, *options), capture_output=True, text=True, timeout=LIMIT_S, check=False)


def test_check_finds_nothing(careline_toml: Path) -> None:
    done = run(careline_toml, "--check")
    assert (done.returncode, "are well" in done.stdout) == (0, True)


def test_check_names_an_unreachable_route(careline_toml: Path) -> None:
    routes = "[calls]\nroutes = [{name='all', service='hotline'}, {name='b', service='reject'}]\n"
    careline_toml.write_text(careline_toml.read_text() + routes)
    done = run(careline_toml, "--check")
    assert (done.returncode, "CFG-054" in done.stdout) == (1, True)


def test_wrong_configuration(careline_toml: Path) -> None:
    careline_toml.write_text("[calls]\nlangauge = 'zh'\n")
    done = run(careline_toml)
    assert done.returncode == 78
    assert "CFG-003" in done.stderr
    assert "Did you mean `language`" in done.stderr


def test_one_instance_and_a_clean_end(careline_toml: Path) -> None:
    with subprocess.Popen(command(careline_toml), stderr=subprocess.PIPE, text=True) as first:
        try:
            wait_for(careline_toml.parent / "run" / "control.sock")
            second = run(careline_toml)
            assert (second.returncode, "APP-040" in second.stderr) == (1, True)
            first.send_signal(signal.SIGTERM)
            assert first.wait(LIMIT_S) == 0
        finally:
            if first.poll() is None:
                os.kill(first.pid, signal.SIGKILL)
    assert not (careline_toml.parent / "run" / "control.sock").exists()


def test_a_read_only_disk_keeps_no_call_agent_from_starting(careline_toml: Path) -> None:
    control = careline_toml.parent / "run" / "control.sock"
    with small_disk(careline_toml.parent / "data", size_mb=24) as disk:
        for how in ("rw", "ro"):
            disk.mount_again(how)
            with subprocess.Popen(command(careline_toml)) as agent:
                try:
                    wait_for(control)
                finally:
                    agent.kill()
                    agent.wait(LIMIT_S)
            control.unlink()


def wait_for(path: Path) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not path.exists():
        assert time.monotonic() < deadline_s, f"{path} did not appear"
        time.sleep(0.05)
