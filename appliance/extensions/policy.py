"""Where a number dialled at a set leads: the service that takes the call, the places tried in turn, the call's direction. Pure."""

from collections.abc import Mapping
from typing import Literal

from appliance.call.outcome import Transferred
from appliance.config import Destination
from drivers.protocol import Cause, LegState, NumberKind, NumberPlan, NumberSource
from drivers.protocol import Destination as Dialled

CallDirection = Literal["inbound", "outbound", "internal"]

CAUSES: Mapping[Transferred, Cause] = {
    Transferred.ANSWERED: Cause.NORMAL,
    Transferred.BUSY: Cause.USER_BUSY,
    Transferred.NO_ANSWER: Cause.NO_ANSWER,
    Transferred.NO_CHANNEL: Cause.NO_CHANNEL,
    Transferred.UNKNOWN_DESTINATION: Cause.INVALID_NUMBER,
    Transferred.FAILED: Cause.TEMPORARY_FAILURE,
}
"""What the set that dialled is released with; its tone follows from it."""


def is_from_set(state: LegState) -> bool:
    """True when somebody lifted a set of the house and dialled."""
    return state.caller is not None and state.caller.source is NumberSource.SET


def direction_of(state: LegState, plan: NumberPlan) -> CallDirection:
    """A call that a set makes is no incoming one: it stays in the house, or goes out."""
    if not is_from_set(state):
        return "inbound"
    leads_to = plan.destination(state.dnis or "")
    return "outbound" if leads_to and leads_to.kind in (NumberKind.OUTSIDE, NumberKind.EMERGENCY) else "internal"


def service_of(leads_to: Dialled | None) -> str:
    """The service for a number of the dial plan: its own, or "dialled" for one that is rung at once (or leads nowhere)."""
    return leads_to.service if leads_to and leads_to.kind is NumberKind.SERVICE else "dialled"


def places(leads_to: Dialled, plan: NumberPlan, operator: Destination, ring_ms: int) -> tuple[Destination, ...]:
    """Whom to ring, the next when the one before has no free channel."""
    match leads_to.kind:
        case NumberKind.OPERATOR:
            return (operator,)
        case NumberKind.EXTENSION if leads_to.group:
            return (Destination(group=leads_to.group, ring_ms=ring_ms),)
        case NumberKind.EXTENSION:
            return (Destination(group="", channel=leads_to.channel, number=leads_to.number, ring_ms=ring_ms),)
        case NumberKind.EMERGENCY:
            return tuple(Destination(group=group, number=leads_to.number, ring_ms=ring_ms) for group in plan.emergency_groups)
        case NumberKind.OUTSIDE:
            return (Destination(group=leads_to.group, number=leads_to.number, ring_ms=ring_ms),)
    return ()
