"""A card and its password, asked by a page: the same check as by telephone, counted on the card. In request threads.

The arithmetic of a password is never done within a transaction.
"""

from appliance.hospital import masking
from appliance.hospital.registry import card_password
from appliance.hospital.registry.card_password import KEYED_MOST, Password, PasswordOutcome
from appliance.hospital.registry.characters import joined, narrow
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.shared import audit, say, shared

NUMBER_MOST = 16
WRITTEN_MOST = 32  # in groups, as it stands on the card
TRIES = 2  # the second when the password was set anew during the first


def number_of(written: str) -> str:
    """A card's number, in groups or in one piece, with digits of any width."""
    return joined(written[:WRITTEN_MOST])[: NUMBER_MOST + 1]


def check(card_number: str, password: str) -> PasswordOutcome:
    """Whether that is the card's password; wrong ones lock the card at the limit, from wherever they come."""
    outcome = PasswordOutcome(Password.UNKNOWN)
    for _ in range(TRIES):
        outcome = _once(number_of(card_number), narrow(password[: KEYED_MOST + 1]))
        if outcome.result is not Password.CHANGED:
            break
    return outcome


def _once(card_number: str, password: str) -> PasswordOutcome:
    with database.atomic():
        begun = card_password.begin(card_number)
    right = card_password.is_right(begun, password)
    with write_transaction(database):
        limit = shared().config.hospital.card_wrong_passwords
        outcome = card_password.finish(begun, right, shared().clock.now(), limit=limit)
        if outcome.result is not Password.RIGHT:
            audit("card_refused", masking.card(card_number[:NUMBER_MOST], masked=True), outcome.result.value)
    return outcome


def refusal_words(outcome: PasswordOutcome) -> str:
    """Why not. Whether there is such a card is not told to who does not know its password."""
    if outcome.result in (Password.WRONG, Password.UNKNOWN, Password.CHANGED):
        return say("card_entry.wrong", limit=shared().config.hospital.card_wrong_passwords)
    return say(f"card_entry.{outcome.result.value}")
