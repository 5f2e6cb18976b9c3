"""The form of each kind of place: which fields it has, what may be chosen, and a filled-in form as the place's text has it. Pure.

A field's label is the text `flow_field.<name>`, its choices are texts `flow_choice.<value>` unless they bring labels of their own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from appliance.ivr import values
from appliance.ivr.actions import ACTIONS
from appliance.ivr.assignment import Assignment
from appliance.ivr.editing import Wrong
from appliance.ivr.flow import ALWAYS_SET, Flow, FlowSet
from appliance.ivr.nodes import (
    KEYS,
    Act,
    AnyNode,
    AskDigits,
    AskYesNo,
    Branch,
    Case,
    Keyed,
    Queue,
    Record,
    Return,
    Say,
    Send,
    SubFlow,
    Transfer,
)
from appliance.ivr.nodes import Language as LanguageNode
from appliance.ivr.prompts.catalogue import LANGS

Kind = Literal["text", "number", "area", "choice", "flag"]
VALUES_LIST, PLACES_LIST = "known-values", "known-places"


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the form. `choices`: value and label; an empty label is the text of the value. `suggested`: id of a list of what may be
    typed. `redraws`: the form has other fields when it changes."""

    name: str
    value: str = ""
    kind: Kind = "text"
    most: int = 60
    choices: tuple[tuple[str, str], ...] = ()
    suggested: str = ""
    redraws: bool = False
    label: str = ""


def controls(node: AnyNode, flows: FlowSet) -> list[Control]:
    """The fields of a place, beside its exits and what it says."""
    titles = [Control(name=f"title.{lang}", value=node.title.get(lang, "")) for lang in LANGS]
    return [*titles, *_of_kind(node, flows), Control(name="note", value=node.note, kind="area", most=500)]


def _of_kind(node: AnyNode, flows: FlowSet) -> Iterator[Control]:
    match node:
        case Say():
            yield Control(name="barge_in", value=_flag(node.barge_in), kind="flag")
        case AskDigits():
            yield Control(name="secret", value=_flag(node.secret), kind="flag", redraws=True)
            name, kept = ("kept_as", node.kept_as) if node.secret else ("variable", node.variable)
            yield Control(name=name, value=kept, most=40)
            yield Control(name="min", value=str(node.min), kind="number", most=2)
            yield Control(name="max", value=str(node.max), kind="number", most=2)
            yield Control(name="pattern", value=node.pattern)
        case AskYesNo():
            yield Control(name="yes", value=node.yes, kind="choice", choices=tuple((key, key) for key in KEYS))
            yield Control(name="no", value=node.no, kind="choice", choices=tuple((key, key) for key in KEYS))
        case Act():
            yield from _action(node)
        case Record():
            yield Control(name="variable", value=node.variable, most=40)
            yield Control(name="max_s", value=str(node.max_s), kind="number", most=4)
        case Transfer():
            yield Control(name="at_once", value=_flag(node.at_once), kind="flag")
            yield Control(name="group", value=node.group, most=40)
            yield Control(name="channel", value=str(node.channel or ""), kind="number", most=5)
            yield Control(name="number", value=node.number, most=40)
        case Queue():
            yield Control(name="group", value=node.group, most=40)
            yield Control(name="pause_s", value=str(node.pause_s), kind="number", most=3)
            yield Control(name="limit_s", value=str(node.limit_s), kind="number", most=5)
        case Send():
            yield Control(name="channel", value=node.channel, kind="choice", choices=(("sms", ""), ("fax", "")))
            yield Control(name="to", value=node.to, suggested=VALUES_LIST)
            yield from (Control(name=f"text.{lang}", value=node.text.get(lang, ""), kind="area", most=500) for lang in LANGS)
        case LanguageNode():
            yield Control(name="to", value=node.to or "", kind="choice", choices=(("", ""), *((lang, "") for lang in LANGS)))
        case SubFlow():
            yield from _sub_flow(node, flows)
        case Return():
            yield Control(name="exit", value=node.exit, most=40)
        case _:
            pass
    if isinstance(node, Keyed):
        yield Control(name="tries", value="" if node.tries is None else str(node.tries), kind="number", most=2)


