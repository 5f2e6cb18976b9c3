"""The services that must stand still while the box's data are exchanged: found, stopped in order, started again. By systemctl."""

from collections.abc import Sequence

from appliance.system.errors import BoxError
from appliance.system.services.programs import run

STAY = ("careline-system", "careline-console", "careline-restore", "careline-cards", "careline-firmware")
LAST = ("careline-calls", "careline-lines")
"""Stopped last, started first: who works with them goes before."""
STOP_LIMIT_S = 120.0
NO_SYSTEMD = ("SYS-010", "SYS-011")


def running() -> tuple[str, ...]:
    """Units of ours that run and do not stay, in the order in which they are to be stopped. None where there is no systemd."""
    try:
        told = run(
            ["systemctl", "list-units", "--plain", "--no-legend", "--type=service", "--state=active,activating,reloading", "careline-*"]
        )
    except BoxError as error:
        if error.code in NO_SYSTEMD:
            return ()  # what is started by hand holds its lock, and the exchange is refused
        raise
    names = [line.split()[0] for line in told.splitlines() if line.strip()]
    return tuple(sorted((name for name in names if not name.startswith(STAY)), key=_order))


def stop(units: Sequence[str]) -> None:
    """Raises: BoxError SYS-118."""
    for unit in units:
        _systemctl("stop", unit)


def start(units: Sequence[str], wait: bool = True) -> None:
    """In the opposite order; all of them are tried. Raises: BoxError SYS-118 for the first that does not start."""
    faults = []
    for unit in reversed(units):
        try:
            _systemctl("start", unit, *(() if wait else ("--no-block",)))
        except BoxError as error:
            faults.append(error)
    if faults:
        raise faults[0]


def _order(unit: str) -> tuple[int, str]:
    name = unit.removesuffix(".service")
    return (LAST.index(name) + 1 if name in LAST else 0), name


def _systemctl(verb: str, unit: str, *options: str) -> None:
    try:
        run(["systemctl", *options, verb, unit], STOP_LIMIT_S)
    except BoxError as error:
        raise BoxError("SYS-118", f"{unit} cannot be made to {verb}: {error.what}", f"See the log of {unit}") from error
