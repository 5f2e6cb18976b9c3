"""What callers are told: drugs and notices. In request threads, inside the view's transaction."""

from collections.abc import Mapping
from typing import Any

from appliance.hospital import prices
from appliance.hospital.registry import drugs, notices
from appliance.hospital.registry.drugs import DrugEntry
from appliance.hospital.registry.field_fault import Refused
from appliance.store.hospital_tables import Drug, Notice
from webui.fields import Field, flag, yuan
from webui.shared import me, shared
from webui.subjects.subject import Subject, Values, texts_of, two


def _drugs(text: str) -> Any:
    query = Drug.select().order_by(Drug.number)
    return query.where((Drug.number == text) | Drug.name_zh.contains(text) | Drug.name_en.contains(text)) if text else query


def _drug(row: Drug) -> Values:
    names = [f"{name}_{language}" for name in ("name", "use", "caution", "unit") for language in ("zh", "en")]
    return texts_of(row, "number", *names) | {"price": yuan(row.price_fen), "listed": flag(row.listed)}


def _save_drug(entry: DrugEntry, row_id: int | None) -> Drug | Refused:
    """Likewise."""
    now = shared().clock.now()
    if not shared().config.hospital.four_eyes.drug_prices:
        return drugs.save(entry, now, row_id, me().name)
    kept, held = prices.hold_back(entry, prices.DRUG, Drug.get_or_none(Drug.id == row_id))
    outcome = drugs.save(kept, now, row_id, me().name)
    if isinstance(outcome, Drug):
        prices.ask(held, prices.FORM, me().name, now, outcome.id)
    return outcome


DRUGS = Subject(
    name="drugs",
    icon="pill",
    fields=(
        Field(name="number", kind="digits", most=8, required=True),
        Field(name="price", kind="money", most=12, required=True),
        *two("name", most=128, required=True),
        *two("unit", most=32),
        *two("use", "area", drugs.TEXT_MOST),
        *two("caution", "area", drugs.TEXT_MOST),
        Field(name="listed", kind="flag"),
    ),
    columns=("number", "name_zh", "name_en", "unit_zh", "price", "listed"),
    table=Drug,
    found=_drugs,
    values=_drug,
    read=drugs.read,
    save=_save_drug,
    fresh={"listed": "yes"},
)


def _notices(text: str) -> Any:
    query = Notice.select().order_by(Notice.kind, Notice.position, Notice.id)
    return query.where(Notice.title_zh.contains(text) | Notice.title_en.contains(text)) if text else query


def _notice(row: Notice) -> Values:
    starts = shared().local(row.starts_at).strftime("%Y-%m-%dT%H:%M")
    ends = shared().local(row.ends_at).strftime("%Y-%m-%dT%H:%M") if row.ends_at else ""
    texts = texts_of(row, "kind", "title_zh", "title_en", "text_zh", "text_en", "position")
    return texts | {"starts_at": starts, "ends_at": ends, "open": flag(row.open)}


def _read_notice(given: Mapping[str, str]) -> notices.NoticeEntry | Refused:
    return notices.read(given, shared().clock.now(), shared().zone)


NOTICES = Subject(
    name="notices",
    icon="speakerphone",
    fields=(
        Field(name="kind", kind="choice", choices=notices.KINDS),
        Field(name="position", kind="number", most=4),
        *two("title", most=128, required=True),
        *two("text", "area", notices.TEXT_MOST),
        Field(name="starts_at", kind="datetime-local"),
        Field(name="ends_at", kind="datetime-local"),
        Field(name="open", kind="flag"),
    ),
    columns=("kind", "title_zh", "title_en", "starts_at", "ends_at", "open"),
    table=Notice,
    found=_notices,
    values=_notice,
    read=_read_notice,
    save=lambda entry, row_id: notices.save(entry, shared().clock.now(), row_id, me().name),
    fresh={"open": "yes", "position": "0"},
)
