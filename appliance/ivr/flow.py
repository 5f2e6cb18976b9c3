"""Flows as data: places with nodes, several flows as one set, and the one rule of how a call goes from place to place. Pure.

A place is named "main_menu" in the flow "hotline", where every service begins, and "drugs/main_menu" in any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from appliance.errors import FlowError
from appliance.ivr.nodes import PERSON_KEY, AnyNode, Keyed, Menu, Node, Return, SubFlow
from appliance.ivr.prompts.catalogue import Lang

MAIN = "hotline"
PERSON = "person"
"""The exit that 0 takes at a node that takes keys."""
ALWAYS_SET = frozenset({"ani", "dnis"})


class Flow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Places by name. `entries`: name of a service, or the name a sub_flow node gives, to the place where it begins.

    `person`: the place that 0 leads to. `needs`: variables that whoever goes into this flow has set.
    """

    flow: str
    entries: dict[str, str]
    places: dict[str, AnyNode]
    person: str = ""
    needs: tuple[str, ...] = ()
    title: dict[Lang, str] = {}
    note: str = ""

    def person_at(self, node: Node) -> str:
        """Where 0 leads at this node; empty when it is a key as any other, or the node takes none."""
        if not isinstance(node, Keyed) or (isinstance(node, Menu) and PERSON_KEY in node.keys):
            return ""
        return self.person if node.person is None else node.person

    def ways(self, place: str) -> dict[str, str]:
        """Every exit of a place, the one of 0 too, and where it leads."""
        node = self.places[place]
        person = self.person_at(node)
        return {**node.exits, **({PERSON: person} if person else {})}


@dataclass(frozen=True)
class Position:
    """Where a call stands; `stack`: the sub_flow places it is to come back to, innermost last. `place` "" is the end."""

    place: str
    stack: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlowSet:
    """The flows of one edition, by name."""

    flows: Mapping[str, Flow]
    edition: int = 0
    versions: Mapping[str, int] = field(default_factory=dict)

    def services(self) -> dict[str, str]:
        """Each entry's first place, by name; that of the flow "hotline" where several have it."""
        own = {name: full_name(flow.flow, place) for flow in self.flows.values() for name, place in flow.entries.items()}
        main = self.flows.get(MAIN)
        return {**own, **(main.entries if main else {})}

    def entry(self, service: str) -> Position:
        """Of a service, or of any flow as "drugs/begin". Raises: FlowError APP-141 when no flow has it."""
        name, slash, inner = split(service)
        if slash and name in self.flows and inner in self.flows[name].entries:
            return Position(full_name(name, self.flows[name].entries[inner]))
        place = self.services().get(service)
        if place is None:
            raise FlowError("APP-141", f"no flow has the service {service!r}", "Give a flow an entry of that name")
        return Position(place)

    def has(self, place: str) -> bool:
        flow, _, inner = split(place)
        return flow in self.flows and inner in self.flows[flow].places

    def at(self, place: str) -> tuple[Flow, AnyNode]:
        """The flow and the node of a place. Raises: KeyError."""
        flow, _, inner = split(place)
        return self.flows[flow], self.flows[flow].places[inner]

    def after(self, at: Position, exit_name: str) -> Position:
        """Where that exit leads. A sub_flow node is gone into by any exit; coming back is what `return` does. Raises: KeyError."""
        flow, node = self.at(at.place)
        if isinstance(node, SubFlow):
            return Position(full_name(node.flow, self.flows[node.flow].entries[node.entry]), (*at.stack, at.place))
        if isinstance(node, Return):
            return self._back(at, node.exit)
        _, _, inner = split(at.place)
        return Position(full_name(flow.flow, flow.ways(inner)[exit_name]), at.stack)

    def _back(self, at: Position, exit_name: str) -> Position:
        """To the place behind the sub_flow node; a flow that nobody went into ends."""
        if not at.stack:
            return Position("")
        flow, node = self.at(at.stack[-1])
        return Position(full_name(flow.flow, node.exits[exit_name]), at.stack[:-1])

    def position_of(self, place: str, here: Position) -> Position | None:
        """That place for a call that stands `here`: within the sub-flows it is in, or else by the shortest way in from the flow "hotline".

        None when there is no such place, or no way to it.
        """
        wanted, _, _ = split(place)
        if not self.has(place):
            return None
        inside = [*here.stack, here.place]
        for depth in range(len(inside) - 1, -1, -1):
            if split(inside[depth])[0] == wanted:
                return Position(place, tuple(inside[:depth]))
        return self._way_in(place, wanted)

    def _way_in(self, place: str, wanted: str) -> Position | None:
        ways: list[tuple[str, tuple[str, ...]]] = [(MAIN, ())]
        seen: set[str] = set()
        for name, stack in ways:
            if name == wanted:
                return Position(place, stack)
            inner = self.flows[name].places.items() if name in self.flows and name not in seen else ()
            ways += [(node.flow, (*stack, full_name(name, at))) for at, node in inner if isinstance(node, SubFlow)]
            seen.add(name)
        return None


def full_name(flow: str, place: str) -> str:
    """A place's name outside its flow."""
    return place if flow == MAIN else f"{flow}/{place}"


def split(place: str) -> tuple[str, str, str]:
    """Flow, "/" or "", name within the flow."""
    flow, slash, inner = place.rpartition("/")
    return flow or MAIN, slash, inner
