"""The sheet of a day: what each kind of account held, what came and went, what it holds; and the proof that every account is what its
postings add up to. Inside the caller's transaction.

A day's sheet has every transaction that stood on none when it was closed; what is posted later, whatever time it bears, stands on the
next one. So no transaction is on two sheets or on none, and each sheet opens where the last one closed.
"""

from datetime import date, datetime
from typing import Any

import msgspec
from peewee import JOIN, fn

from appliance.hospital.ledger.accounts import Kind
from appliance.store.money_tables import DailyClosing, LedgerAccount, LedgerTransaction, Posting

FAULTS_MOST = 100
Sums = dict[str, int]


class SheetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of account: `opening_fen` + `in_fen` - `out_fen` = `closing_fen`."""

    kind: str
    opening_fen: int
    in_fen: int
    out_fen: int
    closing_fen: int


class MovementLine(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of transaction: how many, and how much they moved."""

    kind: str
    number: int
    moved_fen: int


class AccountFault(msgspec.Struct, frozen=True, kw_only=True):
    """An account that is not what its postings add up to, or says otherwise after its last one."""

    code: str
    balance_fen: int
    postings_fen: int
    last_after_fen: int


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A day. `faults`: the first FAULTS_MOST."""

    day: date
    lines: tuple[SheetLine, ...]
    movements: tuple[MovementLine, ...]
    faults: tuple[AccountFault, ...]

    @property
    def balances(self) -> bool:
        """Every line adds up, all that is held is nothing together, and no account has a fault."""
        adds_up = all(line.opening_fen + line.in_fen - line.out_fen == line.closing_fen for line in self.lines)
        return adds_up and not self.faults and sum(line.closing_fen for line in self.lines) == 0


class ClosedBefore(msgspec.Struct, frozen=True):
    """There is a sheet of that day, or of this later one."""

    day: date


def sheet(day: date) -> Sheet:
    """As it would be were the day closed now; changes nothing."""
    return _sheet(day, LedgerTransaction.closing.is_null(), _last(DailyClosing.day < day), everything=True)


def close(day: date, now: datetime, by: str) -> Sheet | ClosedBefore:
    """Close the day: the sheet is kept, and what is posted from now on stands on the next."""
    last = _last(DailyClosing.id > 0)
    if last is not None and last.day >= day:
        return ClosedBefore(last.day)
    row = DailyClosing.create(day=day, closed_at=now, by=by, balanced=False, sheet="")
    LedgerTransaction.update(closing=row).where(LedgerTransaction.closing.is_null()).execute()
    made = _sheet(day, LedgerTransaction.closing == row.id, last)
    DailyClosing.update(balanced=made.balances, sheet=msgspec.json.encode(made).decode()).where(DailyClosing.id == row.id).execute()
    return made


def kept(day: date) -> Sheet | None:
    """The sheet of a day that was closed."""
    row = DailyClosing.get_or_none(DailyClosing.day == day)
    return None if row is None else _decoded(row)


def unbalanced() -> date | None:
    """The last day that was closed, if its sheet does not balance."""
    last = _last(DailyClosing.id > 0)
    return None if last is None or last.balanced else last.day


def _decoded(row: DailyClosing) -> Sheet:
    return msgspec.json.decode(row.sheet, type=Sheet)


def _last(which: Any) -> DailyClosing | None:
    found: DailyClosing | None = DailyClosing.select().where(which).order_by(DailyClosing.day.desc()).first()
    return found


def _sheet(day: date, which: Any, before: DailyClosing | None, *, everything: bool = False) -> Sheet:
    """What a kind held when it opened is taken from the sheet before, what it holds from the balances: had either been changed, the line
    would not add up."""
    opening = {} if before is None else {line.kind: line.closing_fen for line in _decoded(before).lines}
    came, went = _sums(which & (Posting.amount_fen > 0)), _sums(which & (Posting.amount_fen < 0))
    holds = _holds(later=not everything)
    lines = tuple(_line(kind.value, opening, came, went, holds) for kind in Kind)
    return Sheet(day=day, lines=lines, movements=_movements(which), faults=faults())


def _line(kind: str, opening: Sums, came: Sums, went: Sums, holds: Sums) -> SheetLine:
    return SheetLine(
        kind=kind,
        opening_fen=opening.get(kind, 0),
        in_fen=came.get(kind, 0),
        out_fen=-went.get(kind, 0),
        closing_fen=holds.get(kind, 0),
    )


def _sums(which: Any) -> Sums:
    """Of postings, by kind of account."""
    found = Posting.select(LedgerAccount.kind, fn.SUM(Posting.amount_fen)).join(LedgerAccount).switch(Posting).join(LedgerTransaction)
    pairs: Any = found.where(which).group_by(LedgerAccount.kind).tuples()
    return {kind: int(total) for kind, total in pairs}


def _holds(*, later: bool) -> Sums:
    """Of balances, by kind; without what was posted `later`, since the day was closed. One statement, so that nobody posts between."""
    other = LedgerAccount.alias()
    since = Posting.select(fn.COALESCE(fn.SUM(Posting.amount_fen), 0)).join(LedgerTransaction).switch(Posting)
    since = since.join(other, on=(Posting.account == other.id)).where(LedgerTransaction.closing.is_null(), other.kind == LedgerAccount.kind)
    total = fn.SUM(LedgerAccount.balance_fen)
    pairs: Any = LedgerAccount.select(LedgerAccount.kind, total - since if later else total).group_by(LedgerAccount.kind).tuples()
    return {kind: int(held) for kind, held in pairs}


def _movements(which: Any) -> tuple[MovementLine, ...]:
    number, moved = fn.COUNT(LedgerTransaction.id.distinct()), fn.SUM(Posting.amount_fen)
    found = Posting.select(LedgerTransaction.kind, number, moved).join(LedgerTransaction).where(which, Posting.amount_fen > 0)
    rows: Any = found.group_by(LedgerTransaction.kind).order_by(LedgerTransaction.kind).tuples()
    return tuple(MovementLine(kind=kind, number=count, moved_fen=int(total)) for kind, count, total in rows)


def faults() -> tuple[AccountFault, ...]:
    """Accounts whose balance is not what their postings add up to, or not what it was after the last of them: none, as long as nobody
    changed a row by hand."""
    last = Posting.select(Posting.account, fn.MAX(Posting.id).alias("last_id"), fn.SUM(Posting.amount_fen).alias("total"))
    last = last.group_by(Posting.account).alias("last")
    total, after = fn.COALESCE(last.c.total, 0), fn.COALESCE(Posting.balance_after_fen, 0)
    found = LedgerAccount.select(LedgerAccount.code, LedgerAccount.balance_fen, total, after)
    found = found.join(last, JOIN.LEFT_OUTER, on=(last.c.account_id == LedgerAccount.id))
    found = found.join(Posting, JOIN.LEFT_OUTER, on=(Posting.id == last.c.last_id))
    wrong: Any = found.where((LedgerAccount.balance_fen != total) | (LedgerAccount.balance_fen != after)).limit(FAULTS_MOST).tuples()
    names = ("code", "balance_fen", "postings_fen", "last_after_fen")
    return tuple(AccountFault(**dict(zip(names, row, strict=True))) for row in wrong)
