"""A flow in the reader's words: what its places say, which keys and exits they have, what leads to them. In request threads."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from flask import abort, g

from appliance.ivr import publishing
from appliance.ivr.fault import FlowFault
from appliance.ivr.flow import PERSON, Flow, FlowSet, split
from appliance.ivr.nodes import Act, AnyNode, AskYesNo, Branch, Menu, Send, SubFlow
from appliance.ivr.prompts.catalogue import LANGS, Lang
from appliance.store.flow_tables import FlowVersion
from drivers.errors import CarelineError
from webui import flow_prompts
from webui.flow_graph import Drawing, draw
from webui.shared import language, say

DRAWN_MOST = 300
"""Places of a flow that is still drawn; a larger one is only listed."""
HEAD_UNITS = 27
_VALUE = re.compile(r"\{([a-z_]+)(?::([a-z0-9_]+))?\}")
_SHOWN_ELSEWHERE = {"kind", "exits", "title", "note", "at", "keys", "say", "instruction", "cases"}


@dataclass(frozen=True)
class Shown:
    """A version of a flow for a page. `flow` is None when it cannot be read; `row` is None for the program's own."""

    name: str
    version: int
    text: str
    row: FlowVersion | None
    flow: Flow | None
    flows: FlowSet
    faults: list[FlowFault]


def open_version(name: str, version: int) -> Shown:
    """Aborts with 404 when there is no such version."""
    try:
        text = publishing.text_of(name, version)
        live = publishing.texts_of_edition(publishing.newest_edition()) or {}
    except CarelineError:
        abort(404)
    row = FlowVersion.get_or_none(FlowVersion.flow == name, FlowVersion.version == version)
    flows, unread = publishing.build({**live, name: (version, text)}, 0)
    faults = faults_in(name, text)
    own = [fault for fault in unread if fault.flow == name]
    return Shown(name, version, text, row, None if own else flows.flows.get(name), flows, faults)


def faults_in(name: str, text: str) -> list[FlowFault]:
    """All faults of a text; those that name a place have the line where it begins, as far as it is found."""
    found = publishing.check(name, text, flow_prompts.here().ids)
    return [fault if fault.line or fault.flow != name else msgspec.structs.replace(fault, line=_line(fault.place, text)) for fault in found]


def _line(place: str, text: str) -> int:
    begins = re.search(rf"^[ \t]+[\"']?{re.escape(place)}[\"']?[ \t]*:[ \t]*(?:$|\{{|&)", text, re.MULTILINE) if place else None
    return text.count("\n", 0, begins.start()) + 1 if begins else 0


def reader() -> Lang:
    return cast(Lang, language())


def written(said: str, lang: Lang) -> str:
    """A prompt as it is said, a value as ‹its name›; an id nobody knows as itself."""
    if value := _VALUE.fullmatch(said):
        return f"‹{value[2] or value[1]}›"
    try:
        return flow_prompts.here().text(said, lang)
    except CarelineError:
        return said


def words(node: AnyNode, lang: Lang) -> str:
    """What a node says first of all, or does."""
    said: Iterable[str] = getattr(node, "say", ()) or getattr(node, "instruction", ())
    if said:
        return ("" if lang == "zh" else " ").join(written(each, lang) for each in said)
    match node:
        case Act():
            return node.action
        case SubFlow():
            return f"→ {node.flow}"
        case Branch():
            return ", ".join(dict.fromkeys(case.variable for case in node.cases))
        case Send():
            return node.text.get(lang, "")
        case _:
            return ""


def head(text: str, units: int = HEAD_UNITS) -> str:
    """Its beginning, as long as `units` Latin letters; a Han character takes two."""
    taken = 0
    for place, letter in enumerate(text):
        taken += 2 if ord(letter) > 0x2E7F else 1
        if taken > units:
            return text[: max(place - 1, 1)] + "…"
    return text


def kind_of(node: AnyNode) -> str:
    return str(node.__struct_config__.tag)


