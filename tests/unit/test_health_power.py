"""When the UPS runs out: callers are told, calls are waited for, the box service powers off; mains that comes back takes it all back. With
the real box service, a call agent's socket on a script, and a systemctl that only writes down what it was asked.
"""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.health.config import UpsConfig
from appliance.health.power import PowerGuard
from appliance.system.box import Box
from appliance.system.server import SystemServer
from drivers.clock import RealClock
from drivers.settings import Paths
from tests.unit.health_peers import until
from tests.web.agent import ScriptedAgent
from tests.web.conftest import NOW

LIMIT_S = 15.0


class Rig:
    """`asked`: what systemctl was called with."""

    def __init__(self, folder: Path) -> None:
        self.config = Config(paths=Paths(run_dir=str(folder / "run"), data_dir=str(folder / "data")))
        self.written = folder / "systemctl.txt"
        (folder / "run").mkdir()
        self.agent = ScriptedAgent(self.config.paths.control_socket, NOW).start()

    def guard(self, wait_s: int, power_off: bool = True) -> PowerGuard:
        paths = self.config.paths
        return PowerGuard(paths.control_socket, paths.system_socket, UpsConfig(name="test", wait_s=wait_s, power_off=power_off))

    def asked(self) -> str:
        return self.written.read_text() if self.written.exists() else ""

    def closing(self) -> list[bool]:
        return [asked[1] for asked in self.agent.asked if asked[0] == "closing"]


@contextmanager
def box_service(config: Config) -> Iterator[None]:
    ready, ending = threading.Event(), threading.Event()

    async def serve() -> None:
        server = SystemServer(config.paths.system_socket, Box(config, Path("careline.toml"), RealClock()))
        await server.start()
        ready.set()
        await asyncio.to_thread(ending.wait)
        await server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(LIMIT_S)
    yield
    ending.set()
    thread.join(LIMIT_S)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    made = Rig(tmp_path)
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {made.written}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with box_service(made.config):
        yield made
    made.agent.stop()


def test_without_calls_it_goes_down_at_once_and_new_callers_are_told(rig: Rig) -> None:
    guard = rig.guard(wait_s=60)
    guard.look(low=False)
    guard.look(low=True)
    guard.look(low=True)
    until(lambda: "poweroff" in rig.asked(), LIMIT_S)
    assert rig.closing() == [True]
    assert rig.asked().count("poweroff") == 1


def test_calls_are_waited_for_but_not_for_ever(rig: Rig) -> None:
    rig.agent.show_day()
    guard = rig.guard(wait_s=2)
    guard.look(low=True)
    until(rig.closing, LIMIT_S)
    assert "poweroff" not in rig.asked()
    until(lambda: "poweroff" in rig.asked(), LIMIT_S)


def test_mains_that_comes_back_takes_it_back(rig: Rig) -> None:
    rig.agent.show_day()
    guard = rig.guard(wait_s=60)
    guard.look(low=True)
    until(rig.closing, LIMIT_S)
    guard.look(low=False)
    until(lambda: rig.closing() == [True, False], LIMIT_S)
    guard.wait(LIMIT_S)
    assert rig.asked() == ""


def test_only_told_where_that_was_chosen(rig: Rig) -> None:
    guard = rig.guard(wait_s=0, power_off=False)
    guard.look(low=True)
    guard.wait(1.0)
    assert (rig.closing(), rig.asked()) == ([], "")
