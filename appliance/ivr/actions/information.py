"""Actions on what the hospital tells: its items (each may be closed at any time), drugs by number, and how far they were listened to."""

from typing import Any

from appliance.hospital.registry import drugs, notices
from appliance.hospital.registry.listed import listed_kinds
from appliance.ivr.actions.action import Action, ActionCall, ActionResult, Value
from appliance.ivr.actions.choosing import SHOWN, page_asked, shown
from appliance.ivr.listing import page, row, rows
from appliance.store.hospital_tables import Drug, Listening, Notice

OWN = {"introduction": "hospital_introduction", "visiting": "visiting_advice", "health": "health_advice"}
"""What is said of a kind as long as the hospital has written nothing of it: prompts."""
ITEMS = {
    "doctors": "item_doctors",
    "drugs": "item_drugs",
    "notice": "item_notices",
    "introduction": "item_introduction",
    "opening_hours": "item_opening_hours",
    "visiting": "item_visiting",
    "health": "item_health",
    "sponsored": "item_new_drugs",
}
MISSES_MOST = 3


async def information_items(call: ActionCall) -> ActionResult:
    """What there is to be heard now, in its order, without gaps."""
    now = call.means.now()

    def look() -> list[str]:
        running, written = notices.kinds_of(now)
        listed = listed_kinds()
        return [item for item in ITEMS if _is_open(item, call, running | listed, written)]

    found = await call.means.read(look)
    return ActionResult("found", {"items": " ".join(found), "item_choices": rows(row(("prompt", ITEMS[item])) for item in found)})


def _is_open(item: str, call: ActionCall, there: set[str], written: set[str]) -> bool:
    """`there`: kinds of which something is heard now; `written`: kinds the hospital wrote notices of, whose words go before ours."""
    if item == "sponsored" and not call.hospital.sponsored:
        return False
    return item in there or item == "opening_hours" or (item in OWN and item not in written)


async def items_of(call: ActionCall) -> ActionResult:
    """What is open of a kind: one thing, several to choose from, the program's own words, or nothing any more."""
    kind, now = call.text("kind"), call.means.now()

    def look() -> tuple[list[Notice], bool]:
        running, written = notices.kinds_of(now)
        return notices.heard_now(now, kind) if kind in running else [], kind in OWN and kind not in written

    found, own = await call.means.read(look)
    if not found:
        return ActionResult("own", {"own_prompt": OWN[kind]}) if own else ActionResult("none")
    number = page_asked(call)
    titles = [(str(notice.id), row(("text", _in(notice, "title", call)))) for notice in found]
    listed = shown(page(titles, number), number, "notices", "notice_choices")
    return ActionResult("several" if len(found) > 1 else "one", {**listed, "notice": str(found[0].id)})


async def notice_text(call: ActionCall) -> ActionResult:
    """What an item says now."""
    now, wanted = call.means.now(), call.number("notice")
    found = await call.means.read(lambda: next((notice for notice in notices.heard_now(now) if notice.id == wanted), None))
    if found is None:
        return ActionResult("closed")
    lead = ("prompt", "sponsored_content" if found.kind == "sponsored" else "")
    said = rows([row(lead), row(("text", _in(found, "title", call))), row(("text", _in(found, "text", call)))])
    return ActionResult("found", {"said": said, "heard_item": f"notice {found.id}", "heard_version": found.version})


async def find_drug(call: ActionCall) -> ActionResult:
    """A drug by the number on its bag: name, use, caution, price. After three misses a person."""
    number, misses = call.text("drug_number"), int(call.inputs.get("misses", 0)) + 1
    found, near = await call.means.read(lambda: (drugs.by_number(number), drugs.nearest(number, 1)))
    if found is not None:
        item: dict[str, Value] = {"heard_item": f"drug {found.number}", "heard_version": found.version}
        return ActionResult("found", {"said": _drug_said(found, call), **item, "misses": 0})
    if misses >= MISSES_MOST:
        return ActionResult("lost", {"misses": 0})
    if near:
        return ActionResult("near", {"near_number": near[0].number, "near_name": _in(near[0], "name", call), "misses": misses})
    return ActionResult("unknown", {"misses": misses})


def _drug_said(drug: Drug, call: ActionCall) -> str:
    use, caution = _in(drug, "use", call), _in(drug, "caution", call)
    lines = [
        row(("prompt", "drug_is"), ("text", _in(drug, "name", call))),
        row(("prompt", "drug_use_is"), ("text", use)) if use else "",
        row(("prompt", "drug_caution_is"), ("text", caution)) if caution else "",
        row(("prompt", "drug_price_is"), ("money", drug.price_fen), ("text", _in(drug, "unit", call))),
        row(("prompt", "drug_ask_doctor")),
    ]
    return rows(lines)


def _in(thing: Any, field: str, call: ActionCall) -> str:
    """A text of it in the call's language."""
    return str(getattr(thing, f"{field}_{call.language}"))


async def listened(call: ActionCall) -> ActionResult:
    """Counted: an item in the version that was read, to the end or not."""
    columns = {
        "once_key": call.once_key,
        "at": call.means.now(),
        "call": call.call_id,
        "item": call.text("heard_item"),
        "version": call.number("heard_version"),
        "language": call.language,
        "whole": call.text("whole") == "yes",
    }
    await call.means.transact(lambda: Listening.insert(columns).on_conflict_ignore().execute())
    return ActionResult("counted")


ACTIONS = (
    Action(
        name="information_items",
        what="What can be heard now: {choices:item_choices}",
        exits={"found": ("items", "item_choices")},
        run=information_items,
    ),
    Action(
        name="items_of",
        what="What is open of a kind (notice, introduction, visiting, health, sponsored): {choices:notice_choices} {list:more}",
        exits={
            "one": ("notices", "notice_choices", "notice", *SHOWN),
            "several": ("notices", "notice_choices", "notice", *SHOWN),
            "own": ("own_prompt",),
            "none": (),
        },
        run=items_of,
        inputs=("kind",),
        optional=("page",),
    ),
    Action(
        name="notice_text",
        what="What one of them says: {list:said}",
        exits={"found": ("said", "heard_item", "heard_version"), "closed": ()},
        run=notice_text,
        inputs=("notice",),
    ),
    Action(
        name="find_drug",
        what="A drug by number: {list:said}; after three misses a person",
        exits={
            "found": ("said", "heard_item", "heard_version", "misses"),
            "near": ("near_number", "near_name", "misses"),
            "unknown": ("misses",),
            "lost": ("misses",),
        },
        run=find_drug,
        inputs=("drug_number",),
        optional=("misses",),
    ),
    Action(
        name="listened",
        what="Counts that an item was listened to; whole: yes or no",
        exits={"counted": ()},
        run=listened,
        inputs=("heard_item", "heard_version", "whole"),
    ),
)
