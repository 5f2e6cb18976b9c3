"""Passwords of cards: six digits, kept as argon2id. However many lines try at once, the card is locked exactly at the limit, never a line.

A check has three parts, since the arithmetic takes too long for a transaction:
`begin` (transaction) → `is_right` (any thread) → `finish` (transaction). Nothing is told of a password that was right after the card was
locked. Setting one: `fault_of`, `hashed` (any thread), `set_password` (transaction).
"""

import secrets
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from appliance.hospital.registry.cards import CardState
from appliance.hospital.registry.field_fault import FieldFault
from appliance.store.hospital_tables import Card, Patient

DIGITS = 6
LIMIT = 3
KEYED_MOST = 16  # more than that is no password, and no work for argon2
# Source of the figures: OWASP Password Storage Cheat Sheet, Argon2id, second row; 20 ms on a small box.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_nobodys_hash = _hasher.hash(secrets.token_hex(16))


class Password(StrEnum):
    """What came of a check. `unknown`: no such card. `changed`: the password was set anew meanwhile; ask again."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    NOT_SET = "not_set"
    CHANGED = "changed"
    LOCKED = "locked"
    FROZEN = "frozen"
    LOST = "lost"
    CLOSED = "closed"


class PasswordCheck(msgspec.Struct, frozen=True):
    """A check that has begun. Never logged or stored: it has the hash."""

    card_id: int | None
    hashed: str
    refusal: Password | None


class PasswordOutcome(msgspec.Struct, frozen=True):
    """`left`: tries that remain after a wrong one. `card_id`, `patient_id` only when it was right."""

    result: Password
    left: int = 0
    card_id: int | None = None
    patient_id: int | None = None


def begin(card_number: str) -> PasswordCheck:
    """Transaction: what there is to compare with."""
    card = Card.get_or_none(Card.number == card_number)
    if card is None:
        return PasswordCheck(None, _nobodys_hash, Password.UNKNOWN)
    return PasswordCheck(card.id, card.password_hash or _nobodys_hash, _refusal(card))


def _refusal(card: Card) -> Password | None:
    if card.state != CardState.ACTIVE:
        return Password(card.state)
    return None if card.password_hash else Password.NOT_SET


def is_right(check: PasswordCheck, password: str) -> bool:
    """Any thread, 20 ms: takes as long for a card that is not there."""
    try:
        return _hasher.verify(check.hashed, password) if len(password) <= KEYED_MOST else False
    except (VerificationError, InvalidHashError):
        return False


def finish(check: PasswordCheck, right: bool, now: datetime, *, limit: int = LIMIT) -> PasswordOutcome:
    """Transaction: count it. The card's state now decides, not that of the beginning."""
    card = None if check.card_id is None else Card.get_or_none(Card.id == check.card_id)
    if card is None:
        return PasswordOutcome(Password.UNKNOWN)
    if refusal := _refusal(card):
        return PasswordOutcome(refusal)
    if card.password_hash != check.hashed:
        return PasswordOutcome(Password.CHANGED)
    return _right(card) if right else _wrong(card, now, limit)


def _right(card: Card) -> PasswordOutcome:
    still_active = Card.update(wrong_count=0).where(Card.id == card.id, Card.state == CardState.ACTIVE).execute()
    if not still_active:  # another connection was faster
        return PasswordOutcome(Password.LOCKED)
    return PasswordOutcome(Password.RIGHT, 0, card.id, card.patient_id)


def _wrong(card: Card, now: datetime, limit: int) -> PasswordOutcome:
    active = (Card.id == card.id, Card.state == CardState.ACTIVE)
    Card.update(wrong_count=Card.wrong_count + 1).where(*active).execute()
    locked = Card.update(state=CardState.LOCKED, state_at=now, state_by="").where(*active, Card.wrong_count >= limit).execute()
    after = Card.get_by_id(card.id)
    if locked or after.state != CardState.ACTIVE:
        return PasswordOutcome(Password.LOCKED)
    return PasswordOutcome(Password.WRONG, limit - after.wrong_count)


def fault_of(password: str, again: str, card: Card) -> FieldFault | None:
    """What is wrong with a new password; None when it will do."""
    patient = Patient.get_by_id(card.patient_id)
    born = patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""
    rules = (
        (password != again, "password_differs"),
        (not (password.isascii() and password.isdigit() and len(password) == DIGITS), "password_length"),
        (_is_simple(password) or password in card.number or password in born, "password_simple"),
    )
    code = next((code for broken, code in rules if broken), None)
    return FieldFault("password", code, {"most": DIGITS} if code == "password_length" else {}) if code else None


def _is_simple(password: str) -> bool:
    """One digit again and again, or digits in a row."""
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    return len(steps) == 1 and steps <= {-1, 0, 1}


def hashed(password: str) -> str:
    """Any thread, 20 ms."""
    return _hasher.hash(password)


def set_password(card_id: int, password_hash: str) -> None:
    """Transaction. A locked card stays locked: unlocking is another right."""
    Card.update(password_hash=password_hash).where(Card.id == card_id).execute()
    Card.update(wrong_count=0).where(Card.id == card_id, Card.state == CardState.ACTIVE).execute()


def change(card_id: int, password_hash: str) -> bool:
    """Transaction: by the holder, who has shown the old one just now; False when the card was stopped or locked since."""
    active = (Card.id == card_id, Card.state == CardState.ACTIVE)
    return bool(Card.update(password_hash=password_hash, wrong_count=0).where(*active).execute())
