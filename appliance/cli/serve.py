"""`careline lines`, `calls`, `web`, `voice`, `printers`, `peripherals`, `system`, `health`: turn into the process asked for, in the
foreground or, with --daemon, behind a pid file.

Under systemd they run in the foreground; --daemon is for machines without it.
"""

import os
import sys
from pathlib import Path

import click
from daemon import DaemonContext

from appliance import config as configuration
from appliance.cli.options import config_option
from appliance.cli.pidfile import PidFile

GROUP_ONLY = 0o007  # umask: what one process makes, the others of the group may read
MODULES = {
    "lines": "drivers.server",
    "calls": "appliance.main",
    "web": "webui",
    "voice": "appliance.voice",
    "printers": "appliance.printing",
    "peripherals": "appliance.peripherals",
    "system": "appliance.system",
    "health": "appliance.health",
}


def command_of(name: str, config: Path) -> list[str]:
    """The command that is the process `name` ("lines", "calls", "web")."""
    return [sys.executable, "-m", MODULES[name], "--config", str(config)]


def _process(name: str, said: str) -> click.Command:
    @click.command(name, help=said)
    @config_option
    @click.option("--daemon", is_flag=True, help="Go to the background (where there is no systemd).")
    @click.option("--pid-file", type=click.Path(path_type=Path), help="With --daemon.  [default: NAME.pid in the run folder]")
    @click.option("--log-file", type=click.Path(path_type=Path), help="With --daemon.  [default: NAME.log in the data folder]")
    def serve(config: Path, daemon: bool, pid_file: Path | None, log_file: Path | None) -> None:
        paths = configuration.load(config.absolute()).paths
        command = command_of(name, config.absolute())
        if not daemon:
            os.execv(command[0], command)
        pid_path = pid_file or Path(paths.run_dir) / f"{name}.pid"
        log_path = log_file or Path(paths.data_dir) / f"{name}.log"
        _go_behind(command, PidFile(pid_path.absolute(), f"careline {name}"), log_path)

    return serve


def _go_behind(command: list[str], pid_file: PidFile, log_path: Path) -> None:
    """Detach and become `command`; the pid file stays locked by the process that it becomes."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        context = DaemonContext(stdout=log, stderr=log, umask=GROUP_ONLY, files_preserve=[pid_file.fd], pidfile=pid_file)
        context.open()
        os.execv(command[0], command)


lines = _process("lines", "The line server: owns the cards and the audio.")
calls = _process("calls", "The call agent: decides what happens to each call.")
web = _process("web", "The web pages.")
voice = _process("voice", "The box's own voice: speaks what staff wrote, as files, when nothing else needs the processor.")
printers = _process("printers", "Brings registration slips and other work items to paper.")
peripherals = _process("peripherals", "Text messages by a modem; call records and message lamps of another switch.")
system = _process("system", "The box service: network, time, update, backup; needs root.")
health = _process("health", "Watches the box, raises alarms and tells of them.")
