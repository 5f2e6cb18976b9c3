"""Actions on the money of a card: what is on it, what happened to it last, more of it by a top-up card. The card is that of card_login."""

from appliance.hospital.ledger import deposits, statement
from appliance.hospital.ledger.deposits import NotTopped
from appliance.hospital.ledger.posting import Cause
from appliance.hospital.ledger.statement import StatementLine
from appliance.ivr.actions.action import ASK_AGAIN, Action, ActionCall, ActionResult
from appliance.ivr.listing import row, rows
from appliance.store.booking_tables import Booking
from appliance.store.hospital_tables import Card
from appliance.store.money_tables import Posting


async def balance(call: ActionCall) -> ActionResult:
    """What is on the card; nothing once its account went to another card."""
    account = await call.means.read(lambda: Card.get_by_id(call.number("card")).account)
    return ActionResult("known", {"balance_fen": account.balance_fen if account else 0})


async def last_movements(call: ActionCall) -> ActionResult:
    """The last five, the newest first: day, what for, how much, what was left."""

    def look() -> str:
        account_id = Card.get_by_id(call.number("card")).account_id
        return rows(_movement(line, call) for line in statement.last(account_id)) if account_id else ""

    said = await call.means.read(look)
    return ActionResult("some", {"movements": said}) if said else ActionResult("none")


def _movement(line: StatementLine, call: ActionCall) -> str:
    transaction = Posting.get_by_id(line.posting).transaction_id
    is_registration = line.kind == "fee" and Booking.select().where(Booking.payment == transaction).exists()
    return row(
        ("day", line.at.astimezone(call.zone).date().isoformat()),
        ("prompt", "movement_registration" if is_registration else f"movement_{line.kind}"),
        ("money", abs(line.amount_fen)),
        ("prompt", "balance_after_is"),
        ("money", line.balance_fen),
    )


async def top_up(call: ActionCall) -> ActionResult:
    """The value of the top-up card whose secret was keyed; wrong ones are counted for the card and for the telephone."""
    secret = call.take_secret()
    if secret is None:
        return ActionResult(ASK_AGAIN)
    now, who = call.means.now(), (f"phone {call.ani}",) if call.ani else ()
    cause = Cause(call=call.call_id, recording=call.call_id)
    digest = await call.means.in_thread(lambda: deposits.digest_of(secret))
    done = await call.means.transact(lambda: deposits.by_secret(call.number("card"), digest, who, call.once_key, now, cause))
    if isinstance(done, NotTopped):
        return ActionResult(NOT_TOPPED.get(done, "no_account"))
    return ActionResult("topped", {"amount_fen": done.amount_fen, "balance_fen": done.balance_fen})


NOT_TOPPED = {NotTopped.WRONG_SECRET: "wrong", NotTopped.SECRET_USED: "used", NotTopped.LOCKED: "too_often"}

ACTIONS = (
    Action(
        name="balance", what="What is on the card: {money:balance_fen}", exits={"known": ("balance_fen",)}, run=balance, inputs=("card",)
    ),
    Action(
        name="last_movements",
        what="The card's last five movements: {list:movements}",
        exits={"some": ("movements",), "none": ()},
        run=last_movements,
        inputs=("card",),
    ),
    Action(
        name="top_up",
        what="Puts the value of a top-up card onto the card: {money:amount_fen} {money:balance_fen}",
        exits={"topped": ("amount_fen", "balance_fen"), "wrong": (), "used": (), "too_often": (), "no_account": ()},
        run=top_up,
        inputs=("card",),
        takes_secret=True,
    ),
)
