"""Runs flows for a call: from place to place until an end. What is done at each is visiting.py's. Runs in the call's task."""

from typing import Any, Protocol

from appliance.call import Call
from appliance.ivr.flow import FlowSet, Position
from appliance.ivr.nodes import Value
from appliance.ivr.visiting import RUN, Visit
from appliance.ivr.wiring import Wiring


class Editions(Protocol):
    """The flows there are. `current`: those that new calls walk."""

    current: FlowSet

    async def of(self, edition: int) -> FlowSet:
        """Those of that edition; the current ones when it cannot be had any more."""


class FlowRunner:
    """The script of a call whose service is one of flows."""

    def __init__(self, editions: Editions, wiring: Wiring) -> None:
        self._editions = editions
        self._wiring = wiring

    async def __call__(self, call: Call) -> None:
        """Answer it, then walk from place to place until a hang_up."""
        tag = call.tag
        flows = await self._editions.of(tag.edition) if tag.place else self._editions.current
        if not tag.place:
            await call.answer()
        if not flows.has(call.tag.place) or flows.edition != call.tag.edition:
            self._enter(call, flows.entry(call.tag.service), edition=flows.edition)
        while await self._visit(call, flows):
            pass

    async def _visit(self, call: Call, flows: FlowSet) -> bool:
        """Do what the place says and go to the next one; False at the end."""
        flow, node = flows.at(call.tag.place)
        here = Position(call.tag.place, call.tag.stack)
        left = await RUN[type(node)](Visit(call, flow, self._wiring), node)
        if left is None:
            return False
        if back := flows.position_of(call.tag.put_back, here):
            self._enter(call, back, put_back="", party_left=False)
            return True
        after = flows.after(here, left.exit)
        if after.place:
            self._enter(call, after, vars=_with(call.tag.vars, left.variables))
        return bool(after.place)

    @staticmethod
    def _enter(call: Call, to: Position, **changes: Any) -> None:
        call.enter(to.place, stack=to.stack, **changes)


def _with(variables: dict[str, Value], new: dict[str, Value]) -> dict[str, Value]:
    return {**variables, **new} if new else variables
