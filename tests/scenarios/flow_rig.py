"""Flows of a test in the store, published, and an action that changes it: what a call on them leaves is looked at there."""

from datetime import UTC, datetime
from pathlib import Path

from appliance.config import Config
from appliance.ivr.actions import Action, ActionCall, ActionResult
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.publishing import Published, publish, save_draft
from appliance.store.database import open_store
from appliance.store.models import Account
from appliance.store.outgoing import OutgoingMessage

NOW = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
PROMPTS = PromptLibrary()

EVERYTHING = """
flow: hotline
person: operator
entries: {hotline: hours, operator: operator, after_hours: hours}
places:
  hours: {kind: time_of_day, exits: {open: caller, closed: caller, holiday: caller}}
  caller:
    kind: action
    action: caller_number
    outputs: {number: mine}
    exits: {known: greeting, withheld: greeting, failed: operator}
  greeting: {kind: say, say: [greeting], exits: {done: menu}}
  menu:
    kind: menu
    say: [main_menu]
    keys: {1: book, 2: state, 3: message, 4: queue, 9: language, "#": out}
    exits: {book: card, state: statement, message: message, queue: queue, language: language, out: bye, too_many: operator, silent: bye}
  language: {kind: language, exits: {done: menu}}
  card: {kind: sub_flow, flow: test_card, exits: {got: confirm, none: menu, person: operator}}
  confirm:
    {kind: ask_yes_no, say: ["{digits:card}", "{money:fee}"], exits: {"yes": book, "no": menu, too_many: menu, silent: menu}}
  book:
    kind: action
    action: test_book
    inputs: {what: "{card}"}
    exits: {booked: send, ask_again: card, failed: operator}
  send: {kind: send, channel: sms, to: "{ani}", text: {zh: "卡 {card}", en: "card {card}"}, exits: {queued: booked, failed: operator}}
  booked: {kind: say, say: ["{digits:receipt}"], exits: {done: menu}}
  statement: {kind: record, variable: statement, exits: {recorded: stated, given_up: menu, unavailable: menu}}
  stated: {kind: say, say: [message_saved], exits: {done: menu}}
  message: {kind: leave_message, exits: {saved: menu, given_up: menu, unavailable: menu}}
  queue: {kind: queue, limit_s: 60, exits: {ended: bye, gave_up: menu, failed: menu}}
  operator: {kind: transfer, exits: {ended: bye, busy: bye, no_answer: bye, failed: bye}}
  bye: {kind: hang_up, say: [goodbye]}
"""
CARD = """
flow: test_card
person: to_person
entries: {begin: ask}
places:
  ask: {kind: ask_digits, say: [greeting], variable: card, min: 4, max: 6, exits: {got: fee, too_many: no, silent: no, back: no}}
  fee: {kind: action, action: test_fee, exits: {known: known, failed: no}}
  known: {kind: branch, cases: [{variable: fee, test: less, value: 1, exit: free}], exits: {free: no, otherwise: password}}
  password: {kind: ask_digits, say: [greeting], secret: true, min: 6, max: 6, exits: {got: got, too_many: no, silent: no}}
  got: {kind: return, exit: got}
  no: {kind: return, exit: none}
  to_person: {kind: return, exit: person}
"""


async def fee(call: ActionCall) -> ActionResult:
    return ActionResult("known", {"fee": 305})


async def book(call: ActionCall) -> ActionResult:
    """A row in the store, once for each visit; its number is the receipt. Without the password nothing is booked, unless it was already."""
    if receipt := await call.means.read(lambda: _receipt(call)):
        return ActionResult("booked", {"receipt": receipt})
    if call.take_secret() is None:
        return ActionResult("ask_again")
    row = {
        "channel": "book",
        "to": call.text("what"),
        "text": "",
        "language": call.language,
        "call": call.call_id,
        "once_key": call.once_key,
        "asked_at": call.means.now(),
    }

    def write() -> int:
        OutgoingMessage.insert(row).on_conflict_ignore().execute()
        return _receipt(call)

    return ActionResult("booked", {"receipt": await call.means.transact(write)})


def _receipt(call: ActionCall) -> int:
    """0 as long as this visit has booked nothing."""
    row = OutgoingMessage.get_or_none(OutgoingMessage.once_key == call.once_key)
    return int(row.id) if row else 0


TEST_ACTIONS = {
    "test_fee": Action("test_fee", "A fee", {"known": ("fee",)}, fee),
    "test_book": Action("test_book", "Books", {"booked": ("receipt",)}, book, inputs=("what",), takes_secret=True),
}


def editor() -> Account:
    """Whoever saves and publishes."""
    account, _ = Account.get_or_create(name="editor", defaults={"password_hash": "", "role": "administrator", "created_at": NOW})
    return account


def put_live(**texts: str) -> int:
    """Publish these texts in the store that is open; the edition."""
    chosen = {name: save_draft(name, text, editor(), NOW).version for name, text in texts.items()}
    outcome = publish(chosen, editor(), NOW, PROMPTS.ids)
    assert isinstance(outcome, Published), outcome
    return outcome.edition


def store_with(config: Config, **texts: str) -> None:
    """The store, and the one tests begin with again and again, have these flows live."""
    path: Path = config.paths.database
    empty = path.with_suffix(".empty")
    database = open_store(path)
    put_live(**texts)
    database.execute_sql("pragma wal_checkpoint(truncate)")
    database.close()
    path.rename(empty)
