"""The checker that lets no caller be left nowhere: everything that is wrong with a set of flows, all at once. Pure.

What needs more than one look at a place is in paths.py (ways through places) and assignment.py (which variables have a value where).
"""

import re
from collections.abc import Callable, Iterator, Mapping

from appliance.ivr import values
from appliance.ivr.actions import ACTIONS, Action
from appliance.ivr.assignment import Assignment
from appliance.ivr.fault import FlowFault
from appliance.ivr.flow import ALWAYS_SET, MAIN, PERSON, Flow, FlowSet
from appliance.ivr.nodes import (
    PERSON_KEY,
    Act,
    AnyNode,
    AskDigits,
    AskYesNo,
    Branch,
    Keyed,
    Menu,
    Queue,
    Record,
    Return,
    Say,
    Send,
    SubFlow,
    field_that_says,
)
from appliance.ivr.paths import SERVICES, Paths
from appliance.ivr.prompts.catalogue import Lang

PromptIds = Callable[[Lang], frozenset[str]]
Wrong = tuple[str, str, str] | tuple[str, str, str, str]
Found = Iterator[Wrong]
"""Code, what, remedy, and the field of the node it is about, if it is one."""


def faults(flows: FlowSet, prompt_ids: PromptIds, languages: tuple[Lang, ...], actions: Mapping[str, Action] = ACTIONS) -> list[FlowFault]:
    """Everything that is wrong; empty when no caller can get lost. `prompt_ids(language)` are the prompts there are."""
    return list(_Checker(flows, prompt_ids, languages, actions).faults())


class _Checker:
    def __init__(self, flows: FlowSet, prompt_ids: PromptIds, languages: tuple[Lang, ...], actions: Mapping[str, Action]) -> None:
        self._flows = flows
        self._prompts = {lang: prompt_ids(lang) for lang in languages}
        self._actions = actions

    def faults(self) -> Iterator[FlowFault]:
        for service in SERVICES:
            if service not in self._flows.services():
                yield _fault(MAIN, "", ("APP-141", f"no flow has the service {service!r}", f"Give this flow an entry {service}"))
        for flow in self._flows.flows.values():
            yield from (_fault(flow.flow, "", found) for found in self._flow(flow))
            for place, node in flow.places.items():
                yield from (_fault(flow.flow, place, found) for found in self._place(flow, place, node))
        yield from self._over_all()

    def _over_all(self) -> Iterator[FlowFault]:
        """What can be said only of flows whose every way leads somewhere."""
        paths = Paths(self._flows)
        yield from paths.recursions()
        if not paths.is_whole:
            return
        for flow in self._flows.flows.values():
            yield from paths.faults(flow)
        yield from Assignment(self._flows, self._actions).faults()

    # --- the flow itself -----------------------------------------------------------------------------------------

    def _flow(self, flow: Flow) -> Found:
        names = (*flow.places, *flow.entries, *flow.needs, flow.flow)
        for name in dict.fromkeys(name for name in names if not values.NAME.fullmatch(name)):
            yield "APP-132", f"{name!r} is no name", "Names are small letters, digits and _, a letter first"
        if not flow.entries:
            yield "APP-132", "it has no entry", "Say under entries where it begins"
        for entry, place in flow.entries.items():
            if place not in flow.places:
                yield "APP-132", f"{entry} begins at {place!r}, which does not exist", _one_of(flow.places), f"entries.{entry}"
        if flow.person and flow.person not in flow.places:
            yield "APP-137", f"0 leads to {flow.person!r}, which does not exist", _one_of(flow.places), PERSON

    # --- one place -----------------------------------------------------------------------------------------------

    def _place(self, flow: Flow, place: str, node: AnyNode) -> Found:
        yield from self._exits(flow, node)
        yield from self._said(node)
        if isinstance(node, Keyed):
            yield from _keyed(flow, node)
        match node:
            case Menu():
                yield from _menu(node)
            case AskYesNo():
                yield from _yes_no(node)
            case AskDigits():
                yield from _ask_digits(node)
            case Act():
                yield from self._action(node)
            case SubFlow():
                yield from self._sub_flow(node)
            case Branch() if not node.cases:
                yield "APP-131", "it has no case", "Name at least one, or leave the branch out", "cases"
            case Record():
                yield from _variable(node.variable)
                yield from _within("max_s", node.max_s, 5, 3600)
            case Queue():
                yield from _within("pause_s", node.pause_s, 5, 300)
                yield from _within("limit_s", node.limit_s, node.pause_s, 120 * node.pause_s)
            case Send():
                yield from self._send(node)
            case _:
                pass

    def _exits(self, flow: Flow, node: AnyNode) -> Found:
        needs = needed_exits(node, self._flows, self._actions)
        if needs is None:
            return
        for name in needs:
            if name not in node.exits:
                yield "APP-132", f"exit {name} leads nowhere", _one_of(flow.places), f"exits.{name}"
        for name, to in node.exits.items():
            if name not in (*needs, *node.MAY):
                yield "APP-132", f"exit {name} is never taken", f"Its exits are {', '.join((*needs, *node.MAY)) or 'none'}", f"exits.{name}"
            if to not in flow.places:
                yield "APP-132", f"exit {name} leads to {to!r}, which does not exist", _one_of(flow.places), f"exits.{name}"

    def _said(self, node: AnyNode) -> Found:
        if isinstance(node, Say | Menu | AskYesNo) and not node.say:
            yield "APP-134", "it says nothing", "Say what the caller is to hear", "say"
        for written in dict.fromkeys(node.says()):
            field = field_that_says(node, written)
            try:
                is_prompt = not values.item(written).kind
            except ValueError as error:
                yield "APP-138", str(error), "Correct what is said", field
                continue
            for lang, ids in self._prompts.items():
                if is_prompt and written not in ids:
                    what = f"there is no prompt {written!r} in language {lang}"
                    yield "APP-134", what, "Make it on the page of prompts, or name another", field

    def _action(self, node: Act) -> Found:
        action = self._actions.get(node.action)
        if action is None:
            yield "APP-139", f"there is no action {node.action!r}", _one_of(self._actions), "action"
            return
        for name in node.inputs:
            if name not in (*action.inputs, *action.optional):
                wanted = ", ".join((*action.inputs, *action.optional)) or "nothing"
                yield "APP-139", f"action {action.name} takes no {name!r}", f"It takes {wanted}", f"inputs.{name}"
        given = {name for variables in action.exits.values() for name in variables}
        for name, variable in node.outputs.items():
            if name not in given:
                remedy = f"It gives {', '.join(sorted(given)) or 'nothing'}"
                yield "APP-139", f"action {action.name} gives no {name!r}", remedy, f"outputs.{name}"
            yield from _variable(variable, f"outputs.{name}")

    def _sub_flow(self, node: SubFlow) -> Found:
        inner = self._flows.flows.get(node.flow)
        if inner is None:
            yield "APP-140", f"there is no flow {node.flow!r}", _one_of(self._flows.flows), "flow"
        elif node.entry not in inner.entries:
            yield "APP-140", f"flow {node.flow} has no entry {node.entry!r}", _one_of(inner.entries), "entry"

    def _send(self, node: Send) -> Found:
        for lang in self._prompts:
            if not node.text.get(lang):
                yield "APP-134", f"there is no text in language {lang}", "Write it under text", f"text.{lang}"
        if not node.to:
            yield "APP-131", "to is empty", "Write the number, or {ani} for the caller's", "to"


