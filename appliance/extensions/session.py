"""The call of somebody who dialled at a set: ring whom the number means, join the two when it is answered, else say why by a tone.

Runs in the call's task; `Extensions` is told the dial plan with each connection to the line server.
"""

import asyncio
from collections.abc import Mapping

from appliance.call import Call
from appliance.call.leg import Leg
from appliance.call.outcome import Transferred
from appliance.config import CallsConfig
from appliance.config import Destination as Place
from appliance.extensions.policy import CAUSES, CallDirection, direction_of, places, service_of
from appliance.extensions.stage import Stage, stage_of
from appliance.routing import LAST, CallFacts, Decision, RoutingTable
from drivers.protocol import Destination, LegState, NumberKind, NumberPlan

PUT_DOWN_S = 2.5  # a set put down is rung no sooner than its guard time is over
RULE = "dial plan"
PLACE = "dialled"


class Extensions:
    """The sets of the house as callers. `plan` is the line server's, empty before the first connection; `calls` all there are."""

    def __init__(self, config: CallsConfig) -> None:
        self.plan = NumberPlan()
        self.calls: Mapping[str, Call] = {}
        self._config = config

    def direction(self, state: LegState) -> CallDirection:
        """Of a call just offered."""
        return direction_of(state, self.plan)

    def leads_to(self, number: str | None) -> Destination | None:
        """None for a number that leads nowhere."""
        return self.plan.destination(number or "")

    def decide(self, facts: CallFacts, routes: RoutingTable) -> Decision:
        """The service of a call: by the rules, and for a number dialled at a set that no rule names, by the dial plan. No rule stands
        before an emergency number."""
        leads_to = self.leads_to(facts.dnis) if facts.from_set else None
        if leads_to and leads_to.kind is NumberKind.EMERGENCY:
            return Decision("dialled", RULE, ())
        decision = routes.decide(facts)
        return Decision(service_of(leads_to), RULE, decision.misses) if facts.from_set and decision.route == LAST.name else decision

    async def dialled(self, call: Call) -> None:
        """The script. A number that leads nowhere any more, because the plan was changed meanwhile, is released as such."""
        if call.tag.place != PLACE:
            call.enter(PLACE)
        call.release_cause = CAUSES[await self._ring(call)]

    def places(self, number: str | None) -> tuple[Place, ...]:
        """Whom to ring for a number, the next when the one before has no free channel; none for one that leads nowhere."""
        leads_to = self.leads_to(number)
        return places(leads_to, self.plan, self._config.operator, self._config.extension_ring_ms) if leads_to else ()

    async def _ring(self, call: Call) -> Transferred:
        outcome = Transferred.UNKNOWN_DESTINATION
        for place in self.places(call.main.dnis):
            outcome = await call.transfer(place, answering=True)
            if outcome is Transferred.NO_CHANNEL and place.channel is not None:
                outcome = await self._ring_taken_set(call, place, place.channel)
            if outcome is not Transferred.NO_CHANNEL:
                break
        return outcome

    async def _ring_taken_set(self, call: Call, place: Place, channel: int) -> Transferred:
        """Beep into its talk; one that is put down is rung."""
        outcome = Transferred.BUSY
        if self._config.call_waiting:
            outcome = await call.knock(channel, self, place.ring_ms)
        if outcome is not Transferred.NO_CHANNEL:
            return outcome
        await asyncio.sleep(PUT_DOWN_S)
        call.ring = "recall"
        outcome = await call.transfer(place, answering=True)
        return Transferred.BUSY if outcome is Transferred.NO_CHANNEL else outcome

    # --- who talks where, for a call that knocks ----------------------------------------------------------------------

    def at_channel(self, channel: int) -> tuple[Call, Leg] | None:
        """Two who talk, one of them a set on that channel that nobody else knocks at."""
        for call in self.calls.values():
            for leg in call.legs.values():
                if leg.channel == channel and leg.sharer is None and stage_of(call) is Stage.TALKING:
                    return call, leg
        return None

    def of_leg(self, leg: str) -> tuple[Call, Leg] | None:
        """The call that has this leg."""
        return next(((call, call.legs[leg]) for call in self.calls.values() if leg in call.legs), None)
