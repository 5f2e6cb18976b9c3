"""Changes to a flow, one at a time, as the flow page asks for them: places added, connected, named, moved, taken away, their fields set.

Pure: each gives a new flow, or says what of the wish will not do. A flow may be unfinished in between; what is wrong with it is for
the checker to tell. Lists within a place (what is said, keys, cases) are in editing_lists.py.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

import msgspec

from appliance.ivr import values
from appliance.ivr.checking import needed_exits
from appliance.ivr.flow import MAIN, PERSON, Flow, FlowSet
from appliance.ivr.nodes import KINDS, Act, AnyNode, Keyed, Queue, SubFlow, Transfer

PLACES_MOST = 300
NAME_MOST, TITLE_MOST, TEXT_MOST = 40, 60, 500
FAR_MOST = 20_000
"""How far from the corner a place may be drawn, in pixels."""
PLAIN_KEY = "-"
"""Instead of a place for the exit `person`: 0 is a key as any other."""
_BEGINNINGS: Mapping[str, Mapping[str, Any]] = {
    "say": {"say": []},
    "menu": {"say": [], "keys": {}},
    "ask_digits": {"say": [], "max": 6},
    "ask_yes_no": {"say": []},
    "action": {"action": ""},
    "branch": {"cases": []},
    "record": {"variable": ""},
    "send": {"channel": "sms", "to": "{ani}", "text": {}},
    "sub_flow": {"flow": ""},
}


class Wrong(msgspec.Struct, frozen=True):
    """Nothing was changed. `field`: what of the wish will not do, as the checker names fields; `why`: a word for it."""

    field: str
    why: str


Edited = Flow | Wrong
Added = tuple[Flow, str]
"""The flow, and the name of the place that is new."""


def empty(name: str) -> Flow:
    """A flow to begin with."""
    return Flow(flow=name, entries={}, places={})


# --- places ------------------------------------------------------------------------------------------------------------


def add(flow: Flow, kind: str, source: str = "", exit_name: str = "") -> Added | Wrong:
    """A new place of that kind; the exit of `source`, if one is named, leads to it. The first place is where calls begin, and the first
    person the one that 0 leads to."""
    if kind not in KINDS:
        return Wrong("kind", "unknown")
    if len(flow.places) >= PLACES_MOST:
        return Wrong("kind", "too_many")
    name = _free_name(flow, kind)
    node: AnyNode = msgspec.convert({"kind": kind, **_BEGINNINGS.get(kind, {})}, AnyNode)
    grown = _with(flow, name, node)
    if not flow.entries:
        grown = msgspec.structs.replace(grown, entries={MAIN if flow.flow == MAIN else "begin": name})
    if not flow.person and isinstance(grown.places[name], Transfer | Queue):
        grown = msgspec.structs.replace(grown, person=name)
    connected = connect(grown, source, exit_name, name) if source else grown
    return connected if isinstance(connected, Wrong) else (connected, name)


def copy(flow: Flow, place: str) -> Added | Wrong:
    """A place like it, with the same exits."""
    if place not in flow.places:
        return Wrong("place", "unknown")
    if len(flow.places) >= PLACES_MOST:
        return Wrong("place", "too_many")
    node = flow.places[place]
    name = _free_name(flow, str(node.__struct_config__.tag))
    return _with(flow, name, msgspec.structs.replace(node, at=None)), name


def delete(flow: Flow, place: str) -> Edited:
    """Without that place; what led there leads nowhere."""
    if place not in flow.places:
        return Wrong("place", "unknown")
    left = {name: _without_ways_to(node, place) for name, node in flow.places.items() if name != place}
    entries = {name: to for name, to in flow.entries.items() if to != place}
    return msgspec.structs.replace(flow, places=left, entries=entries, person="" if flow.person == place else flow.person)


def rename(flow: Flow, place: str, name: str) -> Edited:
    """Whatever leads there leads to the new name."""
    name = name.strip()
    if place not in flow.places:
        return Wrong("place", "unknown")
    if wrong := _wrong_name(name, "name"):
        return wrong
    if name == place:
        return flow
    if name in flow.places:
        return Wrong("name", "twice")
    places = {name if at == place else at: _leading_to(node, place, name) for at, node in flow.places.items()}
    entries = {entry: name if to == place else to for entry, to in flow.entries.items()}
    return msgspec.structs.replace(flow, places=places, entries=entries, person=name if flow.person == place else flow.person)


def _without_ways_to(node: AnyNode, place: str) -> AnyNode:
    kept = msgspec.structs.replace(node, exits={name: to for name, to in node.exits.items() if to != place})
    return msgspec.structs.replace(kept, person=None) if isinstance(kept, Keyed) and kept.person == place else kept


def _leading_to(node: AnyNode, place: str, name: str) -> AnyNode:
    moved = msgspec.structs.replace(node, exits={exit_name: name if to == place else to for exit_name, to in node.exits.items()})
    return msgspec.structs.replace(moved, person=name) if isinstance(moved, Keyed) and moved.person == place else moved


def _free_name(flow: Flow, kind: str) -> str:
    return next(name for number in range(1, PLACES_MOST + 2) if (name := f"{kind}_{number}") not in flow.places)


# --- exits and entries ---------------------------------------------------------------------------------------------------


def connect(flow: Flow, place: str, exit_name: str, to: str) -> Edited:
    """Lead an exit to a place, or nowhere (`to` empty). The exit `person` is the key 0: empty is the flow's person, "-" none."""
    if place not in flow.places:
        return Wrong("place", "unknown")
    if not exit_name.strip() or len(exit_name) > NAME_MOST or _has_control(exit_name):
        return Wrong("exit", "no_name")
    if to and to not in flow.places and not (exit_name == PERSON and to == PLAIN_KEY):
        return Wrong(f"exits.{exit_name}", "unknown")
    node = flow.places[place]
    if exit_name == PERSON and isinstance(node, Keyed):
        return _with(flow, place, msgspec.structs.replace(node, person={"": None, PLAIN_KEY: ""}.get(to, to)))
    ways = {name: there for name, there in node.exits.items() if name != exit_name or to}
    return _with(flow, place, msgspec.structs.replace(node, exits={**ways, exit_name: to} if to else ways))


