"""A box of real processes on the virtual card, with the box service; what systemd would do for it is done by a small program on PATH."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from appliance.control.client import ControlClient
from appliance.control.handset import Handset, dial_message
from appliance.ivr.prompts.wav import unwrap
from appliance.system.backup.messages import (
    AskBackupSettings,
    AskBackupWords,
    BackupSettings,
    BackupSettingsTold,
    BackupWords,
    SetBackupSettings,
    Target,
    TargetKind,
)
from appliance.system.client import SystemClient
from drivers.errors import CarelineError
from drivers.protocol import HandsetAudio
from drivers.virtual.config import DEFAULT_NUMBER

LIMIT_S = 90.0
HEARD_BYTES = 4000  # half a second
LINES = """
[lines.virtual]
spans = [{kind = "fxo", channels = 4}, {kind = "fxs", channels = 1}]
sets = [{channel = 5, answering = "answer", after_ms = 500}]
"""
SOCKETS = {"drivers.server": "handset.sock", "appliance.main": "control.sock", "appliance.system": "system.sock"}
AGENT, LINE_SERVER, SERVICE = "appliance.main", "drivers.server", "appliance.system"
SYSTEMCTL = """#!/bin/sh
# The call agent is the one unit that runs; {folder}/agent.pid says as which process.
case "$1" in
list-units) [ -e {folder}/agent.pid ] && echo careline-calls.service ;;
stop) pid=$(cat {folder}/agent.pid); kill "$pid"; rm {folder}/agent.pid
  while [ -e /proc/$pid ] && ! grep -q '^State:.Z' /proc/$pid/status; do sleep 0.05; done ;;
start|--no-block) touch {folder}/agent.wanted ;;
esac
"""


class RealBox:
    """Below `folder`: careline.toml, run, data, and bin with what is on PATH."""

    def __init__(self, folder: Path, away: Path) -> None:
        self.folder, self.data, self.away, self.run_dir = folder, folder / "data", away, folder / "run"
        for made in (self.data, self.run_dir, folder / "bin"):
            made.mkdir(parents=True)
        self.config = folder / "careline.toml"
        self.config.write_text(f'[paths]\nrun_dir = "{self.run_dir}"\ndata_dir = "{self.data}"\n{LINES}', "utf-8")
        program = folder / "bin" / "systemctl"
        program.write_text(SYSTEMCTL.format(folder=folder))
        program.chmod(0o755)
        self._log = (folder / "log").open("ab")
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, module: str) -> None:
        socket = self.run_dir / SOCKETS[module]
        socket.unlink(missing_ok=True)
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        command = [sys.executable, "-m", module, "--config", str(self.config)]
        started = subprocess.Popen(command, stderr=self._log, env={**os.environ, "PATH": path})
        self._running[module] = started
        until(socket.exists)
        if module == AGENT:
            (self.folder / "agent.pid").write_text(str(started.pid))
            until(self.is_well)

    def kill(self, module: str) -> None:
        process = self._running.pop(module)
        process.kill()
        process.wait(LIMIT_S)

    def stop(self) -> None:
        for module in list(self._running):
            self.kill(module)
        self._log.close()

    def reap_agent(self) -> None:
        """systemctl has stopped it."""
        self._running.pop(AGENT).wait(LIMIT_S)

    def is_well(self) -> bool:
        try:
            with ControlClient(self.run_dir / "control.sock") as client:
                return {check.name: check.code for check in client.ask_health().health.checks}["line_server"] == ""
        except CarelineError:
            return False

    def call(self, caller: str = "13800138000") -> Handset:
        return Handset(self.run_dir / "handset.sock", dial_message(DEFAULT_NUMBER, caller=caller, stream=True))

    def service(self) -> SystemClient:
        return SystemClient(self.run_dir / "system.sock", "test")

    def set_up(self) -> str:
        """One place for backups; the recovery words."""
        target = Target(name="disk", kind=TargetKind.FOLDER, path=str(self.away))
        with self.service() as client:
            revision = client.ask(AskBackupSettings(), BackupSettingsTold).revision
            client.do(SetBackupSettings(settings=BackupSettings(targets=(target,), keep_by_hand=100), revision=revision, by="test"))
            return client.ask(AskBackupWords(by="test"), BackupWords).words


def until(holds: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    deadline_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline_s, holds
        time.sleep(0.1)


def hears(caller: Handset, prompt: Path) -> None:
    """Wait until the caller hears half a second of its middle, sample for sample."""
    samples = unwrap(prompt)
    wanted, heard = samples[len(samples) // 3 :][:HEARD_BYTES], b""
    deadline_s = time.monotonic() + LIMIT_S
    for reply in caller.messages(LIMIT_S):
        if isinstance(reply, HandsetAudio):
            heard += reply.samples
            if wanted in heard:
                return
        assert time.monotonic() < deadline_s, prompt
    raise AssertionError("hung up")
