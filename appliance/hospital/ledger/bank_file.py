"""Files of transfers from the bank, onto cards. `read_file` (no store, any thread), then `take` inside the caller's transaction.

A file is CSV or XLSX with titles in its first line:

| column | title | what |
|---|---|---|
| reference | 流水号 / Reference | the bank's own number of the transfer: taken once, whatever file it stands in |
| card | 卡号 / Card number | the card it is for; one that nobody knows puts the money on the suspense list |
| amount | 金额 / Amount | yuan, "100" or "100.50" |
| reverses | 冲正流水号 / Reverses | the reference of a transfer that the bank takes back; card and amount must be those of that transfer |
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

import msgspec

from appliance.hospital.imports.reading import read_rows
from appliance.hospital.imports.row import FileRefused, Row
from appliance.hospital.ledger.accounts import BANK, SUSPENSE, Kind, account_of
from appliance.hospital.ledger.deposits import AT_ONCE_MOST_FEN, TAKE_MONEY
from appliance.hospital.ledger.posting import Cause, Movement, NotPosted, Posted, transfer, undo
from appliance.hospital.registry.field_fault import FieldFault, Refused
from appliance.hospital.registry.form import Form
from appliance.store.hospital_tables import Card
from appliance.store.money_tables import BankFile, BankLine, LedgerAccount, LedgerTransaction

ROWS_MOST = 20_000
COLUMNS: Mapping[str, tuple[str, str]] = {
    "reference": ("流水号", "Reference"),
    "card": ("卡号", "Card number"),
    "amount": ("金额", "Amount"),
    "reverses": ("冲正流水号", "Reverses"),
}
REQUIRED = ("reference", "card", "amount")


class LineState(StrEnum):
    """booked: the money is on the card, or was taken back; duplicate: the reference was booked before; unknown_card: it waits on the
    suspense list; reversed: it was booked, and the bank took it back; refused: nothing was booked, a person must look at it."""

    BOOKED = "booked"
    DUPLICATE = "duplicate"
    UNKNOWN_CARD = "unknown_card"
    REVERSED = "reversed"
    REFUSED = "refused"


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A line that could be read."""

    line: int
    reference: str
    card: str
    amount_fen: int
    reverses: str = ""


class LineResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a line. `why` of a refused one: a fault of a field, or "no_such_transfer", "differs", "reversed_before",
    "insufficient", "card_closed"."""

    line: int
    reference: str
    state: LineState
    amount_fen: int = 0
    why: str = ""
    fault: FieldFault | None = None


class FileRead(msgspec.Struct, frozen=True):
    """`digest`: of its bytes. `refused`: lines that could not be read."""

    name: str
    digest: str
    transfers: tuple[Transfer, ...]
    refused: tuple[LineResult, ...]


class FileTaken(msgspec.Struct, frozen=True):
    """Every line's result, in the order of the file."""

    file: int
    results: tuple[LineResult, ...]

    def number_of(self, state: LineState) -> int:
        return sum(result.state is state for result in self.results)


class TakenBefore(msgspec.Struct, frozen=True):
    """The very same file."""

    file: int
    at: datetime
    by: str


def read_file(name: str, content: bytes) -> FileRead | FileRefused:
    """Without the store, in any thread."""
    rows = read_rows(content, ROWS_MOST)
    if isinstance(rows, FileRefused):
        return rows
    columns = _columns(rows[0].cells)
    if isinstance(columns, FileRefused):
        return columns
    if len(rows) < 2:
        return FileRefused("no_rows")
    read = [_read(row, columns) for row in rows[1:]]
    transfers = tuple(one for one in read if isinstance(one, Transfer))
    refused = tuple(one for one in read if isinstance(one, LineResult))
    return FileRead(name, sha256(content).hexdigest(), transfers, refused)


def _columns(titles: Sequence[str]) -> list[str] | FileRefused:
    known = {title.lower(): name for name, both in COLUMNS.items() for title in (name, *both)}
    plain = [title.strip().lower() for title in titles]
    columns = [known.get(title, "") for title in plain]
    faults = {
        "column_unknown": [title for title in plain if title and title not in known],
        "column_twice": sorted({name for name in columns if name and columns.count(name) > 1}),
        "column_missing": [name for name in REQUIRED if name not in columns],
    }
    for code, names in faults.items():
        if names:
            return FileRefused(code, {"columns": ", ".join(name[:32] for name in names[:16])})
    return columns


def _read(row: Row, columns: Sequence[str]) -> Transfer | LineResult:
    given = {column: cell for column, cell in zip(columns, row.cells, strict=False) if column}
    form = Form(given)
    reference = form.text("reference", 64, required=True)
    card = form.digits("card", 4, 16)
    amount_fen = form.money_fen("amount", required=True, most_fen=AT_ONCE_MOST_FEN)
    if not form.refusal and amount_fen == 0:
        form.fault("amount", "money")
    reverses = form.text("reverses", 64)
    if isinstance(form.refusal, Refused):
        return LineResult(line=row.line, reference=reference[:64], state=LineState.REFUSED, fault=form.refusal.faults[0])
    return Transfer(line=row.line, reference=reference, card=card, amount_fen=amount_fen, reverses=reverses)


