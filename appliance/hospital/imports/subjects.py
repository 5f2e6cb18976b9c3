"""What every kind of file must say of itself, and what its functions are given."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.hospital.four_eyes import ONE_PERSON, FourEyes
from appliance.hospital.prices import Held
from appliance.hospital.registry.field_fault import FieldFault, Refused
from appliance.hospital.registry.telephone import Normalise

CHUNK = 500
"""Rows in one statement: SQLite takes 32 766 values in one."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """When and for whom it is imported. `four_eyes`: which prices then wait for a second person; until the file is saved they are in
    `held`."""

    now: datetime
    zone: ZoneInfo
    by: str
    normalise: Normalise
    four_eyes: FourEyes = ONE_PERSON
    held: list[Held] = []

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


class Line(msgspec.Struct, frozen=True):
    """A row that could be read. `entry`: what it means, of its kind's type."""

    line: int
    entry: Any


class There(msgspec.Struct, frozen=True):
    """What the store has already under a row's key."""

    row_id: int
    entry: Any


class Subject(ABC):
    """A kind of file. `columns`: each with its titles in both languages; those in `required` must be there. A column that is not in the
    file leaves what the store has, unless it is `derived` from others; a `fixed` one is only for new rows. `rows_most`: see the package's
    docstring."""

    name: str
    columns: Mapping[str, tuple[str, str]]
    required: frozenset[str]
    derived: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    rows_most: int

    @abstractmethod
    def read(self, given: Mapping[str, str], setting: Setting) -> Any:
        """An entry, or Refused."""

    @abstractmethod
    def keys(self, entry: Any) -> dict[str, str]:
        """By column: what may stand only once in the file. The first is the row's own key."""

    @abstractmethod
    def there(self, keys: Sequence[str]) -> dict[str, There]:
        """What the store has, by key; at most CHUNK keys."""

    @abstractmethod
    def count(self) -> int:
        """How many the store has."""

    def conflicts(self, lines: Sequence[Line], there: Mapping[str, There]) -> Iterable[tuple[int, FieldFault]]:
        """What only the store knows to be wrong, by line."""
        return ()

    def together(self, lines: Sequence[Line], there: Mapping[str, There]) -> Iterable[tuple[int, FieldFault]]:
        """What is wrong with lines beside each other: all of the file's are given."""
        return ()

    @abstractmethod
    def insert(self, entries: Sequence[Any], setting: Setting) -> None:
        """New rows, without a fault; at most CHUNK."""

    def update(self, found: There, entry: Any, setting: Setting) -> None:
        """Change a row that is there. Not for kinds whose rows are never changed: their trial finds a fault instead."""
        raise AssertionError(f"rows of {self.name} are never changed")


def field_of(column: str, entry: Any) -> str:
    """The entry's field that a column fills: money's has its unit."""
    return (
        column
        if hasattr(entry, column)
        else next(name for name in (f"{column}_fen", f"{column.replace('_per_', '_fen_per_')}") if hasattr(entry, name))
    )


def accepted(outcome: Any) -> Any:
    """What was saved; a trial has found everything that could be refused."""
    assert not isinstance(outcome, Refused), outcome
    return outcome
