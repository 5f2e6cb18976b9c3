"""Where two who talk stand, as their call's tag says. Pure."""

from enum import StrEnum

from appliance.call import Call


class Stage(StrEnum):
    """Where two who talk stand. ringing: a third is rung; consulting: the holder talks with it; together: all three."""

    NONE = "none"
    TALKING = "talking"
    HELD = "held"
    RINGING = "ringing"
    CONSULTING = "consulting"
    TOGETHER = "together"


def stage_of(call: Call) -> Stage:
    """As the tag says."""
    tag = call.tag
    if not tag.party_answered:
        return Stage.NONE
    if tag.consult_leg and not tag.consult_answered:
        return Stage.RINGING
    if tag.consult_leg:
        return Stage.CONSULTING if tag.held else Stage.TOGETHER
    return Stage.HELD if tag.held else Stage.TALKING
