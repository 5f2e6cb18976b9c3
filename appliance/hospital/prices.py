"""Prices that take two persons: one asks by saving a form or a file, another approves, only then they hold. Inside the caller's
transaction.

A price that is to change keeps what it is until then. What is new is kept from patients meanwhile: a doctor or drug is not listed, a
clinic's places are blocked. `hold_back` takes what a form or file read, `ask` writes down what was held back.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from peewee import chunked

from appliance.hospital.booking import slots
from appliance.hospital.registry import drugs
from appliance.hospital.registry.doctors import DoctorEntry
from appliance.hospital.registry.drugs import DrugEntry
from appliance.store.booking_tables import Clinic, Slot
from appliance.store.hospital_tables import Doctor, Drug
from appliance.store.money_tables import PriceLine, PriceRequest

WHY_MOST = 200
ROWS_AT_ONCE = 500
FORM = "form"
IMPORT = "import"


class Decision(StrEnum):
    """`same_person`: who asked does not decide. `decided`: before, by somebody."""

    APPROVED = "approved"
    REFUSED = "refused"
    SAME_PERSON = "same_person"
    DECIDED = "decided"
    UNKNOWN = "unknown"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A price that waits. `row` 0: the row that is just being made."""

    what: str
    item: str
    after_fen: int
    row: int = 0
    before_fen: int | None = None
    lists: bool = False


Entry = TypeVar("Entry", DoctorEntry, DrugEntry)
COLUMNS: Mapping[str, str] = {"fee": "fee_fen", "consultation": "consultation_fen_per_min", "drug": "price_fen"}
DOCTOR = ("fee", "consultation")
DRUG = ("drug",)


def hold_back(entry: Entry, prices: Iterable[str], row: Doctor | Drug | None) -> tuple[Entry, list[Held]]:
    """The entry as it may be saved by one person, and the prices it wanted. `prices`: keys of COLUMNS."""
    wanted = [_held(entry, price, row) for price in prices if getattr(entry, COLUMNS[price]) != _price_of(row, price)]
    kept = {COLUMNS[each.what]: each.before_fen or 0 for each in wanted}
    unpriced = row is not None and entry.listed and _first_price_waits(prices, row.id)
    if any(each.before_fen is None for each in wanted) or unpriced:
        kept["listed"] = False
    return msgspec.structs.replace(entry, **kept), wanted


def _held(entry: Any, price: str, row: Doctor | Drug | None) -> Held:
    has_none = row is None or _first_price_waits((price,), row.id)
    before_fen = None if has_none else _price_of(row, price)
    after_fen, row_id = getattr(entry, COLUMNS[price]), 0 if row is None else row.id
    return Held(what=price, item=entry.number, after_fen=after_fen, row=row_id, before_fen=before_fen, lists=entry.listed and has_none)


def _price_of(row: Doctor | Drug | None, price: str) -> int:
    return 0 if row is None else int(getattr(row, COLUMNS[price]))


def _first_price_waits(prices: Iterable[str], row_id: int) -> bool:
    first = PriceLine.before_fen.is_null() & (PriceLine.state == "asked")
    return bool(PriceLine.select().where(PriceLine.what.in_(list(prices)), PriceLine.row == row_id, first).exists())


def hold_clinics(after_id: int) -> list[Held]:
    """Clinics made after the one of that id whose fee is not their doctor's: nobody can book them yet."""
    made = list(Clinic.select().where(Clinic.id > after_id))
    own = [clinic for clinic in made if clinic.fee_fen != (clinic.doctor.fee_fen if clinic.doctor else 0)]
    for batch in chunked([clinic.id for clinic in own], ROWS_AT_ONCE):
        Slot.update(state=slots.BLOCKED).where(Slot.clinic.in_(batch), Slot.state == slots.FREE).execute()
    return [Held(what="clinic", item=_named(clinic), after_fen=clinic.fee_fen, row=clinic.id) for clinic in own]


def last_clinic() -> int:
    """The id to give to `hold_clinics` once more are made."""
    row = Clinic.select(Clinic.id).order_by(Clinic.id.desc()).first()
    return 0 if row is None else int(row.id)


def _named(clinic: Clinic) -> str:
    who = clinic.doctor.number if clinic.doctor else clinic.department.code
    return f"{clinic.day} {clinic.starts} {who}"


