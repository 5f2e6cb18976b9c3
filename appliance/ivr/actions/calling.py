"""Actions on the call itself."""

from appliance.ivr.actions.action import Action, ActionCall, ActionResult


async def caller_number(call: ActionCall) -> ActionResult:
    """The number the caller rings from, to be said back or kept as the number to call back."""
    return ActionResult("known", {"number": call.ani}) if call.ani else ActionResult("withheld")


ACTIONS = (
    Action(
        name="caller_number",
        what="The number the caller rings from: {digits:number}",
        exits={"known": ("number",), "withheld": ()},
        run=caller_number,
    ),
)
