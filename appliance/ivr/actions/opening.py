"""Actions on the hospital's calendar."""

from appliance.calendar import Calendar
from appliance.ivr.actions.action import Action, ActionCall, ActionResult


async def next_opening(call: ActionCall) -> ActionResult:
    """When the hospital opens next, for a caller who rings outside its hours."""
    opens = Calendar(call.hospital.calendar).next_opening(call.means.now())
    if opens is None:
        return ActionResult("never")
    return ActionResult("known", {"date": opens.date().isoformat(), "time": opens.strftime("%H:%M")})


ACTIONS = (
    Action(
        name="next_opening",
        what="When the hospital opens next: {day:date} {time:time}",
        exits={"known": ("date", "time"), "never": ()},
        run=next_opening,
    ),
)