def drawing(flow: Flow) -> Drawing | None:
    """None when it is too large to be drawn."""
    if len(flow.places) > DRAWN_MOST:
        return None
    return draw({place: node.exits for place, node in flow.places.items()}, flow.entries.values())


def places(flow: Flow | None) -> dict[str, dict[str, Any]]:
    """By name what the graph and the list show of each place."""
    if flow is None:
        return {}
    lang, begins = reader(), set(flow.entries.values())
    return {
        place: {
            "title": next(filter(None, (node.title.get(lang), *node.title.values())), place),
            "kind": kind_of(node),
            "words": words(node, lang),
            "person": flow.person_at(node),
            "begins": "yes" if place in begins else "",
            "exits": node.exits,
        }
        for place, node in flow.places.items()
    }


def place_words(name: str) -> str:
    """A place of the flows in use by its name outside its flow ("card/ask"), in the reader's words; its name once it is gone."""
    flow_name, _, inner = split(name)
    flow = _in_use().flows.get(flow_name)
    node = flow.places.get(inner) if flow else None
    if flow is None or node is None:
        return name
    lang = reader()
    own = head(words(node, lang)) if getattr(node, "say", ()) or getattr(node, "instruction", ()) else say(f"node_kind.{kind_of(node)}")
    return node.title.get(lang) or f"{flow.title.get(lang) or flow_name} · {own}"


def _in_use() -> FlowSet:
    """Built once for a request, and for each edition of a stream that lasts."""
    edition = publishing.newest_edition()
    known: FlowSet | None = g.get("flows_in_use")
    if known is None or known.edition != edition:
        known = g.flows_in_use = publishing.build(publishing.texts_of_edition(edition) or {}, edition)[0]
    return known


# --- one place -------------------------------------------------------------------------------------------------------


def texts(node: AnyNode) -> list[tuple[str, dict[Lang, str]]]:
    """Everything it may say: the id, and the text in each language."""
    said = [(each, {lang: written(each, lang) for lang in LANGS}) for each in dict.fromkeys(node.says())]
    return [*said, ("text", node.text)] if isinstance(node, Send) else said


def exits(flow: Flow, place: str) -> list[tuple[str, str, str]]:
    """Key (if one takes it), name of the exit, where it leads."""
    node = flow.places[place]
    keys = {PERSON: "0"} if flow.person_at(node) else {}
    if isinstance(node, Menu):
        keys |= {name: " ".join(key for key, exit_name in node.keys.items() if exit_name == name) for name in node.keys.values()}
    if isinstance(node, AskYesNo):
        keys |= {"yes": node.yes, "no": node.no}
    return [(keys.get(name, ""), name, to) for name, to in flow.ways(place).items()]


def reached_from(flows: FlowSet, flow: Flow, place: str) -> list[tuple[str, str, str]]:
    """Flow, place and exit of whatever leads there; a sub_flow node's exit is the entry it goes in by."""
    within = [(flow.flow, source, name) for source in flow.places for name, to in flow.ways(source).items() if to == place]
    entries = {name for name, to in flow.entries.items() if to == place}
    return [*within, *(call for call in calls(flows, flow.flow) if call[2] in entries)]


def calls(flows: FlowSet, wanted: str) -> list[tuple[str, str, str]]:
    nodes = [(other.flow, place, node) for other in flows.flows.values() for place, node in other.places.items()]
    return [(name, place, node.entry) for name, place, node in nodes if isinstance(node, SubFlow) and node.flow == wanted]


def settings(node: AnyNode) -> Mapping[str, str]:
    """What else is written at a node."""
    fields: dict[str, Any] = msgspec.to_builtins(node)
    return {name: _plain(value) for name, value in fields.items() if name not in _SHOWN_ELSEWHERE and value not in ((), [], {}, None, "")}


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(each)}" for key, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def cases(node: AnyNode) -> tuple[tuple[str, str, str, str], ...]:
    """Rows of a branch: variable, test, value, exit."""
    return tuple((case.variable, case.test, case.value, case.exit) for case in node.cases) if isinstance(node, Branch) else ()
