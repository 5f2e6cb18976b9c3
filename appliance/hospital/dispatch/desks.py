"""Desks and printers: what they take, whether they are there. Inside the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from appliance.hospital.dispatch.items import Kind
from appliance.hospital.registry import departments
from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.unique import is_taken
from appliance.hospital.slips.address import is_address
from appliance.store.case_tables import Desk

COLUMNS = {"48": "48", "42": "42", "32": "32"}  # characters a line on 80 mm, on older 80 mm, on 58 mm paper


class DeskEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A desk as filled in; `kinds` of work items, `department` by code (empty: of none), `address` and `columns` of a printer."""

    name: str
    printer: bool
    kinds: tuple[str, ...]
    department: str = ""
    address: str = ""
    columns: int = 48
    closed: bool = False


def read(given: Mapping[str, str]) -> DeskEntry | Refused:
    """Check a form: name, printer, kinds (several, with spaces or commas between), department, address, columns, closed."""
    form = Form(given)
    entry = DeskEntry(
        name=form.text("name", 32, required=True),
        printer=(printer := form.flag("printer", default=False)),
        kinds=_kinds(form),
        department=form.digits("department", 1, 8, required=False),
        address=form.text("address", 128, required=printer),
        columns=int(form.choice("columns", COLUMNS, "48")),
        closed=form.flag("closed", default=False),
    )
    if entry.address and not is_address(entry.address):
        form.fault("address", "address")
    return form.refusal or entry


def _kinds(form: Form) -> tuple[str, ...]:
    kinds = tuple(dict.fromkeys(form.listed("kinds")))
    if not kinds:
        form.fault("kinds", "required")
    elif not set(kinds) <= set(Kind):
        form.fault("kinds", "choice", allowed=", ".join(Kind))
    return kinds


def save(entry: DeskEntry, row_id: int | None = None) -> Desk | Refused:
    """Make a desk, or change the one of `row_id`. What a closed one has goes elsewhere with the next offering."""
    department = departments.by_code(entry.department) if entry.department else None
    if entry.department and department is None:
        return refused("department", "unknown", value=entry.department)
    if is_taken(Desk.name, entry.name, row_id):
        return refused("name", "duplicate", value=entry.name)
    columns = msgspec.structs.asdict(entry) | {"kinds": " ".join(entry.kinds), "department": department}
    if row_id is None:
        return Desk.create(**columns)
    Desk.update(**columns).where(Desk.id == row_id).execute()
    return Desk.get_by_id(row_id)


def all_desks() -> list[Desk]:
    """By name, closed ones too."""
    return list(Desk.select().order_by(Desk.name))


def is_taken_anywhere(kind: Kind) -> bool:
    """Whether a desk that is not closed takes this kind, there or not."""
    return any(kind in desk.kinds.split() for desk in Desk.select(Desk.kinds).where(~Desk.closed))


def beat(desk_id: int, now: datetime) -> None:
    """The desk is there: somebody has its page open, or the printer answers."""
    Desk.update(seen_at=now, fault="").where(Desk.id == desk_id).execute()


def leave(desk_id: int, fault: str = "") -> None:
    """It is not there any more; what was offered there goes elsewhere at once. `fault`: why a printer does not print."""
    Desk.update(seen_at=None, fault=fault).where(Desk.id == desk_id).execute()
