"""Prepaid cards: issued, replaced, and the states they go through. Inside the caller's transaction; the password: card_password.py."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from appliance.hospital.registry.card_accounts import hand_over, open_account
from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.unique import is_taken
from appliance.store.hospital_tables import Card, Patient

NUMBER_DIGITS = 10
FIRST_NUMBER = 600_100_001


class CardState(StrEnum):
    ACTIVE = "active"
    LOCKED = "locked"
    FROZEN = "frozen"
    LOST = "lost"
    CLOSED = "closed"


class CardStep(StrEnum):
    """What is done to a card. Unlocking, thawing and finding again need a right; freezing and reporting it lost need none."""

    UNLOCK = "unlock"
    FREEZE = "freeze"
    THAW = "thaw"
    LOSE = "lose"
    FIND = "find"
    CLOSE = "close"


STEPS: Mapping[CardStep, tuple[frozenset[CardState], CardState]] = {
    CardStep.UNLOCK: (frozenset({CardState.LOCKED}), CardState.ACTIVE),
    CardStep.FREEZE: (frozenset({CardState.ACTIVE, CardState.LOCKED}), CardState.FROZEN),
    CardStep.THAW: (frozenset({CardState.FROZEN}), CardState.ACTIVE),
    CardStep.LOSE: (frozenset({CardState.ACTIVE, CardState.LOCKED, CardState.FROZEN}), CardState.LOST),
    CardStep.FIND: (frozenset({CardState.LOST}), CardState.ACTIVE),
    CardStep.CLOSE: (frozenset(CardState) - {CardState.CLOSED}, CardState.CLOSED),
}
"""From which states a step leads, and to which."""


def read_number(given: Mapping[str, str], field: str = "number") -> str | Refused:
    """The number on a card that is printed already; empty: the next free one is taken."""
    form = Form(given)
    number = form.digits(field, 4, 16, required=False)
    return form.refusal or number


def issue(patient_id: int, now: datetime, by: str, number: str = "") -> Card | Refused:
    """A new card with an account of its own, without a password."""
    if not Patient.select().where(Patient.id == patient_id).exists():
        return refused("patient", "unknown", value=patient_id)
    number = number or next_number()
    if is_taken(Card.number, number, None):
        return refused("number", "duplicate", value=number)
    return Card.create(
        number=number, patient=patient_id, account=open_account(number), state_at=now, state_by=by, issued_at=now, state=CardState.ACTIVE
    )


def replace(card_id: int, now: datetime, by: str, number: str = "") -> Card | Refused:
    """A new card in place of one that was lost or broken: it takes the account along; the old one is closed. Without a password."""
    old = Card.get_by_id(card_id)
    account_id = old.account_id
    if old.state == CardState.CLOSED or account_id is None:
        return refused("number", "closed", value=old.number)
    number = number or next_number()
    if is_taken(Card.number, number, None):
        return refused("number", "duplicate", value=number)
    Card.update(account=None, state=CardState.CLOSED, state_at=now, state_by=by).where(Card.id == card_id).execute()
    hand_over(account_id, number)
    new = Card.create(number=number, patient=old.patient_id, account=account_id, state_at=now, state_by=by, issued_at=now)
    Card.update(replaced_by=new).where(Card.id == card_id).execute()
    return new


def step(card_id: int, what: CardStep, now: datetime, by: str) -> bool:
    """Do it; False where the card's state has no such step (done already, say). Every step but locking forgets wrong passwords."""
    before, after = STEPS[what]
    changed = Card.update(state=after, wrong_count=0, state_at=now, state_by=by).where(Card.id == card_id, Card.state.in_(sorted(before)))
    return bool(changed.execute())


def by_number(number: str) -> Card | None:
    """Whatever its state."""
    return Card.get_or_none(Card.number == number)


def of_patient(patient_id: int) -> list[Card]:
    """Newest first; closed ones too."""
    return list(Card.select().where(Card.patient == patient_id).order_by(Card.issued_at.desc(), Card.id.desc()))


def next_number() -> str:
    """NUMBER_DIGITS digits, the last a check digit (Luhn), so that a slip of a finger is nobody's card."""
    low, high = numbered(FIRST_NUMBER), "7" * NUMBER_DIGITS
    last = Card.select(Card.number).where(Card.number >= low, Card.number < high).order_by(Card.number.desc())
    found = next((row.number for row in last.limit(1_000) if len(row.number) == NUMBER_DIGITS), None)
    return numbered(int(found[:-1]) + 1) if found else low


def numbered(serial: int) -> str:
    """A card's number from its serial of nine digits. Source: ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(str(serial)))]
    return f"{serial}{-sum(n - 9 if n > 9 else n for n in doubled) % 10}"
