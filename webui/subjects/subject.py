"""What the hospital's pages list and edit, as a value, so that one view serves them all. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from webui.fields import Field

Values = dict[str, str]


class Subject(Struct, frozen=True, kw_only=True):
    """`columns`: of the list, by key of `values`. `found`: a query of the rows that match a text. `values`: a row as its form has it.
    `read`, `save`: as in the registry; a refusal goes back to the form."""

    name: str
    icon: str
    fields: tuple[Field, ...]
    columns: tuple[str, ...]
    table: Any
    found: Callable[[str], Any]
    values: Callable[[Any], Values]
    read: Callable[[Mapping[str, str]], Any]
    save: Callable[[Any, int | None], Any]
    fresh: Mapping[str, str] = {}


def two(name: str, kind: str = "text", most: int = 64, required: bool = False) -> tuple[Field, Field]:
    """A text in both languages."""
    area = kind == "area"
    if area:
        return Field(name=f"{name}_zh", kind="area", most=most), Field(name=f"{name}_en", kind="area", most=most * 3)
    return Field(name=f"{name}_zh", most=most, required=required), Field(name=f"{name}_en", most=most, required=required)


def texts_of(row: Any, *names: str) -> Values:
    return {name: str(getattr(row, name)) for name in names}