def set_entry(flow: Flow, entry: str, to: str) -> Edited:
    """Begin at that place under that name; `to` empty: not any more."""
    entry = entry.strip()
    if wrong := _wrong_name(entry, "entry"):
        return wrong
    if to and to not in flow.places:
        return Wrong("to", "unknown")
    kept = {name: there for name, there in flow.entries.items() if name != entry or to}
    return msgspec.structs.replace(flow, entries={**kept, entry: to} if to else kept)


# --- fields ------------------------------------------------------------------------------------------------------------


def set_fields(flow: Flow, place: str, changes: Mapping[str, Any], flows: FlowSet) -> Edited:
    """Fields of a place as they are written in its text; None: as if it was not written. Exits that an action or a flow does not have
    are taken away when it is exchanged."""
    if place not in flow.places:
        return Wrong("place", "unknown")
    if wrong := _unfit(changes):
        return wrong
    before = flow.places[place]
    written = {name: value for name, value in {**msgspec.to_builtins(before), **changes}.items() if value is not None}
    try:
        node: AnyNode = msgspec.convert(written, type(before), strict=False)
    except msgspec.ValidationError as error:
        return Wrong(_field_of(error), "not_understood")
    return _with(flow, place, _pruned(before, node, flows))


def set_flow(flow: Flow, changes: Mapping[str, Any]) -> Edited:
    """The flow's own title, note, person and needs."""
    if wrong := _unfit(changes):
        return wrong
    if changes.get("person") and changes["person"] not in flow.places:
        return Wrong("person", "unknown")
    if bad := next((name for name in changes.get("needs", ()) if not values.NAME.fullmatch(name)), None):
        return _wrong_name(bad, "needs") or Wrong("needs", "no_name")
    return msgspec.structs.replace(flow, **{name: tuple(value) if name == "needs" else value for name, value in changes.items()})


def _pruned(before: AnyNode, node: AnyNode, flows: FlowSet) -> AnyNode:
    of = (getattr(before, "action", ""), getattr(before, "flow", ""))
    if not isinstance(node, Act | SubFlow) or of == (getattr(node, "action", ""), getattr(node, "flow", "")):
        return node
    needs = needed_exits(node, flows) or ()
    bare = msgspec.structs.replace(node, exits={name: to for name, to in node.exits.items() if name in needs})
    return msgspec.structs.replace(bare, inputs={}, outputs={}) if isinstance(bare, Act) else bare


def _field_of(error: msgspec.ValidationError) -> str:
    """`title.zh` of "Expected `str` - at `$.title.zh`"."""
    return str(error).rpartition("`$.")[2].rstrip("`") if "`$." in str(error) else ""


def _unfit(value: Any, field: str = "", most: int = TEXT_MOST) -> Wrong | None:
    """The first text that is too long or has control characters."""
    if isinstance(value, Mapping):
        named = [(f"{field}.{key}" if field else str(key), key, each) for key, each in value.items()]
        found = (_unfit(str(key), name, NAME_MOST) or _unfit(each, name, _most(name)) for name, key, each in named)
        return next(filter(None, found), None)
    if isinstance(value, list | tuple):
        return next(filter(None, (_unfit(each, f"{field}.{place}", most) for place, each in enumerate(value))), None)
    if not isinstance(value, str):
        return None
    if len(value) > most:
        return Wrong(field, "too_long")
    return Wrong(field, "control") if _has_control(value) else None


def _most(field: str) -> int:
    return TITLE_MOST if field.startswith("title.") else TEXT_MOST


# --- where it is drawn ---------------------------------------------------------------------------------------------------


def move(flow: Flow, place: str, x: int, y: int) -> Edited:
    """Draw it there: its upper left corner, in pixels."""
    if place not in flow.places:
        return Wrong("place", "unknown")
    if not (0 <= x <= FAR_MOST and 0 <= y <= FAR_MOST):
        return Wrong("at", "too_far")
    return _with(flow, place, msgspec.structs.replace(flow.places[place], at=(x, y)))


def arrange(flow: Flow) -> Flow:
    """Everything drawn where it best fits."""
    return msgspec.structs.replace(flow, places={place: msgspec.structs.replace(node, at=None) for place, node in flow.places.items()})


# --- common ------------------------------------------------------------------------------------------------------------


def _with(flow: Flow, place: str, node: AnyNode) -> Flow:
    return msgspec.structs.replace(flow, places={**flow.places, place: node})


def _wrong_name(name: str, field: str) -> Wrong | None:
    if len(name) > NAME_MOST:
        return Wrong(field, "too_long")
    return None if values.NAME.fullmatch(name) else Wrong(field, "no_name")


def _has_control(text: str) -> bool:
    """Also marks that turn the direction of what follows, and halves of characters, which no file can hold."""
    return any(unicodedata.category(letter) in ("Cc", "Cs", "Cf") and letter not in "\n\u200d\u200c" for letter in text)
