"""What a process says of its own sections of careline.toml (`--check --json`): how `careline check` asks all three. Plain structs."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from drivers.errors import CarelineError, DoubtfulConfigError
from drivers.protocol.number_plan import NumberPlan


class ConfigFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. error: the box could not work with it; warning: it could, but not as meant. `what` names file, key and
    value."""

    code: str
    severity: Literal["error", "warning"]
    what: str
    remedy: str


class GroupFound(msgspec.Struct, frozen=True, kw_only=True):
    """A trunk group as the line server will have it; `is_sets`: it has telephone sets."""

    name: str
    channels: tuple[int, ...]
    is_sets: bool


class LinesFound(msgspec.Struct, frozen=True, kw_only=True):
    """What names in `[calls]` can lead to."""

    groups: tuple[GroupFound, ...]
    number_plan: NumberPlan


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that one process says. `lines`: by the line server, where its own sections are well enough for it."""

    findings: tuple[ConfigFinding, ...] = ()
    said: str = ""
    lines: LinesFound | None = None

    @property
    def is_usable(self) -> bool:
        """Nothing but warnings, if anything."""
        return not any(finding.severity == "error" for finding in self.findings)


def findings_of(faults: Iterable[CarelineError]) -> tuple[ConfigFinding, ...]:
    """The same faults as what can be sent and written."""
    return tuple(
        ConfigFinding(
            code=fault.code, severity="warning" if isinstance(fault, DoubtfulConfigError) else "error", what=fault.what, remedy=fault.remedy
        )
        for fault in faults
    )
