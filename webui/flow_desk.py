"""What the page on which a draft is edited shows: the graph with its loose exits, the form of the place that is chosen, faults where they
belong. In request threads."""

from collections.abc import Mapping
from typing import Any

import msgspec

from appliance.ivr.actions import ACTIONS
from appliance.ivr.checking import needed_exits
from appliance.ivr.editing import PLAIN_KEY
from appliance.ivr.editing_lists import saying_fields
from appliance.ivr.fault import FlowFault
from appliance.ivr.flow import PERSON, Flow
from appliance.ivr.nodes import KINDS, Act, AnyNode, Branch, Keyed, Menu
from appliance.ivr.paths import SERVICES
from appliance.ivr.prompts.catalogue import Lang
from appliance.ivr.values import ALONE
from webui import flow_forms, flow_prompts, flow_words
from webui.flow_graph import Drawing, draw_apart
from webui.flow_prompts import Texts
from webui.flow_words import Shown
from webui.shared import say

PALETTE = (
    ("speak", ("say", "menu", "ask_digits", "ask_yes_no", "language")),
    ("people", ("transfer", "queue", "leave_message", "record")),
    ("ways", ("branch", "time_of_day", "action", "sub_flow", "send")),
    ("ends", ("hang_up", "return")),
)


class ExitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One exit of the chosen place. `key`: of a menu's, the key that takes it. `to`: "" leads nowhere; of the key 0, the flow's person."""

    name: str
    to: str
    key: str = ""
    is_needed: bool = True
    is_own: bool = False


class SaidRow(msgspec.Struct, frozen=True):
    """One thing that is said: as written, its texts, and the version of its sound that callers hear, where there is one."""

    written: str
    texts: Texts
    is_value: bool
    numbers: Mapping[Lang, int]


def page_of(shown: Shown, place: str, field: str, wanted: str) -> dict[str, Any]:
    """`place`: the chosen one, "" for the flow itself; `field`, `wanted`: prompts that are searched for."""
    flow = shown.flow
    assert flow is not None
    chosen = place if place in flow.places else ""
    by_place: dict[str, list[FlowFault]] = {}
    for fault in shown.faults:
        if fault.flow == shown.name:
            by_place.setdefault(fault.place, []).append(fault)
    told: dict[str, Any] = {
        "drawing": drawing(shown, flow),
        "places": flow_words.places(flow),
        "faults_by_place": by_place,
        "faults": shown.faults,
        "palette": PALETTE,
        "kinds": tuple(KINDS),
        "chosen": chosen,
        "services": SERVICES,
        "outer_entries": _outer_entries(shown),
    }
    return told | (_place(shown, flow, chosen, by_place.get(chosen, []), field, wanted) if chosen else {})


def drawing(shown: Shown, flow: Flow) -> Drawing:
    ways = {place: node.exits for place, node in flow.places.items()}
    loose = {place: [name for name in _needed(shown, node) if name not in node.exits] for place, node in flow.places.items()}
    moved = {place: node.at for place, node in flow.places.items() if node.at}
    return draw_apart(ways, tuple(flow.entries.values()), loose, moved)


def _needed(shown: Shown, node: AnyNode) -> tuple[str, ...]:
    return needed_exits(node, shown.flows) or ()


def _outer_entries(shown: Shown) -> list[str]:
    """Names by which other flows go into this one."""
    return sorted({entry for _, _, entry in flow_words.calls(shown.flows, shown.name)})


def _place(shown: Shown, flow: Flow, place: str, faults: list[FlowFault], field: str, wanted: str) -> dict[str, Any]:
    node = flow.places[place]
    fields = saying_fields(node)
    exits = exit_rows(shown, node)
    marks: dict[str, list[FlowFault]] = {}
    for fault in faults:
        marks.setdefault(fault.field, []).append(fault)
    controls = flow_forms.controls(node, shown.flows)
    drawn = {*(control.name for control in controls), *fields, *(f"exits.{row.name}" for row in exits), "keys", "cases", PERSON}
    prompts = flow_prompts.here()
    return {
        "node": node,
        "kind": flow_words.kind_of(node),
        "controls": controls,
        "what": ACTIONS[node.action].what if isinstance(node, Act) and node.action in ACTIONS else "",
        "marks": marks,
        "unmarked": [fault for name, found in marks.items() if name not in drawn for fault in found],
        "said": {name: [_said(prompts, written) for written in getattr(node, name)] for name in fields},
        "exits": exits,
        "cases": node.cases if isinstance(node, Branch) else (),
        "known": flow_forms.known_at(shown.flows, flow, place),
        "value_kinds": flow_forms.value_kinds(),
        "alone_kinds": tuple(ALONE),
        "person": _person(node) if isinstance(node, Keyed) and not _has_zero(node) else None,
        "plain_key": PLAIN_KEY,
        "searched": field,
        "wanted": wanted,
        "found": [(*one, prompts.sounds(one[0])) for one in prompts.find(wanted)] if wanted.strip() else [],
        "reached": flow_words.reached_from(shown.flows, flow, place),
    }


def _has_zero(node: AnyNode) -> bool:
    return isinstance(node, Menu) and "0" in node.keys


def _person(node: Keyed) -> str:
    return "" if node.person is None else node.person or PLAIN_KEY


def exit_rows(shown: Shown, node: AnyNode) -> list[ExitRow]:
    """Of a menu's keys in their order, then the others that must lead somewhere, those that may be left out, and what is no exit."""
    needed = _needed(shown, node)
    keys = node.keys.items() if isinstance(node, Menu) else ()
    keyed = [ExitRow(name=name, to=node.exits.get(name, ""), key=str(key)) for key, name in keys]
    taken = {row.name for row in keyed}
    others = [ExitRow(name=name, to=node.exits.get(name, "")) for name in needed if name not in taken]
    may = [ExitRow(name=name, to=node.exits.get(name, ""), is_needed=False) for name in node.MAY]
    known = {*needed, *node.MAY}
    extra = [ExitRow(name=name, to=to, is_needed=False, is_own=True) for name, to in node.exits.items() if name not in known]
    return [*keyed, *others, *may, *extra]


def _said(prompts: flow_prompts.Prompts, written: str) -> SaidRow:
    if written.startswith("{"):
        return SaidRow(written, {}, True, {})
    return SaidRow(written, prompts.texts(written), False, prompts.sounds(written))


def wrong_words(field: str, why: str) -> str:
    """What of a wish will not do, in the reader's language."""
    return say(f"edit_wrong.{why}", field=field)


def form_of(form: Mapping[str, str]) -> dict[str, str]:
    """What was filled in, without what every form has."""
    return {name: value for name, value in form.items() if name not in ("csrf", "saved", "do")}