def _keyed(flow: Flow, node: Keyed) -> Found:
    if node.tries is not None:
        yield from _within("tries", node.tries, 1, 10)
    person = flow.person_at(node)
    if person and person not in flow.places and node.person:
        yield "APP-137", f"0 leads to {person!r}, which does not exist", _one_of(flow.places), PERSON
    if not person and not (isinstance(node, Menu) and PERSON_KEY in node.keys):
        yield "APP-137", "0 leads to nobody", "Name a person for the flow or for this node", PERSON
    if PERSON in node.exits:
        yield "APP-132", f"exit {PERSON} is that of the key 0", "Say under person where it leads", PERSON


def _within(key: str, value: int, least: int, most: int) -> Found:
    if not least <= value <= most:
        yield "APP-131", f"{key} = {value}", f"Allowed are {least} to {most}", key


def _menu(node: Menu) -> Found:
    if not node.keys:
        yield "APP-133", "no key leads anywhere", "Name at least one under keys", "keys"


def _yes_no(node: AskYesNo) -> Found:
    if node.yes == node.no:
        yield "APP-133", f"key {node.yes} is used twice", "Use another key for no", "no"
    if PERSON_KEY in (node.yes, node.no):
        yield "APP-133", "0 is the key for a person", "Use another key for yes or no", "yes" if node.yes == PERSON_KEY else "no"


def _ask_digits(node: AskDigits) -> Found:
    if not 1 <= node.min <= node.max <= 32:
        yield "APP-131", f"min = {node.min}, max = {node.max}", "Allowed are 1 to 32, min not above max", "max"
    if node.secret and node.variable:
        yield "APP-138", "what is secret is kept in no variable", "Leave out variable; an action takes it", "variable"
    if node.kept_as and not (node.secret and values.NAME.fullmatch(node.kept_as)):
        yield "APP-138", f"{node.kept_as!r} is no name of a secret", "Small letters, digits and _; with secret only", "kept_as"
    if not node.secret:
        yield from _variable(node.variable)
    try:
        re.compile(node.pattern)
    except re.error as error:
        yield "APP-131", f"pattern = {node.pattern!r}: {error}", "Write a regular expression, such as 1[0-9]{10}", "pattern"


def _variable(name: str, field: str = "variable") -> Found:
    if not values.NAME.fullmatch(name):
        yield "APP-138", f"{name!r} is no name of a variable", "Small letters, digits and _, a letter first", field
    elif name in ALWAYS_SET:
        yield "APP-138", f"{name} is the call's own and cannot be set", "Use another name", field


def needed_exits(node: AnyNode, flows: FlowSet, actions: Mapping[str, Action] = ACTIONS) -> tuple[str, ...] | None:
    """Names of the exits that must lead somewhere; None when that cannot be known."""
    if isinstance(node, Act):
        action = actions.get(node.action)
        return tuple(action.all_exits()) if action else None
    if isinstance(node, SubFlow):
        inner = flows.flows.get(node.flow)
        return returns(inner) if inner else None
    return node.needs()


def returns(flow: Flow) -> tuple[str, ...]:
    """The exits by which it comes back."""
    return tuple(dict.fromkeys(node.exit for node in flow.places.values() if isinstance(node, Return)))


def _one_of(names: object) -> str:
    listed = list(names) if isinstance(names, Mapping | tuple | list) else []
    return f"Use one of {', '.join(listed[:40])}" if listed else "There is none yet"


def _fault(flow: str, place: str, found: Wrong) -> FlowFault:
    code, what, remedy, *field = found
    return FlowFault(code=code, flow=flow, place=place, what=what, remedy=remedy, field=field[0] if field else "")