def _action(node: Act) -> Iterator[Control]:
    named = tuple((name, name) for name in sorted(ACTIONS))
    yield Control(name="action", value=node.action, kind="choice", choices=(("", ""), *named), redraws=True)
    action = ACTIONS.get(node.action)
    if action is None:
        return
    for name in (*action.inputs, *action.optional):
        yield Control(name=f"inputs.{name}", value=node.inputs.get(name, ""), suggested=VALUES_LIST, label=name)
    for name in sorted({name for given in action.exits.values() for name in given}):
        yield Control(name=f"outputs.{name}", value=node.outputs.get(name, ""), most=40, label=name)


def _sub_flow(node: SubFlow, flows: FlowSet) -> Iterator[Control]:
    named = tuple((name, name) for name in flows.flows)
    yield Control(name="flow", value=node.flow, kind="choice", choices=(("", ""), *named), redraws=True)
    inner = flows.flows.get(node.flow)
    entries = tuple((name, name) for name in inner.entries) if inner else ()
    unknown = () if node.entry in dict(entries) else ((node.entry, node.entry),)
    yield Control(name="entry", value=node.entry, kind="choice", choices=(*unknown, *entries))


def _flag(value: bool) -> str:
    return "yes" if value else ""


# --- a form that was filled in -------------------------------------------------------------------------------------------


def typed(node: AnyNode, form: Mapping[str, str]) -> dict[str, Any] | Wrong:
    """Fields of a place as its text has them. A flag that is not in the form is no; what has a default and is empty is left to it."""
    changes: dict[str, Any] = {}
    for control in controls(node, FlowSet({})):
        given = form.get(control.name, "" if control.kind == "flag" else None)
        if given is None:
            continue
        _put(changes, node, control, given.strip())
    if isinstance(node, AskDigits):
        changes["variable" if changes.get("secret") else "kept_as"] = ""
    if isinstance(node, Branch):
        changes["cases"] = [_case(case, form, number) for number, case in enumerate(node.cases)]
    return changes


def _put(changes: dict[str, Any], node: AnyNode, control: Control, given: str) -> None:
    outer, dot, inner = control.name.partition(".")
    if dot:
        table = changes.setdefault(outer, {})
        if given:
            table[inner] = given
    elif control.kind == "flag":
        changes[control.name] = bool(given)
    elif control.kind == "number" or (isinstance(node, LanguageNode) and control.name == "to"):
        changes[control.name] = given or None
    else:
        changes[control.name] = given


def _case(case: Case, form: Mapping[str, str], number: int) -> dict[str, Any]:
    written: dict[str, Any] = msgspec.to_builtins(case)
    return {
        **written,
        **{name: form[key].strip() for name in ("variable", "test", "value", "exit") if (key := f"cases.{number}.{name}") in form},
    }


# --- what is known -------------------------------------------------------------------------------------------------------


def known_at(flows: FlowSet, flow: Flow, place: str) -> list[str]:
    """Variables that have a value when a caller gets to this place; of a place nobody gets to yet, all that are set anywhere."""
    try:
        known = Assignment(flows, ACTIONS).known(flow).get(place)
    except (KeyError, RecursionError):  # a flow in the making leads to what is not there, or into itself
        known = None
    return sorted(known if known is not None else ALWAYS_SET.union(flow.needs, *(_set_at(node) for node in flow.places.values())))


def _set_at(node: AnyNode) -> frozenset[str]:
    if isinstance(node, Act):
        action = ACTIONS.get(node.action)
        given = {name for variables in action.exits.values() for name in variables} if action else set()
        return frozenset(node.outputs.get(name, name) for name in given)
    return frozenset(name for exit_name in node.needs() for name in node.sets(exit_name))


def value_kinds() -> tuple[str, ...]:
    """How a value can be said."""
    return tuple(values.SAYERS)
