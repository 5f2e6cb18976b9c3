"""Money onto a card: at a desk, or with a secret that was bought. Inside the caller's transaction.

A secret is kept as a digest only, made slowly on purpose: `digest_of` belongs into a thread, then `by_secret` into a transaction.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import pbkdf2_hmac

import msgspec

from appliance.hospital.ledger.accounts import CARD_SECRETS, Kind, account_of, cash_desk
from appliance.hospital.ledger.posting import Cause, Movement, NotPosted, transfer
from appliance.store.hospital_tables import Card
from appliance.store.money_tables import CardSecret, LedgerAccount, LedgerTransaction, TopUpMiss

SECRET_DIGITS = 16
MISSES_MOST = 5
MISSES_FOR = timedelta(hours=24)
AT_ONCE_MOST_FEN = 1_000_000
TAKE_MONEY = ("active", "locked", "frozen")
_ROUNDS = 50_000  # 20 ms: 10^16 secrets are then beyond trying out, even with the store in one's hands
_SALT = b"careline card secret"


class NotTopped(StrEnum):
    """Why no money came onto a card. `locked`: too many wrong secrets; tomorrow again."""

    UNKNOWN_CARD = "unknown_card"
    CARD_CLOSED = "card_closed"
    AMOUNT = "amount"
    WRONG_SECRET = "wrong_secret"
    SECRET_USED = "secret_used"
    LOCKED = "locked"


class Topped(msgspec.Struct, frozen=True):
    """`again`: it had come onto the card before, under the same key."""

    transaction: int
    amount_fen: int
    balance_fen: int
    again: bool = False


class PrintedSecret(msgspec.Struct, frozen=True):
    """A secret to be printed on a scratch card; afterwards nobody knows it."""

    serial: str
    secret: str
    value_fen: int


def at_desk(card_id: int, desk: str, amount_fen: int, once_key: str, now: datetime, cause: Cause) -> Topped | NotTopped:
    """Cash that was paid at `desk` (its name)."""
    account = _account(card_id)
    if isinstance(account, NotTopped):
        return account
    if not 0 < amount_fen <= AT_ONCE_MOST_FEN:
        return NotTopped.AMOUNT
    return _moved(cash_desk(desk), account, amount_fen, once_key, now, cause)


def _account(card_id: int) -> LedgerAccount | NotTopped:
    card = Card.get_or_none(Card.id == card_id)
    if card is None:
        return NotTopped.UNKNOWN_CARD
    if card.account is None or card.state not in TAKE_MONEY:
        return NotTopped.CARD_CLOSED
    return card.account


def _moved(source: LedgerAccount, account: LedgerAccount, amount_fen: int, once_key: str, now: datetime, cause: Cause) -> Topped:
    posted = transfer(Movement.TOP_UP, source, account, amount_fen, f"top up {once_key}", now, cause)
    assert not isinstance(posted, NotPosted)  # only cards may lack money
    return Topped(posted.transaction, amount_fen, LedgerAccount.get_by_id(account.id).balance_fen, posted.again)


def by_secret(card_id: int, digest: str, who: Iterable[str], once_key: str, now: datetime, cause: Cause) -> Topped | NotTopped:
    """The value of a scratch card. `who`: for whom wrong secrets are counted, besides the card: "phone 13900001111"."""
    account = _account(card_id)
    if isinstance(account, NotTopped):
        return account
    before = LedgerTransaction.get_or_none(LedgerTransaction.once_key == f"top up {once_key}")
    if before is not None:
        value_fen = CardSecret.get(CardSecret.transaction == before).value_fen
        return Topped(before.id, value_fen, LedgerAccount.get_by_id(account.id).balance_fen, again=True)
    counted = (f"card {card_id}", *who)
    if is_locked(counted, now):
        return NotTopped.LOCKED
    secret = CardSecret.get_or_none(CardSecret.digest == digest)
    if secret is None or secret.state in ("unsold", "void"):
        return _missed(counted, once_key, now)
    return _use(secret, account, once_key, now, cause)


def _use(secret: CardSecret, account: LedgerAccount, once_key: str, now: datetime, cause: Cause) -> Topped | NotTopped:
    used = CardSecret.update(state="used", used_at=now).where(CardSecret.id == secret.id, CardSecret.state == "sold")
    if not used.execute():
        return NotTopped.SECRET_USED
    topped = _moved(account_of(Kind.CARD_SECRETS, CARD_SECRETS), account, secret.value_fen, once_key, now, cause)
    CardSecret.update(transaction=topped.transaction).where(CardSecret.id == secret.id).execute()
    return topped


def is_locked(who: Iterable[str], now: datetime) -> bool:
    """Whether one of them has keyed MISSES_MOST wrong secrets within MISSES_FOR."""
    return any(_misses(one, now) >= MISSES_MOST for one in who)


def _misses(who: str, now: datetime) -> int:
    return int(TopUpMiss.select().where(TopUpMiss.who == who, TopUpMiss.at > now - MISSES_FOR).count())


def _missed(counted: tuple[str, ...], once_key: str, now: datetime) -> NotTopped:
    rows = [{"once_key": f"{once_key} {who}", "who": who, "at": now} for who in counted]
    TopUpMiss.insert_many(rows).on_conflict_ignore().execute()
    return NotTopped.LOCKED if is_locked(counted, now) else NotTopped.WRONG_SECRET


def digest_of(secret: str) -> str:
    """Any thread, 20 ms: what is kept of a secret, whatever was keyed."""
    return pbkdf2_hmac("sha256", secret.encode(), _SALT, _ROUNDS).hex()


def new_secret() -> str:
    """SECRET_DIGITS digits by chance."""
    return f"{secrets.randbelow(10**SECRET_DIGITS):0{SECRET_DIGITS}d}"


def print_secrets(made: Iterable[tuple[str, str]], value_fen: int, first_serial: int, *, sold: bool = False) -> list[PrintedSecret]:
    """Enter new scratch cards, serials from `first_serial` on. `made`: each secret with its digest, made in a thread. They have no value
    until they are sold."""
    printed = [(PrintedSecret(f"{serial:010d}", secret, value_fen), digest) for serial, (secret, digest) in enumerate(made, first_serial)]
    state = "sold" if sold else "unsold"
    rows = [{"serial": card.serial, "digest": digest, "value_fen": value_fen, "state": state} for card, digest in printed]
    if rows:
        CardSecret.insert_many(rows).execute()
    return [card for card, _ in printed]


def set_sold(serials: Iterable[str]) -> int:
    """From now on they have their value; how many were not sold yet."""
    return int(CardSecret.update(state="sold").where(CardSecret.serial.in_(list(serials)), CardSecret.state == "unsold").execute())


def void(serials: Iterable[str]) -> int:
    """Never to be used: stolen, say. How many were not used yet."""
    unused = CardSecret.serial.in_(list(serials)) & CardSecret.state.in_(("unsold", "sold"))
    return int(CardSecret.update(state="void").where(unused).execute())
