"""Changes to the lists within a place of a flow: what is said, the keys of a menu, the rows of a branch. Pure, as editing.py."""

from typing import Any

import msgspec

from appliance.ivr import values
from appliance.ivr.editing import NAME_MOST, TEXT_MOST, Edited, Wrong
from appliance.ivr.flow import Flow
from appliance.ivr.nodes import KEYS, AnyNode, Branch, Case, Menu

SAID_MOST, CASES_MOST = 30, 30
SAYING = (
    "say",
    "instruction",
    "invalid",
    "no_input",
    "still_there",
    "filler",
    "saved",
    "limit",
    "too_short",
    "empty",
    "unavailable",
    "waiting",
)
"""Fields that list what is said, the one that callers hear first before the others."""


def saying_fields(node: AnyNode) -> tuple[str, ...]:
    """Those that this kind of node has."""
    return tuple(name for name in SAYING if isinstance(getattr(node, name, None), tuple))


# --- what is said ------------------------------------------------------------------------------------------------------


def say_more(flow: Flow, place: str, field: str, written: str) -> Edited:
    """A prompt's id, or a value such as "{money:balance_fen}", at the end of what is said."""
    said = _said(flow, place, field)
    if isinstance(said, Wrong):
        return said
    if len(said) >= SAID_MOST:
        return Wrong(field, "too_many")
    if wrong := _unsayable(written, field):
        return wrong
    return _with(flow, place, {field: (*said, written)})


def say_less(flow: Flow, place: str, field: str, number: int) -> Edited:
    """Without the one of that number, from 0."""
    said = _said(flow, place, field)
    if isinstance(said, Wrong) or not 0 <= number < len(said):
        return Wrong(field, "unknown")
    return _with(flow, place, {field: (*said[:number], *said[number + 1 :])})


def say_sooner(flow: Flow, place: str, field: str, number: int) -> Edited:
    """The one of that number before the one before it."""
    said = _said(flow, place, field)
    if isinstance(said, Wrong) or not 1 <= number < len(said):
        return Wrong(field, "unknown")
    return _with(flow, place, {field: (*said[: number - 1], said[number], said[number - 1], *said[number + 1 :])})


def _said(flow: Flow, place: str, field: str) -> tuple[str, ...] | Wrong:
    if place not in flow.places:
        return Wrong("place", "unknown")
    node = flow.places[place]
    said: tuple[str, ...] | Wrong = getattr(node, field) if field in saying_fields(node) else Wrong(field, "unknown")
    return said


def _unsayable(written: str, field: str) -> Wrong | None:
    if not written or len(written) > TEXT_MOST:
        return Wrong(field, "too_long" if written else "unknown")
    if written.startswith("{"):
        try:
            values.item(written)
        except ValueError:
            return Wrong(field, "not_understood")
        return None
    return None if values.NAME.fullmatch(written) else Wrong(field, "no_name")


# --- keys of a menu ------------------------------------------------------------------------------------------------------


def add_key(flow: Flow, place: str, key: str = "", exit_name: str = "") -> Edited:
    """One more key (the next free one), with an exit of its own (or that one)."""
    menu = _menu(flow, place)
    if isinstance(menu, Wrong):
        return menu
    key = key or next((one for one in "123456789*#" if one not in menu.keys), "")
    if not key or key in menu.keys:
        return Wrong("keys", "twice" if key else "too_many")
    exit_name = exit_name.strip() or _free_exit(menu, key)
    if wrong := _wrong_key(key) or _wrong_exit(exit_name):
        return wrong
    return _with(flow, place, {"keys": {**menu.keys, key: exit_name}})


def take_key(flow: Flow, place: str, key: str) -> Edited:
    """Without that key, and without its exit unless another key takes it."""
    menu = _menu(flow, place)
    if isinstance(menu, Wrong) or key not in menu.keys:
        return Wrong("keys", "unknown")
    keys = {one: name for one, name in menu.keys.items() if one != key}
    gone = menu.keys[key] not in keys.values() and menu.keys[key] not in menu.NEEDS
    exits = {name: to for name, to in menu.exits.items() if not (gone and name == menu.keys[key])}
    return _with(flow, place, {"keys": keys, "exits": exits})


