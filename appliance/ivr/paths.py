"""Ways through flows: what cannot be reached, what leads to no end, what turns in a circle, where 0 leads. Pure.

`returns` of a sub-flow are taken as far as they can be reached, so a place behind an exit that no `return` takes is told as unreachable.
"""

from collections.abc import Iterator
from functools import cached_property

from appliance.ivr.fault import FlowFault
from appliance.ivr.flow import PERSON, Flow, FlowSet, full_name
from appliance.ivr.nodes import ENDS, AnyNode, Keyed, LeaveMessage, Queue, Record, Return, SubFlow, Transfer

WAITS = (Keyed, LeaveMessage, Record)
"""Nodes that wait for the caller: a circle without one would turn as fast as it can."""
PERSONS = (Transfer, Queue)
SERVICES = ("hotline", "operator", "after_hours")
"""What calls may be routed to; each begins in some flow. Source: appliance/routing.py."""


class Paths:
    """What `flows` look like as a graph."""

    def __init__(self, flows: FlowSet) -> None:
        self._flows = flows
        self._reaches: dict[tuple[str, str], frozenset[str]] = {}
        self._nexts: dict[tuple[str, str], list[str]] = {}
        self._endings: dict[str, set[str]] = {}

    @cached_property
    def is_whole(self) -> bool:
        """Every way leads to a place, every sub-flow exists, none comes back into itself: what follows can be looked at."""
        return not list(self.recursions()) and all(self._leads(flow) for flow in self._flows.flows.values())

    def _leads(self, flow: Flow) -> bool:
        nodes = flow.places.values()
        return (
            all(to in flow.places for place in flow.places for to in flow.ways(place).values())
            and all(to in flow.places for to in flow.entries.values())
            and all(self._has_inner(node) for node in nodes)
        )

    def _has_inner(self, node: AnyNode) -> bool:
        if not isinstance(node, SubFlow):
            return True
        inner = self._flows.flows.get(node.flow)
        return inner is not None and node.entry in inner.entries

    # --- flows that go into each other -------------------------------------------------------------------------------

    def recursions(self) -> Iterator[FlowFault]:
        """Flows that come back into themselves."""
        for name, flow in self._flows.flows.items():
            for place, node in flow.places.items():
                if isinstance(node, SubFlow) and name in self._within(node.flow, set()):
                    what = f"flow {node.flow} goes into {name} again, without end"
                    yield _fault("APP-140", flow, place, what, "Let the inner flow return instead")

    def _within(self, name: str, seen: set[str]) -> set[str]:
        """The flow, and all that it goes into."""
        if name not in seen and name in self._flows.flows:
            seen.add(name)
            for node in self._flows.flows[name].places.values():
                if isinstance(node, SubFlow):
                    self._within(node.flow, seen)
        return seen

    # --- one flow, when `is_whole` -----------------------------------------------------------------------------------

    def faults(self, flow: Flow) -> Iterator[FlowFault]:
        """Places nobody gets to or gets away from, and where 0 leads."""
        reached = self._reached(flow)
        for place in flow.places:
            if place not in reached:
                yield _fault("APP-135", flow, place, "no caller can get here", "Lead an exit here, or take the place away")
        ending = self._ending(flow)
        for place in flow.places:
            if place not in ending:
                yield _fault("APP-136", flow, place, "no way leads to an end from here", "Lead an exit to a hang_up or a return")
        for place, node in flow.places.items():
            if self._is_circle(flow, place):
                yield _fault("APP-136", flow, place, "it comes back here without waiting for the caller", "Put a menu or question between")
            to = flow.person_at(node) or node.exits.get(_zero(node), "")
            if isinstance(node, Keyed) and to and not self.reaches_person(flow, to):
                what = f"0 leads to {to}, and from there to no person"
                yield _fault("APP-137", flow, place, what, "Lead it to a transfer or a queue", PERSON)
        yield from self._services_return(flow)

    def _services_return(self, flow: Flow) -> Iterator[FlowFault]:
        """A service that gets to a return has nowhere to go."""
        services = self._flows.services()
        for service in SERVICES:
            begin = flow.entries.get(service)
            if begin is None or services[service] != full_name(flow.flow, begin):
                continue
            for place in self._from(flow, begin):
                if isinstance(flow.places[place], Return):
                    yield _fault("APP-140", flow, place, f"service {service} gets here, with nothing to return to", "Hang up instead")

    def _reached(self, flow: Flow) -> set[str]:
        reached: set[str] = set()
        for place in flow.entries.values():
            reached |= self._from(flow, place)
        return reached

    def _from(self, flow: Flow, place: str) -> frozenset[str]:
        """All places a caller may get to from there, that one too."""
        if (flow.flow, place) not in self._reaches:
            self._reaches[flow.flow, place] = frozenset(self._find_from(flow, place))
        return self._reaches[flow.flow, place]

    def _find_from(self, flow: Flow, place: str) -> set[str]:
        reached: set[str] = set()
        todo = [place]
        while todo:
            here = todo.pop()
            if here not in reached:
                reached.add(here)
                todo += self._next(flow, here)
        return reached

    def _next(self, flow: Flow, place: str) -> list[str]:
        """A sub-flow's exits only as far as it takes them."""
        if (flow.flow, place) not in self._nexts:
            self._nexts[flow.flow, place] = self._find_next(flow, place)
        return self._nexts[flow.flow, place]

    def _find_next(self, flow: Flow, place: str) -> list[str]:
        node = flow.places[place]
        if not isinstance(node, SubFlow):
            return list(flow.ways(place).values())
        inner = self._flows.flows[node.flow]
        ways = (inner.places[at] for at in self._from(inner, inner.entries[node.entry]))
        taken = {each.exit for each in ways if isinstance(each, Return)}
        return [to for name, to in node.exits.items() if name in taken]

    def _ending(self, flow: Flow) -> set[str]:
        """Places from which a hang_up or a return can be reached."""
        if flow.flow not in self._endings:
            self._endings[flow.flow] = self._find_ending(flow)
        return self._endings[flow.flow]

    def _find_ending(self, flow: Flow) -> set[str]:
        ending = {place for place, node in flow.places.items() if isinstance(node, ENDS) or self._ends_within(node)}
        while more := {place for place in flow.places if place not in ending and ending & set(self._next(flow, place))}:
            ending |= more
        return ending

    def _ends_within(self, node: AnyNode) -> bool:
        """A sub-flow that only hangs up is an end."""
        if not isinstance(node, SubFlow):
            return False
        inner = self._flows.flows[node.flow]
        return bool(self._ending(inner)) and not any(isinstance(each, Return) for each in inner.places.values())

    # --- circles -----------------------------------------------------------------------------------------------------

    def _is_circle(self, flow: Flow, place: str) -> bool:
        """A caller who is here may be here again without having been waited for."""
        if isinstance(flow.places[place], WAITS):
            return False
        seen: set[str] = set()
        todo = self._quiet_next(flow, place)
        while todo:
            here = todo.pop()
            if here == place:
                return True
            if here not in seen and not isinstance(flow.places[here], WAITS):
                seen.add(here)
                todo += self._quiet_next(flow, here)
        return False

    def _quiet_next(self, flow: Flow, place: str) -> list[str]:
        node = flow.places[place]
        if not isinstance(node, SubFlow):
            return list(flow.ways(place).values())
        inner = self._flows.flows[node.flow]
        quiet = self._quiet_exits(inner, inner.entries[node.entry])
        return [to for name, to in node.exits.items() if name in quiet]

    def _quiet_exits(self, flow: Flow, entry: str) -> set[str]:
        """Exits by which it may come back without having waited for the caller."""
        seen: set[str] = set()
        exits: set[str] = set()
        todo = [entry]
        while todo:
            here = todo.pop()
            node = flow.places[here]
            if here in seen or isinstance(node, WAITS):
                continue
            seen.add(here)
            if isinstance(node, Return):
                exits.add(node.exit)
            todo += self._quiet_next(flow, here)
        return exits

    # --- the person --------------------------------------------------------------------------------------------------

    def reaches_person(self, flow: Flow, place: str, seen: frozenset[tuple[str, str]] = frozenset()) -> bool:
        """A transfer or a queue comes before anything else is asked; through a `return`, for whoever goes into this flow."""
        if (flow.flow, place) in seen:
            return False
        seen |= {(flow.flow, place)}
        node = flow.places[place]
        if isinstance(node, PERSONS):
            return True
        if isinstance(node, Return):
            return self._outside_reaches(flow, node.exit, seen)
        if isinstance(node, SubFlow):
            inner = self._flows.flows[node.flow]
            return self.reaches_person(inner, inner.entries[node.entry], seen)
        return not isinstance(node, WAITS) and any(self.reaches_person(flow, to, seen) for to in node.exits.values())

    def _outside_reaches(self, flow: Flow, exit_name: str, seen: frozenset[tuple[str, str]]) -> bool:
        """Wherever this flow is gone into, that exit leads to a person. True as long as nobody goes into it."""
        outside = [
            (other, node.exits.get(exit_name, ""))
            for other in self._flows.flows.values()
            for node in other.places.values()
            if isinstance(node, SubFlow) and node.flow == flow.flow
        ]
        return all(to in other.places and self.reaches_person(other, to, seen) for other, to in outside)


def _zero(node: AnyNode) -> str:
    keys = getattr(node, "keys", {})
    return str(keys.get("0", PERSON))


def _fault(code: str, flow: Flow, place: str, what: str, remedy: str, field: str = "") -> FlowFault:
    return FlowFault(code=code, flow=flow.flow, place=place, what=what, remedy=remedy, field=field)
