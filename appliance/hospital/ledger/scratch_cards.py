"""Scratch cards in batches: made, sold, voided, what has become of each. Inside the caller's transaction.

Their secrets are in nobody's hands but those of whoever made the batch, at that moment: the store keeps digests (deposits.py).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from peewee import ModelSelect, fn

from appliance.hospital.ledger import deposits
from appliance.hospital.ledger.accounts import CARD_SECRETS, Kind, account_of, cash_desk
from appliance.hospital.ledger.deposits import PrintedSecret
from appliance.hospital.ledger.posting import Cause, Movement, NotPosted, transfer
from appliance.store.money_tables import CardSecret, SecretBatch

BATCH_MOST = 1_000
VALUE_FEN_MOST = 100_000
NOTE_MOST = 200
STATES = ("unsold", "sold", "used", "void")


class Counted(msgspec.Struct, frozen=True):
    """A batch, and how many of its cards are in each of STATES."""

    batch: SecretBatch
    counts: dict[str, int]


def make(
    made: Sequence[tuple[str, str]], value_fen: int, note: str, once_key: str, now: datetime, by: str
) -> tuple[SecretBatch, list[PrintedSecret]] | None:
    """A new batch of these secrets, each with its digest, none of them sold. None: that form made one before, whose secrets nobody is
    told again."""
    if SecretBatch.select().where(SecretBatch.once_key == once_key).exists():
        return None
    printed = deposits.print_secrets(made, value_fen, _next_serial())
    serials = {"first_serial": printed[0].serial, "last_serial": printed[-1].serial, "count": len(printed)}
    batch = SecretBatch.create(**serials, once_key=once_key, value_fen=value_fen, note=note, made_at=now, made_by=by)
    return batch, printed


def _next_serial() -> int:
    last = CardSecret.select(fn.MAX(CardSecret.serial)).scalar()
    return int(last or 0) + 1


def counted(batches: Iterable[SecretBatch]) -> list[Counted]:
    return [Counted(batch, _counts(batch)) for batch in batches]


def _counts(batch: SecretBatch) -> dict[str, int]:
    counted_by = cards_of(batch).select(CardSecret.state, fn.COUNT(CardSecret.id)).group_by(CardSecret.state)
    rows: Any = counted_by.order_by(CardSecret.state).tuples()
    return dict.fromkeys(STATES, 0) | {state: int(count) for state, count in rows}


def cards_of(batch: SecretBatch) -> "ModelSelect[CardSecret]":
    """A query of its cards, by serial."""
    return CardSecret.select().where(CardSecret.serial.between(batch.first_serial, batch.last_serial)).order_by(CardSecret.serial)


def sell(batch: SecretBatch, first: str, last: str, once_key: str, now: datetime, cause: Cause) -> int:
    """From now on the unsold ones from `first` to `last` have their value, which was paid at the till of `cause.by`; how many."""
    serials = _serials(batch, first, last, ("unsold",))
    if not serials:
        return 0
    total_fen = batch.value_fen * deposits.set_sold(serials)
    posted = transfer(
        Movement.SALE, cash_desk(cause.by), account_of(Kind.CARD_SECRETS, CARD_SECRETS), total_fen, f"sold {once_key}", now, cause
    )
    assert not isinstance(posted, NotPosted)  # only cards may lack money
    return len(serials)


def void(batch: SecretBatch, first: str, last: str) -> int:
    """Those that were not used yet are worth nothing any more; how many."""
    return deposits.void(_serials(batch, first, last, ("unsold", "sold")))


def _serials(batch: SecretBatch, first: str, last: str, states: Sequence[str]) -> list[str]:
    within = CardSecret.serial.between(max(first, batch.first_serial), min(last, batch.last_serial))
    return [row.serial for row in CardSecret.select(CardSecret.serial).where(within, CardSecret.state.in_(states))]
