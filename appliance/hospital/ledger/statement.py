"""The movements of an account with the balance after each: the last five for a caller, all of them for web and paper. Inside the caller's
transaction; changes nothing."""

from datetime import datetime
from typing import Any

import msgspec
from peewee import ModelSelect, fn

from appliance.store.money_tables import LedgerTransaction, Posting

PAGE_LINES = 50


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """`amount_fen` > 0 came onto the account. `call`, `recording`: what it goes back to."""

    posting: int
    at: datetime
    kind: str
    amount_fen: int
    balance_fen: int
    memo: str
    by: str
    call: str
    recording: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A period's lines, the oldest first: `opening_fen` + all their amounts = `closing_fen`."""

    opening_fen: int
    lines: tuple[StatementLine, ...]
    closing_fen: int


def last(account_id: int, most: int = 5) -> list[StatementLine]:
    """The latest movements, the latest first."""
    return page(account_id, None, most)


def page(account_id: int, before: int | None, most: int = PAGE_LINES) -> list[StatementLine]:
    """The latest movements before the posting `before` (None: of all), the latest first; the last one's `posting` leads to the next."""
    found = _postings(account_id)
    if before is not None:
        found = found.where(Posting.id < before)
    return [_line(row) for row in found.order_by(Posting.id.desc()).limit(most)]


def whole(account_id: int, begins: datetime | None = None, ends: datetime | None = None) -> Statement:
    """All movements from `begins` to before `ends`."""
    found = _postings(account_id)
    if begins is not None:
        found = found.where(LedgerTransaction.at >= begins)
    if ends is not None:
        found = found.where(LedgerTransaction.at < ends)
    lines = tuple(_line(row) for row in found.order_by(Posting.id))
    if not lines:
        opening_fen = 0 if begins is None else _sum_before(account_id, begins)
        return Statement(opening_fen=opening_fen, lines=(), closing_fen=opening_fen)
    return Statement(opening_fen=lines[0].balance_fen - lines[0].amount_fen, lines=lines, closing_fen=lines[-1].balance_fen)


def _sum_before(account_id: int, at: datetime) -> int:
    found = Posting.select(fn.SUM(Posting.amount_fen)).join(LedgerTransaction)
    return int(found.where(Posting.account == account_id, LedgerTransaction.at < at).scalar() or 0)


def _postings(account_id: int) -> "ModelSelect[Any]":
    return Posting.select(Posting, LedgerTransaction).join(LedgerTransaction).where(Posting.account == account_id)


def _line(row: Posting) -> StatementLine:
    moved = row.transaction
    return StatementLine(
        posting=row.id,
        at=moved.at,
        kind=moved.kind,
        amount_fen=row.amount_fen,
        balance_fen=row.balance_after_fen,
        memo=moved.memo,
        by=moved.by,
        call=moved.call,
        recording=moved.recording,
    )
