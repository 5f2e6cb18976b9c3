"""Services and their logs: systemctl, journalctl."""

import re
from datetime import UTC, datetime

from appliance.system.box import Box, Tell
from appliance.system.errors import BoxError
from appliance.system.services.messages import LOG_LINES_MOST, AskLogs, AskServices, LogsTold, RestartService, ServiceState, ServicesTold
from appliance.system.services.programs import run

PREFIX, SUFFIX = "careline-", ".service"
OTHERS = ("chrony",)
RESTART_LIMIT_S = 90.0
SHOWN = "Id,ActiveState,SubState,ActiveEnterTimestamp,NRestarts,MemoryCurrent,LoadState"
NAME = re.compile(r"[a-z][a-z0-9@-]{0,40}")
NO_MEMORY = 1 << 62  # systemd writes 2**64-1 where nothing is known


def services(box: Box, request: AskServices, tell: Tell) -> ServicesTold:
    """Those that systemd has loaded, ours first."""
    told = run(
        ["systemctl", "show", "--timestamp=unix", f"--property={SHOWN}", f"{PREFIX}*{SUFFIX}", *(f"{name}{SUFFIX}" for name in OTHERS)]
    )
    found = [
        _state(dict(line.partition("=")[::2] for line in block.splitlines())) for block in told.strip().split("\n\n") if "Id=" in block
    ]
    known = {state.name: state for state in found if state is not None}
    return ServicesTold(services=tuple(sorted(known.values(), key=lambda state: (state.name in OTHERS, state.name))))


def restart(box: Box, request: RestartService, tell: Tell) -> None:
    """Raises: BoxError SYS-013 for what is no service of ours. This very service restarts itself after it has answered."""
    unit = _unit(request.name)
    if request.name == "system":
        run(["systemctl", "--no-block", "restart", unit])
    else:
        run(["systemctl", "restart", unit], RESTART_LIMIT_S)


def logs(box: Box, request: AskLogs, tell: Tell) -> LogsTold:
    """Bounded whatever is asked for."""
    units = [_unit(request.service)] if request.service else [f"{PREFIX}*"]
    lines = min(max(request.lines, 1), LOG_LINES_MOST)
    after = [f"--after-cursor={request.cursor}"] if request.cursor else []
    command = ["journalctl", "--no-pager", "--quiet", "--utc", "--output=short-iso", "--show-cursor", f"--lines={lines}", *after]
    told = run([*command, *(f"--unit={unit}" for unit in units)]).splitlines()
    cursor = next((line.partition(": ")[2] for line in told if line.startswith("-- cursor: ")), request.cursor)
    return LogsTold(lines=tuple(line for line in told if not line.startswith("-- "))[-lines:], cursor=cursor)


def _unit(name: str) -> str:
    """The unit of a service of ours, and of no other's."""
    if not NAME.fullmatch(name):
        raise BoxError("SYS-013", f"{name!r} is no service of the box", "See the list of services")
    return f"{name}{SUFFIX}" if name in OTHERS else f"{PREFIX}{name}{SUFFIX}"


def _state(shown: dict[str, str]) -> ServiceState | None:
    if shown.get("LoadState") not in ("loaded", None):
        return None
    memory = _number(shown.get("MemoryCurrent", ""))
    return ServiceState(
        name=shown["Id"].removeprefix(PREFIX).removesuffix(SUFFIX),
        state=shown.get("ActiveState", ""),
        detail=shown.get("SubState", ""),
        since=_at(shown.get("ActiveEnterTimestamp", "")),
        restarts=_number(shown.get("NRestarts", "")),
        memory_bytes=memory if memory < NO_MEMORY else 0,
    )


def _at(told: str) -> datetime | None:
    """ "@1762000000", as --timestamp=unix writes it. Source: systemctl(1)."""
    return datetime.fromtimestamp(int(told[1:]), UTC) if told.startswith("@") and told[1:].isdecimal() else None


def _number(told: str) -> int:
    return int(told) if told.isdecimal() else 0