def take(read: FileRead, now: datetime, cause: Cause) -> FileTaken | TakenBefore:
    """Book every line that can be booked; each says what came of it."""
    BankFile.insert(name=read.name[:255], digest=read.digest, taken_at=now, by=cause.by).on_conflict_ignore().execute()
    file = BankFile.get(BankFile.digest == read.digest)
    if BankLine.select().where(BankLine.file == file).exists():
        return TakenBefore(file.id, file.taken_at, file.by)
    results = [*read.refused, *(_take(transfer_line, file, now, cause) for transfer_line in read.transfers)]
    for result in read.refused:
        columns = {"line": result.line, "reference": result.reference, "card_number": "", "amount_fen": 0, "state": result.state.value}
        BankLine.create(file=file, **columns)
    return FileTaken(file.id, tuple(sorted(results, key=lambda result: result.line)))


def _take(line: Transfer, file: BankFile, now: datetime, cause: Cause) -> LineResult:
    state, transaction, why = _came(line, now, cause)
    BankLine.create(
        file=file,
        line=line.line,
        reference=line.reference,
        card_number=line.card,
        amount_fen=-line.amount_fen if line.reverses else line.amount_fen,
        state=state.value,
        transaction=transaction,
    )
    return LineResult(line=line.line, reference=line.reference, state=state, amount_fen=line.amount_fen, why=why)


Came = tuple[LineState, int | None, str]


def _came(line: Transfer, now: datetime, cause: Cause) -> Came:
    if LedgerTransaction.select().where(LedgerTransaction.once_key == _key(line.reference)).exists():
        return LineState.DUPLICATE, None, ""
    return _reverse(line, now, cause) if line.reverses else _book(line, now, cause)


def _key(reference: str) -> str:
    return f"bank {reference}"


def _book(line: Transfer, now: datetime, cause: Cause) -> Came:
    card = Card.get_or_none(Card.number == line.card)
    if card is not None and (card.account is None or card.state not in TAKE_MONEY):
        return LineState.REFUSED, None, "card_closed"
    target = None if card is None else card.account
    target = target or account_of(Kind.SUSPENSE, SUSPENSE)
    posted = _posted(transfer(Movement.TOP_UP, account_of(Kind.BANK, BANK), target, line.amount_fen, _key(line.reference), now, cause))
    return (LineState.UNKNOWN_CARD if card is None else LineState.BOOKED), posted.transaction, ""


def _posted(outcome: Posted | NotPosted) -> Posted:
    assert isinstance(outcome, Posted)  # only cards may lack money
    return outcome


def _reverse(line: Transfer, now: datetime, cause: Cause) -> Came:
    """Take back what the bank takes back; not what the holder of the card has spent meanwhile."""
    booked = BankLine.amount_fen > 0, BankLine.transaction.is_null(False)
    first = BankLine.get_or_none(BankLine.reference == line.reverses, *booked)
    if first is None:
        return LineState.REFUSED, None, "no_such_transfer"
    if (first.card_number, first.amount_fen) != (line.card, line.amount_fen):
        return LineState.REFUSED, None, "differs"
    undone = _undo(first, _key(line.reference), now, cause)
    if undone is NotPosted.INSUFFICIENT:
        return LineState.REFUSED, None, "insufficient"
    if not isinstance(undone, Posted):
        return LineState.REFUSED, None, "reversed_before"
    BankLine.update(state=LineState.REVERSED.value).where(BankLine.id == first.id).execute()
    return LineState.BOOKED, undone.transaction, ""


def _undo(line: BankLine, key: str, now: datetime, cause: Cause) -> Posted | NotPosted:
    """What a line put on the suspense list and from there onto a card goes both ways back."""
    first = LedgerTransaction.get(LedgerTransaction.once_key == _key(line.reference))
    assert line.transaction_id is not None
    if line.transaction_id != first.id:
        assigned = undo(line.transaction_id, Movement.REVERSAL, f"{key} assigned", now, cause)
        if not isinstance(assigned, Posted):
            return assigned
    return undo(first.id, Movement.REVERSAL, key, now, cause)


def suspense() -> list[BankLine]:
    """Transfers nobody knows the card of, the oldest first."""
    return list(BankLine.select().where(BankLine.state == LineState.UNKNOWN_CARD.value).order_by(BankLine.id))


def assign(line_id: int, card_id: int, now: datetime, cause: Cause) -> LedgerAccount | None:
    """Put a transfer of the suspense list onto the card it is for. None: it was no longer there, or the card takes no money."""
    card = Card.get_or_none(Card.id == card_id)
    if card is None or card.account is None or card.state not in TAKE_MONEY:
        return None
    claimed = BankLine.update(state=LineState.BOOKED.value, card_number=card.number)
    if not claimed.where(BankLine.id == line_id, BankLine.state == LineState.UNKNOWN_CARD.value).execute():
        return None
    line = BankLine.get_by_id(line_id)
    source = account_of(Kind.SUSPENSE, SUSPENSE)
    posted = _posted(transfer(Movement.TOP_UP, source, card.account, line.amount_fen, f"bank assigned {line_id}", now, cause))
    BankLine.update(transaction=posted.transaction).where(BankLine.id == line_id).execute()
    return LedgerAccount.get_by_id(card.account_id)
