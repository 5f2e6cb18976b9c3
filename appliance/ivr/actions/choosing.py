"""Actions on the call's variables alone: one of several things that were listed, a value put under another name."""

from appliance.ivr.actions.action import Action, ActionCall, ActionResult


async def pick(call: ActionCall) -> ActionResult:
    """The thing under that key; `among` are the things in their order, separated by spaces."""
    among, choice = call.text("among").split(), call.number("choice")
    return ActionResult("picked", {"picked": among[choice - 1]}) if 1 <= choice <= len(among) else ActionResult("none_such")


async def put(call: ActionCall) -> ActionResult:
    """The value as it stands."""
    return ActionResult("done", {"value": call.inputs["value"]})


ACTIONS = (
    Action(
        name="put",
        what="Puts a value under another name: {value}",
        exits={"done": ("value",)},
        run=put,
        inputs=("value",),
    ),
    Action(
        name="pick",
        what="Takes what was listed under the key {choice}",
        exits={"picked": ("picked",), "none_such": ()},
        run=pick,
        inputs=("choice", "among"),
    ),
)