def ask(held: Iterable[Held], source: str, by: str, now: datetime, made_row: int = 0) -> PriceRequest | None:
    """Write down what was held back, as one request; an earlier one of the same price is replaced. `made_row`: the row that the
    entry became. None: nothing was held back."""
    lines = [msgspec.structs.replace(each, row=each.row or made_row) for each in held]
    if not lines:
        return None
    request = PriceRequest.create(source=source, asked_by=by, asked_at=now)
    for batch in chunked(lines, ROWS_AT_ONCE):
        for what in {each.what for each in batch}:
            same = PriceLine.row.in_([each.row for each in batch if each.what == what])
            PriceLine.update(state="replaced").where(PriceLine.what == what, same, PriceLine.state == "asked").execute()
        PriceLine.insert_many([msgspec.structs.asdict(each) | {"request": request.id} for each in batch]).execute()
    _end_empty(by, now)
    return request


def _end_empty(by: str, now: datetime) -> None:
    """Requests of which later ones have replaced every line wait for nobody."""
    open_lines = PriceLine.select(PriceLine.request).where(PriceLine.state == "asked")
    empty = (PriceRequest.state == "asked") & PriceRequest.id.not_in(open_lines)
    PriceRequest.update(state="replaced", decided_by=by, decided_at=now).where(empty).execute()


def waiting() -> list[PriceRequest]:
    """Those nobody has decided, the oldest first."""
    return list(PriceRequest.select().where(PriceRequest.state == "asked").order_by(PriceRequest.id))


def waits(what: str, row_id: int) -> PriceLine | None:
    """The price of that row that waits for a second person."""
    return PriceLine.get_or_none(PriceLine.what == what, PriceLine.row == row_id, PriceLine.state == "asked")


def approve(request_id: int, by: str, now: datetime) -> Decision:
    """From now on they hold; `by` is somebody else than asked. A price that has become another one meanwhile is left as it is."""
    found = PriceRequest.get_or_none(PriceRequest.id == request_id)
    if found is None:
        return Decision.UNKNOWN
    if not by or found.asked_by == by:
        return Decision.SAME_PERSON
    if not _decide(found, Decision.APPROVED, by, now, ""):
        return Decision.DECIDED
    for line in list(_open_lines(found)):
        done = _SETTING[line.what](line, now, by)
        PriceLine.update(state="done" if done else "differs").where(PriceLine.id == line.id).execute()
    return Decision.APPROVED


def refuse(request_id: int, by: str, now: datetime, why: str) -> Decision:
    """They never hold; clinics that were made for them do not take place. Who asked may take it back so."""
    found = PriceRequest.get_or_none(PriceRequest.id == request_id)
    if found is None:
        return Decision.UNKNOWN
    if not _decide(found, Decision.REFUSED, by, now, why):
        return Decision.DECIDED
    refused = [line.row for line in _open_lines(found) if line.what == "clinic"]
    for batch in chunked(refused, ROWS_AT_ONCE):
        Clinic.update(cancelled=True).where(Clinic.id.in_(batch)).execute()
    PriceLine.update(state="refused").where(PriceLine.request == found, PriceLine.state == "asked").execute()
    return Decision.REFUSED


def _decide(found: PriceRequest, decision: Decision, by: str, now: datetime, why: str) -> bool:
    change = PriceRequest.update(state=decision.value, decided_by=by, decided_at=now, why=why)
    return bool(change.where(PriceRequest.id == found.id, PriceRequest.state == "asked").execute())


def _open_lines(found: PriceRequest) -> Any:
    return PriceLine.select().where(PriceLine.request == found, PriceLine.state == "asked").order_by(PriceLine.id)


def _set_doctor(line: PriceLine, _now: datetime, _by: str) -> bool:
    column = COLUMNS[line.what]
    change = {column: line.after_fen} | ({"listed": True} if line.lists else {})
    here = Doctor.update(**change).where(Doctor.id == line.row, getattr(Doctor, column) == (line.before_fen or 0))
    return bool(here.execute())


def _set_drug(line: PriceLine, now: datetime, by: str) -> bool:
    row = Drug.get_or_none(Drug.id == line.row, Drug.price_fen == (line.before_fen or 0))
    if row is None:
        return False
    entry = msgspec.structs.replace(drugs.entry_of(row), price_fen=line.after_fen, listed=row.listed or line.lists)
    drugs.change(row, entry, now, by)
    return True


def _open_clinic(line: PriceLine, _now: datetime, _by: str) -> bool:
    clinic = Clinic.get_or_none(Clinic.id == line.row, ~Clinic.cancelled)
    if clinic is None:
        return False
    Slot.update(state=slots.FREE).where(Slot.clinic == clinic, Slot.state == slots.BLOCKED).execute()
    return True


_SETTING: Mapping[str, Callable[[PriceLine, datetime, str], bool]] = {
    "fee": _set_doctor,
    "consultation": _set_doctor,
    "drug": _set_drug,
    "clinic": _open_clinic,
}
