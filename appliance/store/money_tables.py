"""Tables of money: a double-entry ledger that only grows, and what feeds it (peewee, SQLite and PostgreSQL alike). Integer fen
throughout."""

from peewee import AutoField, BooleanField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from appliance.store.models import StoreModel, UtcField


class LedgerAccount(StoreModel):
    """`kind`: card (we owe it to its holder), cash, bank, card_secrets, fees, suspense. `code`: "card 6001002003", "cash desk 1", "fees".
    `balance_fen` is the sum of its postings, changed in the same transaction as they; the daily closing proves it."""

    id = AutoField()
    kind = CharField(max_length=16)
    code = CharField(max_length=64, unique=True)
    balance_fen = IntegerField(default=0)


class DailyClosing(StoreModel):
    """The sheet of a day as it was closed. `sheet`: JSON."""

    id = AutoField()
    day = DateField(unique=True)
    closed_at = UtcField()
    by = CharField()
    balanced = BooleanField()
    sheet = TextField()


class LedgerTransaction(StoreModel):
    """Postings that belong together; their sum is 0. `kind`: top_up, fee, refund, correction, reversal, sale. `once_key`: the same
    thing asked for again finds this one. `reverses`: what it undoes; a transaction is undone at most once. `closing`: the day's sheet it
    stands on, None until the next closing; nothing else of it is ever changed."""

    id = AutoField()
    once_key = CharField(unique=True)
    at = UtcField(index=True)
    kind = CharField(max_length=16)
    memo = CharField(default="")
    by = CharField(default="")
    call = CharField(column_name="call_id", default="", index=True)
    recording = CharField(column_name="recording_id", default="")
    reverses = ForeignKeyField("self", null=True, unique=True, backref="reversed_by")
    reverses_id: int | None
    closing = ForeignKeyField(DailyClosing, null=True, backref="transactions")
    closing_id: int | None


class Posting(StoreModel):
    """`amount_fen` > 0 is a credit of the account (a card has more to spend), < 0 a debit. Never changed, never deleted."""

    id = AutoField()
    transaction = ForeignKeyField(LedgerTransaction, backref="postings")
    transaction_id: int
    account = ForeignKeyField(LedgerAccount, backref="postings", index=False)
    account_id: int
    amount_fen = IntegerField()
    balance_after_fen = IntegerField()

    class Meta:
        indexes = ((("account", "id"), False),)


class CardSecret(StoreModel):
    """A scratch card's value under its secret, of which only a digest is kept. `state`: unsold, sold, used, void."""

    id = AutoField()
    serial = CharField(max_length=24, unique=True)
    digest = CharField(max_length=64, unique=True)
    value_fen = IntegerField()
    state = CharField(max_length=8, default="sold")
    used_at = UtcField(null=True)
    transaction = ForeignKeyField(LedgerTransaction, null=True)
    transaction_id: int | None


class SecretBatch(StoreModel):
    """Scratch cards that were made together: `count` serials from `first_serial` on. `once_key`: of the form that asked for them."""

    id = AutoField()
    once_key = CharField(unique=True)
    first_serial = CharField(max_length=24, unique=True)
    last_serial = CharField(max_length=24)
    count = IntegerField()
    value_fen = IntegerField()
    note = CharField(default="")
    made_at = UtcField()
    made_by = CharField()


class PriceRequest(StoreModel):
    """Prices that one person asked for together; they hold once another approves them. `source`: form, import. `state`: asked,
    approved, refused. `why`: of a refusal."""

    id = AutoField()
    source = CharField(max_length=8)
    asked_by = CharField()
    asked_at = UtcField()
    state = CharField(max_length=8, default="asked", index=True)
    decided_by = CharField(default="")
    decided_at = UtcField(null=True)
    why = CharField(default="")


class PriceLine(StoreModel):
    """One price of a request. `what`: fee, consultation (of the doctor `row`), drug, clinic. `item`: its number, as people say it.
    `before_fen` None: it has had no price before. `lists`: once approved it may be asked for. `state`: asked, done, refused, replaced (by a
    later request), differs (the price was another one when it was approved: nothing was changed)."""

    id = AutoField()
    request = ForeignKeyField(PriceRequest, backref="lines")
    request_id: int
    what = CharField(max_length=16)
    row = IntegerField(column_name="row_id")
    item = CharField()
    before_fen = IntegerField(null=True)
    after_fen = IntegerField()
    lists = BooleanField(default=False)
    state = CharField(max_length=8, default="asked")

    class Meta:
        indexes = ((("what", "row", "state"), False),)


class BankFile(StoreModel):
    """A file of transfers; the same content is taken once."""

    id = AutoField()
    name = CharField()
    digest = CharField(max_length=64, unique=True)
    taken_at = UtcField()
    by = CharField()


class BankLine(StoreModel):
    """`reference` is the bank's own and unique among lines that were booked. `state`: booked, duplicate, unknown_card, reversed,
    refused."""

    id = AutoField()
    file = ForeignKeyField(BankFile, backref="lines")
    file_id: int
    line = IntegerField()
    reference = CharField(index=True)
    card_number = CharField()
    amount_fen = IntegerField()
    state = CharField(max_length=16)
    transaction = ForeignKeyField(LedgerTransaction, null=True)
    transaction_id: int | None


class Correction(StoreModel):
    """Asked for by one person, approved or refused by another; only then it is posted: `amount_fen` (> 0: more) for `account`, the
    opposite for `against`. `state`: asked, approved, refused."""

    id = AutoField()
    account = ForeignKeyField(LedgerAccount)
    account_id: int
    against = ForeignKeyField(LedgerAccount)
    against_id: int
    amount_fen = IntegerField()
    reason = TextField()
    asked_by = CharField()
    asked_at = UtcField()
    decided_by = CharField(default="")
    decided_at = UtcField(null=True)
    state = CharField(max_length=8, default="asked")
    transaction = ForeignKeyField(LedgerTransaction, null=True)
    transaction_id: int | None


class TopUpMiss(StoreModel):
    """A secret that was wrong. `who`: the card it was for, "card 6001002003", or where it came from, "phone 13900001111"."""

    id = AutoField()
    once_key = CharField(unique=True)
    who = CharField()
    at = UtcField()

    class Meta:
        indexes = ((("who", "at"), False),)


OFFICE_TABLES = (SecretBatch, PriceRequest, PriceLine)
"""Of a migration's step of their own."""
MONEY_TABLES = (
    *(LedgerAccount, DailyClosing, LedgerTransaction, Posting, CardSecret, TopUpMiss, BankFile, BankLine, Correction),
    *OFFICE_TABLES,
)
