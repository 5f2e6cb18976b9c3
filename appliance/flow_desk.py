"""What clients of the control socket may ask of flows: use what was published, put a caller back at a place. Runs in the event loop."""

import logging
from collections.abc import Mapping

from appliance.call import Call
from appliance.control.messages import FlowsTold, PutCallBack, UseFlows
from appliance.errors import CallError, FlowError
from appliance.ivr.actions import ACTIONS
from appliance.ivr.assignment import Assignment
from appliance.ivr.editions import Editions
from appliance.ivr.flow import ALWAYS_SET, FlowSet, Position, split

log = logging.getLogger("careline.flows")


class FlowDesk:
    """`calls` by their id."""

    def __init__(self, editions: Editions, calls: Mapping[str, Call]) -> None:
        self._editions = editions
        self._calls = calls

    async def use_flows(self, request: UseFlows) -> FlowsTold:
        """Raises: StoreError; FlowError APP-148 when what was published cannot be walked."""
        await self._editions.use_newest()
        log.info("new calls walk edition %d of the flows, asked by %s", self._editions.current.edition, request.by)
        return FlowsTold(edition=self._editions.current.edition)

    async def put_back(self, request: PutCallBack) -> None:
        """Raises: CallError APP-011 (no such call), APP-110 (talks with nobody); FlowError APP-149 (not at that place)."""
        call = self._calls.get(request.call_id)
        if call is None:
            raise CallError("APP-011", f"there is no call {request.call_id}", "It is over; look into the call list")
        flows = await self._editions.of(call.tag.edition)
        if not flows.has(call.tag.place):
            raise FlowError("APP-149", f"call {call.id} walks no flow", "Hang up, and have the caller ring the hotline")
        missing = missing_at(flows, request.place, Position(call.tag.place, call.tag.stack), frozenset(call.tag.vars))
        if missing is None:
            raise FlowError("APP-149", f"the flows of the call have no place {request.place!r} to go to", "Choose a place of its edition")
        if missing:
            what = f"the caller has not said what {request.place} needs: {', '.join(sorted(missing))}"
            raise FlowError("APP-149", what, "Choose an earlier place")
        call.put_back(request.place, request.by)
        log.info("call %s put back at %s by %s", call.id, request.place, request.by)


def missing_at(flows: FlowSet, place: str, here: Position, known: frozenset[str]) -> frozenset[str] | None:
    """Variables that the place, or one it returns to, can rely on and this call does not have; None when it cannot go there."""
    to = flows.position_of(place, here)
    if to is None:
        return None
    assignment = Assignment(flows, ACTIONS)
    wanted: frozenset[str] = frozenset()
    for each in (to.place, *to.stack):
        flow, _, inner = split(each)
        wanted |= assignment.known(flows.flows[flow]).get(inner, frozenset())
    return wanted - known - ALWAYS_SET
