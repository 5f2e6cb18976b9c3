"""What flows can have done: the table of actions by name. A subject's actions are in a module of their own, with a tuple ACTIONS.

Pure but for what the actions themselves do through `ActionCall.means`.
"""

from collections.abc import Mapping

from appliance.ivr.actions import (
    accounts,
    calling,
    cards,
    choosing,
    complaints,
    doctors,
    information,
    opening,
    recognising,
    registration,
    studio,
)
from appliance.ivr.actions.action import ASK_AGAIN, FAILED, Action, ActionCall, ActionResult, Means, Value

__all__ = ["ACTIONS", "ASK_AGAIN", "FAILED", "Action", "ActionCall", "ActionResult", "Means", "Value"]

_SUBJECTS = (accounts, calling, cards, choosing, complaints, doctors, information, opening, recognising, registration, studio)

ACTIONS: Mapping[str, Action] = {action.name: action for subject in _SUBJECTS for action in subject.ACTIONS}
