"""Scenarios of the line lab: plain functions registered by name, run inside the guest, each in its own
process.

A scenario takes a `Report`, puts figures into it, and fails by an exception (a failed assert included).
Modules in tests/lab/scenarios/ hold them; a scenario's full name is "module.function".
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

PACKAGE = "tests.lab.scenarios"
DEFAULT_LIMIT_S = 600.0  # guest seconds, which fly while the guest waits for the host


class Report:
    """What a scenario measured: figures by name, and remarks in order."""

    def __init__(self) -> None:
        self.figures: dict[str, float | int | str] = {}
        self.remarks: list[str] = []

    def figure(self, name: str, value: float | int | str) -> None:
        """Keep one figure; the unit belongs in the name."""
        self.figures[name] = value

    def remark(self, text: str) -> None:
        """Keep one line of text."""
        self.remarks.append(text)


class Outcome(msgspec.Struct, frozen=True):
    """How one scenario ended; one JSON line in the share. `error` is empty when it passed."""

    name: str
    took_s: float
    error: str = ""
    figures: dict[str, float | int | str] = {}
    remarks: list[str] = []


class Scenario(msgspec.Struct, frozen=True):
    """A registered scenario and its time limit in guest seconds."""

    name: str
    run: Callable[[Report], None]
    limit_s: float
    soak: bool = False


_registered: dict[str, Scenario] = {}
RunT = TypeVar("RunT", bound=Callable[[Report], None])


def scenario(limit_s: float = DEFAULT_LIMIT_S, soak: bool = False) -> Callable[[RunT], RunT]:
    """Register a function as a scenario named "module.function". A soak takes minutes and runs only when named."""

    def register(run: RunT) -> RunT:
        name = f"{run.__module__.rpartition('.')[2]}.{run.__name__}"
        _registered[name] = Scenario(name=name, run=run, limit_s=limit_s, soak=soak)
        return run

    return register


def module_names() -> tuple[str, ...]:
    """Every module that holds scenarios, without importing any."""
    package = importlib.import_module(PACKAGE)
    return tuple(sorted(found.name for found in pkgutil.iter_modules(package.__path__)))


def load(wanted: Sequence[str]) -> tuple[Scenario, ...]:
    """Scenarios for "module" or "module.function" names; imports only the modules needed. None given: all but soaks.

    Raises: LookupError for a name that does not exist, listing what does.
    """
    names = tuple(wanted) or module_names()
    for module in dict.fromkeys(name.partition(".")[0] for name in names):
        if module not in module_names():
            raise LookupError(f"no scenario module {module!r}; there are: {', '.join(module_names())}")
        importlib.import_module(f"{PACKAGE}.{module}")
    found = dict.fromkeys(each for name in names for each in _matching(name))
    return tuple(each for each in found if wanted or not each.soak)


def _matching(name: str) -> list[Scenario]:
    found = [each for key, each in _registered.items() if name in (key, key.partition(".")[0])]
    if not found:
        raise LookupError(f"no scenario {name!r}; its module has: {', '.join(sorted(_registered))}")
    return found
