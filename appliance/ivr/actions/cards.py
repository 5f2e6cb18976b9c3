"""Actions on a caller's card: its password checked and changed, its holder found, the card reported lost. A password is in no variable."""

from appliance.hospital.registry import card_password
from appliance.hospital.registry import cards as register
from appliance.hospital.registry.card_password import Password
from appliance.hospital.registry.cards import CardState, CardStep
from appliance.ivr.actions.action import ASK_AGAIN, Action, ActionCall, ActionResult
from appliance.store.hospital_tables import Card

BY_TELEPHONE = "telephone"
NEW, AGAIN = "new", "again"
PASSWORD_LIMIT_S = 20.0  # hundreds of passwords at once are checked one after the other
REFUSED = ("unknown", "not_set", "locked", "frozen", "lost", "closed")


async def card_login(call: ActionCall) -> ActionResult:
    """Whether the secret keyed last is the card's password; three wrong ones from wherever lock the card."""
    secret = call.take_secret()
    if secret is None:
        return ActionResult(ASK_AGAIN)
    now = call.means.now()
    check = await call.means.read(lambda: card_password.begin(call.text("card_number")))
    is_right = await call.means.in_thread(lambda: card_password.is_right(check, secret))
    outcome = await call.means.transact(lambda: card_password.finish(check, is_right, now, limit=call.hospital.card_wrong_passwords))
    match outcome.result:
        case Password.RIGHT:
            return ActionResult("right", {"card": outcome.card_id or 0, "patient": outcome.patient_id or 0})
        case Password.WRONG:
            return ActionResult("wrong", {"tries_left": outcome.left})
        case Password.CHANGED:
            return ActionResult(ASK_AGAIN)
        case refusal:
            return ActionResult(refusal.value)


async def card_holder(call: ActionCall) -> ActionResult:
    """Whose card that is, to book for without money."""
    card = await call.means.read(lambda: register.by_number(call.text("card_number")))
    if card is None:
        return ActionResult("unknown")
    return ActionResult("holder", {"visitor": card.patient_id}) if card.state == CardState.ACTIVE else ActionResult(card.state)


async def report_lost(call: ActionCall) -> ActionResult:
    """The card is stopped at once; again: it is stopped already."""
    now = call.means.now()
    await call.means.transact(lambda: register.step(call.number("card"), CardStep.LOSE, now, BY_TELEPHONE))
    return ActionResult("stopped")


async def change_password(call: ActionCall) -> ActionResult:
    """The card's password is the new one, keyed twice the same. Done again after a crash both are gone: they are asked for anew."""
    new, again = call.take_secret(NEW), call.take_secret(AGAIN)
    if new is None or again is None:
        return ActionResult(ASK_AGAIN)
    card = await call.means.read(lambda: Card.get_by_id(call.number("card")))
    if fault := await call.means.read(lambda: card_password.fault_of(new, again, card)):
        return ActionResult("differs" if fault.code == "password_differs" else "too_simple")
    hashed = await call.means.in_thread(lambda: card_password.hashed(new))
    is_set = await call.means.transact(lambda: card_password.change(card.id, hashed))
    return ActionResult("changed" if is_set else "refused")


ACTIONS = (
    Action(
        name="change_password",
        what="Gives the card the password keyed as new and once more as again; weak ones are refused",
        exits={"changed": (), "differs": (), "too_simple": (), "refused": ()},
        run=change_password,
        inputs=("card",),
        takes_secret=True,
        limit_s=PASSWORD_LIMIT_S,
    ),
    Action(
        name="card_login",
        what="Checks the card's password; three wrong ones lock the card",
        exits={"right": ("card", "patient"), "wrong": ("tries_left",), **dict.fromkeys(REFUSED, ())},
        run=card_login,
        inputs=("card_number",),
        takes_secret=True,
        limit_s=PASSWORD_LIMIT_S,
    ),
    Action(
        name="card_holder",
        what="Whose card it is, without a password: for booking free of charge, nothing else",
        exits={"holder": ("visitor",), **dict.fromkeys((name for name in REFUSED if name != "not_set"), ())},
        run=card_holder,
        inputs=("card_number",),
    ),
    Action(
        name="report_lost",
        what="Stops the card at once",
        exits={"stopped": ()},
        run=report_lost,
        inputs=("card",),
    ),
)