def change_key(flow: Flow, place: str, key: str, to: str) -> Edited:
    """Another key for the same; of two that are there, each takes what the other did."""
    menu = _menu(flow, place)
    if isinstance(menu, Wrong) or key not in menu.keys:
        return Wrong("keys", "unknown")
    if wrong := _wrong_key(to):
        return wrong
    swapped = {key: to, to: key}
    return _with(flow, place, {"keys": {swapped.get(one, one): name for one, name in menu.keys.items()}})


def key_sooner(flow: Flow, place: str, key: str) -> Edited:
    """What this key does is done by the key listed before it, and the other way round: the keys stay in their order."""
    menu = _menu(flow, place)
    if isinstance(menu, Wrong) or key not in menu.keys:
        return Wrong("keys", "unknown")
    keys = [str(one) for one in menu.keys]
    at = keys.index(key)
    if at == 0:
        return Wrong("keys", "unknown")
    names = list(menu.keys.values())
    names[at - 1], names[at] = names[at], names[at - 1]
    return _with(flow, place, {"keys": dict(zip(keys, names, strict=True))})


def name_key(flow: Flow, place: str, key: str, exit_name: str) -> Edited:
    """Another name for the exit that key takes; it leads where it led."""
    menu, exit_name = _menu(flow, place), exit_name.strip()
    if isinstance(menu, Wrong) or key not in menu.keys:
        return Wrong("keys", "unknown")
    if wrong := _wrong_exit(exit_name):
        return wrong
    before = menu.keys[key]
    keys = {one: exit_name if one == key else name for one, name in menu.keys.items()}
    exits = dict(menu.exits)
    if before in exits:
        exits.setdefault(exit_name, exits[before])
    if before not in keys.values() and before not in menu.NEEDS:
        exits.pop(before, None)
    return _with(flow, place, {"keys": keys, "exits": exits})


def _menu(flow: Flow, place: str) -> Menu | Wrong:
    node = flow.places.get(place)
    return node if isinstance(node, Menu) else Wrong("place", "unknown")


def _free_exit(menu: Menu, key: str) -> str:
    named = {"*": "star", "#": "hash"}.get(key, key)
    return next(name for name in (f"key_{named}", *(f"choice_{number}" for number in range(1, 20))) if name not in menu.keys.values())


def _wrong_key(key: str) -> Wrong | None:
    return None if len(key) == 1 and key in KEYS else Wrong("keys", "unknown")


def _wrong_exit(name: str) -> Wrong | None:
    if len(name) > NAME_MOST:
        return Wrong("exit", "too_long")
    return None if values.NAME.fullmatch(name) else Wrong("exit", "no_name")


# --- rows of a branch ------------------------------------------------------------------------------------------------------


def add_case(flow: Flow, place: str) -> Edited:
    """One more row, with an exit of its own."""
    branch = _branch(flow, place)
    if isinstance(branch, Wrong):
        return branch
    if len(branch.cases) >= CASES_MOST:
        return Wrong("cases", "too_many")
    taken = {case.exit for case in branch.cases}
    free = next(name for number in range(1, CASES_MOST + 2) if (name := f"case_{number}") not in taken)
    return _with(flow, place, {"cases": (*branch.cases, Case(variable="ani", exit=free))})


def take_case(flow: Flow, place: str, number: int) -> Edited:
    """Without that row, from 0, and without its exit unless another row takes it."""
    branch = _branch(flow, place)
    if isinstance(branch, Wrong) or not 0 <= number < len(branch.cases):
        return Wrong("cases", "unknown")
    cases = (*branch.cases[:number], *branch.cases[number + 1 :])
    left = {case.exit for case in cases} | {"otherwise"}
    return _with(flow, place, {"cases": cases, "exits": {name: to for name, to in branch.exits.items() if name in left}})


def case_sooner(flow: Flow, place: str, number: int) -> Edited:
    """That row before the one before it: the first that holds is taken."""
    branch = _branch(flow, place)
    if isinstance(branch, Wrong) or not 1 <= number < len(branch.cases):
        return Wrong("cases", "unknown")
    cases = list(branch.cases)
    cases[number - 1], cases[number] = cases[number], cases[number - 1]
    return _with(flow, place, {"cases": tuple(cases)})


def _branch(flow: Flow, place: str) -> Branch | Wrong:
    node = flow.places.get(place)
    return node if isinstance(node, Branch) else Wrong("place", "unknown")


def _with(flow: Flow, place: str, changes: dict[str, Any]) -> Flow:
    node = msgspec.structs.replace(flow.places[place], **changes)
    return msgspec.structs.replace(flow, places={**flow.places, place: node})
