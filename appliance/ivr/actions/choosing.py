"""Actions on the call's variables alone: one of several things that were listed, a value put under another name."""

from appliance.ivr.actions.action import Action, ActionCall, ActionResult, Value
from appliance.ivr.listing import MORE, NOTHING, Page


async def pick(call: ActionCall) -> ActionResult:
    """The thing under that key; `among` are the things in their order, separated by spaces. Of a list that goes on: the page after."""
    among, choice = call.text("among").split(), call.number("choice")
    picked = among[choice - 1] if 1 <= choice <= len(among) else NOTHING
    if picked == MORE:
        return ActionResult("more", {"page": int(call.inputs.get("shown_page", 0)) + 1})
    return ActionResult("none_such") if picked == NOTHING else ActionResult("picked", {"picked": picked})


def page_asked(call: ActionCall) -> int:
    """The page of its list that an action is to give: the first, unless the caller has just asked for more."""
    return int(call.inputs.get("page", 0))


def shown(page: Page, number: int, among: str, choices: str) -> dict[str, Value]:
    """What an action that lists gives: its values and rows by those names, `more`; the next list begins with its first page again."""
    return {among: page.among, choices: page.choices, "more": page.more, "page": 0, "shown_page": number}


SHOWN = ("more", "page", "shown_page")


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
        what="Takes what was listed under the key {choice}; more: the list is to go on",
        exits={"picked": ("picked",), "more": ("page",), "none_such": ()},
        run=pick,
        inputs=("choice", "among"),
        optional=("shown_page",),
    ),
)
