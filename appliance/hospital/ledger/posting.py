"""The one way money moves: `post`. Its entries add up to nothing, a key makes it happen once, and no card goes below zero.

Runs in the caller's transaction; what is refused leaves no trace in it. Two processes may post at once: a balance is changed by the one
statement that also checks it, accounts always in the same order.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from appliance.hospital.errors import HospitalError
from appliance.hospital.ledger.accounts import Kind
from appliance.store.models import database
from appliance.store.money_tables import LedgerAccount, LedgerTransaction, Posting


class Movement(StrEnum):
    """Kinds of transactions."""

    TOP_UP = "top_up"
    FEE = "fee"
    REFUND = "refund"
    CORRECTION = "correction"
    REVERSAL = "reversal"
    SALE = "sale"


class Entry(msgspec.Struct, frozen=True):
    """`amount_fen` > 0: the account has more from now on."""

    account: int
    amount_fen: int


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Who or what a transaction goes back to. `recording`: the id of the call's recording, for disputes."""

    by: str = ""
    call: str = ""
    recording: str = ""
    memo: str = ""


class Posted(msgspec.Struct, frozen=True):
    """`again`: it had been posted before under the same key, and nothing was changed now."""

    transaction: int
    again: bool = False


class NotPosted(StrEnum):
    INSUFFICIENT = "insufficient"
    UNDONE_BEFORE = "undone_before"


class _RefusalError(Exception):
    """Undoes what was begun."""

    def __init__(self, why: NotPosted) -> None:
        self.why = why


def post(
    kind: Movement, entries: Iterable[Entry], once_key: str, now: datetime, cause: Cause, reverses: int | None = None
) -> Posted | NotPosted:
    """Move money. Raises: HospitalError HOS-100 for entries that do not add up to nothing."""
    ordered = sorted(entries, key=lambda entry: entry.account)
    _check(ordered, once_key)
    try:
        with database.atomic():
            return _post(kind, ordered, once_key, now, cause, reverses)
    except _RefusalError as refused:
        return refused.why


def _check(entries: list[Entry], once_key: str) -> None:
    balanced = sum(entry.amount_fen for entry in entries) == 0
    if len(entries) < 2 or not balanced or len({entry.account for entry in entries}) != len(entries):
        raise HospitalError(
            "HOS-100", f"the entries of {once_key} do not add up to nothing: {entries}", "A fault of Careline: see the log, and report it"
        )


def _post(kind: Movement, entries: list[Entry], once_key: str, now: datetime, cause: Cause, reverses: int | None) -> Posted:
    before = LedgerTransaction.get_or_none(LedgerTransaction.once_key == once_key)
    if before is not None:
        return Posted(before.id, again=True)
    if reverses is not None and LedgerTransaction.select().where(LedgerTransaction.reverses == reverses).exists():
        raise _RefusalError(NotPosted.UNDONE_BEFORE)
    row = {"once_key": once_key, "at": now, "kind": kind.value, "reverses": reverses}
    row |= {"memo": cause.memo, "by": cause.by, "call": cause.call, "recording": cause.recording}
    LedgerTransaction.insert(row).on_conflict_ignore().execute()
    written = LedgerTransaction.get_or_none(LedgerTransaction.once_key == once_key)
    if written is None:  # another process has just undone the same transaction
        raise _RefusalError(NotPosted.UNDONE_BEFORE)
    if Posting.select().where(Posting.transaction == written).exists():
        return Posted(written.id, again=True)
    for entry in entries:
        _enter(written, entry)
    return Posted(written.id)


def _enter(transaction: LedgerTransaction, entry: Entry) -> None:
    after = LedgerAccount.balance_fen + entry.amount_fen
    guard = (LedgerAccount.id == entry.account) & ((LedgerAccount.kind != Kind.CARD.value) | (after >= 0) | (entry.amount_fen >= 0))
    if not LedgerAccount.update(balance_fen=after).where(guard).execute():
        raise _RefusalError(NotPosted.INSUFFICIENT)
    balance_fen = LedgerAccount.get_by_id(entry.account).balance_fen
    Posting.create(transaction=transaction, account=entry.account, amount_fen=entry.amount_fen, balance_after_fen=balance_fen)


def transfer(
    kind: Movement,
    from_account: LedgerAccount,
    to_account: LedgerAccount,
    amount_fen: int,
    once_key: str,
    now: datetime,
    cause: Cause,
    reverses: int | None = None,
) -> Posted | NotPosted:
    """`amount_fen` from one account to another. Raises: HospitalError HOS-101 for an amount that is not above zero."""
    if amount_fen <= 0:
        raise HospitalError("HOS-101", f"{amount_fen} fen cannot be moved", "Give an amount above zero")
    entries = (Entry(from_account.id, -amount_fen), Entry(to_account.id, amount_fen))
    return post(kind, entries, once_key, now, cause, reverses)


def undo(transaction: int, kind: Movement, once_key: str, now: datetime, cause: Cause) -> Posted | NotPosted:
    """The same entries the other way round; a transaction is undone once."""
    entries = [Entry(row.account_id, -row.amount_fen) for row in Posting.select().where(Posting.transaction == transaction)]
    return post(kind, entries, once_key, now, cause, reverses=transaction)
