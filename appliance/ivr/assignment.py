"""Which variables have a value at each place, whatever way a caller took there. Pure.

Each flow by itself: at its entries there are the call's own and those it `needs`; behind a sub_flow also those that the inner flow set on
every way to that exit.
"""

from collections.abc import Iterator, Mapping

from appliance.ivr import values
from appliance.ivr.actions import Action
from appliance.ivr.fault import FlowFault
from appliance.ivr.flow import ALWAYS_SET, Flow, FlowSet
from appliance.ivr.nodes import Act, AnyNode, Branch, Return, Send, SubFlow, field_that_says

Names = frozenset[str]
TESTS_THEMSELVES = ("is_set", "is_empty")


class Assignment:
    """For flows every way of which leads somewhere and none of which comes back into itself."""

    def __init__(self, flows: FlowSet, actions: Mapping[str, Action]) -> None:
        self._flows = flows
        self._actions = actions
        self._known: dict[str, dict[str, Names]] = {}

    def faults(self) -> Iterator[FlowFault]:
        for flow in self._flows.flows.values():
            for place, known in self.known(flow).items():
                for name in dict.fromkeys(self.used(flow.places[place])):
                    if name not in known:
                        yield FlowFault(
                            code="APP-138",
                            flow=flow.flow,
                            place=place,
                            what=f"{name} may have no value here",
                            remedy="Have it asked for or found out on every way here, or branch on is_set before",
                            field=_field(flow.places[place], name),
                        )

    def known(self, flow: Flow) -> dict[str, Names]:
        """By place, those that have a value whenever a caller gets there; places nobody gets to are left out."""
        if flow.flow not in self._known:
            self._known[flow.flow] = self._find(flow)
        return self._known[flow.flow]

    def _find(self, flow: Flow) -> dict[str, Names]:
        begin = ALWAYS_SET | frozenset(flow.needs)
        known: dict[str, Names] = dict.fromkeys(flow.entries.values(), begin)
        todo = list(known)
        while todo:
            place = todo.pop()
            for exit_name, to in flow.ways(place).items():
                after = known[place] | self._sets(flow.places[place], exit_name)
                if to not in known or not known[to] <= after:
                    known[to] = known[to] & after if to in known else after
                    todo.append(to)
        return known

    def _sets(self, node: AnyNode, exit_name: str) -> Names:
        match node:
            case Act():
                action = self._actions.get(node.action)
                given = action.all_exits().get(exit_name, ()) if action else ()
                return frozenset(node.outputs.get(name, name) for name in given)
            case SubFlow():
                return self._given(self._flows.flows[node.flow], exit_name)
            case Branch():
                return _tested(node, exit_name)
            case _:
                return frozenset(node.sets(exit_name))

    def _given(self, inner: Flow, exit_name: str) -> Names:
        """What it has set on every way to that exit."""
        ends = [
            known for place, known in self.known(inner).items() if isinstance(end := inner.places[place], Return) and end.exit == exit_name
        ]
        return frozenset.intersection(*ends) if ends else frozenset()

    def used(self, node: AnyNode) -> list[str]:
        """Variables that are read there."""
        names = [item.variable for item in map(_item, node.says()) if item and item.variable]
        match node:
            case Act():
                names += self._action_inputs(node)
            case Branch():
                names += _branch_uses(node)
            case Send():
                names += [name for text in (node.to, *node.text.values()) for name in values.variables_within(text)]
            case SubFlow():
                names += self._flows.flows[node.flow].needs
            case _:
                pass
        return names

    def _action_inputs(self, node: Act) -> list[str]:
        action = self._actions.get(node.action)
        named = [name for written in node.inputs.values() if (name := values.variable_of(written))]
        return [*named, *(name for name in (action.inputs if action else ()) if name not in node.inputs)]


def _branch_uses(node: Branch) -> Iterator[str]:
    """A row after one that leaves when x is empty may use x."""
    full: set[str] = set()
    for case in node.cases:
        names = {values.variable_of(case.value)} | (set() if case.test in TESTS_THEMSELVES else {case.variable})
        yield from sorted(names - full - {""})
        full |= {case.variable} if case.test == "is_empty" else set()


def _tested(node: Branch, exit_name: str) -> Names:
    """What has a value on every row that leads to that exit."""
    full: Names = frozenset()
    rows: list[Names] = []
    for case in node.cases:
        if case.exit == exit_name:
            rows.append(full | ({case.variable} if case.test == "is_set" else frozenset()))
        full |= {case.variable} if case.test == "is_empty" else frozenset()
    rows += [full] if exit_name == "otherwise" else []
    return frozenset.intersection(*rows) if rows else frozenset()


def _field(node: AnyNode, variable: str) -> str:
    """Where a node reads that variable, as faults name fields."""
    for written in node.says():
        if (said := _item(written)) and said.variable == variable:
            return field_that_says(node, written)
    match node:
        case Act():
            return f"inputs.{next((name for name, text in node.inputs.items() if values.variable_of(text) == variable), variable)}"
        case Branch():
            return "cases"
        case Send():
            return next((f"text.{lang}" for lang, text in node.text.items() if variable in values.variables_within(text)), "to")
        case _:
            return ""


def _item(written: str) -> values.Item | None:
    try:
        return values.item(written)
    except ValueError:
        return None
