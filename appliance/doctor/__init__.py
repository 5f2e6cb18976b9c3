"""`careline doctor`: looks at everything that can be wrong with the box and says so in plain words, Chinese or English.

Works with the box running, stopped or broken, as root or not; changes nothing, and every look has a limit. Runs in its own process.
"""

from pathlib import Path
from typing import Any

import msgspec

from appliance.control.client import ControlClient, ControlError
from appliance.control.messages import Check, Grade
from appliance.doctor import machine, sockets
from appliance.doctor.card import examine_card
from appliance.doctor.finding import Finding, Lang, Text, fault, lines_of, verdict, well
from appliance.doctor.printers import examine_printers
from appliance.doctor.store import examine_store
from appliance.doctor.voice import examine_voice
from appliance.store.place import StorePlace, place_of
from drivers import settings
from drivers.clock import Clock, RealClock
from drivers.errors import ConfigError
from drivers.settings import Paths

__all__ = ["Finding", "Grade", "Lang", "examine", "report"]

DEFAULT_PORT = 8080


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """careline.toml with every section left to its owner; `careline check` looks into them."""

    paths: Paths = Paths()
    lines: dict[str, Any] = {}
    calls: dict[str, Any] = {}
    console: dict[str, Any] = {}
    hospital: dict[str, Any] = {}
    web: dict[str, Any] = {}


def examine(config: Path, root: Path = Path("/"), clock: Clock | None = None) -> list[Finding]:
    """Every finding, the most basic first. `root`: where /dev, /proc and /sys are looked for."""
    about = Text("配置", "configuration")
    first = [machine.examine_python(), machine.examine_core()]
    try:
        file = settings.load(config, _File)
    except ConfigError as error:
        return [*first, fault(about, error), *_machine(Paths(), clock)]
    found = [*first, well(about, str(config), str(config)), examine_card(str(file.lines.get("card", "virtual")), root)]
    found += _machine(file.paths, clock) + _processes(file, config, root)
    return found + examine_printers(Path(file.paths.data_dir), _place(file.paths), file.web)


def report(findings: list[Finding], lang: Lang) -> str:
    """All of it as text for the terminal."""
    lines = [line for finding in findings for line in lines_of(finding, lang)]
    return "\n".join([*lines, "", verdict(findings)[lang]])


def _machine(paths: Paths, clock: Clock | None) -> list[Finding]:
    data_dir = Path(paths.data_dir)
    return [
        machine.examine_folder(Text("运行目录", "run folder"), Path(paths.run_dir)),
        machine.examine_folder(Text("数据目录", "data folder"), data_dir),
        machine.examine_disk(data_dir),
        *examine_store(paths),
        machine.examine_clock(clock or RealClock()),
        *machine.examine_prompts(),
        examine_voice(data_dir, _place(paths)),
    ]


def _place(paths: Paths) -> StorePlace:
    """SQLite's where the address is none: examine_store tells of that."""
    try:
        return place_of(paths)
    except ConfigError:
        return paths.database


def _processes(file: _File, config: Path, root: Path) -> list[Finding]:
    paths = file.paths
    agent = sockets.examine_socket(Text("呼叫程序", "call agent"), paths.control_socket, "careline-calls", root)
    return [
        *sockets.examine_instances(config, root),
        sockets.examine_socket(Text("线路程序", "line server"), paths.lines_socket, "careline-lines", root),
        agent,
        sockets.examine_port(str(file.web.get("host", "0.0.0.0")), _port(file), root),
        *(_agent_says(paths) if agent.grade is Grade.OK else []),
    ]


def _port(file: _File) -> int:
    port = file.web.get("port", DEFAULT_PORT)
    return port if isinstance(port, int) else DEFAULT_PORT


def _agent_says(paths: Paths) -> list[Finding]:
    """What the running call agent itself finds wrong."""
    about = Text("运行状态", "running state")
    try:
        with ControlClient(paths.control_socket, "doctor") as client:
            checks = client.ask_health().health.checks
    except ControlError as error:
        return [fault(about, error)]
    bad = [_said(check) for check in checks if check.grade is not Grade.OK]
    return bad or [well(about, f"{len(checks)} 项检查均正常", f"all {len(checks)} checks are well")]


def _said(check: Check) -> Finding:
    detail, remedy = Text(check.detail, check.detail), Text(check.remedy, check.remedy)
    return Finding(about=Text(check.name, check.name), grade=check.grade, code=check.code, detail=detail, remedy=remedy)
