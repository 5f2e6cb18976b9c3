"""Drugs by the number on their bag. Every change of what is said makes a new version. Inside the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime
from itertools import product

import msgspec

from appliance.hospital.registry import spoken
from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.unique import fields_of, is_taken
from appliance.store.hospital_tables import Drug

TEXT_MOST = 400
SPOKEN = ("name_zh", "name_en", "use_zh", "use_en", "caution_zh", "caution_en", "unit_zh", "unit_en", "price_fen")


class DrugEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A drug as filled in: columns of `Drug` by name. `unit`: what the price is for (a box)."""

    number: str
    name_zh: str
    name_en: str
    use_zh: str = ""
    use_en: str = ""
    caution_zh: str = ""
    caution_en: str = ""
    unit_zh: str = ""
    unit_en: str = ""
    price_fen: int
    listed: bool = True


def read(given: Mapping[str, str]) -> DrugEntry | Refused:
    """Check a form: the fields of DrugEntry, the price in yuan under `price`."""
    form = Form(given)
    entry = DrugEntry(
        number=form.digits("number", 1, 8),
        name_zh=form.text("name_zh", required=True),
        name_en=form.text("name_en", 128, required=True),
        use_zh=form.text("use_zh", TEXT_MOST, lines=True),
        use_en=form.text("use_en", TEXT_MOST * 3, lines=True),
        caution_zh=form.text("caution_zh", TEXT_MOST, lines=True),
        caution_en=form.text("caution_en", TEXT_MOST * 3, lines=True),
        unit_zh=form.text("unit_zh", 16),
        unit_en=form.text("unit_en", 32),
        price_fen=form.money_fen("price", required=True),
        listed=form.flag("listed", default=True),
    )
    return form.refusal or entry


def entry_of(row: Drug) -> DrugEntry:
    return DrugEntry(**fields_of(row, *SPOKEN, "number", "listed"))


def save(entry: DrugEntry, now: datetime, row_id: int | None = None, by: str = "") -> Drug | Refused:
    """Make a drug, or change the one of `row_id`; a caller who hears it now hears the old one to the end."""
    if is_taken(Drug.number, entry.number, row_id):
        return refused("number", "duplicate", value=entry.number)
    if row_id is None:
        row = Drug.create(**msgspec.structs.asdict(entry), changed_at=now)
        spoken.keep(f"drug {entry.number}", 1, fields_of(entry, *SPOKEN), now, by)
        return row
    return change(Drug.get_by_id(row_id), entry, now, by)


def change(row: Drug, entry: DrugEntry, now: datetime, by: str = "") -> Drug:
    """Bring a drug up to date; the version rises when what is said changed. The number must be nobody else's."""
    columns = msgspec.structs.asdict(entry)
    item = f"drug {entry.number}"
    if fields_of(row, *SPOKEN) != fields_of(entry, *SPOKEN) or row.number != entry.number:
        columns |= {"version": row.version + 1, "changed_at": now}
        spoken.keep(item, row.version + 1, fields_of(entry, *SPOKEN), now, by)
    Drug.update(**columns).where(Drug.id == row.id).execute()
    return Drug.get_by_id(row.id)


def by_number(number: str) -> Drug | None:
    """The drug callers may ask for under that number."""
    return Drug.get_or_none(Drug.number == number, Drug.listed)


def nearest(number: str, most: int = 3) -> list[Drug]:
    """Drugs whose number differs by one key that was wrong, left out, doubled or swapped with its neighbour."""
    slips = _slips(number[:8]) - {number}
    return list(Drug.select().where(Drug.number.in_(sorted(slips)), Drug.listed).order_by(Drug.number).limit(most))


def _slips(number: str) -> set[str]:
    places = range(len(number))
    wrong = {number[:n] + digit + number[n + 1 :] for n, digit in product(places, "0123456789")}
    left_out = {number[:n] + digit + number[n:] for n, digit in product(range(len(number) + 1), "0123456789")}
    doubled = {number[:n] + number[n + 1 :] for n in places}
    swapped = {number[:n] + number[n + 1] + number[n] + number[n + 2 :] for n in places[:-1]}
    return {slip for slip in wrong | left_out | doubled | swapped if 0 < len(slip) <= 8}
