"""Flows as text: YAML in, YAML out. Faults say line, place and key, all of them at once. Pure but for the program's own files.

Every scalar is a text until the field it is for says otherwise: keys are 1: and 0: as on the telephone, and yes, on, 0123 and 2026-03-08
stay what they are.
"""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import yaml

from appliance.errors import FlowError
from appliance.ivr.fault import FlowFault
from appliance.ivr.flow import Flow, FlowSet
from appliance.ivr.nodes import KINDS, AnyNode

FLOWS = Path(__file__).parent / "flows"
SIZE_LIMIT = 1_000_000
NODES_LIMIT = 100_000  # aliases of aliases make much of little
_FIELD = re.compile(r" - at `\$([^`]*)`$")
REMEDY = "Correct the text; appliance/ivr/README.md has an example"


class _Loader(yaml.SafeLoader):
    """Takes no scalar for anything but a text."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # PyYAML's own declaration


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # PyYAML may be built without libyaml
    """For the program's own flows, which callers wait for when a call agent has died. It does not check depth: not for texts of others."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


class _Dumper(yaml.SafeDumper):
    """Its counterpart; lists stand under their key, indented."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # the same

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)


class Reading:
    """One text being read."""

    def __init__(self, text: str, name: str, loader: Any = _Loader) -> None:
        self.faults: list[FlowFault] = []
        self._loader = loader
        self._text = text
        self._name = name
        self._lines: dict[tuple[str, ...], int] = {}
        self._nodes = 0

    def flow(self) -> Flow | None:
        """None when there are faults."""
        written = self._written()
        if not isinstance(written, dict):
            if not self.faults:
                self._fault((), "APP-130", "it is no table of keys and values")
            return None
        self._name = str(written.get("flow", self._name))
        places = self._places(written.get("places", {}))
        flow = self._converted({**written, "places": {}}, Flow, ())
        return None if self.faults or flow is None else msgspec.structs.replace(flow, places=places)

    def _written(self) -> Any:
        if len(self._text) > SIZE_LIMIT:
            return self._fault((), "APP-130", f"it is longer than {SIZE_LIMIT} characters")
        try:
            node = yaml.compose(self._text, Loader=self._loader)
            return None if node is None else self._plain(node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            return self._fault((), "APP-130", f"it is no YAML: {error.problem or error.context}", mark.line + 1 if mark else 0)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            return self._fault((), "APP-130", f"it is no YAML: {error}")

    def _plain(self, node: yaml.Node, path: tuple[str, ...]) -> Any:
        self._nodes += 1
        if self._nodes > NODES_LIMIT:
            raise ValueError(f"it has more than {NODES_LIMIT} parts")
        if path in self._lines:
            self._fault(path, "APP-130", f"the key {path[-1]} is there twice", node.start_mark.line + 1)
        self._lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return {_key(key): self._plain(value, (*path, _key(key))) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(each, (*path, str(place))) for place, each in enumerate(node.value)]
        return node.value

    def _places(self, written: Any) -> dict[str, AnyNode]:
        if not isinstance(written, dict):
            self._fault(("places",), "APP-131", "places is no table of places")
            return {}
        nodes = {place: self._node(place, node) for place, node in written.items()}
        return {place: node for place, node in nodes.items() if node is not None}

    def _node(self, place: str, written: Any) -> AnyNode | None:
        kind = written.get("kind") if isinstance(written, dict) else None
        if kind not in KINDS:
            self._fault(("places", place), "APP-131", f"kind = {kind!r} is no kind of node", remedy=f"Allowed are {', '.join(KINDS)}")
            return None
        node: AnyNode | None = self._converted(written, KINDS[kind], ("places", place))
        return node

    def _converted(self, written: Any, wanted: Any, path: tuple[str, ...]) -> Any:
        try:
            return msgspec.convert(written, wanted, strict=False)
        except msgspec.ValidationError as error:
            found = _FIELD.search(str(error))
            keys = tuple(key for key in re.split(r"[.\[\]]+", found[1]) if key and key != "...") if found else ()
            what = f"{'.'.join(keys)}: {_FIELD.sub('', str(error))}" if keys else str(error)
            allowed = ", ".join(field.encode_name for field in msgspec.structs.fields(wanted))
            return self._fault((*path, *keys), "APP-131", what, remedy=f"Allowed here are {allowed}")

    def _fault(self, path: tuple[str, ...], code: str, what: str, line: int = 0, remedy: str = REMEDY) -> None:
        while path not in self._lines and path:
            path = path[:-1]
        place = path[1] if path[:1] == ("places",) and len(path) > 1 else ""
        line = line or self._lines.get(path, 1)
        self.faults.append(FlowFault(code=code, flow=self._name, place=place, what=what, remedy=remedy, line=line))


def _key(node: yaml.Node) -> str:
    """Raises: ValueError for a key that is a list or a table: written out, aliases of aliases would make much of little."""
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"the key at line {node.start_mark.line + 1} is no plain text")
    return str(node.value)


def read(text: str, name: str) -> tuple[Flow | None, list[FlowFault]]:
    """The flow, or everything that is wrong with its shape. `name`: what faults call it as long as its own name is not known."""
    reading = Reading(text, name)
    return reading.flow(), sorted(reading.faults, key=lambda fault: fault.line)


def write(flow: Flow) -> str:
    """As YAML; `read` gives the same flow back."""
    places = {place: {"kind": str(node.__struct_config__.tag), **msgspec.to_builtins(node)} for place, node in flow.places.items()}
    written = {**msgspec.to_builtins(flow), "places": places}
    text: str = yaml.dump(_texts(written), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120, default_flow_style=False)
    return text


def _texts(written: Any) -> Any:
    """Every scalar as a text."""
    if isinstance(written, dict):
        return {key: _texts(value) for key, value in written.items()}
    if isinstance(written, list | tuple):
        return [_texts(each) for each in written]
    return str(written).lower() if isinstance(written, bool) else str(written)


@functools.cache
def built_in(folder: Path = FLOWS) -> FlowSet:
    """The flows that come with the program. Raises: FlowError for the first fault of their shape."""
    flows = [_built_in(path) for path in sorted(folder.glob("*.yaml"))]
    return FlowSet({flow.flow: flow for flow in flows}, 0, dict.fromkeys((flow.flow for flow in flows), 0))


def built_in_texts(folder: Path = FLOWS) -> Mapping[str, str]:
    """Their texts, by the flow's name (that of the file)."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}


def _built_in(path: Path) -> Flow:
    reading = Reading(path.read_text(encoding="utf-8"), path.stem, _FastLoader)
    flow = reading.flow()
    if flow is None:
        raise min(reading.faults, key=lambda fault: fault.line).error()
    if flow.flow != path.stem:
        raise FlowError("APP-131", f"{path.name} calls its flow {flow.flow!r}", "Name the file after its flow")
    return flow
